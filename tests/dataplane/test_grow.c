/* SPDX-License-Identifier: BSD-3-Clause */

/* A socket's ring grows when it is full, and is small again when it was quiet: nothing is lost, doubled or
 * out of order, no buffer and no store goes missing, and what an empty stock costs is counted. */

#include "support/suite.h"

#include <pthread.h>
#include <unistd.h>

#include "client.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"

#define GROUP FRAME_IP(239, 1, 1, 1)
#define PORT 5000
#define SLOTS 2048u
#define LENGTH 20u

static struct config config_of_large_rings(void)
{
    struct config config = wire_config();

    config.sockets.ring_slots = SLOTS;
    config.buffers = 16384;
    return config;
}

static void set_up(void)
{
    struct config config = config_of_large_rings();

    wire_start(&config, &client_operations, true);
}

SUITE_FIXTURE(grow, set_up, wire_stop);

/* These are the next ones; there may be more. */
static void take_numbers(const struct client *c, uint64_t first, unsigned count)
{
    struct taken taken;

    for (unsigned i = 0; i < count; i++) {
        CHECK(client_take(c, &taken));
        CHECK_EQ_U64(taken.length, LENGTH);
        CHECK_EQ_U64(taken.drops, 0);
        CHECK(frame_is_filled(taken.bytes, LENGTH, first + i));
    }
}

static struct store_stock *stock(void)
{
    return &dataplane.lcores[0].stock;
}

static uint32_t slots_now(const struct client *c)
{
    return atomic_load(&c->endpoint->store)->slots;
}

/* Passes long after now, so many that every socket is looked at. */
static void be_quiet(void)
{
    static uint64_t ahead;

    ahead += 2 * dataplane_tsc_hz();
    for (unsigned i = 0; i < 4 * LCORE_SWEEP_PASSES; i++)
        wire_step(dataplane_tsc() + ahead);
}

SUITE_TEST(grow, holds_as_many_as_it_may_and_gives_them_in_order)
{
    struct client c = client_joined(GROUP, PORT);

    CHECK_EQ_U64(slots_now(&c), 64);
    wire_send_numbers(GROUP, PORT, 0, SLOTS + 10, LENGTH);
    CHECK_EQ_U64(slots_now(&c), SLOTS);
    CHECK_EQ_U64(client_queued(&c), SLOTS);
    CHECK_EQ_U64(client_lost_ring_full(&c), 10);
    CHECK_EQ_U64(wire_counter("ring_not_grown"), 0);
    CHECK_EQ_U64(wire_counter("rings_grown"), 2);
    client_expect(&c, 0, SLOTS, LENGTH);
    client_close(&c);
}

SUITE_TEST(grow, a_reader_in_the_old_ring_reads_on)
{
    struct client c = client_joined(GROUP, PORT);

    wire_send_numbers(GROUP, PORT, 0, 64, LENGTH);
    take_numbers(&c, 0, 10);                        /* it knows of 64, in the first ring */
    wire_send_numbers(GROUP, PORT, 64, 60, LENGTH); /* and the ring is another one */
    CHECK_EQ_U64(slots_now(&c), 256);
    take_numbers(&c, 10, 30);
    wire_send_numbers(GROUP, PORT, 124, 400, LENGTH); /* and once more, before it has looked */
    CHECK_EQ_U64(slots_now(&c), SLOTS);
    client_expect(&c, 40, 484, LENGTH);
    client_close(&c);
}

SUITE_TEST(grow, one_that_was_quiet_is_small_again_and_the_stock_as_before)
{
    uint64_t bytes = atomic_load(&stock()->bytes);
    struct client c = client_joined(GROUP, PORT);

    for (uint64_t round = 0; round < 5; round++) {
        wire_send_numbers(GROUP, PORT, round * 300, 300, LENGTH);
        CHECK_EQ_U64(slots_now(&c), SLOTS);
        CHECK_GE_U64(atomic_load(&stock()->lent_bytes), SLOTS * 16);
        be_quiet(); /* not with what is queued */
        CHECK_EQ_U64(slots_now(&c), SLOTS);
        take_numbers(&c, round * 300, 290);
        be_quiet();
        CHECK_EQ_U64(slots_now(&c), 64); /* the last ten have moved with it */
        CHECK_EQ_U64(client_queued(&c), 10);
        CHECK_EQ_U64(atomic_load(&stock()->lent_bytes), 0);
        CHECK_EQ_U64(atomic_load(&stock()->bytes), bytes);
        client_expect(&c, round * 300 + 290, 10, LENGTH);
    }
    CHECK_EQ_U64(wire_counter("rings_shrunk"), 5);
    client_close(&c);
}

SUITE_TEST(grow, nobody_is_moved_while_lock_is_held)
{
    struct client c = client_joined(GROUP, PORT);

    wire_send_numbers(GROUP, PORT, 0, 100, LENGTH);
    client_expect(&c, 0, 100, LENGTH);
    CHECK_EQ_I64(lock_word_acquire(&c.endpoint->word, c.generation), LOCK_ACQUIRED);
    be_quiet();
    CHECK_EQ_U64(slots_now(&c), 256);
    CHECK(lock_word_release(&c.endpoint->word)); /* and no service is owed */
    be_quiet();
    CHECK_EQ_U64(slots_now(&c), 64);
    client_close(&c);
}

SUITE_TEST(grow, a_close_gives_back_what_was_lent)
{
    uint64_t bytes = atomic_load(&stock()->bytes);

    for (unsigned i = 0; i < 3; i++) {
        struct client c = client_joined(GROUP, PORT);

        wire_send_numbers(GROUP, PORT, 0, 1000,
                          LENGTH); /* unread, and the reader has never looked */
        client_close(&c);
        CHECK_EQ_U64(atomic_load(&stock()->lent_bytes), 0);
        CHECK_EQ_U64(atomic_load(&stock()->bytes), bytes);
    }
}

SUITE_TEST(grow, what_an_empty_stock_costs_is_counted_and_it_becomes_larger)
{
    struct client c = client_joined(GROUP, PORT);
    struct socket_store *taken = NULL, *store;
    uint32_t target = stock()->target[1];

    for (unsigned grade = 1; grade < STORE_GRADES; grade++)
        while ((store = store_stock_take(stock(), grade)) != NULL) {
            store->next = taken;
            taken = store;
        }
    stock()->most = 1000;
    wire_send_numbers(GROUP, PORT, 0, 64, LENGTH);
    wire_send_udp(GROUP, PORT, NULL, 0);
    wire_settle();
    CHECK_EQ_U64(client_lost_ring_full(&c), 1);
    CHECK_EQ_U64(wire_counter("ring_not_grown"), 1);
    CHECK_EQ_U64(wire_counter("lost.ring_full"), 1);
    CHECK_EQ_U64(stock()->target[1], 2 * target);
    for (unsigned i = 0; i < 2000 && atomic_load(&stock()->made[1]) == NULL; i++)
        usleep(1000); /* the service thread fills it */
    wire_send_numbers(GROUP, PORT, 64, 100, LENGTH);
    CHECK_EQ_U64(client_lost_ring_full(&c), 1);
    client_expect(&c, 0, 164, LENGTH);
    while (taken != NULL) {
        store = taken;
        taken = store->next;
        store_stock_give_back(stock(), store);
    }
    client_close(&c);
}

SUITE_TEST(grow, one_that_is_stopped_under_is_closed_later)
{
    struct client c = client_joined(GROUP, PORT);

    wire_send_numbers(GROUP, PORT, 0, 1000, LENGTH);
    wire_stop();
    client_close(&c);
    set_up();
}

/* --- a group with many members --------------------------------------------------------------------- */

#define MEMBERS 200u

static void set_up_members(void)
{
    struct config config = config_of_large_rings();

    config.sockets.maximum = MEMBERS;
    config.sockets.min_buffers = 16;
    wire_start(&config, &client_operations, true);
}

SUITE_FIXTURE(growing_together, set_up_members, wire_stop);

/* All in one burst: the service thread has no time to make what is missing. */
SUITE_TEST(growing_together, the_members_of_a_group_lose_nothing)
{
    struct client members[MEMBERS];

    for (unsigned i = 0; i < MEMBERS; i++)
        members[i] = client_joined(GROUP, PORT);
    wire_send_numbers(GROUP, PORT, 0, 200, LENGTH);
    CHECK_EQ_U64(wire_counter("ring_not_grown"), 0);
    CHECK_EQ_U64(wire_counter("rings_grown"), MEMBERS);
    for (unsigned i = 0; i < MEMBERS; i++) {
        CHECK_EQ_U64(client_lost_ring_full(&members[i]), 0);
        client_expect(&members[i], 0, 200, LENGTH);
        client_close(&members[i]);
    }
}

/* --- with an lcore of its own ---------------------------------------------------------------------- */

#define DATAGRAMS 60000u
#define IN_FLIGHT 900u

static void run_lcore(void)
{
    struct config config = config_of_large_rings();

    wire_start(&config, &client_operations, false);
    dataplane.lcores[0].quiet_cycles = 20000; /* some microseconds: back and forth all the time */
}

SUITE_FIXTURE(growing, run_lcore, wire_stop);

static _Atomic uint64_t received;

static void *read_slowly(void *argument)
{
    const struct client *c = argument;
    struct taken taken;
    uint64_t pauses = 1;

    for (uint64_t next = 0; next < DATAGRAMS;) {
        if (!client_take(c, &taken))
            continue;
        CHECK_EQ_U64(taken.drops, 0);
        CHECK_MSG(frame_is_filled(taken.bytes, LENGTH, next), "%llu is another one",
                  (unsigned long long)next);
        atomic_store(&received, ++next);
        pauses = pauses * 6364136223846793005u + 1442695040888963407u;
        if (pauses >> 54 == 0)
            usleep((unsigned)(pauses >> 44) & 511);
    }
    return NULL;
}

SUITE_TEST(growing, under_a_running_reader_every_datagram_arrives_in_order)
{
    struct client c = client_joined(GROUP, PORT);
    uint8_t payload[LENGTH];
    pthread_t reader;

    atomic_store(&received, 0);
    CHECK_EQ_I64(pthread_create(&reader, NULL, read_slowly, &c), 0);
    for (uint64_t sent = 0; sent < DATAGRAMS; sent++) {
        if (sent % 5000 == 0)
            usleep(2000); /* it becomes small */
        while (sent - atomic_load(&received) >= IN_FLIGHT)
            usleep(50);
        frame_fill(payload, LENGTH, sent);
        wire_send_udp(GROUP, PORT, payload, LENGTH);
    }
    CHECK_EQ_I64(pthread_join(reader, NULL), 0);
    wire_settle();
    CHECK_EQ_U64(client_lost_ring_full(&c), 0);
    CHECK_GE_U64(wire_counter("rings_grown"), 1);
    CHECK_GE_U64(wire_counter("rings_shrunk"), 1);
    client_close(&c);
    CHECK_EQ_U64(atomic_load(&stock()->lent_bytes), 0);
}
