#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures mm/ itself on this host, beside a bare loop and beside the host's own kernel.

Builds and runs tests/bench (mm_bench), prints ratios, and writes host.json and host.svg. The floor
is a loop that stores one entry a page into a flat table; the host's kernel does mmap and touch,
mprotect, munmap on the same sizes; all three take turns in the same run. Nothing here is a gate.
"""

import argparse
import json
import math
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, "build", "host-release")
OUTPUT = os.path.join(ROOT, "build", "bench")


def build():
    """Builds mm_bench; returns its path."""
    os.makedirs(OUTPUT, exist_ok=True)
    log_path = os.path.join(OUTPUT, "host-build.log")
    with open(log_path, "w", encoding="utf-8") as log:
        for line in (
            ["cmake", "--preset", "host-release"],
            ["cmake", "--build", BUILD, "--target", "mm_bench"],
        ):
            if subprocess.run(line, cwd=ROOT, stdout=log, stderr=log, check=False).returncode:
                sys.exit(f"bench: `{' '.join(line)}` failed: see {log_path}")
    return os.path.join(BUILD, "tests", "bench", "mm_bench")


def measure(program):
    """One run's results."""
    run = subprocess.run([program], capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(f"bench: {program} failed: {run.stderr.strip()}")
    return json.loads(run.stdout)


def groups(rows):
    """(operation, pages, {harts: row}), in the order of the run."""
    found = {}
    for row in rows:
        found.setdefault((row["operation"], row["pages"]), {})[row["harts"]] = row
    return [(operation, pages, by_harts) for (operation, pages), by_harts in found.items()]


def ratio(value, base):
    return f"{value / base:8.2f}" if base else "       -"


def table_line(operation, pages, by_harts):
    one, two = by_harts[1], by_harts[2]
    host = one.get("host")
    return (
        f"{operation:15}{pages:6}{one['floor']:10.2f}{one['mm']:10.2f}"
        + (f"{host:10.2f}" if host else f"{'-':>10}")
        + f"   {ratio(one['mm'], one['floor'])}"
        + (f"   {ratio(one['mm'], host)}" if host else f"   {'-':>8}")
        + f"   {ratio(two['mm'], one['mm'])}"
        + (f"   {ratio(two['host'], host)}" if host else f"   {'-':>8}")
    )


def print_table(result):
    print(
        f"mm/ on this host, {result['unit']}, median of {result['repetitions']} repetitions, "
        f"{result['levels']} levels\n"
        f"{'':15}{'':>6}{'floor':>10}{'mm':>10}{'host':>10}   {'mm by':>8}   {'mm by':>8}   "
        f"{'mm, 2':>8}   {'host, 2':>8}\n"
        f"{'operation':15}{'pages':>6}{'1 hart':>10}{'1 hart':>10}{'1 thread':>10}   {'floor':>8}"
        f"   {'host':>8}   {'by 1':>8}   {'by 1':>8}"
    )
    for group in groups(result["rows"]):
        print(table_line(*group))


# The picture: a row an operation and size, time on a logarithmic axis, one mark for each of the
# three. Its colours are chosen by the reader's scheme.
STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .small { font-size: 11px; fill: #57606a }
  .grid { stroke: #d0d7de; stroke-width: 1 }
  .band { fill: #f6f8fa }
  .span { stroke: #8c959f; stroke-width: 1.5 }
  .floor { fill: #57606a } .mm { fill: #0969da } .host { fill: #bc4c00 }
  .page { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .small { fill: #9198a1 } .grid { stroke: #3d444d }
    .band { fill: #151b23 } .span { stroke: #656c76 } .page { fill: #0d1117 }
    .floor { fill: #9198a1 } .mm { fill: #4493f8 } .host { fill: #f0883e }
  }
"""
LEFT, RIGHT, TOP, ROW = 190, 30, 74, 20
WIDTH = 860


def axis(value, low, high):
    """Where a number of nanoseconds lies; low and high are powers of ten."""
    part = (math.log10(max(value, 10**low)) - low) / (high - low)
    return LEFT + part * (WIDTH - LEFT - RIGHT)


def grid(low, high, bottom):
    for power in range(low, high + 1):
        x = axis(10**power, low, high)
        label = f"{10**power:g} ns" if power < 3 else f"{10**(power - 3):g} µs"
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{bottom}"/>'
        yield f'<text class="small" x="{x:.1f}" y="{TOP - 12}" text-anchor="middle">{label}</text>'


def mark(kind, x, y):
    """A circle, a diamond or a square, so that colour is not all that tells them apart."""
    if kind == "mm":
        return f'<circle class="mm" cx="{x:.1f}" cy="{y}" r="5"/>'
    if kind == "host":
        return f'<rect class="host" x="{x - 4.5:.1f}" y="{y - 4.5}" width="9" height="9"/>'
    return f'<path class="floor" d="M{x:.1f} {y - 5}l5 5l-5 5l-5 -5z"/>'


def picture_row(operation, row, y, low, high):
    values = {kind: row[kind] for kind in ("floor", "mm", "host") if kind in row}
    places = {kind: axis(value, low, high) for kind, value in values.items()}
    yield f'<text x="{LEFT - 62}" y="{y + 4}" text-anchor="end">{operation}</text>'
    yield f'<text class="small" x="{LEFT - 14}" y="{y + 4}" text-anchor="end">{row["pages"]}</text>'
    yield (
        f'<line class="span" x1="{min(places.values()):.1f}" x2="{max(places.values()):.1f}" '
        f'y1="{y}" y2="{y}"/>'
    )
    for kind, x in places.items():
        text = f"{operation}, {row['pages']} pages: {kind} {values[kind]:.2f} ns a page"
        yield f"<g><title>{text}</title>{mark(kind, x, y)}</g>"


def legend():
    names = {"floor": "floor: one store a page", "mm": "mm", "host": "the host's kernel"}
    x = LEFT
    for kind, name in names.items():
        yield mark(kind, x, 38)
        yield f'<text x="{x + 12}" y="42">{name}</text>'
        x += 40 + 7 * len(name)


def picture(result):
    """The SVG of one hart's rows."""
    rows = [row for row in result["rows"] if row["harts"] == 1]
    values = [row[kind] for row in rows for kind in ("floor", "mm", "host") if kind in row]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    bottom = TOP + ROW * len(rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + 16}" '
        f'width="{WIDTH}" height="{bottom + 16}">',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{bottom + 16}"/>',
        '<text x="16" y="20" style="font-weight: 600">'
        "Address spaces on the host: time a page, one hart</text>",
        f'<text class="small" x="{LEFT - 26}" y="{TOP - 12}" text-anchor="end">pages</text>',
        *legend(),
    ]
    sizes = len({row["pages"] for row in rows})
    for number in range(0, len(rows), 2 * sizes):
        y = TOP + ROW * number
        parts.append(f'<rect class="band" x="8" y="{y}" width="{WIDTH - 16}" height="{ROW * sizes}"/>')
    parts += grid(low, high, bottom)
    previous = ""
    for number, row in enumerate(rows):
        name = row["operation"] if row["operation"] != previous else ""
        previous = row["operation"]
        parts += picture_row(name, row, TOP + ROW * number + ROW // 2, low, high)
    return "\n".join([*parts, "</svg>", ""])


def write(path, text):
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    print(f"written: {os.path.relpath(path)}")


def main(argv):
    parser = argparse.ArgumentParser(prog="scripts/bench --host", description=__doc__.splitlines()[0])
    parser.add_argument("--json", default=os.path.join(OUTPUT, "host.json"))
    parser.add_argument("--svg", default=os.path.join(OUTPUT, "host.svg"))
    chosen = parser.parse_args(argv)
    result = measure(build())
    print_table(result)
    write(chosen.json, json.dumps(result, indent=1) + "\n")
    write(chosen.svg, picture(result))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
