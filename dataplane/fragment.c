/* SPDX-License-Identifier: BSD-3-Clause */
#include "fragment.h"

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <string.h>

#define HEADER ((uint32_t)sizeof(struct rte_ipv4_hdr))

_Static_assert(FRAGMENT_MOST == (UINT16_MAX - 20 + 47) / 48, "each has 48 bytes, but the last");

/* The bytes of the payload from `offset` on behind the packet's own headers. */
static struct rte_mbuf *cut_one(struct rte_mempool *pool, const struct rte_mbuf *whole, uint32_t at,
                                uint32_t offset, uint32_t length, bool last)
{
    uint32_t headers = at + HEADER;
    struct rte_mbuf *piece = rte_pktmbuf_copy(whole, pool, headers + offset, length);
    struct rte_ipv4_hdr ip;

    if (piece == NULL)
        return NULL;
    /* The headroom is more than any headers are. */
    char *front = rte_pktmbuf_prepend(piece, (uint16_t)headers);
    memcpy(front, rte_pktmbuf_mtod(whole, const char *), headers);
    memcpy(&ip, front + at, sizeof ip);
    ip.total_length = rte_cpu_to_be_16((uint16_t)(HEADER + length));
    ip.fragment_offset = rte_cpu_to_be_16(
        (uint16_t)(offset / RTE_IPV4_HDR_OFFSET_UNITS | (last ? 0 : RTE_IPV4_HDR_MF_FLAG)));
    ip.hdr_checksum = 0;
    ip.hdr_checksum = rte_ipv4_cksum(&ip);
    memcpy(front + at, &ip, sizeof ip);
    piece->ol_flags = 0;
    return piece;
}

unsigned fragment_cut(struct rte_mempool *pool, const struct rte_mbuf *whole, uint32_t at,
                      uint32_t limit, struct rte_mbuf **fragments)
{
    const struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(whole, const struct rte_ipv4_hdr *, at);
    uint32_t left = rte_be_to_cpu_16(ip->total_length) - HEADER, offset = 0;
    uint32_t most = RTE_ALIGN_FLOOR(limit - HEADER, RTE_IPV4_HDR_OFFSET_UNITS);
    unsigned count = 0;

    while (left != 0) {
        /* The last need not be a multiple of 8. */
        uint32_t length = left <= limit - HEADER ? left : most;

        left -= length;
        fragments[count] = cut_one(pool, whole, at, offset, length, left == 0);
        if (fragments[count] == NULL) {
            rte_pktmbuf_free_bulk(fragments, count);
            return 0;
        }
        count++;
        offset += length;
    }
    return count;
}
