/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include <jansson.h>
#include <stdio.h>

static const struct {
    const char *name;
    double quantile;
} late_rows[] = {{"p50", 0.5}, {"p99", 0.99}, {"p99_9", 0.999}};

#define LATE_ROWS (sizeof late_rows / sizeof late_rows[0])

static const char *end_of(const struct gen_run *run, const struct gen_options *options)
{
    if (run->stuck)
        return "stuck";
    if (run->interrupted)
        return "interrupted";
    return options->count != 0 && options->duration_ms == 0 ? "count" : "duration";
}

static double rate_of(uint64_t sent, uint64_t first_ns, uint64_t last_ns)
{
    return sent > 1 && last_ns > first_ns ? (double)(sent - 1) * 1e9 / (double)(last_ns - first_ns)
                                          : 0;
}

/* GROUP:PORT of a stream. */
static void stream_name(const struct gen_options *options, unsigned line, unsigned stream,
                        char *text, size_t size)
{
    uint32_t to = options->to[line];
    unsigned port = options->port[line];

    if (to >> 28 == 0xe)
        to += stream;
    else
        port += stream;
    snprintf(text, size, "%u.%u.%u.%u:%u", to >> 24, to >> 16 & 0xff, to >> 8 & 0xff, to & 0xff,
             port);
}

void gen_report_text(const struct gen_run *run, const struct gen_devices *devices,
                     const struct gen_options *options)
{
    printf("wirerx-gen: pattern %s, %u stream%s on %u line%s; ended: %s\n\n",
           gen_pattern_name(options->pattern), options->streams, options->streams == 1 ? "" : "s",
           options->lines, options->lines == 1 ? "" : "s", end_of(run, options));
    printf("%-24s %14llu frames in %.3f s, %.3f Gb/s of payload\n", "sent",
           (unsigned long long)run->sent, run->seconds,
           run->seconds > 0 ? (double)run->payload_bytes * 8 / run->seconds / 1e9 : 0);
    for (unsigned i = 0; i < devices->count; i++) {
        const struct gen_device *device = &devices->rows[i];

        if (device->counts)
            printf("%-24s %14llu sent, %llu errors, by its own figures\n", device->text,
                   (unsigned long long)device->sent, (unsigned long long)device->errors);
        else
            printf("%-24s %14s\n", device->text, "keeps no figures");
    }
    printf("\n%-12s %12s %14s   late in us: %8s %8s %8s %8s\n", "step", "frames", "frames/s", "p50",
           "p99", "p99.9", "max");
    for (unsigned i = 0; i < options->steps; i++) {
        const struct gen_step *step = &run->steps[i];

        if (options->rates[i] == 0)
            printf("%-12s", "unpaced");
        else
            printf("%-12.0f", options->rates[i]);
        printf(" %12llu %14.0f              ", (unsigned long long)step->sent,
               rate_of(step->sent, step->first_ns, step->last_ns));
        for (size_t q = 0; q < LATE_ROWS; q++)
            printf(" %8.1f", (double)latency_quantile(&step->late, late_rows[q].quantile) / 1000);
        printf(" %8.1f\n", (double)step->late.maximum / 1000);
    }
    if (run->stuck)
        printf("\nThe device took no more frames.\n");
}

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *steps_json(const struct gen_run *run, const struct gen_options *options)
{
    json_t *array = json_array();

    for (unsigned i = 0; i < options->steps; i++) {
        const struct gen_step *step = &run->steps[i];
        json_t *object = json_object(), *late = json_object();

        json_object_set_new(object, "rate",
                            options->rates[i] != 0 ? json_real(options->rates[i]) : json_null());
        json_object_set_new(object, "sent", number(step->sent));
        json_object_set_new(object, "frames_per_second",
                            json_real(rate_of(step->sent, step->first_ns, step->last_ns)));
        for (size_t q = 0; q < LATE_ROWS; q++)
            json_object_set_new(late, late_rows[q].name,
                                number(latency_quantile(&step->late, late_rows[q].quantile)));
        json_object_set_new(late, "max", number(step->late.maximum));
        json_object_set_new(object, "late_ns", late);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *streams_json(const struct gen_run *run, const struct gen_options *options)
{
    json_t *array = json_array();
    char to[32];

    for (unsigned line = 0; line < options->lines; line++)
        for (unsigned stream = 0; stream < options->streams; stream++) {
            stream_name(options, line, stream, to, sizeof to);
            json_array_append_new(array,
                                  json_pack("{s:s, s:s, s:i, s:I}", "to", to, "line",
                                            line == 0 ? "A" : "B", "stream", (int)stream, "sent",
                                            (json_int_t)run->sent_by_stream[line][stream]));
        }
    return array;
}

static json_t *devices_json(const struct gen_devices *devices)
{
    json_t *array = json_array();

    for (unsigned i = 0; i < devices->count; i++) {
        const struct gen_device *device = &devices->rows[i];
        json_t *object = json_object();

        json_object_set_new(object, "device", json_string(device->text));
        json_object_set_new(object, "sent", device->counts ? number(device->sent) : json_null());
        json_object_set_new(object, "errors",
                            device->counts ? number(device->errors) : json_null());
        json_array_append_new(array, object);
    }
    return array;
}

void gen_report_json(const struct gen_run *run, const struct gen_devices *devices,
                     const struct gen_options *options)
{
    json_t *object = json_object();

    json_object_set_new(object, "sent", number(run->sent));
    json_object_set_new(object, "sent_bytes", number(run->bytes));
    json_object_set_new(object, "seconds", json_real(run->seconds));
    json_object_set_new(object, "ended", json_string(end_of(run, options)));
    json_object_set_new(object, "generator", json_string("wirerx-gen"));
    json_object_set_new(object, "version", json_string(WIRERX_VERSION));
    json_object_set_new(object, "pattern", json_string(gen_pattern_name(options->pattern)));
    json_object_set_new(object, "seed", number(options->seed));
    json_object_set_new(object, "run", number(run->id));
    json_object_set_new(object, "lines", number(options->lines));
    json_object_set_new(object, "skew_us", number(options->skew_us));
    json_object_set_new(object, "burst",
                        options->pattern != GEN_RATE ? number(options->burst) : json_null());
    json_object_set_new(object, "every_us",
                        options->pattern == GEN_BURST ? number(options->every_us) : json_null());
    json_object_set_new(object, "devices", devices_json(devices));
    json_object_set_new(object, "steps", steps_json(run, options));
    json_object_set_new(object, "streams", streams_json(run, options));
    json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(object);
}
