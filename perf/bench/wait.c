/* SPDX-License-Identifier: BSD-3-Clause */
#include "wait.h"

#include "client.h"

static unsigned receive(struct bed *bed, unsigned wanted, unsigned first, uint64_t until,
                        uint64_t *ticks)
{
    (void)until; /* SO_RCVTIMEO ends each call */
    return client_receive_paced(bed, wanted, first, ticks);
}

const struct wait wait_spinning = {
    .name = "spinning",
    .help = "a blocking WSPRecv that polls",
    .title = "WSPRecv, spinning",
    .side = &side_now,
    .spin_us = BED_SPIN_US,
    .blocking = true,
    .receive = receive,
};

const struct wait wait_sleeping = {
    .name = "sleeping",
    .help = "a blocking WSPRecv that sleeps at once, and is woken",
    .title = "WSPRecv, sleeping",
    .side = &side_now,
    .spin_us = 0,
    .blocking = true,
    .receive = receive,
};

const struct wait *const waits[] = {&wait_spinning, &wait_event, &wait_apc, &wait_sleeping};
const size_t waits_count = sizeof waits / sizeof waits[0];
