# SPDX-License-Identifier: MIT
"""The second part: what operations cost other harts, in SBI RFENCE calls and interrupted harts.

tests/qemu/t_fence_counts.c counts them: one thread works, the others of its process keep their
harts in user mode, or have left. Rows are "HARTS WHAT"; all numbers are exact.
"""

import os
import re

import bench_run
import qemu_boot

HARTS = (2, 4, 8)
LINE = re.compile(r"\s*# fences (\d+) ([^:]+): (\d+) (\d+)$")
TEST = "test/t_fence_counts"
EXCUSE = "fences: "  # before the names in exceptions.json

# What an operation may cost: RFENCE calls, whatever the number of harts.
BUDGETS = {
    "map a page": 0,
    "map 256 pages": 0,
    "map 4 MiB": 0,
    "map an executable page": 1,
    "make a page executable": 1,
    "make 256 pages executable": 2,  # W goes as well: a fence for each
    "icache_sync": 1,
    "replace a page": 1,
    "unmap nothing": 0,
    "unmap a touched page": 1,
    "unmap an executable page": 1,
    "unmap 256 pages": 1,
    "unmap touched 4 MiB": 1,
    "tighten a page": 1,
    "tighten 256 pages": 1,
    "tighten 4 MiB": 1,
    "take X away": 1,
    "loosen a page": 0,
    "loosen 256 pages": 0,
    "loosen 4 MiB": 0,
    "reserve a page": 0,
    "first write to it": 0,
    "unmap it": 1,
    "reserve a page again": 0,
    "first read of it": 0,
    "write to it then": 1,
    "unmap it again": 1,
    "reserve an executable page": 0,
    "first read of that": 1,  # the fence.i of a first executable mapping
    "unmap that": 1,
    "map a page to move": 0,
    "move a page": 1,
    "unmap a moved page": 1,
    "map 4 MiB to move": 0,
    "move 4 MiB": 1,
    "unmap moved 4 MiB": 1,
    "map 32 pages": 0,
    "vm_txn of 16 unmaps in one range": 1,
    "map 32 pages again": 0,
    "vm_txn of a protect, an unmap and a mark": 1,
    "unmap those": 1,
    "unmap a page, no other hart there": 0,
    "unmap a page, one other hart there": 1,
    "unmap a page, two other harts there": 1,
    "all others return": 0,
    "all others but one return": 0,
    "all others but two return": 0,
}
# Harts that run the space beside the one that works, where it is not all others.
PRESENT = {
    "unmap a page, no other hart there": 0,
    "unmap a page, one other hart there": 1,
    "unmap a page, two other harts there": 2,
}


def boot_of(harts, build, out):
    initrd = bench_run.pack(build, out, "fences.cpio", ("init", TEST))
    return qemu_boot.Boot(
        build=build, initrd=initrd, out=out, harts=harts, memory="128M",
        commands="test fence_counts",
    )  # fmt: skip


def run(build, out):
    """Runs the test on each number of harts; a result like those of bench_run."""
    os.makedirs(out, exist_ok=True)
    rows = {}
    for harts in HARTS:
        boot = boot_of(harts, build, out)
        for line in bench_run.console_of(boot, f"fences-{harts}"):
            if match := LINE.match(line):
                name = f"{match[1]} {match[2]}"
                rows[name] = {"n": 1, "rfence": int(match[3]), "interrupted": int(match[4])}
    tools = bench_run.tools_of(build, boot)
    return {"variant": "harts", "tools": tools, "rows": rows}


def present(harts, what):
    """How many harts run the space beside the one that works."""
    return PRESENT.get(what, harts - 1)


def what_of(name):
    """A row's name without its number of harts."""
    return name.split(maxsplit=1)[1]


def most_of(result):
    """{operation: most RFENCE calls with any number of harts}"""
    most = {}
    for name, row in result["rows"].items():
        most[what_of(name)] = max(row["rfence"], most.get(what_of(name), 0))
    return most


def judge(result, excused):
    """({row: verdict}, [failure]): the budgets for calls, and for the harts they interrupt."""
    verdicts, failures = {}, []
    for name, row in result["rows"].items():
        harts, what = int(name.split()[0]), what_of(name)
        if what not in BUDGETS:
            failures.append(f"{name}: has no budget in scripts/lib/bench_harts.py")
            continue
        allowed = excused.get(EXCUSE + what, {}).get("count", BUDGETS[what])
        verdicts[name] = "good" if row["rfence"] <= BUDGETS[what] else "excused"
        if row["rfence"] > allowed:
            verdicts[name] = "OVER"
            failures.append(f"{name}: {row['rfence']} RFENCE calls, {allowed} are allowed")
        if row["interrupted"] > row["rfence"] * present(harts, what):
            verdicts[name] = "OVER"
            failures.append(f"{name}: {row['interrupted']} harts interrupted, more than run it")
    most = most_of(result)
    failures += [f"no row {what}" for what in BUDGETS if what not in most]
    failures += [
        f"{name}: within the budget, or no row: take it out of exceptions.json"
        for name in excused
        if name.startswith(EXCUSE) and most.get(name.removeprefix(EXCUSE), 0) <= budget_of(name)
    ]
    return verdicts, failures


def budget_of(name):
    return BUDGETS.get(name.removeprefix(EXCUSE), 0)


def standing(result):
    """{name in exceptions.json: (count, budget)}"""
    most = most_of(result)
    return {EXCUSE + what: (most[what], BUDGETS[what]) for what in most.keys() & BUDGETS.keys()}


def table(result, verdicts):
    """[[cell]]: calls and interrupted harts for each number of harts."""
    lines = [["operation", "budget", *(f"{harts} harts" for harts in HARTS), ""]]
    for what, budget in BUDGETS.items():
        rows = [result["rows"].get(f"{harts} {what}") for harts in HARTS]
        told = [f"{row['rfence']} ({row['interrupted']})" if row else "" for row in rows]
        words = {verdicts.get(f"{harts} {what}", "") for harts in HARTS}
        worst = next((word for word in ("OVER", "excused", "good") if word in words), "")
        lines.append([what, str(budget), *told, worst])
    return lines
