"""What a relay into Redis costs, beside plain commands with hiredis: processor time, rate, latency, and memory."""

import argparse
import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import clients
import processes
from bench import FOLDER
from groups import child

KINDS = ("relay", "hiredis")
RECORDS = 300_000
RATE = 10_000
SECONDS, STALLED_SECONDS = 5, 8
QUEUE = 16 << 20
# The bars of --check.
MOST_CPU = 1.0e-6
LEAST_RATE = 100_000
MOST_LATENCY = 0.010
MOST_GROWTH = 2 * QUEUE + (8 << 20)

USAGE = f"""usage: Scripts/bench relay [--rounds N] [--quick] [--check] [--json]

A relay into one stream of a redis-server of its own, with notifications of 400 bytes: the processor time of a record
and the records a second when it takes all it can get, the time from the receipt to the acknowledgment at {RATE:,} a
second, and what its memory grows by while the server is stopped. And the same of a client that sends a plain XADD for
each record with hiredis, which keeps no order over a lost connection and makes nothing once.

  --rounds N   how often each is measured (default: 5); the figures are medians
  --quick      whether all of it works: once, with a tenth of the records
  --check      ends with 1 when a record takes more than {MOST_CPU * 1e6:.1f} µs of processor time, fewer than
               {LEAST_RATE:,} are stored in a second, half of them take more than {MOST_LATENCY * 1e3:.0f} ms,
               or the memory grows by more than {MOST_GROWTH >> 20} MiB with a queue of {QUEUE >> 20} MiB
  --json       writes JSON instead of a table
"""


class Failure(Exception):
    """A run that gave no figures, and why."""


def build():
    """The programs of this benchmark."""
    os.makedirs(os.path.join(FOLDER, "bin"), exist_ok=True)
    command = ["swift", "build", "-c", "release", "--package-path", "Benchmarks", "--product", "relay-client",
               "-Xswiftc", "-warnings-as-errors"]
    if subprocess.run(command, stdout=sys.stderr).returncode != 0:
        sys.exit("relay: the client does not build")
    path = subprocess.run([*command, "--show-bin-path"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    peer = clients.c_program(FOLDER, "hiredis", ["Benchmarks/Peers/relay/hiredis.c"],
                             clients.flags_of("hiredis", "libuv"))
    return {"relay": [os.path.join(path, "relay-client")], "hiredis": peer}


@contextlib.contextmanager
def redis():
    """A server without files, on the other core: its socket and its process."""
    with tempfile.TemporaryDirectory() as folder:
        socket = os.path.join(folder, "s")
        command = ["redis-server", "--port", "0", "--unixsocket", socket, "--dir", folder, "--save", "",
                   "--appendonly", "no"]
        with child(command) as server:
            os.sched_setaffinity(server.pid, {processes.SERVER_CORE})
            for line in server.stdout:
                if b"eady to accept connections" in line:
                    break
            else:
                raise Failure("redis-server did not start")
            yield socket, server


def place(kind, socket):
    return f"redis+unix://{socket}" if kind == "relay" else socket


def values(kind, client, before=b""):
    """The report of a client."""
    output, _ = client.communicate(before, timeout=120)
    if client.returncode != 0 or not output:
        raise Failure(f"{kind} ended with {client.returncode} and without figures")
    return json.loads(output)


def run(kind, command, *arguments):
    """One client at a server of its own."""
    with redis() as (socket, _):
        with child([*command, place(kind, socket), *map(str, arguments)], stdin=subprocess.PIPE) as client:
            os.sched_setaffinity(client.pid, {processes.CLIENT_CORE})
            return values(kind, client)


def stalled(kind, command, seconds):
    """By how much the memory grows while the server takes nothing."""
    bound = ["--queue-bytes", str(QUEUE)] if kind == "relay" else ["--stalled", "1"]
    with redis() as (socket, server):
        words = [*command, place(kind, socket), "--rate", str(RATE), "--seconds", str(seconds), *bound]
        with child(words, stdin=subprocess.PIPE) as client:
            if client.stdout.readline() != b"READY\n":
                raise Failure(f"{kind} was not ready")
            server.send_signal(signal.SIGSTOP)
            try:
                found = values(kind, client, b"\n")
            finally:
                server.send_signal(signal.SIGCONT)
            return found["most"] - found["before"]


# The figures.

def measure(programs, options):
    part = 10 if options.quick else 1
    seconds = 4 if options.quick else STALLED_SECONDS
    rows = {kind: {name: [] for name in ("cpu", "rate", "median", "p99", "growth")} for kind in KINDS}
    for _ in range(options.rounds):  # in turns, so that both meet the same machine
        for kind in KINDS:
            found = run(kind, programs[kind], "--records", RECORDS // part)
            rows[kind]["cpu"].append(found["cpu"] / found["records"])
            rows[kind]["rate"].append(found["records"] / found["seconds"])
    for _ in range(min(options.rounds, 3)):
        for kind in KINDS:
            found = run(kind, programs[kind], "--rate", RATE, "--seconds", 1 if options.quick else SECONDS)
            for name in ("median", "p99"):
                rows[kind][name].append(found[name])
    for kind in KINDS:
        rows[kind]["growth"].append(stalled(kind, programs[kind], seconds))
    return {kind: {name: statistics.median(each) for name, each in row.items()} for kind, row in rows.items()}


def complaints(found):
    """The bars that are missed."""
    ours = found["relay"]
    if ours["cpu"] > MOST_CPU:
        yield f"a record takes {ours['cpu'] * 1e6:.2f} µs of processor time, more than {MOST_CPU * 1e6:.1f}"
    if ours["rate"] < LEAST_RATE:
        yield f"{ours['rate']:,.0f} records are stored in a second, fewer than {LEAST_RATE:,}"
    if ours["median"] > MOST_LATENCY:
        yield f"half of the records take more than {MOST_LATENCY * 1e3:.0f} ms to be acknowledged"
    if ours["growth"] > MOST_GROWTH:
        yield (f"the memory grows by {ours['growth'] / 1048576:.1f} MiB while the server is stopped, more than "
               f"{MOST_GROWTH >> 20}")


def table(found):
    ours, peer = found["relay"], found["hiredis"]
    rows = (
        ("CPU a record", "cpu", 1e6, "10.2f", "µs", f"at most {MOST_CPU * 1e6:.1f}"),
        ("records a second into one stream", "rate", 1, "10,.0f", "  ", f"at least {LEAST_RATE:,}"),
        (f"receipt to acknowledgment at {RATE:,} a second, median", "median", 1e3, "10.1f", "ms",
         f"at most {MOST_LATENCY * 1e3:.0f}"),
        ("the same, 99th percentile", "p99", 1e3, "10.1f", "ms", ""),
        (f"memory while the server is stopped, queue of {QUEUE >> 20} MiB", "growth", 1 / 1048576, "10.1f", "MiB",
         f"at most {MOST_GROWTH >> 20}"))
    for title, name, scale, form, unit, bar in rows:
        theirs = format(peer[name] * scale, form).strip()
        yield f"{title:62}{format(ours[name] * scale, form)} {unit:4}" \
              f"(hiredis {theirs}{'; ' + bar if bar else ''})"


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
    for program in ("redis-server", "cc"):
        if shutil.which(program) is None:
            print(f"SKIPPED: the relay is not measured: {program} is not installed", file=sys.stderr)
            return 0
    programs = build()
    processes.pin_ourselves()
    began = time.monotonic()
    found = measure(programs, options)
    if options.json:
        print(json.dumps(found))
    else:
        print("\n".join(table(found)))
        print(f"measured in {time.monotonic() - began:.0f} s")
    wrong = list(complaints(found))
    for line in wrong:
        print(f"relay: {line}", file=sys.stderr)
    return 1 if wrong and options.check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
