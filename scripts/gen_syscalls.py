#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Generates what follows from the table of system calls, kernel/uapi/include/uapi/syscalls.def:

  --header FILE   the stubs for user programs, vellum/calls.h
  --manual FILE   the manual page, docs/syscalls.md
  --check         fails if docs/syscalls.md is not what the table says

The kernel itself includes the table directly.
"""

import argparse
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "kernel/uapi/include/uapi/syscalls.def"
MANUAL = ROOT / "docs/syscalls.md"

HIDDEN = ("progress", "count")  # arguments the kernel keeps its place in; stubs pass 0
MAX_ARGS = 7
MAX_RESULTS = 6
ALWAYS = "on errors too"  # results that are valid whatever the status

TOKEN = re.compile(r'\s*(?:(?P<word>\w+)|(?P<text>"(?:[^"\\]|\\.)*")|(?P<mark>[(),]))')


class TableError(Exception):
    pass


def tokens_of(text):
    """Words, strings and marks of the table, comments left out."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S).rstrip()
    found, at = [], 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            raise TableError(f"cannot read: {text[at:at + 40]!r}")
        found.append((match.lastgroup, match.group(match.lastgroup)))
        at = match.end()
    return found


class Reader:
    """Recursive descent over the tokens."""

    def __init__(self, tokens):
        self.tokens = tokens
        self.at = 0

    def more(self):
        return self.at < len(self.tokens)

    def peek(self):
        return self.tokens[self.at] if self.more() else ("end", "the end")

    def take(self, kind, value=None):
        found, text = self.peek()
        if found != kind or (value is not None and text != value):
            raise TableError(f"expected {value or kind}, found {text}")
        self.at += 1
        return text

    def string(self):
        """One or more adjacent strings, joined as C does."""
        parts = [self.take("text")]
        while self.peek()[0] == "text":
            parts.append(self.take("text"))
        return "".join(part[1:-1] for part in parts)

    def rows(self, group, row, words):
        """GROUP(ROW(word, ..., "text") ROW(...)): a list of tuples."""
        self.take("word", group)
        self.take("mark", "(")
        found = []
        while self.peek() == ("word", row):
            self.take("word")
            self.take("mark", "(")
            fields = []
            for _ in range(words):
                fields.append(self.take("word"))
                self.take("mark", ",")
            found.append((*fields, self.string()))
            self.take("mark", ")")
        self.take("mark", ")")
        return found

    def call(self):
        self.take("word", "SYSCALL")
        self.take("mark", "(")
        call = {"number": int(self.take("word"))}
        self.take("mark", ",")
        call["name"] = self.take("word")
        self.take("mark", ",")
        call["text"] = self.string()
        self.take("mark", ",")
        call["args"] = self.rows("ARGS", "ARG", 2)
        self.take("mark", ",")
        call["results"] = self.rows("RESULTS", "RESULT", 2)
        self.take("mark", ",")
        call["errors"] = self.rows("ERRORS", "ERROR", 1)
        self.take("mark", ")")
        return call


def read_table(path):
    reader = Reader(tokens_of(path.read_text(encoding="utf-8")))
    calls = []
    while reader.more():
        calls.append(reader.call())
    for i, call in enumerate(calls):
        if call["number"] != i:
            raise TableError(f"{call['name']}: number {call['number']}, the next is {i}")
        if len(call["args"]) > MAX_ARGS or len(call["results"]) > MAX_RESULTS:
            raise TableError(f"{call['name']}: too many arguments or results")
    return calls


def stub(call):
    """One call as an inline function."""
    name, args, results = call["name"], call["args"], call["results"]
    shown = [(kind, arg) for kind, arg, _ in args if arg not in HIDDEN]
    params = [f"{kind} {arg}" for kind, arg in shown]
    params += [f"{kind} *{result}" for kind, result, _ in results]
    used = max(len(args), len(results) + 1, 1)
    lines = [f"/* {call['text']} */",
             f"static inline long sys_{name}({', '.join(params) or 'void'})", "{"]
    for i in range(used):
        value = "0"
        if i < len(args) and args[i][1] not in HIDDEN:
            value = args[i][1]
        # A register past the arguments is an output only.
        start = f" = {value}" if i < len(args) else ""
        lines.append(f'    register uint64_t a{i} __asm__("a{i}"){start};')
    lines.append(f'    register uint64_t a7 __asm__("a7") = {call["number"]};')
    lines.append("")
    outputs = [f'"{"+r" if i < len(args) else "=r"}"(a{i})' for i in range(used)] + ['"+r"(a7)']
    clobbers = [f'"t{i}"' for i in range(7)] + [f'"a{i}"' for i in range(used, 7)] + ['"memory"']
    lines.append('    __asm__ volatile("ecall"')
    lines.append(f'                     : {", ".join(outputs)}')
    lines.append("                     :")
    lines.append(f'                     : {", ".join(clobbers)});')
    for i, (kind, result, meaning) in enumerate(results, 1):
        valid = "" if ALWAYS in meaning else "a0 == 0 && "
        lines += [f"    if ({valid}{result} != NULL) {{",
                  f"        *{result} = ({kind})a{i};", "    }"]
    lines += ["    return (long)a0;", "}"]
    return "\n".join(lines)


def header(calls):
    head = """/* SPDX-License-Identifier: MIT */
/*
 * The system calls, generated from uapi/syscalls.def.  docs/syscalls.md describes them.
 *
 * Each returns 0 or an error number negated.  Results are written on success (those that say "on
 * errors too": always); a result that is not wanted may be NULL.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "uapi/error.h"
#include "uapi/handle.h"
"""
    numbers = "\n".join(f"#define SYS_NR_{call['name'].upper()} {call['number']}UL"
                        for call in calls)
    return head + "\n" + numbers + "\n\n" + "\n\n".join(stub(call) for call in calls) + "\n"


MANUAL_HEAD = """<!-- SPDX-License-Identifier: MIT -->
<!-- Generated by scripts/gen_syscalls.py from kernel/uapi/include/uapi/syscalls.def. -->
# System calls

The number goes in `a7`, arguments in `a0` to `a6`; `ecall`. The status comes back in `a0` (0, or
an error number negated), results in `a1`, `a2`, ... `s0`-`s11`, `sp`, `gp`, `tp` and `ra` are
kept; `t0`-`t6` and the `a` registers without a result come back zero. C programs use the
functions of `vellum/calls.h`: `sys_NAME(arguments..., &results...)`.

* A call that takes a handle returns `EBADF` if there is no such handle or it is one of another
  type, and `EACCES` if the handle lacks a right that the text names in capitals. Handles are
  looked at first, in the order of the arguments; the other errors have the order they are listed
  in. An error changes nothing unless the call says otherwise.
* An unknown number is `ENOSYS`.
* Results are 0 on an error, except those marked "on errors too".
* Arguments named `progress` and `count` must be 0; the kernel keeps its place in them while it
  cuts a long call into pieces. The functions of `vellum/calls.h` do not have them.
"""


def manual_call(call):
    names = ", ".join(arg for _, arg, _ in call["args"])
    lines = [f"## {call['number']} {call['name']}({names})", "", call["text"], ""]
    rows = [(f"`a{i}`", f"{kind} {name}", meaning)
            for i, (kind, name, meaning) in enumerate(call["args"])]
    rows += [(f"`a{i}` out", f"{kind} {name}", meaning)
             for i, (kind, name, meaning) in enumerate(call["results"], 1)]
    if rows:
        lines += ["| register | what | meaning |", "|---|---|---|"]
        lines += [f"| {where} | `{what}` | {meaning} |" for where, what, meaning in rows]
        lines.append("")
    lines += [f"* `{name}`: {when}" for name, when in call["errors"]]
    if call["errors"]:
        lines.append("")
    return "\n".join(lines)


def manual(calls):
    index = "\n".join(f"{call['number']}. `{call['name']}`: {call['text']}" for call in calls)
    body = "\n".join(manual_call(call) for call in calls)
    return MANUAL_HEAD + "\n" + index + "\n\n" + body.rstrip() + "\n"


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
    else:
        path.touch()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--header", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--manual", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    try:
        calls = read_table(TABLE)
    except TableError as error:
        sys.exit(f"{TABLE.relative_to(ROOT)}: {error}")
    if options.header:
        write(options.header, header(calls))
    if options.manual:
        write(options.manual, manual(calls))
    if options.check and (not MANUAL.exists() or
                          MANUAL.read_text(encoding="utf-8") != manual(calls)):
        sys.exit("docs/syscalls.md is stale. To make it anew: "
                 "scripts/gen_syscalls.py --manual docs/syscalls.md")


if __name__ == "__main__":
    main()
