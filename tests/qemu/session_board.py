#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A board's own U-Boot: Debian's for the HiFive Unleashed, on QEMU's model of that board.

Other than on virt there is a monitor hart, and the kernel gets the tree that U-Boot has for the board,
with what U-Boot adds to it. QEMU puts kernel and archive into memory, at U-Boot's addresses for them;
its model of the card is of no use, for this U-Boot does not come back from it.

scripts/setup --for full fetches this U-Boot.

usage: session_board.py [--build build/rv64-debug]     exit status 0: all is as expected
"""

import os
import sys

import session_run
from session_card import lines_boot
from session_run import ROOT, vellum_qemu

UBOOT = os.path.join(ROOT, "build", "tools", "board-trees", "u-boot", "hifive-unleashed.bin")

# What U-Boot's variables kernel_addr_r and ramdisk_addr_r say.
KERNEL, ARCHIVE = 0x84000000, 0x8C300000

REPORT = [
    "Vellum on SiFive HiFive Unleashed A00\n",
    "of 4; a1 0xff",  # U-Boot's own tree, where U-Boot has it
    "tree Sv39, PLIC context 2,",
    "tree Sv39, PLIC context 8,",
    "left alone id 0, stopped\n",
    "memory     0x0080000000 - 0x0280000000  8192 MiB\n",
    f"reserved   {ARCHIVE:#012x} - ",
    f"initrd     {ARCHIVE:#012x} - ",
    "console    SiFive UART at 0x10010000",
    "vellum: 4 of 4 harts run: ids 1 2 3 4\n",
]


def loader(path, address):
    return ["-device", f"loader,file={path},addr={address:#x},force-raw=on"]


def session_unleashed(build):
    boot = vellum_qemu.Boot(build=build, machine="sifive_u", harts=4, memory="8G", uboot=UBOOT)
    size = os.path.getsize(boot.initrd_file)
    files = [*loader(boot.image_file, KERNEL), *loader(boot.initrd_file, ARCHIVE)]
    turns = ["-icount", f"shift={boot.turn},sleep=off"]
    lines = [
        "setenv bootargs -- test all_harts copy spaces_switch",
        f"booti ${{kernel_addr_r}} ${{ramdisk_addr_r}}:{size:x} ${{fdtcontroladdr}}",
    ]
    lines_boot(boot, lines, REPORT, [*files, *turns])


def run_all(build):
    return session_run.run_sessions([("HiFive Unleashed", lambda: session_unleashed(build))])


if __name__ == "__main__":
    sys.exit(session_run.main(__doc__, run_all))
