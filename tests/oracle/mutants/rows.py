# SPDX-License-Identifier: MIT
"""The table of mutants: its rows, gathered from the rows_*.py files.

A mutant takes one thing out of mm/: a fence, a check, an order. It is written as edits: in this
function, this text becomes that. A text that ends in ";" or "}" is statements, any other is an
expression; it must stand in the function exactly once. Texts are short, so that mm/ may change
around them.

What no history can show is argued: a row says where, what, and why it need not or cannot be shown.
"""

import dataclasses
import importlib
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
PARTS = sorted(path.stem for path in HERE.glob("rows_*.py"))


@dataclasses.dataclass(frozen=True)
class Edit:
    """In `function`, inside of the text `within` if there is one, `old` becomes `new`."""

    function: str
    old: str
    new: str
    within: str = ""

    @property
    def is_statement(self):
        return self.old.rstrip()[-1] in ";}"


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One thing taken out of one file. `what` completes the sentence "this mutant ..."."""

    name: str
    file: str
    edits: tuple
    what: str


@dataclasses.dataclass(frozen=True)
class Argued:
    """Sites of one file that no mutant touches: those in the functions whose text has `text`."""

    file: str
    functions: tuple
    text: str
    argument: str


def mutant(name, file, function, old, new, what, *more):
    """A mutant; `more` are further (function, old, new)."""
    edits = (Edit(function, old, new), *(Edit(*edit) for edit in more))
    return Mutant(name, file, edits, what)


def gone(name, file, function, old, what):
    """A mutant in which a statement is not there."""
    return mutant(name, file, function, old, ";", what)


def weaker(name, file, function, within, orders, what):
    """A mutant in which the order of the effect `within` is another; orders: "old new"."""
    old, new = (f"memory_order_{order}" for order in orders.split())
    edit = Edit(function, old, new, within)
    return Mutant(name, file, (edit,), f"weakens {what} from {' to '.join(orders.split())}")


def argued(file, functions, text, argument):
    """An argued row; `functions` is one string of names."""
    return Argued(file, tuple(functions.split()), text, " ".join(argument.split()))


def load():
    """(mutants, argued rows) of all parts, in the order of the files' names."""
    rows = [row for part in PARTS for row in importlib.import_module(part).ROWS]
    mutants = [row for row in rows if isinstance(row, Mutant)]
    names = [row.name for row in mutants]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"mutants of one name: {', '.join(twice)}")
    return mutants, [row for row in rows if isinstance(row, Argued)]
