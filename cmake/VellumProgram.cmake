# SPDX-License-Identifier: MIT
#
# How a user program is compiled, linked and packed: the programs of this tree, and, installed,
# those of any project that says find_package(Vellum).
#
#   vellum_add_program(NAME source...)
#       An executable for Vellum. It keeps its symbols; archives get a copy without them.
#   vellum_add_archive(NAME [PROGRAMS target...] [TESTS target...])
#       NAME.cpio in the current binary directory: the archive that Vellum comes with, and the
#       programs as bin/TARGET (the shell's `run`) and test/TARGET (the shell's `test`); a target's
#       OUTPUT_NAME counts, if it has one.
#   vellum_add_run(NAME ARCHIVE [COMMANDS command...] [ARGUMENTS argument...])
#       A target that boots QEMU with such an archive: to the shell, or for some commands of it.
#       Arguments are those of scripts/run that choose a machine, like --harts 4.
#
# Who includes this says first where things are: VELLUM_CRT0, VELLUM_LINKER_SCRIPT, VELLUM_LIBRARY,
# VELLUM_SCRIPTS, and for archives of one's own VELLUM_MACHINE (Image and initrd.cpio).

find_package(Python3 REQUIRED COMPONENTS Interpreter)

# Unlike the kernel, programs use the floating-point registers. GCC is asked for the libraries of
# exactly this instruction set and ABI, also for Clang, which takes the instruction set alone.
set(user_arch -march=rv64imafdc -mabi=lp64d)
set(user_gcc_arch ${user_arch} -misa-spec=2.2)

# picolibc keeps its headers and libraries beside its specs file; the specs name them.
execute_process(COMMAND ${VELLUM_GCC} ${user_gcc_arch} --specs=picolibc.specs -E -v -x c /dev/null
    OUTPUT_QUIET ERROR_VARIABLE picolibc_log RESULT_VARIABLE picolibc_result)
execute_process(COMMAND ${VELLUM_GCC} ${user_gcc_arch} -print-multi-directory
    OUTPUT_VARIABLE multi_directory OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${VELLUM_GCC} ${user_gcc_arch} -print-libgcc-file-name
    OUTPUT_VARIABLE VELLUM_USER_LIBGCC OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
if(NOT picolibc_result EQUAL 0 OR NOT picolibc_log MATCHES "-isystem ([^ \n]*picolibc[^ \n]*)")
    message(FATAL_ERROR "picolibc is missing. To install it: "
        "sudo apt-get install picolibc-riscv64-unknown-elf")
endif()
set(picolibc_include ${CMAKE_MATCH_1})
cmake_path(GET picolibc_include PARENT_PATH picolibc_root)
set(VELLUM_PICOLIBC ${picolibc_root}/lib/${multi_directory}/libc.a)
if(NOT EXISTS ${VELLUM_PICOLIBC})
    message(FATAL_ERROR "picolibc has no library for rv64imafdc/lp64d: ${VELLUM_PICOLIBC}")
endif()

# How user C is compiled: static, at fixed addresses.
add_library(vellum_user_flags INTERFACE)
target_include_directories(vellum_user_flags SYSTEM INTERFACE ${picolibc_include})
# Makes picolibc's headers declare what user/posix defines.
target_compile_definitions(vellum_user_flags INTERFACE _POSIX_THREADS=200809L
    _POSIX_TIMERS=200809L _POSIX_CLOCK_SELECTION=200809L _POSIX_MONOTONIC_CLOCK=200809L)
target_compile_options(vellum_user_flags INTERFACE
    ${user_arch} $<$<C_COMPILER_ID:GNU>:-misa-spec=2.2> -mcmodel=medany -fno-pic -fno-pie
    $<$<COMPILE_LANGUAGE:C>:-ffunction-sections -fdata-sections -fno-common -fno-stack-protector
    -fno-omit-frame-pointer -fno-asynchronous-unwind-tables -ftls-model=local-exec>)
if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
    target_compile_options(vellum_user_flags INTERFACE -nostdlibinc)
endif()

function(vellum_add_program name)
    add_executable(${name} ${ARGN} ${VELLUM_CRT0})
    set_target_properties(${name} PROPERTIES LINK_DEPENDS ${VELLUM_LINKER_SCRIPT}
        LINKER_LANGUAGE C)
    target_link_libraries(${name} PRIVATE vellum_user_flags)
    target_link_options(${name} PRIVATE -nostdlib -static -Wl,--gc-sections
        -Wl,-T,${VELLUM_LINKER_SCRIPT} -Wl,--build-id=none -Wl,-z,max-page-size=4096)
    # The whole of our library, so that its locks and its sbrk take the place of picolibc's; what a
    # program does not use is left out again.
    target_link_libraries(${name} PRIVATE
        -Wl,--whole-archive ${VELLUM_LIBRARY} -Wl,--no-whole-archive
        -Wl,--start-group ${VELLUM_PICOLIBC} ${VELLUM_USER_LIBGCC} -Wl,--end-group)
endfunction()

# vellum_pack(ARCHIVE [BASE archive] MEMBERS member=target...): the rule that makes an archive.
function(vellum_pack archive)
    cmake_parse_arguments(PARSE_ARGV 1 pack "" "BASE" "MEMBERS")
    cmake_path(REMOVE_EXTENSION archive LAST_ONLY OUTPUT_VARIABLE folder)
    set(members "")
    set(files "")
    foreach(pair IN LISTS pack_MEMBERS)
        string(REGEX MATCH "^([^=]+)=(.+)$" pair ${pair})
        set(member ${CMAKE_MATCH_1})
        set(program ${CMAKE_MATCH_2})
        set(stripped ${folder}/${member})
        cmake_path(GET stripped PARENT_PATH stripped_folder)
        add_custom_command(OUTPUT ${stripped}
            COMMAND ${CMAKE_COMMAND} -E make_directory ${stripped_folder}
            COMMAND ${CMAKE_STRIP} --strip-all -o ${stripped} $<TARGET_FILE:${program}>
            DEPENDS ${program} COMMENT "Stripping ${member}" VERBATIM)
        list(APPEND members ${member}=${stripped})
        list(APPEND files ${stripped})
    endforeach()
    set(base "")
    if(pack_BASE)
        set(base --base ${pack_BASE})
    endif()
    cmake_path(GET archive FILENAME filename)
    add_custom_command(OUTPUT ${archive}
        COMMAND Python3::Interpreter ${VELLUM_SCRIPTS}/mkcpio.py -o ${archive} ${base} ${members}
        DEPENDS ${files} ${pack_BASE} ${VELLUM_SCRIPTS}/mkcpio.py
        COMMENT "Packing ${filename}" VERBATIM)
endfunction()

function(vellum_add_archive name)
    cmake_parse_arguments(PARSE_ARGV 1 archive "" "" "PROGRAMS;TESTS")
    set(members "")
    foreach(kind IN ITEMS bin=PROGRAMS test=TESTS)
        string(REGEX MATCH "^(.+)=(.+)$" kind ${kind})
        set(folder ${CMAKE_MATCH_1})
        foreach(program IN LISTS archive_${CMAKE_MATCH_2})
            get_target_property(output ${program} OUTPUT_NAME)
            if(NOT output)
                set(output ${program})
            endif()
            list(APPEND members ${folder}/${output}=${program})
        endforeach()
    endforeach()
    set(file ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpio)
    vellum_pack(${file} BASE ${VELLUM_MACHINE}/initrd.cpio MEMBERS ${members})
    add_custom_target(${name} ALL DEPENDS ${file})
endfunction()

function(vellum_add_run name archive)
    cmake_parse_arguments(PARSE_ARGV 2 run "" "" "COMMANDS;ARGUMENTS")
    if(run_COMMANDS)
        string(REGEX REPLACE "\\\\?;" "$<SEMICOLON>" run_COMMANDS "${run_COMMANDS}")
        list(APPEND run_ARGUMENTS "--commands=${run_COMMANDS}")
    endif()
    add_custom_target(${name} DEPENDS ${archive} USES_TERMINAL VERBATIM
        COMMAND Python3::Interpreter ${VELLUM_SCRIPTS}/qemu.py --build ${VELLUM_MACHINE}
            --out ${CMAKE_CURRENT_BINARY_DIR}
            --initrd ${CMAKE_CURRENT_BINARY_DIR}/${archive}.cpio
            ${run_ARGUMENTS})
endfunction()
