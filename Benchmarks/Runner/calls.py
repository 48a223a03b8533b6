"""What a call of the REST side costs, beside other clients, and what libcurl costs a process that makes none."""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

import bench
from bench import FOLDER
from clients import build_product

PEERS = "Benchmarks/Peers/rest"
MORE = 2_000  # calls of a long run; a short one makes a tenth
STARTS = 300
# The bars of --check.
MOST_OF_PEER = 0.6
MOST_MEMORY = 4 * 1024 * 1024
MOST_START = 5e-3

USAGE = f"""usage: Scripts/bench calls [--rounds N] [--quick] [--check] [--json]

Lists channels over a kept connection of TLS: the processor time of a call, beside the Python
package requests and the vendor's SDK. Also how much memory an idle platform with a kept connection takes beyond a
loop and TLS, and how much later a program starts that is linked with libcurl.

  --rounds N   how often each is measured (default: 5); the figures are medians
  --quick      whether all of it works: once, with a tenth of the calls
  --check      ends with 1 when a call takes more than {MOST_OF_PEER:.0%} of the processor time of the best of them, the
               memory is more than {MOST_MEMORY >> 20} MiB, or the start more than {MOST_START * 1e3:.0f} ms
  --json       writes JSON instead of a table
"""


def clients(program):
    """The clients that are here, by name, and what is missing for the others."""
    found, missing = {"ours": [program, "--calls"]}, {}
    for name, module in (("requests", "requests"), ("sdk", "PureCloudPlatformClientV2")):
        python = os.path.join(FOLDER, f"venv-{name}", "bin", "python3")
        if os.path.exists(python):
            found[name] = [python, os.path.join(PEERS, f"{name}_client.py")]
        else:
            missing[name] = f"{module} is not installed in {os.path.dirname(os.path.dirname(python))}"
    return found, missing


class Server:
    """A server that keeps its connections, on the last core."""

    def __init__(self):
        bench.make_certificates()
        folder = os.path.join(FOLDER, "certificates")
        self.child = subprocess.Popen(
            [sys.executable, "-B", os.path.join(PEERS, "server.py"), os.path.join(folder, "leaf.pem"),
             os.path.join(folder, "leaf.key")], stdout=subprocess.PIPE)
        os.sched_setaffinity(self.child.pid, {max(os.sched_getaffinity(0))})
        self.ca = os.path.join(folder, "ca.pem")
        self.base = f"https://localhost:{int(self.child.stdout.readline())}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.terminate()
        self.child.wait(30)


def pin(pid):
    os.sched_setaffinity(pid, {min(os.sched_getaffinity(0))})


def cost(command, count, server):
    """The processor time of a run of so many calls, in seconds."""
    child = subprocess.Popen(
        [*command, str(count), server.base, server.ca], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    pin(child.pid)
    output, errors = child.stdout.read(), child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    child.stdout.close()
    child.stderr.close()
    if status != 0:
        raise RuntimeError(f"{command[0]} failed: {errors.decode()[-500:]}")
    if json.loads(output) != {"calls": count, "channels": 1}:
        raise RuntimeError(f"{command[0]} reports {output[:200]!r}")
    return usage.ru_utime + usage.ru_stime


def for_each(command, more, server):
    """The difference of two runs, so that the start and the handshakes do not count."""
    few = max(1, more // 10)
    return (cost(command, more + few, server) - cost(command, few, server)) / more


def resident(command, ready):
    """The resident memory of a process that has nothing to do, in bytes."""
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if ready and child.stdout.readline() != b"READY\n":
        raise RuntimeError(f"{command[0]} is not ready")
    if not ready:
        time.sleep(0.2)
    with open(f"/proc/{child.pid}/status", encoding="ascii") as file:
        size = int(re.search(r"VmRSS:\s+(\d+) kB", file.read())[1]) * 1024
    child.stdin.close()
    child.wait(30)
    child.stdout.close()
    return size


def memory(program, server):
    """What an idle platform takes beyond a loop and TLS."""
    sizes = [resident([program, "--idle", kind, server.base, server.ca], True) for kind in ("platform", "loop")]
    return sizes[0] - sizes[1]


PROGRAM = "#include <stdio.h>\nint main(int count, char **arguments) { return count > 1 ? getchar() == 0 : 0; }\n"


def linked(folder):
    """Two programs that do nothing: one with the libraries of the core, and one also with libcurl."""
    source = os.path.join(folder, "nothing.c")
    with open(source, "w", encoding="ascii") as file:
        file.write(PROGRAM)
    programs = []
    for name, more in (("without", []), ("with", ["-lcurl"])):
        target = os.path.join(folder, name)
        subprocess.run(
            ["cc", "-O2", source, "-o", target, "-Wl,--no-as-needed", "-luv", "-lssl", "-lcrypto", "-lz", *more],
            check=True)
        programs.append(target)
    return programs


def start(program):
    """The time from the fork to the end of a program, in seconds."""
    began = time.perf_counter()
    pid = os.posix_spawn(program, [program], os.environ)
    os.waitpid(pid, 0)
    return time.perf_counter() - began


def start_cost(without, with_curl, count):
    """How much later a program is at its end, and the memory of the libraries."""
    times = [(start(without), start(with_curl)) for _ in range(count)]
    later = statistics.median(time for _, time in times) - statistics.median(time for time, _ in times)
    sizes = [resident([program, "wait"], False) for program in (with_curl, without)]
    return later, sizes[0] - sizes[1]


def complaints(found):
    """The bars that are missed."""
    some = []
    peers = {name: value for name, value in found["calls"].items() if name != "ours"}
    if peers:
        best = min(peers, key=peers.get)
        ratio = found["calls"]["ours"] / peers[best]
        if ratio > MOST_OF_PEER:
            some.append(f"a call takes {ratio:.0%} of the processor time of {TITLES[best]}")
    if found["memory"] > MOST_MEMORY:
        some.append(f"an idle platform takes {found['memory'] / 1024:,.0f} KiB")
    if found["start"] > MOST_START:
        some.append(f"libcurl delays the start by {found['start'] * 1e3:.1f} ms")
    return some


TITLES = {"ours": "Platform", "requests": "Python, requests", "sdk": "Python, the vendor's SDK"}


def table(found):
    ours = found["calls"]["ours"]
    for name, value in found["calls"].items():
        ratio = "" if name == "ours" else f" ({value / ours:.1f} times ours)"
        yield f"{'CPU of a call, ' + TITLES[name]:48}{value * 1e6:8.0f} µs{ratio}"
    yield f"{'memory of an idle platform':48}{found['memory'] / 1024:8,.0f} KiB (at most {MOST_MEMORY >> 10:,})"
    yield f"{'start, linked with libcurl':48}{found['start'] * 1e3:8.1f} ms (at most {MOST_START * 1e3:.1f})"
    yield f"{'memory of the libraries that libcurl loads':48}{found['libraries'] / 1024:8,.0f} KiB"


def run(program, commands, options):
    """The medians of all rounds."""
    more = MORE // 10 if options.quick else MORE
    samples = {name: [] for name in [*commands, "memory", "start", "libraries"]}
    with Server() as server, tempfile.TemporaryDirectory() as folder:
        pair = linked(folder)
        for _ in range(options.rounds):
            for name, command in commands.items():
                samples[name].append(for_each(command, more, server))
            samples["memory"].append(memory(program, server))
            later, libraries = start_cost(*pair, STARTS // 10 if options.quick else STARTS)
            samples["start"].append(later)
            samples["libraries"].append(libraries)
    medians = {name: statistics.median(values) for name, values in samples.items()}
    return {"calls": {name: medians[name] for name in commands},
            **{name: medians[name] for name in ("memory", "start", "libraries")}}


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
    program = build_product("request-probe")
    commands, missing = clients(program)
    found = run(program, commands, options)
    if options.json:
        print(json.dumps(found))
    else:
        print("\n".join(table(found)))
    for name, reason in missing.items():
        print(f"SKIPPED: {TITLES[name]}: {reason}", file=sys.stderr)
    wrong = complaints(found)
    for line in wrong:
        print(f"calls: {line}", file=sys.stderr)
    return 1 if wrong and options.check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
