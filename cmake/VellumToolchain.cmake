# SPDX-License-Identifier: MIT
#
# Toolchain file of projects that build programs for Vellum (cmake --toolchain FILE): the tree's
# own, with the instruction set and ABI of programs in place of the kernel's. find_package(Vellum)
# then finds what it lies beside.

set(Vellum_DIR ${CMAKE_CURRENT_LIST_DIR} CACHE PATH "Where VellumConfig.cmake is")
set(VELLUM_ARCH -march=rv64imafdc -mabi=lp64d)
include(${CMAKE_CURRENT_LIST_DIR}/toolchain-riscv64.cmake)
