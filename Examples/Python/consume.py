#!/usr/bin/env python3
"""Reads the stream of `genesys-loop relay`: each record once, in order, and what is missing.

    pip install redis
    python3 consume.py redis://localhost:6379 genesys:NAME

Prints what it does; keep `last` and `place` with your results, and a restart continues behind them.
"""
import sys

import redis

SILENCE = 30  # seconds: an idle relay writes a record every 15 s

server = redis.Redis.from_url(sys.argv[1], decode_responses=True)
stream, place, last = sys.argv[2], "0", (0, 0)
while True:
    records = server.xread({stream: place}, count=500, block=SILENCE * 1000)
    if not records:
        print(f"alarm: no record for {SILENCE} s, so the relay has ended or cannot write")
        continue
    for place, record in records[0][1]:
        epoch, sequence = map(int, record["id"].split("."))
        if (epoch, sequence) <= last:
            continue  # a repeat
        expected = last[1] + 1 if epoch == last[0] else 1
        if sequence > expected and last != (0, 0) and record["type"] != "genesys.gap":
            print("refresh: the stream was trimmed before these records were read")
        last = epoch, sequence
        if record["type"] == "genesys.notification":
            print("notification:", record["topic"], record["data"])
        elif record["type"] == "genesys.gap":
            print("refresh: read the state over REST, because", record["data"])
