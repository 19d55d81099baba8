# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Shared by the bash scripts: where the tree is, how to speak, how to fail.

VELLUM_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export VELLUM_ROOT

# Progress goes to standard error: standard output is for results.
say() {
    printf '%s\n' "$*" >&2
}

die() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

has() {
    command -v "$1" >/dev/null 2>&1
}

# version_at_least HAVE WANT: compares dotted numbers.
version_at_least() {
    [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]
}

# Prints the version of an installed QEMU, like 10.0.2, or nothing.
qemu_version() {
    "${1:-qemu-system-riscv64}" --version 2>/dev/null |
        sed -n 's/^QEMU emulator version \([0-9.]*\).*/\1/p'
}

# build_preset PRESET: configures once, then builds; shows what the tools say only on failure.
build_preset() {
    local preset=$1 log=$VELLUM_ROOT/build/$1.log
    mkdir -p "$VELLUM_ROOT/build"
    say "building $preset"
    if ! (cd "$VELLUM_ROOT" && cmake --preset "$preset" && cmake --build --preset "$preset") \
        >"$log" 2>&1; then
        sed '/^\[[0-9]*\/[0-9]*\]/d' "$log" | tail -n 60 >&2 # without the steps that went well
        say "building $preset failed; the whole log is $log"
        return 1
    fi
}
