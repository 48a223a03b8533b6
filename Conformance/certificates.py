"""Makes the certificates of peer_certificates.py with the openssl command: valid ones, and one for each fault."""

import base64
import hashlib
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

_CONFIGURATION = """
[ca]
default_ca = this
[this]
dir = .
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = policy
unique_subject = no
[policy]
commonName = optional
[req]
distinguished_name = name
prompt = no
string_mask = utf8only
[name]
CN = {name}
[v3]
{extensions}
"""

_KEYS = {
    "ec": ("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
    "ed25519": ("genpkey", "-algorithm", "ED25519"),
    "rsa2048": ("genrsa", "2048"),
    "rsa1024": ("genrsa", "1024"),
}


def authority(*more, usage="keyCertSign, cRLSign", length=None):
    """The extensions of a certificate authority."""
    limit = "" if length is None else f", pathlen:{length}"
    return [f"basicConstraints = critical, CA:TRUE{limit}", f"keyUsage = critical, {usage}",
            "subjectKeyIdentifier = hash", *more]


def leaf(names, *more, usage="digitalSignature", purpose="serverAuth"):
    """The extensions of a server's or client's own certificate; `names` is a subjectAltName, or None."""
    return ["basicConstraints = critical, CA:FALSE", f"keyUsage = critical, {usage}",
            *([f"extendedKeyUsage = {purpose}"] if purpose else []),
            *([f"subjectAltName = {names}"] if names else []), *more]


class Certificate:
    """A certificate and its key, as PEM files."""

    def __init__(self, name, path, key):
        self.name, self.path, self.key = name, path, key

    @property
    def pem(self):
        return self.path.read_text()

    @property
    def pin(self):
        """The digest of its public key, as a client pins it (RFC 7469 §2.4)."""
        public = _run(self.path.parent, "x509", "-in", self.path.name, "-noout", "-pubkey")
        der = base64.b64decode("".join(public.decode().split("-----")[2].split()))
        return "sha256/" + base64.b64encode(hashlib.sha256(der).digest()).decode()


class Workshop:
    """A folder in which certificates are made."""

    def __init__(self, folder):
        self.folder = Path(folder)
        (self.folder / "index.txt").touch()
        (self.folder / "serial").write_text("1000\n")
        self._count = 0
        self._keys = {}

    def make(self, name, extensions, issuer=None, key="ec", days=(-1, 30), digest=None):
        """Signs a certificate with the key of `issuer`, or with its own.

        `key` is a kind, or a certificate whose key is used; `days` are start and end from now.
        """
        self._count += 1
        base = f"{self._count:02}"
        key_file = key.key if isinstance(key, Certificate) else self._new_key(base, key, is_shared=issuer is not None)
        path = self.folder / f"{base}.pem"
        text = _CONFIGURATION.format(name=name, extensions="\n".join(extensions))
        (self.folder / "openssl.cnf").write_text(text)
        self._openssl("req", "-new", "-utf8", "-key", key_file.name, "-out", "request.pem", "-config", "openssl.cnf")
        start, end = ((datetime.now(timezone.utc) + timedelta(days=day)).strftime("%Y%m%d%H%M%SZ") for day in days)
        signer = ("-selfsign", "-keyfile", key_file.name) if issuer is None else (
            "-cert", issuer.path.name, "-keyfile", issuer.key.name)
        self._openssl("ca", "-batch", "-notext", "-utf8", "-config", "openssl.cnf", "-extensions", "v3",
                      "-in", "request.pem", "-out", path.name, "-startdate", start, "-enddate", end, *signer,
                      *(("-md", digest) if digest else ()))
        return Certificate(name, path, key_file)

    def with_a_broken_signature(self, certificate):
        """The same certificate with one bit of its signature flipped."""
        self._count += 1
        path = self.folder / f"{self._count:02}.pem"
        lines = certificate.pem.strip().splitlines()
        der = bytearray(base64.b64decode("".join(lines[1:-1])))
        der[-3] ^= 0x10
        path.write_text("\n".join([lines[0], base64.encodebytes(bytes(der)).decode().strip(), lines[-1], ""]))
        return Certificate(certificate.name, path, certificate.key)

    def bundle(self, certificates):
        """A file with all of them, in order."""
        self._count += 1
        path = self.folder / f"{self._count:02}-bundle.pem"
        path.write_text("".join(certificate.pem for certificate in certificates))
        return path

    def encrypted(self, certificate, passphrase):
        """An encrypted copy of the certificate's key."""
        self._count += 1
        path = self.folder / f"{self._count:02}-encrypted.key"
        self._openssl("pkcs8", "-topk8", "-in", certificate.key.name, "-out", path.name, "-v2", "aes-256-cbc",
                      "-passout", f"pass:{passphrase}")
        return path

    def _new_key(self, base, kind, is_shared):
        """Leaves and intermediates of one kind share a key where nothing depends on it, to save time."""
        if is_shared and kind in self._keys and kind.startswith("rsa"):
            return self._keys[kind]
        path = self.folder / f"{base}.key"
        command, *options = _KEYS[kind]
        tail = options[-1:] if command == "genrsa" else []
        self._openssl(command, *(options[:-1] if tail else options), "-out", path.name, *tail)
        self._keys[kind] = path
        return path

    def _openssl(self, *arguments):
        return _run(self.folder, *arguments)


def _run(folder, *arguments):
    result = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True)
    if result.returncode != 0:
        sys.exit(f"openssl {arguments[0]} failed:\n{result.stderr.decode()}")
    return result.stdout
