#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the include graph: who may include whom, private headers, and cycles. None is allowed.

Beyond what the compiler's include roots refuse already, this finds a private header taken by a
relative path, a C library header in the kernel, cycles between headers, and cycles between the
modules of mm (X.c includes Y.h and Y.c includes X.h).
"""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
import rooms  # noqa: E402

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+([<"])([^>"]+)[>"]', re.MULTILINE)


def includes(path):
    """The (quote, name) pairs of a file."""
    with open(os.path.join(rooms.ROOT, path), encoding="utf-8") as file:
        return INCLUDE.findall(file.read())


def find(path, room, name, quote):
    """The file an include names, or None. <name> is never looked for in rooms that are not seen."""
    others = [os.path.dirname(path), *all_roots()] if quote == '"' else []
    for root in [*others[:1], *rooms.include_roots(room), *others[1:]]:
        found = os.path.normpath(os.path.join(root, name))
        if os.path.isfile(os.path.join(rooms.ROOT, found)):
            return found
    return None


def all_roots():
    """Every public root: to name the room of an include that is not allowed."""
    return [root for room in rooms.ROOMS for root in room.roots if room.name != "tests"]


def is_public(path, room):
    return any(path.startswith(root + "/") for root in room.roots)


def check_angle(path, room, name):
    """A complaint about <name>, or None."""
    if room.hosted or name in room.angle:
        return None
    return f"{path}: <{name}> is not the compiler's own header"


def check_quoted(path, room, name, target):
    """A complaint about "name", or None."""
    if target is None:
        if name in rooms.GENERATED.get(room.name, ()) or (room.hosted and room.name == "tests"):
            return None
        return f"{path}: \"{name}\" is not in the tree"
    other = rooms.room_of(target)
    if other is None or other is room or room.name == "tests":
        return None
    if other.name not in room.sees:
        return f"{path}: {room.name} may not include {other.name} ({target})"
    if not is_public(target, other):
        return f"{path}: {target} is private to {other.name}"
    return None


def check_file(path, graph):
    """Complaints about one file; enters its edges into the graph."""
    room = rooms.room_of(path)
    complaints = []
    for quote, name in includes(path):
        target = find(path, room, name, quote)
        if quote == "<" and not target:
            complaints.append(check_angle(path, room, name))
        elif quote == "<" and name in room.angle:
            continue
        else:
            complaints.append(check_quoted(path, room, name, target))
            if target:
                graph.setdefault(path, set()).add(target)
    return [complaint for complaint in complaints if complaint]


def cycles(graph):
    """One cycle as a list of nodes for each node that closes one, by depth-first search."""
    state, found = {}, []

    def visit(node, trail):
        state[node] = "open"
        for after in sorted(graph.get(node, ())):
            if state.get(after) == "open":
                found.append([*trail[trail.index(after):], after])
            elif after not in state:
                visit(after, [*trail, after])
        state[node] = "done"

    for node in sorted(graph):
        if node not in state:
            visit(node, [node])
    return found


def mm_modules(graph):
    """Which module of mm uses which: X.c includes Y.h, and there is a Y.c."""

    def module(path):
        return os.path.splitext(os.path.basename(path))[0]

    with_code = {module(path) for path in graph if path.startswith("mm/") and path.endswith(".c")}
    edges = {}
    for path, targets in graph.items():
        if path.startswith("mm/") and path.endswith(".c"):
            used = {module(target) for target in targets if target.startswith("mm/")}
            edges[module(path)] = (used & with_code) - {module(path)}
    return edges


def main():
    graph, complaints = {}, []
    paths = [path for path in rooms.tree_files(".c", ".h", ".S") if rooms.room_of(path)]
    for path in paths:
        complaints += check_file(path, graph)
    complaints += ["include cycle: " + " -> ".join(cycle) for cycle in cycles(graph)]
    complaints += ["module cycle in mm: " + " -> ".join(c) for c in cycles(mm_modules(graph))]
    for complaint in complaints:
        print(complaint)
    print(f"{len(paths)} files, {len(complaints)} breaches of the include rules")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
