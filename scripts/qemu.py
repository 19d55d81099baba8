#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Starts Vellum in QEMU: the one place that makes QEMU's command line and reads its console.

As a program it is the second half of scripts/run. As a module it serves tests/qemu/runner.py.

A run with commands is read from the console: what lies between the lines "init: begin" and
"init: end" is the commands' output, and "vellum: power off, status N" ends it. Lines of the kernel
that come between are left out, by their form. A program may leave a line unfinished, so these marks
count at the end of a line, and only if nothing else follows them. Some machines cannot switch off,
so QEMU is killed once that last line was seen; it is always killed by its own process id.
"""

import argparse
import dataclasses
import math
import os
import re
import select
import shlex
import signal
import struct
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

QEMU_MINIMUM = (7, 2)
QEMU_FOR_U74 = (10, 0)
QEMU_TREE_SAYS_SV57 = (8, 0)  # older ones accept Sv57, but their device tree says Sv48
ALIGNMENT = 2 << 20
RAM_START = 0x80000000  # of both machines; the firmware fills the first 2 MiB
MEMORY_MINIMUM = 16 << 20
HARTS_AT_ONCE = 2  # with more, QEMU runs them one after another in one thread
HARTS_MAXIMUM = 512  # virt's own limit
CMDLINE_MAXIMUM = 1023  # bytes the kernel keeps

# The nearest QEMU comes to a U74: Sv39, no hardware update of A and D, privileged spec 1.11.
CPU_U74 = "rv64,priv_spec=v1.11.0,sv39=on,svade=on,svadu=off," + ",".join(
    f"{name}=off"
    for name in (
        "h v sstc svinval svnapot svpbmt svvptc zicbom zicboz zicbop zawrs zfa zbc zbs "
        "smstateen sscofpmf zba zbb"
    ).split()
)

# With more harts than the host has cores QEMU runs one hart after another, each for 100 ms: what one
# waits for another takes that long. Time that goes with the instructions, 2^TURN ns for each, makes
# turns short, and runs repeat themselves exactly.
TURN = 8

STATUS_HANG = 124
STATUS_BROKEN = 125

LINE_BEGIN = "init: begin"
LINE_END = "init: end"
LINE_STATUS = re.compile(r"vellum: power off, status (\d+)$")
LINE_CANNOT = "firmware cannot switch this machine off"
# What may follow the status: QEMU has words of its own when nothing can ever happen any more.
LINES_AFTER = (LINE_CANNOT, "qemu-system-riscv64: ")
LINE_PANIC = re.compile(r"PANIC ")
# What the kernel says while programs run: its own lines, the report of a fault, its registers.
LINE_KERNEL = re.compile(
    r"vellum: |process .* \(\d+\): unhandled |PANIC |( +[a-z]{1,2}[0-9]{0,2} 0x[0-9a-f]{16}){1,4}$"
)


QEMU_HELP = "run scripts/setup, or give the path of a qemu-system-riscv64 with --qemu"


class Problem(Exception):
    """Something the user can put right; the text says how."""


@dataclasses.dataclass(frozen=True)
class Boot:
    """One way to start the machine."""

    build: str
    qemu: str = "qemu-system-riscv64"
    machine: str = "virt"
    cpu: str = ""
    harts: int = 0
    memory: str = ""
    paging: str = ""
    append: str = ""
    commands: str = ""
    load_address: int = 0
    gdb: bool = False
    turn: int = TURN

    @property
    def memory_or_default(self):
        return self.memory or ("2G" if self.machine == "sifive_u" else "1G")

    @property
    def memory_bytes(self):
        text = self.memory_or_default
        return int(text[:-1]) << (30 if text[-1] == "G" else 20)

    @property
    def smp(self):
        """QEMU's hart count. sifive_u has one more than those that run programs, the E51."""
        if self.machine == "sifive_u":
            return (self.harts or 4) + 1
        return self.harts or 2

    @property
    def cores(self):
        """How many of the host's cores it keeps busy: as many as it has harts, or one.

        Harts that wait their turn for a core of the host look like harts that do not answer."""
        return self.smp if self.smp <= min(HARTS_AT_ONCE, os.cpu_count() or 1) else 1


def qemu_version(qemu):
    """The version of a QEMU as a tuple."""
    try:
        text = subprocess.run(
            [qemu, "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise Problem(f"{qemu} does not start ({error}): {QEMU_HELP}") from error
    match = re.search(r"version (\d+)\.(\d+)", text)
    if not match:
        raise Problem(f"{qemu} does not say its version: {QEMU_HELP}")
    return int(match[1]), int(match[2])


def check_load_address(boot):
    """The kernel can lie anywhere in memory but over the firmware."""
    lowest, highest = RAM_START + ALIGNMENT, RAM_START + boot.memory_bytes - ALIGNMENT
    if not boot.load_address:
        return
    if boot.load_address % ALIGNMENT or not lowest <= boot.load_address <= highest:
        raise Problem(
            "--load-address must be a multiple of 0x200000 (2 MiB) "
            f"from {lowest:#x} to {highest:#x}, this is {boot.load_address:#x}"
        )


def check_bootargs(boot):
    """What would not arrive as it was given."""
    text = bootargs(boot)
    strange = re.search(r"[^ -~\t]", text)
    if strange:
        raise Problem(f"-c and --append take ASCII only: leave {strange[0]!r} out")
    if "--" in boot.append.split():
        raise Problem("--append is for the kernel's words: give commands with -c, not after --")
    if len(text) > CMDLINE_MAXIMUM:
        raise Problem(
            f"the commands make the kernel's command line {len(text)} bytes long, it takes "
            f"{CMDLINE_MAXIMUM}: give fewer in one run"
        )


def check(boot):
    """Refuses what cannot work, with the fix."""
    version = qemu_version(boot.qemu)
    have = ".".join(map(str, version))
    if version < QEMU_MINIMUM:
        raise Problem(f"QEMU {have} is too old, 7.2 is needed: run scripts/setup, or give --qemu PATH")
    if boot.cpu == "u74" and version < QEMU_FOR_U74:
        raise Problem(f"--cpu u74 needs QEMU 10, this is {have}: run scripts/setup --for test")
    if boot.cpu and boot.machine != "virt":
        raise Problem(f"--cpu cannot be chosen on --machine {boot.machine}: leave one out")
    if boot.machine == "sifive_u" and not 2 <= boot.smp <= 5:
        raise Problem("--machine sifive_u has 1 to 4 harts: give --harts 1, 2, 3 or 4")
    check_load_address(boot)
    check_bootargs(boot)
    for name in ("Image", "initrd.cpio"):
        if not os.path.exists(os.path.join(boot.build, name)):
            preset = os.path.basename(boot.build)
            raise Problem(
                f"{boot.build}/{name} is missing: run cmake --preset {preset} && "
                f"cmake --build --preset {preset}"
            )


def elf_around(image_path, output_path, address):
    """Wraps the flat image in an ELF file that is loaded, and entered, at another address."""
    with open(image_path, "rb") as file:
        image = file.read()
    memory_bytes = max(struct.unpack_from("<Q", image, 16)[0], len(image))
    offset = 0x1000
    machine_riscv, type_executable, segment_load, rwx = 243, 2, 1, 7
    header = struct.pack(
        "<4sBBBB8xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 0, type_executable, machine_riscv, 1,
        address, 64, 0, 0, 64, 56, 1, 64, 0, 0,
    )  # fmt: skip
    segment = struct.pack(
        "<IIQQQQQQ", segment_load, rwx, offset, address, address, len(image), memory_bytes, 0x1000
    )
    scratch = f"{output_path}.{os.getpid()}.{threading.get_ident()}"
    with open(scratch, "wb") as file:
        file.write((header + segment).ljust(offset, b"\0") + image)
    os.replace(scratch, output_path)  # two runs may want the same file at once


def kernel_file(boot):
    """What QEMU gets as -kernel; without an address of our own it puts the image where it likes."""
    image = os.path.join(boot.build, "Image")
    if not boot.load_address:
        return image
    wrapped = os.path.join(boot.build, f"Image-{boot.load_address:x}.elf")
    elf_around(image, wrapped, boot.load_address)
    return wrapped


def tree_with_sv57(boot):
    """QEMU's own device tree of this boot with the mmu-type that the machine really has."""
    path = os.path.join(boot.build, f"sv57-{boot.memory_or_default}-{boot.smp}.dtb")
    scratch = f"{path}.{os.getpid()}.{threading.get_ident()}"
    line = [boot.qemu, "-nographic", "-M", f"{boot.machine},dumpdtb={scratch}"]
    line += ["-m", boot.memory_or_default, "-smp", str(boot.smp)]
    subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    with open(scratch, "rb") as file:
        tree = file.read()
    with open(scratch, "wb") as file:
        file.write(tree.replace(b"riscv,sv48\0", b"riscv,sv57\0"))
    os.replace(scratch, path)  # two runs may want the same file at once
    return path


def tree_arguments(boot):
    """A device tree of our own where QEMU's keeps the kernel from the mode that was asked for."""
    if boot.paging != "sv57" or boot.machine != "virt":
        return []
    if qemu_version(boot.qemu) >= QEMU_TREE_SAYS_SV57:
        return []
    return ["-dtb", tree_with_sv57(boot)]


def bootargs(boot):
    """The kernel's command line: words for the kernel, then " -- " and the commands for init."""
    words = [f"paging={boot.paging}"] if boot.paging else []
    words += [boot.append] if boot.append else []
    if boot.commands:
        words += ["--", ";".join(line for line in boot.commands.splitlines() if line.strip())]
    return " ".join(words)


def command_line(boot):
    """QEMU's arguments for a boot."""
    line = [boot.qemu, "-nographic", "-no-reboot", "-M", boot.machine, "-m", boot.memory_or_default]
    line += ["-smp", str(boot.smp)]
    if boot.cpu:
        line += ["-cpu", CPU_U74 if boot.cpu == "u74" else boot.cpu]
    if boot.cores < boot.smp:
        line += ["-accel", "tcg,thread=single"]
        line += ["-icount", f"shift={boot.turn},sleep=off"] if boot.commands else []
    line += ["-kernel", kernel_file(boot), "-initrd", os.path.join(boot.build, "initrd.cpio")]
    line += tree_arguments(boot)
    arguments = bootargs(boot)
    if arguments:
        line += ["-append", arguments]
    if boot.gdb:
        line += ["-gdb", "tcp:127.0.0.1:1234", "-S"]
    return line


@dataclasses.dataclass
class Result:
    """What a run with commands gave."""

    status: int = STATUS_BROKEN
    why: str = ""
    output: list = dataclasses.field(default_factory=list)
    console: list = dataclasses.field(default_factory=list)


class Reader:
    """Sorts the lines of a console into the commands' output and the rest."""

    def __init__(self, on_output):
        self.result = Result()
        self.on_output = on_output
        self.begun = False
        self.inside = False
        self.finished = False
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
        self.result.status, self.finished = int(match[1]), True
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
    check(boot)
    reader = Reader(on_output)
    with open(log_path, "wb", buffering=0) as log, subprocess.Popen(
        command_line(boot),
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
    elif not reader.finished:
        result.status, result.why = STATUS_BROKEN, "QEMU ended before the kernel switched off"
    elif not reader.begun:
        result.status, result.why = STATUS_BROKEN, "the kernel gave up before init could begin"
    return result


def run_interactive(boot):
    """Gives the terminal to the machine."""
    check(boot)
    if boot.gdb:
        elf = os.path.relpath(os.path.join(boot.build, "vellum.elf"))
        script = os.path.relpath(os.path.join(ROOT, "scripts", "gdbinit"))
        print(f"QEMU waits. In another terminal: gdb-multiarch -x {script} {elf}", file=sys.stderr)
    if not boot.commands:
        print("Ctrl-A x leaves QEMU.", file=sys.stderr)
        if not sys.stdin.isatty():
            print("Standard input is no terminal: to run commands, use -c.", file=sys.stderr)
        if boot.machine == "sifive_u":
            print("This machine cannot switch itself off: leave with Ctrl-A x.", file=sys.stderr)
    sys.stderr.flush()
    line = command_line(boot)
    os.execvp(line[0], line)


def console_end(result, lines=60):
    """The last lines of the console, without the firmware's."""
    ends = [at for at, line in enumerate(result.console) if line.startswith("Boot HART MEDELEG")]
    start = ends[-1] + 1 if ends else 0
    return result.console[start:][-lines:]


def show_failure(result, log_path):
    """The end of the console, for a run that did not come to its end."""
    print("\n".join(console_end(result)), file=sys.stderr)
    print(f"{result.why}; the whole console is {os.path.relpath(log_path)}", file=sys.stderr)


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Problem(f"{message.removeprefix('argument ')}; see scripts/run --help")


def value(form, accept):
    """A type for argparse: accept(text), whose ValueError, or None, tells the form that is wanted."""

    def convert(text):
        try:
            accepted = accept(text)
        except ValueError:
            accepted = None
        if accepted is None:
            raise argparse.ArgumentTypeError(f"{text!r} is not {form}")
        return accepted

    return convert


def one_of(*words):
    return value(" or ".join(words), lambda text: text if text in words else None)


def accept_memory(text):
    match = re.fullmatch(r"([0-9]{1,6})([MG])", text)
    bytes_ = int(match[1]) << (30 if match[2] == "G" else 20) if match else 0
    return text if bytes_ >= MEMORY_MINIMUM else None


def accept_harts(text):
    return int(text) if 1 <= int(text) <= HARTS_MAXIMUM else None


def accept_timeout(text):
    return float(text) if 0 < float(text) < math.inf else None


def options():
    parser = Parser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--build", default=os.path.join(ROOT, "build", "rv64-debug"))
    add("--qemu")
    add("--machine", type=one_of("virt", "sifive_u"))
    add("--cpu", type=one_of("u74"))
    add("--harts", type=value(f"a number from 1 to {HARTS_MAXIMUM}", accept_harts))
    add("--memory", type=value("a size like 64M or 2G, at least 16M", accept_memory))
    add("--paging", type=one_of("sv39", "sv48", "sv57"))
    add("--append")
    add("--load-address", type=value("an address like 0x84000000", lambda text: int(text, 0)))
    add("--gdb", action="store_true")
    add("--timeout", type=value("a number of seconds above 0", accept_timeout), default=300.0)
    add("--verbose", action="store_true")
    add("-c", "--commands")
    return parser.parse_args()


def stop(*_):
    """SIGTERM: leave by way of the code that ends QEMU."""
    sys.exit(128 + signal.SIGTERM)


def main():
    chosen = options()
    names = {field.name for field in dataclasses.fields(Boot)}
    given = {name: what for name, what in vars(chosen).items() if name in names and what is not None}
    if not given.get("commands", ";").strip():
        given["commands"] = ";"  # nothing to do is not the same as no commands
    boot = Boot(**given)
    if chosen.verbose:
        check(boot)
        print(shlex.join(command_line(boot)), file=sys.stderr)
    if not boot.commands or boot.gdb:
        run_interactive(boot)
    signal.signal(signal.SIGTERM, stop)
    log_path = os.path.join(boot.build, "console.log")
    result = run_commands(
        boot, log_path, chosen.timeout, on_output=lambda line: print(line, flush=True)
    )
    if result.why:
        show_failure(result, log_path)
    return result.status & 0xFF or int(result.status != 0)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Problem as problem:
        sys.exit(f"run: {problem}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:  # whoever read the output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)
