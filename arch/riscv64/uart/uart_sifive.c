/* SPDX-License-Identifier: MIT */
/*
 * The UART of the SiFive FU540-C000 manual, "Universal Asynchronous Receiver/Transmitter": 32-bit
 * registers; a status bit comes with the data, so a received byte is read exactly once.
 */
#include "uart/uart_sifive.h"

#include "arch/mmio.h"

enum {
    REG_TXDATA = 0x00,
    REG_RXDATA = 0x04,
    REG_TXCTRL = 0x08,
    REG_RXCTRL = 0x0c,
    REG_IE = 0x10,
    REG_IP = 0x14,
    WINDOW_BYTES = 0x1c, /* up to and with `div` */
};

#define TXDATA_FULL  UINT32_C(0x80000000)
#define RXDATA_EMPTY UINT32_C(0x80000000)
#define CTRL_ENABLE  UINT32_C(0x00000001)
#define CTRL_COUNT   UINT32_C(0x00070000) /* watermark: room below, input above it */
#define CTRL_COUNT_1 UINT32_C(0x00010000)
#define IE_ROOM      UINT32_C(0x00000001)
#define IE_INPUT     UINT32_C(0x00000002)
#define IP_ROOM      UINT32_C(0x00000001)
#define NO_DEVICE    UINT32_C(0xffffffff)

static volatile void *register_at(const struct uart *uart, size_t offset)
{
    return (volatile uint8_t *)uart->registers + offset;
}

static void turn_on(const struct uart *uart, size_t control)
{
    volatile void *at = register_at(uart, control);

    mmio_write32(at, mmio_read32(at) | CTRL_ENABLE);
}

status_t uart_sifive_start(const struct uart *uart)
{
    if (uart->size_bytes < WINDOW_BYTES) {
        return ERR_INVAL;
    }
    if (mmio_read32(register_at(uart, REG_TXCTRL)) == NO_DEVICE) {
        return ERR_IO;
    }
    mmio_write32(register_at(uart, REG_IE), 0);
    turn_on(uart, REG_TXCTRL);
    turn_on(uart, REG_RXCTRL);
    return OK;
}

bool uart_sifive_takes_byte(const struct uart *uart)
{
    return (mmio_read32(register_at(uart, REG_TXDATA)) & TXDATA_FULL) == 0;
}

void uart_sifive_put(const struct uart *uart, uint8_t byte)
{
    mmio_write32(register_at(uart, REG_TXDATA), byte);
}

static void watermark_set(const struct uart *uart, size_t control, uint32_t count)
{
    volatile void *at = register_at(uart, control);

    mmio_write32(at, (mmio_read32(at) & ~CTRL_COUNT) | count);
}

void uart_sifive_watch_sending(const struct uart *uart)
{
    watermark_set(uart, REG_TXCTRL, CTRL_COUNT_1);
}

bool uart_sifive_has_sent(const struct uart *uart)
{
    return (mmio_read32(register_at(uart, REG_IP)) & IP_ROOM) != 0;
}

int uart_sifive_get(const struct uart *uart)
{
    uint32_t data = mmio_read32(register_at(uart, REG_RXDATA));

    return (data & RXDATA_EMPTY) != 0 ? -1 : (int)(data & 0xffU);
}

void uart_sifive_interrupt_set(const struct uart *uart, enum uart_interrupt which)
{
    uint32_t enabled = 0;

    if (which == UART_INTERRUPT_INPUT) {
        watermark_set(uart, REG_RXCTRL, 0); /* one byte is enough */
        enabled = IE_INPUT;
    } else if (which == UART_INTERRUPT_ROOM) {
        watermark_set(uart, REG_TXCTRL, CTRL_COUNT_1); /* when nothing is left to send */
        enabled = IE_ROOM;
    }
    mmio_write32(register_at(uart, REG_IE), enabled);
}
