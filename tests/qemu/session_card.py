# SPDX-License-Identifier: MIT
"""A card that U-Boot boots Vellum from, and U-Boot's prompt: what session_uboot.py is made of.

The card is scripts/image's for QEMU's virt, with the kernel once more in other wrappings: packed
(Image.gz), as a FIT and as a legacy image that ask for other addresses.
"""

import dataclasses
import gzip
import os
import re

from session_run import Failure, Machine, expect, vellum_qemu

import image  # of scripts/lib

UBOOT = "/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin"
PROMPT = "=> "
OFF = "vellum: power off, status "
PASSED = re.compile(r"tests: (\d+) passed, 0 failed$")

CARD_BYTES = 1 << 30  # a card is larger than the image on it

# Where the kernel goes, multiples of 2 MiB: by its header, and in the wrappings.
KERNEL = 0x80200000
KERNEL_FIT = 0xA0000000
KERNEL_LEGACY = 0x98400000


def wrap(card, folder):
    """Puts the other wrappings of the kernel on a card."""
    files = {name: os.path.join(folder, name) for name in ("Image", "initrd.cpio")}
    fit = dataclasses.replace(image.TARGETS["virt"], kernel=KERNEL_FIT)
    os.makedirs(os.path.join(folder, "else"))
    image.make_fit(fit, files, "", os.path.join(folder, "else"))
    legacy = os.path.join(folder, "else", "legacy.img")
    image.run(
        "mkimage", "-A", "riscv", "-O", "linux", "-T", "kernel", "-C", "none", "-n", "Vellum",
        "-a", f"{KERNEL_LEGACY:#x}", "-e", f"{KERNEL_LEGACY:#x}", "-d", files["Image"], legacy,
    )  # fmt: skip
    packed = os.path.join(folder, "else", "Image.gz")
    with open(packed, "wb") as file:
        file.write(gzip.compress(image.read(files["Image"])))
    part = f"{card}@@{image.PART_START}"
    image.run("mcopy", "-i", part, os.path.join(folder, "else", "vellum.itb"), "::else.itb")
    image.run("mcopy", "-i", part, legacy, packed, "::")


class Card:
    """A card whose words tell init what to run, and the machine it is put in."""

    def __init__(self, build, folder, words, target="virt", tree=""):
        self.build = build
        self.folder = folder
        try:
            self.card = image.make(target, build, folder, words, tree)
            if target == "virt":
                wrap(self.card, folder)
        except image.Problem as problem:
            raise Failure(str(problem)) from problem
        os.truncate(self.card, CARD_BYTES)

    def boot(self, **more):
        return vellum_qemu.Boot(build=self.build, uboot=UBOOT, card=self.card, **more)

    def lines(self, title):
        """The lines below a title of BOOT.txt."""
        with open(os.path.join(self.folder, "BOOT.txt"), encoding="utf-8") as file:
            _, _, rest = file.read().partition(title)
        lines = rest.split("\n\n")[0].rstrip().split("\n")[1:]
        expect(lines, f"BOOT.txt has no lines for {title!r}")
        return [line.strip() for line in lines]


def stop(machine):
    """Stops U-Boot before it boots by itself."""
    machine.wait_for("Hit any key to stop autoboot")
    machine.type("\r")
    machine.wait_for(PROMPT)


def type_line(machine, line, meanwhile=lambda: None):
    """Types a line, does what it waits for, and sees that it succeeds."""
    machine.type(f"{line} && echo went well\r")
    machine.wait_for("echo went well")
    meanwhile()
    machine.wait_for("went well")
    machine.wait_for(PROMPT)


def type_lines(machine, lines):
    """Types all but the last, which is to boot; each must succeed."""
    for line in lines[:-1]:
        type_line(machine, line)
    machine.type(lines[-1] + "\r")


def watch(machine, report=()):
    """The boot report has these lines, in this order; the programs run, and all pass."""
    for line in report:
        machine.wait_for(line)
    machine.wait_for("init: begin")
    told = [""]
    while not told[-1].startswith(OFF):
        told.append(machine.wait_for("\n"))
    bad = [number for number, line in enumerate(told) if line.startswith("not ok")]
    shown = [line for number in bad for line in told[max(number - 30, 0) : number + 1]]
    expect(told[-1] == f"{OFF}0", f"the machine ended with {told[-1]!r}", shown or told[-30:])
    expect(any(PASSED.match(line) for line in told), "test programs failed", shown or told[-30:])


def lines_boot(boot, lines, report=(), more=()):
    """A machine in which these lines are typed at U-Boot's prompt."""
    with Machine(boot, *more) as machine:
        stop(machine)
        type_lines(machine, lines)
        watch(machine, report)
