#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What one sees of a stopped or broken kernel: scripts/gdb/vellum.py and the report of a panic.

  gdb     stops Vellum in a system call of a program, and again where a cursor closes, and compares
          what vm-walk, vm-map, threads, lock-holders and add-program say with what must be there;
          in Sv39 and Sv48
  objects the same of a program that maps a memory object in four ways
  break   break-program stops in the program that it was asked for, though init runs through the
          same address before
  absent  the same commands without a machine, without symbols, and before the kernel has booted
  panic   breaks the kernel in a program's system call while the trace is on: the report must name
          the program's own functions, the last fences, and the last events
  port    a second scripts/run --gdb is told that the first has the port
  profile scripts/profile counts a null call, and refuses what is not reached so often

usage: session_gdb.py [--build build/rv64-debug]     exit status 0: all is as expected
"""

import contextlib
import os
import re
import socket
import struct
import subprocess
import sys

import session_run
from session_run import PATIENCE_S, ROOT, Failure, gdb, vellum_qemu, with_gdb

import trace_dump  # of scripts/lib

TEXT = 0x10000  # where programs begin
STACK_GUARD = 0x3FFFFEE000
PROGRAM = "hello"


def script():
    return f"source {os.path.join(ROOT, 'scripts', 'gdb', 'vellum.py')}"


def demand(said, patterns):
    """Each pattern must be a whole line of it."""
    for pattern in patterns:
        if not re.search(f"^{pattern}$", said, re.MULTILINE):
            raise Failure(f"no line {pattern!r} in\n{said}")


def first_word(elf, address):
    """The 32 bits that a program's file has for an address."""
    with open(elf, "rb") as file:
        data = file.read()
    table, size, count = struct.unpack_from("<Q14xHH", data, 32)
    for at in range(table, table + size * count, size):
        kind, _, offset, start, _, length = struct.unpack_from("<IIQQQQ", data, at)
        if kind == 1 and start <= address < start + length:
            return struct.unpack_from("<I", data, offset + address - start)[0]
    raise Failure(f"{elf} has nothing for {address:#x}")


# Leaves the physical address that vm-walk found in $found, and shows what is there.
SHOW_FOUND = (
    f"python found = gdb.execute('vm-walk {TEXT:#x} 2', to_string=True).split()[-1]",
    "python gdb.execute('monitor xp /1xw ' + found)",
)


def session_commands(boot, bits):
    said = with_gdb(boot, [
        script(),
        "hbreak pt_unlock_range", "continue", "delete", "lock-holders",
        "hbreak sys_time_get", "continue", "delete", "add-program init", "threads", f"vm-walk {TEXT:#x} 2", f"vm-walk {TEXT:#x}", "vm-map 2", *SHOW_FOUND,
        f"vm-walk {STACK_GUARD:#x} 2",
        "vm-walk $pc", "lock-holders", "vm-map 99", "vm-walk", "vm-walk nonsense",
        f"add-program bin/{PROGRAM}", "info symbol main", "add-program bin/nonsense",
    ])  # fmt: skip
    word = first_word(os.path.join(boot.build, "user", "bin", PROGRAM), TEXT)
    levels = (bits - 12) // 9
    demand(said, [
        r"process 1 init", rf"process 2 {PROGRAM}",
        # Only the program whose symbols are there has places with names.
        r"  thread \d+ RUNNING on hart \d in the kernel, pc 0x1[0-9a-f]{4}",
        r"  thread 1 (RUNNING|READY|BLOCKED) .*hart \d.*, pc 0x1[0-9a-f]{4} <.+>",
        rf"walk of {TEXT:#018x} from root 0x[0-9a-f]+, Sv{bits}:",
        rf"  level {levels - 1} \[  0\] at 0x[0-9a-f]+: 0x[0-9a-f]+ table -> 0x[0-9a-f]+",
        r"  level 0 \[ 16\] at 0x[0-9a-f]+: 0x[0-9a-f]+ leaf .A-UX-RV -> 0x[0-9a-f]+",
        r"  level 0 \[ .*\] at 0x[0-9a-f]+: 0x[0-9a-f]+ leaf -AG-X-RV -> 0x[0-9a-f]+",
        rf"{PROGRAM} \(2\), Sv{bits}, root 0x[0-9a-f]+",
        rf"  {TEXT:#014x} - 0x[0-9a-f]+  r-x RAM  \d+ x 4 KiB",
        r"  0x003ffffee000 - 0x003ffffef000  --- guard  1 x 4 KiB",
        r"  0x003ffffef000 - 0x003ffff[0-9a-f]+  rw- reserved  \d+ x 4 KiB",
        r"  0x003ffff[0-9a-f]+ - 0x003ffff[0-9a-f]+  rw- RAM  \d+ x 4 KiB",
        r"  level 0 \[494\] at 0x[0-9a-f]+: 0x0+6 guard",
        r"not mapped",
        rf"[0-9a-f]+: {word:#010x}",
        r"no hart holds a lock",
        r"there is no process 99: see threads",
        r"usage: vm-walk ADDR \[PID\]",
        r"'nonsense' is no address: .*",
        r"main in section \.text.*",
        r"no program .*bin/nonsense: give a name like init or bin/hello",
        r"hart \d, (no thread|thread \d+ of \w+ \(\d\)): node of \w+ \(\d\), level \d from 0x[0-9a-f]+; 0 wait for it",
    ])  # fmt: skip
    walks = re.findall(rf"^walk of {TEXT:#018x} from root (0x[0-9a-f]+)", said, re.MULTILINE)
    if len(set(walks)) != 1 or len(walks) != 2:
        raise Failure(f"process 2 and the hart that runs it differ: {walks}")


def session_objects(boot):
    """`shares` waits with three mappings of 4 MiB of which two pages were used, and one that was not."""
    said = with_gdb(boot, [
        script(), "hbreak sys_futex_wait", "continue", "delete", "vm-map 2", "vm-objects 2",
        "vm-objects 1", "vm-objects 99", "vm-walk 0x2040000000 2", "vm-walk 0x2040200000 2",
        "vm-walk 0x2080002000 2",
    ])  # fmt: skip
    demand(said, [
        r"  0x002000000000 - 0x002000002000  rw- RAM  2 x 4 KiB",
        r"  0x002000002000 - 0x002000200000  rw- paged slot 0  510 x 4 KiB",
        r"  0x002040000000 - 0x002040002000  r-- RAM view  2 x 4 KiB",
        r"  0x002040200000 - 0x002040400000  r-- paged slot 0 view  1 x 2048 KiB",
        r"  0x002080002000 - 0x002080200000  rw- paged slot 0 private  510 x 4 KiB",
        r"  0x0020c0000000 - 0x0020c0400000  --- paged slot 0  2 x 2048 KiB",
        r"  slot 0: object 0xf[0-9a-f]+ of 1024 pages, 2 of them made; 1535 marks name it here",
        r"init \(1\)",
        r"there is no process 99: see threads",
        r"  level 0 \[  0\] at 0x[0-9a-f]+: 0x[0-9a-f]+ leaf .*--RV -> 0x[0-9a-f]+ view",
        r"  level 1 \[  1\] at 0x[0-9a-f]+: 0x000000020000011a paged r-- slot 0 page 0x200 view",
        r"  level 0 \[  2\] at 0x[0-9a-f]+: 0x00000000020000ba paged rw- slot 0 page 0x2 private",
    ])  # fmt: skip


def session_break(boot):
    """Every program begins at TEXT, and init does so first."""
    said = with_gdb(boot, [
        script(),
        f"break-program bin/{PROGRAM} *{TEXT:#x}", "continue", "threads", "delete",
        f"break-program {PROGRAM} main", "continue", "info symbol $pc", "backtrace",
        f"break-program {PROGRAM} nonsense", f"break-program {PROGRAM}", "break-program nonsense main",
    ])  # fmt: skip
    demand(said, [
        rf"process 2 {PROGRAM}",
        rf"  thread \d+ RUNNING on hart \d in user mode, pc {TEXT:#x} <_start.*>",
        r"main .*in section \.text.*",
        rf"#0  (0x[0-9a-f]+ in )?main \(.*\) at .*/{PROGRAM}\.c:\d+",
        rf".*/{PROGRAM} has no function nonsense",
        r"usage: break-program NAME FUNCTION",
        r"no program .*/nonsense: give a name like init or bin/hello",
    ])  # fmt: skip


def session_absent(boot):
    no_machine = r"no machine: start scripts/run --gdb, then target remote"
    no_symbols = r"no symbols: file build/rv64-debug/vellum\.elf"
    elf = os.path.join(boot.build, "vellum.elf")
    demand(gdb([script(), "threads", "vm-walk 0"], elf), [no_machine])
    demand(gdb([script(), "threads"]), [no_symbols])
    demand(gdb([script(), "add-program init"]), [no_symbols])
    said = with_gdb(boot, [script(), "threads", "vm-walk 0x80200000"])
    demand(said, [r"paging is not on \(satp 0x0\): let the kernel boot first"])


def session_panic(boot):
    """A program's system call jumps into nowhere while all is traced."""
    reports = []

    def read(machine, _):
        machine.wait_for("PANIC")
        machine.wait_for("vellum: power off, status 255")
        reports.append(machine.text[machine.text.index("PANIC") :])

    with_gdb(boot, ["hbreak sys_time_get", "continue", "delete", "set $pc = 0x1234", "detach"], read)
    symbolize = os.path.join(ROOT, "scripts", "symbolize")
    elf = os.path.join(boot.build, "vellum.elf")
    named = subprocess.run(
        [sys.executable, symbolize, "--elf", elf],
        input=reports[0], capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    demand(named, [
        rf"  user 0x[0-9a-f]{{16}} <sys_time_get calls\.h:\d+ in main {PROGRAM}\.c:\d+>",
        r"  user from 0x[0-9a-f]{16} <.*start.*:\d+>",
        rf"running: thread \d+ of process {PROGRAM} \(2\)",
        r"last fences:",
        r"  hart \d: sfence\.vma 0x18[0-9a-f]{8} \+ 0x1000, ASID \d+, here",
        r"  hart \d: fence\.i here",
    ])  # fmt: skip
    try:
        dump = trace_dump.read(reports[0])
    except trace_dump.NoDump as none:
        raise Failure(f"{none}:\n{reports[0]}") from none
    if not dump.complete or dump.garbled or not 8 <= sum(map(len, dump.events.values())) <= 16:
        raise Failure(f"the last events cannot be read again:\n{reports[0]}")
    last = [events[-1] for events in dump.events.values()]
    if not any(event.kind == "CALL" and event.a == 23 for event in last):
        raise Failure(f"no hart's last event is the call that broke:\n{reports[0]}")


def session_port(build):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):  # somebody has it already, which is as good
            taken.bind(("127.0.0.1", vellum_qemu.GDB_PORT))
            taken.listen()
        words = [sys.executable, os.path.join(ROOT, "scripts", "qemu.py"), "--gdb", "--build", build]
        done = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S,
            check=False,
        )  # fmt: skip
        wanted = f"run: --gdb needs port {vellum_qemu.GDB_PORT} of this host, which is taken"
        if done.returncode != 1 or not done.stderr.startswith(wanted):
            raise Failure(f"status {done.returncode}, {done.stderr}")


def profile(build, *words):
    """(status, what is printed) of scripts/profile."""
    done = subprocess.run(
        [sys.executable, os.path.join(ROOT, "scripts", "profile"), *words, "--build", build],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def session_profile(build):
    status, said = profile(build, "null", "sys_null", "--times", "5")
    found = {name: float(count) for count, name in re.findall(r"^ *([\d.]+)  (.+)$", said, re.M)}
    whole = found.pop("instructions in all, for one time", 0)
    if status or not 1 <= whole <= 1000 or abs(sum(found.values()) - whole) > len(found):
        raise Failure(f"a null call takes {whole} instructions:\n{said}")
    demand(said, [r" +[1-9]\d*\.0  trap_entry", r" +[1-9]\d*\.0  sys_null"])
    # A program ends once, or, with the shell's own, a few times: never as often as is asked for.
    for words, why in (
        (("null", "sys_process_exit", "--skip", "0"), "does not reach sys_process_exit 11 times"),
        (("null", "nonsense"), "this kernel has no function nonsense"),
        (("nonsense", "sys_null"), "there is no row nonsense: take one of null, "),
    ):
        status, said = profile(build, *words)
        if status != 1 or why not in said:
            raise Failure(f"{' '.join(words)}: status {status}, {said}")


def sessions(build):
    """(name, function) of every session."""
    for bits in (39, 48):
        boot = vellum_qemu.Boot(build=build, paging=f"sv{bits}", harts=2, commands=f"run {PROGRAM}")
        yield f"gdb, Sv{bits}", lambda boot=boot, bits=bits: session_commands(boot, bits)
    shares = vellum_qemu.Boot(build=build, paging="sv48", harts=2, commands="run shares")
    yield "gdb, memory objects", lambda: session_objects(shares)
    yield "gdb, break-program", lambda: session_break(boot)
    yield "gdb, what is absent", lambda: session_absent(boot)
    traced = vellum_qemu.Boot(build=build, harts=2, commands=f"trace on; run {PROGRAM}")
    yield "panic: fences, events, the program", lambda: session_panic(traced)
    yield "gdb, its port is taken", lambda: session_port(build)
    yield "profile", lambda: session_profile(build)


def run_all(build):
    """Runs every session; returns how many passed and failed."""
    return session_run.run_sessions(sessions(build))


if __name__ == "__main__":
    sys.exit(session_run.main(__doc__, run_all))
