#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks every text file of the tree: licence line, no tabs or blanks at line ends, last newline.

Headers must also say "#pragma once". Files of formats without comments carry no licence line.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import rooms  # noqa: E402

NO_LICENCE_LINE = (".md", ".json", ".cpio", ".dtb", "LICENSE")
SOURCES = (".c", ".h", ".S", ".def", ".ld", ".py", ".sh", ".cmake")


def complaints_about(path):
    with open(os.path.join(rooms.ROOT, path), "rb") as file:
        data = file.read()
    if b"\0" in data:
        return
    text = data.decode()
    lines = text.split("\n")
    if not path.endswith(NO_LICENCE_LINE):
        if not any("SPDX-License-Identifier: MIT" in line for line in lines[:3]):
            yield f"{path}: no SPDX line"
    if text and not text.endswith("\n"):
        yield f"{path}: no newline at the end"
    if path.endswith(".h") and "#pragma once" not in lines:
        yield f"{path}: no #pragma once"
    if path.endswith(SOURCES):
        for number, line in enumerate(lines, start=1):
            if line != line.rstrip():
                yield f"{path}:{number}: blanks at the end of the line"
            if "\t" in line:
                yield f"{path}:{number}: tab"


def main():
    paths = rooms.tree_files()
    found = [complaint for path in paths for complaint in complaints_about(path)]
    for complaint in found:
        print(complaint)
    print(f"{len(paths)} files, {len(found)} complaints")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
