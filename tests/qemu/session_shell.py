#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Typing at the shell as a person does: what it does with keys, and whether what it shows is true.

  lines     keys, history, completion, quotes, paste, bytes that are no text; Ctrl-D turns off
  widths    a terminal of 40 columns that tells its width: lines scroll, tables fit
  programs  Ctrl-C, background programs, ps, kill, a program that faults
  piped     input that is no terminal is typed whole, and its end turns the machine off
  counts    count, audit and free: nothing is counted that was not done, nothing is lost

usage: session_shell.py [--build build/rv64-debug]     exit status 0: all is as expected
"""

import os
import re
import subprocess
import sys

import session_run
from session_prompt import PROMPT, Shell, expect_line, screen_lines
from session_run import Machine, expect, vellum_qemu

LEFT, RIGHT, UP, DOWN = "\x1b[D", "\x1b[C", "\x1b[A", "\x1b[B"
TRIES = 100  # each is a whole command, and the program that is waited for is about to wait

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


def check_waits(shell, number):
    """ps -t must show that `steps` waits. It says so before it does, so ask again meanwhile."""
    wanted = ["in", "futex_wait", "steps"]
    for _ in range(TRIES):
        threads = [line.split() for line in shell.run("ps -t")]
        expect(threads[2][0] == number and threads[2][-1] == "steps", "ps -t", map(str, threads))
        if threads[2][4:] == wanted:
            return
    expect(False, f"ps -t never says {wanted}", map(str, threads))


def session_programs(boot):
    with Machine(boot) as machine:
        shell = Shell(machine)
        machine.type("steps 2\r")
        machine.wait_for("steps: 2 taken; waits\n")
        machine.type("\x03")
        machine.wait_for("steps was killed\n" + PROMPT)
        expect_line(shell.run("echo alive"), "alive")
        expect_line(shell.run("run faulty"), "faulty wrote to 0x2000000000 at pc 0x10040")
        expect_line(shell.run("bench nonsense"), "bench ended with status 1")
        shell.start("steps 1", "steps: 1 taken; waits\n")
        rows = [line.split() for line in shell.run("ps")]
        expect(rows[0] == "PID PARENT THREADS HANDLES USED BUDGET ON HART NAME".split(), "ps begins with", rows[0])
        init, steps = rows[1], rows[2]
        expect(len(rows) == 3 and init[7] == "init" and init[1] == "0", "ps", map(str, rows))
        expect(steps[7] == "steps" and steps[1] == init[0] and steps[2:4] == ["1", "3"],
               "ps", map(str, rows))  # fmt: skip
        check_waits(shell, steps[0])
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


# What is piped in, the lines that must come, and the exit status.
PIPED = [
    ("echo first byte\nlines\nabc\ndef", ["first byte", "4 bytes: abc", "4 bytes: def",
                                          "lines: the end"], 0),
    ("poweroff 3\necho never\n", [], 3),
    ("", [], 0),
]  # fmt: skip


def session_piped(boot):
    words = [sys.executable, os.path.join(session_run.ROOT, "scripts", "qemu.py")]
    for piped, wanted, status in PIPED:
        done = subprocess.run(
            [*words, "--build", boot.build], input=piped, capture_output=True, text=True,
            timeout=session_run.PATIENCE_S, check=False,
        )  # fmt: skip
        lines = screen_lines(done.stdout.replace("\r", ""))
        expect(done.returncode == status, f"{piped!r}: status {done.returncode}", lines[-20:])
        for line in [*wanted, f"vellum: power off, status {status}"]:
            expect_line(lines, line)
        expect("never" not in lines, "a command runs after poweroff", lines)


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
    for session in (session_lines, session_widths, session_programs, session_piped,
                    session_counts):
        name = session.__name__.replace("_", ": ", 1).replace("session", "shell")
        yield name, lambda session=session: session(boot)


def run_all(build):
    """Runs every session; returns how many passed and failed."""
    return session_run.run_sessions(sessions(vellum_qemu.Boot(build=build)))


if __name__ == "__main__":
    sys.exit(session_run.main(__doc__, run_all))
