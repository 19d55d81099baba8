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

from runs import BITES, CONFIGURATIONS, HOLDS, HOLDS_FULL, MODELS, REACHES, UNREACHED

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS_MAX = 1800  # detects a hang; a run takes seconds
MEMORY_MIB = 12000


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
    optimise = "-O2" if run.kind == "holds" else "-O0"  # the others end after a moment
    build = ["gcc", optimise, "-w", "-DSAFETY", f"-DMEMLIM={MEMORY_MIB}", "-o", "pan", "pan.c"]
    with open(os.path.join(room, "model.pml"), "w", encoding="utf-8") as file:
        file.writelines(text for text, _ in read_model(model))
    outputs = []
    # -o3: statements are not merged, so that each one that is not reached is told.
    generate = ["spin", "-o3", *flags, "-a", "model.pml"]
    for line in (generate, build, ["./pan", "-d"], ["./pan", f"-m{depth}"]):
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
