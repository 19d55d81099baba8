#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What scripts/bench does with the numbers: reading, judging, telling, drawing. Boots nothing."""

import json
import os
import sys
import tempfile
import unittest
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts", "lib"))
import bench_flat  # noqa: E402
import bench_flat_svg  # noqa: E402
import bench_gate  # noqa: E402
import bench_harts  # noqa: E402
import bench_linux  # noqa: E402
import bench_posix  # noqa: E402
import bench_run  # noqa: E402
import bench_svg  # noqa: E402
import bench_tell  # noqa: E402
import qemu_boot  # noqa: E402

CHECK = "check 800000 800003 800100"
TOOLS = {"compiler": "a compiler", "qemu": "a QEMU"}


def result(rows, tools=None):
    return {"variant": "plain", "tools": tools or TOOLS, "rows": rows}


def null_row(instructions, **counts):
    return {"null": {"n": 100, "instructions": instructions * 100, **counts}}


class Folder(unittest.TestCase):
    """Each test has a baseline and exceptions of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.baseline = os.path.join(folder.name, "baseline.json")
        kept = bench_gate.EXCEPTIONS
        self.addCleanup(setattr, bench_gate, "EXCEPTIONS", kept)
        bench_gate.EXCEPTIONS = os.path.join(folder.name, "exceptions.json")
        self.excuse({})

    def excuse(self, rows):
        bench_tell.save(bench_gate.EXCEPTIONS, {"about": "", "rows": rows})


class Reading(unittest.TestCase):
    def test_rows_and_facts(self):
        lines = ["fact harts 1", CHECK, "row null n=5 instructions=500 faults=0", "absent futex 88"]
        rows, facts = bench_run.read_lines(lines)
        self.assertEqual(rows, {"null": {"n": 5, "instructions": 500, "faults": 0}})
        self.assertEqual(facts, {"harts": 1})

    def test_a_method_that_is_off_is_refused(self):
        row = "row null n=5 instructions=500"
        for line in ("check 800000 790000 800000", "check 800000 800000 810000"):
            with self.assertRaisesRegex(qemu_boot.Problem, "nothing here can be trusted"):
                bench_run.read_lines([CHECK, line, row])

    def test_what_is_missing_or_strange_is_refused(self):
        for lines in ([CHECK], ["row null n=5 instructions=500"], [CHECK, "what is this"]):
            with self.assertRaises(qemu_boot.Problem):
                bench_run.read_lines(lines)

    def test_a_row_that_fails_is_refused(self):
        with self.assertRaisesRegex(qemu_boot.Problem, "null fails with error 12"):
            bench_run.read_lines([CHECK, "absent null 12"])


class Budgets(Folder):
    def judge(self, instructions):
        verdicts, failures = bench_gate.judge_budgets(result(null_row(instructions)))
        return verdicts["null"], failures

    def test_within(self):
        self.assertEqual(self.judge(80), ("good", []))

    def test_above(self):
        verdict, failures = self.judge(81)
        self.assertEqual(verdict, "OVER")
        self.assertIn("null system call: 81, budget 80", failures[0])

    def test_excused(self):
        self.excuse({"null": {"count": 108, "why": "A reason."}})
        self.assertEqual(self.judge(108), ("excused", []))
        verdict, failures = self.judge(120)
        self.assertEqual(verdict, "OVER")
        self.assertIn("excused at 108", failures[0])

    def test_other_tools_leave_the_budget_alone(self):
        self.excuse({"null": {"count": 108, "why": ""}})
        for instructions, verdict in ((70, "good"), (200, "excused")):
            judged = bench_gate.judge_budgets(result(null_row(instructions)), same_tools=False)
            self.assertEqual(judged, ({"null": verdict}, []))
        self.excuse({})
        judged = bench_gate.judge_budgets(result(null_row(81)), same_tools=False)
        self.assertIn("budget 80", judged[1][0])

    def test_an_excuse_that_is_not_needed(self):
        self.excuse({"null": {"count": 108, "why": ""}, "gone": {"count": 1, "why": ""}})
        verdict, failures = self.judge(70)
        self.assertEqual(verdict, "good")
        self.assertIn("null is within its budget", failures[0])
        self.assertIn("gone, which is no row", failures[1])

    def test_updating_lowers_and_takes_out(self):
        self.excuse({name: {"count": 9000, "why": ""} for name in ("null", "thread", "space")})
        values = {"null": (70, 80), "thread": (8000, 2500), "space": (9500, 1200)}
        done = bench_gate.update_exceptions(values, same_tools=True)
        self.assertEqual(self.counts(), {"thread": 8000, "space": 9000})
        self.assertEqual(
            done, ["null is within its budget: taken out", "thread: 9,000 is 8,000 now"]
        )
        bench_gate.update_exceptions(values, same_tools=False)
        self.assertEqual(self.counts(), {"thread": 8000, "space": 9500})

    def counts(self):
        return {name: excuse["count"] for name, excuse in bench_gate.exceptions().items()}


class Growth(Folder):
    def judge(self, now, before, tools=None):
        bench_tell.save(self.baseline, result(before))
        return bench_gate.judge_growth(result(now, tools), self.baseline)

    def test_the_same(self):
        self.assertEqual(self.judge(null_row(100, faults=3), null_row(100, faults=3)), [])

    def test_instructions_may_move_a_little(self):
        self.assertEqual(self.judge(null_row(102), null_row(100)), [])
        self.assertIn("instructions was 100, is 103", self.judge(null_row(103), null_row(100))[0])

    def test_counts_may_not(self):
        self.assertIn("faults", self.judge(null_row(100, faults=4), null_row(100, faults=3))[0])
        self.assertEqual(self.judge(null_row(100, faults=2), null_row(100, faults=3)), [])

    def test_what_comes_with_the_clock_may(self):
        """10,000 instructions are 0.01 ms, and the timer may set itself twice in one."""
        before = null_row(100, sbi_calls=100)
        self.assertEqual(self.judge(null_row(100, sbi_calls=102), before), [])
        self.assertIn("sbi_calls was 1, is 1.03", self.judge(null_row(100, sbi_calls=103), before)[0])

    def test_other_tools_move_instructions_but_not_counts(self):
        other = {"compiler": "another", "qemu": "a QEMU"}
        now, before = null_row(200, faults=4), null_row(100, faults=3)
        self.assertEqual(self.judge(now, before, other), ["null: faults was 0.03, is 0.04"])

    def test_a_row_that_went(self):
        self.assertIn("the run has not", self.judge({}, null_row(100))[0])

    def test_a_row_that_came(self):
        new = {"new": {"n": 1, "instructions": 10**9}}
        failures = self.judge(null_row(100) | new, null_row(100))
        self.assertEqual(len(failures), 1)
        self.assertIn("new: the run has this row, the baseline has not", failures[0])
        lines = bench_tell.table(result(new | null_row(100)), {})
        self.assertEqual([line[0] for line in lines[1:]], ["null system call", "new"])

    def test_a_count_that_came_or_went(self):
        with_count, without = null_row(100, faults=3), null_row(100)
        self.assertIn("has the count faults, the base", self.judge(with_count, without)[0])
        self.assertIn("has the count faults, the run", self.judge(without, with_count)[0])

    def test_how_tools_differ(self):
        bench_tell.save(self.baseline, result({}))
        self.assertEqual(bench_gate.other_tools(result({}), self.baseline), "")
        self.assertEqual(bench_gate.other_tools(result({}), "absent.json"), "")
        other = result({}, TOOLS | {"qemu": "another"})
        told = bench_gate.other_tools(other, self.baseline)
        self.assertEqual(told, "the qemu is another, the baseline's a QEMU")

    def test_no_baseline(self):
        self.assertIn("--update-baseline", bench_gate.judge_growth(result({}), "absent.json")[0])


class Harts(unittest.TestCase):
    def judge(self, excused=None, **changed):
        rows = {}
        for harts in bench_harts.HARTS:
            for what, budget in bench_harts.BUDGETS.items():
                there = bench_harts.PRESENT.get(what, harts - 1)
                rows[f"{harts} {what}"] = {"n": 1, "rfence": budget, "interrupted": budget * there}
        rows["4 tighten 4 MiB"].update(changed)
        return bench_harts.judge(result(rows), excused or {})

    def test_as_it_should_be(self):
        verdicts, failures = self.judge()
        self.assertEqual((set(verdicts.values()), failures), ({"good"}, []))

    def test_a_call_too_many(self):
        self.assertIn("4 tighten 4 MiB: 2 RFENCE calls", self.judge(rfence=2)[1][0])

    def test_an_excused_call(self):
        excused = {"fences: tighten 4 MiB": {"count": 4, "why": ""}}
        self.assertEqual(self.judge(excused, rfence=4)[1], [])
        self.assertIn("take it out", self.judge(excused)[1][0])

    def test_a_hart_that_is_elsewhere(self):
        self.assertIn("more than run it", self.judge(interrupted=4)[1][0])


    def test_an_operation_that_has_no_budget(self):
        rows = {"2 new": {"n": 1, "rfence": 9, "interrupted": 9}}
        self.assertIn("2 new: has no budget", bench_harts.judge(result(rows), {})[1][0])
        self.assertEqual(bench_harts.standing(result(rows)), {})


class Posix(unittest.TestCase):
    lines = [f"row {name} n=10 instructions=1000" for name in bench_posix.TITLES]

    def test_all_rows(self):
        rows = bench_posix.rows_of([" " + self.lines[0] + "\r", "more", *self.lines[1:]], "a log")
        self.assertEqual(rows.keys(), bench_posix.TITLES.keys())

    def test_a_row_too_few_or_too_many(self):
        for lines in ([], self.lines[:-1], [*self.lines, "row new n=1 instructions=1"]):
            with self.assertRaisesRegex(qemu_boot.Problem, "other rows than .* a log"):
                bench_posix.rows_of(lines, "a log")

    def test_what_is_kept_has_all_rows(self):
        for path in (bench_posix.LINUX, bench_tell.baseline_path("posix")):
            self.assertEqual(bench_tell.load(path)["rows"].keys(), bench_posix.TITLES.keys())


class Telling(unittest.TestCase):
    def test_numbers(self):
        told = [bench_tell.number(value) for value in (43.71, 0.3, 80, 1234.5, None)]
        self.assertEqual(told, ["43.7", "0.30", "80", "1,234", ""])

    def test_shares_show_what_is_rare(self):
        row = {"n": 4096, "frames_allocated": 4104, "tables_allocated": 8, "faults": 8192}
        told = [bench_tell.share(row, [counter]) for counter in list(row)[1:]]
        self.assertEqual(told, ["1", "0.002", "2"])

    def test_a_saved_result_is_what_it_was(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a.json")
            for rows in ({}, null_row(100, faults=1)):
                bench_tell.save(path, result(rows))
                self.assertEqual(bench_tell.load(path), result(rows))

    def test_what_cannot_be_read_is_named(self):
        with self.assertRaisesRegex(qemu_boot.Problem, "absent.json cannot be read"):
            bench_tell.load("absent.json")
        with self.assertRaisesRegex(qemu_boot.Problem, "is no RISC-V Linux image"):
            bench_linux.check_image(__file__)

    def test_the_peers_file(self):
        with open(os.path.join(bench_tell.FOLDER, "peers.json"), encoding="utf-8") as file:
            names = [operation["id"] for operation in json.load(file)["operations"]]
        self.assertEqual(len(names), len(set(names)))


class Drawing(unittest.TestCase):
    rows = null_row(108) | {"thread": {"n": 10, "instructions": 100000}}

    def test_it_is_xml_and_the_same_each_time(self):
        picture = bench_svg.draw(result(self.rows))
        xml.etree.ElementTree.fromstring(picture)
        self.assertEqual(picture, bench_svg.draw(result(self.rows)))
        self.assertNotEqual(picture, bench_svg.draw(result(self.rows | null_row(109))))

    def test_numbers_stay_clear_of_the_budget(self):
        for instructions in (50, 72, 80, 108):
            rows = null_row(instructions)
            picture = xml.etree.ElementTree.fromstring(bench_svg.draw(result(rows)))
            number = next(part for part in picture if part.get("class") == "value")
            mark = [part for part in picture if part.get("class") == "budget"][-1]
            left, x = float(number.get("x")), float(mark.get("x1"))
            self.assertFalse(left <= x <= left + 20, instructions)

    def test_bars_stay_apart(self):
        picture = xml.etree.ElementTree.fromstring(bench_svg.draw(result(self.rows)))
        bars = [part for part in picture if part.get("rx")][len(bench_svg.SERIES) :]
        self.assertEqual(len(bars), 6)
        tops = [float(bar.get("y")) for bar in bars]
        self.assertTrue(all(low + bench_svg.BAR < high for low, high in zip(tops, tops[1:])))


def flat_result():
    """Four sizes and all harts, and every page costs the same."""
    rows = {}
    for operation in bench_flat.OPERATIONS:
        for size in (1, 512, 4096, 1 << 24):
            counts = {"instructions": 100 * size, "node_locks": size, "tlb_flush_local": 0}
            rows[f"pages {size} {operation}"] = {"n": size, **counts, "tables_allocated": 0}
        for harts in bench_flat.HARTS:
            calls = harts if harts > 1 else 0
            counts = {"node_locks": 7 * harts, "tables_allocated": 0, "tlb_flush_local": harts}
            row = {"n": 512 * harts, **counts, "tlb_flush_remote": calls}
            rows[f"harts {harts} {operation}"] = row
    for work in bench_flat.TURNS:
        rows[f"turns beside {work}"] = {"n": 1, "instructions": 10_000_000, "turns": 16}
    rows["turns beside early"] = {"n": 1, "instructions": 19_000_000, "turns": 16}
    return result(rows)


class Flat(unittest.TestCase):
    def fails(self, name, **changed):
        changed_result = flat_result()
        changed_result["rows"][name] |= changed
        return bench_flat.judge(changed_result)

    def test_what_is_flat_passes(self):
        self.assertEqual(bench_flat.judge(flat_result()), [])

    def test_a_call_on_one_page_may_cost_more(self):
        self.assertEqual(self.fails("pages 1 touch", instructions=9000), [])

    def test_a_page_that_costs_more_with_more_memory_fails(self):
        self.assertEqual(self.fails("pages 4096 touch", instructions=149 * 4096), [])
        self.assertEqual(len(self.fails("pages 4096 touch", instructions=151 * 4096)), 1)
        self.assertEqual(len(self.fails("pages 4096 clone", tables_allocated=100)), 1)

    def test_a_lock_more_with_more_harts_fails(self):
        self.assertEqual(len(self.fails("harts 8 unmap", node_locks=57)), 1)

    def test_a_call_too_many_or_too_few_fails(self):
        self.assertEqual(len(self.fails("harts 8 unmap", tlb_flush_remote=9)), 1)
        self.assertEqual(len(self.fails("harts 1 unmap", tlb_flush_remote=1)), 1)

    def test_a_turn_that_comes_late_fails(self):
        self.assertEqual(self.fails("turns beside end", instructions=10_150_000), [])
        self.assertEqual(len(self.fails("turns beside end", instructions=10_150_001)), 1)

    def test_a_share_that_is_too_small_fails(self):
        self.assertEqual(self.fails("turns beside early", instructions=30_000_000), [])
        self.assertEqual(len(self.fails("turns beside early", instructions=30_000_001)), 1)

    def test_what_was_not_measured_fails(self):
        names = ("pages 512 touch", "harts 4 touch", "turns beside end", "turns beside early")
        for name in names:
            less = flat_result()
            del less["rows"][name]
            if name.startswith("pages"):
                del less["rows"]["pages 4096 touch"]
            self.assertEqual(len(bench_flat.judge(less)), 1)

    def test_the_picture_is_well_formed_and_repeatable(self):
        picture = bench_flat_svg.draw(flat_result())
        self.assertEqual(picture, bench_flat_svg.draw(flat_result()))
        tree = xml.etree.ElementTree.fromstring(picture)
        lines = [part for part in tree.iter() if part.tag.endswith("polyline")]
        self.assertEqual(len(lines), 2 * len(bench_flat.OPERATIONS))


if __name__ == "__main__":
    unittest.main()
