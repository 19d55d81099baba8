/* SPDX-License-Identifier: MIT */
/*
 * The driver of 16550 UARTs against a model of their registers: the right register at the right
 * place with the right width, waits that end, input, line ends, what firmware has set left alone;
 * and no device at all.
 */
#include "arch/riscv64/uart/uart.h"

#include <string.h>

#include "arch_host/mmio_model.h"
#include "support.h"

#define WINDOW_BYTES 0x1000U

static unsigned char window[WINDOW_BYTES];

/* ---- a 16550 ---- */

#define ALWAYS UINT32_MAX

struct ns16550 {
    unsigned shift, width_bytes; /* how it must be accessed                       */
    uint32_t busy_polls;         /* LSR reads until the next byte is taken        */
    uint32_t polls;              /* LSR reads so far                              */
    uint32_t lcr_drops;          /* DesignWare: writes of LCR it will not take    */
    uint32_t usr_reads;
    uint8_t ier, lcr, iir;
    char sent[256];
    size_t sent_count;
    const char *input;
    uint32_t waiting; /* LSR reads until a byte is taken, now          */
};

static uint8_t ns16550_line_status(struct ns16550 *uart)
{
    uint8_t status = *uart->input != '\0' ? 0x01 : 0;

    uart->polls++;
    if (uart->waiting == 0) {
        return status | 0x60;
    }
    uart->waiting -= uart->waiting == ALWAYS ? 0 : 1;
    return status;
}

static uint32_t ns16550_read(void *state, size_t offset, unsigned width_bytes)
{
    struct ns16550 *uart = state;

    cr_assert(width_bytes == uart->width_bytes && offset % ((size_t)1 << uart->shift) == 0);
    switch (offset >> uart->shift) {
    case 0:
        cr_assert((uart->lcr & 0x80) == 0);
        if ((uart->iir & 0x0f) == 0x0c) {
            uart->iir = 0x01; /* this interrupt alone ends so, with input or without */
        } else {
            cr_assert(*uart->input != '\0');
        }
        if (*uart->input == '\0') {
            return 0;
        }
        return 0xabcdef00U | (uint8_t)*uart->input++; /* the other bits mean nothing */
    case 2:
        return uart->iir;
    case 3:
        return uart->lcr;
    case 5:
        return ns16550_line_status(uart);
    case 31:
        uart->usr_reads++;
        uart->iir = 0x01;
        return 0;
    default:
        cr_assert(false, "register %zu is read", offset >> uart->shift);
        return 0;
    }
}

static void ns16550_write(void *state, size_t offset, unsigned width_bytes, uint32_t value)
{
    struct ns16550 *uart = state;

    cr_assert(width_bytes == uart->width_bytes && offset % ((size_t)1 << uart->shift) == 0);
    switch (offset >> uart->shift) {
    case 0:
        cr_assert((uart->lcr & 0x80) == 0, "the divisor is written");
        cr_assert(uart->waiting == 0, "a byte is written while the transmitter is full");
        uart->sent[uart->sent_count++] = (char)value;
        uart->waiting = uart->busy_polls;
        break;
    case 1:
        cr_assert((uart->lcr & 0x80) == 0, "the divisor is written");
        uart->ier = (uint8_t)value;
        break;
    case 3:
        if (uart->lcr_drops > 0) {
            uart->lcr_drops -= uart->lcr_drops == ALWAYS ? 0 : 1;
            uart->iir = 0x07;
        } else {
            uart->lcr = (uint8_t)value;
        }
        break;
    default:
        cr_assert(false, "register %zu is written", offset >> uart->shift);
    }
}

static struct mmio_device device;
static struct ns16550 model;

static struct machine_uart make_16550(unsigned shift, unsigned width_bytes)
{
    model = (struct ns16550){.shift = shift,
                             .width_bytes = width_bytes,
                             .ier = 0x0f,
                             .lcr = 0x03,
                             .iir = 0x01,
                             .input = ""};
    device = (struct mmio_device){.window = window,
                                  .window_bytes = (size_t)32 << shift,
                                  .read = ns16550_read,
                                  .write = ns16550_write,
                                  .state = &model};
    mmio_model_set(&device);
    return (struct machine_uart){.kind = MACHINE_UART_16550,
                                 .base = {0x10000000},
                                 .size_bytes = (uint64_t)32 << shift,
                                 .reg_shift = shift,
                                 .reg_io_width = width_bytes};
}

static struct uart start_16550(unsigned shift, unsigned width_bytes)
{
    struct machine_uart config = make_16550(shift, width_bytes);
    struct uart uart;

    EXPECT_OK(uart_init(&uart, &config, window));
    return uart;
}

struct layout {
    unsigned shift, width_bytes;
};

ParameterizedTestParameters(uart, a_16550_is_accessed_at_its_stride_with_its_width)
{
    static struct layout layouts[] = {{0, 1}, {1, 1}, {1, 2}, {2, 1}, {2, 2}, {2, 4}, {3, 4}};

    return cr_make_param_array(struct layout, layouts, ARRAY_LEN(layouts));
}

ParameterizedTest(const struct layout *layout, uart,
                  a_16550_is_accessed_at_its_stride_with_its_width)
{
    struct uart uart = start_16550(layout->shift, layout->width_bytes);

    model.input = "z";
    uart_write(&uart, "ab", 2);
    EXPECT_EQ(uart_read(&uart), 'z');
    EXPECT_EQ(model.sent_count, 2);
    cr_assert(memcmp(model.sent, "ab", 2) == 0);
}

Test(uart, a_16550_is_started_without_touching_speed_or_format)
{
    (void)start_16550(2, 4);

    EXPECT_EQ(model.lcr, 0x03);
    EXPECT_EQ(model.ier, 0); /* polled: no interrupts */
    EXPECT_EQ(model.sent_count, 0);
}

Test(uart, a_16550_left_with_its_divisor_open_is_closed)
{
    struct machine_uart config = make_16550(0, 1);
    struct uart uart;

    model.lcr = 0x83;
    EXPECT_OK(uart_init(&uart, &config, window));
    EXPECT_EQ(model.lcr, 0x03);
}

Test(uart, a_designware_part_that_is_busy_gets_its_line_control_again)
{
    struct machine_uart config = make_16550(2, 4);
    struct uart uart;

    model.lcr = 0x83;
    model.lcr_drops = 5;
    EXPECT_OK(uart_init(&uart, &config, window));
    EXPECT_EQ(model.lcr, 0x03);
    EXPECT_EQ(model.usr_reads, 5);
    EXPECT_EQ(model.iir, 0x01);
}

Test(uart, a_designware_part_that_stays_busy_is_given_up)
{
    struct machine_uart config = make_16550(2, 4);
    struct uart uart = {.reg_shift = 77};

    model.lcr = 0x83;
    model.lcr_drops = ALWAYS;
    EXPECT_STATUS(uart_init(&uart, &config, window), ERR_IO);
    EXPECT_EQ(uart.reg_shift, 77);
}

Test(uart, a_pending_busy_interrupt_is_ended_at_the_start)
{
    struct machine_uart config = make_16550(2, 4);
    struct uart uart;

    model.iir = 0xc7;
    EXPECT_OK(uart_init(&uart, &config, window));
    EXPECT_EQ(model.usr_reads, 1);
}

Test(uart, a_window_without_the_busy_register_is_not_read_beyond_its_end)
{
    struct machine_uart config = make_16550(2, 4);
    struct uart uart;

    model.iir = 0x07;
    config.size_bytes = 8 * 4;
    device.window_bytes = 8 * 4;
    EXPECT_OK(uart_init(&uart, &config, window));
    EXPECT_EQ(model.usr_reads, 0);
}

Test(uart, layouts_no_16550_has_are_refused_without_an_access)
{
    static const struct machine_uart configs[] = {
        {.kind = MACHINE_UART_NONE},
        {.kind = MACHINE_UART_16550, .size_bytes = 0x100, .reg_shift = 4, .reg_io_width = 4},
        {.kind = MACHINE_UART_16550, .size_bytes = 0x100, .reg_shift = 2, .reg_io_width = 3},
        {.kind = MACHINE_UART_16550, .size_bytes = 0x100, .reg_shift = 2, .reg_io_width = 0},
        {.kind = MACHINE_UART_16550, .size_bytes = 0x100, .reg_shift = 0, .reg_io_width = 4},
        {.kind = MACHINE_UART_16550, .size_bytes = 5, .reg_shift = 0, .reg_io_width = 1},
        {.kind = MACHINE_UART_SIFIVE, .size_bytes = 0x18},
    };
    struct uart uart;

    mmio_model_set(NULL); /* any access ends the program */
    for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
        cr_assert(uart_init(&uart, &configs[i], window) == ERR_INVAL, "configuration %zu", i);
    }
}

Test(uart, a_line_feed_becomes_carriage_return_and_line_feed)
{
    struct uart uart = start_16550(0, 1);

    uart_write(&uart, "a\n\nb\r\n", 6);
    EXPECT_EQ(model.sent_count, 9);
    cr_assert(memcmp(model.sent, "a\r\n\r\nb\r\r\n", 9) == 0);
}

Test(uart, bytes_above_127_and_zeroes_pass_unchanged)
{
    struct uart uart = start_16550(0, 1);

    uart_write(&uart, "\xff\0\x80", 3);
    EXPECT_EQ(model.sent_count, 3);
    cr_assert(memcmp(model.sent, "\xff\0\x80", 3) == 0);
}

Test(uart, a_slow_transmitter_is_waited_for_and_loses_nothing)
{
    struct uart uart = start_16550(0, 1);

    model.busy_polls = UART_WAIT_POLLS - 1;
    uart_write(&uart, "it", 2);
    EXPECT_EQ(model.sent_count, 2);
}

Test(uart, a_stuck_transmitter_drops_bytes_after_one_bounded_wait)
{
    struct uart uart = start_16550(0, 1);

    model.waiting = ALWAYS;
    model.polls = 0;
    uart_write(&uart, "never seen", 10);
    EXPECT_EQ(model.sent_count, 0);
    EXPECT_EQ(model.polls, UART_WAIT_POLLS + 9); /* later bytes ask once */
}

Test(uart, draining_waits_until_all_has_left_or_a_bounded_time)
{
    struct uart uart = start_16550(0, 1);

    model.waiting = 100;
    uart_drain(&uart);
    EXPECT_EQ(model.waiting, 0);
    model.waiting = ALWAYS;
    model.polls = 0;
    uart_drain(&uart);
    uart_drain(&uart);
    EXPECT_EQ(model.polls, UART_WAIT_POLLS + 1);
}

Test(uart, a_transmitter_that_comes_back_is_used_and_waited_for_again)
{
    struct uart uart = start_16550(0, 1);

    model.waiting = ALWAYS;
    uart_write(&uart, "lost", 4);
    model.waiting = 0;
    model.busy_polls = 10;
    uart_write(&uart, "back", 4);
    EXPECT_EQ(model.sent_count, 4);
    cr_assert(memcmp(model.sent, "back", 4) == 0);
}

Test(uart, input_of_a_16550_comes_in_order_and_then_there_is_none)
{
    struct uart uart = start_16550(2, 4);

    EXPECT_EQ(uart_read(&uart), -1);
    model.input = "x\xff";
    EXPECT_EQ(uart_read(&uart), 'x');
    EXPECT_EQ(uart_read(&uart), 0xff);
    EXPECT_EQ(uart_read(&uart), -1);
}

Test(uart, a_16550_interrupts_for_one_thing_at_a_time)
{
    struct uart uart = start_16550(2, 4);

    uart_interrupt_set(&uart, UART_INTERRUPT_INPUT);
    EXPECT_EQ(model.ier, 0x01);
    uart_interrupt_set(&uart, UART_INTERRUPT_ROOM);
    EXPECT_EQ(model.ier, 0x02);
    uart_interrupt_set(&uart, UART_INTERRUPT_NONE);
    EXPECT_EQ(model.ier, 0);
    EXPECT_EQ(model.lcr, 0x03);
}

Test(uart, an_interrupt_for_input_that_waits_is_ended_if_there_is_none)
{
    struct uart uart = start_16550(2, 4);

    model.iir = 0xcc;
    model.input = "x";
    uart_interrupt_end(&uart);
    EXPECT_EQ(model.iir, 0xcc);
    EXPECT_EQ(uart_read(&uart), 'x');
    model.iir = 0xcc;
    uart_interrupt_end(&uart);
    EXPECT_EQ(model.iir, 0x01);
    EXPECT_EQ(uart_read(&uart), -1);
}

Test(uart, a_designware_part_s_busy_interrupt_is_ended_and_no_other)
{
    struct uart uart = start_16550(2, 4);

    model.iir = 0xc4; /* input */
    uart_interrupt_end(&uart);
    EXPECT_EQ(model.usr_reads, 0);
    model.iir = 0xc7;
    uart_interrupt_end(&uart);
    EXPECT_EQ(model.usr_reads, 1);
}

/* ---- no device ---- */

static uint32_t read_ones(void *state, size_t offset, unsigned width_bytes)
{
    (void)state;
    (void)offset;
    (void)width_bytes;
    return 0xffffffff;
}

static void refuse_write(void *state, size_t offset, unsigned width_bytes, uint32_t value)
{
    (void)state;
    (void)width_bytes;
    (void)value;
    cr_assert(false, "offset %zu is written", offset);
}

Test(uart, an_address_where_nothing_answers_is_no_uart)
{
    struct machine_uart config = make_16550(0, 1);
    struct uart uart;

    device.read = read_ones;
    device.write = refuse_write;
    EXPECT_STATUS(uart_init(&uart, &config, window), ERR_IO);
    config.kind = MACHINE_UART_SIFIVE;
    EXPECT_STATUS(uart_init(&uart, &config, window), ERR_IO);
}
