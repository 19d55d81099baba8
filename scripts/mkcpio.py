#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes a cpio archive (format "newc") from MEMBER=FILE pairs.

The same files give the same bytes: members are sorted by name, times are 0, owner is 0, inode
numbers count from 1, and only the execute bit of the mode is taken from the file. The directories
of the members come first.
"""

import argparse
import os
import sys

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


def parents(names):
    """Every directory above the given names."""
    found = set()
    for name in names:
        while "/" in name:
            name = name.rpartition("/")[0]
            found.add(name)
    return found


def archive(members):
    """The bytes of an archive of {name: path}."""
    entries = {name: (MODE_DIRECTORY, b"") for name in parents(members)}
    for name, path in members.items():
        with open(path, "rb") as file:
            data = file.read()
        entries[name] = (MODE_PROGRAM if os.access(path, os.X_OK) else MODE_FILE, data)
    blocks = [
        entry(name, mode, inode, data)
        for inode, (name, (mode, data)) in enumerate(sorted(entries.items()), start=1)
    ]
    return b"".join(blocks) + entry("TRAILER!!!", 0, 0, b"")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", required=True, help="archive to write")
    parser.add_argument("members", nargs="*", metavar="MEMBER=FILE")
    options = parser.parse_args()
    members = {}
    for pair in options.members:
        name, separator, path = pair.partition("=")
        if not separator or not name or name.startswith("/") or name in members:
            sys.exit(f"mkcpio: bad or repeated member: {pair}")
        members[name] = path
    data = archive(members)
    with open(options.output, "wb") as file:
        file.write(data)


if __name__ == "__main__":
    main()
