#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Finds what matters to coherence in mm/*.c, and what no row of the table speaks of.

A site is an effect (fence, flush, icache, slot, shared word), an order of one, a comparison of
generations or epochs, a stray or place check, something owed, paid, deferred or freed, a step of a
switch, the release of a node's lock. Each wants a mutant that changes it, or an argued row. An
order stronger than relaxed wants a mutant that weakens it: taking the whole effect out is another
thing.

usage: sites.py TREE   prints the sites that have no row; fails if there is one
"""

import dataclasses
import pathlib
import re
import sys

import csource
import rows

CALLS = {
    "fence": r"arch_tlb_flush_\w+|arch_icache_\w+|arch_space_activate|shared_fence|fence_others",
    "contents": r"arch_zero_frame",
    "shared word": r"shared_(?:load|store|fetch_\w+|exchange|compare_exchange)",
    "slot": r"pte_slot_\w+",
    "owing": r"tlb_\w+|vm_cursor_(?:sync|issue|dispatch)\w*|cursor_(?:owe|sync)_\w+|owe_\w+",
    "switch": r"space_word_\w+|asid_(?!t\b)\w+|vm_space_icache_sync|vm_fault_start_anew",
    "deferral": r"reclaim_\w+|pt_node_destroy|release\w*|vm_space_free|frame_put|frame_run_\w+"
                r"|arch_quiescence_count|take_snapshot\w*|has_passed\w*",
    "unlock": r"pt_unlock_\w+|spinlock_release(?=\(&?\w*(?:node|cover|child|parent|cursor))",
    "place": r"node_is_\w+|pt_order_allows",
}  # fmt: skip
WORDS = {
    "owing": r"owed\.code\s*=[^=;]+",
    "place": r"is_stray",
    "order": r"memory_order_(?:acquire|release|acq_rel|seq_cst)",
}
GENERATION = re.compile(r"generation|GENERATION|epoch|EPOCH|seen->|snapshot|missed")
COMPARISON = re.compile(r"[^;{}]*?[^-=<>!](?:==|!=|<=|>=|<|>)(?![<>=])[^;{}]*")
WEAKER = {
    "memory_order_acquire": ("relaxed",),
    "memory_order_release": ("relaxed",),
    "memory_order_acq_rel": ("relaxed", "acquire", "release"),
    "memory_order_seq_cst": ("relaxed", "acquire", "release", "acq_rel"),
}


@dataclasses.dataclass(frozen=True)
class Site:
    """A place in a function; `text` is what an argued row must be part of."""

    kind: str
    file: str
    function: str
    line: int
    start: int
    end: int
    text: str

    def __str__(self):
        return f"{self.file}:{self.line}: {self.function}(): {self.kind}: {self.text}"


def matches(source):
    """(kind, start, end) of all sites, some of them twice."""
    for kind, names in CALLS.items():
        for found in re.finditer(rf"(?<![\w.])(?:{names})(?=\()", source.code):
            yield kind, found.start(), source.call_end(found.start())
    for kind, words in WORDS.items():
        for found in re.finditer(rf"\b(?:{words})", source.code):
            yield kind, found.start(), found.end()
    for function in source.functions:
        for found in COMPARISON.finditer(source.code, function.start, function.end):
            if GENERATION.search(found[0]):
                start = found.end() - len(found[0].lstrip())
                yield "comparison", start, found.end()


def sites(source):
    """The sites of one file, in order."""
    found = set()
    for kind, start, end in matches(source):
        function = source.function_at(start)
        if function is not None:
            text = " ".join(source.code[start:end].split())
            if kind == "order":
                text = order_context(source, start)
            line = source.line_of(start)
            found.add(Site(kind, source.path, function.name, line, start, end, text))
    return sorted(found, key=lambda site: (site.start, site.kind))


def order_context(source, offset):
    """The call that an order is an argument of."""
    calls = [
        match.start()
        for match in re.finditer(r"\b(?:shared|atomic)_\w+(?=\()", source.code)
        if match.start() < offset < source.call_end(match.start())
    ]
    start = max(calls, default=offset)
    end = source.call_end(start) if calls else offset
    return " ".join(source.code[start:end].split())


def is_weakened(edit):
    """True if the edit makes the order in it a weaker one."""
    order = re.search(r"memory_order_\w+", edit.old)
    weaker = WEAKER.get(order[0] if order else "", ())
    return any(f"memory_order_{word}" in edit.new for word in weaker)


def touches(site, edit):
    """True if an edit that overlaps the site is about it: an order alone is not about its effect."""
    if site.kind == "order":
        return is_weakened(edit)
    return not re.fullmatch(r"memory_order_\w+", edit.old)


def is_tested(site, source, mutants):
    for row in mutants:
        for edit in row.edits if row.file == site.file else ():
            for start, end in source.find(edit):
                if start < site.end and end > site.start and touches(site, edit):
                    return True
    return False


def is_argued(site, argued):
    return any(
        row.file == site.file and site.function in row.functions and row.text in site.text
        for row in argued
    )


def uncovered(source, mutants, argued):
    return [
        site
        for site in sites(source)
        if not is_argued(site, argued) and not is_tested(site, source, mutants)
    ]


def idle(found, argued):
    """Argued rows that speak of no site, for each function they name."""
    for row in argued:
        for function in row.functions:
            one = dataclasses.replace(row, functions=(function,))
            if not any(is_argued(site, [one]) for site in found):
                yield f"{row.file}: {function}(): argued row {row.text!r} fits no site"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.splitlines()[-1])
    tree = pathlib.Path(sys.argv[1])
    mutants, argued = rows.load()
    sources = [
        csource.Source(f"mm/{path.name}", path.read_text(encoding="utf-8"))
        for path in sorted(tree.glob("mm/*.c"))
    ]
    found = [site for source in sources for site in sites(source)]
    bare = [str(site) for source in sources for site in uncovered(source, mutants, argued)]
    complaints = bare + list(idle(found, argued))
    print("\n".join(complaints))
    print(f"{len(found)} sites, {len(mutants)} mutants, {len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
