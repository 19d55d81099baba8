# SPDX-License-Identifier: MIT
"""add-program and break-program: gdb in the programs that Vellum runs.

All programs lie at the same addresses, and a breakpoint is an address. So break-program looks, at
each stop, whose the thread is that the stopped hart runs, and goes on if it is not the one's that
was asked for. A stop must not move gdb to another hart: only what the stopped one has is read.
"""

import os

import gdb
import vellum_memory as memory
from vellum_command import hart_indices, register

FOLDERS = (("user", ""), ("user/bin", ""), ("user/test", ""), ("programs/bin", ".elf"),
           ("programs/test", ".elf"))  # fmt: skip


def program_file(name):
    """The program's file beside the kernel: scripts/run --program builds in programs/."""
    kernel = gdb.current_progspace().filename
    if not kernel:
        raise gdb.GdbError("no symbols: file build/rv64-debug/vellum.elf")
    build = os.path.dirname(kernel)
    paths = [os.path.join(build, "user", name), os.path.join(build, "programs", f"{name}.elf")]
    paths += [os.path.join(build, folder, name + end) for folder, end in FOLDERS]
    for path in filter(os.path.isfile, paths):
        return path
    raise gdb.GdbError(f"no program {paths[0]}: give a name like init or bin/hello")


def program_name(path):
    """The name of the program of a file, as its process has it."""
    return os.path.basename(path).removesuffix(".elf")


def symbols_of(path):
    """What gdb has of that file, which is loaded if it is not yet."""
    for load in (True, False):
        for file in gdb.objfiles():
            if os.path.realpath(file.filename) == os.path.realpath(path):
                return file
        if load:
            gdb.execute(f"add-symbol-file {path}")
    raise gdb.GdbError(f"gdb does not take the symbols of {path}")


def place_of(path, place):
    """What gdb.Breakpoint wants for a place in that program: a function, or *ADDRESS."""
    file = symbols_of(path)
    if place.startswith("*"):
        return {"spec": place}
    found = file.lookup_global_symbol(place) or file.lookup_static_symbol(place)
    if not found or not found.is_function:
        raise gdb.GdbError(f"{path} has no function {place}")
    return {"source": found.symtab.fullname(), "function": place}


def process_here():
    """The name of the process whose thread the stopped hart runs; "" if it runs none."""
    table = memory.Table.of_satp(register("satp"))
    with memory.Physical():
        index = hart_indices(table).get(register("mhartid"))
        current = None if index is None else memory.thing(table, "run_queues")[index].current
        if current is None or not int(current) or not int(current.target.process):
            return ""
        return current.target.process.target.name.text()


class ProgramBreakpoint(gdb.Breakpoint):
    """Stops only where the process of the hart has that name."""

    def __init__(self, process, place):
        self.process = process
        super().__init__(**place, type=gdb.BP_HARDWARE_BREAKPOINT)

    def stop(self):
        try:
            return process_here() == self.process
        except gdb.GdbError as error:
            print(f"whose the breakpoint is cannot be seen: {error}")
            return True


class AddProgram(gdb.Command):
    """add-program NAME: adds the symbols of a user program, like init or bin/hello, or of one that
    scripts/run --program built, like bin/mine."""

    def __init__(self):
        super().__init__("add-program", gdb.COMMAND_FILES)

    def invoke(self, name, from_tty):
        gdb.execute(f"add-symbol-file {program_file(name)}")


class BreakProgram(gdb.Command):
    """break-program NAME FUNCTION: stops in a function of that program, and not in another program
    that has something at the same address. *ADDRESS stands for any place. Adds the program's
    symbols if they are not there."""

    def __init__(self):
        super().__init__("break-program", gdb.COMMAND_BREAKPOINTS)

    def invoke(self, text, from_tty):
        words = gdb.string_to_argv(text)
        if len(words) != 2:
            raise gdb.GdbError("usage: break-program NAME FUNCTION")
        name, place = words
        limit = gdb.lookup_type("struct process")["name"].type.sizeof - 1
        ProgramBreakpoint(os.path.basename(name)[:limit], place_of(program_file(name), place))
