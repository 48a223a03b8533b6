#!/usr/bin/env python3
"""nginx, which terminates TLS in front of the server of peer_echo.py, from a folder of its own.

Prints one line of JSON with the "uri" and the "caFile" when it listens, and the line of peer_echo.py at the end of
every connection. A line `reload`, `stop` or `quit` on standard input is passed to `nginx -s`; after a reload, when the
new worker has taken over, every open connection gets the text message "reloaded". Ends with its standard input.

Without the package nginx it ends with status 1.
"""

import argparse
import asyncio
import getpass
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import peer_echo
from support import Authority, say, work_folder

CONFIGURATION = """
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log notice;
{shutdown}
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl reuseport;
        ssl_certificate {identity.certificate};
        ssl_certificate_key {identity.key};
        location / {{
            proxy_pass http://127.0.0.1:{upstream};
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection upgrade;
            proxy_set_header Host $host;
        }}
    }}
}}
"""


def reserved_port():
    """A free port, reserved: we bind it without listening, and nginx binds it too (reuseport)."""
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    holder.bind(("127.0.0.1", 0))
    return holder


class Nginx:
    """One nginx and its folder."""

    def __init__(self, program, folder, upstream, shutdown_timeout):
        self.program, self.folder, self.holder = program, folder, reserved_port()
        authority = Authority(folder, "authority")
        self.authority = authority.certificate
        self.port = self.holder.getsockname()[1]
        (folder / "nginx.conf").write_text(CONFIGURATION.format(
            folder=folder, port=self.port, upstream=upstream,
            identity=authority.issue("server", "DNS:localhost, IP:127.0.0.1"),
            user=f"user {getpass.getuser()};" if os.getuid() == 0 else "",
            shutdown=f"worker_shutdown_timeout {shutdown_timeout};" if shutdown_timeout else ""))

    def command(self, *more):
        return [self.program, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), *more]

    async def start(self):
        self.process = await asyncio.create_subprocess_exec(*self.command(), stdin=subprocess.DEVNULL)
        await self.logged("start worker process ")

    async def signal(self, name):
        # Its standard error has only a notice; errors are in the log.
        sender = await asyncio.create_subprocess_exec(
            *self.command("-s", name), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if await sender.wait() != 0:
            sys.exit(f"nginx -s {name} failed")
        if name == "reload":
            await self.logged("gracefully shutting down")
        else:
            await self.process.wait()

    async def logged(self, text):
        """Waits for a line of its log."""
        for _ in range(2_000):
            log = self.folder / "error.log"
            if log.exists() and text in log.read_text():
                return
            if self.process.returncode is not None:
                break
            await asyncio.sleep(0.01)
        sys.exit(f"nginx never logged {text!r}")

    async def end(self):
        if self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()


async def obey(nginx, server):
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := (await reader.readline()).decode().strip():
        await nginx.signal(line)
        if line == "reload":
            for connection in server.connections:
                await connection.send("reloaded")


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only tell by the status whether nginx is there")
    parser.add_argument("--deflate", choices=["none", "takeover", "no-takeover"], default="none")
    parser.add_argument("--shutdown-timeout", help="how long an old worker may finish after a reload; for ever without")
    options = parser.parse_args()
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        sys.exit("nginx is not installed")
    if options.check:
        return
    folder, _ = work_folder(None)
    try:
        async with peer_echo.listening(options.deflate) as server:
            nginx = Nginx(program, folder, server.sockets[0].getsockname()[1], options.shutdown_timeout)
            await nginx.start()
            say(uri=f"wss://localhost:{nginx.port}", caFile=str(nginx.authority))
            try:
                await obey(nginx, server)
            finally:
                await nginx.end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(main())
