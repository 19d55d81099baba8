/* SPDX-License-Identifier: MIT */
/*
 * One page that is touched by two harts, unmapped, hidden and brought back, while another space may
 * clone it and drop its frame.  In C mm/vm_cursor_touch.c, mm/vm_cursor_protect.c,
 * mm/vm_cursor_remove.c and mm/vm_cursor_clone.c.  docs/mm.md tells the states.
 *
 * Frame 0 is the frame of zeroes; a write makes a frame's contents 1.  A hart's TLB may take up the
 * entry whenever that is valid, and keeps it until it is flushed.  What the page's contents should
 * be is kept beside it: each read finds them, and none finds a free frame or a forbidden page.
 *
 * Every switch (#ifdef) takes out one step; run.py shows that pan then finds an error.
 */
#define HARTS 3
#define FRAMES 4 /* the page's old and new one, and the other space's */

#define NONE 255

mtype = { ABSENT, RESERVED, LEAF, INVALID, HIDDEN };

mtype state = RESERVED;
byte frame;            /* of a leaf or a hidden page                    */
bit writable;          /* W                                             */
bit pending;           /* W is granted, but not set                     */
bit lock;              /* of the page's cursor                          */
byte refs[FRAMES];
bit content[FRAMES];   /* of a frame                                    */
bit expected;          /* contents of the page                          */
bit forbidden;         /* hiding or unmapping has returned              */
byte tlb[HARTS];       /* frame, or NONE                                */
bit tlb_w[HARTS];
byte others = NONE;    /* the other space's frame, and what it holds    */
bit others_content;
hidden byte i_;

/* The references that the kernel holds itself. */
#ifdef NO_KERNEL_REFERENCE
#define KERNELS(f) 0
#else
#define KERNELS(f) ((f) == 0 -> 1 : 0)
#endif

inline flush()
{
    d_step {
        for (i_ : 0 .. HARTS - 1) {
            tlb[i_] = NONE;
            tlb_w[i_] = 0
        }
        i_ = 0
    }
}

/* At rest each frame has the references that are to be seen. */
inline unlock()
{
    d_step {
        for (i_ : 0 .. FRAMES - 1) {
            assert(refs[i_] == KERNELS(i_) + (others == i_ -> 1 : 0) +
                                   ((state == LEAF || state == HIDDEN) && frame == i_ -> 1 : 0))
        }
        i_ = 0;
        assert(state != INVALID);
        lock = 0
    }
}

/* A free frame, in n, which is this page's alone.  NONE: no memory, or no budget. */
inline frame_alloc()
{
    if
    :: d_step {
           n = 1;
           do
           :: refs[n] != 0 -> n++
           :: else -> break
           od;
           refs[n] = 1;
           content[n] = 0
       }
    :: n = NONE
    fi
}

inline set_leaf(f, w, p)
{
    d_step { state = LEAF; frame = f; writable = w; pending = p }
}

/* ---- a touch ---- */

/* A write that is pending: the page gets a frame of its own, or has one. */
inline write_pending()
{
    if
#ifdef NO_SOLE_CHECK
    :: true -> set_leaf(frame, 1, 0)
#else
    :: d_step { refs[frame] == 1 -> state = LEAF; writable = 1; pending = 0 }
#endif
    :: refs[frame] > 1 ->
        frame_alloc();
        if
        :: n == NONE -> skip
        :: else ->
            content[n] = content[frame];
            old = frame;
#ifdef MAKE_BEFORE_BREAK
            set_leaf(n, 1, 0);
            flush();
#else
            state = INVALID;
#ifdef PUT_BEFORE_FLUSH
            refs[old]--;
            flush();
            refs[old]++;
#else
#ifndef NO_FLUSH
            flush();
#endif
#endif
            set_leaf(n, 1, 0);
#endif
            refs[old]--
        fi
    fi
}

/* The access has faulted. */
inline op_touch(is_write)
{
    atomic {
        !lock -> lock = 1;
#ifndef LOOK_BEFORE_LOCK
        seen = state;
#endif
    }
    if
    :: seen == RESERVED && (is_write) ->
        frame_alloc();
        if
        :: n == NONE -> skip
        :: else -> set_leaf(n, 1, 0)
        fi
    :: seen == RESERVED && !(is_write) ->
        d_step { refs[0]++; state = LEAF; frame = 0; writable = 0; pending = 1 }
    :: seen == LEAF && (is_write) && pending -> write_pending()
    :: else -> skip /* forbidden, or another has been here: try again */
    fi;
    unlock()
}

/* ---- others' changes ---- */

inline op_unmap()
{
    atomic { !lock -> lock = 1 }
    if
    :: state == LEAF -> state = INVALID; flush(); refs[frame]--
    :: state == HIDDEN -> refs[frame]-- /* was flushed when it was hidden */
    :: else -> skip
    fi;
    d_step { state = ABSENT; frame = 0; writable = 0; pending = 0; forbidden = 1; expected = 0 };
    unlock()
}

/* Marks the page again, where nothing is. */
inline op_reserve()
{
    atomic { !lock && state == ABSENT -> state = RESERVED; forbidden = 0 }
}

inline op_hide()
{
    atomic { !lock -> lock = 1 }
    if
    :: state == LEAF ->
        state = HIDDEN;
#ifndef HIDE_WITHOUT_FLUSH
        flush();
#endif
        d_step { writable = 0; pending = 0; forbidden = 1 }
    :: else -> skip
    fi;
    unlock()
}

/* Grants R and W again: W at once only if nobody else has the frame. */
inline op_show()
{
    atomic { !lock -> lock = 1 }
    d_step {
        if
        :: state == HIDDEN ->
            forbidden = 0;
            state = LEAF;
#ifdef GRANT_AT_ONCE
            writable = 1
#else
            writable = (refs[frame] == 1 -> 1 : 0);
            pending = !writable
#endif
        :: else -> skip
        fi
    }
    unlock()
}

/* The other space clones the page: both may only read it now. */
inline op_clone()
{
    atomic { !lock && state == LEAF && frame != 0 && others == NONE -> lock = 1 }
    d_step { pending = pending || writable; writable = 0; refs[frame]++ }
    flush();
    d_step { others = frame; others_content = content[frame] }
    unlock()
}

/* And gives its frame up, without asking for this page's lock. */
inline op_drop()
{
    d_step { others != NONE -> refs[others]--; others = NONE; others_content = 0 }
}

/* ---- what harts do by themselves ---- */

inline hardware()
{
    if
    :: d_step { state == LEAF -> tlb[me] = frame; tlb_w[me] = writable }
    :: d_step { tlb[me] != NONE ->
           assert(refs[tlb[me]] > 0);                    /* a free frame     */
           assert(!forbidden);                           /* it had returned  */
           assert(content[tlb[me]] == expected)          /* an old frame     */
       }
    :: d_step { tlb[me] != NONE && tlb_w[me] ->
           assert(refs[tlb[me]] > 0 && tlb[me] != 0);    /* zeroes stay zero */
           assert(!forbidden);
           content[tlb[me]] = 1;
           expected = 1;
           assert(others == NONE || content[others] == others_content)
       }
    fi
}

proctype hart(byte me)
{
    byte n, old;
    mtype seen;

    do
    :: hardware()
    :: seen = state; op_touch(false); n = 0; old = 0; seen = 0
    :: seen = state; op_touch(true); n = 0; old = 0; seen = 0
    :: break
    od
}

/* Another thread's calls, on a third hart, which has no faults. */
proctype caller(byte me)
{
    do
    :: hardware()
    :: op_unmap()
    :: op_reserve()
    :: op_hide()
    :: op_show()
#ifdef CLONES
    :: op_clone()
#endif
    :: break
    od
}

proctype other_space()
{
    do
    :: op_drop()
    :: break
    od
}

init
{
    d_step {
        refs[0] = KERNELS(0);
        for (i_ : 0 .. HARTS - 1) {
            tlb[i_] = NONE
        }
        i_ = 0
    }
    atomic {
        run hart(0);
        run hart(1);
        run caller(2);
        run other_space()
    }
}
