/* SPDX-License-Identifier: BSD-3-Clause */
#include "slices.h"

#include <rte_cycles.h>
#include <string.h>

#include "capture.h"

/** How long what was delivered may take to be received once the source is silent. */
#define DRAIN_MS 5000

uint64_t slice_drain(struct bed *bed, const struct side *side, uint64_t received)
{
    uint64_t deadline = rte_rdtsc() + bed_ticks(bed, DRAIN_MS);
    uint64_t delivered = side->delivered(bed);

    do {
        received += side->receive(bed, 0);
        if (rte_rdtsc() >= deadline && received != delivered)
            bed_fail("%s: %llu datagrams were delivered and %llu received", side->name,
                     (unsigned long long)delivered, (unsigned long long)received);
    } while (received != delivered);
    side->receive(bed, 0); /* finds nothing, and so sends home what it has kept */
    bed_silence(bed);
    return received;
}

static void check_payload(const struct bed *bed, const struct side *side)
{
    uint8_t expected[CAPTURE_PAYLOAD_ROOM];

    capture_payload(expected, bed->options->payload);
    if (memcmp(side->last_payload(bed), expected, bed->options->payload) != 0)
        bed_fail("%s: the last datagram's payload is not what was sent", side->name);
}

struct slice slice_run(struct bed *bed, const struct side *side, unsigned milliseconds)
{
    uint64_t length = bed_ticks(bed, milliseconds);
    uint64_t warm_up = (uint64_t)((double)length * SLICE_WARM_UP);
    uint64_t preemptions = bed_preemptions_of(bed);
    /* All that was delivered before this slice has been received. */
    uint64_t received = side->delivered(bed);

    bed_run(bed, side->step);
    received += side->receive(bed, rte_rdtsc() + warm_up);

    uint64_t dropped = side->dropped(bed);
    uint64_t begin = rte_rdtsc();
    uint64_t datagrams = side->receive(bed, begin + length - warm_up);
    uint64_t ticks = rte_rdtsc() - begin;
    dropped = side->dropped(bed) - dropped;

    bed_silence(bed);
    received = slice_drain(bed, side, received + datagrams);
    if (received != 0)
        check_payload(bed, side);
    return (struct slice){
        .seconds = (double)ticks / bed->ticks_per_second,
        .datagrams = datagrams,
        .dropped = dropped,
        .preemptions = bed_preemptions_of(bed) - preemptions,
    };
}

double slice_rate(const struct slice *slice)
{
    return slice->seconds > 0 ? (double)slice->datagrams / slice->seconds : 0;
}
