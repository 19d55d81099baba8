# SPDX-License-Identifier: MIT
"""The words in which directed histories are written (directed.py)."""

KINDS = {
    "create": "create a space",
    "drop": "drop the handle of a space",
    "activate": "activate",
    "leave": "leave for the kernel's own table",
    "reap": "reap",
    "map": "map",
    "device": "map a device",
    "unmap": "unmap",
    "protect": "protect",
    "query": "look at each slot",
    "unmap-reap": "unmap and reap",
    "touch": "access",
    "copy": "copy",
    "two": "open two ranges",
    "parade": "run fresh spaces, one after the other",
    "mark": "mark",
    "borrow": "borrow a frame",
    "rights": "protect a range at once",
    "fail": "let an allocation fail",
    "states": "change states under one cursor",
    "hide": "hide",
    "sweep": "sweep",
    "ahead": "zero frames ahead",
    "churn": "take frames and give them back",
    "audit": "audit",
    "object": "make an object",
    "object-map": "map an object",
    "object-page": "take a page of an object",
    "resize": "resize an object",
    "move": "move",
    "evict": "take pages out",
    "supply": "bring pages back",
    "clear": "take A from pages",
    "clone": "clone",
    "mixed": "do several things under one cursor",
    "block": "map a block",
    "want": "mark for blocks",
    "fold": "fold",
    "txn": "do several changes or none",
}
WIDTHS = [0, 1, 9, 16, 3, 4]
R, W, X = 1, 2, 4
TABLE = 8  # the shape of a range that is a whole table
RESERVE, TOUCH, SYNC = 2, 6, 7  # of op_states.c
EVERYTHING = 11  # the shape of the whole user range
NEXT, BEFORE = 0, 2  # args[0] of clones, moves and pagers: to space + 1, to space + 3
ROW, BLOCK, INSIDE = 12, 8, 3  # parts of it: rows of pages, blocks of tables, in the same space
MAKE = 1  # args[0] of a page of an object
SHARED, VIEW, OWN = 252, 253, 254  # args[1] of a mapping of an object, from its page 0
SPACE_0_WRITES = 5  # of an operation of op_states.c: the only space there is, and how it touches
WHOLE = 255  # arg[1]: a cursor that is not bounded


# Hart 0 of a program below is number 1 in its history: the last one begins.
def op(hart, kind, space=0, page=0, shape=0, prot=R | W, args=(0, WHOLE)):
    return (kind, 1 - hart, space, page, shape, prot, *args)


def parade(hart, spaces):
    return op(hart, "parade", args=(spaces - 1, 0))


def history(setup, side_by_side, harts=2, levels=3, asid_bits=9, by_faults=False):
    return (harts, levels, asid_bits, by_faults, setup, side_by_side)


def running(*setup):
    """One space that both harts run."""
    return [op(0, "create", 0), op(0, "activate", 0), op(1, "activate", 0), *setup]


def word(kinds, one):
    """The history as oracle_mutants reads it."""
    harts, levels, asid_bits, by_faults, setup, side_by_side = one
    ops = setup + side_by_side
    head = [harts - 1, levels - 3 + 4 * by_faults, WIDTHS.index(asid_bits), len(ops) - 1,
            len(setup), 0, 0, 0]  # fmt: skip
    rows = [[kinds.index(KINDS[kind]), *numbers] for kind, *numbers in ops]
    return bytes(head + [number for row in rows for number in row]).hex()
