/* SPDX-License-Identifier: BSD-3-Clause */
#include "network_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

#define LABEL "veth: a wire of software in one machine, whose sender shares its CPUs"

static const struct {
    const char *name;
    double fraction;
} quantiles[] = {{"p50", 0.5}, {"p99", 0.99}, {"p99_9", 0.999}, {"p99_99", 0.9999}};

#define QUANTILES (sizeof quantiles / sizeof quantiles[0])

/* Of two series, pair by pair. */
struct ratio {
    bool known;
    struct spread spread;
};

static const struct network_row *row_named(const struct network_results *results, const char *name)
{
    for (unsigned i = 0; i < NETWORK_WAYS; i++)
        if (strcmp(results->rows[i].way->name, name) == 0)
            return &results->rows[i];
    abort();
}

/* The way that stands for wirerx: over AF_XDP, where this machine has it. */
static const struct network_row *subject(const struct network_results *results)
{
    const struct network_row *row = row_named(results, "wirerx_af_xdp");

    return row->count != 0 ? row : row_named(results, "wirerx_af_packet");
}

static double rate(const struct network_slice *slice)
{
    return slice->rate;
}

static double p50(const struct network_slice *slice)
{
    return slice->p50;
}

static struct ratio ratio_of(const struct network_row *row, const struct network_row *to,
                             double (*figure)(const struct network_slice *slice))
{
    unsigned pairs = row->count < to->count ? row->count : to->count, used = 0;
    struct ratio ratio = {false, {0}};
    double *values = calloc(pairs + 1, sizeof *values);

    for (unsigned i = 0; values != NULL && i < pairs; i++)
        if (figure(&row->slices[i]) > 0 && figure(&to->slices[i]) > 0)
            values[used++] = figure(&row->slices[i]) / figure(&to->slices[i]);
    if (used != 0)
        ratio = (struct ratio){true, spread_of(values, used)};
    free(values);
    return ratio;
}

static struct ratio floor_to_testpmd(const struct testpmd *results)
{
    struct ratio ratio = {false, {0}};
    double *values = calloc(results->pairs + 1, sizeof *values);

    for (unsigned i = 0; values != NULL && i < results->pairs; i++)
        values[i] = results->floor[i] / results->testpmd[i];
    if (values != NULL && results->pairs != 0)
        ratio = (struct ratio){true, spread_of(values, results->pairs)};
    free(values);
    return ratio;
}

static struct spread spread_by(const struct network_row *row,
                               double (*figure)(const struct network_slice *slice))
{
    struct spread spread = {0};
    double *values = calloc(row->count + 1, sizeof *values);

    for (unsigned i = 0; values != NULL && i < row->count; i++)
        values[i] = figure(&row->slices[i]);
    if (values != NULL && row->count != 0)
        spread = spread_of(values, row->count);
    free(values);
    return spread;
}

static double nanoseconds(double ticks)
{
    return ticks * 1e9 / network_ticks_per_second();
}

static double noise(const struct network_results *results)
{
    struct spread kernel = spread_by(row_named(results, "recv"), rate);

    return spread_relative(&kernel);
}

/* Where everything that was sent is. */
struct account {
    uint64_t sent, received, device, socket;
    int64_t unnamed;
};

static struct account account_of(const struct network_row *row)
{
    struct account account = {0};

    for (unsigned i = 0; i < row->count; i++) {
        account.sent += row->slices[i].sent;
        account.received += row->slices[i].received;
        account.device += row->slices[i].lost_device;
        account.socket += row->slices[i].lost_socket;
    }
    account.unnamed = (int64_t)(account.sent - account.received - account.device - account.socket);
    return account;
}

/* --- JSON ------------------------------------------------------------------------------------------------- */

static void set_ratio(json_t *object, const char *name, const char *spread_name,
                      const struct ratio *ratio)
{
    json_object_set_new(object, name, ratio->known ? json_real(ratio->spread.median) : json_null());
    json_object_set_new(object, spread_name,
                        ratio->known ? report_json_spread(&ratio->spread) : json_null());
}

static json_t *latency_json(const struct network_row *row)
{
    json_t *object = json_object();

    for (size_t i = 0; i < QUANTILES; i++)
        json_object_set_new(
            object, quantiles[i].name,
            histogram_reaches(row->latency, quantiles[i].fraction)
                ? json_real(nanoseconds(histogram_quantile(row->latency, quantiles[i].fraction)))
                : json_null());
    json_object_set_new(object, "max", json_real(nanoseconds((double)row->latency->maximum)));
    json_object_set_new(object, "samples", json_integer((json_int_t)row->latency->samples));
    return object;
}

static json_t *row_json(const struct network_results *results, const struct network_row *row)
{
    const struct network_row *kernel = row_named(results, "recv");
    struct account account = account_of(row);
    struct spread rates = spread_by(row, rate);
    struct ratio faster = ratio_of(subject(results), row, rate);
    struct ratio later = ratio_of(subject(results), row, p50);
    struct ratio to_kernel = ratio_of(row, kernel, rate);
    bool known = row->count != 0;
    json_t *object = json_object();

    json_object_set_new(object, "what", json_string(row->way->what));
    json_object_set_new(object, "reason",
                        row->reason[0] != '\0' ? json_string(row->reason) : json_null());
    json_object_set_new(object, "note", row->note != NULL ? json_string(row->note) : json_null());
    json_object_set_new(object, "slices", json_integer(row->count));
    json_object_set_new(object, "datagrams_per_second",
                        known ? json_real(rates.median) : json_null());
    json_object_set_new(object, "spread", known ? report_json_spread(&rates) : json_null());
    json_object_set_new(object, "latency_ns", known ? latency_json(row) : json_null());
    set_ratio(object, "ratio_to_kernel", "ratio_to_kernel_spread", &to_kernel);
    set_ratio(object, "wirerx_ratio", "wirerx_ratio_spread", &faster);
    set_ratio(object, "wirerx_latency_ratio", "wirerx_latency_ratio_spread", &later);
    json_object_set_new(object, "sent",
                        known ? json_integer((json_int_t)account.sent) : json_null());
    json_object_set_new(object, "received",
                        known ? json_integer((json_int_t)account.received) : json_null());
    json_object_set_new(object, "lost",
                        known ? json_pack("{s:I, s:I, s:I}", "device", (json_int_t)account.device,
                                          "socket", (json_int_t)account.socket, "unnamed",
                                          (json_int_t)account.unnamed)
                              : json_null());
    return object;
}

static void print_json(const struct network_results *results)
{
    const struct bench_options *options = results->options;
    const struct network_row *kernel = row_named(results, "recv");
    struct ratio faster = ratio_of(subject(results), kernel, rate);
    struct ratio later = ratio_of(subject(results), kernel, p50);
    struct ratio floor = floor_to_testpmd(&results->testpmd);
    json_t *object = json_object(), *rows = json_object();

    set_ratio(object, "ratio_to_kernel", "ratio_spread", &faster);
    set_ratio(object, "latency_ratio_to_kernel", "latency_ratio_spread", &later);
    json_object_set_new(object, "ratio_of", json_string(subject(results)->way->name));
    json_object_set_new(object, "ratio_reason",
                        faster.known         ? json_null()
                        : kernel->count == 0 ? json_string(kernel->reason)
                                             : json_string(subject(results)->reason));
    set_ratio(object, "floor_to_testpmd", "floor_to_testpmd_spread", &floor);
    json_object_set_new(object, "testpmd_reason",
                        floor.known ? json_null() : json_string(results->testpmd.reason));
    json_object_set_new(object, "verdict",
                        json_string(noise(results) > REPORT_NOISE_BOUND || kernel->count < 2
                                        ? "too noisy to conclude"
                                        : "quiet enough"));
    json_object_set_new(object, "label", json_string(LABEL));
    json_object_set_new(object, "version", json_string(WIRERX_VERSION));
    json_object_set_new(object, "command", json_string("network"));
    json_object_set_new(object, "payload", json_integer(options->payload));
    json_object_set_new(object, "slice_pairs", json_integer(options->slices));
    json_object_set_new(object, "slice_ms", json_integer(options->slice_ms));
    json_object_set_new(object, "latency_rate", json_integer(results->rate));
    json_object_set_new(
        object, "spin_us",
        json_integer(options->spin_us >= 0 ? options->spin_us : (json_int_t)NETWORK_SPIN_US));
    json_object_set_new(
        object, "noise",
        json_pack("{s:f, s:f}", "kernel_spread", noise(results), "bound", REPORT_NOISE_BOUND));
    json_object_set_new(
        object, "machine",
        json_pack("{s:I, s:i, s:o, s:f, s:f}", "cpus", (json_int_t)sysconf(_SC_NPROCESSORS_ONLN),
                  "lcore_cpu", (int)results->lcore_cpu, "sender_cpu",
                  options->sender_cpu >= 0 ? json_integer(options->sender_cpu) : json_null(),
                  "load_at_start", results->load_at_start, "load_at_end", results->load_at_end));
    for (unsigned i = 0; i < NETWORK_WAYS; i++)
        json_object_set_new(rows, results->rows[i].way->name, row_json(results, &results->rows[i]));
    json_object_set_new(object, "ways", rows);
    report_json_print(object);
}

/* --- text ------------------------------------------------------------------------------------------------- */

static void print_ratio(const char *what, const struct ratio *ratio, const char *reason)
{
    if (ratio->known)
        printf("%s: %.2f (quartiles %.2f and %.2f, range %.2f to %.2f)\n", what,
               ratio->spread.median, ratio->spread.low, ratio->spread.high, ratio->spread.minimum,
               ratio->spread.maximum);
    else
        printf("%s: not known: %s\n", what, reason);
}

static void print_text(const struct network_results *results)
{
    const struct bench_options *options = results->options;
    const struct network_row *kernel = row_named(results, "recv");
    struct ratio faster = ratio_of(subject(results), kernel, rate);
    struct ratio later = ratio_of(subject(results), kernel, p50);
    struct ratio floor = floor_to_testpmd(&results->testpmd);
    const char *why = kernel->count == 0 ? kernel->reason : subject(results)->reason;

    printf("wirerx-bench network: " LABEL "\n");
    printf("%u bytes of payload; %u slices each of %u ms at %u datagrams/s and as long as fast as "
           "possible;\nlcore on CPU %u of %ld, client on another, sender ",
           options->payload, options->slices, options->slice_ms, results->rate, results->lcore_cpu,
           sysconf(_SC_NPROCESSORS_ONLN));
    if (options->sender_cpu >= 0)
        printf("on CPU %d\n\n", options->sender_cpu);
    else
        printf("wherever the scheduler puts it\n\n");
    printf("%-18s %12s %9s %9s %9s %8s %8s %8s\n", "", "datagrams/s", "p50 us", "p99 us", "max us",
           "device", "socket", "unnamed");
    for (unsigned i = 0; i < NETWORK_WAYS; i++) {
        const struct network_row *row = &results->rows[i];
        struct account account = account_of(row);
        struct spread rates = spread_by(row, rate);

        if (row->count == 0) {
            printf("%-18s none: %s\n", row->way->name, row->reason);
            continue;
        }
        printf("%-18s %12.0f %9.1f %9.1f %9.1f", row->way->name, rates.median,
               nanoseconds(histogram_quantile(row->latency, 0.5)) / 1000,
               nanoseconds(histogram_quantile(row->latency, 0.99)) / 1000,
               nanoseconds((double)row->latency->maximum) / 1000);
        printf(" %7.1f%% %7.1f%% %7.1f%%\n", (double)account.device * 100 / (double)account.sent,
               (double)account.socket * 100 / (double)account.sent,
               (double)account.unnamed * 100 / (double)account.sent);
        if (row->note != NULL)
            printf("%-18s %s\n", "", row->note);
        if (row->reason[0] != '\0')
            printf("%-18s ended after %u slices: %s\n", "", row->count, row->reason);
    }
    printf(
        "\nThe last three columns are parts of what was sent: lost at an end of the wire, at the "
        "way's own\nqueue, and nowhere that the kernel or the way counts.\n\n");
    printf("%s by recv, pair by pair:\n", subject(results)->way->name);
    print_ratio("  datagrams/s", &faster, why);
    print_ratio("  p50 of latency (lower is better)", &later, why);
    print_ratio("The floor by testpmd rxonly, net_pcap infinite_rx", &floor,
                results->testpmd.reason);
    if (noise(results) > REPORT_NOISE_BOUND || kernel->count < 2)
        printf(
            "\nToo noisy to conclude: recv's own slices are %.0f %% apart (quartiles; bound %.0f "
            "%%).\n",
            noise(results) * 100, REPORT_NOISE_BOUND * 100);
}

void network_report(const struct network_results *results)
{
    if (results->options->json)
        print_json(results);
    else
        print_text(results);
}
