/* SPDX-License-Identifier: BSD-3-Clause */

/* A capture at its recorded gaps or at a rate: nothing waits, and every frame of the file is accounted
 * for. */

#include "support/suite.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <rte_mempool.h>

#include "replaying.h"

#if !UNDER_THREAD_SANITIZER

SUITE_FIXTURE(replay_pace, capture_begin, capture_end);

SUITE_TEST(replay_pace, recorded_gaps_are_kept)
{
    static const uint64_t times[] = {5000000, 5000000, 5000250, 5001000, 5001000, 7000000};
    static const uint64_t gaps[] = {0, 0, 250, 1000, 1000, 2000000};
    uint8_t bytes[64];
    uint64_t begin;

    capture_open("f.pcap", DLT_EN10MB);
    for (unsigned i = 0; i < RTE_DIM(times); i++)
        capture_add(bytes, frame_udp(bytes, sizeof bytes, GROUP, PORT, &i, sizeof i), times[i]);
    capture_close();
    replay_start("f.pcap", CONFIG_PACE_RECORDED);
    struct client c = client_joined(GROUP, PORT);
    go();
    begin = dataplane_tsc();
    wire_step(begin);
    CHECK_EQ_U64(client_queued(&c), 2);
    for (unsigned i = 2; i < RTE_DIM(times); i++) {
        unsigned due = 0;

        if (gaps[i] == gaps[i - 1])
            continue;
        wire_step(begin + microseconds(gaps[i]) - microseconds(1));
        while (due < RTE_DIM(times) && gaps[due] < gaps[i])
            due++;
        CHECK_EQ_U64(client_queued(&c), due);
        wire_step(begin + microseconds(gaps[i]) + microseconds(1));
        CHECK_GE_U64(client_queued(&c), i + 1);
    }
    CHECK(!progress().drained);
    wire_step(begin + microseconds(2000002));
    CHECK(progress().drained);
    CHECK_EQ_U64(client_drain(&c), RTE_DIM(times));
    client_close(&c);
    wire_stop();
}

SUITE_TEST(replay_pace, a_capture_that_goes_back_in_time_is_not_waited_for)
{
    static const uint64_t times[] = {5000000, 4000000, 4999999, 5000100};
    uint8_t bytes[64];

    capture_open("f.pcap", DLT_EN10MB);
    for (unsigned i = 0; i < RTE_DIM(times); i++)
        capture_add(bytes, frame_udp(bytes, sizeof bytes, GROUP, PORT, &i, sizeof i), times[i]);
    capture_close();
    replay_start("f.pcap", CONFIG_PACE_RECORDED);
    go();
    uint64_t begin = dataplane_tsc();
    wire_step(begin);
    CHECK_EQ_U64(progress().released, 3);
    wire_step(begin + microseconds(101));
    CHECK_EQ_U64(progress().released, 4);
    wire_stop();
}

SUITE_TEST(replay_pace, at_a_rate_frames_leave_when_they_are_due)
{
    struct config config = replay_config(capture_device(0, "f.pcap"), CONFIG_PACE_RATE);
    uint64_t begin;

    config.ports[0].pace_rate = 1000;
    write_numbers("f.pcap", GROUP, 200, 50);
    wire_start(&config, &client_operations, true);
    struct client c = client_joined(GROUP, PORT);
    go();
    begin = dataplane_tsc();
    for (unsigned millisecond = 0; millisecond < 100; millisecond++) {
        wire_step(begin + microseconds(millisecond * 1000 + 10));
        CHECK_EQ_U64(progress().released, millisecond + 1);
    }
    /* A pass that comes late catches up, a burst at a time. */
    for (unsigned pass = 0; pass < 8; pass++)
        wire_step(begin + microseconds(1000000));
    CHECK(progress().drained);
    client_expect(&c, 0, 200, 50);
    client_close(&c);
    wire_stop();
}

/* Nothing waits there: a full ring drops, and only that one. */
SUITE_TEST(replay_pace, recorded_does_not_wait_for_a_dead_socket)
{
    capture_open("f.pcap", DLT_EN10MB);
    for (unsigned i = 0; i < 1000; i++)
        capture_add_numbers(i % 2 == 0 ? GROUP : OTHER_GROUP, PORT, i / 2, 1, 100);
    capture_close(); /* all at the same time */
    replay_start("f.pcap", CONFIG_PACE_RECORDED);
    struct client live = client_joined(GROUP, PORT), dead = client_joined(OTHER_GROUP, PORT);
    unsigned received = 0;
    go();
    while (!progress().drained) {
        step(1);
        received += client_drain(&live);
    }
    CHECK_EQ_U64(received, 500);
    CHECK_EQ_U64(client_lost_ring_full(&dead), 500 - SLOTS);
    CHECK_EQ_U64(client_lost_ring_full(&live), 0);
    client_close(&live);
    client_close(&dead);
    wire_stop();
}

/* Nor for buffers, which many dead sockets hold. */
SUITE_TEST(replay_pace, recorded_does_not_wait_for_many_dead_sockets)
{
    struct config config = replay_config(capture_device(0, "f.pcap"), CONFIG_PACE_RECORDED);
    struct client live, dead[15];
    unsigned received = 0;

    capture_open("f.pcap", DLT_EN10MB);
    for (unsigned i = 0; i < 8000; i++)
        capture_add_numbers(i % 2 == 0 ? GROUP : OTHER_GROUP + i / 2 % 15, PORT, i / 2, 1, 100);
    capture_close();
    config.sockets.ring_slots = 4096;
    wire_start(&config, &client_operations, true);
    live = client_joined(GROUP, PORT);
    for (unsigned i = 0; i < 15; i++)
        dead[i] = client_joined(OTHER_GROUP + i, PORT);
    go();
    for (unsigned pass = 0; !progress().drained; pass++) {
        CHECK_MSG(pass < 10000, "it waits after %llu frames",
                  (unsigned long long)progress().released);
        step(1);
        received += client_drain(&live);
    }
    CHECK_EQ_U64(received, 4000);
    CHECK_LE_U64(wire_free_buffers(), BUFFERS / 4); /* they did hold most of them */
    client_close(&live);
    for (unsigned i = 0; i < 15; i++)
        client_close(&dead[i]);
    wire_stop();
}

/* Every frame of the file is either released or counted as lost by the device. */
static void expect_account(uint64_t total)
{
    CHECK_EQ_U64(wire_counter("device.frames") + wire_counter("drop.device_no_buffer") +
                     wire_counter("drop.device_errors"),
                 total);
}

/* Leave `count` buffers in the pool. @return the others, taken */
static struct rte_mbuf **leave_buffers(unsigned count)
{
    static struct rte_mbuf *taken[BUFFERS];
    struct rte_mempool *pool = rte_mempool_lookup("wirerx_pool_0");

    CHECK_EQ_I64(rte_pktmbuf_alloc_bulk(pool, taken, BUFFERS - count), 0);
    return taken;
}

SUITE_TEST(replay_pace, frames_lost_for_want_of_buffers_are_counted)
{
    for (unsigned size = 100; size <= 9000; size += 8900) { /* one segment, five segments */
        write_numbers("f.pcap", GROUP, 300, size);
        replay_start("f.pcap", CONFIG_PACE_RECORDED);
        struct client c = client_joined(GROUP, PORT);
        struct rte_mbuf **taken = leave_buffers(32);
        go();
        for (unsigned pass = 0; !progress().drained; pass++) {
            CHECK_LE_U64(pass, 10000);
            step(1);
        }
        CHECK_GE_U64(wire_counter("drop.device_no_buffer") + wire_counter("drop.device_errors"), 1);
        CHECK_GE_U64(client_queued(&c), 1);
        CHECK_EQ_U64(progress().released, wire_counter("frames"));
        expect_account(300);
        rte_pktmbuf_free_bulk(taken, BUFFERS - 32);
        client_close(&c);
        wire_stop();
        expect_account(300);
    }
}

SUITE_TEST(replay_pace, a_live_capture_loses_and_counts)
{
    write_numbers("f.pcap", GROUP, 500, 100);
    replay_start("f.pcap", CONFIG_PACE_LIVE);
    struct client c = client_joined(GROUP, PORT);
    struct rte_mbuf **taken = leave_buffers(20); /* fewer than the socket may always have */
    CHECK_EQ_I64(dataplane_replay_progress(&(struct dataplane_replay){0}), -EINVAL);
    CHECK_EQ_I64(dataplane_replay_go(), -EINVAL);
    step(600); /* without buffers it is a frame a pass that is lost */
    CHECK_GE_U64(wire_counter("drop.device_no_buffer"), 1);
    expect_account(500);
    rte_pktmbuf_free_bulk(taken, BUFFERS - 20);
    client_close(&c);
    wire_stop();
    expect_account(500);
}

#endif
