/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own console UART: output is polled, for the early console and for panics; input is
 * polled, or announced by an interrupt.
 *
 * Firmware has set speed and format; they are left as they are.  Every wait for the device is
 * bounded: a device that does not take bytes loses them, and costs the full wait only once, until
 * it takes bytes again.  The caller serialises.  The device's interrupts are off at first.
 */
#pragma once

#include "arch/machine.h"
#include "lib/types.h"

/* Polls for one byte to leave before the byte is dropped: some 200 ms on real hardware, where a
 * poll costs about 100 ns and a byte at 115200 baud takes 87 us.  A tenth of that was not enough on
 * a busy host, where QEMU's SiFive UART waits for another thread. */
#define UART_WAIT_POLLS 2000000U

struct uart {
    volatile void *registers;
    enum machine_uart_kind kind;
    unsigned reg_shift;    /* 16550: stride of registers, 1 << reg_shift bytes */
    unsigned reg_io_width; /* 16550: bytes of one access                       */
    uint64_t size_bytes;   /* of the window                                    */
    bool is_stuck;         /* the last wait was a full one, and in vain        */
};

/* Makes the UART ready for polling.
 *
 * registers: where `config->base` is mapped, for config->size_bytes bytes; used until the next
 * call. Errors:    ERR_INVAL  the configuration is not one a UART can have; nothing was accessed
 *            ERR_IO     what is there does not answer as that device does
 *            *uart is unchanged then. */
status_t uart_init(struct uart *uart, const struct machine_uart *config, volatile void *registers);

/* Writes len_bytes bytes; a line feed becomes carriage return and line feed. */
void uart_write(struct uart *uart, const char *bytes, size_t len_bytes);

/* Waits until the last byte but one, and so all that is visible of a line, has left the device; for
 * a bounded time, after which the device counts as stuck: later bytes are dropped sooner. */
void uart_drain(struct uart *uart);

/* Next byte that came in, 0 to 255, or -1 if none waits.  Never waits. */
int uart_read(struct uart *uart);

/* What the device interrupts for. */
enum uart_interrupt {
    UART_INTERRUPT_NONE,
    UART_INTERRUPT_INPUT, /* a byte has come in; until it is read */
    UART_INTERRUPT_ROOM,  /* the transmitter has room             */
};

void uart_interrupt_set(const struct uart *uart, enum uart_interrupt which);

/* Ends an interrupt for anything else than input, where there are such. */
void uart_interrupt_end(const struct uart *uart);
