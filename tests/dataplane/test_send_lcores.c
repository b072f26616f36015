/* SPDX-License-Identifier: BSD-3-Clause */

/* Sending from one lcore's socket to another's, and by threads of their own while lcores run. */

#include "support/suite.h"

#include <errno.h>
#include <pthread.h>
#include <rte_byteorder.h>
#include <sched.h>

#include "client.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"

#define LOOPBACK FRAME_IP(127, 0, 0, 1)
#define GROUP FRAME_IP(239, 1, 1, 1)
#define PORT 5000
#define BUFFERS 16384u

#ifdef WIRERX_SANITIZED
#define DATAGRAMS 2000u
#else
#define DATAGRAMS 10000u
#endif

static unsigned cores[2];

static struct config two_cores(void)
{
    struct config config = wire_config();

    if (wire_cpus() < 2)
        SKIP("this process may use one CPU only");
    cores[0] = wire_cpu(1);
    cores[1] = wire_cpu(0);
    config.cores = cores;
    config.cores_count = 2;
    config.ports[0].queues = 2;
    config.buffers = BUFFERS;
    config.sockets.ring_slots = 8192;
    return config;
}

/* Sockets of other ports go to the lcore with the fewest: the first to 0, the second to 1. */
static void open_two(struct client *at_0, struct client *at_1)
{
    *at_0 = client_joined(GROUP, PORT);
    *at_1 = client_joined(GROUP, PORT + 1);
    CHECK_EQ_U64(atomic_load(&at_0->endpoint->home), 0);
    CHECK_EQ_U64(atomic_load(&at_1->endpoint->home), 1);
}

static void start_by_hand(void)
{
    struct config config = two_cores();

    wire_start(&config, &client_operations, true);
}

static void check_and_stop(void)
{
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
    wire_stop();
}

SUITE_TEST(send_lcores, datagrams_are_handed_over_to_the_receivers_home)
{
    struct client at_0, at_1;

    start_by_hand();
    open_two(&at_0, &at_1);
    client_send(&at_0, LOOPBACK, PORT + 1, 4000, 1);
    client_send(&at_0, FRAME_IP(127, 4, 5, 6), PORT + 1, 4000,
                2); /* under a wildcard's key there */
    client_send(&at_0, WIRE_ADDRESS, PORT + 1, 4000, 3);
    client_send(&at_1, WIRE_ADDRESS, PORT, 40, 4);
    wire_settle();
    client_expect(&at_1, 1, 3, 4000);
    client_expect(&at_0, 4, 1, 40);
    CHECK_EQ_U64(wire_counter_of(DATAPLANE_SCOPE_LCORE, 0, "looped"), 3);
    CHECK_EQ_U64(wire_counter_of(DATAPLANE_SCOPE_LCORE, 0, "handed_over"), 3);
    CHECK_EQ_U64(wire_counter_of(DATAPLANE_SCOPE_LCORE, 1, "handed_in"), 3);
    CHECK_EQ_U64(wire_counter_of(DATAPLANE_SCOPE_LCORE, 1, "looped"), 1);
    client_close(&at_0);
    client_close(&at_1);
    check_and_stop();
}

SUITE_TEST(send_lcores, members_elsewhere_may_refuse_what_is_looped_too)
{
    struct client at_0, at_1, other_at_1;

    start_by_hand();
    open_two(&at_0, &at_1);
    other_at_1 = client_joined(GROUP, PORT + 1);
    CHECK_EQ_U64(atomic_load(&other_at_1.endpoint->home), 1);
    atomic_store(&at_1.endpoint->refuses_looped_groups, true);
    client_send(&at_0, GROUP, PORT + 1, 40, 1);
    wire_settle();
    CHECK_EQ_U64(client_drain(&at_1), 0);
    CHECK_EQ_U64(client_drain(&other_at_1), 1);
    atomic_store(&other_at_1.endpoint->refuses_looped_groups, true);
    client_send(&at_0, GROUP, PORT + 1, 40, 1);
    wire_settle();
    CHECK_EQ_U64(wire_counter_of(DATAPLANE_SCOPE_LCORE, 1, "drop.not_joined"), 1);
    client_close(&at_0);
    client_close(&at_1);
    client_close(&other_at_1);
    check_and_stop();
}

SUITE_TEST(send_lcores, an_error_from_the_wire_is_handed_over_as_well)
{
    struct frame quoted = {.source = WIRE_ADDRESS, .source_port = PORT + 1, .length = 0};
    struct frame_icmp icmp = {.type = 3, .code = 3, .quoted = &quoted};
    struct client at_0, at_1;
    struct taken taken;
    uint8_t bytes[128];
    size_t length = frame_icmp_build(&icmp, bytes, sizeof bytes);

    start_by_hand();
    open_two(&at_0, &at_1);
    wire_send(bytes, length); /* on lcore 0's queue, and the socket has not sent anything */
    wire_settle();
    CHECK_EQ_U64(wire_counter_of(DATAPLANE_SCOPE_LCORE, 1, "drop.icmp"), 1);
    client_send(&at_1, FRAME_IP(239, 0, 0, 1), PORT, 4, 0);
    wire_settle();
    wire_send(bytes, length);
    wire_settle();
    CHECK(client_take(&at_1, &taken));
    CHECK_EQ_U64(taken.kind, RX_PORT_UNREACHABLE);
    client_close(&at_0);
    client_close(&at_1);
    check_and_stop();
}

/* --- threads ---------------------------------------------------------------------------------- */

struct sender {
    pthread_t thread;
    struct client client;
    uint16_t to;
};

static void *send_all(void *argument)
{
    struct sender *self = argument;
    uint8_t payload[64];

    for (unsigned i = 0; i < DATAGRAMS; i++) {
        frame_fill(payload, sizeof payload, i);
        while (client_try_send(&self->client, LOOPBACK, self->to, payload, sizeof payload) != 0)
            sched_yield();
    }
    return NULL;
}

/* In order, none twice; those that are missing were lost to a full ring. */
SUITE_TEST(send_lcores, threads_send_while_others_receive)
{
    struct config config = two_cores();
    struct sender senders[4];
    struct client to[2];
    uint64_t received = 0, lost = 0;
    struct taken taken;

    wire_start(&config, &client_operations, false);
    open_two(&to[0], &to[1]);
    for (unsigned i = 0; i < 4; i++) {
        senders[i].client = client_bound(0, (uint16_t)(PORT + 10 + i));
        senders[i].to = (uint16_t)(PORT + (i & 1));
        CHECK_EQ_I64(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]), 0);
    }
    uint64_t next[4] = {0};
    bool live = true;
    while (live) {
        live = received + lost < 4ull * DATAGRAMS;
        for (unsigned i = 0; i < 2; i++)
            while (client_take(&to[i], &taken)) {
                unsigned from = taken.source_port - PORT - 10u;

                CHECK(from < 4 && senders[from].to == PORT + i);
                while (!frame_is_filled(taken.bytes, 64, next[from])) {
                    next[from]++;
                    CHECK_MSG(next[from] < DATAGRAMS, "sender %u: out of order", from);
                }
                next[from]++;
                received++;
            }
        lost = client_lost_ring_full(&to[0]) + client_lost_ring_full(&to[1]) +
               client_lost_pool_share(&to[0]) + client_lost_pool_share(&to[1]) +
               wire_counter("lost.handover_full") + wire_counter("lost.send_no_buffer");
        sched_yield();
    }
    for (unsigned i = 0; i < 4; i++) {
        CHECK_EQ_I64(pthread_join(senders[i].thread, NULL), 0);
        client_close(&senders[i].client);
    }
    CHECK_EQ_U64(received + lost, 4ull * DATAGRAMS);
    CHECK_GE_U64(received, 1000);
    for (unsigned i = 0; i < 2; i++)
        client_close(&to[i]);
    check_and_stop();
}

/* A socket that sends and closes, over and over, beside one that always sends. */
static void *send_and_close(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < DATAGRAMS / 100; i++) {
        struct client client = client_bound(0, PORT + 20);
        uint8_t payload[64];

        for (unsigned k = 0; k < 10; k++) {
            frame_fill(payload, sizeof payload, k);
            CHECK_EQ_I64(client_try_send(&client, LOOPBACK, PORT, payload, sizeof payload), 0);
        }
        client_close(&client);
    }
    return NULL;
}

SUITE_TEST(send_lcores, sockets_close_while_others_send)
{
    struct config config = two_cores();
    struct sender sender;
    struct client to[2];
    pthread_t closer;

    wire_start(&config, &client_operations, false);
    open_two(&to[0], &to[1]);
    sender.client = client_bound(0, PORT + 10);
    sender.to = PORT + 1;
    CHECK_EQ_I64(pthread_create(&sender.thread, NULL, send_all, &sender), 0);
    CHECK_EQ_I64(pthread_create(&closer, NULL, send_and_close, NULL), 0);
    uint64_t wanted = DATAGRAMS / 100 * 10, taken = 0;
    while (taken + client_lost_ring_full(&to[0]) < wanted) {
        taken += client_drain(&to[0]);
        client_drain(&to[1]);
        sched_yield();
    }
    CHECK_EQ_I64(pthread_join(closer, NULL), 0);
    CHECK_EQ_I64(pthread_join(sender.thread, NULL), 0);
    wire_settle();
    taken += client_drain(&to[0]);
    CHECK_EQ_U64(taken + client_lost_ring_full(&to[0]), wanted);
    client_drain(&to[1]);
    client_close(&sender.client);
    for (unsigned i = 0; i < 2; i++)
        client_close(&to[i]);
    check_and_stop();
}
