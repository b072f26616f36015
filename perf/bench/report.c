/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "command.h"

/** In slices of two threads that wait for each other their number says nothing. */
#define NO_INSTRUCTIONS "perf/instructions.py counts them, on one thread"

bool report_is_noisy(const struct report *report)
{
    return report->floor_noise > REPORT_NOISE_BOUND;
}

static const char *verdict(const struct report *report)
{
    if (report->bed->options->share_cpus)
        return "CPUs are shared, no conclusion";
    return report_is_noisy(report) ? "too noisy to conclude" : "quiet enough";
}

/* "model name : ..." of the first CPU. */
static void processor(char *name, size_t size)
{
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[256];

    snprintf(name, size, "unknown");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');

        if (strncmp(line, "model name", 10) != 0 || colon == NULL)
            continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(name, size, "%s", colon + 2);
        break;
    }
    if (file != NULL)
        fclose(file);
}

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *machine(const struct report *report)
{
    const struct bed *bed = report->bed;
    json_t *object = json_object();
    char name[256];

    processor(name, sizeof name);
    json_object_set_new(object, "processor", json_string(name));
    json_object_set_new(object, "tsc_hz", json_real(bed->ticks_per_second));
    json_object_set_new(object, "lcore_cpu", number(bed->lcore_cpu));
    json_object_set_new(object, "client_cpu", number(bed->client_cpu));
    json_object_set_new(object, "load_at_start", json_real(bed->load_at_start));
    json_object_set_new(object, "load_at_end", json_real(report->load_at_end));
    return object;
}

static json_t *noise(const struct report *report)
{
    json_t *object = json_object();

    json_object_set_new(object, "floor_spread", json_real(report->floor_noise));
    json_object_set_new(object, "bound", json_real(REPORT_NOISE_BOUND));
    json_object_set_new(object, "preemptions", number(report->preemptions));
    return object;
}

json_t *report_json_spread(const struct spread *spread)
{
    json_t *object = json_object();

    json_object_set_new(object, "minimum", json_real(spread->minimum));
    json_object_set_new(object, "low", json_real(spread->low));
    json_object_set_new(object, "median", json_real(spread->median));
    json_object_set_new(object, "high", json_real(spread->high));
    json_object_set_new(object, "maximum", json_real(spread->maximum));
    return object;
}

json_t *report_json(const struct report *report)
{
    const struct bench_options *options = report->bed->options;
    bool known = report->ratio.median > 0 && isfinite(report->ratio.median);
    json_t *object = json_object();

    json_object_set_new(object, "ratio_to_floor",
                        known ? json_real(report->ratio.median) : json_null());
    json_object_set_new(object, "ratio_spread",
                        known ? report_json_spread(&report->ratio) : json_null());
    json_object_set_new(object, "verdict", json_string(verdict(report)));
    json_object_set_new(object, "label", json_string(REPORT_LABEL));
    json_object_set_new(object, "version", json_string(WIRERX_VERSION));
    json_object_set_new(object, "command", json_string(options->command->name));
    json_object_set_new(object, "sockets", number(options->sockets));
    json_object_set_new(object, "payload", number(options->payload));
    json_object_set_new(object, "slice_pairs", number(options->slices));
    json_object_set_new(object, "slice_ms", number(options->slice_ms));
    json_object_set_new(object, "ring_slots", number(report->bed->ring_slots));
    json_object_set_new(object, "floor_slots", number(report->bed->floor_slots));
    json_object_set_new(object, "checksums",
                        json_string(options->verify_checksums ? "verify" : "ignore"));
    json_object_set_new(object, "noise", noise(report));
    json_object_set_new(object, "buffers_missing", number(report->missing_buffers));
    json_object_set_new(object, "instructions_per_datagram", json_null());
    json_object_set_new(object, "instructions_reason", json_string(NO_INSTRUCTIONS));
    json_object_set_new(object, "machine", machine(report));
    return object;
}

void report_json_print(json_t *object)
{
    json_dumpf(object, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
    putchar('\n');
    json_decref(object);
}

void report_text_head(const struct report *report)
{
    const struct bed *bed = report->bed;
    const struct bench_options *options = bed->options;
    char name[256];

    processor(name, sizeof name);
    printf("wirerx-bench %s: %s\n", options->command->name, REPORT_LABEL);
    printf(
        "%u socket%s, %u bytes of payload, up to %u datagrams waiting in each, UDP checksums %s\n",
        options->sockets, options->sockets == 1 ? "" : "s", options->payload, bed->ring_slots,
        options->verify_checksums ? "verified in software" : "ignored");
    printf("%u pairs of slices of %u ms; lcore on CPU %u, client on CPU %u; %s\n\n",
           options->slices, options->slice_ms, bed->lcore_cpu, bed->client_cpu, name);
}

void report_text_tail(const struct report *report)
{
    const struct spread *ratio = &report->ratio;

    if (ratio->median > 0)
        printf("\nratio to the floor: %.3f (quartiles %.3f and %.3f, range %.3f to %.3f)\n",
               ratio->median, ratio->low, ratio->high, ratio->minimum, ratio->maximum);
    printf("instructions per datagram: %s\n", NO_INSTRUCTIONS);
    if (report->missing_buffers != 0)
        printf("%u packet buffers did not come back\n", report->missing_buffers);
    const char *result = verdict(report);

    printf(
        "%c%s: %s are %.1f %% apart (quartiles; bound %.0f %%),\nthreads were preempted %u times, "
        "load average %.1f to %.1f.\n",
        toupper((unsigned char)result[0]), result + 1,
        report->noise_of != NULL ? report->noise_of : "the floor's own slices",
        report->floor_noise * 100, REPORT_NOISE_BOUND * 100, report->preemptions,
        report->bed->load_at_start, report->load_at_end);
}
