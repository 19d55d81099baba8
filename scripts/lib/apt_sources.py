#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints apt sources for a private directory that apt is pointed at; nothing of the machine's own
configuration is changed.

Reads the configured sources in both formats (one line each, and deb822).

usage: apt_sources.py RELEASE               those of a Debian release, with its backports added
       apt_sources.py RELEASE OTHER ARCH    another release for an architecture, on the same mirror
"""

import glob
import re
import sys


def from_lines(text):
    """Stanzas of the one-line format: deb [option=value ...] URI SUITE COMPONENT..."""
    for line in text.splitlines():
        match = re.match(r"deb\s+(?:\[(.*?)\]\s*)?(\S+)\s+(\S+)\s+([^#]+)", line.strip())
        if match:
            stanza = {"types": "deb", "uris": match[2], "suites": match[3]}
            stanza["components"] = match[4].strip()
            for option in (match[1] or "").split():
                key, _, value = option.partition("=")
                names = {"arch": "architectures"}
                stanza[names.get(key, key)] = value.replace(",", " ")
            yield stanza


def from_deb822(text):
    """Stanzas of the deb822 format; a continued field keeps its lines."""
    for block in re.split(r"\n\s*\n", text):
        stanza, key = {}, None
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            if line[:1] in (" ", "\t") and key:
                stanza[key] += "\n" + line
            elif ":" in line:
                key, _, value = line.partition(":")
                key = key.strip().lower()
                stanza[key] = value.strip()
        disabled = stanza.get("enabled", "yes").lower() in ("no", "false", "0")
        if "deb" in stanza.get("types", "").split() and not disabled:
            yield stanza


def configured():
    """Every source the machine has configured."""
    for path in ["/etc/apt/sources.list", *sorted(glob.glob("/etc/apt/sources.list.d/*"))]:
        reader = {"list": from_lines, "sources": from_deb822}.get(path.rpartition(".")[2])
        try:
            if reader:
                with open(path, encoding="utf-8") as file:
                    yield from reader(file.read())
        except FileNotFoundError:
            pass


def show(stanza, suites):
    fields = {**stanza, "types": "deb", "suites": suites}
    fields.pop("enabled", None)
    return "".join(f"{key.capitalize()}: {value}\n" for key, value in fields.items()) + "\n"


def with_backports(release):
    """The sources of a release, and its backports on the mirror of the release itself."""
    wanted = {release, f"{release}-updates", f"{release}-security"}
    text, mirror = "", None
    for stanza in configured():
        suites = [suite for suite in stanza.get("suites", "").split() if suite in wanted]
        if suites:
            text += show(stanza, " ".join(suites))
        if release in suites and mirror is None:
            mirror = stanza
    refuse_if(mirror is None, release)
    return text + show({**mirror, "components": "main"}, f"{release}-backports")


def another(release, other, architecture):
    """The main part of another release, on the mirror that has this one."""
    mirrors = [stanza for stanza in configured() if release in stanza.get("suites", "").split()]
    refuse_if(not mirrors, release)
    return show({**mirrors[0], "components": "main", "architectures": architecture}, other)


def refuse_if(absent, release):
    if absent:
        sys.exit(f"apt_sources: no configured source offers {release}")


def main():
    make = with_backports if len(sys.argv) == 2 else another
    print(make(*sys.argv[1:]), end="")


if __name__ == "__main__":
    main()
