"""The programs of one run; none of them outlives it."""

import signal
import socket
import subprocess
import sys
import threading
import time


class Ended(Exception):
    """Raised when the run ends: nothing more is started."""


class Processes:
    """Starts programs, from any thread, and ends the remaining ones, each by its own id."""

    def __init__(self):
        self.running = set()
        self.lock = threading.Lock()
        self.has_ended = False

    def __enter__(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda number, _: sys.exit(128 + number))
        return self

    def __exit__(self, *_):
        with self.lock:
            self.has_ended = True
            left = list(self.running)
        for process in left:
            self.end(process)

    def start(self, arguments, **streams):
        with self.lock:
            if self.has_ended:
                raise Ended
            # A signal from the terminal reaches only us; we end the programs.
            process = subprocess.Popen([str(each) for each in arguments], stdin=subprocess.DEVNULL,
                                       start_new_session=True, **streams)
            self.running.add(process)
        return process

    def wait(self, process, seconds):
        """The exit status; None when it took too long, and was killed."""
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            status = None
        with self.lock:
            self.running.discard(process)
        return status

    def end(self, process):
        """Terminates the process, by force if necessary; the exit status."""
        if process.poll() is None:
            process.terminate()
        return self.wait(process, 10)


def free_port():
    """A free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def await_listener(process, port, seconds=60):
    """Waits until the process accepts connections on the port."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            time.sleep(0.05)
    return False
