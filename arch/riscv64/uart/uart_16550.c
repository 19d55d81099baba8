/* SPDX-License-Identifier: MIT */
/*
 * The 16550 as PC16550D describes it, with registers 1 << reg_shift bytes apart that are accessed
 * reg_io_width bytes at a time; only the lowest 8 bits of an access mean anything.
 *
 * DesignWare parts ignore a write of LCR while they are busy and raise an interrupt of their own
 * (IIR reads 7 in its low nibble) that only a read of USR ends.  So LCR is written only if firmware
 * left the divisor latch open, and a pending busy interrupt is ended at the start.  They may also
 * tell of input that has waited for long when there is none (IIR reads 12); only a read of the data
 * ends that.
 */
#include "uart/uart_16550.h"

#include "arch/mmio.h"

enum {
    REG_DATA = 0, /* RBR on read, THR on write */
    REG_IER = 1,
    REG_IIR = 2,
    REG_LCR = 3,
    REG_LSR = 5,
    REG_USR = 31, /* DesignWare only */
};

#define IER_INPUT         0x01U
#define IER_ROOM          0x02U
#define IIR_MASK          0x0fU
#define IIR_BUSY          0x07U
#define IIR_INPUT_WAITS   0x0cU
#define LCR_DIVISOR_LATCH 0x80U
#define LSR_DATA_READY    0x01U
#define LSR_THR_EMPTY     0x20U
#define LSR_ALL_SENT      0x40U
#define LSR_NO_DEVICE     0xffU

/* Tries to write LCR while the part is busy sending what firmware left in its FIFO: some 30 ms. */
#define LCR_TRIES 100000U

static volatile void *register_at(const struct uart *uart, unsigned number)
{
    return (volatile uint8_t *)uart->registers + ((size_t)number << uart->reg_shift);
}

static uint8_t read_register(const struct uart *uart, unsigned number)
{
    volatile void *at = register_at(uart, number);

    switch (uart->reg_io_width) {
    case 4:
        return (uint8_t)mmio_read32(at);
    case 2:
        return (uint8_t)mmio_read16(at);
    default:
        return mmio_read8(at);
    }
}

static void write_register(const struct uart *uart, unsigned number, uint8_t value)
{
    volatile void *at = register_at(uart, number);

    switch (uart->reg_io_width) {
    case 4:
        mmio_write32(at, value);
        break;
    case 2:
        mmio_write16(at, value);
        break;
    default:
        mmio_write8(at, value);
        break;
    }
}

/* Bytes from the start of the window to the end of a register's access. */
static uint64_t register_end(const struct uart *uart, unsigned number)
{
    return ((uint64_t)number << uart->reg_shift) + uart->reg_io_width;
}

static void end_busy_interrupt(const struct uart *uart)
{
    if ((read_register(uart, REG_IIR) & IIR_MASK) == IIR_BUSY &&
        register_end(uart, REG_USR) <= uart->size_bytes) {
        (void)read_register(uart, REG_USR);
    }
}

static status_t close_divisor_latch(const struct uart *uart)
{
    for (unsigned tries = 0; tries < LCR_TRIES; tries++) {
        uint8_t line = read_register(uart, REG_LCR);

        if ((line & LCR_DIVISOR_LATCH) == 0) {
            return OK;
        }
        write_register(uart, REG_LCR, (uint8_t)(line & ~LCR_DIVISOR_LATCH));
        end_busy_interrupt(uart);
    }
    return ERR_IO;
}

status_t uart_16550_start(const struct uart *uart)
{
    unsigned width = uart->reg_io_width;
    status_t status;

    if (uart->reg_shift > 3 || (width != 1 && width != 2 && width != 4) ||
        width > 1U << uart->reg_shift || register_end(uart, REG_LSR) > uart->size_bytes) {
        return ERR_INVAL;
    }
    /* A bus without a device there reads as all ones; no UART has every error at once. */
    if (read_register(uart, REG_LSR) == LSR_NO_DEVICE) {
        return ERR_IO;
    }
    status = close_divisor_latch(uart);
    if (status != OK) {
        return status;
    }
    write_register(uart, REG_IER, 0);
    end_busy_interrupt(uart);
    return OK;
}

bool uart_16550_takes_byte(const struct uart *uart)
{
    return (read_register(uart, REG_LSR) & LSR_THR_EMPTY) != 0;
}

void uart_16550_put(const struct uart *uart, uint8_t byte)
{
    write_register(uart, REG_DATA, byte);
}

bool uart_16550_has_sent(const struct uart *uart)
{
    return (read_register(uart, REG_LSR) & LSR_ALL_SENT) != 0;
}

int uart_16550_get(const struct uart *uart)
{
    if ((read_register(uart, REG_LSR) & LSR_DATA_READY) == 0) {
        return -1;
    }
    return read_register(uart, REG_DATA);
}

void uart_16550_interrupt_set(const struct uart *uart, enum uart_interrupt which)
{
    uint8_t enabled = 0;

    if (which != UART_INTERRUPT_NONE) {
        enabled = which == UART_INTERRUPT_INPUT ? IER_INPUT : IER_ROOM;
    }
    write_register(uart, REG_IER, enabled);
}

void uart_16550_interrupt_end(const struct uart *uart)
{
    bool is_input = (read_register(uart, REG_IIR) & IIR_MASK) == IIR_INPUT_WAITS;

    if (is_input && (read_register(uart, REG_LSR) & LSR_DATA_READY) == 0) {
        (void)read_register(uart, REG_DATA);
    }
    end_busy_interrupt(uart);
}
