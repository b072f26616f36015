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

/*
 * SleepEx() runs routines for as long as there are any, which is for ever while the source is faster
 * than we are. So when the time is over a routine keeps its operation instead of posting it.
 */
static struct run {
    struct operations operations; /* first: a routine finds the rest by it */
    uint64_t until;
    uint64_t datagrams;
    unsigned turn;
    bool over;
    bool closed;
    struct operation **kept;
    size_t kept_count;
    uint64_t *ticks; /* where the times of a paced slice go */
    unsigned wanted; /* 0 outside of one */
    unsigned taken;
} runs[BED_MAX_LANES] __rte_cache_aligned;

static inline struct run *run_of(const struct operation *operation)
{
    return (struct run *)operation->all;
}

/* What every completion has to do. */
static inline void complete(struct run *run, struct operation *operation, DWORD error, DWORD bytes)
{
    operation_check(operation, error, bytes);
    run->operations.last = (const uint8_t *)operation->buffer.buf;
    run->datagrams++;
    if (++run->turn == CLOCK_TURN) {
        run->turn = 0;
        run->over |= rte_rdtsc() >= run->until;
    }
    if (run->over)
        run->kept[run->kept_count++] = operation;
    else
        operation_post(operation);
}

static void CALLBACK completed(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags)
{
    struct operation *operation = (struct operation *)overlapped; /* its first member */
    struct run *run = run_of(operation);

    (void)flags;
    if (!run->closed) /* otherwise cancelled */
        complete(run, operation, error, bytes);
}

static void CALLBACK completed_paced(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped,
                                     DWORD flags)
{
    uint64_t now = rte_rdtsc();
    struct operation *operation = (struct operation *)overlapped;
    struct run *run = run_of(operation);

    (void)flags;
    if (run->closed)
        return;
    if (run->taken < run->wanted) {
        run->ticks[run->taken++] = now - paced_stamp_of(operation->buffer.buf);
        run->over |= run->taken == run->wanted;
    }
    complete(run, operation, error, bytes);
}

static void create(struct bed *bed, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    const struct bench_options *options = bed->options;
    struct run *run = &runs[bed->lane];

    run->kept = calloc((size_t)options->sockets * options->posted, sizeof(struct operation *));
    if (run->kept == NULL)
        bed_fail("out of memory");
    operations_create(&run->operations, bed, routine);
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
    struct run *run = &runs[bed->lane];

    run->closed = true;
    while (SleepEx(0, TRUE) == WAIT_IO_COMPLETION)
        continue;
    operations_free(&run->operations);
    free(run->kept);
}

static void post_kept(struct run *run, uint64_t until)
{
    run->until = until;
    run->over = false;
    while (run->kept_count != 0)
        operation_post(run->kept[--run->kept_count]);
}

static uint64_t receive(struct bed *bed, uint64_t until)
{
    struct run *run = &runs[bed->lane];
    uint64_t before = run->datagrams;

    post_kept(run, until);
    do
        SleepEx(0, TRUE);
    while (!run->over && rte_rdtsc() < until);
    return run->datagrams - before;
}

static unsigned receive_paced(struct bed *bed, unsigned wanted, unsigned first, uint64_t until,
                              uint64_t *ticks)
{
    struct run *run = &runs[bed->lane];

    (void)first; /* they come when they come */
    run->ticks = ticks;
    run->wanted = wanted;
    run->taken = 0;
    post_kept(run, until);
    while (!run->over && rte_rdtsc() < until)
        SleepEx(TIMEOUT_MS, TRUE);
    run->wanted = 0;
    return run->taken;
}

static const uint8_t *last_payload(const struct bed *bed)
{
    return runs[bed->lane].operations.last;
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
