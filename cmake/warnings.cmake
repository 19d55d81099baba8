# SPDX-License-Identifier: MIT
#
# The one list of warnings; every target of ours links vellum_warnings, libfdt does not.

add_library(vellum_warnings INTERFACE)
target_compile_options(vellum_warnings INTERFACE $<$<COMPILE_LANGUAGE:C>:
    -Wall -Wextra -Wpedantic -Werror
    -Wshadow -Wconversion -Wsign-conversion
    -Wstrict-prototypes -Wmissing-prototypes
    -Wcast-qual -Wvla -Wundef -Wimplicit-fallthrough>)
# Clang calls "asm" an extension even where the language is gnu2x, and takes every inline function
# that uses a static one for one of a header.
target_compile_options(vellum_warnings INTERFACE
    $<$<AND:$<COMPILE_LANGUAGE:C>,$<C_COMPILER_ID:Clang>>:-Wno-language-extension-token
    -Wno-static-in-inline>)
