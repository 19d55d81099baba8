#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What programs in the machine cannot test: how a console is read, and a kernel that panics.

  reader  gives scripts/qemu.py consoles with odd ends, and compares output and status
  panic   breaks the kernel with gdb (a wild jump, on one hart or on all; a stack pointer in the
          guard page) and demands one whole report, its backtrace turned into names by
          scripts/symbolize

usage: session.py [--build build/rv64-debug]     exit status 0: all is as expected
"""

import argparse
import codecs
import dataclasses
import os
import select
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
import qemu as vellum_qemu  # noqa: E402

PATIENCE_S = 120  # a hang detector, not a speed target

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


class Failure(Exception):
    """Something was not as expected; the text says what."""


class Machine:
    """A QEMU with its console on pipes."""

    def __init__(self, boot, *more):
        self.text = ""
        self.seen = 0
        self.decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self.qemu = subprocess.Popen(
            vellum_qemu.command_line(boot) + list(more),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.qemu.kill()
        self.qemu.wait()

    def type(self, text):
        self.qemu.stdin.write(text.encode())
        self.qemu.stdin.flush()

    def wait_for(self, wanted):
        """Reads on until the text came after what was waited for before; returns what lay between."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            at = self.text.find(wanted, self.seen)
            if at >= 0:
                between, self.seen = self.text[self.seen : at], at + len(wanted)
                return between
            left = deadline - time.monotonic()
            ready = left > 0 and select.select([self.qemu.stdout], [], [], left)[0]
            data = os.read(self.qemu.stdout.fileno(), 65536) if ready else b""
            if not data:
                tail = self.text[self.seen :][-2000:]
                raise Failure(f"{wanted!r} did not come; the console ends with\n{tail}")
            self.text += self.decode(data).replace("\r", "")


def session_reader():
    for name, (lines, output, status) in CONSOLES.items():
        reader = vellum_qemu.Reader(lambda line: None)
        for line in [vellum_qemu.LINE_BEGIN, *lines]:
            reader.line(line)
        got = reader.result.output, reader.result.status, reader.finished
        if got != (output, status, True):
            raise Failure(f"{name}: read as {got}")


def break_with_gdb(elf, socket, commands):
    """Stops the kernel in a system call, does the harm, and lets it go on."""
    lines = [
        "set confirm off", "set architecture riscv:rv64", f"target remote {socket}",
        "hbreak sys_console_write", "continue", "delete", *commands, "detach",
    ]  # fmt: skip
    words = ["gdb-multiarch", "-nx", "-batch", elf]
    for line in lines:
        words += ["-ex", line]
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    if "Breakpoint" not in done.stdout:
        raise Failure(f"gdb did not stop the kernel:\n{done.stdout}{done.stderr}")


def session_panic(boot, commands, wanted, culprit):
    elf = os.path.join(boot.build, "vellum.elf")
    with tempfile.TemporaryDirectory() as folder:
        socket = os.path.join(folder, "gdb")
        stub = f"socket,path={socket},server=on,wait=off,id=gdb"
        with Machine(boot, "-chardev", stub, "-gdb", "chardev:gdb", "-S") as machine:
            deadline = time.monotonic() + PATIENCE_S
            while not os.path.exists(socket) and time.monotonic() < deadline:
                time.sleep(0.05)
            break_with_gdb(elf, socket, commands)
            machine.wait_for("PANIC")
            machine.wait_for("vellum: power off, status 255")
            report = machine.text[machine.text.index("PANIC") :]
    for text in wanted:
        if text not in report:
            raise Failure(f"the report lacks {text!r}:\n{report}")
    if report.count("PANIC") != 1:
        raise Failure(f"more than one hart reports:\n{report}")
    symbolize = os.path.join(ROOT, "scripts", "symbolize")
    named = subprocess.run(
        [sys.executable, symbolize, "--elf", elf],
        input=report, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    first = named.partition("\nbacktrace:\n")[2].partition("\n")[0]
    if culprit not in first:
        raise Failure(f"the backtrace begins with {first!r}, not with {culprit} in\n{named}")


def sessions(boot):
    """(name, function) of every session."""
    yield "reader", session_reader
    one_hart = dataclasses.replace(boot, harts=1, commands="run hello")
    for name, what in BREAKS.items():
        yield f"panic: {name}", lambda what=what: session_panic(one_hart, *what)
    four_harts = dataclasses.replace(boot, harts=4)
    every = ["thread apply all set $pc = 0x1234"], ["PANIC", "\nhart "], "syscall.c"
    yield "panic: four harts at once", lambda: session_panic(four_harts, *every)


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
