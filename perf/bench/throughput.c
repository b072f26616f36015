/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "client.h"
#include "command.h"
#include "report.h"
#include "slices.h"

/* The slices of one side, and what comes of them. */
struct series {
    const char *name;
    const struct side *side;
    struct slice *slices;
    struct spread rate;
    double drop_share; /* of what found its way to this side's rings */
};

enum {
    WIRERX,
    FLOOR,
    SERIES
};

static double gigabits(const struct bench_options *options, double rate)
{
    return rate * options->payload * 8 / 1e9;
}

static void evaluate(struct series *series, unsigned count)
{
    double *rates = calloc(count, sizeof *rates);
    uint64_t datagrams = 0, dropped = 0;

    if (rates == NULL)
        bed_fail("out of memory");
    for (unsigned i = 0; i < count; i++) {
        rates[i] = slice_rate(&series->slices[i]);
        datagrams += series->slices[i].datagrams;
        dropped += series->slices[i].dropped;
    }
    series->rate = spread_of(rates, count);
    if (datagrams + dropped != 0)
        series->drop_share = (double)dropped / (double)(datagrams + dropped);
    free(rates);
}

static struct spread ratios_of(const struct series *series, unsigned count)
{
    double *ratios = calloc(count, sizeof *ratios);

    if (ratios == NULL)
        bed_fail("out of memory");
    for (unsigned i = 0; i < count; i++) {
        double bare = slice_rate(&series[FLOOR].slices[i]);

        ratios[i] = bare > 0 ? slice_rate(&series[WIRERX].slices[i]) / bare : 0;
    }
    struct spread spread = spread_of(ratios, count);
    free(ratios);
    return spread;
}

static void print_text(const struct report *report, const struct series *series)
{
    const struct bench_options *options = report->bed->options;

    report_text_head(report);
    printf("%-16s %14s %14s %10s %10s\n", "", "datagrams/s", "payload Gb/s", "dropped", "spread");
    for (unsigned i = 0; i < SERIES; i++) {
        const struct series *row = &series[i];
        char name[32];

        snprintf(name, sizeof name, i == WIRERX ? "wirerx, %s" : "%s",
                 i == WIRERX ? row->side->name : row->name);
        printf("%-16s %14.0f %14.3f %9.1f%% %9.1f%%\n", name, row->rate.median,
               gigabits(options, row->rate.median), row->drop_share * 100,
               spread_relative(&row->rate) * 100);
    }
    report_text_tail(report);
}

static json_t *series_json(const struct bench_options *options, const struct series *series)
{
    json_t *object = json_object(), *slices = json_array();

    json_object_set_new(object, "datagrams_per_second", json_real(series->rate.median));
    json_object_set_new(object, "payload_gigabits_per_second",
                        json_real(gigabits(options, series->rate.median)));
    json_object_set_new(object, "drop_share", json_real(series->drop_share));
    json_object_set_new(object, "spread", report_json_spread(&series->rate));
    for (unsigned i = 0; i < options->slices; i++) {
        const struct slice *slice = &series->slices[i];

        json_array_append_new(slices, json_pack("{s:f, s:I, s:I, s:I}", "seconds", slice->seconds,
                                                "datagrams", (json_int_t)slice->datagrams,
                                                "dropped", (json_int_t)slice->dropped,
                                                "preemptions", (json_int_t)slice->preemptions));
    }
    json_object_set_new(object, "slices", slices);
    return object;
}

static void print_json(const struct report *report, const struct series *series)
{
    const struct bench_options *options = report->bed->options;
    json_t *object = report_json(report);

    json_object_set_new(object, "mode", json_string(options->mode->name));
    json_object_set_new(object, "posted", json_integer(options->posted));
    for (unsigned i = 0; i < SERIES; i++)
        json_object_set_new(object, series[i].name, series_json(options, &series[i]));
    report_json_print(object);
}

static void run_slices(struct bed *bed, struct series *series, struct report *report)
{
    for (unsigned i = 0; i < bed->options->slices; i++)
        for (unsigned s = 0; s < SERIES; s++) {
            series[s].slices[i] = slice_run(bed, series[s].side, bed->options->slice_ms);
            report->preemptions += (unsigned)series[s].slices[i].preemptions;
        }
}

static int throughput(const struct bench_options *options)
{
    struct bed bed;
    struct report report = {.bed = &bed};
    struct series series[SERIES] = {
        [WIRERX] = {.name = "wirerx", .side = options->mode},
        [FLOOR] = {.name = "floor", .side = &side_floor},
    };

    if (bed_start(&bed, options) != 0 || client_open(&bed) != 0)
        return BENCH_REFUSED;
    for (unsigned s = 0; s < SERIES; s++) {
        series[s].slices = calloc(options->slices, sizeof *series[s].slices);
        if (series[s].slices == NULL)
            bed_fail("out of memory");
    }
    if (options->mode->begin != NULL)
        options->mode->begin(&bed);
    run_slices(&bed, series, &report);
    report.load_at_end = bed_load();
    client_close();
    if (options->mode->end != NULL)
        options->mode->end(&bed);
    report.missing_buffers = bed_stop(&bed);
    client_cleanup();

    for (unsigned s = 0; s < SERIES; s++)
        evaluate(&series[s], options->slices);
    report.ratio = ratios_of(series, options->slices);
    report.floor_noise = spread_relative(&series[FLOOR].rate);
    if (options->json)
        print_json(&report, series);
    else
        print_text(&report, series);
    for (unsigned s = 0; s < SERIES; s++)
        free(series[s].slices);
    return report.missing_buffers == 0 ? BENCH_OK : BENCH_FAILED;
}

static int check(const struct bench_options *options)
{
    unsigned most = options->mode->most_outstanding;

    if (most != 0 && options->sockets * options->posted > most)
        return options_wrong("--posted: %u on each of %u sockets are more than the %u that one "
                             "thread's completion routines may be",
                             options->posted, options->sockets, most);
    return 0;
}

const struct command command_throughput = {
    .name = "throughput",
    .help = "datagrams a second, as fast as the source gives them",
    .options = OPTIONS_OF_SLICES | OPTION_MODE | OPTION_POSTED,
    .check = check,
    .run = throughput,
};
