/* SPDX-License-Identifier: BSD-3-Clause */

/* An impaired port's line, its link's schedule, and the times in its frames. */

#include "support/suite.h"

#include "impaired.h"
#include "state.h"
#include "support/wire.h"

#if !UNDER_THREAD_SANITIZER

SUITE_FIXTURE(impair_time, capture_begin, capture_end);

#define LENGTH 100u

static struct client start(struct config_impair impair)
{
    struct config config = wire_config();

    config.buffers = 2 * BUFFERS;
    return impaired_start(config, impair, true);
}

static void stop(struct client *client)
{
    wire_stop(); /* no buffer is missing, whatever waits */
    client_close(client);
}

static void send_number(unsigned number)
{
    uint8_t payload[LENGTH];

    frame_fill(payload, sizeof payload, number);
    wire_send_udp(GROUP, PORT, payload, sizeof payload);
}

static void expect_number(const struct client *client, unsigned number)
{
    static struct taken taken;

    CHECK(client_take(client, &taken));
    CHECK(taken.length == LENGTH && frame_is_filled(taken.bytes, LENGTH, number));
}

SUITE_TEST(impair_time, a_delayed_frame_comes_when_it_is_due_and_not_before)
{
    struct client client = start((struct config_impair){.seed = 1, .delay = 1000});
    uint64_t begun = dataplane_tsc();

    send_number(0);
    wire_step(begun);
    send_number(1);
    wire_step(begun + microseconds(500));
    CHECK_EQ_U64(wire_counter("impair.held"), 2);
    wire_step(begun + microseconds(999));
    CHECK_EQ_U64(client_drain(&client), 0);
    wire_step(begun + microseconds(1000));
    expect_number(&client, 0);
    CHECK_EQ_U64(wire_counter("impair.held"), 1);
    wire_step(begun + microseconds(1499));
    CHECK_EQ_U64(client_drain(&client), 0);
    wire_step(begun + microseconds(1500));
    expect_number(&client, 1);
    CHECK_EQ_U64(wire_counter("impair.held"), 0);
    stop(&client);
}

SUITE_TEST(impair_time, a_line_with_jitter_keeps_its_order)
{
    struct client client = start((struct config_impair){.seed = 2, .delay = 100, .jitter = 900});
    uint64_t begun = dataplane_tsc();
    unsigned early = 0;

    for (unsigned i = 0; i < 50; i++) {
        send_number(i);
        wire_step(begun + microseconds(i));
    }
    wire_step(begun + microseconds(300));
    early = 50 - (unsigned)wire_counter("impair.held");
    CHECK(early < 50);
    for (unsigned i = 0; i < early; i++)
        expect_number(&client, i);
    for (unsigned pass = 0; pass < 3; pass++)
        wire_step(begun + microseconds(1100));
    for (unsigned i = early; i < 50; i++)
        expect_number(&client, i);
    CHECK_EQ_U64(client_drain(&client), 0);
    stop(&client);
}

SUITE_TEST(impair_time, what_is_on_its_way_at_the_stop_is_freed_and_said)
{
    struct client client = start((struct config_impair){.seed = 3, .delay = CONFIG_MAX_DELAY_US});

    for (unsigned i = 0; i < 3; i++)
        send_number(i);
    wire_step(dataplane_tsc());
    wire_stop();
    CHECK_EQ_U64(wire_counter("impair.held"), 3);
    client_close(&client);
}

SUITE_TEST(impair_time, a_full_line_leaves_frames_with_the_device)
{
    struct client client = start((struct config_impair){.seed = 4, .delay = 1000});
    uint64_t begun = dataplane_tsc();
    unsigned sent = 0, received = 0;

    for (; sent < CONFIG_IMPAIR_DELAYED; sent++) {
        send_number(sent);
        wire_step(begun);
    }
    CHECK_LE_U64(wire_counter("impair.held"), CONFIG_IMPAIR_DELAYED);
    CHECK(wire_counter("impair.held") > CONFIG_IMPAIR_DELAYED / 2);
    for (unsigned pass = 0; pass < 1000 && received < sent; pass++) {
        wire_step(begun + microseconds(1000 * (1 + pass)));
        received += client_drain(&client);
    }
    CHECK_EQ_U64(received, sent);
    stop(&client);
}

SUITE_TEST(impair_time, the_links_schedule_begins_again)
{
    struct client client = start((struct config_impair){
        .seed = 5, .link_down_after = 100, .link_up_after = 200, .link_repeat_every = 300});
    struct port *port = &dataplane.ports[0];
    uint64_t begun = dataplane_tsc();

    for (unsigned ms = 0; ms < 900; ms += 50) {
        struct port_link link;

        wire_step(begun + microseconds(1000ull * ms));
        CHECK(port->operations->link(port, &link) == 0);
        CHECK_EQ_I64(link.up, ms % 300 < 100 || ms % 300 >= 200);
    }
    stop(&client);
}

/* --- times, of a capture ----------------------------------------------------------------------------- */

#define RECORDED INT64_C(1700000000000000000)

static struct client replay(struct config_impair impair, unsigned count)
{
    uint8_t payload[64], bytes[FRAME_MAX];

    capture_open_nanoseconds("times.pcap");
    for (unsigned i = 0; i < count; i++) {
        frame_fill(payload, sizeof payload, i);
        capture_add(bytes, frame_udp(bytes, sizeof bytes, GROUP, PORT, payload, sizeof payload),
                    (uint64_t)RECORDED + i * UINT64_C(1001));
    }
    capture_close();
    struct client client = impaired_start(
        replay_config(capture_device(0, "times.pcap"), CONFIG_PACE_DRAINED), impair, true);
    go();
    run_to_the_end(1000);
    return client;
}

SUITE_TEST(impair_time, a_time_that_is_taken_away_leaves_the_burst)
{
    struct client client =
        replay((struct config_impair){.seed = 6, .no_time = CONFIG_IMPAIR_WHOLE / 2}, 100);
    unsigned without = 0;
    struct taken taken;

    for (unsigned i = 0; i < 100; i++) {
        CHECK(client_take(&client, &taken));
        if (taken.time.source == RECEIVE_TIME_RECORDED)
            CHECK_EQ_I64(taken.time.wall_ns, RECORDED + i * INT64_C(1001));
        else
            without++;
    }
    CHECK(without != 0 && without != 100);
    CHECK_EQ_U64(without, wire_counter("impair.times_removed"));
    stop(&client);
}

SUITE_TEST(impair_time, a_wrong_time_is_off_by_no_more_than_a_second)
{
    struct client client =
        replay((struct config_impair){.seed = 7, .wrong_time = CONFIG_IMPAIR_WHOLE}, 100);
    unsigned early = 0, late = 0;
    struct taken taken;

    for (unsigned i = 0; i < 100; i++) {
        CHECK(client_take(&client, &taken));
        int64_t off = taken.time.wall_ns - (RECORDED + i * INT64_C(1001));
        CHECK(off <= INT64_C(1000000000) && off >= -INT64_C(1000000000));
        early += off < 0;
        late += off > 0;
    }
    CHECK(early != 0 && late != 0);
    CHECK_EQ_U64(wire_counter("impair.times_changed"), 100);
    stop(&client);
}

#endif
