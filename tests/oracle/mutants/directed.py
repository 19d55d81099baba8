#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Directed histories: short ones for mutants that random ones hardly find.

Each is written as operations, and swept: run once for each place at which hart 0 could be stopped
while the other goes on, and for each load that could be early (oracle_mutants --sweep).

usage: directed.py BINARY   prints the names and words
"""

import subprocess
import sys

from directed_large import large_histories
from directed_objects import objects_histories
from directed_words import (
    RESERVE, SPACE_0_WRITES, SYNC, TABLE, TOUCH, WHOLE, R, W, X, history, op, parade, running, word,
)  # fmt: skip


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
    yield from large_histories()


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
