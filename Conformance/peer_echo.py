#!/usr/bin/env python3
"""A WebSocket server on the Python package `websockets`, which sends every message back.

Prints one line of JSON with its "uri" when it listens, and one at the end of every connection: the "code" and the
"reason" of the Close frame it got (null without one), and the "extensions" in use. Ends with its standard input.
What a connection does depends on its path:
    /echo       sends every message back
    /fragments  sends every message back in three fragments, cut anywhere, with a ping in between
    /ping       sends a ping, and its payload as a text message when the pong has arrived
    /close      closes at the first message, with the code and the reason of the query
"""

import argparse
import asyncio
from urllib.parse import parse_qsl, urlsplit

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

from support import say, told_to_end


def pieces(data):
    """Three fragments, the second one empty for short messages; text is cut in the middle of its characters."""
    first, second = (len(data) + 1) // 3, len(data) // 2
    return [data[:first], data[first:second], data[second:]]


async def fragments(connection, data):
    for piece in pieces(data):
        yield piece
        await connection.ping()


async def converse(connection):
    url = urlsplit(connection.request.path)
    if url.path == "/ping":
        await (await connection.ping("are you there \U0001f44b"))
        await connection.send("are you there \U0001f44b")
    async for message in connection:
        if url.path == "/close":
            query = dict(parse_qsl(url.query))
            return await connection.close(int(query["code"]), query.get("reason", ""))
        if url.path == "/fragments":
            data = message.encode() if isinstance(message, str) else message
            await connection.send(fragments(connection, data), text=isinstance(message, str))
        else:
            await connection.send(message)


async def handle(connection):
    try:
        await converse(connection)
    except ConnectionClosed:
        pass
    await connection.wait_closed()
    received = connection.protocol.close_rcvd
    say(code=received.code if received else None, reason=received.reason if received else None,
        extensions=connection.response.headers.get("Sec-WebSocket-Extensions", ""))


def listening(deflate):
    """The server, on a free port of the loopback interface."""
    extensions = [] if deflate == "none" else [ServerPerMessageDeflateFactory(
        server_no_context_takeover=deflate == "no-takeover", client_no_context_takeover=deflate == "no-takeover")]
    return serve(handle, "127.0.0.1", 0, max_size=None, ping_interval=None, compression=None, extensions=extensions)


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deflate", choices=["none", "takeover", "no-takeover"], default="none")
    async with listening(parser.parse_args().deflate) as server:
        say(uri=f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        await told_to_end(watch_stdin=True)


if __name__ == "__main__":
    asyncio.run(main())
