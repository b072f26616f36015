/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CACHE_LINE 64

static char *new_chunk(const struct table *table)
{
    size_t size = table->entry_size << table->chunk_shift;
    char *entries = aligned_alloc(CACHE_LINE, size);

    if (entries)
        memset(entries, 0, size);
    return entries;
}

static struct table_entry *entry_at(struct table *table, uint32_t slot)
{
    char *entries =
        atomic_load_explicit(&table->chunks[slot >> table->chunk_shift], memory_order_relaxed);

    return (void *)(entries + (slot & ((1u << table->chunk_shift) - 1)) * table->entry_size);
}

static struct table_entry *first_use(struct table *table)
{
    uint32_t slot = table->used;
    uint32_t chunk = slot >> table->chunk_shift;

    if (chunk >= TABLE_MAX_CHUNKS)
        return NULL;
    if (!atomic_load_explicit(&table->chunks[chunk], memory_order_relaxed)) {
        char *entries = new_chunk(table);

        if (!entries)
            return NULL;
        /* Zeroes before the pointer: table_find() reads entries without the lock. */
        atomic_store_explicit(&table->chunks[chunk], entries, memory_order_release);
    }
    table->used++;
    struct table_entry *entry = entry_at(table, slot);

    entry->slot = slot;
    return entry;
}

static bool change(struct table *table, uint64_t *seen, uint32_t first)
{
    uint64_t tag =
        (*seen >> 32) + 1; /* who has read an entry that was taken meanwhile tries again */

    return atomic_compare_exchange_weak_explicit(&table->first_free, seen, tag << 32 | first,
                                                 memory_order_acq_rel, memory_order_acquire);
}

static struct table_entry *take_free(struct table *table)
{
    uint64_t seen = atomic_load_explicit(&table->first_free, memory_order_acquire);
    struct table_entry *entry;

    do {
        if ((uint32_t)seen == 0)
            return NULL;
        entry = entry_at(table, (uint32_t)seen - 1);
    } while (!change(table, &seen, atomic_load_explicit(&entry->next_free, memory_order_relaxed)));
    return entry;
}

void *table_take(struct table *table)
{
    struct table_entry *entry = take_free(table);

    if (entry || owner_mutex_lock(&table->lock) != 0)
        return entry;
    entry = first_use(table);
    owner_mutex_unlock(&table->lock);
    return entry;
}

void table_give(struct table *table, struct table_entry *entry)
{
    uint64_t seen = atomic_load_explicit(&table->first_free, memory_order_relaxed);

    do
        atomic_store_explicit(&entry->next_free, (uint32_t)seen, memory_order_relaxed);
    while (!change(table, &seen, entry->slot + 1));
}

void table_before_fork(struct table *table)
{
    owner_mutex_before_fork(&table->lock);
}

void table_after_fork_in_parent(struct table *table)
{
    owner_mutex_after_fork_in_parent(&table->lock);
}

void table_after_fork_in_child(struct table *table)
{
    owner_mutex_after_fork_in_child(&table->lock);
}

void table_for_each(struct table *table, void (*function)(struct table_entry *entry))
{
    for (uint32_t slot = 0; slot < table->used; slot++)
        function(entry_at(table, slot));
}
