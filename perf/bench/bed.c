/* SPDX-License-Identifier: BSD-3-Clause */
#include "bed.h"

#include <errno.h>
#include <pthread.h>
#include <rte_cycles.h>
#include <rte_lcore.h>
#include <rte_mempool.h>
#include <rte_pause.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "capture.h"
#include "client.h"
#include "dataplane/state.h"
#include "floor.h"

/** Longest path of the temporary capture. */
#define PATH_BYTES 256

/** What a buffer must hold beside the MTU's bytes: an Ethernet header and two VLAN tags. */
#define FRAME_OVERHEAD (RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN)

/** Passes of the silent lcore, and how often its thread had been preempted by then. */
static _Atomic uint64_t silent_passes;
static _Atomic uint64_t lcore_preemptions;

static void print_line(const char *format, va_list arguments)
{
    fputs("wirerx-bench: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void bed_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_line(format, arguments);
    va_end(arguments);
    exit(BENCH_FAILED);
}

int bed_refuse(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_line(format, arguments);
    va_end(arguments);
    return -1;
}

double bed_load(void)
{
    double load = 0;

    return getloadavg(&load, 1) == 1 ? load : 0;
}

uint64_t bed_ticks(const struct bed *bed, double milliseconds)
{
    return (uint64_t)(milliseconds / 1000 * bed->ticks_per_second);
}

/* --- the lcore's step --------------------------------------------------------------------------- */

static uint64_t preemptions_of_this_thread(void)
{
    struct rusage usage;

    return getrusage(RUSAGE_THREAD, &usage) == 0 ? (uint64_t)usage.ru_nivcsw : 0;
}

/* A whole pass without a look at the queues. Only the lcore reads and writes queues_count now. */
static bool silent_step(struct lcore *lcore, uint64_t now)
{
    unsigned queues = lcore->queues_count;

    lcore->queues_count = 0;
    bool busy = lcore_step(lcore, now);
    lcore->queues_count = queues;
    while (floor_take_home())
        busy = true;
    atomic_store_explicit(&lcore_preemptions, preemptions_of_this_thread(), memory_order_relaxed);
    /* Release: whoever sees this pass sees what the lcore did before it. */
    atomic_fetch_add_explicit(&silent_passes, 1, memory_order_release);
    return busy;
}

void bed_run(struct bed *bed, bed_step step)
{
    atomic_store_explicit(&bed->lcore->step, step != NULL ? step : lcore_step,
                          memory_order_release);
}

void bed_silence(struct bed *bed)
{
    uint64_t passes = atomic_load_explicit(&silent_passes, memory_order_acquire);
    /* A pass sweeps LCORE_SWEEP ways home and takes one batch from each. */
    uint64_t sweep = bed->options->sockets / LCORE_SWEEP + 1;
    uint64_t batches = bed->ring_slots / ENDPOINT_RETURN_BATCH + 2;

    bed_run(bed, silent_step);
    passes += sweep * batches;
    for (uint64_t i = 0; bed->options->by_hand && i < sweep * batches; i++)
        bed_pass(bed, silent_step);
    while (atomic_load_explicit(&silent_passes, memory_order_acquire) < passes)
        rte_pause();
}

/* The mempool's cache and the wake-ups are those of the thread that has the lcore's identity. */
void bed_pass(struct bed *bed, bed_step step)
{
    struct lcore *lcore = bed->lcore;
    unsigned id = RTE_PER_LCORE(_lcore_id);

    lcore->sink = (struct wake_sink){
        .defer = lcore_defer_wake, .may_call = lcore_may_call, .hand_over = lcore_hand_over};
    wake_sink = &lcore->sink;
    RTE_PER_LCORE(_lcore_id) = lcore->id;
    (step != NULL ? step : lcore_step)(lcore, rte_rdtsc());
    RTE_PER_LCORE(_lcore_id) = id;
    wake_sink = NULL;
}

uint64_t bed_preemptions(void)
{
    return preemptions_of_this_thread() +
           atomic_load_explicit(&lcore_preemptions, memory_order_relaxed);
}

static uint64_t counter(const struct bed *bed, enum counter row)
{
    return counter_get(&bed->lcore->queues[0].counters, row);
}

uint64_t bed_delivered(const struct bed *bed)
{
    return counter(bed, COUNTER_DELIVERIES);
}

uint64_t bed_dropped(const struct bed *bed)
{
    return counter(bed, COUNTER_LOST_RING_FULL) + counter(bed, COUNTER_LOST_POOL_SHARE);
}

/* --- start and stop ------------------------------------------------------------------------------ */

/* The highest CPU of the set but `other`; -1: there is none. */
static int last_cpu(const cpu_set_t *set, int other)
{
    for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--)
        if (cpu != other && CPU_ISSET((size_t)cpu, set))
            return cpu;
    return -1;
}

int bed_choose_cpus(struct bed *bed)
{
    const struct bench_options *options = bed->options;
    cpu_set_t set;

    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return bed_refuse("the CPUs that this process may use cannot be found out: %s",
                          strerror(errno));
    int lcore = options->lcore_cpu >= 0 ? options->lcore_cpu : last_cpu(&set, options->client_cpu);
    int client = options->client_cpu >= 0 ? options->client_cpu : last_cpu(&set, lcore);
    if (options->by_hand)
        client = lcore;
    if (lcore < 0 || client < 0)
        return bed_refuse("two CPUs are needed, one for the dataplane and one for the client; "
                          "this process may use one only");
    if (lcore == client && !options->by_hand)
        return bed_refuse("--core and --client are both CPU %d; they need one each", lcore);
    if (client >= CPU_SETSIZE || !CPU_ISSET((size_t)client, &set))
        return bed_refuse("--client %d: this process may not use that CPU", client);
    bed->lcore_cpu = (unsigned)lcore;
    bed->client_cpu = (unsigned)client;
    return 0;
}

static unsigned default_slots(unsigned sockets)
{
    unsigned slots = RING_SLOTS_TOTAL;

    while (slots > RING_SLOTS_MINIMUM && slots * sockets > RING_SLOTS_TOTAL)
        slots /= 2;
    return slots;
}

/* Buffers so plentiful that only rings are ever full: each socket may hold half of what is free. What
 * a socket keeps before it goes home is no more than a turn's datagrams, as it sends them home when it
 * finds itself empty, and a batch in any case. */
static unsigned enough_buffers(const struct bed *bed, const struct config *config)
{
    unsigned sockets = bed->options->sockets;
    unsigned kept = RTE_MIN(2 * bed->ring_slots, ENDPOINT_RETURN_BATCH);
    unsigned share = bed->ring_slots + ENDPOINT_RETURN_BATCH;

    return config_buffers_needed(config) + capture_frames(sockets) +
           sockets * (bed->ring_slots + kept) + 4 * share;
}

/* The floor is the best we know, and so it does not get a longer queue for more sockets: that would
 * only be more memory to walk through. */
static unsigned floor_slots(const struct bed *bed)
{
    return RTE_MIN(bed->options->sockets * bed->ring_slots,
                   RTE_MAX(RING_SLOTS_TOTAL, bed->ring_slots));
}

static int start_dataplane(struct bed *bed, const char *path)
{
    const struct bench_options *options = bed->options;
    struct config config = config_default();
    struct config_port port = config_port_default();
    struct config_error error;
    char device[PATH_BYTES + 64];

    snprintf(device, sizeof device, "vdev:net_pcap0,rx_pcap=%s,infinite_rx=1", path);
    port.device = device;
    port.checksums = options->verify_checksums ? CONFIG_CHECKSUMS_VERIFY : CONFIG_CHECKSUMS_IGNORE;
    port.mtu = RTE_MAX(port.mtu, options->payload + CAPTURE_HEADER_BYTES - RTE_ETHER_HDR_LEN);
    /* net_pcap repeats only what fits one buffer. */
    config.buffer_bytes = RTE_MAX(config.buffer_bytes, port.mtu + FRAME_OVERHEAD);
    config.cores = &bed->lcore_cpu;
    config.cores_count = 1;
    config.ports = &port;
    config.ports_count = 1;
    config.sockets.maximum = options->sockets;
    config.sockets.ring_slots = RTE_MAX(bed->ring_slots, RING_SLOTS_REAL_MINIMUM);
    config.sockets.ring_bytes = bed->ring_slots * options->payload;
    config.sockets.min_buffers = RTE_MIN(bed->ring_slots, config.sockets.min_buffers);
    config.sockets.spin_us = options->spin_us < 0 ? BED_SPIN_US : (unsigned)options->spin_us;
    config.buffers = enough_buffers(bed, &config);
    if (client_start_dataplane(&config, options->by_hand, &error) != 0)
        return bed_refuse("%s", error.text);
    bed->lcore = &dataplane.lcores[0];
    bed->port = &dataplane.ports[0];
    bed->ticks_per_second = (double)dataplane_tsc_hz();
    return 0;
}

/* Only now: threads that the library makes inherit the affinity of their maker. */
static int bind_client(const struct bed *bed)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(bed->client_cpu, &set);
    int error = pthread_setaffinity_np(pthread_self(), sizeof set, &set);
    if (error != 0)
        return bed_refuse("the client thread cannot be bound to CPU %u: %s", bed->client_cpu,
                          strerror(error));
    return 0;
}

int bed_start(struct bed *bed, const struct bench_options *options)
{
    char path[PATH_BYTES];

    *bed = (struct bed){.options = options, .load_at_start = bed_load()};
    bed->ring_slots =
        options->ring_slots != 0 ? options->ring_slots : default_slots(options->sockets);
    bed->floor_slots = floor_slots(bed);
    if (bed_choose_cpus(bed) != 0)
        return -1;
    if (capture_write(path, sizeof path, options->sockets, options->payload) != 0)
        return bed_refuse("a temporary capture (in $TMPDIR or /tmp) cannot be written: %s",
                          strerror(errno));
    int result = start_dataplane(bed, path);
    unlink(path); /* the device has read it */
    if (result != 0)
        return -1;
    if (floor_create(bed->port->pool, bed->floor_slots) != 0)
        return bed_refuse("out of memory: no room for the floor's rings");
    bed_silence(bed);
    bed->free_buffers = rte_mempool_avail_count(bed->port->pool);
    return bind_client(bed);
}

unsigned bed_stop(struct bed *bed)
{
    bed_silence(bed);
    unsigned free_buffers = rte_mempool_avail_count(bed->port->pool);
    dataplane_stop();
    floor_destroy();
    return bed->free_buffers - free_buffers;
}
