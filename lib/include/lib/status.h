/* SPDX-License-Identifier: MIT */
/*
 * Status values: what every function that can fail returns.
 *
 * The names are ERR_ + the errno name of POSIX, so that a reader knows what each means; the numbers
 * are the kernel's own.  User programs see the numbers of uapi/error.h, translated in one function.
 * A result leaves through an out-parameter and is written only on OK, unless the contract of a
 * function says otherwise.
 */
#pragma once

typedef enum [[nodiscard]] status{
    OK = 0,
    ERR_INVAL = -1,    /* an argument is malformed                                  */
    ERR_RANGE = -2,    /* an argument lies outside of what the object covers        */
    ERR_NOMEM = -3,    /* no memory; nothing changed                                */
    ERR_EXIST = -4,    /* something is there already                                */
    ERR_NOENT = -5,    /* there is nothing (more)                                   */
    ERR_FAULT = -6,    /* user memory could not be read or written                  */
    ERR_ACCES = -7,    /* the right is missing, or the space is not active here     */
    ERR_DEADLK = -8,   /* waiting would never end                                   */
    ERR_NOTSUP = -9,   /* neither the machine nor the kernel can do that            */
    ERR_BADF = -10,    /* no such handle                                            */
    ERR_BUSY = -11,    /* in use                                                    */
    ERR_AGAIN = -12,   /* nothing now; later perhaps                                */
    ERR_NOSYS = -13,   /* no such call                                              */
    ERR_NOSPC = -14,   /* a table is full                                           */
    ERR_SRCH = -15,    /* the process or thread has ended                           */
    ERR_2BIG = -16,    /* more than one operation may do                            */
    ERR_IO = -17,      /* a device or the firmware reported failure                 */
    ERR_NOEXEC = -18,  /* not a program that can run here                           */
    ERR_TIMEDOUT = -19 /* a bounded wait ran out                                    */
} status_t;

/* The errno name of a status ("ENOMEM"), for messages.  Never NULL. */
const char *status_name(status_t status);
