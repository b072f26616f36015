/* SPDX-License-Identifier: BSD-3-Clause */

/* Overlapped WSPRecv posted ahead with a completion routine, which posts it again. */

#include <rte_cycles.h>
#include <stdlib.h>

#include "paced.h"
#include "provider/host/apc.h"
#include "receive.h"
#include "wait.h"

/** A wait is as long as this at most before the clock is looked at. */
#define TIMEOUT_MS 100u

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

/* Where the times of a paced slice go; wanted is 0 outside of one. */
static struct {
    uint64_t *ticks;
    unsigned wanted;
    unsigned taken;
} paced;

/* What every completion has to do. */
static inline void complete(struct operation *operation, DWORD error, DWORD bytes)
{
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

static void CALLBACK completed(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags)
{
    (void)flags;
    if (!run.closed) /* otherwise cancelled */
        complete((struct operation *)overlapped /* its first member */, error, bytes);
}

static void CALLBACK completed_paced(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped,
                                     DWORD flags)
{
    struct operation *operation = (struct operation *)overlapped;
    uint64_t now = rte_rdtsc();

    (void)flags;
    if (run.closed)
        return;
    if (paced.taken < paced.wanted)
        paced.ticks[paced.taken++] = now - paced_stamp_of(operation->buffer.buf);
    run.over |= paced.taken == paced.wanted && paced.wanted != 0;
    complete(operation, error, bytes);
}

static void create(struct bed *bed, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    const struct bench_options *options = bed->options;

    run.kept = calloc((size_t)options->sockets * options->posted, sizeof(struct operation *));
    if (run.kept == NULL)
        bed_fail("out of memory");
    operations_create(&operations, bed, routine);
}

static void begin(struct bed *bed)
{
    create(bed, completed);
}

static void begin_paced(struct bed *bed)
{
    create(bed, completed_paced);
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

static unsigned receive_paced(struct bed *bed, unsigned wanted, unsigned first, uint64_t until,
                              uint64_t *ticks)
{
    (void)bed;
    (void)first; /* they come when they come */
    run.until = until;
    run.over = false;
    paced.ticks = ticks;
    paced.wanted = wanted;
    paced.taken = 0;
    while (run.kept_count != 0)
        operation_post(run.kept[--run.kept_count]);
    while (!run.over && rte_rdtsc() < until)
        SleepEx(TIMEOUT_MS, TRUE);
    paced.wanted = 0;
    return paced.taken;
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

static const struct side side_apc_paced = {
    .name = "apc",
    .help = "the same for one at a time",
    .most_outstanding = APC_MAX,
    .begin = begin_paced,
    .receive = receive,
    .delivered = bed_delivered,
    .dropped = bed_dropped,
    .last_payload = last_payload,
    .end = end,
};

const struct wait wait_apc = {
    .name = "apc",
    .help = "overlapped WSPRecv posted ahead, and an alertable wait for its routine",
    .title = "overlapped, routine",
    .side = &side_apc_paced,
    .spin_us = WAIT_SPIN_US,
    .posted = true,
    .receive = receive_paced,
};
