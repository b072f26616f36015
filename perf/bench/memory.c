/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What a socket takes that is open, bound and joined and receives nothing. Counted where it is allocated:
 * DPDK's heap, the C library's, and the records that static tables keep for it. Not in it: the packet
 * buffers that it is guaranteed, and what all sockets share; these are reported beside it.
 */

#include <malloc.h>
#include <rte_malloc.h>
#include <rte_mempool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client.h"
#include "command.h"
#include "dataplane/state.h"
#include "report.h"

/** The goal of shared/DESIGN.md for one that is idle. */
#define GOAL_BYTES 4096u

/** Buffers guaranteed to all sockets together at most: 10,000 times the default would be 1.6 GB. */
#define GUARANTEED_BUFFERS 65536u

/* What is in use. */
struct usage {
    size_t dpdk, libc;
    size_t tables;   /* in static tables: of the sockets that are open */
    size_t resident; /* pages of the process, whatever for */
};

struct row {
    unsigned sockets;
    struct usage usage; /* beyond what there was without sockets */
};

static const unsigned steps[] = {1, 100, 1000, 10000};
#define STEPS (sizeof steps / sizeof steps[0])

struct results {
    struct bed bed;
    struct config_sockets settings;
    struct usage start; /* the dataplane runs, no socket is open */
    struct row rows[STEPS + 1];
    unsigned rows_count;
    size_t left;          /* in the heaps when all sockets are closed again */
    size_t stock_bytes;   /* of larger rings, for sockets whose ring is full */
    uint32_t limit_bytes; /* what a socket may have of them at most */
    size_t buffer_bytes;  /* of one in the pool */
    unsigned buffers;     /* in the pool */
};

/* --- measuring -------------------------------------------------------------------------------------------- */

static size_t dpdk_bytes(void)
{
    size_t bytes = 0;

    for (int node = 0; node < RTE_MAX_NUMA_NODES; node++) {
        struct rte_malloc_socket_stats stats;

        if (rte_malloc_get_socket_stats(node, &stats) == 0)
            bytes += stats.heap_allocsz_bytes;
    }
    return bytes;
}

static size_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    char line[128] = "", *resident = line;

    if (file == NULL)
        return 0;
    if (fgets(line, sizeof line, file) != NULL)
        strtoul(line, &resident, 10); /* the second number; the first one is all that is mapped */
    fclose(file);
    return strtoul(resident, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

static struct usage measure(unsigned sockets)
{
    struct mallinfo2 libc = mallinfo2();

    return (struct usage){
        .dpdk = dpdk_bytes(),
        .libc = libc.uordblks + libc.hblkhd,
        .tables = sockets * (client_record_bytes() + sizeof(struct binding)),
        .resident = resident_bytes(),
    };
}

static size_t total(const struct row *row)
{
    return row->usage.dpdk + row->usage.libc + row->usage.tables;
}

static size_t per_socket(const struct row *row)
{
    return total(row) / row->sockets;
}

/* What one more socket takes: from the last row but one to the last. What comes in chunks is paid for
 * by then. */
static size_t marginal(const struct results *results)
{
    const struct row *last = &results->rows[results->rows_count - 1], *before = last - 1;

    if (results->rows_count == 1)
        return per_socket(last);
    return (total(last) - total(before)) / (last->sockets - before->sockets);
}

static int add_row(struct results *results, unsigned sockets)
{
    struct row *row = &results->rows[results->rows_count];

    if (client_open_until(sockets) != 0)
        return -1;
    struct usage usage = measure(sockets);
    *row = (struct row){sockets,
                        {usage.dpdk - results->start.dpdk, usage.libc - results->start.libc,
                         usage.tables, usage.resident - results->start.resident}};
    results->rows_count++;
    return 0;
}

/* --- start and stop ------------------------------------------------------------------------------------------ */

static int start(struct results *results, const struct bench_options *options)
{
    struct config config = config_default();
    struct config_port port = config_port_default();
    struct config_error error;
    unsigned guaranteed = GUARANTEED_BUFFERS / options->sockets;

    results->bed = (struct bed){.options = options, .load_at_start = bed_load()};
    if (bed_choose_cpus(&results->bed) != 0)
        return -1;
    port.device = (char[]){"vdev:net_null0"};
    config.cores = &results->bed.lcore_cpu;
    config.cores_count = 1;
    config.ports = &port;
    config.ports_count = 1;
    config.sockets.maximum = options->sockets;
    config.sockets.ring_slots = options->ring_slots;
    config.sockets.min_buffers = RTE_MIN(config.sockets.min_buffers, guaranteed);
    config.buffers = config_buffers_needed(&config);
    results->settings = config.sockets;
    results->buffers = config.buffers;
    if (client_start_dataplane(&config, true, &error) != 0)
        return bed_refuse("%s", error.text);
    const struct rte_mempool *pool = dataplane.ports[0].pool;
    results->buffer_bytes = pool->header_size + pool->elt_size + pool->trailer_size;
    results->stock_bytes = atomic_load(&dataplane.lcores[0].stock.bytes);
    results->limit_bytes = results->settings.ring_slots > STORE_OWN_SLOTS
                               ? socket_store_bytes(results->settings.ring_slots)
                               : 0;
    return client_start(&results->bed);
}

/* --- the report ------------------------------------------------------------------------------------------------ */

static void print_text(const struct results *results)
{
    const struct config_sockets *settings = &results->settings;
    size_t guaranteed = settings->min_buffers * results->buffer_bytes;

    printf("wirerx-bench memory: sockets that are open, bound, joined to a group, and idle\n"
           "ring_slots %u, min_buffers %u, maximum %u\n\n",
           settings->ring_slots, settings->min_buffers, settings->maximum);
    printf("%10s %14s %14s %14s %14s %12s\n", "sockets", "DPDK's heap", "C library",
           "static tables", "resident", "each");
    for (unsigned i = 0; i < results->rows_count; i++) {
        const struct row *row = &results->rows[i];

        printf("%10u %14zu %14zu %14zu %14zu %12zu\n", row->sockets, row->usage.dpdk,
               row->usage.libc, row->usage.tables, row->usage.resident, per_socket(row));
    }
    printf("\nan idle socket takes %zu bytes beyond its guaranteed buffers; the goal is %u\n",
           marginal(results), GOAL_BYTES);
    printf(
        "it may grow to:      a ring of %u datagrams, %u bytes more, out of a stock that all share\n",
        settings->ring_slots, results->limit_bytes);
    printf("guaranteed to each:  %u packet buffers of %zu bytes, %zu in all\n",
           settings->min_buffers, results->buffer_bytes, guaranteed);
    printf("shared by all:       %u packet buffers, %zu bytes; %zu bytes of static tables (%u "
           "slots);\n"
           "                     with no socket open DPDK's heap has %zu bytes in use (the "
           "pool's among them), the C library's %zu\n",
           results->buffers, results->buffers * results->buffer_bytes,
           CONFIG_MAX_SOCKETS * (client_record_bytes() + sizeof(struct binding)),
           CONFIG_MAX_SOCKETS, results->start.dpdk, results->start.libc);
    printf("                     in the stock of larger rings %zu bytes of that\n",
           results->stock_bytes);
    printf("kept when all are closed again: %zu bytes, for the next ones (endpoints, %u at a "
           "time)\n",
           results->left, ENDPOINT_CHUNK);
}

static void print_json(const struct results *results)
{
    const struct config_sockets *settings = &results->settings;
    json_t *object = json_object(), *rows = json_array();

    json_object_set_new(object, "bytes_per_idle_socket",
                        json_integer((json_int_t)marginal(results)));
    json_object_set_new(object, "goal", json_integer(GOAL_BYTES));
    json_object_set_new(object, "version", json_string(WIRERX_VERSION));
    json_object_set_new(object, "command", json_string(results->bed.options->command->name));
    json_object_set_new(object, "ring_slots", json_integer(settings->ring_slots));
    for (unsigned i = 0; i < results->rows_count; i++) {
        const struct row *row = &results->rows[i];

        json_array_append_new(rows, json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "sockets",
                                              (json_int_t)row->sockets, "dpdk_bytes",
                                              (json_int_t)row->usage.dpdk, "libc_bytes",
                                              (json_int_t)row->usage.libc, "table_bytes",
                                              (json_int_t)row->usage.tables, "resident_bytes",
                                              (json_int_t)row->usage.resident, "bytes_each",
                                              (json_int_t)per_socket(row)));
    }
    json_object_set_new(object, "rows", rows);
    json_object_set_new(object, "guaranteed",
                        json_pack("{s:I, s:I}", "buffers", (json_int_t)settings->min_buffers,
                                  "buffer_bytes", (json_int_t)results->buffer_bytes));
    json_object_set_new(
        object, "shared",
        json_pack(
            "{s:I, s:I, s:I, s:I, s:I}", "ring_stock_bytes", (json_int_t)results->stock_bytes,
            "buffers", (json_int_t)results->buffers, "table_bytes",
            (json_int_t)(CONFIG_MAX_SOCKETS * (client_record_bytes() + sizeof(struct binding))),
            "dpdk_bytes", (json_int_t)results->start.dpdk, "libc_bytes",
            (json_int_t)results->start.libc));
    json_object_set_new(object, "limit",
                        json_pack("{s:I}", "ring_bytes", (json_int_t)results->limit_bytes));
    json_object_set_new(object, "bytes_kept_when_closed", json_integer((json_int_t)results->left));
    report_json_print(object);
}

static int run(const struct bench_options *options)
{
    struct results results = {0};

    if (start(&results, options) != 0)
        return BENCH_REFUSED;
    results.start = measure(0);
    for (size_t i = 0; i < STEPS && steps[i] < options->sockets; i++)
        if (add_row(&results, steps[i]) != 0)
            return BENCH_REFUSED;
    if (add_row(&results, options->sockets) != 0)
        return BENCH_REFUSED;
    client_close();
    struct usage end = measure(0);
    results.left = end.dpdk + end.libc - results.start.dpdk - results.start.libc;
    dataplane_stop();
    client_cleanup();
    if (options->json)
        print_json(&results);
    else
        print_text(&results);
    return BENCH_OK;
}

static void defaults(struct bench_options *options)
{
    options->by_hand = true;
    options->sockets = 10000;
    options->ring_slots = config_default().sockets.ring_slots;
}

const struct command command_memory = {
    .name = "memory",
    .help = "bytes of an idle socket, and what all of them share",
    .options = OPTION_SOCKETS | OPTION_RING_SLOTS | OPTION_CORE | OPTION_JSON,
    .defaults = defaults,
    .run = run,
};
