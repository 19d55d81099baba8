# SPDX-License-Identifier: MIT
"""Judges a result: against the budgets, and against the committed baseline.

A row above its budget fails unless docs/performance/exceptions.json names it, with the count it has
and the reason; an exception that is no longer needed fails too. A count that is higher than in the
baseline fails; instructions may grow by a little, because code that merely moves changes them.
"""

import os

import bench_tell

TOLERANCE = 0.01
EXCEPTIONS = os.path.join(bench_tell.FOLDER, "exceptions.json")


def exceptions():
    return bench_tell.load(EXCEPTIONS)["rows"]


def grown(now, before):
    """More than code that moves explains."""
    return now > before * (1 + TOLERANCE) + 1


def judge_budget(name, row, operation, excused):
    """(verdict, failure or None) of one row."""
    value = bench_tell.value_of(row)
    if operation is None or operation.budget is None:
        return "", None
    if value <= operation.budget:
        if name in excused:
            return "good", f"{name} is within its budget: take it out of exceptions.json"
        return "good", None
    told, budget = bench_tell.number(value), bench_tell.number(operation.budget)
    text = f"{operation.title}: {told}, budget {budget}"
    if name not in excused:
        return "OVER", f"{text}; mend it, or name it in exceptions.json with the reason"
    if grown(value, excused[name]["count"]):
        return "OVER", f"{text}; it was excused at {bench_tell.number(excused[name]['count'])}"
    return "excused", None


def judge_budgets(result):
    """({row: verdict}, [failure])"""
    known, excused = bench_tell.operations(), exceptions()
    verdicts, failures = {}, []
    for name, row in result["rows"].items():
        verdicts[name], failure = judge_budget(name, row, known.get(name), excused)
        failures += [failure] if failure else []
    failures += [
        f"exceptions.json names {name}, which is no row"
        for name in excused
        if name not in verdicts and ":" not in name
    ]
    return verdicts, failures


def compare_row(name, now, before, same_tools):
    """What grew. Counts are compared as exact fractions; bytes have only their budget."""
    for counter in sorted(now.keys() & before.keys() - {"n", "bytes"}):
        new, old = now[counter] * before["n"], before[counter] * now["n"]
        if counter != "instructions":
            worse = new > old
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
    baseline, failures = bench_tell.load(path), []
    same_tools = result["tools"] == baseline["tools"]
    if not same_tools:
        print(f"  other tools than the baseline's ({baseline['tools']}): instructions not compared")
    for name, before in baseline["rows"].items():
        if name not in result["rows"]:
            failures.append(f"{name}: the baseline has this row, the run has not")
            continue
        if name != "boot":  # every line that is printed changes it: it has a budget alone
            failures += compare_row(name, result["rows"][name], before, same_tools)
    return failures


def standing(result):
    """{name in exceptions.json: (count, budget)} of the rows that have a budget."""
    known = bench_tell.operations()
    return {
        name: (round(bench_tell.value_of(row), 2), known[name].budget)
        for name, row in result["rows"].items()
        if name in known and known[name].budget is not None
    }


def update_exceptions(values):
    """Takes out what is within its budget now and lowers what came down; growth stays an error."""
    whole = bench_tell.load(EXCEPTIONS)
    for name in whole["rows"].keys() & values.keys():
        count, budget = values[name]
        if count <= budget:
            del whole["rows"][name]
        else:
            whole["rows"][name]["count"] = min(count, whole["rows"][name]["count"])
    bench_tell.save(EXCEPTIONS, whole)
