#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Typing at the shell as a person does: what it does with keys, and whether what it shows is true.

  lines     keys, history, completion, quotes, paste, bytes that are no text; Ctrl-D turns off
  widths    a terminal of 40 columns that tells its width: lines scroll, tables fit
  programs  Ctrl-C, background programs, ps, kill, a program that faults
  spaces    vmmap and ptdump of a program whose memory is known, and of one with 4000 ranges
  counts    count, audit and free: nothing is counted that was not done, nothing is lost

usage: session_shell.py [--build build/rv64-debug]     exit status 0: all is as expected
"""

import argparse
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
sys.path.insert(0, os.path.join(ROOT, "tests", "qemu"))
import qemu as vellum_qemu  # noqa: E402
from session import Failure, Machine  # noqa: E402

PROMPT = "vellum> "
ESCAPE = re.compile(r"\x1b(\[[0-9;]*[A-Za-z]|[78])")
LEFT, RIGHT, UP, DOWN = "\x1b[D", "\x1b[C", "\x1b[A", "\x1b[B"

# What is typed, and a line that the shell must answer with.
TYPED = [
    ("echo one two\r", "one two"),
    ("echo mistakf\x7fe\r", "mistake"),
    (f"echo acd{LEFT}{LEFT}b\r", "abcd"),
    (f"echo abd{LEFT}{LEFT}{RIGHT}c\r", "abcd"),
    ("cho home\x1b[He\r", "home"),
    ("cho ctrl-a\x01\x01e\x05-e\r", "ctrl-a-e"),  # QEMU takes a single Ctrl-A for itself
    ("nonsense\x15echo again\r", "again"),
    (f"echo cut here{LEFT}{LEFT}{LEFT}{LEFT}\x0b\r", "cut"),
    ("echo one two\x17three\r", "one three"),
    (f"echo delete{LEFT}{LEFT}\x04\r", "delee"),
    ("half a line\x03", ""),
    (f"{UP}{UP}\r", "one three"),
    (f"echo kept{UP}{UP}{UP}{DOWN}{DOWN}{DOWN}!\r", "kept!"),
    ("echo a\x1b[24~\x1b[?1;2c\x1b]0;x\x07b\r", "ab"),
    ("echo \xe4\x7f\xf6o\r", "\xf6o"),
    ("echo [\xff\x80]\x7f\x7f\x7f]\r", "[]"),
    ('echo "two  blanks; not two commands & not one behind"\r',
     "two  blanks; not two commands & not one behind"),
    ('echo "open\r', 'a quote is not closed: "..."'),
    ("echo one; echo two\r", "two"),
    ("no-such-program-there-is\r",
     "no-such-program-there-is: no such command or program; help lists the commands, ls the "
     "programs"),
    ("hlep\r", "hlep: no such command or program; did you mean help?"),
    ("run\r", "usage: run PROG [ARG...] [&]; help run tells more"),
    ("run hel\t arg\r", "argument 1: arg"),
    ("hell\targ\r", "argument 1: arg"),
    ("count ech\tx\r", "x"),
    ("history x\r", "usage: history; help history tells more"),
    ("echo " + "long" * 60 + "\r", "long" * 60),
]  # fmt: skip

STEPS = 3  # of the program `steps`: 2^i pages at FIRST + i GiB
FIRST = 0x2000000000
PAGE = 0x1000
PAGES_START, PAGES_END = 0x1800000000, 0x2000000000  # where ptdump keeps its lines


def screen_lines(text):
    """The rows that a terminal shows for this text; none may reach behind its end."""
    rows = []
    for line in ESCAPE.sub("", text).replace("\a", "").split("\n"):
        row, at = [], 0
        for letter in line:
            if letter == "\b":
                at -= 1
                continue
            row[at : at + 1] = [letter]
            at += 1
        rows.append("".join(row))
    return rows


class Shell:
    """The shell of a machine, at its prompt."""

    def __init__(self, machine):
        self.machine = machine
        machine.wait_for(PROMPT)

    def ask(self, typed):
        """Types, waits for the next prompt, and returns the lines between, the typed one first."""
        self.machine.type(typed)
        return screen_lines(PROMPT + self.machine.wait_for("\n" + PROMPT))

    def start(self, command, text):
        """Starts a program in the background that prints this text, before the prompt or after."""
        begin = self.machine.seen
        self.machine.type(f"{command} &\r")
        self.machine.wait_for(text)
        end, self.machine.seen = self.machine.seen, begin
        self.machine.wait_for("\n" + PROMPT)
        self.machine.seen = max(self.machine.seen, end)

    def run(self, command):
        """What a command prints."""
        lines = self.ask(command + "\r")
        if lines[0] != PROMPT + command:
            raise Failure(f"{command!r} is shown as {lines[0]!r}")
        return lines[1:]


def expect(condition, what, lines=()):
    if not condition:
        raise Failure("\n".join([what, *lines]))


def expect_line(lines, wanted):
    expect(wanted in lines, f"there is no line {wanted!r} in", lines)


def session_lines(boot):
    with Machine(boot) as machine:
        shell = Shell(machine)
        for typed, answer in TYPED:
            lines = shell.ask(typed)
            expect(answer in lines[1:] or not answer, f"{typed!r} was answered by", lines)
            expect(max(map(len, lines[:1])) < 80, f"{typed!r} reaches column 80", lines)
        machine.type("hel\t")
        listed = machine.wait_for("\n" + PROMPT + "hel")
        expect(screen_lines(listed)[1].split() == ["hello", "help"], "completion lists", [listed])
        machine.type("p help\r")
        expect("Tab" in machine.wait_for("\n" + PROMPT), "help help does not tell of Tab")
        machine.type("echo pasted 1\recho pasted 2\r\necho pasted 3\n")
        for i in "123":
            machine.wait_for(f"\npasted {i}\n" + PROMPT)
        machine.type("\x04")
        machine.wait_for("vellum: power off, status 0")


def session_widths(boot):
    with Machine(boot) as machine:
        shell = Shell(machine)
        machine.type("\x1b[24;")  # the answer comes in pieces
        machine.type("40R")
        long = "echo " + "0123456789" * 5
        machine.type(long)
        machine.wait_for("<")
        machine.type("\r")
        lines = screen_lines(machine.wait_for("\n" + PROMPT))
        expect_line(lines, "0123456789" * 5)
        for command in ("vmmap init", "help", "help help", "counters tlb"):
            lines = shell.run(command)
            widest = max(lines, key=len)
            expect(len(widest) < 40, f"{command}: {len(widest)} columns", [widest])


def session_programs(boot):
    with Machine(boot) as machine:
        shell = Shell(machine)
        machine.type("steps 2\r")
        machine.wait_for("steps: 2 taken; waits\n")
        machine.type("\x03")
        machine.wait_for("steps was killed\n" + PROMPT)
        expect_line(shell.run("echo alive"), "alive")
        expect_line(shell.run("run faulty"), "faulty wrote to 0x2000000000 at pc 0x10040")
        shell.start("steps 1", "steps: 1 taken; waits\n")
        rows = [line.split() for line in shell.run("ps")]
        expect(rows[0] == "PID PARENT THREADS HANDLES ON HART NAME".split(), "ps begins with", rows[0])
        init, steps = rows[1], rows[2]
        expect(len(rows) == 3 and init[5] == "init" and init[1] == "0", "ps", map(str, rows))
        expect(steps[5] == "steps" and steps[1] == init[0] and steps[2:5] == ["1", "3", "-"],
               "ps", map(str, rows))  # fmt: skip
        threads = [line.split() for line in shell.run("ps -t")]
        expect(threads[2][0] == steps[0] and threads[2][4:] == ["in", "futex_wait", "steps"],
               "ps -t", map(str, threads))  # fmt: skip
        expect_line(shell.run("kill init"),
                    f"kill: {init[0]} is this shell; poweroff turns the machine off")  # fmt: skip
        expect_line(shell.run("kill 4711"),
                    "kill: no process has the number 4711; ps shows those there are")  # fmt: skip
        expect_line(shell.run("kill steps"), f"{steps[0]} steps was killed")
        expect(len(shell.run("ps")) == 2, "a killed process stays")
        expect_line(shell.run("vmmap steps"),
                    "vmmap: no process has the name steps; ps shows those there are")  # fmt: skip
        expect_line(shell.run("ls &"),
                    "ls: no such program; only programs can run in the background")  # fmt: skip


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
        expect(rows[-1][1:] == ("64K", "rw-", "stack"), "vmmap", picture)
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
        session_own_dump(shell)
        shell.run("kill steps")
        session_crowd(shell)


def session_own_dump(shell):
    """The shell's own tables change by what ptdump itself holds: pages to work in, others each time,
    and one page for the dump kept."""
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


def session_crowd(shell):
    """A space of 4000 ranges is drawn in a bounded picture; its dump comes in parts."""
    shell.start("steps 1 4000", "waits\n")
    picture = shell.run("vmmap steps")
    expect(len(picture) < 105, f"vmmap of a crowd has {len(picture)} lines")
    expect(any(line.startswith("mapped 15.7M in 4005 ranges") for line in picture), "vmmap", picture)
    expect(leaves_of(shell.run("ptdump steps")) >= crowd_of(4000), "pages of the crowd are missing")
    shell.run("kill steps")
    shell.start("steps 1 5000", "waits\n")
    dump = shell.run("ptdump steps")
    more = re.match(r"# more: (ptdump \d+ 0x[0-9a-f]+)$", dump[-1])
    expect(more and len(dump_records(dump)) == 4096, "a long dump", dump[-3:])
    missing = crowd_of(5000) - leaves_of(dump) - leaves_of(shell.run(more[1]))
    expect(not missing, f"{len(missing)} pages of the crowd are in neither part")
    shell.run("kill steps")


def counted(lines):
    """Counters that `count` shows."""
    rows = [line.split() for line in lines if re.match(r" +\d+  \w+", line)]
    return {row[1]: int(row[0]) for row in rows}


def session_counts(boot):
    with Machine(boot) as machine:
        shell = Shell(machine)
        shell.run("ptdump init")
        before = shell.run("free")
        echo = counted(shell.run("count echo one line"))
        # One call writes the line.  A timer interrupt may come at any time.
        expect(echo.get("syscalls") == 1 and "frames_allocated" not in echo, f"count echo: {echo}")
        hello = counted(shell.run("count hello"))
        for gained, lost in (("frames_allocated", "frames_freed"),
                             ("tables_allocated", "tables_freed")):  # fmt: skip
            expect(hello[gained] == hello[lost] > 0, f"count hello: {gained} and {lost}: {hello}")
        lines = [line for line in shell.run("counters") if re.match(r" +\d", line)]
        names = {line.split()[1] for line in lines}
        expect(len(lines) > 30 and len(names) == len(lines), "counters", lines)
        silent = [line for line in lines if len(line.split()) < 3]
        expect(not silent, "counters without a meaning", silent)
        audit = shell.run("audit")
        expect(audit[0].split() == ["1", "init:", "well"] and audit[-1] == "audit: all is well",
               "audit", audit)  # fmt: skip
        for command in ("vmmap init", "help", "ls", "devices", "harts", "test time", "ps -t",
                        "count count ls", "ptdump init"):  # fmt: skip
            shell.run(command)
        expect(shell.run("free") == before, "memory was lost", [*before, *shell.run("free")])
        machine.type("poweroff 3\r")
        machine.wait_for("vellum: power off, status 3")


def sessions(boot):
    """(name, function) of every session."""
    for session in (session_lines, session_widths, session_programs, session_spaces, session_counts):
        name = session.__name__.replace("_", ": ", 1).replace("session", "shell")
        yield name, lambda session=session: session(boot)


def run_all(build):
    """Runs every session; returns how many passed and failed."""
    boot = vellum_qemu.Boot(build=build)
    vellum_qemu.check(boot)
    counts = [0, 0]
    for name, function in sessions(boot):
        try:
            function()
            print(f"  ok      {name}")
            counts[0] += 1
        except (Failure, subprocess.SubprocessError) as failure:
            print(f"  FAILED  {name}: {failure}")
            counts[1] += 1
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "rv64-debug"))
    passed, failed = run_all(parser.parse_args().build)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
