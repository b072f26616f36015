/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_ETHERNET_H
#define WIRERX_ETHERNET_H

#include <rte_ether.h>
#include <rte_mbuf.h>
#include <stdint.h>

#include "bytes.h"

/**
 * Where the packet of this type begins in a frame that classify() has found one in, behind however many tags.
 * @return 0: there is none
 */
static inline uint32_t ethernet_packet(const struct rte_mbuf *mbuf, uint16_t ethertype)
{
    uint8_t copy[sizeof ethertype];

    for (uint32_t at = 2 * RTE_ETHER_ADDR_LEN;; at += RTE_VLAN_HLEN) {
        const uint8_t *type = rte_pktmbuf_read(mbuf, at, sizeof copy, copy);

        if (type == NULL)
            return 0;
        if (bytes_load_be16(type) == ethertype)
            return at + (uint32_t)sizeof copy;
    }
}

/** The address of a group, host byte order (RFC 1112, 6.4). */
static inline struct rte_ether_addr ethernet_group(uint32_t group)
{
    return (struct rte_ether_addr){
        {0x01, 0x00, 0x5e, (group >> 16) & 0x7f, (group >> 8) & 0xff, group & 0xff}};
}

#endif
