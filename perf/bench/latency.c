/* SPDX-License-Identifier: BSD-3-Clause */

/* From the end of the device's burst to the client: until the return of what the client waits in, or
 * until its completion routine; beside the moment at which the floor's client has the payload. One
 * datagram at a time, at a pace that leaves both threads idle most of the time, otherwise queues are
 * measured: which --load asks for. In slices of its own a bare spin thread shows what the machine
 * takes from any thread on the client's CPU. */

#include "latency.h"

#include <rte_common.h>
#include <rte_cycles.h>
#include <stdio.h>
#include <stdlib.h>

#include "bare.h"
#include "client.h"
#include "command.h"
#include "floor.h"
#include "paced.h"
#include "slices.h"

#define DEFAULT_RATE 100000.0

#define CAPACITY_SLICES 3u
#define CAPACITY_SLICE_MS 100u

#define SLICE_MINIMUM_DATAGRAMS 16u
#define SLICE_MAXIMUM_DATAGRAMS 8000000.0

/** A slice's datagrams may take this much longer than their pace says before they are given up. */
#define PATIENCE_MS 150.0

/* --- slices --------------------------------------------------------------------------------------- */

/* A call that finds nothing gives up after this. */
static double call_patience_ms(const struct latency_run *run)
{
    return PATIENCE_MS + 2000 / run->rate;
}

static uint64_t deadline(const struct latency_run *run)
{
    return rte_rdtsc() +
           bed_ticks(run->bed, run->datagrams / run->rate * 1000 + call_patience_ms(run));
}

/* @return datagrams received in time */
static unsigned run_wirerx(struct latency_run *run, uint64_t *ticks)
{
    const struct wait *wait = run->wait;
    struct bed *bed = run->bed;
    uint64_t received = wait->side->delivered(bed);
    unsigned first = paced_next_socket(bed);

    paced_set_stamps(wait->posted);
    if (wait->blocking)
        client_set_nonblocking(false);
    bed_run(bed, NULL);
    unsigned taken = wait->receive(bed, run->datagrams, first, deadline(run), ticks);
    bed_silence(bed);
    if (wait->blocking)
        client_set_nonblocking(true);
    paced_set_stamps(false);
    slice_drain(bed, wait->side, received + taken);
    return taken;
}

static unsigned run_floor(struct latency_run *run, uint64_t *ticks)
{
    struct bed *bed = run->bed;
    uint64_t received = side_floor.delivered(bed);

    bed_run(bed, floor_stamping_step);
    unsigned taken = floor_receive_paced(bed, run->datagrams, deadline(run), ticks);
    bed_silence(bed);
    slice_drain(bed, &side_floor, received + taken);
    return taken;
}

/* Add what was measured of a slice to what there is. */
static void keep(struct latency_run *run, unsigned slice, unsigned series, const uint64_t *ticks,
                 unsigned taken)
{
    struct histogram *of_slice = calloc(1, sizeof *of_slice);

    if (of_slice == NULL)
        bed_fail("out of memory");
    run->lost[series] += run->datagrams - taken;
    for (unsigned i = run->warm_up; i < taken; i++)
        histogram_add(of_slice, ticks[i]);
    if (of_slice->samples != 0)
        pairs_set(&run->p50, slice, series, histogram_quantile(of_slice, 0.5));
    histogram_merge(&run->histograms[series], of_slice);
    free(of_slice);
}

static void run_slices(struct latency_run *run, struct report *report)
{
    struct bed *bed = run->bed;
    uint64_t *ticks = calloc(run->datagrams, sizeof *ticks);

    if (ticks == NULL)
        bed_fail("out of memory");
    client_set_timeout(call_patience_ms(run));
    paced_install(bed, true);
    uint64_t preemptions = bed_preemptions();
    for (unsigned i = 0; i < bed->options->slices; i++) {
        paced_prepare(bed, run->rate, run->datagrams);
        keep(run, i, LATENCY_WIRERX, ticks, run_wirerx(run, ticks));
        paced_prepare(bed, run->rate, run->datagrams);
        keep(run, i, LATENCY_FLOOR, ticks, run_floor(run, ticks));
        bare_run(bed, bed->options->slice_ms, &run->histograms[LATENCY_BARE]);
    }
    report->preemptions = (unsigned)(bed_preemptions() - preemptions);
    paced_install(bed, false);
    free(ticks);
}

/* --- before and after ------------------------------------------------------------------------------ */

static double measure_capacity(struct bed *bed, const struct side *side)
{
    double rates[CAPACITY_SLICES];

    for (unsigned i = 0; i < CAPACITY_SLICES; i++) {
        struct slice slice =
            slice_run(bed, side, RTE_MIN(bed->options->slice_ms, CAPACITY_SLICE_MS));

        rates[i] = slice_rate(&slice);
    }
    return spread_of(rates, CAPACITY_SLICES).median;
}

static double wanted_rate(const struct latency_run *run)
{
    const struct bench_options *options = run->bed->options;

    if (options->load != 0)
        return run->capacity * options->load / 100;
    return options->rate != 0 ? options->rate
                              : RTE_MIN(DEFAULT_RATE, run->capacity * LATENCY_UNSTATED_LOAD);
}

/* Rate and length of the slices. Sets the reason when this pace would say nothing about latency. */
static void choose_pace(struct latency_run *run)
{
    const struct bench_options *options = run->bed->options;

    run->capacity = measure_capacity(run->bed, run->wait->side);
    run->floor_capacity = measure_capacity(run->bed, &side_floor);
    run->rate = wanted_rate(run);
    if (run->rate < 1 ||
        (options->load == 0 && run->rate > run->capacity * LATENCY_UNSTATED_LOAD)) {
        snprintf(run->reason, sizeof run->reason,
                 "%.0f datagrams a second is more than a tenth of the capacity measured here, "
                 "%.0f; --load states it",
                 run->rate, run->capacity);
        return;
    }
    double datagrams = run->rate * options->slice_ms / 1000;
    if (datagrams > SLICE_MAXIMUM_DATAGRAMS) {
        snprintf(run->reason, sizeof run->reason,
                 "%.0f datagrams in a slice are more than %.0f: shorter slices, or a lower rate",
                 datagrams, SLICE_MAXIMUM_DATAGRAMS);
        return;
    }
    run->datagrams = RTE_MAX((unsigned)datagrams, SLICE_MINIMUM_DATAGRAMS);
    run->warm_up = (unsigned)(run->datagrams * SLICE_WARM_UP);
}

static void measure(struct latency_run *run, struct report *report)
{
    run_slices(run, report);
    report->ratio = pairs_ratio(&run->p50, LATENCY_WIRERX, LATENCY_FLOOR);
    if (report->ratio.median > 0) {
        struct spread bare = pairs_spread(&run->p50, LATENCY_FLOOR);

        report->floor_noise = spread_relative(&bare);
    } else {
        snprintf(run->reason, sizeof run->reason, "no pair of slices received its datagrams");
    }
}

static int run(const struct bench_options *given)
{
    struct bench_options options = *given;
    struct bed bed;
    struct latency_run latency = {.bed = &bed, .wait = given->wait};
    struct report report = {.bed = &bed};

    if (options.spin_us < 0)
        options.spin_us = (int)latency.wait->spin_us;
    if (bed_start(&bed, &options) != 0 || client_open(&bed) != 0)
        return BENCH_REFUSED;
    client_set_wait_spin((unsigned)options.spin_us);
    latency.histograms = calloc(LATENCY_SERIES, sizeof *latency.histograms);
    if (latency.histograms == NULL)
        bed_fail("out of memory");
    pairs_create(&latency.p50, LATENCY_SERIES, options.slices);
    if (latency.wait->side->begin != NULL)
        latency.wait->side->begin(&bed);
    choose_pace(&latency);
    if (latency.reason[0] == '\0')
        measure(&latency, &report);
    report.load_at_end = bed_load();
    client_close();
    if (latency.wait->side->end != NULL)
        latency.wait->side->end(&bed);
    report.missing_buffers = bed_stop(&bed);
    client_cleanup();
    if (options.json)
        latency_print_json(&report, &latency);
    else
        latency_print_text(&report, &latency);
    pairs_free(&latency.p50);
    free(latency.histograms);
    return report.missing_buffers == 0 ? BENCH_OK : BENCH_FAILED;
}

static void defaults(struct bench_options *options)
{
    options->posted = 16;
}

static int check(const struct bench_options *options)
{
    const struct wait *wait = options->wait;
    unsigned most = wait->side->most_outstanding;

    if (options->rate != 0 && options->load != 0)
        return options_wrong("--rate and --load: one of them");
    if (wait->posted && options->payload < PACED_STAMP_BYTES)
        return options_wrong("--payload %u: with --wait %s each carries a time of %u bytes",
                             options->payload, wait->name, PACED_STAMP_BYTES);
    if (most != 0 && options->sockets * options->posted > most)
        return options_wrong("--posted: %u on each of %u sockets are more than the %u that one "
                             "thread's completion routines may be",
                             options->posted, options->sockets, most);
    return 0;
}

const struct command command_latency = {
    .name = "latency",
    .help = "from the burst to the client, at a stated pace",
    .options = OPTIONS_OF_SLICES | OPTION_RATE | OPTION_LOAD | OPTION_WAIT | OPTION_SPIN_US |
               OPTION_POSTED,
    .defaults = defaults,
    .check = check,
    .run = run,
};
