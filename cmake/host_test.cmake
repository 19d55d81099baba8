# SPDX-License-Identifier: MIT
#
# host_test(NAME source...): a Criterion test program, entered in CTest.
# Criterion keeps the pointers of parameterised rows across processes, so its programs must not be
# position independent; it cannot run under the thread sanitizer at all.

find_package(PkgConfig REQUIRED)
pkg_check_modules(CRITERION IMPORTED_TARGET criterion)
if(NOT CRITERION_FOUND)
    message(FATAL_ERROR "Criterion is missing. To install it: "
        "sudo apt-get install libcriterion-dev pkg-config")
endif()

add_library(host_flags INTERFACE)
target_compile_options(host_flags INTERFACE -fno-pie)
target_link_options(host_flags INTERFACE -no-pie)
target_compile_definitions(host_flags INTERFACE VELLUM_DEBUG=1)
target_link_libraries(host_flags INTERFACE vellum_warnings vellum_sanitizers)

function(host_test name)
    add_executable(${name} ${ARGN})
    target_link_libraries(${name} PRIVATE host_all host_support PkgConfig::CRITERION)
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()
