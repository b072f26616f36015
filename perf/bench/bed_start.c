/* SPDX-License-Identifier: BSD-3-Clause */

/* Starting and stopping what bed.h speaks of: CPUs, captures, the dataplane, the floor's rings. */

#include <errno.h>
#include <pthread.h>
#include <rte_mempool.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bed.h"
#include "capture.h"
#include "client.h"
#include "dataplane/state.h"
#include "dataplane/way_home.h"
#include "floor.h"

/** Longest path of a temporary capture. */
#define PATH_BYTES 256

/** What a buffer must hold beside the MTU's bytes: an Ethernet header and two VLAN tags. */
#define FRAME_OVERHEAD (RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN)

/* --- CPUs ---------------------------------------------------------------------------------------- */

/* The CPU that the user has chosen, or the last that is left; -1: there is none. */
static int take_cpu(cpu_set_t *left, int chosen)
{
    int cpu = chosen >= 0 ? chosen : CPU_SETSIZE - 1;

    while (chosen < 0 && cpu >= 0 && !CPU_ISSET((size_t)cpu, left))
        cpu--;
    if (cpu >= 0 && cpu < CPU_SETSIZE)
        CPU_CLR((size_t)cpu, left);
    return cpu;
}

static int too_few_cpus(const cpu_set_t *all, unsigned count, bool shared)
{
    if (shared)
        return bed_refuse("--lcores %u: also with --share-cpus each lcore needs a CPU, and this "
                          "process may use %d",
                          count, CPU_COUNT(all));
    if (count == 1)
        return bed_refuse("two CPUs are needed, one for the dataplane and one for the client; this "
                          "process may use one only");
    return bed_refuse("--lcores %u: %u CPUs are needed, one for each lcore and one for each "
                      "client; this process may use %d",
                      count, 2 * count, CPU_COUNT(all));
}

static int choose_cpus(struct bed *lanes, unsigned count)
{
    const struct bench_options *options = lanes[0].options;
    cpu_set_t all, left;

    CPU_ZERO(&all);
    if (sched_getaffinity(0, sizeof all, &all) != 0)
        return bed_refuse("the CPUs that this process may use cannot be found out: %s",
                          strerror(errno));
    if (options->lcore_cpu >= 0 && options->lcore_cpu == options->client_cpu && !options->by_hand &&
        !options->share_cpus)
        return bed_refuse("--core and --client are both CPU %d; they need one each",
                          options->lcore_cpu);
    if (options->client_cpu >= CPU_SETSIZE ||
        (options->client_cpu >= 0 && !CPU_ISSET((size_t)options->client_cpu, &all)))
        return bed_refuse("--client %d: this process may not use that CPU", options->client_cpu);
    left = all;
    if (options->client_cpu >= 0 && !options->share_cpus)
        take_cpu(&left, options->client_cpu);
    for (unsigned i = 0; i < count; i++) {
        int cpu = take_cpu(&left, i == 0 ? options->lcore_cpu : -1);

        if (cpu < 0)
            return too_few_cpus(&all, count, options->share_cpus);
        lanes[i].lcore_cpu = (unsigned)cpu;
    }
    for (unsigned i = 0; i < count; i++) {
        int cpu = options->by_hand ? (int)lanes[i].lcore_cpu
                                   : take_cpu(&left, i == 0 ? options->client_cpu : -1);

        if (cpu < 0 && options->share_cpus)
            cpu = (int)lanes[i].lcore_cpu;
        if (cpu < 0)
            return too_few_cpus(&all, count, options->share_cpus);
        lanes[i].client_cpu = (unsigned)cpu;
    }
    return 0;
}

int bed_choose_cpus(struct bed *bed)
{
    return choose_cpus(bed, 1);
}

/* --- start and stop ------------------------------------------------------------------------------ */

static unsigned default_slots(unsigned sockets)
{
    unsigned slots = RING_SLOTS_TOTAL;

    while (slots > RING_SLOTS_MINIMUM && slots * sockets > RING_SLOTS_TOTAL)
        slots /= 2;
    return slots;
}

/* Buffers so plentiful that only rings are ever full: each socket may hold half of what is free. What
 * a socket keeps before the lcore looks at it is no more than a turn's datagrams twice, and LOOK_AFTER_MOST
 * in any case. */
static unsigned enough_buffers(const struct bed *lanes, unsigned count, const struct config *config)
{
    unsigned slots = lanes[0].ring_slots;
    unsigned kept = RTE_MIN(2 * slots, LOOK_AFTER_MOST);
    unsigned buffers = config_buffers_needed(config) + 4 * (slots + LOOK_AFTER_MOST);

    for (unsigned i = 0; i < count; i++)
        buffers +=
            capture_frames(lanes[i].options->sockets) + lanes[i].options->sockets * (slots + kept);
    return buffers;
}

/* The floor is the best we know, and so it does not get a longer queue for more sockets: that would
 * only be more memory to walk through. */
static unsigned floor_slots(const struct bed *bed)
{
    return RTE_MIN(bed->options->sockets * bed->ring_slots,
                   RTE_MAX(RING_SLOTS_TOTAL, bed->ring_slots));
}

static void remove_captures(char paths[][PATH_BYTES], unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        unlink(paths[i]);
}

static int write_captures(const struct bed *lanes, unsigned count, char paths[][PATH_BYTES])
{
    for (unsigned i = 0; i < count; i++)
        if (capture_write(paths[i], PATH_BYTES, lanes[i].options->sockets,
                          lanes[i].options->payload, CAPTURE_PORT + i) != 0) {
            int error = errno;

            remove_captures(paths, i);
            return bed_refuse("a temporary capture (in $TMPDIR or /tmp) cannot be written: %s",
                              strerror(error));
        }
    return 0;
}

/* The n-th port's only queue is polled by the n-th lcore. */
static int start_dataplane(struct bed *lanes, unsigned count, char paths[][PATH_BYTES])
{
    static char devices[BED_MAX_LANES][PATH_BYTES + 64];
    const struct bench_options *options = lanes[0].options;
    struct config config = config_default();
    struct config_port ports[BED_MAX_LANES];
    unsigned cores[BED_MAX_LANES];
    struct config_error error;

    config.sockets.maximum = 0;
    for (unsigned i = 0; i < count; i++) {
        struct config_port *port = &ports[i];

        snprintf(devices[i], sizeof devices[i], "vdev:net_pcap%u,rx_pcap=%.*s,infinite_rx=1", i,
                 PATH_BYTES - 1, paths[i]);
        *port = config_port_default();
        port->device = devices[i];
        port->checksums =
            options->verify_checksums ? CONFIG_CHECKSUMS_VERIFY : CONFIG_CHECKSUMS_IGNORE;
        port->mtu = RTE_MAX(port->mtu, options->payload + CAPTURE_HEADER_BYTES - RTE_ETHER_HDR_LEN);
        cores[i] = lanes[i].lcore_cpu;
        config.sockets.maximum += lanes[i].options->sockets;
    }
    /* net_pcap repeats only what fits one buffer. */
    config.buffer_bytes = RTE_MAX(config.buffer_bytes, ports[0].mtu + FRAME_OVERHEAD);
    config.cores = cores;
    config.ports = ports;
    config.cores_count = config.ports_count = count;
    config.sockets.ring_slots = RTE_MAX(lanes[0].ring_slots, RING_SLOTS_REAL_MINIMUM);
    config.sockets.ring_bytes = lanes[0].ring_slots * options->payload;
    config.sockets.min_buffers = RTE_MIN(lanes[0].ring_slots, config.sockets.min_buffers);
    config.sockets.spin_us = options->spin_us < 0 ? BED_SPIN_US : (unsigned)options->spin_us;
    config.buffers = enough_buffers(lanes, count, &config);
    if (client_start_dataplane(&config, options->by_hand, &error) != 0)
        return bed_refuse("%s", error.text);
    return 0;
}

static int start_lane(struct bed *bed)
{
    bed->lcore = &dataplane.lcores[bed->lane];
    bed->port = &dataplane.ports[bed->lane];
    bed->ticks_per_second = (double)dataplane_tsc_hz();
    if (bed->lcore->queues_count != 1 || bed->lcore->queues[0].port != bed->port)
        return bed_refuse("lcore %u does not poll the device made for it", bed->lane);
    if (floor_create(bed->lane, bed->port->pool, bed->floor_slots) != 0)
        return bed_refuse("out of memory: no room for the floor's rings");
    bed_silence(bed);
    return 0;
}

int bed_bind_client(const struct bed *bed)
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

int bed_start_lanes(struct bed *lanes, const struct bench_options *options, unsigned count)
{
    char paths[BED_MAX_LANES][PATH_BYTES];
    unsigned slots =
        options[0].ring_slots != 0 ? options[0].ring_slots : default_slots(options[0].sockets);

    for (unsigned i = 0; i < count; i++) {
        lanes[i] = (struct bed){
            .options = &options[i], .lane = i, .ring_slots = slots, .load_at_start = bed_load()};
        lanes[i].floor_slots = floor_slots(&lanes[i]);
    }
    if (choose_cpus(lanes, count) != 0 || write_captures(lanes, count, paths) != 0)
        return -1;
    int result = start_dataplane(lanes, count, paths);
    remove_captures(paths, count); /* the devices have read them */
    for (unsigned i = 0; i < count && result == 0; i++)
        result = start_lane(&lanes[i]);
    if (result != 0)
        return -1;
    for (unsigned i = 0; i < count; i++)
        lanes[i].free_buffers = rte_mempool_avail_count(lanes[i].port->pool);
    /* Only now: threads that the library makes inherit the affinity of their maker. */
    return bed_bind_client(&lanes[0]);
}

int bed_start(struct bed *bed, const struct bench_options *options)
{
    return bed_start_lanes(bed, options, 1);
}

unsigned bed_stop_lanes(struct bed *lanes, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        bed_silence(&lanes[i]);
    unsigned free_buffers = rte_mempool_avail_count(lanes[0].port->pool); /* the same for all */
    dataplane_stop();
    floor_destroy();
    return lanes[0].free_buffers - free_buffers;
}

unsigned bed_stop(struct bed *bed)
{
    return bed_stop_lanes(bed, 1);
}
