/* SPDX-License-Identifier: BSD-3-Clause */

/* wirerx_lend() and wirerx_return(), polled: up to RECEIVE_TURN datagrams a call, and their payload is read
 * where it is, as the other modes' copy reads it. */

#include <rte_common.h>
#include <rte_cycles.h>
#include <string.h>

#include "capture.h"
#include "receive.h"
#include "wirerx/wirerx.h"

/** One byte of each of these is read: that brings the line. */
#define LINE RTE_CACHE_LINE_SIZE

static struct lend {
    struct wirerx_loan loans[RECEIVE_TURN];
    WSABUF more[RECEIVE_TURN][8]; /* frames longer than a buffer come in pieces */
    uint64_t tokens[RECEIVE_TURN];
    uint8_t last[CAPTURE_PAYLOAD_ROOM];
    volatile uint8_t sink;
} lends[BED_MAX_LANES];

static void begin(struct bed *bed)
{
    struct lend *lend = &lends[bed->lane];

    for (unsigned i = 0; i < RECEIVE_TURN; i++) {
        lend->loans[i].more = lend->more[i];
        lend->loans[i].more_count = RTE_DIM(lend->more[i]);
    }
}

static inline uint8_t look_at(const void *piece, uint32_t bytes)
{
    const uint8_t *at = piece;
    uint8_t sum = 0;

    for (uint32_t i = 0; i < bytes; i += LINE)
        sum = (uint8_t)(sum + at[i]);
    return sum;
}

/* The last one of a turn: for the comparison with what was sent. */
static void keep(struct lend *lend, const struct wirerx_loan *loan)
{
    uint32_t at = loan->payload_bytes;

    memcpy(lend->last, loan->payload, at);
    for (DWORD i = 0; i + 1 < loan->pieces; i++) {
        memcpy(lend->last + at, loan->more[i].buf, loan->more[i].len);
        at += loan->more[i].len;
    }
}

static inline unsigned take_turn(struct lend *lend, SOCKET socket, uint32_t payload)
{
    uint8_t sum = 0;
    DWORD taken;
    int error = wirerx_lend(socket, lend->loans, RECEIVE_TURN, &taken);

    if (error != 0) {
        if (error != WSAEWOULDBLOCK)
            bed_fail("wirerx_lend fails with Winsock error %d", error);
        return 0;
    }
    for (DWORD i = 0; i < taken; i++) {
        const struct wirerx_loan *loan = &lend->loans[i];

        if (loan->bytes != payload)
            bed_fail("a loan has %u bytes instead of %u", loan->bytes, payload);
        sum = (uint8_t)(sum + look_at(loan->payload, loan->payload_bytes));
        for (DWORD piece = 0; piece + 1 < loan->pieces; piece++)
            sum = (uint8_t)(sum + look_at(loan->more[piece].buf, loan->more[piece].len));
        lend->tokens[i] = loan->token;
    }
    lend->sink = sum;
    keep(lend, &lend->loans[taken - 1]);
    error = wirerx_return(socket, lend->tokens, taken, NULL);
    if (error != 0)
        bed_fail("wirerx_return fails with Winsock error %d", error);
    return taken;
}

static uint64_t receive(struct bed *bed, uint64_t until)
{
    const struct client *of = client_of(bed);
    struct lend *lend = &lends[bed->lane];
    uint32_t payload = bed->options->payload;
    uint64_t datagrams = 0;

    do {
        for (unsigned i = 0; i < of->count; i++)
            datagrams += take_turn(lend, of->sockets[i], payload);
    } while (rte_rdtsc() < until);
    return datagrams;
}

static const uint8_t *last_payload(const struct bed *bed)
{
    return lends[bed->lane].last;
}

const struct side side_lend = {
    .name = "lend",
    .help = "wirerx_lend and wirerx_return, polled, up to 32 a call, read in place",
    .begin = begin,
    .receive = receive,
    .delivered = bed_delivered,
    .dropped = bed_dropped,
    .last_payload = last_payload,
};
