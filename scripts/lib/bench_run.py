# SPDX-License-Identifier: MIT
"""Runs the benchmark's program in QEMU and reads what it prints.

A result is what a baseline file holds: {"variant", "tools", "rows"}. A row is a dictionary of sums
over its n times: "instructions" and the kernel's counters, or "bytes".
"""

import dataclasses
import os
import re
import struct
import subprocess
import sys

import qemu_boot
import qemu_console

# As the peers ran: Sv48, and no instruction that zeroes a block.
CPU_PLAIN = "rv64,zicboz=off,svvptc=off"
VARIANTS = {
    "plain": {"cpu": CPU_PLAIN, "paging": "sv48"},
    "rv64": {"cpu": "rv64"},
    "sv39": {"cpu": CPU_PLAIN, "paging": "sv39"},
    "u74": {"cpu": "u74", "append": "asid=0 noadhw"},
}
WHAT_VARIANTS_ARE = {
    "plain": "Sv48, zeroing by plain stores, as the peers were measured",
    "rv64": "QEMU's own rv64: Sv57, cbo.zero, Svvptc",
    "sv39": "as plain, but Sv39",
    "u74": "much like a VisionFive 2's core: Sv39, no identifiers, A and D not set by hardware",
}

# What the boot report must say: else the counts are those of another machine.
REPORTS = {
    "plain": ("Sv48, as asked", "ASIDs +16 bits, 16 used", "A clear: set by hardware"),
    "rv64": ("Sv57, the largest", "ASIDs +16 bits, 16 used", "A clear: set by hardware"),
    "sv39": ("Sv39, as asked", "ASIDs +16 bits, 16 used", "A clear: set by hardware"),
    "u74": (
        "Sv39, the largest", "ASIDs +16 bits, 0 used", "timer by SBI",
        "A clear: page fault; store with D clear: page fault",
    ),
}  # fmt: skip

NOT_IN_A_LOOP = ("boot", "idle", "image")  # own_rows() makes them
MEMBERS = ("init", "bin/bench", "bin/nothing")
MEMORY_BYTES = 1 << 30
PAGE_BYTES = 4096
FIRMWARE_INSTRUCTIONS = 13_000_000  # until it enters the kernel; docs/performance.md
CHECK_TOLERANCE = 0.01
TIMEOUT_S = 120.0  # a hang detector

LINE_FACT = re.compile(r"fact (\w+) (\d+)$")
LINE_CHECK = re.compile(r"check (\d+) (\d+) (\d+)$")
LINE_ROW = re.compile(r"row (\w+) (.*)$")
LINE_ABSENT = re.compile(r"absent (\w+) (\d+)$")
ENOSYS = 88


def pack(build, out, name, members):
    """The archive of a machine that has nothing but what is measured."""
    path = os.path.join(out, name)
    files = {member: os.path.join(build, "initrd", member) for member in members}
    for file in files.values():
        if not os.path.exists(file):
            raise qemu_boot.Problem(f"{file} is missing: cmake --build {build}")
    script = os.path.join(qemu_boot.ROOT, "scripts", "mkcpio.py")
    pairs = [f"{member}={file}" for member, file in files.items()]
    subprocess.run([sys.executable, script, "-o", path, *pairs], check=True)
    return path


def boot_of(variant, build, out, initrd, only=""):
    """The boot of a variant: one hart whose clock counts its instructions; only: one row."""
    chosen = dict(VARIANTS[variant])
    words = [chosen.pop("append", ""), "user-counters"]
    return qemu_boot.Boot(
        build=build, initrd=initrd, out=out, harts=1, memory="1G", counted=True,
        commands=f"bench instret {only}", append=" ".join(word for word in words if word), **chosen,
    )  # fmt: skip


def console_of(boot, name, reports=()):
    """The lines that the benchmark prints in a boot, whose report says what `reports` match."""
    log = boot.out_file(f"{name}.log")
    result = qemu_console.run_commands(boot, log, TIMEOUT_S)
    if result.why or result.status:
        print("\n".join(qemu_console.console_end(result, 30)), file=sys.stderr)
        why = result.why or f"the program ended with status {result.status}"
        raise qemu_boot.Problem(f"{name}: {why}; the whole console is {log}")
    for text in reports:
        if not any(re.search(text, line) for line in result.console):
            raise qemu_boot.Problem(f"{name}: the boot report does not say {text!r}: {log}")
    return result.output


def check_method(length, counted, clock):
    """A loop of known length must come out as that, by both ways to count."""
    for what, got in (("instret", counted), ("the clock", clock)):
        if abs(got - length) > CHECK_TOLERANCE * length:
            raise qemu_boot.Problem(
                f"a loop of {length} instructions counts as {got} by {what}: nothing here can be "
                "trusted; is QEMU run with -icount shift=0?"
            )


def pairs_of(text):
    """{name: number} of "name=number ..." """
    return {name: int(number) for name, number in (word.split("=") for word in text.split())}


def read_lines(lines):
    """(rows, facts) from the program's lines; refuses a run whose method fails its own check."""
    rows, facts, checks = {}, {}, 0
    for line in lines:
        if match := LINE_FACT.match(line):
            facts[match[1]] = int(match[2])
        elif match := LINE_CHECK.match(line):
            check_method(*map(int, match.groups()))
            checks += 1
        elif match := LINE_ROW.match(line):
            rows[match[1]] = pairs_of(match[2])
        elif match := LINE_ABSENT.match(line):
            if int(match[2]) != ENOSYS:
                raise qemu_boot.Problem(f"row {match[1]} fails with error {match[2]}")
        else:
            raise qemu_boot.Problem(f"the benchmark printed: {line}")
    if not checks or not rows:
        raise qemu_boot.Problem("the benchmark printed no check of its method, or no rows")
    return rows, facts


def image_bytes(build):
    """Text, rodata and data of the kernel: the sections of its ELF file that are in memory."""
    allocated, no_bits = 2, 8
    with open(os.path.join(build, "vellum.elf"), "rb") as file:
        data = file.read()
    table, entry, count = (
        struct.unpack_from("<Q", data, 40)[0], *struct.unpack_from("<HH", data, 58),
    )  # fmt: skip
    total = 0
    for at in range(table, table + entry * count, entry):
        kind, flags, _, _, size = struct.unpack_from("<IQQQQ", data, at + 4)
        total += size if flags & allocated and kind != no_bits else 0
    return total


def first_words(*line):
    """The first line that a tool prints about itself."""
    return subprocess.run(line, capture_output=True, text=True, check=True).stdout.splitlines()[0]


def tools_of(build, boot):
    """What else decides the numbers: a baseline holds only for these."""
    with open(os.path.join(build, "CMakeCache.txt"), encoding="utf-8") as file:
        cache = dict(re.findall(r"^(\w+):\w+=(.*)$", file.read(), re.MULTILINE))
    compiler = cache.get("VELLUM_GCC") or "riscv64-unknown-elf-gcc"
    qemu = first_words(boot.qemu, "--version")
    return {"compiler": first_words(compiler, "--version"), "qemu": qemu}


def own_rows(build, facts):
    """What is not counted in a loop."""
    yield "boot", {"n": 1, "instructions": facts["boot_instructions"] - FIRMWARE_INSTRUCTIONS}
    yield "idle", {"n": 1, "bytes": MEMORY_BYTES - facts["free_frames"] * PAGE_BYTES}
    yield "image", {"n": 1, "bytes": image_bytes(build)}


def run(variant, build, out, only=""):
    """Runs a variant, or one row of it; its result."""
    os.makedirs(out, exist_ok=True)
    boot = boot_of(variant, build, out, pack(build, out, "bench.cpio", MEMBERS), only)
    rows, facts = read_lines(console_of(boot, f"bench-{variant}", REPORTS[variant]))
    rows |= {} if only else dict(own_rows(build, facts))
    return {"variant": variant, "tools": tools_of(build, boot), "rows": rows}


def build_release():
    """Builds the release preset; its directory."""
    build = os.path.join(qemu_boot.ROOT, "build", "rv64-release")
    for step in (["cmake"], ["cmake", "--build"]):
        line = [*step, "--preset", "rv64-release"]
        done = subprocess.run(
            line, cwd=qemu_boot.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False,
        )  # fmt: skip
        if done.returncode:
            raise qemu_boot.Problem(f"{' '.join(line)} failed:\n{done.stdout[-4000:]}")
    return build


@dataclasses.dataclass(frozen=True)
class Operation:
    """A line of docs/performance/peers.json."""

    id: str
    title: str
    linux: float | None = None
    sel4: float | None = None
    floor: float | None = None
    budget: float | None = None
    note: str = ""
