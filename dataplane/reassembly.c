/* SPDX-License-Identifier: BSD-3-Clause */
#include "reassembly.h"

#include <rte_common.h>
#include <rte_jhash.h>
#include <string.h>

#define NONE UINT16_MAX
#define MAX_TOTAL_LENGTH UINT16_MAX
#define UNKNOWN_END UINT32_MAX

/* A fragment that is held. */
struct held {
    void *packet;
    uint16_t offset, length;
    uint16_t buffers;
    uint16_t next; /* of its datagram, by offset; or of the free ones */
};

/* Every datagram is in one list: of those that are in use, the oldest in front, or of the free ones. */
struct datagram {
    struct reassembly_key key;
    uint64_t due;
    uint32_t end;    /* of the whole; UNKNOWN_END: the last fragment has not come */
    uint32_t bytes;  /* that are there */
    uint16_t header; /* the first fragment's; 0: it has not come */
    uint16_t first;  /* held, lowest offset in front */
    uint16_t last;   /* held, highest offset */
    uint16_t count;  /* of them */
    uint16_t hash_next;
    uint16_t older, newer;
    uint16_t bucket;
    uint8_t refused; /* a reassembly_result for all that comes; 0: it is in order */
};

struct reassembly {
    struct reassembly_settings settings;
    unsigned buckets; /* a power of two */
    unsigned datagrams_count, buffers_count;
    uint16_t oldest, newest;
    uint16_t free_datagram, free_held;
    uint16_t *heads;
    struct datagram *datagrams;
    struct held *held;
};

_Static_assert(REASSEMBLY_HELD == 0, "which no datagram is refused with");

/* --- hash and lists ----------------------------------------------------------------------------- */

static bool same_key(const struct reassembly_key *a, const struct reassembly_key *b)
{
    return a->source == b->source && a->destination == b->destination &&
           a->identification == b->identification && a->protocol == b->protocol &&
           a->port == b->port;
}

static uint16_t bucket_of(const struct reassembly *table, const struct reassembly_key *key)
{
    uint32_t rest =
        (uint32_t)key->identification << 16 | (uint32_t)key->protocol << 8 | (uint32_t)key->port;

    return (uint16_t)(rte_jhash_3words(key->source, key->destination, rest, table->settings.seed) &
                      (table->buckets - 1));
}

static struct datagram *find(struct reassembly *table, const struct reassembly_key *key,
                             uint16_t bucket)
{
    for (uint16_t i = table->heads[bucket]; i != NONE; i = table->datagrams[i].hash_next)
        if (same_key(&table->datagrams[i].key, key))
            return &table->datagrams[i];
    return NULL;
}

static void unlink_hash(struct reassembly *table, uint16_t index)
{
    uint16_t *link = &table->heads[table->datagrams[index].bucket];

    while (*link != index)
        link = &table->datagrams[*link].hash_next;
    *link = table->datagrams[index].hash_next;
}

static void unlink_age(struct reassembly *table, uint16_t index)
{
    const struct datagram *d = &table->datagrams[index];

    if (d->older == NONE)
        table->oldest = d->newer;
    else
        table->datagrams[d->older].newer = d->newer;
    if (d->newer == NONE)
        table->newest = d->older;
    else
        table->datagrams[d->newer].older = d->older;
}

/* --- what is held ------------------------------------------------------------------------------- */

static void *release_held(struct reassembly *table, uint16_t index)
{
    struct held *held = &table->held[index];

    table->buffers_count -= held->buffers;
    held->next = table->free_held;
    table->free_held = index;
    return held->packet;
}

static void lose_held(struct reassembly *table, struct datagram *d, enum reassembly_loss loss)
{
    uint16_t next = d->first;

    d->first = d->last = NONE;
    d->count = 0;
    while (next != NONE) {
        uint16_t index = next;

        next = table->held[index].next;
        table->settings.lost(table->settings.context, release_held(table, index), loss);
    }
}

/* --- datagrams ---------------------------------------------------------------------------------- */

/* It holds nothing any more. */
static void forget(struct reassembly *table, struct datagram *d)
{
    uint16_t index = (uint16_t)(d - table->datagrams);

    unlink_hash(table, index);
    unlink_age(table, index);
    d->hash_next = table->free_datagram;
    table->free_datagram = index;
    table->datagrams_count--;
}

static void lose_oldest(struct reassembly *table, enum reassembly_loss loss)
{
    struct datagram *d = &table->datagrams[table->oldest];

    lose_held(table, d, loss);
    forget(table, d);
}

static struct datagram *begin(struct reassembly *table, const struct reassembly_key *key,
                              uint16_t bucket, uint64_t now)
{
    if (table->free_datagram == NONE)
        lose_oldest(table, REASSEMBLY_LOST_FULL);
    uint16_t index = table->free_datagram;
    struct datagram *d = &table->datagrams[index];

    table->free_datagram = d->hash_next;
    *d = (struct datagram){
        .key = *key,
        .due = now + table->settings.hz * REASSEMBLY_SECONDS,
        .end = UNKNOWN_END,
        .first = NONE,
        .last = NONE,
        .hash_next = table->heads[bucket],
        .older = table->newest,
        .newer = NONE,
        .bucket = bucket,
    };
    table->heads[bucket] = index;
    if (table->newest == NONE)
        table->oldest = index;
    else
        table->datagrams[table->newest].newer = index;
    table->newest = index;
    table->datagrams_count++;
    return d;
}

/* From now on nothing of it is taken. */
static enum reassembly_result refuse(struct reassembly *table, struct datagram *d,
                                     enum reassembly_result result, enum reassembly_loss loss)
{
    lose_held(table, d, loss);
    d->refused = (uint8_t)result;
    return result;
}

/* --- a fragment --------------------------------------------------------------------------------- */

static uint32_t end_of(const struct reassembly_fragment *fragment)
{
    return (uint32_t)fragment->offset + fragment->length;
}

/* By itself, without a look at others. */
static bool is_possible(const struct reassembly_fragment *fragment)
{
    if (fragment->length == 0 || fragment->offset % 8 != 0)
        return false;
    if (fragment->more ? fragment->length % 8 != 0 : fragment->offset == 0)
        return false;
    return fragment->header + end_of(fragment) <= MAX_TOTAL_LENGTH;
}

/* The last one that is held in front of this offset or at it; NONE: all are behind it. */
static uint16_t find_before(const struct reassembly *table, const struct datagram *d,
                            uint16_t offset)
{
    uint16_t before = NONE;

    if (d->last != NONE && table->held[d->last].offset <= offset)
        return d->last; /* as they mostly come */
    for (uint16_t i = d->first; i != NONE && table->held[i].offset <= offset;
         i = table->held[i].next)
        before = i;
    return before;
}

/* @return REASSEMBLY_HELD: it agrees with those that are held, and its place is free */
static enum reassembly_result compare(const struct reassembly *table, const struct datagram *d,
                                      const struct reassembly_fragment *fragment, uint16_t before)
{
    uint16_t behind = before == NONE ? d->first : table->held[before].next;
    uint32_t end = end_of(fragment);

    if (before != NONE) {
        const struct held *held = &table->held[before];
        uint32_t held_end = (uint32_t)held->offset + held->length;

        if (held->offset == fragment->offset && held_end == end &&
            (d->end == end) == !fragment->more)
            return REASSEMBLY_DUPLICATE;
        if (held_end > fragment->offset)
            return REASSEMBLY_OVERLAP;
    }
    if (behind != NONE && (end > table->held[behind].offset || !fragment->more))
        return REASSEMBLY_OVERLAP;
    if (d->end != UNKNOWN_END && (!fragment->more || end > d->end))
        return REASSEMBLY_OVERLAP;
    return REASSEMBLY_HELD;
}

static void hold(struct reassembly *table, struct datagram *d,
                 const struct reassembly_fragment *fragment, uint16_t before)
{
    uint16_t index = table->free_held;
    struct held *held = &table->held[index];
    uint16_t *link = before == NONE ? &d->first : &table->held[before].next;

    table->free_held = held->next;
    *held = (struct held){.packet = fragment->packet,
                          .offset = fragment->offset,
                          .length = fragment->length,
                          .buffers = fragment->buffers,
                          .next = *link};
    *link = index;
    if (held->next == NONE)
        d->last = index;
    d->count++;
    d->bytes += fragment->length;
    if (fragment->offset == 0)
        d->header = fragment->header;
    if (!fragment->more)
        d->end = end_of(fragment);
    table->buffers_count += fragment->buffers;
}

/* Make room among the buffers, at the cost of the oldest. @return false: it is the one that needs it */
static bool make_room(struct reassembly *table, const struct datagram *d, uint16_t buffers)
{
    while (table->buffers_count + buffers > table->settings.buffers) {
        if (&table->datagrams[table->oldest] == d)
            return false;
        lose_oldest(table, REASSEMBLY_LOST_FULL);
    }
    return true;
}

static unsigned give_out(struct reassembly *table, struct datagram *d,
                         struct reassembly_part *parts)
{
    unsigned count = 0;

    for (uint16_t next = d->first; next != NONE;) {
        uint16_t index = next;

        next = table->held[index].next;
        parts[count].length = table->held[index].length;
        parts[count++].packet = release_held(table, index);
    }
    forget(table, d);
    return count;
}

enum reassembly_result reassembly_take(struct reassembly *table,
                                       const struct reassembly_fragment *fragment, uint64_t now,
                                       struct reassembly_part *parts, unsigned *count)
{
    uint16_t bucket = bucket_of(table, &fragment->key);

    reassembly_run(table, now);
    if (!is_possible(fragment))
        return REASSEMBLY_MALFORMED;
    if (fragment->buffers == 0 || fragment->buffers > table->settings.buffers)
        return REASSEMBLY_FULL;
    struct datagram *d = find(table, &fragment->key, bucket);
    if (d == NULL)
        d = begin(table, &fragment->key, bucket, now);
    if (d->refused != 0)
        return (enum reassembly_result)d->refused;

    uint16_t before = find_before(table, d, fragment->offset);
    enum reassembly_result result = compare(table, d, fragment, before);
    if (result == REASSEMBLY_OVERLAP)
        return refuse(table, d, result, REASSEMBLY_LOST_OVERLAP);
    if (result != REASSEMBLY_HELD)
        return result;
    if (d->count == REASSEMBLY_PARTS || !make_room(table, d, fragment->buffers))
        return refuse(table, d, REASSEMBLY_FULL, REASSEMBLY_LOST_FULL);
    hold(table, d, fragment, before);
    if (d->bytes != d->end)
        return REASSEMBLY_HELD;
    if (d->header + d->end > MAX_TOTAL_LENGTH) { /* the first has options that the last has not */
        lose_held(table, d, REASSEMBLY_LOST_OVERLAP);
        forget(table, d);
        return REASSEMBLY_HELD;
    }
    *count = give_out(table, d, parts);
    return REASSEMBLY_COMPLETE;
}

/* --- time, beginning and end ---------------------------------------------------------------------- */

uint64_t reassembly_due(const struct reassembly *table)
{
    return table->oldest == NONE ? UINT64_MAX : table->datagrams[table->oldest].due;
}

void reassembly_run(struct reassembly *table, uint64_t now)
{
    while (reassembly_due(table) <= now)
        lose_oldest(table, REASSEMBLY_LOST_TIMEOUT);
}

void reassembly_discard(struct reassembly *table)
{
    while (table->oldest != NONE)
        lose_oldest(table, REASSEMBLY_LOST_STOPPED);
}

unsigned reassembly_buffers(const struct reassembly *table)
{
    return table->buffers_count;
}

unsigned reassembly_datagrams(const struct reassembly *table)
{
    return table->datagrams_count;
}

static unsigned buckets_for(unsigned datagrams)
{
    return rte_align32pow2(datagrams * 2);
}

size_t reassembly_size(const struct reassembly_settings *settings)
{
    return sizeof(struct reassembly) + settings->datagrams * sizeof(struct datagram) +
           settings->buffers * sizeof(struct held) +
           buckets_for(settings->datagrams) * sizeof(uint16_t);
}

struct reassembly *reassembly_create(void *memory, const struct reassembly_settings *settings)
{
    struct reassembly *table = memory;

    *table = (struct reassembly){
        .settings = *settings,
        .buckets = buckets_for(settings->datagrams),
        .oldest = NONE,
        .newest = NONE,
        .datagrams = (struct datagram *)(table + 1),
    };
    table->held = (struct held *)(table->datagrams + settings->datagrams);
    table->heads = (uint16_t *)(table->held + settings->buffers);
    memset(table->heads, 0xff, table->buckets * sizeof(uint16_t));
    for (unsigned i = 0; i < settings->datagrams; i++)
        table->datagrams[i].hash_next = (uint16_t)(i + 1);
    table->datagrams[settings->datagrams - 1].hash_next = NONE;
    for (unsigned i = 0; i < settings->buffers; i++)
        table->held[i].next = (uint16_t)(i + 1);
    table->held[settings->buffers - 1].next = NONE;
    return table;
}
