#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Console input, by interrupt and polled: nothing typed is lost, and idle harts sleep.

  way     the boot report says how input comes
  flood   Ctrl-C ends a program behind more bytes than there is room for; the shell goes on
  paste   more lines at once than there is room for, while commands run, are all carried out
  sleep   while nobody types, harts that run nothing do not look for something to run; polled, one
          of them does

usage: session_input.py [--build build/rv64-debug]     exit status 0: all is as expected
"""

import argparse
import os
import re
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
sys.path.insert(0, os.path.join(ROOT, "tests", "qemu"))
import qemu as vellum_qemu  # noqa: E402
from session import Failure, Machine  # noqa: E402

PROMPT = "vellum> "
RING_BYTES = 1024  # kernel/console.c
QUIET_S = 2  # a poll each 10 ms would be 200 looks
LINES = 300  # pasted; more than the ring holds

# Name; what differs from two harts of virt; what the report says of input.
BOOTS = [
    ("virt", {}, "by interrupt 10, PLIC context"),
    ("u74", {"cpu": "u74"}, "by interrupt 10, PLIC context"),
    ("sifive_u", {"machine": "sifive_u"}, "by interrupt 4, PLIC context"),
    ("polled", {"append": "input=polled"}, "polled: input=polled on the command line"),
]


def expect(condition, what):
    if not condition:
        raise Failure(what)


def counters(machine):
    """The counters that tell of idle harts and of input."""
    machine.type("counters\r")
    text = machine.wait_for("\n" + PROMPT)
    found = dict(re.findall(r"^ *(\d+) +(idle_looks|console_interrupts)\b", text, re.M))
    return {name: int(value) for value, name in found.items()}


def check_sleep(machine, is_polled):
    before = counters(machine)
    time.sleep(QUIET_S)
    after = counters(machine)
    looks, told = (after[name] - before[name] for name in ("idle_looks", "console_interrupts"))
    if is_polled:
        expect(told == 0, f"polled, and {told} interrupts of the console")
    else:
        # Of each byte one hart may hear by its interrupt and another by the first one's.
        expect(0 < told <= 20, f"{told} interrupts of the console for ten bytes")
        expect(looks <= 4 * told, f"{looks} looks of idle harts for {told} interrupts")


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


def session_input(build, changes, way):
    boot = vellum_qemu.Boot(build=build, harts=2, **changes)
    with Machine(boot) as machine:
        machine.wait_for(f"  input      {way}")
        machine.wait_for(PROMPT)
        check_flood(machine)
        check_paste(machine)
        check_sleep(machine, "append" in changes)
        machine.type("\x04")
        machine.wait_for("vellum: power off, status 0")


def run_all(build):
    """Prints a line for each session; returns how many passed and failed."""
    failed = 0
    for name, changes, way in BOOTS:
        try:
            session_input(build, changes, way)
            print(f"  ok      input: {name}")
        except Failure as failure:
            failed += 1
            print(f"  FAILED  input: {name}: {failure}")
    return len(BOOTS) - failed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "rv64-debug"))
    passed, failed = run_all(parser.parse_args().build)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
