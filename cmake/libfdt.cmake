# SPDX-License-Identifier: MIT
#
# libfdt from its own source, as the target fdt: for the machine with the kernel's flags, on the
# host natively. Where the source comes from, in this order:
#   1. -DVELLUM_LIBFDT_DIR=DIR, a directory that holds fdt.c and libfdt.h
#   2. build/_deps/libfdt, where an earlier configuration put it
#   3. the Linux source package of the distribution (/usr/src/linux-source-*.tar.xz)
#   4. the upstream release, checked against its SHA-256
# 3 and 4 fill 2, so that it is done once for all presets.

set(VELLUM_LIBFDT_DIR "" CACHE PATH "Directory with the source of libfdt")
set(libfdt_files fdt.c fdt_ro.c) # the kernel only reads, once, at boot
if(VELLUM_HOST)
    list(APPEND libfdt_files fdt_strerror.c fdt_addresses.c fdt_wip.c fdt_rw.c fdt_sw.c
        fdt_empty_tree.c)
endif()
set(libfdt_cache "${PROJECT_SOURCE_DIR}/build/_deps/libfdt")

# Moves an unpacked libfdt directory to the cache in one step; another configuration may have been
# faster, which is as good.
function(vellum_libfdt_keep directory)
    file(MAKE_DIRECTORY "${PROJECT_SOURCE_DIR}/build/_deps")
    if(NOT EXISTS "${libfdt_cache}")
        file(RENAME "${directory}" "${libfdt_cache}" RESULT result)
    endif()
endfunction()

function(vellum_libfdt_from_linux_source)
    file(GLOB archives "/usr/src/linux-source-*.tar.xz")
    if(NOT archives)
        return()
    endif()
    list(SORT archives COMPARE NATURAL ORDER DESCENDING)
    list(GET archives 0 archive)
    message(STATUS "libfdt: unpacking it from ${archive} (about 15 seconds, once)")
    set(scratch "${PROJECT_BINARY_DIR}/libfdt-unpack")
    file(REMOVE_RECURSE "${scratch}")
    file(MAKE_DIRECTORY "${scratch}")
    execute_process(
        COMMAND tar -xJf "${archive}" --strip-components=3 --wildcards
            "*/scripts/dtc/libfdt/*.[ch]"
        WORKING_DIRECTORY "${scratch}" RESULT_VARIABLE result ERROR_VARIABLE error)
    if(result EQUAL 0 AND EXISTS "${scratch}/libfdt/fdt.c")
        vellum_libfdt_keep("${scratch}/libfdt")
    else()
        message(STATUS "libfdt: not found in ${archive} ${error}")
    endif()
endfunction()

# The hash is the one that the distributions' own build recipes state for this release.
function(vellum_libfdt_from_upstream)
    message(STATUS "libfdt: fetching dtc 1.7.0 from kernel.org")
    set(scratch "${PROJECT_BINARY_DIR}/libfdt-unpack")
    file(REMOVE_RECURSE "${scratch}")
    file(MAKE_DIRECTORY "${scratch}")
    file(DOWNLOAD "https://www.kernel.org/pub/software/utils/dtc/dtc-1.7.0.tar.xz"
        "${scratch}/dtc.tar.xz" STATUS status TIMEOUT 60)
    list(GET status 0 code)
    if(NOT code EQUAL 0)
        message(STATUS "libfdt: no download: ${status}")
        return()
    endif()
    file(SHA256 "${scratch}/dtc.tar.xz" hash)
    if(NOT hash STREQUAL "29edce3d302a15563d8663198bbc398c5a0554765c83830d0d4c0409d21a16c4")
        message(STATUS "libfdt: the download has the wrong SHA-256 ${hash}; it is not used")
        return()
    endif()
    file(ARCHIVE_EXTRACT INPUT "${scratch}/dtc.tar.xz" DESTINATION "${scratch}"
        PATTERNS "*/libfdt/*")
    vellum_libfdt_keep("${scratch}/dtc-1.7.0/libfdt")
endfunction()

if(VELLUM_LIBFDT_DIR)
    if(NOT EXISTS "${VELLUM_LIBFDT_DIR}/fdt.c")
        message(FATAL_ERROR "VELLUM_LIBFDT_DIR=${VELLUM_LIBFDT_DIR} holds no fdt.c")
    endif()
    set(libfdt_source "${VELLUM_LIBFDT_DIR}")
else()
    set(libfdt_source "${libfdt_cache}")
    if(NOT EXISTS "${libfdt_cache}/fdt.c")
        vellum_libfdt_from_linux_source()
    endif()
    if(NOT EXISTS "${libfdt_cache}/fdt.c")
        vellum_libfdt_from_upstream()
    endif()
    if(NOT EXISTS "${libfdt_cache}/fdt.c")
        message(FATAL_ERROR "The source of libfdt is missing. To install it: "
            "sudo apt-get install linux-source-6.1 (Debian 12) or linux-source (others); "
            "or give a directory that holds fdt.c with -DVELLUM_LIBFDT_DIR=DIR")
    endif()
endif()

list(TRANSFORM libfdt_files PREPEND "${libfdt_source}/")
add_library(fdt OBJECT ${libfdt_files})
target_include_directories(fdt SYSTEM PUBLIC "${libfdt_source}")
target_compile_options(fdt PRIVATE -w)
if(VELLUM_HOST)
    target_link_libraries(fdt PRIVATE vellum_sanitizers)
else()
    target_compile_options(fdt PRIVATE $<$<CONFIG:Release>:-Os>)
    target_link_libraries(fdt PRIVATE kernel_flags PUBLIC inc_freestanding)
endif()
