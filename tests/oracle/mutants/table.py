#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The table of mutants in docs/testing.md, made from the rows and from what has killed each.

What killed a mutant is kept in kills.txt, one line each: name, rule, seed (0: a directed history),
operations and steps of the shortest history found, and that history as a word that oracle_mutants
runs again.

usage: table.py TREE [--write]   fails if the document differs; --write puts the table into it
"""

import argparse
import dataclasses
import pathlib
import sys

import rows

KILLS = pathlib.Path(__file__).resolve().parent / "kills.txt"
BEGIN = "<!-- mutants: begin (made by tests/oracle/mutants/table.py) -->"
END = "<!-- mutants: end -->"
HEAD = "# SPDX-License-Identifier: MIT\n# Made by kill.py: name, rule, seed, operations, steps, word.\n"


@dataclasses.dataclass(frozen=True)
class Kill:
    """How a mutant died."""

    name: str
    rule: str
    seed: int
    operations: int
    steps: int
    word: str

    @classmethod
    def of_fields(cls, name, rule, seed, operations, steps, word):
        return cls(name, rule, int(seed), int(operations), int(steps), word)

    def line(self):
        fields = (self.name, self.rule, self.seed, self.operations, self.steps, self.word)
        return "\t".join(map(str, fields))


def load_kills():
    """Kills by the mutants' names."""
    if not KILLS.exists():
        return {}
    lines = KILLS.read_text(encoding="utf-8").splitlines()
    kills = [Kill.of_fields(*line.split("\t")) for line in lines if not line.startswith("#")]
    return {kill.name: kill for kill in kills}


def save_kills(kills):
    mutants, _ = rows.load()
    lines = [kills[row.name].line() for row in mutants if row.name in kills]
    KILLS.write_text(HEAD + "".join(f"{line}\n" for line in lines), encoding="utf-8")


def functions_of(row):
    return ", ".join(dict.fromkeys(f"`{edit.function}`" for edit in row.edits))


def mutant_lines(mutants, kills):
    yield "| mutant | file | function | it | killed by | found by | operations | steps |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in mutants:
        kill = kills.get(row.name)
        rule, found, operations, steps = "**lives**", "", "", ""
        if kill is not None:
            rule, operations, steps = kill.rule, kill.operations, kill.steps
            found = f"seed {kill.seed}" if kill.seed else "directed"
        name = pathlib.Path(row.file).name
        yield (f"| `{row.name}` | `{name}` | {functions_of(row)} | {row.what} | {rule} | {found} "
               f"| {operations} | {steps} |")  # fmt: skip


def argued_lines(argued):
    yield "| file | functions | sites | argument |"
    yield "|---|---|---|---|"
    for row in argued:
        name = pathlib.Path(row.file).name
        functions = ", ".join(f"`{function}`" for function in row.functions)
        yield f"| `{name}` | {functions} | `{row.text}` | {row.argument} |"


def render():
    """What stands between the markers."""
    mutants, argued = rows.load()
    kills = load_kills()
    dead = sum(row.name in kills for row in mutants)
    return "\n".join([
        BEGIN, "", f"{len(mutants)} mutants, {dead} killed.", "",
        *mutant_lines(mutants, kills), "", "Argued, not tested:", "",
        *argued_lines(argued), "", END,
    ])  # fmt: skip


def replaced(text):
    """The document with the table as it should be."""
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit("docs/testing.md: the markers of the table of mutants do not stand there once")
    return text[: text.index(BEGIN)] + render() + text[text.index(END) + len(END) :]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tree", type=pathlib.Path)
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    path = chosen.tree / "docs" / "testing.md"
    old = path.read_text(encoding="utf-8")
    new = replaced(old)
    if chosen.write:
        path.write_text(new, encoding="utf-8")
    elif old != new:
        sys.exit("docs/testing.md: the table of mutants is out of date; "
                 "tests/oracle/mutants/table.py . --write makes it anew")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
