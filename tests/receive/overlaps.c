/* SPDX-License-Identifier: BSD-3-Clause */
#include "overlaps.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

#define FIELD_BITS 7u
#define FIELD_MASK 127u
_Static_assert(OVERLAP_KINDS *FIELD_BITS <= 64, "one word holds the counts of all kinds");

static const char *const names[OVERLAP_KINDS] = {
    "arrive", "post", "close", "cancel", "exit", "stop", "shutdown", "wait", "result",
};

static _Atomic uint64_t under_way[OVERLAP_SOCKETS];
static _Atomic uint64_t counts[OVERLAP_KINDS][OVERLAP_KINDS]; /* [smaller][larger] */
static _Atomic uint64_t begun[OVERLAP_KINDS];

static _Atomic uint64_t *count_of(unsigned a, unsigned b)
{
    return a < b ? &counts[a][b] : &counts[b][a];
}

void overlap_begin(unsigned socket, enum overlap_kind kind)
{
    uint64_t before = atomic_fetch_add_explicit(&under_way[socket], 1ull << kind * FIELD_BITS,
                                                memory_order_relaxed);

    atomic_fetch_add_explicit(&begun[kind], 1, memory_order_relaxed);
    for (unsigned other = 0; before != 0; other++, before >>= FIELD_BITS)
        if (before & FIELD_MASK)
            atomic_fetch_add_explicit(count_of(kind, other), 1, memory_order_relaxed);
}

void overlap_end(unsigned socket, enum overlap_kind kind)
{
    atomic_fetch_sub_explicit(&under_way[socket], 1ull << kind * FIELD_BITS, memory_order_relaxed);
}

uint64_t overlap_count(enum overlap_kind a, enum overlap_kind b)
{
    return atomic_load_explicit(count_of(a, b), memory_order_relaxed);
}

uint64_t overlap_begun(enum overlap_kind kind)
{
    return atomic_load_explicit(&begun[kind], memory_order_relaxed);
}

bool overlap_possible(enum overlap_kind a, enum overlap_kind b)
{
    return a != OVERLAP_ARRIVE || b != OVERLAP_ARRIVE;
}

void overlap_print(void)
{
    fprintf(stderr, "overlaps  ");
    for (unsigned k = 0; k < OVERLAP_KINDS; k++)
        fprintf(stderr, "%10s", names[k]);
    fprintf(stderr, "%10s\n", "begun");
    for (unsigned k = 0; k < OVERLAP_KINDS; k++) {
        fprintf(stderr, "%-10s", names[k]);
        for (unsigned other = 0; other < OVERLAP_KINDS; other++)
            if (other > k)
                fprintf(stderr, "%10s", "");
            else if (overlap_possible(k, other))
                fprintf(stderr, "%10" PRIu64, overlap_count(k, other));
            else
                fprintf(stderr, "%10s", "one lcore");
        fprintf(stderr, "%10" PRIu64 "\n", overlap_begun(k));
    }
}
