"""One session: the measured clients, their order, and the figures."""

import ctypes
import os
import statistics
import sys
import time

import runs
from processes import Failure, last_words
from runs import WORKS

STREAMS = ["rec400", "batch400", "rec16k", "rec1m", "parse400"]
BUDGET = 0.6  # seconds of processor time for a run
SCALE_SECONDS = runs.HEARTBEAT  # so that each connection has its heartbeat in it


class Session:
    def __init__(self, folder, clients, options, say):
        self.folder, self.clients, self.say = folder, clients, say
        self.quick = options.quick
        self.rounds = options.rounds or (2 if self.quick else 5)
        self.budget = 0.05 if self.quick else BUDGET
        self.works = ["rec400", "batch400", "parse400", "echo"] if self.quick else [*STREAMS, "echo", "single"]
        self.samples = {}   # (client, work) -> results of the runs; work "start" and "start --parse" are n = 1
        self.counts = {}    # (client, work) -> messages in a run
        self.failures = {}  # client -> why it is out
        self.idle, self.scale, self.libraries = {}, {}, {}
        self.began = time.time()

    def living(self):
        return [client for client in self.clients if client.name not in self.failures]

    def out(self, client, reason):
        words = last_words(self.folder, client.name)
        self.failures[client.name] = f"{reason}{' -- ' + words if words else ''}"
        print(f"FAILED: {client.title}: {self.failures[client.name]}", file=sys.stderr, flush=True)

    def attempt(self, client, step, *arguments):
        """One run. A client that fails twice in a row is excluded, with its reason in the output; the others go on."""
        for attempt in (1, 2):
            try:
                return step(self.folder, client, *arguments)
            except Failure as failure:
                if attempt == 2:
                    self.out(client, failure)
        return None

    # -- Before: certificates are verified, and how long each takes. ---------------------------------------------------

    def prepare(self):
        self.say("every client refuses a certificate of another authority")
        for client in self.living():
            if not runs.refuses_strangers(self.folder, client):
                self.out(client, "it trusts a certificate of another authority")
        self.say("how many messages make a run")
        for client in self.living():
            self.start(client)
            for name in self.works:
                self.calibrate(client, WORKS[name])

    def start(self, client):
        """A session of one message, from the fork to the client's close frame."""
        self.sample(client, "start", WORKS["rec400"], 1)
        if "parse400" in client.works and "parse400" in self.works:
            self.sample(client, "start --parse", WORKS["parse400"], 1)

    def sample(self, client, key, work, count):
        if client.name in self.failures:
            return None
        result = self.attempt(client, runs.one, work, count)
        if result is not None:
            self.samples.setdefault((client.name, key), []).append(result)
        return result

    def calibrate(self, client, work):
        if work.name not in client.works or client.name in self.failures:
            return
        if work.mode != "stream":
            self.counts[client.name, work.name] = work.limit // 10 if self.quick else work.limit
            return
        few = max(5, work.limit // 50)
        result = self.attempt(client, runs.one, work, few)
        if result is not None:
            each = max((result["cpu"] - self.base(client.name, work)) / few, 1e-9)
            self.counts[client.name, work.name] = int(min(max(self.budget / each, few), work.limit))

    def base(self, name, work):
        """The processor time of a session with one message."""
        key = "start --parse" if "--parse" in work.extra else "start"
        return statistics.median(run["cpu"] for run in self.samples[name, key])

    # -- The rounds. ---------------------------------------------------------------------------------------------------

    def run_rounds(self):
        for number in range(self.rounds):
            self.say(f"round {number + 1} of {self.rounds}")
            # Short, and with the most noise: three of each.
            for client in self.living() * (1 if self.quick else 3):
                self.start(client)
            for name in self.works:
                # Ratios compare runs that follow each other; the order changes.
                order = self.living()
                turn = number % max(1, len(order))
                order = order[turn:] + order[:turn]
                # Bars are ratios to the floor: a slow second of the machine must not decide them.
                near = [] if self.quick else [client for client in order if client.kind != "peer"]
                for client in near + order + near:
                    if (client.name, name) in self.counts:
                        self.sample(client, name, WORKS[name], self.counts[client.name, name])

    # -- Many connections. ---------------------------------------------------------------------------------------------

    def run_idle(self):
        sizes = [100] if self.quick else [1_000, 10_000]
        for size in sizes:
            self.say(f"{size:,} idle connections")
            for client in self.living():
                count = min(size, client.idle)
                if client.idle == 0 or (size > 1_000 and client.idle < size):
                    continue
                self.idle_growth(client, size, count)

    def idle_growth(self, client, size, count):
        one = self.attempt(client, runs.idle, 1)
        many = self.attempt(client, runs.idle, count) if one else None
        if many is None:
            return
        self.libraries[client.name] = one["libraries"]
        self.idle.setdefault(client.name, {})[size] = {
            "connections": count, "bytes_each": (many["rss"] - one["rss"]) / (count - 1), "seconds": many["seconds"]}

    def run_scale(self):
        if self.quick:
            return
        for client in self.living():
            if client.name not in ("floor", "channel"):
                continue
            self.say(f"{client.title}: 10,000 idle connections and 100 busy ones")
            alone = self.attempt(client, runs.busy, 100, 100, 100, SCALE_SECONDS)
            mixed = self.attempt(client, runs.busy, 10_100, 100, 100, SCALE_SECONDS) if alone else None
            if mixed is None:
                continue
            # A heartbeat costs as much as a single message, and all of them at most the whole time spent.
            beat = self.figure(client.name, "single")
            beats = min(10_000 / runs.HEARTBEAT * (beat["seconds"] if beat else 0), mixed["quiet"])
            idle = max(mixed["quiet"], mixed["loaded"] - alone["loaded"])
            self.scale[client.name] = {
                "busy_alone": alone["loaded"], "idle_alone": mixed["quiet"], "both": mixed["loaded"],
                "heartbeats": beats, "beyond_heartbeats": idle - beats,
                "pings": mixed["pings"], "lost": mixed["lost"]}

    # -- The figures. --------------------------------------------------------------------------------------------------

    def figure(self, name, work_name):
        """The median of the processor time for each message, in seconds, and its spread."""
        samples = self.samples.get((name, work_name))
        if not samples:
            return None
        base = self.base(name, WORKS[work_name])
        each = sorted((run["cpu"] - base) / run["count"] for run in samples)
        figure = {"seconds": statistics.median(each), "least": each[0], "most": each[-1], "count": samples[0]["count"],
                  "max_rss": statistics.median(run["max_rss"] for run in samples),
                  "wall_each": statistics.median(run["wall"] / run["count"] for run in samples)}
        if samples[0]["p50_us"] is not None:
            figure["p50_us"] = statistics.median(run["p50_us"] for run in samples)
            figure["p99_us"] = statistics.median(run["p99_us"] for run in samples)
        return figure

    def results(self):
        everyone = {}
        for client in self.clients:
            starts = self.samples.get((client.name, "start"), [])
            if not starts or client.name in self.failures:
                continue
            works = {name: self.figure(client.name, name) for name in self.works}
            everyone[client.name] = {
                "title": client.title, "kind": client.kind, "version": client.version, "validates": client.validates,
                "works": {name: figure for name, figure in works.items() if figure},
                "start_ms": statistics.median(run["start_ms"] for run in starts),
                "start_cpu_ms": statistics.median(run["cpu"] for run in starts) * 1e3,
                "idle": self.idle.get(client.name, {}),
            }
        return {"clients": everyone, "scale": self.scale, "openssl": self.loaded(), "rounds": self.rounds,
                "quick": self.quick, "seconds": time.time() - self.began, "skipped": dict(self.failures)}

    def loaded(self):
        """The version of the OpenSSL that each client had loaded, as reported by that library."""
        versions = {}
        for name, libraries in self.libraries.items():
            path = next((path for path in libraries if os.path.basename(path).startswith("libcrypto.so")), None)
            versions[name] = version_of(path) if path else "none: its own TLS"
        return versions


def version_of(path):
    library = ctypes.CDLL(path)
    library.OpenSSL_version.restype = ctypes.c_char_p
    return f"{library.OpenSSL_version(0).decode()} ({path})"


def measure(folder, clients, options, say):
    session = Session(folder, clients, options, say)
    session.prepare()
    session.run_rounds()
    session.run_idle()
    session.run_scale()
    return session.results()
