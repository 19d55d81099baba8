# SPDX-License-Identifier: MIT
"""What U-Boot reads, or is told, to boot Vellum; and where things go in each machine's memory.

extlinux.conf is for mainline's U-Boot, vf2_uEnv.txt, whose `boot2` it runs, for the VisionFive 2's
vendor's; a FIT's source for mkimage; and BOOT.txt has the lines to type. All of them boot with
U-Boot's own device tree if none is given.
"""

import dataclasses
import os

MIB = 1 << 20
PART_NUMBER = 3
TREE_ROOM = 2 * MIB  # between a FIT's tree and its archive


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
    words: str = ""  # for the kernel, in front of what the user gives


TARGETS = {
    "vf2": Target(
        "VisionFive 2", 0x40000000, 0x40200000, 0x43900000, 0x40200000, 0x46000000, 0x46100000,
        0x60000000, "mmc 1", "docs/boards/visionfive2.md", "selftest",
    ),
    "virt": Target(
        "QEMU virt with 256 MiB or more", 0x80000000, 0x80200000, 0x84000000, 0x84000000,
        0x8C000000, 0x8C300000, 0x88000000, "virtio 0", "docs/boards/qemu.md",
    ),
}  # fmt: skip


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
