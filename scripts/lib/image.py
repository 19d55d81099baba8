#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes what U-Boot boots: a card image, a FIT, and the lines to type. scripts/image is its face.

The card image has one partition, the third, for that is where the vendor's U-Boot of the VisionFive
2 looks; mainline's looks at every partition marked bootable. It holds the kernel (Image), the
programs (initrd.cpio), extlinux/extlinux.conf for mainline's U-Boot, and vf2_uEnv.txt, whose `boot2`
the vendor's runs. Nothing of it replaces firmware: that is in the board's flash.

The same files give the same bytes.
"""

import argparse
import dataclasses
import os
import re
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rooms  # noqa: E402

ROOT = rooms.ROOT
MIB = 1 << 20
SECTOR = 512
PART_NUMBER = 3
PART_START = 8 * MIB
PART_BYTES = 56 * MIB
PART_TYPE = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"  # where any system finds a FAT
DISK_ID = "56454C4C-554D-4000-8000-000000000001"
PART_ID = "56454C4C-554D-4000-8000-000000000003"
FAT_ID = "56454c4c"
HEADER_MAGIC = b"RSC\x05"
TREE_ROOM = 2 * MIB  # U-Boot lets a tree grow where it lies


class Problem(Exception):
    """Something the user can put right; the text says how."""


@dataclasses.dataclass(frozen=True)
class Target:
    """Where things go in the memory of a machine whose U-Boot has these variables."""

    about: str
    ram: int
    kernel: int  # where booti moves the kernel: the start of memory and what its header asks for
    kernel_end: int  # the kernel and its zeroed memory end before this
    kernel_at: int  # kernel_addr_r
    tree_at: int  # fdt_addr_r
    ramdisk_at: int  # ramdisk_addr_r
    fit_at: int  # where the lines load the FIT
    device: str  # of the card, as `load` names it
    page: str  # the document that tells the rest


TARGETS = {
    "vf2": Target(
        "VisionFive 2", 0x40000000, 0x40200000, 0x43900000, 0x40200000, 0x46000000, 0x46100000,
        0x60000000, "mmc 1", "docs/boards/visionfive2.md",
    ),
    "virt": Target(
        "QEMU virt with 256 MiB or more", 0x80000000, 0x80200000, 0x84000000, 0x84000000,
        0x8C000000, 0x8C300000, 0x88000000, "virtio 0", "docs/boards/qemu.md",
    ),
}  # fmt: skip


# The first time that a FAT can tell is the time of all that is made.
EPOCH = 315532800

# Where disk tools are, for people whose PATH does not say so.
TOOLS_ENVIRONMENT = {
    **os.environ,
    "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin",
    "SOURCE_DATE_EPOCH": str(EPOCH),
    "TZ": "UTC",
}


def run(*line, data=None):
    """Runs a tool; its words are shown if it fails."""
    try:
        done = subprocess.run(
            line, input=data, text=True, env=TOOLS_ENVIRONMENT,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    except OSError as error:
        raise Problem(f"{line[0]} does not start ({error.strerror}): run scripts/setup") from error
    if done.returncode:
        raise Problem(f"{line[0]} failed:\n{done.stdout}")
    return done.stdout


def check_kernel(target, image):
    """The kernel's header must say what U-Boot relies on, and what it needs must fit."""
    if len(image) < 64 or image[0x38:0x3C] != HEADER_MAGIC:
        raise Problem("Image has no RISC-V header: build it with cmake --preset rv64-release")
    text_offset, image_size = struct.unpack_from("<QQ", image, 8)
    if target.ram + text_offset != target.kernel:
        raise Problem(f"Image asks for {text_offset:#x} from the start of memory, not 0x200000")
    if image_size < len(image):
        raise Problem(f"Image is {len(image)} bytes long, its header says {image_size}")
    if target.kernel + image_size > target.kernel_end:
        raise Problem(
            f"the kernel needs memory up to {target.kernel + image_size:#x}, U-Boot has its own "
            f"from {target.kernel_end:#x} on"
        )


def check_sizes(target, image, initrd, fit_bytes):
    """What is loaded must not lie over what was loaded before."""
    pieces = sorted(
        [
            (target.kernel_at, len(image), "Image"),
            (target.tree_at, min(TREE_ROOM, target.ramdisk_at - target.tree_at), "device tree"),
            (target.ramdisk_at, len(initrd), "initrd.cpio"),
            (target.fit_at, fit_bytes, "vellum.itb"),
        ]
    )
    for (start, size, name), (after, _, other) in zip(pieces, pieces[1:]):
        if start + size > after:
            raise Problem(
                f"{name} at {start:#x} is {size} bytes long and runs into {other} at {after:#x}"
            )
    if len(image) + len(initrd) + fit_bytes + 4 * MIB > PART_BYTES:
        raise Problem(f"the files do not fit the card image's {PART_BYTES // MIB} MiB")


def extlinux(append, tree_name):
    lines = ["default vellum", "timeout 10", "label vellum", "  kernel /Image"]
    lines += ["  initrd /initrd.cpio"]
    lines += [f"  fdt /{tree_name}"] if tree_name else []
    lines += [f"  append {append}"] if append else []
    return "\n".join(lines) + "\n"


def boot_lines(load, tree_name, name_too=True):
    """What booti needs, one line each; `load` is the command that brings a file into memory.

    The archive's size is kept by itself: U-Boot knows only that of the last file."""
    files = [("kernel_addr_r", "Image")]
    files += [("fdt_addr_r", tree_name)] if tree_name else []
    files += [("ramdisk_addr_r", "initrd.cpio")]
    lines = [f"{load} ${{{place}}}" + (f" {name}" if name_too else "") for place, name in files]
    tree_at = "fdt_addr_r" if tree_name else "fdtcontroladdr"
    return [
        *lines,
        "setenv rdsize ${filesize}",
        f"booti ${{kernel_addr_r}} ${{ramdisk_addr_r}}:${{rdsize}} ${{{tree_at}}}",
    ]


def clear_words(append):
    """What U-Boot has as the kernel's words would replace those of a tree."""
    return f"setenv bootargs {append}".rstrip()


def u_env(target, append, tree_name):
    """The file that the vendor's U-Boot reads: it runs boot2."""
    load = f"load {target.device}:{PART_NUMBER}"
    return "boot2=" + "; ".join([clear_words(append), *boot_lines(load, tree_name)]) + "\n"


def fit_source(target, files, tree):
    """The FIT's source. The tree is a file's, or the one that U-Boot itself has."""
    ramdisk = target.tree_at + TREE_ROOM
    nodes = [
        ("kernel", "kernel", files["Image"], target.kernel, True),
        ("ramdisk", "ramdisk", files["initrd.cpio"], ramdisk, False),
    ]
    nodes += [("fdt", "flat_dt", tree, target.tree_at, False)] if tree else []
    text = '/dts-v1/;\n/ {\n  description = "Vellum";\n  #address-cells = <1>;\n  images {\n'
    for name, kind, path, load, is_entry in nodes:
        text += f'    {name} {{\n      data = /incbin/("{os.path.abspath(path)}");\n'
        text += f'      type = "{kind}";\n      arch = "riscv";\n      compression = "none";\n'
        text += '      os = "linux";\n' if kind != "flat_dt" else ""
        text += f"      load = <{load:#x}>;\n"
        text += f"      entry = <{load:#x}>;\n" if is_entry else ""
        text += '      hash-1 {\n        algo = "sha256";\n      };\n    };\n'
    text += '  };\n  configurations {\n    default = "vellum";\n    vellum {\n'
    for name, *_ in nodes:
        text += f'      {name} = "{name}";\n'
    return text + "    };\n  };\n};\n"


def make_fit(target, files, tree, out):
    source = os.path.join(out, "vellum.its")
    fit = os.path.join(out, "vellum.itb")
    with open(source, "w", encoding="utf-8") as file:
        file.write(fit_source(target, files, tree))
    run("mkimage", "-f", source, fit)
    return fit


def make_card(files, path):
    """A disk image whose third partition is a FAT with these files."""
    with open(path, "wb") as disk:
        disk.truncate(PART_START + PART_BYTES + MIB)
    run(
        "sfdisk", "--quiet", path,
        data=f"label: gpt\nlabel-id: {DISK_ID}\n{path}{PART_NUMBER} : "
        f"start={PART_START // SECTOR}, size={PART_BYTES // SECTOR}, type={PART_TYPE}, "
        f'uuid={PART_ID}, name="boot", attrs="LegacyBIOSBootable"\n',
    )  # fmt: skip
    fat = f"{path}@@{PART_START}"
    run("mformat", "-i", fat, "-T", str(PART_BYTES // SECTOR), "-h", "64", "-s", "32",
        "-v", "VELLUM", "-N", FAT_ID, "::")  # fmt: skip
    for folder in sorted({os.path.dirname(name) for name in files} - {""}):
        run("mmd", "-i", fat, f"::{folder}")
    for name, source in sorted(files.items()):
        os.utime(source, (EPOCH, EPOCH))
        run("mcopy", "-m", "-i", fat, source, f"::{name}")


def how_to(name, target, append, tree_name):
    """The lines to type, exactly."""
    clear = clear_words(append)
    load = f"load {target.device}:{PART_NUMBER}"
    files = "Image, board.dtb, initrd.cpio" if tree_name else "Image, initrd.cpio"
    bootm = f"bootm {target.fit_at:#x}"
    ways = {
        f"Card: write vellum-{name}.img to it; U-Boot finds it by itself.  By hand:": [
            clear,
            *boot_lines(load, tree_name),
        ],
        "FIT, from the same card:": [
            clear,
            f"{load} {target.fit_at:#x} vellum.itb",
            bootm if tree_name else f"{bootm} {target.fit_at:#x} ${{fdtcontroladdr}}",
        ],
        f"Network (TFTP); {files} are on the server, whose address goes in for ADDRESS:": [
            clear,
            "setenv autoload no",
            "dhcp",
            "setenv serverip ADDRESS",
            *boot_lines("tftpboot", tree_name),
        ],
        f"Serial line only (YMODEM, 11 KB/s); after each loady send a file: {files}:": [
            clear,
            *boot_lines("loady", tree_name, name_too=False),
        ],
    }
    text = f"How U-Boot boots Vellum on {target.about}; every line as it stands.\n"
    for title, lines in ways.items():
        text += f"\n{title}\n" + "".join(f"  {line}\n" for line in lines)
    return text


def write(out, name, text):
    path = os.path.join(out, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise Problem(f"{path} cannot be read ({error.strerror})") from error


def make(name, build, out, append="", tree="", initrd=""):
    """Makes everything for a target in the folder `out`; returns the card image's path."""
    target = TARGETS[name]
    if re.search(r"[^ -~]|[;$\"'\\]", append):
        raise Problem("--append takes letters, digits and signs but ; $ \" ' and \\, on one line")
    image = read(os.path.join(build, "Image"))
    archive = read(initrd or os.path.join(build, "initrd.cpio"))
    check_kernel(target, image)
    os.makedirs(out, exist_ok=True)
    files = {"Image": os.path.join(out, "Image"), "initrd.cpio": os.path.join(out, "initrd.cpio")}
    for path, data in zip(files.values(), (image, archive)):
        with open(path, "wb") as file:
            file.write(data)
    files["vellum.itb"] = make_fit(target, files, tree, out)
    check_sizes(target, image, archive, os.path.getsize(files["vellum.itb"]))
    tree_name = ""
    if tree:
        tree_name = "board.dtb"
        files[tree_name] = os.path.join(out, tree_name)
        with open(files[tree_name], "wb") as file:
            file.write(read(tree))
    files["extlinux/extlinux.conf"] = write(
        out, "extlinux/extlinux.conf", extlinux(append, tree_name)
    )
    files["vf2_uEnv.txt"] = write(out, "vf2_uEnv.txt", u_env(target, append, tree_name))
    card = os.path.join(out, f"vellum-{name}.img")
    make_card(files, card)
    write(out, "BOOT.txt", how_to(name, target, append, tree_name))
    return card


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "rv64-release"))
    parser.add_argument("--out", default="")
    parser.add_argument("--append", default="", help="words for the kernel's command line")
    parser.add_argument("--dtb", default="", help="a device tree to boot with")
    parser.add_argument("--initrd", default="", help="another archive of programs")
    chosen = parser.parse_args()
    out = chosen.out or os.path.join(ROOT, "build", f"image-{chosen.target}")
    make(chosen.target, chosen.build, out, chosen.append, chosen.dtb, chosen.initrd)
    print(f"{os.path.relpath(out)}: vellum-{chosen.target}.img, vellum.itb, Image, initrd.cpio")
    print(f"what to type at U-Boot's prompt: {os.path.relpath(os.path.join(out, 'BOOT.txt'))}")
    print(f"what to do with it: {TARGETS[chosen.target].page}")


if __name__ == "__main__":
    try:
        main()
    except Problem as problem:
        sys.exit(f"image: {problem}")
