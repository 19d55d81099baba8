/* SPDX-License-Identifier: MIT */
/*
 * Starting programs from ELF images, and waiting for processes.  The new process's memory is
 * written through its handle before its first thread exists; if anything fails on the way, closing
 * the only handle ends it and gives everything back.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "formats/elf.h"
#include "give.h"
#include "user/vellum.h"
#include "vellum/calls.h"

static uint64_t page_floor(uint64_t address)
{
    return address & ~(VM_PAGE_SIZE - 1);
}

static uint64_t page_ceil(uint64_t address)
{
    return page_floor(address + VM_PAGE_SIZE - 1);
}

static uint64_t prot_of(unsigned prot)
{
    uint64_t result = 0;

    result |= (prot & ELF_R) != 0 ? VM_PROT_R : 0;
    result |= (prot & ELF_W) != 0 ? VM_PROT_W : 0;
    result |= (prot & ELF_X) != 0 ? VM_PROT_X : 0;
    return result;
}

/* The permissions of a page do not matter to vm_write.  But code becomes executable only when it is
 * there: that is what makes harts see it. */
static long segment_load(handle_t process, const struct elf_segment *segment)
{
    uint64_t start = page_floor(segment->va);
    uint64_t bytes = page_ceil(segment->va + segment->mem_bytes) - start;
    uint64_t prot = prot_of(segment->prot);
    uint64_t first_prot = (prot & VM_PROT_X) != 0 ? VM_PROT_R : prot;
    long status = sys_vm_map(process, start, bytes, first_prot, 0, NULL);

    if (status == 0 && segment->file_bytes != 0) {
        status =
            sys_vm_write(process, segment->va, (uintptr_t)segment->data, segment->file_bytes, NULL);
    }
    if (status == 0 && prot != first_prot) {
        status = sys_vm_protect(process, start, bytes, prot, NULL);
    }
    return status;
}

/* This program's archive, if it has one; the two share its memory for as long as neither writes. */
static long archive_give(handle_t process, struct start_info *info)
{
    const struct start_info *own = user_info();
    uint64_t inside = own->archive % VM_PAGE_SIZE;
    uint64_t bytes = page_ceil(inside + own->archive_bytes);

    if (own->archive == 0) {
        return 0;
    }
    long status = sys_vm_clone(user_self(), process, page_floor(own->archive), bytes,
                               USER_ARCHIVE_START, NULL);
    info->archive = USER_ARCHIVE_START + inside;
    info->archive_bytes = own->archive_bytes;
    return status;
}

/* The top page of a new stack: start information, then the pointers of argv, then their texts. */
struct stack_page {
    struct start_info info;
    uint64_t words[(VM_PAGE_SIZE - sizeof(struct start_info)) / sizeof(uint64_t)];
};
_Static_assert(sizeof(struct stack_page) == VM_PAGE_SIZE);

#define STACK_PAGE_VA (USER_STACK_TOP - VM_PAGE_SIZE)

/* Fills the page up to *used; the rest stays as it is. */
static long stack_page_fill(struct stack_page *page, const struct user_program *program,
                            size_t *used)
{
    uint64_t words_va = STACK_PAGE_VA + offsetof(struct stack_page, words);
    char *bytes = (char *)page->words;
    size_t room = sizeof(page->words);

    if (program->argc >= room / sizeof(uint64_t)) {
        return -SYS_E2BIG;
    }
    size_t at = (program->argc + 1) * sizeof(uint64_t);
    for (size_t i = 0; i < program->argc; i++) {
        size_t text_bytes = strlen(program->argv[i]) + 1;

        if (text_bytes > room - at) {
            return -SYS_E2BIG;
        }
        memcpy(bytes + at, program->argv[i], text_bytes);
        page->words[i] = words_va + at;
        at += text_bytes;
    }
    page->words[program->argc] = 0;
    page->info = (struct start_info){
        .magic = START_MAGIC,
        .bytes = sizeof(page->info),
        .argc = (uint32_t)program->argc,
        .argv = words_va,
        .stack_top = USER_STACK_TOP,
    };
    *used = offsetof(struct stack_page, words) + at;
    return 0;
}

/* Not less than the page that is filled, and another. */
static uint64_t stack_bytes(const struct elf_image *image)
{
    if (image->wishes_stack == 0) {
        return USER_STACK_BYTES;
    }
    return page_ceil(image->wishes_stack > VM_PAGE_SIZE ? image->wishes_stack : 2 * VM_PAGE_SIZE);
}

/* Reserved, with a guard below: what a deep call reaches beyond it is a fault. */
static long stack_reserve(handle_t process, uint64_t bytes)
{
    uint64_t start = USER_STACK_TOP - bytes;
    long status =
        sys_vm_mark(process, start, bytes, VM_KIND_RESERVED, VM_PROT_R | VM_PROT_W, 0, NULL);

    return status != 0 ? status
                       : sys_vm_mark(process, start - VM_PAGE_SIZE, VM_PAGE_SIZE, VM_KIND_GUARD,
                                     VM_PROT_NONE, 0, NULL);
}

static long stack_make(handle_t process, const struct user_program *program,
                       const struct elf_image *image)
{
    struct stack_page page;
    size_t used = 0;
    long status = stack_page_fill(&page, program, &used);

    if (status == 0) {
        status = user_handles_give(process, &page.info);
    }
    if (status == 0 && image->wishes_archive != 0) {
        status = archive_give(process, &page.info);
    }
    if (status == 0) {
        status = stack_reserve(process, stack_bytes(image));
    }
    if (status == 0) {
        status = sys_vm_write(process, STACK_PAGE_VA, (uintptr_t)&page, used, NULL);
    }
    return status;
}

static long program_start(handle_t process, const struct user_program *program,
                          const struct elf_image *image)
{
    handle_t thread = HANDLE_NONE;
    long status = 0;

    for (size_t i = 0; i < image->segment_count && status == 0; i++) {
        status = segment_load(process, &image->segments[i]);
    }
    if (status == 0) {
        status = stack_make(process, program, image);
    }
    if (status == 0 && program->is_foreground) {
        (void)sys_console_foreground(user_console(), process); /* without a console, none */
    }
    if (status == 0) {
        status = sys_thread_start(process, image->entry, STACK_PAGE_VA, STACK_PAGE_VA, 0, &thread);
    }
    if (status == 0) {
        (void)sys_handle_close(thread);
    }
    return status;
}

static const char *image_open(const struct user_program *program, struct elf_image *image)
{
    return elf_open(program->image, program->image_bytes, USER_IMAGE_START, USER_TABLE_START,
                    image);
}

const char *user_image_problem(const struct user_program *program)
{
    struct elf_image image;

    return image_open(program, &image);
}

long user_spawn(const struct user_program *program, handle_t *process)
{
    struct elf_image image;
    handle_t created = HANDLE_NONE;

    if (image_open(program, &image) != NULL) {
        return -SYS_ENOEXEC;
    }
    long status = sys_process_create((uintptr_t)program->name, strlen(program->name),
                                     program->frames, &created);
    if (status != 0) {
        return status;
    }
    status = program_start(created, program, &image);
    if (status != 0) {
        (void)sys_process_kill(created);
        (void)sys_handle_close(created);
        return status;
    }
    *process = created;
    return 0;
}

long user_finish(handle_t process, struct user_end *end)
{
    long status =
        sys_process_wait(process, WAIT_FOREVER, &end->reason, &end->detail, &end->access, &end->pc);

    if (status == 0) {
        status = sys_handle_close(process);
    }
    return status;
}

void user_end_text(const struct user_end *end, char *text, size_t text_bytes)
{
    static const char *const verbs[] = {
        [ACCESS_READ] = "read",
        [ACCESS_WRITE] = "wrote to",
        [ACCESS_EXECUTE] = "jumped to",
        [ACCESS_ILLEGAL] = "met an illegal instruction,",
        [ACCESS_BREAKPOINT] = "met a breakpoint,",
        [ACCESS_OTHER] = "failed at",
    };

    switch (end->reason) {
    case EXIT_STATUS:
        (void)snprintf(text, text_bytes, "ended with status %" PRId64, (int64_t)end->detail);
        break;
    case EXIT_FAULT:
        (void)snprintf(text, text_bytes, "%s 0x%" PRIx64 " at pc 0x%" PRIx64,
                       end->access <= ACCESS_OTHER ? verbs[end->access] : "failed at", end->detail,
                       end->pc);
        break;
    case EXIT_KILLED:
        (void)snprintf(text, text_bytes, "was killed");
        break;
    case EXIT_NO_MEMORY:
        (void)snprintf(text, text_bytes, "found no memory for 0x%" PRIx64 " at pc 0x%" PRIx64,
                       end->detail, end->pc);
        break;
    default:
        (void)snprintf(text, text_bytes, "ran out of threads");
        break;
    }
}
