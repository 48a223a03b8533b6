"""What the Python peers share: the command line, the subscription, the report."""

import argparse
import asyncio
import json
import signal
import ssl
import sys

SUBSCRIBE = json.dumps({
    "message": "subscribe",
    "topics": ["v2.users.e40f28ea-fa86-493f-a5b8-d559c8533c96.presence"],
    "correlationId": "uno5VlaUHt5t2Mul",
})
# Handshakes at a time, with --idle.
AT_A_TIME = 64


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("uri")
    parser.add_argument("--ca", required=True)
    parser.add_argument("--parse", action="store_true")
    parser.add_argument("--echo", action="store_true")
    parser.add_argument("--idle", type=int, default=0)
    return parser.parse_args()


def trust(options):
    """Verifies the certificate and the host name."""
    return ssl.create_default_context(cafile=options.ca)


def report(messages, size):
    print(json.dumps({"messages": messages, "bytes": size}, separators=(",", ":")))


async def hold(count, open_one):
    """Opens `count` connections with `open_one`, and holds them until SIGTERM."""
    loop = asyncio.get_running_loop()
    terminated = loop.create_future()
    loop.add_signal_handler(signal.SIGTERM, terminated.set_result, None)
    held = []
    while len(held) < count:
        part = min(AT_A_TIME, count - len(held))
        held += await asyncio.gather(*(open_one() for _ in range(part)))
    print("READY", flush=True)
    await terminated
    # Not worth a close handshake each.
    sys.stdout.flush()
    import os
    os._exit(0)
