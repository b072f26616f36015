/* SPDX-License-Identifier: BSD-3-Clause */
#include "pmtu.h"

#include <rte_common.h>
#include <rte_jhash.h>
#include <string.h>

static uint64_t estimate_of(uint32_t destination, uint32_t length)
{
    return (uint64_t)length << 32 | destination;
}

static uint32_t set_of(const struct pmtu *pmtu, uint32_t destination)
{
    return rte_jhash_1word(destination, pmtu->seed) % PMTU_SETS;
}

/* The first one below. RFC 1191, 7.1. @return 0: there is none */
static uint32_t plateau_below(uint32_t length)
{
    static const uint16_t plateaus[] = {32000, 17914, 8166, 4352, 2002,
                                        1492,  1006,  508,  296,  PMTU_LEAST};

    for (unsigned i = 0; i < RTE_DIM(plateaus); i++)
        if (plateaus[i] < length)
            return plateaus[i];
    return 0;
}

void pmtu_begin(struct pmtu *pmtu, uint64_t hz, uint32_t seed)
{
    memset(pmtu, 0, sizeof *pmtu);
    pmtu->hz = hz;
    pmtu->seed = seed;
    pmtu->due = UINT64_MAX;
}

uint32_t pmtu_find(const struct pmtu *pmtu, uint32_t destination)
{
    const struct pmtu_set *set = &pmtu->sets[set_of(pmtu, destination)];

    for (unsigned i = 0; i < PMTU_WAYS; i++) {
        /* Relaxed: it says all that it says in one word. */
        uint64_t estimate = atomic_load_explicit(&set->estimates[i], memory_order_relaxed);

        if ((uint32_t)estimate == destination && estimate != 0)
            return (uint32_t)(estimate >> 32);
    }
    return PMTU_UNKNOWN;
}

/* The host's own, a free one, or the one that would be the next to be forgotten. */
static unsigned place_in(const struct pmtu_set *set, uint32_t destination)
{
    unsigned place = 0;

    for (unsigned i = 0; i < PMTU_WAYS; i++) {
        uint64_t estimate = atomic_load_explicit(&set->estimates[i], memory_order_relaxed);

        if (estimate != 0 && (uint32_t)estimate == destination)
            return i;
        if (set->due[i] < set->due[place]) /* of a free one it is 0 */
            place = i;
    }
    return place;
}

enum pmtu_result pmtu_lower(struct pmtu *pmtu, uint32_t destination, uint32_t told, uint32_t length,
                            uint64_t now)
{
    pmtu_run(pmtu, now);
    uint32_t known = pmtu_find(pmtu, destination);
    struct pmtu_set *set = &pmtu->sets[set_of(pmtu, destination)];

    if (told == 0) {
        if (length > known)
            return PMTU_KNOWN; /* it was sent before there was the estimate */
        told = plateau_below(length);
    }
    if (destination == 0 || told < PMTU_LEAST || told >= length)
        return PMTU_REFUSED;
    if (told >= known)
        return PMTU_KNOWN;
    unsigned place = place_in(set, destination);
    set->due[place] = now + PMTU_SECONDS * pmtu->hz;
    pmtu->due = RTE_MIN(pmtu->due, set->due[place]);
    atomic_store_explicit(&set->estimates[place], estimate_of(destination, told),
                          memory_order_relaxed);
    return PMTU_LOWERED;
}

void pmtu_run(struct pmtu *pmtu, uint64_t now)
{
    uint64_t due = UINT64_MAX;

    if (now < pmtu->due)
        return;
    for (unsigned s = 0; s < PMTU_SETS; s++)
        for (unsigned i = 0; i < PMTU_WAYS; i++) {
            struct pmtu_set *set = &pmtu->sets[s];

            if (set->due[i] == 0)
                continue;
            if (set->due[i] <= now) {
                set->due[i] = 0;
                atomic_store_explicit(&set->estimates[i], 0, memory_order_relaxed);
            } else {
                due = RTE_MIN(due, set->due[i]);
            }
        }
    pmtu->due = due;
}
