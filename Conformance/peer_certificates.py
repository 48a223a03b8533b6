#!/usr/bin/env python3
"""Many TLS servers, each with its own certificates or behavior, and the result that a client must report for each.

Prints one line of JSON when all of them listen:
    {"cases": [{"name", "host", "port", "caFile", "reason", "status", "pins", "namesFile", "certificate",
     "key"}, …], "preload", "encryptedKey", "passphrase"}
and serves until standard input ends or SIGTERM. A server whose TLS is accepted answers the upgrade with 404. `preload`
is a library for LD_PRELOAD that resolves every name in .test to 127.0.0.1; null without a C compiler.
"""

import argparse
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from certificate_matrix import matrix
from certificates import Workshop
from support import say

PASSPHRASE = "correct horse"


def preload(folder):
    compiler = shutil.which("cc") or shutil.which("clang")
    if compiler is None or sys.platform == "darwin":
        return None
    library = folder / "resolver.so"
    source = Path(__file__).parent / "resolver.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return str(library)


def context_of(case, shop):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # A server must be able to present what a client must refuse.
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(shop.bundle(case.chain), case.chain[0].key)
    for change in case.setup:
        change(context)
    return context


class Server(threading.Thread):
    """One of the servers; it serves one connection at a time."""

    def __init__(self, case, shop):
        super().__init__(daemon=True)
        self._case = case
        self._context = context_of(case, shop)
        family, address = (socket.AF_INET6, "::1") if ":" in case.host else (socket.AF_INET, "127.0.0.1")
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        self._listener.bind((address, 0))
        self._listener.listen(64)
        self.port = self._listener.getsockname()[1]

    def run(self):
        while True:
            connection, _ = self._listener.accept()
            connection.settimeout(60)
            try:
                self._serve(connection)
            except OSError:
                pass  # the client is gone, as it should be after most certificates
            finally:
                connection.close()

    def _serve(self, connection):
        manner = self._case.manner
        if manner.startswith("alert "):
            connection.recv(4096)
            connection.sendall(bytes([21, 3, 3, 0, 2, 2, int(manner.removeprefix("alert "))]))
            self._part(connection)
        elif manner == "clear text":
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            self._part(connection)
        else:
            self._speak(connection, resets=manner.endswith("reset"))

    def _speak(self, connection, resets):
        tls = self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        connection = tls
        try:
            tls.do_handshake()
            head = b""
            while b"\r\n\r\n" not in head:
                more = tls.recv(4096)
                if not more:
                    return
                head += more
            tls.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        except ssl.SSLError:
            pass  # the alert was sent, or came from the client
        finally:
            raw = socket.socket(fileno=tls.detach())
            if resets:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                raw.settimeout(60)
                self._part(raw)
            raw.close()

    @staticmethod
    def _part(connection):
        """Ends a connection after reading all input: a reset could overtake the output."""
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="genesys-loop-certificates-"))
    try:
        shop = Workshop(folder)
        cases = matrix(shop)
        entries = []
        known = next(case.client for case in cases if case.name == "client-good-1.3")
        for case in cases:
            server = Server(case, shop)
            server.start()
            reason, status = case.expected
            entries.append({
                "name": case.name, "host": case.host, "port": server.port, "caFile": str(shop.bundle(case.trust)),
                "reason": reason, "status": status, "pins": case.pins, "namesFile": case.names_file,
                "certificate": str(shop.bundle([case.client])) if case.client else None,
                "key": str(case.client.key) if case.client else None,
            })
        say(cases=entries, preload=preload(folder), encryptedKey=str(shop.encrypted(known, PASSPHRASE)),
            passphrase=PASSPHRASE)
        while sys.stdin.buffer.read(4096):
            pass
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
