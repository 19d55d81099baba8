#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes copies of mm/*.c in which every mutant is a switch that is looked at when the code runs.

    old statement;   becomes   if (mutant_is(N)) { new } else { old statement; }
    old expression   becomes   (mutant_is(N) ? (new) : (old expression))

Where one edit lies inside another, the inner one is made in the outer one's `old` branch; where two
stand at the same text, they become a chain. mm/ itself knows nothing of this.

usage: generate.py TREE OUTPUT_DIRECTORY   writes OUTPUT/NAME.c of each mm/NAME.c, OUTPUT/mutants.h
"""

import dataclasses
import pathlib
import sys

import csource
import rows

HEAD = """/* Made by tests/oracle/mutants/generate.py; not for editing. */
#include "mutants.h"
#line 1 "{path}"
"""

TABLE = """/* SPDX-License-Identifier: MIT */
/* Made by tests/oracle/mutants/generate.py; not for editing. */
#pragma once

#include <stdbool.h>

#define MUTANT_COUNT {count}U
#define MUTANT_NAMES \\
    {names}

/* Which mutant is on: its number in MUTANT_NAMES, from 1; 0: none. */
extern unsigned mutant_on;

/* A word for each hart, for mutants that read early what they use late. */
extern unsigned long mutant_scratch[16];

static inline bool mutant_is(unsigned number)
{{
    return __builtin_expect(mutant_on == number, 0);
}}
"""


class RowError(Exception):
    """A row that does not fit the sources."""


@dataclasses.dataclass(frozen=True)
class Place:
    """An edit where it stands in its file, and the number of its mutant."""

    start: int
    end: int
    number: int
    edit: rows.Edit
    name: str


def places(source, numbered):
    """The places of all edits of the (number, mutant) pairs in this file, outer ones first."""
    found = []
    for number, row in numbered:
        for edit in row.edits:
            spans = source.find(edit)
            if len(spans) != 1:
                raise RowError(
                    f"{source.path}: {row.name}: in {edit.function}() the text {edit.old!r} "
                    f"stands {len(spans)} times, not once"
                )
            found.append(Place(*spans[0], number, edit, row.name))
    return sorted(found, key=lambda place: (place.start, -place.end, place.number))


def wrap(place, inner):
    """The switch of one edit around what its text has become."""
    if place.edit.is_statement:
        return f"if (mutant_is({place.number}U)) {{ {place.edit.new} }} else {{ {inner} }}"
    return f"(mutant_is({place.number}U) ? ({place.edit.new}) : ({inner}))"


def rewrite(source, found, start, end):
    """The text from start to end with the places in `found`, all of which lie inside."""
    out = []
    at = start
    while found:
        outer = found[0]
        if outer.end > end:
            raise RowError(f"{source.path}: {outer.name} overlaps another mutant by half")
        same = [p for p in found if (p.start, p.end) == (outer.start, outer.end)]
        inside = [p for p in found if p.start < outer.end and p not in same]
        inner = rewrite(source, inside, outer.start, outer.end)
        for place in same:
            inner = wrap(place, inner)
        out += [source.text[at : outer.start], inner]
        at = outer.end
        found = found[len(same) + len(inside) :]
    return "".join([*out, source.text[at:end]])


def generate(source, numbered):
    """The whole text of the copy."""
    body = rewrite(source, places(source, numbered), 0, len(source.text))
    return HEAD.format(path=source.path) + body


def names_header(mutants):
    names = ', \\\n    '.join(f'"{row.name}"' for row in mutants)
    return TABLE.format(count=len(mutants), names=names)


def write_if_changed(path, text):
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.splitlines()[-1])
    tree, output = map(pathlib.Path, sys.argv[1:])
    mutants, _ = rows.load()
    output.mkdir(parents=True, exist_ok=True)
    unknown = {row.file for row in mutants} - {f"mm/{path.name}" for path in tree.glob("mm/*.c")}
    if unknown:
        sys.exit(f"rows for files that do not exist: {', '.join(sorted(unknown))}")
    for path in sorted(tree.glob("mm/*.c")):
        name = f"mm/{path.name}"
        source = csource.Source(name, path.read_text(encoding="utf-8"))
        numbered = [(i, row) for i, row in enumerate(mutants, 1) if row.file == name]
        try:
            write_if_changed(output / path.name, generate(source, numbered))
        except RowError as error:
            sys.exit(f"generate.py: {error}")
    write_if_changed(output / "mutants.h", names_header(mutants))


if __name__ == "__main__":
    main()
