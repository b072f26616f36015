/* SPDX-License-Identifier: BSD-3-Clause */

/* From the end of the device's burst to the client: the return of a WSPRecv that spins, beside the
 * moment at which the floor's client has the payload. One datagram at a time, at a pace that leaves
 * both threads idle most of the time; otherwise queues would be measured. */

#include <math.h>
#include <rte_common.h>
#include <rte_cycles.h>
#include <stdio.h>
#include <stdlib.h>

#include "client.h"
#include "command.h"
#include "floor.h"
#include "paced.h"
#include "report.h"
#include "slices.h"

#define DEFAULT_RATE 100000.0

/** Most of the capacity that a paced run may use. */
#define MAXIMUM_LOAD 0.10

#define CAPACITY_SLICES 3u
#define CAPACITY_SLICE_MS 100u

#define SLICE_MINIMUM_DATAGRAMS 16u
#define MAXIMUM_SAMPLES 20000000.0

/** A slice's datagrams may take this much longer than their pace says before they are given up. */
#define PATIENCE_MS 500.0

enum {
    WIRERX,
    FLOOR,
    SERIES
};

static const char *const series_names[SERIES] = {"wirerx", "floor"};

struct series {
    uint64_t *ticks; /* of all slices, one after the other */
    uint64_t samples;
    double *p50; /* by slice, ticks */
};

struct run {
    struct bed *bed;
    double capacity; /* datagrams a second through WSPRecv */
    double rate;
    unsigned datagrams; /* of a slice, the warm-up included */
    unsigned warm_up;   /* of these, not measured */
    uint64_t lost;      /* not received in time */
    struct series series[SERIES];
    char reason[160]; /* empty, or why there is no latency */
};

static const struct {
    const char *name;
    double fraction;
} quantiles[] = {{"p50", 0.5}, {"p99", 0.99}, {"p99_9", 0.999}, {"max", 1}};

#define QUANTILES (sizeof quantiles / sizeof quantiles[0])

static int compare(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

static uint64_t quantile(const uint64_t *sorted, uint64_t count, double fraction)
{
    uint64_t rank = (uint64_t)ceil(fraction * (double)count);

    return count == 0 ? 0 : sorted[rank == 0 ? 0 : rank - 1];
}

static double nanoseconds(const struct run *run, double ticks)
{
    return ticks * 1e9 / run->bed->ticks_per_second;
}

/* --- slices --------------------------------------------------------------------------------------- */

/* @return datagrams received in time */
static unsigned run_slice(struct run *run, unsigned side, uint64_t *ticks)
{
    struct bed *bed = run->bed;
    double milliseconds = run->datagrams / run->rate * 1000 + PATIENCE_MS;
    uint64_t received = (side == WIRERX ? &side_now : &side_floor)->delivered(bed);
    unsigned taken;

    paced_prepare(bed, run->rate, run->datagrams);
    if (side == WIRERX) {
        unsigned first = paced_next_socket(bed);

        client_set_nonblocking(false);
        bed_run(bed, NULL);
        taken = client_receive_paced(bed, run->datagrams, first, ticks);
        bed_silence(bed);
        client_set_nonblocking(true);
        slice_drain(bed, &side_now, received + taken);
    } else {
        bed_run(bed, floor_stamping_step);
        taken = floor_receive_paced(bed, run->datagrams, rte_rdtsc() + bed_ticks(bed, milliseconds),
                                    ticks);
        bed_silence(bed);
        slice_drain(bed, &side_floor, received + taken);
    }
    return taken;
}

/* Keep what was measured of a slice, sorted, behind what there is. */
static void keep(struct run *run, struct series *series, unsigned slice, unsigned taken)
{
    uint64_t *ticks = series->ticks + series->samples;

    run->lost += run->datagrams - taken;
    if (taken <= run->warm_up) {
        series->p50[slice] = 0;
        return;
    }
    unsigned kept = taken - run->warm_up;
    for (unsigned i = 0; i < kept; i++)
        ticks[i] = ticks[i + run->warm_up];
    qsort(ticks, kept, sizeof *ticks, compare);
    series->p50[slice] = (double)quantile(ticks, kept, 0.5);
    series->samples += kept;
}

static void run_slices(struct run *run, struct report *report)
{
    struct bed *bed = run->bed;

    client_set_timeout(run->datagrams / run->rate * 1000 + PATIENCE_MS);
    paced_install(bed, true);
    for (unsigned i = 0; i < bed->options->slices; i++)
        for (unsigned s = 0; s < SERIES; s++) {
            struct series *series = &run->series[s];
            uint64_t preemptions = bed_preemptions();
            unsigned taken = run_slice(run, s, series->ticks + series->samples);

            keep(run, series, i, taken);
            report->preemptions += (unsigned)(bed_preemptions() - preemptions);
        }
    paced_install(bed, false);
}

/* --- before and after ------------------------------------------------------------------------------ */

static double measure_capacity(struct bed *bed)
{
    double rates[CAPACITY_SLICES];

    for (unsigned i = 0; i < CAPACITY_SLICES; i++) {
        struct slice slice =
            slice_run(bed, &side_now, RTE_MIN(bed->options->slice_ms, CAPACITY_SLICE_MS));

        rates[i] = slice_rate(&slice);
    }
    return spread_of(rates, CAPACITY_SLICES).median;
}

/* Rate and length of the slices. Sets the reason when this pace would say nothing about latency. */
static void choose_pace(struct run *run)
{
    const struct bench_options *options = run->bed->options;

    run->capacity = measure_capacity(run->bed);
    run->rate =
        options->rate != 0 ? options->rate : RTE_MIN(DEFAULT_RATE, run->capacity * MAXIMUM_LOAD);
    if (run->rate > run->capacity * MAXIMUM_LOAD || run->rate < 1) {
        snprintf(run->reason, sizeof run->reason,
                 "%.0f datagrams a second is more than a tenth of the capacity measured here, %.0f",
                 run->rate, run->capacity);
        return;
    }
    double datagrams = run->rate * options->slice_ms / 1000;
    if (datagrams * options->slices > MAXIMUM_SAMPLES) {
        snprintf(run->reason, sizeof run->reason,
                 "%.0f samples are more than %.0f: fewer or shorter slices, or a lower rate",
                 datagrams * options->slices, MAXIMUM_SAMPLES);
        return;
    }
    run->datagrams = RTE_MAX((unsigned)datagrams, SLICE_MINIMUM_DATAGRAMS);
    run->warm_up = (unsigned)(run->datagrams * SLICE_WARM_UP);
}

static void measure(struct run *run, struct report *report)
{
    unsigned slices = run->bed->options->slices;
    double *ratios = calloc(slices, sizeof *ratios);
    unsigned pairs = 0;

    for (unsigned s = 0; s < SERIES; s++) {
        run->series[s].ticks = calloc((size_t)slices * run->datagrams, sizeof(uint64_t));
        run->series[s].p50 = calloc(slices, sizeof(double));
        if (run->series[s].ticks == NULL || run->series[s].p50 == NULL || ratios == NULL)
            bed_fail("out of memory");
    }
    run_slices(run, report);
    for (unsigned i = 0; i < slices; i++)
        if (run->series[WIRERX].p50[i] > 0 && run->series[FLOOR].p50[i] > 0)
            ratios[pairs++] = run->series[WIRERX].p50[i] / run->series[FLOOR].p50[i];
    if (pairs == 0) {
        snprintf(run->reason, sizeof run->reason, "no pair of slices received its datagrams");
    } else {
        struct spread bare = spread_of(run->series[FLOOR].p50, slices);

        report->ratio = spread_of(ratios, pairs);
        report->floor_noise = spread_relative(&bare);
    }
    for (unsigned s = 0; s < SERIES; s++)
        qsort(run->series[s].ticks, run->series[s].samples, sizeof(uint64_t), compare);
    free(ratios);
}

static void print_text(const struct report *report, const struct run *run)
{
    report_text_head(report);
    printf("%.0f datagrams a second, %.1f %% of the %.0f measured here\n\n", run->rate,
           run->rate / run->capacity * 100, run->capacity);
    if (run->reason[0] != '\0') {
        printf("no latency: %s\n", run->reason);
    } else {
        printf("%-22s", "nanoseconds");
        for (size_t q = 0; q < QUANTILES; q++)
            printf(" %10s", quantiles[q].name);
        printf(" %10s\n", "samples");
        for (unsigned s = 0; s < SERIES; s++) {
            const struct series *series = &run->series[s];

            printf("%-22s", s == WIRERX ? "WSPRecv, spinning" : "floor");
            for (size_t q = 0; q < QUANTILES; q++)
                printf(" %10.0f", nanoseconds(run, (double)quantile(series->ticks, series->samples,
                                                                    quantiles[q].fraction)));
            printf(" %10llu\n", (unsigned long long)series->samples);
        }
        if (run->lost != 0)
            printf("%llu datagrams did not come in time\n", (unsigned long long)run->lost);
    }
    report_text_tail(report);
}

static json_t *series_json(const struct run *run, const struct series *series)
{
    json_t *object = json_object();

    for (size_t q = 0; q < QUANTILES; q++) {
        double ticks = (double)quantile(series->ticks, series->samples, quantiles[q].fraction);

        json_object_set_new(object, quantiles[q].name, json_real(nanoseconds(run, ticks)));
    }
    json_object_set_new(object, "samples", json_integer((json_int_t)series->samples));
    return object;
}

static void print_json(const struct report *report, const struct run *run)
{
    bool known = run->reason[0] == '\0';
    json_t *object = report_json(report), *figures = known ? json_object() : json_null();

    json_object_set_new(object, "rate", json_real(run->rate));
    json_object_set_new(object, "capacity", json_real(run->capacity));
    json_object_set_new(object, "load",
                        json_real(run->capacity > 0 ? run->rate / run->capacity : 0));
    for (unsigned s = 0; known && s < SERIES; s++)
        json_object_set_new(figures, series_names[s], series_json(run, &run->series[s]));
    json_object_set_new(object, "latency_ns", figures);
    json_object_set_new(object, "latency_reason", known ? json_null() : json_string(run->reason));
    json_object_set_new(object, "lost", json_integer((json_int_t)run->lost));
    report_json_print(object);
}

static int latency(const struct bench_options *options)
{
    struct bed bed;
    struct run run = {.bed = &bed};
    struct report report = {.bed = &bed};

    if (bed_start(&bed, options) != 0 || client_open(&bed) != 0)
        return BENCH_REFUSED;
    choose_pace(&run);
    if (run.reason[0] == '\0')
        measure(&run, &report);
    report.load_at_end = bed_load();
    client_close();
    report.missing_buffers = bed_stop(&bed);
    client_cleanup();
    if (options->json)
        print_json(&report, &run);
    else
        print_text(&report, &run);
    for (unsigned s = 0; s < SERIES; s++) {
        free(run.series[s].ticks);
        free(run.series[s].p50);
    }
    return report.missing_buffers == 0 ? BENCH_OK : BENCH_FAILED;
}

const struct command command_latency = {
    .name = "latency",
    .help = "from the burst to the return of a spinning WSPRecv, at a stated pace",
    .options = OPTIONS_OF_SLICES | OPTION_RATE,
    .run = latency,
};
