/* SPDX-License-Identifier: BSD-3-Clause */

/* One frame in many rings: everybody gets it, nobody copies it, and the last one gives it back. */

#include "support/suite.h"

#include <sched.h>

#include "client.h"
#include "support/frames.h"
#include "support/wire.h"

#define GROUP FRAME_IP(239, 1, 1, 1)
#define PORT 5000
#define BUFFERS 4096u
#define SLOTS 256u

static void set_up(void)
{
    struct config config = wire_config();

    wire_start(&config, &client_operations, true);
}

SUITE_FIXTURE(fanout, set_up, wire_stop);

SUITE_TEST(fanout, every_member_gets_every_datagram_of_one_buffer)
{
    struct client c[16];

    for (unsigned i = 0; i < 16; i++)
        c[i] = client_joined(GROUP, PORT);
    wire_send_numbers(GROUP, PORT, 0, 100, 50);
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS - 100);
    CHECK_EQ_U64(wire_counter("delivered"), 100);
    CHECK_EQ_U64(wire_counter("deliveries"), 1600);
    for (unsigned i = 0; i < 16; i++) {
        CHECK_EQ_U64(wire_free_buffers(), BUFFERS - 100); /* until the last reference is gone */
        client_expect(&c[i], 0, 100, 50);
        wire_settle();
    }
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
    for (unsigned i = 0; i < 16; i++)
        client_close(&c[i]);
}

SUITE_TEST(fanout, frames_of_several_segments_are_shared_too)
{
    struct client c[3];
    uint8_t payload[500], bytes[600];
    const uint16_t cuts[] = {7, 30, 5, 1, 100};

    for (unsigned i = 0; i < 3; i++)
        c[i] = client_joined(GROUP, PORT);
    for (unsigned i = 0; i < 40; i++) {
        frame_fill(payload, sizeof payload, i);
        size_t length = frame_udp(bytes, sizeof bytes, GROUP, PORT, payload, sizeof payload);
        wire_send_segments(bytes, length, cuts, 5);
    }
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS - 40 * 6);
    client_expect(&c[1], 0, 40, sizeof payload);
    client_expect(&c[0], 0, 40, sizeof payload);
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS - 40 * 6);
    client_close(&c[2]); /* with all of them in its ring */
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
    client_close(&c[0]);
    client_close(&c[1]);
}

SUITE_TEST(fanout, a_close_in_the_middle_neither_gaps_nor_doubles_the_others)
{
    struct client before = client_joined(GROUP, PORT), closing = client_joined(GROUP, PORT),
                  after = client_joined(GROUP, PORT);
    struct taken taken;

    wire_send_numbers(GROUP, PORT, 0, 50, 30);
    for (unsigned i = 0; i < 20; i++)
        CHECK(client_take(&closing, &taken));
    for (unsigned i = 0; i < 35; i++)
        CHECK(client_take(&after, &taken));
    client_close(&closing);
    wire_send_numbers(GROUP, PORT, 50, 50, 30);
    client_expect(&before, 0, 100, 30);
    client_expect(&after, 35, 65, 30);
    closing = client_joined(GROUP, PORT); /* the same slot: hears only what comes from now on */
    wire_send_numbers(GROUP, PORT, 100, 5, 30);
    client_expect(&closing, 100, 5, 30);
    client_expect(&before, 100, 5, 30);
    client_expect(&after, 100, 5, 30);
    client_close(&before);
    client_close(&closing);
    client_close(&after);
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
}

SUITE_TEST(fanout, a_full_member_loses_alone)
{
    struct client full = client_joined(GROUP, PORT), live = client_joined(GROUP, PORT);

    for (uint64_t round = 0; round < 4; round++) {
        wire_send_numbers(GROUP, PORT, round * 100, 100, 30);
        client_expect(&live, round * 100, 100, 30);
    }
    CHECK_EQ_U64(client_queued(&full), SLOTS);
    CHECK_EQ_U64(client_lost_ring_full(&full), 400 - SLOTS);
    CHECK_EQ_U64(client_lost_ring_full(&live), 0);
    CHECK_EQ_U64(wire_counter("delivered"), 400); /* a frame that one took is delivered */
    CHECK_EQ_U64(wire_counter("drop.ring_full"), 0);
    CHECK_EQ_U64(wire_counter("lost.ring_full"), 400 - SLOTS);
    client_close(&live);
    wire_send_numbers(GROUP, PORT, 400, 10, 30);
    CHECK_EQ_U64(wire_counter("drop.ring_full"), 10); /* and one that nobody took is lost */
    client_expect(&full, 0, SLOTS, 30);
    client_close(&full);
}

SUITE_TEST(fanout, every_member_that_is_full_counts_its_loss)
{
    struct client c[3];

    for (unsigned i = 0; i < 3; i++)
        c[i] = client_joined(GROUP, PORT);
    wire_send_numbers(GROUP, PORT, 0, SLOTS + 10, 30);
    CHECK_EQ_U64(wire_counter("drop.ring_full"), 10);
    CHECK_EQ_U64(wire_counter("lost.ring_full"), 30);
    CHECK_EQ_U64(wire_counter("deliveries"), 3 * SLOTS);
    for (unsigned i = 0; i < 3; i++) {
        client_expect(&c[i], 0, SLOTS, 30);
        client_close(&c[i]);
    }
}

SUITE_TEST(fanout, a_wrong_checksum_is_found_once_for_all)
{
    struct client c[3];
    struct frame frame = {.payload = "abc", .length = 3, .udp_checksum_off = 1};
    uint8_t bytes[64];
    size_t length = frame_build(&frame, bytes, sizeof bytes);

    for (unsigned i = 0; i < 3; i++)
        c[i] = client_joined(GROUP, PORT);
    wire_send(bytes, length);
    wire_settle();
    CHECK_EQ_U64(wire_counter("drop.bad_udp_checksum"), 1);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ_U64(client_drain(&c[i]), 0);
        client_close(&c[i]);
    }
}

/* With the lcore's own thread: many readers of one group, one of them closed and opened again. */
#ifdef WIRERX_SANITIZED
#define FRAMES 2000u
#else
#define FRAMES 10000u
#endif

SUITE_TEST(fanout, readers_and_closers_beside_a_running_lcore, .timeout = 60)
{
    struct config config = wire_config();
    struct client c[3], fleeting;
    uint64_t received[3] = {0}, sent = 0;
    uint8_t payload[32];

    wire_stop();
    wire_start(&config, &client_operations, false);
    for (unsigned i = 0; i < 3; i++)
        c[i] = client_joined(GROUP, PORT);
    while (sent < FRAMES) {
        fleeting = client_joined(GROUP, PORT);
        for (unsigned i = 0; i < 100; i++, sent++) {
            frame_fill(payload, sizeof payload, sent);
            wire_send_udp(GROUP, PORT, payload, sizeof payload);
        }
        client_drain(&fleeting);
        if (sent % 200 == 0)
            wire_settle(); /* else it is closed under the lcore's hands */
        client_close(&fleeting);
        for (unsigned i = 0; i < 3; i++) {
            struct taken taken;

            while (received[i] < sent) {
                if (!client_take(&c[i], &taken)) {
                    sched_yield();
                    continue;
                }
                CHECK_EQ_U64(taken.drops, 0);
                CHECK(frame_is_filled(taken.bytes, sizeof payload, received[i]));
                received[i]++;
            }
        }
    }
    wire_settle();
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ_U64(client_drain(&c[i]), 0);
        client_close(&c[i]);
    }
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
}
