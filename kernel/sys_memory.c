/* SPDX-License-Identifier: MIT */
/* The system calls of memory objects. */
#include "kernel/syscall.h"

#define NOT_YET(name)                                                                              \
    enum verdict sys_##name(struct user_frame *frame)                                              \
    {                                                                                              \
        return syscall_done(frame, ERR_NOSYS);                                                     \
    }
NOT_YET(memory_create)
NOT_YET(memory_info)
NOT_YET(memory_resize)
NOT_YET(memory_read)
NOT_YET(memory_write)
NOT_YET(memory_map)
