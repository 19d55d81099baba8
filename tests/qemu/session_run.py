# SPDX-License-Identifier: MIT
"""What the session scripts share: a machine with its console on pipes, gdb, and the main program.

A session is a function that raises Failure if something is not as expected. No session knows how
long anything takes; PATIENCE_S only ends one that hangs.
"""

import argparse
import codecs
import os
import select
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
sys.path.insert(0, os.path.join(ROOT, "scripts", "lib"))
import qemu as vellum_qemu  # noqa: E402

PATIENCE_S = 120


class Failure(Exception):
    """Something was not as expected; the text says what."""


class Machine:
    """A QEMU with its console on pipes."""

    def __init__(self, boot, *more):
        vellum_qemu.check(boot)
        self.begin()
        self.qemu = subprocess.Popen(
            vellum_qemu.command_line(boot) + list(more),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def begin(self):
        """Nothing has been read yet."""
        self.text = ""
        self.seen = 0
        self.decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.qemu.kill()
        self.qemu.wait()

    def type(self, text):
        self.send(text.encode())

    def send(self, data):
        self.qemu.stdin.write(data)
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


def expect(condition, what, lines=()):
    if not condition:
        raise Failure("\n".join([what, *lines]))


def gdb(lines, elf=None):
    """What gdb prints; complaints come between."""
    words = ["gdb-multiarch", "-nx", "-batch", *([elf] if elf else [])]
    for line in ["set confirm off", "set pagination off", "set architecture riscv:rv64", *lines]:
        words += ["-ex", line]
    done = subprocess.run(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    return done.stdout


def with_gdb(boot, lines, then=lambda machine, said: None):
    """Starts a machine that waits, lets gdb work on it, then goes on with it; what gdb printed."""
    with tempfile.TemporaryDirectory() as folder:
        socket = os.path.join(folder, "gdb")
        stub = f"socket,path={socket},server=on,wait=off,id=gdb"
        with Machine(boot, "-chardev", stub, "-gdb", "chardev:gdb", "-S") as machine:
            deadline = time.monotonic() + PATIENCE_S
            while not os.path.exists(socket) and time.monotonic() < deadline:
                time.sleep(0.05)
            said = gdb([f"target remote {socket}", *lines], os.path.join(boot.build, "vellum.elf"))
            then(machine, said)
    return said


def run_sessions(sessions):
    """Runs (name, function) after each other; how many passed and failed."""
    counts = [0, 0]
    for name, function in sessions:
        try:
            function()
            print(f"  ok      {name}", flush=True)
            counts[0] += 1
        except (Failure, subprocess.SubprocessError, vellum_qemu.Problem) as failure:
            print(f"  FAILED  {name}: {failure}", flush=True)
            counts[1] += 1
    return counts


def main(what, run_all, has_full=False):
    """The main program of a session script; run_all(build), or run_all(build, full) if there is more
    to run than decides whether a change may land, gives the counts."""
    parser = argparse.ArgumentParser(description=what.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "rv64-debug"))
    if has_full:
        parser.add_argument("--full", action="store_true", help="all test programs everywhere")
    chosen = parser.parse_args()
    more = [chosen.full] if has_full else []
    passed, failed = run_all(os.path.abspath(chosen.build), *more)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0
