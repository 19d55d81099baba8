#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the shell shows of address spaces, compared with what must be there.

  spaces  vmmap and ptdump of a program whose memory is known
  objects a program that maps a memory object in several ways
  large   a program with pages of 2 MiB: whole, split, to come
  own     the shell's own tables, which ptdump changes while it looks
  crowd   a program with 4000 ranges, and one with 5000

usage: session_spaces.py [--build build/rv64-debug]     exit status 0: all is as expected
"""

import re
import sys

import session_run
from session_prompt import Shell, expect_line
from session_run import Machine, expect, vellum_qemu

STEPS = 3  # of the program `steps`: 2^i pages at FIRST + i GiB
FIRST = 0x2000000000
PAGE = 0x1000
STACK_TOP = 0x3FFFFFF000
PAGES_START, PAGES_END = 0x1800000000, 0x2000000000  # where ptdump keeps its lines


def range_rows(lines):
    """(address, size, rights, use) of the rows of vmmap that are no gaps."""
    rows = [line.split() for line in lines if line.startswith("0x")]
    return [(int(row[0], 16), *row[1:4]) for row in rows]


def size_text(size):
    """A size as vmmap writes it."""
    unit = (size.bit_length() - 1) // 10
    whole, rest = divmod(size, 1 << 10 * unit)
    tenths = f".{(rest >> 10 * unit - 10) * 10 >> 10}" if rest else ""
    return f"{whole}{tenths}{'BKMGTPE'[unit]}"


def gaps_of(rows):
    """What vmmap must write of the gaps below rows whose sizes are whole K."""
    gaps, end = [], 0
    for address, size, *_ in rows:
        gaps += [size_text(address - end)] if address > end else []
        end = address + int(size.rstrip("K")) * 1024
    return gaps


def digits_of(dump):
    """How many digits the addresses of a dump have."""
    return len(re.search(r"node 0x([0-9a-f]+) ", "\n".join(dump))[1])


def dump_records(lines):
    """(level, kind, address, entries) of the lines of ptdump."""
    pattern = re.compile(r"[-+]? *L(\d) (\w+) 0x([0-9a-f]+) .*?(?:(\d+) x \w+.*)?$")
    found = [pattern.match(line) for line in lines if not line.startswith("#")]
    return [(int(m[1]), m[2], int(m[3], 16), int(m[4] or 1)) for m in found]


def session_spaces(boot):
    with Machine(boot) as machine:
        shell = Shell(machine)
        shell.start(f"steps {STEPS}", "waits\n")
        picture = shell.run("vmmap steps")
        rows = range_rows(picture)
        for i in range(STEPS):
            wanted = FIRST + (i << 30), f"{4 << i}K", "rw-", "own"
            expect(wanted in rows, f"vmmap lacks {wanted}", picture)
        expect([row[3] for row in rows][:3] == ["code", "constants", "data"], "vmmap", picture)
        expect([row[2] for row in rows][:3] == ["r-x", "r--", "rw-"], "vmmap", picture)
        expect([row[2:] for row in rows[-3:]] == [("---", "guard"), ("rw-", "reserved"), ("rw-", "stack")],
               "vmmap", picture)  # fmt: skip
        expect(rows[-3][0] == STACK_TOP - 68 * 1024 and rows[-2][0] == rows[-3][0] + PAGE, "stack", picture)
        gaps = [line.split()[0] for line in picture if line.startswith(" ")]
        expect(gaps[:-1] == gaps_of(rows), f"gaps are {gaps}, not {gaps_of(rows)}", picture)
        bars = {line.split()[1]: line.split()[-1] for line in picture if " own " in line}
        expect(len(bars["4K"]) < len(bars["16K"]) and set(bars["16K"]) == {"w"}, "bars", picture)

        dump = dump_records(shell.run("ptdump steps"))
        pages = sum(count for _, kind, _, count in dump if kind == "leaf")
        nodes = [level for level, kind, _, _ in dump if kind == "node"]
        text = "\n".join(picture)
        expect(f": {pages} pages, " in text, f"ptdump shows {pages} pages, vmmap", picture)
        expect(f" in {len(nodes)} nodes:" in text, f"ptdump shows {len(nodes)} nodes, vmmap", picture)
        for level in set(nodes):
            expect(re.search(rf" L{level}:{nodes.count(level)}\b", text), f"nodes of L{level}", picture)
        for i in range(STEPS):
            run = [r for r in dump if r[1] == "leaf" and FIRST <= r[2] - (i << 30) < FIRST + (1 << 30)]
            expect(sum(r[3] for r in run) == 1 << i, f"step {i} in the dump: {run}")
        expect_line(shell.run("ptdump --diff steps"), f"# 0 gone, 0 new, {len(dump)} as before")
        expect(any("the dump kept is of steps" in line for line in shell.run("ptdump --diff init")),
               "a difference between two processes")  # fmt: skip


def session_objects(boot):
    """`shares` maps an object of 4M in four ways, a GiB apart, and uses two pages of three of them."""
    with Machine(boot) as machine:
        shell = Shell(machine)
        shell.start("shares", "waits\n")
        picture = shell.run("vmmap shares")
        dump = shell.run("ptdump shares")
        shell.run("kill shares")
    rows = range_rows(picture)
    for i, (rights, used, paged) in enumerate(
        [("rw-", "shared", "paged"), ("r--", "view", "paged view"), ("rw-", "own", "paged")]
    ):
        start = FIRST + (i << 30)
        for wanted in ((start, "8K", rights, used), (start + 2 * PAGE, "1.9M", rights, "paged")):
            expect(wanted in rows, f"vmmap lacks {wanted}", picture)
        expect(any(line.startswith(f"{start + (2 << 20):#x} ") and f" {paged} " in line for line in picture),
               f"vmmap lacks {paged}", picture)  # fmt: skip
    whose = ["", " view", " private"]
    for i, word in enumerate(whose):
        text = f"L1 paged 0x{{:0{digits_of(dump)}x}} {'r--' if i == 1 else 'rw-'} 1 x 2M slot 0 page 0x200{word}"
        expect(any(line.strip() == text.format(FIRST + (i << 30) + (2 << 20)) for line in dump), text, dump)
    expect(any(line.strip().endswith("--- 2 x 2M slot 0 page 0x0") for line in dump), "no rights yet", dump)
    views = [line for line in dump if " leaf " in line and line.endswith(" view")]
    expect(len(views) == 1 and "DA-U--RV 2 x 4K" in views[0], "two pages of a view", dump)


def session_large(boot):
    """`large` has two pages of 2M, one that a protected page in it has split, and four to come."""
    with Machine(boot) as machine:
        shell = Shell(machine)
        shell.start("large", "waits\n")
        picture = shell.run("vmmap large")
        dump = shell.run("ptdump large")
        shell.run("kill large")
    whole, split, later = (FIRST + (i << 30) for i in range(3))
    for start, *words in (
        (whole, "4M", "rw-", "own", "2M", "1024"),
        (split, "1M", "rw-", "own", "4K", "256"),
        (split + (1 << 20), "4K", "r--", "own", "4K", "1"),
        (split + (1 << 20) + PAGE, "1020K", "rw-", "own", "4K", "255"),
        (later, "2M", "rw-", "2M", "to", "come", "2M", "0"),
        (later + (2 << 20), "2M", "rw-", "own", "2M", "512"),
        (later + (4 << 20), "4M", "rw-", "2M", "to", "come", "2M", "0"),
    ):
        wanted = " ".join([f"{start:#x}", *words])
        expect(any(" ".join(line.split()).startswith(wanted + " ") for line in picture), wanted, picture)
    lines = [re.sub(r" 0x[0-9a-f]+ (to 0x[0-9a-f]+ )?", " ", line.strip()) for line in dump]
    expect("L1 leaf DA-U-WRV 2 x 2M rsw2" in lines or lines.count("L1 leaf DA-U-WRV 1 x 2M rsw2") == 3,
           "pages of 2M", dump)  # fmt: skip
    for wanted in ("L1 reserved rw- 1 x 2M as 2M private", "L1 reserved rw- 2 x 2M as 2M private"):
        expect(wanted in lines, wanted, dump)


def session_own(boot):
    """The shell's own tables change by what ptdump itself holds: pages to work in, others each time,
    and one page for the dump kept."""
    with Machine(boot) as machine:
        shell = Shell(machine)
        shell.run("ptdump init")  # the first one maps the page for the dump kept
        shell.run("ptdump init")
        diff = shell.run("ptdump --diff init")
    gone = dump_records([line for line in diff if line.startswith("-")])
    new = dump_records([line for line in diff if line.startswith("+")])
    for level, _, address, count in gone + new:
        expect(level == 0 and PAGES_START <= address < PAGES_END - count * PAGE, "diff", diff)
    pages = [sum(record[3] for record in side) for side in (gone, new)]
    expect(pages[0] == pages[1] > 0, f"{pages[0]} pages are gone, {pages[1]} are new", diff)


def crowd_of(count):
    """Addresses of the single pages that `steps N COUNT` maps."""
    return {FIRST + (64 << 30) + 2 * i * PAGE for i in range(count)}


def leaves_of(dump):
    """First addresses of the leaf runs of a dump."""
    return {record[2] for record in dump_records(dump) if record[1] == "leaf"}


def session_crowd(boot):
    """A space of 4000 ranges is drawn in a bounded picture; its dump comes in parts."""
    with Machine(boot) as machine:
        check_crowd(Shell(machine))


def check_crowd(shell):
    shell.start("steps 1 4000", "waits\n")
    picture = shell.run("vmmap steps")
    expect(len(picture) < 105, f"vmmap of a crowd has {len(picture)} lines")
    expect(any(line.startswith("mapped 15.6M and marked ") and " in 4007 ranges" in line for line in picture), "vmmap", picture)
    expect(leaves_of(shell.run("ptdump steps")) >= crowd_of(4000), "pages of the crowd are missing")
    shell.run("kill steps")
    shell.start("steps 1 5000", "waits\n")
    dump = shell.run("ptdump steps")
    more = re.match(r"# more: (ptdump \d+ 0x[0-9a-f]+)$", dump[-1])
    expect(more and len(dump_records(dump)) == 4096, "a long dump", dump[-3:])
    missing = crowd_of(5000) - leaves_of(dump) - leaves_of(shell.run(more[1]))
    expect(not missing, f"{len(missing)} pages of the crowd are in neither part")
    shell.run("kill steps")


def sessions(boot):
    """(name, function) of every session."""
    for session in (session_spaces, session_objects, session_large, session_own, session_crowd):
        yield session.__name__.replace("session_", "shell: "), lambda session=session: session(boot)


def run_all(build):
    """Runs every session; returns how many passed and failed."""
    return session_run.run_sessions(sessions(vellum_qemu.Boot(build=build)))


if __name__ == "__main__":
    sys.exit(session_run.main(__doc__, run_all))
