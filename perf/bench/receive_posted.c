/* SPDX-License-Identifier: BSD-3-Clause */

/* Overlapped WSPRecv posted ahead, without event or routine: the client polls Internal of the one
 * that completes next and posts it again. */

#include <rte_cycles.h>

#include "receive.h"

static struct operations operations[BED_MAX_LANES];

static void begin(struct bed *bed)
{
    operations_create(&operations[bed->lane], bed, NULL);
}

static void end(struct bed *bed)
{
    operations_free(&operations[bed->lane]);
}

/* Up to RECEIVE_TURN completions of one socket. */
static inline unsigned take_turn(struct operations *all, struct operation *rows, unsigned count,
                                 unsigned *next)
{
    for (unsigned taken = 0; taken < RECEIVE_TURN; taken++) {
        struct operation *operation = &rows[*next];
        uint64_t status = __atomic_load_n(&operation->overlapped.Internal, __ATOMIC_ACQUIRE);

        if (status == WSS_OPERATION_IN_PROGRESS)
            return taken;
        operation_check(operation, status, operation->overlapped.InternalHigh);
        all->last = (const uint8_t *)operation->buffer.buf;
        operation_post(operation);
        *next = *next + 1 == count ? 0 : *next + 1;
    }
    return RECEIVE_TURN;
}

static uint64_t receive(struct bed *bed, uint64_t until)
{
    struct operations *all = &operations[bed->lane];
    unsigned posted = bed->options->posted, sockets = bed->options->sockets;
    uint64_t datagrams = 0;

    do {
        for (unsigned i = 0; i < sockets; i++)
            datagrams += take_turn(all, all->rows + (size_t)i * posted, posted, &all->next[i]);
    } while (rte_rdtsc() < until);
    return datagrams;
}

static const uint8_t *last_payload(const struct bed *bed)
{
    return operations[bed->lane].last;
}

const struct side side_posted = {
    .name = "posted",
    .help = "overlapped WSPRecv posted ahead, completion seen by polling Internal",
    .begin = begin,
    .receive = receive,
    .delivered = bed_delivered,
    .dropped = bed_dropped,
    .last_payload = last_payload,
    .end = end,
};
