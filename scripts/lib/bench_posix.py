# SPDX-License-Identifier: MIT
"""The third part: user/bench/posix.c on Vellum, beside what it took on a Linux kernel.

Counts instructions by the clock, as it has to on Linux, so all of its rows are in instructions and
each is the middle of several runs. A run that lacks a row is no result.
"""

import os

import bench_run
import bench_tell
import qemu_boot

MEMBERS = ("init", "bin/posix", "bin/nothing")
TITLES = {
    "yield_alone": "sched_yield, nobody else ready",
    "map_write_unmap": "mmap, write, munmap a page",
    "populate": "mmap and write 16 MiB, per page",
    "unmap_64m": "munmap 64 MiB, touched, per page",
    "protect_page": "mprotect a page inside a range",
    "protect_64m_tighten": "mprotect 64 MiB, tightening, per page",
    "protect_64m_loosen": "mprotect 64 MiB, loosening, per page",
    "thread": "pthread_create, pthread_join",
    "program": "posix_spawn, exit, waitpid",
}
LINUX = os.path.join(bench_tell.FOLDER, "posix-linux.json")  # kept by scripts/bench --linux


def rows_of(lines, log):
    """{name: row} from a console; refuses one that lacks a row, or has one without a title."""
    rows = {}
    for line in lines:
        if match := bench_run.LINE_ROW.match(line.strip()):
            rows[match[1]] = bench_run.pairs_of(match[2])
    if differ := sorted(rows.keys() ^ TITLES.keys()):
        raise qemu_boot.Problem(
            f"the program printed other rows than those of scripts/lib/bench_posix.py, see "
            f"{', '.join(differ)}; the whole console is {log}"
        )
    return rows


def run(build, out):
    """Runs the program on the main machine; a result like those of bench_run."""
    os.makedirs(out, exist_ok=True)
    boot = qemu_boot.Boot(
        build=build, initrd=bench_run.pack(build, out, "posix.cpio", MEMBERS), out=out, harts=1,
        memory="1G", counted=True, commands="posix", **bench_run.VARIANTS["plain"],
    )  # fmt: skip
    rows = rows_of(bench_run.console_of(boot, "posix"), boot.out_file("posix.log"))
    return {"variant": "posix", "tools": bench_run.tools_of(build, boot), "rows": rows}


def table(result, _verdicts):
    """[[cell]]: a result beside the rows that are kept of Linux."""
    linux = bench_tell.load(LINUX)["rows"]
    lines = [["operation", "Vellum", "Linux"]]
    for name, title in TITLES.items():
        rows = (result["rows"].get(name), linux.get(name))
        lines.append([title, *(bench_tell.told(row) for row in rows)])
    return lines
