/* SPDX-License-Identifier: MIT */
/*
 * Formatted text: the subset of printf that the kernel uses (lib/log.h lists it).
 *
 * One engine feeds a sink byte by byte; format_text's sink is a buffer, log_printf's a small line
 * buffer in front of the console.
 */
#include <stdbool.h>
#include <stdint.h>

#include "lib/log.h"
#include "lib/string.h"

struct sink {
    char *buf;       /* where bytes go                        */
    size_t capacity; /* room in buf                           */
    size_t fill;     /* bytes in buf now                      */
    size_t total;    /* bytes the whole text has              */
    bool flushes;    /* full or newline: hand on to the log   */
};

struct spec {
    bool left, zero;
    size_t width;
    size_t precision; /* SIZE_MAX: none */
    unsigned longs;   /* l: 1, ll and z: 2 */
};

static void sink_flush(struct sink *sink)
{
    if (sink->fill > 0) {
        log_sink_write(sink->buf, sink->fill);
        sink->fill = 0;
    }
}

static void sink_put(struct sink *sink, char byte)
{
    sink->total++;
    if (sink->fill < sink->capacity) {
        sink->buf[sink->fill++] = byte;
    }
    if (sink->flushes && sink->fill == sink->capacity) {
        sink_flush(sink);
    }
}

static void put_padded(struct sink *sink, const struct spec *spec, const char *text, size_t len)
{
    size_t pad = spec->width > len ? spec->width - len : 0;
    size_t sign = spec->zero && len > 0 && text[0] == '-' ? 1 : 0;

    for (size_t i = 0; i < sign; i++) {
        sink_put(sink, text[i]);
    }
    for (; !spec->left && pad > 0; pad--) {
        sink_put(sink, spec->zero ? '0' : ' ');
    }
    for (size_t i = sign; i < len; i++) {
        sink_put(sink, text[i]);
    }
    for (; pad > 0; pad--) {
        sink_put(sink, ' ');
    }
}

static void put_number(struct sink *sink, const struct spec *spec, uint64_t value, char conversion,
                       bool negative)
{
    const char *digits = conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    unsigned base = conversion == 'u' || conversion == 'd' ? 10 : 16;
    char text[24];
    size_t at = sizeof(text);

    do {
        text[--at] = digits[value % base];
        value /= base;
    } while (value != 0);
    if (conversion == 'p') {
        text[--at] = 'x';
        text[--at] = '0';
    }
    if (negative) {
        text[--at] = '-';
    }
    put_padded(sink, spec, text + at, sizeof(text) - at);
}

static void put_string(struct sink *sink, struct spec *spec, const char *text)
{
    const char *shown = text != NULL ? text : "(null)";

    spec->zero = false;
    put_padded(sink, spec, shown, strnlen(shown, spec->precision));
}

static const char *parse_digits(const char *format, size_t *value)
{
    for (; *format >= '0' && *format <= '9'; format++) {
        *value = *value * 10 + (size_t)(*format - '0');
    }
    return format;
}

static const char *parse_spec(const char *format, struct spec *spec, va_list *args)
{
    *spec = (struct spec){.precision = SIZE_MAX};
    for (; *format == '-' || *format == '0'; format++) {
        spec->left = spec->left || *format == '-';
        spec->zero = spec->zero || *format == '0';
    }
    if (*format == '*') {
        int width = va_arg(*args, int);

        spec->width = width > 0 ? (size_t)width : 0;
        format++;
    }
    format = parse_digits(format, &spec->width);
    if (*format == '.') {
        spec->precision = 0;
        format = parse_digits(format + 1, &spec->precision);
        if (*format == '*') {
            int precision = va_arg(*args, int);

            spec->precision = precision > 0 ? (size_t)precision : 0;
            format++;
        }
    }
    for (; *format == 'l' || *format == 'z'; format++) {
        spec->longs += *format == 'z' ? 2 : 1;
    }
    return format;
}

static void put_signed(struct sink *sink, const struct spec *spec, va_list *args)
{
    int64_t value = spec->longs > 0 ? va_arg(*args, int64_t) : va_arg(*args, int);
    uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;

    put_number(sink, spec, magnitude, 'd', value < 0);
}

static void put_conversion(struct sink *sink, struct spec *spec, char conversion, va_list *args)
{
    switch (conversion) {
    case 'd':
    case 'i':
        put_signed(sink, spec, args);
        return;
    case 'u':
    case 'x':
    case 'X':
        put_number(sink, spec,
                   spec->longs > 0 ? va_arg(*args, uint64_t) : va_arg(*args, unsigned int),
                   conversion, false);
        return;
    case 'p':
        put_number(sink, spec, (uintptr_t)va_arg(*args, void *), 'p', false);
        return;
    case 'c':
        sink_put(sink, (char)va_arg(*args, int));
        return;
    case 's':
        put_string(sink, spec, va_arg(*args, const char *));
        return;
    case '%':
        sink_put(sink, '%');
        return;
    default:
        sink_put(sink, '%');
        sink_put(sink, conversion);
        return;
    }
}

static void format_into(struct sink *sink, const char *format, va_list *args)
{
    struct spec spec;

    for (; *format != '\0'; format++) {
        if (*format != '%') {
            sink_put(sink, *format);
            continue;
        }
        format = parse_spec(format + 1, &spec, args);
        if (*format == '\0') {
            return;
        }
        put_conversion(sink, &spec, *format, args);
    }
}

size_t format_text_va(char *buf, size_t buf_bytes, const char *format, va_list args)
{
    struct sink sink = {.buf = buf, .capacity = buf_bytes > 0 ? buf_bytes - 1 : 0};
    va_list copy;

    va_copy(copy, args);
    format_into(&sink, format, &copy);
    va_end(copy);
    if (buf_bytes > 0) {
        buf[sink.fill] = '\0';
    }
    return sink.total;
}

size_t format_text(char *buf, size_t buf_bytes, const char *format, ...)
{
    va_list args;
    size_t len;

    va_start(args, format);
    len = format_text_va(buf, buf_bytes, format, args);
    va_end(args);
    return len;
}

void log_vprintf(const char *format, va_list args)
{
    char line[128];
    struct sink sink = {.buf = line, .capacity = sizeof(line), .flushes = true};
    va_list copy;

    va_copy(copy, args);
    format_into(&sink, format, &copy);
    va_end(copy);
    sink_flush(&sink);
}

void log_printf(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    log_vprintf(format, args);
    va_end(args);
}
