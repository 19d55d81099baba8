#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the models of this directory under spin. docs/coherence.md tells what they show.

Three kinds of runs. "holds": the whole state space is searched and nothing is wrong; a search that
was cut short fails, and so does a statement that no such run of its model reaches. "bites": one
step of a protocol is taken out, and pan must find the error that is expected. "reach": pan must
find that a state which ought to be possible is. Every switch in the models must have a run that
bites. The last line is "N passed, N failed".
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
MODELS = ("lock", "word", "asid", "code", "quiescence", "handover")
SECONDS_MAX = 1800  # detects a hang; a run takes seconds
MEMORY_MIB = 12000

# Operations of lock.pml.
OPS = (
    "page look table span half move back near nested move-half back-half page4 page2 ahead behind"
    .split()
)  # fmt: skip


def ops(*harts):
    """Which operations each hart of lock.pml may do."""
    sets = [sum(1 << OPS.index(name) for name in hart.split()) for hart in harts]
    return " ".join(f"OPS_{hart}={bits}" for hart, bits in enumerate(sets))


TURNS = "SWITCHES=2 OTHERS=1"  # of asid.pml

# Configurations: definitions of the model, and the depth of the search.
CONFIGURATIONS = {
    "detach": ("lock", ops("page look", "half span", "table"), 2_000_000),
    "move": ("lock", ops("page page4", "table move", "back table"), 2_000_000),
    "nested": ("lock", ops("page nested", "nested table", "near page"), 2_000_000),
    "near": ("lock", ops("page nested", "page move", "near back"), 2_000_000),
    "half": ("lock", ops("page", "move-half", "back-half"), 2_000_000),
    "second": ("lock", ops("ahead page", "behind page2", "page table"), 2_000_000),
    "apart": ("lock", ops("page", "page2", "page4") + " LEAVES=3", 2_000_000),
    "half-full": ("lock", ops("page", "page4", "move-half back-half half"), 8_000_000),
    "no-asids": ("word", "NO_ASIDS SPACES=2 ROUNDS=2", 500_000),
    "no-asids-full": ("word", "NO_ASIDS SPACES=2 ROUNDS=2 DISPATCHERS=7", 500_000),
    "one-space": ("word", "SPACES=1 ROUNDS=2", 500_000),
    "two-spaces": ("word", "SPACES=2 ROUNDS=1 DISPATCHERS=1", 500_000),
    "two-rounds": ("word", "SPACES=2 ROUNDS=2", 500_000),
    "unmap": ("asid", f"SPACES=2 ROUNDS=1 DISPATCH=2 DISPATCHERS=1 EPOCHS=1 {TURNS}", 20_000),
    "epochs": ("asid", f"SPACES=2 ROUNDS=1 DISPATCH=0 DISPATCHERS=0 EPOCHS=2 {TURNS}", 20_000),
    "numbers": (
        "asid", f"SPACES=2 ROUNDS=1 DISPATCH=0 DISPATCHERS=0 EPOCHS=2 NUMBERS=3 {TURNS}", 20_000,
    ),
    "three": (
        "asid", "SPACES=3 ROUNDS=1 DISPATCH=0 DISPATCHERS=0 EPOCHS=1 SWITCHES=1 OTHERS=1", 20_000,
    ),
    "code": ("code", "", 500_000),
    "kernel": ("quiescence", "", 2_000_000),
    "threads": ("handover", "", 500_000),
}  # fmt: skip

# The whole state space is searched.
HOLDS = (
    "detach", "move", "nested", "near", "half", "second", "apart", "no-asids", "one-space",
    "two-spaces", "unmap", "epochs", "code", "kernel", "threads",
)  # fmt: skip
HOLDS_FULL = ("half-full", "no-asids-full", "two-rounds", "numbers", "three")

# Statements that no run that holds reaches, and why. One that is reached is reported too.
UNREACHED = {}

# What pan must complain of.
OVERLAP, ELSEWHERE, NOT_HELD, CIRCLE = "owned", "at==", "held", "invalid end state"
STALE, FOREIGN, INTERRUPTED, FREED = "forbidden", "& ~", "targets", "state[t]"
OLD_CODE, TORN, GONE = "done", "frame[next]", "state[current]"

BITES = (
    ("detach", "NO_STRAY_CHECK", ELSEWHERE),
    ("detach", "NO_CHECK_WHEN_LINKING", ELSEWHERE),
    ("detach", "CHILDREN_NOT_LOCKED", NOT_HELD),
    ("detach", "CHILD_BEFORE_PARENT", NOT_HELD),
    ("move", "NO_PLACE_CHECK", OVERLAP),
    ("move", "CHECK_BEFORE_LOCK", OVERLAP),
    ("move", "ARGUMENT_ORDER", CIRCLE),
    ("nested", "RANGE_BY_RANGE", CIRCLE),
    ("second", "NO_ORDER_CHECK", CIRCLE),
    ("half", "MOVE_TOP_ONLY", ELSEWHERE),
    ("no-asids", "WORD_BEFORE_ENTRY", STALE),
    ("no-asids", "JOIN_AFTER_SATP", STALE),
    ("no-asids", "LEAVE_BEFORE_SATP", STALE),
    ("no-asids", "LEAVE_BEFORE_FENCE", STALE),
    ("no-asids", "FENCE_BEFORE_SATP", FOREIGN),
    ("no-asids", "NO_SWITCH_FENCE", FOREIGN),
    ("no-asids", "NO_LEAVE", INTERRUPTED),
    ("no-asids", "UNLOCK_BEFORE_FLUSH", STALE),
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
    ("two-rounds", "UNLOCK_BEFORE_FLUSH", STALE),
    ("unmap", "NO_ANNOUNCEMENT", STALE),
    ("unmap", "NO_ANNOUNCE_FENCE", STALE),
    ("unmap", "NO_EPOCH_FENCE", STALE),
    ("unmap", "NO_SECOND_LOOK", STALE),
    ("unmap", "NO_ANNOUNCEMENT_KEPT", STALE),
    ("unmap", "NO_RUNNING_KEPT", FOREIGN),
    ("unmap", "RUNS_BEFORE_ANNOUNCED", STALE),
    ("unmap", "WITHDRAW_BEFORE_RUNS", STALE),
    ("unmap", "SETTLE_BEFORE_SATP", STALE),
    ("unmap", "ASID_BEFORE_WORD", STALE),
    ("unmap", "NO_EPOCH_FLUSH", FOREIGN),
    ("epochs", "FLUSH_BEFORE_ANNOUNCE", FOREIGN),
    ("numbers", "KEEP_ANY", FOREIGN),
    ("code", "WORD_BEFORE_CODE", OLD_CODE),
    ("code", "CODE_BEFORE_WORD", OLD_CODE),
    ("code", "PLAIN_LOAD_OF_WORD", OLD_CODE),
    ("code", "NO_CODE_GENERATION", OLD_CODE),
    ("code", "NOTE_AT_LEAVE", OLD_CODE),
    ("code", "NO_LOCAL_FENCE_I", OLD_CODE),
    ("code", "NO_REMOTE_FENCE_I", OLD_CODE),
    ("code", "NO_JOIN_FENCE_I", OLD_CODE),
    ("kernel", "NO_COUNT", FREED),
    ("kernel", "NO_KERNEL_ENTRY_FENCE", FREED),
    ("kernel", "EVEN_BEFORE_LAST_DESCENT", FREED),
    ("kernel", "NO_SNAPSHOT_FENCE", FREED),
    ("kernel", "PARK_BEFORE_DETACH", FREED),
    ("kernel", "PARK_INTO_WAITING", FREED),
    ("kernel", "ANY_COUNTER_WILL_DO", FREED),
    ("kernel", "ODD_WILL_DO", FREED),
    ("kernel", "FREE_WITHOUT_QUIESCENCE", FREED),
    ("threads", "NO_OWNER_CHECK", TORN),
    ("threads", "LET_GO_BEFORE_SAVE", TORN),
    ("threads", "REAP_OWNED", GONE),
)
REACHES = (
    ("apart", "REACH_SIDE_BY_SIDE", "owned"),
    ("second", "REACH_SECOND", "violated 0"),
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
    for configuration in HOLDS + (HOLDS_FULL if full else ()):
        yield Run("holds", configuration, "")
    for kind, table in (("bites", BITES), ("reach", REACHES)):
        for configuration, switch, expected in table:
            yield Run(kind, configuration, switch, expected)


def read_model(model):
    """Its lines, included files in place, each as (text, "file:line")."""
    lines = []
    with open(os.path.join(HERE, f"{model}.pml"), encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            included = re.match(r'#include "(\w+)\.pml"', text)
            lines += read_model(included[1]) if included else [(text, f"{model}.pml:{number}")]
    return lines


def pan(run, room):
    """Builds and runs a verifier in the directory `room`: its table of statements, its report."""
    model, definitions, depth = CONFIGURATIONS[run.configuration]
    flags = [f"-D{word}" for word in f"{definitions} {run.switch}".split()]
    optimise = "-O2" if run.kind == "holds" else "-O1"  # the others end after a moment
    build = ["gcc", optimise, "-w", "-DSAFETY", f"-DMEMLIM={MEMORY_MIB}", "-o", "pan", "pan.c"]
    with open(os.path.join(room, "model.pml"), "w", encoding="utf-8") as file:
        file.writelines(text for text, _ in read_model(model))
    outputs = []
    for line in (["spin", *flags, "-a", "model.pml"], build, ["./pan", "-d"], ["./pan", f"-m{depth}"]):
        done = subprocess.run(
            line, cwd=room, text=True, stdin=subprocess.DEVNULL, timeout=SECONDS_MAX,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        if done.returncode:
            return "", f"{' '.join(line)} ended with {done.returncode}\n{done.stdout}"
        outputs.append(done.stdout)
    return outputs[2], outputs[3]


def statements(model, table, output):
    """(reached, not reached), of all statements that `table` lists: "FILE:LINE", perhaps "else"."""
    origins = [origin for _, origin in read_model(model)]
    missed = {(row[1], row[0]) for row in re.findall(r"\.pml:(\d+), state (\d+), ", output)}
    reached, unreached = set(), set()
    for state, line, text in re.findall(r"state +(\d+) -.*\.pml:(\d+) => (.*)", table):
        name = origins[int(line) - 1] + (" else" if text == "else" else "")
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
    return Verdict(run, complaint, line, *statements(model, table, output))


def unreached_by_all(verdicts):
    """Statements that no run that holds reaches, but those that are not meant to be."""
    reached, unreached = set(), set()
    for verdict in verdicts:
        if verdict.run.kind == "holds":
            reached |= verdict.reached
            unreached |= verdict.unreached
    for name in sorted(unreached - reached - set(UNREACHED)):
        yield f"{name}: no run reaches this statement"
    for name in sorted(set(UNREACHED) - (unreached - reached)):
        yield f"{name}: is reached, though run.py says why it is not"


def untried():
    """Switches in the models that take something out, but that no run shows to bite."""
    plain = set(re.findall(r"[A-Z]\w*", " ".join(row[1] for row in CONFIGURATIONS.values())))
    tried = {(CONFIGURATIONS[row[0]][0], row[1]) for row in BITES + REACHES}
    bites_in, files_of = {}, {}
    for model in MODELS:
        for text, origin in read_model(model):
            file = origin.split(":", maxsplit=1)[0]
            names = re.findall(r"^#if(?:n?def) (\w+)", text) + re.findall(r"defined\((\w+)\)", text)
            for name in set(names) - plain:
                files_of.setdefault(name, set()).add(file)
                bites_in[name] = bites_in.get(name, False) or (model, name) in tried
    for name in sorted(name for name, bites in bites_in.items() if not bites):
        yield f"{' '.join(sorted(files_of[name]))}: no run shows that {name} bites"


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
        holes = [*unreached_by_all(verdicts), *untried()]
    for hole in holes:
        print(f"FAILED {hole}")
    failed = sum(bool(verdict.complaint) for verdict in verdicts) + len(holes)
    print(f"{sum(not verdict.complaint for verdict in verdicts)} passed, {failed} failed")
    return 1 if failed or not verdicts else 0


if __name__ == "__main__":
    sys.exit(main())
