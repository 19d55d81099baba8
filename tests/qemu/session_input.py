#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Console input, by interrupt and polled: nothing typed is lost, and idle harts sleep.

  way     the boot report says from which device input comes, and how
  flood   Ctrl-C ends a program behind more bytes than there is room for; the shell goes on
  paste   more lines at once than there is room for, while commands run, are all carried out
  lines   a program gets the line as it stands after erasing, ended by Enter; Ctrl-D is its end
  sleep   while nobody types, harts that run nothing do not look for something to run; polled, one
          of them does

usage: session_input.py [--build build/rv64-debug]     exit status 0: all is as expected
"""

import re
import sys
import time

import session_run
from session_prompt import PROMPT, screen_lines
from session_run import PATIENCE_S, Machine, expect, vellum_qemu

RING_BYTES = 1024  # kernel/console.c
QUIET_S = 2
TOLD_MOST = 20  # interrupts for ten bytes: of each one hart may hear, and another by the first one
LOOKS_EACH = 4  # for one interrupt
LONG = 600  # letters of a line; more than the C library keeps
LINES = 300  # pasted; more than the ring holds

# What is typed to `lines`; what the terminal shows of it; what the program got.
TYPED = [
    ("abc\x7fd\r", "abd", "4 bytes: abd"),
    ("abc\bd\n", "abd", "4 bytes: abd"),
    ("gone\x15a\xe4\x7f\r\n", "a", "2 bytes: a"),
    ("\x7f\r", "", "1 bytes: "),
    ("\x1b\x7fx\r", "x", "2 bytes: x"),
]

# Name; what differs from two harts of virt; what the report says of the device, and of input.
BOOTS = [
    ("virt", {}, "16550 at 0x10000000, stride 1, width 1", "by interrupt 10, PLIC context"),
    ("u74", {"cpu": "u74"}, "16550 at 0x10000000", "by interrupt 10, PLIC context"),
    ("sifive_u", {"machine": "sifive_u"}, "SiFive UART", "by interrupt 4, PLIC context"),
    ("icicle", {"machine": "icicle"}, "16550 at 0x20100000, stride 4, width 4",
     "by interrupt 91, PLIC context"),
    ("polled", {"append": "input=polled"}, "16550 at 0x10000000",
     "polled: input=polled on the command line"),
]  # fmt: skip


def counters(machine):
    """The counters that tell of idle harts and of input."""
    machine.type("counters\r")
    text = machine.wait_for("\n" + PROMPT)
    found = re.findall(r"^ *(\d+) +(idle_looks|console_interrupts)\b", text, re.M)
    return {name: int(value) for value, name in found}


def gained(machine, quiet_s):
    """(looks, interrupts) of a time in which nobody types, and of asking for them."""
    before = counters(machine)
    time.sleep(quiet_s)
    after = counters(machine)
    return [after[name] - before[name] for name in ("idle_looks", "console_interrupts")]


def check_sleep(machine):
    looks, told = gained(machine, QUIET_S)
    expect(0 < told <= TOLD_MOST, f"{told} interrupts of the console for ten bytes")
    expect(looks <= LOOKS_EACH * told, f"{looks} looks of idle harts for {told} interrupts")


def check_polls(machine):
    """Polled, the looks must go beyond what check_sleep allows: else it would see nothing of them.

    A look each 10 ms does so in a second; a slow host gets longer and longer times for it."""
    quiet_s = QUIET_S
    while quiet_s < PATIENCE_S:
        looks, told = gained(machine, quiet_s)
        expect(told == 0, f"polled, and {told} interrupts of the console")
        if looks > LOOKS_EACH * TOLD_MOST:
            return
        quiet_s *= 2
    expect(False, f"polled, and {looks} looks of idle harts in {quiet_s // 2} s")


def check_flood(machine):
    machine.type("steps 1\r")
    machine.wait_for("waits\n")
    machine.type("x" * (3 * RING_BYTES))
    machine.type("\x03")
    machine.wait_for("steps was killed\n")
    machine.type("\x15echo over\r")
    machine.wait_for("\nover\n" + PROMPT)


def check_paste(machine):
    machine.type("".join(f"echo line {i}\r" for i in range(LINES)))
    for i in range(LINES):
        machine.wait_for(f"\nline {i}\n" + PROMPT)


def check_lines(machine, command):
    """What programs read; the end of input ends only the program."""
    machine.type(command + "\r")
    machine.wait_for("Ctrl-D ends\n")
    for typed, shown, got in TYPED:
        machine.type(typed)
        text = machine.wait_for(got + "\n")
        rows = [row.rstrip() for row in screen_lines(text)]
        expect(rows[0] == shown, f"{typed!r} is shown as {rows}")
    machine.type("q" * LONG + "z\r")
    text = machine.wait_for("z\n") + machine.wait_for("z\n")  # as shown, and as told
    expect(text.count("q") == 2 * LONG, f"of a long line came {text!r}")
    machine.type("\x04")
    machine.wait_for("lines: the end\n" + PROMPT)


def session_input(build, changes, device, way):
    boot = vellum_qemu.Boot(build=build, harts=2, **changes)
    with Machine(boot) as machine:
        machine.wait_for(f"  console    {device}")
        machine.wait_for(f"  input      {way}")
        machine.wait_for(PROMPT)
        check_flood(machine)
        check_paste(machine)
        check_lines(machine, "lines")
        check_lines(machine, "lines read")
        if "append" in changes:
            check_polls(machine)
        else:
            check_sleep(machine)
        machine.type("\x04")
        machine.wait_for("vellum: power off, status 0")


def sessions(build):
    """(name, function) of every session."""
    for boot in BOOTS:
        yield f"input: {boot[0]}", lambda boot=boot: session_input(build, *boot[1:])


def run_all(build):
    """Runs every session; returns how many passed and failed."""
    return session_run.run_sessions(sessions(build))


if __name__ == "__main__":
    sys.exit(session_run.main(__doc__, run_all))
