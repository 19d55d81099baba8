# SPDX-License-Identifier: MIT
"""The generated part of docs/performance.md, from the baselines; and whether it is up to date."""

import os

import bench_flat
import bench_flat_svg
import bench_gate
import bench_harts
import bench_machine
import bench_posix
import bench_run
import bench_svg
import bench_tell
import qemu_boot

PATH = os.path.join(qemu_boot.ROOT, "docs", "performance.md")
BEGIN = "<!-- scripts/bench --update-baseline writes from here -->"
END = "<!-- to here -->"


def load(variant):
    return bench_tell.load(bench_tell.baseline_path(variant))


def main_part(plain):
    verdicts, _ = bench_gate.judge_budgets(plain)
    yield f"### One hart: {bench_run.WHAT_VARIANTS_ARE['plain']}"
    yield ""
    yield from bench_tell.as_markdown(bench_tell.table(plain, verdicts))


def variants_part():
    """Instructions alone, each machine a column."""
    results = {variant: load(variant) for variant in bench_run.VARIANTS}
    lines = [["operation", *results]]
    known = bench_tell.operations()
    for name, operation in known.items():
        rows = [result["rows"].get(name) for result in results.values()]
        if any(rows):
            lines.append([operation.title, *(bench_tell.told(row) for row in rows)])
    yield "### Other machines, instructions"
    yield ""
    for variant, what in bench_run.WHAT_VARIANTS_ARE.items():
        yield f"- `{variant}`: {what}"
    yield ""
    yield from bench_tell.as_markdown(lines)


def machines_part():
    """What the machines with Sv39 may take, and what they take besides instructions."""
    results = {machine: load(machine) for machine in bench_machine.MACHINES}
    yield "### Sv39, with identifiers and without: budgets"
    yield ""
    yield from bench_tell.as_markdown(bench_machine.table(results))
    yield ""
    yield from bench_machine.reasons()


def harts_part(harts):
    verdicts, _ = bench_harts.judge(harts, bench_gate.exceptions())
    yield "### Several harts: RFENCE calls, and in brackets the harts they interrupt"
    yield ""
    yield from bench_tell.as_markdown(bench_harts.table(harts, verdicts))


def exceptions_part():
    """What is above its budget, by how much, and why."""
    known = bench_tell.operations()
    yield "### Above the budget, and why"
    yield ""
    excused = bench_gate.exceptions()
    if not excused:
        yield "Nothing."
    for name, excuse in excused.items():
        calls = name.startswith(bench_harts.EXCUSE)
        if not calls and name not in known:
            raise qemu_boot.Problem(f"exceptions.json names {name}, which is no row")
        title = name.removeprefix(bench_harts.EXCUSE) if calls else known[name].title
        budget = bench_harts.budget_of(name) if calls else known[name].budget
        count = bench_tell.number(excuse["count"]) + (" RFENCE calls" if calls else "")
        yield f"- {title}: {count} instead of {bench_tell.number(budget)}. {excuse['why']}"


def to_come_part(plain):
    yield "### Still to come"
    yield ""
    yield "These have budgets, but Vellum cannot do them yet:"
    yield ""
    for name, operation in bench_tell.operations().items():
        if name not in plain["rows"]:
            yield f"- {operation.title}: {bench_tell.number(operation.budget)}"


def posix_part(posix):
    image = bench_tell.load(bench_posix.LINUX)["image"]
    yield "### One POSIX program on both kernels, instructions"
    yield ""
    yield f"Linux is `{image}`, told by `scripts/lib/bench_linux.py` to leave out what a"
    yield "microkernel would not do, and transparent huge pages."
    yield ""
    yield from bench_tell.as_markdown(bench_posix.table(posix, {}))


def flat_part(flat):
    yield "### More memory: instructions a page, one hart"
    yield ""
    yield from bench_tell.as_markdown(bench_flat.table(flat))
    yield ""
    yield "### More harts: locks of tables, tables, RFENCE calls a page"
    yield ""
    yield from bench_tell.as_markdown(bench_flat.table_harts(flat))
    yield ""
    yield "### Between two turns of a thread, one hart"
    yield ""
    yield from bench_tell.as_markdown(bench_flat.table_turns(flat))


def generated():
    """The lines between the markers."""
    plain, harts = load("plain"), load("harts")
    parts = (main_part(plain), exceptions_part(), harts_part(harts), variants_part())
    for part in (*parts, machines_part(), flat_part(load("flat")), posix_part(load("posix"))):
        yield from part
        yield ""
    yield from to_come_part(plain)


def wanted():
    """The whole document as it should be."""
    with open(PATH, encoding="utf-8") as file:
        text = file.read()
    if BEGIN not in text or END not in text:
        raise qemu_boot.Problem(f"{PATH} has lost its marker {BEGIN!r} or {END!r}")
    head, rest = text.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    return f"{head}{BEGIN}\n\n" + "\n".join(generated()) + f"\n\n{END}{tail}", text


def update():
    """Writes the document and the picture anew."""
    text, _ = wanted()
    with open(PATH, "w", encoding="utf-8") as file:
        file.write(text)
    bench_svg.save(load("plain"))
    bench_flat_svg.save(load("flat"))


def check():
    """[failure]: what does not show the baselines."""
    new, old = wanted()
    stale = [os.path.relpath(PATH)] if new != old else []
    stale += [os.path.relpath(bench_svg.PATH)] if bench_svg.is_stale(load("plain")) else []
    stale += [os.path.relpath(bench_flat_svg.PATH)] if bench_flat_svg.is_stale(load("flat")) else []
    fix = "scripts/bench --update-documents"
    return [f"{path} does not show the baseline: {fix}" for path in stale]
