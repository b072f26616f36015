/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "client.h"
#include "command.h"
#include "lanes.h"
#include "report.h"
#include "slices.h"

/* The slices of one side, and what comes of them. */
struct series {
    const char *name;
    const struct side *side;
    unsigned lanes;       /* that take part, the first ones */
    struct slice *slices; /* of all lanes together */
    struct spread rate;
    double drop_share; /* of what found its way to this side's rings */
};

enum {
    WIRERX,
    FLOOR,
    ONE_LCORE, /* wirerx again, by the first lane alone: only where there are several */
    SERIES
};

struct run {
    struct bed lanes[BED_MAX_LANES];
    struct bench_options options[BED_MAX_LANES]; /* by lane */
    unsigned lanes_count;
    struct series series[SERIES];
    unsigned series_count;
    const struct series *current;
    struct slice slices[BED_MAX_LANES]; /* the current one's, by lane */
};

static double gigabits(const struct bench_options *options, double rate)
{
    return rate * options->payload * 8 / 1e9;
}

/* --- what comes of it ------------------------------------------------------------------------------ */

static double *allocate(unsigned count)
{
    double *values = calloc(count, sizeof *values);

    if (values == NULL)
        bed_fail("out of memory");
    return values;
}

static void evaluate(struct series *series, unsigned count)
{
    double *rates = allocate(count);
    uint64_t datagrams = 0, dropped = 0;

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

static struct spread ratios_of(const struct run *run, unsigned by, unsigned count)
{
    double *ratios = allocate(count);

    for (unsigned i = 0; i < count; i++) {
        double divisor = slice_rate(&run->series[by].slices[i]);

        ratios[i] = divisor > 0 ? slice_rate(&run->series[WIRERX].slices[i]) / divisor : 0;
    }
    struct spread spread = spread_of(ratios, count);
    free(ratios);
    return spread;
}

static void print_text(const struct report *report, const struct run *run)
{
    const struct bench_options *options = report->bed->options;

    report_text_head(report);
    for (unsigned i = 0; run->lanes_count > 1 && i < run->lanes_count; i++)
        printf("lcore on CPU %u, its client on CPU %u: %u sockets%s", run->lanes[i].lcore_cpu,
               run->lanes[i].client_cpu, run->options[i].sockets,
               i + 1 < run->lanes_count ? "\n" : "\n\n");
    printf("%-26s %14s %14s %10s %10s\n", "", "datagrams/s", "payload Gb/s", "dropped", "spread");
    for (unsigned i = 0; i < run->series_count; i++) {
        const struct series *row = &run->series[i];
        char name[32];

        snprintf(name, sizeof name, i == FLOOR ? "%s" : "wirerx, %s%s", row->side->name,
                 i == ONE_LCORE ? ", one lcore" : "");
        printf("%-26s %14.0f %14.3f %9.1f%% %9.1f%%\n", name, row->rate.median,
               gigabits(options, row->rate.median), row->drop_share * 100,
               spread_relative(&row->rate) * 100);
    }
    if (run->series_count > ONE_LCORE) {
        struct spread ratio = ratios_of(run, ONE_LCORE, options->slices);

        printf("\n%u lcores by one: %.3f (quartiles %.3f and %.3f, range %.3f to %.3f)\n",
               run->lanes_count, ratio.median, ratio.low, ratio.high, ratio.minimum, ratio.maximum);
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

static json_t *lanes_json(const struct run *run)
{
    json_t *array = json_array();

    for (unsigned i = 0; i < run->lanes_count; i++)
        json_array_append_new(array, json_pack("{s:I, s:I, s:I}", "lcore_cpu",
                                               (json_int_t)run->lanes[i].lcore_cpu, "client_cpu",
                                               (json_int_t)run->lanes[i].client_cpu, "sockets",
                                               (json_int_t)run->options[i].sockets));
    return array;
}

static void print_json(const struct report *report, const struct run *run)
{
    const struct bench_options *options = report->bed->options;
    json_t *object = report_json(report);

    json_object_set_new(object, "mode", json_string(options->mode->name));
    json_object_set_new(object, "posted", json_integer(options->posted));
    json_object_set_new(object, "lcores", lanes_json(run));
    if (run->series_count > ONE_LCORE) {
        struct spread ratio = ratios_of(run, ONE_LCORE, options->slices);

        json_object_set_new(object, "ratio_to_one_lcore", json_real(ratio.median));
        json_object_set_new(object, "ratio_to_one_lcore_spread", report_json_spread(&ratio));
    }
    for (unsigned i = 0; i < run->series_count; i++)
        json_object_set_new(object, run->series[i].name, series_json(options, &run->series[i]));
    report_json_print(object);
}

/* --- slices ----------------------------------------------------------------------------------------- */

static int run_slice(struct bed *bed, void *argument)
{
    struct run *run = argument;

    if (bed->lane < run->current->lanes)
        run->slices[bed->lane] = slice_run(bed, run->current->side, bed->options->slice_ms);
    return 0;
}

/* Their rates add up, as they were measured at the same time. */
static struct slice sum(const struct slice *slices, unsigned count)
{
    struct slice sum = slices[0];
    double rate = slice_rate(&slices[0]);

    for (unsigned i = 1; i < count; i++) {
        sum.datagrams += slices[i].datagrams;
        sum.dropped += slices[i].dropped;
        sum.preemptions += slices[i].preemptions;
        rate += slice_rate(&slices[i]);
    }
    if (rate > 0)
        sum.seconds = (double)sum.datagrams / rate;
    return sum;
}

static void run_slices(struct run *run, unsigned slices, struct report *report)
{
    for (unsigned i = 0; i < slices; i++)
        for (unsigned s = 0; s < run->series_count; s++) {
            struct series *series = &run->series[s];

            run->current = series;
            lanes_together(run_slice, run);
            series->slices[i] = sum(run->slices, series->lanes);
            report->preemptions += (unsigned)series->slices[i].preemptions;
        }
    for (unsigned i = 0; i < run->lanes_count; i++)
        if (bed_handed_over(&run->lanes[i]) != 0)
            bed_fail("lcore %u has handed datagrams over to another", i);
}

/* --- before and after ------------------------------------------------------------------------------- */

static int open_lane(struct bed *bed, void *argument)
{
    (void)argument;
    if (client_open(bed) != 0)
        return -1;
    if (bed->options->mode->begin != NULL)
        bed->options->mode->begin(bed);
    return 0;
}

static int close_lane(struct bed *bed, void *argument)
{
    (void)argument;
    client_close_of(bed);
    if (bed->options->mode->end != NULL)
        bed->options->mode->end(bed);
    return 0;
}

static int clean_up_lane(struct bed *bed, void *argument)
{
    (void)argument;
    client_cleanup_of(bed);
    return 0;
}

static void prepare(struct run *run, const struct bench_options *options)
{
    unsigned lanes = options->lcores;

    lanes_share_sockets(run->options, options, lanes);
    run->lanes_count = lanes;
    run->series[WIRERX] = (struct series){.name = "wirerx", .side = options->mode, .lanes = lanes};
    run->series[FLOOR] = (struct series){.name = "floor", .side = &side_floor, .lanes = lanes};
    run->series[ONE_LCORE] =
        (struct series){.name = "one_lcore", .side = options->mode, .lanes = 1};
    run->series_count = lanes > 1 ? SERIES : ONE_LCORE;
    for (unsigned s = 0; s < run->series_count; s++) {
        run->series[s].slices = calloc(options->slices, sizeof *run->series[s].slices);
        if (run->series[s].slices == NULL)
            bed_fail("out of memory");
    }
}

static int throughput(const struct bench_options *options)
{
    static struct run run;

    prepare(&run, options);
    if (bed_start_lanes(run.lanes, run.options, run.lanes_count) != 0 ||
        lanes_start(run.lanes, run.lanes_count) != 0 || lanes_in_turn(open_lane, NULL) != 0)
        return BENCH_REFUSED;
    struct bed whole = run.lanes[0];
    struct report report = {.bed = &whole};

    whole.options = options;
    run_slices(&run, options->slices, &report);
    report.load_at_end = bed_load();
    lanes_in_turn(close_lane, NULL);
    report.missing_buffers = bed_stop_lanes(run.lanes, run.lanes_count);
    lanes_in_turn(clean_up_lane, NULL);
    lanes_stop();

    for (unsigned s = 0; s < run.series_count; s++)
        evaluate(&run.series[s], options->slices);
    report.ratio = ratios_of(&run, FLOOR, options->slices);
    report.floor_noise = spread_relative(&run.series[FLOOR].rate);
    if (options->json)
        print_json(&report, &run);
    else
        print_text(&report, &run);
    for (unsigned s = 0; s < run.series_count; s++)
        free(run.series[s].slices);
    return report.missing_buffers == 0 ? BENCH_OK : BENCH_FAILED;
}

static int check(const struct bench_options *options)
{
    unsigned most = options->mode->most_outstanding;
    unsigned sockets = (options->sockets + options->lcores - 1) / options->lcores;

    if (options->sockets < options->lcores)
        return options_wrong("--lcores %u: one socket each at least, and there are %u (--sockets)",
                             options->lcores, options->sockets);
    if (most != 0 && sockets * options->posted > most)
        return options_wrong("--posted: %u on each of %u sockets are more than the %u that one "
                             "thread's completion routines may be",
                             options->posted, sockets, most);
    return 0;
}

const struct command command_throughput = {
    .name = "throughput",
    .help = "datagrams a second, as fast as the source gives them",
    .options = OPTIONS_OF_SLICES | OPTION_LCORES | OPTION_SHARE_CPUS | OPTION_MODE | OPTION_POSTED,
    .check = check,
    .run = throughput,
};
