/* SPDX-License-Identifier: MIT */
/*
 * The early console: where log lines and the output of programs go, and where input comes from.
 *
 * Several harts may speak at once.  What the kernel logs is gathered in a line of the hart's own
 * and goes out when it is whole, or when the buffer is full; what a program writes goes out as it
 * was handed over; each under one lock.  A line that was left open, by a program or because it was
 * long, is closed before somebody else's begins.  The last hart (stop.h) takes no lock: whoever
 * holds it has stopped.  Waits for the device are bounded in uart/ and sbi.c.
 */
#include "console.h"

#include "arch/arch.h"
#include "lib/hart.h"
#include "lib/log.h"
#include "lib/spinlock.h"
#include "lib/string.h"
#include "sbi.h"
#include "stop.h"
#include "uart/uart.h"

#define LINE_BYTES 256U

/* Who left the last line open; a hart's log is 1 + its index. */
#define OPEN_BY_NOBODY    UINT32_MAX
#define OPEN_BY_A_PROGRAM 0U

static struct {
    struct spinlock lock;       /* rank LOCK_CONSOLE                              */
    struct uart uart;           /* (l)                                            */
    enum console_device device; /* (c) once the other harts run                   */
    uint32_t open_by;           /* (l) who left the last line without its newline */
} console = {.lock = SPINLOCK_INIT(LOCK_CONSOLE), .open_by = OPEN_BY_NOBODY};

/* What each hart has logged of a line that is not whole yet; the hart's own. */
static struct {
    char bytes[LINE_BYTES];
    size_t fill;
} lines[HART_MAX];

static void lock(void)
{
    if (!stop_is_mine()) {
        spinlock_acquire(&console.lock);
    }
}

static void unlock(void)
{
    if (spinlock_is_mine(&console.lock)) {
        spinlock_release(&console.lock);
    }
}

status_t console_use_uart(const struct machine_uart *config, volatile void *registers)
{
    status_t status = uart_init(&console.uart, config, registers);

    if (status == OK) {
        console.device = CONSOLE_UART;
    }
    return status;
}

enum console_device console_device(void)
{
    return console.device;
}

void console_drain(void)
{
    lock();
    if (console.device == CONSOLE_UART) {
        uart_drain(&console.uart);
    }
    unlock();
}

void console_interrupt_set(enum uart_interrupt which)
{
    lock();
    uart_interrupt_set(&console.uart, which);
    unlock();
}

void console_interrupt_end(void)
{
    lock();
    uart_interrupt_end(&console.uart);
    unlock();
}

static void put_locked(const char *bytes, size_t len_bytes)
{
    if (console.device == CONSOLE_UART) {
        uart_write(&console.uart, bytes, len_bytes);
    } else {
        sbi_console_write(bytes, len_bytes);
    }
}

/* Writes on behalf of `who`, on a line of its own. */
static void write_as(uint32_t who, const char *bytes, size_t len_bytes)
{
    if (len_bytes == 0) {
        return;
    }
    lock();
    if (console.open_by != OPEN_BY_NOBODY && console.open_by != who) {
        put_locked("\n", 1);
    }
    put_locked(bytes, len_bytes);
    console.open_by = bytes[len_bytes - 1] == '\n' ? OPEN_BY_NOBODY : who;
    unlock();
}

void arch_console_write(const char *bytes, size_t len_bytes)
{
    write_as(OPEN_BY_A_PROGRAM, bytes, len_bytes);
}

int arch_console_read(void)
{
    int byte;

    lock();
    byte = console.device == CONSOLE_UART ? uart_read(&console.uart) : sbi_console_read();
    unlock();
    return byte;
}

void log_sink_write(const char *bytes, size_t len_bytes)
{
    hart_idx_t hart = hart_index();

    for (size_t i = 0; i < len_bytes; i++) {
        lines[hart].bytes[lines[hart].fill++] = bytes[i];
        if (bytes[i] == '\n' || lines[hart].fill == LINE_BYTES) {
            write_as(hart + 1, lines[hart].bytes, lines[hart].fill);
            lines[hart].fill = 0;
        }
    }
}
