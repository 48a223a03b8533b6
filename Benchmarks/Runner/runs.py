"""The kinds of runs: a stream, echoes, single messages, idle connections, and a busy few among many idle ones."""

import json
import time

from processes import Client, Failure, Server

HEARTBEAT = 30  # seconds between the service's heartbeats


class Work:
    """A load that one connection gets."""

    def __init__(self, name, title, mode="stream", size=400, shape="record", limit=1_000_000, extra=(), **server):
        self.name, self.title, self.mode, self.size, self.shape = name, title, mode, size, shape
        self.limit, self.extra, self.server = limit, list(extra), server


WORKS = {work.name: work for work in [
    Work("rec400", "400 B, one record each"),
    Work("batch400", "400 B in 16 KiB records", shape="batch"),
    Work("rec16k", "16 KiB", size=16_384, limit=40_000),
    Work("rec1m", "1 MiB", size=1_048_576, limit=600),
    Work("parse400", "400 B, one record each, parsed", extra=["--parse"]),
    Work("echo", "400 B, sent back", mode="echo", limit=5_000, extra=["--echo"]),
    Work("single", "400 B, each alone", mode="single", limit=1_000, gap=2),
]}


def one(folder, client, work, count, ca="ca.pem"):
    """`count` messages of the work: processor time, peak memory, time until the close frame, what the server saw."""
    arguments = client.arguments(work)
    paced = True if client.paced and work.mode == "stream" else None
    with Server(folder, work.mode, size=work.size, count=count, shape=work.shape, paced=paced, **work.server) as server:
        with Client(folder, client, arguments, server.port, ca) as process:
            lines, usage = process.finish(120)
        if usage["exit"] != 0:
            raise Failure(f"{client.name} ended with {usage['exit']}")
        report = server.values(10)
    try:
        counted = json.loads(lines[-1])
    except (IndexError, ValueError):
        raise Failure(f"{client.name} printed no counts but {lines[-1:]}") from None
    if client.counts_confirmation:
        counted["messages"] -= 1
        counted["bytes"] -= report["confirmation"]
    if counted["messages"] != count or report["messages"] != count:
        raise Failure(f"{client.name} counted {counted['messages']} of {count} messages")
    if counted["bytes"] not in (0, report["bytes"]):  # 0: it hands over what it parsed, and knows no sizes
        raise Failure(f"{client.name} counted {counted['bytes']} of {report['bytes']} bytes")
    return {
        "cpu": usage["cpu"], "max_rss": usage["max_rss"], "count": count,
        "start_ms": (report["closed_at"] - process.started) / 1e6,
        "wall": (report["closed_at"] - report["first_byte_at"]) / 1e9,
        "p50_us": report.get("p50_us"), "p99_us": report.get("p99_us"),
    }


def refuses_strangers(folder, client):
    """Whether the client refuses a server whose certificate comes from another authority than the configured one."""
    work = WORKS["rec400"]
    with Server(folder, work.mode, size=work.size, count=1) as server:
        with Client(folder, client, client.arguments(work), server.port, ca="other-ca.pem") as process:
            try:
                process.finish(4)
            except Failure:
                pass  # it waits, perhaps for better times
        try:
            return server.line(0.2) is None
        except Failure:
            return True  # the server has nothing to report: no client has subscribed


def idle(folder, client, count, settle=0.5):
    """The resident memory with `count` subscribed connections, and how long it took to open them."""
    with Server(folder, "idle", connections=count, heartbeat=HEARTBEAT) as server:
        with Client(folder, client, client.idle_arguments(count), server.port) as process:
            ready_at = process.wait_ready(120)
            if server.values(5).get("ready") != count:
                raise Failure(f"{client.name} holds other than {count} connections")
            time.sleep(settle)
            return {"rss": process.memory(), "seconds": (ready_at - process.started) / 1e9,
                    "libraries": process.libraries()}


def share(process, seconds):
    """The share of a core that the client used for this long."""
    before, start = process.busy_time(), time.monotonic()
    time.sleep(seconds)
    return (process.busy_time() - before) / (time.monotonic() - start)


def busy(folder, client, connections, busy_connections, rate, seconds):
    """A part of the connections gets `rate` messages a second each: shares of a core before and during that."""
    with Server(folder, "idle", connections=connections, heartbeat=HEARTBEAT) as server:
        with Client(folder, client, client.idle_arguments(connections), server.port) as process:
            process.wait_ready(180)
            server.values(5)
            time.sleep(1)
            quiet = share(process, seconds) if connections > busy_connections else None
            server.say(f"busy {busy_connections} {rate} {seconds + 2}")
            time.sleep(0.5)
            loaded = share(process, seconds)
            sent = server.values(30)
            server.say("stats")
            counts = server.values(10)
    return {"quiet": quiet, "loaded": loaded, "rss_connections": connections, "sent": sent["busy_sent"],
            "lost": counts["lost"], "pings": counts["pings"], "heartbeats": counts["heartbeats"]}
