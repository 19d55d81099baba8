#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Directed histories: short ones for mutants that random ones hardly find.

Each is written as operations, and swept: run once for each place at which hart 0 could be stopped
while the other goes on, and for each load that could be early (oracle_mutants --sweep).

usage: directed.py BINARY   prints the names and words
"""

import subprocess
import sys

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


def used_up(spare):
    """Setup: both harts idle, spaces 0 and 2 known to hart 0, `spare` identifiers left before a new
    epoch. Space 2 is of the epoch before."""
    return [
        *(op(0, "create", space) for space in range(4)),
        op(0, "activate", 2), op(0, "map", 2), op(0, "leave"), parade(1, 7),
        op(0, "activate", 0), op(0, "map", 0), op(0, "leave"), parade(1, 4 - spare),
    ]  # fmt: skip


def epochs(first, second):
    """Two spaces that hart 0 knows; a new epoch while it switches, as late as `second` says."""
    setup = [
        op(0, "create", 0), op(0, "create", 1),
        op(0, "activate", 1), op(0, "map", 1), parade(0, first),
        op(0, "activate", 0), op(0, "map", 0), op(0, "leave"),
    ]  # fmt: skip
    return history(setup, [
        op(0, "activate", 0), op(0, "activate", 1),
        parade(1, second), op(1, "activate", 1), op(1, "unmap", 1),
    ], asid_bits=3)  # fmt: skip


def epoch_edge(spare):
    """A new epoch, as soon as hart 1 takes a step, while hart 0 switches."""
    return history(used_up(spare), [
        op(0, "activate", 0), op(0, "activate", 2),
        op(1, "activate", 3), op(1, "activate", 2), op(1, "unmap", 2),
    ], asid_bits=3)  # fmt: skip


def epoch_away(spare):
    """Hart 0 switches from one space to another while hart 1 begins an epoch and uses the first."""
    return history([*used_up(spare), op(0, "activate", 0)], [
        op(0, "activate", 2), op(0, "activate", 0),
        op(1, "activate", 3), op(1, "activate", 0), op(1, "unmap", 0),
    ], asid_bits=3)  # fmt: skip


def epoch_old():
    """A space comes back with the identifier of an epoch that is over."""
    return history([], [
        op(0, "create", 0), op(0, "create", 1), op(0, "activate", 0), op(0, "map", 0),
        op(0, "leave"), parade(0, 6), op(0, "activate", 1), op(0, "map", 1), op(0, "activate", 0),
    ], asid_bits=3)  # fmt: skip


def epoch_unmap():
    """Hart 0 unmaps in a space that gets another identifier on hart 1 meanwhile."""
    return history([
        op(0, "create", 0), op(1, "activate", 0), op(1, "map", 0), op(1, "leave"), parade(1, 7),
    ], [
        op(0, "unmap", 0), op(1, "activate", 0), op(1, "touch", 0, prot=0),
    ], asid_bits=3)  # fmt: skip


def both_first():
    """Two harts are the first to run a space."""
    return history([op(0, "create", 0), op(0, "map", 0)], [
        op(0, "activate", 0), op(0, "unmap", 0), op(1, "activate", 0), op(1, "touch", 0, prot=0),
    ])  # fmt: skip


def descent(kind, again):
    """A table is detached, reaped and used again while hart 0 is on its way through it."""
    setup = [
        op(0, "create", 0), op(0, "activate", 0), op(1, "activate", 0),
        op(0, "map", 0), op(0, "map", 0, page=12),
    ]  # fmt: skip
    return history(setup, [
        *([op(0, kind, 0)] * again),
        op(1, "unmap", 0, page=12, shape=TABLE), op(1, "reap"), op(1, "unmap", 0, shape=TABLE),
        op(1, "reap"), op(1, "reap"), op(1, "map", 0), op(1, "map", 0, page=9),
    ])  # fmt: skip


def stale_descent():
    """Hart 0 looks where hart 1 is, which no fence has reached since it entered the kernel."""
    return history([
        op(0, "create", 0), op(0, "activate", 0), op(0, "map", 0),
    ], [
        op(0, "unmap-reap", 0, shape=TABLE), op(1, "query", 0),
    ])  # fmt: skip


def epochs_both():
    """Hart 0 announces a space of the epoch before last, whose identifier hart 1 has by now."""
    return history(used_up(0), [
        op(0, "activate", 0), op(0, "activate", 2),
        op(1, "activate", 3), op(1, "activate", 2), parade(-1, 6),
    ], harts=3, asid_bits=3)  # fmt: skip


def code_join():
    """A page becomes executable while hart 0, which has been here before, joins."""
    return history([
        op(0, "create", 0), op(0, "activate", 0), op(0, "leave"), op(1, "activate", 0),
    ], [
        op(0, "activate", 0), op(0, "touch", 0, prot=2), op(0, "touch", 0, prot=2),
        op(1, "map", 0, prot=R | X),
    ])  # fmt: skip


def code_joins_first():
    """The same on harts that have not been here: hart 0 comes, and executes at once."""
    return history([op(0, "create", 0)], [
        op(0, "activate", 0), op(0, "touch", 0, prot=2),
        op(1, "map", 0, prot=R | W | X),
    ])  # fmt: skip


def linked():
    """Hart 0 links tables in the middle of a large range, hart 1 wants a page of one."""
    return history([op(0, "create", 0)], [
        op(0, "map", 0, shape=9), op(1, "map", 0), op(1, "touch", 0, prot=0),
    ])  # fmt: skip


def device(shape):
    """A device is mapped, its table detached, and the space dies before the table is taken apart."""
    return history([op(0, "create", 0)], [
        op(0, "device", 0, page=16), op(0, "unmap", 0, page=16, shape=shape),
        op(0, "drop", 0), op(0, "reap"), op(0, "create", 0), op(0, "reap"),
    ])  # fmt: skip


def new_code(kind, page):
    """A page becomes executable through the second of two ranges, and by others."""
    setup = [
        op(0, "create", 0), op(0, "activate", 0), op(1, "activate", 0), op(0, "map", 0),
    ]  # fmt: skip
    return history(setup, [
        op(0, kind, 0, prot=R | X, args=(page, 0)), op(1, "touch", 0, page=page, prot=2),
        op(1, "touch", 0, page=page, prot=2),
    ])  # fmt: skip


def again_and_again(access):
    """Rights go and come while hart 1 uses them."""
    setup = [
        op(0, "create", 0), op(0, "activate", 0), op(1, "activate", 0), op(1, "map", 0),
    ]  # fmt: skip
    change = [op(0, "protect", 0, prot=R), op(0, "protect", 0, prot=R | W)] * 4
    return history(setup, [*([op(1, access, 0, prot=1)] * 6), *change])


def running(*setup):
    """One space that both harts run."""
    return [op(0, "create", 0), op(0, "activate", 0), op(1, "activate", 0), *setup]


def sole_owner():
    """A write is pending because the frame was borrowed, which has been given back since."""
    return history(running(op(0, "map", 0)), [
        op(0, "borrow", 0), op(0, "rights", 0, prot=R), op(0, "rights", 0),
        op(0, "borrow", 0, page=5), op(0, "touch", 0, prot=1), op(0, "touch", 0, prot=1),
    ])  # fmt: skip


def states(shape, prot, *changes):
    """Changes of state under one cursor, the first three on one page; touches are writes."""
    script = sum(change << 3 * i for i, change in enumerate([*changes, SYNC, SYNC, SYNC][:3]))
    return op(0, "states", SPACE_0_WRITES, shape=shape, prot=prot, args=(script & 255, WHOLE))


def touched_code():
    """A page of code is touched by a store of the kernel's, and executed elsewhere."""
    return history(running(), [
        op(0, "churn", args=(3, 0)), states(1, R | W | X, RESERVE, TOUCH),
        op(1, "touch", 0, prot=2), op(1, "touch", 0, prot=2),
    ])  # fmt: skip


def touched_table():
    """A page is touched where the table was detached under the same cursor."""
    return history(running(op(0, "map", 0), op(1, "touch", 0, prot=0)), [
        states(TABLE, R | W, RESERVE, TOUCH), op(1, "touch", 0, prot=0),
    ])  # fmt: skip


def no_frame():
    """There is a table for the page that is touched, and no frame."""
    return history(running(op(0, "mark", 0, args=(0x78, WHOLE))), [
        op(0, "fail", args=(0, 0)), op(0, "touch", 0, prot=1),
    ])  # fmt: skip


def swept(*changes):
    """Tables are swept where one of them holds something."""
    return history(running(), [*changes, op(0, "sweep", args=(3, 0)), op(0, "touch", 0, prot=0)])


def ahead():
    """Frames are dirty, free, and put by for later."""
    return history(running(), [
        op(0, "churn", args=(3, 0)), op(0, "ahead", args=(3, 0)), op(0, "map", 0),
    ])  # fmt: skip


def two_stocks():
    """Two harts fill the split stock of one space."""
    marks = [op(hart, "mark", 0, page=14 * hart, shape=TABLE, args=(0x78, WHOLE)) for hart in (0, 1)]
    return history(running(op(0, "map", 0), op(0, "map", 0, page=15)), marks)


def states_histories():
    """(name, history) of those about states in absent entries."""
    yield "sole-owner", sole_owner()
    yield "touched-code", touched_code()
    yield "touched-table", touched_table()
    yield "no-frame", no_frame()
    yield "two-stocks", two_stocks()
    yield "swept-marks", swept(op(0, "mark", 0, args=(0x78, WHOLE)))
    yield "swept-hidden", swept(op(0, "map", 0), op(0, "hide", 0, args=(0, WHOLE)))
    yield "swept-pages", swept(op(0, "map", 0))
    yield "ahead", ahead()


def two_spaces(*setup):
    """Hart 0 runs space 1, hart 1 space 0."""
    return [
        op(0, "create", 0), op(0, "create", 1), op(0, "activate", 1), op(1, "activate", 0), *setup,
    ]  # fmt: skip


def moved_code(shape):
    """Code that comes from another space is executed at once."""
    setup = two_spaces(op(1, "map", 0, prot=R | X))
    return history(setup, [
        op(1, "move", 0, shape=shape, args=(NEXT, WHOLE)), op(0, "touch", prot=2),
        op(0, "touch", prot=2),
    ])  # fmt: skip


def moved_device():
    """Pages of a device go to another space."""
    setup = two_spaces(op(0, "device", 0, page=16, args=(0, WHOLE)))
    return history(setup, [
        op(1, "move", 0, page=16, args=(NEXT, WHOLE)), op(0, "unmap", 1, page=16), op(0, "audit", 0),
    ])  # fmt: skip


def moved_without_table(after):
    """A row of pages goes where one of its tables is missing, and so is memory for it."""
    setup = two_spaces(op(0, "map", 0, page=9), op(0, "map", 0, page=10))
    return history(setup, [
        op(1, "fail", args=(after, 0)),
        op(1, "move", 0, page=9, shape=1, args=(NEXT, WHOLE)), op(1, "audit", 1),
    ])  # fmt: skip


def moved_table_without_table(after):
    """A table goes to where the one above it is missing, and so is memory for that."""
    setup = two_spaces(
        op(0, "object", args=(0, 0)), op(0, "object-map", 0, page=10, args=(0x78, SHARED)),
        op(0, "map", 0),
    )  # fmt: skip
    return history(setup, [
        op(1, "fail", args=(after, 0)),
        op(1, "move", 0, shape=EVERYTHING, args=(NEXT, WHOLE)), op(1, "audit", 1),
    ])  # fmt: skip


def moved_aside():
    """A table's range goes to where it ends in the middle of a table."""
    return history(running(op(0, "map", 0)), [
        op(0, "move", 0, shape=7, prot=R, args=(INSIDE | BLOCK | 14 << 4, 1)),
        op(0, "query", 0, page=14, shape=1),
    ])  # fmt: skip


def moved_ahead():
    """Hart 0 holds a table and wants one behind it, which moves before the first; hart 1 holds it
    there, and wants the first."""
    return history(running(op(0, "map", 0, page=10), op(0, "map", 0, page=14)), [
        op(0, "two", 0, page=10, args=(14, 3)),
        op(1, "move", 0, page=14, prot=R, args=(INSIDE | BLOCK, 1)),
        op(1, "two", 0, page=0, args=(10, 3)),
    ])  # fmt: skip


def page_made_twice():
    """Two harts make the same page of an object."""
    return history([op(0, "object", args=(0, 0))], [
        op(0, "object-page", args=(MAKE, 5)), op(1, "object-page", args=(MAKE, 5)),
    ])  # fmt: skip


def page_past_end():
    """A page past an object's end is asked for."""
    return history([op(0, "object", args=(0, 4))], [op(0, "object-page", args=(MAKE, 7))])


def accessed(by_faults):
    """A is taken from a page that hart 1 uses, and goes on to use."""
    return history(running(op(0, "map", 0), op(1, "touch", prot=0)), [
        op(0, "clear", 0), op(1, "touch", prot=0), op(1, "query", 0),
    ], by_faults=by_faults)  # fmt: skip


def cut_while_mapped():
    """An object loses a page that is mapped, and that no mark names any more."""
    setup = [op(0, "object", args=(0, 4)), op(0, "object-map", 0, args=(0x78, SHARED))]
    return history(running(*setup, op(0, "touch", prot=0)), [op(0, "resize", args=(7, 0))])


def copied():
    """A page of a space's own begins with what the object has."""
    setup = [op(0, "object", args=(0, 4)), op(0, "object-page", args=(MAKE, 0))]
    return history(running(*setup, op(0, "object-map", 0, args=(0x78, OWN))), [
        op(0, "touch", prot=1), op(0, "touch", prot=1),
    ])  # fmt: skip


def large_view():
    """All of a table's extent is a view, and is to be writable."""
    setup = [
        op(0, "object", args=(0, 1)), op(0, "object-map", 0, shape=TABLE, prot=R, args=(0x78, VIEW)),
    ]  # fmt: skip
    return history(running(*setup), [op(0, "rights", 0, shape=TABLE, args=(30, WHOLE))])


def new_code_supplied():
    """A page comes back with other code than it left with."""
    setup = two_spaces(op(0, "map", 0, prot=R | X), op(0, "evict", 0, args=(NEXT, WHOLE)))
    return history(setup, [
        op(0, "map", 1), op(0, "supply", 1, args=(BEFORE, WHOLE)), op(1, "touch", prot=2),
        op(1, "touch", prot=2),
    ])  # fmt: skip


def wrong_cookie():
    """The mark of a page that was taken out has moved; the page of its new place comes back."""
    setup = two_spaces(
        op(0, "map", 0), op(0, "evict", 0, args=(NEXT, WHOLE)), op(0, "map", 1, page=1),
    )  # fmt: skip
    return history(setup, [
        op(0, "move", 0, args=(INSIDE | ROW | 1 << 4, WHOLE)),
        op(0, "supply", 1, page=1, args=(BEFORE, WHOLE)),
    ])  # fmt: skip


def supplied_while_borrowed():
    """A page comes back whose frame somebody else names."""
    setup = two_spaces(op(0, "map", 0), op(0, "evict", 0, args=(NEXT, WHOLE)))
    return history(setup, [
        op(0, "borrow", 1), op(0, "supply", 1, args=(BEFORE, WHOLE)),
    ])  # fmt: skip


def objects_histories():
    """(name, history) of those about objects, moving and pagers."""
    yield "moved-code", moved_code(0)
    yield "moved-code-table", moved_code(TABLE)
    yield "moved-device", moved_device()
    for after in range(4):
        yield f"moved-without-table-{after}", moved_without_table(after)
        yield f"moved-table-without-table-{after}", moved_table_without_table(after)
    yield "moved-aside", moved_aside()
    yield "moved-ahead", moved_ahead()
    yield "page-made-twice", page_made_twice()
    yield "page-past-end", page_past_end()
    yield "accessed", accessed(False)
    yield "accessed-by-faults", accessed(True)
    yield "cut-while-mapped", cut_while_mapped()
    yield "copied", copied()
    yield "large-view", large_view()
    yield "new-code-supplied", new_code_supplied()
    yield "wrong-cookie", wrong_cookie()
    yield "supplied-while-borrowed", supplied_while_borrowed()


def all_histories():
    """(name, history) of all; a name that ends in +N wants N deviations at once."""
    yield "code-joins-first+2", code_joins_first()
    yield "epoch-old", epoch_old()
    yield "epoch-unmap", epoch_unmap()
    yield "epochs-both+2", epochs_both()
    yield "both-first", both_first()
    yield "stale-descent+3", stale_descent()
    yield "code-join", code_join()
    yield "linked", linked()
    for shape in (TABLE, TABLE + 1, TABLE + 2):
        yield f"device-{shape}", device(shape)
    for spare in range(3):
        yield f"epoch-edge-{spare}", epoch_edge(spare)
        yield f"epoch-away-{spare}", epoch_away(spare)
    for second in range(2, 9):
        yield f"epochs-{second}", epochs(7, second)
    for kind in ("query", "map", "protect", "unmap"):
        for again in (1, 2, 3):
            yield f"descent-{kind}-{again}", descent(kind, again)
    for page in (1, 3, 9, 12):
        yield f"new-code-{page}", new_code("two", page)
    for access in ("touch", "copy"):
        yield f"again-{access}", again_and_again(access)
    yield from states_histories()
    yield from objects_histories()


def word(kinds, one):
    """The history as oracle_mutants reads it."""
    harts, levels, asid_bits, by_faults, setup, side_by_side = one
    ops = setup + side_by_side
    head = [harts - 1, levels - 3 + 4 * by_faults, WIDTHS.index(asid_bits), len(ops) - 1,
            len(setup), 0, 0, 0]  # fmt: skip
    rows = [[kinds.index(KINDS[kind]), *numbers] for kind, *numbers in ops]
    return bytes(head + [number for row in rows for number in row]).hex()


def deviations(name):
    """How many deviations at once a history wants."""
    return int(name.split("+")[1]) if "+" in name else 1


def words(binary):
    """(name, word) of all."""
    kinds = subprocess.run([binary, "--kinds"], capture_output=True, text=True, check=True)
    kinds = kinds.stdout.splitlines()
    return [(name, word(kinds, one)) for name, one in all_histories()]


if __name__ == "__main__":
    for line in words(sys.argv[1]):
        print(*line)
