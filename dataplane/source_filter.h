/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_SOURCE_FILTER_H
#define WIRERX_SOURCE_FILTER_H

/**
 * @file
 * Whose datagrams to a group are wanted (RFC 3376, 2 and 3): those of the listed sources only, or those of
 * all others. Of a socket, and of an interface, which wants what any of its sockets wants.
 *
 * Pure functions: no allocation, any thread. Addresses are in network order; lists are sorted by their
 * numbers as they lie in memory, which nobody need know.
 */

#include <stdbool.h>
#include <stdint.h>

/** Sources in one filter. */
#define SOURCE_FILTER_SOURCES 64u

struct source_filter {
    bool exclude; /**< all but the listed ones; false: only those */
    uint16_t count;
    uint32_t sources[SOURCE_FILTER_SOURCES]; /**< the first `count`, sorted, none twice */
};

/** Nobody's: the filter of a socket that is not in the group. */
#define SOURCE_FILTER_NONE ((struct source_filter){.exclude = false})
/** Anybody's: that of one which has joined without naming sources. */
#define SOURCE_FILTER_ANY ((struct source_filter){.exclude = true})

static inline bool source_filter_is_none(const struct source_filter *filter)
{
    return !filter->exclude && filter->count == 0;
}

static inline bool source_filter_is_any(const struct source_filter *filter)
{
    return filter->exclude && filter->count == 0;
}

/** Is a source in the list? */
bool source_filter_lists(const struct source_filter *filter, uint32_t source);

/** Is what this source sends wanted? */
static inline bool source_filter_accepts(const struct source_filter *filter, uint32_t source)
{
    return source_filter_lists(filter, source) == !filter->exclude;
}

/** Put a source in the list. @return 0; -EADDRINUSE it is there already; -ENOBUFS the list is full */
int source_filter_add(struct source_filter *filter, uint32_t source);

/** Take one out. @return 0; -EADDRNOTAVAIL it is not there */
int source_filter_remove(struct source_filter *filter, uint32_t source);

bool source_filter_equal(const struct source_filter *a, const struct source_filter *b);

/**
 * Let a filter accept what another one accepts, too (RFC 3376, 3.2). Merging the filters of all sockets into
 * SOURCE_FILTER_NONE, in any order, gives the interface's. When the list would be too long it accepts
 * everything: each socket has its own filter still.
 */
void source_filter_merge(struct source_filter *into, const struct source_filter *with);

/** Kinds of group records, as on the wire (RFC 3376, 4.2.12). */
enum source_record_type {
    RECORD_IS_IN = 1,
    RECORD_IS_EX,
    RECORD_TO_IN,
    RECORD_TO_EX,
    RECORD_ALLOW,
    RECORD_BLOCK,
};

struct source_record {
    enum source_record_type type;
    uint16_t count;
    uint32_t sources[SOURCE_FILTER_SOURCES];
};

/**
 * What to tell routers when an interface's filter for a group has changed (RFC 3376, 5.1).
 * @return how many records there are: 0 nothing has changed; 1; 2
 */
unsigned source_filter_difference(const struct source_filter *before,
                                  const struct source_filter *after,
                                  struct source_record records[2]);

#endif
