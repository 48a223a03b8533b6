"""What a group of channels costs: its start, its memory, and a notification through it, beside a plain channel."""

import argparse
import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import bench
import clients
import processes
from bench import FOLDER
from clients import build_product

PEERS = "Benchmarks/Peers/rest"
KINDS = ("plain", "group")
SHAPES = {"record": "400 B, one record each", "batch": "400 B in 16 KiB records"}
SIZE = 400
COUNTED = {"record": (1_000, 5_000), "batch": (2_000, 20_000)}  # notifications that are counted with valgrind
TIMED = 200_000
SHARDS = 20
PACE = 1.0  # seconds between two channels that a group makes
# The bars of --check.
MOST_OF_PLAIN = 1.05
MOST_BEYOND_PACE = 5.0

USAGE = f"""usage: Scripts/bench groups [--rounds N] [--quick] [--check] [--json]

A group of {SHARDS} channels with {SHARDS * 1_000:,} topics, at a simulator of its own: the processor time and the time
from open() to the last confirmation, and the memory of a channel with its 1,000 topics. And the cost of a notification
through a group, beside one through a NotificationChannel: instructions counted with valgrind, and processor times.

  --rounds N   how often each is measured (default: 5, of the start 2); the figures are medians
  --quick      whether all of it works: once, with {SHARDS // 4} channels and a tenth of the notifications
  --check      ends with 1 when a notification through a group takes more than {MOST_OF_PLAIN} times the instructions
               of a plain one (without valgrind: of its processor time), or the last confirmation comes more than
               {MOST_BEYOND_PACE:.0f} s later than the pace explains
  --json       writes JSON instead of a table
"""


class Failure(Exception):
    """A run that gave no figures, and why."""


def build():
    """The client of this benchmark, and a copy without the debug information that valgrind does not read."""
    command = ["swift", "build", "-c", "release", "--package-path", "Benchmarks", "--product", "group-client",
               "-Xswiftc", "-warnings-as-errors"]
    if subprocess.run(command, stdout=sys.stderr).returncode != 0:
        sys.exit("groups: the client does not build")
    path = subprocess.run([*command, "--show-bin-path"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    program = os.path.join(path, "group-client")
    stripped = os.path.join(FOLDER, "bin", "group-client")
    subprocess.run(["strip", "-g", "-o", stripped, program], check=True)
    return stripped


def build_harness():
    os.makedirs(os.path.join(FOLDER, "bin"), exist_ok=True)
    os.makedirs(os.path.join(FOLDER, "logs"), exist_ok=True)
    bench.make_certificates()
    server = [os.path.join("Benchmarks/Server", name) for name in sorted(os.listdir("Benchmarks/Server"))
              if name.endswith(".c")]
    clients.c_program(FOLDER, "load-server", server, clients.flags_of("openssl"))
    clients.c_program(FOLDER, "measure", ["Benchmarks/Runner/measure.c"], [])


@contextlib.contextmanager
def child(command, **options):
    """A process that ends with the block."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


# The start, and the memory.

@contextlib.contextmanager
def simulator(tool):
    """A simulator with an OAuth client. Its limits are far above what a group asks for, so that only the group's own
    pace counts: 60 creations a minute are the service's limit, and a group makes one a second."""
    with tempfile.TemporaryDirectory() as folder:
        script = os.path.join(folder, "script.json")
        with open(script, "w", encoding="ascii") as file:
            json.dump({"steps": [{"at": 0, "do": "rates", "requests": 6_000, "creations": 6_000}]}, file)
        command = [tool, "simulate", "--require-token", "--rate", "0", "--script", script]
        with child(command, stderr=subprocess.DEVNULL) as process:
            yield process


def start(tool, program, count):
    """What the way to the last confirmation of so many shards took, and the memory afterwards."""
    with simulator(tool) as service:
        announced = json.loads(service.stdout.readline())
        os.sched_setaffinity(service.pid, {processes.SERVER_CORE})
        environment = dict(os.environ, GENESYSCLOUD_OAUTHCLIENT_ID=announced["clientId"],
                           GENESYSCLOUD_OAUTHCLIENT_SECRET=announced["clientSecret"])
        command = [program, announced["apiBase"], "--ca", announced["caFile"], "--shards", str(count)]
        with child(command, env=environment) as group:
            os.sched_setaffinity(group.pid, {processes.CLIENT_CORE})
            line = group.stdout.readline()
            if not line:
                raise Failure(f"a group of {count} shards did not start")
            found = json.loads(line)
            if group.stdout.readline() != b"READY\n":
                raise Failure(f"a group of {count} shards did not stay")
            with open(f"/proc/{group.pid}/status", encoding="ascii") as file:
                found["resident"] = int(re.search(r"VmRSS:\s+(\d+) kB", file.read())[1]) * 1024
            return found


# A notification.

@contextlib.contextmanager
def served(kind, shape, count):
    """A load server, for a group with a REST side before it: where the client goes, and the server."""
    certificates = os.path.join(FOLDER, "certificates")
    with processes.Server(FOLDER, "stream", size=SIZE, count=count, shape=shape) as server:
        uri = f"wss://127.0.0.1:{server.port}{processes.PATH}"
        if kind == "plain":
            yield uri, server
            return
        command = [sys.executable, "-B", os.path.join(PEERS, "server.py"), os.path.join(certificates, "leaf.pem"),
                   os.path.join(certificates, "leaf.key"), uri]
        with child(command) as rest:
            yield f"https://localhost:{int(rest.stdout.readline())}", server


def session(program, kind, shape, count, before):
    """The outputs of a client that receives so many notifications; `before` are the words that measure it."""
    work = "--plain" if kind == "plain" else "--stream"
    environment = {"GENESYSCLOUD_OAUTHCLIENT_ID": "an-id", "GENESYSCLOUD_OAUTHCLIENT_SECRET": "a-secret",
                   "SWIFT_DETERMINISTIC_HASHING": "1", "PATH": os.environ["PATH"]}
    with served(kind, shape, count) as (place, server):
        command = [*before, program, place, "--ca", os.path.join(FOLDER, "certificates", "ca.pem"), work]
        result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
        lines = result.stdout.splitlines()
        counted = next((json.loads(line) for line in lines if line.startswith('{"messages"')), {})
        if result.returncode != 0 or counted.get("messages") != count or server.values(10)["messages"] != count:
            words = " ".join(result.stderr.split())[-300:]
            raise Failure(f"{kind} counted {counted.get('messages')} of {count} notifications: {words}")
        return lines, result.stderr


def instructions(program, kind, shape):
    """The instructions of the process for each notification: the difference of two sessions."""
    few, many = COUNTED[shape]
    counts = []
    for count in (few, many):
        command = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
        _, errors = session(program, kind, shape, count, command)
        counts.append(int(re.search(r"I\s+refs:\s+([\d,]+)", errors)[1].replace(",", "")))
    return (counts[1] - counts[0]) / (many - few)


def processor_time(program, kind, shape, count):
    """The processor time for each notification: the difference to a session of one, in seconds."""
    meter = [os.path.join(FOLDER, "bin", "measure"), str(processes.CLIENT_CORE)]
    times = []
    for number in (1, count):
        lines, _ = session(program, kind, shape, number, meter)
        usage = json.loads(lines[-1])
        times.append(usage["user"] + usage["system"])
    return (times[1] - times[0]) / (count - 1)


# The figures.

def run(tool, program, options):
    shards = SHARDS // 4 if options.quick else SHARDS
    starts = [start(tool, program, shards) for _ in range(1 if options.quick else min(2, options.rounds))]
    alone = statistics.median(start(tool, program, 1)["resident"] for _ in range(options.rounds))
    found = {"shards": shards}
    for name in ("seconds", "cpu"):
        found[name] = statistics.median(each[name] for each in starts)
    resident = statistics.median(each["resident"] for each in starts)
    found["memory"] = {"one": alone, "all": resident, "each": (resident - alone) / (shards - 1)}
    found["instructions"] = {}
    if shutil.which("valgrind"):
        for shape in SHAPES:
            found["instructions"][shape] = {kind: instructions(program, kind, shape) for kind in KINDS}
    found["cpu_each"] = {}
    for shape in SHAPES:
        times = {kind: [] for kind in KINDS}
        for _ in range(options.rounds):  # in turns, so that both meet the same machine
            for kind in KINDS:
                times[kind].append(processor_time(program, kind, shape, TIMED // 10 if options.quick else TIMED))
        found["cpu_each"][shape] = {kind: statistics.median(times[kind]) for kind in KINDS}
    return found


def ratio(pair):
    return pair["group"] / pair["plain"]


def complaints(found):
    """The bars that are missed."""
    some = []
    what = "instructions" if found["instructions"] else "cpu_each"
    for shape, pair in found[what].items():
        if ratio(pair) > MOST_OF_PLAIN:
            some.append(f"a notification through a group takes {ratio(pair):.3f} times the "
                        f"{'instructions' if what == 'instructions' else 'processor time'} of a plain one "
                        f"({SHAPES[shape]})")
    late = found["seconds"] - (found["shards"] - 1) * PACE
    if late > MOST_BEYOND_PACE:
        some.append(f"the last confirmation comes {late:.1f} s later than the pace explains")
    return some


def table(found):
    shards, memory = found["shards"], found["memory"]
    yield f"{f'start of {shards} shards, to the last confirmation':52}{found['seconds']:9.1f} s " \
          f"({(shards - 1) * PACE:.0f} s are the pace of one a second)"
    yield f"{f'CPU of that, {shards * 1000:,} topics':52}{found['cpu'] * 1e3:9.0f} ms " \
          f"({found['cpu'] / shards * 1e3:.1f} ms a shard)"
    yield f"{'memory of a shard with 1,000 topics':52}{memory['each'] / 1024:9,.0f} KiB " \
          f"(resident: {memory['one'] / 1048576:.1f} MiB with 1, {memory['all'] / 1048576:.1f} MiB with {shards})"
    for shape, title in SHAPES.items():
        if found["instructions"]:
            pair = found["instructions"][shape]
            yield f"{f'instructions a notification, {title}':52}{pair['group']:9,.0f}   " \
                  f"(plain {pair['plain']:,.0f}: {ratio(pair):.3f}, at most {MOST_OF_PLAIN})"
        pair = found["cpu_each"][shape]
        yield f"{f'CPU a notification, {title}':52}{pair['group'] * 1e9:9,.0f} ns " \
              f"(plain {pair['plain'] * 1e9:,.0f} ns: {ratio(pair):.3f})"


def main(arguments):
    parser = argparse.ArgumentParser(add_help=False, usage=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5)
    for name in ("--quick", "--check", "--json", "--help", "-h"):
        parser.add_argument(name, action="store_true")
    options = parser.parse_args(arguments)
    if options.help or options.h:
        print(USAGE, end="")
        return 0
    if options.quick:
        options.rounds = 1
    build_harness()
    tool, program = build_product("genesys-loop"), build()
    processes.pin_ourselves()
    began = time.monotonic()
    found = run(tool, program, options)
    if options.json:
        print(json.dumps(found))
    else:
        print("\n".join(table(found)))
        print(f"measured in {time.monotonic() - began:.0f} s")
    if not found["instructions"]:
        print("SKIPPED: instructions are not counted: valgrind is not installed", file=sys.stderr)
    wrong = complaints(found)
    for line in wrong:
        print(f"groups: {line}", file=sys.stderr)
    return 1 if wrong and options.check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
