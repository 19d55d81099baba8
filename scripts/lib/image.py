#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes what U-Boot boots: a card image, a FIT, and the lines to type. scripts/image is its face.

The card image has one partition, the third, for that is where the vendor's U-Boot of the VisionFive
2 looks; mainline's looks at every partition marked bootable. It holds the kernel (Image), the
programs (initrd.cpio), the FIT, and the texts that U-Boot reads (image_lines.py). Nothing of it
replaces firmware: that is in the board's flash.

The same files give the same bytes.
"""

import argparse
import os
import re
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import image_lines  # noqa: E402
import rooms  # noqa: E402
from image_lines import PART_NUMBER, TARGETS, TREE_ROOM  # noqa: E402

ROOT = rooms.ROOT
MIB = 1 << 20
SECTOR = 512
PART_START = 8 * MIB
PART_BYTES = 56 * MIB
PART_TYPE = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"  # where any system finds a FAT
DISK_ID = "56454C4C-554D-4000-8000-000000000001"
PART_ID = "56454C4C-554D-4000-8000-000000000003"
FAT_ID = "56454c4c"
HEADER_MAGIC = b"RSC\x05"
TREE_MAGIC = 0xD00DFEED
TREE_MAXIMUM = MIB // 2  # U-Boot lets a tree grow where it lies
APPEND_MAXIMUM = 190  # U-Boot of a VisionFive 2 takes lines of 255, and there are words of our own


class Problem(Exception):
    """Something the user can put right; the text says how."""


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


def make_fit(target, files, tree, out):
    text = image_lines.fit_source(target, files, tree)
    source = write(out, "vellum.its", text.encode())
    fit = os.path.join(out, "vellum.itb")
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


def write(out, name, data):
    path = os.path.join(out, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    return path


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise Problem(f"{path} cannot be read ({error.strerror})") from error


def check_append(append):
    """The words must come through U-Boot as they are."""
    if re.search(r"[^ -~]|[;$\"'\\]", append):
        raise Problem("--append takes letters, digits and signs but ; $ \" ' and \\, on one line")
    if len(append) > APPEND_MAXIMUM:
        raise Problem(f"--append is {len(append)} bytes long, U-Boot takes {APPEND_MAXIMUM}")


def read_tree(path):
    """A device tree as a file; the kernel judges the rest."""
    tree = read(path)
    magic, size = struct.unpack_from(">II", tree.ljust(8, b"\0"))
    if magic != TREE_MAGIC or size > len(tree):
        raise Problem(f"{path} is no device tree: give --dtb what dtc makes of one")
    if len(tree) > TREE_MAXIMUM:
        raise Problem(f"{path} is {len(tree)} bytes long, U-Boot has room for {TREE_MAXIMUM}")
    return tree


def make(name, build, out, append="", tree="", initrd=""):
    """Makes everything for a target in the folder `out`; returns the card image's path."""
    target = TARGETS[name]
    check_append(append)
    append = f"{target.words} {append}".strip()
    pieces = {
        "Image": read(os.path.join(build, "Image")),
        "initrd.cpio": read(initrd or os.path.join(build, "initrd.cpio")),
    }
    tree_name = "board.dtb" if tree else ""
    if tree:
        pieces[tree_name] = read_tree(tree)
    check_kernel(target, pieces["Image"])
    os.makedirs(out, exist_ok=True)
    files = {piece: write(out, piece, data) for piece, data in pieces.items()}
    files["vellum.itb"] = make_fit(target, files, files.get(tree_name, ""), out)
    check_sizes(
        target, pieces["Image"], pieces["initrd.cpio"], os.path.getsize(files["vellum.itb"])
    )
    for path, text in (
        ("extlinux/extlinux.conf", image_lines.extlinux(append, tree_name)),
        ("vf2_uEnv.txt", image_lines.u_env(target, append, tree_name)),
    ):
        files[path] = write(out, path, text.encode())
    card = os.path.join(out, f"vellum-{name}.img")
    make_card(files, card)
    write(out, "BOOT.txt", image_lines.how_to(name, target, append, tree_name).encode())
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
    except OSError as error:
        sys.exit(f"image: {error.filename or 'the image'} cannot be written ({error.strerror})")
