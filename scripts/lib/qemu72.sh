# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: MIT
#
# Two things of Debian 12 that need apt pointed at private lists: QEMU 10 from the backports, and
# QEMU 7.2 with OpenSBI 1.1 unpacked under build/tools, beside the installed one. Nothing of the
# machine's apt configuration is changed, and unpacking needs no root.
#
# QEMU 7.2's modules and firmware must not mix with those of an installed QEMU: a wrapper gives it
# its own.

TOOLS_DIR=$VELLUM_ROOT/build/tools
QEMU72_DIR=$TOOLS_DIR/qemu-7.2
QEMU72_WRAPPER=$QEMU72_DIR/qemu-system-riscv64
APT_DIR=$TOOLS_DIR/apt

# Options that make apt use the private sources and lists.
PRIVATE_APT=(
    -o "Dir::Etc::sourcelist=/dev/null"
    -o "Dir::Etc::sourceparts=$APT_DIR/sources.d"
    -o "Dir::State::lists=$APT_DIR/lists"
    -o "Dir::Cache::pkgcache="
    -o "Dir::Cache::srcpkgcache="
    -o "APT::Sandbox::User=root"
)

# Only Debian 12 has QEMU 7.2.
qemu72_offered() {
    [ "$(distribution)" = debian-12 ]
}

# Fills the private lists, once in a run.
private_apt_prepare() {
    [ -z "${private_apt_ready:-}" ] || return 0
    mkdir -p "$APT_DIR/sources.d" "$APT_DIR/lists/partial"
    python3 "$VELLUM_ROOT/scripts/lib/apt_sources.py" bookworm >"$APT_DIR/sources.d/vellum.sources" ||
        die "no apt source for Debian 12 (bookworm) found in /etc/apt/sources.list*"
    apt-get "${PRIVATE_APT[@]}" -q update >&2 ||
        die "apt-get could not read bookworm-backports from the mirror in /etc/apt/sources.list*"
    private_apt_ready=yes
}

# Downloads packages of Debian 12 proper, whatever is installed, and unpacks them.
qemu72_unpack() {
    local debs=$QEMU72_DIR.debs
    rm -rf "$debs"
    mkdir -p "$debs"
    (cd "$debs" && apt-get "${PRIVATE_APT[@]}" -o "Dir::State::status=/dev/null" -q download "$@" >&2)
    for deb in "$debs"/*.deb; do
        dpkg -x "$deb" "$QEMU72_DIR.new/root"
    done
    rm -rf "$debs"
}

# The packages QEMU 7.2 rests on that are not installed.
qemu72_absent_libraries() {
    apt-cache "${PRIVATE_APT[@]}" -o "Dir::State::status=/dev/null" depends --recurse \
        --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances \
        qemu-system-misc | grep '^lib' | sort -u | while read -r name; do
        dpkg-query -W -f '${db:Status-Abbrev}\n' "$name" 2>/dev/null | grep -q '^ii' || echo "$name"
    done
}

qemu72_write_wrapper() {
    local new=$QEMU72_DIR.new
    cat >"$new/qemu-system-riscv64" <<'WRAPPER'
#!/bin/sh
# SPDX-License-Identifier: MIT
# QEMU 7.2 with its own modules, data and OpenSBI 1.1. Made by scripts/setup.
root=$(cd "$(dirname "$0")" && pwd)/root
for modules in "$root"/usr/lib/*/qemu; do
    QEMU_MODULE_DIR=$modules
    LD_LIBRARY_PATH=${modules%/qemu}:$root/lib/$(basename "${modules%/qemu}")
done
export QEMU_MODULE_DIR LD_LIBRARY_PATH
exec "$root/usr/bin/qemu-system-riscv64" -L "$root/usr/share/qemu" \
    -bios "$root/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin" "$@"
WRAPPER
    chmod +x "$new/qemu-system-riscv64"
}

qemu72_install() {
    local new=$QEMU72_DIR.new absent
    say "setup: unpacking QEMU 7.2 and OpenSBI 1.1 into build/tools/qemu-7.2"
    private_apt_prepare
    rm -rf "$new"
    mkdir -p "$new/root"
    qemu72_unpack qemu-system-misc qemu-system-common qemu-system-data opensbi ||
        die "QEMU 7.2 could not be fetched. To see why: apt-get download qemu-system-misc/bookworm"
    if ldd "$new/root/usr/bin/qemu-system-riscv64" | grep -q 'not found'; then
        mapfile -t absent < <(qemu72_absent_libraries)
        [ ${#absent[@]} -eq 0 ] || qemu72_unpack "${absent[@]}"
    fi
    qemu72_write_wrapper
    version_at_least "$(qemu_version "$new/qemu-system-riscv64")" 7.2 ||
        die "QEMU 7.2 does not start: run $new/qemu-system-riscv64 --version"
    rm -rf "$QEMU72_DIR"
    mv "$new" "$QEMU72_DIR"
}
