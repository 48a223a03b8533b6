#!/usr/bin/env python3
"""Tests of the conformance peers themselves: a correct client passes, a careless one is detected, and every
misbehavior matches its name."""

import asyncio
import base64
import hashlib
import json
import logging
import os
import re
import shutil
import ssl
import struct
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

import hostile_server
import peer_server
import scenario
import support

HERE = Path(__file__).resolve().parent


class Process:
    """A peer, started as by a test of the tool."""

    def __init__(self, script, *arguments):
        self.process = subprocess.Popen(
            [sys.executable, HERE / script, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.hello = json.loads(self.process.stdout.readline())

    def end(self):
        """The report and the exit status, after the end of standard input."""
        output, _ = self.process.communicate(timeout=30)
        return json.loads(output), self.process.returncode


def client_context(ca_file):
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("DEFAULT:@SECLEVEL=2")
    context.hostname_checks_common_name = False
    return context


def listen(hello, **options):
    """A small client that does what `genesys-loop listen --count N` must do. Returns the lines."""
    # With asyncio, as a socket of Python's ssl must not be read in one thread and written in another.
    return asyncio.run(listening(hello, **options))


async def listening(hello, change=lambda subscribe: subscribe, code=1000, leave_after=None, **options):
    context = client_context(hello["caFile"])
    if "clientCertificate" in hello:
        context.load_cert_chain(hello["clientCertificate"], hello["clientKey"])
    lines = []
    options.setdefault("compression", None)
    options.setdefault("user_agent_header", None)
    # A busy machine may need longer than the ten seconds that are the default.
    options.setdefault("open_timeout", 60)
    async with connect(hello["uri"], ssl=context, max_size=1 << 24, proxy=None, **options) as client:
        subscribe = {"message": "subscribe", "topics": hello["topics"], "correlationId": "M8tF6UUNrlBKDR7T"}
        await client.send(json.dumps(change(subscribe)))
        try:
            while len(lines) < (leave_after or hello["count"]):
                message = await client.recv()
                if b"channel.metadata" not in message.encode().lower() and '"result"' not in message:
                    lines.append(message.replace("\n", " ").encode() + b"\n")
        except ConnectionClosed:
            pass
        await client.close(code)
    return lines


class PeerServer(unittest.TestCase):
    def accepted(self, mode, *arguments):
        peer = Process("peer_server.py", "--mode", mode, "--count", "400", *arguments)
        expected = Path(peer.hello["expected"]).read_bytes()
        lines = listen(peer.hello)
        report, status = peer.end()
        return b"".join(lines) == expected, report["problems"], status, report

    def test_a_good_client_passes_in_every_mode_to_accept(self):
        with ThreadPoolExecutor(2) as pool:
            for mode, (same, problems, status, report) in zip(
                    peer_server.ACCEPTED, pool.map(self.accepted, peer_server.ACCEPTED)):
                with self.subTest(mode):
                    self.assertEqual((same, problems, status), (True, [], 0), report)
                    self.assertEqual((report["upgrade"], report["subscribe"], report["close"]), ("ok", "ok", 1000))
                    self.assertGreater(report["pings"], 20)
                    self.assertEqual(report["pings"], report["pongs"])

    def test_the_server_may_close(self):
        peer = Process("peer_server.py", "--count", "20", "--close", "server", "--topic", "v2.a?b&c")
        self.assertEqual(peer.hello["topics"], ["v2.a?b&c"])
        lines = listen(peer.hello | {"count": 1000})
        self.assertEqual(len(lines), peer.hello["count"])
        report, status = peer.end()
        self.assertEqual((report["problems"], status, report["closedBy"]), ([], 0, "server"))

    def refused(self, mode):
        peer = Process("peer_server.py", "--mode", mode, "--count", "1")
        try:
            listen(peer.hello)
            outcome = "connected"
        except (ssl.SSLError, ConnectionError) as error:
            # A server that ends the handshake itself may reset the connection before asyncio has read its alert.
            outcome = "refused" if isinstance(error, (ssl.SSLError, ConnectionResetError)) else str(error)
        return outcome, *peer.end()

    def test_a_careful_client_refuses_every_mode_to_refuse(self):
        with ThreadPoolExecutor(2) as pool:
            modes = list(peer_server.REFUSED)
            for mode, (outcome, report, status) in zip(modes, pool.map(self.refused, modes)):
                with self.subTest(mode):
                    self.assertEqual((outcome, report["problems"], status), ("refused", [], 0))
                    # With the wrong version the server ends the handshake before it looks at names.
                    self.assertEqual((report["clientHellos"], report["requests"]), (0 if mode == "tls-1.1" else 1, 0))

    def test_a_client_that_does_not_verify_is_found_out(self):
        peer = Process("peer_server.py", "--mode", "wrong-host", "--count", "1")
        context = ssl._create_unverified_context()

        async def visit():
            async with connect(peer.hello["uri"], ssl=context, proxy=None, compression=None):
                pass

        asyncio.run(visit())
        report, status = peer.end()
        self.assertIn("had to refuse", report["problems"][0])
        self.assertEqual(status, 1)

    def test_careless_clients_are_found_out(self):
        cases = {
            "topics are": {"change": lambda message: message | {"topics": message["topics"][:1]}},
            "other keys": {"change": lambda message: message | {"id": 1}},
            "correlationId is": {"change": lambda message: message | {"correlationId": 7}},
            "message is": {"change": lambda message: message | {"message": "Subscribe"}},
            "closed with 1001": {"code": 1001},
            "(pings were not answered|left before everything)": {"leave_after": 5, "close_timeout": 1},
            "Sec-WebSocket-Extensions": {"compression": "deflate"},
            "Authorization": {"additional_headers": {"Authorization": "Bearer a"}},
        }

        def run(options):
            peer = Process("peer_server.py", "--count", "100", "--timeout", "3")
            listen(peer.hello, **options)
            return peer.end()

        with ThreadPoolExecutor(2) as pool:
            for (wanted, _), (report, status) in zip(cases.items(), pool.map(run, cases.values())):
                with self.subTest(wanted):
                    self.assertTrue(any(re.search(wanted, problem) for problem in report["problems"]), report)
                    self.assertEqual(status, 1)


class Scenario(unittest.TestCase):
    def test_notifications_are_what_they_claim(self):
        items = scenario.notifications(2000, peer_server.TOPICS, 1)
        names = set(scenario.single_topics(peer_server.TOPICS))
        self.assertEqual(len(items), 2008)
        for item in items[8:]:
            value = json.loads(item.bytes)
            self.assertIn(value["topicName"], names)
            self.assertIn("eventBody", value)
            self.assertEqual(item.line.count(b"\n"), 1)
            if item.fragments is not None:
                self.assertEqual(sum(item.fragments), len(item.bytes))
        sizes = {len(item.bytes) for item in items}
        self.assertTrue({scenario.LARGE, 127, 65_535, 65_536} <= sizes, sorted(sizes)[-5:])
        self.assertTrue(any(b"\n" in item.bytes for item in items))
        self.assertTrue(any(a.bytes == b.bytes for a, b in zip(items, items[1:])))
        again = scenario.notifications(2000, peer_server.TOPICS, 1)
        self.assertEqual([item.bytes for item in items], [item.bytes for item in again])


class Client:
    """A client that accepts anything: it connects, upgrades, subscribes, and reads until the end or a silence."""

    def __init__(self):
        self.tls, self.buffer, self.head, self.frames, self.end = False, bytearray(), b"", [], None

    async def run(self, port, context, stop_at=None):
        try:
            self.reader, writer = await asyncio.wait_for(
                asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=context and "localhost"), 2)
        except (asyncio.TimeoutError, TimeoutError):
            self.end = "silence"
            return self
        except (OSError, ssl.SSLError) as error:
            self.end = "reset" if isinstance(error, ConnectionResetError) else "no tls"
            return self
        try:
            self.tls = context is not None
            key = base64.b64encode(os.urandom(16)).decode()
            digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
            self.accept = base64.b64encode(digest)
            writer.write(f"GET / HTTP/1.1\r\nHost: localhost\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
            await asyncio.wait_for(self.read(writer, stop_at), 30)
        except (asyncio.TimeoutError, TimeoutError):
            self.end = "silence"
        except asyncio.IncompleteReadError as error:
            self.end = "eof" + (" inside" if error.partial else "")
        except ssl.SSLError as error:
            self.end = f"tls: {error.reason}"
        except OSError as error:
            self.end = "reset" if isinstance(error, (ConnectionResetError, BrokenPipeError)) else str(error)
        finally:
            writer.transport.abort()
        return self

    async def more(self):
        """The next bytes; a second without a byte is a silence."""
        data = await asyncio.wait_for(self.reader.read(1 << 16), 1)
        if not data:
            raise asyncio.IncompleteReadError(bytes(self.buffer), None)
        self.buffer += data

    async def exactly(self, count):
        while len(self.buffer) < count:
            await self.more()
        data = bytes(self.buffer[:count])
        del self.buffer[:count]
        return data

    async def read(self, writer, stop_at):
        while b"\r\n\r\n" not in self.buffer:
            await self.more()
            if len(self.buffer) > 1 << 18:
                self.end = "too much"
                return
        self.head = await self.exactly(self.buffer.index(b"\r\n\r\n") + 4)
        subscribe = b'{"message":"subscribe","topics":["v2.a"],"correlationId":"c1"}'
        writer.write(bytes([0x81, 0x80 | len(subscribe)]) + bytes(4) + subscribe)
        while True:
            first, second = await self.exactly(2)
            count, mask = second & 0x7F, b""
            if count > 125:
                size = 2 if count == 126 else 8
                count, = struct.unpack("!H" if size == 2 else "!Q", await self.exactly(size))
            if second & 0x80:
                mask = await self.exactly(4)
            if count > 1 << 17:
                self.frames.append((first, count, b""))
                self.end = "large"
                return
            payload = await self.exactly(count)
            self.frames.append((first, count, b"masked" if mask else payload))
            if stop_at and stop_at(self):
                self.end = "stopped"
                return

    def texts(self):
        return [json.loads(payload) for first, _, payload in self.frames if first == 0x81]


class HostileServer(unittest.IsolatedAsyncioTestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        authority = support.Authority(cls.folder, "authority")
        cls.server_context = support.server_context(authority.issue("server", "DNS:localhost"))
        cls.client_context = client_context(authority.certificate)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    async def visit(self, mode, *words, times=1, stop_at=None):
        """Starts the server in a mode, connects this many times, and returns the clients and the server's records."""
        options = hostile_server.arguments(["--mode", mode, *words])
        server = hostile_server.Server(options, self.server_context)
        with hostile_server.socket.create_server(("127.0.0.1", 0)) as listener:
            listener.setblocking(False)
            accepting = asyncio.create_task(server.accept(listener))
            context = None if options.plain else self.client_context
            port = listener.getsockname()[1]
            try:
                clients = [await Client().run(port, context, stop_at) for _ in range(times)]
                await asyncio.sleep(0.02)
            finally:
                for task in [accepting, *server.tasks]:
                    task.cancel()
                await asyncio.gather(accepting, *server.tasks, return_exceptions=True)
        self.assertEqual(server.problems, [], mode)
        return clients, server.records

    async def test_every_mode_does_what_its_name_says(self):
        def head(text):
            return lambda client: text in client.head

        def no(text):
            return lambda client: text not in client.head and client.head.startswith(b"HTTP/1.1 101")

        def frame(*wanted):
            return lambda client: any(f[:len(wanted)] == wanted for f in client.frames)

        def result(code, status):
            return lambda client: any((t.get("result"), t.get("status")) == (code, status) for t in client.texts())

        def end(*wanted):
            return lambda client: client.end in wanted

        table = {
            "tls-stall": lambda client: client.end == "silence" and not client.tls,
            "tcp-reset": end("reset", "no tls"),
            "tcp-close": end("reset", "no tls"),
            "plain-http": end("no tls"),
            "tls-garbage": end("no tls"),
            "upgrade-stall": lambda client: client.tls and client.end == "silence" and not client.head,
            "status": head(b"HTTP/1.1 503 "),
            "eof-at-upgrade": end("eof inside"),
            "wrong-accept": lambda client: client.accept not in client.head and b"Sec-WebSocket-Accept" in client.head,
            "missing-accept": no(b"Sec-WebSocket-Accept"),
            "missing-upgrade": no(b"Upgrade:"),
            "missing-connection": no(b"Connection:"),
            "two-accepts": lambda client: client.head.count(b"Sec-WebSocket-Accept") == 2,
            "unrequested-extension": head(b"Sec-WebSocket-Extensions: "),
            "unrequested-protocol": head(b"Sec-WebSocket-Protocol: "),
            "http-1-0": head(b"HTTP/1.0 101"),
            "no-http": head(b"220 "),
            "endless-head": end("too much"),
            "no-confirmation": lambda client: client.end == "silence" and not client.frames,
            "other-confirmation": lambda client: client.texts()[0]["correlationId"] != "c1",
            "part-confirmation": lambda client: client.texts()[0]["topics"] == [],
            "second-confirmation": lambda client: client.end == "silence" and not client.frames,
            "subscription-refused": result("400", "failure"),
            "in-band": result("503", "error"),
            "close": frame(0x88, 11, b"\x03\xf3not today"),
            "eof": end("eof"),
            "reset": end("reset"),
            "close-after-confirmation": frame(0x88, 11, b"\x03\xf3not today"),
            "close-ignored": lambda client: len(client.frames) > 10 and client.end not in ("eof", "reset"),
            "reset-after-confirmation": end("reset"),
            "eof-mid-message": end("eof inside"),
            "tls-truncated": end("eof", "tls: UNEXPECTED_EOF_WHILE_READING"),
            "tls-truncated-after-close": frame(0x88, 2, b"\x03\xe8"),
            "no-heartbeats": end("silence"),
            "dead": end("silence"),
            "frozen": end("silence"),
            "unusable-messages": lambda client: (0x82, 3, b"\x00\x01\x02") in client.frames and len(client.frames) == 8,
            "drip": lambda client: client.texts()[-1]["eventBody"] == "å∫ç😀",
            "socket-closing": lambda client: client.texts()[-1]["topicName"] == "v2.system.socket_closing",
            "system": lambda client: client.texts()[-1]["topicName"] == "v2.system.token_revoked",
            "good": lambda client: client.texts()[0]["status"] == "subscribed" and len(client.texts()) == 2,
            "masked-frame": lambda client: client.frames[0][2] == b"masked",
            "reserved-bits": frame(0xC1),
            "reserved-opcode": frame(0x83),
            "long-form": frame(0x81, 5, b"hello"),
            "negative-length": frame(0x81, 0xFFFF_FFFF_FFFF_FFFF),
            "fragmented-ping": frame(0x09, 1),
            "long-ping": frame(0x89, 126),
            "orphan-continuation": frame(0x80, 1),
            "nested-message": lambda client: [f[0] for f in client.frames[:2]] == [0x01, 0x81],
            "invalid-utf8": lambda client: b"\xff\xfe" in client.frames[0][2],
            "invalid-close-code": frame(0x88, 2, b"\x03\xed"),
            "short-close": frame(0x88, 1),
            "invalid-close-reason": frame(0x88, 4, b"\x03\xe8\xc3\x28"),
            "oversized": frame(0x81, 64 << 20),
            "oversized-fragments": lambda client: [f[:2] for f in client.frames] == [(1, 65_536), (0, 65_536)],
        }
        self.assertEqual(set(table), set(hostile_server.MODES))
        first_frames = {"close-ignored": lambda client: len(client.frames) > 10,
                        "oversized-fragments": lambda client: len(client.frames) == 2}

        # All at once would make some late ones look silent.
        few = asyncio.Semaphore(8)

        async def check(mode, expectation):
            async with few:
                clients, records = await self.visit(mode, stop_at=first_frames.get(mode))
            with self.subTest(mode):
                client = clients[0]
                self.assertTrue(expectation(client), (client.end, client.head, client.frames[:9], records))

        await asyncio.gather(*(check(mode, expectation) for mode, expectation in table.items()))

    async def test_options_reach_the_wire(self):
        (client,), _ = await self.visit("status", "--status", "429", "--retry-after", "7", "--location", "wss://a")
        for text in (b"HTTP/1.1 429 ", b"\r\nRetry-After: 7\r\n", b"\r\nLocation: wss://a\r\n"):
            self.assertIn(text, client.head)
        (client,), _ = await self.visit("close", "--code", "0", "--plain")
        self.assertEqual(client.frames, [(0x88, 0, b"")])
        (client,), records = await self.visit("reserved-bits", "--confirmed", "--notify", "3")
        self.assertEqual([frame[0] for frame in client.frames], [0x81, 0x81, 0x81, 0x81, 0xC1])
        self.assertEqual(records[0] | {"ended": None},
                         {"stage": "confirmed", "subscribes": 1, "received": 1, "close": None, "ended": None})

    async def test_later_connections_are_served_well(self):
        clients, records = await self.visit("status", "--times", "2", times=3)
        self.assertEqual([client.head[:12] for client in clients], [b"HTTP/1.1 503"] * 2 + [b"HTTP/1.1 101"])
        self.assertEqual([record["stage"] for record in records], ["tls", "tls", "confirmed"])

    def test_it_ends_with_standard_input(self):
        peer = Process("hostile_server.py", "--mode", "good", "--plain")
        self.assertTrue(peer.hello["uri"].startswith("ws://localhost:"))
        self.assertTrue(Path(peer.hello["caFile"]).exists())
        report, status = peer.end()
        self.assertEqual((report["connections"], report["problems"], status), ([], [], 0))
        self.assertFalse(Path(peer.hello["caFile"]).exists())


if __name__ == "__main__":
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    unittest.main()
