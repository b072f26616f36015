/* SPDX-License-Identifier: BSD-3-Clause */

/* Joins for which memory is short at each of their steps: on two lcores, of which the second may be the one
 * without. Nothing of them stays, and what was joined before goes on. */

#include "support/suite.h"

#include <errno.h>
#include <rte_byteorder.h>
#include <rte_malloc.h>

#include "client.h"
#include "host.h"
#include "igmp.h"
#include "network.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"

#if !UNDER_THREAD_SANITIZER

#define GROUP FRAME_IP(239, 1, 2, 3)
#define SOURCE FRAME_IP(10, 0, 0, 1)
#define PORT 5000
#define LARGEST (64u << 20)
#define CRUMB 64u /* what a member takes */
#define CRUMBS 20u
#define FILTER_BYTES (sizeof(struct demux_filter) + sizeof((struct demux_filter *)NULL)->parts[0])

static struct block {
    struct block *next;
} * rest;
static void *crumbs[2 * CRUMBS];
static void *room_for_filter;
static unsigned given;

/* All of DPDK's memory. */
static void take_memory(void)
{
    struct block *block;

    room_for_filter = rte_malloc(NULL, FILTER_BYTES, 0);
    for (unsigned i = 0; i < 2 * CRUMBS; i++)
        crumbs[i] = rte_malloc(NULL, CRUMB, 0);
    for (size_t size = LARGEST; size >= CRUMB; size /= 2)
        while ((block = rte_malloc(NULL, size, 0)) != NULL) {
            block->next = rest;
            rest = block;
        }
}

static void give_room_for_filter(void)
{
    rte_free(room_for_filter);
    room_for_filter = NULL;
}

/* For one member more. Every other one, or they would become one. */
static void give_crumb(void)
{
    CHECK(given < CRUMBS);
    rte_free(crumbs[2 * given]);
    crumbs[2 * given++] = NULL;
}

static void give_memory(void)
{
    give_room_for_filter();
    for (unsigned i = 0; i < 2 * CRUMBS; i++)
        rte_free(crumbs[i]);
    while (rest != NULL) {
        struct block *block = rest;

        rest = block->next;
        rte_free(block);
    }
}

static unsigned blocks_in_use(void)
{
    unsigned count = 0;

    for (unsigned i = 0; i < rte_socket_count(); i++) {
        struct rte_malloc_socket_stats statistics;

        if (rte_malloc_get_socket_stats(rte_socket_id_by_idx(i), &statistics) == 0)
            count += statistics.alloc_count;
    }
    return count;
}

static void start(void)
{
    static unsigned cores[2];
    struct config config = wire_config();

    if (wire_cpus() < 2)
        SKIP("this process may use one CPU only");
    cores[0] = wire_cpu(0);
    cores[1] = wire_cpu(1);
    config.cores = cores;
    config.cores_count = 2;
    network_start(&config, &client_operations);
}

static uint32_t groups_told(void)
{
    const struct host_port *kept = dataplane.ports[0].keeper->host->ports[0];

    return igmp_groups_used(kept->igmp.core);
}

/* Until the network has been told again of what has changed. */
static void pass(void)
{
    static uint64_t now;
    uint64_t step = dataplane_tsc_hz() / 100;

    now = RTE_MAX(now, dataplane_tsc());
    for (unsigned i = 0; i < 500; i++, now += step)
        wire_step(now);
    network_forget();
}

static unsigned arrive(const struct client *client, uint32_t source, uint32_t group)
{
    uint8_t bytes[200];
    struct frame frame = {.source = source,
                          .source_port = 9,
                          .destination = group,
                          .destination_port = PORT,
                          .payload = "quote",
                          .length = 5};

    wire_send(bytes, frame_build(&frame, bytes, sizeof bytes));
    wire_settle();
    return client_drain(client);
}

SUITE_TEST(groups_memory, a_join_without_memory_for_all_lcores_leaves_nothing)
{
    unsigned failed = 0;

    start();
    struct client c = client_bound(0, PORT);
    unsigned before = blocks_in_use();
    take_memory();
    while (client_try_join(&c, GROUP, 0) == -ENOBUFS) {
        CHECK_EQ_U64(arrive(&c, SOURCE, GROUP), 0);
        CHECK_EQ_U64(wire_counter("drop.not_joined"), ++failed);
        CHECK_EQ_U64(dataplane.ports[0].multicast.count, 1);
        pass();
        CHECK_EQ_U64(groups_told(), 0);
        CHECK_EQ_I64(client_leave(&c, GROUP, 0), -EADDRNOTAVAIL);
        give_crumb();
    }
    CHECK_EQ_U64(failed, 2); /* the first lcore's, the second's */
    CHECK_EQ_U64(arrive(&c, SOURCE, GROUP), 1);
    pass();
    CHECK_EQ_U64(groups_told(), 1);
    CHECK_EQ_I64(client_leave(&c, GROUP, 0), 0);
    give_memory();
    CHECK_EQ_U64(blocks_in_use(), before);
    client_close(&c);
    wire_stop();
}

SUITE_TEST(groups_memory, a_change_of_sources_without_memory_leaves_them_as_they_were)
{
    unsigned failed = 0;

    start();
    struct client c = client_bound(0, PORT);
    unsigned before = blocks_in_use();
    CHECK_EQ_I64(client_change_group(&c, DATAPLANE_JOIN_SOURCE, GROUP, SOURCE), 0);
    take_memory();
    while (client_change_group(&c, DATAPLANE_JOIN_SOURCE, GROUP, SOURCE + 1) == -ENOBUFS) {
        CHECK_EQ_U64(arrive(&c, SOURCE, GROUP), 1);
        CHECK_EQ_U64(arrive(&c, SOURCE + 1, GROUP), 0);
        CHECK_EQ_U64(wire_counter("drop.source_filtered"), ++failed);
        CHECK_EQ_I64(client_change_group(&c, DATAPLANE_LEAVE_SOURCE, GROUP, SOURCE + 1),
                     -EADDRNOTAVAIL);
        if (failed == 1)
            give_room_for_filter();
        else
            give_crumb();
    }
    CHECK_EQ_U64(failed, 3); /* the filter's, the first lcore's, the second's */
    CHECK_EQ_U64(arrive(&c, SOURCE, GROUP), 1);
    CHECK_EQ_U64(arrive(&c, SOURCE + 1, GROUP), 1);
    CHECK_EQ_I64(client_change_group(&c, DATAPLANE_LEAVE, GROUP, 0),
                 0); /* for which there is always memory enough */
    give_memory();
    CHECK_EQ_U64(blocks_in_use(), before);
    client_close(&c);
    wire_stop();
}

SUITE_TEST(groups_memory, a_filter_without_memory_leaves_the_one_before)
{
    struct source_filter was = client_filter_of(true, SOURCE + 1, SOURCE + 9);
    struct source_filter wanted = client_filter_of(false, SOURCE + 1, SOURCE + 1);
    unsigned failed = 0;

    start();
    struct client c = client_bound(0, PORT);
    unsigned before = blocks_in_use();
    CHECK_EQ_I64(client_set_filter(&c, GROUP, 0, &was), 0);
    take_memory();
    while (client_set_filter(&c, GROUP, 0, &wanted) == -ENOBUFS) {
        CHECK(client_has_filter(&c, GROUP, 0, &was));
        CHECK_EQ_U64(arrive(&c, SOURCE, GROUP), 1);
        CHECK_EQ_U64(arrive(&c, SOURCE + 1, GROUP), 0);
        CHECK_EQ_U64(wire_counter("drop.source_filtered"), ++failed);
        if (failed == 1)
            give_room_for_filter();
        else
            give_crumb();
    }
    CHECK_EQ_U64(failed, 3); /* the filter's, the first lcore's, the second's */
    CHECK(client_has_filter(&c, GROUP, 0, &wanted));
    CHECK_EQ_U64(arrive(&c, SOURCE, GROUP), 0);
    CHECK_EQ_U64(arrive(&c, SOURCE + 1, GROUP), 1);
    CHECK_EQ_I64(client_set_filter(&c, GROUP, 0, &SOURCE_FILTER_NONE), 0);
    give_memory();
    CHECK_EQ_U64(blocks_in_use(), before);
    client_close(&c);
    wire_stop();
}

SUITE_TEST(groups_memory, a_bind_without_memory_for_the_groups_leaves_the_socket_unbound)
{
    unsigned failed = 0;

    start();
    struct client c = client_open();
    CHECK_EQ_I64(client_try_join(&c, GROUP, 0), 0);
    unsigned before = blocks_in_use();
    take_memory();
    while (client_try_bind(&c, 0, PORT, true) == -ENOBUFS) {
        CHECK_EQ_U64(arrive(&c, SOURCE, GROUP), 0);
        CHECK_EQ_U64(wire_counter("drop.not_joined"), ++failed);
        CHECK_EQ_U64(dataplane.ports[0].multicast.count, 1);
        give_crumb();
    }
    CHECK_EQ_U64(failed, 10); /* four addresses and the group, two lcores */
    CHECK_EQ_U64(arrive(&c, SOURCE, GROUP), 1);
    client_close(&c);
    give_memory();
    CHECK_EQ_U64(blocks_in_use(), before - 1); /* the socket's own rings */
    wire_stop();
}

#endif
