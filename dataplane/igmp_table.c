/* SPDX-License-Identifier: BSD-3-Clause */
#include "igmp_table.h"

static uint32_t buckets_of(uint32_t groups)
{
    uint32_t buckets = 1;

    while (buckets < groups)
        buckets *= 2;
    return buckets;
}

size_t igmp_table_bytes(uint32_t groups, uint32_t sources)
{
    return groups * sizeof(struct igmp_group) + sources * sizeof(struct igmp_source_state) +
           groups * sizeof(uint32_t) + buckets_of(groups) * sizeof(uint32_t);
}

void igmp_table_create(struct igmp_table *table, void *memory, uint32_t groups, uint32_t sources)
{
    uint32_t buckets = buckets_of(groups);

    *table = (struct igmp_table){
        .groups_room = groups,
        .sources_room = sources,
        .bucket_mask = buckets - 1,
        .free_group = IGMP_NONE,
        .free_source = IGMP_NONE,
    };
    table->groups = memory;
    table->sources = (struct igmp_source_state *)(table->groups + groups);
    table->heap = (uint32_t *)(table->sources + sources);
    table->buckets = table->heap + groups;
    for (uint32_t i = 0; i < buckets; i++)
        table->buckets[i] = IGMP_NONE;
    for (uint32_t i = sources; i-- != 0;) {
        table->sources[i].next = table->free_source;
        table->free_source = i;
    }
    for (uint32_t i = groups; i-- != 0;) {
        table->groups[i].used = false;
        table->groups[i].next = table->free_group;
        table->free_group = i;
    }
}

static uint32_t index_of(const struct igmp_table *table, const struct igmp_group *group)
{
    return (uint32_t)(group - table->groups);
}

/* Our own groups are in it, which no stranger chooses: there is nothing to defend against. */
static uint32_t *bucket_of(struct igmp_table *table, uint32_t address)
{
    return &table->buckets[(address * 0x9e3779b1u >> 16 ^ address * 0x9e3779b1u) &
                           table->bucket_mask];
}

struct igmp_group *igmp_find(struct igmp_table *table, uint32_t address)
{
    for (uint32_t i = *bucket_of(table, address); i != IGMP_NONE; i = table->groups[i].next)
        if (table->groups[i].address == address)
            return &table->groups[i];
    return NULL;
}

struct igmp_group *igmp_add(struct igmp_table *table, uint32_t address)
{
    uint32_t *bucket = bucket_of(table, address);
    uint32_t at = table->free_group;

    if (at == IGMP_NONE)
        return NULL;
    struct igmp_group *group = &table->groups[at];
    table->free_group = group->next;
    *group = (struct igmp_group){
        .address = address,
        .next = *bucket,
        .sources = IGMP_NONE,
        .used = true,
        .heap_at = IGMP_NONE,
        .before = IGMP_NONE,
        .after = IGMP_NONE,
    };
    *bucket = at;
    table->groups_used++;
    if (at >= table->groups_ever)
        table->groups_ever = at + 1;
    return group;
}

void igmp_remove(struct igmp_table *table, struct igmp_group *group)
{
    uint32_t at = index_of(table, group);
    uint32_t *link = bucket_of(table, group->address);

    igmp_timer_stop(table, group);
    igmp_dequeue(table, group);
    for (uint32_t i = group->sources; i != IGMP_NONE; i = table->sources[i].next) {
        table->sources[i].listed = table->sources[i].asked = false;
        table->sources[i].left = 0;
    }
    igmp_tidy_sources(table, group);
    while (*link != at)
        link = &table->groups[*link].next;
    *link = group->next;
    group->used = false;
    group->next = table->free_group;
    table->free_group = at;
    table->groups_used--;
}

/* --- sources -------------------------------------------------------------------------------------- */

struct igmp_source_state *igmp_source_of(struct igmp_table *table, struct igmp_group *group,
                                         uint32_t address, bool make)
{
    for (uint32_t i = group->sources; i != IGMP_NONE; i = table->sources[i].next)
        if (table->sources[i].address == address)
            return &table->sources[i];
    uint32_t at = table->free_source;
    if (!make || at == IGMP_NONE || group->sources_count == IGMP_GROUP_SOURCES)
        return NULL;
    struct igmp_source_state *source = &table->sources[at];
    table->free_source = source->next;
    *source = (struct igmp_source_state){.address = address, .next = group->sources};
    group->sources = at;
    group->sources_count++;
    table->sources_used++;
    return source;
}

void igmp_tidy_sources(struct igmp_table *table, struct igmp_group *group)
{
    uint32_t *link = &group->sources;

    while (*link != IGMP_NONE) {
        uint32_t at = *link;
        struct igmp_source_state *source = &table->sources[at];

        if (source->listed || source->asked || source->left != 0) {
            link = &source->next;
            continue;
        }
        *link = source->next;
        source->next = table->free_source;
        table->free_source = at;
        group->sources_count--;
        table->sources_used--;
    }
}

/* --- timers --------------------------------------------------------------------------------------- */

static void put(struct igmp_table *table, uint32_t at, uint32_t group)
{
    table->heap[at] = group;
    table->groups[group].heap_at = at;
}

static uint64_t due_at(const struct igmp_table *table, uint32_t at)
{
    return table->groups[table->heap[at]].due;
}

/* Put a group where it belongs, from a place that is free. */
static void settle(struct igmp_table *table, uint32_t at, uint32_t group)
{
    uint64_t due = table->groups[group].due;

    while (at != 0 && due < due_at(table, (at - 1) / 2)) {
        put(table, at, table->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (uint32_t child; (child = 2 * at + 1) < table->heap_count; at = child) {
        if (child + 1 < table->heap_count && due_at(table, child + 1) < due_at(table, child))
            child++;
        if (due <= due_at(table, child))
            break;
        put(table, at, table->heap[child]);
    }
    put(table, at, group);
}

void igmp_timer_set(struct igmp_table *table, struct igmp_group *group, uint64_t due)
{
    uint32_t at = group->heap_at;

    if (at == IGMP_NONE)
        at = table->heap_count++;
    group->due = due;
    settle(table, at, index_of(table, group));
}

void igmp_timer_stop(struct igmp_table *table, struct igmp_group *group)
{
    uint32_t at = group->heap_at;

    if (at == IGMP_NONE)
        return;
    group->heap_at = IGMP_NONE;
    uint32_t last = table->heap[--table->heap_count];
    if (at != table->heap_count)
        settle(table, at, last);
}

struct igmp_group *igmp_timer_first(struct igmp_table *table)
{
    return table->heap_count != 0 ? &table->groups[table->heap[0]] : NULL;
}

/* --- queues --------------------------------------------------------------------------------------- */

void igmp_dequeue(struct igmp_table *table, struct igmp_group *group)
{
    struct igmp_queue *queue = group->queue;

    if (queue == NULL)
        return;
    if (group->before != IGMP_NONE)
        table->groups[group->before].after = group->after;
    else
        queue->first = group->after;
    if (group->after != IGMP_NONE)
        table->groups[group->after].before = group->before;
    else
        queue->last = group->before;
    group->queue = NULL;
}

void igmp_enqueue(struct igmp_table *table, struct igmp_queue *queue, struct igmp_group *group)
{
    igmp_dequeue(table, group);
    group->queue = queue;
    group->before = queue->last;
    group->after = IGMP_NONE;
    if (queue->last != IGMP_NONE)
        table->groups[queue->last].after = index_of(table, group);
    else
        queue->first = index_of(table, group);
    queue->last = index_of(table, group);
}

void igmp_forget_changes(struct igmp_table *table, struct igmp_group *group)
{
    struct igmp_source_state *all = table->sources;

    group->mode_left = 0;
    for (uint32_t i = group->sources; i != IGMP_NONE; i = all[i].next)
        all[i].left = 0;
    igmp_tidy_sources(table, group);
}

void igmp_forget_asked(struct igmp_table *table, struct igmp_group *group)
{
    struct igmp_source_state *all = table->sources;

    group->answer_all = false;
    for (uint32_t i = group->sources; i != IGMP_NONE; i = all[i].next)
        all[i].asked = false;
    igmp_tidy_sources(table, group);
}
