/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_SOCKET_RING_H
#define WIRERX_SOCKET_RING_H

#include <stdint.h>

struct rte_mbuf;

/**
 * One datagram in a socket's ring. What all receivers share is in the mbuf's private area; this is
 * what only this socket knows.
 */
struct ring_element {
    struct rte_mbuf *mbuf;
    uint32_t length; /**< payload bytes */
    uint32_t drops;  /**< datagrams this socket had lost when this one was put in, modulo 2^32 */
};

_Static_assert(sizeof(struct ring_element) == 16, "four to a cache line");

#endif
