#!/usr/bin/env python3
"""A service that misbehaves in one chosen way, on plain sockets, without a WebSocket library.

Prints one line of JSON when it listens:
    {"mode", "uri", "caFile"}
and serves until standard input ends or SIGTERM; then a report line:
    {"mode", "connections": [{"stage", "subscribes", "received", "close", "ended"}, …], "problems"}
`stage` is how far the client came: tcp, tls, upgrade or confirmed; `close` is the code of its Close frame (null: none,
1005: a frame without a code), `ended` is how its TCP connection ended (eof, reset, or null while it is open).
`--times N` misbehaves on the first N connections only and serves the later ones correctly.
"""

import argparse
import asyncio
import base64
import logging
import os
import shutil
import socket
import struct
import sys

from hostile_peer import BINARY, CHANNEL, CLOSE, HEARTBEAT, PING, TEXT, TOPIC, Peer
from support import Authority, say, server_context, told_to_end, work_folder

MODES = {}


def mode(stage):
    """Registers a function under its name; `stage` is what was done before it is called."""
    def register(function):
        MODES[function.__name__.replace("_", "-")] = (stage, function)
        return function
    return register


# MARK: On the accepted socket, before TLS

@mode("tcp")
async def tls_stall(peer):
    """silence after the TCP connection"""
    await peer.open(encrypted=False)
    await peer.swallow()


@mode("tcp")
async def tcp_reset(peer):
    """RST right after the TCP connection"""
    peer.reset()


@mode("tcp")
async def tcp_close(peer):
    """FIN right after the TCP connection"""
    await peer.open(encrypted=False)
    peer.shut()
    await peer.swallow()


@mode("tcp")
async def plain_http(peer):
    """HTTP in clear text, on a port where the client speaks TLS"""
    await peer.open(encrypted=False)
    await peer.reader.read(1)
    await peer.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    peer.shut()
    await peer.swallow()


@mode("tcp")
async def tls_garbage(peer):
    """random bytes instead of TLS"""
    await peer.open(encrypted=False)
    await peer.reader.read(1)
    await peer.send(b"\x00" + os.urandom(999))
    peer.shut()
    await peer.swallow()


# MARK: After TLS, before the upgrade

@mode("tls")
async def upgrade_stall(peer):
    """silence after TLS"""
    await peer.swallow()


@mode("tls")
async def status(peer):
    """refuses the upgrade with --status, and --retry-after and --location if given"""
    await peer.read_request()
    body = '{"message":"not today","status":%d}' % peer.options.status
    head = [f"HTTP/1.1 {peer.options.status} No", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    if peer.options.retry_after is not None:
        head.append(f"Retry-After: {peer.options.retry_after}")
    if peer.options.location is not None:
        head.append(f"Location: {peer.options.location}")
    await peer.send("\r\n".join([*head, "Connection: close", "", body]))
    peer.writer.close()


@mode("tls")
async def eof_at_upgrade(peer):
    """ends the connection in the middle of the response head"""
    await peer.read_request()
    await peer.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: webso")
    peer.writer.close()


@mode("tls")
async def wrong_accept(peer):
    """a Sec-WebSocket-Accept that does not follow from the key"""
    await peer.read_request()
    await peer.answer(base64.b64encode(os.urandom(20)).decode())
    await peer.swallow()


@mode("tls")
async def missing_accept(peer):
    """a response without Sec-WebSocket-Accept"""
    await peer.answer(await peer.read_request(), without=["Sec-WebSocket-Accept"])
    await peer.swallow()


@mode("tls")
async def missing_upgrade(peer):
    """a response without Upgrade"""
    await peer.answer(await peer.read_request(), without=["Upgrade"])
    await peer.swallow()


@mode("tls")
async def missing_connection(peer):
    """a response without Connection"""
    await peer.answer(await peer.read_request(), without=["Connection"])
    await peer.swallow()


@mode("tls")
async def two_accepts(peer):
    """Sec-WebSocket-Accept twice, the second one wrong"""
    await peer.answer(await peer.read_request(), more=["Sec-WebSocket-Accept: " + base64.b64encode(bytes(20)).decode()])
    await peer.swallow()


@mode("tls")
async def unrequested_extension(peer):
    """accepts an extension that was not offered"""
    await peer.answer(await peer.read_request(), more=["Sec-WebSocket-Extensions: x-compress-harder"])
    await peer.swallow()


@mode("tls")
async def unrequested_protocol(peer):
    """selects a subprotocol that was not offered"""
    await peer.answer(await peer.read_request(), more=["Sec-WebSocket-Protocol: chat"])
    await peer.swallow()


@mode("tls")
async def http_1_0(peer):
    """101 with HTTP/1.0"""
    await peer.answer(await peer.read_request(), status="HTTP/1.0 101 Switching Protocols")
    await peer.swallow()


@mode("tls")
async def no_http(peer):
    """an answer to the request that is not HTTP"""
    await peer.read_request()
    await peer.send("220 mail.example ESMTP\r\n\r\n")
    await peer.swallow()


@mode("tls")
async def endless_head(peer):
    """a response head that never ends (at most 64 MiB are sent)"""
    await peer.read_request()
    await peer.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n")
    for number in range(1 << 16):
        await peer.send(f"X-{number}: {'a' * 1000}\r\n")
    await peer.swallow()


# MARK: After the upgrade

@mode("upgrade")
async def no_confirmation(peer):
    """never confirms the subscription; beats as usual"""
    async def beat():
        while True:
            await asyncio.sleep(peer.options.heartbeat or 1)
            await peer.frame(TEXT, HEARTBEAT)

    beats = asyncio.create_task(beat())
    try:
        while True:
            await peer.read_subscribe()
    finally:
        beats.cancel()


@mode("upgrade")
async def other_confirmation(peer):
    """confirms with a correlationId that is not the client's"""
    while True:
        message = await peer.read_subscribe()
        await peer.reply(message | {"correlationId": "somebody-else-0001"})


@mode("upgrade")
async def part_confirmation(peer):
    """confirms the subscription without its last topic"""
    message = await peer.read_subscribe()
    await peer.reply(message, topics=message["topics"][:-1])
    peer.record["stage"] = "confirmed"
    await peer.hold()


@mode("upgrade")
async def second_confirmation(peer):
    """does not answer the first subscribe and confirms the second"""
    await peer.read_subscribe()
    await peer.confirm()
    await peer.notify()
    await peer.hold()


@mode("upgrade")
async def subscription_refused(peer):
    """400 failure, with a message"""
    await peer.reply(await peer.read_subscribe(), "400", "failure", message="Topic is not permitted for this user.")
    await peer.hold()


@mode("upgrade")
async def in_band(peer):
    """answers the subscription with the result of --status: 401, 403, 404, 429, 500"""
    await peer.reply(await peer.read_subscribe(), str(peer.options.status), "error", message="Not today.")
    await peer.hold()


@mode("upgrade")
async def close(peer):
    """closes with --code (0: none) right after the upgrade"""
    await peer.frame(CLOSE, struct.pack("!H", peer.options.code) + b"not today" if peer.options.code else b"")
    await peer.swallow_frames()


@mode("upgrade")
async def eof(peer):
    """ends the connection right after the upgrade, without a Close frame"""
    peer.writer.close()
    await peer.writer.wait_closed()


@mode("upgrade")
async def reset(peer):
    """RST right after the upgrade"""
    peer.reset()


@mode("confirmed")
async def close_after_confirmation(peer):
    """closes with --code (0: none) after the confirmation and --notify notifications"""
    await close(peer)


@mode("confirmed")
async def close_ignored(peer):
    """never answers a Close frame, and keeps sending"""
    while True:
        await peer.notify()
        await asyncio.sleep(0.05)


@mode("confirmed")
async def reset_after_confirmation(peer):
    """RST after the confirmation and --notify notifications"""
    # What a reset overtakes is lost: let the client read first.
    await asyncio.sleep(0.2)
    peer.reset()


@mode("confirmed")
async def eof_mid_message(peer):
    """ends the connection in the middle of a message"""
    await peer.send(b"\x81\x7e\x10\x00" + b'{"topicName":')
    peer.writer.close()
    await peer.writer.wait_closed()


@mode("confirmed")
async def tls_truncated(peer):
    """FIN without TLS close_notify and without a Close frame"""
    peer.shut()
    await peer.swallow()


@mode("confirmed")
async def tls_truncated_after_close(peer):
    """a proper Close frame (1000), then FIN without TLS close_notify"""
    await peer.frame(CLOSE, struct.pack("!H", 1000))
    try:
        while (await peer.read_frame())[0] != CLOSE:
            pass
    finally:
        peer.shut()
    await peer.swallow()


@mode("confirmed")
async def no_heartbeats(peer):
    """never sends a heartbeat; answers pings"""
    await peer.hold(beating=False)


@mode("confirmed")
async def dead(peer):
    """reads everything and answers nothing"""
    await peer.swallow()


@mode("confirmed")
async def frozen(peer):
    """does not even read"""
    await asyncio.Event().wait()


@mode("confirmed")
async def unusable_messages(peer):
    """binary, broken JSON, an array, an unknown object and an unknown system topic; then a valid notification"""
    await peer.frame(BINARY, b"\x00\x01\x02")
    for text in ('{"topicName":', '[1,2,3]', '{"hello":"world"}', '{"topicName":"v2.system.brand_new","eventBody":{}}'):
        await peer.frame(TEXT, text)
    await peer.notify()
    await peer.hold()


@mode("confirmed")
async def drip(peer):
    """a valid notification, one byte at a time"""
    payload = ('{"topicName":"%s","eventBody":"å∫ç😀"}' % TOPIC).encode()
    for byte in bytes([0x81, len(payload)]) + payload:
        await peer.send(bytes([byte]))
        await asyncio.sleep(0.001)
    await peer.hold()


@mode("confirmed")
async def socket_closing(peer):
    """the maintenance notice; closes with --code after --after seconds"""
    await peer.frame(TEXT, '{"topicName":"v2.system.socket_closing","eventBody":{"message":"Websocket closing soon"}}')
    try:
        await asyncio.wait_for(peer.hold(), peer.options.after)
    except asyncio.TimeoutError:
        await close(peer)


@mode("confirmed")
async def system(peer):
    """the system topic of --system, such as token_revoked or no_longer_subscribed"""
    message = '{"topicName":"v2.system.%s","version":"2","eventBody":{"systemTopicType":"%s"}}'
    await peer.frame(TEXT, message % (peer.options.system, peer.options.system))
    await peer.hold()


# MARK: Violations of RFC 6455, after the upgrade; with --confirmed after the confirmation

@mode("violation")
async def masked_frame(peer):
    """a masked frame (§5.1)"""
    await peer.frame(TEXT, HEARTBEAT, mask=b"\x12\x34\x56\x78")


@mode("violation")
async def reserved_bits(peer):
    """RSV1 without an extension (§5.2)"""
    await peer.frame(TEXT, HEARTBEAT, first=0xC1)


@mode("violation")
async def reserved_opcode(peer):
    """opcode 3 (§5.2)"""
    await peer.frame(3, HEARTBEAT)


@mode("violation")
async def long_form(peer):
    """a length that fits a shorter form (§5.2)"""
    await peer.send(b"\x81\x7e\x00\x05hello")


@mode("violation")
async def negative_length(peer):
    """a 64-bit length with the highest bit set (§5.2)"""
    await peer.send(b"\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff")


@mode("violation")
async def fragmented_ping(peer):
    """a ping without FIN (§5.4)"""
    await peer.frame(PING, b"a", first=PING)


@mode("violation")
async def long_ping(peer):
    """a ping of 126 bytes (§5.5)"""
    await peer.frame(PING, b"a" * 126)


@mode("violation")
async def orphan_continuation(peer):
    """a continuation without a message (§5.4)"""
    await peer.frame(0, b"a")


@mode("violation")
async def nested_message(peer):
    """a new message inside a fragmented one (§5.4)"""
    await peer.frame(TEXT, b'{"a":', first=TEXT)
    await peer.frame(TEXT, HEARTBEAT)


@mode("violation")
async def invalid_utf8(peer):
    """a text that is not UTF-8 (§8.1); close code 1007"""
    await peer.frame(TEXT, b'{"topicName":"\xff\xfe"}')


@mode("violation")
async def invalid_close_code(peer):
    """a Close frame with 1005, which must not be on the wire (§7.4.1)"""
    await peer.frame(CLOSE, struct.pack("!H", 1005))


@mode("violation")
async def short_close(peer):
    """a Close frame of one byte (§5.5.1)"""
    await peer.frame(CLOSE, b"\x03")


@mode("violation")
async def invalid_close_reason(peer):
    """a Close frame whose reason is not UTF-8 (§5.5.1); close code 1007"""
    await peer.frame(CLOSE, struct.pack("!H", 1000) + b"\xc3\x28")


@mode("violation")
async def oversized(peer):
    """a text frame that declares --size bytes, and sends them until the client closes; close code 1009"""
    await peer.send(b"\x81\x7f" + struct.pack("!Q", peer.options.size) + b'{"topicName":"')
    await pour(peer, peer.options.size - 14)


@mode("violation")
async def oversized_fragments(peer):
    """a message of --size bytes in fragments of 64 KiB; close code 1009"""
    reading = asyncio.create_task(peer.swallow_frames())
    for number in range(peer.options.size // 65_536):
        if reading.done():
            break
        await peer.frame(0 if number else TEXT, b"a" * 65_536, first=0 if number else TEXT)
    await reading


async def pour(peer, count):
    """Sends this many bytes, but reads meanwhile and stops when the client has closed."""
    reading = asyncio.create_task(peer.swallow_frames())
    while count > 0 and not reading.done():
        await peer.send(b"a" * min(count, 65_536))
        count -= 65_536
    await reading


# MARK: Nothing wrong

@mode("confirmed")
async def good(peer):
    """no misbehavior at all: confirms, notifies, beats"""
    await peer.hold()


class Server:
    def __init__(self, options, context):
        self.options, self.context = options, context
        self.records, self.problems, self.tasks = [], [], set()

    async def accept(self, listener):
        loop = asyncio.get_running_loop()
        while True:
            raw, _ = await loop.sock_accept(listener)
            raw.setblocking(False)
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = asyncio.create_task(self.serve(Peer(raw, self.options, self.context)))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def serve(self, peer):
        options = self.options
        self.records.append(peer.record)
        hostile = not options.times or len(self.records) <= options.times
        stage, misbehave = MODES[options.mode if hostile else "good"]
        try:
            if stage != "tcp":
                await peer.open(encrypted=not options.plain)
            if stage in ("upgrade", "violation", "confirmed"):
                await peer.upgrade()
            if stage == "confirmed" or (stage == "violation" and options.confirmed):
                await peer.confirm()
                for _ in range(options.notify):
                    await peer.notify()
            await misbehave(peer)
            if stage == "violation":
                await peer.swallow_frames()
        except (EOFError, asyncio.IncompleteReadError):
            peer.record["ended"] = "eof"
        except (ConnectionResetError, BrokenPipeError):
            peer.record["ended"] = "reset"
        except (OSError, ValueError) as error:  # SSLError and JSON errors among them
            peer.record["ended"] = str(error)
        except asyncio.CancelledError:
            pass
        except Exception as error:  # a defect of this file: it must not pass for the client's
            self.problems.append(f"{options.mode}: {type(error).__name__}: {error}")
        finally:
            if peer.writer is not None:
                peer.writer.close()
            elif peer.raw.fileno() >= 0:
                peer.raw.close()


async def run(options):
    folder, temporary = work_folder(options.directory)
    try:
        authority = Authority(folder, "authority")
        identity = authority.issue("server", "DNS:localhost, IP:127.0.0.1, IP:::1")
        with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
            listener.setblocking(False)
            server = Server(options, server_context(identity))
            accepting = asyncio.create_task(server.accept(listener))
            scheme, port = "ws" if options.plain else "wss", listener.getsockname()[1]
            say(mode=options.mode, uri=f"{scheme}://localhost:{port}{CHANNEL}", caFile=str(authority.certificate))
            try:
                await asyncio.wait_for(told_to_end(watch_stdin=True), options.lifetime)
            except asyncio.TimeoutError:
                server.problems.append(f"nobody ended it within {options.lifetime:g} s")
            accepting.cancel()
            for task in list(server.tasks):
                task.cancel()
            await asyncio.gather(*server.tasks, return_exceptions=True)
        say(mode=options.mode, connections=server.records, problems=server.problems)
        return 1 if server.problems else 0
    finally:
        if temporary:
            shutil.rmtree(folder, ignore_errors=True)


def arguments(words=None):
    headings = {
        "tcp": "before TLS:", "tls": "at the upgrade:", "upgrade": "after the upgrade:",
        "confirmed": "after the confirmation and --notify notifications:",
        "violation": "violations after the upgrade, or after the confirmation with --confirmed:",
    }
    lines = []
    for stage, heading in headings.items():
        lines += ["", heading]
        lines += [f"  {name:26} {function.__doc__}" for name, (at, function) in MODES.items() if at == stage]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, epilog="\n".join(["modes", *lines]))
    parser.add_argument("--mode", choices=sorted(MODES), required=True, metavar="MODE", help="see below")
    parser.add_argument("--list", action="version", version="\n".join(sorted(MODES)), help="print the modes and exit")
    parser.add_argument("--plain", action="store_true", help="ws:// instead of wss://")
    parser.add_argument("--times", type=int, default=0, help="misbehave so many times only (default: always)")
    parser.add_argument("--confirmed", action="store_true", help="violate the protocol only after the confirmation")
    parser.add_argument("--notify", type=int, default=1, help="notifications after a confirmation (%(default)s)")
    parser.add_argument("--heartbeat", type=float, default=5, help="seconds between beats, 0: none (%(default)s)")
    parser.add_argument("--status", type=int, default=503, help="the HTTP status, or the in-band result (%(default)s)")
    parser.add_argument("--retry-after", help="the value of a Retry-After header")
    parser.add_argument("--location", help="the value of a Location header")
    parser.add_argument("--code", type=int, default=1011, help="the code to close with (%(default)s)")
    parser.add_argument("--size", type=int, default=64 << 20, help="bytes of an oversized message (%(default)s)")
    parser.add_argument("--after", type=float, default=60, help="seconds from the notice to the close (%(default)s)")
    parser.add_argument("--system", default="token_revoked", help="the kind of a system message (%(default)s)")
    parser.add_argument("--lifetime", type=float, default=600, help="seconds until it ends by itself (%(default)s)")
    parser.add_argument("--directory", help="keep the files in a new folder under this one (default: temporary)")
    return parser.parse_args(words)


if __name__ == "__main__":
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    sys.exit(asyncio.run(run(arguments())))
