# SPDX-License-Identifier: MIT
#
# The benchmark's programs: bin/nothing does nothing; bin/bench measures, and keeps the other one's
# file in its own data; bin/posix is the one that Linux runs too (scripts/bench --linux).

vellum_program(bin/nothing ${CMAKE_CURRENT_LIST_DIR}/nothing.c)
vellum_glob(bench_sources user/bench/*.c user/bench/image.S)
list(FILTER bench_sources EXCLUDE REGEX "/(nothing|posix)\\.c$")
set_source_files_properties(${CMAKE_CURRENT_LIST_DIR}/image.S PROPERTIES
    COMPILE_OPTIONS "-Wa,-I${PROJECT_BINARY_DIR}/initrd"
    OBJECT_DEPENDS ${PROJECT_BINARY_DIR}/initrd/bin/nothing)
vellum_program(bin/bench ${bench_sources})
vellum_program(bin/posix ${CMAKE_CURRENT_LIST_DIR}/posix.c)
