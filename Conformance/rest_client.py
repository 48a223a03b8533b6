#!/usr/bin/env python3
"""A client of the REST side that sends requests unchanged.

usage: rest_client.py URI CA_FILE

Reads lines of JSON, each a list of texts: the first is sent over a TLS connection of its own to the host and port of
the URI, each other one when an interim answer (1xx) has arrived. Prints a line of JSON for each:
{"statuses": […], "body": …}.
"""

import json
import socket
import ssl
import sys
from urllib.parse import urlsplit


def head(stream):
    """The status of the next answer, and the length of its body; a status of 0 at the end."""
    line = stream.readline().decode()
    length = 0
    while (field := stream.readline().decode().strip()) != "":
        name, _, value = field.partition(":")
        if name.lower() == "content-length":
            length = int(value)
    return int(line.split(" ")[1]) if line else 0, length


def ask(address, context, parts):
    with socket.create_connection(address, timeout=30) as raw:
        with context.wrap_socket(raw, server_hostname=address[0]) as connection:
            stream = connection.makefile("rb")
            statuses = []
            for index, part in enumerate(parts):
                connection.sendall(part.encode())
                if index + 1 < len(parts):
                    statuses.append(head(stream)[0])
                    if statuses[-1] >= 200:
                        break
            status, length = head(stream)
            statuses.append(status)
            return {"statuses": statuses, "body": stream.read(length).decode()}


def main():
    uri, ca_file = sys.argv[1:]
    parts = urlsplit(uri)
    context = ssl.create_default_context(cafile=ca_file)
    for line in sys.stdin:
        print(json.dumps(ask((parts.hostname, parts.port), context, json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
