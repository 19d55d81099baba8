# SPDX-License-Identifier: MIT
#
# Flags of the kernel's objects, for every room below user. Frame pointers are kept for the panic
# report's backtrace, which names files from the root of the tree; the kernel is linked high and
# runs from anywhere in a 2 GiB reach (medany).

add_library(kernel_flags INTERFACE)
target_compile_options(kernel_flags INTERFACE
    -mcmodel=medany -fno-pic -fno-pie
    $<$<COMPILE_LANGUAGE:C>:-fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=>
    $<$<COMPILE_LANGUAGE:C>:-ffreestanding -fno-common -fno-stack-protector
    -fno-omit-frame-pointer -fno-asynchronous-unwind-tables>)
if(CMAKE_C_COMPILER_ID STREQUAL "Clang") # aligns strictly unless told otherwise
    target_compile_options(kernel_flags INTERFACE -nostdlibinc)
else()
    target_compile_options(kernel_flags INTERFACE
        $<$<COMPILE_LANGUAGE:C>:-mstrict-align -mno-save-restore>)
endif()
target_compile_definitions(kernel_flags INTERFACE $<$<CONFIG:Debug>:VELLUM_DEBUG=1>)

# The compiler's support library for exactly this instruction set and ABI, also for Clang.
execute_process(COMMAND ${VELLUM_GCC} ${VELLUM_GCC_ARCH} -print-libgcc-file-name
    OUTPUT_VARIABLE VELLUM_LIBGCC OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)

# In a release lib, mm and kernel are optimised as one program: most of their functions are a few
# lines, called from another file. Boot code runs before it lies where it was linked and keeps its
# own flags; functions that the compiler itself calls stay what they are called (lib/string.c).
set(VELLUM_LTO "")
if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
    set(VELLUM_LTO $<$<AND:$<COMPILE_LANGUAGE:C>,$<CONFIG:Release>>:-flto=auto>)
endif()
add_library(kernel_lto INTERFACE)
target_compile_options(kernel_lto INTERFACE ${VELLUM_LTO})
