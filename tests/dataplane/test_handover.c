/* SPDX-License-Identifier: BSD-3-Clause */

/* Frames that the device gave to one lcore and that a socket of another lcore wants. */

#include "support/suite.h"

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_malloc.h>
#include <sched.h>

#include "client.h"
#include "command.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"

#define GROUP FRAME_IP(239, 1, 1, 1)
#define PORT 5000
#define BUFFERS 16384u
#define HANDOVER_CAPACITY 4095u /* of LCORE_HANDOVER_SLOTS, rounded up */

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
    config.ports[0].queues = 2; /* one for each lcore */
    config.buffers = BUFFERS;
    config.sockets.ring_slots = 8192;
    return config;
}

static void set_up(void)
{
    struct config config = two_cores();

    wire_start(&config, &client_operations, true);
    CHECK_EQ_U64(dataplane.lcores[0].queues_count, 1);
    CHECK_EQ_U64(dataplane.lcores[1].queues_count, 1);
}

SUITE_FIXTURE(handover, set_up, wire_stop);

static unsigned home_of(const struct client *client)
{
    return atomic_load(&client->endpoint->home);
}

/* Sockets of other ports go to the lcore with the fewest: the first to 0, the second to 1. */
static void open_two(struct client *at_0, struct client *at_1)
{
    *at_0 = client_joined(GROUP, PORT);
    *at_1 = client_joined(GROUP, PORT + 1);
    CHECK_EQ_U64(home_of(at_0), 0);
    CHECK_EQ_U64(home_of(at_1), 1);
}

static void send_on(unsigned queue, uint16_t port, uint64_t first, unsigned count, size_t size)
{
    uint8_t payload[4000], bytes[4100];

    for (unsigned i = 0; i < count; i++) {
        frame_fill(payload, size, first + i);
        size_t length = frame_udp(bytes, sizeof bytes, GROUP, port, payload, size);
        wire_send_frame(&(struct wire_frame){.bytes = bytes, .length = length, .queue = queue});
    }
}

static uint64_t of_lcore(unsigned lcore, const char *name)
{
    return wire_counter_of(DATAPLANE_SCOPE_LCORE, lcore, name);
}

SUITE_TEST(handover, a_frame_on_the_other_lcores_queue_reaches_its_socket)
{
    struct client at_0, at_1;

    open_two(&at_0, &at_1);
    send_on(0, PORT, 0, 100, 40);        /* no hand-over */
    send_on(0, PORT + 1, 1000, 200, 40); /* 0 gives them to 1 */
    wire_settle();
    send_on(1, PORT, 100, 50, 40); /* and 1 gives these to 0 */
    wire_settle();
    client_expect(&at_0, 0, 150, 40);
    client_expect(&at_1, 1000, 200, 40);
    CHECK_EQ_U64(of_lcore(0, "frames"), 300);
    CHECK_EQ_U64(of_lcore(0, "handed_over"), 200);
    CHECK_EQ_U64(of_lcore(0, "handed_in"), 50);
    CHECK_EQ_U64(of_lcore(0, "delivered"), 150);
    CHECK_EQ_U64(of_lcore(1, "frames"), 50);
    CHECK_EQ_U64(of_lcore(1, "handed_over"), 50);
    CHECK_EQ_U64(of_lcore(1, "handed_in"), 200);
    CHECK_EQ_U64(of_lcore(1, "delivered"), 200);
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
    client_close(&at_0);
    client_close(&at_1);
}

SUITE_TEST(handover, what_nobody_wants_or_is_wrong_is_not_handed_over)
{
    struct client at_0, at_1;
    struct frame wrong = {
        .destination = GROUP, .destination_port = PORT + 1, .udp_checksum_off = 1};
    uint8_t bytes[64];
    size_t length = frame_build(&wrong, bytes, sizeof bytes);

    open_two(&at_0, &at_1);
    wire_send(bytes, length);
    send_on(0, PORT + 2, 0, 3, 40);
    wire_settle();
    CHECK_EQ_U64(of_lcore(0, "drop.bad_udp_checksum"), 1);
    CHECK_EQ_U64(of_lcore(0, "drop.not_joined"), 3);
    CHECK_EQ_U64(of_lcore(1, "handed_in"), 0);
    client_close(&at_0);
    client_close(&at_1);
}

SUITE_TEST(handover, frames_of_several_segments_are_handed_over_whole)
{
    struct client at_0, at_1;

    open_two(&at_0, &at_1);
    send_on(0, PORT + 1, 0, 30, 4000);
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS - 60);
    client_expect(&at_1, 0, 30, 4000);
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
    client_close(&at_0);
    client_close(&at_1);
}

SUITE_TEST(handover, a_full_way_over_drops_the_newest)
{
    struct client at_0, at_1;
    unsigned sent = 0;

    open_two(&at_0, &at_1);
    while (sent < HANDOVER_CAPACITY + 100) { /* lcore 1 does not move */
        send_on(0, PORT + 1, sent, 1, 40);
        sent++;
        wire_step_one(0, dataplane_tsc());
    }
    CHECK_EQ_U64(of_lcore(0, "drop.handover_full"), 100);
    CHECK_EQ_U64(of_lcore(0, "handed_over"), HANDOVER_CAPACITY);
    CHECK_EQ_U64(of_lcore(0, "lost.handover_full"), 100);
    wire_settle();
    client_expect(&at_1, 0, HANDOVER_CAPACITY, 40);
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
    client_close(&at_0);
    client_close(&at_1);
}

SUITE_TEST(handover, a_frame_whose_socket_has_gone_meanwhile_is_dropped_there)
{
    struct demux_key key = {rte_cpu_to_be_32(GROUP), rte_cpu_to_be_16(PORT + 1), IPPROTO_UDP};
    struct client at_0, at_1;

    open_two(&at_0, &at_1);
    send_on(0, PORT + 1, 0, 20, 4000);
    wire_step_one(0, dataplane_tsc());
    CHECK_EQ_U64(of_lcore(0, "handed_over"), 20);
    /* A command would first have the lcore take what is on the way. */
    struct demux_member *member = demux_remove(&dataplane.lcores[1].demux, key, at_1.endpoint);
    CHECK(member != NULL);
    rte_free(member);
    wire_settle();
    CHECK_EQ_U64(of_lcore(1, "handed_in"), 20);
    CHECK_EQ_U64(of_lcore(1, "drop.not_joined"), 20);
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
    client_close(&at_1);
    client_close(&at_0);
}

SUITE_TEST(handover, a_stop_frees_what_is_on_the_way_over)
{
    struct config config = two_cores();
    struct client at_0, at_1;

    open_two(&at_0, &at_1);
    send_on(0, PORT + 1, 0, 20, 4000);
    wire_step_one(0, dataplane_tsc());
    CHECK_EQ_U64(of_lcore(0, "handed_over"), 20);
    wire_capture_log();
    CHECK_EQ_I64(dataplane_stop(), 0);
    CHECK_EQ_STR(wire_captured_log(), ""); /* no buffer is missing */
    client_close(&at_0);
    client_close(&at_1);
    wire_start(&config, &client_operations, true);
}

/* Bindings keep all sockets of one port number on one lcore. Should they ever not, a group can have
 * members here and there: link one by hand, as a join would. */
static void link_by_hand(const struct client *client, uint16_t port, bool link)
{
    struct demux_key key = {rte_cpu_to_be_32(GROUP), rte_cpu_to_be_16(port), IPPROTO_UDP};

    for (unsigned i = 0; i < 2; i++) {
        struct command command = {.kind = link ? COMMAND_ADD : COMMAND_REMOVE,
                                  .endpoint = client->endpoint,
                                  .key = key,
                                  .every_member = true};
        if (link) {
            command.member = rte_zmalloc("member", sizeof *command.member, 0);
            CHECK(command.member != NULL);
            command.member->endpoint = client->endpoint;
            command.member->home = home_of(client);
            command.member->ports = UINT32_MAX;
        }
        command_call(&dataplane.lcores[i], &command);
        CHECK_EQ_I64(command.result, 0);
        if (!link)
            rte_free(command.member);
    }
}

SUITE_TEST(handover, a_group_with_members_on_both_lcores_reaches_all)
{
    struct client at_0, at_1;

    open_two(&at_0, &at_1);
    link_by_hand(&at_1, PORT, true);
    send_on(0, PORT, 0, 100, 40);
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS - 100);
    client_expect(&at_1, 0, 100, 40);
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS - 100); /* the same buffers */
    send_on(1, PORT, 100, 50, 4000);
    wire_settle();
    client_expect(&at_1, 100, 50, 4000);
    CHECK_EQ_U64(client_drain(&at_0), 150);
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
    CHECK_EQ_U64(of_lcore(0, "handed_copies"), 100);
    CHECK_EQ_U64(of_lcore(1, "handed_copies"), 50);
    CHECK_EQ_U64(wire_counter("handed_over"), 0); /* each was delivered where it arrived, too */
    link_by_hand(&at_1, PORT, false);
    send_on(0, PORT, 0, 10, 40);
    wire_settle();
    CHECK_EQ_U64(client_drain(&at_1), 0);
    CHECK_EQ_U64(client_drain(&at_0), 10);
    client_close(&at_0);
    client_close(&at_1);
}

/* What was handed over and has several readers there has them beside those that it has here. */
SUITE_TEST(handover, several_members_on_the_other_lcore_share_with_those_here)
{
    struct client at_0, at_1;

    open_two(&at_0, &at_1);
    struct client third = client_joined(GROUP, PORT + 1); /* where the port is at home */
    CHECK_EQ_U64(home_of(&third), 1);
    link_by_hand(&at_1, PORT, true);
    link_by_hand(&third, PORT, true);
    for (unsigned round = 0; round < 2; round++) { /* the readers leave in either order */
        send_on(0, PORT, round * 50, 50, round == 0 ? 40 : 4000);
        wire_settle();
        client_expect(round == 0 ? &at_0 : &third, round * 50, 50, round == 0 ? 40 : 4000);
        client_expect(&at_1, round * 50, 50, round == 0 ? 40 : 4000);
        wire_settle();
        CHECK_LE_U64(wire_free_buffers(), BUFFERS - 50); /* one has still to read them */
        send_on(0, PORT + 2, 0, 200, 40);                /* which would take what is free */
        wire_settle();
        client_expect(round == 0 ? &third : &at_0, round * 50, 50, round == 0 ? 40 : 4000);
        wire_settle();
        CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
    }
    link_by_hand(&at_1, PORT, false);
    link_by_hand(&third, PORT, false);
    client_close(&at_0);
    client_close(&at_1);
    client_close(&third);
}

SUITE_TEST(handover, a_full_way_over_does_not_hurt_the_members_here)
{
    struct client at_0, at_1;
    unsigned sent = 0;

    open_two(&at_0, &at_1);
    link_by_hand(&at_1, PORT, true);
    while (sent < HANDOVER_CAPACITY + 100) {
        send_on(0, PORT, sent, 1, 40);
        sent++;
        wire_step_one(0, dataplane_tsc());
    }
    CHECK_EQ_U64(of_lcore(0, "lost.handover_full"), 100);
    CHECK_EQ_U64(of_lcore(0, "drop.handover_full"), 0);
    CHECK_EQ_U64(of_lcore(0, "delivered"), sent);
    client_expect(&at_0, 0, sent, 40);
    wire_settle();
    client_expect(&at_1, 0, HANDOVER_CAPACITY, 40);
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
    link_by_hand(&at_1, PORT, false);
    client_close(&at_0);
    client_close(&at_1);
}

/* Under TSan fewer than there are buffers: it cannot see how DPDK's pool hands a buffer that one lcore
 * has freed to the other. */
#ifdef WIRERX_SANITIZED
#define FRAMES 5000u
#else
#define FRAMES 20000u
#endif

SUITE_TEST(handover, two_running_lcores_lose_nothing_between_them, .timeout = 60)
{
    struct config config = two_cores();
    struct client at_0, at_1;
    unsigned received_0 = 0, received_1 = 0;
    struct taken taken;

    wire_stop();
    wire_start(&config, &client_operations, false);
    open_two(&at_0, &at_1);
    for (unsigned sent = 0; sent < FRAMES; sent += 500) {
        send_on(1, PORT, sent, 500, 40);
        send_on(0, PORT + 1, sent, 500, 40);
        while (received_0 < sent || received_1 < sent) { /* the readers stay a step behind */
            while (client_take(&at_0, &taken))
                CHECK(frame_is_filled(taken.bytes, 40, received_0++));
            while (client_take(&at_1, &taken))
                CHECK(frame_is_filled(taken.bytes, 40, received_1++));
            sched_yield();
        }
    }
    wire_settle();
    client_expect(&at_0, received_0, FRAMES - received_0, 40);
    client_expect(&at_1, received_1, FRAMES - received_1, 40);
    CHECK_EQ_U64(wire_counter("handed_over"), 2 * FRAMES);
    client_close(&at_0);
    client_close(&at_1);
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
}
