"""One client against one load server: starts both, pins them to different cores, and reads what each reports."""

import json
import os
import select
import signal
import subprocess
import time

PATH = "/channels/streaming-2-aa5h48uk0srhpugh2994klj918"
CLIENT_CORE, SERVER_CORE = 0, 1
running = []


class Failure(Exception):
    """A run that gave no figures, and why."""


def pin_ourselves():
    """Keeps the runner and the servers off the client's core."""
    cores = sorted(os.sched_getaffinity(0))
    global CLIENT_CORE, SERVER_CORE
    CLIENT_CORE, SERVER_CORE = cores[0], cores[-1]
    os.sched_setaffinity(0, {SERVER_CORE})
    return len(cores) > 1


def stop_all():
    for process in list(running):
        process.stop()


class Process:
    """A child that prints lines of JSON. It ends with us, however we end."""

    def __init__(self, command, environment=None, log=None):
        self.name = os.path.basename(command[0])
        self.buffer = b""
        self.log = open(log, "ab") if log else subprocess.DEVNULL
        self.child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
            env=dict(os.environ, **(environment or {})))
        running.append(self)

    def line(self, timeout):
        """The next line, or None at the end of the output."""
        deadline = time.monotonic() + timeout
        while b"\n" not in self.buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.child.stdout], [], [], left)[0]:
                raise Failure(f"{self.name} said nothing for {timeout:.0f} s")
            part = os.read(self.child.stdout.fileno(), 65536)
            if not part:
                return None
            self.buffer += part
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode("utf-8", "replace")

    def values(self, timeout):
        line = self.line(timeout)
        if line is None:
            raise Failure(f"{self.name} ended without a report")
        try:
            return json.loads(line)
        except ValueError:
            raise Failure(f"{self.name} said {line[:200]!r}") from None

    def say(self, line):
        self.child.stdin.write(line.encode() + b"\n")
        self.child.stdin.flush()

    def stop(self, grace=3):
        if self in running:
            running.remove(self)
        try:
            self.child.stdin.close()
        except OSError:
            pass
        if self.child.poll() is None:
            self.end(grace)
        self.child.stdout.close()
        if self.log is not subprocess.DEVNULL:
            self.log.close()

    def end(self, grace):
        """Ends a child that does not end by itself."""
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(grace)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Server(Process):
    def __init__(self, folder, mode, **options):
        certificates = os.path.join(folder, "certificates")
        command = [os.path.join(folder, "bin", "load-server"), "--mode", mode,
                   "--cert", os.path.join(certificates, "leaf.pem"), "--key", os.path.join(certificates, "leaf.key")]
        for name, value in options.items():
            if value is True:
                command.append("--" + name)
            elif value is not None:
                command += ["--" + name, str(value)]
        super().__init__(command, log=log_path(folder, "server"))
        self.port = self.values(10)["port"]

    def end(self, grace):
        try:
            self.child.wait(grace)  # the end of its standard input ends it
        except subprocess.TimeoutExpired:
            super().end(grace)


class Client(Process):
    """A client under the meter."""

    def __init__(self, folder, client, arguments, port, ca="ca.pem"):
        meter = os.path.join(folder, "bin", "measure")
        uri = f"wss://127.0.0.1:{port}{PATH}"
        command = [meter, str(CLIENT_CORE), *client.command, uri,
                   "--ca", os.path.join(folder, "certificates", ca), *arguments]
        super().__init__(command, client.environment, log_path(folder, client.name))
        self.name = client.name
        head = self.values(10)
        self.pid, self.started = head["pid"], head["started"]

    def finish(self, timeout):
        """The client's output, and the meter's report."""
        lines = []
        while True:
            line = self.line(timeout)
            if line is None:
                raise Failure(f"{self.name}: the meter ended early")
            if line.startswith('{"user":'):
                usage = json.loads(line)
                break
            lines.append(line)
        usage["cpu"] = usage["user"] + usage["system"]
        return lines, usage

    def wait_ready(self, timeout):
        while True:
            line = self.line(timeout)
            if line is None or line.startswith('{"user":'):
                raise Failure(f"{self.name} ended before it was ready")
            if line.strip() == "READY":
                return time.monotonic_ns()

    def memory(self):
        """The resident memory in bytes, its children's included."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        raise Failure(f"{self.name} has no resident memory")

    def busy_time(self):
        """The processor time of all threads so far, in seconds."""
        total = 0
        for thread in os.listdir(f"/proc/{self.pid}/task"):
            try:
                with open(f"/proc/{self.pid}/task/{thread}/schedstat", encoding="ascii") as file:
                    total += int(file.read().split()[0])
            except FileNotFoundError:
                pass
        return total / 1e9

    def libraries(self):
        """The paths of the libraries that it loaded."""
        with open(f"/proc/{self.pid}/maps", encoding="utf-8") as file:
            return sorted({line.split(None, 5)[5].strip() for line in file if ".so" in line})


def log_path(folder, name):
    """Where the standard error of a program goes."""
    return os.path.join(folder, "logs", f"{name}.log")


def last_words(folder, name, count=2):
    """The end of its log, for a message."""
    try:
        with open(log_path(folder, name), encoding="utf-8", errors="replace") as file:
            return " | ".join(line.strip() for line in file.read().splitlines()[-count:])
    except OSError:
        return ""
