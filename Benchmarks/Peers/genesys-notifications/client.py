"""A client with the Python package `genesys-notifications`, as its documentation uses it, with its log off.

It always parses. It has no option for a certificate authority, so OpenSSL's own variable names it; and it reconnects
after any close of the server, so the refusal of the second connection ends the count.
"""

import argparse
import asyncio
import json
import logging
import os
import signal

parser = argparse.ArgumentParser()
parser.add_argument("uri")
parser.add_argument("--ca", required=True)
parser.add_argument("--parse", action="store_true", help="it always does")
parser.add_argument("--idle", type=int, default=0)
options = parser.parse_args()
os.environ["SSL_CERT_FILE"] = options.ca

from genesys_notifications import Channel  # noqa: E402

TOPICS = ["v2.users.e40f28ea-fa86-493f-a5b8-d559c8533c96.presence"]
logger = logging.getLogger("silent")
logger.addHandler(logging.NullHandler())
logger.setLevel(logging.CRITICAL + 1)
logger.propagate = False
for name in ("websockets", "websockets.client", "asyncio"):
    logging.getLogger(name).setLevel(logging.CRITICAL + 1)


async def hold():
    terminated = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminated.set_result, None)
    held = []
    for _ in range(options.idle):
        channel = Channel(options.uri, TOPICS, logger=logger)
        await channel
        held.append((channel, asyncio.ensure_future(channel.__anext__())))
    await asyncio.sleep(1)  # for the confirmations
    print("READY", flush=True)
    await terminated
    os._exit(0)


async def main():
    if options.idle:
        await hold()
    messages = size = 0
    channel = Channel(options.uri, TOPICS, logger=logger)
    await channel
    try:
        async for notification in channel:
            messages += 1
            notification["topicName"]
    except Exception as error:  # whatever its reconnection ends with
        if messages == 0:
            raise error
    # It passes on parsed notifications, so their sizes are unknown.
    print(json.dumps({"messages": messages, "bytes": size}, separators=(",", ":")), flush=True)
    os._exit(0)


asyncio.run(main())
