# SPDX-License-Identifier: MIT
#
# Cross compilation for the machine: GCC riscv64-unknown-elf, or Clang with
# -DVELLUM_COMPILER=clang (GNU binutils and libgcc come from the GCC toolchain in both cases).
#
# Only what every object of the machine needs is set here (instruction set, ABI); the flags of the
# kernel and of user programs are the interface targets kernel_flags and user_flags.

set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR riscv64)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

set(VELLUM_COMPILER "gcc" CACHE STRING "Compiler for the machine: gcc or clang")
set_property(CACHE VELLUM_COMPILER PROPERTY STRINGS gcc clang)
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES VELLUM_COMPILER)

# Finds a tool or stops with the command that installs it.
function(vellum_find_tool variable tool package)
    find_program(${variable} ${tool})
    if(NOT ${variable})
        message(FATAL_ERROR "${tool} is missing. To install it: sudo apt-get install ${package}")
    endif()
endfunction()

vellum_find_tool(VELLUM_GCC riscv64-unknown-elf-gcc gcc-riscv64-unknown-elf)
vellum_find_tool(CMAKE_OBJCOPY riscv64-unknown-elf-objcopy binutils-riscv64-unknown-elf)
vellum_find_tool(CMAKE_STRIP riscv64-unknown-elf-strip binutils-riscv64-unknown-elf)
vellum_find_tool(CMAKE_AR riscv64-unknown-elf-ar binutils-riscv64-unknown-elf)
vellum_find_tool(CMAKE_RANLIB riscv64-unknown-elf-ranlib binutils-riscv64-unknown-elf)

# The library directories match exact architecture strings: with -misa-spec=2.2 the CSR and fence.i
# instructions need no suffix, and rv64imac/lp64 is found.
if(NOT VELLUM_ARCH)
    set(VELLUM_ARCH -march=rv64imac -mabi=lp64)
endif()
set(VELLUM_GCC_ARCH ${VELLUM_ARCH} -misa-spec=2.2)

if(VELLUM_COMPILER STREQUAL "clang")
    vellum_find_tool(CMAKE_C_COMPILER clang clang)
    vellum_find_tool(VELLUM_LLD ld.lld lld)
    set(CMAKE_C_COMPILER_TARGET riscv64-unknown-elf)
    set(CMAKE_ASM_COMPILER ${CMAKE_C_COMPILER})
    set(CMAKE_ASM_COMPILER_TARGET riscv64-unknown-elf)
    list(JOIN VELLUM_ARCH " " vellum_arch)
    string(APPEND vellum_arch " -mno-relax")
    set(CMAKE_EXE_LINKER_FLAGS_INIT "-fuse-ld=lld")
elseif(VELLUM_COMPILER STREQUAL "gcc")
    set(CMAKE_C_COMPILER ${VELLUM_GCC})
    set(CMAKE_ASM_COMPILER ${VELLUM_GCC})
    list(JOIN VELLUM_GCC_ARCH " " vellum_arch)
else()
    message(FATAL_ERROR "VELLUM_COMPILER is '${VELLUM_COMPILER}'; it must be gcc or clang")
endif()
set(CMAKE_C_FLAGS_INIT "${vellum_arch}")
set(CMAKE_ASM_FLAGS_INIT "${vellum_arch}")

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
