# SPDX-License-Identifier: MIT
#
# The sanitizers of a host build, chosen by VELLUM_SANITIZE: empty, "address" (with undefined
# behaviour), "thread", or "fuzzer" (as address, and coverage for libFuzzer; wants Clang). Every
# finding ends the program: there is no recovery.

set(VELLUM_SANITIZE "" CACHE STRING "Sanitizer of the host build: empty, address, thread or fuzzer")

add_library(vellum_sanitizers INTERFACE)
if(VELLUM_SANITIZE STREQUAL "address")
    set(sanitize -fsanitize=address,undefined -fno-sanitize-recover=all)
elseif(VELLUM_SANITIZE STREQUAL "thread")
    set(sanitize -fsanitize=thread)
elseif(VELLUM_SANITIZE STREQUAL "fuzzer")
    set(sanitize -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
elseif(NOT VELLUM_SANITIZE STREQUAL "")
    message(FATAL_ERROR
        "VELLUM_SANITIZE is '${VELLUM_SANITIZE}'; it must be address, thread or fuzzer")
endif()
target_compile_options(vellum_sanitizers INTERFACE ${sanitize} -fno-omit-frame-pointer)
target_link_options(vellum_sanitizers INTERFACE ${sanitize})
