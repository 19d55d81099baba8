/* SPDX-License-Identifier: MIT */
/*
 * Starts the first program.  Its address space:
 *
 *   0x0000010000...   the program's segments
 *   ARCHIVE_VA        the initrd, read-only, at its place within a page
 *   (guard)           nothing is mapped below the stack
 *   STACK_TOP - 64K   stack; in its last page argv's text, argv, struct start_info
 *
 * All of it lies in the user range of Sv39, the smallest.
 */
#include "kernel/init_start.h"

#include "arch/arch.h"
#include "arch/machine.h"
#include "formats/cpio.h"
#include "kernel/elf_load.h"
#include "kernel/handle.h"
#include "kernel/process.h"
#include "kernel/reaper.h"
#include "kernel/thread.h"
#include "kernel/vm_target.h"
#include "lib/string.h"
#include "mm/vm_cursor.h"

#define ARCHIVE_VA  UINT64_C(0x2000000000)
#define STACK_TOP   UINT64_C(0x3fffff0000)
#define STACK_BYTES (UINT64_C(64) << 10)
#define ARGV0       "init"

/* What lies at the end of the stack: lowest address first. */
struct stack_end {
    struct start_info info;
    uint64_t argv[3];
    char argv0[sizeof(ARGV0)];
    char argv1[MACHINE_CMDLINE_BYTES];
};

_Static_assert(sizeof(struct stack_end) <= PAGE_SIZE, "filled through one page");

#define STACK_END_VA ((STACK_TOP - sizeof(struct stack_end)) & ~UINT64_C(15))

/* Maps the initrd's own frames. */
static status_t archive_map(struct vm_space *space, struct pa_range initrd)
{
    paddr_t pa = {align_down(initrd.start.raw, PAGE_SIZE)};
    uint64_t bytes = align_up(initrd.end.raw, PAGE_SIZE) - pa.raw;
    struct va_range rest = {{ARCHIVE_VA}, {ARCHIVE_VA + bytes}};
    status_t status = frame_adopt(initrd);

    while (status == OK && rest.start.raw < rest.end.raw) {
        struct vm_cursor cursor = {0};

        status = vm_cursor_open_bounded(&cursor, space, rest, VM_CURSOR_CHANGE, VM_STEP_TABLES);
        while (status == OK && vm_cursor_va(&cursor).raw < cursor.range.end.raw) {
            status = vm_cursor_map(&cursor, frame_of(pa), (struct vm_prop){VM_R, VM_MEM_PMA},
                                   VM_MAP_EXCLUSIVE);
            pa = paddr_add(pa, PAGE_SIZE);
        }
        if (status == OK) {
            rest.start = vm_cursor_va(&cursor);
        }
        vm_cursor_close(&cursor);
    }
    return status;
}

static status_t handles_give(struct process *process, struct start_info *info)
{
    struct handle_entry self = {&process->object, RIGHT_ALL};
    struct handle_entry console = {object_console(), RIGHT_ALL};
    struct handle_entry machine = {object_machine(), RIGHT_ALL};
    status_t status = handle_insert(process, self, &info->self);

    if (status == OK) {
        status = handle_insert(process, console, &info->console);
    }
    if (status == OK) {
        status = handle_insert(process, machine, &info->machine);
    }
    return status;
}

static status_t stack_make(struct process *process, struct pa_range initrd)
{
    static struct stack_end end; /* too large for the kernel's stack; used once */
    const char *text = machine_cmdline_init(machine_get());
    bool has_text = text[0] != '\0';

    end.info = (struct start_info){
        .magic = START_MAGIC,
        .bytes = sizeof(struct start_info),
        .argc = has_text ? 2 : 1,
        .argv = STACK_END_VA + offsetof(struct stack_end, argv),
        .archive = ARCHIVE_VA + (initrd.start.raw & PAGE_MASK),
        .archive_bytes = pa_range_bytes(initrd),
        .stack_top = STACK_TOP,
    };
    end.argv[0] = STACK_END_VA + offsetof(struct stack_end, argv0);
    end.argv[1] = has_text ? STACK_END_VA + offsetof(struct stack_end, argv1) : 0;
    memcpy(end.argv0, ARGV0, sizeof(ARGV0));
    memcpy(end.argv1, text, strnlen(text, sizeof(end.argv1) - 1));
    status_t status = handles_give(process, &end.info);

    if (status != OK) {
        return status;
    }
    status = elf_load_fill(process->space, (struct elf_fill){
                                               .va = {STACK_TOP - STACK_BYTES},
                                               .bytes = STACK_BYTES - PAGE_SIZE,
                                               .prot = VM_RW,
                                           });
    if (status != OK) {
        return status;
    }
    return elf_load_fill(process->space, (struct elf_fill){
                                             .va = {STACK_END_VA},
                                             .bytes = sizeof(end),
                                             .data = (const uint8_t *)&end,
                                             .data_bytes = sizeof(end),
                                             .prot = VM_RW,
                                         });
}

/* Finds init in the archive. */
static status_t init_find(struct pa_range initrd, struct cpio_file *file, const char **what)
{
    if (pa_range_bytes(initrd) == 0) {
        *what = "there is no initrd";
        return ERR_NOENT;
    }
    switch (cpio_find(arch_phys_to_virt(initrd.start), pa_range_bytes(initrd), "init", file)) {
    case CPIO_OK:
        return OK;
    case CPIO_END:
        *what = "the initrd has no init";
        return ERR_NOENT;
    case CPIO_DAMAGED:
        *what = "the initrd is not a cpio archive (newc), or is damaged";
        return ERR_NOEXEC;
    }
    return ERR_NOEXEC;
}

static status_t thread_make(struct process *process, vaddr_t entry)
{
    struct thread *thread;
    status_t status = thread_create(arch_harts(), NULL, &thread);

    if (status != OK) {
        return status;
    }
    user_frame_init(&thread->frame, entry, (vaddr_t){STACK_END_VA}, STACK_END_VA, 0);
    return thread_start(thread, process);
}

status_t init_start(const char **what)
{
    struct pa_range initrd = machine_get()->initrd;
    struct cpio_file file;
    struct process *process;
    vaddr_t entry;
    status_t status = init_find(initrd, &file, what);

    if (status != OK) {
        return status;
    }
    *what = "the process cannot be made";
    status = process_create("init", NULL, 0, &process);
    if (status != OK) {
        return status;
    }
    status = elf_load(process->space, file.data, file.bytes, &entry, what);
    if (status != OK) {
        return status;
    }
    *what = "the initrd cannot be mapped";
    status = archive_map(process->space, initrd);
    if (status != OK) {
        return status;
    }
    *what = "the stack or the first thread cannot be made";
    status = stack_make(process, initrd);
    if (status == OK) {
        status = thread_make(process, entry);
    }
    if (status == OK) {
        reaper_watch_init(process);
        process_release(process);
    }
    return status;
}
