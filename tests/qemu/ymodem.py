# SPDX-License-Identifier: MIT
"""Sends a file by YMODEM to whoever waits for one at a machine's console, as terminal programs do."""

import binascii
import os

SOH, STX, EOT, ACK = b"\x01", b"\x02", b"\x04", "\x06"
READY = "C"  # the receiver asks for checksums of 16 bits
BLOCK = 1024
QEMU_ESCAPE = b"\x01"  # before a byte of its own it goes to QEMU's monitor; twice is once


def block(number, data, size, fill):
    """One block: its number, that turned over, the bytes and their checksum."""
    data = data.ljust(size, fill)
    head = (SOH if size == 128 else STX) + bytes([number % 256, 255 - number % 256])
    return head + data + binascii.crc_hqx(data, 0).to_bytes(2, "big")


def send(machine, path):
    """Sends the file; the receiver must have been started and must acknowledge every block."""

    def put(data):
        machine.send(data.replace(QEMU_ESCAPE, 2 * QEMU_ESCAPE))
        machine.wait_for(ACK)

    with open(path, "rb") as file:
        data = file.read()
    machine.wait_for(READY)
    put(block(0, f"{os.path.basename(path)}\0{len(data)}".encode(), 128, b"\0"))
    machine.wait_for(READY)
    for number, at in enumerate(range(0, len(data), BLOCK), 1):
        put(block(number, data[at : at + BLOCK], BLOCK, b"\x1a"))
    put(EOT)
    machine.wait_for(READY)
    put(block(0, b"", 128, b"\0"))
