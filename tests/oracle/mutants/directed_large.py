# SPDX-License-Identifier: MIT
"""Directed histories about pages above level 0, and about transactions."""

from directed_words import (
    BLOCK, INSIDE, MAKE, NEXT, SHARED, TABLE, WHOLE, R, W, X, history, op, running,
)  # fmt: skip

UNMAP_REST, MAP = 1, 2 << 3  # the first and second action of several under one cursor
TXN_MARK, ONE_CHANGE = 2, 7  # args of a transaction
IN_BLOCKS = 7  # page of an object to be made
ONE_BLOCK = 1  # args[0] of a fold
OTHER_PAGE = 7  # args of two ranges: the second, one page of which moves there
MOVES = 0x64


def split_while_used():
    """A large page from which A was taken is split just when it is used."""
    return history(running(op(0, "block", 0), op(0, "clear", 0, shape=TABLE)), [
        op(0, "unmap", 0), op(1, "touch", page=1, prot=0), op(1, "query", 0, page=1),
    ])  # fmt: skip


def split_and_whole_again():
    """What was split in two steps is of one kind again."""
    return [op(0, "block", 0), op(0, "rights", 0, prot=R), op(0, "rights", 0, prot=R | W)]


def folded_while_used():
    """A table of pages from which A was taken becomes one entry just when one of them is used."""
    return history(running(*split_and_whole_again(), op(0, "clear", 0, shape=TABLE)), [
        op(0, "fold", 0, args=(ONE_BLOCK, WHOLE)), op(1, "touch", page=1, prot=0),
        op(1, "query", 0, page=1),
    ])  # fmt: skip


def folded_after_use():
    """A table becomes one entry of which a page was used, and not the first."""
    setup = [*split_and_whole_again(), op(0, "clear", 0, shape=TABLE), op(1, "touch", page=1, prot=0)]
    return history(running(*setup), [
        op(0, "fold", 0, args=(ONE_BLOCK, WHOLE)), op(1, "query", 0, page=1),
    ])  # fmt: skip


def folded_hidden():
    """Hidden pages become one again."""
    setup = [
        op(0, "block", 0), op(0, "hide", 0, shape=TABLE, args=(0, WHOLE)),
        op(0, "rights", 0, args=(0, WHOLE)), op(0, "hide", 0, args=(0, WHOLE)),
    ]  # fmt: skip
    return history(running(*setup), [
        op(0, "fold", 0, args=(ONE_BLOCK, WHOLE)), op(0, "audit", 0), op(0, "unmap", 0, shape=TABLE),
    ])  # fmt: skip


def folded_marks():
    """Marks of an object become one again."""
    setup = [
        op(0, "object", args=(0, 1)), op(0, "object-map", 0, shape=TABLE, args=(0x78, SHARED)),
        op(0, "object-map", 0, args=(0x78, SHARED)),
    ]  # fmt: skip
    return history(running(*setup), [
        op(0, "fold", 0, args=(ONE_BLOCK, WHOLE)), op(0, "audit", 0), op(0, "unmap", 0, shape=TABLE),
    ])  # fmt: skip


def large_hidden_while_used():
    """A large page from which A was taken is used just when it is hidden."""
    return history(running(op(0, "block", 0), op(0, "clear", 0, shape=TABLE)), [
        op(0, "hide", 0, shape=TABLE, args=(0, WHOLE)), op(1, "touch", page=1, prot=0),
        op(1, "query", 0, page=1),
    ])  # fmt: skip


def folded_when_walked():
    """Hart 1 has walked through a table that becomes one entry."""
    return history(running(*split_and_whole_again(), op(1, "touch", page=1, prot=1)), [
        op(0, "fold", 0, args=(ONE_BLOCK, WHOLE)), op(1, "touch", page=1, prot=1),
    ])  # fmt: skip


def split_over_dying():
    """A page is mapped where a large one is dying under the same cursor."""
    return history(running(op(0, "block", 0), op(1, "touch", prot=1)), [
        op(0, "mixed", 0, shape=TABLE, args=(UNMAP_REST | MAP, WHOLE)), op(1, "touch", prot=1),
    ])  # fmt: skip


def split_by_one_of_two():
    """One of two cursors splits a large page, and the other removes a part of it."""
    return history(running(op(0, "block", 0)), [op(0, "two", 0, args=(OTHER_PAGE, MOVES))])


def cloned(*then):
    """A large page that two spaces have: hart 0 runs the first, hart 1 the clone."""
    return history([
        op(0, "create", 0), op(0, "create", 1), op(0, "activate", 0), op(1, "activate", 1),
        op(0, "block", 0), op(0, "clone", 0, shape=TABLE, args=(NEXT, WHOLE)),
    ], [*then, op(0, "touch", page=1, prot=1), op(1, "touch", page=1, prot=0)])  # fmt: skip


def passed(kind, *setup, shape=TABLE, how=NEXT, after=None):
    """A large page of space 0 goes to space 1, or is cloned there, which hart 0 runs."""
    before = [] if after is None else [op(1, "fail", args=(after, 0))]
    return history([
        op(0, "create", 0), op(0, "create", 1), op(0, "activate", 1), op(1, "activate", 0), *setup,
    ], [
        *before, op(1, kind, 0, shape=shape, prot=R, args=(how, WHOLE)),
        op(0, "touch", prot=2), op(0, "touch", prot=2), op(1, "audit", 0), op(1, "audit", 1),
        op(1, "touch", page=9, prot=1), op(1, "query", 1, shape=TABLE),
    ])  # fmt: skip


def passed_aside():
    """A large page goes to where no large one can be."""
    return history(running(op(0, "block", 0)), [
        op(0, "move", 0, shape=7, prot=R, args=(INSIDE | BLOCK | 14 << 4, 1)),
        op(0, "query", 0, page=14, shape=1), op(0, "audit", 0),
    ])  # fmt: skip


def changed_whole(then):
    """The rights of a large page, while hart 1 uses it."""
    return history(running(op(0, "block", 0), op(1, "touch", prot=1)), [
        op(0, "rights", 0, shape=TABLE, prot=then, args=(0, WHOLE)), op(1, "touch", prot=1),
        op(0, "audit", 0), op(0, "query", 0),
    ])  # fmt: skip


def passed_histories():
    """(name, history) of those about large pages that come from another space."""
    block, code = op(1, "block", 0), op(1, "block", 0, prot=R | X)
    hidden = op(0, "hide", 0, shape=TABLE, args=(0, WHOLE))
    for kind in ("clone", "move"):
        yield f"passed-{kind}", passed(kind, block)
        yield f"passed-{kind}-code", passed(kind, code)
        yield f"passed-{kind}-hidden", passed(kind, block, hidden)
        yield f"passed-{kind}-part", passed(kind, block, shape=7)
        yield f"passed-{kind}-over", passed(kind, block, op(0, "map", 1, page=3))
        for after in range(3):
            yield f"passed-{kind}-without-{after}", passed(kind, block, after=after)
    yield "passed-aside", passed_aside()
    for then in (0, R, R | W | X):
        yield f"changed-whole-{then}", changed_whole(then)


def marked_in_transaction():
    """Pages of an object are marked by a transaction."""
    return history(running(op(0, "object", args=(0, 0))), [
        op(0, "txn", 0, page=1, args=(TXN_MARK, ONE_CHANGE)), op(0, "audit", 0),
    ])  # fmt: skip


def block_of_object(*then):
    """An object whose memory comes in blocks, mapped as large as it comes."""
    setup = [
        op(0, "object", page=IN_BLOCKS, args=(0, 1)),
        op(0, "object-map", 0, shape=TABLE, args=(0x78, SHARED)),
    ]  # fmt: skip
    return history(running(*setup), [
        *then, op(0, "touch", page=1, prot=1), op(1, "touch", page=2, prot=0), op(0, "audit", 0),
    ])  # fmt: skip


def block_made_twice():
    """Two harts make the same block of an object."""
    return history([op(0, "object", page=IN_BLOCKS, args=(0, 1))], [
        op(0, "object-page", args=(MAKE, 5)), op(1, "object-page", args=(MAKE, 6)),
    ])  # fmt: skip


def without_memory(kind, after, **arguments):
    """A call about a block is out of memory in its middle, where a mark is as large as tables of them."""
    return history(running(op(0, "want", 0, args=(0x7c, WHOLE))), [
        op(0, "fail", args=(after, 0)), op(0, kind, 0, **arguments), op(0, "audit", 0),
    ])  # fmt: skip


def large_histories():
    """(name, history) of all."""
    yield "split-while-used", split_while_used()
    yield "folded-while-used+2", folded_while_used()
    yield "folded-after-use", folded_after_use()
    yield "folded-hidden", folded_hidden()
    yield "folded-marks", folded_marks()
    yield "large-hidden-while-used", large_hidden_while_used()
    yield "folded-when-walked", folded_when_walked()
    yield "split-over-dying", split_over_dying()
    yield "split-by-one-of-two", split_by_one_of_two()
    yield "cloned-whole", cloned()
    yield "cloned-split", cloned(op(0, "unmap", 1))
    yield "cloned-hidden", cloned(op(0, "unmap", 1), op(0, "hide", 0, shape=TABLE, args=(0, WHOLE)),
                                 op(0, "rights", 0, shape=TABLE, args=(0, WHOLE)))
    for after in range(4):
        yield f"block-without-memory-{after}", without_memory("block", after)
        yield f"touch-without-memory-{after}", without_memory("touch", after, prot=1)
    yield "block-of-object", block_of_object()
    yield "slice-of-object", block_of_object(op(1, "object-page", args=(MAKE, 5)))
    yield "block-made-twice", block_made_twice()
    yield "mapped-inside", history(running(op(0, "block", 0)), [op(0, "map", 0), op(0, "audit", 0)])
    yield "marked-in-transaction", marked_in_transaction()
    yield from passed_histories()
