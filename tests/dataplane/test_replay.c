/* SPDX-License-Identifier: BSD-3-Clause */

/* A capture as a source that waits while a ring lacks room (`drained`): where it shall, and never
 * where it shall not. */

#include "support/suite.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

#include "replaying.h"

#if !UNDER_THREAD_SANITIZER

SUITE_FIXTURE(replay, capture_begin, capture_end);

SUITE_TEST(replay, drained_loses_nothing_to_a_slow_reader)
{
    struct taken taken;
    uint64_t received = 0;

    write_numbers("f.pcap", GROUP, 3000, 100);
    replay_start("f.pcap", CONFIG_PACE_DRAINED);
    struct client c = client_joined(GROUP, PORT);
    go();
    while (received < 3000) {
        step(1);
        CHECK_LE_U64(client_queued(&c), SLOTS);
        for (unsigned i = 0; i < 7 && client_take(&c, &taken);
             i++) { /* less than comes in a burst */
            CHECK_EQ_U64(taken.drops, 0);
            CHECK(frame_is_filled(taken.bytes, 100, received));
            received++;
        }
    }
    run_to_the_end(2);
    CHECK_EQ_U64(progress().total, 3000);
    CHECK_EQ_U64(progress().released, 3000);
    CHECK_EQ_U64(wire_counter("delivered"), 3000);
    CHECK(!client_take(&c, &taken));
    client_close(&c);
    wire_stop();
}

SUITE_TEST(replay, nothing_moves_before_the_word)
{
    write_numbers("f.pcap", GROUP, 10, 100);
    replay_start("f.pcap", CONFIG_PACE_DRAINED);
    struct client c = client_joined(GROUP, PORT);
    wire_step(dataplane_tsc() + 10 * dataplane_tsc_hz()); /* not after any time */
    CHECK_EQ_U64(progress().total, 10);
    CHECK_EQ_U64(progress().released, 0);
    CHECK(!progress().drained);
    go();
    CHECK_LE_U64(run_to_the_end(10), 2); /* one burst, and a look that finds the end */
    CHECK_EQ_U64(client_drain(&c), 10);
    client_close(&c);
    wire_stop();
    CHECK_EQ_I64(dataplane_replay_go(), -ENETDOWN);
    CHECK_EQ_I64(dataplane_replay_progress(&(struct dataplane_replay){0}), -ENETDOWN);
}

SUITE_TEST(replay, without_a_word_it_begins_when_no_socket_came_for_a_while)
{
    struct config config = replay_config(capture_device(0, "f.pcap"), CONFIG_PACE_DRAINED);

    write_numbers("f.pcap", GROUP, 10, 100);
    config.ports[0].held = false;
    wire_start(&config, &client_operations, true);
    wire_step(dataplane_tsc() + 10 * dataplane_tsc_hz());
    CHECK_EQ_U64(progress().released, 0); /* nobody is there */
    uint64_t before = dataplane_tsc();
    struct client c = client_joined(GROUP, PORT);
    uint64_t after = dataplane_tsc();
    wire_step(before + dataplane_tsc_hz() / 1000 * 99);
    CHECK_EQ_U64(progress().released, 0);
    wire_step(after + dataplane_tsc_hz() / 1000 * 101);
    CHECK_EQ_U64(progress().released, 10);
    CHECK_EQ_U64(client_drain(&c), 10);
    run_to_the_end(2);
    client_close(&c);
    wire_stop();
}

SUITE_TEST(replay, a_socket_that_does_not_read_is_named)
{
    capture_open("f.pcap", DLT_EN10MB);
    for (unsigned i = 0; i < 1000; i++)
        capture_add_numbers(i % 2 == 0 ? GROUP : OTHER_GROUP, PORT, i / 2, 1, 100);
    capture_close();
    replay_start("f.pcap", CONFIG_PACE_DRAINED);
    struct client live = client_joined(GROUP, PORT), dead = client_joined(OTHER_GROUP, PORT);
    unsigned received = 0;
    struct taken taken;

    go();
    for (unsigned pass = 0; pass < 200; pass++) {
        step(1);
        while (client_take(&live, &taken))
            CHECK(frame_is_filled(taken.bytes, 100, received++));
    }
    CHECK_EQ_I64(progress().stalled_slot, dead.endpoint->slot);
    CHECK(!progress().drained);
    CHECK_EQ_U64(client_queued(&dead), SLOTS); /* the source waits when it is full, not before */
    uint64_t stalled = progress().stalled_ns;
    CHECK_GE_U64(stalled, 1);
    step(1);
    CHECK_GE_U64(progress().stalled_ns, stalled + 1);
    CHECK_EQ_U64(client_lost_ring_full(&dead) + client_lost_ring_full(&live), 0);
    client_expect(&dead, 0, SLOTS, 100); /* it reads after all */
    step(1);
    CHECK_EQ_I64(progress().stalled_slot, -1);
    CHECK_EQ_U64(progress().stalled_ns, 0);
    run_to_the_end(50);
    client_expect(&dead, SLOTS, 500 - SLOTS, 100);
    client_expect(&live, received, 500 - received, 100);
    client_close(&live);
    client_close(&dead);
    wire_stop();
}

SUITE_TEST(replay, drained_counts_the_bytes_of_every_ring)
{
    unsigned received = 0;

    write_numbers("f.pcap", GROUP, 500, 400);
    replay_start("f.pcap", CONFIG_PACE_DRAINED);
    struct client c = client_joined(GROUP, PORT);
    client_set_bytes(&c, 3000);
    go();
    while (received < 500) {
        struct taken taken;

        step(3);
        CHECK_GE_U64(client_queued(&c), 1);
        while (client_take(&c, &taken))
            CHECK(frame_is_filled(taken.bytes, 400, received++));
        CHECK_EQ_U64(client_lost_ring_full(&c), 0);
    }
    run_to_the_end(2);
    client_close(&c);
    wire_stop();
}

/* An empty ring takes any one datagram, so waiting for more room would be waiting for ever. */
SUITE_TEST(replay, a_datagram_above_the_bytes_does_not_stall)
{
    unsigned received = 0;

    write_numbers("f.pcap", GROUP, 50, 1400);
    replay_start("f.pcap", CONFIG_PACE_DRAINED);
    struct client c = client_joined(GROUP, PORT);
    client_set_bytes(&c, 100);
    go();
    for (unsigned pass = 0; received < 50; pass++) {
        struct taken taken;

        CHECK_LE_U64(pass, 500);
        step(1);
        while (client_take(&c, &taken))
            CHECK(frame_is_filled(taken.bytes, 1400, received++));
    }
    CHECK_EQ_U64(client_lost_ring_full(&c), 0);
    client_close(&c);
    wire_stop();
}

/* One ring is empty and small, the other has datagrams and little room: the second one counts. */
SUITE_TEST(replay, an_empty_ring_does_not_speak_for_the_others)
{
    write_numbers("f.pcap", GROUP, 100, 400);
    replay_start("f.pcap", CONFIG_PACE_DRAINED);
    struct client small = client_joined(OTHER_GROUP, PORT), c = client_joined(GROUP, PORT);
    unsigned received = 0;

    client_set_bytes(&small, 50);
    client_set_bytes(&c, 1900); /* four, and then more room than the other has */
    go();
    for (unsigned pass = 0; received < 100; pass++) {
        struct taken taken;

        CHECK_LE_U64(pass, 2000);
        step(5);
        CHECK_EQ_U64(client_lost_ring_full(&c), 0);
        if (client_take(&c, &taken))
            CHECK(frame_is_filled(taken.bytes, 400, received++));
    }
    client_close(&small);
    client_close(&c);
    wire_stop();
}

/* What was known to fit when nobody had joined says nothing about a socket that came later. */
SUITE_TEST(replay, a_socket_that_joins_while_it_runs_is_waited_for)
{
    write_numbers("f.pcap", GROUP, 2000, 100);
    replay_start("f.pcap", CONFIG_PACE_DRAINED);
    go();
    step(10);
    CHECK_EQ_U64(progress().released, 320);
    struct client c = client_joined(GROUP, PORT);
    step(100);
    CHECK_EQ_U64(client_lost_ring_full(&c) + client_lost_pool_share(&c), 0);
    CHECK_EQ_U64(client_queued(&c), SLOTS);
    CHECK_EQ_I64(progress().stalled_slot, c.endpoint->slot);
    struct client second = client_joined(GROUP, PORT);
    client_set_bytes(&second, 1000);
    while (!progress().drained) {
        client_drain(&c);
        client_drain(&second);
        step(1);
    }
    CHECK_EQ_U64(client_lost_ring_full(&c) + client_lost_ring_full(&second), 0);
    client_close(&c);
    client_close(&second);
    wire_stop();
}

SUITE_TEST(replay, drained_waits_for_buffers_as_well)
{
    struct config config = replay_config(capture_device(0, "f.pcap"), CONFIG_PACE_DRAINED);
    struct client c[8];
    unsigned received[8] = {0};

    write_numbers("f.pcap", GROUP, 4000, 8000); /* four buffers each */
    config.sockets.ring_slots = 4096;
    config.sockets.ring_bytes = 1u << 30;
    wire_start(&config, &client_operations, true);
    for (unsigned i = 0; i < 8; i++)
        c[i] = client_joined(GROUP, PORT);
    go();
    for (unsigned pass = 0; !progress().drained; pass++) {
        struct taken taken;

        CHECK_LE_U64(pass, 100000);
        step(1);
        unsigned i = pass % 8;
        for (unsigned k = 0; k < 90 && client_take(&c[i], &taken); k++)
            CHECK(frame_is_filled(taken.bytes, taken.length, received[i]++));
    }
    for (unsigned i = 0; i < 8; i++) {
        CHECK_EQ_U64(client_lost_ring_full(&c[i]) + client_lost_pool_share(&c[i]), 0);
        CHECK_EQ_U64(received[i] + client_drain(&c[i]), 4000);
        client_close(&c[i]);
    }
    CHECK_EQ_U64(wire_counter("drop.device_no_buffer"), 0);
    wire_stop();
}

SUITE_TEST(replay, frames_of_many_segments)
{
    static uint8_t payload[65000], gathered[65000];
    static const size_t lengths[] = {2000, 2030, 4170, 9000, 20000, 65000};

    capture_open("f.pcap", DLT_EN10MB);
    for (unsigned i = 0; i < RTE_DIM(lengths); i++)
        capture_add_numbers(GROUP, PORT, i, 1, lengths[i]);
    capture_close();
    replay_start("f.pcap", CONFIG_PACE_DRAINED);
    struct client c = client_joined(GROUP, PORT);
    go();
    run_to_the_end(1000);
    CHECK_EQ_U64(client_queued(&c), RTE_DIM(lengths));
    for (unsigned i = 0; i < RTE_DIM(lengths); i++) {
        struct endpoint *e = c.endpoint;

        CHECK_EQ_I64(lock_word_acquire(&e->word, c.generation), LOCK_ACQUIRED);
        const struct ring_element *element = endpoint_front(e);
        CHECK_EQ_U64(element->length, lengths[i]);
        const void *bytes =
            rte_pktmbuf_read(element_mbuf(element), element_meta(element)->payload_offset,
                             element->length, gathered);
        frame_fill(payload, lengths[i], i);
        CHECK_EQ_MEM(bytes, payload, lengths[i]);
        endpoint_consume(e, element);
        CHECK(lock_word_release(&e->word));
    }
    client_close(&c);
    wire_stop();
}

/* memory.buffer-bytes: a jumbo frame in one buffer instead of five. */
SUITE_TEST(replay, a_frame_takes_one_buffer_where_it_holds_one)
{
    static const unsigned rooms[] = {2048, 8942};
    static const unsigned buffers[] = {5, 1};

    for (unsigned i = 0; i < RTE_DIM(rooms); i++) {
        struct config config = replay_config(capture_device(0, "f.pcap"), CONFIG_PACE_DRAINED);

        write_numbers("f.pcap", GROUP, 20, 8900);
        config.buffer_bytes = rooms[i];
        config.ports[0].mtu = 9000;
        wire_start(&config, &client_operations, true);
        struct client c = client_joined(GROUP, PORT);
        unsigned free_buffers = wire_free_buffers();
        go();
        run_to_the_end(1000);
        CHECK_EQ_U64(client_queued(&c), 20);
        CHECK_EQ_U64(free_buffers - wire_free_buffers(), 20 * buffers[i]);
        CHECK_EQ_U64(client_drain(&c), 20);
        client_close(&c);
        wire_stop();
    }
}

SUITE_TEST(replay, a_stop_in_the_middle_leaves_nothing_behind)
{
    write_numbers("f.pcap", GROUP, 500, 5000);
    replay_start("f.pcap", CONFIG_PACE_DRAINED);
    struct client c = client_joined(GROUP, PORT);
    client_set_bytes(&c, 12000); /* two of a burst, so that frames are staged */
    go();
    step(3);
    CHECK_EQ_U64(client_queued(&c), 2);
    CHECK_LE_U64(wire_free_buffers(), BUFFERS - 90);
    wire_stop();
    client_close(&c);
}

SUITE_TEST(replay, two_files_are_two_queues)
{
    char device[512];
    struct config config;

    write_numbers("a.pcap", GROUP, 700, 100);
    write_numbers("b.pcap", OTHER_GROUP, 300, 100);
    snprintf(device, sizeof device, "%s,rx_pcap=%s", capture_device(0, "a.pcap"),
             capture_path("b.pcap"));
    config = replay_config(device, CONFIG_PACE_DRAINED);
    config.ports[0].queues = 2;
    wire_start(&config, &client_operations, true);
    struct client a = client_joined(GROUP, PORT), b = client_joined(OTHER_GROUP, PORT);
    unsigned received_a = 0, received_b = 0;
    struct taken taken;

    go();
    while (!progress().drained) {
        step(1);
        while (client_take(&a, &taken))
            CHECK(frame_is_filled(taken.bytes, 100, received_a++));
        while (client_take(&b, &taken))
            CHECK(frame_is_filled(taken.bytes, 100, received_b++));
    }
    CHECK_EQ_U64(received_a, 700);
    CHECK_EQ_U64(received_b, 300);
    CHECK_EQ_U64(progress().total, 1000);
    CHECK_EQ_U64(progress().released, 1000);
    client_close(&a);
    client_close(&b);
    wire_stop();
}

/* "Drained" says that none is still inside the dataplane: also not between two lcores. */
SUITE_TEST(replay, is_not_drained_while_frames_are_handed_over)
{
    static unsigned cores[2];
    char device[512];
    struct config config;

    if (wire_cpus() < 2) {
        capture_end(); /* a skip comes without the fixture's end */
        SKIP("this process may use one CPU only");
    }
    write_numbers("a.pcap", GROUP, 50, 100);
    write_numbers("b.pcap", GROUP, 0, 100);
    snprintf(device, sizeof device, "%s,rx_pcap=%s", capture_device(0, "a.pcap"),
             capture_path("b.pcap"));
    config = replay_config(device, CONFIG_PACE_DRAINED);
    config.ports[0].queues = 2;
    cores[0] = wire_cpu(1);
    cores[1] = wire_cpu(0);
    config.cores = cores;
    config.cores_count = 2;
    config.buffers = 2 * BUFFERS;
    wire_start(&config, &client_operations, true);
    struct client at_0 = client_joined(OTHER_GROUP, PORT + 1), at_1 = client_joined(GROUP, PORT);
    CHECK_EQ_U64(atomic_load(&at_1.endpoint->home), 1);
    go();
    wire_step_one(1, dataplane_tsc());
    for (unsigned pass = 0; pass < 20; pass++)
        wire_step_one(0, dataplane_tsc());
    CHECK_EQ_U64(progress().released, 50);
    CHECK(!progress().drained);
    step(3);
    CHECK(progress().drained);
    client_expect(&at_1, 0, 50, 100);
    client_close(&at_0);
    client_close(&at_1);
    wire_stop();
}

#endif
