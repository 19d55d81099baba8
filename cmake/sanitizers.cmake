# SPDX-License-Identifier: MIT
#
# The sanitizers of a host build, chosen by VELLUM_SANITIZE: empty, "address" (with undefined
# behaviour) or "thread". Every finding ends the program: there is no recovery.

set(VELLUM_SANITIZE "" CACHE STRING "Sanitizer of the host build: empty, address or thread")

add_library(vellum_sanitizers INTERFACE)
if(VELLUM_SANITIZE STREQUAL "address")
    set(sanitize -fsanitize=address,undefined -fno-sanitize-recover=all)
elseif(VELLUM_SANITIZE STREQUAL "thread")
    set(sanitize -fsanitize=thread)
elseif(NOT VELLUM_SANITIZE STREQUAL "")
    message(FATAL_ERROR "VELLUM_SANITIZE is '${VELLUM_SANITIZE}'; it must be address or thread")
endif()
target_compile_options(vellum_sanitizers INTERFACE ${sanitize} -fno-omit-frame-pointer)
target_link_options(vellum_sanitizers INTERFACE ${sanitize})
