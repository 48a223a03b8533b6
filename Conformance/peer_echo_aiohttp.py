#!/usr/bin/env python3
"""peer_echo.py for the Python package `aiohttp`, which cannot send fragments: there is no /fragments.

With --deflate it accepts what the client offers, context takeover included.
"""

import argparse
import asyncio

from aiohttp import WSMsgType, web

from support import say, told_to_end


async def handle(request):
    socket = web.WebSocketResponse(
        compress=request.app["deflate"], max_msg_size=0, autoping=request.path != "/ping", autoclose=False)
    await socket.prepare(request)
    code = reason = None
    if request.path == "/ping":
        await socket.ping("are you there \U0001f44b".encode())
    while True:
        message = await socket.receive()
        if message.type == WSMsgType.CLOSE:
            code, reason = message.data, message.extra
            await socket.close(code=code, message=reason.encode())
        if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
            break
        if request.path == "/close":
            await socket.close(code=int(request.query["code"]), message=request.query.get("reason", "").encode())
            code = socket.close_code
            break
        if message.type == WSMsgType.TEXT:
            await socket.send_str(message.data)
        elif message.type == WSMsgType.BINARY:
            await socket.send_bytes(message.data)
        elif message.type == WSMsgType.PING:
            await socket.pong(message.data)
        elif message.type == WSMsgType.PONG:
            await socket.send_str(message.data.decode())
    say(code=code, reason=reason, extensions=socket.headers.get("Sec-WebSocket-Extensions", ""))
    return socket


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deflate", choices=["none", "takeover"], default="none")
    application = web.Application()
    application["deflate"] = parser.parse_args().deflate != "none"
    for path in ("/echo", "/ping", "/close"):
        application.router.add_get(path, handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    say(uri=f"ws://127.0.0.1:{runner.addresses[0][1]}")
    await told_to_end(watch_stdin=True)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
