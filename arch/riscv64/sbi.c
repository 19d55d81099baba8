/* SPDX-License-Identifier: MIT */
/* Calls to the firmware.  The call sequence itself is in one place, sbi_call. */
#include "sbi.h"

#include "hart.h"
#include "image.h"
#include "lib/counter.h"
#include "lib/string.h"
#include "pure/sbi_mask.h"

#define EID_LEGACY_PUTCHAR  0x01UL
#define EID_LEGACY_GETCHAR  0x02UL
#define EID_BASE            0x10UL

#define BASE_SPEC_VERSION   0UL
#define BASE_IMPL_ID        1UL
#define BASE_IMPL_VERSION   2UL
#define BASE_PROBE          3UL
#define BASE_MVENDORID      4UL
#define BASE_MARCHID        5UL
#define BASE_MIMPID         6UL

#define RFENCE_FENCE_I      0UL
#define RFENCE_SFENCE       1UL
#define RFENCE_SFENCE_ASID  2UL

#define HSM_START           0UL
#define HSM_GET_STATUS      2UL

#define FWFT_SET            0UL
#define FWFT_AD_HW_UPDATING 4UL

#define DBCN_WRITE          0UL
#define DBCN_READ           1UL
#define CONSOLE_CHUNK_BYTES 128U
#define CONSOLE_TRIES_MAX   1000U

struct sbi_args {
    unsigned long a[5];
};

struct sbi_ret {
    long error;
    unsigned long value;
};

static const struct {
    unsigned long eid;
    const char *name;
} extensions[SBI_EXT_COUNT] = {
    [SBI_EXT_TIME] = {0x54494d45, "TIME"},
    [SBI_EXT_IPI] = {0x735049, "IPI"},
    [SBI_EXT_RFENCE] = {0x52464e43, "RFENCE"},
    [SBI_EXT_HSM] = {0x48534d, "HSM"},
    [SBI_EXT_SRST] = {0x53525354, "SRST"},
    [SBI_EXT_DBCN] = {0x4442434e, "DBCN"},
    [SBI_EXT_PMU] = {0x504d55, "PMU"},
    [SBI_EXT_FWFT] = {0x46574654, "FWFT"},
    [SBI_EXT_LEGACY_PUTCHAR] = {EID_LEGACY_PUTCHAR, "putchar"},
    [SBI_EXT_LEGACY_GETCHAR] = {EID_LEGACY_GETCHAR, "getchar"},
};

static bool present[SBI_EXT_COUNT];
static struct sbi_identity identity;

/* DBCN takes physical addresses; stacks have none that is contiguous.  Under the console's lock. */
static char console_buffer[CONSOLE_CHUNK_BYTES];

/* Nothing is called in here: it would take the argument registers. */
static struct sbi_ret ecall(unsigned long eid, unsigned long fid, struct sbi_args args)
{
    register unsigned long a0 __asm__("a0") = args.a[0];
    register unsigned long a1 __asm__("a1") = args.a[1];
    register unsigned long a2 __asm__("a2") = args.a[2];
    register unsigned long a3 __asm__("a3") = args.a[3];
    register unsigned long a4 __asm__("a4") = args.a[4];
    register unsigned long a6 __asm__("a6") = fid;
    register unsigned long a7 __asm__("a7") = eid;

    __asm__ volatile("ecall"
                     : "+r"(a0), "+r"(a1)
                     : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7)
                     : "memory");
    return (struct sbi_ret){(long)a0, a1};
}

static struct sbi_ret sbi_call(unsigned long eid, unsigned long fid, struct sbi_args args)
{
    counter_add(COUNTER_sbi_calls, 1);
    return ecall(eid, fid, args);
}

static struct sbi_ret ext_call(enum sbi_ext ext, unsigned long fid, struct sbi_args args)
{
    if (!present[ext]) {
        return (struct sbi_ret){-2, 0};
    }
    return sbi_call(extensions[ext].eid, fid, args);
}

static uint64_t base_value(unsigned long fid)
{
    struct sbi_ret ret = sbi_call(EID_BASE, fid, (struct sbi_args){0});

    return ret.error == 0 ? ret.value : 0;
}

status_t sbi_init(void)
{
    struct sbi_ret version = sbi_call(EID_BASE, BASE_SPEC_VERSION, (struct sbi_args){0});

    if (version.error != 0) {
        present[SBI_EXT_LEGACY_PUTCHAR] = true;
        present[SBI_EXT_LEGACY_GETCHAR] = true;
        return ERR_NOTSUP;
    }
    identity = (struct sbi_identity){
        .spec_version = version.value,
        .impl_id = base_value(BASE_IMPL_ID),
        .impl_version = base_value(BASE_IMPL_VERSION),
    };
    for (unsigned i = 0; i < SBI_EXT_COUNT; i++) {
        struct sbi_ret ret = sbi_call(EID_BASE, BASE_PROBE, (struct sbi_args){{extensions[i].eid}});

        present[i] = ret.error == 0 && ret.value != 0;
    }
    return OK;
}

void sbi_null(void)
{
    (void)base_value(BASE_SPEC_VERSION);
}

bool sbi_has(enum sbi_ext ext)
{
    return present[ext];
}

const char *sbi_ext_name(enum sbi_ext ext)
{
    return extensions[ext].name;
}

const struct sbi_identity *sbi_identity(void)
{
    return &identity;
}

struct sbi_core sbi_core(void)
{
    return (struct sbi_core){
        .mvendorid = base_value(BASE_MVENDORID),
        .marchid = base_value(BASE_MARCHID),
        .mimpid = base_value(BASE_MIMPID),
    };
}

status_t sbi_hardware_updates_off(void)
{
    struct sbi_args args = {{FWFT_AD_HW_UPDATING, 0}};

    return sbi_status(ext_call(SBI_EXT_FWFT, FWFT_SET, args).error);
}

status_t sbi_set_timer(uint64_t deadline)
{
    return sbi_status(ext_call(SBI_EXT_TIME, 0, (struct sbi_args){{deadline}}).error);
}

/* One call for each 64 hart ids, counted by `calls`; the first failure ends it. */
static status_t call_harts(enum sbi_ext ext, unsigned long fid, struct hart_mask harts,
                           struct sbi_args rest, enum counter_id calls)
{
    struct hart_mask left = {harts.bits & hart_started().bits};

    while (!hart_mask_is_empty(left)) {
        struct sbi_mask mask = sbi_mask_take(&left, hart_ids());
        struct sbi_args args = {{mask.mask, mask.base, rest.a[0], rest.a[1], rest.a[2]}};
        status_t status = sbi_status(ext_call(ext, fid, args).error);

        counter_add(calls, 1);
        if (status != OK) {
            return status;
        }
    }
    return OK;
}

status_t sbi_send_ipi(struct hart_mask harts)
{
    return call_harts(SBI_EXT_IPI, 0, harts, (struct sbi_args){0}, COUNTER_ipi_calls);
}

/* Counts the harts that a fence interrupts, and the calls it takes. */
static status_t rfence(unsigned long fid, struct hart_mask harts, struct sbi_args rest,
                       enum counter_id calls)
{
    struct hart_mask running = {harts.bits & hart_started().bits};

    counter_add(COUNTER_harts_fenced, hart_mask_count(running));
    return call_harts(SBI_EXT_RFENCE, fid, running, rest, calls);
}

status_t sbi_remote_fence_i(struct hart_mask harts)
{
    return rfence(RFENCE_FENCE_I, harts, (struct sbi_args){0}, COUNTER_fence_i_remote);
}

/* The range as the firmware wants it: everything is the largest size there is. */
static struct sbi_args fence_range(vaddr_t va, uint64_t bytes, uint16_t asid)
{
    return bytes == 0 ? (struct sbi_args){{0, UINT64_MAX, asid}}
                      : (struct sbi_args){{va.raw, bytes, asid}};
}

status_t sbi_remote_sfence(struct hart_mask harts, vaddr_t va, uint64_t bytes)
{
    return rfence(RFENCE_SFENCE, harts, fence_range(va, bytes, 0), COUNTER_tlb_flush_remote);
}

status_t sbi_remote_sfence_asid(struct hart_mask harts, vaddr_t va, uint64_t bytes, uint16_t asid)
{
    return rfence(RFENCE_SFENCE_ASID, harts, fence_range(va, bytes, asid),
                  COUNTER_tlb_flush_remote);
}

status_t sbi_hart_start(uint64_t hart_id, paddr_t entry, uint64_t opaque)
{
    struct sbi_args args = {{hart_id, entry.raw, opaque}};

    return sbi_status(ext_call(SBI_EXT_HSM, HSM_START, args).error);
}

status_t sbi_hart_get_state(uint64_t hart_id, enum sbi_hart_state *state)
{
    struct sbi_ret ret = ext_call(SBI_EXT_HSM, HSM_GET_STATUS, (struct sbi_args){{hart_id}});

    if (ret.error == 0) {
        *state = (enum sbi_hart_state)ret.value;
    }
    return sbi_status(ret.error);
}

status_t sbi_system_reset(enum sbi_reset reset, enum sbi_reset_reason reason)
{
    return sbi_status(ext_call(SBI_EXT_SRST, 0, (struct sbi_args){{reset, reason}}).error);
}

/* Firmware may take fewer bytes than it was given; how often it may take none is bounded. */
static void write_chunk(size_t len_bytes)
{
    uint64_t pa = image_to_phys(console_buffer).raw;
    size_t done = 0;

    for (unsigned tries = 0; done < len_bytes && tries < CONSOLE_TRIES_MAX; tries++) {
        struct sbi_ret ret =
            ext_call(SBI_EXT_DBCN, DBCN_WRITE, (struct sbi_args){{len_bytes - done, pa + done}});

        if (ret.error != 0 || ret.value > len_bytes - done) {
            return;
        }
        done += ret.value;
    }
}

void sbi_console_write(const char *bytes, size_t len_bytes)
{
    while (len_bytes > 0) {
        size_t chunk = len_bytes < CONSOLE_CHUNK_BYTES ? len_bytes : CONSOLE_CHUNK_BYTES;

        if (present[SBI_EXT_DBCN]) {
            memcpy(console_buffer, bytes, chunk);
            write_chunk(chunk);
        } else {
            for (size_t i = 0; i < chunk; i++) {
                (void)ext_call(SBI_EXT_LEGACY_PUTCHAR, 0,
                               (struct sbi_args){{(unsigned char)bytes[i]}});
            }
        }
        bytes += chunk;
        len_bytes -= chunk;
    }
}

int sbi_console_read(void)
{
    if (present[SBI_EXT_DBCN]) {
        struct sbi_args args = {{1, image_to_phys(console_buffer).raw}};
        struct sbi_ret ret = ext_call(SBI_EXT_DBCN, DBCN_READ, args);

        return ret.error == 0 && ret.value == 1 ? (unsigned char)console_buffer[0] : -1;
    }
    if (!present[SBI_EXT_LEGACY_GETCHAR]) {
        return -1;
    }
    return (int)sbi_call(EID_LEGACY_GETCHAR, 0, (struct sbi_args){0}).error;
}
