/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_ENDPOINT_LEND_H
#define WIRERX_ENDPOINT_LEND_H

/**
 * @file
 * Datagrams of an endpoint that its consumer keeps for a while, and their way home (way_home.h, H2 and H3).
 * All of it under LOCK.
 */

#include "endpoint.h"

/**
 * Take the first `count` datagrams, which are there, and keep their buffers: their places in the ring and
 * their bytes are free, and the buffers go on counting as held by the endpoint, so that what the pool allows
 * it covers them too. Under LOCK.
 * @param buffers  segments of them all
 */
void endpoint_lend_many(struct endpoint *e, uint32_t count, uint32_t buffers);

/** Buffers that come back from whom they were lent to, of one or more datagrams. Under LOCK. */
struct endpoint_returns {
    struct rte_mbuf *first; /**< of those that have no reference left; NULL: none */
    struct rte_mbuf *last;
    uint32_t buffers; /**< segments of all */
};

/** Add a frame, the `frame` of its element, that endpoint_lend_many() has kept. */
void endpoint_returns_add(struct endpoint_returns *returns, uintptr_t frame);

/** Give them back. Under LOCK. */
void endpoint_returns_end(struct endpoint *e, struct endpoint_returns *returns);

#endif
