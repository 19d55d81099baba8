# SPDX-License-Identifier: MIT
"""Draws docs/performance/flat.svg: instructions a page against the memory, locks against harts.

Both scales are logarithmic. The same numbers give the same bytes.
"""

import math
import os

import bench_flat
import bench_tell

PATH = os.path.join(bench_tell.FOLDER, "flat.svg")

HEIGHT, TOP, BOTTOM = 420, 80, 60
LEAST = 1e-4  # a count of none is drawn there
PANELS = (
    # kind, what is counted, title, x of the left edge and width
    ("pages", "instructions", "Instructions a page, one hart", 70, 470),
    ("harts", "node_locks", "Locks of tables a page", 630, 220),
)
WIDTH = 900

STYLE = """
  .paper { fill: #ffffff; } text { fill: #1f2328; font: 12px sans-serif; }
  .grid { stroke: #d0d7de; } .axis { fill: #59636e; font-size: 11px; }
  .title { font-size: 15px; font-weight: bold; } polyline { fill: none; stroke-width: 2; }
  .reserve { stroke: #0969da; fill: #0969da; } .touch { stroke: #bf8700; fill: #bf8700; }
  .clone { stroke: #cf222e; fill: #cf222e; } .unmap { stroke: #1a7f37; fill: #1a7f37; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117; } text { fill: #e6edf3; } .grid { stroke: #30363d; }
    .axis { fill: #9198a1; }
  }
  polyline.reserve, polyline.touch, polyline.clone, polyline.unmap { fill: none; }"""


class Panel:
    """From a number of pages or harts, and a cost, to a point."""

    def __init__(self, result, panel):
        self.kind, self.count, self.title, self.left, self.width = panel
        self.lines = {
            operation: [
                (x, max(LEAST, bench_flat.each(row, self.count)))
                for x, row in bench_flat.series(result, self.kind, operation)
            ]
            for operation in bench_flat.OPERATIONS
        }
        points = [point for line in self.lines.values() for point in line]
        self.xs = sorted({x for x, _ in points})
        self.low = math.floor(math.log10(min(cost for _, cost in points)))
        self.high = max(self.low + 1, math.ceil(math.log10(max(cost for _, cost in points))))

    def x(self, value):
        return self.left + self.width * math.log(value) / math.log(self.xs[-1])

    def y(self, cost):
        share = (math.log10(cost) - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)

    def grid(self):
        for power in range(self.low, self.high + 1):
            y = self.y(10**power)
            yield (
                f'<line class="grid" x1="{self.left}" y1="{y:.1f}" '
                f'x2="{self.left + self.width}" y2="{y:.1f}"/>'
            )
            yield (
                f'<text class="axis" x="{self.left - 8}" y="{y + 4:.1f}" text-anchor="end">'
                f"{10.0**power:g}</text>"
            )
        for x in self.xs:
            told = bench_flat.size_told(x) if self.kind == "pages" else str(x)
            yield (
                f'<text class="axis" x="{self.x(x):.1f}" y="{HEIGHT - BOTTOM + 18}" '
                f'text-anchor="middle">{told}</text>'
            )

    def draw(self):
        yield f'<text class="title" x="{self.left}" y="26">{self.title}</text>'
        yield from self.grid()
        for operation, line in self.lines.items():
            points = [(self.x(x), self.y(cost)) for x, cost in line]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            yield f'<polyline class="{operation}" points="{path}"/>'
            for x, y in points:
                yield f'<circle class="{operation}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'


def legend():
    x = PANELS[0][3]
    for operation in bench_flat.OPERATIONS:
        yield f'<rect class="{operation}" x="{x}" y="44" width="11" height="11"/>'
        yield f'<text x="{x + 17}" y="54">{operation}</text>'
        x += 90


def draw(result):
    """The picture as text."""
    lines = [
        "<!-- SPDX-License-Identifier: MIT -->",
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        "<title>What a page costs, with more memory and with more harts</title>",
        f"<style>{STYLE}\n</style>",
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
        *legend(),
    ]
    for panel in PANELS:
        lines += Panel(result, panel).draw()
    foot = "memory reserved, of which the first 16 MiB are touched"
    lines.append(f'<text class="axis" x="70" y="{HEIGHT - 14}">{foot}</text>')
    lines.append(f'<text class="axis" x="630" y="{HEIGHT - 14}">harts at work at once</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def save(result):
    with open(PATH, "w", encoding="utf-8") as file:
        file.write(draw(result))


def is_stale(result):
    """Whether the picture is not the one of this baseline."""
    if not os.path.exists(PATH):
        return True
    with open(PATH, encoding="utf-8") as file:
        return file.read() != draw(result)
