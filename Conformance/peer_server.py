#!/usr/bin/env python3
"""An independent, well-behaved notification service, built on the Python package `websockets`.

Prints one line of JSON when it listens:
    {"mode", "uri", "caFile", "topics", "count", "expected"}
`expected` is a file with every line that `genesys-loop listen --count COUNT` must print, `count` their number.
Modes that a client must accept serve one connection: the upgrade, the subscription, the pongs and the closing
handshake are checked, and the end is a report line, with exit status 0 when its "problems" are empty.
Modes that a client must refuse serve until standard input ends or SIGTERM, and report a client that did not refuse.
"""

import argparse
import asyncio
import base64
import contextlib
import http
import json
import logging
import random
import re
import shutil
import ssl
import sys
import warnings

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

import scenario
from support import Authority, Identity, say, server_context, told_to_end, work_folder

CHANNEL = "/channels/streaming-2-aa5h48uk0srhpugh2994klj918"
TOPICS = [
    "v2.users.2ce2c9a1-bd7b-4d56-9f0b-6c8e4b5ea7a1.presence",
    "v2.users.d4f1c6b2-0f3c-4c59-8a2d-3f3f6f0f7c11?routingStatus&activity",
    "v2.analytics.queues.4750048b-1994-41d4-8410-a5760c49a6cd.observations",
]
LOCAL = "DNS:localhost, IP:127.0.0.1, IP:::1"
HEARTBEATS = [
    '{"topicName":"channel.metadata","eventBody":{"message":"WebSocket Heartbeat"}}',
    '{"eventBody": {"message": "websocket heartbeat"}, "topicName": "Channel.Metadata"}',
]
ACCEPTED = {
    "normal": "a certificate for localhost, 127.0.0.1 and ::1",
    "ip": "the URI names 127.0.0.1, and the certificate has that IP address",
    "intermediate": "the certificate comes with an intermediate authority's",
    "client-certificate": "asks for a client certificate; the first line has clientCertificate and clientKey",
    "tls-1.2": "speaks TLS 1.2 only",
}
REFUSED = {
    "wrong-ca": "caFile is another authority's",
    "self-signed": "the certificate is signed by its own key, caFile does not hold it",
    "expired": "the certificate's time is over",
    "not-yet-valid": "the certificate's time has not come",
    "wrong-host": "the certificate is for other.example",
    "cn-only": "localhost stands in the common name only",
    "ip-in-dns": "the URI names 127.0.0.1, which the certificate has as a DNS name only",
    "missing-intermediate": "the intermediate authority's certificate is not sent",
    "wrong-purpose": "the certificate is for clients",
    "weak-key": "RSA of 1,024 bits",
    "tls-1.1": "speaks TLS 1.1 only",
}


def prepare(mode, folder):
    """The TLS context, the file of the trusted authority, the host for the URI, and additions to the first line."""
    authority, extra = Authority(folder, "authority"), {}
    ca_file, host = authority.certificate, "localhost"
    if mode == "wrong-ca":
        ca_file = Authority(folder, "other").certificate
    if mode in ("intermediate", "missing-intermediate"):
        between = Authority(folder, "between", issuer=authority)
        identity = between.issue("server", LOCAL)
        if mode == "intermediate":
            with identity.certificate.open("ab") as file:
                file.write(between.certificate.read_bytes())
    elif mode == "self-signed":
        identity = authority.issue_self_signed("localhost", LOCAL)
    else:
        identity = authority.issue("localhost" if mode == "cn-only" else "server", **{
            "expired": {"names": LOCAL, "days": (-30, -1)},
            "not-yet-valid": {"names": LOCAL, "days": (1, 30)},
            "wrong-host": {"names": "DNS:other.example, DNS:*.localhost"},
            "cn-only": {},
            "ip-in-dns": {"names": "DNS:127.0.0.1, DNS:localhost"},
            "wrong-purpose": {"names": LOCAL, "usage": "clientAuth"},
            "weak-key": {"names": LOCAL, "key": "rsa1024"},
        }.get(mode, {"names": LOCAL}))
    if mode in ("ip", "ip-in-dns"):
        host = "127.0.0.1"
    context = tls_context(mode, identity, authority)
    if mode == "client-certificate":
        client = authority.issue("client", usage="clientAuth")
        extra = {"clientCertificate": str(client.certificate), "clientKey": str(client.key)}
    return context, ca_file, host, extra


def tls_context(mode, identity: Identity, authority):
    if mode == "weak-key":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.load_cert_chain(identity.certificate, identity.key)
        return context
    context = server_context(identity)
    if mode == "tls-1.2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if mode == "tls-1.1":
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.maximum_version = ssl.TLSVersion.TLSv1_1
    if mode == "client-certificate":
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(authority.certificate)
    return context


class Connection(ServerConnection):
    """A connection that remembers the payload of every pong."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.pongs = []

    def acknowledge_pings(self, data):
        self.pongs.append(bytes(data))
        super().acknowledge_pings(data)


class Peer:
    """The checked conversation."""

    def __init__(self, options, authority_of_uri):
        self.options, self.host_header = options, authority_of_uri
        self.items = scenario.notifications(options.count, options.topic, options.seed)
        self.random = random.Random(options.seed + 1)
        self.problems, self.report = [], {"mode": options.mode}
        self.server_names, self.requests = [], 0
        self.subscribed, self.done = asyncio.Event(), asyncio.Event()
        self.pings = {}

    def problem(self, text):
        self.problems.append(text)

    # MARK: The upgrade

    def check_upgrade(self, connection, request):
        self.requests += 1
        if self.options.mode in REFUSED:
            self.problem("the client sent its request over a connection that it had to refuse")
        if self.requests > 1:
            self.problem(f"connection number {self.requests}, although nothing was wrong with the first")
            return connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, "one connection only\n")
        before = len(self.problems)
        if request.path != CHANNEL:
            self.problem(f"request for {request.path!r}")
            return connection.respond(http.HTTPStatus.NOT_FOUND, "no such channel\n")
        headers = request.headers
        for name, wanted in (("Host", self.host_header), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")):
            if [value.lower() for value in headers.get_all(name)] != [wanted]:
                self.problem(f"{name} is {headers.get_all(name)}, not {wanted!r}")
        if "upgrade" not in [token.strip().lower() for token in ",".join(headers.get_all("Connection")).split(",")]:
            self.problem(f"Connection is {headers.get_all('Connection')}")
        keys = headers.get_all("Sec-WebSocket-Key")
        with contextlib.suppress(ValueError):
            if len(keys) == 1 and len(base64.b64decode(keys[0], validate=True)) == 16:
                keys = []
        if keys:
            self.problem(f"Sec-WebSocket-Key is {keys}")
        for name in ("Authorization", "Cookie", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"):
            if headers.get_all(name):
                self.problem(f"{name} was sent, and nobody asked for it")
        if len(self.problems) == before:
            self.report["upgrade"] = "ok"
        return None

    # MARK: What the client sends

    def check_subscribe(self, text):
        def unique(pairs):
            if len({key for key, _ in pairs}) != len(pairs):
                self.problem(f"subscribe has a key twice: {text!r}")
            return dict(pairs)

        before = len(self.problems)
        try:
            message = json.loads(text, object_pairs_hook=unique)
        except ValueError:
            message = None
        if not isinstance(message, dict):
            self.problem(f"the first message is no JSON object: {text!r}")
            return None
        if message.get("message") != "subscribe":
            self.problem(f"message is {message.get('message')!r}, not 'subscribe'")
        if message.get("topics") != self.options.topic:
            self.problem(f"topics are {message.get('topics')!r}")
        identifier = message.get("correlationId")
        if not isinstance(identifier, str) or not re.fullmatch("[!-~]{1,64}", identifier):
            self.problem(f"correlationId is {identifier!r}")
        if others := set(message) - {"message", "topics", "correlationId"}:
            self.problem(f"subscribe has other keys: {sorted(others)}")
        if len(self.problems) == before:
            self.report["subscribe"] = "ok"
        return identifier

    async def receive(self, connection):
        """Reads all of the client's output, until the end."""
        try:
            first = await asyncio.wait_for(connection.recv(), self.options.timeout)
        except (asyncio.TimeoutError, ConnectionClosed) as error:
            self.problem(f"no subscribe: {error or 'time-out'}")
            return
        if not isinstance(first, str):
            self.problem("the first message is binary")
            return
        identifier = self.check_subscribe(first)
        # A notification may come before the confirmation, and is counted.
        await connection.send(self.items[0].bytes, text=True)
        await connection.send(json.dumps(
            {"correlationId": identifier, "topics": self.options.topic, "result": "200", "status": "subscribed"},
            separators=(",", ":")))
        self.subscribed.set()
        try:
            async for message in connection:
                if message == '{"message":"ping"}':
                    await connection.send('{"topicName":"channel.metadata","eventBody":{"message":"pong"}}')
                else:
                    self.problem(f"unexpected message: {message[:200]!r}")
        except ConnectionClosed:
            pass  # judged by check_close

    # MARK: What the peer sends

    async def ping(self, connection):
        payload = b"" if not self.pings else self.random.randbytes(self.random.randrange(1, 126))
        if payload not in self.pings:
            self.pings[payload] = await connection.ping(payload)

    async def pieces(self, connection, item):
        start = 0
        for size in item.fragments:
            yield item.bytes[start:start + size]
            start += size
            if self.random.randrange(5) == 0:
                await self.ping(connection)

    async def send_all(self, connection):
        await self.subscribed.wait()
        for number, item in enumerate(self.items[1:], 1):
            if number % 250 == 1:
                await connection.send(HEARTBEATS[number // 250 % 2])
            if number == len(self.items) - 1:
                # The last one may end the client: before it, every ping must be answered.
                await self.ping(connection)
                await asyncio.wait_for(asyncio.gather(*self.pings.values()), self.options.timeout)
                if connection.state is State.OPEN:
                    # The client may close as soon as it has this one, before `send` returns.
                    with contextlib.suppress(ConnectionClosed):
                        await self.send_item(connection, item)
                    self.report["sent"] = number + 1
                    return
            await self.send_item(connection, item)
            self.report["sent"] = number + 1

    async def send_item(self, connection, item):
        message = item.bytes if item.fragments is None else self.pieces(connection, item)
        await connection.send(message, text=True)

    def check_pongs(self, connection):
        for payload in set(connection.pongs) - set(self.pings):
            self.problem(f"a pong that nobody asked for: {payload.hex()}")
        if len(connection.pongs) > len(set(connection.pongs)):
            self.problem("a ping was answered twice")
        self.report.update(pings=len(self.pings), pongs=len(connection.pongs))

    def check_close(self, connection):
        protocol = connection.protocol
        received, sent = protocol.close_rcvd, protocol.close_sent
        self.report["close"] = received and received.code
        if received is None:
            self.problem("the connection ended without a Close frame from the client")
        elif received.code != 1000:
            self.problem(f"the client closed with {received.code} {received.reason!r}")
        if sent is not None and sent.code != 1000:
            self.problem(f"the client broke the protocol: {sent.code} {sent.reason!r}")
        by_client = bool(protocol.close_rcvd_then_sent)
        self.report["closedBy"] = "client" if by_client else "server"
        if received is not None and by_client != (self.options.close == "client"):
            self.problem(f"closed by the {self.report['closedBy']}, which was not its turn")

    def why_sending_ended(self, error):
        texts = {
            asyncio.TimeoutError: "pings were not answered",
            ConnectionClosed: "the client left before everything was sent",
        }
        text = next((text for kind, text in texts.items() if isinstance(error, kind)), f"sending failed: {error!r}")
        return f"{text} (after {self.report.get('sent', 0)} notifications)"

    async def converse(self, connection):
        tls = connection.transport.get_extra_info("ssl_object")
        self.report["tls"] = tls.version()
        wanted = None if self.options.mode == "ip" else "localhost"
        if self.server_names[-1:] != [wanted]:
            self.problem(f"server name indication is {self.server_names[-1:]}, not {wanted!r}")
        reading = asyncio.create_task(self.receive(connection))
        sending = asyncio.create_task(self.send_all(connection))
        try:
            await asyncio.wait({reading, sending}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done() and not sending.done():
                # The last message may still be in transit when the close arrives.
                await asyncio.wait({sending}, timeout=1)
            if not sending.done():
                sending.cancel()
                self.problem("the client left before everything was sent")
            elif sending.exception():
                self.problem(self.why_sending_ended(sending.exception()))
            if self.options.close == "server":
                await connection.close(1000, "done")
            await asyncio.wait_for(connection.wait_closed(), self.options.timeout)
            await reading
        except asyncio.TimeoutError:
            self.problem(f"the client did not close within {self.options.timeout:g} s")
            connection.transport.abort()
        self.check_pongs(connection)
        self.check_close(connection)
        self.done.set()


async def run(options):
    folder, temporary = work_folder(options.directory)
    try:
        context, ca_file, host, extra = prepare(options.mode, folder)
        peer = Peer(options, None)
        context.sni_callback = lambda _, name, __: peer.server_names.append(name)
        server = await serve(
            peer.converse, host if host != "localhost" else "127.0.0.1", 0, ssl=context, compression=None,
            create_connection=Connection, process_request=peer.check_upgrade, server_header=None,
            ping_interval=None, max_size=1 << 20, close_timeout=options.timeout)
        port = server.sockets[0].getsockname()[1]
        peer.host_header = f"{host}:{port}"
        expected = folder / "expected.jsonl"
        expected.write_bytes(b"".join(item.line for item in peer.items))
        say(mode=options.mode, uri=f"wss://{host}:{port}{CHANNEL}", caFile=str(ca_file), topics=options.topic,
            count=len(peer.items), expected=str(expected), **extra)
        await until_done(peer, options)
        server.close()
        peer.report.update(clientHellos=len(peer.server_names), requests=peer.requests)
        say(**peer.report, problems=peer.problems)
        return 1 if peer.problems else 0
    finally:
        if temporary:
            shutil.rmtree(folder, ignore_errors=True)


async def until_done(peer, options):
    refusing = options.mode in REFUSED
    told = asyncio.create_task(told_to_end(watch_stdin=refusing))
    done = asyncio.create_task(peer.done.wait())
    finished, pending = await asyncio.wait({told, done}, timeout=options.lifetime, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    if not refusing and done not in finished:
        peer.problem("ended from outside" if told in finished else f"not done within {options.lifetime:g} s")


def arguments():
    modes = "\n".join(f"  {name:21} {text}" for name, text in ACCEPTED.items())
    modes += "\n\nmodes that a client must refuse:\n"
    modes += "\n".join(f"  {name:21} {text}" for name, text in REFUSED.items())
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"modes that a client must accept:\n{modes}")
    parser.add_argument("--mode", choices=[*ACCEPTED, *REFUSED], default="normal", metavar="MODE", help="see below")
    parser.add_argument("--count", type=int, default=2000, help="notifications after the samples (%(default)s)")
    parser.add_argument("--topic", action="append", help="a topic that the client must subscribe to, in this order")
    parser.add_argument("--close", choices=["client", "server"], default="client", help="who closes (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the notifications (%(default)s)")
    parser.add_argument("--timeout", type=float, default=20, help="seconds for each answer (%(default)s)")
    parser.add_argument("--lifetime", type=float, default=600, help="seconds until it ends by itself (%(default)s)")
    parser.add_argument("--directory", help="keep the files in a new folder under this one (default: temporary)")
    options = parser.parse_args()
    options.topic = options.topic or TOPICS
    if options.count < 1:
        parser.error("--count must be at least 1")
    return options


if __name__ == "__main__":
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    sys.exit(asyncio.run(run(arguments())))
