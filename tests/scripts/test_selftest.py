#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""scripts/selftest2md: what it makes of logs, whole, garbled and broken off."""

import os
import subprocess
import sys
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BOARD = """\
Vellum on a board
selftest: begin
board: StarFive VisionFive 2 v1.3B
satp-modes: Sv39
asid-bits: 9
harts: 1 started, 2 started, 3 started, 4 started; left alone 0 stopped
sfence-local-all-fetch: stale in 3 of 9 tries (WRONG)
fence.i-local: a | b
selftest: 6 facts, 1 wrong
vellum: init starts
"""


def run(text):
    """(status, lines, complaint) of the script on a log."""
    script = os.path.join(ROOT, "scripts", "selftest2md")
    done = subprocess.run(
        [sys.executable, script], input=text.encode(), capture_output=True, check=False
    )
    return done.returncode, done.stdout.decode().splitlines(), done.stderr.decode()


class Tables(unittest.TestCase):
    def test_facts_beside_what_is_published(self):
        status, lines, complaint = run(BOARD)
        self.assertEqual((status, complaint), (0, ""))
        self.assertEqual(lines[:2], ["| fact | found | published |", "|---|---|---|"])
        self.assertEqual(
            lines[2:],
            [
                "| board | StarFive VisionFive 2 v1.3B |  |",
                "| satp-modes | Sv39 | as published |",
                "| asid-bits | 9 | **differs**: 0 |",
                "| harts | 1 started, 2 started, 3 started, 4 started; left alone 0 stopped "
                "| as published |",
                "| sfence-local-all-fetch | stale in 3 of 9 tries **WRONG** |  |",
                "| fence.i-local | a \\| b |  |",
            ],
        )

    def test_a_board_that_nothing_is_published_of(self):
        status, lines, _ = run(BOARD.replace("VisionFive 2", "other"))
        self.assertEqual((status, lines[0]), (0, "| fact | found |"))
        self.assertEqual(lines[4], "| asid-bits | 9 |")

    def test_a_serial_log_with_carriage_returns(self):
        self.assertEqual(run(BOARD.replace("\n", "\r\n")), run(BOARD))

    def test_the_last_whole_one_counts(self):
        later = BOARD.replace("asid-bits: 9", "asid-bits: 0")
        self.assertIn("| asid-bits | 0 | as published |", run(BOARD + later)[1])
        broken = later[: later.index("harts")]
        self.assertIn("| asid-bits | 9 | **differs**: 0 |", run(BOARD + broken)[1])

    def test_every_name_of_the_board(self):
        for name in ("StarFive VisionFive V2", "starfive,visionfive-2-v1.3b", "VisionFive 2 v1.2A"):
            lines = run(BOARD.replace("StarFive VisionFive 2 v1.3B", name))[1]
            self.assertIn("| satp-modes | Sv39 | as published |", lines, name)

    def test_what_differs_is_not_taken_for_what_is_published(self):
        for found in ("faults", "finds something else (a cache may have the last word)"):
            value = f"a load 0x200000000 above memory {found}"
            lines = run(BOARD.replace("asid-bits: 9", f"ram-alias: {value}"))[1]
            self.assertIn(f"| ram-alias | {value} | **differs**: ", "\n".join(lines))

    def test_a_line_of_the_kernel_between(self):
        said = BOARD.replace("asid-bits", "vellum: something happened\nasid-bits")
        self.assertEqual(run(said), run(BOARD))

    def test_one_that_says_that_it_breaks_off(self):
        end = BOARD.index("selftest: 6 facts")
        status, lines, complaint = run(BOARD[:end] + "selftest: breaks off: ENOMEM\n")
        self.assertEqual((status, lines), (1, []))
        self.assertIn("breaks off", complaint)

    def test_a_lost_line_is_not_passed_over(self):
        status, lines, complaint = run(BOARD.replace("satp-modes: Sv39\n", "satp-mo\n"))
        self.assertEqual((status, lines), (1, []))
        self.assertIn("5 of 6 facts can be read", complaint)

    def test_one_that_breaks_off(self):
        self.assertIn("breaks off", run(BOARD[: BOARD.index("harts")])[2])

    def test_no_self_test(self):
        self.assertIn("no line 'selftest: begin'", run("vellum: init starts\n")[2])


if __name__ == "__main__":
    unittest.main()
