# SPDX-License-Identifier: MIT
"""Commands for gdb that know Vellum; scripts/gdbinit loads them. docs/debugging.md shows them.

  vm-walk ADDR [PID]   where an address leads, level by level: in a process, or in the table that
                       the hart at hand has in force
  vm-map PID           what a process maps
  threads              processes and their threads: what each does, where, on which hart
  lock-holders         which hart holds which lock, and how many wait for it
  add-program NAME     adds the symbols of a user program, like init or bin/hello
"""

import os
import sys

import gdb

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import vellum_memory as memory  # noqa: E402

PRIVILEGES = {0: "user mode", 1: "the kernel", 3: "the firmware"}


def register(name):
    try:
        return int(gdb.parse_and_eval(f"${name}")) & (1 << 64) - 1
    except (gdb.error, TypeError) as error:
        raise gdb.GdbError("no machine: start scripts/run --gdb, then target remote") from error


def kernel_table():
    """Any table that is in force: the kernel's half is the same in all."""
    at_hand = gdb.selected_thread()
    if at_hand is None:
        raise gdb.GdbError("no machine: start scripts/run --gdb, then target remote")
    try:
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            satp = register("satp")
            if satp >> 60 in memory.LEVELS_OF_MODE:
                return memory.Table.of_satp(satp)
    finally:
        at_hand.switch()
    return memory.Table.of_satp(0)


def harts_of(table):
    """{index: (hart id, privilege, pc)} of the harts that run the kernel; gdb has one thread each."""
    at_hand, found = gdb.selected_thread(), {}
    index_of = {}
    blocks = memory.thing(table, "'arch/riscv64/hart.c'::blocks")
    started = int(memory.thing(table, "'arch/riscv64/hart.c'::started"))
    for index in range(64):
        if started >> index & 1:
            index_of[int(blocks[index].hart_id)] = index
    try:
        for thread in gdb.selected_inferior().threads():
            thread.switch()
            hart_id = register("mhartid")
            if hart_id in index_of:
                found[index_of[hart_id]] = hart_id, register("priv"), register("pc")
    finally:
        at_hand.switch()
    return found


def processes_of(table):
    processes = memory.thing(table, "'kernel/process_table.c'::table")
    return memory.tree_of(processes, "struct process", "number_node")


def process_of(table, number):
    for process in processes_of(table):
        if int(process.id) == number:
            return process
    raise gdb.GdbError(f"there is no process {number}: see threads")


def name_of(process):
    return f"{process.name.text()} ({int(process.id)})"


def table_of(table, process):
    """The page table of a process, or None: it has ended."""
    if not int(process.space):
        return None
    slots = int(process.space.target.root.target.slots)
    return memory.Table(table.translate(slots), table.levels)


def symbol_at(address):
    text = gdb.execute(f"info symbol {address:#x}", to_string=True).strip()
    return "" if text.startswith("No symbol") else f" <{text.partition(' in section')[0]}>"


def number(text, what):
    try:
        return int(gdb.parse_and_eval(text)) & (1 << 64) - 1
    except (gdb.error, TypeError) as error:
        raise gdb.GdbError(f"{text!r} is no {what}: {error}") from error


class Command(gdb.Command):
    """A command whose output is what run() yields."""

    least, most = 0, 0

    def __init__(self, name):
        self.name = name
        super().__init__(name, gdb.COMMAND_DATA)

    def invoke(self, text, from_tty):
        words = gdb.string_to_argv(text)
        if not self.least <= len(words) <= self.most:
            raise gdb.GdbError(f"usage: {self.__doc__.partition(':')[0]}")
        if not gdb.current_progspace().filename:
            raise gdb.GdbError("no symbols: file build/rv64-debug/vellum.elf")
        words = self.arguments(words)
        table = kernel_table()
        with memory.Physical():
            for line in self.run(table, *words):
                print(line)

    def arguments(self, words):
        return words

    def run(self, table, *words):
        raise NotImplementedError


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
            yield f"  level {level} [{index:3}] at {place:#012x}: {entry:#018x} {kind}{more}"
        found = target.translate(va)
        yield "not mapped" if found is None else f"physical {found:#x}"


class VmMap(Command):
    """vm-map PID: what a process maps; neighbours of one kind are one line."""

    least, most = 1, 1

    def arguments(self, words):
        return [number(words[0], "number")]

    def leaves(self, node, level, base):
        """(address, level, entry) of the leaves of a node and of those below it."""
        data = memory.physical_read(node, memory.PAGE)
        for index in range(memory.ENTRIES):
            entry = int.from_bytes(data[8 * index : 8 * index + 8], "little")
            va = base + (index << (12 + 9 * level))
            kind = memory.kind_of(entry, level)
            if kind == "table":
                yield from self.leaves(memory.address_of(entry), level - 1, va)
            elif kind == "leaf" and entry & memory.U:
                yield va, level, entry

    def run(self, table, pid):
        process = process_of(table, pid)
        target = table_of(table, process)
        if target is None:
            raise gdb.GdbError(f"process {pid} has ended: its space is gone")
        yield f"{name_of(process)}, Sv{12 + 9 * target.levels}, root {target.root:#x}"
        run = None  # [start, end, (what, level)]
        for va, level, entry in self.leaves(target.root, target.levels - 1, 0):
            what = memory.flags_of(entry)[1:4].lower(), "I/O" if entry & memory.IO else "RAM", level
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
                yield self.line(thread, states, harts)

    @staticmethod
    def line(thread, states, harts):
        state = states.get(int(thread.state), "?")
        hart, pc = int(thread.home), int(thread.frame.pc)
        where = f"last on hart {hart}"
        if state == "RUNNING":
            _, privilege, own_pc = harts.get(hart, (0, 0, pc))
            pc = own_pc if privilege == 0 else pc
            where = f"on hart {hart} in {PRIVILEGES.get(privilege, '?')}"
        elif state == "BLOCKED":
            where += f", in system call {int(thread.frame.x[17])}"
        return f"  thread {int(thread.id)} {state} {where}, pc {pc:#x}{symbol_at(pc)}"


def spinlocks_in(type_, name="", at=0):
    """(name, offset) of every spinlock in a type."""
    type_ = memory.plain(type_)
    if type_.code == gdb.TYPE_CODE_ARRAY:
        first, last = type_.range()
        inner = list(spinlocks_in(type_.target()))
        for index in range(first, last + 1) if inner else ():
            for more, offset in inner:
                yield f"{name}[{index}]{more}", at + index * type_.target().sizeof + offset
    elif type_.code == gdb.TYPE_CODE_STRUCT and type_.tag == "spinlock":
        yield name, at
    elif type_.code == gdb.TYPE_CODE_STRUCT:
        for field in type_.fields():
            yield from spinlocks_in(field.type, f"{name}.{field.name}", at + field.bitpos // 8)


def static_variables():
    """(name, value without reading it) of the kernel's variables."""
    text, file = gdb.execute("info variables -q", to_string=True), ""
    for line in text.splitlines():
        if line.startswith("File "):
            file = line[5:].rstrip(":")
        words = line.partition(";")[0].partition("[")[0].split()
        if file and ";" in line and words:
            name = words[-1].lstrip("*").rstrip(")")
            try:
                yield name, gdb.parse_and_eval(f"&'{file}'::{name}")
            except gdb.error:
                continue


class LockHolders(Command):
    """lock-holders: which hart holds which lock, and how many wait for it."""

    def arguments(self, words):
        places = []
        for name, pointer in static_variables():
            for more, offset in spinlocks_in(pointer.type.target()):
                places.append((f"{name}{more}", int(pointer) + offset))
        return [places]

    def node_locks(self, table, process):
        target = table_of(table, process)
        root = process.space.target.root.target if target else None
        left = [root] if root else []
        while left:
            node = left.pop()
            base = int(node.base.raw)
            yield f"node of {name_of(process)}, level {int(node.level)} from {base:#x}", node.lock
            data = table.read(int(node.slots), memory.PAGE)
            half = memory.ENTRIES // 2 if node.address == root.address else memory.ENTRIES
            for index in range(half if int(node.level) else 0):
                entry = int.from_bytes(data[8 * index : 8 * index + 8], "little")
                if memory.kind_of(entry, int(node.level)) == "table":
                    left.append(self.node_of(table, memory.address_of(entry)))

    @staticmethod
    def node_of(table, pa):
        """The side record of a node (frame_of, pt_node_of)."""
        records = memory.thing(table, "'mm/frame.c'::records")
        base = int(memory.thing(table, "'mm/frame.c'::base").raw)
        frame = memory.Thing(table, records.type.target(), int(records))
        frame.address += (pa - base) // memory.PAGE * frame.type.sizeof
        pointer = next(f for f in frame.type.fields() if f.name is None).type.fields()
        node = next(f for f in pointer if f.name == "node")
        inside = next(f for f in frame.type.fields() if f.name is None).bitpos // 8
        return memory.Thing(table, node.type, frame.address + inside).target

    def all(self, table, places):
        spinlock = gdb.lookup_type("struct spinlock")
        for name, address in places:
            yield name, memory.Thing(table, spinlock, address)
        for process in processes_of(table):
            for name, offset in spinlocks_in(process.type):
                yield f"process {name_of(process)}{name}", memory.Thing(
                    table, spinlock, process.address + offset
                )
            yield from self.node_locks(table, process)
            for thread in memory.list_of(process.threads, "struct thread", "process_link"):
                for name, offset in spinlocks_in(thread.type):
                    yield f"thread {int(thread.id)}{name}", memory.Thing(
                        table, spinlock, thread.address + offset
                    )

    def run(self, table, places):
        held = memory.thing(table, "'lib/spinlock.c'::held")
        queues = memory.thing(table, "run_queues")
        left = {hart: int(held[hart].total) for hart in harts_of(table)}
        if not any(left.values()):
            yield "no hart holds a lock"
        for name, lock in self.all(table, places) if any(left.values()) else ():
            owner = int(lock.owner)
            if owner:
                left[owner - 1] = left.get(owner - 1, 0) - 1
                waiting = (int(lock.next) - int(lock.serving) - 1) % 0x10000
                yield f"{self.who(queues, owner - 1)}: {name}; {waiting} wait for it"
        for hart, count in left.items():
            if count > 0:
                yield f"{self.who(queues, hart)}: {count} more, in objects that are not found here"

    @staticmethod
    def who(queues, hart):
        current = queues[hart].current
        if not int(current):
            return f"hart {hart}, no thread"
        thread = current.target
        process = f" of {name_of(thread.process.target)}" if int(thread.process) else ""
        return f"hart {hart}, thread {int(thread.id)}{process}"


class AddProgram(gdb.Command):
    """add-program NAME: adds the symbols of a user program, like init or bin/hello, or of one that
    scripts/run --program built, like bin/mine."""

    def __init__(self):
        super().__init__("add-program", gdb.COMMAND_FILES)

    def invoke(self, name, from_tty):
        kernel = gdb.current_progspace().filename
        if not kernel:
            raise gdb.GdbError("no symbols: file build/rv64-debug/vellum.elf")
        build = os.path.dirname(kernel)
        paths = [os.path.join(build, "user", name), os.path.join(build, "programs", f"{name}.elf")]
        for path in filter(os.path.isfile, paths):
            gdb.execute(f"add-symbol-file {path}")
            return
        raise gdb.GdbError(f"no program {paths[0]}: give a name like init or bin/hello")


VmWalk("vm-walk")
VmMap("vm-map")
Threads("threads")
LockHolders("lock-holders")
AddProgram()
