/* SPDX-License-Identifier: MIT */
/*
 * Error codes and hart masks of the firmware interface.  Hart ids are sparse and may be large, so a
 * set of harts can take several calls: each begins at the lowest id left.
 */
#include "pure/sbi_mask.h"

#define MASK_BITS 64U

status_t sbi_status(int64_t error)
{
    static const int8_t table[] = {
        OK,           /* SBI_SUCCESS                    */
        ERR_IO,       /* -1 SBI_ERR_FAILED              */
        ERR_NOTSUP,   /* -2 SBI_ERR_NOT_SUPPORTED       */
        ERR_INVAL,    /* -3 SBI_ERR_INVALID_PARAM       */
        ERR_ACCES,    /* -4 SBI_ERR_DENIED              */
        ERR_FAULT,    /* -5 SBI_ERR_INVALID_ADDRESS     */
        ERR_EXIST,    /* -6 SBI_ERR_ALREADY_AVAILABLE   */
        ERR_EXIST,    /* -7 SBI_ERR_ALREADY_STARTED     */
        ERR_NOENT,    /* -8 SBI_ERR_ALREADY_STOPPED     */
        ERR_NOENT,    /* -9 SBI_ERR_NO_SHMEM            */
        ERR_BUSY,     /* -10 SBI_ERR_INVALID_STATE      */
        ERR_RANGE,    /* -11 SBI_ERR_BAD_RANGE          */
        ERR_TIMEDOUT, /* -12 SBI_ERR_TIMEOUT            */
        ERR_IO,       /* -13 SBI_ERR_IO                 */
        ERR_ACCES,    /* -14 SBI_ERR_DENIED_LOCKED      */
    };

    if (error > 0 || error <= -(int64_t)sizeof(table)) {
        return ERR_IO;
    }
    return (status_t)table[-error];
}

static uint64_t lowest_id(struct hart_mask harts, const uint64_t ids[HART_MAX])
{
    uint64_t lowest = UINT64_MAX;

    for (hart_idx_t hart = 0; hart < HART_MAX; hart++) {
        if (hart_mask_has(harts, hart) && ids[hart] < lowest) {
            lowest = ids[hart];
        }
    }
    return lowest;
}

struct sbi_mask sbi_mask_take(struct hart_mask *harts, const uint64_t ids[HART_MAX])
{
    uint64_t base = lowest_id(*harts, ids);
    struct sbi_mask call = {.mask = 0, .base = base == UINT64_MAX ? base - 1 : base};

    for (hart_idx_t hart = 0; hart < HART_MAX; hart++) {
        if (hart_mask_has(*harts, hart) && ids[hart] - call.base < MASK_BITS) {
            call.mask |= UINT64_C(1) << (ids[hart] - call.base);
            *harts = hart_mask_without(*harts, hart);
        }
    }
    return call;
}
