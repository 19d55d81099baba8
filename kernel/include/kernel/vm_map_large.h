/* SPDX-License-Identifier: MIT */
/* vm_map for pages above 4 KiB, apart from the way that most calls of vm_map go. */
#pragma once

#include "kernel/syscall.h"

#define VM_MAP_FLAGS_ARG    4U
#define VM_MAP_PROGRESS_ARG 5U

/* The whole call, if its flags say more than VM_FLAG_REPLACE. */
enum verdict vm_map_large(struct user_frame *frame);
