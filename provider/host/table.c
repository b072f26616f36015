/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

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

void *table_take(struct table *table)
{
    struct table_entry *entry = NULL;

    pthread_mutex_lock(&table->lock);
    if (table->first_free) {
        entry = entry_at(table, table->first_free - 1);
        table->first_free = entry->next_free;
    } else {
        entry = first_use(table);
    }
    pthread_mutex_unlock(&table->lock);
    return entry;
}

void table_give(struct table *table, struct table_entry *entry)
{
    pthread_mutex_lock(&table->lock);
    entry->next_free = table->first_free;
    table->first_free = entry->slot + 1;
    pthread_mutex_unlock(&table->lock);
}

void table_for_each(struct table *table, void (*function)(struct table_entry *entry))
{
    for (uint32_t slot = 0; slot < table->used; slot++)
        function(entry_at(table, slot));
}
