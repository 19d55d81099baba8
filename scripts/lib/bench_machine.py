# SPDX-License-Identifier: MIT
"""Judges the machines with Sv39, the one without identifiers and hardware updates too.

Instructions: a row may take what plain may take (its budget, the count it is excused at, or, if it
has neither, its baseline), unless docs/performance/machines.json gives the machine a budget of its
own. Counts are exact, in both directions: a fence more is a cost, and one less says that the machine
does not go the way that was meant, or that the budget is to be lowered.

Of SBI calls and readings of the time, those of the timer are left out (bench_gate.by_the_timer).
"""

import dataclasses
import fractions
import os

import bench_gate
import bench_tell

MACHINES = ("sv39", "u74")
PATH = os.path.join(bench_tell.FOLDER, "machines.json")
COUNTERS = {
    "fences": "tlb_flush_local",
    "remote": "tlb_flush_remote",
    "A/D faults": "spurious_faults",
    "SBI": "sbi_calls",
    "time": "time_reads",
}


def budgets():
    return bench_tell.load(PATH)


def plain_rows():
    return bench_tell.load(bench_tell.baseline_path("plain"))["rows"]


def is_counted(row):
    """False for bytes, and for the boot, which is no operation."""
    return "sbi_calls" in row


@dataclasses.dataclass(frozen=True)
class Limit:
    """What a row may take; a count has some room for code that moves, a budget has none."""

    value: float
    is_count: bool = False

    def most(self):
        return bench_gate.room(self.value) if self.is_count else self.value

    def permits(self, value):
        return value <= self.most()


def limit_by_plain(name, plain, excused):
    """What plain may take; None: plain has no such row."""
    operation = bench_tell.operations().get(name)
    budget = operation.budget if operation else None
    if name in excused:
        return Limit(excused[name]["count"], is_count=True)
    if budget is not None:
        return Limit(budget)
    return Limit(bench_tell.value_of(plain[name]), is_count=True) if name in plain else None


def limit_of(machine, name, own, by_plain):
    """What the row may take on the machine."""
    return Limit(own[name][machine]) if machine in own.get(name, {}) else by_plain


def judge_instructions(machine, name, row, own, by_plain, same_tools):
    """A failure or None.  Counts of other tools, and budgets made from them, say nothing."""
    value, limit = bench_tell.value_of(row), limit_of(machine, name, own, by_plain)
    if limit is None:
        return f"{name}: plain's baseline has no such row; {bench_gate.UPDATE}"
    if not same_tools and (limit.is_count or limit != by_plain):
        return None
    if not limit.permits(value):
        told, most = bench_tell.number(value), bench_tell.number(limit.most())
        return f"{name}: {told} instructions, and may take {most}"
    if limit != by_plain and by_plain.permits(value):
        return f"{name} needs no budget of its own: take it out of machines.json"
    return None


def budget_of_count(counts, kind, name, machine):
    """The exact budget of a count."""
    budget = counts[kind].get(name, 0)
    if isinstance(budget, dict):
        budget = budget.get(machine, 0)
    return fractions.Fraction(budget)


def judge_counts(machine, name, row, counts):
    """Yields what differs."""
    for kind, counter in COUNTERS.items():
        budget = budget_of_count(counts, kind, name, machine)
        extra = row[counter] - budget * row["n"]
        if not 0 <= extra <= bench_gate.by_the_timer(counter, row):
            got = fractions.Fraction(row[counter], row["n"])
            yield f"{name}: {kind}: {got}, and must be {budget}"


def verdict_of(name, row, failure):
    """Beside the budget of plain."""
    operation = bench_tell.operations().get(name)
    if failure:
        return "OVER"
    if operation is None or operation.budget is None:
        return ""
    return "good" if bench_tell.value_of(row) <= operation.budget else "excused"


def judge(machine, result, same_tools=True):
    """({row: verdict}, [failure]) of one of MACHINES."""
    whole, plain, excused = budgets(), plain_rows(), bench_gate.exceptions()
    own, counts = whole["instructions"], whole["counts"]
    verdicts, failures = {}, []
    for name, row in result["rows"].items():
        by_plain = limit_by_plain(name, plain, excused)
        failure = judge_instructions(machine, name, row, own, by_plain, same_tools)
        verdicts[name] = verdict_of(name, row, failure)
        failures += [failure] if failure else []
        failures += judge_counts(machine, name, row, counts) if is_counted(row) else []
    named = own.keys() | {name for kind in COUNTERS for name in counts[kind]}
    failures += [
        f"machines.json names {name}, which is no row" for name in sorted(named - verdicts.keys())
    ]
    return verdicts, failures


def cells(name, rows, by_plain, own):
    """A line of the table: instructions and what they may be, then counts."""
    operation = bench_tell.operations().get(name)
    yield operation.title if operation else name
    for machine in MACHINES:
        yield bench_tell.told(rows[machine])
        yield bench_tell.number(limit_of(machine, name, own, by_plain).most())
    for kind, counter in COUNTERS.items():
        for machine in MACHINES if kind == "fences" else MACHINES[1:]:
            yield bench_tell.share(rows[machine], [counter])


def table(results):
    """[[cell]] with a head: all counted rows of the machines, {machine: result}."""
    plain, excused, own = plain_rows(), bench_gate.exceptions(), budgets()["instructions"]
    head = ["operation", "sv39", "at most", "u74", "at most", "fences, sv39"]
    lines = [[*head, *(f"{kind}, u74" for kind in COUNTERS)]]
    names = results[MACHINES[0]]["rows"]
    for name in [name for name in bench_tell.operations() if name in names]:
        rows = {machine: results[machine]["rows"][name] for machine in MACHINES}
        if is_counted(rows[MACHINES[0]]):
            lines.append(list(cells(name, rows, limit_by_plain(name, plain, excused), own)))
    return lines


def reasons():
    """Yields why machines have budgets of their own."""
    known = bench_tell.operations()
    for name, budget in budgets()["instructions"].items():
        limits = " and ".join(
            f"{bench_tell.number(budget[machine])} on `{machine}`"
            for machine in MACHINES
            if machine in budget
        )
        yield f"- {known[name].title}: at most {limits}. {budget['why']}"
