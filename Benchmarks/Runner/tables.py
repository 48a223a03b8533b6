"""The tables on standard output."""

import sys


def table(heads, rows):
    """Columns of text, the first to the left and the others to the right."""
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    def line(cells):
        return "  ".join(cell.ljust(width) if i == 0 else cell.rjust(width)
                         for i, (cell, width) in enumerate(zip(cells, widths))).rstrip()
    print(line(heads))
    print("  ".join("-" * width for width in widths))
    for row in rows:
        print(line(row))
    print()


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def with_ratio(value, base):
    if value is None:
        return "-"
    return number(value) + (f" ({value / base:.2f}x)" if base else "")


def nanoseconds(client, work):
    figure = client["works"].get(work)
    return None if figure is None else figure["seconds"] * 1e9


def show(results):
    clients = results["clients"]
    floor = clients.get("floor")
    machine = results["machine"]
    print(f"{machine['processor']}, {machine['cores']} cores, {machine['kernel']}")
    for name in ("channel", "floor"):
        if name in results["openssl"]:
            print(f"OpenSSL loaded by {clients[name]['title']}: {results['openssl'][name]}")
    print(f"medians of {results['rounds']} rounds in turns; in brackets the ratio to the floor\n")
    if not clients:
        print("no client was measured")
        return

    def base(work):
        return nanoseconds(floor, work) if floor else None

    ordered = sorted(clients.items(), key=lambda item: nanoseconds(item[1], "rec400") or 0)
    columns = [("rec400", "400 B record", 1), ("batch400", "400 B batch", 1), ("parse400", "400 B parsed", 1),
               ("rec16k", "16 KiB us", 1e3), ("rec1m", "1 MiB us", 1e3), ("single", "alone us", 1e3)]
    columns = [column for column in columns if any(column[0] in client["works"] for client in clients.values())]
    rows = []
    for _, client in ordered:
        row = [client["title"]]
        for work, _, unit in columns:
            value, least = nanoseconds(client, work), base("rec400" if work == "parse400" else work)
            row.append(with_ratio(value and value / unit, least and least / unit))
        rows.append([*row, client["validates"] or "-"])
    print("Processor time of the client for each message, in ns where nothing else is said")
    table(["client", *(title for _, title, _ in columns), "validates"], rows)

    rows = []
    for _, client in ordered:
        echo, floor_echo = client["works"].get("echo"), floor and floor["works"].get("echo")
        peak = "/".join(number(client["works"][work]["max_rss"] / 1e6) for work in ("rec400", "rec1m")
                        if work in client["works"])
        row = [client["title"], with_ratio(client["start_ms"], floor and floor["start_ms"]),
               number(client["start_cpu_ms"]),
               with_ratio(echo and echo["seconds"] * 1e6, floor_echo and floor_echo["seconds"] * 1e6),
               number(echo["p50_us"]) if echo else "-", peak]
        sizes = sorted({size for other in clients.values() for size in other["idle"]})
        for size in sizes:
            held = client["idle"].get(size)
            note = "" if held is None or held["connections"] == size else f" at {held['connections']}"
            row.append("-" if held is None else number(held["bytes_each"] / 1024) + note)
        rows.append(row)
    print("Start to the first notification, echo, peak memory, memory for each idle connection")
    table(["client", "start ms", "its CPU ms", "echo CPU us", "echo p50 us", "peak MB 400 B/1 MiB",
           *(f"idle KiB at {size:,}" for size in sizes)], rows)
    show_scale(results)
    for name, reason in results["skipped"].items():
        print(f"SKIPPED: {name}: {reason.splitlines()[0]}")
    print(f"{results['seconds'] / 60:.0f} minutes")
    sys.stdout.flush()


def show_scale(results):
    if not results["scale"]:
        return
    percent = lambda part: f"{part * 100:.2f} %"  # noqa: E731
    rows = [[results["clients"][name]["title"], percent(scale["busy_alone"]), percent(scale["idle_alone"]),
             percent(scale["both"]), percent(scale["heartbeats"]), percent(scale["beyond_heartbeats"]),
             str(scale["pings"]), str(scale["lost"])] for name, scale in results["scale"].items()]
    print("Of a core: 100 connections with 100 messages a second each, and 10,000 with a heartbeat each 30 s")
    table(["client", "the 100 alone", "the 10,000", "both", "of it heartbeats", "idle beyond them", "pings", "lost"],
          rows)
