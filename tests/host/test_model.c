/* SPDX-License-Identifier: MIT */
/*
 * Random sequences of cursor operations against the flat reference model, in all three modes.
 *
 * After every step: result, position, counts and what was found agree with the model, and the
 * independent walker agrees at every boundary.  After every close the tree is audited.
 */
#include "support_run.h"

#include "lib/spinlock.h"
#include "machine/oracle.h"

#define STEPS 100000U

static void step_open(void)
{
    uint64_t limit = vm_space_user_limit().raw;
    uint64_t start = pick_page();
    uint64_t end = pick(3) == 0 ? pick_page() : start + (1 + pick(ISLAND_PAGES)) * PAGE_SIZE;
    enum vm_cursor_mode mode = pick(5) == 0 ? VM_CURSOR_QUERY : VM_CURSOR_CHANGE;
    struct flat_errors errors;
    status_t got;

    if (pick(8) == 0) { /* exactly one entry of some level */
        uint64_t extent = entry_extent((unsigned)pick(run.levels));

        start = align_down(start, extent);
        end = start + extent;
    }
    start += pick(50) == 0 ? 8 : 0;
    end = pick(50) == 0 ? limit + PAGE_SIZE : end;
    errors = flat_errors_open(start, end, limit);
    NOTE("open [%#lx, %#lx) %s", start, end, mode == VM_CURSOR_QUERY ? "query" : "change");
    got = vm_cursor_open(&run.cursor, run.world.space, (struct va_range){{start}, {end}}, mode);
    AGREE(flat_expects(errors, got));
    if (got == OK) {
        run.is_open = true;
        run.model = (struct flat_cursor){start, end, start, mode == VM_CURSOR_CHANGE};
    }
}

static void step_close(void)
{
    NOTE("close");
    vm_cursor_close(&run.cursor);
    run.is_open = false;
    AGREE(spinlock_held_count() == 0);
    AGREE(vm_space_check(run.world.space) == OK);
    oracle_audit();
    if (++run.audits % 32 == 0) {
        AGREE(frame_check() == OK);
        check_references();
    }
}

static void step_map(void)
{
    struct flat_errors errors = flat_errors_change(&run.model);
    uint64_t at = run.model.va;
    unsigned prot = pick_prot();
    enum vm_map_mode mode = pick(3) == 0 ? VM_MAP_EXCLUSIVE : VM_MAP_REPLACE;
    bool starve = pick(12) == 0;
    struct frame *frame = run.shared[pick(SHARED)];
    uint32_t refs;
    status_t got;

    if (pick(2) == 0) {
        frame_get(frame);
    } else {
        frame = frame_new();
    }
    refs = frame_refs(frame);
    errors = flat_either(errors, flat_errors_prot(prot));
    if (at == run.model.end) {
        errors = flat_either(errors, flat_error(ERR_RANGE));
    } else if (mode == VM_MAP_EXCLUSIVE && flat_at(&run.flat, at) != NULL) {
        errors = flat_either(errors, flat_error(ERR_EXIST));
    }
    NOTE("map pa=%#lx prot=%u %s%s at %#lx", frame_pa(frame).raw, prot,
         mode == VM_MAP_EXCLUSIVE ? "exclusive" : "replace", starve ? " starved" : "", at);
    if (starve) {
        frame_fail_after(pick(4));
    }
    got = vm_cursor_map(&run.cursor, frame, prop((enum vm_prot)prot), mode);
    frame_fail_after(UINT64_MAX);
    AGREE(flat_expects(errors, got) || (starve && errors.bits == 0 && got == ERR_NOMEM));
    if (got == OK) {
        flat_put(&run.flat, (struct flat_page){at, FLAT_RAM, frame_pa(frame).raw, prot});
        run.model.va += PAGE_SIZE;
    } else {
        AGREE(frame_refs(frame) == refs);
        frame_put(frame);
    }
    check_edges(at, at + PAGE_SIZE);
}

static void step_map_io(void)
{
    struct flat_errors errors = flat_errors_change(&run.model);
    uint64_t at = run.model.va;
    unsigned prot = pick_prot();
    uint64_t offset = pick(IO_PAGES + 1) * PAGE_SIZE;
    uint64_t len = (1 + pick(IO_PAGES)) * PAGE_SIZE;
    enum vm_map_mode mode = pick(3) == 0 ? VM_MAP_EXCLUSIVE : VM_MAP_REPLACE;
    uint64_t size = IO_PAGES * PAGE_SIZE;
    uint64_t want = offset < size && len > size - offset ? size - offset : len;
    const struct flat_page *next = flat_from(&run.flat, at);
    uint64_t mapped = 0;
    status_t got;

    errors = flat_either(errors, flat_errors_prot(prot));
    if ((prot & VM_X) != 0) {
        errors = flat_either(errors, flat_error(ERR_INVAL));
    }
    if (offset >= size || want > run.model.end - at) {
        errors = flat_either(errors, flat_error(ERR_RANGE));
    }
    if (mode == VM_MAP_EXCLUSIVE && next != NULL && next->va < at + want) {
        errors = flat_either(errors, flat_error(ERR_EXIST));
    }
    NOTE("map_io offset=%#lx len=%#lx prot=%u at %#lx", offset, len, prot, at);
    got = vm_cursor_map_iomem(&run.cursor, run.io, prop((enum vm_prot)prot), len, offset, mode,
                              &mapped);
    AGREE(flat_expects(errors, got));
    if (got == OK) {
        AGREE(mapped == want);
        for (uint64_t done = 0; done < want; done += PAGE_SIZE) {
            flat_put(&run.flat,
                     (struct flat_page){at + done, FLAT_IO, DEVICE_BASE + offset + done, prot});
        }
        run.model.va += want;
        check_edges(at, at + want);
    }
}

static void step_unmap(void)
{
    uint64_t len = pick_len();
    struct flat_errors errors =
        flat_either(flat_errors_len(&run.model, len), flat_errors_change(&run.model));
    struct vm_removed removed = {0};
    uint64_t at = run.model.va;
    status_t got;

    NOTE("unmap %#lx at %#lx", len, at);
    frame_fail_after(0); /* it needs no memory */
    got = vm_cursor_unmap(&run.cursor, len, &removed);
    frame_fail_after(UINT64_MAX);
    AGREE(flat_expects(errors, got));
    if (got == OK) {
        struct flat_removed want = flat_remove(&run.flat, at, at + len);

        AGREE(removed.ram_pages == want.ram_pages && removed.io_pages == want.io_pages);
        run.model.va += len;
        check_edges(at, at + len);
    }
}

static void set_prot(struct vm_rights *rights, void *context)
{
    const unsigned *prot = context;

    rights->prop.prot = (enum vm_prot) * prot;
}

static void step_protect(void)
{
    uint64_t len = pick_len();
    struct flat_errors errors =
        flat_either(flat_errors_len(&run.model, len), flat_errors_change(&run.model));
    const struct flat_page *page = flat_from(&run.flat, run.model.va);
    unsigned prot = pick_prot();
    struct va_range changed;
    status_t got;

    NOTE("protect %#lx at %#lx to %u", len, run.model.va, prot);
    got = vm_cursor_protect_next(&run.cursor, len, set_prot, &prot, &changed);
    if (errors.bits != 0) {
        AGREE(flat_expects(errors, got));
        return;
    }
    if (page == NULL || page->va >= run.model.va + len) {
        AGREE(got == ERR_NOENT);
        run.model.va += len;
        return;
    }
    errors = flat_errors_prot(prot);
    if (page->kind == FLAT_IO && (prot & VM_X) != 0) {
        errors = flat_either(errors, flat_error(ERR_INVAL));
    }
    AGREE(flat_expects(errors, got));
    if (got == OK) {
        struct flat_page now = *page;

        AGREE(changed.start.raw == now.va && changed.end.raw == now.va + PAGE_SIZE);
        now.prot = prot;
        flat_put(&run.flat, now);
        run.model.va = now.va + PAGE_SIZE;
        check_edges(now.va, run.model.va);
    } else {
        run.model.va = vm_cursor_va(&run.cursor).raw; /* the contract: no entry changed */
        AGREE(run.model.va <= page->va + PAGE_SIZE);
    }
}

static void step_look(void)
{
    const struct flat_page *next = flat_from(&run.flat, run.model.va);
    uint64_t at = run.model.va;
    bool at_end = at == run.model.end;
    uint64_t len = pick_len();
    struct vm_slot slot;
    vaddr_t found;
    status_t got;

    switch (pick(3)) {
    case 0:
        NOTE("query at %#lx", at);
        got = vm_cursor_query(&run.cursor, &slot);
        AGREE(got == (at_end ? ERR_RANGE : OK));
        if (got == OK) {
            check_slot(&slot, at);
        }
        return;
    case 1:
        NOTE("next at %#lx", at);
        got = vm_cursor_next(&run.cursor, &slot);
        AGREE(got == (at_end ? ERR_NOENT : OK));
        if (got == OK) {
            check_slot(&slot, at);
            AGREE(slot.range.start.raw == at && slot.range.end.raw <= run.model.end);
            run.model.va = slot.range.end.raw;
        }
        return;
    default:
        NOTE("find_next %#lx at %#lx", len, at);
        got = vm_cursor_find_next(&run.cursor, len, &found);
        if (flat_errors_len(&run.model, len).bits != 0) {
            AGREE(flat_expects(flat_errors_len(&run.model, len), got));
        } else if (next == NULL || next->va >= at + len) {
            AGREE(got == ERR_NOENT);
            run.model.va += len;
        } else {
            AGREE(got == OK && found.raw == next->va);
            run.model.va = next->va;
        }
    }
}

static void step_jump(void)
{
    uint64_t span = (run.model.end - run.model.start) / PAGE_SIZE;
    uint64_t to = pick(3) == 0 ? pick_page() : run.model.start + pick(span) * PAGE_SIZE;
    struct flat_errors errors;
    status_t got;

    to += pick(30) == 0 ? 1 : 0;
    errors = flat_errors_jump(&run.model, to);
    NOTE("jump %#lx", to);
    got = vm_cursor_jump(&run.cursor, va(to));
    AGREE(flat_expects(errors, got));
    run.model.va = got == OK ? to : run.model.va;
}

static void step(void)
{
    uint64_t choice = pick(100);

    if (!run.is_open) {
        step_open();
        return;
    }
    if (choice < 26) {
        step_map();
    } else if (choice < 33) {
        step_map_io();
    } else if (choice < 44) {
        step_unmap();
    } else if (choice < 54) {
        step_protect();
    } else if (choice < 73) {
        step_look();
    } else if (choice < 86) {
        step_jump();
    } else if (choice < 88) {
        NOTE("sync");
        vm_cursor_sync(&run.cursor);
    } else {
        step_close();
        return;
    }
    AGREE(vm_cursor_va(&run.cursor).raw == run.model.va);
}

MODE_TEST(model, random_operations_agree_with_the_flat_reference, .timeout = 280)
{
    uint64_t steps = run_number("VELLUM_STEPS", STEPS);

    run_begin(*levels);
    for (; run.step < steps; run.step++) {
        step();
    }
    if (run.is_open) {
        step_close();
    }
    run_end();
}
