#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""scripts/trace2json and scripts/trace2svg: what they make of dumps, whole and garbled."""

import json
import os
import random
import re
import subprocess
import sys
import unittest
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "scripts", "lib"))
import trace_dump  # noqa: E402
import trace_spans  # noqa: E402

# Hart 0 unmaps a page under a cursor and fences harts 1 and 2; hart 1 faults and waits meanwhile.
DUMP = """\
Vellum. help: what one can type here
trace: begin 989680 7
trace: process 1 init
trace: thread 1 1
trace: 0 10 1000 1 PROCESS 2 776f64746f6f6873
trace: 0 11 1001 1 PROCESS 2 6e
trace: 0 12 1010 1 SWITCH 4 2
trace: 0 13 1020 4 CALL 11 103
trace: 0 14 1021 4 CURSOR_OPEN 1800000000 1000
trace: 0 15 1022 4 CURSOR_OPENED 1800000000 1000
trace: 0 16 1030 4 FENCE_LOCAL 1800000000 1000
trace: 0 17 1031 4 FENCE_REMOTE 6 1000
trace: 0 18 1050 4 FENCE_REMOTE_END 6 0
trace: 0 19 1060 4 CURSOR_CLOSE 1800000000 1000
trace: 0 1a 1070 4 CALL_END 11 0
trace: 1 0 1032 5 FAULT 1800000000 0
trace: 1 1 1033 5 CURSOR_OPEN 1800000000 1000
trace: 1 2 1034 5 LOCK_WAIT ff00000012345678 NODE
trace: 1 3 1061 5 LOCK_WAIT_END ff00000012345678 NODE
trace: 1 4 1062 5 CURSOR_OPENED 1800000000 1000
trace: 1 5 1063 5 CURSOR_CLOSE 1800000000 1000
trace: 1 6 1064 5 FAULT_END 1800000000 1
trace: 1 7 1065 5 INTERRUPT 5 0
trace: end 13 0
""".replace("NODE", f"{trace_spans.rank_names().index('PT_NODE'):x}")


def spans(text, hart):
    return trace_spans.spans_of(trace_dump.read(text), hart, {0x11: "vm_unmap"})


def run(script, text, *more):
    """Runs a script on a log; returns (status, output, complaints)."""
    done = subprocess.run(
        [sys.executable, os.path.join(ROOT, "scripts", script), *more],
        input=text if isinstance(text, bytes) else text.encode(), capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def without(text, *starts):
    return "\n".join(line for line in text.split("\n") if not line.startswith(starts))


class Reading(unittest.TestCase):
    def test_whole(self):
        dump = trace_dump.read(DUMP)
        self.assertEqual((dump.hz, dump.harts, dump.lost, dump.garbled), (10**7, [0, 1, 2], 0, 0))
        self.assertTrue(dump.complete)
        self.assertEqual(trace_dump.problems(dump), [])
        self.assertEqual(dump.events[0][0].ticks, 0)
        self.assertEqual(dump.end, 0x70)

    def test_names(self):
        dump = trace_dump.read(DUMP)
        self.assertEqual(dump.thread_name(1), "init thread 1")
        self.assertEqual(dump.thread_name(4), "shootdown thread 4")
        self.assertEqual(dump.thread_name(5), "thread 5")
        self.assertEqual(dump.thread_name(0), "idle")

    def test_spans(self):
        got = [(s.name, s.depth, s.start, s.end, s.whole) for s in spans(DUMP, 0)]
        self.assertEqual(
            got,
            [
                ("init thread 1", 0, 0, 0x10, True),
                ("shootdown thread 4", 0, 0x10, 0x70, True),
                ("vm_unmap", 1, 0x20, 0x70, True),
                ("cursor", 2, 0x21, 0x60, True),
                ("remote fence of harts 1 2", 3, 0x31, 0x50, True),
            ],
        )

    def test_fault_that_waits(self):
        got = {s.name: s for s in spans(DUMP, 1)}
        self.assertEqual(got["wait for a node lock"].end - got["wait for a node lock"].start, 0x2D)
        self.assertEqual(got["read fault"].args["result"], "its process ends")

    def test_two_cursors_that_close_in_the_order_of_opening(self):
        more = [f"trace: 0 {0x1b + i:x} {0x1080 + i:x} 4 {what} 1000" for i, what in enumerate(
            ("CURSOR_OPEN 5000", "CURSOR_OPEN 6000", "CURSOR_CLOSE 5000", "CURSOR_CLOSE 6000")
        )]  # fmt: skip
        text = DUMP.replace("trace: 1 0 ", "\n".join(more) + "\ntrace: 1 0 ")
        got = [s for s in spans(text, 0) if s.start >= 0x80]
        self.assertEqual([(s.end - s.start, s.whole) for s in got], [(2, True), (2, True)])

    def test_the_last_dump_counts(self):
        later = DUMP.replace("trace: 0 1a 1070", "trace: 0 1a 1071")
        self.assertEqual(trace_dump.read(DUMP + later).end, 0x71)

    def test_behind_an_unfinished_line(self):
        text = DUMP.replace("trace: begin", "no end of this linetrace: begin")
        self.assertEqual(trace_dump.read(text), trace_dump.read(DUMP))

    def test_line_ends_of_a_console(self):
        self.assertEqual(trace_dump.read(DUMP.replace("\n", "\r\n")), trace_dump.read(DUMP))

    def test_list_of_kinds(self):
        with open(os.path.join(ROOT, "lib/include/lib/trace.def"), encoding="ascii") as file:
            kinds = set(re.findall(r"^EVENT\((\w+)", file.read(), re.MULTILINE))
        known = set(trace_spans.SPANS) | set(trace_spans.BEGIN_OF) | set(trace_spans.INSTANTS)
        self.assertEqual(kinds, known | {"SWITCH", "PROCESS", "CURSOR_OPENED"})

    def test_names_of_locks(self):
        node = trace_spans.rank_names().index("PT_NODE")
        self.assertEqual(trace_spans.lock_name(node), "a node lock")
        self.assertEqual(trace_spans.lock_name(node - 1), "lock SCHED")
        self.assertEqual(trace_spans.lock_name(10**6), "lock 1000000")


class Garbled(unittest.TestCase):
    def test_no_dump(self):
        for text in ("", "hello\n", without(DUMP, "trace: begin"), "trace: begin 0 1\n"):
            with self.assertRaises(trace_dump.NoDump):
                trace_dump.read(text)

    def test_no_events(self):
        with self.assertRaises(trace_dump.NoDump):
            trace_dump.read("trace: begin 989680 1\ntrace: end 0 0\n")

    def test_bad_lines_are_counted(self):
        bad = ("trace: 0 1b", "trace: 0 1b 1080 4 CALL 11", "trace: 9 0 1000 0 IPI 1 0",
               "trace: 0 zz 1080 4 CALL 0 0", "trace: 0 1b 1 4 CALL 0 0", "trace: 0 5 2000 4 CALL 0 0",
               "trace: thread 5", "trace: process", "trace: 0 1b 1080 4 call 0 0", "trace: ",
               "trace: 0 1b 11111111111111111 4 CALL 0 0")  # fmt: skip
        for line in bad:
            dump = trace_dump.read(DUMP.replace("trace: 1 0 ", f"{line}\ntrace: 1 0 "))
            self.assertEqual(dump.garbled, 1, line)
            self.assertEqual(len(dump.events[0]), 11, line)

    def test_missing_lines_show_in_the_count(self):
        self.assertEqual(trace_dump.read(without(DUMP, "trace: 0 15")).garbled, 1)

    def test_cut_off(self):
        dump = trace_dump.read(DUMP.split("trace: 1 3")[0])
        self.assertFalse(dump.complete)
        wait = [s for s in trace_spans.spans_of(dump, 1, {}) if s.kind == "LOCK_WAIT"][0]
        self.assertEqual((wait.whole, wait.end), (False, dump.end))

    def test_beginning_lost(self):
        text = without(DUMP, "trace: 0 13", "trace: 0 12", "trace: 0 11", "trace: 0 10")
        call = [s for s in spans(text, 0) if s.kind == "CALL"][0]
        self.assertEqual((call.name, call.whole, call.start), ("vm_unmap", False, 0))

    def test_unknown_kinds_are_passed_over(self):
        text = DUMP.replace("INTERRUPT", "SOMETHING_NEW")
        self.assertEqual(trace_dump.read(text).garbled, 0)
        self.assertEqual(run("trace2json", text)[0], 0)

    def test_random_damage(self):
        numbers = random.Random(4)
        for _ in range(300):
            text = list(DUMP)
            for _ in range(numbers.randrange(1, 12)):
                text[numbers.randrange(len(text))] = numbers.choice("0f \n:_Zé\0")
            try:
                dump = trace_dump.read("".join(text))
            except trace_dump.NoDump:
                continue
            for hart in dump.harts:
                for span in trace_spans.spans_of(dump, hart, {}):
                    self.assertLessEqual(span.start, span.end)


class Scripts(unittest.TestCase):
    def test_json(self):
        status, output, complaints = run("trace2json", DUMP)
        self.assertEqual((status, complaints), (0, ""))
        events = json.loads(output)["traceEvents"]
        names = [e["args"]["name"] for e in events if e["ph"] == "M" and e["name"] == "thread_name"]
        self.assertEqual(names, ["hart 0", "hart 1", "hart 2"])
        starts = {e["id"]: e for e in events if e["ph"] == "s"}
        ends = {e["id"]: e for e in events if e["ph"] == "f"}
        self.assertEqual(sorted(ends[i]["tid"] for i in starts), [1, 2])
        self.assertEqual({starts[i]["tid"] for i in ends}, {0})
        fence = [e for e in events if e["ph"] == "X" and e["cat"] == "remote fence"][0]
        self.assertAlmostEqual(fence["ts"], 4.9)  # 0x31 ticks of 100 ns
        self.assertAlmostEqual(fence["dur"], 3.1)
        for arrow in list(starts.values()) + list(ends.values()):
            self.assertTrue(any(
                e["ph"] == "X" and e["tid"] == arrow["tid"] and e["ts"] <= arrow["ts"] <= e["ts"] + e["dur"]
                for e in events
            ))  # fmt: skip

    def test_svg(self):
        status, output, _ = run("trace2svg", DUMP)
        self.assertEqual(status, 0)
        picture = xml.etree.ElementTree.fromstring(output)
        space = "{http://www.w3.org/2000/svg}"
        classes = [e.get("class") for e in picture.iter()]
        self.assertEqual(classes.count("arrow"), 2)
        self.assertEqual(classes.count("FENCE_REMOTE"), 1 + 1)  # and the legend's
        texts = [e.text for e in picture.iter(f"{space}text")]
        self.assertIn("remote fence of harts 1 2", texts)
        self.assertIn("hart 2", texts)

    def test_svg_window(self):
        output = run("trace2svg", DUMP, "--from", "0.0055", "--to", "0.0065")[1]
        self.assertNotIn('class="arrow"', output)
        axis = re.findall(r'<text [^>]*>([\d.]+)( ms)?</text>', output)
        self.assertEqual([place for place, _ in axis], ["0.0056", "0.0058", "0.006", "0.0062", "0.0064"])
        status, _, complaints = run("trace2svg", DUMP, "--from", "2", "--to", "1")
        self.assertEqual(status, 1)
        self.assertIn("--from must lie before --to", complaints)

    def test_complaints(self):
        for script in ("trace2json", "trace2svg"):
            status, _, complaints = run(script, b"\xff\xfe nothing\n")
            self.assertEqual(status, 1)
            self.assertIn("trace dump", complaints)
            lossy = DUMP.replace("trace: end 13 0", "trace: end 13 2a").encode() + b"\xff"
            status, _, complaints = run(script, lossy)
            self.assertEqual(status, 0)
            self.assertIn("42 events had been overwritten", complaints)


if __name__ == "__main__":
    unittest.main()
