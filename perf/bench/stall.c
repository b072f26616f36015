/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * How long does a datagram wait behind the completions of another socket? In every cycle the source brings
 * `posted` datagrams for one socket back to back, 64 KB of them unless told otherwise, and right behind
 * them one for another, on which the client spins. The first socket's are completed into receives that
 * were posted; or they only go to its ring; or they do not come at all. The clock runs from the first
 * frame that the lcore is given to the return of the other socket's WSPRecv.
 */

#include <math.h>
#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_pause.h>
#include <stdio.h>
#include <stdlib.h>

#include "burst.h"
#include "capture.h"
#include "client.h"
#include "command.h"
#include "pairs.h"
#include "receive.h"
#include "report.h"

/** What the datagrams of a cycle may take before the run is given up. */
#define PATIENCE_MS 2000.0

/** From the beginning of one cycle to that of the next, if it is over by then. */
#define CYCLE_MS 1.0

#define MOST_POSTED 256u
#define RING_SLOTS 512u

/** The client has this long to begin to wait. */
#define LEAD_MS 0.02

enum {
    POSTED,
    QUEUED,
    ALONE,
    SERIES
};

static const char *const names[SERIES] = {"posted", "queued", "alone"};
static const char *const titles[SERIES] = {"completed into posted receives",
                                           "put in the first socket's ring", "none before it"};

static const struct {
    const char *name;
    double fraction;
} quantiles[] = {{"p50", 0.5}, {"p99", 0.99}, {"p99_9", 0.999}, {"max", 1}};

#define QUANTILES (sizeof quantiles / sizeof quantiles[0])

/* Joined to all groups of the capture but one, and to that one. */
enum {
    BUSY,
    OTHER,
    SOCKETS
};

struct results {
    unsigned cycles;       /* of a slice */
    double *ticks[SERIES]; /* of all slices */
    struct pairs p50, p99; /* by slice, ticks */
};

static int compare(const void *a, const void *b)
{
    const double *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

static double quantile(const double *sorted, size_t count, double fraction)
{
    size_t rank = (size_t)ceil(fraction * (double)count);

    return sorted[rank == 0 ? 0 : rank - 1];
}

/* --- slices ----------------------------------------------------------------------------------------------- */

static void receive(const struct bed *bed, unsigned socket, WSABUF *buffer)
{
    DWORD received, flags = 0;
    int error;

    if (client.provider.lpWSPRecv(client.sockets[socket], buffer, 1, &received, &flags, NULL, NULL,
                                  NULL, &error) != 0)
        bed_fail("WSPRecv fails with Winsock error %d", error);
    if (received != bed->options->payload)
        bed_fail("WSPRecv returns %u bytes instead of %u", received, bed->options->payload);
}

/* Take what has come for the busy socket. It is there, or the lcore is at it. */
static void collect(const struct bed *bed, unsigned series, struct operations *operations)
{
    uint64_t deadline = rte_rdtsc() + bed_ticks(bed, PATIENCE_MS);

    for (unsigned i = 0; series != ALONE && i < bed->options->posted; i++) {
        struct operation *operation = &operations->rows[i];
        uint64_t status;

        if (series == QUEUED) {
            receive(bed, BUSY, &operation->buffer);
            continue;
        }
        do {
            status = __atomic_load_n(&operation->overlapped.Internal, __ATOMIC_ACQUIRE);
            rte_pause();
        } while (status == WSS_OPERATION_IN_PROGRESS && rte_rdtsc() < deadline);
        operation_check(operation, status, operation->overlapped.InternalHigh);
    }
}

/* @return ticks from the first frame to the return of the other socket's WSPRecv */
static double run_cycle(const struct bed *bed, unsigned series, struct operations *operations,
                        uint64_t due)
{
    static uint8_t payload[CAPTURE_PAYLOAD_ROOM];
    WSABUF buffer = {.len = bed->options->payload, .buf = (char *)payload};
    unsigned posted = bed->options->posted;

    for (unsigned i = 0; series == POSTED && i < posted; i++)
        operation_post(&operations->rows[i]);
    burst_ask(RTE_MAX(due, rte_rdtsc() + bed_ticks(bed, LEAD_MS)), series == ALONE ? posted : 0);
    receive(bed, OTHER, &buffer);
    uint64_t now = rte_rdtsc();
    collect(bed, series, operations);
    return (double)(now - burst_began());
}

static void run_slice(struct bed *bed, struct results *results, unsigned slice, unsigned series,
                      struct operations *operations)
{
    double *ticks = results->ticks[series] + (size_t)slice * results->cycles;
    uint64_t received = bed_delivered(bed) + (uint64_t)results->cycles *
                                                 (series == ALONE ? 1 : bed->options->posted + 1);
    uint64_t due = rte_rdtsc();

    bed_run(bed, NULL);
    for (unsigned c = 0; c < results->cycles; c++) {
        due += bed_ticks(bed, CYCLE_MS);
        ticks[c] = run_cycle(bed, series, operations, due);
    }
    bed_silence(bed);
    if (bed_delivered(bed) != received)
        bed_fail("%s: not what was asked for has been delivered", names[series]);
    qsort(ticks, results->cycles, sizeof *ticks, compare);
    pairs_set(&results->p50, slice, series, quantile(ticks, results->cycles, 0.5));
    pairs_set(&results->p99, slice, series, quantile(ticks, results->cycles, 0.99));
}

/* --- the report --------------------------------------------------------------------------------------------- */

static double nanoseconds(const struct report *report, double ticks)
{
    return ticks * 1e9 / report->bed->ticks_per_second;
}

static double total_quantile(const struct report *report, const struct results *results,
                             unsigned series, double fraction)
{
    size_t samples = (size_t)results->cycles * report->bed->options->slices;

    return nanoseconds(report, quantile(results->ticks[series], samples, fraction));
}

static void print_ratio(const char *what, const struct spread *ratio)
{
    printf("%s: %.3f (quartiles %.3f and %.3f, range %.3f to %.3f)\n", what, ratio->median,
           ratio->low, ratio->high, ratio->minimum, ratio->maximum);
}

static void print_text(const struct report *report, const struct results *results)
{
    const struct bench_options *options = report->bed->options;
    struct spread p50 = pairs_ratio(&results->p50, POSTED, QUEUED);
    struct spread p99 = pairs_ratio(&results->p99, POSTED, QUEUED);

    report_text_head(report);
    printf(
        "%u datagrams for one socket, %u bytes in all, and then one for the other, on which the\n"
        "client spins; nanoseconds from the first frame to its return, when the first socket's "
        "are\n\n",
        options->posted, options->posted * options->payload);
    printf("%-34s", "");
    for (size_t q = 0; q < QUANTILES; q++)
        printf(" %9s", quantiles[q].name);
    for (unsigned s = 0; s < SERIES; s++) {
        printf("\n%-34s", titles[s]);
        for (size_t q = 0; q < QUANTILES; q++)
            printf(" %9.0f", total_quantile(report, results, s, quantiles[q].fraction));
    }
    putchar('\n');
    putchar('\n');
    print_ratio("completed by queued, p50", &p50);
    print_ratio("completed by queued, p99", &p99);
    report_text_tail(report);
}

static void print_json(const struct report *report, const struct results *results)
{
    struct spread p50 = pairs_ratio(&results->p50, POSTED, QUEUED);
    struct spread p99 = pairs_ratio(&results->p99, POSTED, QUEUED);
    json_t *object = report_json(report), *figures = json_object();

    json_object_set_new(object, "ratio_to_queued", json_real(p50.median));
    json_object_set_new(object, "ratio_to_queued_spread", report_json_spread(&p50));
    json_object_set_new(object, "ratio_to_queued_p99", json_real(p99.median));
    json_object_set_new(object, "ratio_to_queued_p99_spread", report_json_spread(&p99));
    json_object_set_new(object, "posted", json_integer(report->bed->options->posted));
    for (unsigned s = 0; s < SERIES; s++) {
        json_t *row = json_object();

        for (size_t q = 0; q < QUANTILES; q++)
            json_object_set_new(
                row, quantiles[q].name,
                json_real(total_quantile(report, results, s, quantiles[q].fraction)));
        json_object_set_new(
            row, "samples",
            json_integer((json_int_t)results->cycles * report->bed->options->slices));
        json_object_set_new(figures, names[s], row);
    }
    json_object_set_new(object, "latency_ns", figures);
    report_json_print(object);
}

/* --- all of it ------------------------------------------------------------------------------------------------ */

static void prepare(struct bed *bed, struct results *results, struct operations *operations)
{
    const struct bench_options *options = bed->options;
    size_t samples;

    results->cycles = RTE_MAX(1u, (unsigned)(options->slice_ms / CYCLE_MS));
    samples = (size_t)results->cycles * options->slices;
    for (unsigned s = 0; s < SERIES; s++) {
        results->ticks[s] = calloc(samples, sizeof(double));
        if (results->ticks[s] == NULL)
            bed_fail("out of memory");
    }
    pairs_create(&results->p50, SERIES, options->slices);
    pairs_create(&results->p99, SERIES, options->slices);
    operations_prepare(operations, bed, NULL);
    for (unsigned group = OTHER + 1; group <= options->posted; group++)
        client_join(BUSY, group);
    client_set_nonblocking(false);
    client_set_timeout(PATIENCE_MS);
    /* Beginning behind the other socket's group: then its datagram comes last. */
    burst_install(bed, options->posted + 1, OTHER + 1);
}

static void finish(struct bed *bed, struct results *results, struct report *report)
{
    size_t samples = (size_t)results->cycles * bed->options->slices;
    struct spread alone = pairs_spread(&results->p50, ALONE);

    report->floor_noise = spread_relative(&alone);
    for (unsigned s = 0; s < SERIES; s++)
        qsort(results->ticks[s], samples, sizeof(double), compare);
    if (bed->options->json)
        print_json(report, results);
    else
        print_text(report, results);
    for (unsigned s = 0; s < SERIES; s++)
        free(results->ticks[s]);
    pairs_free(&results->p50);
    pairs_free(&results->p99);
}

static int run(const struct bench_options *options)
{
    struct bench_options groups = *options;
    struct operations operations;
    struct bed bed;
    struct report report = {.bed = &bed, .noise_of = "slices with nothing before it"};
    struct results results = {0};

    groups.sockets = options->posted + 1; /* as many groups as in a burst */
    groups.ring_slots = RING_SLOTS;
    if (bed_start(&bed, &groups) != 0)
        return BENCH_REFUSED;
    bed.options = options;
    if (client_open(&bed) != 0)
        return BENCH_REFUSED;
    prepare(&bed, &results, &operations);
    uint64_t preemptions = bed_preemptions();
    for (unsigned i = 0; i < options->slices; i++)
        for (unsigned s = 0; s < SERIES; s++)
            run_slice(&bed, &results, i, s, &operations);
    report.preemptions = (unsigned)(bed_preemptions() - preemptions);
    report.load_at_end = bed_load();
    burst_remove(&bed);
    client_close();
    report.missing_buffers = bed_stop(&bed);
    client_cleanup();
    operations_free(&operations);
    finish(&bed, &results, &report);
    return report.missing_buffers == 0 ? BENCH_OK : BENCH_FAILED;
}

static void defaults(struct bench_options *options)
{
    options->sockets = SOCKETS;
    options->payload = 1024;
}

static int check(const struct bench_options *options)
{
    if (options->posted <= MOST_POSTED)
        return 0;
    return options_wrong("--posted %u: more than %u, each in a group of its own", options->posted,
                         MOST_POSTED);
}

const struct command command_stall = {
    .name = "stall",
    .help = "what a datagram waits behind 64 KB of another socket's posted receives",
    .options = OPTION_PAYLOAD | OPTION_SLICES | OPTION_SLICE_MS | OPTION_POSTED | OPTION_CHECKSUMS |
               OPTION_CORE | OPTION_CLIENT | OPTION_JSON,
    .defaults = defaults,
    .check = check,
    .run = run,
};
