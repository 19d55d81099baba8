# SPDX-License-Identifier: MIT
"""The configurations that the test programs run in: names, boots, and what a boot must report.

What there is to choose is in FACTORS, what cannot be together in possible(). By default every two
values that can be together are together in some configuration (pairwise.py), but for the largest
machine, which is there once: sixteen harts on one thread take as long as all others together. The
whole matrix has all combinations of machine, QEMU, paging mode, harts and identifiers, with the
other values spread over them.
"""

import dataclasses
import functools
import glob
import os
import re

import pairwise
import qemu as vellum_qemu

ROOT = vellum_qemu.ROOT
QEMU72 = os.path.join(ROOT, "build", "tools", "qemu-7.2", "qemu-system-riscv64")

# The first value of each is the one that names leave out.
FACTORS = {
    "machine": ["virt", "u74", "sifive_u", "icicle"],
    "qemu": ["", "qemu7.2"],
    "paging": ["sv57", "sv48", "sv39"],
    "harts": [1, 2, 4, 8, 16],
    "memory": ["128M", "64M", "2560M", "2G"],
    "asid": ["", "asid=4", "asid=0", "asid=9"],
    "svadu": ["", "nosvadu"],  # hardware updates A and D, or faults
    "adhw": ["", "noadhw"],
    "fence": ["", "fence=global"],
    "load": [0, 0x80400000, 0xA0000000],
    "preset": ["debug", "release", "clang"],
}

LARGEST = {
    **{name: values[0] for name, values in FACTORS.items()},
    "paging": "sv48",
    "harts": FACTORS["harts"][-1],
    "preset": "release",
}

ICICLE = {
    **{name: values[0] for name, values in FACTORS.items()},
    "machine": "icicle",
    "paging": "sv39",
    "harts": 4,
    "memory": "2G",
    "preset": "release",
}

# Boots with trees of boards, which scripts/setup fetches, and what the report then says. Linux's tree
# of the Icicle Kit says where the board's high memory is: within the 2 GiB that QEMU puts there when
# it has 3. U-Boot's of the HiFive Unleashed says Sv39, QEMU's own Sv48.
BOARD_TREES = {
    "linuxtree": ("icicle", "3G", "microchip/mpfs-icicle-kit.dtb", r"^  memory +0x1040000000 - "),
    "uboottree": ("sifive_u", "2G", "u-boot/hifive-unleashed.dtb", r"^  hart 0 .*, tree Sv39,"),
}

HARTS_MAXIMUM = {"virt": 16, "u74": 8, "sifive_u": 4, "icicle": 4}
# QEMU 7.2 starves harts when they take short turns in one thread (scripts/qemu.py), so there are as
# many as the host has cores; sifive_u has one more, which runs no programs.
HARTS_MAXIMUM_OLD = {"virt": 2, "sifive_u": 1}


def possible(row):
    """Whether a combination makes sense on the machines there are."""
    old, machine = row["qemu"] != "", row["machine"]
    return (
        row["harts"] <= HARTS_MAXIMUM[machine]
        and (machine == "virt" or row["paging"] == "sv39")
        and (machine == "virt" or not row["svadu"])  # these cores decide it themselves
        and not (machine in ("u74", "icicle") and old)
        and (machine != "icicle" or row["harts"] == 4)
        and (row["harts"] < 16 or row["preset"] != "debug")  # takes a quarter of an hour each
        and (machine == "icicle") == (row["memory"] == "2G")  # it has no other size
        and not (row["svadu"] and old)
        and not (old and row["harts"] > HARTS_MAXIMUM_OLD[machine])
        and (row["load"] < 0x88000000 or row["memory"] == "2560M")  # icicle's tree comes behind it
    )


@dataclasses.dataclass(frozen=True)
class Configuration:
    """A boot with a name, and what its console must say besides."""

    name: str
    boot: vellum_qemu.Boot

    def expected_log(self):
        """What the boot report, and the programs, must say, as regular expressions."""
        words = self.boot.append.split()
        if self.boot.paging:
            yield rf"^  paging +{self.boot.paging.capitalize()}\b"
        if self.boot.load_address:
            yield rf"^  image +0x0*{self.boot.load_address:x} "
        for word in words:
            bits = re.fullmatch(r"asid=(\d+)", word)
            if bits:
                yield rf"^  ASIDs +16 bits, {bits[1]} used$"
        if self.boot.tree:
            yield BOARD_TREES[self.name.rpartition("-")[2]][-1]
        if "fence=global" in words:
            yield r"^  fences .*fence=global on the command line$"
        # Fewer than twice as many identifiers as harts are none.
        if "asid=4" in words and self.boot.harts <= 7:
            yield r"# identifiers started over [1-9]"
        # Whatever the tree reserves: the first 2 MiB of RAM, up to the image.
        yield r"^  firmware +0x0080000000 - 0x0080200000 "
        yield rf"^  boot hart .* of {self.boot.harts};"
        if self.boot.machine in vellum_qemu.MONITORED:
            yield r"^  left alone id 0, (stopped|EINVAL)$"


def name_of(row):
    """What distinguishes a combination from the plainest one."""
    words = [row["machine"], row["paging"], f"{row['harts']}h", row["memory"]]
    words += [f"{row['load']:x}"] if row["load"] else []
    words += [row[name] for name in ("qemu", "asid", "svadu", "adhw", "fence") if row[name]]
    words += [row["preset"]] if row["preset"] != "debug" else []
    return "-".join(words).replace("fence=global", "globalfence").replace("=", "")


def cpu_of(row):
    if row["machine"] == "u74":
        return "u74"
    if row["svadu"]:
        return "rv64,svadu=off,svade=on"
    return ""


def configuration(row):
    """The boot of a combination."""
    name = name_of(row)
    boot = vellum_qemu.Boot(
        build=os.path.join(ROOT, "build", f"rv64-{row['preset']}"),
        qemu=QEMU72 if row["qemu"] else vellum_qemu.Boot.qemu,
        machine="virt" if row["machine"] == "u74" else row["machine"],
        cpu=cpu_of(row),
        harts=row["harts"],
        memory=row["memory"],
        paging=row["paging"],
        append=" ".join(row[name] for name in ("asid", "adhw", "fence") if row[name]),
        load_address=row["load"],
        commands="test",
    )
    return Configuration(name, boot)


def board_tree(name):
    """A board's tree as scripts/setup has fetched it, or as an installed kernel package has it."""
    fetched = os.path.join(ROOT, "build", "tools", "board-trees", name)
    installed = sorted(glob.glob(f"/usr/lib/linux-image-*/{name}"))
    return fetched if os.path.exists(fetched) or not installed else installed[-1]


def with_board_trees():
    """The machines of boards, with the trees that Linux or U-Boot has for those."""
    for name, (machine, memory, tree, _) in BOARD_TREES.items():
        plain = configuration({**ICICLE, "machine": machine, "memory": memory})
        boot = dataclasses.replace(plain.boot, tree=board_tree(tree))
        yield Configuration(f"{plain.name}-{name}", boot)


@functools.cache
def chosen(full):
    """The configurations that decide by default, or the whole matrix."""
    if full:
        rows = pairwise.choose(FACTORS, possible, ("machine", "qemu", "paging", "harts", "asid"))
    else:
        fewer = {name: FACTORS[name][:-1] for name in ("harts", "machine")}
        rows = [*pairwise.choose({**FACTORS, **fewer}, possible, ()), LARGEST, ICICLE]
    return [configuration(row) for row in rows] + (list(with_board_trees()) if full else [])
