/* SPDX-License-Identifier: MIT */
/*
 * Views: pages of an object that a space may look at, and that it is never given W to, whether they
 * are there, hidden or yet to come, and whatever becomes of them.
 */
#include "mm/user_copy.h"
#include "mm/vm_fault.h"
#include "support_paged.h"
#include "support_rights.h"

#define BASE   (4 * GIB)
#define SOURCE (BASE - MIB)
#define PAGES  8U

/* What the pages of the object are in the space. */
enum state {
    COMING,
    LARGE,
    THERE,
    HIDDEN,
    STATES
};

static struct world world_with_view(unsigned levels, struct mem_object **object)
{
    struct world world = world_begin(levels);

    *object = object_new(OBJECT_PAGES);
    return world;
}

static void end_with_view(struct world *world, struct mem_object *object)
{
    unmap_at(world, BASE - GIB, 3 * GIB);
    world_check(world);
    expect_not_named(object);
    mem_object_put(object);
    world_end(world);
}

static struct frame *frame_of_page(struct mem_object *object, uint64_t page)
{
    struct frame *frame = NULL;

    EXPECT_OK(mem_object_page_get(object, page, MEM_OBJECT_LOOK, &frame));
    frame_put(frame);
    return frame;
}

static void read_at(const struct world *world, uint64_t at)
{
    EXPECT_EQ(vm_space_fault(world->space, va(at), VM_ACCESS_READ), VM_FAULT_RETRY);
}

/* Makes a view at BASE, page 0 of the object and on.  Returns its bytes. */
static uint64_t view_make(struct world *world, struct mem_object *object, enum state state)
{
    uint64_t bytes = state == LARGE ? GIB : PAGES * PAGE_SIZE;

    mark_at(world, BASE, bytes, paged(object, 0, VM_SHARE_VIEW, VM_R));
    for (uint64_t i = 0; (state == THERE || state == HIDDEN) && i < PAGES; i++) {
        read_at(world, BASE + i * PAGE_SIZE);
    }
    if (state == HIDDEN) {
        EXPECT_EQ(protect_at(world, BASE, PAGES, VM_PROT_NONE), PAGES);
    }
    return bytes;
}

MODE_TEST(vm_cursor_view, a_page_that_was_read_is_the_objects_and_has_no_w)
{
    struct mem_object *object;
    struct world world = world_with_view(*levels, &object);
    struct vm_item item;

    view_make(&world, object, THERE);
    for (uint64_t i = 0; i < PAGES; i++) {
        uint64_t at = BASE + i * PAGE_SIZE;

        expect_mapped(&world, at, frame_of_page(object, i), VM_R);
        EXPECT_EQ(sw_at(&world, at), PTE_SW_VIEW);
        EXPECT_EQ(vm_space_fault(world.space, va(at), VM_ACCESS_WRITE), VM_FAULT_BAD);
        item = item_at(&world, at);
        EXPECT_EQ(item.kind, VM_ITEM_RAM);
        EXPECT_EQ(item.share, VM_SHARE_VIEW);
        cr_assert(!item.dirty);
    }
    end_with_view(&world, object);
}

/* Nobody fills it behind the program's back either, which is how the kernel writes for others. */
MODE_TEST(vm_cursor_view, nobody_fills_it)
{
    struct mem_object *object;
    struct world world = world_with_view(*levels, &object);

    fill_at(&world, SOURCE, 1, VM_RW);
    for (unsigned state = COMING; state < STATES; state++) {
        struct user_span from;
        enum vm_prot prot;
        uint64_t done;

        view_make(&world, object, (enum state)state);
        EXPECT_OK(user_span_make(world.space, va(SOURCE), 8, &from));
        EXPECT_STATUS(user_read_to_page(&from, world.space, va(BASE), &prot, &done), ERR_FAULT);
        EXPECT_EQ(done, 0);
    }
    end_with_view(&world, object);
}

/* Protects with W from two pages before the view on. */
static void expect_refused(struct world *world, uint64_t bytes)
{
    struct vm_cursor cursor =
        cursor_open(world, BASE - 2 * PAGE_SIZE, 2 * PAGE_SIZE + bytes, VM_CURSOR_EDIT);
    uint64_t pages = 77;

    EXPECT_STATUS(vm_cursor_protect(&cursor, 2 * PAGE_SIZE + bytes, VM_RW, UINT64_MAX, &pages),
                  ERR_ACCES);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE);
    EXPECT_EQ(pages, 2);
    pages = 77;
    EXPECT_STATUS(vm_cursor_protect(&cursor, bytes, VM_RWX, UINT64_MAX, &pages), ERR_ACCES);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE);
    EXPECT_EQ(pages, 0);
    vm_cursor_close(&cursor);
}

MODE_TEST(vm_cursor_view, w_is_refused_where_the_first_of_it_is)
{
    struct mem_object *object;
    struct world world = world_with_view(*levels, &object);

    fill_at(&world, BASE - 2 * PAGE_SIZE, 2, VM_R);
    for (unsigned state = COMING; state < STATES; state++) {
        uint64_t bytes = view_make(&world, object, (enum state)state);
        struct vm_item before = item_at(&world, BASE);
        struct vm_item after;

        EXPECT_EQ(protect_at(&world, BASE - 2 * PAGE_SIZE, 2, VM_R), 2);
        expect_refused(&world, bytes);
        EXPECT_EQ(item_at(&world, BASE - PAGE_SIZE).prop.prot, VM_RW);
        after = item_at(&world, BASE);
        EXPECT_EQ(after.kind, before.kind);
        EXPECT_EQ(after.prop.prot, before.prop.prot);
        EXPECT_EQ(after.share, VM_SHARE_VIEW);
        EXPECT_EQ(vm_space_fault(world.space, va(BASE), VM_ACCESS_WRITE), VM_FAULT_BAD);
        world_check(&world);
    }
    end_with_view(&world, object);
}

/* A bound that is reached first: what is left is for the next call. */
MODE_TEST(vm_cursor_view, a_bound_before_it_stops_first)
{
    struct mem_object *object;
    struct world world = world_with_view(*levels, &object);
    struct vm_cursor cursor;
    uint64_t pages;

    fill_at(&world, BASE - 2 * PAGE_SIZE, 2, VM_R);
    view_make(&world, object, THERE);
    cursor = cursor_open(&world, BASE - 2 * PAGE_SIZE, 4 * PAGE_SIZE, VM_CURSOR_EDIT);
    EXPECT_OK(vm_cursor_protect(&cursor, 4 * PAGE_SIZE, VM_RW, 2, &pages));
    EXPECT_EQ(pages, 2);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE);
    vm_cursor_close(&cursor);
    end_with_view(&world, object);
}

MODE_TEST(vm_cursor_view, other_rights_come_and_go)
{
    static const enum vm_prot prots[] = {VM_RX, VM_X, VM_PROT_NONE, VM_RX, VM_R};
    struct mem_object *object;
    struct world world = world_with_view(*levels, &object);

    for (unsigned state = COMING; state < STATES; state++) {
        view_make(&world, object, (enum state)state);
        for (size_t i = 0; i < ARRAY_LEN(prots); i++) {
            struct vm_item item;

            EXPECT_EQ(protect_at(&world, BASE, PAGES, prots[i]), state < THERE ? 0 : PAGES);
            item = item_at(&world, BASE);
            EXPECT_EQ(item.prop.prot, prots[i]);
            EXPECT_EQ(item.share, VM_SHARE_VIEW);
            if (state >= THERE && prots[i] != VM_PROT_NONE) {
                expect_mapped(&world, BASE, frame_of_page(object, 0), prots[i]);
            }
            world_check(&world);
        }
    }
    end_with_view(&world, object);
}

static void grant_write(struct vm_rights *rights, void *context)
{
    (void)context;
    rights->prop.prot = VM_RW;
}

static void grant_execute(struct vm_rights *rights, void *context)
{
    (void)context;
    cr_assert(!rights->dirty);
    rights->prop.prot = VM_RX;
}

MODE_TEST(vm_cursor_view, protect_next_refuses_w)
{
    struct mem_object *object;
    struct world world = world_with_view(*levels, &object);
    struct vm_cursor cursor;
    struct va_range changed;

    view_make(&world, object, THERE);
    cursor = cursor_open(&world, BASE, PAGE_SIZE, VM_CURSOR_EDIT);
    EXPECT_STATUS(vm_cursor_protect_next(&cursor, PAGE_SIZE, grant_write, NULL, &changed),
                  ERR_ACCES);
    EXPECT_EQ(vm_cursor_va(&cursor).raw, BASE);
    EXPECT_OK(vm_cursor_protect_next(&cursor, PAGE_SIZE, grant_execute, NULL, &changed));
    vm_cursor_close(&cursor);
    expect_mapped(&world, BASE, frame_of_page(object, 0), VM_RX);
    EXPECT_EQ(sw_at(&world, BASE), PTE_SW_VIEW);
    end_with_view(&world, object);
}

/* Present, hidden and yet to come. */
MODE_TEST(vm_cursor_view, a_clone_of_it_is_one)
{
    struct mem_object *object;
    struct world world = world_with_view(*levels, &object);
    struct world clone = {.levels = *levels};

    for (unsigned state = COMING; state < STATES; state++) {
        uint64_t bytes = view_make(&world, object, (enum state)state);
        struct vm_cursor from, to;
        bool from_first;

        EXPECT_OK(vm_space_create(NULL, &clone.space));
        from_first = vm_space_root(world.space).raw < vm_space_root(clone.space).raw;
        for (unsigned i = 0; i < 2; i++) {
            bool is_from = from_first == (i == 0);

            EXPECT_OK(vm_cursor_open(is_from ? &from : &to, is_from ? world.space : clone.space,
                                     va_span(BASE, bytes),
                                     is_from ? VM_CURSOR_EDIT : VM_CURSOR_CHANGE));
        }
        EXPECT_OK(vm_cursor_clone(&from, &to, bytes, UINT_MAX));
        vm_cursor_close(&from);
        vm_cursor_close(&to);
        fill_at(&clone, BASE - 2 * PAGE_SIZE, 2, VM_R);
        expect_refused(&clone, bytes);
        EXPECT_EQ(item_at(&clone, BASE).share, VM_SHARE_VIEW);
        EXPECT_EQ(item_at(&clone, BASE).kind, item_at(&world, BASE).kind);
        EXPECT_OK(vm_space_check(clone.space));
        vm_space_put(clone.space);
        reap_all();
    }
    end_with_view(&world, object);
}

/* What is stored by those who may is seen; and it goes like any page of RAM. */
MODE_TEST(vm_cursor_view, it_is_shared_and_counts_as_ram)
{
    struct mem_object *object;
    struct world world = world_with_view(*levels, &object);
    struct frame *frame;

    view_make(&world, object, HIDDEN);
    frame = frame_of_page(object, 0);
    mark_at(&world, BASE + MIB, PAGE_SIZE, paged(object, 0, VM_SHARE_ALL, VM_RW));
    EXPECT_EQ(vm_space_fault(world.space, va(BASE + MIB), VM_ACCESS_WRITE), VM_FAULT_RETRY);
    expect_mapped(&world, BASE + MIB, frame, VM_RW);
    EXPECT_EQ(frame_refs(frame), 3);
    EXPECT_EQ(protect_at(&world, BASE, 1, VM_R), 1);
    expect_mapped(&world, BASE, frame, VM_R);
    EXPECT_EQ(unmap_at(&world, BASE, PAGES * PAGE_SIZE).ram_pages, PAGES);
    EXPECT_EQ(unmap_at(&world, BASE + MIB, PAGE_SIZE).ram_pages, 1);
    EXPECT_EQ(frame_refs(frame), 1);
    end_with_view(&world, object);
}
