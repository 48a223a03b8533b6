"""The picture: processor time for a notification, and memory of an idle connection, as bars."""

from xml.sax.saxutils import escape

import tables

# One set of colors, readable on light and on dark pages: a picture does not know its page.
STYLE = """
  text { font: 13px -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #6e7781 }
  .title { font-size: 15px; font-weight: 600 }
  .ours { fill: #238f46; font-weight: 600 }
  .bar { fill: #8c959f } .bar-ours { fill: #2da44e } .bar-floor { fill: #4493f8 }
"""
LEFT, WIDTH, ROW = 250, 760, 23


def panel(lines, top, title, rows):
    """Horizontal bars: rows of (label, kind, value, text)."""
    lines.append(f'<text class="title" x="16" y="{top + 14}">{escape(title)}</text>')
    top += 28
    span = WIDTH - LEFT - 130
    most = max(row[2] for row in rows)
    for label, kind, value, text in rows:
        middle = top + 14
        name = ' class="ours"' if kind == "ours" else ""
        style = {"ours": "bar bar-ours", "floor": "bar bar-floor"}.get(kind, "bar")
        lines.append(f'<text{name} x="{LEFT - 10}" y="{middle}" text-anchor="end">{escape(label)}</text>')
        lines.append(f'<rect class="{style}" x="{LEFT}" y="{top + 2}" width="{max(1.5, span * value / most):.1f}" '
                     f'height="{ROW - 8}" rx="2"/>')
        lines.append(f'<text{name} x="{LEFT + span * value / most + 8:.1f}" y="{middle}">{escape(text)}</text>')
        top += ROW
    return top + 18


def times(results, work, chosen):
    """The rows of a workload, the fastest first."""
    clients = results["clients"]
    base = tables.nanoseconds(clients["floor"], "rec400") if "floor" in clients else None
    rows = []
    for name, client in clients.items():
        value = tables.nanoseconds(client, work)
        if value is None or not chosen(name, client):
            continue
        ratio = f" · {value / base:.2f}×" if base and name != "floor" else ""
        rows.append((client["title"], client["kind"], value, f"{value / 1e3:.2f} µs{ratio}"))
    rows.sort(key=lambda row: row[2])
    # An outlier would make the other bars invisible: it gets its figure, not its length.
    longest = max((row[2] for row in rows if row[2] < 12 * rows[0][2]), default=0)
    return [(label, kind, min(value, longest * 1.03), text + ("  »" if value > longest else ""))
            for label, kind, value, text in rows]


def memories(results):
    """The rows for the memory of an idle connection, at the number that most were measured with."""
    clients = results["clients"]
    size = 1_000 if any(1_000 in client["idle"] for client in clients.values()) else 100
    rows = [(client["title"], client["kind"], client["idle"][size]["bytes_each"] / 1024,
             f"{client['idle'][size]['bytes_each'] / 1024:.1f} KiB")
            for client in clients.values() if size in client["idle"]]
    return sorted(rows, key=lambda row: row[2])


def write(results, path):
    panels = [
        ("Processor time of the client for a notification of 400 bytes, handed over",
         times(results, "rec400", lambda name, client: name != "reference")),
        ("… and parsed, a field looked up",
         times(results, "parse400", lambda name, client: True)),
        ("Memory of an idle TLS connection", memories(results)),
    ]
    lines, top = [], 12
    for title, rows in panels:
        if rows:
            top = panel(lines, top, title, rows)
    machine = results["machine"]
    lines.append(f'<text x="16" y="{top + 8}">{escape(machine["processor"])}, {escape(machine["kernel"])}; '
                 f'medians of {results["rounds"]} in turns; ×: of the C floor; ./Scripts/bench</text>')
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + 22}" width="{WIDTH}" '
                   f'height="{top + 22}" role="img" aria-label="Processor time and memory of notification clients">\n'
                   f"<style>{STYLE}</style>\n" + "\n".join(lines) + "\n</svg>\n")
