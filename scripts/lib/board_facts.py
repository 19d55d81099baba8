# SPDX-License-Identifier: MIT
"""What is published of boards, in the words of the self-test: key -> (pattern, words).

Only what somebody could read somewhere is here; what nobody has published is left to a board's log.
"""

import re

VISIONFIVE_2 = {
    "core": (
        "mvendorid 0x489, marchid 0x8000000000000007, mimpid 0x4210427",
        "mvendorid 0x489, marchid 0x8000000000000007, mimpid 0x4210427",
    ),
    "harts": (
        r"1 started, 2 started, 3 started, 4 started; left alone 0 .*",
        "1 to 4 run, 0 is left alone",
    ),
    "memory": (r"0x40000000-0x(bf|13f|23f)ffffff", "2, 4 or 8 GiB from 0x40000000 on"),
    "ram-alias": (r"a load 0x200000000 above memory finds the same", "0x200000000 above memory, uncached"),
    "clock": (r"4000000 Hz by the tree, goes, timer by SBI", "4000000 Hz, no stimecmp"),
    "satp-modes": ("Sv39", "Sv39"),
    "asid-bits": ("0", "0"),
    "accessed-bit-clear": ("page fault", "page fault"),
    "dirty-bit-clear": ("page fault", "page fault"),
    "misaligned-load": (r"works, .*", "works, by the firmware"),
    "misaligned-store": (r"works, .*", "works, by the firmware"),
    "misaligned-amo": ("faults", "faults"),
    "cip-1200": (r"not observed .*", "not affected, by Linux's test of mimpid"),
}

BOARDS = ((re.compile(r"visionfive[ -]v?2", re.IGNORECASE), VISIONFIVE_2),)


def published(board):
    """{key: (pattern, words)} of a board by its name; empty if nothing is known."""
    for name, facts in BOARDS:
        if name.search(board):
            return facts
    return {}
