/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_RECEIVE_QUICK_H
#define WIRERX_RECEIVE_QUICK_H

/**
 * @file
 * The receive that is tuned: not overlapped, no flags, one buffer, a plain socket with nobody before
 * the call, and in front a whole datagram in one segment that fits. It does what receive_now() would
 * do, in one go and without touching the mbuf; everything else it leaves to receive_now().
 */

#include <rte_prefetch.h>

#include "guard_inline.h"
#include "quick_obstacles.h"
#include "receive.h"

/** How far ahead of the datagram that is taken others are fetched into the cache. */
#define QUICK_AHEAD 3u
_Static_assert(QUICK_AHEAD <= STORE_SLACK, "what is read behind the end of a ring");

/* Of those that have just been found the ones that quick_prefetch() comes too late for. The first one's
 * line of elements has most others, too, so they are all asked for in the time of one. */
static inline void quick_prefetch_first(const struct endpoint *e, uint32_t head)
{
    const struct ring_element *element = &e->ring[head & e->mask];
    uint32_t count = RTE_MIN(endpoint_known_tail(e) - head, QUICK_AHEAD);

    for (uint32_t i = 0; i < count; i++) {
        const char *payload = element_plain_payload(element + i);

        rte_prefetch0(payload);
        rte_prefetch0(payload + RTE_CACHE_LINE_SIZE);
    }
}

/* `element` is at `head`. Behind the end of the ring its store goes on (STORE_SLACK), and what is there is a
 * pointer like another, or none, to the processor. */
static inline void quick_prefetch(const struct endpoint *e, const struct ring_element *element,
                                  uint32_t head)
{
    if ((int32_t)(endpoint_known_tail(e) - head) > (int32_t)QUICK_AHEAD) {
        const char *payload = element_plain_payload(element + QUICK_AHEAD);

        rte_prefetch0(payload);
        rte_prefetch0(payload + RTE_CACHE_LINE_SIZE);
    }
}

/* The source, as scatter_source() writes it. */
static inline bool quick_source(const struct rx_meta *meta, struct sockaddr *from, LPINT fromlen)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = meta->source_port, .sin_addr.s_addr = meta->source};

    return guard_copy_direct(from, &address, sizeof address) &&
           guard_put32(fromlen, sizeof address);
}

/** What came of receive_quick(). */
enum quick {
    QUICK_NO,     /**< nothing was done: take the whole road */
    QUICK_LOCKED, /**< the same, but LOCK is held, and the arguments have passed receive_check_call() */
    QUICK_EMPTY,        /**< the call fails with WSAEWOULDBLOCK */
    QUICK_LOCKED_EMPTY, /**< the same, but LOCK is held: quick_unlock() */
    QUICK_DONE,         /**< the call has succeeded */
    QUICK_LOCKED_DONE,  /**< the same, but LOCK is held, as more is owed: quick_pay() */
    QUICK_BATON_DONE, /**< the same; LOCK is released, and a sleeper is owed a look: quick_pay() */
};

/* LOCK, which is held with this word, is released to the other one, unless more is owed than that. The
 * answers are told apart by the caller because a call in line would cost it registers. */
static inline enum quick quick_release(struct endpoint *e, uint64_t held, uint64_t word)
{
    if (unlikely(!atomic_compare_exchange_strong_explicit(
            &e->word, &held, word, memory_order_release, memory_order_relaxed)))
        return QUICK_LOCKED_DONE; /* AGAIN or WAITERS */
    if (unlikely(atomic_load_explicit(&e->sleepers, memory_order_relaxed) != 0))
        return QUICK_BATON_DONE;
    return QUICK_DONE;
}

/** The rest of QUICK_LOCKED_DONE and QUICK_BATON_DONE. */
static inline void quick_pay(struct endpoint *e, enum quick quick)
{
    if (quick == QUICK_LOCKED_DONE)
        socket_unlock_owing(e);
    else if (quick == QUICK_BATON_DONE)
        socket_pass_baton(e);
}

/** Release LOCK, whatever is owed. */
static inline void quick_unlock(struct endpoint *e)
{
    uint64_t held = atomic_load_explicit(&e->word, memory_order_relaxed) &
                    ~(uint64_t)(LOCK_WORD_AGAIN | LOCK_WORD_WAITERS);

    quick_pay(e, quick_release(e, held,
                               held >> LOCK_WORD_GENERATION_SHIFT << LOCK_WORD_GENERATION_SHIFT));
}

/** Who the calling thread is to a lock word; 0: the quick receive is not possible. A thread without an
 *  identity makes one on the whole road. */
static inline uint64_t quick_self(void)
{
    uint64_t self = lock_word_self_cached;

    if (unlikely(quick_is_obstructed()))
        return 0;
    return self;
}

/**
 * Does a nonblocking receive of this socket find nothing, where all that is known of has been consumed?
 * Without LOCK and without writing anything, because programs poll sockets: while nobody holds LOCK (who
 * does may be about to leave data), the answer was right when the tail was loaded, for `head` is never ahead
 * of it.
 */
static inline bool quick_is_empty(const struct endpoint *e, uint64_t word, uint32_t head)
{
    return atomic_load_explicit(&e->tail, memory_order_acquire) == head &&
           atomic_load_explicit(&e->plain_nonblocking, memory_order_relaxed) &&
           atomic_load_explicit(&e->readiness, memory_order_relaxed) == ENDPOINT_QUICK &&
           atomic_load_explicit(&e->word, memory_order_relaxed) == word;
}

/** A number that `head` cannot have any more. */
static inline uint32_t quick_nothing_seen(const struct endpoint *e)
{
    return atomic_load_explicit(&e->head, memory_order_relaxed) - 1;
}

/**
 * The part of receive_quick() that needs the socket.
 * @param word  its lock word while nobody holds it
 * @param self  quick_self()
 * @param seen  `head`, when there was known to be something behind it, or quick_nothing_seen()
 */
static __rte_always_inline enum quick quick_take(struct endpoint *e, uint64_t word, uint64_t self,
                                                 uint32_t seen, const WSABUF *buffers,
                                                 LPDWORD received, LPDWORD flags,
                                                 struct sockaddr *from, LPINT fromlen)
{
    uint64_t held = word | self | LOCK_WORD_LOCK, expected = word, to, room;

    if (unlikely(!atomic_compare_exchange_strong_explicit(
            &e->word, &expected, held, memory_order_acquire, memory_order_relaxed)))
        return QUICK_NO; /* held, or no socket any more */

    uint32_t head = atomic_load_explicit(&e->head, memory_order_relaxed);
    if (unlikely(atomic_load_explicit(&e->readiness, memory_order_relaxed) != ENDPOINT_QUICK))
        return QUICK_LOCKED;
    /* Nobody has consumed since, and what is known is never less: there still is something. */
    if (unlikely(head != seen) && head == endpoint_known_tail(e)) {
        if (unlikely(!endpoint_look_at_tail_here(e)))
            return QUICK_LOCKED;
        if (head == endpoint_known_tail(e))
            return atomic_load_explicit(&e->plain_nonblocking, memory_order_relaxed)
                       ? QUICK_LOCKED_EMPTY
                       : QUICK_LOCKED;
        quick_prefetch_first(e, head);
    }
    const struct ring_element *element = &e->ring[head & e->mask];
    uintptr_t frame = element->frame;
    uint64_t length = element->length;
    if (unlikely(
            (frame & ELEMENT_PLAIN) == 0 ||
            !guard_load64(guard_member(buffers, WSABUF, buf), &to) ||
            !guard_load32_wide(guard_member(buffers, WSABUF, len), &room) || room < length ||
            !guard_copy_direct_at((void *)to, (const void *)frame, FRAME_PLAIN_PAYLOAD, length) ||
            !guard_put32_wide(received, length) || !guard_put32(flags, 0)))
        return QUICK_LOCKED;
    if (from != NULL && unlikely(!quick_source(frame_plain_meta(frame), from, fromlen)))
        return QUICK_LOCKED;
    head = atomic_load_explicit(&e->head, memory_order_relaxed); /* again: it was not kept */
    receive_remember(element, frame_plain_meta(frame));
    quick_prefetch(e, element, head);
    endpoint_count(&e->received, 1);
    endpoint_consume_known(e, 1, length, head);
    return quick_release(e, held, word);
}

/** @param endpoint  receives the socket's, unless that is QUICK_NO */
static __rte_always_inline enum quick receive_quick(SOCKET s, const WSABUF *buffers, DWORD count,
                                                    LPDWORD received, LPDWORD flags,
                                                    struct sockaddr *from, LPINT fromlen,
                                                    LPINT error, struct endpoint **endpoint)
{
    uint32_t flags_in, room;
    uint64_t self = quick_self();

    if (unlikely(self == 0 || count != 1 || received == NULL || error == NULL))
        return QUICK_NO;
    struct endpoint *e = endpoint_at(socket_identity_slot(s));
    uint64_t word = socket_identity_word(s);
    if (unlikely(e == NULL || !socket_identity_is_possible(s) || !guard_load32(flags, &flags_in) ||
                 flags_in != 0))
        return QUICK_NO;
    if (from != NULL && (fromlen == NULL || !guard_load32(fromlen, &room) ||
                         (INT)room < (INT)sizeof(struct sockaddr_in)))
        return QUICK_NO;
    *endpoint = e;
    /* Acquire: with a head goes the tail that was known when it was reached, or a later one. */
    uint32_t seen = atomic_load_explicit(&e->head, memory_order_acquire);
    if (endpoint_known_tail(e) == seen) {
        if (quick_is_empty(e, word, seen))
            return QUICK_EMPTY;
        seen = quick_nothing_seen(e);
    }
    return quick_take(e, word, self, seen, buffers, received, flags, from, fromlen);
}

#endif
