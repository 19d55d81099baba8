/* SPDX-License-Identifier: MIT */
/*
 * Histories as bytes, and as words of hexadecimal digits.
 *
 *   header  harts-1, levels and A/D and Svpbmt and audits, ASID bits, operations-1, undisturbed
 * ones, seed (3) 8 bytes for each operation: kind, hart, space, page, shape, prot, arg, arg 3 bytes
 * for each choice: gap (low byte first), value
 *
 * Every number is taken modulo what there is, so any bytes are a history.
 */
#include <string.h>

#include "world/world.h"

static const uint8_t asid_widths[] = {0, 1, 9, 16, 3, 4};

#define WIDTHS       (sizeof(asid_widths) / sizeof(asid_widths[0]))
#define CHOICE_BYTES 3U

static void decode_header(const uint8_t *bytes, struct world_history *out)
{
    out->config = (struct oracle_config){
        .harts = 1U + bytes[0] % ORACLE_HARTS_MAX,
        .levels = 3U + (bytes[1] & 3U) % 3U,
        .asid_bits = asid_widths[bytes[2] % WIDTHS],
        .ad = (bytes[1] & 4U) != 0 ? ORACLE_AD_FAULT : ORACLE_AD_HARDWARE,
        .has_svpbmt = (bytes[1] & 8U) != 0,
    };
    out->audits = (bytes[1] & 16U) != 0;
    out->op_count = 1U + bytes[3] % WORLD_OPS_MAX;
    out->setup_count = bytes[4];
    out->seed = bytes[5] | (uint32_t)bytes[6] << 8 | (uint32_t)bytes[7] << 16;
}

static struct world_op decode_op(const uint8_t *bytes, unsigned harts)
{
    return (struct world_op){.kind = (uint8_t)(bytes[0] % world_kind_count()),
                             .hart = (uint8_t)(bytes[1] % harts),
                             .space = bytes[2],
                             .page = bytes[3],
                             .shape = bytes[4],
                             .prot = bytes[5],
                             .arg = {bytes[6], bytes[7]}};
}

bool world_decode(const uint8_t *bytes, size_t count, struct world_history *out)
{
    size_t at = WORLD_HEADER;

    if (count < WORLD_HEADER) {
        return false;
    }
    decode_header(bytes, out);
    for (size_t i = 0; i < out->op_count; i++, at += WORLD_OP_BYTES) {
        if (count - at < WORLD_OP_BYTES) {
            out->op_count = i;
            break;
        }
        out->ops[i] = decode_op(bytes + at, out->config.harts);
    }
    if (out->setup_count > out->op_count) {
        out->setup_count = out->op_count;
    }
    out->choice_count = 0;
    for (; count - at >= CHOICE_BYTES && out->choice_count < WORLD_CHOICES_MAX;
         at += CHOICE_BYTES) {
        out->choices[out->choice_count++] = (struct world_choice){
            .gap = (uint16_t)(bytes[at] | bytes[at + 1] << 8), .value = bytes[at + 2]};
    }
    return true;
}

size_t world_encode(const struct world_history *history, uint8_t *bytes)
{
    const struct oracle_config *config = &history->config;
    size_t at = WORLD_HEADER;

    memset(bytes, 0, WORLD_HEADER);
    bytes[0] = (uint8_t)(config->harts - 1);
    bytes[1] = (uint8_t)((config->levels - 3) | (config->ad == ORACLE_AD_FAULT ? 4U : 0) |
                         (config->has_svpbmt ? 8U : 0) | (history->audits ? 16U : 0));
    while (bytes[2] + 1U < WIDTHS && asid_widths[bytes[2]] != config->asid_bits) {
        bytes[2]++;
    }
    bytes[3] = (uint8_t)(history->op_count > 0 ? history->op_count - 1 : 0);
    bytes[4] = (uint8_t)history->setup_count;
    for (unsigned i = 0; i < 3; i++) {
        bytes[5 + i] = (uint8_t)(history->seed >> (8 * i));
    }
    for (size_t i = 0; i < history->op_count; i++, at += WORLD_OP_BYTES) {
        const struct world_op *op = &history->ops[i];
        const uint8_t row[WORLD_OP_BYTES] = {op->kind,  op->hart, op->space,  op->page,
                                             op->shape, op->prot, op->arg[0], op->arg[1]};

        memcpy(bytes + at, row, sizeof(row));
    }
    for (size_t i = 0; i < history->choice_count; i++, at += CHOICE_BYTES) {
        bytes[at] = (uint8_t)history->choices[i].gap;
        bytes[at + 1] = (uint8_t)(history->choices[i].gap >> 8);
        bytes[at + 2] = history->choices[i].value;
    }
    return at;
}

void world_print_word(const struct world_history *history, FILE *to)
{
    static uint8_t bytes[WORLD_BYTES_MAX];
    size_t count = world_encode(history, bytes);

    for (size_t i = 0; i < count; i++) {
        (void)fprintf(to, "%02x", bytes[i]);
    }
}

static int digit_of(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;

    return at != NULL ? (int)(at - digits) : -1;
}

bool world_read_word(const char *word, struct world_history *out)
{
    static uint8_t bytes[WORLD_BYTES_MAX];
    size_t count = strlen(word) / 2;

    if (strlen(word) % 2 != 0 || count > sizeof(bytes)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        int high = digit_of(word[2 * i]);
        int low = digit_of(word[2 * i + 1]);

        if (high < 0 || low < 0) {
            return false;
        }
        bytes[i] = (uint8_t)(high * 16 + low);
    }
    return world_decode(bytes, count, out);
}
