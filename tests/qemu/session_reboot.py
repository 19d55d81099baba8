#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`reboot` at the shell, on machines whose firmware can do it, refuses it, or has no call for it.

  again      at a terminal the machine boots again in the same QEMU, with the same memory free and
             all harts, twice, the first time beside a program that holds memory; then it is turned off
  no call    the shell says so and goes on
  refused    the kernel says so and stops
  scripts    with commands, or with input from a pipe, a reboot ends QEMU, with a status of its own

usage: session_reboot.py [--build build/rv64-debug]     exit status 0: all is as expected
"""

import dataclasses
import os
import pty
import subprocess
import sys
import tempfile

import session_run
from session_prompt import Shell, expect_line, screen_lines
from session_run import PATIENCE_S, Machine, expect, vellum_qemu

TOOL = os.path.join(session_run.ROOT, "scripts", "qemu.py")
OFF = """
vellum: power off, status 0
if the machine stays on, it is safe to switch it off by hand
"""
# QEMU's SiFive UART says that it has sent all when up to eight letters wait; a reset takes those.
AGAIN = "\nvellum: reboot\nif the machine does not start again, it is safe to switch it "
REFUSES = AGAIN + "off by hand\nfirmware cannot reboot this machine (ENOTSUP)\n"

# Name; options of scripts/qemu.py; harts; what comes of turning the machine off.
CAN = [
    ("virt", ["--harts", "4"], 4, ""),
    ("u74", ["--cpu", "u74", "--harts", "4"], 4, ""),
    ("sifive_u", ["--machine", "sifive_u"], 4, "firmware cannot switch this machine off (ENOTSUP)"),
]


class Terminal(Machine):
    """scripts/qemu.py with its input at a terminal; it becomes QEMU."""

    def __init__(self, build, options):  # pylint: disable=super-init-not-called
        self.begin()
        self.master, slave = pty.openpty()
        self.qemu = subprocess.Popen(
            [sys.executable, TOOL, "--build", build, *options],
            stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        os.close(slave)

    def __exit__(self, *what):
        super().__exit__(*what)
        os.close(self.master)

    def type(self, text):
        os.write(self.master, text.encode())


def look(machine, harts):
    """What must be the same after each boot; the machine is at its first prompt then."""
    machine.wait_for(f"vellum: {harts} of {harts} harts run: ids ")
    shell = Shell(machine)
    shell.run("audit")  # ends when no memory waits to be freed
    free = shell.run("free")
    expect(len(shell.run("harts")) == harts, f"harts does not list {harts}")
    return shell, free


def reboot(machine, harts):
    machine.type("reboot\r")
    machine.wait_for(AGAIN)
    return look(machine, harts)


def session_again(build, options, harts, after_off):
    with Terminal(build, options) as machine:
        shell, before = look(machine, harts)
        shell.start("steps 12", "steps: 12 taken; waits\n")
        for _ in range(2):
            free = reboot(machine, harts)[1]
            expect(free == before, "after a reboot", [*before, *free])
        machine.type("poweroff\r")
        machine.wait_for(OFF + after_off)
        if after_off:
            return
        expect(machine.qemu.wait(PATIENCE_S) == 0, "QEMU does not end with status 0")


def session_no_call(build):
    with Terminal(build, ["--machine", "icicle"]) as machine:
        shell = Shell(machine)
        expect_line(shell.run("reboot"),
                    "reboot: this machine's firmware cannot; switch it off and on by hand")  # fmt: skip
        expect_line(shell.run("echo alive"), "alive")


def session_refused(build):
    """QEMU's own tree, without the node that tells the firmware how to reboot."""
    boot = vellum_qemu.Boot(build=build, reboots=True)
    with tempfile.TemporaryDirectory() as folder:
        tree = os.path.join(folder, "dtb")
        line = [boot.qemu, "-nographic", "-M", f"virt,dumpdtb={tree}"]
        line += ["-m", boot.memory_or_default, "-smp", str(boot.smp)]
        subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, check=True)
        with open(tree, "r+b") as file:
            whole = file.read()
            expect(whole.count(b"syscon-reboot\0") == 1, "QEMU's tree has no node of that name")
            file.seek(0)
            file.write(whole.replace(b"syscon-reboot\0", b"syscon-nothing"))
        with Machine(dataclasses.replace(boot, tree=tree)) as machine:
            Shell(machine)
            machine.type("reboot\r")
            machine.wait_for(REFUSES)


def session_scripts(build):
    for words, typed in ((["-c", "echo first; reboot; echo never"], ""), ([], "echo first\nreboot\n")):
        done = subprocess.run(
            [sys.executable, TOOL, "--build", build, *words], input=typed, capture_output=True,
            text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        lines = screen_lines(done.stdout.replace("\r", ""))
        expect(done.returncode == 125, f"{words}: status {done.returncode}", lines[-20:])
        expect(lines.count("first") == 1 and "never" not in lines, f"{words} gave", lines[-20:])


def sessions(build):
    """(name, function) of every session."""
    for name, *how in CAN:
        yield f"reboot: {name}", lambda how=how: session_again(build, *how)
    yield "reboot: no call", lambda: session_no_call(build)
    yield "reboot: refused", lambda: session_refused(build)
    yield "reboot: scripts", lambda: session_scripts(build)


def run_all(build):
    """Runs every session; returns how many passed and failed."""
    return session_run.run_sessions(sessions(build))


if __name__ == "__main__":
    sys.exit(session_run.main(__doc__, run_all))
