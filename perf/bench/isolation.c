/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * One socket is never read: do the others notice? In alternating slices all sockets are read, or all but
 * the first, whose ring is then full and whose datagrams are lost, to it alone. Both as fast as the
 * source gives them, where the others' rate counts, and at a pace that everybody can keep up with, where
 * nobody else may lose anything.
 */

#include <rte_cycles.h>
#include <stdio.h>

#include "capture.h"
#include "client.h"
#include "command.h"
#include "paced.h"
#include "pairs.h"
#include "receive.h"
#include "report.h"
#include "slices.h"
#include "wirerx/wirerx.h"

/** Part of the capacity that the paced slices use. */
#define PACED_LOAD 0.25

#define CAPACITY_SLICES 3u

/** What is still on its way when a paced slice is over has this much longer. */
#define GRACE_MS 20.0

enum {
    ALL_READ,
    ONE_IS_NOT,
    SERIES
};

static const char *const names[SERIES] = {"all_read", "one_is_not"};
static const char *const titles[SERIES] = {"all are read", "one is not read"};

/* What the others, all but the first socket, had in one slice. */
struct others {
    uint64_t received;
    uint64_t lost;
    double rate; /* datagrams a second */
};

struct results {
    struct pairs saturated; /* the others' rates */
    struct pairs paced;
    uint64_t paced_received[SERIES]; /* by the others, in all slices */
    uint64_t paced_lost[SERIES];
    uint64_t unread_queued; /* of the first socket: most that it held ... */
    uint64_t unread_lost;   /* ... and what it lost in slices in which it was not read */
    double capacity;        /* of all sockets together */
    double rate;            /* of the paced slices */
};

/* --- receiving ----------------------------------------------------------------------------------------- */

/* Up to RECEIVE_TURN datagrams of one socket. */
static unsigned take_turn(SOCKET socket, WSABUF *buffer)
{
    for (unsigned taken = 0; taken < RECEIVE_TURN; taken++) {
        DWORD received, flags = 0;
        int error;

        if (client.provider.lpWSPRecv(socket, buffer, 1, &received, &flags, NULL, NULL, NULL,
                                      &error) != 0) {
            if (error != WSAEWOULDBLOCK)
                bed_fail("WSPRecv fails with Winsock error %d", error);
            return taken;
        }
    }
    return RECEIVE_TURN;
}

/* Until the clock reads `until`. @return datagrams of all but the first socket; adds the first one's */
static uint64_t receive(const struct bed *bed, unsigned series, uint64_t until, uint64_t *first)
{
    static uint8_t payload[CAPTURE_PAYLOAD_ROOM];
    WSABUF buffer = {.len = bed->options->payload, .buf = (char *)payload};
    uint64_t others = 0;

    do {
        if (series == ALL_READ)
            *first += take_turn(client.sockets[0], &buffer);
        for (unsigned i = 1; i < client.count; i++)
            others += take_turn(client.sockets[i], &buffer);
    } while (rte_rdtsc() < until);
    return others;
}

static struct wirerx_socket_counters counters_of(unsigned index)
{
    struct wirerx_socket_counters counters;
    int error = wirerx_socket_counters(client.sockets[index], &counters);

    if (error != 0)
        bed_fail("wirerx_socket_counters() fails with Winsock error %d", error);
    return counters;
}

static uint64_t lost_by(unsigned index)
{
    struct wirerx_socket_counters counters = counters_of(index);

    return counters.drop_ring_full + counters.drop_pool_share;
}

static uint64_t lost_by_others(void)
{
    uint64_t lost = 0;

    for (unsigned i = 1; i < client.count; i++)
        lost += lost_by(i);
    return lost;
}

/* --- slices -------------------------------------------------------------------------------------------- */

/* The source is silent: what waits is received, the first socket's too. */
static void settle(struct bed *bed, struct results *results, unsigned series, uint64_t received,
                   uint64_t first_lost)
{
    if (series == ONE_IS_NOT) {
        struct wirerx_socket_counters counters = counters_of(0);

        if (counters.queued > results->unread_queued)
            results->unread_queued = counters.queued;
        results->unread_lost += lost_by(0) - first_lost;
    }
    slice_drain(bed, &side_now, received);
}

static struct others run_slice(struct bed *bed, struct results *results, unsigned series,
                               double milliseconds)
{
    uint64_t received = bed_delivered(bed), lost = lost_by_others(), first_lost = lost_by(0);
    struct others others;

    bed_run(bed, NULL);
    uint64_t begin = rte_rdtsc();
    others.received = receive(bed, series, begin + bed_ticks(bed, milliseconds), &received);
    others.rate = (double)others.received * bed->ticks_per_second / (double)(rte_rdtsc() - begin);
    bed_silence(bed);
    settle(bed, results, series, received + others.received, first_lost);
    others.lost = lost_by_others() - lost;
    return others;
}

static void run_paced_slice(struct bed *bed, struct results *results, unsigned slice,
                            unsigned series)
{
    unsigned milliseconds = bed->options->slice_ms;
    unsigned datagrams = (unsigned)(results->rate * milliseconds / 1000);

    paced_prepare(bed, results->rate, datagrams);
    struct others others = run_slice(bed, results, series, milliseconds + GRACE_MS);
    results->paced_received[series] += others.received;
    results->paced_lost[series] += others.lost;
    pairs_set(&results->paced, slice, series, (double)others.received * 1000 / milliseconds);
}

static void run_slices(struct bed *bed, struct results *results)
{
    for (unsigned i = 0; i < bed->options->slices; i++) {
        for (unsigned s = 0; s < SERIES; s++) {
            struct others others = run_slice(bed, results, s, bed->options->slice_ms);

            pairs_set(&results->saturated, i, s, others.rate);
        }
        paced_install(bed, true);
        for (unsigned s = 0; s < SERIES; s++)
            run_paced_slice(bed, results, i, s);
        paced_install(bed, false);
    }
}

static void choose_rate(struct bed *bed, struct results *results)
{
    double rates[CAPACITY_SLICES];

    for (unsigned i = 0; i < CAPACITY_SLICES; i++) {
        struct slice slice = slice_run(bed, &side_now, bed->options->slice_ms);

        rates[i] = slice_rate(&slice);
    }
    results->capacity = spread_of(rates, CAPACITY_SLICES).median;
    results->rate = bed->options->rate != 0 ? bed->options->rate : results->capacity * PACED_LOAD;
}

/* --- the report ------------------------------------------------------------------------------------------ */

static void print_text(const struct report *report, const struct results *results)
{
    struct spread ratio = pairs_ratio(&results->saturated, ONE_IS_NOT, ALL_READ);

    report_text_head(report);
    printf("%-18s %18s %18s %14s\n", "the others", "datagrams/s", "paced, received", "lost");
    for (unsigned s = 0; s < SERIES; s++)
        printf("%-18s %18.0f %18llu %14llu\n", titles[s],
               pairs_spread(&results->saturated, s).median,
               (unsigned long long)results->paced_received[s],
               (unsigned long long)results->paced_lost[s]);
    printf("\nThe paced slices have %.0f datagrams a second for all, %.0f %% of the %.0f measured "
           "here.\n"
           "The socket that is not read held %llu datagrams at most, and lost %llu.\n",
           results->rate, results->rate / results->capacity * 100, results->capacity,
           (unsigned long long)results->unread_queued, (unsigned long long)results->unread_lost);
    printf("\nratio to all read: %.3f (quartiles %.3f and %.3f, range %.3f to %.3f)\n",
           ratio.median, ratio.low, ratio.high, ratio.minimum, ratio.maximum);
    report_text_tail(report);
}

static void print_json(const struct report *report, const struct results *results)
{
    struct spread ratio = pairs_ratio(&results->saturated, ONE_IS_NOT, ALL_READ);
    json_t *object = report_json(report);

    json_object_set_new(object, "ratio_to_all_read", json_real(ratio.median));
    json_object_set_new(object, "ratio_to_all_read_spread", report_json_spread(&ratio));
    json_object_set_new(object, "capacity", json_real(results->capacity));
    json_object_set_new(object, "rate", json_real(results->rate));
    for (unsigned s = 0; s < SERIES; s++) {
        struct spread rate = pairs_spread(&results->saturated, s);

        json_object_set_new(object, names[s],
                            json_pack("{s:f, s:o, s:I, s:I}", "datagrams_per_second", rate.median,
                                      "spread", report_json_spread(&rate), "paced_received",
                                      (json_int_t)results->paced_received[s], "paced_lost",
                                      (json_int_t)results->paced_lost[s]));
    }
    json_object_set_new(object, "unread",
                        json_pack("{s:I, s:I}", "queued", (json_int_t)results->unread_queued,
                                  "lost", (json_int_t)results->unread_lost));
    report_json_print(object);
}

static int run(const struct bench_options *options)
{
    struct bed bed;
    struct report report = {.bed = &bed, .noise_of = "slices in which all are read"};
    struct results results = {0};

    if (bed_start(&bed, options) != 0 || client_open(&bed) != 0)
        return BENCH_REFUSED;
    pairs_create(&results.saturated, SERIES, options->slices);
    pairs_create(&results.paced, SERIES, options->slices);
    choose_rate(&bed, &results);
    uint64_t preemptions = bed_preemptions();
    run_slices(&bed, &results);
    report.preemptions = (unsigned)(bed_preemptions() - preemptions);
    report.load_at_end = bed_load();
    client_close();
    report.missing_buffers = bed_stop(&bed);
    client_cleanup();

    struct spread all_read = pairs_spread(&results.saturated, ALL_READ);
    report.floor_noise = spread_relative(&all_read);
    if (options->json)
        print_json(&report, &results);
    else
        print_text(&report, &results);
    pairs_free(&results.saturated);
    pairs_free(&results.paced);
    return report.missing_buffers == 0 ? BENCH_OK : BENCH_FAILED;
}

static void defaults(struct bench_options *options)
{
    options->sockets = 16;
    options->ring_slots = 2048; /* being off the CPU for a while is no loss at the paced rate */
    options->slice_ms = 100;
}

static int check(const struct bench_options *options)
{
    return options->sockets >= 2 ? 0 : options_wrong("--sockets 1: there are no others");
}

const struct command command_isolation = {
    .name = "isolation",
    .help = "one of the sockets is never read: what the others lose by it",
    .options = OPTIONS_OF_SLICES | OPTION_RATE,
    .defaults = defaults,
    .check = check,
    .run = run,
};
