/* SPDX-License-Identifier: MIT */
/* The table of operations, and what surrounds each: the entry into the kernel and the return. */
#include "world/ops.h"
#include "arch_host/arch_host.h"
#include "world/op.h"
#include "world/sched.h"

static const struct ops_row table[] = {
    {"create a space", op_space_create, OPS_KERNEL, 5},
    {"drop the handle of a space", op_space_destroy, OPS_KERNEL, 4},
    {"activate", op_space_activate, OPS_KERNEL, 10},
    {"leave for the kernel's own table", op_space_leave, OPS_KERNEL, 4},
    {"reap", op_reap, OPS_KERNEL, 8},
    {"map", op_map, OPS_KERNEL, 14},
    {"map where nothing is", op_map_exclusive, OPS_KERNEL, 4},
    {"map a shared frame", op_map_shared, OPS_KERNEL, 5},
    {"map a device", op_map_device, OPS_KERNEL, 4},
    {"unmap", op_unmap, OPS_KERNEL, 14},
    {"unmap in bounded steps", op_unmap_stepwise, OPS_KERNEL, 3},
    {"protect", op_protect, OPS_KERNEL, 12},
    {"look at each slot", op_query, OPS_KERNEL, 3},
    {"find what is mapped", op_find, OPS_KERNEL, 3},
    {"do several things under one cursor", op_mixed, OPS_KERNEL, 10},
    {"ask for what must be refused", op_wrong, OPS_KERNEL, 1},
    {"copy", op_copy, OPS_KERNEL, 8},
    {"access", op_touch, OPS_PROGRAM, 30},
    {"take frames and give them back", op_churn, OPS_KERNEL, 6},
    {"let an allocation fail", op_fail, OPS_KERNEL, 1},
    {"open two ranges", op_two, OPS_KERNEL, 4},
    {"open a cursor beside another", op_nested, OPS_KERNEL, 2},
    {"make code visible", op_icache_sync, OPS_KERNEL, 3},
    {"audit", op_audit, OPS_KERNEL, 1},
    {"run fresh spaces, one after the other", op_space_parade, OPS_KERNEL, 2},
    {"keep frames for a flush", op_keep, OPS_KERNEL, 2},
    {"unmap and reap", op_unmap_and_reap, OPS_KERNEL, 3},
    {"map many frames", op_map_frames, OPS_KERNEL, 6},
    {"protect a range at once", op_protect_range, OPS_KERNEL, 8},
    {"mark", op_mark, OPS_KERNEL, 16},
    {"fill", op_fill, OPS_KERNEL, 6},
    {"hide", op_hide, OPS_KERNEL, 8},
    {"sweep", op_sweep, OPS_KERNEL, 4},
    {"borrow a frame", op_borrow, OPS_KERNEL, 3},
    {"zero frames ahead", op_zero_ahead, OPS_KERNEL, 2},
    {"change states under one cursor", op_states, OPS_KERNEL, 8},
    {"clone", op_clone, OPS_KERNEL, 12},
    {"make an object", op_object_create, OPS_KERNEL, 5},
    {"drop the handle of an object", op_object_drop, OPS_KERNEL, 3},
    {"map an object", op_object_map, OPS_KERNEL, 14},
    {"take a page of an object", op_object_page, OPS_KERNEL, 6},
    {"resize an object", op_object_resize, OPS_KERNEL, 4},
    {"move", op_move, OPS_KERNEL, 12},
    {"take pages out", op_evict, OPS_KERNEL, 6},
    {"bring pages back", op_supply, OPS_KERNEL, 6},
    {"take A from pages", op_clear_accessed, OPS_KERNEL, 4},
    {"map a block", op_map_block, OPS_KERNEL, 2},
    {"mark for blocks", op_mark_large, OPS_KERNEL, 2},
    {"fold", op_fold, OPS_KERNEL, 2},
    {"split and fold", op_large, OPS_PROGRAM, 3},
    {"do several changes or none", op_txn, OPS_KERNEL, 6},
};

const struct ops_row *ops_row(unsigned kind)
{
    return &table[kind % ARRAY_LEN(table)];
}

const char *world_kind_name(unsigned kind)
{
    return ops_row(kind)->name;
}

unsigned world_kind_count(void)
{
    return ARRAY_LEN(table);
}

void op_enter(unsigned hart)
{
    host_hart_enter();
    op_world.in_kernel++;
    oracle_op_begin(hart, ++op_world.last_id);
}

void op_leave(unsigned hart)
{
    host_hart_leave();
    sched_step(SCHED_RETURNS, 0);
    oracle_op_end(hart);
    ref_settle(hart);
    op_world.in_kernel--;
}

void op_do(unsigned hart, const struct world_op *in)
{
    const struct ops_row *row = ops_row(in->kind);
    struct op op = {hart, in};

    if (row->side == OPS_PROGRAM) {
        row->function(&op);
        return;
    }
    op_enter(hart);
    row->function(&op);
    op_leave(hart);
}
