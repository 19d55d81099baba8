#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boots Vellum in one QEMU configuration after another and judges what its test programs print.

Each configuration boots with "-- test": init runs every program test/t_*, each of which prints TAP.
A configuration passes when every plan is kept, no point fails, init's status is 0, and the console
holds each text that a test announced with a line "# expect-log: TEXT" (reports of the kernel,
which a program cannot see itself).

usage: runner.py [--full] [--only WORD]... [--list] [--timeout S]   (scripts/test builds first)
"""

import argparse
import concurrent.futures
import contextlib
import dataclasses
import os
import re
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import configurations  # noqa: E402
import qemu as vellum_qemu  # noqa: E402

QEMU72 = configurations.QEMU72

CORES = os.cpu_count() or 1

TAP_PLAN = re.compile(r"^1\.\.(\d+)(?:\s*#.*)?$")
TAP_POINT = re.compile(r"^(ok|not ok)\b(.*)$")
TAP_EXCUSED = re.compile(r"#\s*(skip|todo)", re.IGNORECASE)
EXPECT_LOG = re.compile(r"^\s*# expect-log: (.*\S)\s*$")


@dataclasses.dataclass
class Verdict:
    """What became of one configuration."""

    name: str
    passed: int = 0
    skipped: int = 0
    failures: list = dataclasses.field(default_factory=list)
    seconds: float = 0.0
    log_path: str = ""


class Tap:
    """Reads TAP 14 with one level of subtests: each program is a point, its own lines are indented.

    A program's point says that it ended well, leaked nothing and left the kernel in order; when it
    fails after points of its own that fail, only those are counted.
    """

    def __init__(self, verdict):
        self.verdict = verdict
        self.planned = {0: None, 1: None}
        self.seen = {0: 0, 1: 0}
        self.failed_inside = False
        self.explaining = False
        self.remarks = []

    def read(self, lines):
        for line in lines:
            self.line(1 if line.startswith("    ") else 0, line.strip())
        if self.seen[0] == 0:
            self.fail("no test printed anything")
        self.close(0, "the run")

    def fail(self, text):
        self.verdict.failures.append(text)
        self.explaining = True

    def line(self, level, text):
        plan, point = TAP_PLAN.match(text), TAP_POINT.match(text)
        if plan:
            self.planned[level] = int(plan[1])
        elif point:
            self.point(level, text, point[1] == "ok", bool(TAP_EXCUSED.search(point[2])))
        elif text.startswith("Bail out!"):
            self.fail(text)
        elif text.startswith("# Subtest"):
            self.explaining = False
        elif text.startswith("# ") and self.explaining:
            self.verdict.failures.append(f"  {text}")
        elif text.startswith("# "):
            self.remarks.append(f"  {text}")

    def point(self, level, text, passed, excused):
        self.explaining = False
        self.seen[level] += 1
        if level == 0:
            self.close(1, text)
        if excused:
            self.verdict.skipped += 1
        elif passed:
            self.verdict.passed += 1
        elif level == 1 or not self.failed_inside:
            self.fail(text)
            self.verdict.failures += self.remarks if level == 0 else []
        self.remarks = []
        self.failed_inside = level == 1 and (self.failed_inside or not (passed or excused))

    def close(self, level, what):
        """Holds a finished level to its plan; a program may have none if it printed no point."""
        planned, seen = self.planned[level], self.seen[level]
        if seen != (planned or 0):
            self.fail(f"{what}: {planned or 0} tests were planned, {seen} reported")
        self.planned[level], self.seen[level] = None, 0


def read_expectations(chosen, result, verdict):
    """What was announced, and what the boot must report, has to be on the console."""
    for pattern in chosen.expected_log():
        if not any(re.search(pattern, line) for line in result.console):
            verdict.failures.append(f"the boot report has no line like: {pattern}")
    console = [line for line in result.console if not EXPECT_LOG.match(line)]
    for line in result.output:
        wanted = EXPECT_LOG.match(line)
        if wanted and not any(wanted[1] in said for said in console):
            verdict.failures.append(f"the console does not say: {wanted[1]}")


def run(chosen, timeout_s):
    """Boots one configuration and judges it."""
    verdict = Verdict(chosen.name)
    started = time.monotonic()
    verdict.log_path = os.path.join(ROOT, "build", "qemu-tests", f"{chosen.name}.log")
    os.makedirs(os.path.dirname(verdict.log_path), exist_ok=True)
    try:
        result = vellum_qemu.run_commands(chosen.boot, verdict.log_path, timeout_s)
    except vellum_qemu.Problem as problem:
        verdict.failures.append(str(problem))
        return verdict
    Tap(verdict).read(result.output)
    read_expectations(chosen, result, verdict)
    if result.why:
        verdict.failures.append(result.why)
        verdict.failures += [f"  | {line}" for line in vellum_qemu.console_end(result, 40)]
    elif result.status != 0:
        verdict.failures.append(f"init's status is {result.status}")
    verdict.seconds = time.monotonic() - started
    return verdict


def show(verdict):
    word = "FAILED" if verdict.failures else "passed"
    skipped = f", {verdict.skipped} skipped" if verdict.skipped else ""
    print(f"  qemu {verdict.name}: {word}, {verdict.passed} ok{skipped} ({verdict.seconds:.0f} s)")
    for failure in verdict.failures:
        print(f"      {failure}")
    if verdict.failures and verdict.seconds:
        print(f"      console: {os.path.relpath(verdict.log_path, ROOT)}")
    sys.stdout.flush()


class Cores:
    """The host's cores, as far as machines keep them busy.  They are given out in the order in which
    they were asked for: one that wants two would wait for ever beside those that want one."""

    def __init__(self, count):
        self.free = count
        self.last = self.turn = 0
        self.changed = threading.Condition()

    @contextlib.contextmanager
    def taken(self, count):
        with self.changed:
            ticket, self.last = self.last, self.last + 1
            self.changed.wait_for(lambda: self.turn == ticket and self.free >= count)
            self.free -= count
            self.turn += 1
            self.changed.notify_all()
        try:
            yield
        finally:
            with self.changed:
                self.free += count
                self.changed.notify_all()


def run_all(chosen, timeout_s=300.0):
    """Runs the configurations, as many at once as there are cores, those that need several first, and
    the slow ones; shows each as it ends; returns the verdicts."""
    cores, verdicts = Cores(CORES), []

    def run_with_cores(one):
        with cores.taken(one.boot.busy_cores):
            return run(one, timeout_s)

    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        order = sorted(chosen, key=lambda one: (-one.boot.busy_cores, -one.boot.harts))
        waiting = [pool.submit(run_with_cores, one) for one in order]
        for done in concurrent.futures.as_completed(waiting):
            verdicts.append(done.result())
            show(verdicts[-1])
    return verdicts


def totals(verdicts):
    """(passed, failed, skipped) over all: a configuration that breaks off fails once at least."""
    failed = sum(
        max(1, sum(text.startswith("not ok") for text in verdict.failures))
        for verdict in verdicts
        if verdict.failures
    )
    return sum(v.passed for v in verdicts), failed, sum(v.skipped for v in verdicts)


def choose(full, words):
    """The configurations of a list whose names contain one of the words."""
    every = configurations.chosen(full)
    return [one for one in every if not words or any(word in one.name for word in words)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="the whole matrix")
    parser.add_argument("--only", action="append", default=[], help="names that contain this")
    parser.add_argument("--list", action="store_true", help="only print the names")
    parser.add_argument("--timeout", type=float, default=300.0, help="hang detector, seconds")
    chosen = parser.parse_args()
    matching = choose(chosen.full, chosen.only)
    if not matching:
        sys.exit("runner: no name contains what --only gave; --list shows them")
    if chosen.list:
        print("\n".join(one.name for one in matching))
        return 0
    passed, failed, _ = totals(run_all(matching, chosen.timeout))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
