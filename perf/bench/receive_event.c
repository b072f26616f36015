/* SPDX-License-Identifier: BSD-3-Clause */

/* Overlapped WSPRecv posted ahead with an event each, on which the client waits. */

#include <rte_cycles.h>
#include <stdlib.h>

#include "paced.h"
#include "receive.h"
#include "wait.h"

/** A wait is as long as this at most before the clock is looked at. */
#define TIMEOUT_MS 100u

static struct operations operations;

static void begin(struct bed *bed)
{
    size_t total = (size_t)bed->options->sockets * bed->options->posted;

    operations_prepare(&operations, bed, NULL);
    for (size_t i = 0; i < total; i++) {
        operations.rows[i].overlapped.hEvent = WSACreateEvent();
        if (operations.rows[i].overlapped.hEvent == WSA_INVALID_EVENT)
            bed_fail("WSACreateEvent fails with Winsock error %d", WSAGetLastError());
        operation_post(&operations.rows[i]);
    }
}

static void end(struct bed *bed)
{
    size_t total = (size_t)bed->options->sockets * bed->options->posted;

    for (size_t i = 0; i < total; i++)
        WSACloseEvent(operations.rows[i].overlapped.hEvent);
    operations_free(&operations);
}

/* The operation of a socket that completes next, waited for; NULL when it has not in time. */
static struct operation *wait_for(const struct bed *bed, unsigned socket, DWORD milliseconds)
{
    unsigned posted = bed->options->posted;
    struct operation *operation =
        &operations.rows[(size_t)socket * posted + operations.next[socket]];
    DWORD bytes, flags;
    int error;

    switch (
        WSAWaitForMultipleEvents(1, &operation->overlapped.hEvent, FALSE, milliseconds, FALSE)) {
    case WSA_WAIT_EVENT_0:
        break;
    case WSA_WAIT_TIMEOUT:
        return NULL;
    default:
        bed_fail("WSAWaitForMultipleEvents fails with Winsock error %d", WSAGetLastError());
    }
    if (!operations.client->provider.lpWSPGetOverlappedResult(
            operation->socket, &operation->overlapped, &bytes, FALSE, &flags, &error))
        bed_fail("WSPGetOverlappedResult fails with Winsock error %d", error);
    operation_check(operation, 0, bytes);
    operations.last = (const uint8_t *)operation->buffer.buf;
    return operation;
}

static void post_again(const struct bed *bed, unsigned socket, struct operation *operation)
{
    unsigned *next = &operations.next[socket];

    operation_post(operation);
    *next = *next + 1 == bed->options->posted ? 0 : *next + 1;
}

static unsigned receive_paced(struct bed *bed, unsigned wanted, unsigned first, uint64_t until,
                              uint64_t *ticks)
{
    unsigned taken = 0, at = first;

    while (taken < wanted) {
        struct operation *operation = wait_for(bed, at, TIMEOUT_MS);

        if (operation == NULL) {
            if (rte_rdtsc() >= until)
                break;
            continue;
        }
        ticks[taken++] = rte_rdtsc() - paced_stamp_of(operation->buffer.buf);
        post_again(bed, at, operation);
        at = at + 1 == bed->options->sockets ? 0 : at + 1;
    }
    return taken;
}

static uint64_t receive(struct bed *bed, uint64_t until)
{
    uint64_t datagrams = 0;

    do {
        for (unsigned i = 0; i < bed->options->sockets; i++)
            for (unsigned turn = 0; turn < RECEIVE_TURN; turn++) {
                struct operation *operation = wait_for(bed, i, 0);

                if (operation == NULL)
                    break;
                datagrams++;
                post_again(bed, i, operation);
            }
    } while (rte_rdtsc() < until);
    return datagrams;
}

static const uint8_t *last_payload(const struct bed *bed)
{
    (void)bed;
    return operations.last;
}

static const struct side side_event = {
    .name = "event",
    .help = "overlapped WSPRecv posted ahead, an event each",
    .begin = begin,
    .receive = receive,
    .delivered = bed_delivered,
    .dropped = bed_dropped,
    .last_payload = last_payload,
    .end = end,
};

const struct wait wait_event = {
    .name = "event",
    .help = "overlapped WSPRecv posted ahead, and a wait for its event",
    .title = "overlapped, event",
    .side = &side_event,
    .spin_us = WAIT_SPIN_US,
    .posted = true,
    .receive = receive_paced,
};
