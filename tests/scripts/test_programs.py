#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What scripts/run does with --program and --test, without a boot.

usage: test_programs.py [--build build/rv64-debug]     exit status 0: all is as expected
"""

import argparse
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts", "lib"))
import programs  # noqa: E402

GOOD = "#include <stdio.h>\n\nint main(void)\n{\n    puts(WORDS);\n}\n"

# Options, and the words of the answer to them. The files are there but for the one that is named so.
REFUSED = {
    "a missing file": (["--program", "absent.c"], "absent.c: there is no such file"),
    "no C file": (["--program", "good.cpp"], "whose names end in .c"),
    "a directory": (["--program", "folder"], "folder is a directory: name its files"),
    "blanks in the name": (["--program", "two words.c"], "--program 'two_words=two words.c'"),
    "a long name": (["--program", "x" * 32 + ".c"], f"--program '{'x' * 31}={'x' * 32}.c'"),
    "several files without a name": (["--program", "good.c,part.c"], "--program NAME=good.c,part.c"),
    "one program twice": (["--program", "good.c", "--program", "./good.c"], "would both be bin/good"),
    "one that is there": (["--program", "hello.c"], "hello.c would be bin/hello, which Vellum brings"),
    "the shell's command": (["--program", "free.c"], "name it with --program 'my_free=free.c'"),
    "a test that is there": (["--test", "t_handles.c"], "would be test/t_handles, which Vellum brings"),
    "a semicolon": (["--program", "semi;colon.c"], "CMake would misread ';'"),
}


class Programs(unittest.TestCase):
    """Each test has a folder with C files of its own."""

    tree = os.path.join(ROOT, "build", "rv64-debug")  # the build of the tree

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name
        os.mkdir(os.path.join(self.folder, "folder"))
        os.mkdir(os.path.join(self.folder, "a folder"))

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def run_tool(self, *options):
        """(status, archive's path, what was said) of scripts/lib/programs.py."""
        done = subprocess.run(
            [sys.executable, os.path.join(ROOT, "scripts", "lib", "programs.py"), "--build",
             self.tree, *options],
            cwd=self.folder, text=True, capture_output=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout.strip(), done.stderr

    def build(self, *options):
        status, archive, words = self.run_tool(*options)
        self.assertEqual(status, 0, words)
        with open(archive, "rb") as file:
            return archive, programs.mkcpio.read(file.read()), words

    def test_commands_of_the_shell_are_found(self):
        self.assertLessEqual({"help", "run", "test", "poweroff"}, programs.shell_commands())

    def test_archives_are_read_as_they_were_written(self):
        with open(os.path.join(self.tree, "initrd.cpio"), "rb") as file:
            data = file.read()
        members = programs.mkcpio.read(data)
        self.assertEqual(programs.mkcpio.archive(members), data)
        for cut in (0, 1, 109, 110, 300, len(data) - 20, len(data) - 125):
            self.assertRaises(ValueError, programs.mkcpio.read, data[:cut])

    def test_refused(self):
        for name in ("two words", "x" * 32, "good", "part", "hello", "free", "t_handles", "semi;colon"):
            self.write(f"{name}.c", GOOD)
        self.write("good.cpp", GOOD)
        for what, (options, answer) in REFUSED.items():
            with self.subTest(what):
                status, archive, words = self.run_tool(*options)
                self.assertEqual((status, archive), (1, ""))
                self.assertIn(answer, words)

    def test_builds_beside_what_is_there(self):
        self.write("a folder/mine.c", GOOD.replace("WORDS", '"these words"'))
        self.write("t_mine.c", '#include "user/tap.h"\nint main(void)\n{\n    return tap_done();\n}\n')
        _, members, words = self.build("--program", "a folder/mine.c", "--test", "t_mine.c")
        self.assertEqual(words, "")
        self.assertIn(b"these words", members["bin/mine"][1])
        self.assertEqual(members["bin/mine"][0], programs.mkcpio.MODE_PROGRAM)
        self.assertIn("test/t_mine", members)
        self.assertLess(programs.members(self.tree), set(members))

    def test_a_build_may_be_named_from_here(self):
        self.write("mine.c", GOOD.replace("WORDS", '"mine"'))
        _, members, _ = self.build("--program", "mine.c", "--build", os.path.relpath(self.tree, self.folder))
        self.assertIn("bin/mine", members)

    def test_names_that_mean_something_to_ninja(self):
        self.write("part.c", GOOD.replace("WORDS", '"part"'))
        _, members, _ = self.build("--program", "all=part.c", "--program", "clean=part.c")
        self.assertLess({"bin/all", "bin/clean"}, set(members))

    def test_several_files(self):
        self.write("first.c", "int second(void);\n\nint main(void)\n{\n    return second();\n}\n")
        self.write("second.c", "int second(void)\n{\n    return 2;\n}\n")
        _, members, _ = self.build("--program", "both=first.c,second.c")
        self.assertIn("bin/both", members)
        status, _, words = self.run_tool("--program", "first.c")
        self.assertEqual(status, 1)
        self.assertIn("undefined reference to `second'", words)

    def test_errors_are_the_compilers_and_can_be_mended(self):
        self.write("mine.c", GOOD)
        status, archive, words = self.run_tool("--program", "mine.c")
        self.assertEqual((status, archive), (1, ""))
        self.assertIn("mine.c:5:10: error: 'WORDS' undeclared", words)
        self.assertTrue(words.endswith("run: not started: mend what the compiler says above\n"))
        self.assertNotIn("ninja", words)
        self.assertNotIn("-march", words)
        self.write("mine.c", GOOD.replace("WORDS", '"mended"'))
        _, members, _ = self.build("--program", "mine.c")
        self.assertIn(b"mended", members["bin/mine"][1])

    def test_warnings_are_shown_and_do_not_matter(self):
        self.write("mine.c", "int main(void)\n{\n    int unused;\n}\n")
        _, _, words = self.build("--program", "mine.c")
        self.assertIn("warning: unused variable", words)

    def test_the_second_time_nothing_is_made(self):
        self.write("mine.c", GOOD.replace("WORDS", '"mine"'))
        archive, _, _ = self.build("--program", "mine.c")
        before = os.stat(archive).st_mtime_ns
        self.build("--program", "mine.c")
        self.assertEqual(os.stat(archive).st_mtime_ns, before)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=Programs.tree)
    chosen, rest = parser.parse_known_args()
    Programs.tree = os.path.abspath(chosen.build)
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
