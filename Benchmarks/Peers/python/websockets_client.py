"""A client with `websockets`: `async for` over the connection, compression off, no size limit."""

import asyncio

from websockets.asyncio.client import connect

import peer


async def main():
    options = peer.arguments()
    if options.parse:
        import ujson
    context = peer.trust(options)

    async def open_one():
        socket = await connect(options.uri, ssl=context, compression=None, max_size=None, proxy=None)
        await socket.send(peer.SUBSCRIBE)
        await socket.recv()  # the confirmation
        return socket

    if options.idle:
        await peer.hold(options.idle, open_one)
    messages = size = 0
    socket = await open_one()
    async for message in socket:
        messages += 1
        size += len(message)
        if options.parse:
            ujson.loads(message)["topicName"]
        if options.echo:
            await socket.send(message)
    peer.report(messages, size)


asyncio.run(main())
