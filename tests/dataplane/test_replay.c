/* SPDX-License-Identifier: BSD-3-Clause */

/* A capture as a source: it waits where it shall, never where it shall not, and every frame of the
 * file is accounted for. By hand, so that the paces run in virtual time. */

#include "support/suite.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <rte_mempool.h>
#include <stdio.h>
#include <stdlib.h>

#include "capture.h"
#include "client.h"
#include "replay.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"

#define GROUP FRAME_IP(239, 1, 1, 1)
#define OTHER_GROUP FRAME_IP(239, 1, 1, 2)
#define PORT 5000
#define BUFFERS 4096u
#define SLOTS 256u

SUITE_FIXTURE(replay, capture_begin, capture_end);

static struct config config_of(const char *device, enum config_pace pace)
{
    struct config config = wire_config_device(device);

    config.ports[0].pace = pace;
    config.ports[0].held = pace != CONFIG_PACE_LIVE;
    return config;
}

static void start(const char *file, enum config_pace pace)
{
    struct config config = config_of(capture_device(0, file), pace);

    wire_start(&config, &client_operations, true);
}

static struct dataplane_replay progress(void)
{
    struct dataplane_replay now;

    CHECK_EQ_I64(dataplane_replay_progress(&now), 0);
    return now;
}

static void go(void)
{
    CHECK_EQ_I64(dataplane_replay_go(), 0);
}

static void step(unsigned passes)
{
    while (passes-- > 0)
        wire_step(dataplane_tsc());
}

/* Step until the file is drained, at most so many passes. @return how many it took */
static unsigned run_to_the_end(unsigned most)
{
    unsigned passes = 0;

    while (!progress().drained) {
        CHECK_MSG(passes++ < most, "%llu of %llu frames are released, stalled on %lld",
                  (unsigned long long)progress().released, (unsigned long long)progress().total,
                  (long long)progress().stalled_slot);
        step(1);
    }
    return passes;
}

static void write_numbers(const char *name, uint32_t group, unsigned count, size_t length)
{
    capture_open(name, DLT_EN10MB);
    capture_add_numbers(group, PORT, 0, count, length);
    capture_close();
}

/* --- drained --------------------------------------------------------------------------------------- */

SUITE_TEST(replay, drained_loses_nothing_to_a_slow_reader)
{
    struct taken taken;
    uint64_t received = 0;

    write_numbers("f.pcap", GROUP, 3000, 100);
    start("f.pcap", CONFIG_PACE_DRAINED);
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
    start("f.pcap", CONFIG_PACE_DRAINED);
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
    struct config config = config_of(capture_device(0, "f.pcap"), CONFIG_PACE_DRAINED);

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
    start("f.pcap", CONFIG_PACE_DRAINED);
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
    start("f.pcap", CONFIG_PACE_DRAINED);
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
    start("f.pcap", CONFIG_PACE_DRAINED);
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
    start("f.pcap", CONFIG_PACE_DRAINED);
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
    start("f.pcap", CONFIG_PACE_DRAINED);
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
    struct config config = config_of(capture_device(0, "f.pcap"), CONFIG_PACE_DRAINED);
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
            CHECK(frame_is_filled(taken.bytes, sizeof taken.bytes, received[i]++));
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
    start("f.pcap", CONFIG_PACE_DRAINED);
    struct client c = client_joined(GROUP, PORT);
    go();
    run_to_the_end(1000);
    CHECK_EQ_U64(client_queued(&c), RTE_DIM(lengths));
    for (unsigned i = 0; i < RTE_DIM(lengths); i++) {
        struct endpoint *e = c.endpoint;

        CHECK_EQ_I64(lock_word_acquire(&e->word, c.generation), LOCK_ACQUIRED);
        const struct ring_element *element = endpoint_front(e);
        CHECK_EQ_U64(element->length, lengths[i]);
        const void *bytes = rte_pktmbuf_read(element->mbuf, rx_meta(element->mbuf)->payload_offset,
                                             element->length, gathered);
        frame_fill(payload, lengths[i], i);
        CHECK_EQ_MEM(bytes, payload, lengths[i]);
        endpoint_consume(e, element);
        CHECK(lock_word_release(&e->word));
    }
    client_close(&c);
    wire_stop();
}

/* --- recorded and at a rate --------------------------------------------------------------------------- */

static uint64_t microseconds(uint64_t count)
{
    return count * dataplane_tsc_hz() / 1000000;
}

SUITE_TEST(replay, recorded_gaps_are_kept)
{
    static const uint64_t times[] = {5000000, 5000000, 5000250, 5001000, 5001000, 7000000};
    static const uint64_t gaps[] = {0, 0, 250, 1000, 1000, 2000000};
    uint8_t bytes[64];
    uint64_t begin;

    capture_open("f.pcap", DLT_EN10MB);
    for (unsigned i = 0; i < RTE_DIM(times); i++)
        capture_add(bytes, frame_udp(bytes, sizeof bytes, GROUP, PORT, &i, sizeof i), times[i]);
    capture_close();
    start("f.pcap", CONFIG_PACE_RECORDED);
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

SUITE_TEST(replay, a_capture_that_goes_back_in_time_is_not_waited_for)
{
    static const uint64_t times[] = {5000000, 4000000, 4999999, 5000100};
    uint8_t bytes[64];

    capture_open("f.pcap", DLT_EN10MB);
    for (unsigned i = 0; i < RTE_DIM(times); i++)
        capture_add(bytes, frame_udp(bytes, sizeof bytes, GROUP, PORT, &i, sizeof i), times[i]);
    capture_close();
    start("f.pcap", CONFIG_PACE_RECORDED);
    go();
    uint64_t begin = dataplane_tsc();
    wire_step(begin);
    CHECK_EQ_U64(progress().released, 3);
    wire_step(begin + microseconds(101));
    CHECK_EQ_U64(progress().released, 4);
    wire_stop();
}

SUITE_TEST(replay, at_a_rate_frames_leave_when_they_are_due)
{
    struct config config = config_of(capture_device(0, "f.pcap"), CONFIG_PACE_RATE);
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
SUITE_TEST(replay, recorded_does_not_wait_for_a_dead_socket)
{
    capture_open("f.pcap", DLT_EN10MB);
    for (unsigned i = 0; i < 1000; i++)
        capture_add_numbers(i % 2 == 0 ? GROUP : OTHER_GROUP, PORT, i / 2, 1, 100);
    capture_close(); /* all at the same time */
    start("f.pcap", CONFIG_PACE_RECORDED);
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
SUITE_TEST(replay, recorded_does_not_wait_for_many_dead_sockets)
{
    struct config config = config_of(capture_device(0, "f.pcap"), CONFIG_PACE_RECORDED);
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

/* --- the end, and what is lost ------------------------------------------------------------------------ */

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

SUITE_TEST(replay, frames_lost_for_want_of_buffers_are_counted)
{
    for (unsigned size = 100; size <= 9000; size += 8900) { /* one segment, five segments */
        write_numbers("f.pcap", GROUP, 300, size);
        start("f.pcap", CONFIG_PACE_RECORDED);
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

SUITE_TEST(replay, a_live_capture_loses_and_counts)
{
    write_numbers("f.pcap", GROUP, 500, 100);
    start("f.pcap", CONFIG_PACE_LIVE);
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

SUITE_TEST(replay, a_stop_in_the_middle_leaves_nothing_behind)
{
    write_numbers("f.pcap", GROUP, 500, 5000);
    start("f.pcap", CONFIG_PACE_DRAINED);
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
    config = config_of(device, CONFIG_PACE_DRAINED);
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

    write_numbers("a.pcap", GROUP, 50, 100);
    write_numbers("b.pcap", GROUP, 0, 100);
    snprintf(device, sizeof device, "%s,rx_pcap=%s", capture_device(0, "a.pcap"),
             capture_path("b.pcap"));
    config = config_of(device, CONFIG_PACE_DRAINED);
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

SUITE_TEST(replay, an_empty_capture_is_drained_at_once)
{
    write_numbers("f.pcap", GROUP, 0, 0);
    start("f.pcap", CONFIG_PACE_DRAINED);
    CHECK_EQ_U64(progress().total, 0);
    CHECK(!progress().drained); /* before the word */
    go();
    run_to_the_end(2);
    wire_stop();
}

/* A capture that was cut off: what there is of its last frame is one that is counted. */
SUITE_TEST(replay, the_last_frame_of_a_cut_file_counts_as_truncated)
{
    static const struct {
        long cut;
        unsigned whole;
        const char *row; /* what becomes of the rest; NULL: there is none */
    } rows[] = {
        {-1, 9, "drop.truncated"},
        {-99, 9, "drop.truncated"},
        {-120, 9, "drop.short_frame"},
        {-141, 9, "drop.short_frame"},
        {-142, 9, NULL},
        {-150, 9, NULL},
        {-157, 9, NULL},
    };

    for (unsigned i = 0; i < RTE_DIM(rows); i++) {
        unsigned total = rows[i].whole + (rows[i].row != NULL ? 1 : 0);

        write_numbers("f.pcap", GROUP, 10, 100); /* the last record: 16 bytes and 142 */
        capture_cut("f.pcap", rows[i].cut);
        start("f.pcap", CONFIG_PACE_DRAINED);
        struct client c = client_joined(GROUP, PORT);
        CHECK_EQ_U64(progress().total, total);
        go();
        run_to_the_end(200);
        client_expect(&c, 0, rows[i].whole, 100);
        CHECK_EQ_U64(progress().released, total);
        if (rows[i].row != NULL)
            CHECK_EQ_U64(wire_counter(rows[i].row), 1);
        /* Of a record without a byte of its frame there is nothing to replay. */
        CHECK_EQ_U64(wire_counter("drop.device_errors"), rows[i].row != NULL ? 0 : 1);
        client_close(&c);
        wire_stop();
    }
}

/* --- files that cannot be replayed ---------------------------------------------------------------------- */

static void expect_refusal(const char *name, const char *reason)
{
    struct config config = config_of(capture_device(0, name), CONFIG_PACE_DRAINED);
    struct config_error error;
    char expected[512];

    CHECK_EQ_I64(wire_try_start(&config, &client_operations, true, &error), -ENODEV);
    snprintf(expected, sizeof expected, "%s: %s", capture_path(name), reason);
    CHECK_EQ_STR(error.text, expected);
    CHECK(!dataplane_running());
}

SUITE_TEST(replay, files_that_are_no_ethernet_capture_are_refused)
{
    static const uint8_t garbage[] = "this is no capture, whatever its name says";

    expect_refusal("missing.pcap", "No such file or directory");
    capture_write("empty.pcap", "", 0);
    expect_refusal("empty.pcap",
                   "truncated dump file; tried to read 4 file header bytes, only got 0");
    capture_write("garbage.pcap", garbage, sizeof garbage);
    expect_refusal("garbage.pcap", "unknown file format");
    capture_open("raw.pcap", DLT_RAW);
    capture_add(garbage, sizeof garbage, 0);
    capture_close();
    expect_refusal("raw.pcap", "the capture's link type is RAW; only Ethernet can be replayed");
    capture_open("cooked.pcap", DLT_LINUX_SLL);
    capture_close();
    expect_refusal("cooked.pcap",
                   "the capture's link type is LINUX_SLL; only Ethernet can be replayed");
    write_numbers("header.pcap", GROUP, 1, 100);
    capture_cut("header.pcap", 20);
    expect_refusal("header.pcap",
                   "truncated dump file; tried to read 24 file header bytes, only got 16");
    expect_refusal("", "error reading dump file: Is a directory");

    /* After all these it starts, if it is given a good one. */
    write_numbers("good.pcap", GROUP, 1, 100);
    start("good.pcap", CONFIG_PACE_DRAINED);
    wire_stop();
}

SUITE_TEST(replay, a_record_that_cannot_be_is_refused)
{
    uint8_t huge[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0x7f};
    uint8_t file[24 + 16 + 60 + 16];
    FILE *good;

    write_numbers("f.pcap", GROUP, 1, 18); /* 24, then 16 and 60 bytes */
    good = fopen(capture_path("f.pcap"), "rb");
    CHECK(good != NULL);
    CHECK_EQ_U64(fread(file, 1, 100, good), 100);
    fclose(good);
    memcpy(file + 100, huge, sizeof huge);
    capture_write("bad.pcap", file, sizeof file);
    expect_refusal("bad.pcap", "malformed after frame 1: invalid packet capture length 2147483647, "
                               "bigger than snaplen of 262144");
}
