/* SPDX-License-Identifier: BSD-3-Clause */
#include "bed.h"

#include <rte_cycles.h>
#include <rte_lcore.h>
#include <rte_pause.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "dataplane/state.h"
#include "floor.h"

/** By lane: passes of the silent lcore, and how often its thread had been preempted by then. */
static struct {
    _Atomic uint64_t passes;
    _Atomic uint64_t preemptions;
} __rte_cache_aligned silent[BED_MAX_LANES];

static void print_line(const char *format, va_list arguments)
{
    fputs("wirerx-bench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void bed_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_line(format, arguments);
    va_end(arguments);
    exit(BENCH_FAILED);
}

int bed_refuse(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_line(format, arguments);
    va_end(arguments);
    return -1;
}

double bed_load(void)
{
    double load = 0;

    return getloadavg(&load, 1) == 1 ? load : 0;
}

uint64_t bed_ticks(const struct bed *bed, double milliseconds)
{
    return (uint64_t)(milliseconds / 1000 * bed->ticks_per_second);
}

/* --- the lcore's step --------------------------------------------------------------------------- */

static uint64_t preemptions_of_this_thread(void)
{
    struct rusage usage;

    return getrusage(RUSAGE_THREAD, &usage) == 0 ? (uint64_t)usage.ru_nivcsw : 0;
}

/* A whole pass without a look at the queues. Only the lcore reads and writes queues_count now. */
static bool silent_step(struct lcore *lcore, uint64_t now)
{
    unsigned queues = lcore->queues_count;

    lcore->queues_count = 0;
    bool busy = lcore_step(lcore, now);
    lcore->queues_count = queues;
    while (floor_take_home(lcore))
        busy = true;
    atomic_store_explicit(&silent[lcore->index].preemptions, preemptions_of_this_thread(),
                          memory_order_relaxed);
    /* Release: whoever sees this pass sees what the lcore did before it. */
    atomic_fetch_add_explicit(&silent[lcore->index].passes, 1, memory_order_release);
    return busy;
}

void bed_run(struct bed *bed, bed_step step)
{
    atomic_store_explicit(&bed->lcore->step, step != NULL ? step : lcore_step,
                          memory_order_release);
}

void bed_silence(struct bed *bed)
{
    _Atomic uint64_t *counted = &silent[bed->lane].passes;
    uint64_t passes = atomic_load_explicit(counted, memory_order_acquire);
    /* One of LCORE_SWEEP_PASSES sweeps LCORE_SWEEP ways home, and empties them. */
    uint64_t sweep = (bed->options->sockets / LCORE_SWEEP + 2ull) * LCORE_SWEEP_PASSES;

    bed_run(bed, silent_step);
    passes += sweep;
    for (uint64_t i = 0; bed->options->by_hand && i < sweep; i++)
        bed_pass(bed, silent_step);
    while (atomic_load_explicit(counted, memory_order_acquire) < passes)
        rte_pause();
}

const struct port_operations *bed_row_of(struct port_operations *row, const char *name,
                                         uint16_t (*burst)(struct port *port, uint16_t queue,
                                                           struct rte_mbuf **mbufs, uint16_t max,
                                                           struct lcore *lcore, uint64_t now))
{
    if (row->burst == NULL) {
        *row = port_rte_eth;
        row->name = name;
        row->burst = burst;
    }
    return row;
}

/* The mempool's cache and the wake-ups are those of the thread that has the lcore's identity. */
void bed_pass(struct bed *bed, bed_step step)
{
    struct lcore *lcore = bed->lcore;
    unsigned id = RTE_PER_LCORE(_lcore_id);

    lcore->sink = (struct wake_sink){
        .defer = lcore_defer_wake, .may_call = lcore_may_call, .hand_over = lcore_hand_over};
    wake_sink = &lcore->sink;
    RTE_PER_LCORE(_lcore_id) = lcore->id;
    (step != NULL ? step : lcore_step)(lcore, rte_rdtsc());
    RTE_PER_LCORE(_lcore_id) = id;
    wake_sink = NULL;
}

uint64_t bed_preemptions_of(const struct bed *bed)
{
    return preemptions_of_this_thread() +
           atomic_load_explicit(&silent[bed->lane].preemptions, memory_order_relaxed);
}

uint64_t bed_preemptions(void)
{
    return bed_preemptions_of(&(struct bed){.lane = 0});
}

static uint64_t counter(const struct bed *bed, enum counter row)
{
    return counter_get(&bed->lcore->queues[0].counters, row);
}

uint64_t bed_delivered(const struct bed *bed)
{
    return counter(bed, COUNTER_DELIVERIES);
}

uint64_t bed_handed_over(const struct bed *bed)
{
    return counter(bed, COUNTER_HANDED_OVER);
}

uint64_t bed_dropped(const struct bed *bed)
{
    return counter(bed, COUNTER_LOST_RING_FULL) + counter(bed, COUNTER_LOST_POOL_SHARE);
}
