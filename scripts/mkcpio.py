#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes a cpio archive (format "newc") from MEMBER=FILE pairs, and what another archive holds.

The same files give the same bytes: members are sorted by name, times are 0, owner is 0, inode
numbers count from 1, and only the execute bit of the mode is taken from the file. The directories
of the members come first.
"""

import argparse
import os
import sys

HEADER_BYTES = 110
TRAILER = "TRAILER!!!"
MODE_DIRECTORY = 0o040755
MODE_FILE = 0o100644
MODE_PROGRAM = 0o100755


def entry(name, mode, inode, data):
    """One member: header, name and data, each padded to four bytes."""
    encoded = name.encode() + b"\0"
    links = 2 if mode == MODE_DIRECTORY else 1
    fields = (inode, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
    head = b"070701" + b"".join(b"%08x" % field for field in fields) + encoded
    return pad(head) + pad(data)


def pad(data):
    return data + b"\0" * (-len(data) % 4)


def read(data):
    """{name: (mode, data)} of an archive that this program wrote."""
    members, at = {}, 0
    while True:
        if data[at : at + 6] != b"070701":
            raise ValueError(f"no archive, or a damaged one, at byte {at}")
        fields = [int(data[at + 6 + 8 * i : at + 14 + 8 * i], 16) for i in range(13)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name = data[at + HEADER_BYTES : at + HEADER_BYTES + name_size - 1].decode()
        at += HEADER_BYTES + name_size
        at += -at % 4
        if name == TRAILER:
            return members
        members[name] = (mode, data[at : at + size])
        at += size + -size % 4


def parents(names):
    """Every directory above the given names."""
    found = set()
    for name in names:
        while "/" in name:
            name = name.rpartition("/")[0]
            found.add(name)
    return found


def load(path):
    """The mode and the bytes of a file."""
    with open(path, "rb") as file:
        return MODE_PROGRAM if os.access(path, os.X_OK) else MODE_FILE, file.read()


def archive(members):
    """The bytes of an archive of {name: (mode, data)}."""
    entries = {name: (MODE_DIRECTORY, b"") for name in parents(members)} | members
    blocks = [
        entry(name, mode, inode, data)
        for inode, (name, (mode, data)) in enumerate(sorted(entries.items()), start=1)
    ]
    return b"".join(blocks) + entry(TRAILER, 0, 0, b"")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", required=True, help="archive to write")
    parser.add_argument("--base", help="archive whose members come first")
    parser.add_argument("members", nargs="*", metavar="MEMBER=FILE")
    options = parser.parse_args()
    members = {}
    try:
        if options.base:
            members = read(load(options.base)[1])
    except (OSError, ValueError) as error:
        sys.exit(f"mkcpio: {options.base}: {error}")
    for pair in options.members:
        name, separator, path = pair.partition("=")
        if not separator or not name or name.startswith("/"):
            sys.exit(f"mkcpio: not MEMBER=FILE: {pair}")
        if name in members:
            sys.exit(f"mkcpio: {name} is in the archive already: give the program another name")
        members[name] = load(path)
    data = archive(members)
    with open(options.output, "wb") as file:
        file.write(data)


if __name__ == "__main__":
    main()
