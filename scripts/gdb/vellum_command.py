# SPDX-License-Identifier: MIT
"""What the commands of scripts/gdb share: harts, processes, and how a command is made."""

import gdb
import vellum_memory as memory


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


def hart_indices(table):
    """{hart id: index} of the harts that run the kernel."""
    found = {}
    blocks = memory.thing(table, "'arch/riscv64/hart.c'::blocks")
    started = int(memory.thing(table, "'arch/riscv64/hart.c'::started"))
    for index in range(64):
        if started >> index & 1:
            found[int(blocks[index].hart_id)] = index
    return found


def harts_of(table):
    """{index: (hart id, privilege, pc)} of the harts that run the kernel; gdb has one thread each."""
    at_hand, found = gdb.selected_thread(), {}
    index_of = hart_indices(table)
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
