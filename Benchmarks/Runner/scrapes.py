"""What scrapes of `listen --metrics-listen` cost the tool, and how much they delay its notifications."""

import argparse
import json
import multiprocessing
import os
import re
import select
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from clients import build_product

RATE = 5_000  # notifications a second
SCRAPES = 1_000  # scrapes a second
MODES = ("quiet", "kept", "new")
TITLES = {"quiet": "no scrapes", "kept": "one connection", "new": "a new connection each"}
# The bars of --check.
MOST_CPU = 200e-6
MOST_DELAY = 5e-3

USAGE = f"""usage: Scripts/bench scrapes [--seconds N] [--rounds N] [--quick] [--check] [--json]

A channel prints {RATE:,} notifications a second while its metrics are scraped {SCRAPES:,} times a second, on one
connection or on a new one each time: the processor time of the tool for each scrape, and the delays of the
notifications, with and without scrapes, from their time in the service's schedule to the reader of standard output.

  --seconds N   the length of each measurement (default: 10)
  --rounds N    how often each is made (default: 5); costs are medians, delays the least of all rounds
  --quick       whether all of it works: one second each, once
  --check       ends with 1 when a notification is lost, a scrape takes more than {MOST_CPU * 1e6:.0f} µs, or the 99th
                percentile of the delays rises by more than {MOST_DELAY * 1e3:.0f} ms
  --json        writes JSON instead of a table
"""


def scrape(port, seconds, keeps, answers):
    """Scrapes on schedule, and catches up when it was late; passes on how many answers came in how many seconds."""
    count, start = 0, time.monotonic()
    connection = connected(port)
    request = b"GET /metrics HTTP/1.1\r\nHost: x\r\n"
    while (now := time.monotonic()) < start + seconds:
        due = start + count / SCRAPES
        if due > now:
            time.sleep(due - now)
        if keeps:
            connection.sendall(request + b"\r\n")
            read_answer(connection)
        else:
            with connected(port) as client:
                client.sendall(request + b"Connection: close\r\n\r\n")
                read_answer(client)
        count += 1
    connection.close()
    answers.send((count, time.monotonic() - start))


def connected(port):
    client = socket.socket()
    client.settimeout(30)
    client.connect(("127.0.0.1", port))
    return client


def read_answer(client):
    """Reads one answer, which must be the metrics."""
    head, _, body = receive(client).partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"a scrape was answered with {head[:60]!r}")
    missing = int(re.search(rb"Content-Length: (\d+)", head)[1]) - len(body)
    while missing > 0:
        missing -= len(receive(client))


def receive(client):
    part = client.recv(65536)
    if not part:
        raise RuntimeError("a scrape got no whole answer")
    return part


def busy_time(pid):
    """The processor time of all threads of a process so far, in seconds."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        except FileNotFoundError:
            pass
    return total / 1e9


class Session:
    """A simulator and a listener, and what the listener printed."""

    def __init__(self, tool, errors):
        self.errors = errors
        self.simulator = subprocess.Popen(
            [tool, "simulate", "--rate", str(RATE)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        announced = json.loads(self.simulator.stdout.readline())
        self.listener = subprocess.Popen(
            [tool, "listen", "--uri-file", "-", "--ca-file", announced["caFile"], "--no-proxy", "--events",
             "--topic", "v2.users.a.presence", "--metrics-listen", "127.0.0.1:0"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        self.listener.stdin.write(announced["uri"].encode() + b"\n")
        self.listener.stdin.close()
        self.chunks = []
        self.read(1)  # whatever happens only once is over
        self.port = int(re.search(rb"Metrics: http://127.0.0.1:(\d+)/", self.said())[1])

    def said(self):
        with open(self.errors.name, "rb") as file:
            return file.read()

    def read(self, seconds):
        """Reads the listener's output, with the time of each part."""
        output, end = self.listener.stdout.fileno(), time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([output], [], [], left)[0]:
                part = os.read(output, 1 << 20)
                if not part:
                    raise RuntimeError("the listener ended")
                self.chunks.append((time.monotonic_ns(), part))

    def measure(self, mode, seconds):
        """The processor time of a phase, its scrapes, and its part of the output."""
        first, count, elapsed = len(self.chunks), 0, seconds
        ours, theirs = multiprocessing.Pipe()
        scraper = multiprocessing.Process(target=scrape, args=(self.port, seconds, mode == "kept", theirs))
        before = busy_time(self.listener.pid)
        if mode != "quiet":
            scraper.start()
        self.read(seconds)
        if mode != "quiet":
            while not ours.poll():
                if not scraper.is_alive() and not ours.poll():
                    raise RuntimeError("the scraper broke off")
                self.read(0.01)
            count, elapsed = ours.recv()
            scraper.join()
        return {"mode": mode, "cpu": busy_time(self.listener.pid) - before, "scrapes": count,
                "rate": count / elapsed, "chunks": (first, len(self.chunks))}

    def end(self):
        """Ends both; returns the number of the notifications that are missing."""
        self.listener.send_signal(signal.SIGTERM)
        while part := os.read(self.listener.stdout.fileno(), 1 << 20):
            self.chunks.append((time.monotonic_ns(), part))
        if self.listener.wait(30) != 0:
            raise RuntimeError(f"the listener failed: {self.said().decode()}")
        self.simulator.send_signal(signal.SIGTERM)
        self.simulator.wait(30)
        events = [json.loads(line)["event"] for line in self.said().splitlines()]
        if events != ["log", "subscribed", "closed"]:
            raise RuntimeError(f"the channel was disturbed: {events}")

    def arrivals(self):
        """For each part of the output the numbers of the notifications that it completes."""
        rest, found = b"", []
        for at, part in self.chunks:
            lines = (rest + part).split(b"\n")
            rest = lines.pop()
            found.append((at, [int(re.search(rb'"sequence":(\d+)', line)[1]) for line in lines]))
        return found


def delays(arrivals, rate):
    """The delays in seconds, against the schedule of the service, from the smallest one on; sorted."""
    late = [at / 1e9 - number / rate for at, numbers in arrivals for number in numbers]
    least = min(late)
    return sorted(delay - least for delay in late)


def percentile(ordered, share):
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def lost(arrivals):
    """How many numbers are missing, repeated or out of order."""
    numbers = [number for _, some in arrivals for number in some]
    return sum(1 for one, next in zip(numbers, numbers[1:]) if next != one + 1)


def figures(phases):
    """For each mode the medians over the rounds, and the least delays: other programs can only add to them."""
    found = {}
    for mode in MODES:
        some = [phase for phase in phases if phase["mode"] == mode]
        found[mode] = {name: statistics.median(phase[name] for phase in some)
                       for name in ("cpu", "scrapes", "rate", "seconds")}
        found[mode].update({name: min(phase[name] for phase in some) for name in ("p50", "p99", "most")})
    quiet = found["quiet"]
    for mode in MODES[1:]:
        each = found[mode]
        idle = quiet["cpu"] / quiet["seconds"] * each["seconds"]
        each["scrape"] = (each["cpu"] - idle) / each["scrapes"]
        each["rise"] = each["p99"] - quiet["p99"]
    return found


def complaints(found, missing):
    """The bars that are missed."""
    some = [f"{missing} notifications are missing"] if missing else []
    for mode in MODES[1:]:
        each = found[mode]
        if each["rate"] < 0.95 * SCRAPES:
            some.append(f"{TITLES[mode]}: only {each['rate']:.0f} scrapes a second")
        if each["scrape"] > MOST_CPU:
            some.append(f"{TITLES[mode]}: {each['scrape'] * 1e6:.0f} µs of processor time for each scrape")
        if each["rise"] > MOST_DELAY:
            some.append(f"{TITLES[mode]}: the 99th percentile rises by {each['rise'] * 1e3:.1f} ms")
    return some


def run(tool, seconds, rounds):
    """The phases with their figures, and the number of missing notifications."""
    phases, missing = [], 0
    with tempfile.NamedTemporaryFile() as errors:
        session = Session(tool, errors)
        try:
            for number in range(rounds * len(MODES)):
                start = time.monotonic()
                phase = session.measure(MODES[number % len(MODES)], seconds)
                phases.append({**phase, "seconds": time.monotonic() - start})
            session.end()
        finally:
            session.listener.kill()
            session.simulator.kill()
    arrivals = session.arrivals()
    for phase in phases:
        some = delays(arrivals[slice(*phase.pop("chunks"))], RATE)
        phase.update(p50=percentile(some, 0.5), p99=percentile(some, 0.99), most=some[-1])
    return phases, lost(arrivals)


def table(found):
    yield f"{'':22}{'scrapes/s':>10}{'CPU a scrape':>14}{'CPU in all':>12}{'p50':>9}{'p99':>9}{'most':>9}"
    for mode in MODES:
        each = found[mode]
        cost = f"{each['scrape'] * 1e6:.0f} µs" if "scrape" in each else ""
        times = "".join(f"{each[name] * 1e3:6.2f} ms" for name in ("p50", "p99", "most"))
        yield (f"{TITLES[mode]:22}{each['rate']:10.0f}{cost:>14}"
               f"{each['cpu'] / each['seconds']:12.1%}{times}")


def main(arguments):
    parser = argparse.ArgumentParser(add_help=False, usage=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    for name in ("--quick", "--check", "--json", "--help", "-h"):
        parser.add_argument(name, action="store_true")
    options = parser.parse_args(arguments)
    if options.help or options.h:
        print(USAGE, end="")
        return 0
    if options.quick:
        options.seconds, options.rounds = 1, 1
    tool = build_product("genesys-loop")
    try:
        # All processes of the measurement inherit it, so that a busy neighbor delays none of them.
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        print("scrapes: without the rights for the real-time class, other programs add to the delays", file=sys.stderr)
    phases, missing = run(tool, options.seconds, options.rounds)
    found = figures(phases)
    if options.json:
        print(json.dumps({"figures": found, "missing": missing}))
    else:
        print("\n".join(table(found)))
        print(f"{missing} of {RATE * sum(phase['seconds'] for phase in phases):,.0f} notifications are missing")
    wrong = complaints(found, missing)
    for line in wrong:
        print(f"scrapes: {line}", file=sys.stderr)
    return 1 if wrong and options.check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
