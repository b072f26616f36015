/* SPDX-License-Identifier: BSD-3-Clause */

/* libFuzzer over the parser of frames. The input: four bytes of circumstances, two cuts, and a frame.
 * Every buffer is an allocation of exactly its length, for AddressSanitizer to watch. */

#include <rte_mbuf.h>
#include <stdint.h>
#include <stdlib.h>

#include "classify.h"
#include "flow_run.h"
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

/* What the plain road accepts is accepted, and means the same; so does what continues the flow of a
 * frame that the input names by its last byte: itself, with one byte changed. */
static void plain_agrees(struct rte_mbuf *whole, enum counter verdict, const uint8_t *data,
                         size_t size, const struct classify_rules *rules)
{
    struct rte_mbuf *plain = handmade_plain(data, size);
    uint32_t length;

    plain->ol_flags = whole->ol_flags;
    plain->vlan_tci = whole->vlan_tci;
    if (classify_plain(plain, rules, &length)) {
        struct rte_mbuf *changed = handmade_plain(data, size);
        uint8_t *bytes = rte_pktmbuf_mtod(changed, uint8_t *);
        struct flow_template flow;
        struct rx_meta meta;

        require(verdict == FATE_UNDECIDED && length == rx_meta(whole)->payload_length);
        require(classify_plain_udp_checksum(plain) == classify_udp_checksum(whole));
        plain_describe_apart(&meta, plain, 0, 0, length);
        agree(FATE_UNDECIDED, rx_meta(whole), FATE_UNDECIDED, &meta);
        flow_template_set(&flow, plain, NULL, 0);
        changed->ol_flags = plain->ol_flags;
        bytes[data[size - 1] % size] ^= data[size / 2];
        if (flow_continues(&flow, changed, &length)) {
            struct rte_mbuf *same = handmade_chain(bytes, size, NULL, 0);

            same->ol_flags = changed->ol_flags;
            require(classify(same, rules) == FATE_UNDECIDED);
            require(rx_meta(same)->payload_length == length &&
                    rx_meta(same)->destination == meta.destination &&
                    rx_meta(same)->destination_port == meta.destination_port &&
                    rx_meta(same)->source == meta.source &&
                    rx_meta(same)->source_port == meta.source_port);
            handmade_free(same);
        }
        free(changed);
    }
    free(plain);
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
    plain_agrees(whole, verdict, data, size, &rules);
    handmade_free(whole);
    handmade_free(pieces);
    return 0;
}
