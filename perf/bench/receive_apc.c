/* SPDX-License-Identifier: BSD-3-Clause */

/* Overlapped WSPRecv posted ahead with a completion routine, which posts it again. */

#include <rte_cycles.h>
#include <stdlib.h>

#include "provider/host/apc.h"
#include "receive.h"

/** Routines between two looks at the clock. */
#define CLOCK_TURN 32u

static struct operations operations;

/* SleepEx() runs routines for as long as there are any, which is for ever while the source is faster
 * than we are. So when the time is over a routine keeps its operation instead of posting it. */
static struct {
    uint64_t until;
    uint64_t datagrams;
    unsigned turn;
    bool over;
    bool closed;
    struct operation **kept;
    size_t kept_count;
} run;

static void CALLBACK completed(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags)
{
    struct operation *operation = (struct operation *)overlapped; /* its first member */

    (void)flags;
    if (run.closed) /* cancelled */
        return;
    operation_check(operation, error, bytes);
    operations.last = (const uint8_t *)operation->buffer.buf;
    run.datagrams++;
    if (++run.turn == CLOCK_TURN) {
        run.turn = 0;
        run.over |= rte_rdtsc() >= run.until;
    }
    if (run.over)
        run.kept[run.kept_count++] = operation;
    else
        operation_post(operation);
}

static void begin(struct bed *bed)
{
    const struct bench_options *options = bed->options;

    run.kept = calloc((size_t)options->sockets * options->posted, sizeof(struct operation *));
    if (run.kept == NULL)
        bed_fail("out of memory");
    operations_create(&operations, bed, completed);
}

static void end(struct bed *bed)
{
    (void)bed;
    run.closed = true;
    while (SleepEx(0, TRUE) == WAIT_IO_COMPLETION)
        continue;
    operations_free(&operations);
    free(run.kept);
}

static uint64_t receive(struct bed *bed, uint64_t until)
{
    uint64_t before = run.datagrams;

    (void)bed;
    run.until = until;
    run.over = false;
    while (run.kept_count != 0)
        operation_post(run.kept[--run.kept_count]);
    do
        SleepEx(0, TRUE);
    while (!run.over && rte_rdtsc() < until);
    return run.datagrams - before;
}

static const uint8_t *last_payload(const struct bed *bed)
{
    (void)bed;
    return operations.last;
}

const struct side side_apc = {
    .name = "apc",
    .help = "overlapped WSPRecv posted ahead, completion routines run by SleepEx",
    .most_outstanding = APC_MAX,
    .begin = begin,
    .receive = receive,
    .delivered = bed_delivered,
    .dropped = bed_dropped,
    .last_payload = last_payload,
    .end = end,
};
