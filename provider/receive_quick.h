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

static inline void quick_prefetch(const struct endpoint *e, uint32_t head)
{
    if ((int32_t)(endpoint_known_tail(e) - head) > (int32_t)QUICK_AHEAD) {
        const char *payload = element_plain_payload(&e->ring[(head + QUICK_AHEAD) & e->mask]);

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

/* LOCK is held and is released, unless more is owed than that. */
static inline void quick_unlock(struct endpoint *e)
{
    uint64_t held = atomic_load_explicit(&e->word, memory_order_relaxed);

    if (unlikely((held & (LOCK_WORD_AGAIN | LOCK_WORD_WAITERS)) != 0 ||
                 !atomic_compare_exchange_strong_explicit(
                     &e->word, &held,
                     held >> LOCK_WORD_GENERATION_SHIFT << LOCK_WORD_GENERATION_SHIFT,
                     memory_order_release, memory_order_relaxed)))
        socket_unlock_owing(e);
    else if (unlikely(atomic_load_explicit(&e->sleepers, memory_order_relaxed) != 0))
        socket_pass_baton(e);
}

/** What came of receive_quick(). */
enum quick {
    QUICK_NO,     /**< nothing was done: take the whole road */
    QUICK_LOCKED, /**< the same, but LOCK is held, and the arguments have passed receive_check_call() */
    QUICK_EMPTY, /**< the call has failed with WSAEWOULDBLOCK */
    QUICK_DONE,  /**< the call has succeeded */
};

/** A thread without a lock word identity makes one on the whole road. */
static inline bool quick_is_possible(void)
{
    return lock_word_self_cached != 0 &&
           atomic_load_explicit(&quick_obstacles, memory_order_relaxed) == 0;
}

/**
 * Does a nonblocking receive of this socket find nothing? Without LOCK and without writing a line that
 * others read, because programs poll sockets: while nobody holds LOCK (who does may be about to leave
 * data), the answer was right when the tail was loaded, for `head` is never ahead of it.
 *
 * Says no when buffers have been collected and the last such receive found as little, so that LOCK is
 * taken and they go home: a socket that is polled in turn with others keeps its batch, one that has
 * fallen idle does not.
 */
static inline bool quick_is_empty(struct endpoint *e, uint64_t word)
{
    uint32_t head = atomic_load_explicit(&e->head, memory_order_relaxed);

    if (endpoint_known_tail(e) != head ||
        atomic_load_explicit(&e->tail, memory_order_acquire) != head ||
        !atomic_load_explicit(&e->plain_nonblocking, memory_order_relaxed) ||
        atomic_load_explicit(&e->state_and_posted, memory_order_relaxed) != ENDPOINT_ATTACHED ||
        atomic_load_explicit(&e->word, memory_order_relaxed) != word)
        return false;
    if (atomic_load_explicit(&e->return_count, memory_order_relaxed) == 0)
        return true;
    if (atomic_load_explicit(&e->empty_head, memory_order_relaxed) == head)
        return false;
    atomic_store_explicit(&e->empty_head, head, memory_order_relaxed);
    return true;
}

/**
 * The part of receive_quick() that needs the socket.
 * @param word  its lock word while nobody holds it
 */
static __rte_always_inline enum quick quick_take(struct endpoint *e, uint64_t word,
                                                 const WSABUF *buffers, LPDWORD received,
                                                 LPDWORD flags, struct sockaddr *from,
                                                 LPINT fromlen)
{
    uint64_t held = word | lock_word_self_cached | LOCK_WORD_LOCK, to;
    uint32_t room;

    if (unlikely(!atomic_compare_exchange_strong_explicit(
            &e->word, &word, held, memory_order_acquire, memory_order_relaxed)))
        return QUICK_NO; /* held, or no socket any more */

    uint32_t head = atomic_load_explicit(&e->head, memory_order_relaxed);
    if (unlikely(!endpoint_is_plain(e) ||
                 atomic_load_explicit(&e->state_and_posted, memory_order_relaxed) !=
                     ENDPOINT_ATTACHED))
        return QUICK_LOCKED;
    if (head == endpoint_known_tail(e) && endpoint_look_at_tail(e) == head) {
        if (!atomic_load_explicit(&e->plain_nonblocking, memory_order_relaxed))
            return QUICK_LOCKED;
        endpoint_flush_returns(e);
        quick_unlock(e);
        return QUICK_EMPTY;
    }
    const struct ring_element element = e->ring[head & e->mask];
    const struct rx_meta *meta = rx_meta_of_plain(element_mbuf(&element));
    if (unlikely(
            !element_is_plain(&element) || !guard_load64(guard_member(buffers, WSABUF, buf), &to) ||
            !guard_load32(guard_member(buffers, WSABUF, len), &room) || room < element.length ||
            !guard_copy_direct((void *)to, element_plain_payload(&element), element.length) ||
            !guard_put32(received, element.length) || !guard_put32(flags, 0)))
        return QUICK_LOCKED;
    if (from != NULL && unlikely(!quick_source(meta, from, fromlen)))
        return QUICK_LOCKED;
    receive_remember(&element, meta);
    quick_prefetch(e, head);
    endpoint_count(&e->received, 1);
    endpoint_consume_plain(e, &element, head);
    quick_unlock(e);
    return QUICK_DONE;
}

/** @param endpoint  receives the socket's, unless that is QUICK_NO */
static inline enum quick receive_quick(SOCKET s, const WSABUF *buffers, DWORD count,
                                       LPDWORD received, LPDWORD flags, struct sockaddr *from,
                                       LPINT fromlen, LPWSAOVERLAPPED overlapped, LPINT error,
                                       struct endpoint **endpoint)
{
    uint32_t flags_in, room;

    if (unlikely(overlapped != NULL || count != 1 || received == NULL || error == NULL ||
                 !quick_is_possible()))
        return QUICK_NO;
    struct endpoint *e = endpoint_at(socket_identity_slot(s));
    uint64_t generation = socket_identity_generation(s);
    uint64_t word = generation << LOCK_WORD_GENERATION_SHIFT;
    if (unlikely(e == NULL || !socket_generation_is_possible(generation) ||
                 !guard_load32(flags, &flags_in) || flags_in != 0))
        return QUICK_NO;
    if (from != NULL && (fromlen == NULL || !guard_load32(fromlen, &room) ||
                         (INT)room < (INT)sizeof(struct sockaddr_in)))
        return QUICK_NO;
    *endpoint = e;
    if (quick_is_empty(e, word))
        return QUICK_EMPTY;
    return quick_take(e, word, buffers, received, flags, from, fromlen);
}

#endif
