#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Starts Vellum in QEMU, on this terminal or with commands for init.

The second half of scripts/run. As a module it serves the tests: what they use is named here.
"""

import argparse
import dataclasses
import math
import os
import re
import shlex
import signal
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from qemu_boot import GDB_PORT, HARTS_MAXIMUM, MEMORY_MINIMUM, MONITORED, ROOT  # noqa: E402
from qemu_boot import Boot, Problem, check, command_line  # noqa: E402
from qemu_console import LINE_BEGIN, LINES_AFTER, Reader, console_end, run_commands  # noqa: E402, F401
from qemu_pipe import run_piped  # noqa: E402


def gdb_line(boot):
    """What to type for a debugger; what is installed elsewhere has no commands of its own for it."""
    elf = os.path.join(os.path.abspath(boot.build), "vellum.elf")
    if not os.path.exists(os.path.join(ROOT, "scripts", "gdbinit")):
        return f"gdb-multiarch {elf} -ex 'target remote 127.0.0.1:{GDB_PORT}'"
    line = f"gdb-multiarch -x scripts/gdbinit {os.path.relpath(elf, ROOT)}"
    return line if os.getcwd() == ROOT else f"cd {ROOT} && {line}"


def check_port():
    """gdb's port must be free: QEMU's own words do not say who has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", GDB_PORT))
        except OSError as error:
            raise Problem(
                f"--gdb needs port {GDB_PORT} of this host, which is taken ({error.strerror}): end "
                "what has it, most likely another scripts/run --gdb (Ctrl-A x there)"
            ) from error


def run_interactive(boot):
    """Gives the terminal to the machine, or types what is piped in; returns the exit status."""
    check(boot)
    if boot.gdb:
        check_port()
        print(f"QEMU waits. In another terminal: {gdb_line(boot)}", file=sys.stderr)
    if not boot.commands and not os.isatty(0):
        return run_piped(boot)
    if not boot.commands:
        print("Ctrl-A x leaves QEMU.", file=sys.stderr)
        if boot.machine in MONITORED:
            print("This machine cannot switch itself off: leave with Ctrl-A x.", file=sys.stderr)
    sys.stderr.flush()
    line = command_line(boot)
    return os.execvp(line[0], line)


def show_failure(result, log_path):
    """The end of the console, for a run that did not come to its end."""
    print("\n".join(console_end(result)), file=sys.stderr)
    print(f"{result.why}; the whole console is {os.path.relpath(log_path)}", file=sys.stderr)


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Problem(f"{message.removeprefix('argument ')}; see scripts/run --help")


def value(form, accept):
    """A type for argparse: accept(text), whose ValueError, or None, tells the form that is wanted."""

    def convert(text):
        try:
            accepted = accept(text)
        except ValueError:
            accepted = None
        if accepted is None:
            raise argparse.ArgumentTypeError(f"{text!r} is not {form}")
        return accepted

    return convert


def one_of(*words):
    return value(" or ".join(words), lambda text: text if text in words else None)


def accept_memory(text):
    match = re.fullmatch(r"([0-9]{1,6})([MG])", text)
    bytes_ = int(match[1]) << (30 if match[2] == "G" else 20) if match else 0
    return text if bytes_ >= MEMORY_MINIMUM else None


def accept_harts(text):
    return int(text) if 1 <= int(text) <= HARTS_MAXIMUM else None


def accept_timeout(text):
    return float(text) if 0 < float(text) < math.inf else None


def options():
    parser = Parser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--build", default=os.path.join(ROOT, "build", "rv64-debug"))
    add("--initrd")
    add("--out")
    add("--qemu")
    add("--machine", type=one_of("virt", *MONITORED))
    add("--cpu", type=one_of("u74"))
    harts = f"a number from 1 to {HARTS_MAXIMUM}, as many as the kernel uses"
    add("--harts", type=value(harts, accept_harts))
    add("--memory", type=value("a size like 64M or 2G, at least 16M", accept_memory))
    add("--paging", type=one_of("sv39", "sv48", "sv57"))
    add("--append")
    add("--load-address", type=value("an address like 0x84000000", lambda text: int(text, 0)))
    add("--gdb", action="store_true")
    add("--timeout", type=value("a number of seconds above 0", accept_timeout), default=300.0)
    add("--verbose", action="store_true")
    add("-c", "--commands")
    return parser.parse_args()


def stop(*_):
    """SIGTERM: leave by way of the code that ends QEMU."""
    sys.exit(128 + signal.SIGTERM)


def main():
    chosen = options()
    names = {field.name for field in dataclasses.fields(Boot)}
    given = {name: what for name, what in vars(chosen).items() if name in names and what is not None}
    if not given.get("commands", ";").strip():
        given["commands"] = ";"  # nothing to do is not the same as no commands
    boot = Boot(**given, reboots=not given.get("commands") and os.isatty(0))
    if chosen.verbose:
        check(boot)
        print(shlex.join(command_line(boot)), file=sys.stderr)
    signal.signal(signal.SIGTERM, stop)
    if not boot.commands or boot.gdb:
        return run_interactive(boot)
    log_path = boot.out_file("console.log")
    result = run_commands(
        boot, log_path, chosen.timeout, on_output=lambda line: print(line, flush=True)
    )
    if result.why:
        show_failure(result, log_path)
    return result.status & 0xFF or int(result.status != 0)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Problem as problem:
        sys.exit(f"run: {problem}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except BrokenPipeError:  # whoever read the output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)
