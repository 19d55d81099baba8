#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles each header alone, twice in a row, with the include roots of its room.

For the machine every header of the rooms below tests/host; for the host also, where a header is
part of the host build (all but arch's private ones). Warnings are errors, as in the build.
"""

import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import rooms  # noqa: E402

RV64 = ["riscv64-unknown-elf-gcc", "-march=rv64imac", "-mabi=lp64", "-misa-spec=2.2"]
HOST = ["cc"]
PURE_ARCH = tuple(
    f"arch/{folder}/"
    for folder in ("include", "riscv64/include", "riscv64/fdt", "riscv64/uart", "riscv64/pure")
)


GENERATED = os.path.join(rooms.ROOT, "build", "check-headers")


def generate_calls():
    """What user headers include of the system calls and of the kernel's lists, without a build."""
    target = os.path.join(GENERATED, "vellum", "calls.h")
    os.makedirs(os.path.dirname(target), exist_ok=True)
    generator = os.path.join(rooms.ROOT, "scripts", "gen_syscalls.py")
    subprocess.run([sys.executable, generator, "--header", target], check=True)
    for name in ("trace.def", "counters.def"):
        source = os.path.join(rooms.ROOT, "lib", "include", "lib", name)
        shutil.copyfile(source, os.path.join(GENERATED, "vellum", name))


def warnings():
    """The list of cmake/warnings.cmake, so that there is one."""
    with open(os.path.join(rooms.ROOT, "cmake", "warnings.cmake"), encoding="utf-8") as file:
        return re.findall(r"\s(-W(?!no-)[a-z-]+)", file.read())


def builds_of(path, room):
    """The builds a header belongs to."""
    if room.name in ("tests", "oracle"):
        return ["host"]
    if room.name in ("user", "user-tests", "freestanding"):
        return ["rv64"]
    if room.name == "arch":
        return ["rv64", "host"] if path.startswith(PURE_ARCH) else ["rv64"]
    return ["rv64", "host"]


def command(path, room, build):
    line = list(HOST if build == "host" else RV64)
    line += ["-std=gnu2x", "-fsyntax-only", "-x", "c", "-", "-DVELLUM_DEBUG=1", *warnings()]
    roots = rooms.include_roots(room, build == "host")
    if room.name == "arch":
        if build == "rv64":
            roots.append("lib/freestanding/include")
        line += ["-isystem", os.path.join(rooms.ROOT, "build", "_deps", "libfdt")]
    if room.hosted and build == "rv64":
        line += ["--specs=picolibc.specs", f"-I{GENERATED}"]
    elif build == "rv64":
        line.append("-ffreestanding")
    elif room.name in ("tests", "oracle"):
        line += ["-isystem", os.path.join(rooms.ROOT, "build", "_deps", "libfdt")]
    return line + [f"-I{os.path.join(rooms.ROOT, root)}" for root in roots]


def check(task):
    """The compiler's complaints about one header in one build."""
    path, build = task
    include = f'#include "{os.path.join(rooms.ROOT, path)}"\n'
    done = subprocess.run(
        command(path, rooms.room_of(path), build),
        input=include * 2 + "typedef int not_empty;\n", capture_output=True, text=True, check=False,
    )  # fmt: skip
    return f"{path} does not compile alone ({build}):\n{done.stderr}" if done.returncode else ""


def main():
    generate_calls()
    tasks = [
        (path, build)
        for path in rooms.tree_files(".h")
        if rooms.room_of(path)
        for build in builds_of(path, rooms.room_of(path))
    ]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        complaints = [text for text in pool.map(check, tasks) if text]
    for text in complaints:
        print(text)
    print(f"{len(tasks)} compilations of headers, {len(complaints)} failed")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
