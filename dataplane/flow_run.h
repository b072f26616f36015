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

/** Where the two pieces that are compared begin; they share four bytes. */
enum {
    FLOW_FIRST = PLAIN_ETHERTYPE, /* to the source address's first half */
    FLOW_SECOND = 22,             /* from the TTL to the ports */
};

/* As the bytes lie in memory. Not compared: type of service, total length, identification; TTL and
 * checksum. The UDP length and checksum come behind. */
#define FLOW_FIRST_MASK _mm_setr_epi8(-1, -1, -1, 0, 0, 0, 0, 0, -1, -1, 0, -1, 0, 0, -1, -1)
#define FLOW_SECOND_MASK _mm_setr_epi8(0, -1, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1)

/** Headers that a frame has to have to be of the run. On the queue's lcore. */
struct flow_template {
    __m128i first;        /**< bytes FLOW_FIRST to 27 */
    __m128i second;       /**< bytes FLOW_SECOND to 37 */
    uint64_t address_sum; /**< of the IPv4 addresses' 32-bit words, for the header's checksum */
    struct endpoint *endpoint; /**< whose it is alone; NULL: there is no template */
    uint32_t generation;       /**< of the demux table when `endpoint` was looked up */
};

/** Take the headers of a frame that classify_plain() has accepted. */
static inline void flow_template_set(struct flow_template *flow, const struct rte_mbuf *mbuf,
                                     struct endpoint *endpoint, uint32_t generation)
{
    const uint8_t *bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);
    uint64_t addresses = plain_load64(bytes + PLAIN_ADDRESSES);

    flow->first = plain_load128(bytes + FLOW_FIRST);
    flow->second = plain_load128(bytes + FLOW_SECOND);
    flow->address_sum = (addresses & UINT32_MAX) + (addresses >> 32);
    flow->endpoint = endpoint;
    flow->generation = generation;
}

/** Is a call of take_run() worth while? A look at addresses and ports; of a frame that is none, at whatever
 *  is there. The buffer is one of ours. */
static inline bool flow_may_continue(const struct flow_template *flow, struct rte_mbuf *mbuf)
{
    return plain_matches(plain_load128(rx_plain_frame(mbuf) + FLOW_SECOND), flow->second,
                         FLOW_SECOND_MASK);
}

/**
 * Is it a plain frame of the template's flow, whole, its IPv4 checksum right?
 * @param payload_length  receives the bytes of its UDP payload; undefined when it is not
 */
static inline bool flow_continues(const struct flow_template *flow, struct rte_mbuf *mbuf,
                                  uint32_t *payload_length)
{
    const uint8_t *bytes = rx_plain_frame(mbuf);
    uint64_t ip_checksum = mbuf->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
    uint32_t length = rte_pktmbuf_data_len(mbuf);

    if (unlikely(
            !plain_is_placed(mbuf) || length < PLAIN_PAYLOAD ||
            !plain_matches(plain_load128(bytes + FLOW_FIRST), flow->first, FLOW_FIRST_MASK) ||
            !plain_matches(plain_load128(bytes + FLOW_SECOND), flow->second, FLOW_SECOND_MASK) ||
            !plain_lengths_fit(bytes, length, payload_length)))
        return false;
    if (ip_checksum != RTE_MBUF_F_RX_IP_CKSUM_UNKNOWN) {
        if (likely(ip_checksum == RTE_MBUF_F_RX_IP_CKSUM_GOOD))
            return true;
        if (ip_checksum == RTE_MBUF_F_RX_IP_CKSUM_BAD)
            return false;
    }
    uint64_t first = plain_load64(bytes + PLAIN_IP);
    return plain_sum_is_right((first & UINT32_MAX) + (first >> 32) +
                              plain_load32(bytes + PLAIN_IP + 8) + flow->address_sum);
}

#endif
