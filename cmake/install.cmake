# SPDX-License-Identifier: MIT
#
# cmake --install: what a project elsewhere needs to build programs for Vellum and to boot them.
# No file names the tree or the place it is installed to, so the result may be moved.
#
#   include/vellum       headers of programs
#   lib/vellum           crt0.o, libvellum.a, user.ld; picolibc stays a package of the system
#   lib/cmake/Vellum     find_package(Vellum), and the toolchain file
#   share/vellum         the kernel, the archive, and the scripts that pack and boot

include(CMakePackageConfigHelpers)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/VellumConfigVersion.cmake
    COMPATIBILITY SameMinorVersion)

install(DIRECTORY user/include/ user/posix/include/ lib/formats/include/ kernel/uapi/include/
    ${PROJECT_BINARY_DIR}/generated/include/
    DESTINATION include/vellum FILES_MATCHING PATTERN "*.h" PATTERN "*.def"
    PATTERN "asm_offsets.h" EXCLUDE)
install(FILES $<TARGET_FILE:libvellum> user/user.ld DESTINATION lib/vellum)
install(FILES $<TARGET_OBJECTS:user_crt0> DESTINATION lib/vellum RENAME crt0.o)
install(FILES cmake/VellumConfig.cmake cmake/VellumProgram.cmake cmake/VellumToolchain.cmake
    cmake/toolchain-riscv64.cmake ${PROJECT_BINARY_DIR}/VellumConfigVersion.cmake
    DESTINATION lib/cmake/Vellum)
install(FILES ${PROJECT_BINARY_DIR}/Image ${PROJECT_BINARY_DIR}/initrd.cpio
    $<TARGET_FILE:vellum.elf> DESTINATION share/vellum)
install(PROGRAMS scripts/qemu.py scripts/mkcpio.py DESTINATION share/vellum/scripts)
install(FILES scripts/lib/qemu_boot.py scripts/lib/qemu_console.py scripts/lib/qemu_pipe.py
    DESTINATION share/vellum/scripts/lib)
