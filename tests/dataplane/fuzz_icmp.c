/* SPDX-License-Identifier: BSD-3-Clause */

/* libFuzzer over ICMP messages: the parser on exactly the input, and the road of a frame around it, in
 * one piece and in two, which must agree. The input: a cut, and a message. */

#include <rte_byteorder.h>
#include <rte_mbuf.h>
#include <stdint.h>
#include <stdlib.h>

#include "handmade.h"
#include "icmp.h"

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* As classify() leaves it. */
static void describe(struct rte_mbuf *mbuf, size_t length, uint32_t destination)
{
    *rx_meta(mbuf) = (struct rx_meta){
        .destination = destination, .payload_length = (uint32_t)length, .payload_offset = 0};
}

/* A message about a packet that was too long, in one piece and in two. */
static void check_too_long(const uint8_t *data, size_t size, uint16_t cut)
{
    struct icmp_too_long message;
    uint8_t *exact = malloc(size);

    require(exact != NULL || size == 0);
    if (size != 0)
        memcpy(exact, data, size);
    bool parsed = icmp_parse_too_long(exact, size, &message);
    free(exact);

    struct rte_mbuf *whole = handmade_chain(data, size, NULL, 0);
    struct rte_mbuf *pieces = handmade_chain(data, size, &cut, 1);
    uint32_t destination = parsed ? message.source : 0;
    describe(whole, size, destination);
    describe(pieces, size, destination);
    bool is_one = icmp_to_path_mtu(whole);
    require(is_one == icmp_to_path_mtu(pieces));
    require(parsed || !is_one);
    if (is_one) {
        const struct rx_meta *meta = rx_meta(whole), *same = rx_meta(pieces);

        require(meta->kind == RX_PATH_MTU && meta->source == message.destination &&
                meta->destination == message.source && meta->payload_length == message.length &&
                meta->via == message.mtu);
        require(same->source == meta->source && same->destination == meta->destination &&
                same->source_port == meta->source_port && same->via == meta->via &&
                same->destination_port == meta->destination_port);
    }
    handmade_free(whole);
    handmade_free(pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct icmp_quote quote;

    if (size < 1 || size > UINT16_MAX)
        return 0;
    const uint16_t cut = data[0];
    check_too_long(data + 1, size - 1, cut);
    uint8_t *exact = malloc(size - 1);
    require(exact != NULL || size == 1);
    if (size != 1)
        memcpy(exact, data + 1, size - 1);
    bool parsed = icmp_parse(exact, size - 1, &quote);
    free(exact);

    struct rte_mbuf *whole = handmade_chain(data + 1, size - 1, NULL, 0);
    struct rte_mbuf *pieces = handmade_chain(data + 1, size - 1, &cut, 1);
    uint32_t destination = parsed ? quote.source : 0;
    describe(whole, size - 1, destination);
    describe(pieces, size - 1, destination);
    bool is_one = icmp_to_condition(whole);
    require(is_one == icmp_to_condition(pieces));
    require(parsed || !is_one);
    if (is_one) {
        const struct rx_meta *meta = rx_meta(whole);

        require(rx_is_condition((enum rx_kind)meta->kind) && meta->payload_length == 0);
        require(meta->destination == quote.source && meta->source == quote.destination);
        const struct rx_meta *same = rx_meta(pieces);
        require(same->kind == meta->kind && same->source == meta->source &&
                same->destination == meta->destination && same->source_port == meta->source_port &&
                same->destination_port == meta->destination_port && same->payload_length == 0);
    }
    handmade_free(whole);
    handmade_free(pieces);
    return 0;
}
