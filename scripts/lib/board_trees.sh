# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: MIT
#
# Device trees of boards, as Debian's kernel package for riscv64 has them, under
# build/tools/board-trees. The package comes from the first Debian that has this architecture, on the
# machine's own mirror; only the trees of it are kept, beside a file that says where they are from.
# Nothing of the machine's apt configuration is changed, and no root is needed.

BOARD_TREES_DIR=$VELLUM_ROOT/build/tools/board-trees
BOARD_TREES_RELEASE=trixie
BOARD_TREES_ARCHITECTURE=riscv64
BOARD_TREES_PACKAGE=linux-image-riscv64 # depends on the one that has the trees

# Only a Debian has a mirror of Debian.
board_trees_offered() {
    [[ $(distribution) == debian-* ]]
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

# Puts the package into a directory; prints its name and version.
board_trees_download() {
    local new=$1 codename name
    # shellcheck disable=SC1091
    codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-unknown}")
    mkdir -p "$new/sources.d" "$new/lists/partial"
    python3 "$VELLUM_ROOT/scripts/lib/apt_sources.py" "$codename" "$BOARD_TREES_RELEASE" \
        "$BOARD_TREES_ARCHITECTURE" >"$new/sources.d/vellum.sources" || return 1
    board_trees_apt "$new" apt-get update >&2 || return 1
    name=$(board_trees_apt "$new" apt-cache depends "$BOARD_TREES_PACKAGE:$BOARD_TREES_ARCHITECTURE" |
        sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p')
    [ -n "$name" ] || return 1
    (cd "$new" && board_trees_apt "$new" apt-get download "$name" >&2) || return 1
    dpkg-deb -W --showformat="\${Package} \${Version}\n" "$new"/*.deb
}

board_trees_unpack() {
    local new=$1 trees
    dpkg-deb --fsys-tarfile "$new"/*.deb | tar -x -C "$new" --wildcards '*.dtb' || return 1
    trees=$(dirname "$(dirname "$(find "$new/usr" -name '*.dtb' -print -quit)")")
    [ -d "$trees/starfive" ] || return 1
    mv "$trees" "$new/trees"
}

# Without the trees, tests say what they did not look at: that they cannot be had ends nothing.
board_trees_install() {
    local new=$BOARD_TREES_DIR.new from
    say "setup: fetching the boards' device trees into build/tools/board-trees (120 MB)"
    rm -rf "$new"
    if from=$(board_trees_download "$new") && board_trees_unpack "$new"; then
        printf '%s, Debian %s\n' "$from" "$BOARD_TREES_RELEASE" >"$new/trees/FROM"
        rm -rf "$BOARD_TREES_DIR"
        mv "$new/trees" "$BOARD_TREES_DIR"
    else
        say "setup: they could not be fetched from the mirror in /etc/apt/sources.list*; going on without"
    fi
    rm -rf "$new"
}
