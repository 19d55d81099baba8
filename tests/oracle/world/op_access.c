/* SPDX-License-Identifier: MIT */
/*
 * Accesses: by programs, with every outcome the machine may give, and by the kernel for them.
 *
 * A program that faults comes into the kernel, which asks mm/ what the fault means; what mm/ says
 * must have been true at some moment in between, and a fault that the page table does not explain
 * is over after two fences.  What a program writes into a page of its own is a new stamp.
 */
#include <string.h>

#include "arch_host/arch_host.h"
#include "mm/user_copy.h"
#include "world/op.h"
#include "world/sched.h"

#define OUTCOMES_MAX 16U
#define TRIES_MAX    20U /* a block is made in 8 pieces */
#define COPY_WORD    UINT64_C(0xc0c0c0c0c0c0c0c0)

static const char *const access_names[] = {"read", "write", "execute"};

static void fail_spurious(unsigned hart, uint64_t va, enum vm_access access)
{
    oracle_fail(ORACLE_RULE_SPURIOUS, hart,
                "a program may %s %#lx all the time, and is told that it may not (\"Supervisor "
                "Memory-Management Fence Instruction\": spurious faults)",
                access_names[access], va);
}

/* From now on the hart may get what an access to the page needs. */
static void expect_touch(unsigned hart, struct ref_space *space, unsigned page,
                         enum vm_access access)
{
    ref_watch(hart, space, page, access);
    ref_touch_begin(hart, (struct ref_touch){.kind = REF_TOUCH_ACCESS,
                                             .space = space,
                                             .start = ref_va(page),
                                             .end = ref_va(page) + PAGE_SIZE,
                                             .access = access});
}

/* The program has faulted.  True: it may try again. */
static bool fault_is_settled(unsigned hart, unsigned page, enum vm_access access)
{
    const struct op op = {.hart = hart};
    struct ref_space *space = op_world.active[hart];
    enum vm_fault_result result;

    expect_touch(hart, space, page, access);
    op_enter(hart);
    result = vm_space_fault_making(space->space, (vaddr_t){ref_va(page)}, access,
                                   &op_world.making[hart]);
    ref_touch_end(hart);
    if (result == VM_FAULT_NOMEM) {
        (void)op_lacks_memory(&op, ERR_NOMEM);
    }
    if (result != VM_FAULT_BAD && !ref_was_granted(hart)) {
        oracle_fail(ORACLE_RULE_MEANING, hart,
                    "mm says that a program may %s %#lx, which it never could",
                    access_names[access], ref_va(page));
    }
    if (result == VM_FAULT_BAD && !ref_was_refused(hart)) {
        fail_spurious(hart, ref_va(page), access);
    }
    op_note(hart, (uint64_t)result);
    op_leave(hart);
    return result == VM_FAULT_RETRY || result == VM_FAULT_AGAIN;
}

/* The program's store, if it is to a page of its own or an object's: the first word is a new stamp.
 */
static void store_stamp(const struct op *op, uint64_t pa)
{
    struct frame *frame = frame_of((paddr_t){pa});

    OP_AGREE(op, frame != frame_zero(), "a program can write to the frame of zeroes");
    if (frame != NULL && ref_takes_stamps(pa)) {
        uint64_t stamp = op_stamp_new(op->hart);

        memcpy(frame_bytes(frame), &stamp, sizeof(stamp));
        oracle_frame_written(op->hart, pa);
        ref_stamp_set(pa, stamp);
    }
}

static void note_access(const struct op *op, unsigned page, enum vm_access access,
                        const struct oracle_outcome *out)
{
    uint64_t pa = align_down(out->pa, PAGE_SIZE);
    struct ref_space *space = op_world.active[op->hart];

    OP_AGREE(op, ref_may_lead(space, page, access, pa),
             "a program can %s %#lx and is led to %#lx by the entry %#lx, which the space "
             "does not grant",
             access_names[access], ref_va(page), out->pa, out->entry);
    ref_used(space, page, pa);
    if (access == VM_ACCESS_WRITE) {
        OP_AGREE(op, !ref_store_shows(space, page, pa),
                 "a program writes %#lx through the entry %#lx, and it shows in another space",
                 ref_va(page), out->entry);
        if (out->since == 0 || (out->marks && op_is_folded(space))) {
            ref_written(space, page, pa);
        }
        store_stamp(op, pa);
    }
    op_note(op->hart, ref_stamp_at(pa));
}

void op_touch(const struct op *op)
{
    const struct ref_space *space = op_world.active[op->hart];
    unsigned page = op->in->page % REF_PAGES;
    enum vm_access access = (enum vm_access)(op->in->prot % 3U);
    uint64_t va = ref_va(page) + (access == VM_ACCESS_EXECUTE ? 0 : 8);

    if (space == NULL) {
        return;
    }
    for (unsigned tries = 0; tries < TRIES_MAX; tries++) {
        struct oracle_outcome out[OUTCOMES_MAX];
        size_t count = oracle_outcomes(op->hart, va, (enum oracle_access)access, out, OUTCOMES_MAX);
        size_t which = sched_decide(ORACLE_USER, (unsigned)count, 96);

        oracle_access_take(which);
        if (!out[which].faults) {
            note_access(op, page, access, &out[which]);
            return;
        }
        if (!fault_is_settled(op->hart, page, access)) {
            return;
        }
    }
}

/* ---- the kernel's copies ---- */

enum copy_kind {
    COPY_READ,
    COPY_WRITE,
    COPY_ZEROS,
    COPY_LOAD,
    COPY_EXCHANGE,
    COPY_FOREIGN,
    COPY_KINDS,
};

static status_t copy_do(const struct op *op, enum copy_kind kind, unsigned page, uint64_t *word)
{
    struct vm_space *space = op_world.active[op->hart]->space;
    vaddr_t va = {ref_va(page)};
    struct user_span span;
    uint32_t seen = 0;
    uint64_t done;
    status_t status;

    switch (kind) {
    case COPY_READ:
        return user_read_object(space, va, word, sizeof(*word));
    case COPY_WRITE:
        return user_write_object(space, vaddr_add(va, 64), word, sizeof(*word));
    case COPY_ZEROS:
        status = user_span_make(space, vaddr_add(va, 128), 64, &span);
        return status == OK ? user_fill_zeros(&span, 64, &done) : status;
    case COPY_LOAD:
        return user_load_u32(space, vaddr_add(va, 256), &seen);
    case COPY_EXCHANGE:
        return user_compare_exchange_u32(space, vaddr_add(va, 256), &seen, 0);
    case COPY_FOREIGN:
    case COPY_KINDS:
        break;
    }
    return ERR_INVAL;
}

static void copy_foreign(const struct op *op)
{
    struct ref_space *space = op_hold(op);
    uint32_t word;

    if (space == NULL) {
        return;
    }
    if (space != op_world.active[op->hart]) {
        OP_AGREE(op, user_load_u32(space->space, (vaddr_t){0}, &word) == ERR_ACCES,
                 "the memory of a space that is not active here can be read");
    }
    op_drop(space);
}

void op_copy(const struct op *op)
{
    struct ref_space *space = op_world.active[op->hart];
    enum copy_kind kind = (enum copy_kind)(op->in->arg[0] % COPY_KINDS);
    unsigned page = op->in->page % (kind < COPY_LOAD ? REF_PAGES : OP_IO_PAGE);
    enum vm_access access =
        kind == COPY_READ || kind == COPY_LOAD ? VM_ACCESS_READ : VM_ACCESS_WRITE;
    uint64_t word = COPY_WORD;
    status_t status;

    if (kind == COPY_FOREIGN || space == NULL) {
        copy_foreign(op);
        return;
    }
    expect_touch(op->hart, space, page, access);
    status = copy_do(op, kind, page, &word);
    ref_touch_end(op->hart);
    if (op_lacks_memory(op, status)) {
        return;
    }
    if (status == ERR_FAULT && !ref_was_refused(op->hart)) {
        fail_spurious(op->hart, ref_va(page), access);
    }
    OP_AGREE(op, status == OK || status == ERR_FAULT, "a user copy gives %s", status_name(status));
    OP_AGREE(op, status != OK || ref_was_led(op->hart),
             "the kernel can %s %#lx, which nobody was ever granted", access_names[access],
             ref_va(page));
    OP_AGREE(op, status != OK || kind != COPY_READ || ref_was_stamped(op->hart, word),
             "the kernel reads %#lx at %#lx, which no frame mapped there holds", word,
             ref_va(page));
}
