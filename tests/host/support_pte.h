/* SPDX-License-Identifier: MIT */
/* Entries of the table in docs/pte-contract.md, by their names there. */
#pragma once

#include <stdint.h>

#define L1_ENTRY  UINT64_C(0x20000453)
#define L2_ENTRY  UINT64_C(0x200004d7)
#define L7_ENTRY  UINT64_C(0x40001d7)
#define L8_ENTRY  UINT64_C(0x40000000040001d7)
#define L13_ENTRY UINT64_C(0x3ffffffffffc53)
#define L14_ENTRY UINT64_C(0xd7)
#define T1_ENTRY  UINT64_C(0x20000c01)
#define L6_ENTRY  UINT64_C(0x200006d7)
#define D1_ENTRY  UINT64_C(0x80001000c2)
#define H1_ENTRY  UINT64_C(0x80001000c8)
#define M1_ENTRY  UINT64_C(0xb4)
#define M4_ENTRY  UINT64_C(0x6)
#define L15_ENTRY UINT64_C(0x200005d3)
#define M5_ENTRY  UINT64_C(0x1234000c3a)
#define M7_ENTRY  UINT64_C(0x55a)
#define M8_ENTRY  UINT64_C(0x50000bc)
#define M9_ENTRY  UINT64_C(0x20000b4)
#define L16_ENTRY UINT64_C(0x100002d7)
#define D5_ENTRY  UINT64_C(0x40000002c2)
#define H5_ENTRY  UINT64_C(0x40000002c8)
