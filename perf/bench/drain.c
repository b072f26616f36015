/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A receive call when the queue is full: nothing is waited for and nobody fills it meanwhile. Beside a
 * kernel's UDP socket, whose queue has been filled over loopback before, and the floor's ring.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <rte_cycles.h>
#include <rte_pause.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture.h"
#include "client.h"
#include "command.h"
#include "pairs.h"
#include "report.h"
#include "slices.h"

/** Datagrams that wait in wirerx and in the floor, and in the kernel when its limits allow. */
#define QUEUE 2048u

/** How long the source may take to fill a queue. */
#define FILL_MS 5000

enum {
    WIRERX,
    FLOOR,
    KERNEL,
    SERIES
};

static const char *const names[SERIES] = {"wirerx", "floor", "kernel"};

/* --- the kernel's ---------------------------------------------------------------------------------- */

static struct {
    int sender, receiver;
    unsigned fits; /* datagrams that its queue holds */
    unsigned payload;
    uint8_t data[CAPTURE_PAYLOAD_ROOM];
} kernel;

static unsigned kernel_fill(unsigned count)
{
    unsigned sent = 0;

    while (sent < count && send(kernel.sender, kernel.data, kernel.payload, 0) >= 0)
        sent++;
    return sent;
}

/* @return how many there were; ticks: what receiving them took */
static unsigned kernel_drain(unsigned count, uint64_t *ticks)
{
    uint8_t room[CAPTURE_PAYLOAD_ROOM];
    uint64_t begin = rte_rdtsc();
    unsigned taken = 0;

    while (taken < count && recv(kernel.receiver, room, kernel.payload, MSG_DONTWAIT) >= 0)
        taken++;
    *ticks = rte_rdtsc() - begin;
    if (taken != 0 && memcmp(room, kernel.data, kernel.payload) != 0)
        bed_fail("kernel: the last datagram's payload is not what was sent");
    return taken;
}

static int kernel_open(unsigned payload)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int bytes = 64 << 20;
    uint64_t ticks;

    kernel.payload = payload;
    capture_payload(kernel.data, payload);
    kernel.receiver = socket(AF_INET, SOCK_DGRAM, 0);
    kernel.sender = socket(AF_INET, SOCK_DGRAM, 0);
    if (kernel.receiver < 0 || kernel.sender < 0 ||
        bind(kernel.receiver, (struct sockaddr *)&address, sizeof address) != 0 ||
        getsockname(kernel.receiver, (struct sockaddr *)&address, &length) != 0 ||
        connect(kernel.sender, (struct sockaddr *)&address, sizeof address) != 0)
        return bed_refuse("the kernel's sockets over loopback cannot be had: %s", strerror(errno));
    if (setsockopt(kernel.receiver, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
        setsockopt(kernel.receiver, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    kernel_fill(QUEUE);
    kernel.fits = kernel_drain(QUEUE, &ticks);
    if (kernel.fits == 0)
        return bed_refuse("the kernel's socket over loopback receives nothing");
    return 0;
}

static void kernel_close(void)
{
    close(kernel.receiver);
    close(kernel.sender);
}

static unsigned kernel_round(uint64_t *ticks)
{
    kernel_fill(kernel.fits);
    return kernel_drain(kernel.fits, ticks);
}

/* --- the sides of the bed ----------------------------------------------------------------------------- */

/* Fill its rings until something finds no room, and silence the source. */
static void fill(struct bed *bed, const struct side *side)
{
    uint64_t deadline = rte_rdtsc() + bed_ticks(bed, FILL_MS);
    uint64_t dropped = side->dropped(bed);

    bed_run(bed, side->step);
    while (side->dropped(bed) == dropped) {
        if (rte_rdtsc() >= deadline)
            bed_fail("%s: the queue is not full after %d ms", side->name, FILL_MS);
        rte_pause();
    }
    bed_silence(bed);
}

static unsigned round_of(struct bed *bed, const struct side *side, uint64_t *ticks)
{
    uint64_t before = side->delivered(bed), taken = 0;

    fill(bed, side);
    uint64_t queued = side->delivered(bed) - before;
    uint64_t begin = rte_rdtsc();
    while (taken < queued)
        taken += side->receive(bed, 0);
    *ticks = rte_rdtsc() - begin;
    slice_drain(bed, side, before + taken); /* finds nothing, and sends home what has been kept */
    return (unsigned)taken;
}

/* --- slices --------------------------------------------------------------------------------------------- */

/* Ticks of a receive. */
static double run_slice(struct bed *bed, unsigned series)
{
    uint64_t end = rte_rdtsc() + bed_ticks(bed, bed->options->slice_ms);
    uint64_t calls = 0, total = 0;

    do {
        uint64_t ticks = 0;

        calls += series == KERNEL
                     ? kernel_round(&ticks)
                     : round_of(bed, series == WIRERX ? &side_now : &side_floor, &ticks);
        total += ticks;
    } while (rte_rdtsc() < end);
    return calls != 0 ? (double)total / (double)calls : 0;
}

static double nanoseconds(const struct report *report, double ticks)
{
    return ticks * 1e9 / report->bed->ticks_per_second;
}

static void print_text(const struct report *report, const struct pairs *ticks)
{
    struct spread ratio = pairs_ratio(ticks, WIRERX, KERNEL);

    report_text_head(report);
    printf("%-24s %10s %10s %10s\n", "", "queued", "ns a call", "spread");
    for (unsigned s = 0; s < SERIES; s++) {
        struct spread spread = pairs_spread(ticks, s);

        printf("%-24s %10u %10.1f %9.1f%%\n",
               s == WIRERX  ? "wirerx, WSPRecv"
               : s == FLOOR ? "floor, ring and copy"
                            : "kernel, recv (loopback)",
               s == KERNEL ? kernel.fits : report->bed->ring_slots,
               nanoseconds(report, spread.median), spread_relative(&spread) * 100);
    }
    printf("\nratio to the kernel: %.3f (quartiles %.3f and %.3f, range %.3f to %.3f); "
           "less is better\n",
           ratio.median, ratio.low, ratio.high, ratio.minimum, ratio.maximum);
    report_text_tail(report);
}

static void print_json(const struct report *report, const struct pairs *ticks)
{
    struct spread ratio = pairs_ratio(ticks, WIRERX, KERNEL);
    json_t *object = report_json(report);

    json_object_set_new(object, "ratio_to_kernel", json_real(ratio.median));
    json_object_set_new(object, "ratio_to_kernel_spread", report_json_spread(&ratio));
    for (unsigned s = 0; s < SERIES; s++) {
        struct spread spread = pairs_spread(ticks, s);
        unsigned queued = s == KERNEL ? kernel.fits : report->bed->ring_slots;

        json_object_set_new(object, names[s],
                            json_pack("{s:i, s:f, s:o}", "queued", (int)queued, "nanoseconds",
                                      nanoseconds(report, spread.median), "ticks",
                                      report_json_spread(&spread)));
    }
    report_json_print(object);
}

static int run(const struct bench_options *options)
{
    struct bed bed;
    struct report report = {.bed = &bed};
    struct pairs ticks;

    if (kernel_open(options->payload) != 0 || bed_start(&bed, options) != 0 ||
        client_open(&bed) != 0)
        return BENCH_REFUSED;
    pairs_create(&ticks, SERIES, options->slices);
    for (unsigned s = 0; s < SERIES; s++)
        run_slice(&bed,
                  s); /* rings and buffers once round, the kernel's memory as large as it gets */
    uint64_t preemptions = bed_preemptions();
    for (unsigned i = 0; i < options->slices; i++)
        for (unsigned s = 0; s < SERIES; s++)
            pairs_set(&ticks, i, s, run_slice(&bed, s));
    report.preemptions = (unsigned)(bed_preemptions() - preemptions);
    report.load_at_end = bed_load();
    client_close();
    report.missing_buffers = bed_stop(&bed);
    client_cleanup();
    kernel_close();

    struct spread bare = pairs_spread(&ticks, FLOOR);
    report.floor_noise = spread_relative(&bare);
    report.ratio = pairs_ratio(&ticks, WIRERX, FLOOR);
    if (options->json)
        print_json(&report, &ticks);
    else
        print_text(&report, &ticks);
    pairs_free(&ticks);
    return report.missing_buffers == 0 ? BENCH_OK : BENCH_FAILED;
}

static void defaults(struct bench_options *options)
{
    options->ring_slots = QUEUE;
    options->slice_ms = 20;
}

const struct command command_drain = {
    .name = "drain",
    .help = "a receive call when the queue is full, beside recv() of a kernel's UDP socket",
    .options = OPTION_PAYLOAD | OPTION_SLICES | OPTION_SLICE_MS | OPTION_RING_SLOTS |
               OPTION_CHECKSUMS | OPTION_CORE | OPTION_CLIENT | OPTION_JSON,
    .defaults = defaults,
    .run = run,
};
