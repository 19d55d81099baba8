#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the models of this directory under spin. docs/coherence.md tells what they show.

Three kinds of runs. "holds": the whole state space is searched and nothing is wrong; a search that
was cut short fails, and so does a statement that no such run of its model reaches. "bites": one step of a protocol is taken out, and pan must find the error that is expected.
"reach": pan must find that a state which ought to be possible is. Every switch in the models must
have a run that bites. The last line is "N passed, N failed".
"""

import argparse
import concurrent.futures
import dataclasses
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
MODELS = ("lock", "word", "quiescence")
SECONDS_MAX = 1800  # detects a hang; a run takes seconds
MEMORY_MIB = 12000

# Operations of lock.pml.
OPS = (
    "page look table span half move back near nested move-half back-half page4 page2".split()
)  # fmt: skip


def ops(*harts):
    """Which operations each hart of lock.pml may do."""
    sets = [sum(1 << OPS.index(name) for name in hart.split()) for hart in harts]
    return " ".join(f"OPS_{hart}={bits}" for hart, bits in enumerate(sets))


# Configurations: definitions of the model, and the depth of the search.
CONFIGURATIONS = {
    "detach": ("lock", ops("page look", "half span", "table"), 2_000_000),
    "move": ("lock", ops("page page4", "table move", "back table"), 2_000_000),
    "nested": ("lock", ops("page nested", "nested table", "near page"), 2_000_000),
    "near": ("lock", ops("page nested", "page move", "near back"), 2_000_000),
    "half": ("lock", ops("page", "move-half", "back-half"), 2_000_000),
    "apart": ("lock", ops("page", "page2", "page4") + " LEAVES=3", 2_000_000),
    "half-full": ("lock", ops("page", "page4", "move-half back-half half"), 8_000_000),
    "no-asids": ("word", "NO_ASIDS SPACES=2 ROUNDS=2", 500_000),
    "no-asids-full": ("word", "NO_ASIDS SPACES=2 ROUNDS=2 DISPATCHERS=7", 500_000),
    "one-space": ("word", "SPACES=1 ROUNDS=2", 500_000),
    "two-spaces": ("word", "SPACES=2 ROUNDS=1 DISPATCHERS=1", 500_000),
    "two-rounds": ("word", "SPACES=2 ROUNDS=2", 500_000),
    "asid-reuse": (
        "word", "SPACES=3 ROUNDS=1 DISPATCH=0 ROLLOVERS=1 SWITCHES=2 OTHERS=1", 10_000,
    ),
    "asid-unmap": (
        "word", "SPACES=2 ROUNDS=1 DISPATCHERS=1 ROLLOVERS=1 SWITCHES=2 OTHERS=1", 10_000,
    ),
    "asid-twice": (
        "word", "SPACES=3 ROUNDS=1 DISPATCH=0 ROLLOVERS=2 SWITCHES=1 OTHERS=1", 10_000,
    ),
    "kernel": ("quiescence", "", 500_000),
}  # fmt: skip

# (configuration, switch that is no fault: another protocol that works, or "")
HOLDS = (
    ("detach", ""), ("move", ""), ("nested", ""), ("near", ""), ("half", ""), ("apart", ""),
    ("no-asids", ""), ("one-space", ""), ("two-spaces", ""),
    ("asid-reuse", ""), ("asid-unmap", ""), ("asid-twice", ""), ("asid-unmap", "FENCE_PER_ASID"),
    ("kernel", ""),
)  # fmt: skip
HOLDS_FULL = (
    ("half-full", ""), ("no-asids-full", ""), ("two-rounds", ""), ("asid-reuse", "FENCE_PER_ASID"),
    ("asid-twice", "FENCE_PER_ASID"),
)  # fmt: skip

# What pan must complain of.
OVERLAP, ELSEWHERE, NOT_HELD, CIRCLE = "owned", "at==", "held", "invalid end state"
STALE, FOREIGN, INTERRUPTED, FREED = "forbidden", "& ~", "targets", "state[t]"

BITES = (
    ("detach", "NO_STRAY_CHECK", ELSEWHERE),
    ("detach", "NO_CHECK_WHEN_LINKING", ELSEWHERE),
    ("detach", "CHILDREN_NOT_LOCKED", NOT_HELD),
    ("detach", "CHILD_BEFORE_PARENT", NOT_HELD),
    ("move", "NO_PLACE_CHECK", ELSEWHERE),
    ("move", "CHECK_BEFORE_LOCK", OVERLAP),
    ("move", "ARGUMENT_ORDER", CIRCLE),
    ("nested", "RANGE_BY_RANGE", CIRCLE),
    ("half", "MOVE_TOP_ONLY", ELSEWHERE),
    ("no-asids", "WORD_BEFORE_ENTRY", STALE),
    ("no-asids", "JOIN_AFTER_SATP", STALE),
    ("no-asids", "LEAVE_BEFORE_SATP", STALE),
    ("no-asids", "LEAVE_BEFORE_FENCE", STALE),
    ("no-asids", "FENCE_BEFORE_SATP", FOREIGN),
    ("no-asids", "NO_SWITCH_FENCE", FOREIGN),
    ("no-asids", "NO_LEAVE", INTERRUPTED),
    ("no-asids", "FLUSH_AFTER_UNLOCK", STALE),
    ("no-asids", "FREE_BEFORE_FLUSH", STALE),
    ("no-asids", "NO_LOCAL_FENCE", STALE),
    ("no-asids", "NO_REMOTE_FENCE", STALE),
    ("two-rounds", "WORD_BEFORE_ENTRY", STALE),
    ("two-rounds", "JOIN_AFTER_SATP", STALE),
    ("two-rounds", "LEAVE_BEFORE_SATP", STALE),
    ("two-rounds", "NO_JOIN_FENCE", STALE),
    ("two-rounds", "FENCE_AFTER_SATP", STALE),
    ("two-rounds", "NO_GENERATION", STALE),
    ("two-rounds", "SPLIT_DISPATCH", STALE),
    ("two-rounds", "SPLIT_LEAVE", STALE),
    ("two-rounds", "FREE_BEFORE_FLUSH", STALE),
    ("two-rounds", "FLUSH_AFTER_UNLOCK", STALE),
    ("asid-unmap", "ASID_BEFORE_WORD", STALE),
    ("asid-unmap", "SCAN_BEFORE_BUMP", STALE),
    ("asid-unmap", "ASID_CHANGED_WHILE_RUNNING", FOREIGN),
    ("asid-unmap", "NO_ROLLOVER_FLUSH", FOREIGN),
    ("asid-unmap", "FLUSH_CHECK_BEFORE_ASID", FOREIGN),
    ("asid-twice", "CARRY_ANY", FOREIGN),
    ("asid-reuse", "ONE_ROLLOVER_COUNTER", FOREIGN),
    ("kernel", "NO_COUNT", FREED),
    ("kernel", "NO_KERNEL_ENTRY_FENCE", FREED),
    ("kernel", "EVEN_BEFORE_LAST_DESCENT", FREED),
    ("kernel", "NO_DETACH_FENCE", FREED),
    ("kernel", "SNAPSHOT_BEFORE_DETACH", FREED),
    ("kernel", "ANY_COUNTER_WILL_DO", FREED),
    ("kernel", "FREE_WITHOUT_QUIESCENCE", FREED),
)
REACHES = (
    ("apart", "REACH_SIDE_BY_SIDE", "owned"),
    ("two-rounds", "REACH_STALE_HART", "violated 0"),
    ("kernel", "REACH_FREE_WHILE_ASLEEP", "asleep"),
)


@dataclasses.dataclass
class Run:
    """One model, once."""

    kind: str
    configuration: str
    switch: str
    expected: str = ""


@dataclasses.dataclass
class Verdict:
    """What became of it."""

    run: Run
    complaint: str
    line: str
    reached: set
    unreached: set


def all_runs(full):
    for configuration, switch in HOLDS + (HOLDS_FULL if full else ()):
        yield Run("holds", configuration, switch)
    for kind, table in (("bites", BITES), ("reach", REACHES)):
        for configuration, switch, expected in table:
            yield Run(kind, configuration, switch, expected)


def pan(run, room):
    """Builds and runs a verifier in the directory `room`: its table of statements, its report."""
    model, definitions, depth = CONFIGURATIONS[run.configuration]
    flags = [f"-D{word}" for word in f"{definitions} {run.switch}".split()]
    optimise = "-O2" if run.kind == "holds" else "-O1"  # the others end after a moment
    build = ["gcc", optimise, "-w", "-DSAFETY", f"-DMEMLIM={MEMORY_MIB}", "-o", "pan", "pan.c"]
    source = os.path.join(HERE, f"{model}.pml")
    outputs = []
    for line in (["spin", *flags, "-a", source], build, ["./pan", "-d"], ["./pan", f"-m{depth}"]):
        done = subprocess.run(
            line, cwd=room, text=True, stdin=subprocess.DEVNULL, timeout=SECONDS_MAX,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        if done.returncode:
            return "", f"{' '.join(line)} ended with {done.returncode}\n{done.stdout}"
        outputs.append(done.stdout)
    return outputs[2], outputs[3]


def statements(table, output):
    """(reached, not reached), of all statements that `table` lists: each as "LINE" or "LINE else"."""
    missed = {(row[1], row[0]) for row in re.findall(r"\.pml:(\d+), state (\d+), ", output)}
    reached, unreached = set(), set()
    for state, line, text in re.findall(r"state +(\d+) -.*\.pml:(\d+) => (.*)", table):
        name = f"{line} else" if text == "else" else line
        (unreached if (state, line) in missed else reached).add(name)
    return reached, unreached


def complaint_about(run, output):
    """Why the run has failed, or nothing."""
    errors = re.search(r"errors: (\d+)", output)
    if not errors:
        return output.strip() or "pan said nothing"
    first = re.search(r"^pan:1: (.*)$", output, re.M)
    if run.kind == "holds":
        if first:
            return first[1]
        if "not completed" in output or "max search depth too small" in output:
            return "the search was cut short"
        return "" if errors[1] == "0" else "errors without a word"
    if not first:
        return "pan finds no error"
    return "" if run.expected in first[1] else f"another error than expected: {first[1]}"


def perform(run):
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vellum-spin-") as room:
        try:
            table, output = pan(run, room)
        except subprocess.TimeoutExpired:
            table, output = "", f"no end after {SECONDS_MAX} s"
    complaint = complaint_about(run, output)
    states = re.search(r"(\d+) states, stored", output)
    model = CONFIGURATIONS[run.configuration][0]
    line = (
        f"{'FAILED' if complaint else 'ok':6} {run.kind} {model:10} {run.configuration:13} "
        f"{run.switch:27}{int(states[1]) if states else 0:>10} states "
        f"{time.monotonic() - started:5.1f} s"
    )
    return Verdict(run, complaint, line, *statements(table, output))


def unreached_by_all(verdicts, model):
    """Statements of a model that no run that holds reaches."""
    reached, unreached = set(), set()
    for verdict in verdicts:
        if verdict.run.kind == "holds" and CONFIGURATIONS[verdict.run.configuration][0] == model:
            reached |= verdict.reached
            unreached |= verdict.unreached
    for name in sorted(unreached - reached):
        yield f"{model}.pml:{name}: no run reaches this statement"


def switches_of(model):
    """The switches in a model that take something out."""
    with open(os.path.join(HERE, f"{model}.pml"), encoding="utf-8") as file:
        text = file.read()
    names = set(re.findall(r"^#if(?:n?def) (\w+)", text, re.M))
    names |= set(re.findall(r"defined\((\w+)\)", text))
    configurations = " ".join(row[1] for row in CONFIGURATIONS.values())
    plain = set(re.findall(r"[A-Z]\w*", configurations)) | {row[1] for row in HOLDS + HOLDS_FULL}
    return names - plain


def untried(model):
    tried = {
        row[1] for row in BITES + REACHES if CONFIGURATIONS[row[0]][0] == model
    }  # fmt: skip
    for name in sorted(switches_of(model) - tried):
        yield f"{model}.pml: no run shows that {name} bites"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="larger worlds too: some minutes more")
    parser.add_argument("--only", default="", metavar="TEXT", help="runs whose line has this text")
    parser.add_argument("-j", type=int, default=os.cpu_count() or 1, metavar="N")
    chosen = parser.parse_args()
    if not shutil.which("spin"):
        sys.exit("spin is not installed (Debian: apt-get install spin)")
    runs = [
        run for run in all_runs(chosen.full)
        if chosen.only in f"{run.kind} {CONFIGURATIONS[run.configuration]} {run}"
    ]  # fmt: skip
    verdicts = []
    with concurrent.futures.ThreadPoolExecutor(chosen.j) as pool:
        for verdict in pool.map(perform, runs):
            print(verdict.line, flush=True)
            if verdict.complaint:
                print(f"       {verdict.complaint}", flush=True)
            verdicts.append(verdict)
    holes = []
    if not chosen.only:
        for model in MODELS:
            holes += [*unreached_by_all(verdicts, model), *untried(model)]
    for hole in holes:
        print(f"FAILED {hole}")
    failed = sum(bool(verdict.complaint) for verdict in verdicts) + len(holes)
    print(f"{sum(not verdict.complaint for verdict in verdicts)} passed, {failed} failed")
    return 1 if failed or not verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
