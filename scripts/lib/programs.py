#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds C files from anywhere as programs for Vellum, into an archive beside its own programs.

The part of scripts/run for --program and --test. BUILD is a build of the tree; it is installed to
BUILD/installed, and BUILD/programs becomes a CMake project that finds it there, just as a project
elsewhere would. Prints the archive's path. The programs with symbols are BUILD/programs/bin/NAME.elf
and BUILD/programs/test/NAME.elf.
"""

import argparse
import dataclasses
import os
import re
import subprocess
import sys

import rooms

sys.path.insert(0, os.path.join(rooms.ROOT, "scripts"))
import mkcpio  # noqa: E402

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,30}")  # PROCESS_NAME_BYTES
NAMED = re.compile(rf"({NAME.pattern})=(.+)")
NINJA = re.compile(r"\[\d+/\d+\] |FAILED: |ninja: (build stopped|no work)|-- ")  # and CMake
NOT_IN_PATHS = re.compile(r"[^\w ./+@=()~:-]")  # CMake and Ninja give these a meaning
COMMAND = re.compile(r'^    \{"([a-z0-9_-]+)", "', re.MULTILINE)  # the shell's table

PROJECT = """\
# Made by scripts/run; a project of your own may begin as a copy of this file (docs/programs.md).
cmake_minimum_required(VERSION 3.25)
project(programs LANGUAGES C)
find_package(Vellum REQUIRED)
set(CMAKE_C_STANDARD 23)
add_compile_options(-Wall -Wextra {optimise} -g)
"""


class Problem(Exception):
    """Something the user can put right; the text says how."""


@dataclasses.dataclass(frozen=True)
class Program:
    """One program: its folder in the archive, its name, and its files."""

    option: str
    name: str
    files: tuple

    @property
    def folder(self):
        return "bin" if self.option == "--program" else "test"

    @property
    def target(self):
        return f"{self.folder}_{self.name}"


def parse(option, text):
    """The program that FILE.c or NAME=FILE.c,FILE.c... means."""
    named = NAMED.fullmatch(text)
    paths = (named[2] if named else text).split(",")
    for path in paths:
        check_path(option, path)
    name = named[1] if named else os.path.basename(paths[0])[: -len(".c")]
    if len(paths) > 1 and not named:
        raise Problem(f"{option} {text}: several files need a name: {option} NAME={text}")
    if not NAME.fullmatch(name):
        fit = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("_.-")[:31] or "program"
        raise Problem(
            f"{option} {text}: the shell cannot start a program called {name!r}: "
            f"name it with {option} '{fit}={text}'"
        )
    return Program(option, name, tuple(os.path.abspath(path) for path in paths))


def check_path(option, path):
    """Refuses what is not a C file that can be built."""
    if os.path.isdir(path):
        example = os.path.join(path, "a.c")
        raise Problem(f"{option} {path} is a directory: name its files: {option} NAME={example},...")
    if not path.endswith(".c"):
        raise Problem(f"{option} {path}: a program is made of C files, whose names end in .c")
    if not os.path.isfile(path):
        raise Problem(f"{option} {path}: there is no such file (seen from {os.getcwd()})")
    if not os.access(path, os.R_OK):
        raise Problem(f"{option} {path}: it may not be read: chmod +r '{path}'")
    strange = NOT_IN_PATHS.search(os.path.abspath(path))
    if strange:
        raise Problem(
            f"{option} {path}: CMake would misread {strange[0]!r} in {os.path.abspath(path)}: "
            "rename it"
        )


def shell_commands():
    """The names of the shell's own commands."""
    folder = os.path.join(rooms.ROOT, "user", "init")
    names = set()
    for file in sorted(os.listdir(folder)):
        if file.endswith(".c"):
            with open(os.path.join(folder, file), encoding="utf-8") as source:
                names |= set(COMMAND.findall(source.read()))
    return names


def check_names(programs, taken, commands):
    """Refuses two things of one name. taken: the members of the archive."""
    seen = {}
    for program in programs:
        files = ",".join(os.path.relpath(path) for path in program.files)
        member = f"{program.folder}/{program.name}"
        fix = f"name it with {program.option} 'my_{program.name}={files}'"
        if member in seen:
            raise Problem(f"{files} and {seen[member]} would both be {member}: {fix}")
        if member in taken:
            raise Problem(f"{files} would be {member}, which Vellum brings along: {fix}")
        if program.option == "--program" and program.name in commands:
            raise Problem(f"{files} would have the name of a command of the shell: {fix}")
        seen[member] = files


def members(build):
    """The names in the archive of a build."""
    path = os.path.join(build, "initrd.cpio")
    if not os.path.exists(path):
        raise Problem(f"{path} is missing: build the tree there first, cmake --build {build}")
    with open(path, "rb") as file:
        return set(mkcpio.read(file.read()))


def project(programs, optimise):
    """The text of the CMake project."""
    text = PROJECT.format(optimise=optimise)
    for program in programs:
        files = " ".join(f'"{path}"' for path in program.files)
        text += f"\nvellum_add_program({program.target} {files})\n"
        text += f"set_target_properties({program.target} PROPERTIES\n    OUTPUT_NAME {program.name} SUFFIX .elf"
        text += f" RUNTIME_OUTPUT_DIRECTORY ${{CMAKE_BINARY_DIR}}/{program.folder})\n"
    text += "\nvellum_add_archive(archive"
    for word, folder in (("PROGRAMS", "bin"), ("TESTS", "test")):
        targets = [program.target for program in programs if program.folder == folder]
        text += f" {word} {' '.join(targets)}" if targets else ""
    return text + ")\n"


def write_if_new(path, text):
    """Writes a file that does not say so already; True if it did not."""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            if file.read() == text:
                return False
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return True


def call(*line):
    """Runs a tool whose words matter only if it fails."""
    done = subprocess.run(
        line, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    if done.returncode:
        raise Problem(f"{' '.join(line)} failed:\n{done.stdout.rstrip()}")


def said(text):
    """What the compiler said, out of what Ninja prints."""
    lines, command_follows = [], False
    for line in text.splitlines():
        if command_follows or NINJA.match(line):
            command_follows = line.startswith("FAILED: ")
        else:
            lines.append(line)
    return "\n".join(lines)


def make(build, programs, compiler, optimise):
    """Builds the archive; returns its path."""
    folder = os.path.join(build, "programs")
    installed = os.path.join(build, "installed")
    os.makedirs(folder, exist_ok=True)
    call("cmake", "--install", build, "--prefix", installed)
    new = write_if_new(os.path.join(folder, "CMakeLists.txt"), project(programs, optimise))
    if new or not os.path.exists(os.path.join(folder, "build.ninja")):
        call(
            "cmake", "-G", "Ninja", "-S", folder, "-B", folder, f"-DVELLUM_COMPILER={compiler}",
            "--toolchain", os.path.join(installed, "lib/cmake/Vellum/VellumToolchain.cmake"),
        )  # fmt: skip
    done = subprocess.run(
        ["cmake", "--build", folder], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    words = said(done.stdout)
    if words:
        print(words, file=sys.stderr)
    if done.returncode:
        raise Problem("not started: mend what the compiler says above")
    return os.path.join(folder, "archive.cpio")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, help="a build of the tree")
    parser.add_argument("--compiler", default="gcc", choices=("gcc", "clang"))
    parser.add_argument("--optimise", default="-Og", help="the compiler's option")
    parser.add_argument("--program", dest="programs", action="append", default=[])
    parser.add_argument("--test", dest="tests", action="append", default=[])
    chosen = parser.parse_args()
    chosen.build = os.path.abspath(chosen.build)  # CMake runs in it
    programs = [parse("--program", text) for text in chosen.programs]
    programs += [parse("--test", text) for text in chosen.tests]
    check_names(programs, members(chosen.build), shell_commands())
    print(make(chosen.build, programs, chosen.compiler, chosen.optimise))


if __name__ == "__main__":
    try:
        main()
    except Problem as problem:
        sys.exit(f"run: {problem}")
