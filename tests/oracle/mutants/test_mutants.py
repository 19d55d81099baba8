#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests of the generator and the checker themselves, on small sources."""

import unittest

import csource
import generate
import rows
import sites

TEXT = """/* head(); { */
#include "x.h"

static const char *say = "pay(); {";

static void pay(struct cursor *cursor)
{
    /* flush(all); */
    running = word_dispatch(cursor->space,
                            2 * one);
    if (running) {
        flush(cursor);
    }
}

bool word_join(struct space *space)
{
    uint64_t before = shared_fetch_or(&space->word, 1, memory_order_acq_rel);

    return space->seen[0] != before >> GENERATION_SHIFT;
}
"""


def source(text=TEXT):
    return csource.Source("mm/small.c", text)


def one(*arguments):
    return rows.mutant("name", "mm/small.c", *arguments, "does something")


def generated(*mutants):
    return generate.generate(source(), list(enumerate(mutants, 1)))


def bare(*known):
    """The kinds of sites of the small source that the rows do not cover."""
    mutants = [row for row in known if isinstance(row, rows.Mutant)]
    argued = [row for row in known if isinstance(row, rows.Argued)]
    return [site.kind for site in sites.uncovered(source(), mutants, argued)]


class SourceTest(unittest.TestCase):
    def test_functions_are_found_and_comments_and_strings_are_not(self):
        self.assertEqual([f.name for f in source().functions], ["pay", "word_join"])

    def test_text_is_found_however_it_is_broken_into_lines(self):
        edit = rows.Edit("pay", "word_dispatch(cursor->space, 2 * one)", "0")
        self.assertEqual(len(source().find(edit)), 1)

    def test_words_are_matched_whole_and_in_code_only(self):
        self.assertEqual(source().find(rows.Edit("pay", "dispatch", "0")), [])
        self.assertEqual(source().find(rows.Edit("pay", "flush(all);", ";")), [])

    def test_an_edit_can_say_inside_of_what(self):
        edit = rows.Edit("pay", "cursor", "0", within="flush(cursor)")
        start, end = source().find(edit)[0]
        self.assertEqual(TEXT[start - 6 : end + 1], "flush(cursor)")


class GeneratorTest(unittest.TestCase):
    def test_a_statement_becomes_a_choice_of_statements(self):
        text = generated(one("pay", "flush(cursor);", ";"))
        self.assertIn("if (mutant_is(1U)) { ; } else { flush(cursor); }", text)

    def test_an_expression_becomes_a_choice_of_expressions(self):
        text = generated(one("pay", "2 * one", "0"))
        self.assertIn("(mutant_is(1U) ? (0) : (2 * one))", text)

    def test_lines_stay_where_they_were(self):
        text = generated(one("pay", "2 * one", "0"), one("pay", "flush(cursor);", ";"))
        self.assertEqual(text.split('"mm/small.c"\n')[1].count("\n"), TEXT.count("\n"))

    def test_an_edit_may_lie_in_another(self):
        text = generated(
            one("pay", "if (running) { flush(cursor); }", ";"), one("pay", "flush(cursor);", ";")
        )
        self.assertIn("else { if (running) {\n        if (mutant_is(2U)) { ; } else {", text)

    def test_edits_of_one_text_become_a_chain(self):
        text = generated(one("pay", "2 * one", "0"), one("pay", "2 * one", "1"))
        self.assertIn("(mutant_is(2U) ? (1) : ((mutant_is(1U) ? (0) : (2 * one))))", text)

    def test_edits_that_overlap_by_half_are_refused(self):
        with self.assertRaisesRegex(generate.RowError, "by half"):
            generated(
                one("pay", "cursor->space, 2", "0"), one("pay", "2 * one", "0")
            )

    def test_a_text_that_is_not_there_or_there_twice_is_refused(self):
        for old in ("flush(nothing);", "cursor"):
            with self.assertRaisesRegex(generate.RowError, "not once"):
                generated(one("pay", old, "0"))
        with self.assertRaisesRegex(generate.RowError, "0 times"):
            generated(one("gone", "2 * one", "0"))


class CheckerTest(unittest.TestCase):
    join = "shared_fetch_or(&space->word, 1, memory_order_acq_rel)"

    def test_sites_without_a_row_are_found(self):
        self.assertEqual(bare(), ["shared word", "order", "comparison"])

    def test_an_effect_taken_out_does_not_cover_its_order(self):
        self.assertEqual(bare(one("word_join", self.join, "0")), ["order", "comparison"])

    def test_an_order_weakened_does_not_cover_its_effect(self):
        row = rows.weaker("n", "mm/small.c", "word_join", self.join, "acq_rel relaxed", "it")
        self.assertEqual(bare(row), ["shared word", "comparison"])

    def test_an_order_made_stronger_covers_nothing(self):
        row = rows.weaker("n", "mm/small.c", "word_join", self.join, "acq_rel seq_cst", "it")
        self.assertIn("order", bare(row))

    def test_an_argued_row_covers_what_its_text_is_in(self):
        row = rows.argued("mm/small.c", "word_join", "fetch_or", "because")
        self.assertEqual(bare(row), ["comparison"])

    def test_an_argued_row_that_fits_nothing_is_found(self):
        row = rows.argued("mm/small.c", "word_join pay", "fetch_or", "because")
        complaints = list(sites.idle(sites.sites(source()), [row]))
        self.assertEqual(len(complaints), 1)
        self.assertIn("pay()", complaints[0])


class TableTest(unittest.TestCase):
    def test_the_table_loads_and_says_something_of_each_row(self):
        mutants, argued = rows.load()
        self.assertTrue(all(row.what and row.edits for row in mutants))
        self.assertTrue(all(len(row.argument) > 10 for row in argued))


if __name__ == "__main__":
    unittest.main()
