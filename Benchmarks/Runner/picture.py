"""The picture: processor time for a notification, and memory of an idle connection, as bars."""

from xml.sax.saxutils import escape

import tables

# Colours that are readable on light and on dark pages; the text follows the reader's scheme where that is known.
STYLE = """
  text { font: 13px -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #57606a }
  .title { font-size: 15px; font-weight: 600; fill: #24292f }
  .ours { fill: #24292f; font-weight: 600 }
  .bar { fill: #8c959f } .bar-ours { fill: #2da44e } .bar-floor { fill: #54aeff }
  .line { stroke: #8c959f; stroke-width: 1 }
  @media (prefers-color-scheme: dark) {
    text { fill: #9ea7b3 } .title, .ours { fill: #e6edf3 }
    .bar { fill: #6e7681 } .bar-ours { fill: #3fb950 } .bar-floor { fill: #388bfd }
  }
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


def write(results, path):
    clients = results["clients"]
    floor = clients.get("floor", {"works": {}})
    rows = []
    for client in clients.values():
        for work, suffix in (("rec400", ""), ("parse400", ", parsed")):
            value = tables.nanoseconds(client, work)
            # The reference always parses: one bar is enough for it.
            if value is None or (work == "parse400" and "rec400" in client["works"] and client["kind"] != "ours"
                                 and client["validates"].startswith("JSON")):
                continue
            base = tables.nanoseconds(floor, "rec400")
            ratio = f"  ({value / base:.1f}x)" if base and client is not floor else ""
            rows.append((client["title"] + suffix, client["kind"], value, f"{value / 1e3:.2f} µs{ratio}"))
    rows.sort(key=lambda row: row[2])
    # What costs ten times the others would make these invisible: it gets its figure, not its length.
    longest = max((row[2] for row in rows if row[2] < 12 * rows[0][2]), default=rows[0][2]) if rows else 0
    rows = [(label, kind, min(value, longest * 1.03), text + ("  »" if value > longest else ""))
            for label, kind, value, text in rows]
    lines, top = [], 12
    if rows:
        top = panel(lines, top, "Processor time of the client for a notification of 400 bytes", rows)
    size = 1_000 if any(1_000 in client["idle"] for client in clients.values()) else 100
    rows = sorted(((client["title"], client["kind"], client["idle"][size]["bytes_each"] / 1024,
                    f"{client['idle'][size]['bytes_each'] / 1024:.1f} KiB")
                   for client in clients.values() if size in client["idle"]), key=lambda row: row[2])
    if rows:
        top = panel(lines, top, "Memory of an idle TLS connection", rows)
    machine = results["machine"]
    lines.append(f'<text x="16" y="{top + 8}">{escape(machine["processor"])}, {escape(machine["kernel"])}; '
                 f'medians of {results["rounds"]} rounds; ./Scripts/bench</text>')
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + 22}" width="{WIDTH}" '
                   f'height="{top + 22}" role="img" aria-label="Processor time and memory of notification clients">\n'
                   f"<style>{STYLE}</style>\n" + "\n".join(lines) + "\n</svg>\n")
