#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The way of a board: firmware, U-Boot, a card that scripts/image made, the kernel.

QEMU's virt with Debian's U-Boot in S-mode stands in for the board.

  extlinux  U-Boot finds extlinux.conf on the card by itself; all test programs run
  by hand   the lines that BOOT.txt gives for a card and booti, typed as they stand
  FIT       the lines for bootm
  boot2     vf2_uEnv.txt, imported and run as the vendor's U-Boot of a VisionFive 2 does
  patched   a device tree that U-Boot has moved and changed
  high      without U-Boot: a machine of 8 GiB, whose tree lies above 4 GiB

usage: session_uboot.py [--build build/rv64-debug]     exit status 0: all is as expected
"""

import os
import sys
import tempfile

import session_run
from session_run import Failure, Machine, expect, vellum_qemu

import image  # of scripts/lib

UBOOT = "/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin"
PROMPT = "=> "
VENDORS_CARD = "mmc 1"  # what its files say; QEMU's card has another name
WORDS = "-- run hello"
DONE = "Hello from user mode."
OFF = "vellum: power off, status 0"
PATCHED = "a board that U-Boot has patched"


def lines_of(folder, title):
    """The lines below a title of BOOT.txt."""
    with open(os.path.join(folder, "BOOT.txt"), encoding="utf-8") as file:
        _, _, rest = file.read().partition(title)
    lines = rest.split("\n\n")[0].split("\n")[1:]
    expect(lines, f"BOOT.txt has no lines for {title!r}")
    return [line.strip() for line in lines]


def prompt(machine):
    """Stops U-Boot before it boots by itself."""
    machine.wait_for("Hit any key to stop autoboot")
    machine.type("\r")
    machine.wait_for(PROMPT)


def type_lines(machine, lines):
    """Types all but the last, which is to boot; each must succeed."""
    for line in lines[:-1]:
        machine.type(f"{line} && echo went well\r")
        machine.wait_for("echo went well")
        machine.wait_for("went well")
        machine.wait_for(PROMPT)
    machine.type(lines[-1] + "\r")


def session_extlinux(boot):
    with Machine(boot) as machine:
        machine.wait_for("Found /extlinux/extlinux.conf")
        machine.wait_for("init: begin")
        told = [""]
        while not told[-1].startswith(OFF.removesuffix("0")):
            told.append(machine.wait_for("\n"))
        bad = [number for number, line in enumerate(told) if line.startswith("not ok")]
        shown = [line for number in bad for line in told[max(number - 30, 0) : number + 1]]
        expect(any(" 0 failed" in line for line in told), "test programs failed", shown)


def session_lines(boot, lines):
    with Machine(boot) as machine:
        prompt(machine)
        type_lines(machine, lines)
        machine.wait_for(DONE)
        machine.wait_for(OFF)


def session_boot2(boot, folder):
    with open(os.path.join(folder, "vf2_uEnv.txt"), encoding="utf-8") as file:
        variables = file.read()
    expect(variables.count(VENDORS_CARD) == 2, "vf2_uEnv.txt does not load two files from the card")
    lines = [
        f"load virtio 0:3 ${{loadaddr}} vf2_uEnv.txt",
        "env import -t ${loadaddr} ${filesize}",
        "run boot2",
    ]
    session_lines(boot, ["setenv loadaddr 0x88000000", *lines])


def session_patched(boot, by_hand):
    """The tree is copied elsewhere, given room, and changed, as U-Boot's own fix-ups do."""
    lines = [
        "setenv tree 0x8d000000",
        "fdt addr ${fdtcontroladdr}",
        "fdt move ${fdtcontroladdr} ${tree} 0x20000",
        f'fdt set / model "{PATCHED}"',
        "fdt resize 0x4000",
        *by_hand[:-1],
        by_hand[-1].replace("${fdtcontroladdr}", "${tree}"),
    ]
    with Machine(boot) as machine:
        prompt(machine)
        type_lines(machine, lines)
        machine.wait_for(f"Vellum on {PATCHED}")
        machine.wait_for(DONE)
        machine.wait_for(OFF)


def session_high(build):
    with Machine(vellum_qemu.Boot(build=build, memory="8G", commands="run hello")) as machine:
        machine.wait_for("; a1 ")
        address = int(machine.wait_for("\n"), 16)
        expect(address >= 1 << 32, f"the tree lies at {address:#x}, below 4 GiB")
        machine.wait_for("8192 MiB")
        machine.wait_for(DONE)
        machine.wait_for(OFF)


def make_card(build, folder, append, target="virt"):
    try:
        return image.make(target, build, folder, append)
    except image.Problem as problem:
        raise Failure(str(problem)) from problem


def run_all(build):
    with tempfile.TemporaryDirectory() as folder:
        tests, words, vendors = (os.path.join(folder, name) for name in ("tests", "words", "vf2"))
        boot = vellum_qemu.Boot(build=build, uboot=UBOOT, card=make_card(build, tests, "-- test"))
        hand = vellum_qemu.Boot(build=build, uboot=UBOOT, card=make_card(build, words, WORDS))
        by_hand = lines_of(words, "By hand:")
        make_card(build, vendors, WORDS, "vf2")
        return session_run.run_sessions(
            [
                ("extlinux", lambda: session_extlinux(boot)),
                ("by hand", lambda: session_lines(hand, by_hand)),
                ("FIT", lambda: session_lines(hand, lines_of(words, "FIT, from the same card:"))),
                ("boot2", lambda: session_boot2(hand, vendors)),
                ("patched", lambda: session_patched(hand, by_hand)),
                ("high", lambda: session_high(build)),
            ]
        )


if __name__ == "__main__":
    sys.exit(session_run.main(__doc__, run_all))
