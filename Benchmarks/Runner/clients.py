"""The clients: how each is built, started and called."""

import json
import os
import platform
import shutil
import subprocess
import sys

FLAGS_C = ["-D_GNU_SOURCE", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror"]
FLAGS_CXX = ["-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror"]
PEERS = "Benchmarks/Peers"


class Missing(Exception):
    """What a client needs and this machine lacks."""


class Client:
    """A program with the command line `URI --ca FILE [--parse] [--echo] [--idle K]`."""

    def __init__(self, name, title, build, kind="peer", parse="parse400", works=(), idle=1_000, flags=(), paced=False,
                 validates="", counts_confirmation=False):
        self.name, self.title, self.build, self.kind = name, title, build, kind
        self.works = {"rec400", "batch400", "rec16k", "rec1m", "single", *works}
        self.idle, self.flags, self.paced, self.validates = idle, list(flags), paced, validates
        self.counts_confirmation = counts_confirmation
        self.command, self.environment, self.version = None, {}, ""

    def arguments(self, work):
        return [*self.flags, *work.extra]

    def idle_arguments(self, count):
        return [*(flag for flag in self.flags if flag != "--websocket"), "--idle", str(count)]


def run(command, **options):
    """Runs a step of a build; its output is shown only if it fails."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if result.returncode != 0:
        raise Missing(f"`{' '.join(command[:3])} …` failed:\n{result.stdout.strip()[-2000:]}")
    return result.stdout


def build_product(name):
    """Builds a product of the package in release mode, with its output shown, and returns the path of the program."""
    command = ["swift", "build", "-c", "release", "--product", name, "-Xswiftc", "-warnings-as-errors"]
    if subprocess.run(command, stdout=sys.stderr).returncode != 0:
        sys.exit(f"bench: {name} does not build")
    return os.path.join(run([*command, "--show-bin-path"]).strip(), name)


def need(program, package=None):
    if shutil.which(program) is None:
        raise Missing(f"{program} is missing" + (f" (Debian: {package})" if package else ""))


def flags_of(*packages):
    need("pkg-config", "pkg-config")
    try:
        return run(["pkg-config", "--cflags", "--libs", *packages]).split()
    except Missing:
        raise Missing(f"{' and '.join(packages)} is missing") from None


def version_of(command, position=None):
    words = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout.split()
    return " ".join(words) if position is None else words[position] if len(words) > position else ""


def build_if_older(target, sources, command):
    """Builds a program unless it is newer than all of its sources."""
    if os.path.exists(target) and all(os.path.getmtime(name) < os.path.getmtime(target) for name in sources):
        return
    run(command)


def c_program(folder, name, sources, libraries, extra=()):
    target = os.path.join(folder, "bin", name)
    headers = [os.path.join(os.path.dirname(sources[0]), name) for name in os.listdir(os.path.dirname(sources[0]))]
    build_if_older(target, headers, ["cc", *FLAGS_C, *extra, *sources, "-o", target, *libraries])
    return [target]


# -- How each is built: every function returns the command and the version. --------------------------------------------


def build_ours(folder):
    need("swift")
    command = ["swift", "build", "-c", "release", "--package-path", "Benchmarks", "--product", "stream-client",
               "-Xswiftc", "-warnings-as-errors"]
    run(command)
    path = run([*command, "--show-bin-path"]).strip()
    return [os.path.join(path, "stream-client")], ""


def build_floor(folder):
    libraries = flags_of("libuv", "openssl")
    command = c_program(folder, "floor", [f"{PEERS}/c-floor/floor.c"], libraries)
    return command, "libuv " + version_of(["pkg-config", "--modversion", "libuv"])


def build_simdjson(folder):
    need("c++", "g++")
    libraries = [*flags_of("libuv", "openssl"), *flags_of("simdjson")]
    source, target = f"{PEERS}/c-floor", os.path.join(folder, "bin", "floor-simdjson")
    sources = [f"{source}/floor.c", f"{source}/validate.cpp"]
    build_if_older(target + ".o", sources, ["cc", *FLAGS_C, "-DFLOOR_SIMDJSON", "-c", sources[0], "-o", target + ".o"])
    build_if_older(target, [*sources, target + ".o"],
                   ["c++", *FLAGS_CXX, sources[1], target + ".o", "-o", target, *libraries])
    return [target], "simdjson " + version_of(["pkg-config", "--modversion", "simdjson"])


def build_libwebsockets(folder):
    libraries = flags_of("libwebsockets", "libcjson")
    command = c_program(folder, "libwebsockets", [f"{PEERS}/libwebsockets/client.c"], libraries)
    return command, version_of(["pkg-config", "--modversion", "libwebsockets"]).rstrip("-") + ", cJSON"


def build_beast(folder):
    need("c++", "g++")
    for header, package in (("boost/beast.hpp", "libboost-dev"), ("nlohmann/json.hpp", "nlohmann-json3-dev")):
        if not os.path.exists("/usr/include/" + header):
            raise Missing(f"{header} is missing (Debian: {package})")
    source, target = f"{PEERS}/boost-beast/client.cpp", os.path.join(folder, "bin", "boost-beast")
    build_if_older(target, [source], ["c++", *FLAGS_CXX, source, "-o", target, *flags_of("openssl"), "-lpthread"])
    with open("/usr/include/boost/version.hpp", encoding="utf-8") as file:
        number = next(line.split('"')[1] for line in file if line.startswith("#define BOOST_LIB_VERSION"))
    return [target], number.replace("_", ".") + ", nlohmann"


def build_go(folder):
    need("go", "golang-go")
    place = "/usr/share/gocode/src/github.com/gorilla/websocket"
    if not os.path.isdir(place):
        raise Missing("gorilla/websocket is missing (Debian: golang-github-gorilla-websocket-dev)")
    target = os.path.join(folder, "bin", "go-gorilla")
    environment = dict(os.environ, GO111MODULE="off", GOFLAGS="", GOPATH="/usr/share/gocode",
                       GOCACHE=os.path.join(folder, "go-cache"))
    run(["go", "build", "-o", target, "."], cwd=f"{PEERS}/go-gorilla", env=environment)
    return [target], version_of(["go", "version"], 2) + ", encoding/json"


def build_nio(folder):
    need("swift")
    place = os.path.join(folder, "nio")
    run(["swift", "build", "-c", "release", "--package-path", f"{PEERS}/nio", "--scratch-path", place])
    version = ""
    try:
        with open(f"{PEERS}/nio/Package.resolved", encoding="utf-8") as file:
            pins = {pin["identity"]: pin["state"]["version"] for pin in json.load(file)["pins"]}
        version = f"{pins['swift-nio']}, {pins['swift-nio-ssl']}"
    except (OSError, KeyError):
        pass
    return [os.path.join(place, "release", "nio-stream")], version + ", JSONDecoder"


def build_node(folder):
    need("node", "nodejs")
    script = f"{PEERS}/node-ws/client.cjs"
    if subprocess.run(["node", script, "--check"], stderr=subprocess.DEVNULL).returncode != 0:
        raise Missing("the package ws is missing (Debian: node-ws)")
    return ["node", os.path.abspath(script)], version_of(["node", "--version"], 0) + ", JSON.parse"


def python_client(script, module):
    def build(folder):
        python = os.path.join(folder, "venv", "bin", "python3")
        show = "import importlib.metadata as m, sys, ujson; print(m.version(sys.argv[1]), 'on', sys.version.split()[0])"
        result = subprocess.run([python, "-c", show, module], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                text=True) if os.path.exists(python) else None
        if result is None or result.returncode != 0:
            raise Missing(f"the Python package {module} is missing (Scripts/setup --bench)")
        return [python, os.path.abspath(f"{PEERS}/python/{script}")], result.stdout.strip() + ", ujson"
    return build


def build_reference(folder):
    python = os.path.join(folder, "venv-genesys", "bin", "python3")
    if not os.path.exists(python):
        raise Missing("genesys-notifications needs Python 3.10 (Scripts/setup --bench, where a python3.10 is there)")
    version = version_of([python, "-c", "import sys, importlib.metadata as m, genesys_notifications; "
                          "print(m.version('genesys-notifications'), 'on', sys.version.split()[0])"])
    return [python, os.path.abspath(f"{PEERS}/genesys-notifications/client.py")], version


OURS, PEER, FLOOR = "ours", "peer", "floor"


def all_clients():
    parse, echo = "parse400", "echo"
    return [
        Client("floor", "C floor: libuv + OpenSSL, frames", build_floor, FLOOR, works=[echo], idle=10_000),
        Client("floor-simdjson", "C floor, and simdjson", build_simdjson, FLOOR, idle=0, validates="JSON"),
        Client("websocket", "GenesysLoop, WebSocketClient", build_ours, OURS, works=[echo], idle=0,
               flags=["--websocket"], validates="UTF-8", counts_confirmation=True),
        Client("channel", "GenesysLoop, NotificationChannel", build_ours, OURS, works=[parse], idle=10_000,
               validates="JSON, UTF-8"),
        Client("go", "Go, gorilla", build_go, works=[parse, echo], idle=10_000),
        Client("nio", "SwiftNIO + NIOSSL", build_nio, works=[parse, echo]),
        Client("picows", "Python, picows", python_client("picows_client.py", "picows"), works=[parse, echo]),
        Client("beast", "Boost.Beast", build_beast, works=[parse, echo], validates="UTF-8"),
        Client("aiohttp", "Python, aiohttp", python_client("aiohttp_client.py", "aiohttp"), works=[parse, echo],
               validates="UTF-8"),
        Client("ws", "Node.js, ws", build_node, works=[parse, echo], validates="UTF-8"),
        Client("websockets", "Python, websockets", python_client("websockets_client.py", "websockets"),
               works=[parse, echo], validates="UTF-8"),
        Client("lws", "libwebsockets", build_libwebsockets, works=[parse, echo], idle=10_000),
        Client("reference", "Python, genesys-notifications", build_reference, works=[parse], idle=200, paced=True,
               validates="JSON, UTF-8"),
    ]


def machine():
    """The versions that the figures depend on."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            name = next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return {"processor": name, "cores": os.cpu_count(), "kernel": f"{platform.system()} {platform.release()}"}
