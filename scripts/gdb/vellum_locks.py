# SPDX-License-Identifier: MIT
"""lock-holders: finds every spinlock of the kernel and says who has it.

Locks are found in the kernel's variables by their types, then in all processes, their threads and
the nodes of their page tables. Those of objects that nothing here leads to are only counted.
"""

import gdb
import vellum_memory as memory
from vellum_command import Command, harts_of, name_of, processes_of, table_of


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

    def counts(self, table):
        """{hart: locks it holds}, or None: a release build does not count them."""
        try:
            held = memory.thing(table, "'lib/spinlock.c'::held")
        except gdb.GdbError:
            return None
        return {hart: int(held[hart].total) for hart in harts_of(table)}

    def run(self, table, places):
        queues = memory.thing(table, "run_queues")
        counts, found = self.counts(table), {}
        for name, lock in self.all(table, places) if counts is None or any(counts.values()) else ():
            owner = int(lock.owner)
            if owner:
                found[owner - 1] = found.get(owner - 1, 0) + 1
                waiting = (int(lock.next) - int(lock.serving) - 1) % 0x10000
                yield f"{self.who(queues, owner - 1)}: {name}; {waiting} wait for it"
        more = {hart: count - found.get(hart, 0) for hart, count in (counts or {}).items()}
        for hart in (hart for hart, count in more.items() if count > 0):
            yield f"{self.who(queues, hart)}: {more[hart]} more, in objects that are not found here"
        if not found and not any(more.values()):
            yield "no hart holds a lock"

    @staticmethod
    def who(queues, hart):
        current = queues[hart].current
        if not int(current):
            return f"hart {hart}, no thread"
        thread = current.target
        process = f" of {name_of(thread.process.target)}" if int(thread.process) else ""
        return f"hart {hart}, thread {int(thread.id)}{process}"
