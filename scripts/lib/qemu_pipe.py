# SPDX-License-Identifier: MIT
"""Runs Vellum in QEMU with standard input that is no terminal: a pipe, or a file.

What is piped in is typed once the shell shows its first prompt: the UART would drop what comes while
the machine boots. Where the input ends, Ctrl-D is typed: it ends a program that reads, and at the
prompt turns the machine off; so it is typed again at each prompt until that has come. A reboot ends
QEMU: what was typed ahead would be lost in it.
"""

import os
import re
import select
import subprocess
import sys
import threading
import time

import qemu_boot
from qemu_console import LINE_STATUS, STATUS_BROKEN, end_status

PROMPT = b"vellum> "
ESCAPE = re.compile(rb"\x1b(\[[0-9;]*[A-Za-z]|[78])")
END = b"\x04"
OFF_S = 2  # a machine that can switch off does so by then


def feed(keyboard, prompts):
    """Types what comes in, then its end; QEMU takes no more at once than the machine does."""
    last = b"\n"
    prompts.acquire()
    try:
        while data := read_input():
            keyboard.write(data)
            last = data[-1:]
        keyboard.write((b"" if last in b"\r\n" else b"\n") + END)
        while True:
            prompts.acquire()
            keyboard.write(END)
    except BrokenPipeError:
        return  # the machine is off


def read_input():
    try:
        return os.read(0, 4096)
    except OSError:
        return b""  # closed, or not to be read: as good as its end


def show(qemu, prompts):
    """Passes the console on until it is closed, or the machine is off; returns its last status."""
    status, rest, deadline = STATUS_BROKEN, b"", None
    while True:
        left = None if deadline is None else max(0, deadline - time.monotonic())
        if not select.select([qemu.stdout], [], [], left)[0]:
            return status
        data = os.read(qemu.stdout.fileno(), 65536)
        if not data:
            return status
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            if match := LINE_STATUS.search(line.rstrip(b"\r").decode(errors="replace")):
                status, deadline = end_status(match), time.monotonic() + OFF_S
        if ESCAPE.sub(b"", rest).rsplit(b"\r", 1)[-1] == PROMPT:
            prompts.release()


def run_piped(boot):
    """Boots, types standard input, and returns the status that the machine was turned off with."""
    prompts = threading.Semaphore(0)
    with subprocess.Popen(
        qemu_boot.command_line(boot), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, bufsize=0,
    ) as qemu:  # fmt: skip
        threading.Thread(target=feed, args=(qemu.stdin, prompts), daemon=True).start()
        try:
            return show(qemu, prompts)
        finally:
            qemu.kill()
