/* SPDX-License-Identifier: MIT */
/*
 * The driver of the SiFive UART against a model of its registers: waits that end, input, line ends,
 * and what firmware has set left alone.
 */
#include "arch/riscv64/uart/uart.h"

#include <string.h>

#include "arch_host/mmio_model.h"
#include "support.h"

#define ALWAYS UINT32_MAX

static unsigned char window[0x1000];

static struct mmio_device device;

struct sifive {
    uint32_t txctrl, rxctrl, ie;
    uint32_t full_polls; /* reads of TXDATA that say it is full */
    uint32_t polls;
    uint32_t unsent; /* reads of IP until the queue is empty */
    char sent[64];
    size_t sent_count;
    const char *input;
};

static uint32_t sifive_read(void *state, size_t offset, unsigned width_bytes)
{
    struct sifive *uart = state;

    EXPECT_EQ(width_bytes, 4);
    switch (offset) {
    case 0x00:
        uart->polls++;
        if (uart->full_polls == 0) {
            return 0;
        }
        uart->full_polls -= uart->full_polls == ALWAYS ? 0 : 1;
        return 0x80000000;
    case 0x04:
        return *uart->input == '\0' ? 0x80000000U | 'o' : (uint8_t)*uart->input++;
    case 0x08:
        return uart->txctrl;
    case 0x0c:
        return uart->rxctrl;
    case 0x14:
        cr_assert((uart->txctrl & 0x00070000) == 0x00010000,
                  "it tells of less than an empty queue");
        if (uart->unsent == 0) {
            return 1;
        }
        uart->unsent -= uart->unsent == ALWAYS ? 0 : 1;
        return 0;
    default:
        cr_assert(false, "offset %#zx is read", offset);
        return 0;
    }
}

static void sifive_write(void *state, size_t offset, unsigned width_bytes, uint32_t value)
{
    struct sifive *uart = state;

    EXPECT_EQ(width_bytes, 4);
    switch (offset) {
    case 0x00:
        cr_assert(uart->full_polls == 0, "a byte is written while the queue is full");
        uart->sent[uart->sent_count++] = (char)value;
        break;
    case 0x08:
        uart->txctrl = value;
        break;
    case 0x0c:
        uart->rxctrl = value;
        break;
    case 0x10:
        uart->ie = value;
        break;
    default:
        cr_assert(false, "offset %#zx is written", offset); /* the divisor above all */
    }
}

static struct sifive sifive;

static struct uart start_sifive(void)
{
    static const struct machine_uart config = {
        .kind = MACHINE_UART_SIFIVE, .size_bytes = 0x1c, .reg_shift = 2, .reg_io_width = 4};
    struct uart uart;

    sifive = (struct sifive){.txctrl = 0x00030002, .rxctrl = 0x00010000, .ie = 3, .input = ""};
    device = (struct mmio_device){.window = window,
                                  .window_bytes = 0x1c,
                                  .read = sifive_read,
                                  .write = sifive_write,
                                  .state = &sifive};
    mmio_model_set(&device);
    EXPECT_OK(uart_init(&uart, &config, window));
    return uart;
}

Test(uart_sifive, a_sifive_uart_is_turned_on_with_its_other_settings_kept)
{
    (void)start_sifive();

    EXPECT_EQ(sifive.txctrl, 0x00030003);
    EXPECT_EQ(sifive.rxctrl, 0x00010001);
    EXPECT_EQ(sifive.ie, 0);
}

Test(uart_sifive, a_sifive_uart_sends_lines)
{
    struct uart uart = start_sifive();

    sifive.full_polls = 100;
    uart_write(&uart, "hi\n", 3);
    EXPECT_EQ(sifive.sent_count, 4);
    cr_assert(memcmp(sifive.sent, "hi\r\n", 4) == 0);
}

Test(uart_sifive, a_stuck_sifive_uart_drops_bytes_after_one_bounded_wait)
{
    struct uart uart = start_sifive();

    sifive.full_polls = ALWAYS;
    uart_write(&uart, "never", 5);
    EXPECT_EQ(sifive.sent_count, 0);
    EXPECT_EQ(sifive.polls, UART_WAIT_POLLS + 4);
}

Test(uart_sifive, draining_waits_until_the_queue_is_empty_or_a_bounded_time)
{
    struct uart uart = start_sifive();

    sifive.unsent = 100;
    uart_drain(&uart);
    EXPECT_EQ(sifive.unsent, 0);
    EXPECT_EQ(sifive.txctrl, 0x00010003);
    sifive.unsent = ALWAYS;
    uart_drain(&uart); /* comes to an end */
}

Test(uart_sifive, input_of_a_sifive_uart_is_read_once_each_and_then_there_is_none)
{
    struct uart uart = start_sifive();

    EXPECT_EQ(uart_read(&uart), -1);
    sifive.input = "ab";
    EXPECT_EQ(uart_read(&uart), 'a');
    EXPECT_EQ(uart_read(&uart), 'b');
    EXPECT_EQ(uart_read(&uart), -1);
}

Test(uart_sifive, a_sifive_uart_interrupts_for_a_single_byte)
{
    struct uart uart = start_sifive();

    uart_interrupt_set(&uart, UART_INTERRUPT_INPUT);
    EXPECT_EQ(sifive.rxctrl, 0x00000001); /* the watermark that firmware left was 1 */
    EXPECT_EQ(sifive.ie, 2);
    uart_interrupt_end(&uart); /* touches nothing that this device lacks */
    uart_interrupt_set(&uart, UART_INTERRUPT_ROOM);
    EXPECT_EQ(sifive.txctrl, 0x00010003);
    EXPECT_EQ(sifive.ie, 1);
    uart_interrupt_set(&uart, UART_INTERRUPT_NONE);
    EXPECT_EQ(sifive.ie, 0);
}
