"""Measures GenesysLoop, a floor in C and other clients on this machine, in one session.

usage: Scripts/bench [--quick] [--only NAME,...] [--rounds N] [--check] [--write] [--list] [--count-instructions]

  --quick        a floor, ours and one peer, few messages, no scale: checks that everything works, in less than a minute
  --only NAMES   these clients only, by the names of --list; the floor is always among them
  --rounds N     how often each is measured (default 5; ours and the floors three times as often); the tables have
                 medians
  --check        evaluates the bars of the project, and ends with 1 when one is missed
  --write        also writes Documentation/benchmarks.svg
  --list         the names of the clients, and what is missing for each
  --count-instructions  counts those of ours and of the floors with valgrind, and measures nothing else

Tables go to standard output, the same and more to .build/bench/results.json.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys

import bars
import clients as catalog
import counted
import picture
import processes
import session
import tables

FOLDER = os.path.abspath(".build/bench")
QUICK = ["floor", "floor-simdjson", "websocket", "channel", "websockets"]


def say(text):
    bold, plain = ("\033[1m", "\033[0m") if sys.stderr.isatty() and not os.environ.get("NO_COLOR") else ("", "")
    print(f"{bold}==> {text}{plain}", file=sys.stderr, flush=True)


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(64, f"bench: {message}; see Scripts/bench --help\n")  # EX_USAGE, as everywhere here


def parse():
    parser = Parser(prog="Scripts/bench", usage="Scripts/bench [--help] [OPTIONS]", add_help=False)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--count-instructions", action="store_true")
    parser.add_argument("-h", "--help", action="store_true")
    options = parser.parse_args()
    if options.help:
        print(__doc__.strip())
        sys.exit(0)
    if options.rounds is not None and options.rounds < 1:
        parser.error("at least one round")
    if options.quick and options.check:
        parser.error("--quick measures too little to --check")
    return options


def choose(options):
    everything = catalog.all_clients()
    names = [name for name in options.only.split(",") if name] or (QUICK if options.quick else [])
    unknown = set(names) - {client.name for client in everything}
    if unknown:
        print(f"bench: no client {', '.join(sorted(unknown))}; see Scripts/bench --list", file=sys.stderr)
        sys.exit(64)
    chosen = [client for client in everything if not names or client.name in names or client.name == "floor"]
    return [client for client in chosen if client.kind != "peer"] if options.count_instructions else chosen


def make_certificates():
    """A CA with a leaf for 127.0.0.1 and localhost, on P-256, and another CA, which no client trusts."""
    folder = os.path.join(FOLDER, "certificates")
    if os.path.exists(os.path.join(folder, "other-ca.pem")):
        return
    os.makedirs(folder, exist_ok=True)
    extensions = os.path.join(folder, "leaf.ext")
    with open(extensions, "w", encoding="ascii") as file:
        file.write("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
                   "extendedKeyUsage=serverAuth\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n")

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.PIPE, text=True)

    for name in ("ca", "leaf", "other-ca"):
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")
    for name in ("ca", "other-ca"):
        openssl("req", "-x509", "-new", "-key", f"{name}.key", "-subj", f"/CN=Benchmark {name}", "-days", "3650",
                "-sha256", "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", f"{name}.pem")
    openssl("req", "-new", "-key", "leaf.key", "-subj", "/CN=localhost", "-out", "leaf.csr")
    openssl("x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "3650",
            "-sha256", "-extfile", "leaf.ext", "-out", "leaf.pem")


def build(chosen, strict):
    """Builds the harness and the clients, and reports which clients are not available."""
    os.makedirs(os.path.join(FOLDER, "bin"), exist_ok=True)
    server = [os.path.join("Benchmarks/Server", name) for name in sorted(os.listdir("Benchmarks/Server"))
              if name.endswith(".c")]
    catalog.c_program(FOLDER, "load-server", server, catalog.flags_of("openssl"))
    catalog.c_program(FOLDER, "measure", ["Benchmarks/Runner/measure.c"], [])
    available, skipped = [], {}
    for client in chosen:
        try:
            client.command, client.version = client.build(FOLDER)
            available.append(client)
        except catalog.Missing as reason:
            if strict and (client.kind == catalog.OURS or client.name == "floor"):
                raise
            skipped[client.name] = str(reason)
            print(f"SKIPPED: {client.title}: {reason}", file=sys.stderr, flush=True)
    return available, skipped


def tell_skipped(skipped, count):
    """Repeats at the end what is missing from the figures."""
    if skipped:
        bold, plain = ("\033[1;33m", "\033[0m") if sys.stderr.isatty() and not os.environ.get("NO_COLOR") else ("", "")
        print(f"{bold}bench: SKIPPED {len(skipped)} of {count} clients: {', '.join(sorted(skipped))}; the lines above "
              f"say why{plain}", file=sys.stderr, flush=True)


def main():
    options = parse()
    if sys.platform != "linux":
        print("SKIPPED: the clients are pinned and metered with what Linux alone has", file=sys.stderr)
        sys.exit(1)
    shutil.rmtree(os.path.join(FOLDER, "logs"), ignore_errors=True)
    os.makedirs(os.path.join(FOLDER, "logs"))
    os.environ["PYTHONPYCACHEPREFIX"] = os.path.join(FOLDER, "pycache")  # the folders of the sources stay clean
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # with it peers in Python compile all they import, each time
    say("building the server and the clients")
    chosen = choose(options)
    try:
        available, skipped = build(chosen, strict=not options.list)
    except catalog.Missing as reason:
        print(f"bench: {reason}", file=sys.stderr)
        sys.exit(1)
    if options.list:
        for client in chosen:
            print(f"{client.name:15}{client.title:34}{'MISSING' if client.name in skipped else client.version}")
        return
    make_certificates()
    two_cores = processes.pin_ourselves()
    if not two_cores:
        print("bench: only one core: server and client share it, and waiting times mean little", file=sys.stderr)

    # A shell may have started us with interrupts ignored; our children must end anyway.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    try:
        if options.count_instructions:
            return counted.show(FOLDER, available, say)
        results = session.measure(FOLDER, available, options, say)
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        sys.exit(130)
    except (processes.Failure, catalog.Missing) as failure:
        print(f"bench: {failure}", file=sys.stderr)
        sys.exit(1)
    finally:
        processes.stop_all()
    results["skipped"] = {**skipped, **results.get("skipped", {})}
    results["machine"] = catalog.machine()
    results["bars"] = bars.evaluate(results)
    with open(os.path.join(FOLDER, "results.json"), "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)
    tables.show(results)
    pictures = [os.path.join(FOLDER, "benchmarks.svg")] + (["Documentation/benchmarks.svg"] if options.write else [])
    for path in pictures:
        picture.write(results, path)
    missed = bars.show(results["bars"]) if options.check else 0
    # A peer may fail; a failure of ours or of the floor is a failure of the whole run.
    failed = [client.name for client in available if client.kind != "peer" and client.name in results["skipped"]]
    tell_skipped(results["skipped"], len(chosen))
    sys.exit(1 if missed or failed else 0)


if __name__ == "__main__":
    main()
