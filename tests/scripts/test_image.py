#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""scripts/lib/image.py: what it puts on a card, the same each time, and what it refuses.

The kernel is a header with zeroes behind it; nothing is booted (tests/qemu/session_uboot.py does).
"""

import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts", "lib"))
import image  # noqa: E402
import image_lines  # noqa: E402

MIB = 1 << 20
VF2 = image.TARGETS["vf2"]
TREE = struct.pack(">II", image.TREE_MAGIC, 4096).ljust(4096, b"\0")


def kernel(text_offset=2 * MIB, memory=MIB, magic=image.HEADER_MAGIC, size=4096):
    head = struct.pack("<8xQQ", text_offset, memory).ljust(0x38, b"\0") + magic
    return head.ljust(size, b"\0")


class Image(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.out = os.path.join(self.folder, "out")
        self.put("Image", kernel())
        self.put("initrd.cpio", b"070701".ljust(8192, b"0"))

    def put(self, name, data):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def make(self, append="", tree="", name="vf2", out=""):
        return image.make(name, self.folder, out or self.out, append, tree)

    def text(self, name):
        return image.read(os.path.join(self.out, name)).decode()

    def on_card(self, card, name):
        """A file of the card's third partition."""
        copy = os.path.join(self.folder, "copy")
        image.run("mcopy", "-n", "-o", "-i", f"{card}@@{image.PART_START}", f"::{name}", copy)
        return image.read(copy)

    def refused(self, words, **how):
        with self.assertRaisesRegex(image.Problem, words):
            self.make(**how)

    def test_card(self):
        card = self.make("-- test")
        for name in ("Image", "initrd.cpio", "vellum.itb", "vf2_uEnv.txt", "extlinux/extlinux.conf"):
            self.assertEqual(self.on_card(card, name), image.read(os.path.join(self.out, name)), name)
        table = image.run("sfdisk", "--dump", card)
        self.assertRegex(table, r"img3 : start= *16384, size= *114688, .*LegacyBIOSBootable")
        self.assertIn("No errors", image.run("sfdisk", "--verify", card))

    def test_the_same_everywhere(self):
        cards = []
        for zone in ("UTC", "Asia/Tokyo", "America/Lima"):
            out = os.path.join(self.folder, zone)
            line = [sys.executable, image.__file__, "vf2", "--build", self.folder, "--out", out]
            subprocess.run(line, env={**os.environ, "TZ": zone}, check=True, capture_output=True)
            cards.append(image.read(os.path.join(out, "vellum-vf2.img")))
        self.assertEqual(cards[0], cards[1])
        self.assertEqual(cards[0], cards[2])

    def test_fit_says_where(self):
        self.make()
        told = image.run("mkimage", "-l", os.path.join(self.out, "vellum.itb"))
        self.assertIn(f"Load Address: {VF2.kernel:#x}\n", told)
        self.assertIn(f"Entry Point:  {VF2.kernel:#x}\n", told)
        self.assertIn(f"Load Address: {VF2.tree_at + image_lines.TREE_ROOM:#x}\n", told)

    def test_own_tree_everywhere(self):
        card = self.make(tree=self.put("board", TREE))
        self.assertEqual(self.on_card(card, "board.dtb"), TREE)
        self.assertIn("  fdt /board.dtb\n", self.text("extlinux/extlinux.conf"))
        for name in ("vf2_uEnv.txt", "BOOT.txt"):
            self.assertNotIn("fdtcontroladdr", self.text(name))
        self.assertEqual(self.text("BOOT.txt").count("${rdsize} ${fdt_addr_r}\n"), 3)

    def test_lines_are_short_enough(self):
        self.make("w" * image.APPEND_MAXIMUM)
        for line in self.text("BOOT.txt").splitlines():
            self.assertLess(len(line.strip()), 256)

    def test_refused_words(self):
        for words in ("a;b", "${x}", "it's", 'a"b', "a\\b", "a\nb", "\u00e9"):
            self.refused("--append takes", append=words)
        self.refused("191 bytes long", append="w" * 191)

    def test_a_board_makes_the_self_test(self):
        self.make("-- test")
        self.assertIn("  append selftest -- test\n", self.text("extlinux/extlinux.conf"))
        self.assertIn("setenv bootargs selftest -- test;", self.text("vf2_uEnv.txt"))
        self.assertEqual(self.text("BOOT.txt").count("setenv bootargs selftest -- test\n"), 4)

    def test_refused_kernels(self):
        for bad, words in (
            (b"", "no RISC-V header"),
            (kernel(magic=b"RSC\x06"), "no RISC-V header"),
            (kernel(text_offset=0), "asks for 0x0"),
            (kernel(memory=4095), "4096 bytes long, its header says 4095"),
            (kernel(memory=VF2.kernel_end - VF2.kernel + 1), "U-Boot has its own"),
        ):
            self.put("Image", bad)
            self.refused(words)
        self.put("Image", kernel(memory=VF2.kernel_end - VF2.kernel))
        self.make()

    def test_refused_trees(self):
        self.refused("cannot be read", tree=os.path.join(self.folder, "none"))
        for bad in (b"", TREE[:100], TREE[1:]):
            self.refused("is no device tree", tree=self.put("board", bad))
        large = TREE.ljust(image.TREE_MAXIMUM + 1, b"\0")
        self.refused("U-Boot has room for", tree=self.put("board", large))

    def test_refused_sizes(self):
        self.put("initrd.cpio", bytes(27 * MIB))
        self.refused("do not fit the card")
        os.remove(os.path.join(self.folder, "initrd.cpio"))
        self.refused("initrd.cpio cannot be read")


if __name__ == "__main__":
    unittest.main()
