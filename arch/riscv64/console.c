/* SPDX-License-Identifier: MIT */
/*
 * The early console: where log lines and the output of programs go, and where input comes from.
 * Callers serialise (the log's lock); waits for the device are bounded in uart/ and sbi.c.
 */
#include "console.h"

#include "arch/arch.h"
#include "lib/log.h"
#include "sbi.h"
#include "uart/uart.h"

static struct uart uart;
static enum console_device device;

status_t console_use_uart(const struct machine_uart *config, volatile void *registers)
{
    status_t status = uart_init(&uart, config, registers);

    if (status == OK) {
        device = CONSOLE_UART;
    }
    return status;
}

enum console_device console_device(void)
{
    return device;
}

void arch_console_write(const char *bytes, size_t len_bytes)
{
    if (device == CONSOLE_UART) {
        uart_write(&uart, bytes, len_bytes);
    } else {
        sbi_console_write(bytes, len_bytes);
    }
}

int arch_console_read(void)
{
    return device == CONSOLE_UART ? uart_read(&uart) : sbi_console_read();
}

void log_sink_write(const char *bytes, size_t len_bytes)
{
    arch_console_write(bytes, len_bytes);
}
