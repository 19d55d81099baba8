# SPDX-License-Identifier: MIT
"""The command vm-objects of scripts/gdb/vellum.py: a space's table of memory objects."""

import gdb
import vellum_memory as memory
from vellum_command import Command, name_of, number, process_of

ROW = 16  # bytes: the object's address, marks in 48 bits, the next row
MARKS = (1 << 48) - 1


def frame_at(table, pointer):
    """The physical address of the frame that a record is of (frame_pa)."""
    records = memory.thing(table, "'mm/frame.c'::records")
    base = int(memory.thing(table, "'mm/frame.c'::base").raw)
    return base + (pointer - int(records)) // records.type.target().sizeof * memory.PAGE


class VmObjects(Command):
    """vm-objects PID: the memory objects that a process maps pages of, by their slots."""

    least, most = 1, 1

    def arguments(self, words):
        return [number(words[0], "number")]

    def rows(self, table, backing):
        """(slot, object, marks) of the rows in use."""
        for page in range(int(backing.pages)):
            data = memory.physical_read(frame_at(table, int(backing.page[page])), memory.PAGE)
            for at in range(0, memory.PAGE, ROW):
                pointer = int.from_bytes(data[at : at + 8], "little")
                marks = int.from_bytes(data[at + 8 : at + ROW], "little") & MARKS
                if pointer:
                    yield page * memory.PAGE // ROW + at // ROW, pointer, marks

    def run(self, table, pid):
        process = process_of(table, pid)
        if not int(process.space):
            raise gdb.GdbError(f"process {pid} has ended: its space is gone")
        yield name_of(process)
        pointer = int(process.space.target.backing)
        backing = memory.Thing(table, gdb.lookup_type("struct vm_backing"), pointer)
        for slot, at, marks in self.rows(table, backing) if pointer else ():
            found = memory.Thing(table, gdb.lookup_type("struct mem_object"), at)
            yield (
                f"  slot {slot}: object {at:#x} of {int(found.pages)} pages, {int(found.frames)} of "
                f"them made; {marks} marks name it here"
            )
