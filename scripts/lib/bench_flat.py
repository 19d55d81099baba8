# SPDX-License-Identifier: MIT
"""The fourth part: does a page cost the same, however much memory there is and however many harts?

user/bench/flat.c does four operations on 4 KiB to 64 GiB of reserved memory, on one hart.
tests/qemu/t_flat_counts.c does them on 1 to 8 harts at once, each in memory of its own; what it
counts is no instructions, but exact. user/bench/turns.c watches how long another thread waits for its
turn meanwhile. Rows are "pages SIZE OPERATION", "harts HARTS OPERATION" and "turns beside WORK".
"""

import os
import re

import bench_run
import bench_tell
import qemu_boot

OPERATIONS = ("reserve", "touch", "clone", "unmap")
HARTS = (1, 2, 4, 8)
TEST = "test/t_flat_counts"
ROW = re.compile(r"(\w+)_(\d+)$")
TURNS = {
    "compute": "computes",
    "clone": "clones 64 GiB, 256 MiB of them touched, and unmaps the clone",
    "end": "clones it into processes that end",
    "unmap": "maps it and unmaps it",
}
SHARE = "early"  # a turn's work beside a thread that leaves just before each of its slices ends
SHARE_SLICES = 3  # its own, and two of the other: how the two begin is chance
TURN_SPARE = 150_000  # instructions that a turn may come later than beside one that computes
LINE = re.compile(r"\s*# flat (\d+) (\w+): (.*)$")

FROM_PAGES = 512  # below, what a call itself takes is most of a page's cost
RISE = 1.5  # the most that a page may cost more with more memory
RISE_COUNT = 0.02  # the same for locks, tables and fences, beside that
COUNTS = ("node_locks", "tables_allocated", "tlb_flush_local")
REMOTE = "tlb_flush_remote"


def row_name(printed):
    """From what the program prints to the name of the row."""
    if match := ROW.match(printed):
        return f"pages {match[2]} {match[1]}"
    return printed.replace("turns_", "turns beside ")


def run_pages(build, out):
    """{row} of the sizes, and of the turns."""
    initrd = bench_run.pack(build, out, "flat.cpio", bench_run.MEMBERS)
    boot = bench_run.boot_of("plain", build, out, initrd, "flat")
    rows, _ = bench_run.read_lines(bench_run.console_of(boot, "flat"))
    return {row_name(name): row for name, row in rows.items()}, boot


def run_harts(build, out):
    """{row} of the numbers of harts."""
    rows = {}
    initrd = bench_run.pack(build, out, "flat-harts.cpio", ("init", TEST))
    for harts in HARTS:
        boot = qemu_boot.Boot(
            build=build, initrd=initrd, out=out, harts=harts, memory="128M",
            commands="test flat_counts",
        )  # fmt: skip
        for line in bench_run.console_of(boot, f"flat-{harts}"):
            match = LINE.match(line)
            if match and int(match[1]) == harts:
                rows[f"harts {harts} {match[2]}"] = bench_run.pairs_of(match[3])
    return rows


def run(build, out):
    """A result like those of bench_run."""
    os.makedirs(out, exist_ok=True)
    rows, boot = run_pages(build, out)
    rows |= run_harts(build, out)
    return {"variant": "flat", "tools": bench_run.tools_of(build, boot), "rows": rows}


def series(result, kind, operation):
    """[(pages or harts, row)] of an operation, from the least on."""
    found = [
        (int(words[1]), row)
        for name, row in result["rows"].items()
        if (words := name.split())[0] == kind and words[-1] == operation
    ]
    return sorted(found, key=lambda one: one[0])


def each(row, count):
    """A count a page."""
    return row.get(count, 0) / row["n"]


def judge_pages(operation, points):
    """What rises with the size. A page costs no more than at the first size that is judged."""
    judged = [(size, row) for size, row in points if size >= FROM_PAGES]
    for size, row in judged[1:]:
        for count in ("instructions", *COUNTS):
            first, now = each(judged[0][1], count), each(row, count)
            spare = 0 if count == "instructions" else RISE_COUNT
            if now > first * RISE + spare:
                yield f"{operation}, {size} pages: {now:.4g} {count} a page, {first:.4g} with fewer"


def judge_harts(operation, points):
    """What differs from one hart. Each flush calls the others once, if there are any."""
    for harts, row in points:
        for count in COUNTS:
            if each(row, count) != each(points[0][1], count):
                yield f"{operation}, {harts} harts: {count} is not what one hart takes"
        calls = row["tlb_flush_local"] if harts > 1 else 0
        if row[REMOTE] != calls:
            yield f"{operation}, {harts} harts: {row[REMOTE]} RFENCE calls, not {calls}"


def turn_of(result, work):
    """Instructions between two turns at most; None: not measured."""
    return result["rows"].get(f"turns beside {work}", {}).get("instructions")


def judge_turns(result):
    """Who waits for a turn longer than a slice and a piece of the kernel's work."""
    alone = turn_of(result, "compute")
    for work in TURNS:
        longest = turn_of(result, work)
        if longest is None or alone is None:
            yield f"turns beside {work}: not measured"
        elif longest > alone + TURN_SPARE:
            yield f"turns beside {work}: {longest:,} instructions apart, {alone:,} beside no calls"
    share = turn_of(result, SHARE)
    if share is None or alone is None:
        yield f"turns beside {SHARE}: not measured"
    elif share > SHARE_SLICES * alone:
        yield f"turns beside {SHARE}: a slice's work takes {share:,} instructions"


def judge(result):
    """[failure]"""
    failures = list(judge_turns(result))
    for operation in OPERATIONS:
        pages, harts = (series(result, kind, operation) for kind in ("pages", "harts"))
        if len([size for size, _ in pages if size >= FROM_PAGES]) < 2:
            failures.append(f"{operation}: fewer than two sizes")
        if [one for one, _ in harts] != list(HARTS):
            failures.append(f"{operation}: not all numbers of harts")
            continue
        failures += [*judge_pages(operation, pages), *judge_harts(operation, harts)]
    return failures


def size_told(pages):
    """4 KiB, 2 MiB, 64 GiB"""
    size, unit = pages * bench_run.PAGE_BYTES, "KiB"
    for unit in ("KiB", "MiB", "GiB"):
        size //= 1024
        if size < 1024:
            break
    return f"{size} {unit}"


def cost_told(value):
    return bench_tell.number(value) if value >= 1 else f"{value:.2g}"


def table(result, _verdicts=None):
    """[[cell]]: instructions a page for each size."""
    lines = [["memory", *OPERATIONS]]
    for size, _ in series(result, "pages", OPERATIONS[0]):
        rows = [result["rows"][f"pages {size} {operation}"] for operation in OPERATIONS]
        lines.append([size_told(size), *(cost_told(each(row, "instructions")) for row in rows)])
    return lines


def table_harts(result):
    """[[cell]]: locks, tables and RFENCE calls a page, for each number of harts."""
    lines = [["harts", *OPERATIONS]]
    for harts in HARTS:
        rows = [result["rows"][f"harts {harts} {operation}"] for operation in OPERATIONS]
        cells = (
            ", ".join(f"{each(row, count):.2g}" for count in (*COUNTS[:2], REMOTE)) for row in rows
        )
        lines.append([str(harts), *cells])
    return lines


def table_turns(result):
    """[[cell]]: the longest time between two turns."""
    lines = [["another thread of the hart", "instructions at most"]]
    lines += [[told, bench_tell.number(turn_of(result, work))] for work, told in TURNS.items()]
    share = bench_tell.number(turn_of(result, SHARE))
    return [*lines, ["leaves early, 9 ms each time: until 10 ms are computed", share]]
