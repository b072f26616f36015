/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_IGMP_STATE_H
#define WIRERX_IGMP_STATE_H

/**
 * @file
 * What igmp.c, which hears and is told what is wanted, and igmp_tell.c, which says it, share. Nobody else
 * includes it.
 */

#include "igmp.h"
#include "igmp_table.h"

struct igmp {
    struct igmp_settings settings;
    uint32_t addresses[IGMP_ADDRESSES];
    struct igmp_table table;
    struct igmp_counts counts;
    uint64_t random;
    enum igmp_version version;
    uint8_t robustness;
    uint32_t query_interval;
    uint64_t v1_until, v2_until; /**< a querier of that version is taken to be there; 0: none was */

    struct igmp_queue changed; /**< groups whose change is to be told */
    uint64_t changed_due;
    uint64_t told_at;         /**< when changes were last told */
    struct igmp_queue repeat; /**< groups whose change is to be told again */
    uint64_t repeat_due;

    uint64_t general_due;  /**< version 3: an answer to a general query */
    uint32_t answer_from;  /**< ... which goes on with this group; IGMP_NONE: none is being given */
    uint32_t spread_from;  /**< the older ones: which group is given its delay next; IGMP_NONE */
    uint64_t spread_ticks; /**< ... of at most so much */

    struct igmp_report report; /**< records that are gathered in `packet` */
    unsigned packets;          /**< sent in this run */
    uint8_t packet[IGMP_MOST_BYTES];
};

#define IGMP_NEVER UINT64_MAX

static inline uint64_t igmp_ticks(const struct igmp *igmp, uint64_t tenths)
{
    return tenths * igmp->settings.ticks_per_second / 10;
}

/** The earlier of two moments. */
static inline uint64_t igmp_earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/** A moment in the next `most` ticks, each as likely as any other; from now on. */
uint64_t igmp_some_delay(struct igmp *igmp, uint64_t most);

/** Begin a report, in which records are gathered. */
void igmp_tell_begin(struct igmp *igmp);

/** Say what is due, at most IGMP_PACKETS_PER_RUN packets of it. */
void igmp_tell_run(struct igmp *igmp, uint64_t now);

/** Say that all groups are left, and remove them. */
void igmp_tell_leaves(struct igmp *igmp);

#endif
