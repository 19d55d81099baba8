# SPDX-License-Identifier: MIT
"""What lasted, of the events of a trace: pairs beginnings and ends, and names what they are about.

Of a span whose beginning or end is missing the rest is kept.
"""

import dataclasses
import functools
import os
import re

from trace_dump import HARTS_MAX

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# What has an end, the kind of its end, and how it is called.
SPANS = {
    "CALL": ("CALL_END", "call"),
    "FAULT": ("FAULT_END", "fault"),
    "CURSOR_OPEN": ("CURSOR_CLOSE", "cursor"),
    "LOCK_WAIT": ("LOCK_WAIT_END", "lock wait"),
    "FENCE_REMOTE": ("FENCE_REMOTE_END", "remote fence"),
    "CODE_REMOTE": ("CODE_REMOTE_END", "remote fence.i"),
}
BEGIN_OF = {end: begin for begin, (end, _) in SPANS.items()}
INSTANTS = {
    "FENCE_LOCAL": "fence",
    "CODE_LOCAL": "fence.i",
    "INTERRUPT": "interrupt",
    "IPI": "IPI",
    "READY": "ready",
}
ACCESSES = ("read", "write", "execute", "illegal", "breakpoint", "other")


@dataclasses.dataclass
class Span:
    """Something that lasted. whole: both its ends were recorded."""

    hart: int
    kind: str
    name: str
    start: int
    end: int
    thread: int
    depth: int = 0
    whole: bool = True
    args: dict = dataclasses.field(default_factory=dict)


def words_of(path, form):
    """What the form finds in a file of this tree; nothing if the file is not there."""
    try:
        with open(os.path.join(ROOT, path), encoding="ascii") as file:
            return re.findall(form, file.read(), re.MULTILINE)
    except OSError:
        return []


def call_names():
    """{number: name} of the system calls of this tree."""
    found = words_of("kernel/uapi/include/uapi/syscalls.def", r"^SYSCALL\((\d+), (\w+)")
    return {int(number): name for number, name in found}


@functools.cache
def rank_names():
    """The ranks of locks in their order."""
    return words_of("lib/include/lib/lock_rank.h", r"^    LOCK_(\w+)")


def lock_name(rank):
    name = rank_names()[rank] if rank < len(rank_names()) else str(rank)
    return "a node lock" if name == "PT_NODE" else f"lock {name}"


def harts_of(mask):
    return [hart for hart in range(HARTS_MAX) if mask >> hart & 1]


def describe(event, calls):
    """(name, arguments) of an event."""
    a, b, bytes_ = f"{event.a:#x}", f"{event.b:#x}", event.b or "the whole space"
    kind = event.kind
    if kind == "CALL":
        return calls.get(event.a, f"call {event.a}"), {"first argument": b}
    if kind == "FAULT":
        access = ACCESSES[event.b] if event.b < len(ACCESSES) else b
        return f"{access} fault", {"address": a}
    if kind in ("CURSOR_OPEN", "FENCE_LOCAL"):
        return SPANS.get(kind, ("", "fence"))[1], {"address": a, "bytes": bytes_}
    if kind == "LOCK_WAIT":
        return f"wait for {lock_name(event.b)}", {"lock": a}
    if kind in ("FENCE_REMOTE", "CODE_REMOTE"):
        harts = " ".join(map(str, harts_of(event.a)))
        return f"{SPANS[kind][1]} of harts {harts}", {"harts": harts, "bytes": bytes_}
    if kind == "IPI":
        return "IPI", {"harts": " ".join(map(str, harts_of(event.a)))}
    return INSTANTS.get(kind, kind.lower()), {"a": a, "b": b}


def result_of(event):
    """What an end says."""
    if event.kind == "CALL_END":
        signed = event.b - (1 << 64) if event.b >> 63 else event.b
        words = {1: "made again", 2: "waits, then made again", 3: "the thread has ended"}
        return {"result": words.get(signed, signed)}
    if event.kind == "FAULT_END":
        return {"result": "its process ends" if event.b else "the program goes on"}
    if event.kind == "CURSOR_CLOSE":
        return {} if event.b else {"result": "it could not be opened"}
    return {}


class HartSpans:
    """Pairs the beginnings and ends of one hart. Depth 0 is the thread that runs."""

    def __init__(self, dump, hart, calls):
        self.dump, self.hart, self.calls = dump, hart, calls
        self.open, self.done = [], []
        events = dump.events.get(hart, [])
        self.first = events[0].ticks if events else 0
        self.running = Span(hart, "THREAD", "", 0, 0, events[0].thread if events else 0)
        self.running.whole = bool(events)

    def close(self, span, ticks, whole):
        span.end, span.whole = ticks, span.whole and whole
        self.open.remove(span)
        self.done.append(span)

    def run(self, thread, ticks):
        """Another thread runs from now on."""
        if ticks > self.running.start or not self.done:
            self.running.end = ticks
            self.done.append(self.running)
        self.running = Span(self.hart, "THREAD", "", ticks, ticks, thread)

    def begin(self, event):
        name, args = describe(event, self.calls)
        depth = len(self.open) + 1
        span = Span(self.hart, event.kind, name, event.ticks, event.ticks, event.thread, depth)
        span.args = args
        self.open.append(span)

    def end(self, event):
        kind = BEGIN_OF[event.kind]
        place = [
            at
            for at, span in enumerate(self.open)
            if span.kind == kind and (kind != "CURSOR_OPEN" or span.args["address"] == f"{event.a:#x}")
        ]
        if not place:
            name, _ = describe(dataclasses.replace(event, kind=kind, b=0), self.calls)
            lost = Span(self.hart, kind, name, self.first, event.ticks, event.thread, 1, False)
            lost.args = result_of(event)
            self.done.append(lost)
            return
        span = self.open[place[-1]]
        if kind != "CURSOR_OPEN":  # two cursors may close in the order in which they were opened
            for inner in self.open[place[-1] + 1 :]:
                self.close(inner, event.ticks, False)
        span.args.update(result_of(event))
        self.close(span, event.ticks, True)

    def take(self, event):
        if event.kind == "SWITCH":
            self.run(event.a, event.ticks)
        elif event.kind in SPANS:
            self.begin(event)
        elif event.kind in BEGIN_OF:
            self.end(event)

    def all(self):
        for event in self.dump.events.get(self.hart, []):
            self.take(event)
        for span in list(self.open):
            self.close(span, self.dump.end, False)
        self.run(0, self.dump.end)
        for span in self.done:
            if span.kind == "THREAD":
                span.name = self.dump.thread_name(span.thread) if span.whole else "not recorded"
        return sorted(self.done, key=lambda span: (span.start, span.depth))


def spans_of(dump, hart, calls):
    """What lasted on a hart, in the order of beginnings; the threads cover all the time there is."""
    return HartSpans(dump, hart, calls).all()
