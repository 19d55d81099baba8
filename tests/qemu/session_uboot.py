#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The way of a board: firmware, U-Boot, a card that scripts/image made, the kernel.

QEMU's virt with Debian's U-Boot in S-mode stands in for the board. Some test programs run at the end
of each way, with --full all of them; what says (full) runs only then, for it takes minutes.

  extlinux   U-Boot finds extlinux.conf on the card by itself; all test programs run
  own words  U-Boot has words of its own for Linux, and extlinux.conf none for Vellum
  by hand    the lines that BOOT.txt gives for a card and booti, typed as they stand
  FIT        the lines for bootm
  network    the lines for a TFTP server
  serial     the lines for the serial line alone, with files sent by YMODEM (full)
  own tree   the lines for a card and for bootm, and extlinux.conf, with a tree given by --dtb
  boot2      vf2_uEnv.txt, imported and run as the vendor's U-Boot of a VisionFive 2 does
  packed     the kernel as Image.gz, loaded elsewhere: booti unpacks it, and brings it to where its
             header asks for
  else FIT   bootm with a FIT that says another address
  legacy     bootm with a legacy image that says another address
  relocated  U-Boot moves tree and archive to the end of memory, as on a VisionFive 2 (mainline)
  patched    a tree that was copied, and changed as a board's U-Boot does: model, memory, what is
             reserved, the kernel's words, where the archive lies
  high       8 GiB of memory; U-Boot leaves tree and archive above 4 GiB
  high, u74  the same by QEMU alone, with four harts much like a VisionFive 2's
  sizes      2, 4 and 8 GiB: all of it is found, and all but little is free

usage: session_uboot.py [--full] [--build build/rv64-debug]     exit status 0: all is as expected
"""

import os
import re
import subprocess
import sys
import tempfile

import session_card
import session_run
import ymodem
from session_card import Card, lines_boot, stop, type_line, type_lines, watch
from session_prompt import PROMPT as VELLUM
from session_run import Machine, expect, vellum_qemu

import image  # of scripts/lib

ALL = "-- test"
SELF_TEST = "selftest -- test"  # the words of a board's card
SOME = "-- test all_harts copy"
VENDORS_CARD = "mmc 1"  # what its files say; QEMU's card has another name
LINUX_WORDS = "console=ttyS0,115200 debug rootwait earlycon=sbi"  # the vendor's default
PATCHED = "a board that U-Boot has patched"
QEMU_NAME, OWN_NAME = b"riscv-virtio,qemu", b"a tree from --dtb"
HOST = "10.0.2.2"  # QEMU's own TFTP server
HIGH_TREE = 0x180000000
HIGH_ARCHIVE = 0x1A0000000
MIB = 1 << 20


def session_extlinux(card):
    with Machine(card.boot()) as machine:
        machine.wait_for("Found /extlinux/extlinux.conf")
        watch(machine, ["selftest: begin\n", " facts, 0 wrong\n"])


def session_own_words(card):
    """The shell comes up, the words are named, and no hart is lost for them."""
    with Machine(card.boot()) as machine:
        stop(machine)
        type_lines(machine, [f"setenv bootargs {LINUX_WORDS}", "boot"])
        machine.wait_for("rootwait: no word of the kernel's command line; ignored\n")
        machine.wait_for(f"cmdline    {LINUX_WORDS}\n")
        machine.wait_for("2 of 2 harts run")
        machine.wait_for(VELLUM)


def session_network(card):
    lines = [line.replace("ADDRESS", HOST) for line in card.lines("Network (TFTP)")]
    server = f"user,id=net,restrict=on,tftp={card.folder}"
    more = ["-netdev", server, "-device", "virtio-net-device,netdev=net"]
    lines_boot(card.boot(), lines, more=more)


def session_serial(card):
    with Machine(card.boot()) as machine:
        stop(machine)
        files = iter(["Image", "initrd.cpio"])
        *lines, last = card.lines("Serial line only")
        for line in lines:
            if line.startswith("loady "):
                path = os.path.join(card.folder, next(files))
                type_line(machine, line, lambda path=path: ymodem.send(machine, path))
            else:
                type_line(machine, line)
        machine.type(last + "\r")
        watch(machine)


def own_tree(folder):
    """QEMU's tree with another name for the machine."""
    path = os.path.join(folder, "virt.dtb")
    qemu = vellum_qemu.Boot.qemu
    line = [qemu, "-nographic", "-M", f"virt,dumpdtb={path}", "-smp", "2", "-m", "1G"]
    subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    tree = image.read(path)
    expect(len(QEMU_NAME) == len(OWN_NAME) and QEMU_NAME in tree, "QEMU's tree has no such name")
    with open(path, "wb") as file:
        file.write(tree.replace(QEMU_NAME, OWN_NAME))
    return path


def session_own_tree(card):
    name = [f"Vellum on {OWN_NAME.decode()}\n"]
    for lines in (card.lines("By hand:"), card.lines("FIT"), ["boot"]):
        lines_boot(card.boot(), lines, name)


def session_boot2(card, vendors):
    with open(os.path.join(vendors.folder, "vf2_uEnv.txt"), encoding="utf-8") as file:
        variables = file.read()
    expect(variables.count(VENDORS_CARD) == 2, "vf2_uEnv.txt does not load two files from the card")
    lines = [
        "setenv loadaddr 0x88000000",
        f"setenv bootargs {LINUX_WORDS}",
        "load virtio 0:3 ${loadaddr} vf2_uEnv.txt",
        "env import -t ${loadaddr} ${filesize}",
        "run boot2",
    ]
    lines_boot(card.boot(), lines)


def at(address):
    """How the boot report begins to tell where the kernel is."""
    return f"image      {address:#012x} - "


def session_packed(card):
    lines = [line.replace(" Image", " Image.gz") for line in card.lines("By hand:")]
    lines_boot(card.boot(), ["setenv kernel_addr_r 0xa8000000", *lines], [at(session_card.KERNEL)])


def session_else_fit(card):
    lines = [line.replace("vellum.itb", "else.itb") for line in card.lines("FIT")]
    lines_boot(card.boot(), lines, [at(session_card.KERNEL_FIT)])


def session_legacy(card):
    lines = [line.replace(" Image", " legacy.img") for line in card.lines("By hand:")]
    lines[-1] = lines[-1].replace("booti", "bootm")
    lines_boot(card.boot(), lines, [at(session_card.KERNEL_LEGACY)])


def session_relocated(card):
    lines = ["setenv fdt_high", "setenv initrd_high", *card.lines("By hand:")]
    with Machine(card.boot()) as machine:
        stop(machine)
        type_lines(machine, lines)
        machine.wait_for("Loading Ramdisk to ")
        machine.wait_for("Loading Device Tree to ")
        tree = int(machine.wait_for(",").partition(",")[0], 16)
        watch(machine, [f"a1 {tree:#x}\n"])


def session_patched(card):
    """What booti would tell by its arguments and variables stands in the tree alone."""
    words, *load, booti = card.lines("By hand:")
    lines = [
        "setenv tree 0x8d000000",
        "fdt addr ${fdtcontroladdr}",
        "fdt move ${fdtcontroladdr} ${tree} 0x20000",
        f'fdt set / model "{PATCHED}"',
        "fdt memory 0x80000000 0x20000000",
        "fdt rsvmem add 0x90000000 0x100000",
        *load,
        words,
        "fdt chosen ${ramdisk_addr_r} ${filesize}",
        "setenv bootargs",
        "fdt resize 0x4000",
        re.sub(r"\$\{ramdisk_addr_r\}\S* .*", "- ${tree}", booti),
    ]
    report = [
        f"Vellum on {PATCHED}\n",
        "memory     0x0080000000 - 0x00a0000000  512 MiB\n",
        "reserved   0x0090000000 - 0x0090100000  1 MiB\n",
        "initrd     0x008c300000 - ",
        f"cmdline    {words.removeprefix('setenv bootargs ')}\n",
    ]
    lines_boot(card.boot(), lines, report)


def session_high(card):
    words, *load, _ = card.lines("By hand:")
    lines = [
        words,
        "fdt addr ${fdtcontroladdr}",
        f"fdt move ${{fdtcontroladdr}} {HIGH_TREE:#x} 0x20000",
        *load,
        f"cp.b ${{ramdisk_addr_r}} {HIGH_ARCHIVE:#x} ${{filesize}}",  # load itself refuses to
        f"booti ${{kernel_addr_r}} {HIGH_ARCHIVE:#x}:${{filesize}} {HIGH_TREE:#x}",
    ]
    report = [f"a1 {HIGH_TREE:#x}\n", f"initrd     {HIGH_ARCHIVE:#012x} - "]
    lines_boot(card.boot(memory="8G"), lines, report)


def u74(build, memory, **more):
    return vellum_qemu.Boot(build=build, cpu="u74", harts=4, memory=memory, **more)


def session_high_u74(build, words):
    with Machine(u74(build, "8G", commands=words.removeprefix("-- "))) as machine:
        machine.wait_for("; a1 ")
        address = int(machine.wait_for("\n"), 16)
        expect(address >= 1 << 32, f"the tree lies at {address:#x}, below 4 GiB")
        watch(machine, ["8192 MiB", "4 of 4 harts run"])


def session_sizes(build):
    """A frame's description takes a 256th of it; the kernel, the archive and init take little."""
    for gib in (2, 4, 8):
        with Machine(u74(build, f"{gib}G")) as machine:
            machine.wait_for(f"  {gib << 10} MiB\n")
            machine.wait_for("Sv39, 4 harts, ")
            free = int(machine.wait_for(" MiB free"))
            least = (gib << 10) - (gib << 2) - 16
            expect(least <= free <= gib << 10, f"of {gib} GiB {free} MiB are free")


def run_all(build, full=False):
    words = ALL if full else SOME
    with tempfile.TemporaryDirectory() as folder:

        def card(name, *more):
            return Card(build, os.path.join(folder, name), *more)

        every, some, quiet = card("all", SELF_TEST), card("some", words), card("quiet", "")
        vendors = card("vf2", words, "vf2")
        own = card("own", words, "virt", own_tree(folder))
        slow = [("serial", lambda: session_serial(some))]
        return session_run.run_sessions(
            [
                ("extlinux", lambda: session_extlinux(every)),
                ("own words", lambda: session_own_words(quiet)),
                ("by hand", lambda: lines_boot(some.boot(), some.lines("By hand:"))),
                ("FIT", lambda: lines_boot(some.boot(), some.lines("FIT"))),
                ("network", lambda: session_network(some)),
                ("own tree", lambda: session_own_tree(own)),
                ("boot2", lambda: session_boot2(some, vendors)),
                ("packed", lambda: session_packed(some)),
                ("else FIT", lambda: session_else_fit(some)),
                ("legacy", lambda: session_legacy(some)),
                ("relocated", lambda: session_relocated(some)),
                ("patched", lambda: session_patched(some)),
                ("high", lambda: session_high(some)),
                ("high, u74", lambda: session_high_u74(build, words)),
                ("sizes", lambda: session_sizes(build)),
                *(slow if full else []),
            ]
        )


if __name__ == "__main__":
    sys.exit(session_run.main(__doc__, run_all, has_full=True))
