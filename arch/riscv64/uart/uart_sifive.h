/* SPDX-License-Identifier: MIT */
/* The UART of SiFive's FU540 and FU740, for uart.c only. */
#pragma once

#include "uart/uart.h"

/* Checks the window's size and turns transmitter and receiver on.  Errors as uart_init. */
status_t uart_sifive_start(const struct uart *uart);

/* True if the next uart_sifive_put will not lose its byte. */
bool uart_sifive_takes_byte(const struct uart *uart);
void uart_sifive_put(const struct uart *uart, uint8_t byte);

/* True if the queue is empty; its last byte may still be on its way out.  Tells it from the next
 * call of uart_sifive_watch_sending on. */
void uart_sifive_watch_sending(const struct uart *uart);
bool uart_sifive_has_sent(const struct uart *uart);

/* 0 to 255, or -1 if no byte waits. */
int uart_sifive_get(const struct uart *uart);

/* As uart.h says. */
void uart_sifive_interrupt_set(const struct uart *uart, enum uart_interrupt which);
