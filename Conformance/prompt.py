"""A program that asks for a passphrase at its terminal:

    prompt.py end SIGNAL PROGRAM [ARGUMENTS...]      ends it with a signal meanwhile
    prompt.py answer TEXT PROGRAM [ARGUMENTS...]     answers it, and waits for the end of the program

Prints one line of JSON: the "signal" or the "status" that ended it (or null), its "output", whether the terminal had
hidden its input ("hidden"), and whether it shows input in the end ("shown").
"""

import fcntl
import json
import os
import pty
import select
import signal
import sys
import termios
import time

PATIENCE = 60


def shows(terminal):
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


def start(side, command):
    child = os.fork()
    if child == 0:
        os.setsid()
        fcntl.ioctl(side, termios.TIOCSCTTY, 0)
        for descriptor in (0, 1, 2):
            os.dup2(side, descriptor)
        os.execv(command[0], command)
    return child


def main():
    action, value, command = sys.argv[1], sys.argv[2], sys.argv[3:]
    master, side = pty.openpty()
    child = start(side, command)
    ended, output, hidden = (0, 0), b"", False
    end = time.monotonic() + PATIENCE
    while ended == (0, 0) and time.monotonic() < end:
        if select.select([master], [], [], 0.01)[0]:
            output += os.read(master, 65536)
        if not hidden and not shows(side):
            hidden = True
            if action == "end":
                os.kill(child, signal.Signals[value])
            else:
                os.write(master, value.encode() + b"\n")
        ended = os.waitpid(child, os.WNOHANG)
    if ended == (0, 0):
        os.kill(child, signal.SIGKILL)
        ended = os.waitpid(child, 0)
    while select.select([master], [], [], 0)[0]:
        output += os.read(master, 65536)
    status = ended[1]
    print(json.dumps({"signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
                      "status": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
                      "output": output.decode(), "hidden": hidden, "shown": shows(side)}))


main()
