#!/usr/bin/env python3
"""Breaks the path between a simulator and a listener: start it in a new network namespace (`unshare -rnm`).

usage: paths.py SCENARIO TOOL [COUNT]

  loss-5, loss-20   this percentage of the packets in both directions is lost; ends after COUNT notifications
  black-hole        after COUNT notifications no packet arrives until the listener has tried once to reconnect
  link-down         after COUNT notifications the interface goes down for a minute

TOOL is the executable genesys-loop. The simulator numbers its notifications. Prints one line of JSON: the "status" of
the listener, its "errors" (events), how many notifications it printed ("count"), how many of them came again
("repeated") or too late ("disordered"), and as lists of [first, last, from, to] the numbers that are "missing" and, in
seconds since 1970, when the simulator sent them. Also the times "broken" and "mended", if there was only one break.
Ends with status 75 if such a network is impossible here.
"""

import json
import signal
import subprocess
import sys
import threading
import time

from namespace import ip, nft

RATES = {"loss-5": 5_000, "loss-20": 2_000, "black-hole": 200, "link-down": 200}
PATIENCE = 300


class Listener:
    """The listener, what it printed so far, and when."""

    def __init__(self, tool, announcement, *more):
        topics = ["--topic", "v2.users.ID.presence", "--topic", "v2.routing.queues.q1.users"]
        self.process = subprocess.Popen(
            [tool, "listen", "--uri", announcement["uri"], "--ca-file", announcement["caFile"], *topics, "--no-proxy",
             "--events", *more],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.arrivals, self.events = [], []
        self.changed = threading.Condition()
        self.readers = [threading.Thread(target=self._read, args=each) for each in (
            (self.process.stdout, self._notification), (self.process.stderr, self.events.append))]
        for reader in self.readers:
            reader.start()

    def _read(self, stream, note):
        for line in stream:
            with self.changed:
                note(line)
                self.changed.notify_all()

    def _notification(self, line):
        self.arrivals.append((json.loads(line)["eventBody"]["sequence"], time.time()))

    def wait(self, what, condition):
        with self.changed:
            if not self.changed.wait_for(condition, timeout=PATIENCE):
                sys.exit(f"the listener did not get as far as {what}:\n{''.join(self.events)}")

    def wait_for_notifications(self, count):
        self.wait(f"{count} notifications", lambda: len(self.arrivals) >= count)

    def wait_for_event(self, name, number=1):
        self.wait(name, lambda: sum(json.loads(line)["event"] == name for line in self.events) >= number)

    def end(self):
        status = self.process.wait(timeout=PATIENCE)
        for reader in self.readers:
            reader.join()
        return status


def report(listener, rate):
    """The missing notifications and their send times: the rate is even, and the fastest arrivals show its start."""
    numbers = [number for number, _ in listener.arrivals]
    start = min(at - number / rate for number, at in listener.arrivals)
    missing, seen, disordered = [], set(), 0
    highest = numbers[0] - 1
    for number in numbers:
        disordered += number < highest and number not in seen
        seen.add(number)
        highest = max(highest, number)
    expected = numbers[0]
    for number in sorted(seen):
        if number > expected:
            missing.append([expected, number - 1, start + expected / rate, start + (number - 1) / rate])
        expected = number + 1
    return {"count": len(numbers), "repeated": len(numbers) - len(seen), "disordered": disordered, "missing": missing}


def drop(port, which=""):
    """Drops the packets of a TCP port in both directions: all of them, or those that `which` selects."""
    nft("add table inet path\n"
        "add chain inet path input { type filter hook input priority 0; }\n"
        f"add rule inet path input tcp dport {port} {which} drop\n"
        f"add rule inet path input tcp sport {port} {which} drop\n")


def mend():
    nft("delete table inet path\n")


def run(scenario, tool, count, announcement):
    port = int(announcement["uri"].split(":")[2].split("/")[0])
    if scenario.startswith("loss"):
        drop(port, f"numgen random mod 100 < {scenario.removeprefix('loss-')}")
        listener = Listener(tool, announcement, "--count", str(count))
        return listener, {}
    listener = Listener(tool, announcement)
    listener.wait_for_notifications(count)
    times = {"broken": time.time()}
    if scenario == "black-hole":
        drop(port)
        listener.wait_for_event("reconnecting", 2)
        times["mended"] = time.time()
        mend()
    else:
        ip("link", "set", "lo", "down")
        time.sleep(60)
        times["mended"] = time.time()
        ip("link", "set", "lo", "up")
    listener.wait_for_event("recovered")
    listener.wait_for_notifications(len(listener.arrivals) + count)
    listener.process.send_signal(signal.SIGINT)
    return listener, times


def main():
    if len(sys.argv) not in (3, 4) or sys.argv[1] not in RATES:
        sys.exit(__doc__)
    scenario, tool, count = sys.argv[1], sys.argv[2], int((sys.argv[3:] or [1_000])[0])
    # A test's threads block signals, and children inherit that.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    ip("link", "set", "lo", "up")
    drop(1)  # Tells now whether there can be rules.
    mend()
    rate = RATES[scenario]
    simulator = subprocess.Popen([tool, "simulate", "--rate", str(rate)], stdout=subprocess.PIPE, text=True)
    try:
        listener, times = run(scenario, tool, count, json.loads(simulator.stdout.readline()))
        try:
            status = listener.end()
        finally:
            listener.process.kill()
    finally:
        simulator.terminate()
    print(json.dumps({"status": status, "errors": "".join(listener.events), **report(listener, rate), **times}))


if __name__ == "__main__":
    main()
