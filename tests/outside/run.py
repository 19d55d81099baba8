#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Installs Vellum, moves it, and lets the project in this folder build and boot with it.

usage: run.py [--build build/rv64-debug]     exit status 0: all is as expected
Everything is made in build/outside.
"""

import argparse
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

# What its programs print, and two that the installed archive holds.
WANTED = (
    "greetings from outside",
    "calls answer 0",
    "100000 terms: 3.14158265, off by 1.0e-05",
    "Hello from user mode.",
    "a thread made 2.5 of 5",
    "a copy of me wrote to 0x2000000000",
)


def call(*line):
    """(status, everything said) of a command."""
    print("  " + " ".join(os.path.relpath(w, ROOT) if os.path.isabs(w) else w for w in line))
    done = subprocess.run(
        line, cwd=ROOT, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def must(*line):
    """What a command that has to succeed says."""
    status, text = call(*line)
    if status:
        sys.exit(f"{text}\noutside: status {status}")
    return text


def names_inside(folder, *words):
    """Text files below a folder that hold one of the words."""
    for path, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(path, name), "rb") as file:
                data = file.read()
            if b"\0" not in data and any(word.encode() in data for word in words):
                yield os.path.join(path, name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "rv64-debug"))
    build = os.path.abspath(parser.parse_args().build)
    place = os.path.join(ROOT, "build", "outside")
    first, moved, project = (os.path.join(place, name) for name in ("first", "moved", "build"))
    toolchain = os.path.join(moved, "lib", "cmake", "Vellum", "VellumToolchain.cmake")
    shutil.rmtree(place, ignore_errors=True)
    must("cmake", "--install", build, "--prefix", first)
    os.rename(first, moved)
    bound = list(names_inside(moved, ROOT, build, first))
    if bound:
        sys.exit(f"outside: not to be moved, for it names where it was made: {bound}")

    configure = ("cmake", "-G", "Ninja", "-S", HERE, "-B")
    status, text = call(*configure, os.path.join(place, "native"), f"-DCMAKE_PREFIX_PATH={moved}")
    if status == 0 or f"cmake --toolchain {toolchain}" not in text:
        sys.exit(f"{text}\noutside: a native build must be refused, with the toolchain's name")
    must(*configure, project, "--toolchain", toolchain)
    must("cmake", "--build", project)
    text = must("cmake", "--build", project, "--target", "check")
    missing = [words for words in WANTED if words not in text]
    if missing:
        sys.exit(f"{text}\noutside: this was not said: {missing}")
    print("outside: built elsewhere, booted, and said what it must")


if __name__ == "__main__":
    main()
