#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The self-test on the machines there are: at boot by the word, and by the shell's command.

QEMU keeps an entry of its TLB until a fence, so without one the experiments must see stale entries,
and with any fence none: that is what shows that a board's "0 of N" means something. A tree that
calls a second view of memory memory shows that what is wrong is told.

usage: session_selftest.py [--build build/rv64-debug]     exit status 0: all is as expected
"""

import os
import re
import subprocess
import sys
import tempfile

import session_run
from session_run import Machine, expect, vellum_qemu

import qemu_boot  # of scripts/lib

END = re.compile(r"selftest: (\d+) facts, (\d+) wrong")
FENCES = re.compile(r"s?fence[.-].*")
STALE = re.compile(r"stale in (\d+) of (\d+) tries")
NO_HART = "not tried: no other hart"
SIXTEEN = {"asid-bits": "16"}
HARDWARE = {"accessed-bit-clear": "set by hardware", "dirty-bit-clear": "set by hardware"}
FAULTS = {"accessed-bit-clear": "page fault", "dirty-bit-clear": "page fault"}

# Name; the boot; what the self-test must say.
BOOTS = [
    (
        "virt, one hart",
        {"harts": 1},
        {"satp-modes": "Sv39 Sv48 Sv57", "harts": "0 started", **SIXTEEN, **HARDWARE,
         "memory": "0x80000000-0x87ffffff", "ram-alias": "none is known of this machine"},
    ),
    (
        "virt, like a U74",
        {"harts": 4, "cpu": "u74", "append": "asid=0 noadhw fence=global"},
        {"satp-modes": "Sv39", "harts": "0 started, 1 started, 2 started, 3 started", **FAULTS,
         "clock": "10000000 Hz by the tree, goes, timer by SBI"},
    ),
    (
        "sifive_u",
        {"harts": 2, "machine": "sifive_u"},
        {"satp-modes": "Sv39", "harts": "1 started, 2 started; left alone 0 stopped",
         "board": "SiFive HiFive Unleashed A00", **SIXTEEN},
    ),
    (
        "icicle",
        {"harts": 4, "machine": "icicle", "memory": ""},
        {"satp-modes": "Sv39", "ram-alias": "a load 0x40000000 above memory finds the same",
         "memory": "0x80000000-0xbfffffff, 0x1000000000-0x103fffffff",
         "clock": "1000000 Hz by the tree, goes, timer by SBI"},
    ),
]  # fmt: skip


def read(machine):
    """({key: value}, how many are wrong) of the self-test that is printed next."""
    machine.wait_for("selftest: begin\n")
    text = machine.wait_for(" wrong") + " wrong"
    lines = text.splitlines()
    facts = [line.split(": ", 1) for line in lines[:-1] if not line.startswith("vellum:")]
    end = END.fullmatch(lines[-1])
    expect(end, f"the self-test ends with {lines[-1]!r}")
    expect(all(len(fact) == 2 for fact in facts), "a line is no fact", lines)
    expect(int(end[1]) == len(facts), f"{len(facts)} facts are there, not {end[1]}")
    expect(len({key for key, _ in facts}) == len(facts), "a key is there twice", lines)
    return dict(facts), int(end[2])


def check_fence(key, value, harts):
    """Without a fence uses are stale, with one none is; QEMU follows changes of code."""
    if harts == 1 and "remote" in key:
        expect(value == NO_HART, f"{key}: {value}")
        return
    stale = STALE.fullmatch(value)
    expect(stale and int(stale[2]) > 0, f"{key}: {value}")
    must_see = "none" in key and key.startswith("sfence")
    expect((stale[1] != "0") == must_see, f"{key}: {value}")


def check(facts, wrong, boot, wanted):
    lines = [f"{key}: {value}" for key, value in facts.items()]
    expect(wrong == 0, f"{wrong} facts are wrong", lines)
    for key, value in wanted.items():
        expect(facts.get(key) == value, f"{key}: {facts.get(key)!r}, not {value!r}", lines)
    fences = [key for key in facts if FENCES.fullmatch(key)]
    expect(len(fences) == 20, f"{len(fences)} checks of fences", lines)
    for key in fences:
        check_fence(key, facts[key], boot.harts)
    expect(re.fullmatch(r"not observed in \d+ tries", facts["cip-1200"]), facts["cip-1200"])
    for number in (1, 2, 3):
        cost = facts[f"cycles-rfence-{number}-hart" + ("s" if number > 1 else "")]
        expect(("least" in cost) == (number < boot.harts), f"{number} harts: {cost}")


def session_boot(build, different, wanted):
    """Once by the word, at boot, and once more by the command; then the machine still works."""
    words = " ".join(["selftest", different.get("append", "")]).strip()
    boot = vellum_qemu.Boot(
        build=build, **{"memory": "128M", **different, "append": words},
        commands="selftest; run hello; audit",
    )  # fmt: skip
    with Machine(boot) as machine:
        for _ in ("the word", "the command"):
            check(*read(machine), boot, wanted)
        machine.wait_for("Hello from user mode.")
        machine.wait_for("audit: all is well")
        machine.wait_for("vellum: power off, status 0")


def session_wrong(build):
    """Memory where other memory is seen a second time: told, and the command's status says so."""
    boot = vellum_qemu.Boot(build=build, machine="icicle", harts=4, commands="selftest")
    with tempfile.TemporaryDirectory() as folder:
        tree = os.path.join(folder, "tree.dtb")
        with open(qemu_boot.icicle_tree(boot), "rb") as source, open(tree, "wb") as copy:
            copy.write(source.read())
        bank = ["-t", "x", tree, "/memory@1000000000", "reg", "14", "0", "0", "40000000"]
        subprocess.run(["fdtput", *bank], check=True)
        with Machine(boot, "-dtb", tree) as machine:
            facts, wrong = read(machine)
            expect(wrong == 1, f"{wrong} facts are wrong")
            told = "; memory 0x1400000000 is one (WRONG)"
            expect(facts["ram-alias"].endswith(told), facts["ram-alias"])
            machine.wait_for("vellum: power off, status 1")


def run_all(build):
    sessions = [
        (name, lambda different=different, wanted=wanted: session_boot(build, different, wanted))
        for name, different, wanted in BOOTS
    ]
    return session_run.run_sessions([*sessions, ("wrong", lambda: session_wrong(build))])


if __name__ == "__main__":
    sys.exit(session_run.main(__doc__, run_all))
