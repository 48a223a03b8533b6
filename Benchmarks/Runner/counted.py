"""Whole clients without a clock: the instructions of the process for each message, counted with valgrind.

The kernel's part is not in it, and an instruction is not a time; but a busy neighbour changes neither.
"""

import os
import re
import subprocess

import clients
import processes
import runs

COUNTS = {"rec400": (2_000, 10_000), "batch400": (10_000, 40_000), "rec16k": (300, 900), "echo": (300, 900)}


def instructions(folder, client, work, count):
    """What a whole session executes."""
    with processes.Server(folder, work.mode, size=work.size, count=count, shape=work.shape) as server:
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *client.command,
                   f"wss://127.0.0.1:{server.port}{processes.PATH}",
                   "--ca", os.path.join(folder, "certificates", "ca.pem"), *client.arguments(work)]
        # The seed of the hashes must not decide.
        environment = dict(os.environ, SWIFT_DETERMINISTIC_HASHING="1", **client.environment)
        result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
        collected = re.search(r"Collected : (\d+)", result.stderr)
        if result.returncode != 0 or not collected:
            raise processes.Failure(f"valgrind does not run {client.name}: {' '.join(result.stderr.split())[-300:]}")
        if server.values(10)["messages"] != count:
            raise processes.Failure(f"{client.name} did not take all of {count} messages")
        return int(collected.group(1))


def for_each(folder, client, work):
    """The difference of two sessions, so that the start does not count."""
    few, many = COUNTS[work.name]
    return (instructions(folder, client, work, many) - instructions(folder, client, work, few)) / (many - few)


def show(folder, chosen, say):
    """The table, row by row. The floor comes first."""
    clients.need("valgrind")
    print("Instructions of the client's process for each message; in brackets the ratio to the floor\n")
    print(f"{'client':34}" + "".join(f"{runs.WORKS[name].title:>26}" for name in COUNTS))
    floor = {}
    for client in chosen:
        say(f"counting the instructions of {client.title}")
        row = f"{client.title:34}"
        for name in COUNTS:
            if name not in client.works:
                row += f"{'-':>26}"
                continue
            count = for_each(folder, client, runs.WORKS[name])
            floor.setdefault(name, count)
            row += f"{count:>17,.0f} ({count / floor[name]:.2f}x)"
        print(row, flush=True)
