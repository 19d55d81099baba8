# SPDX-License-Identifier: MIT
"""The rooms of the source tree, for the checks: which files are in which, and who may see whom.

cmake/rooms.cmake says the same to the compiler; here it is said again on purpose, so that a slip
in one is caught by the other.
"""

import dataclasses
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

EFFECTS_RV64 = "arch/riscv64/effects"
EFFECTS_HOST = "tests/host/arch_host/effects"

# Headers that a compiler brings without a C library.
COMPILER_HEADERS = {
    "limits.h", "stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h",
    "stdnoreturn.h",
}  # fmt: skip
LIBFDT_HEADERS = {"fdt.h", "libfdt.h"}
GENERATED = {
    "arch": {"asm_offsets.h"},
    "user": {"vellum/calls.h", "vellum/counters.def", "vellum/trace.def"},
    "user-tests": {"vellum/calls.h", "vellum/trace.def"},
    "oracle": {"mutants.h"},
}


@dataclasses.dataclass(frozen=True)
class Room:
    """A room: the folder it fills, its public roots, the rooms it may include, its own roots."""

    name: str
    folder: str
    roots: tuple = ()
    sees: tuple = ()
    private: tuple = ()  # roots for its own files only
    angle: frozenset = frozenset(COMPILER_HEADERS)
    hosted: bool = False  # has a C library: <...> may be anything


# The longest folder that matches decides, so nested rooms stand for themselves.
ROOMS = (
    Room("lib", "lib", ("lib/include",)),
    Room("formats", "lib/formats", ("lib/formats/include",)),
    Room("freestanding", "lib/freestanding", ("lib/freestanding/include",)),
    Room("arch", "arch", ("arch/include", "arch/riscv64/include", EFFECTS_RV64), ("lib",),
         ("arch/riscv64",), frozenset(COMPILER_HEADERS | LIBFDT_HEADERS)),
    Room("mm", "mm", ("mm/include",), ("arch", "lib")),
    Room("kernel", "kernel", ("kernel/include",), ("mm", "arch", "uapi", "lib", "formats"),
         ("kernel",)),
    Room("uapi", "kernel/uapi", ("kernel/uapi/include",)),
    Room("user", "user", ("user/include", "user/posix/include"), ("uapi", "formats"), hosted=True),
    Room("user-tests", "tests/qemu", (), ("user", "uapi", "formats"), hosted=True),
    Room("tests", "tests/host", ("tests/host", EFFECTS_HOST, ".", "tests/oracle"),
         ("lib", "formats", "arch", "mm", "kernel", "uapi"), hosted=True),
    Room("oracle", "tests/oracle", ("tests/oracle",),
         ("tests", "lib", "formats", "arch", "mm", "kernel", "uapi"), hosted=True),
)  # fmt: skip
BY_NAME = {room.name: room for room in ROOMS}


def room_of(path):
    """The room of a path relative to the tree, or None."""
    fitting = [room for room in ROOMS if path.startswith(room.folder + "/")]
    return max(fitting, key=lambda room: len(room.folder), default=None)


def include_roots(room, host=False):
    """The roots a file of the room may include from, on the machine or on the host."""
    roots = [*room.roots, *room.private]
    for name in room.sees:
        roots += BY_NAME[name].roots
    if host:
        roots = [EFFECTS_HOST if root == EFFECTS_RV64 else root for root in roots]
    return list(dict.fromkeys(roots))


def tree_files(*suffixes):
    """Files of the tree that git knows or would add, with one of the suffixes."""
    text = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    paths = (path for path in text.splitlines() if os.path.exists(os.path.join(ROOT, path)))
    return sorted(path for path in paths if not suffixes or path.endswith(suffixes))
