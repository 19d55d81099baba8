#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Chooses few combinations of many factors such that every two values that can occur together do.

Most faults that need a certain configuration need two of its values, so this finds them with a
small part of all combinations. The choice is greedy and the same on every run.

As a program it tests itself.
"""

import itertools


def groups_of(row, whole):
    """Every two (factor, value) of a combination, and those of the factors in whole together."""
    groups = set(itertools.combinations(sorted(row.items()), 2))
    return groups | {tuple((name, row[name]) for name in whole)} if whole else groups


def completions(factors, allowed, part):
    """The combinations that contain part, one after another, in the order of the factors."""
    free = [name for name in factors if name not in part]
    if not free:
        if allowed(part):
            yield dict(part)
        return
    for value in factors[free[0]]:
        yield from completions(factors, allowed, {**part, free[0]: value})


def possible(factors, allowed):
    """Every combination that is allowed, in the order of the factors."""
    return list(completions(factors, allowed, {}))


def choose(factors, allowed, whole=()):
    """Combinations that hold every pair of values which some allowed combination holds.

    factors: name -> values, the preferred ones first. allowed: says of a combination whether it can
    be. whole: factors whose values come in all their combinations. Takes from all possible
    combinations the one that brings the most of what is missing; of equals the first.
    """
    candidates = [(row, groups_of(row, whole)) for row in possible(factors, allowed)]
    missing = set().union(*(groups for _, groups in candidates)) if candidates else set()
    chosen = []
    while missing:
        row, groups = max(candidates, key=lambda candidate: len(candidate[1] & missing))
        chosen.append(row)
        missing -= groups
        candidates = [one for one in candidates if one[1] & missing]
    return chosen


def check(factors, allowed, whole=()):
    """Compares a choice with what brute force finds; returns how many rows it has."""
    names = list(factors)
    every = [dict(zip(names, values)) for values in itertools.product(*factors.values())]
    every = [row for row in every if allowed(row)]
    chosen = choose(factors, allowed, whole)
    for group in [*itertools.combinations(names, 2), *([whole] if whole else [])]:
        wanted = {tuple(row[name] for name in group) for row in every}
        found = {tuple(row[name] for name in group) for row in chosen}
        assert found == wanted, f"{group}: {wanted ^ found}"
    assert all(allowed(row) for row in chosen)
    return len(chosen)


def main():
    letters = {"a": [1, 2, 3], "b": "xyz", "c": [True, False], "d": [0, 9]}
    assert check(letters, lambda row: True) <= 11
    assert check(letters, lambda row: row["a"] != 2 or (row["b"] == "x" and not row["c"])) <= 11
    assert 18 <= check(letters, lambda row: True, ("a", "b", "c")) <= 20
    assert check(letters, lambda row: False) == 0
    assert check({"a": [1, 2]}, lambda row: True) == 0, "one factor has no pairs"
    assert check({str(n): range(4) for n in range(5)}, lambda row: sum(row.values()) % 5) < 60
    print("every pair that can be is in what is chosen")


if __name__ == "__main__":
    main()
