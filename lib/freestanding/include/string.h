/* SPDX-License-Identifier: MIT */
/*
 * The part of the C library's <string.h> that libfdt asks for, for a kernel that has no C library.
 * Only libfdt and the sources that include its headers see this folder. lib/string.c implements
 * the functions; they do what ISO C says. strnlen is the POSIX one.
 */
#pragma once

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n_bytes);
void *memmove(void *to, const void *from, size_t n_bytes);
void *memset(void *to, int byte, size_t n_bytes);
int memcmp(const void *left, const void *right, size_t n_bytes);
void *memchr(const void *from, int byte, size_t n_bytes);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t max_bytes);
int strcmp(const char *left, const char *right);
int strncmp(const char *left, const char *right, size_t max_bytes);
char *strchr(const char *text, int character);
char *strrchr(const char *text, int character);
