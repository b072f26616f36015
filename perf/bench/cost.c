/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What it takes to post an overlapped receive, to complete it, and to learn of it: by polling Internal, by
 * an event, by a completion routine; beside the floor's way of handing a datagram over. One thread does
 * the work of lcore and client in turn, 32 datagrams at a time, so each part has a time of its own, and
 * no line of the cache changes its core: this is what the code takes, and not the trip.
 */

#include <rte_cycles.h>
#include <stdio.h>
#include <stdlib.h>

#include "capture.h"
#include "client.h"
#include "command.h"
#include "pairs.h"
#include "receive.h"
#include "report.h"
#include "slices.h"

/** Receives of a round: what a pass of the lcore brings. */
#define ROUND 32u

enum phase {
    POST,    /* WSPRecv, 32 times */
    PASS,    /* of the lcore: burst, classification, delivery, completion */
    COLLECT, /* the client learns of 32 completions; of the floor: it copies 32 payloads */
    PHASES
};

static const char *const phase_names[PHASES] = {"post", "pass", "collect"};

/* A way to learn of a completion. */
struct way {
    const char *name;
    const char *help;
    bool event;
    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine;
    void (*collect)(void);
};

static struct {
    struct operations all;
    struct operation rows[ROUND];
    unsigned completed; /* by routines */
} receives;

static void check(struct operation *operation)
{
    uint64_t status = __atomic_load_n(&operation->overlapped.Internal, __ATOMIC_ACQUIRE);

    operation_check(operation, status, operation->overlapped.InternalHigh);
}

static void collect_polled(void)
{
    for (unsigned i = 0; i < ROUND; i++)
        check(&receives.rows[i]);
}

static void collect_event(void)
{
    for (unsigned i = 0; i < ROUND; i++) {
        struct operation *operation = &receives.rows[i];
        DWORD bytes = 0, flags = 0;
        int error = 0;

        if (WaitForSingleObject(operation->overlapped.hEvent, 0) != WAIT_OBJECT_0)
            bed_fail("a receive has not set its event");
        if (!client.provider.lpWSPGetOverlappedResult(operation->socket, &operation->overlapped,
                                                      &bytes, FALSE, &flags, &error))
            bed_fail("WSPGetOverlappedResult fails with Winsock error %d", error);
        operation_check(operation, 0, bytes);
    }
}

static void CALLBACK completed(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags)
{
    (void)flags;
    operation_check((struct operation *)overlapped, error, bytes); /* its first member */
    receives.completed++;
}

static void collect_routine(void)
{
    receives.completed = 0;
    SleepEx(0, TRUE);
    if (receives.completed != ROUND)
        bed_fail("%u of %u completion routines have run", receives.completed, ROUND);
}

static const struct way ways[] = {
    {"polled", "Internal is polled", false, NULL, collect_polled},
    {"event", "WaitForSingleObject, WSPGetOverlappedResult", true, NULL, collect_event},
    {"apc", "a completion routine, run by SleepEx", false, completed, collect_routine},
};

#define WAYS (sizeof ways / sizeof ways[0])
#define FLOOR WAYS
#define SERIES (WAYS + 1)

static const char *name_of(unsigned series)
{
    return series == FLOOR ? "floor" : ways[series].name;
}

/* --- slices -------------------------------------------------------------------------------------- */

static void prepare(const struct way *way, unsigned payload, uint8_t *room)
{
    receives.all = (struct operations){.client = &client, .routine = way->routine};
    for (unsigned i = 0; i < ROUND; i++) {
        struct operation *operation = &receives.rows[i];

        *operation = (struct operation){
            .buffer = {.len = payload, .buf = (char *)room + (size_t)i * CAPTURE_PAYLOAD_ROOM},
            .all = &receives.all,
            .socket = client.sockets[0],
        };
        if (!way->event)
            continue;
        operation->overlapped.hEvent = CreateEvent(NULL, TRUE, FALSE, NULL);
        if (operation->overlapped.hEvent == NULL)
            bed_fail("CreateEvent fails with error %u", GetLastError());
    }
}

static void clean_up(const struct way *way)
{
    for (unsigned i = 0; way->event && i < ROUND; i++)
        CloseHandle(receives.rows[i].overlapped.hEvent);
}

/* What has passed since `*from`; `*from` becomes now. */
static uint64_t lap(uint64_t *from)
{
    uint64_t now = rte_rdtsc(), ticks = now - *from;

    *from = now;
    return ticks;
}

static void run_round(struct bed *bed, unsigned series, uint64_t *ticks)
{
    uint64_t clock = rte_rdtsc();

    if (series == FLOOR) {
        bed_pass(bed, side_floor.step);
        ticks[PASS] += lap(&clock);
        if (side_floor.receive(bed, 0) != ROUND)
            bed_fail("the floor's pass has not brought %u datagrams", ROUND);
        ticks[COLLECT] += lap(&clock);
        return;
    }
    for (unsigned i = 0; i < ROUND; i++)
        operation_post(&receives.rows[i]);
    ticks[POST] += lap(&clock);
    bed_pass(bed, NULL);
    ticks[PASS] += lap(&clock);
    ways[series].collect();
    ticks[COLLECT] += lap(&clock);
}

/* Ticks of each datagram, phase by phase. */
static void run_slice(struct bed *bed, unsigned series, double *per_datagram)
{
    static uint8_t room[ROUND * CAPTURE_PAYLOAD_ROOM];
    uint64_t ticks[PHASES] = {0}, ignored[PHASES];
    uint64_t end = rte_rdtsc() + bed_ticks(bed, bed->options->slice_ms);
    uint64_t warm = rte_rdtsc() + bed_ticks(bed, bed->options->slice_ms * SLICE_WARM_UP);
    uint64_t rounds = 0;

    if (series != FLOOR)
        prepare(&ways[series], bed->options->payload, room);
    do
        run_round(bed, series, ignored);
    while (rte_rdtsc() < warm);
    do {
        run_round(bed, series, ticks);
        rounds++;
    } while (rte_rdtsc() < end);
    if (series != FLOOR)
        clean_up(&ways[series]);
    else
        side_floor.receive(bed, 0); /* finds nothing, and so sends home what it has kept */
    for (unsigned p = 0; p < PHASES; p++)
        per_datagram[p] = (double)ticks[p] / (double)(rounds * ROUND);
}

struct results {
    struct pairs total;
    struct pairs phases[PHASES];
};

static void run_slices(struct bed *bed, struct results *results)
{
    for (unsigned i = 0; i < bed->options->slices; i++)
        for (unsigned s = 0; s < SERIES; s++) {
            double ticks[PHASES], total = 0;

            run_slice(bed, s, ticks);
            for (unsigned p = 0; p < PHASES; p++) {
                pairs_set(&results->phases[p], i, s, ticks[p]);
                total += ticks[p];
            }
            pairs_set(&results->total, i, s, total);
        }
}

/* --- the report ---------------------------------------------------------------------------------- */

static double nanoseconds(const struct report *report, double ticks)
{
    return ticks * 1e9 / report->bed->ticks_per_second;
}

static void print_text(const struct report *report, const struct results *results)
{
    report_text_head(report);
    printf("%-10s", "ticks each");
    for (unsigned p = 0; p < PHASES; p++)
        printf(" %9s", phase_names[p]);
    printf(" %9s %9s %9s\n", "total", "ns", "by floor");
    for (unsigned s = 0; s < SERIES; s++) {
        double total = pairs_spread(&results->total, s).median;

        printf("%-10s", name_of(s));
        for (unsigned p = 0; p < PHASES; p++)
            printf(" %9.0f", pairs_spread(&results->phases[p], s).median);
        printf(" %9.0f %9.0f %9.2f\n", total, nanoseconds(report, total),
               pairs_ratio(&results->total, s, FLOOR).median);
    }
    printf("\n  post     WSPRecv, which is to wait for data\n"
           "  pass     of the lcore, the driver's burst and the completion in it\n"
           "  collect  the client learns of it; of the floor: takes the datagram and copies it\n");
    for (size_t i = 0; i < WAYS; i++)
        printf("  %-8s %s\n", ways[i].name, ways[i].help);
    printf("One thread does all of it in turn: no trip between cores is in these figures.\n");
    report_text_tail(report);
}

static void print_json(const struct report *report, const struct results *results)
{
    json_t *object = report_json(report);

    for (unsigned s = 0; s < SERIES; s++) {
        struct spread total = pairs_spread(&results->total, s);
        struct spread ratio = pairs_ratio(&results->total, s, FLOOR);
        json_t *row = json_object();

        for (unsigned p = 0; p < PHASES; p++)
            json_object_set_new(row, phase_names[p],
                                json_real(pairs_spread(&results->phases[p], s).median));
        json_object_set_new(row, "ticks", json_real(total.median));
        json_object_set_new(row, "nanoseconds", json_real(nanoseconds(report, total.median)));
        json_object_set_new(row, "spread", report_json_spread(&total));
        json_object_set_new(row, "ratio_to_floor", json_real(ratio.median));
        json_object_set_new(row, "ratio_spread", report_json_spread(&ratio));
        json_object_set_new(object, name_of(s), row);
    }
    report_json_print(object);
}

static int run(const struct bench_options *options)
{
    struct bed bed;
    struct report report = {.bed = &bed};
    struct results results;

    if (bed_start(&bed, options) != 0 || client_open(&bed) != 0)
        return BENCH_REFUSED;
    pairs_create(&results.total, SERIES, options->slices);
    for (unsigned p = 0; p < PHASES; p++)
        pairs_create(&results.phases[p], SERIES, options->slices);
    uint64_t preemptions = bed_preemptions();
    run_slices(&bed, &results);
    report.preemptions = (unsigned)(bed_preemptions() - preemptions);
    report.load_at_end = bed_load();
    client_close();
    report.missing_buffers = bed_stop(&bed);
    client_cleanup();

    struct spread bare = pairs_spread(&results.total, FLOOR);
    report.floor_noise = spread_relative(&bare);
    report.ratio = pairs_ratio(&results.total, 0, FLOOR);
    if (options->json)
        print_json(&report, &results);
    else
        print_text(&report, &results);
    pairs_free(&results.total);
    for (unsigned p = 0; p < PHASES; p++)
        pairs_free(&results.phases[p]);
    return report.missing_buffers == 0 ? BENCH_OK : BENCH_FAILED;
}

static void defaults(struct bench_options *options)
{
    options->by_hand = true;
    options->slice_ms = 50;
}

const struct command command_cost = {
    .name = "cost",
    .help = "posting and completing an overlapped receive: polled, by event, by routine",
    .options = OPTION_PAYLOAD | OPTION_SLICES | OPTION_SLICE_MS | OPTION_CHECKSUMS | OPTION_CORE |
               OPTION_JSON,
    .defaults = defaults,
    .run = run,
};
