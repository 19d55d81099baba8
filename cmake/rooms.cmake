# SPDX-License-Identifier: MIT
#
# The rooms of the source tree and what each may include. An include root is an interface target
# named inc_ROOM; a room links only the roots it may see, so a forbidden include does not compile.
#
#   user -> uapi, formats            kernel -> mm, arch, uapi, lib, formats
#   mm -> arch, lib                  arch -> lib, libfdt
#   lib, formats, uapi -> nothing

function(vellum_include_root name)
    add_library(inc_${name} INTERFACE)
    list(TRANSFORM ARGN PREPEND "${PROJECT_SOURCE_DIR}/")
    target_include_directories(inc_${name} INTERFACE ${ARGN})
endfunction()

# Slots are memory on the machine and calls into the model on the host.
if(VELLUM_HOST)
    set(effects tests/host/arch_host/effects)
else()
    set(effects arch/riscv64/effects)
endif()

vellum_include_root(lib lib/include)
vellum_include_root(formats lib/formats/include)
vellum_include_root(freestanding lib/freestanding/include)
vellum_include_root(arch arch/include arch/riscv64/include ${effects})
vellum_include_root(mm mm/include)
vellum_include_root(uapi kernel/uapi/include)
vellum_include_root(kernel kernel/include)
vellum_include_root(user user/include)

# Collects the files of the given patterns into a variable of the caller; a directory that is not
# there gives no files.
macro(vellum_glob variable)
    set(patterns ${ARGN})
    list(TRANSFORM patterns PREPEND "${PROJECT_SOURCE_DIR}/")
    file(GLOB ${variable} CONFIGURE_DEPENDS ${patterns})
endmacro()

# vellum_room(NAME SOURCES file... LINK target...): an object library. Objects, not an archive, so
# that everything in a room is linked and a call to a room above is an undefined symbol.
function(vellum_room name)
    cmake_parse_arguments(PARSE_ARGV 1 room "" "" "SOURCES;LINK")
    if(NOT room_SOURCES)
        set(room_SOURCES ${PROJECT_BINARY_DIR}/empty_${name}.c)
        file(GENERATE OUTPUT ${room_SOURCES} CONTENT "typedef int empty_room;\n")
    endif()
    add_library(${name} OBJECT ${room_SOURCES})
    target_link_libraries(${name} PRIVATE ${room_LINK})
endfunction()

# vellum_run_seldom(ROOM pattern...): files of a room that run at boot, when all is lost, or for people
# who look, are built for size in a release.
function(vellum_run_seldom room)
    vellum_glob(files ${ARGN})
    set_property(SOURCE ${files} TARGET_DIRECTORY ${room} APPEND PROPERTY
        COMPILE_OPTIONS $<$<CONFIG:Release>:-Os>)
endfunction()
