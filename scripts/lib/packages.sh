# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: MIT
#
# The tools Vellum needs and the packages that bring them, per distribution.
# Debian 12 is the one that is tried. The rows of Debian 13 and Ubuntu are NOT TRIED: they are the
# names those distributions list.

# Each row: what must be there, then its package. A tool is a command name; a path is a file that
# must exist; "pkg:NAME" is something pkg-config must know; other names are scripts/setup's.
RUN_NEEDS="
riscv64-unknown-elf-gcc     gcc-riscv64-unknown-elf
riscv64-unknown-elf-objcopy binutils-riscv64-unknown-elf
picolibc                    picolibc-riscv64-unknown-elf
cmake                       cmake
ninja                       ninja-build
python3                     python3
xz                          xz-utils
libfdt                      @libfdt
"
GDB_NEEDS="
gdb-multiarch               gdb-multiarch
"
IMAGE_NEEDS="
mcopy                       mtools
mkimage                     u-boot-tools
dtc                         device-tree-compiler
sfdisk                      fdisk
"
CLANG_NEEDS="
clang                       clang
ld.lld                      lld
"
TEST_NEEDS="
git                         git
gcc                         gcc
/usr/include/stdlib.h       libc6-dev
pkg-config                  pkg-config
pkg:criterion               libcriterion-dev
dtc                         device-tree-compiler
clang                       clang
libfuzzer                   libclang-rt-dev
clang-format                clang-format
clang-tidy                  clang-tidy
ld.lld                      lld
shellcheck                  shellcheck
spin                        spin
/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin u-boot-qemu
"

CMAKE_MINIMUM=3.25
QEMU_MINIMUM=7.2
QEMU_FOR_TESTS=10.0

# Names the distribution as ID-VERSION, like debian-12.
distribution() {
    # shellcheck disable=SC1091
    (. /etc/os-release && echo "${ID:-unknown}-${VERSION_ID:-unknown}")
}

# package_of NAME: replaces the names that differ between distributions.
package_of() {
    case $1 in
    @libfdt)
        case $(distribution) in
        debian-12) echo linux-source-6.1 ;;
        *) echo linux-source ;;
        esac
        ;;
    @qemu)
        case $(distribution) in
        debian-12) echo qemu-system-riscv opensbi ;; # from bookworm-backports
        debian-13) echo qemu-system-riscv opensbi ;; # not tried
        ubuntu-*) echo qemu-system-misc opensbi ;;   # not tried
        *) echo qemu-system-misc opensbi ;;
        esac
        ;;
    *) echo "$1" ;;
    esac
}
