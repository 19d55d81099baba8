# SPDX-License-Identifier: MIT
"""Commands for gdb that know Vellum; scripts/gdbinit loads them. docs/debugging.md shows them.

  vm-walk ADDR [PID]   where an address leads, level by level: in a process, or in the table that
                       the hart at hand has in force
  vm-map PID           what a process maps
  vm-objects PID       the memory objects that it maps pages of, by the slots that vm-map shows
  threads              processes and their threads: what each does, where, on which hart
  lock-holders         which hart holds which lock, and how many wait for it
  add-program NAME     adds the symbols of a user program, like init or bin/hello
  break-program NAME FUNCTION
                       stops in a function of that program, and in no other program
"""

import os
import re
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import vellum_memory as memory  # noqa: E402
from vellum_command import (  # noqa: E402
    Command, harts_of, name_of, number, process_of, processes_of, register, table_of,
)  # fmt: skip
from vellum_locks import LockHolders  # noqa: E402
from vellum_objects import VmObjects  # noqa: E402
from vellum_programs import AddProgram, BreakProgram, program_name  # noqa: E402

PRIVILEGES = {0: "user mode", 1: "the kernel", 3: "the firmware"}


SYMBOL = re.compile(r"(.+) in section \S+ of (.+)")


def symbol_at(process, address):
    """What lies there in a program of that name; all programs have the same addresses."""
    limit = gdb.lookup_type("struct process")["name"].type.sizeof - 1
    for line in gdb.execute(f"info symbol {address:#x}", to_string=True).splitlines():
        match = SYMBOL.match(line)
        if match and program_name(match[2])[:limit] == os.path.basename(process):
            return f" <{match[1]}>"
    return ""


class VmWalk(Command):
    """vm-walk ADDR [PID]: where an address leads in the table of a process, or of this hart."""

    least, most = 1, 2

    def arguments(self, words):
        own = memory.Table.of_satp(register("satp")) if len(words) == 1 else None
        return number(words[0], "address"), own, *[number(word, "number") for word in words[1:]]

    def run(self, table, va, own, pid=0):
        target = own or table_of(table, process_of(table, pid))
        if target is None:
            raise gdb.GdbError(f"process {pid} has ended: its space is gone")
        strange = "" if target.is_canonical(va) else " (not canonical)"
        yield f"walk of {va:#018x} from root {target.root:#x}, Sv{12 + 9 * target.levels}{strange}:"
        for level, index, place, entry in target.walk(va):
            kind = memory.kind_of(entry, level)
            more = f" {memory.flags_of(entry)}" if kind == "leaf" else ""
            more += f" -> {memory.address_of(entry):#x}" if kind in ("leaf", "table") else ""
            more += f" {memory.mark_prot_of(entry)}" if kind in memory.MARKS else ""
            more += memory.source_of(entry, kind)
            more += f" -> {entry >> 20 << 12:#x}" if kind == "hidden" else ""
            more += memory.whose(entry, kind)
            yield f"  level {level} [{index:3}] at {place:#012x}: {entry:#018x} {kind}{more}"
        found = target.translate(va)
        yield "not mapped" if found is None else f"physical {found:#x}"


class VmMap(Command):
    """vm-map PID: what a process maps or marks; neighbours of one kind are one line."""

    least, most = 1, 1

    def arguments(self, words):
        return [number(words[0], "number")]

    def leaves(self, node, level, base):
        """(address, level, what it is) of the leaves and marks of a node and of those below it."""
        data = memory.physical_read(node, memory.PAGE)
        for index in range(memory.ENTRIES):
            entry = int.from_bytes(data[8 * index : 8 * index + 8], "little")
            va = base + (index << (12 + 9 * level))
            kind = memory.kind_of(entry, level)
            if kind == "table":
                yield from self.leaves(memory.address_of(entry), level - 1, va)
            elif kind == "leaf" and entry & memory.U:
                is_io = entry >> 8 & 3 == memory.IO and not memory.whose(entry, kind)
                what = "I/O" if is_io else "RAM" + memory.whose(entry, kind)
                yield va, level, (memory.prot_of(entry), what, level)
            elif kind in memory.MARKS:
                slot = f" slot {entry >> 10 & 0x3FFF}" if kind == "paged" else ""
                size = memory.size_to_come(entry) if kind == "reserved" else ""
                what = kind + slot + size + memory.whose(entry, kind)
                yield va, level, (memory.mark_prot_of(entry), what, level)
            elif kind in ("guard", "hidden"):
                yield va, level, ("---", kind, level)

    def run(self, table, pid):
        process = process_of(table, pid)
        target = table_of(table, process)
        if target is None:
            raise gdb.GdbError(f"process {pid} has ended: its space is gone")
        yield f"{name_of(process)}, Sv{12 + 9 * target.levels}, root {target.root:#x}"
        run = None  # [start, end, (what, level)]
        for va, level, what in self.leaves(target.root, target.levels - 1, 0):
            size = memory.PAGE << (9 * level)
            if run and run[1] == va and run[2] == what:
                run[1] += size
                continue
            if run:
                yield self.line(*run)
            run = [va, va + size, what]
        yield self.line(*run) if run else "  nothing is mapped"

    @staticmethod
    def line(start, end, what):
        prot, kind, level = what
        size = 4 << (9 * level)
        count = (end - start) // (size * 1024)
        return f"  {start:#014x} - {end:#014x}  {prot} {kind}  {count} x {size} KiB"


class Threads(Command):
    """threads: processes and their threads: what each does, where, on which hart."""

    def run(self, table):
        states = memory.enum_names("thread_state", "THREAD_")
        harts = harts_of(table)
        processes = processes_of(table)
        if not processes:
            yield "there is no process yet"
        for process in processes:
            ended = " has ended" if int(process.ended) else ""
            yield f"process {int(process.id)} {process.name.text()}{ended}"
            for thread in memory.list_of(process.threads, "struct thread", "process_link"):
                yield self.line(process.name.text(), thread, states, harts)

    @staticmethod
    def line(process, thread, states, harts):
        state = states.get(int(thread.state), "?")
        hart, pc = int(thread.home), int(thread.frame.pc)
        where = f"last on hart {hart}"
        if state == "RUNNING":
            _, privilege, own_pc = harts.get(hart, (0, 0, pc))
            pc = own_pc if privilege == 0 else pc
            where = f"on hart {hart} in {PRIVILEGES.get(privilege, '?')}"
        elif state == "BLOCKED":
            where += f", in system call {int(thread.frame.x[17])}"
        return f"  thread {int(thread.id)} {state} {where}, pc {pc:#x}{symbol_at(process, pc)}"


VmWalk("vm-walk")
VmMap("vm-map")
Threads("threads")
LockHolders("lock-holders")
VmObjects("vm-objects")
AddProgram()
BreakProgram()
