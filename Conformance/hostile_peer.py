"""One accepted connection without a library: raw bytes, then TLS if wanted, HTTP and frames on top."""

import asyncio
import base64
import hashlib
import json
import socket
import struct

CHANNEL = "/channels/streaming-2-aa5h48uk0srhpugh2994klj918"
TOPIC = "v2.users.2ce2c9a1-bd7b-4d56-9f0b-6c8e4b5ea7a1.presence"
HEARTBEAT = '{"topicName":"channel.metadata","eventBody":{"message":"WebSocket Heartbeat"}}'
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Peer:
    """One accepted connection: raw bytes first, then TLS if wanted, HTTP and frames on top."""

    def __init__(self, raw, options, context):
        self.raw, self.options, self.context = raw, options, context
        self.reader = self.writer = None
        self.record = {"stage": "tcp", "subscribes": 0, "received": 0, "close": None, "ended": None}
        self.topics, self.sequence = [TOPIC], 0

    async def open(self, encrypted):
        loop = asyncio.get_running_loop()
        self.reader = asyncio.StreamReader(limit=1 << 20)
        protocol = asyncio.StreamReaderProtocol(self.reader)
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol, self.raw, ssl=self.context if encrypted else None)
        self.writer = asyncio.StreamWriter(transport, protocol, self.reader, loop)
        if encrypted:
            self.record["stage"] = "tls"

    async def send(self, data):
        self.writer.write(data.encode() if isinstance(data, str) else data)
        await self.writer.drain()

    # MARK: HTTP

    async def read_request(self):
        """The value for Sec-WebSocket-Accept that the client expects."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"sec-websocket-key":
                digest = hashlib.sha1(value.strip() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
                return base64.b64encode(digest).decode()
        raise ConnectionError("a request without Sec-WebSocket-Key")

    async def answer(self, accept, status="HTTP/1.1 101 Switching Protocols", without=(), more=()):
        headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept}
        lines = [status] + [f"{name}: {value}" for name, value in headers.items() if name not in without]
        await self.send("\r\n".join([*lines, *more, "", ""]))

    async def upgrade(self):
        await self.answer(await self.read_request())
        self.record["stage"] = "upgrade"

    # MARK: WebSocket

    async def frame(self, opcode, payload=b"", first=None, mask=None):
        """A whole frame; `first` replaces its first byte, `mask` masks it as only a client may."""
        payload = payload.encode() if isinstance(payload, str) else payload
        count, bit = len(payload), 0x80 if mask else 0
        if count < 126:
            length = bytes([bit | count])
        elif count < 65_536:
            length = bytes([bit | 126]) + struct.pack("!H", count)
        else:
            length = bytes([bit | 127]) + struct.pack("!Q", count)
        if mask:
            payload = mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))
        await self.send(bytes([0x80 | opcode if first is None else first]) + length + payload)

    async def read_frame(self):
        first, second = await self.reader.readexactly(2)
        count = second & 0x7F
        if count == 126:
            count, = struct.unpack("!H", await self.reader.readexactly(2))
        elif count == 127:
            count, = struct.unpack("!Q", await self.reader.readexactly(8))
        if not second & 0x80:
            raise ConnectionError("the client sent a frame without a mask")
        key = await self.reader.readexactly(4)
        payload = bytes(byte ^ key[i % 4] for i, byte in enumerate(await self.reader.readexactly(count)))
        self.record["received"] += 1
        if first & 15 == CLOSE:
            self.record["close"] = struct.unpack("!H", payload[:2])[0] if payload else 1005
        return first & 15, payload

    async def read_subscribe(self):
        """Waits for a subscribe; the pings of the client are answered on the way."""
        while True:
            opcode, payload = await self.read_frame()
            if opcode == TEXT:
                message = json.loads(payload)
                if message.get("message") == "subscribe":
                    self.record["subscribes"] += 1
                    self.topics = message["topics"] or [TOPIC]
                    return message
            await self.react(opcode, payload)

    async def react(self, opcode, payload):
        """A correct reaction to a frame that is not a subscribe. Ends the conversation after a Close frame."""
        if opcode == PING:
            await self.frame(PONG, payload)
        elif opcode == CLOSE:
            await self.frame(CLOSE, payload[:2])
            self.writer.close()
            raise EOFError
        elif opcode == TEXT and b'"ping"' in payload:
            await self.frame(TEXT, '{"topicName":"channel.metadata","eventBody":{"message":"pong"}}')

    async def reply(self, subscribe, result="200", status="subscribed", **more):
        echo = {name: subscribe.get(name) for name in ("correlationId", "topics")}
        reply = echo | {"result": result, "status": status}
        await self.frame(TEXT, json.dumps(reply | more, separators=(",", ":")))

    async def confirm(self):
        await self.reply(await self.read_subscribe())
        self.record["stage"] = "confirmed"

    async def notify(self):
        topic = self.topics[0].split("&")[0].replace("?", ".")
        self.sequence += 1
        await self.frame(TEXT, '{"topicName":"%s","version":"2","eventBody":{"sequence":%d}}' % (topic, self.sequence))

    async def hold(self, beating=True):
        """Behaves correctly from here on: beats, confirms again, answers. Never returns; ends with the connection."""
        async def beat():
            while True:
                await asyncio.sleep(self.options.heartbeat)
                await self.frame(TEXT, HEARTBEAT)

        beats = asyncio.create_task(beat()) if beating and self.options.heartbeat > 0 else None
        try:
            while True:
                await self.reply(await self.read_subscribe())
        finally:
            if beats:
                beats.cancel()

    async def swallow(self):
        """Reads and sends nothing, until the client leaves."""
        while await self.reader.read(65_536):
            pass
        raise EOFError

    async def swallow_frames(self):
        """Like `swallow`, but records what the client sends; after its Close frame the connection ends."""
        while True:
            opcode, _ = await self.read_frame()
            if opcode == CLOSE:
                raise EOFError

    def reset(self):
        """Ends the TCP connection with RST."""
        raw = self.raw if self.writer is None else self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if self.writer is None:
            raw.close()
        else:
            self.writer.transport.abort()

    def shut(self):
        """Ends the TCP connection with FIN, without a TLS close_notify."""
        self.writer.get_extra_info("socket").shutdown(socket.SHUT_WR)
