/* SPDX-License-Identifier: MIT */
/*
 * The memory and string functions the compiler and libfdt expect, with their C standard meaning.
 * On the host the C library's are used instead.
 */
#pragma once

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t len_bytes);
void *memmove(void *to, const void *from, size_t len_bytes);
void *memset(void *to, int byte, size_t len_bytes);
int memcmp(const void *a, const void *b, size_t len_bytes);
void *memchr(const void *in, int byte, size_t len_bytes);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t max_bytes);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t max_bytes);
char *strchr(const char *text, int byte);
char *strrchr(const char *text, int byte);
