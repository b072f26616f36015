/* SPDX-License-Identifier: BSD-3-Clause */

/* One datagram per WSPRecv, polled: the call returns what is there, or WSAEWOULDBLOCK. */

#include <rte_cycles.h>

#include "capture.h"
#include "receive.h"

static uint8_t payloads[BED_MAX_LANES][CAPTURE_PAYLOAD_ROOM] __rte_cache_aligned;

/* Up to RECEIVE_TURN datagrams of one socket. */
static inline unsigned take_turn(const struct client *of, SOCKET socket, WSABUF *buffer)
{
    for (unsigned taken = 0; taken < RECEIVE_TURN; taken++) {
        DWORD received, flags = 0;
        int error;

        if (of->provider.lpWSPRecv(socket, buffer, 1, &received, &flags, NULL, NULL, NULL,
                                   &error) != 0) {
            if (error != WSAEWOULDBLOCK)
                bed_fail("WSPRecv fails with Winsock error %d", error);
            return taken;
        }
        if (received != buffer->len)
            bed_fail("WSPRecv returns %u bytes instead of %u", received, buffer->len);
    }
    return RECEIVE_TURN;
}

static uint64_t receive(struct bed *bed, uint64_t until)
{
    const struct client *of = client_of(bed);
    WSABUF buffer = {.len = bed->options->payload, .buf = (char *)payloads[bed->lane]};
    uint64_t datagrams = 0;

    do {
        for (unsigned i = 0; i < of->count; i++)
            datagrams += take_turn(of, of->sockets[i], &buffer);
    } while (rte_rdtsc() < until);
    return datagrams;
}

static const uint8_t *last_payload(const struct bed *bed)
{
    return payloads[bed->lane];
}

const struct side side_now = {
    .name = "now",
    .help = "WSPRecv on nonblocking sockets, polled, one datagram a call",
    .receive = receive,
    .delivered = bed_delivered,
    .dropped = bed_dropped,
    .last_payload = last_payload,
};
