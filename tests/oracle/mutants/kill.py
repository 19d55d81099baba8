#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turns every mutant on and demands that a history fails.

What killed a mutant last time (kills.txt) is tried first, and must pass with no mutant on. If it
kills no more, histories are searched: random ones of small machines, then the directed ones, with
one deviation at every place and with thrown ones (directed.py), then more random ones. Everything is
counted in steps and runs, so the same sources give the same answer everywhere.

usage: kill.py BINARY [--write] [--anew] [--only NAME]...
  (nothing)    fails when a mutant survives, or when kills.txt must be written anew
  --write      searches where need be and writes kills.txt (table.py puts it into the document)
  --anew       forgets what is known: searches and shrinks for every mutant
"""

import argparse
import concurrent.futures
import os
import subprocess
import sys
import threading

import directed
import rows
import table

SEEDS = 400_000
STEPS_FIRST, STEPS_DIRECTED, STEPS_LAST = 6_000_000, 400_000_000, 30_000_000
TRIES = 200_000
SHRINK_RUNS = 3_000
SECONDS_MAX = 1200  # detects a hang
WRITING = threading.Lock()


def phases(binary):
    """The arguments of one search after the other."""
    named = directed.words(binary)
    yield "--seeds", SEEDS, "--steps", STEPS_FIRST
    for count in sorted({directed.deviations(name) for name, _ in named}):
        words = [word for name, word in named if directed.deviations(name) == count]
        yield "--sweep", count, "--steps", STEPS_DIRECTED, *words
    yield "--tries", TRIES, "--steps", STEPS_DIRECTED, *(word for _, word in named)
    yield "--seed", SEEDS, "--seeds", SEEDS, "--steps", STEPS_LAST


def run(binary, *arguments):
    """The last line that the program printed, as fields; a crash is told as one."""
    done = subprocess.run(
        [binary, *map(str, arguments)], text=True, capture_output=True, check=False,
        stdin=subprocess.DEVNULL, timeout=SECONDS_MAX,
    )  # fmt: skip
    if done.returncode not in (0, 1):
        end = (done.stdout + done.stderr).strip().splitlines()[-3:]
        return ["crashed", str(done.returncode), *end]
    return done.stdout.strip().splitlines()[-1].split("\t")


def still_kills(binary, kill):
    """True if the known history fails with the mutant, by the same rule, and passes without it."""
    fields = run(binary, "--mutant", kill.name, kill.word)
    return fields[:2] == ["killed", kill.rule] and run(binary, kill.word)[0] == "lives"


def search(binary, name):
    """A new kill, or None and what was printed."""
    fields = []
    for phase in phases(binary):
        fields = run(binary, "--mutant", name, "--shrink", SHRINK_RUNS, *phase)
        if fields[0] == "killed":
            return table.Kill.of_fields(name, *fields[1:]), ""
    return None, " ".join(fields)


def judge(binary, name, known, anew):
    """(kill or None, complaint or "") of one mutant."""
    if known is not None and not anew and still_kills(binary, known):
        return known, ""
    kill, text = search(binary, name)
    if kill is None:
        return None, f"{name} survives: {text}"
    if run(binary, kill.word)[0] != "lives":
        return None, f"{name}: what kills it fails with no mutant on: {kill.word}"
    return kill, f"{name}: killed by another history than kills.txt says; run kill.py --write"


def keep(kills, name, kill):
    """Writes what is known down at once: a search may be broken off."""
    with WRITING:
        kills.pop(name, None)
        if kill is not None:
            kills[name] = kill
        table.save_kills(kills)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--anew", action="store_true")
    parser.add_argument("--only", action="append")
    chosen = parser.parse_args()
    names = [row.name for row in rows.load()[0] if row.name in (chosen.only or [row.name])]
    kills = table.load_kills()

    def judged(name):
        kill, complaint = judge(chosen.binary, name, kills.get(name), chosen.anew)
        print(f"{name:32} {kill.rule if kill else complaint}", flush=True)
        if chosen.write:
            keep(kills, name, kill)
        return name, kill, complaint

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = list(pool.map(judged, names))
    dead = sum(kill is not None for _, kill, _ in found)
    bad = [text for _, kill, text in found if text and not (kill and chosen.write)]
    print("\n".join(bad))
    print(f"{dead} of {len(found)} mutants killed; {len(found) - len(bad)} passed, {len(bad)} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
