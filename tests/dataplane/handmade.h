/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_DATAPLANE_HANDMADE_H
#define WIRERX_TESTS_DATAPLANE_HANDMADE_H

/**
 * @file
 * mbufs from the heap, without DPDK's start: each segment's data has an allocation of exactly its
 * length, so that AddressSanitizer sees a single byte read too many.
 */

#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>

#include "rx_meta.h"

/** One segment; the private area follows the mbuf, as in a pool. */
static inline struct rte_mbuf *handmade_segment(const uint8_t *bytes, size_t length)
{
    struct rte_mbuf *mbuf = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof *mbuf + RX_META_PRIVATE_SIZE);

    if (mbuf == NULL)
        abort();
    memset(mbuf, 0, sizeof *mbuf + RX_META_PRIVATE_SIZE);
    mbuf->buf_addr = malloc(length); /* no headroom: what comes before is out of bounds, too */
    mbuf->buf_len = (uint16_t)length;
    mbuf->priv_size = RX_META_PRIVATE_SIZE;
    mbuf->data_len = (uint16_t)length;
    mbuf->nb_segs = 1;
    mbuf->pkt_len = (uint32_t)length;
    rte_mbuf_refcnt_set(mbuf, 1);
    if (length != 0)
        memcpy(mbuf->buf_addr, bytes, length);
    return mbuf;
}

/** One segment where the plain road expects a frame, in one allocation that ends with it. */
static inline struct rte_mbuf *handmade_plain(const uint8_t *bytes, size_t length)
{
    size_t size = RX_PLAIN_FRAME + length;
    void *start = NULL;

    if (posix_memalign(&start, RTE_CACHE_LINE_SIZE, size) != 0)
        abort();
    struct rte_mbuf *mbuf = start;
    memset(mbuf, 0, RX_PLAIN_FRAME);
    mbuf->buf_addr = (char *)mbuf + sizeof *mbuf + RX_META_PRIVATE_SIZE;
    mbuf->buf_len = (uint16_t)(RTE_PKTMBUF_HEADROOM + length);
    mbuf->data_off = RTE_PKTMBUF_HEADROOM;
    mbuf->priv_size = RX_META_PRIVATE_SIZE;
    mbuf->data_len = (uint16_t)length;
    mbuf->nb_segs = 1;
    mbuf->pkt_len = (uint32_t)length;
    rte_mbuf_refcnt_set(mbuf, 1);
    memcpy((char *)mbuf + RX_PLAIN_FRAME, bytes, length);
    return mbuf;
}

/** A chain: `lengths` of the first `count` segments, the rest of the frame in one more. */
static inline struct rte_mbuf *handmade_chain(const uint8_t *bytes, size_t length,
                                              const uint16_t *lengths, unsigned count)
{
    struct rte_mbuf *head = NULL, **link = &head;
    size_t done = 0;

    for (unsigned i = 0; i <= count; i++) {
        size_t part = i < count ? RTE_MIN(lengths[i], length - done) : length - done;

        if (part == 0 && i != 0 && i == count)
            break;
        *link = handmade_segment(bytes + done, part);
        link = &(*link)->next;
        head->nb_segs = (uint16_t)(i + 1);
        done += part;
    }
    head->pkt_len = (uint32_t)length;
    return head;
}

static inline void handmade_free(struct rte_mbuf *mbuf)
{
    while (mbuf != NULL) {
        struct rte_mbuf *next = mbuf->next;

        free(mbuf->buf_addr);
        free(mbuf);
        mbuf = next;
    }
}

#endif
