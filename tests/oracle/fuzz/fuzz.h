/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets share.  Each is a program of its own with libFuzzer's main; the input is a
 * copy in an allocation of exactly its size, so the address sanitizer sees every read beyond it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* libFuzzer's name for the function that it calls with each input. */
/* NOLINTNEXTLINE(readability-identifier-naming) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* Ends the run, so that libFuzzer keeps the input. */
static inline void fuzz_expect(bool holds)
{
    if (!holds) {
        abort();
    }
}
