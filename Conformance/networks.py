#!/usr/bin/env python3
"""Runs a client in a network namespace of its own: start it in a new network namespace, as its root, with
a mount namespace of its own (`unshare -rnm`).

usage: networks.py SCENARIO CLIENT [ARGUMENT …]

  link-local    the server is only at fe80::5 on the interface link0
  loopback      loopback is the only interface; /etc/hosts has host.dual.test at 127.0.0.1
  black-hole    packets to 2001:db8::/64 are lost; the server is at 127.0.0.1

CLIENT is started with its arguments, in which {port} is the server's port and {ca} the file of the authority that
signed its certificate. The server refuses every upgrade with 404. Prints one line of JSON: the "status" of the client,
its "errors", the Host header it sent ("host", or null), and the milliseconds until it had connected ("connected").
Ends with status 75 if such a network is impossible here.
"""

import json
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from namespace import IMPOSSIBLE, ip
from support import Authority, server_context


def make_network(scenario, folder):
    """Two ends of a cable; no host answers at the other end."""
    ip("link", "set", "lo", "up")
    if scenario == "loopback":
        hosts = Path(folder) / "hosts"
        hosts.write_text("127.0.0.1 localhost host.dual.test\n")
        if subprocess.run(["mount", "--bind", hosts, "/etc/hosts"]).returncode != 0:
            sys.exit(IMPOSSIBLE)
        return
    ip("link", "add", "link0", "type", "veth", "peer", "name", "link1")
    for address in ("fe80::5/64", "2001:db8::1/64"):
        ip("address", "add", address, "dev", "link0", "nodad")
    ip("address", "add", "192.0.2.1/24", "dev", "link0")
    ip("link", "set", "link1", "up")
    ip("link", "set", "link0", "up")
    # Without it the kernel itself would detect the absence after three seconds.
    ip("-6", "neighbor", "add", "2001:db8::5", "lladdr", "02:00:00:00:00:05", "dev", "link0")


class Server(threading.Thread):
    def __init__(self, scenario, context):
        super().__init__(daemon=True)
        self.context, self.host, self.connected_at = context, None, None
        if scenario == "link-local":
            self.socket = socket.socket(socket.AF_INET6)
            self.socket.bind(("fe80::5", 0, 0, socket.if_nametoindex("link0")))
        else:
            self.socket = socket.socket(socket.AF_INET)
            self.socket.bind(("127.0.0.1", 0))
        self.socket.listen()
        self.port = self.socket.getsockname()[1]

    def run(self):
        while True:
            connection, _ = self.socket.accept()
            self.connected_at = self.connected_at or time.monotonic()
            try:
                self.answer(self.context.wrap_socket(connection, server_side=True))
            except (OSError, ssl.SSLError) as error:
                print(f"server: {error}", file=sys.stderr)

    def answer(self, connection):
        head = b""
        while b"\r\n\r\n" not in head:
            more = connection.recv(4096)
            if not more:
                return
            head += more
        for line in head.decode("latin-1").split("\r\n"):
            name, _, value = line.partition(":")
            if name.lower() == "host":
                self.host = value.strip()
        connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        connection.close()


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in ("link-local", "loopback", "black-hole"):
        sys.exit(__doc__)
    scenario, client = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryDirectory(prefix="genesys-loop-network-") as folder:
        make_network(scenario, folder)
        authority = Authority(folder, "authority")
        server = Server(scenario, server_context(authority.issue("server", "IP:fe80::5, DNS:host.dual.test")))
        server.start()
        values = {"port": server.port, "ca": authority.certificate}
        start = time.monotonic()
        ended = subprocess.run(
            [argument.format(**values) for argument in client], capture_output=True, text=True, timeout=60)
        connected = server.connected_at and round((server.connected_at - start) * 1000)
        print(json.dumps({"status": ended.returncode, "errors": ended.stderr, "host": server.host,
                          "connected": connected}))


if __name__ == "__main__":
    main()
