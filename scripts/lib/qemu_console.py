# SPDX-License-Identifier: MIT
"""Runs Vellum in QEMU with commands for init, and reads what its console says.

What lies between the lines "init: begin" and "init: end" is the commands' output, and "vellum: power
off, status N" ends it, or "vellum: reboot", which a run with commands does not follow. Lines of the
kernel that come between are left out, by their form. A program may leave a line unfinished, so these
marks count at the end of a line, and only if nothing else follows them. Some machines cannot switch
off, so QEMU is killed once that last line was seen; it is always killed by its own process id.
"""

import dataclasses
import os
import re
import select
import subprocess
import time

import qemu_boot

STATUS_HANG = 124
STATUS_BROKEN = 125

LINE_BEGIN = "init: begin"
LINE_END = "init: end"
LINE_STATUS = re.compile(r"vellum: (?:power off, status (\d+)|reboot)$")
# What may follow: QEMU has words of its own when nothing can ever happen any more.
LINES_AFTER = (
    "if the machine stays on, ",
    "if the machine does not start again, ",
    "firmware cannot switch this machine off ",
    "firmware cannot reboot this machine ",
    "qemu-system-riscv64: ",
)
LINE_PANIC = re.compile(r"PANIC ")
# What the kernel says while programs run: its own lines, the report of a fault, its registers.
LINE_KERNEL = re.compile(
    r"vellum: |process .* \(\d+\): (unhandled|no memory for) |PANIC |( +[a-z]{1,2}[0-9]{0,2} 0x[0-9a-f]{16}){1,4}$"
)


@dataclasses.dataclass
class Result:
    """What a run with commands gave."""

    status: int = STATUS_BROKEN
    why: str = ""
    output: list = dataclasses.field(default_factory=list)
    console: list = dataclasses.field(default_factory=list)


def end_status(match):
    """The status that a match of LINE_STATUS tells of."""
    return STATUS_BROKEN if match[1] is None else int(match[1])


class Reader:
    """Sorts the lines of a console into the commands' output and the rest."""

    def __init__(self, on_output):
        self.result = Result()
        self.on_output = on_output
        self.begun = False
        self.inside = False
        self.finished = False
        self.rebooted = False
        self.panicked = False
        self.held = None  # a line that ends like LINE_END: the end, or a program's own words

    def line(self, text):
        result = self.result
        result.console.append(text)
        if LINE_PANIC.search(text) and (LINE_PANIC.match(text) or not self.inside):
            self.panicked, self.inside = True, False
        elif LINE_STATUS.search(text):
            self.status_line(LINE_STATUS.search(text))
        elif text == LINE_BEGIN and not self.begun:
            self.begun = self.inside = True
        elif self.inside and not LINE_KERNEL.match(text):
            self.program_line(text)
        elif not text.startswith(LINES_AFTER):
            self.finished = False

    def status_line(self, match):
        """The last line of a run, perhaps behind an unfinished one of a program."""
        self.result.status, self.finished = end_status(match), True
        self.rebooted = match[1] is None
        self.panicked |= self.result.status == 255 and any(map(LINE_PANIC.search, self.result.console))
        if self.held is not None:
            self.put(self.held.removesuffix(LINE_END))
        elif self.inside:
            self.put(match.string[: match.start()])
        self.held = None

    def program_line(self, text):
        if self.finished and text.startswith(LINES_AFTER):
            return
        self.finished = False
        if self.held is not None:
            self.put(self.held)
        self.held = text if text.endswith(LINE_END) else None
        if self.held is None:
            self.put(text, even_empty=True)

    def put(self, text, even_empty=False):
        if text or even_empty:
            self.result.output.append(text)
            self.on_output(text)


def wait_for_lines(pipe, reader, log, deadline):
    """Reads the console until it is closed, or the end is clear; says what ended it."""
    rest = b""
    while True:
        left = deadline - time.monotonic()
        if reader.panicked or reader.finished:
            # A panic report has more lines to come; a machine that can switch off does so now.
            left = min(left, 3 if reader.panicked else 2)
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            data, ended = b"", "" if reader.panicked or reader.finished else "hang"
        else:
            data, ended = os.read(pipe.fileno(), 65536), ""
        log.write(data)
        *lines, rest = (rest + data).split(b"\n")
        if not data and rest:
            lines = [rest]  # the machine went silent in the middle of it
        for line in lines:
            # Programs may write zero bytes; a terminal shows nothing of them either.
            reader.line(line.rstrip(b"\r").replace(b"\0", b"").decode(errors="replace"))
        if not data:
            return ended


def run_commands(boot, log_path, timeout_s, on_output=lambda line: None):
    """Boots, lets init run the commands, and returns their output and status."""
    qemu_boot.check(boot)
    reader = Reader(on_output)
    with open(log_path, "wb", buffering=0) as log, subprocess.Popen(
        qemu_boot.command_line(boot),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as qemu:  # fmt: skip
        try:
            ended = wait_for_lines(qemu.stdout, reader, log, time.monotonic() + timeout_s)
        finally:
            qemu.kill()
    result = reader.result
    if reader.panicked:
        result.status, result.why = STATUS_BROKEN, "the kernel panicked"
    elif ended == "hang":
        result.status = STATUS_HANG
        result.why = f"no end after {timeout_s:g} s (a hang detector: see --timeout)"
    elif reader.finished and reader.rebooted:
        result.why = "the machine was to reboot; it does so only at a terminal"
    elif not reader.finished:
        result.status, result.why = STATUS_BROKEN, "QEMU ended before the kernel switched off"
    elif not reader.begun:
        result.status, result.why = STATUS_BROKEN, "the kernel gave up before init could begin"
    return result


def console_end(result, lines=60):
    """The last lines of the console, without the firmware's."""
    ends = [at for at, line in enumerate(result.console) if line.startswith("Boot HART MEDELEG")]
    start = ends[-1] + 1 if ends else 0
    return result.console[start:][-lines:]
