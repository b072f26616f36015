/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_WAY_HOME_H
#define WIRERX_WAY_HOME_H

/**
 * @file
 * How buffers come home to the pool, from the sockets' rings and from the clients that they were lent to.
 *
 *   H1 The consumer stores `head` (release) after it has read the elements before it and their buffers. The
 *      home lcore loads it (acquire) and then has them for itself: it drops the reference of each.
 *   H2 Who lends takes another reference on each segment and counts it in `lent`, before it stores the head
 *      behind them. Who gives back drops that reference before it counts it out of `lent` (release). The
 *      lcore loads `lent` (acquire) after `head`: if it is 0, no buffer before that head is with anybody, and
 *      plain ones go into the pool unread; else it looks at the reference count of each.
 *   H3 Whoever drops the last reference owes the buffer to the pool. If that is the client, it pushes the
 *      buffer on `came_back` (release), which the lcore takes as a whole (acquire).
 *
 * A look costs the lcore the line that the consumer writes for every datagram, and the consumer to get it
 * back; so it comes after so many datagrams, of a full ring, and now and then of who has become idle. What
 * has been consumed and not been looked at is bounded, because it is out of the pool and falls out of the
 * caches: by LOOK_TOTAL for all sockets of an lcore.
 *
 * tests/model/growth.pml has H1 to H3 in Promela: each of these orders taken away is caught there.
 */

#include "endpoint.h"

struct lcore;

/** Datagrams of one socket between two looks, at most. */
#define LOOK_AFTER_MOST 64u

/** ... and of all sockets of an lcore, as far as each can have one. */
#define LOOK_TOTAL 2048u

/** How many datagrams a socket is given between two looks, where there are so many sockets. */
static inline uint32_t look_after(uint32_t sockets)
{
    return sockets <= LOOK_TOTAL / LOOK_AFTER_MOST ? LOOK_AFTER_MOST
                                                   : RTE_MAX(1u, LOOK_TOTAL / sockets);
}

/**
 * Put into the pool what the endpoint's consumer has no use for any more. On the home lcore, or where that
 * runs no more.
 * @param after  datagrams until it is time for the next look: look_after()
 * @return how many datagrams the consumer has consumed since the last look, and buffers that came back
 */
uint32_t way_home_look(struct endpoint *e, uint32_t after);

/** Is it time for a look? */
static inline bool way_home_is_due(const struct endpoint *e)
{
    return (int32_t)(endpoint_staged(e) - e->lcore.look_at) >= 0;
}

/** Can a look find anything at all? */
static inline bool way_home_may_have(const struct endpoint *e)
{
    return endpoint_staged(e) != e->lcore.cached_head ||
           atomic_load_explicit(&e->came_back, memory_order_relaxed) != NULL;
}

#endif
