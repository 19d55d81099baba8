#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The corpora of the fuzz targets, kept as text: corpus_NAME.txt, one input a line, in hex.

usage: corpus.py unpack FILE DIRECTORY   one file for each line
       corpus.py pack DIRECTORY FILE     one line for each file, shortest first
"""

import hashlib
import pathlib
import sys

HEAD = "# SPDX-License-Identifier: MIT\n# Made by tests/oracle/fuzz/corpus.py: one input a line.\n"


def unpack(source, directory):
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.iterdir():
        old.unlink()
    for line in source.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            data = bytes.fromhex(line)
            (directory / hashlib.sha1(data).hexdigest()).write_bytes(data)


def pack(directory, target):
    inputs = {path.read_bytes() for path in directory.iterdir()}
    lines = [data.hex() for data in sorted(inputs, key=lambda data: (len(data), data)) if data]
    target.write_text(HEAD + "".join(f"{line}\n" for line in lines), encoding="utf-8")


def main():
    modes = {"unpack": unpack, "pack": pack}
    if len(sys.argv) != 4 or sys.argv[1] not in modes:
        sys.exit("\n".join(__doc__.splitlines()[-2:]))
    modes[sys.argv[1]](pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))


if __name__ == "__main__":
    main()
