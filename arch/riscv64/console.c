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
static bool program_left_open; /* the last byte is a program's, and no newline */

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

static void put(const char *bytes, size_t len_bytes)
{
    if (device == CONSOLE_UART) {
        uart_write(&uart, bytes, len_bytes);
    } else {
        sbi_console_write(bytes, len_bytes);
    }
}

void arch_console_write(const char *bytes, size_t len_bytes)
{
    put(bytes, len_bytes);
    if (len_bytes > 0) {
        program_left_open = bytes[len_bytes - 1] != '\n';
    }
}

int arch_console_read(void)
{
    return device == CONSOLE_UART ? uart_read(&uart) : sbi_console_read();
}

/* What the kernel says begins on a line of its own, whatever a program was about to print. */
void log_sink_write(const char *bytes, size_t len_bytes)
{
    if (program_left_open) {
        program_left_open = false;
        put("\n", 1);
    }
    put(bytes, len_bytes);
}
