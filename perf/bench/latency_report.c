/* SPDX-License-Identifier: BSD-3-Clause */
#include "latency.h"

#include <stdio.h>

#include "report.h"

static const struct {
    const char *name;
    const char *title;
    double fraction;
} quantiles[] = {
    {"p50", "p50", 0.5},       {"p90", "p90", 0.9},          {"p99", "p99", 0.99},
    {"p99_9", "p99.9", 0.999}, {"p99_99", "p99.99", 0.9999},
};

#define QUANTILES (sizeof quantiles / sizeof quantiles[0])

static const char *const series_names[LATENCY_SERIES] = {"wirerx", "floor", "bare"};

static double nanoseconds(const struct latency_run *run, double ticks)
{
    return ticks * 1e9 / run->bed->ticks_per_second;
}

/* Nanoseconds; negative when there are too few samples to say. */
static double quantile(const struct latency_run *run, unsigned series, double fraction)
{
    const struct histogram *histogram = &run->histograms[series];

    if (!histogram_reaches(histogram, fraction))
        return -1;
    return nanoseconds(run, series == LATENCY_BARE ? histogram_wait_quantile(histogram, fraction)
                                                   : histogram_quantile(histogram, fraction));
}

/* --- text ------------------------------------------------------------------------------------------- */

static void print_row(const struct latency_run *run, unsigned series)
{
    const struct histogram *histogram = &run->histograms[series];

    printf("%-20s", series == LATENCY_WIRERX  ? run->wait->title
                    : series == LATENCY_FLOOR ? "floor"
                                              : "bare spin thread");
    for (size_t q = 0; q < QUANTILES; q++) {
        double value = quantile(run, series, quantiles[q].fraction);

        if (value < 0)
            printf(" %9s", "-");
        else
            printf(" %9.0f", value);
    }
    printf(" %9.0f %10llu\n", nanoseconds(run, (double)histogram->maximum),
           (unsigned long long)histogram->samples);
}

static void print_table(const struct latency_run *run)
{
    printf("%-20s", "nanoseconds");
    for (size_t q = 0; q < QUANTILES; q++)
        printf(" %9s", quantiles[q].title);
    printf(" %9s %10s\n", "max", "samples");
    for (unsigned s = 0; s < LATENCY_SERIES; s++)
        print_row(run, s);
    for (unsigned s = 0; s < LATENCY_BARE; s++)
        if (run->lost[s] != 0)
            printf("%s: %llu datagrams did not come in time\n", series_names[s],
                   (unsigned long long)run->lost[s]);
    printf(
        "Of the bare spin thread, how long who came at any moment would wait for its next look at "
        "the\nclock: what the machine takes from any thread on the client's CPU.\n");
}

void latency_print_text(const struct report *report, const struct latency_run *run)
{
    const struct bench_options *options = run->bed->options;

    report_text_head(report);
    if (run->wait->posted)
        printf("%u receives posted on each socket; ", options->posted);
    if (options->spin_us < (int)BED_SPIN_US)
        printf("a wait polls for %d us before it sleeps\n", options->spin_us);
    else
        printf("a wait polls until there is something\n");
    printf("%.0f datagrams a second: %s%.1f %% of the %.0f measured here, %.1f %% of the floor's "
           "%.0f\n\n",
           run->rate, options->load != 0 ? "stated load, " : "", run->rate / run->capacity * 100,
           run->capacity, run->rate / run->floor_capacity * 100, run->floor_capacity);
    if (run->reason[0] != '\0')
        printf("no latency: %s\n", run->reason);
    else
        print_table(run);
    report_text_tail(report);
}

/* --- JSON ------------------------------------------------------------------------------------------- */

/* [nanoseconds from which on, how many] of each bucket that has any. */
static json_t *histogram_json(const struct latency_run *run, const struct histogram *histogram)
{
    json_t *rows = json_array();

    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        if (histogram->counts[i] != 0)
            json_array_append_new(rows, json_pack("[f, I]", nanoseconds(run, histogram_low(i)),
                                                  (json_int_t)histogram->counts[i]));
    return rows;
}

static json_t *series_json(const struct latency_run *run, unsigned series)
{
    const struct histogram *histogram = &run->histograms[series];
    json_t *object = json_object();

    for (size_t q = 0; q < QUANTILES; q++) {
        double value = quantile(run, series, quantiles[q].fraction);

        json_object_set_new(object, quantiles[q].name, value < 0 ? json_null() : json_real(value));
    }
    json_object_set_new(object, "max", json_real(nanoseconds(run, (double)histogram->maximum)));
    json_object_set_new(object, "samples", json_integer((json_int_t)histogram->samples));
    json_object_set_new(object, series == LATENCY_BARE ? "gaps" : "histogram",
                        histogram_json(run, histogram));
    return object;
}

void latency_print_json(const struct report *report, const struct latency_run *run)
{
    const struct bench_options *options = run->bed->options;
    bool known = run->reason[0] == '\0';
    json_t *object = report_json(report), *figures = known ? json_object() : json_null();

    json_object_set_new(object, "wait", json_string(run->wait->name));
    json_object_set_new(object, "spin_us", json_integer(options->spin_us));
    json_object_set_new(object, "posted",
                        run->wait->posted ? json_integer(options->posted) : json_null());
    json_object_set_new(object, "rate", json_real(run->rate));
    json_object_set_new(object, "capacity", json_real(run->capacity));
    json_object_set_new(object, "floor_capacity", json_real(run->floor_capacity));
    json_object_set_new(object, "load",
                        json_real(run->capacity > 0 ? run->rate / run->capacity : 0));
    json_object_set_new(object, "load_stated", json_boolean(options->load != 0));
    for (unsigned s = 0; known && s < LATENCY_SERIES; s++)
        json_object_set_new(figures, series_names[s], series_json(run, s));
    json_object_set_new(object, "latency_ns", figures);
    json_object_set_new(object, "latency_reason", known ? json_null() : json_string(run->reason));
    json_object_set_new(object, "lost", json_integer((json_int_t)run->lost[LATENCY_WIRERX]));
    json_object_set_new(object, "floor_lost", json_integer((json_int_t)run->lost[LATENCY_FLOOR]));
    report_json_print(object);
}
