# SPDX-License-Identifier: MIT
"""Tables: for the terminal and for docs/performance.md; and what the operations are."""

import json
import os

import qemu_boot
from bench_run import Operation

FOLDER = os.path.join(qemu_boot.ROOT, "docs", "performance")
# Operations that have no place in the comparison with the peers.
MORE = (
    Operation("query", "query a page"),
    Operation("find_next", "find the next page, behind a hole of 1 GiB"),
    Operation("large_touch", "reserve 2 MiB to come as one page, and touch it"),
    Operation("large_unmap", "unmap a page of 2 MiB"),
    Operation("large_protect", "protect a page of 2 MiB"),
    Operation("large_split", "unmap a page of 4 KiB inside one of 2 MiB"),
    Operation("large_fold", "fold a page of 2 MiB that was split"),
    Operation("clear_accessed", "take the accessed bit from 16 MiB, per page"),
    Operation("use_again", "write to a page whose accessed bit was taken"),
    Operation("sleep", "sleep for 0.1 ms, the hart idle"),
)
# Columns: heading, and the counters that they add up.
COUNTS = {
    "SBI": ("sbi_calls",),
    "time": ("time_reads",),
    "fences": ("tlb_flush_local",),
    "remote": ("tlb_flush_remote",),
    "frames": ("frames_allocated",),
    "tables": ("tables_allocated",),
    "node locks": ("node_locks",),
    "waits": ("node_lock_waits", "lock_waits"),
    "switches": ("thread_switches",),
}


def load(path):
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        raise qemu_boot.Problem(f"{path} cannot be read: {error}") from error


def save(path, what):
    """JSON with a line for each row, so that a change of one shows as one line."""
    rows = {name: json.dumps(row) for name, row in what["rows"].items()}
    head = json.dumps({key: value for key, value in what.items() if key != "rows"}, indent=2)
    body = ",\n".join(f"    {json.dumps(name)}: {row}" for name, row in rows.items())
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'{head[:-2]},\n  "rows": {{\n{body}\n  }}\n}}\n')


def operations():
    """All operations, {id: Operation}, in the order of the comparison."""
    peers = load(os.path.join(FOLDER, "peers.json"))["operations"]
    return {one.id: one for one in [Operation(**line) for line in peers] + list(MORE)}


def baseline_path(name):
    return os.path.join(FOLDER, f"baseline-{name}.json")


def value_of(row):
    """What a row is judged by: instructions, or bytes, an operation."""
    return row.get("instructions", row.get("bytes", 0)) / row["n"]


def number(value):
    """A number with four digits at least, and no more after the point than tell something."""
    if value is None:
        return ""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return (f"{value:.1f}" if value >= 10 else f"{value:.2f}").removesuffix(".0")


def told(row):
    """A row's value as text; none for no row."""
    return number(value_of(row)) if row else ""


def share(row, counters):
    """A count an operation; rare ones in a form that shows they are not nothing."""
    total = sum(row.get(counter, 0) for counter in counters)
    if total % row["n"] == 0:
        return str(total // row["n"])
    return f"{total / row['n']:.2g}"


def cells(name, row, operation, verdict):
    yield operation.title if operation else name
    yield told(row)
    yield number(operation.budget) if operation else ""
    yield verdict
    for counters in COUNTS.values():
        yield share(row, counters) if "instructions" in row and name != "boot" else ""


def table(result, verdicts):
    """[[cell]] with a head, one line for each row of a result."""
    known = operations()
    order = list(known)
    place = {name: order.index(name) if name in known else len(order) for name in result["rows"]}
    lines = [["operation", "instructions", "budget", "", *COUNTS]]
    for name in sorted(place, key=place.get):
        row = result["rows"][name]
        lines.append(list(cells(name, row, known.get(name), verdicts.get(name, ""))))
    return lines


def as_text(lines):
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    for line in lines:
        left = line[0].ljust(widths[0])
        rest = (
            cell.ljust(width) if at == 2 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line[1:], widths[1:]))
        )
        yield "  ".join([left, *rest]).rstrip()


def as_markdown(lines):
    yield "| " + " | ".join(lines[0]) + " |"
    yield "|---|" + "--:|" * (len(lines[0]) - 1)
    for line in lines[1:]:
        yield "| " + " | ".join(line) + " |"
