/* SPDX-License-Identifier: MIT */
/*
 * Threads on all harts map, fill, protect and unmap pages of their own, which lie between those of
 * the others in the same tables, or fill tables that come and go beside them.  Nobody's work shows
 * in another's pages, and each knows at any time just what its own hold.
 */
#include "support.h"
#include "team.h"

#define TABLE  (UINT64_C(512) * PAGE)
#define SLOTS  12U
#define ROUNDS 480U

enum state {
    ABSENT,
    READABLE,
    WRITABLE,
};

/* What a member knows of its pages. */
struct own {
    uint64_t random;
    unsigned member;
    struct {
        enum state state;
        uint64_t value;
    } slot[SLOTS];
};

/* Bytes between a member's pages: they alternate with the other members' pages. */
static uint64_t stride(void)
{
    return team_members() * PAGE;
}

static uint64_t address_of(const struct own *own, unsigned slot)
{
    return PLACE + own->member * PAGE + slot * stride();
}

static void slot_change(struct own *own, unsigned slot)
{
    uint64_t address = address_of(own, slot);
    enum state state = own->slot[slot].state;

    if (state == ABSENT) {
        (void)team_is((uint64_t)page_map(address, PAGE, RW), 0, "mapping");
        (void)team_is(*word_at(address), 0, "a fresh page");
        own->slot[slot].state = WRITABLE;
        own->slot[slot].value = 0;
    } else if (random_next(&own->random) % 3 == 0) {
        (void)team_is((uint64_t)page_unmap(address, PAGE), 0, "unmapping");
        own->slot[slot].state = ABSENT;
    } else {
        uint64_t prot = state == WRITABLE ? VM_PROT_R : RW;

        (void)team_is((uint64_t)sys_vm_protect(user_self(), address, PAGE, prot, NULL), 0,
                      "protecting");
        own->slot[slot].state = state == WRITABLE ? READABLE : WRITABLE;
    }
}

static void slot_check(const struct own *own, unsigned slot)
{
    uint64_t address = address_of(own, slot);
    uint64_t value = 0;
    long status = sys_vm_write(user_self(), (uintptr_t)&value, address, sizeof(value), NULL);

    if (own->slot[slot].state == ABSENT) {
        (void)team_is((uint64_t)status, (uint64_t)-SYS_EFAULT, "reading where nothing is");
        return;
    }
    (void)team_is((uint64_t)status, 0, "reading by a call");
    (void)team_is(value, own->slot[slot].value, "what a call read");
    (void)team_is(*word_at(address), own->slot[slot].value, "what a page holds");
}

static void slot_write(struct own *own, unsigned slot)
{
    if (own->slot[slot].state == WRITABLE) {
        own->slot[slot].value = random_next(&own->random);
        *word_at(address_of(own, slot)) = own->slot[slot].value;
    }
}

static void between_work(unsigned member)
{
    struct own own = {.random = member + 1, .member = member};
    unsigned rounds = ROUNDS / team_members();

    for (unsigned round = 0; round < rounds; round++) {
        slot_change(&own, (unsigned)(random_next(&own.random) % SLOTS));
        slot_write(&own, (unsigned)(random_next(&own.random) % SLOTS));
        slot_check(&own, (unsigned)(random_next(&own.random) % SLOTS));
    }
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        slot_check(&own, slot);
        (void)page_unmap(address_of(&own, slot), PAGE);
    }
}

/* Tables come with their first page and go as a whole, while the neighbours use theirs. */
static void beside_work(unsigned member)
{
    uint64_t place = PLACE + member * TABLE;
    unsigned rounds = ROUNDS / 4 / team_members() + 1;
    uint64_t pages = 0;

    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned slot = 0; slot < SLOTS; slot++) {
            uint64_t address = place + slot * 40 * PAGE;

            (void)team_is((uint64_t)page_map(address, PAGE, RW), 0, "mapping in a new table");
            *word_at(address) = address + round;
        }
        for (unsigned slot = 0; slot < SLOTS; slot++) {
            uint64_t address = place + slot * 40 * PAGE;

            (void)team_is(*word_at(address), address + round, "what a page of the table holds");
        }
        (void)sys_vm_unmap(user_self(), place, TABLE, &pages);
        (void)team_is(pages, SLOTS, "pages of the table");
    }
}

int main(void)
{
    unsigned members = team_size();

    tap_status(team_run(members, between_work), 0, "a team of %u changes pages in the same tables",
               members);
    team_report("each finds its own pages as it left them");
    tap_status(team_run(members, beside_work), 0, "a team of %u makes and drops tables", members);
    team_report("each finds its own tables as it left them");
    tap_status(sys_vm_check(user_machine(), user_self()), 0, "the kernel's audit finds no fault");
    return tap_done();
}
