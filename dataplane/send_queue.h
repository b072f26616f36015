/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_SEND_QUEUE_H
#define WIRERX_SEND_QUEUE_H

/**
 * @file
 * What a socket has sent and its home lcore has not yet made frames of: a ring of bytes in DPDK memory,
 * one producer (whoever holds LOCK), one consumer (the home lcore). Clients never touch a mempool: the
 * lcore takes the buffers. A record is a struct send_record and the payload, without gaps.
 *
 * A socket that never sends has no ring; it gets one at its first send (dataplane_send_prepare()).
 *
 * How the lcore learns of it: `listed` says that the endpoint is on the lcore's list of senders, or in
 * its hands. Whoever turns it from false to true puts it there.
 *   producer   record, tail (release) | exchange(listed, true); it was false: push
 *   lcore      exchange(listed, false) | tail (acquire); there is more: exchange(listed, true); it was
 *              false: keep it
 * Both exchanges are on one word, so that one comes first. Is it the producer's, the lcore's exchange
 * reads what it wrote and the tail below is the new one; is it the lcore's, the producer finds false and
 * pushes. While `listed` is false the lcore reads nothing but the tail: so a producer that turns it to
 * true and finds the ring empty may replace the ring.
 *
 * How who waits for room learns of it: two more users of the pattern of lock_word.h.
 *   lcore      F4: head published            | fence |  load posted, load sleepers
 *   poster     F5: send posted (locked)      | fence |  load head
 *   sleeper    F6: sleepers incremented      | fence |  load head, then sleep on the wake sequence
 * A posted send is served as a posted receive is: by the lcore's one attempt at LOCK, or by the holder
 * it left AGAIN to. All sleepers are woken: who finds no room sleeps again.
 */

#include <rte_common.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct endpoint;

/** Largest payload of a datagram: 65,535 less the IPv4 header and UDP's. */
#define SEND_MAX_PAYLOAD 65507u

/** SO_SNDBUF when nothing else is set. */
#define SEND_LIMIT_DEFAULT 65536u

/** What becomes of a datagram that is longer than a packet may be on its way. */
enum send_cutting {
    SEND_CUT, /**< fragments that reach their destination whole, as far as is known (pmtu.h) */
    SEND_CUT_TO_LINK, /**< fragments that the link takes */
    SEND_UNCUT,       /**< it does not leave, and routers are told not to cut it either */
};

/** A datagram, or a part of a message, on its way to the lcore. Network order. */
struct send_record {
    uint32_t source;
    uint32_t destination;
    uint16_t source_port;
    uint16_t destination_port;
    uint16_t length; /**< bytes of payload, which follow */
    uint8_t kind;    /**< enum rx_kind, for those that receive it */
    uint8_t ttl;
    uint8_t tos;
    uint8_t via;     /**< the port that it leaves by, or would */
    uint8_t hop;     /**< enum route_hop: who takes it there */
    uint8_t cutting; /**< enum send_cutting */
};

/** Bytes that a datagram takes in the ring. */
static inline uint32_t send_record_bytes(uint32_t length)
{
    return (uint32_t)sizeof(struct send_record) + length;
}

struct send_queue {
    /* --- under LOCK; atomic is what others read -------------------------------------------- */
    /** Bytes put in, modulo 2^32. Stored with release after the record. */
    _Atomic uint32_t tail __rte_cache_aligned;
    /** Sends posted, and ENDPOINT_WATCHED; set before fence F5. 0: nobody waits to be served. */
    _Atomic uint32_t posted;
    /** Senders that sleep for room or are about to (incremented before fence F6, not under LOCK). */
    _Atomic uint32_t sleepers;
    uint32_t cached_head;
    uint32_t limit; /**< SO_SNDBUF: bytes, records included, unless the ring is empty */
    /* Constant while the lcore may look: see `listed`. */
    uint32_t capacity; /**< a power of two */
    uint8_t *bytes;    /**< NULL before the first send */

    /* --- the home lcore's ------------------------------------------------------------------- */
    /** Bytes taken out. Stored with release after the record was read. */
    _Atomic uint32_t head __rte_cache_aligned;
    /** Sleeping senders' futex: whoever wakes them increments it first. */
    _Atomic uint32_t wake_sequence;
    _Atomic uint64_t sent;  /**< datagrams taken out */
    uint32_t longest_uncut; /**< bytes of the longest packet that had SEND_UNCUT */
    struct endpoint *next;  /**< on the list of senders: whoever turned `listed` to true */

    _Atomic bool listed;
};

/** Copy into the ring, or out of it, at a position modulo 2^32, round its end. */
static inline void send_queue_write(struct send_queue *q, uint32_t at, const void *from,
                                    uint32_t length)
{
    uint32_t offset = at & (q->capacity - 1);
    uint32_t first = RTE_MIN(length, q->capacity - offset);

    memcpy(q->bytes + offset, from, first);
    memcpy(q->bytes, (const uint8_t *)from + first, length - first);
}

static inline void send_queue_read(const struct send_queue *q, uint32_t at, void *to,
                                   uint32_t length)
{
    uint32_t offset = at & (q->capacity - 1);
    uint32_t first = RTE_MIN(length, q->capacity - offset);

    memcpy(to, q->bytes + offset, first);
    memcpy((uint8_t *)to + first, q->bytes, length - first);
}

/** Bytes of the ring for a payload: two pieces where it goes round the end. */
struct send_room {
    uint8_t *at[2];
    uint32_t length[2];
};

/**
 * Is there room for a payload? Under LOCK, after dataplane_send_prepare(). As long as nothing is queued
 * there is room for any datagram, whatever SO_SNDBUF says.
 */
static inline bool send_queue_has_room(struct send_queue *q, uint32_t length)
{
    uint32_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);
    uint32_t wanted = send_record_bytes(length);
    uint32_t limit = RTE_MIN(q->limit, q->capacity);

    if (q->bytes == NULL)
        return false;
    for (int look = 0; look < 2; look++) {
        uint32_t used = tail - q->cached_head;

        if (used == 0 || (used <= limit && wanted <= limit - used))
            return true;
        /* Acquire: what is written there next comes after the lcore has read what was there. */
        q->cached_head = atomic_load_explicit(&q->head, memory_order_acquire);
    }
    return false;
}

/** Is there room worth telling of: half of it, or all there is? Under LOCK. */
static inline bool send_queue_is_writable(struct send_queue *q)
{
    uint32_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);

    q->cached_head = atomic_load_explicit(&q->head, memory_order_acquire);
    return tail - q->cached_head <= q->limit / 2;
}

/** Where the payload of the next record goes. Under LOCK, after send_queue_has_room(). */
static inline struct send_room send_queue_room(const struct send_queue *q, uint32_t length)
{
    uint32_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);
    uint32_t offset = (tail + (uint32_t)sizeof(struct send_record)) & (q->capacity - 1);
    uint32_t first = RTE_MIN(length, q->capacity - offset);

    return (struct send_room){{q->bytes + offset, q->bytes}, {first, length - first}};
}

#endif
