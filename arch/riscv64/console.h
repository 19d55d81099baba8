/* SPDX-License-Identifier: MIT */
/* The early console: the firmware's until the UART of the tree is mapped. */
#pragma once

#include "arch/machine.h"
#include "lib/status.h"
#include "uart/uart.h"

enum console_device {
    CONSOLE_FIRMWARE,
    CONSOLE_UART,
};

/* Moves the console to the machine's UART, whose registers are mapped at `registers`.
 * Errors: those of uart_init; the console stays where it is. */
status_t console_use_uart(const struct machine_uart *config, volatile void *registers);

enum console_device console_device(void);

/* Waits a bounded time until the UART has sent what was written, for what may cut it off. */
void console_drain(void);

/* What the console's UART interrupts for from now on, and the end of an interrupt that taking its
 * input does not end (uart.h).  The console is the UART. */
void console_interrupt_set(enum uart_interrupt which);
void console_interrupt_end(void);
