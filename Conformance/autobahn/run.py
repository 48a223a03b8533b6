#!/usr/bin/env python3
"""Runs the Autobahn testsuite against websocket-echo, and compares its verdicts with expectations.json.

As a client, websocket-echo connects to the suite's fuzzing server once for each case; as a server, it serves the
suite's fuzzing client. Scripts/autobahn installs the requirements and calls this.

Prints one line of counts for each role and transport, and names each case whose verdict differs: then it exits 1.
The suite's own reports are in FOLDER/ROLE-TRANSPORT/: index.json, and one file for each case.
"""

import argparse
import json
import os
import shutil
import ssl
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from websockets.sync.client import connect

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from processes import Processes, await_listener, free_port  # noqa: E402
from support import Authority  # noqa: E402
from verdicts import Expectations, summary  # noqa: E402

AGENT = "websocket-echo"
# The slowest case moves 128 MiB through a suite written in Python.
CASE_SECONDS = 240
# The exit statuses of websocket-echo: the closing handshake was completed, or the suite broke the protocol. A lost
# connection is never correct.
CLIENT_STATUSES = (0, 76)


class Broken(Exception):
    """The run itself failed."""


class Run:
    """One role over one transport."""

    def __init__(self, options, role, transport, processes):
        self.options, self.role, self.transport, self.processes = options, role, transport, processes
        self.name = f"{role} {transport}"
        self.folder = (options.folder / f"{role}-{transport}").resolve()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def results(self):
        """The verdicts, and how many seconds they took."""
        started = time.monotonic()
        if self.role == "client":
            self.run_client()
        else:
            self.run_server()
        path = self.folder / "index.json"
        if not path.exists():
            raise Broken(f"the suite wrote no report; what it said is in {self.folder}/suite.log")
        return json.loads(path.read_text()).get(AGENT, {}), time.monotonic() - started

    @property
    def program(self):
        limits = ["--max-message-size", str(64 << 20)]
        return [self.options.program, *limits, *(["--compress"] if self.options.compress else [])]

    # MARK: the client's role

    def run_client(self):
        port = free_port()
        uri = f"{self.transport}://127.0.0.1:{port}"
        spec, trust, context = {"url": uri}, [], None
        if self.transport == "wss":
            authority = Authority(self.folder, "authority")
            identity = authority.issue("server", "IP:127.0.0.1")
            spec.update(key=str(identity.key), cert=str(identity.certificate))
            trust = ["--ca-file", authority.certificate]
            context = ssl.create_default_context(cafile=authority.certificate)
        suite = self.start_suite("fuzzingserver", spec)
        if not await_listener(suite, port):
            raise Broken(f"the fuzzing server does not start; what it said is in {self.folder}/suite.log")
        with connect(f"{uri}/getCaseCount", ssl=context, max_size=None) as socket:
            count = int(socket.recv())
        statuses = Counter()
        for number in range(1, count + 1):
            arguments = [*self.program, *trust, f"{uri}/runCase?case={number}&agent={AGENT}"]
            status = self.run_case(arguments)
            statuses[status] += 1
            if status not in CLIENT_STATUSES:
                raise Broken(f"case number {number} ended websocket-echo with status {status}: {arguments}")
            self.progress(number, count)
        # The reports of all cases are written within this connection.
        with connect(f"{uri}/updateReports?agent={AGENT}", ssl=context, open_timeout=120, close_timeout=120) as socket:
            for _ in socket:
                pass
        self.processes.end(suite)
        say(f"{self.name}: exit status " + ", ".join(f"{key} {statuses[key]} times" for key in sorted(statuses)))

    def run_case(self, arguments):
        with open(self.folder / "program.log", "a", encoding="utf-8") as log:
            process = self.processes.start(arguments, stdout=log, stderr=log)
            return self.processes.wait(process, CASE_SECONDS)

    # MARK: the server's role

    def run_server(self):
        certificates = ["--certificates", self.folder / "certificates"] if self.transport == "wss" else []
        with open(self.folder / "program.log", "w", encoding="utf-8") as log:
            server = self.processes.start([*self.program, "--listen", "0", *certificates],
                                          stdout=subprocess.PIPE, stderr=log)
        line = server.stdout.readline()
        if not line:
            raise Broken(f"websocket-echo does not listen; what it said is in {self.folder}/program.log")
        uri = json.loads(line)["uri"]
        suite = self.start_suite("fuzzingclient", {"servers": [{"agent": AGENT, "url": uri}]})
        started, quiet = time.monotonic(), 0
        while suite.poll() is None:
            time.sleep(0.2)
            if server.poll() is not None:
                raise Broken(f"websocket-echo ended with status {server.returncode} during a run")
            age = time.time() - (self.folder / "suite.log").stat().st_mtime
            if time.monotonic() - started > CASE_SECONDS and age > CASE_SECONDS:
                raise Broken(f"the fuzzing client hangs; what it said is in {self.folder}/suite.log")
            if time.monotonic() - started > quiet + 30:
                quiet = time.monotonic() - started
                done = (self.folder / "suite.log").read_bytes().count(b"Running test case")
                say(f"{self.name}: case {done}")
        status = self.processes.end(server)
        if status != 0:
            raise Broken(f"websocket-echo ended with status {status} when it was interrupted")

    # MARK: both

    def start_suite(self, mode, spec):
        spec.update({"outdir": str(self.folder), "cases": self.options.cases,
                     "exclude-cases": [], "exclude-agent-cases": {}})
        path = self.folder / "spec.json"
        path.write_text(json.dumps(spec))
        with open(self.folder / "suite.log", "w", encoding="utf-8") as log:
            return self.processes.start(
                [self.options.python2, "-u", "-m", "autobahntestsuite.wstest", "--mode", mode, "--spec", path,
                 "--webport", "0"], stdout=log, stderr=log, cwd=self.folder)

    def progress(self, number, count):
        if number % 100 == 0 and number < count:
            say(f"{self.name}: case {number} of {count}")


def say(text):
    print(text, file=sys.stderr, flush=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True, help="websocket-echo")
    parser.add_argument("--python2", type=Path, required=True, help="a Python 2.7 with autobahntestsuite")
    parser.add_argument("--folder", type=Path, required=True, help="where the reports go")
    parser.add_argument("--role", action="append", choices=("client", "server"), required=True)
    parser.add_argument("--transport", action="append", choices=("ws", "wss"), required=True)
    parser.add_argument("--cases", action="append", help="a pattern such as 6.*; default: all of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="roles and transports at the same time")
    parser.add_argument("--compress", action="store_true", help="with permessage-deflate")
    options = parser.parse_args()
    options.cases = options.cases or ["*"]
    options.program = options.program.resolve()
    # Not resolved: Python finds its virtual environment by the path of its executable.
    options.python2 = options.python2.absolute()
    return options


def main():
    options = parse()
    started = time.monotonic()
    passed = True
    # Exits in this order: first the processes end, then the threads that waited for them.
    with ThreadPoolExecutor(options.jobs) as pool, Processes() as processes:
        runs = [Run(options, role, transport, processes) for role in options.role for transport in options.transport]
        for run, future in [(run, pool.submit(run.results)) for run in runs]:
            try:
                results, seconds = future.result()
            except Broken as reason:
                sys.exit(f"{run.name}: {reason}")
            expectations = Expectations.load(HERE / "expectations.json", run.role)
            for difference in expectations.differences(results, options.cases):
                passed = False
                say(f"{run.name}: {difference}")
            print(f"{run.name}: {summary(results)}, {seconds:.0f} s", flush=True)
    say(f"{'all as expected' if passed else 'not as expected'}, {time.monotonic() - started:.0f} s in all; "
        f"the suite's reports are in {options.folder}")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
