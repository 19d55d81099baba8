#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How scripts/bench judges the machines with Sv39, and what a boot report must say. Boots nothing."""

import os
import sys
import unittest
import unittest.mock

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts", "lib"))
import bench_gate  # noqa: E402
import bench_machine  # noqa: E402
import bench_run  # noqa: E402
import bench_tell  # noqa: E402
import qemu_boot  # noqa: E402
import qemu_console  # noqa: E402

PLAIN = {"null": 70, "yield_process": 1600, "query": 1000}
OWN = {"yield_process": {"u74": 1780, "why": ""}}
FENCES = {"yield_process": {"u74": "2"}, "query": "1/4"}


def row(instructions, n=1000, **counts):
    zeroes = dict.fromkeys(bench_machine.COUNTERS.values(), 0)
    return {"n": n, "instructions": instructions * n, **zeroes, **counts}


YIELDS = {"sv39": row(1600), "u74": row(1750, tlb_flush_local=2000)}


class Judging(unittest.TestCase):
    """Against plain's rows, one of them excused, and budgets that are made here."""

    def setUp(self):
        rows = {name: row(value) for name, value in PLAIN.items()}
        self.replace(bench_machine, "plain_rows", rows)
        self.replace(bench_gate, "exceptions", {"yield_process": {"count": 1600, "why": ""}})
        self.budgets(OWN, fences=FENCES)

    def replace(self, module, function, result):
        patch = unittest.mock.patch.object(module, function, return_value=result)
        patch.start()
        self.addCleanup(patch.stop)

    def budgets(self, own, **counts):
        whole = dict.fromkeys(bench_machine.COUNTERS, {}) | counts
        self.replace(bench_machine, "budgets", {"instructions": own, "counts": whole})

    def judge(self, machine="u74", same_tools=True, **changed):
        rows = {
            "null": row(72),
            "yield_process": YIELDS[machine],
            "query": row(1000, tlb_flush_local=250),
        }
        for name, change in changed.items():
            rows[name] = row(change.pop("each", PLAIN[name]), **change)
        return bench_machine.judge(machine, {"rows": rows}, same_tools)

    def test_as_it_should_be(self):
        verdicts, failures = self.judge()
        self.assertEqual(failures, [])
        self.assertEqual(verdicts, {"null": "good", "yield_process": "excused", "query": ""})
        self.assertEqual(self.judge("sv39")[1], [])

    def test_a_budget_of_plain_holds(self):
        self.assertEqual(self.judge(null={"each": 80})[1], [])
        verdicts, failures = self.judge(null={"each": 81}, same_tools=False)
        self.assertEqual(verdicts["null"], "OVER")
        self.assertEqual(failures, ["null: 81 instructions, and may take 80"])

    def test_what_plain_is_excused_at_holds(self):
        self.assertEqual(self.judge("sv39", yield_process={"each": 1617})[1], [])
        self.assertIn("may take 1,617", self.judge("sv39", yield_process={"each": 1618})[1][0])
        with_others = self.judge("sv39", same_tools=False, yield_process={"each": 1618})
        self.assertEqual(with_others[1], [])

    def test_what_plain_takes_holds_without_a_budget(self):
        counts = {"tlb_flush_local": 250}
        self.assertEqual(self.judge(query={"each": 1011, **counts})[1], [])
        self.assertIn("may take 1,011", self.judge(query={"each": 1012, **counts})[1][0])

    def test_a_budget_of_its_own(self):
        counts = {"tlb_flush_local": 2000}
        self.assertEqual(self.judge(yield_process={"each": 1780, **counts})[1], [])
        self.assertIn("may take 1,780", self.judge(yield_process={"each": 1781, **counts})[1][0])
        other = self.judge(same_tools=False, yield_process={"each": 1781, **counts})
        self.assertEqual(other[1], [])

    def test_a_budget_that_is_not_needed(self):
        failures = self.judge(yield_process={"each": 1610, "tlb_flush_local": 2000})[1]
        self.assertEqual(len(failures), 1)
        self.assertIn("needs no budget of its own", failures[0])

    def test_fences_are_exact_in_both_directions(self):
        for fences, got in ((2001, "2001/1000"), (1999, "1999/1000"), (0, "0")):
            failures = self.judge(yield_process={"each": 1750, "tlb_flush_local": fences})[1]
            self.assertEqual(failures, [f"yield_process: fences: {got}, and must be 2"])
        failures = self.judge(query={"each": 1000, "tlb_flush_local": 251})[1]
        self.assertEqual(failures, ["query: fences: 251/1000, and must be 1/4"])

    def test_a_fault_for_a_or_d_too_many(self):
        self.assertIn("A/D faults: 1, and", self.judge(null={"spurious_faults": 1000})[1][0])

    def test_the_timer_has_its_own(self):
        """70,000 instructions are 0.07 ms: the calls of one millisecond, and a little."""
        self.assertEqual(self.judge(null={"sbi_calls": 2, "time_reads": 3})[1], [])
        self.assertIn("SBI", self.judge(null={"sbi_calls": 3})[1][0])
        self.assertIn("time", self.judge(null={"time_reads": 4})[1][0])
        self.budgets(OWN, fences=FENCES, SBI={"null": "1"})
        self.assertIn("SBI: 0, and must be 1", self.judge()[1][0])

    def test_names_of_no_row(self):
        self.budgets(OWN | {"gone": {"u74": 1, "why": ""}}, fences=FENCES | {"went": "1"})
        failures = self.judge()[1]
        self.assertIn("machines.json names gone, which is no row", failures)
        self.assertIn("machines.json names went, which is no row", failures)

    def test_a_row_that_plain_has_not(self):
        self.replace(bench_machine, "plain_rows", {})
        self.assertIn("query: plain's baseline has no such row", self.judge()[1][0])


class Reports(unittest.TestCase):
    def test_another_machine_is_refused(self):
        said = ["  ASIDs      16 bits, 0 used"]
        result = qemu_console.Result(status=0, output=["a row"], console=said)
        boot = unittest.mock.Mock()
        with unittest.mock.patch.object(qemu_console, "run_commands", return_value=result):
            self.assertEqual(bench_run.console_of(boot, "u74", ["ASIDs .* 0 used"]), ["a row"])
            with self.assertRaisesRegex(qemu_boot.Problem, "does not say 'timer by SBI'"):
                bench_run.console_of(boot, "u74", ["timer by SBI"])

    def test_each_machine_has_a_report(self):
        self.assertEqual(bench_run.REPORTS.keys(), bench_run.VARIANTS.keys())


class Kept(unittest.TestCase):
    def test_the_baselines_are_within(self):
        for machine in bench_machine.MACHINES:
            result = bench_tell.load(bench_tell.baseline_path(machine))
            self.assertEqual(bench_machine.judge(machine, result)[1], [], machine)


if __name__ == "__main__":
    unittest.main()
