#!/usr/bin/python3
"""Prints the notifications of a channel on asyncio's loop, which uvloop implements with libuv.

    apt install python3-uvloop
    GENESYS_LOOP_LIBRARY=/path/of/libGenesysLoopC.so python3 host.py URI CA-FILE COUNT TOPIC [TOPIC ...]

The library is called with ctypes, and calls back on the loop's thread, from within uvloop. It must share its libuv with
uvloop, as Debian's package does: uvloop's wheels bring a libuv of their own, and are refused.
"""

import asyncio
import ctypes
import ctypes.util
import os
import sys

import uvloop


class Error(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int), ("message", ctypes.c_char * 256)]


class Bytes(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_size_t)]


class Notification(ctypes.Structure):
    _fields_ = [("message", Bytes), ("topic", Bytes), ("body", Bytes)]


class Failure(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_char_p), ("reason", ctypes.c_char_p), ("phase", ctypes.c_char_p),
                ("description", ctypes.c_char_p)]  # only read, so later members may be left out


DID_RECEIVE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(Notification), ctypes.c_void_p)
DID_FAIL = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(Failure), ctypes.c_void_p)
DID_CLOSE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
DID_LEAVE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class Callbacks(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("user", ctypes.c_void_p), ("did_receive", DID_RECEIVE),
                ("did_fail", DID_FAIL), ("others", ctypes.c_void_p * 8), ("did_close", DID_CLOSE)]


class Config(ctypes.Structure):
    # The first members: a struct that ends early has the defaults for later members.
    _fields_ = [("struct_size", ctypes.c_size_t), ("ca_file", ctypes.c_char_p)]


def load():
    """Returns the library after checking that uvloop uses the same libuv."""
    with open("/proc/self/maps", encoding="utf-8") as maps:
        if "/libuv.so" not in maps.read():
            sys.exit("host.py: this uvloop brings a libuv of its own; use the one of the package python3-uvloop")
    name = os.environ.get("GENESYS_LOOP_LIBRARY") or ctypes.util.find_library("GenesysLoopC")
    if name is None:
        sys.exit("host.py: there is no libGenesysLoopC; say where it is with GENESYS_LOOP_LIBRARY")
    library = ctypes.CDLL(name)
    pointer = ctypes.c_void_p
    library.genesys_loop_adopt.restype = pointer
    library.genesys_loop_adopt.argtypes = [pointer, ctypes.POINTER(Error)]
    library.genesys_channel_new.restype = pointer
    library.genesys_channel_new.argtypes = [
        pointer, ctypes.c_char_p, ctypes.POINTER(ctypes.c_char_p), ctypes.c_size_t, ctypes.POINTER(Callbacks),
        ctypes.POINTER(Config), ctypes.POINTER(Error)]
    library.genesys_loop_detach.argtypes = [pointer, DID_LEAVE, pointer]
    for function in ("loop_bind", "loop_release", "channel_open", "channel_close", "channel_release"):
        getattr(library, "genesys_" + function).argtypes = [pointer]
    return library


def uv_loop(loop):
    capsule = uvloop.loop.libuv_get_loop_t_ptr(loop)
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return get(capsule, None)


async def listen(uri, ca_file, count, topics):
    library, loop, error = load(), asyncio.get_running_loop(), Error()
    received, ended, left = asyncio.Queue(), loop.create_future(), loop.create_future()

    # The bytes are borrowed until the callback returns, so they are copied.
    did_receive = DID_RECEIVE(lambda channel, it, user: received.put_nowait(
        ctypes.string_at(it.contents.message.data, it.contents.message.size)))
    did_fail = DID_FAIL(lambda channel, it, user: received.put_nowait(ConnectionError(it.contents.description.decode()))
                        or ended.set_result(None))
    did_close = DID_CLOSE(lambda channel, user: ended.set_result(None))
    did_leave = DID_LEAVE(lambda user: left.set_result(None))

    adopted = library.genesys_loop_adopt(uv_loop(loop), error)
    if adopted is None:
        sys.exit("host.py: " + error.message.decode())
    library.genesys_loop_bind(adopted)
    names = (ctypes.c_char_p * len(topics))(*(topic.encode() for topic in topics))
    callbacks = Callbacks(ctypes.sizeof(Callbacks), None, did_receive, did_fail, did_close=did_close)
    config = Config(ctypes.sizeof(Config), ca_file.encode())
    channel = library.genesys_channel_new(adopted, uri.encode(), names, len(topics), callbacks, config, error)
    try:
        if channel is None:
            sys.exit("host.py: " + error.message.decode())
        library.genesys_channel_open(channel)
        for _ in range(count):
            item = await received.get()
            if isinstance(item, Exception):
                sys.exit(f"host.py: {item}")
            print(item.decode(), flush=True)
    finally:
        # uvloop treats every handle on its loop as its own when it closes: none of ours may be left.
        if channel is not None:
            library.genesys_channel_close(channel)
            await ended
            library.genesys_channel_release(channel)
        library.genesys_loop_detach(adopted, did_leave, None)
        await left
        library.genesys_loop_release(adopted)


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit("usage: host.py URI CA-FILE COUNT TOPIC [TOPIC ...]")
    uvloop.install()
    try:
        asyncio.run(listen(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]))
    except KeyboardInterrupt:
        sys.exit(130)
