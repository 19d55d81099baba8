# SPDX-License-Identifier: MIT
"""Directed histories about memory objects, moving and pagers."""

from directed_words import (
    BEFORE, BLOCK, EVERYTHING, INSIDE, MAKE, NEXT, OWN, ROW, SHARED, TABLE, VIEW, WHOLE, R, X,
    history, op, running,
)  # fmt: skip


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


def hidden_while_used():
    """A page from which A was taken is used just when it is hidden."""
    return history(running(op(0, "map", 0), op(0, "clear", 0)), [
        op(0, "hide", 0, args=(0, WHOLE)), op(1, "touch", prot=0), op(1, "query", 0),
    ])  # fmt: skip


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
    yield "hidden-while-used", hidden_while_used()
    yield "cut-while-mapped", cut_while_mapped()
    yield "copied", copied()
    yield "large-view", large_view()
    yield "new-code-supplied", new_code_supplied()
    yield "wrong-cookie", wrong_cookie()
    yield "supplied-while-borrowed", supplied_while_borrowed()
