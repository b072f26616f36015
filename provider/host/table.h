/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_HOST_TABLE_H
#define WIRERX_HOST_TABLE_H

/**
 * @file
 * Handles, and the tables of slots behind them. A handle is a kind, a generation and a slot:
 *
 *     63   56 55 54 53        22 21    2 1  0
 *     +------+-----+------------+-------+----+
 *     | kind |  0  | generation | slot  | 0  |
 *     +------+-----+------------+-------+----+
 *
 * The kind makes it an address that no pointer can have; the two low bits are ignored, as Windows
 * ignores them. A slot's generation is odd while it is in use and even while it is free, and every
 * use has another one, so that a value from anywhere is found to be stale or foreign. The one
 * atomic word of an entry that holds the generation belongs to the entry's owner, and every change
 * of an entry is a compare-and-swap on that word: see event.h and apc.h.
 *
 * Memory of a table is never given back: an entry may be looked at whatever became of its handle.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "../../dataplane/dataplane.h"

#define TABLE_MAX_CHUNKS 512u

/** First byte of a handle: what it is a handle of. */
enum handle_kind {
    HANDLE_EVENT = 0xe1,
    HANDLE_THREAD = 0x7a,
};

/** The first member of every entry. */
struct table_entry {
    uint32_t slot;
    _Atomic uint32_t next_free; /**< slot + 1, 0 at the end */
};

struct table {
    enum handle_kind kind;
    size_t entry_size;
    uint32_t chunk_shift; /**< a chunk has 1 << chunk_shift entries; TABLE_MAX_CHUNKS bound them */
    struct owner_mutex
        lock;      /**< for slots' first use: never for finding, giving or taking one again */
    uint32_t used; /**< slots that were ever taken */
    _Atomic uint64_t first_free; /**< tag : 32, slot + 1 : 32; a stack */
    _Atomic(char *) chunks[TABLE_MAX_CHUNKS];
};

#define TABLE_INITIALIZER(kind_, type, shift)                               \
    {                                                                       \
        .kind = (kind_), .entry_size = sizeof(type), .chunk_shift = (shift) \
    }

/**
 * A free slot's entry, in the state in which it was given back, or all zero the first time. The
 * caller raises its generation. @return NULL: no memory, or all slots are taken; or this is a signal
 * handler that has interrupted the first use of a slot
 */
void *table_take(struct table *table);

/** Give a slot back. The caller has raised its generation, so that nobody finds it any more. No lock. */
void table_give(struct table *table, struct table_entry *entry);

/** Handlers for pthread_atfork(): the child has all of the table. */
void table_before_fork(struct table *table);
void table_after_fork_in_parent(struct table *table);
void table_after_fork_in_child(struct table *table);

/**
 * Call a function for every entry that was ever taken. Without the lock, which another thread may have
 * had: for the child of a fork, where there is no other thread.
 */
void table_for_each(struct table *table, void (*function)(struct table_entry *entry));

/** The handle of an entry of this generation. */
static inline void *table_handle(const struct table *table, const struct table_entry *entry,
                                 uint32_t generation)
{
    return (void *)((uintptr_t)table->kind << 56 | (uintptr_t)generation << 22 |
                    (uintptr_t)entry->slot << 2);
}

/** The entry of a slot, used or free. No lock. @return NULL: neither it nor any after it was taken */
static inline void *table_at(struct table *table, uint32_t slot)
{
    char *entries =
        slot >> table->chunk_shift < TABLE_MAX_CHUNKS
            ? atomic_load_explicit(&table->chunks[slot >> table->chunk_shift], memory_order_acquire)
            : NULL;

    return entries ? entries + (slot & ((1u << table->chunk_shift) - 1)) * table->entry_size : NULL;
}

/**
 * The entry that a handle means or meant. No lock, any thread, any value.
 *
 * @param generation  receives the handle's; the caller compares it with the entry's
 * @return NULL: it was never a handle of this table
 */
static inline void *table_find(struct table *table, const void *handle, uint32_t *generation)
{
    uintptr_t value = (uintptr_t)handle;

    *generation = (uint32_t)(value >> 22);
    if (value >> 56 != (uintptr_t)table->kind || (value >> 54 & 3) || (*generation & 1) == 0)
        return NULL;
    return table_at(table, (uint32_t)(value >> 2) & 0xfffffu);
}

#endif
