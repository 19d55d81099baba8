# SPDX-License-Identifier: MIT
"""Judges a result: against the budgets, and against the committed baseline.

A row above its budget fails unless docs/performance/exceptions.json names it, with the count it has
and the reason; an exception that is no longer needed fails too. A count that is higher than in the
baseline fails, and so does one that the baseline has not; instructions may grow by a little,
because code that merely moves changes them, and so may what comes with the clock. What was counted with one compiler and QEMU, baselines
and exceptions, says nothing of instructions with others: budgets alone hold then.
"""

import fractions
import os

import bench_tell

TOLERANCE = 0.01
UPDATE = "scripts/bench --update-baseline takes it in"
# What the timer takes comes with the clock and not with the operation: at most so many a millisecond,
# and as many once.  It fires, is set to a slice's end, and again for the reaper; the slice is looked
# at, and both ends are computed.
BY_THE_TIMER = {"sbi_calls": 2, "time_reads": 3}
INSTRUCTIONS_A_MS = 1_000_000
EXCEPTIONS = os.path.join(bench_tell.FOLDER, "exceptions.json")


def exceptions():
    return bench_tell.load(EXCEPTIONS)["rows"]


def room(count):
    """What code that moves may make of a count of instructions."""
    return count * (1 + TOLERANCE) + 1


def grown(now, before):
    """More than code that moves explains."""
    return now > room(before)


def by_the_timer(counter, row):
    """How much of a count may be the timer's."""
    milliseconds = fractions.Fraction(row.get("instructions", 0), INSTRUCTIONS_A_MS)
    return BY_THE_TIMER.get(counter, 0) * (milliseconds + 1)


def other_tools(result, path):
    """How the tools differ from those of the baseline at `path`, as text; "" if they do not."""
    before = bench_tell.load(path)["tools"] if os.path.exists(path) else result["tools"]
    return ", ".join(
        f"the {tool} is {result['tools'].get(tool)}, the baseline's {before.get(tool)}"
        for tool in sorted(result["tools"].keys() | before.keys())
        if result["tools"].get(tool) != before.get(tool)
    )


def judge_budget(name, row, operation, excused, same_tools):
    """(verdict, failure or None) of one row."""
    value = bench_tell.value_of(row)
    if operation is None or operation.budget is None:
        return "", None
    if value <= operation.budget:
        if name in excused and same_tools:
            return "good", f"{name} is within its budget: take it out of exceptions.json"
        return "good", None
    told, budget = bench_tell.number(value), bench_tell.number(operation.budget)
    text = f"{operation.title}: {told}, budget {budget}"
    if name not in excused:
        return "OVER", f"{text}; mend it, or name it in exceptions.json with the reason"
    if same_tools and grown(value, excused[name]["count"]):
        return "OVER", f"{text}; it was excused at {bench_tell.number(excused[name]['count'])}"
    return "excused", None


def judge_budgets(result, same_tools=True):
    """({row: verdict}, [failure]); exceptions are compared only if counted with the same tools."""
    known, excused = bench_tell.operations(), exceptions()
    verdicts, failures = {}, []
    for name, row in result["rows"].items():
        verdicts[name], failure = judge_budget(name, row, known.get(name), excused, same_tools)
        failures += [failure] if failure else []
    failures += [
        f"exceptions.json names {name}, which is no row"
        for name in excused
        if name not in verdicts and ":" not in name
    ]
    return verdicts, failures


def compare_row(name, now, before, same_tools):
    """What grew. Counts are compared as exact fractions, bar the timer's; bytes have budgets only."""
    for counter in sorted(now.keys() - before.keys()):
        yield f"{name}: the run has the count {counter}, the baseline has not; {UPDATE}"
    for counter in sorted(before.keys() - now.keys()):
        yield f"{name}: the baseline has the count {counter}, the run has not"
    for counter in sorted(now.keys() & before.keys() - {"n", "bytes"}):
        new, old = now[counter] * before["n"], before[counter] * now["n"]
        if counter != "instructions":
            worse = new > old + by_the_timer(counter, now) * before["n"]
        else:
            worse = same_tools and grown(now[counter] / now["n"], before[counter] / before["n"])
        if worse:
            yield (
                f"{name}: {counter} was {bench_tell.number(before[counter] / before['n'])}, "
                f"is {bench_tell.number(now[counter] / now['n'])}"
            )


def judge_growth(result, path):
    """[failure] of a result against its baseline, the file at `path`."""
    if not os.path.exists(path):
        return [f"there is no {os.path.relpath(path)}: scripts/bench --update-baseline makes it"]
    before, now, failures = bench_tell.load(path)["rows"], result["rows"], []
    for name in sorted(before.keys() - now.keys()):
        failures.append(f"{name}: the baseline has this row, the run has not")
    for name in sorted(now.keys() - before.keys()):
        failures.append(f"{name}: the run has this row, the baseline has not; {UPDATE}")
    same_tools = not other_tools(result, path)
    for name, row in before.items():
        if name in now and name != "boot":  # what is printed changes it: it has a budget alone
            failures += compare_row(name, now[name], row, same_tools)
    return failures


def standing(result):
    """{name in exceptions.json: (count, budget)} of the rows that have a budget."""
    known = bench_tell.operations()
    return {
        name: (round(bench_tell.value_of(row), 2), known[name].budget)
        for name, row in result["rows"].items()
        if name in known and known[name].budget is not None
    }


def update_exceptions(values, same_tools):
    """Takes out what is within its budget now, and lowers what came down; returns what it did.

    Growth stays an error, unless other tools count: then each count is taken anew.
    """
    whole, done = bench_tell.load(EXCEPTIONS), []
    rows = whole["rows"]
    for name in sorted(rows.keys() & values.keys()):
        (count, budget), before = values[name], rows[name]["count"]
        if count <= budget:
            del rows[name]
            done.append(f"{name} is within its budget: taken out")
        elif count < before or not same_tools:
            rows[name]["count"] = count
            done += [f"{name}: {before:,g} is {count:,g} now"] if count != before else []
    bench_tell.save(EXCEPTIONS, whole)
    return done
