#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What programs in the machine cannot test: how a console is read, and a kernel that panics.

  reader  gives scripts/qemu.py consoles with odd ends, and compares output and status
  panic   breaks the kernel with gdb (a wild jump, on one hart or on all; a stack pointer in the
          guard page) and demands one whole report, its backtrace turned into names by
          scripts/symbolize

usage: session.py [--build build/rv64-debug]     exit status 0: all is as expected
"""

import dataclasses
import os
import subprocess
import sys

import session_run
from session_run import ROOT, Failure, vellum_qemu, with_gdb

# What the console says between "init: begin" and the end; what is output of it, and the status.
OFF = "vellum: power off, status"
CONSOLES = {
    "whole lines": (["one", "", "init: end", f"{OFF} 0"], ["one", ""], 0),
    "an unfinished line": (["oneinit: end", f"{OFF} 2"], ["one"], 2),
    "off in a line": ([f"one{OFF} 3"], ["one"], 3),
    "a program's own words": (
        [f"{OFF} 0", "init: end", "more", "init: end", f"{OFF} 4"], ["init: end", "more"], 4,
    ),
    "no power-off device": (["init: end", f"{OFF} 5", *vellum_qemu.LINES_AFTER], [], 5),
}  # fmt: skip

# What gdb does; what the report must say; whom its backtrace must name first.
BREAKS = {
    "wild jump": (
        ["set $pc = 0x1234"],
        ["PANIC", "0x0000000000001234"],
        "call_plain",
    ),
    "guard page": (
        # The stack of the hart that runs ends below its 16 KiB; go one page further down.
        ["set $sp = (((unsigned long)$sp - 16) & ~0x7fffUL) + 0x3ff0"],
        ["PANIC", "sp is outside of the kernel stack", "nothing"],
        "sys_console_write",
    ),
    "guard page, tables out of reach": (
        # The report runs on the emergency stack and faults there when it reads the tables.
        [
            "set $sp = (((unsigned long)$sp - 16) & ~0x7fffUL) + 0x3ff0",
            "set var 'arch/riscv64/mmu.c'::direct_offset = 0",
        ],
        ["sp is outside of the kernel stack", "cannot be read", "running: thread"],
        "sys_console_write",
    ),
}


def session_reader():
    for name, (lines, output, status) in CONSOLES.items():
        reader = vellum_qemu.Reader(lambda line: None)
        for line in [vellum_qemu.LINE_BEGIN, *lines]:
            reader.line(line)
        got = reader.result.output, reader.result.status, reader.finished
        if got != (output, status, True):
            raise Failure(f"{name}: read as {got}")


def session_panic(boot, commands, wanted, culprit):
    """Stops the kernel in a system call, does the harm, lets it go on, and reads its report."""
    reports = []

    def read(machine, said):
        if "Breakpoint" not in said:
            raise Failure(f"gdb did not stop the kernel:\n{said}")
        machine.wait_for("PANIC")
        machine.wait_for("vellum: power off, status 255")
        reports.append(machine.text[machine.text.index("PANIC") :])

    with_gdb(boot, ["hbreak sys_console_write", "continue", "delete", *commands, "detach"], read)
    report = reports[0]
    for text in wanted:
        if text not in report:
            raise Failure(f"the report lacks {text!r}:\n{report}")
    if report.count("PANIC") != 1:
        raise Failure(f"more than one hart reports:\n{report}")
    symbolize = os.path.join(ROOT, "scripts", "symbolize")
    named = subprocess.run(
        [sys.executable, symbolize, "--elf", os.path.join(boot.build, "vellum.elf")],
        input=report, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    first = named.partition("\nbacktrace:\n")[2].partition("\n")[0]
    if culprit not in first:
        raise Failure(f"the backtrace begins with {first!r}, not with {culprit} in\n{named}")


def sessions(build):
    """(name, function) of every session."""
    boot = vellum_qemu.Boot(build=build)
    yield "reader", session_reader
    one_hart = dataclasses.replace(boot, harts=1, commands="run hello")
    for name, what in BREAKS.items():
        yield f"panic: {name}", lambda what=what: session_panic(one_hart, *what)
    four_harts = dataclasses.replace(boot, harts=4)
    every = ["thread apply all set $pc = 0x1234"], ["PANIC", "\nhart "], "syscall.c"
    yield "panic: four harts at once", lambda: session_panic(four_harts, *every)


def run_all(build):
    """Runs every session; returns how many passed and failed."""
    return session_run.run_sessions(sessions(build))


if __name__ == "__main__":
    sys.exit(session_run.main(__doc__, run_all))
