# SPDX-License-Identifier: MIT
"""The memory of a stopped Vellum, for scripts/gdb/vellum.py.

All is read from physical memory, through page tables walked here: a hart that gdb looks through may
run a program or the firmware, where the kernel's addresses mean nothing. What is read may be in the
middle of a change, or broken: every mistake is a gdb.GdbError that says what could not be read.
"""

import gdb

PAGE = 4096
ENTRIES = 512
LEVELS_OF_MODE = {8: 3, 9: 4, 10: 5}
LEVEL_RAM_MAX = 2
STEPS_MAX = 1 << 20  # in any list: one that is longer is broken

V, R, W, X, U, G, A, D = (1 << bit for bit in range(8))
IO = 1  # PTE_SW_IO
RESERVED = 0x7F << 54 | 1 << 63
KEPT = ((1 << 64) - 1) >> 20 << 20 | 3 << 8 | A | D  # of an entry with V clear that keeps a frame

KINDS_INVALID = dict(
    enumerate(["nothing", "dying", "reserved", "guard", "hidden", "paged", "swapped"])
)
BITS_INVALID = {
    "dying": KEPT,
    "hidden": KEPT,
    "reserved": (1 << 64) - (1 << 24) | 0xF0,
    "paged": (1 << 64) - 1 & ~(1 << 9),
    "swapped": (1 << 64) - (1 << 24) | 0xF0,
}
MARKS = ("reserved", "paged", "swapped")


def qemu(packet):
    """Sends a packet of QEMU's own."""
    try:
        answer = gdb.execute(f"maintenance packet {packet}", to_string=True)
    except gdb.error as error:
        raise gdb.GdbError("no machine: start scripts/run --gdb, then target remote") from error
    if '"OK"' not in answer:
        raise gdb.GdbError("this is no QEMU, or one that cannot show physical memory")


class Physical:
    """While it is entered, gdb reads physical memory."""

    def __enter__(self):
        qemu("Qqemu.PhyMemMode:1")

    def __exit__(self, *_):
        qemu("Qqemu.PhyMemMode:0")


def physical_read(pa, length):
    try:
        return bytes(gdb.selected_inferior().read_memory(pa, length))
    except gdb.MemoryError as error:
        raise gdb.GdbError(f"no memory at physical {pa:#x}") from error


class Table:
    """A page table in force or not, by its root."""

    def __init__(self, root, levels):
        self.root, self.levels = root, levels
        self.pages = {}

    @staticmethod
    def of_satp(satp):
        levels = LEVELS_OF_MODE.get(satp >> 60)
        if not levels:
            raise gdb.GdbError(f"paging is not on (satp {satp:#x}): let the kernel boot first")
        return Table((satp & (1 << 44) - 1) * PAGE, levels)

    @property
    def user_limit(self):
        return 1 << (11 + 9 * self.levels)

    def is_canonical(self, va):
        return va < self.user_limit or va >= (1 << 64) - self.user_limit

    def walk(self, va):
        """(level, index, address of the entry, entry) of each level that there is."""
        node = self.root
        for level in range(self.levels - 1, -1, -1):
            index = va >> (12 + 9 * level) & (ENTRIES - 1)
            entry = int.from_bytes(physical_read(node + 8 * index, 8), "little")
            yield level, index, node + 8 * index, entry
            if kind_of(entry, level) != "table":
                return
            node = address_of(entry)

    def translate(self, va):
        """The physical address, or None."""
        page = va // PAGE
        if page not in self.pages:
            self.pages[page] = None
            level, _, _, entry = list(self.walk(va))[-1]
            if self.is_canonical(va) and kind_of(entry, level) == "leaf":
                size = PAGE << (9 * level)
                self.pages[page] = address_of(entry) + va % size // PAGE * PAGE
        found = self.pages[page]
        return None if found is None else found + va % PAGE

    def read(self, va, length):
        data = b""
        while length:
            part = min(length, PAGE - va % PAGE)
            pa = self.translate(va)
            if pa is None:
                raise gdb.GdbError(f"nothing is mapped at {va:#x}")
            data += physical_read(pa, part)
            va, length = va + part, length - part
        return data


def address_of(entry):
    return (entry >> 10 & (1 << 44) - 1) * PAGE


def kind_of_invalid(entry, level):
    """As pte_kind_invalid (arch/pte.h): V is clear."""
    kind = KINDS_INVALID.get(entry >> 1 & 7)
    rest = entry & ~0xF
    is_right = kind and not rest & ~BITS_INVALID.get(kind, 0)
    if kind in ("dying", "hidden"):
        is_right &= level <= LEVEL_RAM_MAX and (entry >> 20) % (1 << 9 * level) == 0
    if kind == "swapped" and level or kind == "reserved" and entry >> 24 > LEVEL_RAM_MAX:
        is_right = False
    if kind in MARKS and (rest >> 4 & 3 == 2 or rest >> 7 & 3 == 3 or rest & 0x100 and rest & 0x20):
        is_right = False  # W without R, private and a view, a view with W
    return kind if is_right else "reserved encoding"


def kind_of(entry, level):
    """As pte_kind (arch/pte.h)."""
    if not entry & V:
        return kind_of_invalid(entry, level)
    if entry & RESERVED or entry >> 61 & 3 == 3 or entry & (R | W) == W:
        return "reserved encoding"
    if not entry & (R | W | X):
        return "table" if level and not entry & (U | A | D) else "reserved encoding"
    return "leaf" if address_of(entry) % (PAGE << (9 * level)) == 0 else "reserved encoding"


def flags_of(entry):
    """Bits 7:0, the highest first, as the shell's ptdump writes them."""
    return "".join(letter if entry >> 7 - at & 1 else "-" for at, letter in enumerate("DAGUXWRV"))


def prot_of(entry):
    """What user mode may do with a leaf, like rw-."""
    return "".join(letter if entry & bit else "-" for bit, letter in ((R, "r"), (W, "w"), (X, "x")))


def mark_prot_of(entry):
    """What user mode will be permitted where an entry reserves memory, like rw-."""
    return prot_of(entry >> 4 << 1 & (R | W | X))


def size_to_come(entry):
    """How large the pages will be where an entry reserves memory, if not 4 KiB."""
    return ["", " as 2 MiB", " as 1 GiB"][entry >> 24]


def whose(entry, kind):
    """Whose the contents of pages of an object are, if not of all who map them alike."""
    if kind == "paged":
        return " private" if entry & 0x80 else " view" if entry & 0x100 else ""
    is_view = kind in ("leaf", "hidden", "dying") and entry >> 8 & 3 == IO and entry & D
    return " view" if is_view and (kind != "leaf" or not entry & W) else ""


def source_of(entry, kind):
    """Where the pages of a mark come from, or how large they will be, if it says so."""
    if kind == "reserved":
        return size_to_come(entry)
    if kind == "paged":
        return f" slot {entry >> 10 & 0x3FFF} page {entry >> 24:#x}"
    return f" as {entry >> 24:#x}" if kind == "swapped" else ""


def plain(type_):
    return type_.strip_typedefs().unqualified()


class Thing:
    """An object of a C type at an address, read when it is looked at."""

    def __init__(self, table, type_, address):
        self.table, self.type, self.address = table, plain(type_), address

    def __getattr__(self, name):
        for field in self.type.fields():
            if field.name == name:
                return Thing(self.table, field.type, self.address + field.bitpos // 8)
        raise gdb.GdbError(f"{self.type} has no {name}: the symbols are of another kernel")

    def __getitem__(self, index):
        target = self.type.target()
        return Thing(self.table, target, self.address + index * target.sizeof)

    def __int__(self):
        return int.from_bytes(self.table.read(self.address, self.type.sizeof), "little")

    @property
    def target(self):
        """What a pointer points to."""
        return Thing(self.table, self.type.target(), int(self))

    def text(self):
        data = self.table.read(self.address, self.type.sizeof).partition(b"\0")[0]
        return data.decode("ascii", errors="replace")

    def container(self, type_name, field):
        """The struct that this is a field of."""
        struct = gdb.lookup_type(type_name)
        place = next(f for f in struct.fields() if f.name == field).bitpos // 8
        return Thing(self.table, struct, self.address - place)


def enum_names(type_name, prefix):
    """{value: name without prefix} of an enumeration."""
    fields = gdb.lookup_type(f"enum {type_name}").fields()
    return {field.enumval: field.name.removeprefix(prefix) for field in fields}


def thing(table, expression):
    """The variable of that name."""
    try:
        pointer = gdb.parse_and_eval(f"&{expression}")
    except gdb.error as error:
        fix = "a release build keeps too little: run the debug build, file build/rv64-debug/vellum.elf"
        raise gdb.GdbError(f"no address of {expression}: {fix}") from error
    return Thing(table, pointer.type.target(), int(pointer))


def list_of(head, struct, field):
    """The elements of a struct list_node list."""
    node, steps = head.next.target, 0
    while node.address != head.address and steps < STEPS_MAX:
        yield node.container(struct, field)
        node, steps = node.next.target, steps + 1


def tree_of(tree, struct, field):
    """The elements of a struct key_tree, by their keys."""
    found, left = [], [tree.root]
    while left and len(found) < STEPS_MAX:
        pointer = left.pop()
        if int(pointer):
            node = pointer.target
            found.append((int(node.key.high), int(node.key.low), node))
            left += [node.child[0], node.child[1]]
    return [node.container(struct, field) for _, _, node in sorted(found, key=lambda one: one[:2])]
