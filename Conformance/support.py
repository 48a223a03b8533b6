"""Shared by the peers: their certificates, their announcements and their end."""

import asyncio
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

_CONFIGURATION = """
[ca]
default_ca = this
[this]
dir = .
database = $dir/index.txt
serial = $dir/serial
new_certs_dir = $dir
default_md = sha256
policy = policy
unique_subject = no
[policy]
commonName = optional
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = {usage}
{names}
"""


class Identity:
    """A certificate (with its intermediates) and its key, as PEM files."""

    def __init__(self, certificate, key):
        self.certificate, self.key = Path(certificate), Path(key)


class Authority:
    """A certificate authority in a folder, made with the openssl command."""

    def __init__(self, folder, name, issuer=None):
        self.folder = Path(folder) / name
        self.folder.mkdir(parents=True)
        (self.folder / "index.txt").touch()
        (self.folder / "serial").write_text("1000\n")
        if issuer is None:
            key = self._new_key("authority.key")
            self._configure(name)
            self._openssl("req", "-x509", "-new", "-key", key, "-out", "authority.pem", "-days", "3650",
                          "-sha256", "-config", "openssl.cnf", "-extensions", "authority")
        else:
            identity = issuer.issue(name, section="authority")
            shutil.copy(identity.key, self.folder / "authority.key")
            shutil.copy(identity.certificate, self.folder / "authority.pem")

    @property
    def certificate(self):
        return self.folder / "authority.pem"

    def issue(self, name, names="", section="leaf", usage="serverAuth", days=(-1, 30), key="ec"):
        """Signs a new key. `names` is a subjectAltName, `days` are the start and the end of validity from now."""
        key_file = self._new_key(f"{name}.key", key)
        self._configure(name, f"subjectAltName = {names}" if names else "", usage)
        self._openssl("req", "-new", "-key", key_file, "-out", f"{name}.csr", "-sha256", "-config", "openssl.cnf")
        start, end = ((datetime.now(timezone.utc) + timedelta(days=day)).strftime("%Y%m%d%H%M%SZ") for day in days)
        self._openssl("ca", "-batch", "-notext", "-config", "openssl.cnf", "-extensions", section, "-keyfile",
                      "authority.key", "-cert", "authority.pem", "-in", f"{name}.csr", "-out", f"{name}.pem",
                      "-startdate", start, "-enddate", end)
        return Identity(self.folder / f"{name}.pem", self.folder / key_file)

    def issue_self_signed(self, name, names):
        """A leaf signed only by its own key."""
        key_file = self._new_key(f"{name}.key")
        self._configure(name, f"subjectAltName = {names}")
        self._openssl("req", "-x509", "-new", "-key", key_file, "-out", f"{name}.pem", "-days", "30", "-sha256",
                      "-config", "openssl.cnf", "-extensions", "leaf")
        return Identity(self.folder / f"{name}.pem", self.folder / key_file)

    def _new_key(self, file, kind="ec"):
        if kind == "ec":
            self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", file)
        else:
            self._openssl("genrsa", "-out", file, kind.removeprefix("rsa"))
        return file

    def _configure(self, name, names="", usage="serverAuth"):
        text = _CONFIGURATION.format(name=name, names=names, usage=usage)
        (self.folder / "openssl.cnf").write_text(text)

    def _openssl(self, *arguments):
        result = subprocess.run(["openssl", *arguments], cwd=self.folder, capture_output=True, text=True)
        if result.returncode != 0:
            sys.exit(f"openssl {arguments[0]} failed:\n{result.stderr}")


def server_context(identity):
    """TLS for a server, without limits that a test would have to avoid."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.certificate, identity.key)
    return context


def work_folder(chosen):
    """The chosen folder, created if needed, or a temporary one; and whether to remove it at the end."""
    if chosen is None:
        return Path(tempfile.mkdtemp(prefix="genesys-loop-peer-")), True
    Path(chosen).mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="peer-", dir=Path(chosen).resolve())), False


def say(**values):
    """Prints one line of JSON and flushes it."""
    try:
        print(json.dumps(values, ensure_ascii=True), flush=True)
    except BrokenPipeError:
        # The program that started the peer is gone, so there is no reader.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


async def told_to_end(watch_stdin):
    """Returns when SIGTERM or SIGINT comes, or standard input ends (unless that is the null device)."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)

    def read():
        if not os.read(0, 4096):
            loop.remove_reader(0)
            ended.set()

    if watch_stdin and not os.path.sameopenfile(0, _null_device()):
        try:
            loop.add_reader(0, read)
        except OSError:
            pass  # a plain file has no end to wait for
    await ended.wait()


def _null_device():
    return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
