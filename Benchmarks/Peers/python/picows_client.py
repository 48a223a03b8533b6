"""A client with `picows`: a listener that is called for each frame, whose payload is in the receive buffer."""

import asyncio

from picows import WSListener, WSMsgType, ws_connect

import peer

options = peer.arguments()
if options.parse:
    import ujson


class Listener(WSListener):
    def __init__(self):
        self.messages = self.size = 0
        self.confirmed = asyncio.get_running_loop().create_future()

    def on_ws_connected(self, transport):
        transport.send(WSMsgType.TEXT, peer.SUBSCRIBE.encode())

    def on_ws_frame(self, transport, frame):
        if frame.msg_type == WSMsgType.TEXT:
            if not self.confirmed.done():
                self.confirmed.set_result(None)
                return
            self.messages += 1
            self.size += frame.payload_size
            if options.parse:
                ujson.loads(frame.get_payload_as_bytes())["topicName"]
            if options.echo:
                transport.send(WSMsgType.TEXT, frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()


async def main():
    context = peer.trust(options)

    async def open_one():
        transport, listener = await ws_connect(Listener, options.uri, ssl_context=context)
        await listener.confirmed
        return transport, listener

    if options.idle:
        await peer.hold(options.idle, open_one)
    transport, listener = await open_one()
    await transport.wait_disconnected()
    peer.report(listener.messages, listener.size)


asyncio.run(main())
