# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: MIT
#
# Device trees of boards, under build/tools/board-trees: those of Debian's kernel package for riscv64,
# and in u-boot/ those that its U-Boot for boards has for itself, and hands on, with the U-Boot of a
# board that QEMU has a model of. The packages come from the first Debian that has this architecture, on
# the machine's own mirror; no more of them is kept, beside a file that says where it is from. Nothing
# of the machine's apt configuration is changed, and no root is needed.

BOARD_TREES_DIR=$VELLUM_ROOT/build/tools/board-trees
BOARD_TREES_RELEASE=trixie
BOARD_TREES_ARCHITECTURE=riscv64
BOARD_TREES_LINUX="linux-image-riscv64" # depends on the one that has the trees
BOARD_TREES_UBOOT=(u-boot-starfive u-boot-sifive)

# Only a Debian has a mirror of Debian.
board_trees_offered() {
    [[ $(distribution) == debian-* ]]
}

board_trees_present() {
    [ -e "$BOARD_TREES_DIR/starfive" ] && [ -e "$BOARD_TREES_DIR/u-boot/hifive-unleashed.bin" ]
}

# board_trees_apt DIRECTORY TOOL ARGUMENT...: apt-get or apt-cache with lists of its own.
board_trees_apt() {
    local lists=$1 tool=$2
    shift 2
    "$tool" -q -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$lists/sources.d" \
        -o "Dir::State::lists=$lists/lists" -o Dir::State::status=/dev/null \
        -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
        -o "APT::Architectures::=$BOARD_TREES_ARCHITECTURE" -o APT::Sandbox::User=root "$@"
}

# Puts the packages into a directory.
board_trees_download() {
    local new=$1 codename linux
    # shellcheck disable=SC1091
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-unknown}")
    mkdir -p "$new/sources.d" "$new/lists/partial"
    python3 "$VELLUM_ROOT/scripts/lib/apt_sources.py" "$codename" "$BOARD_TREES_RELEASE" \
        "$BOARD_TREES_ARCHITECTURE" >"$new/sources.d/vellum.sources" || return 1
    board_trees_apt "$new" apt-get update >&2 || return 1
    linux=$(board_trees_apt "$new" apt-cache depends "$BOARD_TREES_LINUX:$BOARD_TREES_ARCHITECTURE" |
        sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p')
    [ -n "$linux" ] || return 1
    (cd "$new" && board_trees_apt "$new" apt-get download "$linux" \
        "${BOARD_TREES_UBOOT[@]/%/:$BOARD_TREES_ARCHITECTURE}" >&2)
}

# The tree that lies in the FIT of a board's U-Boot: its third part, after U-Boot and the firmware.
board_trees_of_uboot() {
    local new=$1 board=$2 name=$3
    dumpimage -T flat_dt -p 2 -o "$new/trees/u-boot/$name.dtb" \
        "$new/usr/lib/u-boot/$board/u-boot.itb" >/dev/null &&
        chmod 644 "$new/trees/u-boot/$name.dtb"
}

board_trees_unpack() {
    local new=$1 trees deb
    for deb in "$new"/*.deb; do
        dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$new" --wildcards '*.dtb' '*/u-boot.itb' '*/u-boot.bin' 2>/dev/null
    done
    trees=$(dirname "$(dirname "$(find "$new/usr" -name '*.dtb' -print -quit)")")
    [ -d "$trees/starfive" ] || return 1
    mv "$trees" "$new/trees"
    mkdir "$new/trees/u-boot"
    mv "$new/usr/lib/u-boot/sifive_unleashed/u-boot.bin" "$new/trees/u-boot/hifive-unleashed.bin" &&
        board_trees_of_uboot "$new" starfive_visionfive2 visionfive2 &&
        board_trees_of_uboot "$new" sifive_unleashed hifive-unleashed &&
        board_trees_of_uboot "$new" sifive_unmatched hifive-unmatched
}

# The packages by name and version.
board_trees_packages() {
    local deb
    for deb in "$1"/*.deb; do
        dpkg-deb -W --showformat="\${Package} \${Version}, Debian $BOARD_TREES_RELEASE\n" "$deb"
    done
}

# Without the trees, tests say what they did not look at: that they cannot be had ends nothing.
board_trees_install() {
    local new=$BOARD_TREES_DIR.new
    say "setup: fetching the boards' device trees into build/tools/board-trees (120 MB)"
    rm -rf "$new"
    if board_trees_download "$new" && board_trees_unpack "$new"; then
        board_trees_packages "$new" >"$new/trees/FROM"
        rm -rf "$BOARD_TREES_DIR"
        mv "$new/trees" "$BOARD_TREES_DIR"
    else
        say "setup: they could not be fetched from the mirror in /etc/apt/sources.list*; going on without"
    fi
    rm -rf "$new"
}
