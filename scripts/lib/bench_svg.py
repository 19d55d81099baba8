# SPDX-License-Identifier: MIT
"""Draws docs/performance/peers.svg: Vellum's baseline beside the peers' figures, as bars.

The scale is logarithmic: each line to the right is ten times as much. The same numbers give the
same bytes.
"""

import math
import os
from xml.sax.saxutils import escape

import bench_tell

PATH = os.path.join(bench_tell.FOLDER, "peers.svg")

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 900, 300, 70, 74, 46
BAR, GAP, GROUP_GAP = 11, 2, 12
LABEL = 50  # room that a number takes
SERIES = (("vellum", "Vellum"), ("sel4", "seL4"), ("linux", "Linux"))
NOT_DRAWN = ("boot", "idle", "image")  # another scale, or bytes

STYLE = """
  .paper { fill: #ffffff; } text { fill: #1f2328; font: 12px sans-serif; }
  .grid { stroke: #d0d7de; } .value, .axis { fill: #59636e; font-size: 11px; }
  .title { font-size: 15px; font-weight: bold; } .budget { stroke: #1f2328; stroke-width: 2; }
  .vellum { fill: #0969da; } .sel4 { fill: #bf8700; } .linux { fill: #8c959f; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117; } text { fill: #e6edf3; } .grid { stroke: #30363d; }
    .value, .axis { fill: #9198a1; } .budget { stroke: #e6edf3; }
    .vellum { fill: #4493f8; } .sel4 { fill: #d29922; } .linux { fill: #6e7681; }
  }"""


def groups(baseline):
    """(operation, {series: value}) of what Vellum has and some peer has too."""
    for operation in bench_tell.operations().values():
        row = baseline["rows"].get(operation.id)
        if row is None or operation.id in NOT_DRAWN or not (operation.linux or operation.sel4):
            continue
        vellum = bench_tell.value_of(row)
        yield operation, {"vellum": vellum, "sel4": operation.sel4, "linux": operation.linux}


def bar(series, x, y, width):
    return f'<rect class="{series}" x="{x}" y="{y}" width="{width:.1f}" height="{BAR}" rx="1"/>'


def line(kind, x, top, bottom):
    return f'<line class="{kind}" x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}"/>'


class Scale:
    """From instructions to the x of a bar's end."""

    def __init__(self, values):
        self.first = math.floor(math.log10(min(values)))
        self.last = math.ceil(math.log10(max(values)))

    def x(self, value):
        share = (math.log10(value) - self.first) / (self.last - self.first)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def lines(self, height):
        for power in range(self.first, self.last + 1):
            x = self.x(10**power)
            yield line("grid", x, TOP - 6, height - BOTTOM)
            yield (
                f'<text class="axis" x="{x:.1f}" y="{height - BOTTOM + 16}" text-anchor="middle">'
                f"{10**power:,}</text>"
            )


def draw_group(scale, operation, values, top):
    """The bars of one operation, and the mark of its budget."""
    bars = [(series, values[series]) for series, _ in SERIES if values[series]]
    height = len(bars) * (BAR + GAP) - GAP
    middle = top + height / 2 + 4
    title = escape(operation.title)
    yield f'<text x="{LEFT - 10}" y="{middle:.1f}" text-anchor="end">{title}</text>'
    mark = scale.x(operation.budget) if operation.budget else 0
    for at, (series, value) in enumerate(bars):
        y, end = top + at * (BAR + GAP), scale.x(value)
        label = mark if at == 0 and end < mark < end + LABEL else end
        yield bar(series, LEFT, y, end - LEFT)
        yield (
            f'<text class="value" x="{label + 5:.1f}" y="{y + BAR - 1.5:.1f}">'
            f"{bench_tell.number(value)}</text>"
        )
    if mark:
        yield line("budget", mark, top - 2, top + BAR + 2)


def draw_head():
    yield f'<text class="title" x="{LEFT}" y="26">Instructions an operation, fewer is better</text>'
    x = LEFT
    for series, name in SERIES:
        yield bar(series, x, 41, BAR)
        yield f'<text x="{x + 17}" y="51">{name}</text>'
        x += 80
    yield line("budget", x + 5, 40, 54)
    yield f'<text x="{x + 14}" y="51">Vellum\'s budget</text>'


def draw(baseline):
    """The picture as text."""
    drawn = list(groups(baseline))
    numbers = [value for _, values in drawn for value in values.values() if value]
    scale = Scale(numbers + [operation.budget for operation, _ in drawn if operation.budget])
    parts, top = [], TOP
    for operation, values in drawn:
        parts += draw_group(scale, operation, values, top)
        top += sum(1 for value in values.values() if value) * (BAR + GAP) + GROUP_GAP
    height = top + BOTTOM - GROUP_GAP + 8
    note = "one hart, release build, user mode, kernel and firmware together; logarithmic scale"
    head = [
        "<!-- SPDX-License-Identifier: MIT -->",
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" role="img">',
        "<title>Instructions an operation: Vellum, seL4, Linux</title>",
        f"<style>{STYLE}\n</style>",
        f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
    ]
    foot = [f'<text class="axis" x="{LEFT}" y="{height - 10}">{note}</text>', "</svg>"]
    return "\n".join([*head, *scale.lines(height), *draw_head(), *parts, *foot]) + "\n"


def save(baseline):
    with open(PATH, "w", encoding="utf-8") as file:
        file.write(draw(baseline))


def is_stale(baseline):
    """Whether the picture is not the one of this baseline."""
    if not os.path.exists(PATH):
        return True
    with open(PATH, encoding="utf-8") as file:
        return file.read() != draw(baseline)
