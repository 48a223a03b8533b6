"""A client with `aiohttp`: `async for` over the socket, compression off, no size limit."""

import asyncio

import aiohttp

import peer


async def main():
    options = peer.arguments()
    if options.parse:
        import ujson
    context = peer.trust(options)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context, limit=0)) as session:

        async def open_one():
            socket = await session.ws_connect(options.uri, max_msg_size=0, compress=0)
            await socket.send_str(peer.SUBSCRIBE)
            await socket.receive()  # the confirmation
            return socket

        if options.idle:
            await peer.hold(options.idle, open_one)
        messages = size = 0
        socket = await open_one()
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                break
            messages += 1
            size += len(message.data)
            if options.parse:
                ujson.loads(message.data)["topicName"]
            if options.echo:
                await socket.send_str(message.data)
    peer.report(messages, size)


asyncio.run(main())
