/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_IGMP_TABLE_H
#define WIRERX_IGMP_TABLE_H

/**
 * @file
 * The groups that igmp.c knows of, with their sources and one timer each, in memory of a fixed size: found by
 * address, in turn, or by what is due first. Indices stand for pointers; IGMP_NONE is none.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source_filter.h"

#define IGMP_NONE UINT32_MAX
/** Sources that one group can have: those listed, and those that were and are still to be told of. */
#define IGMP_GROUP_SOURCES (3u * SOURCE_FILTER_SOURCES)

struct igmp_source_state {
    uint32_t address;
    uint32_t next;
    bool listed;  /**< by the interface's filter */
    bool asked;   /**< by a query that is not answered yet */
    uint8_t left; /**< state-change reports that are still to tell of it */
};

/** A list of groups, by their `before` and `after`. */
struct igmp_queue {
    uint32_t first, last;
};

struct igmp_group {
    uint32_t address;
    uint32_t next;    /**< in its bucket, or the next unused one */
    uint32_t sources; /**< the first */
    uint16_t sources_count;
    uint16_t listed_count;
    bool used;
    bool exclude;             /**< the filter's mode */
    bool answer_all;          /**< the timer is for an answer about the whole group */
    bool last_reporter;       /**< version 2: nobody has reported it since we have */
    uint8_t mode_left;        /**< state-change reports that are still to tell of the mode */
    uint8_t repeats;          /**< versions 1 and 2: unasked reports still to come */
    uint32_t heap_at;         /**< IGMP_NONE: no timer runs */
    uint64_t due;             /**< of the timer */
    struct igmp_queue *queue; /**< that it is in; NULL */
    uint32_t before, after;
};

struct igmp_table {
    struct igmp_group *groups;
    struct igmp_source_state *sources;
    uint32_t *buckets;
    uint32_t *heap; /**< indices of groups whose timer runs, the first due in front */
    uint32_t groups_room, groups_used, groups_ever; /**< indices below `groups_ever` were used */
    uint32_t sources_room, sources_used;
    uint32_t heap_count;
    uint32_t bucket_mask;
    uint32_t free_group, free_source;
};

/** Bytes of memory that a table needs. */
size_t igmp_table_bytes(uint32_t groups, uint32_t sources);
void igmp_table_create(struct igmp_table *table, void *memory, uint32_t groups, uint32_t sources);

/** @return NULL: it is not there */
struct igmp_group *igmp_find(struct igmp_table *table, uint32_t address);
/** One that is not there yet. @return NULL: there is no room */
struct igmp_group *igmp_add(struct igmp_table *table, uint32_t address);
/** Take it out of everything, with all of its sources. */
void igmp_remove(struct igmp_table *table, struct igmp_group *group);

/** Is the interface a member? */
static inline bool igmp_is_member(const struct igmp_group *group)
{
    return group->exclude || group->listed_count != 0;
}

/* --- sources -------------------------------------------------------------------------------------- */

/** A group's source; made, with all false, when `make` says so. @return NULL: not there, or no room */
struct igmp_source_state *igmp_source_of(struct igmp_table *table, struct igmp_group *group,
                                         uint32_t address, bool make);
/** Give back those that are neither listed, nor asked for, nor to be told of. */
void igmp_tidy_sources(struct igmp_table *table, struct igmp_group *group);

/* --- timers and queues ------------------------------------------------------------------------------ */

void igmp_timer_set(struct igmp_table *table, struct igmp_group *group, uint64_t due);
void igmp_timer_stop(struct igmp_table *table, struct igmp_group *group);

static inline bool igmp_timer_runs(const struct igmp_group *group)
{
    return group->heap_at != IGMP_NONE;
}

/** The group whose timer is due first; NULL. */
struct igmp_group *igmp_timer_first(struct igmp_table *table);

/** At the end of a queue, and in no other. */
void igmp_enqueue(struct igmp_table *table, struct igmp_queue *queue, struct igmp_group *group);
void igmp_dequeue(struct igmp_table *table, struct igmp_group *group);

/** Nothing of a group is to be told unasked any more. */
void igmp_forget_changes(struct igmp_table *table, struct igmp_group *group);

/** Nothing of a group is asked for any more. */
void igmp_forget_asked(struct igmp_table *table, struct igmp_group *group);

#endif
