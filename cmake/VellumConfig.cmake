# SPDX-License-Identifier: MIT
#
# find_package(Vellum): vellum_add_program, vellum_add_archive and vellum_add_run, which
# VellumProgram.cmake tells of, and these:
#   Vellum::vellum   the library, the headers and the flags, for libraries of the project's own
#   VELLUM_QEMU      the command that boots what is installed, to be continued with arguments

if(NOT VELLUM_GCC)
    message(FATAL_ERROR "Programs for Vellum are cross-compiled. In a fresh build directory:\n"
        "  cmake --toolchain ${CMAKE_CURRENT_LIST_DIR}/VellumToolchain.cmake ...")
endif()
if(TARGET Vellum::vellum)
    return()
endif()

cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH vellum_prefix) # lib/cmake/Vellum
cmake_path(GET vellum_prefix PARENT_PATH vellum_prefix)
cmake_path(GET vellum_prefix PARENT_PATH vellum_prefix)
set(VELLUM_SCRIPTS ${vellum_prefix}/share/vellum/scripts)
set(VELLUM_MACHINE ${vellum_prefix}/share/vellum)
set(VELLUM_LINKER_SCRIPT ${vellum_prefix}/lib/vellum/user.ld)
set(VELLUM_CRT0 ${vellum_prefix}/lib/vellum/crt0.o)
set(VELLUM_LIBRARY Vellum::vellum)

add_library(Vellum::vellum STATIC IMPORTED)
set_target_properties(Vellum::vellum PROPERTIES
    IMPORTED_LOCATION ${vellum_prefix}/lib/vellum/libvellum.a
    INTERFACE_INCLUDE_DIRECTORIES ${vellum_prefix}/include/vellum)
include(${CMAKE_CURRENT_LIST_DIR}/VellumProgram.cmake)
# Behind a project's own libraries the linker finds the C library once more.
set_target_properties(Vellum::vellum PROPERTIES INTERFACE_LINK_LIBRARIES
    "vellum_user_flags;${VELLUM_PICOLIBC};${VELLUM_USER_LIBGCC}")
set(VELLUM_QEMU ${Python3_EXECUTABLE} ${VELLUM_SCRIPTS}/qemu.py --build ${VELLUM_MACHINE})
