/* SPDX-License-Identifier: MIT */
/*
 * Random system calls: whatever a program asks for, the kernel answers, stays whole, and has every
 * frame back when the program is gone.
 *
 * Each child makes calls with arguments drawn from what is likely to matter: its own handles,
 * addresses near borders, small and huge numbers.  The sequence follows from the seed, which the
 * test's lines name.  Calls that wait get deadlines that have passed.  Left out are those that end
 * the caller, read the console, or would take the child's own code or stack away at once.
 */
#include "support.h"

#define CHILDREN 32
#define CALLS    3000
#define POOL_MAX 48U
#define SETTLE   20000 /* yields until the children's children are gone */

static struct {
    uint64_t state;
    uint64_t handles[POOL_MAX];
    uint64_t handle_count;
    uint64_t object; /* the memory object that was made last; 0: none was */
    uint64_t limit;  /* of user addresses                                 */
    uint64_t buffer[512];
} random_state;

static uint64_t draw(void)
{
    random_state.state ^= random_state.state << 13;
    random_state.state ^= random_state.state >> 7;
    random_state.state ^= random_state.state << 17;
    return random_state.state;
}

static uint64_t draw_handle(void)
{
    return random_state.handles[draw() % random_state.handle_count];
}

static uint64_t draw_argument(void)
{
    switch (draw() % 12) {
    case 0:
        return 0;
    case 1:
        return draw();
    case 2:
        return draw() % 16;
    case 3:
    case 4:
        return draw_handle();
    case 5:
        return (uintptr_t)random_state.buffer + draw() % sizeof(random_state.buffer);
    case 6:
        return PLACE + draw() % 1024 * PAGE;
    case 7:
        return PLACE + draw() % 16 * 512 * PAGE;
    case 8:
        return random_state.limit - draw() % 3 * PAGE;
    case 9:
        return UINT64_C(1) << draw() % 64;
    case 10:
        return -(draw() % 8192);
    default:
        return draw() % 8;
    }
}

/* Calls on mappings get a range that makes sense, every other time. */
static void shape_range(struct raw_call *call)
{
    call->args[1] = PLACE + draw() % 512 * PAGE;
    call->args[2] = (1 + draw() % 700) * PAGE;
    call->args[3] = call->number == SYS_NR_VM_UNMAP ? 0 : draw() % 8;
    call->args[4] = call->number == SYS_NR_VM_MAP ? draw() % 2 : 0;
    call->args[5] = 0;
    if (call->number == SYS_NR_VM_MARK) {
        call->args[2] = UINT64_C(1) << (12 + draw() % 24);
        call->args[3] = VM_KIND_RESERVED + draw() % 2;
        call->args[4] = call->args[3] == VM_KIND_GUARD ? 0 : draw() % 8;
        call->args[5] = draw() % 2;
        call->args[6] = 0;
    }
}

/* The same for calls on objects and on two processes. */
static void shape_objects(struct raw_call *call)
{
    uint64_t bytes = (1 + draw() % 700) * PAGE;

    switch (call->number) {
    case SYS_NR_MEMORY_CREATE:
        call->args[0] = bytes;
        break;
    case SYS_NR_MEMORY_RESIZE:
        call->args[1] = bytes;
        break;
    case SYS_NR_MEMORY_MAP:
        call->args[1] = PLACE + draw() % 512 * PAGE;
        call->args[2] = bytes;
        call->args[3] = draw() % 8;
        call->args[4] = draw() % 16;
        call->args[5] = random_state.object;
        call->args[6] = draw() % 64 * PAGE;
        break;
    case SYS_NR_VM_CLONE:
    case SYS_NR_VM_MOVE:
    case SYS_NR_VM_EVICT:
    case SYS_NR_VM_SUPPLY:
        call->args[2] = PLACE + draw() % 512 * PAGE;
        call->args[3] = bytes;
        call->args[4] = PLACE + draw() % 2048 * PAGE;
        call->args[5] = 0;
        break;
    default:
        break;
    }
}

/* A transaction of what makes sense by itself; anything else could take the child's code away. */
static void shape_txn(struct raw_call *call)
{
    static struct vm_txn_op ops[4];

    for (unsigned i = 0; i < COUNT_OF(ops); i++) {
        ops[i] = (struct vm_txn_op){.op = (uint32_t)(draw() % 5),
                                    .kind = (uint32_t)(VM_KIND_RESERVED + draw() % 2),
                                    .address = PLACE + draw() % 512 * PAGE,
                                    .bytes = (1 + draw() % 64) * PAGE,
                                    .flags = draw() % 8,
                                    .memory = random_state.object,
                                    .offset = draw() % 64 * PAGE};
        ops[i].prot = ops[i].kind == VM_KIND_GUARD ? 0 : draw() % 8;
    }
    call->args[1] = (uintptr_t)ops;
    call->args[2] = 1 + draw() % COUNT_OF(ops);
}

static int is_on_range(uint64_t number)
{
    return (number >= SYS_NR_VM_MAP && number <= SYS_NR_VM_PROTECT) || number == SYS_NR_VM_MARK ||
           number == SYS_NR_VM_CLEAR_ACCESSED || number == SYS_NR_VM_FOLD;
}

/* Calls that wait get a deadline that has passed. */
static void shape_wait(struct raw_call *call)
{
    switch (call->number) {
    case SYS_NR_PROCESS_WAIT:
    case SYS_NR_THREAD_WAIT:
    case SYS_NR_CHILDREN_WAIT:
        call->args[1] = draw() % 2;
        break;
    case SYS_NR_FUTEX_WAIT:
        call->args[1] = draw() % 2 == 0 ? 0 : call->args[1];
        call->args[2] = draw() % 2;
        call->args[3] = draw() % 2;
        break;
    default:
        break;
    }
}

/* False: this call would wait, or end the run before it has begun. */
static int is_wanted(const struct raw_call *call)
{
    int own = call->args[0] == user_self();
    int low = call->args[1] < PLACE;

    switch (call->number) {
    case SYS_NR_CONSOLE_READ:
    case SYS_NR_PROCESS_EXIT:
    case SYS_NR_THREAD_EXIT:
        return 0;
    case SYS_NR_HANDLE_CLOSE:
    case SYS_NR_PROCESS_KILL:
    case SYS_NR_THREAD_START:
        return !own;
    case SYS_NR_VM_MAP:
    case SYS_NR_VM_UNMAP:
    case SYS_NR_VM_PROTECT:
    case SYS_NR_VM_WRITE:
    case SYS_NR_VM_MARK:
    case SYS_NR_MEMORY_MAP:
        return !(own && low);
    case SYS_NR_VM_MOVE:
    case SYS_NR_VM_EVICT:
    case SYS_NR_VM_SUPPLY:
        return !(own && call->args[2] < PLACE);
    default:
        return 1;
    }
}

static void make_call(void)
{
    static const char name[] = "kid";
    struct raw_call call = {.number = draw() % (SYS_NR_SELFTEST + 1)};

    for (unsigned i = 0; i < COUNT_OF(call.args); i++) {
        call.args[i] = draw_argument();
    }
    if (draw() % 4 != 0) {
        call.args[0] = draw_handle();
    }
    if (is_on_range(call.number) && draw() % 2 == 0) {
        shape_range(&call);
    }
    if (draw() % 4 != 0) {
        shape_objects(&call);
    }
    shape_wait(&call);
    if (call.number == SYS_NR_VM_TXN) {
        shape_txn(&call);
    }
    if (call.number == SYS_NR_PROCESS_CREATE) {
        call.args[0] = (uintptr_t)name;
        call.args[1] = sizeof(name) - 1;
    }
    if (call.number == SYS_NR_HANDLE_TRANSFER) {
        call.args[1] = user_console(); /* processes that hold each other would stay */
    }
    if (!is_wanted(&call)) {
        return;
    }
    raw_call(&call);
    if (call.out[0] == 0 &&
        (call.number == SYS_NR_HANDLE_DUPLICATE || call.number == SYS_NR_PROCESS_CREATE ||
         call.number == SYS_NR_THREAD_START || call.number == SYS_NR_IO_OPEN ||
         call.number == SYS_NR_MEMORY_CREATE)) {
        uint64_t at = random_state.handle_count;

        random_state.handle_count += at < POOL_MAX ? 1 : 0;
        random_state.handles[at < POOL_MAX ? at : 3 + draw() % (POOL_MAX - 3)] = call.out[1];
        random_state.object =
            call.number == SYS_NR_MEMORY_CREATE ? call.out[1] : random_state.object;
    }
}

static int run_calls(void *argument)
{
    handle_t machine = HANDLE_NONE;

    /* All but turning it off: no number that is drawn may be a handle that can. */
    (void)sys_handle_duplicate(user_machine(), RIGHT_ALL & ~RIGHT_MANAGE, &machine);
    random_state.limit = user_limit();
    (void)sys_handle_close(user_machine());
    random_state.state = (uintptr_t)argument * UINT64_C(0x9e3779b97f4a7c15) + 1;
    random_state.handles[0] = user_self();
    random_state.handles[1] = user_console();
    random_state.handles[2] = machine;
    random_state.handle_count = 3;
    for (unsigned i = 0; i < CALLS; i++) {
        make_call();
    }
    return 0;
}

/* Free frames once they are as many as before, or after a long time. */
static uint64_t frames_settled(uint64_t before)
{
    uint64_t now = frames_free();

    for (unsigned i = 0; i < SETTLE && now != before; i++) {
        (void)sys_yield();
        now = i % 64 == 0 ? frames_free() : now;
    }
    return frames_free();
}

int main(void)
{
    uint64_t before = 0;

    for (uintptr_t seed = 1; seed <= CHILDREN; seed++) {
        struct user_end end = {0};

        tap_status(user_fork_wait(run_calls, (void *)seed, &end), 0, "seed %lu: calls are answered",
                   (unsigned long)seed);
        tap_ok(end.reason <= EXIT_NO_MEMORY, "and the program ends, in one of the ways");
        if (seed == 1) {
            /* What this process itself needs is there by now, and all else has come back. */
            before = frames_settled(UINT64_MAX);
        }
        tap_is(frames_settled(before), before, "with all its memory");
    }
    tap_status(sys_vm_check(user_machine(), user_self()), 0, "the audits find nothing");
    return tap_done();
}
