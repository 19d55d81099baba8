/* SPDX-License-Identifier: MIT */
/* The 16550 and its relatives (ns16550a, Synopsys DesignWare), for uart.c only. */
#pragma once

#include "uart/uart.h"

/* Checks kind, stride and width against the size of the window, then the device itself.  Errors as
 * uart_init. */
status_t uart_16550_start(const struct uart *uart);

/* True if the next uart_16550_put will not lose its byte. */
bool uart_16550_takes_byte(const struct uart *uart);
void uart_16550_put(const struct uart *uart, uint8_t byte);

/* True if all bytes have left the device. */
bool uart_16550_has_sent(const struct uart *uart);

/* 0 to 255, or -1 if no byte waits. */
int uart_16550_get(const struct uart *uart);

/* As uart.h says. */
void uart_16550_interrupt_set(const struct uart *uart, enum uart_interrupt which);
void uart_16550_interrupt_end(const struct uart *uart);
