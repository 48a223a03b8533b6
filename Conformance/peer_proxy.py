#!/usr/bin/env python3
"""A third-party proxy on loopback or another address, from a folder of its own: tinyproxy, squid or dante (danted).

Prints one line of JSON with its "port" when it listens, and one with its "log" when a line arrives on its standard
input or that ends. If the program is not installed, it ends with status 1.
"""

import argparse
import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys

from support import say, work_folder

PROGRAMS = {"tinyproxy": "tinyproxy", "squid": "squid", "dante": "danted"}

CONFIGURATIONS = {
    "tinyproxy": """
Port {port}
Listen {address}
Timeout 600
LogFile "{folder}/log"
LogLevel Connect
MaxClients 20
{credentials}
""",
    "squid": """
http_port {address}:{port}
http_access allow all
cache deny all
pid_filename {folder}/squid.pid
access_log stdio:{folder}/log
cache_log {folder}/cache.log
coredump_dir {folder}
pinger_enable off
shutdown_lifetime 0 seconds
""",
    "dante": """
logoutput: {folder}/log
internal: {address} port = {port}
external: lo
clientmethod: none
socksmethod: none
client pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 }}
socks pass {{ from: 0.0.0.0/0 to: 0.0.0.0/0 log: connect }}
""",
}


def program(kind):
    name = PROGRAMS[kind]
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def command(kind, path, folder, port):
    configuration = str(folder / "proxy.conf")
    if kind == "tinyproxy":
        return [path, "-d", "-c", configuration]
    if kind == "squid":
        return [path, "-N", "-n", f"genesys{port}", "-f", configuration]
    return [path, "-f", configuration, "-p", str(folder / "danted.pid")]


def free_port(address):
    with socket.socket() as holder:
        holder.bind((address, 0))
        return holder.getsockname()[1]


async def start(kind, folder, address, credentials):
    """The process and its port, once it listens; none of the three can listen on port 0 and report its port."""
    for _ in range(5):
        port = free_port(address)
        (folder / "proxy.conf").write_text(
            CONFIGURATIONS[kind].format(
                folder=folder, address=address, port=port, credentials=credentials))
        process = await asyncio.create_subprocess_exec(
            *command(kind, program(kind), folder, port), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        for _ in range(1_000):
            try:
                _, writer = await asyncio.open_connection(address, port)
                writer.close()
                return process, port
            except OSError:
                if process.returncode is not None:
                    break
                await asyncio.sleep(0.01)
        if process.returncode is None:
            process.kill()
            await process.wait()
    sys.exit(f"{kind} never listened")


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=sorted(PROGRAMS))
    parser.add_argument("--check", action="store_true", help="only tell by the status whether it is there")
    parser.add_argument("--address", default="127.0.0.1", help="where it listens (default: %(default)s)")
    parser.add_argument("--user", help="wants this user (tinyproxy only)")
    parser.add_argument("--password", default="", help="and this password")
    options = parser.parse_args()
    if program(options.kind) is None:
        sys.exit(f"{options.kind} is not installed")
    if options.check:
        return
    # A test's threads block signals, and children inherit that: a proxy that ignores signals would never end.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    folder, _ = work_folder(None)
    # Started by root, the proxies switch to users of their own, who write their logs here.
    os.chmod(folder, 0o777)
    try:
        credentials = f"BasicAuth {options.user} {options.password}" if options.user else ""
        process, port = await start(options.kind, folder, options.address, credentials)
        say(port=port)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        process.terminate()
        await process.wait()
        log = folder / "log"
        say(log=log.read_text(errors="replace") if log.exists() else "")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(main())
