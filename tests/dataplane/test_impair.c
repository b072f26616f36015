/* SPDX-License-Identifier: BSD-3-Clause */

/* A port that is impaired on purpose: nothing is unaccounted for, and the same seed does the same again. */

#include "support/suite.h"

#include <stdlib.h>
#include <string.h>

#include "impaired.h"
#include "port_watch.h"
#include "service.h"
#include "state.h"

#define FRAMES 400u
#define LENGTH 100u
#define TENTH (CONFIG_IMPAIR_WHOLE / 10)

/* What the ring device has given is what was sent. */
static void check_sum(uint64_t sent)
{
    CHECK_EQ_U64(wire_counter("device.frames") + wire_counter("impair.lost") +
                     wire_counter("impair.missed") + wire_counter("impair.held") -
                     wire_counter("impair.duplicated"),
                 sent);
}

SUITE_TEST(impair, figures_may_be_read_while_an_lcore_runs)
{
    struct config_impair impair = {.seed = 11,
                                   .loss = TENTH,
                                   .missed = TENTH,
                                   .duplicate = TENTH,
                                   .corrupt = TENTH,
                                   .reorder = TENTH,
                                   .delay = 10,
                                   .jitter = 10};
    struct config config = wire_config();
    struct port_link link;
    uint64_t frames = 0;

    config.buffers = 2 * BUFFERS;
    struct client client = impaired_start(config, impair, false);
    for (unsigned i = 0; i < FRAMES; i++) {
        wire_send_udp(GROUP, PORT, "quote", 5);
        uint64_t now = wire_counter("device.frames");
        CHECK_GE_U64(now, frames);
        frames = now;
        CHECK(dataplane.ports[0].operations->link(&dataplane.ports[0], &link) == 0 && link.up);
    }
    do
        wire_settle();
    while (wire_counter("impair.held") != 0);
    wire_stop();
    check_sum(FRAMES);
    client_close(&client);
}

#if !UNDER_THREAD_SANITIZER

static struct client start(struct config_impair impair)
{
    struct config config = wire_config();

    config.sockets.ring_slots = 2048;
    return impaired_start(config, impair, true);
}

static void stop(struct client *client)
{
    client_close(client);
    wire_stop();
}

/* The numbers in the order in which they have come. */
static unsigned take_all(const struct client *client, unsigned numbers[2 * FRAMES])
{
    static struct taken taken;
    unsigned count = 0;

    for (; client_take(client, &taken); count++) {
        unsigned number = 0;

        CHECK(count < 2 * FRAMES && taken.length == LENGTH);
        while (number < FRAMES && !frame_is_filled(taken.bytes, LENGTH, number))
            number++;
        CHECK(number < FRAMES);
        numbers[count] = number;
    }
    return count;
}

static unsigned outcome(struct config_impair impair, unsigned numbers[2 * FRAMES])
{
    struct client client = start(impair);

    wire_send_numbers(GROUP, PORT, 0, FRAMES, LENGTH);
    check_sum(FRAMES);
    unsigned count = take_all(&client, numbers);
    stop(&client);
    check_sum(FRAMES);
    return count;
}

SUITE_TEST(impair, lost_and_missed_frames_are_counted_each_under_its_name)
{
    static unsigned numbers[2 * FRAMES];
    unsigned count =
        outcome((struct config_impair){.seed = 1, .loss = TENTH, .missed = TENTH}, numbers);
    uint64_t lost = wire_counter("impair.lost"), missed = wire_counter("impair.missed");

    CHECK(lost != 0 && missed != 0);
    CHECK_EQ_U64(count + lost + missed, FRAMES);
    CHECK_EQ_U64(wire_counter("drop.device_missed"), missed);
    for (unsigned i = 1; i < count; i++)
        CHECK(numbers[i] > numbers[i - 1]);
}

SUITE_TEST(impair, all_may_be_lost)
{
    static unsigned numbers[2 * FRAMES];

    CHECK_EQ_U64(outcome((struct config_impair){.seed = 1, .loss = CONFIG_IMPAIR_WHOLE}, numbers),
                 0);
    CHECK_EQ_U64(wire_counter("impair.lost"), FRAMES);
}

SUITE_TEST(impair, duplicates_come_right_behind_and_nothing_is_missing)
{
    static unsigned numbers[2 * FRAMES];
    unsigned count = outcome((struct config_impair){.seed = 2, .duplicate = 3 * TENTH}, numbers);

    CHECK(wire_counter("impair.duplicated") != 0);
    CHECK_EQ_U64(count, FRAMES + wire_counter("impair.duplicated"));
    for (unsigned i = 1; i < count; i++)
        CHECK(numbers[i] == numbers[i - 1] || numbers[i] == numbers[i - 1] + 1);
}

SUITE_TEST(impair, every_frame_may_be_doubled)
{
    static unsigned numbers[2 * FRAMES];
    unsigned count =
        outcome((struct config_impair){.seed = 2, .duplicate = CONFIG_IMPAIR_WHOLE}, numbers);

    CHECK_EQ_U64(count, 2 * FRAMES);
}

SUITE_TEST(impair, frames_that_are_passed_come_once_and_no_later_than_said)
{
    static unsigned numbers[2 * FRAMES];
    bool come[FRAMES] = {false};
    unsigned count = outcome((struct config_impair){.seed = 3, .reorder = TENTH}, numbers);
    bool out_of_order = false;

    CHECK_EQ_U64(count, FRAMES);
    CHECK(wire_counter("impair.reordered") != 0);
    CHECK_EQ_U64(wire_counter("impair.held"), 0);
    for (unsigned i = 0; i < count; i++) {
        CHECK(!come[numbers[i]]);
        come[numbers[i]] = true;
        out_of_order |= numbers[i] != i;
        CHECK_LE_U64(i, numbers[i] + 2u * IMPAIR_LATE);
    }
    CHECK(out_of_order);
}

SUITE_TEST(impair, what_waits_at_the_stop_is_freed_and_said)
{
    struct client client = start((struct config_impair){.seed = 4, .reorder = CONFIG_IMPAIR_WHOLE});

    for (unsigned i = 0; i < 3; i++)
        wire_send_udp(GROUP, PORT, "quote", 5);
    wire_step(dataplane_tsc());
    CHECK_EQ_U64(wire_counter("impair.held"), 3);
    wire_stop(); /* which looks for buffers that are missing; closing would make a pass */
    CHECK_EQ_U64(wire_counter("impair.held"), 3);
    check_sum(3);
    client_close(&client);
}

SUITE_TEST(impair, a_flipped_bit_reaches_no_socket)
{
    struct client client = start((struct config_impair){.seed = 5, .corrupt = CONFIG_IMPAIR_WHOLE});
    static struct taken taken;
    unsigned delivered = 0;

    wire_send_numbers(GROUP, PORT, 0, FRAMES, LENGTH);
    CHECK_EQ_U64(wire_counter("impair.corrupted"), FRAMES);
    CHECK(wire_counter("drop.bad_udp_checksum") != 0);
    CHECK(wire_counter("drop.bad_ip_checksum") != 0);
    for (; client_take(&client, &taken); delivered++) { /* it was in the MAC addresses */
        bool known = false;

        for (unsigned i = 0; i < FRAMES; i++)
            known |= frame_is_filled(taken.bytes, LENGTH, i);
        CHECK(known && taken.length == LENGTH);
    }
    CHECK(delivered < FRAMES / 2);
    stop(&client);
}

SUITE_TEST(impair, the_same_seed_does_the_same_again_and_another_does_not)
{
    static unsigned numbers[3][2 * FRAMES];
    struct config_impair impair = {.seed = 42, .loss = TENTH, .duplicate = TENTH, .reorder = TENTH};
    unsigned first = outcome(impair, numbers[0]), again = outcome(impair, numbers[1]);

    CHECK_EQ_U64(first, again);
    CHECK_EQ_MEM(numbers[0], numbers[1], first * sizeof numbers[0][0]);
    impair.seed = 43;
    unsigned other = outcome(impair, numbers[2]);
    CHECK(other != first || memcmp(numbers[0], numbers[2], first * sizeof numbers[0][0]) != 0);
}

SUITE_TEST(impair, without_buffers_there_are_no_duplicates)
{
    struct client client =
        start((struct config_impair){.seed = 6, .duplicate = CONFIG_IMPAIR_WHOLE});
    struct rte_mempool *pool = dataplane.ports[0].pool;
    static struct rte_mbuf *taken[BUFFERS];
    unsigned count = 0;

    wire_send_udp(GROUP, PORT, "quote", 5);
    while (count < BUFFERS && (taken[count] = rte_pktmbuf_alloc(pool)) != NULL)
        count++;
    wire_step(dataplane_tsc());
    rte_pktmbuf_free_bulk(taken, count);
    CHECK_EQ_U64(wire_counter("impair.no_buffer"), 1);
    CHECK_EQ_U64(wire_counter("impair.duplicated"), 0);
    CHECK_EQ_U64(client_drain(&client), 1);
    stop(&client);
}

SUITE_TEST(impair, a_device_that_refuses_lists_lets_all_groups_through)
{
    struct client client = start((struct config_impair){.seed = 7, .refuse_multicast = 1});

    CHECK_EQ_U64(wire_counter("device.multicast_all"), 1);
    CHECK_EQ_U64(wire_counter("device.multicast_refused"), 1);
    wire_send_udp(GROUP, PORT, "quote", 5);
    wire_send_udp(OTHER_GROUP, PORT, "quote", 5);
    wire_settle();
    CHECK_EQ_U64(client_drain(&client), 1);
    CHECK_EQ_U64(wire_counter("drop.not_joined"), 1);
    stop(&client);
}

SUITE_TEST(impair, of_a_device_that_refuses_everything_the_log_says_so)
{
    struct config config = wire_config();
    struct config_impair impair = {.seed = 7, .refuse_multicast = 1, .refuse_all_multicast = 1};

    config.ports[0].impair = &impair;
    wire_capture_log();
    wire_start(&config, &client_operations, true);
    CHECK(strstr(wire_captured_log(), "accepts neither a list of groups nor all-multicast") !=
          NULL);
    CHECK_EQ_U64(wire_counter("device.multicast_all"), 0);
    CHECK_EQ_U64(wire_counter("device.multicast_listed"), 0);
    wire_stop();
}

SUITE_TEST(impair, each_queue_has_dice_of_its_own)
{
    static unsigned cores[2];
    static struct taken taken;
    unsigned come[FRAMES / 2] = {0}, once = 0;
    struct config config = wire_config();

    if (wire_cpus() < 2)
        SKIP("this process may use one CPU only");
    cores[0] = wire_cpu(0);
    cores[1] = wire_cpu(1);
    config.cores = cores;
    config.cores_count = 2;
    config.buffers = 2 * BUFFERS;
    config.ports[0].queues = 2;
    config.sockets.ring_slots = 2048;
    struct client client =
        impaired_start(config, (struct config_impair){.seed = 12, .loss = TENTH}, true);
    for (unsigned i = 0; i < FRAMES; i++) { /* the same to both */
        uint8_t payload[LENGTH], bytes[FRAME_MAX];

        frame_fill(payload, sizeof payload, i / 2);
        size_t length = frame_udp(bytes, sizeof bytes, GROUP, PORT, payload, sizeof payload);
        wire_send_frame(&(struct wire_frame){.bytes = bytes, .length = length, .queue = i % 2});
    }
    wire_settle();
    check_sum(FRAMES);
    while (client_take(&client, &taken))
        for (unsigned i = 0; i < FRAMES / 2; i++)
            come[i] += frame_is_filled(taken.bytes, LENGTH, i);
    for (unsigned i = 0; i < FRAMES / 2; i++)
        once += come[i] == 1;
    CHECK(once > FRAMES / 20);
    stop(&client);
}

/* --- by time, which is the test's own --------------------------------------------------------------- */

static void at(uint64_t begun, unsigned ms)
{
    wire_step(begun + microseconds(1000ull * ms));
    service_call(port_watch_now, NULL);
}

SUITE_TEST(impair, what_comes_while_the_link_is_down_is_lost)
{
    struct client client =
        start((struct config_impair){.seed = 8, .link_down_after = 100, .link_up_after = 200});
    struct port *port = &dataplane.ports[0];
    struct port_link link;
    uint64_t begun = dataplane_tsc();

    at(begun, 0);
    CHECK(port->operations->link(port, &link) == 0 && link.up);
    for (unsigned ms = 99; ms <= 299; ms += 100) {
        wire_send_udp(GROUP, PORT, "quote", 5);
        at(begun, ms);
    }
    CHECK_EQ_U64(client_drain(&client), 2);
    CHECK_EQ_U64(wire_counter("impair.lost"), 1);
    at(begun, 150);
    CHECK(port->operations->link(port, &link) == 0 && !link.up);
    stop(&client);
}

SUITE_TEST(impair, a_removed_device_is_told_of_once_and_gives_nothing)
{
    struct client client = start((struct config_impair){.seed = 9, .remove_after = 100});
    struct port *port = &dataplane.ports[0];
    struct port_statistics statistics;
    struct port_link link;
    struct rte_mbuf *none[1] = {NULL};
    uint64_t begun = dataplane_tsc();

    at(begun, 0);
    wire_send_udp(GROUP, PORT, "quote", 5);
    at(begun, 50);
    CHECK_EQ_U64(client_drain(&client), 1);
    wire_capture_log();
    wire_send_udp(GROUP, PORT, "quote", 5);
    at(begun, 100);
    at(begun, 101);
    const char *log = wire_captured_log();
    CHECK_EQ_STR(log, "wirerx: ports[0]: vdev:net_ring0 is gone; sockets stay open, and receive "
                      "nothing more from it\n");
    CHECK_EQ_U64(client_drain(&client), 0);
    CHECK_EQ_I64(port->operations->link(port, &link), -ENODEV);
    CHECK_EQ_I64(port->operations->statistics(port, &statistics), -ENODEV);
    CHECK_EQ_U64(port->operations->transmit(port, 0, none, 1), 0);
    CHECK_EQ_U64(wire_counter("device.frames"), 1);
    CHECK_EQ_I64(client_try_join(&client, OTHER_GROUP, 0), 0);
    wire_capture_log();
    client_close(&client);
    wire_captured_log();
    wire_stop();
}

/* --- before a replay ---------------------------------------------------------------------------------- */

SUITE_TEST(impair, a_replay_ends_when_what_waited_has_gone_on_too)
{
    write_numbers("impaired", GROUP, 200, LENGTH);
    struct client client = impaired_start(
        replay_config(capture_device(0, "impaired"), CONFIG_PACE_DRAINED),
        (struct config_impair){.seed = 10, .loss = TENTH, .reorder = 5 * TENTH}, true);
    go();
    run_to_the_end(1000);
    CHECK_EQ_U64(progress().released, 200);
    CHECK_EQ_U64(client_drain(&client) + wire_counter("impair.lost"), 200);
    check_sum(200);
    stop(&client);
}

#endif
