/* SPDX-License-Identifier: MIT */
/*
 * What all console UARTs share: the bounded wait, line ends, and the choice of the device's code.
 * Invariant: no function here polls a register more than UART_WAIT_POLLS times for one byte, nor
 * more than once for a byte while the device is stuck.
 */
#include "uart/uart.h"

#include "uart/uart_16550.h"
#include "uart/uart_sifive.h"

status_t uart_init(struct uart *uart, const struct machine_uart *config, volatile void *registers)
{
    struct uart made = {
        .registers = registers,
        .kind = config->kind,
        .reg_shift = config->reg_shift,
        .reg_io_width = config->reg_io_width,
        .size_bytes = config->size_bytes,
    };
    status_t status = ERR_INVAL;

    switch (config->kind) {
    case MACHINE_UART_NONE:
        break;
    case MACHINE_UART_16550:
        status = uart_16550_start(&made);
        break;
    case MACHINE_UART_SIFIVE:
        status = uart_sifive_start(&made);
        break;
    }
    if (status == OK) {
        *uart = made;
    }
    return status;
}

static bool takes_byte(const struct uart *uart)
{
    switch (uart->kind) {
    case MACHINE_UART_16550:
        return uart_16550_takes_byte(uart);
    case MACHINE_UART_SIFIVE:
        return uart_sifive_takes_byte(uart);
    case MACHINE_UART_NONE:
        break;
    }
    return false;
}

static bool has_sent(const struct uart *uart)
{
    switch (uart->kind) {
    case MACHINE_UART_16550:
        return uart_16550_has_sent(uart);
    case MACHINE_UART_SIFIVE:
        return uart_sifive_has_sent(uart);
    case MACHINE_UART_NONE:
        break;
    }
    return true;
}

static bool wait_until(struct uart *uart, bool (*is_so)(const struct uart *uart))
{
    uint32_t polls = uart->is_stuck ? 1 : UART_WAIT_POLLS;

    while (polls > 0 && !is_so(uart)) {
        polls--;
    }
    uart->is_stuck = polls == 0;
    return polls > 0;
}

static void put_byte(struct uart *uart, uint8_t byte)
{
    if (!wait_until(uart, takes_byte)) {
        return;
    }
    if (uart->kind == MACHINE_UART_SIFIVE) {
        uart_sifive_put(uart, byte);
    } else {
        uart_16550_put(uart, byte);
    }
}

void uart_write(struct uart *uart, const char *bytes, size_t len_bytes)
{
    for (size_t i = 0; i < len_bytes; i++) {
        if (bytes[i] == '\n') {
            put_byte(uart, '\r');
        }
        put_byte(uart, (uint8_t)bytes[i]);
    }
}

void uart_drain(struct uart *uart)
{
    if (uart->kind == MACHINE_UART_SIFIVE) {
        uart_sifive_watch_sending(uart);
    }
    (void)wait_until(uart, has_sent);
}

int uart_read(struct uart *uart)
{
    switch (uart->kind) {
    case MACHINE_UART_16550:
        return uart_16550_get(uart);
    case MACHINE_UART_SIFIVE:
        return uart_sifive_get(uart);
    case MACHINE_UART_NONE:
        break;
    }
    return -1;
}

void uart_interrupt_set(const struct uart *uart, enum uart_interrupt which)
{
    switch (uart->kind) {
    case MACHINE_UART_16550:
        uart_16550_interrupt_set(uart, which);
        break;
    case MACHINE_UART_SIFIVE:
        uart_sifive_interrupt_set(uart, which);
        break;
    case MACHINE_UART_NONE:
        break;
    }
}

void uart_interrupt_end(const struct uart *uart)
{
    if (uart->kind == MACHINE_UART_16550) {
        uart_16550_interrupt_end(uart);
    }
}
