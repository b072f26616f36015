/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_ENDPOINT_H
#define WIRERX_ENDPOINT_H

/**
 * @file
 * An endpoint: what a socket's home lcore and its clients share. One producer (the home lcore), one
 * consumer at a time (whoever holds the lock word). Lives in DPDK memory, is never unmapped, and
 * holds no pointer into libc memory or code.
 *
 * Fields are grouped by who writes them and how often; each group has cache lines of its own. A line that
 * one processor has written costs the other one some fifty nanoseconds, and with many sockets no line is
 * still there from the last time, so they are few:
 *   lcore line     written by the home lcore once per burst
 *   asked line     what the lcore asks after every burst, after fence F1. Clients write it when something
 *                  changes that it has to know, not for every datagram
 *   client line    all that a receive reads and writes; touched only under LOCK, and now and then read by
 *                  the lcore
 *   consumer part  the rest of what is touched only under LOCK
 *   lcore part     touched only by the home lcore; its first line is all that a datagram needs
 *   send queue     the other direction: send_queue.h
 *
 * Way home: clients never touch a mempool (a preempted rte_ring producer stalls every other one), nor
 * a reference count. The ring is the way home too: what the consumer has moved `head` past is the home
 * lcore's again, which drops the reference of each, and puts those back into the pool that have none left
 * (way_home.c); of plain elements it knows that without reading the buffer. What is lent has another
 * reference, and goes home by a stack of its own (H1 to H3 there).
 *
 * The ring is in a store (socket_store.h), small at first, a larger one while it is needed.
 */

#include <rte_mbuf.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lock_word.h"
#include "rx_meta.h"
#include "send_queue.h"
#include "single_writer.h"
#include "socket_ring.h"
#include "socket_store.h"

struct lcore;

/**
 * In `posted`: beside posted receives something else waits for data, so that the lcore must serve
 * the endpoint after every burst (a selection of network events, a select()).
 */
#define ENDPOINT_WATCHED 0x80000000u

/** Why receives of an endpoint fail, beside having no data. */
enum endpoint_state {
    ENDPOINT_CLOSED,   /**< the slot is free */
    ENDPOINT_UNBOUND,  /**< open; no lcore knows it */
    ENDPOINT_ATTACHED, /**< open; its home lcore delivers */
    ENDPOINT_NET_DOWN, /**< open; the dataplane has stopped under it */
};

/** In `readiness`: ENDPOINT_ATTACHED, `plain`, nothing posted. */
#define ENDPOINT_QUICK ((uint64_t)1 << 16 | ENDPOINT_ATTACHED)

struct endpoint {
    /* --- client line: under LOCK ---------------------------------------------------------- */
    /** The lock word. Here, so that its address is the endpoint's. */
    _Atomic uint64_t word __rte_cache_aligned;
    /** Elements consumed. Stored with release after the element and its buffer were read (H1). */
    _Atomic uint32_t head;
    _Atomic uint32_t cached_tail; /**< `tail` when last looked at; atomic as plain_nonblocking */
    /** Payload bytes consumed. */
    _Atomic uint64_t bytes_consumed;
    struct ring_element *ring;
    _Atomic uint64_t received;
    struct socket_store *from; /**< where `ring` is */
    uint32_t mask;
    /** Buffers (mbuf segments) that are lent. Stored before the `head` behind them, and with release after
     *  the references of those that came back were dropped (H2). */
    _Atomic uint32_t lent;
    /** `plain`, and a receive that finds nothing ends at once; atomic because quick_is_empty() asks without
     *  LOCK. */
    _Atomic bool plain_nonblocking;

    /* --- lcore line ----------------------------------------------------------------------- */
    /** Elements published. Stored with release after the elements. */
    _Atomic uint32_t tail __rte_cache_aligned;
    /** Sleeping receivers' futex: whoever wakes one increments it first. */
    _Atomic uint32_t wake_sequence;
    /** The service thread has been asked to serve it and has not begun to. */
    _Atomic bool serve_queued;
    /** Where the lcore puts elements. Stored with release before the tail behind them (G1). */
    _Atomic(struct socket_store *) store;

    /* --- asked line ------------------------------------------------------------------------- */
    /* Not the union's first member: aligned, that would fill the line by itself. */
    RTE_MARKER asked_line __rte_cache_aligned;
    union {
        struct {
            /** enum endpoint_state; written under LOCK by clients and by stop. */
            _Atomic uint16_t state;
            /** The provider's: 1: a receive needs nothing but the datagram in front
             *  (receive_settle_plain()). Under LOCK. */
            _Atomic uint16_t plain;
            /** Receives posted, and ENDPOINT_WATCHED; set under LOCK before fence F2. 0: nothing to
             *  serve. */
            _Atomic uint32_t posted;
        };
        /** All three in one look: ENDPOINT_QUICK when it is attached and plain and nothing is posted. */
        _Atomic uint64_t readiness;
    };
    /** Receivers that sleep or are about to (incremented before fence F3). */
    _Atomic uint32_t sleepers;
    /** Buffers that were lent and have no reference left, a stack linked by their `next` (H3). */
    _Atomic(struct rte_mbuf *) came_back;

    /* --- consumer part: under LOCK ---------------------------------------------------------- */
    _Atomic uint64_t truncated __rte_cache_aligned;
    _Atomic uint64_t faulted;
    _Atomic uint64_t conditions;     /**< ends and errors that a receive has reported */
    _Atomic uint64_t peer_filtered;  /**< queued before WSPConnect and not the peer's (I05) */
    _Atomic uint64_t shut_discarded; /**< queued when nobody may receive it any more (I16) */

    /* --- lcore part ------------------------------------------------------------------------- */
    struct {
        struct ring_element *ring;
        _Atomic uint64_t delivered;       /**< elements put in, published or not */
        _Atomic uint64_t delivered_bytes; /**< their payload */
        uint32_t mask;
        uint32_t cached_head;
        uint32_t drops;
        uint32_t buffers;       /**< segments put in, modulo 2^32 */
        uint32_t buffers_known; /**< how many of them are not the socket's any more */
        uint16_t peer_port;     /**< only what comes from there is put in; 0: from anywhere */
        bool touched;
        bool ready;
        uint64_t bytes_known; /**< payload up to cached_head */
        uint32_t look_at;     /**< what is put in when it is time to look at `head` */
        /** SO_RCVBUF; written by clients, hardly ever. Ends the first line. */
        _Atomic uint32_t bytes_limit;
        uint32_t peer_address; /**< network order, as its port */
        bool attached;
        _Atomic uint64_t lost_ring_full;
        _Atomic uint64_t lost_pool_share;
        _Atomic uint64_t not_from_peer;
        uint32_t refreshed;  /**< the pass in which `head` was last read because of a full ring */
        uint32_t lent_known; /**< `lent` when last read */
        struct endpoint *ready_next;
        struct endpoint *homed_next; /**< all endpoints of the lcore, a ring */
        struct endpoint *homed_previous;
        struct socket_store *left; /**< stores that were outgrown, the consumer may be there */
        uint64_t busy_at; /**< time-stamp counter when it was last seen to need its store */
        bool grown;       /**< not in its own store */
    } lcore __rte_cache_aligned;

    /* --- set at open and bind, constant while others look ----------------------------------- */
    uint32_t slot __rte_cache_aligned;
    uint32_t slots; /**< what the ring may grow to */
    struct socket_store *own;
    _Atomic uint32_t home; /**< index of the home lcore */
    /** Conditions that shall not be told, a bit for each enum rx_kind (L11). */
    _Atomic uint32_t ignored_conditions;
    /** IP_MULTICAST_LOOP is off: what this stack sends to a group does not come here. */
    _Atomic bool refuses_looped_groups;

    struct send_queue send;
} __rte_cache_aligned;

_Static_assert(offsetof(struct endpoint, lcore.bytes_limit) - offsetof(struct endpoint, lcore) ==
                   60,
               "one line for what every datagram needs");
_Static_assert(offsetof(struct endpoint, plain_nonblocking) - offsetof(struct endpoint, word) < 64,
               "one line for what every receive needs");

/** Does it want to be told of this condition? Any thread. */
static inline bool endpoint_wants_condition(const struct endpoint *e, enum rx_kind kind)
{
    return (atomic_load_explicit(&e->ignored_conditions, memory_order_relaxed) >> kind & 1) == 0;
}

/** Is `plain` set? Under LOCK it decides. */
static inline bool endpoint_is_plain(const struct endpoint *e)
{
    return atomic_load_explicit(&e->plain, memory_order_relaxed) != 0;
}

/** Elements queued as the consumer sees them now. Any thread; exact under LOCK. */
static inline uint32_t endpoint_queued(const struct endpoint *e)
{
    return atomic_load_explicit(&e->tail, memory_order_acquire) -
           atomic_load_explicit(&e->head, memory_order_relaxed);
}

/** The tail as it was when the consumer last looked at it. Exact under LOCK. */
static inline uint32_t endpoint_known_tail(const struct endpoint *e)
{
    return atomic_load_explicit(&e->cached_tail, memory_order_relaxed);
}

/** Go on in another store. Under LOCK. */
__attribute__((cold)) void endpoint_move(struct endpoint *e, struct socket_store *store);

/** Look at the tail, which the lcore writes, and then at the store that what is before it lies in (G2).
 *  Under LOCK. */
static inline uint32_t endpoint_look_at_tail(struct endpoint *e)
{
    uint32_t tail = atomic_load_explicit(&e->tail, memory_order_acquire);

    struct socket_store *store = atomic_load_explicit(&e->store, memory_order_acquire);

    atomic_store_explicit(&e->cached_tail, tail, memory_order_relaxed);
    if (unlikely(store != e->from))
        endpoint_move(e, store);
    return tail;
}

/** endpoint_look_at_tail(), where the store is still the same. @return false: it is another one, and
 *  nothing was looked at */
static inline bool endpoint_look_at_tail_here(struct endpoint *e)
{
    uint32_t tail = atomic_load_explicit(&e->tail, memory_order_acquire);

    if (unlikely(atomic_load_explicit(&e->store, memory_order_acquire) != e->from))
        return false;
    atomic_store_explicit(&e->cached_tail, tail, memory_order_relaxed);
    return true;
}

/** The oldest datagram, or NULL. Under LOCK. Valid until endpoint_consume(). */
static inline const struct ring_element *endpoint_front(struct endpoint *e)
{
    uint32_t head = atomic_load_explicit(&e->head, memory_order_relaxed);

    if (head == endpoint_known_tail(e) && head == endpoint_look_at_tail(e))
        return NULL;
    return &e->ring[head & e->mask];
}

/** The element behind `index` others, or NULL. Under LOCK. Valid until one is consumed. */
static inline const struct ring_element *endpoint_peek(struct endpoint *e, uint32_t index)
{
    uint32_t head = atomic_load_explicit(&e->head, memory_order_relaxed);

    if (index >= endpoint_known_tail(e) - head && index >= endpoint_look_at_tail(e) - head)
        return NULL;
    return &e->ring[(head + index) & e->mask];
}

/** Drop a reference on a segment. @return true: it was the last one, and it may go into its pool */
static inline bool endpoint_drop_reference(struct rte_mbuf *segment)
{
    /* Acquire: what others who had a reference have read of the frame was read before it is used again.
     * rte_pktmbuf_prefree_seg() alone looks at a count of one with a relaxed load. */
    if (__atomic_load_n(&segment->refcnt, __ATOMIC_ACQUIRE) != 1) {
        if (__atomic_sub_fetch(&segment->refcnt, 1, __ATOMIC_ACQ_REL) != 0)
            return false;
        rte_mbuf_refcnt_set(segment, 1);
    }
    return rte_pktmbuf_prefree_seg(segment) != NULL;
}

/** Remove the `count` oldest datagrams, of `bytes` in all; `head` is the endpoint's. Neither they nor their
 *  buffers may be looked at any more. Under LOCK. */
static inline void endpoint_consume_known(struct endpoint *e, uint32_t count, uint64_t bytes,
                                          uint32_t head)
{
    single_writer_add64(&e->bytes_consumed, bytes);
    /* Release: the lcore may use elements and buffers for others once it sees the new head (H1). */
    atomic_store_explicit(&e->head, head + count, memory_order_release);
}

/** Remove the oldest datagram. Under LOCK, after endpoint_front() gave it. */
static inline void endpoint_consume(struct endpoint *e, const struct ring_element *element)
{
    endpoint_consume_known(e, 1, element->length,
                           atomic_load_explicit(&e->head, memory_order_relaxed));
}

/** Remove the oldest datagram, which the caller knows to be there. Under LOCK. */
static inline void endpoint_consume_front(struct endpoint *e)
{
    endpoint_consume(e, &e->ring[atomic_load_explicit(&e->head, memory_order_relaxed) & e->mask]);
}

/** Under LOCK or on the lcore: count more; single writer at a time, many readers. */
static inline void endpoint_count(_Atomic uint64_t *counter, uint64_t n)
{
    single_writer_add64(counter, n);
}

/** Elements put in, published or not, modulo 2^32. On the home lcore. */
static inline uint32_t endpoint_staged(const struct endpoint *e)
{
    return (uint32_t)atomic_load_explicit(&e->lcore.delivered, memory_order_relaxed);
}

/** Wake one sleeping receiver if there is one. Any thread, also an lcore. */
void endpoint_wake_one(struct endpoint *e);

/** Senders that wait may have become free to go on, though no room was made: change the wake sequence, and
 *  wake those that sleep already. Under LOCK. */
void endpoint_senders_may_look(struct endpoint *e);

/** Wake all senders that sleep for room, and those that are about to. Any thread, also an lcore. */
void endpoint_wake_senders(struct endpoint *e);

/** Wake all receivers (close, stop, error). Any thread. */
void endpoint_wake_all(struct endpoint *e);

#endif
