"""The bars of the project: medians of interleaved runs, ratios within one session."""

import tables


def ns(results, client, work):
    entry = results["clients"].get(client)
    return tables.nanoseconds(entry, work) if entry else None


class Bars:
    def __init__(self, results):
        self.results, self.found = results, []
        self.peers = [name for name, client in results["clients"].items() if client["kind"] == "peer"]

    def add(self, name, value, limit, stretch=None, unit="x"):
        """`value` may be None: a bar that was not measured fails."""
        holds = value is not None and limit is not None and value <= limit
        self.found.append({"name": name, "value": value, "limit": limit, "unit": unit, "holds": holds,
                           "stretch": stretch, "reached": holds and stretch is not None and value <= stretch})

    def ratio(self, name, client, work, limit, stretch=None):
        mine, floor = ns(self.results, client, work), ns(self.results, "floor", work)
        self.add(name, mine / floor if mine and floor else None, limit, stretch)

    def below(self, name, client, work, peers, their_work=None):
        """At least as good as each peer: the ratio to the best of them must be at most 1."""
        mine = ns(self.results, client, work)
        theirs = {peer: ns(self.results, peer, their_work or work) for peer in peers}
        theirs = {peer: value for peer, value in theirs.items() if value}
        if not theirs:
            self.add(f"{name} (no such peer measured)", None, 1)
            return
        best = min(theirs, key=theirs.get)
        self.add(f"{name} ({best})", mine / theirs[best] if mine else None, 1)

    def value(self, name, client, read, limit, stretch=None, unit="x"):
        entry = self.results["clients"].get(client)
        value = None
        if entry is not None:
            try:
                value = read(entry)
            except (KeyError, TypeError):
                pass
        self.add(name, value, limit, stretch, unit)


def evaluate(results):
    bars = Bars(results)
    floor = results["clients"].get("floor", {})
    without_go = [peer for peer in bars.peers if peer not in ("go", "reference")]
    without_nio = [peer for peer in without_go if peer != "nio"]

    bars.ratio("WebSocketClient, 400 B, one record each, of the floor", "websocket", "rec400", 1.10, 1.00)
    bars.below("… of the best peer but Go", "websocket", "rec400", without_go)
    bars.ratio("WebSocketClient, 400 B in 16 KiB records, of the floor", "websocket", "batch400", 1.25, 1.05)
    bars.below("… of the best peer", "websocket", "batch400", bars.peers)
    bars.ratio("Channel, 400 B, one record each, of the floor", "channel", "rec400", 1.40, 1.20)
    bars.below("… of the floor with simdjson", "channel", "rec400", ["floor-simdjson"])
    bars.below("… of the best peer that does not parse, but Go and NIO", "channel", "rec400", without_nio)
    bars.ratio("Channel, 400 B in 16 KiB records, of the floor", "channel", "batch400", 2.4, 1.8)
    bars.ratio("Channel, 16 KiB, of the floor", "channel", "rec16k", 2.2, 1.6)
    bars.ratio("Channel, 1 MiB, of the floor", "channel", "rec1m", 2.8, 2.0)
    bars.ratio("WebSocketClient, 16 KiB, of the floor", "websocket", "rec16k", 1.2)
    bars.ratio("WebSocketClient, 1 MiB, of the floor", "websocket", "rec1m", 1.5)
    bars.below("Channel with one field decoded, of the best of Node, aiohttp, Beast, Go, NIO", "channel", "parse400",
               ["ws", "aiohttp", "beast", "go", "nio"])
    bars.below("… stretch: of picows with ujson", "channel", "parse400", ["picows"])
    bars.found[-1]["only_stretch"] = True
    idle_bars(bars)
    bars.value("Channel, start to the first notification, of the floor", "channel",
               lambda entry: entry["start_ms"] / floor["start_ms"], 2.0, 1.3)
    bars.ratio("WebSocketClient, CPU of an echo, of the floor", "websocket", "echo", 1.15, 1.0)
    scale = results["scale"].get("channel")
    bars.add("10,000 idle channels beyond their heartbeats, of a core", scale and scale["beyond_heartbeats"] * 100, 2.0,
             unit="%")
    bars.add("… heartbeats missed and connections lost", scale and scale["pings"] + scale["lost"], 0, unit="")
    return bars.found


def idle_bars(bars):
    for size in (1_000, 10_000):
        bars.value(f"memory of an idle channel, of {size:,}", "channel",
                   lambda entry, size=size: entry["idle"][size]["bytes_each"] / 1024, 22, 20, "KiB")
    peers = [bars.results["clients"][name]["idle"][1_000]["bytes_each"] / 1024 for name in bars.peers
             if 1_000 in bars.results["clients"][name]["idle"]]
    bars.value("… of 1,000, beside the best peer", "channel",
               lambda entry: entry["idle"][1_000]["bytes_each"] / 1024, min(peers, default=None), None, "KiB")


def show(found):
    """Prints the bars; returns 1 when one is missed."""
    rows = []
    for bar in found:
        value = "not measured" if bar["value"] is None else f"{bar['value']:.2f} {bar['unit']}"
        limit = "-" if bar["limit"] is None else f"{bar['limit']:.2f}"
        optional = bar.get("only_stretch", False)
        verdict = "stretch" if bar["reached"] or (optional and bar["holds"]) else "holds" if bar["holds"] \
            else "not yet" if optional else "MISSED"
        rows.append([bar["name"], value, limit, f"{bar['stretch']:.2f}" if bar["stretch"] else "-", verdict])
    tables.table(["bar", "measured", "at most", "stretch", ""], rows)
    missed = [bar for bar in found if not bar["holds"] and not bar.get("only_stretch", False)]
    print(f"{len(found) - len(missed)} of {len(found)} hold" if missed else "every bar holds")
    return 1 if missed else 0
