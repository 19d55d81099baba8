# SPDX-License-Identifier: MIT
"""The shell of a machine as somebody at a terminal has it: types, and reads the screen."""

import re

from session_run import Failure, expect

PROMPT = "vellum> "
ESCAPE = re.compile(r"\x1b(\[[0-9;]*[A-Za-z]|[78])")


def screen_lines(text):
    """The rows that a terminal shows for this text; none may reach behind its end."""
    rows = []
    for line in ESCAPE.sub("", text).replace("\a", "").split("\n"):
        row, at = [], 0
        for letter in line:
            if letter == "\b":
                at -= 1
                continue
            row[at : at + 1] = [letter]
            at += 1
        rows.append("".join(row))
    return rows


class Shell:
    """The shell of a machine, at its prompt."""

    def __init__(self, machine):
        self.machine = machine
        machine.wait_for(PROMPT)

    def ask(self, typed):
        """Types, waits for the next prompt, and returns the lines between, the typed one first."""
        self.machine.type(typed)
        return screen_lines(PROMPT + self.machine.wait_for("\n" + PROMPT))

    def start(self, command, text):
        """Starts a program in the background that prints this text, before the prompt or after."""
        begin = self.machine.seen
        self.machine.type(f"{command} &\r")
        self.machine.wait_for(text)
        end, self.machine.seen = self.machine.seen, begin
        self.machine.wait_for("\n" + PROMPT)
        self.machine.seen = max(self.machine.seen, end)

    def run(self, command):
        """What a command prints."""
        lines = self.ask(command + "\r")
        if lines[0] != PROMPT + command:
            raise Failure(f"{command!r} is shown as {lines[0]!r}")
        return lines[1:]


def expect_line(lines, wanted):
    expect(wanted in lines, f"there is no line {wanted!r} in", lines)
