"""The check without a clock: the instructions that a notification takes, compared with a committed budget."""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile

BUDGET = "Benchmarks/instructions.json"
SIZES = (400, 16_384)
MESSAGES = 16  # in a read of receive-count
FEW, READS = 10, {400: 210, 16_384: 30}
TOLERANCE = 0.02

USAGE = f"""usage: Scripts/bench instructions [--check] [--write]

Counts with valgrind the instructions for each notification: frame, UTF-8, envelope, class.

  --check   ends with 1 when one takes more than {BUDGET} allows, with a tolerance of {TOLERANCE:.0%}
  --write   writes what was counted into that file
"""


class Missing(Exception):
    """Why nothing can be counted or compared here."""


def build(folder):
    """Builds the program, and leaves a copy without the debug information that valgrind 3.19 chokes on."""
    command = ["swift", "build", "-c", "release", "--package-path", "Benchmarks", "--product", "receive-count",
               "-Xswiftc", "-warnings-as-errors"]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if result.returncode != 0:
        sys.exit(f"instructions: the program does not build:\n{result.stdout[-4000:]}")
    path = subprocess.run([*command, "--show-bin-path"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    target = os.path.join(folder, "receive-count")
    subprocess.run(["strip", "-g", "-o", target, os.path.join(path, "receive-count")], check=True)
    return target


def instructions(program, size, reads):
    """The instructions of a whole run."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", program, str(size), str(reads)]
    # Neither the seed of the hashes nor the environment, which is on the stack, may change the count.
    environment = {"SWIFT_DETERMINISTIC_HASHING": "1", "PATH": os.environ["PATH"]}
    if "LD_LIBRARY_PATH" in os.environ:
        environment["LD_LIBRARY_PATH"] = os.environ["LD_LIBRARY_PATH"]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    collected = re.search(r"Collected : (\d+)", result.stderr)
    if result.returncode != 0 or not collected:
        raise Missing(f"valgrind does not run it: {' '.join(result.stderr.split())[-300:]}")
    expected = f"delivered {reads * MESSAGES} of {reads * MESSAGES}"
    if result.stdout.strip() != expected:
        sys.exit(f"instructions: it says {result.stdout.strip()!r} instead of {expected!r}")
    return int(collected.group(1))


def for_each(program, size):
    """The difference of two runs, so that the start does not count."""
    more = instructions(program, size, FEW + READS[size]) - instructions(program, size, FEW)
    return more / (READS[size] * MESSAGES)


def compiler():
    text = subprocess.run(["swift", "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    found = re.search(r"Swift version (\d+\.\d+)", text)
    return found.group(1) if found else "?"


def processor():
    """With AVX2 the scanner needs fewer instructions, so the budget is for one of the two."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            has_avx2 = re.search(r"^flags\b.*\bavx2\b", file.read(), re.MULTILINE)
    except OSError:
        has_avx2 = None
    return platform.machine() + (" with AVX2" if has_avx2 else "")


def verdict(counted, budget):
    """The complaints: more than the budget allows. Less is only reported."""
    complaints, news = [], []
    for size, count in counted.items():
        allowed = budget["instructions"].get(size)
        if allowed is None:
            complaints.append(f"{size} B: there is no budget")
        elif count > allowed * (1 + TOLERANCE):
            complaints.append(f"{size} B: {count:,.0f} instructions for each notification; the budget is {allowed:,}")
        elif count < allowed * (1 - TOLERANCE):
            news.append(f"{size} B: {count:,.0f} are less than the budget, {allowed:,}: write it")
    return complaints, news


def read_budget():
    try:
        with open(BUDGET, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        sys.exit(f"instructions: there is no budget to check against: {error}")


def run(check, write):
    for program in ("valgrind", "strip"):
        if not shutil.which(program):
            raise Missing(f"{program} is not installed (Scripts/setup --valgrind)")
    here = {"processor": processor(), "swift": compiler()}
    budget = read_budget() if check else None
    if check and any(budget[key] != here[key] for key in here):
        theirs = f"Swift {budget['swift']} on {budget['processor']}"
        raise Missing(f"the budget is for {theirs}, this is Swift {here['swift']} on {here['processor']}")
    with tempfile.TemporaryDirectory() as folder:
        program = build(folder)
        counted = {str(size): for_each(program, size) for size in SIZES}
    for size, count in counted.items():
        print(f"{size:>6} B: {count:9,.1f} instructions for each notification")
    if write:
        with open(BUDGET, "w", encoding="utf-8") as file:
            figures = {size: round(count) for size, count in counted.items()}
            json.dump({**here, "instructions": figures}, file, indent=4)
            file.write("\n")
    if not check:
        return 0
    complaints, news = verdict(counted, read_budget())
    for line in news:
        print(line)
    for line in complaints:
        print(f"too many: {line}")
    if not complaints:
        print("check: the budget is kept")
    return 1 if complaints else 0


def main(arguments):
    if "--help" in arguments or "-h" in arguments:
        print(USAGE, end="")
        return 0
    unknown = [argument for argument in arguments if argument not in ("--check", "--write")]
    if unknown:
        print(f"instructions: unknown argument {unknown[0]!r}\n\n{USAGE}", end="", file=sys.stderr)
        return 64
    try:
        return run("--check" in arguments, "--write" in arguments)
    except Missing as reason:
        print(f"SKIPPED: instructions are not counted: {reason}", flush=True)
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
