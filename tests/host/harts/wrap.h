/* SPDX-License-Identifier: MIT */
/*
 * The linker's --wrap leads every call of NAME from another object to __wrap_NAME, and a call of
 * __real_NAME to NAME.  A declaration ends in one of these to have such a name in the object while
 * it is called something of ours here.  CMakeLists.txt has the list of names.
 */
#pragma once

#define WRAP_OF(name) __asm__("__wrap_" #name)
#define REAL_OF(name) __asm__("__real_" #name)
