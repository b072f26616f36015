/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_FLOW_RUN_H
#define WIRERX_FLOW_RUN_H

/**
 * @file
 * Frames of one flow come in runs. Of the frame after a plain one (classify_plain.h) that has the same
 * protocol, addresses and ports it is known whose it is and which checks it passes: only its lengths
 * and its checksum are its own. A template of the last plain frame's headers, with the endpoint that it
 * was for, is kept for each queue.
 */

#include "classify_plain.h"

struct endpoint;

/** Headers that a frame has to have to be of the run. On the queue's lcore. */
struct flow_template {
    uint64_t at_ethertype; /**< bytes 12 to 19, under FLOW_MASK_ETHERTYPE */
    uint64_t at_fragment;  /**< bytes 20 to 27, under FLOW_MASK_FRAGMENT */
    uint64_t at_addresses; /**< bytes 28 to 35 */
    uint16_t at_port;      /**< bytes 36 and 37 */
    uint32_t generation;   /**< of the demux table when `endpoint` was looked up */
    uint64_t address_sum;  /**< of the IPv4 addresses' 32-bit words, for the header's checksum */
    struct endpoint *endpoint; /**< whose it is alone; NULL: there is no template */
};

/* As the bytes lie in memory. Not compared: type of service, total length, identification; TTL and
 * checksum; UDP length and checksum. */
#define FLOW_MASK_ETHERTYPE rte_cpu_to_be_64(0xffffff0000000000ull)
#define FLOW_MASK_FRAGMENT rte_cpu_to_be_64(0xffff00ff0000ffffull)

/** Take the headers of a frame that classify_plain() has accepted. */
static inline void flow_template_set(struct flow_template *flow, const struct rte_mbuf *mbuf,
                                     struct endpoint *endpoint, uint32_t generation)
{
    const uint8_t *bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);
    uint64_t addresses = plain_load64(bytes + PLAIN_ADDRESSES);

    flow->at_ethertype = plain_load64(bytes + 12) & FLOW_MASK_ETHERTYPE;
    flow->at_fragment = plain_load64(bytes + 20) & FLOW_MASK_FRAGMENT;
    flow->at_addresses = plain_load64(bytes + 28);
    flow->at_port = plain_load16(bytes + 36);
    flow->address_sum = (addresses & UINT32_MAX) + (addresses >> 32);
    flow->endpoint = endpoint;
    flow->generation = generation;
}

/**
 * Is it a plain frame of the template's flow, whole, its IPv4 checksum right?
 * @param payload_length  receives the bytes of its UDP payload; undefined when it is not
 */
static inline bool flow_continues(const struct flow_template *flow, const struct rte_mbuf *mbuf,
                                  uint32_t *payload_length)
{
    const uint8_t *bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);
    uint64_t offloads = mbuf->ol_flags;
    uint64_t ip_checksum = offloads & RTE_MBUF_F_RX_IP_CKSUM_MASK;
    uint32_t length = rte_pktmbuf_data_len(mbuf);

    if (unlikely(!plain_is_placed(mbuf) || length < PLAIN_PAYLOAD))
        return false;
    uint64_t difference = ((plain_load64(bytes + 12) & FLOW_MASK_ETHERTYPE) ^ flow->at_ethertype) |
                          ((plain_load64(bytes + 20) & FLOW_MASK_FRAGMENT) ^ flow->at_fragment) |
                          (plain_load64(bytes + 28) ^ flow->at_addresses) |
                          (uint64_t)(plain_load16(bytes + 36) ^ flow->at_port);
    uint32_t total = rte_be_to_cpu_16(plain_load16(bytes + PLAIN_TOTAL_LENGTH));
    uint32_t udp_length = rte_be_to_cpu_16(plain_load16(bytes + PLAIN_UDP_LENGTH));

    *payload_length = udp_length - (PLAIN_PAYLOAD - PLAIN_UDP);
    if (unlikely(difference != 0 || total > length - PLAIN_IP ||
                 udp_length < PLAIN_PAYLOAD - PLAIN_UDP ||
                 udp_length + (PLAIN_UDP - PLAIN_IP) > total))
        return false;
    if (ip_checksum != RTE_MBUF_F_RX_IP_CKSUM_GOOD) {
        uint64_t first = plain_load64(bytes + PLAIN_IP);
        uint64_t sum = (first & UINT32_MAX) + (first >> 32) + plain_load32(bytes + PLAIN_IP + 8) +
                       flow->address_sum;

        if (unlikely(ip_checksum == RTE_MBUF_F_RX_IP_CKSUM_BAD || !plain_sum_is_right(sum)))
            return false;
    }
    return true;
}

#endif
