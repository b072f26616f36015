/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The same datagrams from the same sender over the same veth pair, received by wirerx, by kernel sockets
 * and by raw AF_XDP in turn. A slice has two halves: at a pace, which gives the latency from the sender's
 * stamp to the return of the call, and as fast as the sender can, which gives the rate. And the floor
 * beside testpmd, which need no wire.
 */

#include "network.h"

#include <rte_cycles.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bed.h"
#include "command.h"
#include "network_report.h"
#include "shim/generated.h"

#define DEFAULT_RATE 5000u
#define DEFAULT_SLICES 10u
#define MOST_PAYLOAD 1472u

static const struct way *const ways[NETWORK_WAYS] = {
    /* Those over AF_XDP are not neighbours: the kernel lets go of a queue some time after its end. */
    &way_wirerx_af_xdp, &way_recv,     &way_recvmmsg,         &way_af_xdp,
    &way_busy_poll,     &way_io_uring, &way_wirerx_af_packet,
};

void network_take(struct network *network, const uint8_t *payload, size_t length)
{
    uint64_t now = rte_rdtsc();
    struct generated generated;

    if (!generated_read(payload, length, &generated) || length != network->options->payload) {
        network->strangers++;
        return;
    }
    network->received++;
    if (generated.sequence < network->paced) {
        histogram_add(network->latency, now > generated.tsc ? now - generated.tsc : 0);
        return;
    }
    if (network->flood_received++ == 0)
        network->first_tsc = now;
    network->last_tsc = now;
}

static uint64_t clock_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

double network_ticks_per_second(void)
{
    static double ticks_per_second;

    if (ticks_per_second == 0) {
        uint64_t tsc = rte_rdtsc(), ns = clock_ns();

        usleep(50000);
        ticks_per_second = (double)(rte_rdtsc() - tsc) * 1e9 / (double)(clock_ns() - ns);
    }
    return ticks_per_second;
}

/* --- a slice ---------------------------------------------------------------------------------------------- */

/* The client leaves the lcore's CPU alone, whichever way it receives; and back. */
static void keep_off(const struct network *network, cpu_set_t *before)
{
    cpu_set_t without;

    if (sched_getaffinity(0, sizeof *before, before) != 0)
        return;
    without = *before;
    CPU_CLR(network->lcore_cpu, &without);
    sched_setaffinity(0, sizeof without, &without);
}

/* Until the sender has ended and nothing more comes. @return false: the row's reason says why */
static bool receive_all(struct network *network, struct network_row *row,
                        struct wire_sender *sender, int64_t *sent)
{
    int ended = 0;

    for (;;) {
        uint64_t before = network->received + network->strangers;

        if (!row->way->receive(network, row->reason, sizeof row->reason))
            break;
        if (ended > 0 && before == network->received + network->strangers)
            return true;
        if (ended == 0)
            ended = wire_sender_ended(sender, sent);
        if (ended < 0) {
            snprintf(row->reason, sizeof row->reason, "the sender, wirerx-gen, has failed");
            return false;
        }
    }
    while (ended == 0)
        ended = wire_sender_ended(sender, sent);
    return false;
}

static void run_slice(struct network *network, struct network_row *row, unsigned rate)
{
    struct network_slice *slice = &row->slices[row->count];
    struct wire_counts before, after;
    struct wire_sender sender;
    int64_t sent = 0;
    cpu_set_t mask;
    bool fine;

    network->received = network->flood_received = network->strangers = 0;
    network->first_tsc = network->last_tsc = 0;
    memset(network->latency, 0, sizeof *network->latency);
    wire_clear(network);
    if (row->way->open(network, row->reason, sizeof row->reason) != 0)
        return;
    wire_count(&before);
    if (wire_sender_start(&sender, network, rate) != 0) {
        snprintf(row->reason, sizeof row->reason, "no process for the sender");
        row->way->close(network);
        return;
    }
    keep_off(network, &mask);
    fine = receive_all(network, row, &sender, &sent);
    sched_setaffinity(0, sizeof mask, &mask);
    wire_count(&after);
    slice->lost_socket =
        row->way->lost != NULL ? row->way->lost(network) : after.socket_lost - before.socket_lost;
    row->note = row->way->note != NULL ? row->way->note() : NULL;
    row->way->close(network);
    if (!fine)
        return;
    slice->sent = (uint64_t)sent;
    slice->received = network->received;
    slice->lost_device = after.device_lost - before.device_lost;
    slice->rate = network->last_tsc > network->first_tsc
                      ? (double)(network->flood_received - 1) * network_ticks_per_second() /
                            (double)(network->last_tsc - network->first_tsc)
                      : 0;
    slice->p50 = histogram_quantile(network->latency, 0.5);
    histogram_merge(row->latency, network->latency);
    row->count++;
}

/* In a process of its own: DPDK starts once in a process, and net_af_xdp leaves its queue taken until the
 * process ends. */
static void run_slice_apart(struct network *network, struct network_row *row, unsigned rate)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        run_slice(network, row, rate);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
        WEXITSTATUS(status) != 0)
        snprintf(row->reason, sizeof row->reason, "the process of a slice has died");
}

/* Shared with the processes of slices, and all zero. NULL: out of memory */
static void *share(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return memory != MAP_FAILED ? memory : NULL;
}

/* --- all -------------------------------------------------------------------------------------------------- */

static int check_cpu(const char *option, unsigned cpu)
{
    cpu_set_t allowed;

    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 ||
        (cpu < CPU_SETSIZE && CPU_ISSET(cpu, &allowed)))
        return 0;
    return bed_refuse("%s %u: this process may not use that CPU", option, cpu);
}

static int begin(struct network *network, struct network_results *results)
{
    struct bed bed = {.options = network->options};
    char reason[256];
    int sender = network->options->sender_cpu;

    if (bed_choose_cpus(&bed) != 0 || check_cpu("--core", bed.lcore_cpu) != 0 ||
        (sender >= 0 && check_cpu("--sender", (unsigned)sender) != 0))
        return -1;
    network->lcore_cpu = bed.lcore_cpu;
    for (unsigned i = 0; i < NETWORK_WAYS; i++) {
        struct network_row *row = &results->rows[i];

        row->way = ways[i];
        row->slices = share(network->options->slices * sizeof *row->slices);
        row->latency = share(sizeof *row->latency);
        if (row->slices == NULL || row->latency == NULL)
            return bed_refuse("out of memory");
    }
    if (wire_lay(network, reason, sizeof reason) == 0)
        return 0;
    for (unsigned i = 0; i < NETWORK_WAYS; i++)
        snprintf(results->rows[i].reason, sizeof results->rows[i].reason, "%s", reason);
    return 0;
}

static int run(const struct bench_options *options)
{
    static struct histogram latency; /* too big for a stack */
    struct network network = {.options = options, .latency = &latency};
    struct network_results *results = share(sizeof *results);
    unsigned rate = options->rate != 0 ? options->rate : DEFAULT_RATE;

    if (results == NULL || begin(&network, results) != 0)
        return BENCH_REFUSED;
    results->options = options;
    results->rate = rate;
    results->lcore_cpu = network.lcore_cpu;
    results->load_at_start = bed_load();
    network_ticks_per_second(); /* known before the processes are made */
    network.paced = (uint64_t)rate * options->slice_ms / 1000;
    for (unsigned slice = 0; slice < options->slices; slice++)
        for (unsigned i = 0; i < NETWORK_WAYS; i++)
            if (results->rows[i].reason[0] == '\0')
                run_slice_apart(&network, &results->rows[i], rate);
    testpmd_measure(&results->testpmd, options);
    results->load_at_end = bed_load();
    network_report(results);
    free(results->testpmd.floor);
    free(results->testpmd.testpmd);
    return BENCH_OK;
}

static void defaults(struct bench_options *options)
{
    options->slices = DEFAULT_SLICES;
}

static int check(const struct bench_options *options)
{
    unsigned rate = options->rate != 0 ? options->rate : DEFAULT_RATE;

    if (options->payload < GENERATED_SHORT_BYTES || options->payload > MOST_PAYLOAD)
        return options_wrong("--payload %u: the wire takes %u to %u bytes", options->payload,
                             GENERATED_SHORT_BYTES, MOST_PAYLOAD);
    if ((uint64_t)rate * options->slice_ms < 10000)
        return options_wrong("--rate %u and --slice-ms %u: fewer than 10 datagrams in a slice",
                             rate, options->slice_ms);
    return 0;
}

const struct command command_network = {
    .name = "network",
    .help = "over a veth pair, beside kernel sockets, AF_XDP and testpmd",
    .options = OPTION_PAYLOAD | OPTION_SLICES | OPTION_SLICE_MS | OPTION_RATE | OPTION_SPIN_US |
               OPTION_CORE | OPTION_SENDER | OPTION_JSON,
    .defaults = defaults,
    .check = check,
    .run = run,
};
