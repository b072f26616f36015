/* SPDX-License-Identifier: BSD-3-Clause */

/* libFuzzer over the parser of frames. The input: four bytes of circumstances, two cuts, and a frame.
 * Every buffer is an allocation of exactly its length, for AddressSanitizer to watch. */

#include <rte_mbuf.h>
#include <stdint.h>
#include <stdlib.h>

#include "classify.h"
#include "handmade.h"

#define CIRCUMSTANCES 6u

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* The same frame in one piece and in up to three must come to the same verdict. */
static void agree(enum counter whole, const struct rx_meta *expected, enum counter cut,
                  const struct rx_meta *meta)
{
    require(whole == cut);
    if (whole != FATE_UNDECIDED)
        return;
    require(meta->source == expected->source && meta->destination == expected->destination &&
            meta->source_port == expected->source_port &&
            meta->destination_port == expected->destination_port &&
            meta->payload_offset == expected->payload_offset &&
            meta->payload_length == expected->payload_length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < CIRCUMSTANCES || size > CIRCUMSTANCES + UINT16_MAX)
        return 0;
    const struct classify_rules rules = {.vlan = (uint16_t)(data[0] & 3)};
    const uint16_t cuts[2] = {data[4], data[5]};
    const uint64_t ip_flags[4] = {0, RTE_MBUF_F_RX_IP_CKSUM_GOOD, RTE_MBUF_F_RX_IP_CKSUM_BAD,
                                  RTE_MBUF_F_RX_IP_CKSUM_NONE};
    uint64_t flags = ip_flags[data[1] & 3];
    uint16_t tci = data[2];

    if (data[1] & 4)
        flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
    if (data[1] & 8)
        flags |= RTE_MBUF_F_RX_L4_CKSUM_BAD;
    data += CIRCUMSTANCES;
    size -= CIRCUMSTANCES;

    struct rte_mbuf *whole = handmade_chain(data, size, NULL, 0);
    struct rte_mbuf *pieces = handmade_chain(data, size, cuts, 2);
    whole->ol_flags = pieces->ol_flags = flags;
    whole->vlan_tci = pieces->vlan_tci = tci;
    enum counter verdict = classify(whole, &rules);
    agree(verdict, rx_meta(whole), classify(pieces, &rules), rx_meta(pieces));
    if (verdict == FATE_UNDECIDED) {
        const struct rx_meta *meta = rx_meta(whole);

        require((size_t)meta->payload_offset + meta->payload_length <= size);
        require(meta->payload_offset >= 42 && meta->payload_offset <= CLASSIFY_HEADER_BYTES);
        require(classify_udp_checksum(whole) == classify_udp_checksum(pieces));
    }
    handmade_free(whole);
    handmade_free(pieces);
    return 0;
}
