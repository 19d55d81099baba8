# SPDX-License-Identifier: MIT
"""Reads a dump of the kernel's trace out of a console log (docs/debugging.md has the format).

The last dump of a log is read. Lines that are not as they should be are left out and counted. Times
are ticks since the first event.
"""

import dataclasses
import re

HARTS_MAX = 64
WORD = re.compile(r"[0-9a-f]{1,16}$")
BEGIN = re.compile(r"trace: begin ([0-9a-f]{1,16} [0-9a-f]{1,16})$")


class NoDump(Exception):
    """There is nothing to read; the text says how to make it."""


@dataclasses.dataclass(frozen=True)
class Event:
    """One line of a dump."""

    hart: int
    number: int
    ticks: int
    thread: int
    kind: str
    a: int
    b: int


@dataclasses.dataclass
class Dump:
    """All that a dump says."""

    hz: int = 0
    harts: list = dataclasses.field(default_factory=list)
    processes: dict = dataclasses.field(default_factory=dict)  # number: name
    threads: dict = dataclasses.field(default_factory=dict)  # number: number of its process
    events: dict = dataclasses.field(default_factory=dict)  # hart: [Event]
    lost: int = 0
    garbled: int = 0
    complete: bool = False

    @property
    def end(self):
        """Ticks of the last event of all."""
        return max((events[-1].ticks for events in self.events.values() if events), default=0)

    def thread_name(self, number):
        if number == 0:
            return "idle"
        process = self.threads.get(number)
        name = self.processes.get(process)
        return f"{name} thread {number}" if name else f"thread {number}"


def numbers(words):
    """The words as numbers, or None if one is none."""
    return [int(word, 16) for word in words] if all(map(WORD.match, words)) else None


def begin_line(words):
    got = numbers(words)
    if not got or len(got) != 2 or not got[0]:
        return None
    return Dump(hz=got[0], harts=[hart for hart in range(HARTS_MAX) if got[1] >> hart & 1])


def name_line(dump, what, words):
    """A line that names a process, or says whose a thread is. True if it is as it should be."""
    number = numbers(words[:1])
    if not number or len(words) < 2:
        return False
    if what == "process":
        dump.processes[number[0]] = " ".join(words[1:])
        return True
    process = numbers(words[1:])
    if not process or len(process) != 1:
        return False
    dump.threads[number[0]] = process[0]
    return True


def end_line(dump, words):
    got = numbers(words)
    if not got or len(got) != 2:
        return False
    dump.lost, dump.complete = got[1], True
    return sum(map(len, dump.events.values())) == got[0]


def event_line(dump, words):
    if len(words) != 7 or not re.match(r"[A-Z_]+$", words[4]):
        return False
    got = numbers(words[:4] + words[5:])
    if not got or got[0] not in dump.harts:
        return False
    events = dump.events.setdefault(got[0], [])
    event = Event(*got[:4], words[4], *got[4:])
    if events and (event.number <= events[-1].number or event.ticks < events[-1].ticks):
        return False
    events.append(event)
    return True


def dump_line(dump, words):
    """One line of a dump behind its `trace:`. True if it is as it should be."""
    if words and words[0] in ("process", "thread"):
        return name_line(dump, words[0], words[1:])
    if words and words[0] == "end":
        return end_line(dump, words[1:])
    return event_line(dump, words)


def learn_names(dump):
    """Processes and threads that have ended are known by what was recorded of them."""
    names = {}
    for event in (event for events in dump.events.values() for event in events):
        if event.kind == "SWITCH" and event.a:
            dump.threads.setdefault(event.a, event.b)
        elif event.kind == "PROCESS":
            piece = event.b.to_bytes(8, "little").split(b"\0")[0]
            piece = re.sub(r"[^ -~]", "?", piece.decode("latin-1"))
            names[event.a] = names.get(event.a, "") + piece
    dump.processes = {**names, **dump.processes}


def start_at_zero(dump):
    first = min((events[0].ticks for events in dump.events.values() if events), default=0)
    for hart, events in dump.events.items():
        dump.events[hart] = [
            dataclasses.replace(event, ticks=event.ticks - first) for event in events
        ]


def read(text):
    """The last dump of a console log."""
    dump = None
    for line in text.replace("\r", "").replace("\0", "").split("\n"):
        begin = BEGIN.search(line)  # perhaps behind an unfinished line of a program
        words = line.split()[1:]
        if begin:
            dump = begin_line(begin[1].split())
        elif not line.startswith("trace: "):
            continue
        elif dump is not None and not dump.complete and not dump_line(dump, words):
            dump.garbled += 1
    if dump is None:
        raise NoDump("there is no dump of a trace in it: type `trace dump` in Vellum's shell")
    if not dump.events:
        raise NoDump("the dump has no events: type `trace on`, then what is to be traced")
    learn_names(dump)
    start_at_zero(dump)
    return dump


def problems(dump):
    """What a reader of the dump should know, as lines."""
    found = []
    if dump.garbled:
        found.append(f"{dump.garbled} lines of the dump are garbled and left out")
    if dump.lost:
        found.append(f"{dump.lost} events had been overwritten: trace a shorter time")
    if not dump.complete:
        found.append("the dump ends before its last line")
    return found
