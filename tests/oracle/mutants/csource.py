# SPDX-License-Identifier: MIT
"""What the generator and the checker of mutants must know of C: comments, functions, statements.

Not a parser: it leans on the house style, in which the braces of a function stand at the left
margin and nothing else does.
"""

import dataclasses
import functools
import re

COMMENT_OR_TEXT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.DOTALL)
BODY = re.compile(r"^\{$(.*?)^\}", re.DOTALL | re.MULTILINE)
NAME = re.compile(r"(\w+)\s*\(")


@dataclasses.dataclass(frozen=True)
class Function:
    """A function: `start` and `end` are the offsets of what stands between its braces."""

    name: str
    start: int
    end: int


def without_comments(text):
    """The same text, as long as before, with blanks for comments and for what is in strings."""

    def blank(match):
        return re.sub(r"[^\n]", " ", match[0])

    return COMMENT_OR_TEXT.sub(blank, text)


def name_before(code, at):
    """The name of the function whose opening brace is at `at`, or None."""
    head = code[max(code.rfind(end, 0, at) for end in (";", "}\n", ">\n", '"\n')) + 1 : at]
    head = re.sub(r"__attribute__\s*\(\(.*?\)\)", " ", re.sub(r"^\s*#.*$", "", head, flags=re.M))
    found = NAME.search(head)
    return found[1] if found else None


class Source:
    """One C file: its text, the text without comments, and its functions."""

    def __init__(self, path, text):
        self.path = path
        self.text = text
        self.code = without_comments(text)
        self.functions = [
            Function(name_before(self.code, body.start()), body.start(1), body.end(1))
            for body in BODY.finditer(self.code)
            if name_before(self.code, body.start())
        ]

    def function(self, name):
        """The function of that name, or None."""
        return next((f for f in self.functions if f.name == name), None)

    def function_at(self, offset):
        return next((f for f in self.functions if f.start <= offset < f.end), None)

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def find(self, edit):
        """Spans of an edit's text; blanks and line ends are all alike."""
        function = self.function(edit.function)
        spans = [(function.start, function.end)] if function else []
        for text in [edit.within, edit.old] if edit.within else [edit.old]:
            pattern = pattern_of(text)
            spans = [found.span() for span in spans for found in pattern.finditer(self.code, *span)]
        return spans

    def call_end(self, offset):
        """Past the parenthesis that closes the first one at or after `offset`."""
        depth = 0
        for at in range(self.code.index("(", offset), len(self.code)):
            depth += {"(": 1, ")": -1}.get(self.code[at], 0)
            if depth == 0:
                return at + 1
        raise ValueError(f"{self.path}:{self.line_of(offset)}: a parenthesis is not closed")


@functools.cache
def pattern_of(text):
    """Matches the text however it is broken into lines; words are matched whole."""
    pattern = r"\s+".join(re.escape(word) for word in text.split())
    before = r"\b" if re.match(r"\w", text) else ""
    after = r"\b" if re.search(r"\w\Z", text) else ""
    return re.compile(before + pattern + after)
