# SPDX-License-Identifier: MIT
#
# Turns the assembly text of arch/riscv64/asm_offsets.c into a header of constants for the
# assembler. Each line "->NAME VALUE" of the text becomes "#define NAME VALUE"; a comment sign or
# quote around it does not matter.
# Usage: cmake -DINPUT=file.s -DOUTPUT=asm_offsets.h -P asm_offsets.cmake

file(STRINGS "${INPUT}" lines REGEX "->[A-Za-z_]")
set(text "/* Made from arch/riscv64/asm_offsets.c by cmake/asm_offsets.cmake. */\n#pragma once\n\n")
foreach(line IN LISTS lines)
    if(NOT line MATCHES "->([A-Za-z_][A-Za-z0-9_]*)[ \t]+[$#]?(-?[0-9]+)")
        message(FATAL_ERROR "asm_offsets: cannot read the line: ${line}")
    endif()
    string(APPEND text "#define ${CMAKE_MATCH_1} ${CMAKE_MATCH_2}\n")
endforeach()
file(WRITE "${OUTPUT}" "${text}")
