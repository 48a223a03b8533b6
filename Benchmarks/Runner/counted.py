"""Whole clients without a clock: the instructions of the process for each message, and how many of them were not in a
first cache of usual size, counted with valgrind.

The kernel's part is not counted, and an instruction is not a time; but other load on the machine changes neither count.
What misses the first cache comes from the second, which on many machines other tenants share: there a miss can cost
more than fewer instructions save.
"""

import os
import re
import subprocess

import clients
import processes
import runs

COUNTS = {"rec400": (2_000, 10_000), "batch400": (10_000, 40_000), "rec16k": (300, 900), "echo": (300, 900)}
CACHES = ["--cache-sim=yes", "--I1=32768,8,64", "--D1=32768,8,64"]  # and no other processor's
FIGURES = {"instructions": r"I\s+refs:\s+([\d,]+)", "misses": r"I1\s+misses:\s+([\d,]+)"}


def figures(folder, client, work, count):
    """The instructions and the misses of a whole session."""
    with processes.Server(folder, work.mode, size=work.size, count=count, shape=work.shape) as server:
        command = ["valgrind", "--tool=cachegrind", "--cachegrind-out-file=/dev/null", *CACHES, *client.command,
                   f"wss://127.0.0.1:{server.port}{processes.PATH}",
                   "--ca", os.path.join(folder, "certificates", "ca.pem"), *client.arguments(work)]
        # The seed of the hashes must not change the count.
        environment = dict(os.environ, SWIFT_DETERMINISTIC_HASHING="1", **client.environment)
        result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
        found = {name: re.search(pattern, result.stderr) for name, pattern in FIGURES.items()}
        if result.returncode != 0 or not all(found.values()):
            raise processes.Failure(f"valgrind does not run {client.name}: {' '.join(result.stderr.split())[-300:]}")
        if server.values(10)["messages"] != count:
            raise processes.Failure(f"{client.name} did not take all of {count} messages")
        return {name: int(match.group(1).replace(",", "")) for name, match in found.items()}


def for_each(folder, client, work):
    """The difference of two sessions, so that the start does not count."""
    few, many = COUNTS[work.name]
    less, more = figures(folder, client, work, few), figures(folder, client, work, many)
    return {name: (more[name] - less[name]) / (many - few) for name in FIGURES}


def show(folder, chosen, say):
    """The table, row by row. The floor comes first."""
    clients.need("valgrind")
    print("Instructions of the client's process for each message; in brackets the ratio to the floor, and behind them "
          "how\noften an instruction was not in a first cache of 32 KiB\n")
    print(f"{'client':34}" + "".join(f"{runs.WORKS[name].title:>26}" for name in COUNTS))
    floor = {}
    for client in chosen:
        say(f"counting the instructions of {client.title}")
        row = f"{client.title:34}"
        for name in COUNTS:
            if name not in client.works:
                row += f"{'-':>26}"
                continue
            found = for_each(folder, client, runs.WORKS[name])
            count = found["instructions"]
            floor.setdefault(name, count)
            row += f"{count:>11,.0f} ({count / floor[name]:.2f}x){found['misses']:>7,.1f}"
        print(row, flush=True)
