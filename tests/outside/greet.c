/* SPDX-License-Identifier: MIT */
/* Says who it is, and where its handles and memory are. */
#include <inttypes.h>
#include <stdio.h>

#include "user/vellum.h"
#include "vellum/calls.h"

int main(int argc, char **argv)
{
    uint64_t address = 0;

    printf("greetings from %s\n", argc > 1 ? argv[1] : "nowhere");
    if (user_pages_map(VM_PAGE_SIZE, VM_PROT_R | VM_PROT_W, &address) != 0 ||
        user_pages_unmap(address, VM_PAGE_SIZE) != 0) {
        printf("no memory\n");
        return 1;
    }
    printf("a page was at 0x%" PRIx64 "; calls answer %ld\n", address, sys_null());
    return 0;
}
