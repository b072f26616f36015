/* SPDX-License-Identifier: BSD-3-Clause */

/* wirerx_receive_batch(), polled: up to RECEIVE_TURN datagrams a call. */

#include <rte_common.h>
#include <rte_cycles.h>

#include "capture.h"
#include "receive.h"
#include "wirerx/wirerx.h"

static struct batch {
    struct wirerx_datagram datagrams[RECEIVE_TURN];
    WSABUF buffers[RECEIVE_TURN];
    uint8_t payloads[RECEIVE_TURN * CAPTURE_PAYLOAD_ROOM] __rte_cache_aligned;
    const uint8_t *last;
} batches[BED_MAX_LANES];

/* Sockets are read into the same buffers in turn: the payloads are read, if at all, before the next. */
static void begin(struct bed *bed)
{
    struct batch *batch = &batches[bed->lane];
    size_t room = RTE_ALIGN_CEIL((size_t)bed->options->payload, (size_t)RTE_CACHE_LINE_SIZE);

    for (unsigned i = 0; i < RECEIVE_TURN; i++) {
        batch->buffers[i] =
            (WSABUF){.len = bed->options->payload, .buf = (char *)batch->payloads + i * room};
        batch->datagrams[i].buffers = &batch->buffers[i];
        batch->datagrams[i].buffers_count = 1;
    }
    batch->last = batch->payloads;
}

static inline unsigned take_turn(struct batch *batch, SOCKET socket, uint32_t payload)
{
    DWORD taken;
    int error = wirerx_receive_batch(socket, batch->datagrams, RECEIVE_TURN, &taken);

    if (error != 0) {
        if (error != WSAEWOULDBLOCK)
            bed_fail("wirerx_receive_batch fails with Winsock error %d", error);
        return 0;
    }
    for (DWORD i = 0; i < taken; i++)
        if (batch->datagrams[i].bytes != payload || batch->datagrams[i].error != 0)
            bed_fail("a batch has %u bytes instead of %u, error %d", batch->datagrams[i].bytes,
                     payload, batch->datagrams[i].error);
    batch->last = (const uint8_t *)batch->buffers[taken - 1].buf;
    return taken;
}

static uint64_t receive(struct bed *bed, uint64_t until)
{
    const struct client *of = client_of(bed);
    struct batch *batch = &batches[bed->lane];
    uint32_t payload = bed->options->payload;
    uint64_t datagrams = 0;

    do {
        for (unsigned i = 0; i < of->count; i++)
            datagrams += take_turn(batch, of->sockets[i], payload);
    } while (rte_rdtsc() < until);
    return datagrams;
}

static const uint8_t *last_payload(const struct bed *bed)
{
    return batches[bed->lane].last;
}

const struct side side_batch = {
    .name = "batch",
    .help = "wirerx_receive_batch, nonblocking, polled, up to 32 datagrams a call",
    .begin = begin,
    .receive = receive,
    .delivered = bed_delivered,
    .dropped = bed_dropped,
    .last_payload = last_payload,
};
