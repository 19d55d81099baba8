#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Everything scripts/test checks, step after step, with a summary at the end.

A step returns counts (passed, failed, skipped) and shows what went wrong; a step that cannot run
here says why and counts as skipped. The last line of all is "N passed, N failed".
"""

import argparse
import concurrent.futures
import dataclasses
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rooms  # noqa: E402

ROOT = rooms.ROOT
CLANG_FORMAT_VERSION = 14
OUTPUT_BYTES = "100000"  # kept of a test that passes: it may say at its start what it skips
BOARD_UBOOT = "build/tools/board-trees/u-boot/hifive-unleashed.bin"
CORES = os.cpu_count() or 1
SKIP = re.compile(r"^\[SKIP\] [^ ]+: (.+)$", re.MULTILINE)
SYNTHESIS = re.compile(r"Tested: (\d+) \| Passing: (\d+) \| Failing: (\d+) \| Crashing: (\d+)")


@dataclasses.dataclass
class Count:
    """What a step found."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    note: str = ""


def command(*line, keep=60):
    """Runs a command; shows the end of what it printed if it fails. True if it succeeded."""
    done = subprocess.run(
        line, cwd=ROOT, text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    if done.returncode:
        print("\n".join(done.stdout.rstrip().splitlines()[-keep:]))
    return done.returncode == 0


def one(passed, note=""):
    return Count(1, 0, 0, note) if passed else Count(0, 1, 0, note)


def skip(why):
    return Count(skipped=1, note=why)


def build(preset):
    """Configures and builds a preset."""
    configured = command("cmake", "--preset", preset)
    return configured and command("cmake", "--build", "--preset", preset, "-j", str(CORES))


def step_build(preset):
    return lambda: one(build(preset))


def count_of_case(case):
    """The tests inside one CTest entry: Criterion's own count, or one."""
    output = case.findtext("system-out") or ""
    failed = case.get("status") != "run"
    counts = SYNTHESIS.search(output)
    if not counts:
        return one(not failed)
    _, passing, failing, crashing = map(int, counts.groups())
    return Count(passing, max(failing + crashing, int(failed)), len(SKIP.findall(output)))


def show_skips(cases):
    """Says what host tests did not look at, and why."""
    whys = [why for case in cases for why in SKIP.findall(case.findtext("system-out") or "")]
    for why in sorted(set(whys)):
        print(f"  skipped {whys.count(why)}: {why}")


def step_host(preset):
    """Builds and runs the host tests of a preset."""

    def run():
        if not build(preset):
            return Count(failed=1, note="does not build")
        report = os.path.join(ROOT, "build", preset, "ctest.xml")
        if os.path.exists(report):
            os.remove(report)
        options = ["-j", str(CORES), "--test-output-size-passed", OUTPUT_BYTES]
        command("ctest", "--preset", preset, *options, "--output-junit", report, keep=200)
        if not os.path.exists(report):
            return Count(failed=1, note="ctest gave no report")
        cases = list(xml.etree.ElementTree.parse(report).getroot().iter("testcase"))
        if not cases:
            return skip("no tests in this preset")
        counts = [count_of_case(case) for case in cases]
        show_skips(cases)
        skipped = sum(c.skipped for c in counts)
        note = f"{skipped} skipped" if skipped else ""
        return Count(sum(c.passed for c in counts), sum(c.failed for c in counts), skipped, note)

    return run


def step_fuzz():
    """The fuzz targets, which want libFuzzer."""
    if not shutil.which("clang"):
        return skip("clang is not installed")
    return step_host("host-fuzz")()


def step_script(*line):
    return lambda: one(command(sys.executable, *line))


def step_format():
    tool = shutil.which(f"clang-format-{CLANG_FORMAT_VERSION}") or shutil.which("clang-format")
    if not tool:
        return skip("clang-format is not installed")
    text = subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"version (\d+)", text)
    if not version or int(version[1]) != CLANG_FORMAT_VERSION:
        return skip(f"clang-format {CLANG_FORMAT_VERSION} is needed, this is {text.strip()}")
    return one(command(tool, "--dry-run", "-Werror", *rooms.tree_files(".c", ".h")))


def step_shellcheck():
    if not shutil.which("shellcheck"):
        return skip("shellcheck is not installed")
    scripts = [path for path in rooms.tree_files() if is_shell(path)]
    return one(command("shellcheck", "-x", *scripts))


def is_shell(path):
    with open(os.path.join(ROOT, path), "rb") as file:
        first = file.readline()
    return path.endswith(".sh") or (first.startswith(b"#!") and first.rstrip().endswith(b"sh"))


def step_tidy():
    """clang-tidy over the sources of the host build, by its compile database."""
    if not shutil.which("clang-tidy"):
        return skip("clang-tidy is not installed")
    database = os.path.join(ROOT, "build", "host-debug")
    with open(os.path.join(database, "compile_commands.json"), encoding="utf-8") as file:
        sources = sorted({entry["file"] for entry in json.load(file)})
    ours = [path for path in sources if tidy_wanted(os.path.relpath(path, ROOT))]

    def tidy(path):
        return command("clang-tidy", "--quiet", "-p", database, path)

    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        results = list(pool.map(tidy, ours))
    return Count(results.count(True), results.count(False))


def tidy_wanted(path):
    return path.startswith(("lib/", "mm/", "arch/", "kernel/"))


def step_documents():
    """Generated documents are those the sources give."""
    if not os.path.exists(os.path.join(ROOT, "scripts", "gen_syscalls.py")):
        return skip("there is no generator yet")
    return one(command(sys.executable, "scripts/gen_syscalls.py", "--check"))


def step_qemu(full):
    def run():
        sys.path.insert(0, os.path.join(ROOT, "tests", "qemu"))
        import runner  # pylint: disable=import-outside-toplevel

        configurations = runner.choose(full, [])
        if not os.path.exists(runner.QEMU72):
            print("  QEMU 7.2 is not here (only Debian 12 has it); its configurations are left out")
            configurations = [c for c in configurations if c.boot.qemu != runner.QEMU72]
        for lost in [c for c in configurations if c.boot.tree and not os.path.exists(c.boot.tree)]:
            print(f"  the device tree of {lost.name} is not here; it is left out")
            configurations.remove(lost)
        verdicts = runner.run_all(configurations)
        passed, failed, skipped = runner.totals(verdicts)
        good = sum(not verdict.failures for verdict in verdicts)
        return Count(passed, failed, skipped, f"{good} of {len(verdicts)} configurations")

    return run


def step_sessions(*names, tool=None, fetched=None, more=()):
    """Session scripts of tests/qemu, by name; some need a tool, or a file that only scripts/setup
    --for full fetches, or are told more than the build."""

    def run():
        if tool and not shutil.which(tool):
            return skip(f"{tool} is not installed")
        if fetched and not os.path.exists(os.path.join(ROOT, fetched)):
            return skip(f"{fetched} is not here; scripts/setup --for full fetches it")
        sys.path.insert(0, os.path.join(ROOT, "tests", "qemu"))
        modules = [importlib.import_module(name) for name in names]
        build_dir = os.path.join(ROOT, "build", "rv64-debug")
        counts = [Count(*module.run_all(build_dir, *more)) for module in modules]
        return Count(sum(c.passed for c in counts), sum(c.failed for c in counts))

    return run


def steps(quick, full):
    """(name, function) of every step that is to run."""
    yield "host tests", step_host("host-debug")
    yield "host tests, sanitizers", step_host("host-asan")
    if any(path.startswith("tests/host/race_") for path in rooms.tree_files(".c")):
        yield "host races, thread sanitizer", step_host("host-tsan")
    yield "include rules", step_script("scripts/check_layers.py")
    yield "headers alone", step_script("scripts/check_headers.py")
    yield "texts", step_script("scripts/check_text.py")
    yield "formatting", step_format
    yield "shell scripts", step_shellcheck
    yield "generated documents", step_documents
    yield "the benchmark's judgement", step_script("tests/scripts/test_bench.py")
    yield "the benchmark's machines", step_script("tests/scripts/test_bench_machine.py")
    yield "the benchmark's document", step_script("scripts/bench", "--check-documents")
    yield "choice of configurations", step_script("tests/qemu/pairwise.py")
    yield "trace scripts", step_script("tests/scripts/test_trace.py")
    yield "the self-test's table", step_script("tests/scripts/test_selftest.py")
    if not quick:
        yield "fuzzing", step_fuzz
        yield "clang-tidy", step_tidy
        yield "protocol models", step_script("tests/spin/run.py")
        yield "build, debug", step_build("rv64-debug")
        yield "build, release", step_build("rv64-release")
        yield "build, Clang", step_build("rv64-clang")
        yield "benchmark", step_script("scripts/bench", "--build", "build/rv64-release")
        yield "programs from anywhere", step_script("tests/scripts/test_programs.py")
        yield "images for boards", step_script("tests/scripts/test_image.py")
        yield "a project elsewhere", step_script("tests/outside/run.py")
        yield "QEMU", step_qemu(full)
        yield "QEMU, shell", step_sessions("session_shell", "session_spaces")
        yield "QEMU, reboot", step_sessions("session_reboot")
        yield "QEMU, console input", step_sessions("session_input")
        yield "QEMU, self-test", step_sessions("session_selftest")
        yield "QEMU, panics", step_sessions("session", tool="gdb-multiarch")
        yield "QEMU, U-Boot", step_sessions("session_uboot", more=[full])
        yield "QEMU, a board's U-Boot", step_sessions("session_board", fetched=BOARD_UBOOT)
        yield "QEMU, gdb and reports", step_sessions("session_gdb", tool="gdb-multiarch")


def run_step(name, function):
    started = time.monotonic()
    print(f"== {name}", flush=True)
    count = function()
    seconds = time.monotonic() - started
    word = "FAILED" if count.failed else "skipped" if not count.passed else "passed"
    note = f": {count.note}" if count.note else ""
    print(f"   {word}{note} ({seconds:.0f} s)", flush=True)
    return name, word, count, seconds


def summary(results):
    print("\n== summary")
    for name, word, count, seconds in results:
        numbers = f"{count.passed:5} passed {count.failed:3} failed"
        print(f"  {word:8}{name:30}{numbers}  {seconds:4.0f} s  {count.note}")
    passed = sum(count.passed for _, _, count, _ in results)
    failed = sum(count.failed for _, _, count, _ in results)
    print(f"  in all {sum(seconds for *_, seconds in results):.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--full", action="store_true")
    chosen = parser.parse_args()
    return summary([run_step(*step) for step in steps(chosen.quick, chosen.full)])


if __name__ == "__main__":
    sys.exit(main())
