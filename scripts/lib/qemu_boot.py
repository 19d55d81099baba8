# SPDX-License-Identifier: MIT
"""How Vellum is started in QEMU: what can be chosen, what is refused, and QEMU's command line.

The one place that makes QEMU's command line; scripts/qemu.py is its face.
"""

import dataclasses
import os
import re
import shutil
import struct
import subprocess
import threading

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

QEMU_MINIMUM = (7, 2)
QEMU_FOR_U74 = (10, 0)
QEMU_FOR_ICICLE = (10, 0)  # starts a kernel by itself only with the tree given below
QEMU_TREE_SAYS_SV57 = (8, 0)  # older ones accept Sv57, but their device tree says Sv48
ALIGNMENT = 2 << 20
RAM_START = 0x80000000  # of both machines; the firmware fills the first 2 MiB
MEMORY_MINIMUM = 16 << 20
HARTS_AT_ONCE = 2  # with more, QEMU runs them one after another in one thread
HARTS_MAXIMUM = 16  # the kernel uses no more (HART_MAX)
CMDLINE_MAXIMUM = 1023  # bytes the kernel keeps

# Machines with an E51 beside the harts that run programs, and at most four of those.
MONITORED = ("sifive_u", "icicle")
ICICLE_TREE = os.path.join(ROOT, "tests", "qemu", "icicle.dts")

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

GDB_PORT = 1234  # scripts/gdbinit connects to it

QEMU_HELP = "run scripts/setup, or give the path of a qemu-system-riscv64 with --qemu"


class Problem(Exception):
    """Something the user can put right; the text says how."""


@dataclasses.dataclass(frozen=True)
class Boot:
    """One way to start the machine."""

    build: str  # where Image and initrd.cpio are
    initrd: str = ""  # another archive
    out: str = ""  # where logs and other made files go; the build's directory if not given
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
    tree: str = ""  # a flattened device tree in place of the machine's own
    reboots: bool = False  # a reboot boots again; else it ends QEMU
    uboot: str = ""  # started instead of the kernel, with the card below if there is one
    card: str = ""  # a disk image
    turn: int = TURN
    counted: bool = False  # one hart whose clock moves a nanosecond an instruction, for scripts/bench

    @property
    def image_file(self):
        return os.path.join(self.build, "Image")

    @property
    def initrd_file(self):
        return self.initrd or os.path.join(self.build, "initrd.cpio")

    def out_file(self, name):
        return os.path.join(self.out or self.build, name)

    @property
    def memory_or_default(self):
        return self.memory or ("2G" if self.machine in MONITORED else "1G")

    @property
    def memory_bytes(self):
        text = self.memory_or_default
        return int(text[:-1]) << (30 if text[-1] == "G" else 20)

    @property
    def smp(self):
        """QEMU's hart count: one more than those that run programs where there is an E51."""
        if self.machine in MONITORED:
            return (self.harts or 4) + 1
        return self.harts or 2

    @property
    def busy_cores(self):
        """How many of the host's cores it keeps busy: an E51 sleeps in the firmware."""
        return self.cores - 1 if self.cores > 1 and self.machine in MONITORED else self.cores

    @property
    def cores(self):
        """How many of the host's cores it has threads for: as many as it has harts, or one.

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
    if boot.machine in MONITORED and not 2 <= boot.smp <= 5:
        raise Problem(f"--machine {boot.machine} has 1 to 4 harts: give --harts 1, 2, 3 or 4")
    if boot.machine == "icicle":
        check_icicle(boot, version)
    if boot.tree and not os.path.exists(boot.tree):
        raise Problem(f"{boot.tree} is missing: run scripts/setup --for full")
    check_load_address(boot)
    check_bootargs(boot)
    for path in (boot.image_file, boot.initrd_file):
        if not os.path.exists(path):
            preset = os.path.basename(boot.build)
            raise Problem(
                f"{path} is missing: run cmake --preset {preset} && cmake --build --preset {preset}"
            )


def check_icicle(boot, version):
    """What that machine of QEMU wants."""
    if version < QEMU_FOR_ICICLE:
        raise Problem("--machine icicle needs QEMU 10: run scripts/setup --for test, or give --qemu PATH")
    if boot.memory_bytes != 2 << 30 and not boot.tree:
        raise Problem("--machine icicle has 2 GiB in two banks: leave --memory out")
    if not boot.tree and not shutil.which("dtc"):
        raise Problem("--machine icicle needs dtc for its device tree: run scripts/setup --for test")


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
    if not boot.load_address:
        return boot.image_file
    wrapped = boot.out_file(f"Image-{boot.load_address:x}.elf")
    elf_around(boot.image_file, wrapped, boot.load_address)
    return wrapped


def tree_with_sv57(boot):
    """QEMU's own device tree of this boot with the mmu-type that the machine really has."""
    path = boot.out_file(f"sv57-{boot.memory_or_default}-{boot.smp}.dtb")
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


def icicle_tree(boot):
    """QEMU has no tree for that machine."""
    path = boot.out_file("icicle.dtb")
    scratch = f"{path}.{os.getpid()}.{threading.get_ident()}"
    line = ["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", scratch, ICICLE_TREE]
    subprocess.run(line, stdin=subprocess.DEVNULL, check=True)
    os.replace(scratch, path)  # two runs may want the same file at once
    return path


def tree_with_memory(boot):
    """The given tree with as much memory as the machine has, as a board's firmware puts it there.
    The Icicle Kit's two banks stay as they are."""
    if boot.machine == "icicle":
        return boot.tree
    path = boot.out_file(f"{boot.machine}-{boot.memory_or_default}.dtb")
    scratch = f"{path}.{os.getpid()}.{threading.get_ident()}"
    shutil.copyfile(boot.tree, scratch)
    words = [0, RAM_START, boot.memory_bytes >> 32, boot.memory_bytes & 0xFFFFFFFF]
    line = ["fdtput", "-t", "x", scratch, f"/memory@{RAM_START:x}", "reg"]
    subprocess.run([*line, *(f"{word:x}" for word in words)], stdin=subprocess.DEVNULL, check=True)
    os.replace(scratch, path)  # two runs may want the same file at once
    return path


def tree_arguments(boot):
    """A device tree of our own where QEMU has none, or one that keeps the kernel from the mode that
    was asked for."""
    if boot.tree:
        return ["-dtb", tree_with_memory(boot)]
    if boot.machine == "icicle":
        return ["-dtb", icicle_tree(boot)]
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


def kernel_arguments(boot):
    """QEMU loads the kernel, the archive and the words by itself."""
    line = ["-kernel", kernel_file(boot), "-initrd", boot.initrd_file, *tree_arguments(boot)]
    arguments = bootargs(boot)
    return line + (["-append", arguments] if arguments else [])


def uboot_arguments(boot):
    """U-Boot, after the firmware, finds what there is on a card; it has words of its own."""
    if not boot.card:
        return ["-kernel", boot.uboot]
    disk = f"if=none,id=card,format=raw,snapshot=on,file={boot.card}"
    return ["-kernel", boot.uboot, "-drive", disk, "-device", "virtio-blk-device,drive=card"]


def command_line(boot):
    """QEMU's arguments for a boot."""
    line = [boot.qemu, "-m", boot.memory_or_default, "-smp", str(boot.smp)]
    line += [] if boot.reboots else ["-no-reboot"]
    if boot.machine == "icicle":
        line += ["-M", "microchip-icicle-kit", "-display", "none"]
        line += ["-serial", "null", "-serial", "mon:stdio"]  # the second is the console
    else:
        line += ["-nographic", "-M", boot.machine]
    if boot.cpu:
        line += ["-cpu", CPU_U74 if boot.cpu == "u74" else boot.cpu]
    if boot.cores < boot.smp:
        line += ["-accel", "tcg,thread=single"]
        line += ["-icount", f"shift={boot.turn},sleep=off"] if boot.commands else []
    elif boot.counted:
        line += ["-icount", "shift=0,sleep=off"]
    line += uboot_arguments(boot) if boot.uboot else kernel_arguments(boot)
    if boot.gdb:
        line += ["-gdb", f"tcp:127.0.0.1:{GDB_PORT}", "-S"]
    return line
