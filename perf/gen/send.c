/* SPDX-License-Identifier: BSD-3-Clause */
#include "send.h"

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_pause.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>

#include "frames.h"

#define BURST 32u
#define NS_IN_S 1000000000ull

/** A wait longer than this is slept, up to this much before its end: a wake-up is late as well. */
#define SLEEP_NS 100000u
#define AWAKE_NS 60000u
/** A device that takes nothing for so long has failed. */
#define STUCK_S 10u

static volatile sig_atomic_t stop;

void gen_send_stop(void)
{
    stop = 1;
}

struct sender {
    struct gen_run *run;
    struct gen_devices *devices;
    const struct gen_options *options;
    double ns_per_tick;
    uint64_t start_tsc;
    uint64_t start_realtime_ns;

    /* What is due now and not yet given to a device. All of one line. */
    struct plan_frame waiting[BURST];
    unsigned waiting_count;
};

static uint64_t since_start(const struct sender *sender)
{
    return (uint64_t)((double)(rte_rdtsc() - sender->start_tsc) * sender->ns_per_tick);
}

static uint64_t realtime(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * NS_IN_S + (uint64_t)now.tv_nsec;
}

static void wait_until(const struct sender *sender, uint64_t due_ns)
{
    for (;;) {
        uint64_t now = since_start(sender);

        if (now >= due_ns || stop)
            return;
        if (!sender->options->spin && due_ns - now > SLEEP_NS) {
            uint64_t nap = due_ns - now - AWAKE_NS;
            struct timespec time = {(time_t)(nap / NS_IN_S), (long)(nap % NS_IN_S)};

            nanosleep(&time, NULL); /* a signal ends it, and then `stop` is looked at */
        } else {
            rte_pause();
        }
    }
}

static void count(struct sender *sender, const struct plan_frame *frame, uint64_t now)
{
    struct gen_run *run = sender->run;
    struct gen_step *step = &run->steps[frame->step];

    run->sent++;
    run->bytes += frame->payload + GEN_HEADER_BYTES;
    run->payload_bytes += frame->payload;
    run->sent_by_stream[frame->line][frame->stream]++;
    if (step->sent++ == 0)
        step->first_ns = now;
    step->last_ns = now;
    latency_record(&step->late, now > frame->due_ns ? now - frame->due_ns : 0);
}

/* Everything waiting goes to its device, however long that takes; only a stuck one or a signal ends
 * it before. */
static void flush(struct sender *sender, struct frames *frames)
{
    struct rte_mbuf *mbufs[BURST];
    unsigned taken = 0, wanted = sender->waiting_count;
    struct gen_device *device;

    if (wanted == 0)
        return;
    device = gen_device_of(sender->devices, sender->waiting[0].line);
    uint64_t deadline = rte_rdtsc() + STUCK_S * rte_get_tsc_hz();
    while (rte_pktmbuf_alloc_bulk(sender->devices->pool, mbufs, wanted) != 0) {
        rte_eth_tx_done_cleanup(device->port, 0, 0);
        if (stop || rte_rdtsc() > deadline) {
            sender->run->stuck = !stop;
            sender->waiting_count = 0;
            return;
        }
        rte_pause();
    }
    for (unsigned i = 0; i < wanted; i++) {
        uint64_t tsc = rte_rdtsc();
        uint64_t ns = sender->start_realtime_ns +
                      (uint64_t)((double)(tsc - sender->start_tsc) * sender->ns_per_tick);
        unsigned length = frames_build(frames, &sender->waiting[i], tsc, ns,
                                       rte_pktmbuf_mtod(mbufs[i], uint8_t *));

        mbufs[i]->data_len = (uint16_t)length;
        mbufs[i]->pkt_len = length;
    }
    while (taken < wanted) {
        uint16_t now = rte_eth_tx_burst(device->port, 0, mbufs + taken, (uint16_t)(wanted - taken));

        taken += now;
        if (now == 0 && (stop || rte_rdtsc() > deadline)) {
            rte_pktmbuf_free_bulk(mbufs + taken, wanted - taken);
            sender->run->stuck = !stop;
            break;
        }
        if (now == 0)
            rte_pause();
    }
    uint64_t now = since_start(sender);
    for (unsigned i = 0; i < taken; i++)
        count(sender, &sender->waiting[i], now);
    sender->waiting_count = 0;
}

void gen_send(struct gen_run *run, struct gen_devices *devices, const struct gen_options *options)
{
    static struct frames frames; /* too big for a stack */
    static struct plan plan;
    struct sender sender = {.run = run, .devices = devices, .options = options};
    struct plan_frame frame;

    prctl(PR_SET_TIMERSLACK, 1);
    plan_begin(&plan, options);
    frames_begin(&frames, options, run->id);
    sender.ns_per_tick = (double)NS_IN_S / (double)rte_get_tsc_hz();
    sender.start_realtime_ns = realtime();
    sender.start_tsc = rte_rdtsc();
    while (!stop && !run->stuck && plan_next(&plan, since_start(&sender), &frame)) {
        bool other_line = sender.waiting_count != 0 && frame.line != sender.waiting[0].line;

        if (sender.waiting_count == BURST || other_line || since_start(&sender) < frame.due_ns)
            flush(&sender, &frames);
        wait_until(&sender, frame.due_ns);
        if (stop || run->stuck)
            break;
        sender.waiting[sender.waiting_count++] = frame;
    }
    if (!stop)
        flush(&sender, &frames);
    run->interrupted = stop != 0;
    for (unsigned i = 0; i < options->steps; i++)
        if (run->steps[i].sent != 0)
            run->seconds = (double)run->steps[i].last_ns / 1e9;
}
