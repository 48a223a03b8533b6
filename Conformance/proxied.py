#!/usr/bin/env python3
"""Runs a listener at one end of a cable, and a proxy and a simulator at the other: start it in a new network
namespace, as its root (`unshare -rnm`).

usage: proxied.py KIND TOOL

KIND is tinyproxy or dante (squid requires users that a namespace lacks), or "none": then the listener uses no
proxy, and cannot connect. TOOL is the executable genesys-loop. The server is called service.test, which only the
proxy can look up. Prints one line of JSON: the "status" of the listener, its "errors", how many notifications it
printed ("count"), how many packets it sent to the "proxy", and how many "around" it: to any other address, or to a name
server.
Ends with status 75 if such a network is impossible here.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from namespace import IMPOSSIBLE, ip, network_command, nft
from support import Authority

NEAR, FAR = "192.0.2.1", "192.0.2.2"
CONFORMANCE = Path(__file__).resolve().parent


class FarEnd:
    """Programs in a second network namespace, which lives as long as this object."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "-nm", "cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        try:
            # Otherwise the cable would be moved before its destination exists.
            self.holder_network = f"/proc/{self.holder.pid}/ns/net"
            while os.stat(self.holder_network).st_ino == os.stat("/proc/self/ns/net").st_ino:
                if self.holder.poll() is not None:
                    sys.exit(IMPOSSIBLE)
            ip("link", "add", "near", "type", "veth", "peer", "name", "far")
            ip("link", "set", "far", "netns", str(self.holder.pid))
        except BaseException:
            self.holder.kill()
            raise

    def command(self, *command):
        return ["nsenter", f"--target={self.holder.pid}", "--net", "--mount", *command]

    def run(self, *command):
        network_command(*self.command(*command))

    def start(self, *command):
        return subprocess.Popen(self.command(*command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def close(self):
        self.holder.kill()
        self.holder.wait()


def make_networks(far, folder):
    """All packets go through the cable; only the far end knows the server, and no name server answers there."""
    (folder / "hosts").write_text("127.0.0.1 service.test\n")
    (folder / "resolv.conf").write_text(f"nameserver {FAR}\n")
    far.run("mount", "--bind", str(folder / "hosts"), "/etc/hosts")
    far.run("ip", "link", "set", "lo", "up")
    far.run("ip", "address", "add", f"{FAR}/24", "dev", "far")
    far.run("ip", "link", "set", "far", "up")
    network_command("mount", "--bind", str(folder / "resolv.conf"), "/etc/resolv.conf")
    ip("link", "set", "lo", "up")
    ip("address", "add", f"{NEAR}/24", "dev", "near")
    ip("link", "set", "near", "up")
    ip("route", "add", "default", "via", FAR)


def count_packets(port):
    nft("add table inet packets\n"
        "add chain inet packets output { type filter hook output priority 0; }\n"
        f"add rule inet packets output ip daddr {FAR} tcp dport {port} counter comment proxy\n"
        f"add rule inet packets output tcp dport != {port} counter comment around\n"
        "add rule inet packets output meta l4proto udp counter comment around\n")


def packets(name):
    """The packet count of a rule."""
    rules = network_command("nft", "list", "chain", "inet", "packets", "output")
    return sum(int(count) for count in re.findall(f'packets (\\d+) bytes \\d+ comment "{name}"', rules))


def listen(kind, tool, far, folder):
    make_networks(far, folder)
    identity = Authority(folder, "authority").issue("server", "DNS:service.test")
    shutil.copy(folder / "authority" / "authority.pem", folder / "ca.pem")
    shutil.copy(identity.certificate, folder / "server.pem")
    shutil.copy(identity.key, folder / "server-key.pem")
    simulator = far.start(tool, "simulate", "--certificates", str(folder))
    announcement = json.loads(simulator.stdout.readline())
    uri = announcement["uri"].replace("localhost", "service.test")
    way = ["--no-proxy"]
    if kind != "none":
        proxy = far.start(sys.executable, str(CONFORMANCE / "peer_proxy.py"), kind, "--address", FAR)
        port = json.loads(proxy.stdout.readline())["port"]
        way = ["--proxy", f"{'socks5' if kind == 'dante' else 'http'}://{FAR}:{port}"]
    else:
        port = 1
    count_packets(port)
    listener = subprocess.run(
        [tool, "listen", "--uri", uri, "--ca-file", announcement["caFile"], "--topic", "v2.users.ID.presence",
         "--events", "--count", "3", "--reconnect", "never", *way], capture_output=True, text=True, timeout=60)
    print(json.dumps({"status": listener.returncode, "errors": listener.stderr, "count": listener.stdout.count("\n"),
                      "proxy": packets("proxy"), "around": packets("around")}))
    if kind != "none":
        proxy.communicate("end\n")
    simulator.terminate()
    simulator.wait()


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("tinyproxy", "dante", "none"):
        sys.exit(__doc__)
    kind, tool = sys.argv[1:]
    # A test's threads block signals, and children inherit that.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    far = FarEnd()
    try:
        with tempfile.TemporaryDirectory(prefix="genesys-loop-proxied-") as folder:
            listen(kind, tool, far, Path(folder))
    finally:
        far.close()


if __name__ == "__main__":
    main()
