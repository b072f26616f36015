/* SPDX-License-Identifier: BSD-3-Clause */

/* When the lcore looks at what a socket has consumed, and what it does with buffers that are lent. */

#include "support/suite.h"

#include "client.h"
#include "support/frames.h"
#include "support/wire.h"
#include "way_home.h"

#if !UNDER_THREAD_SANITIZER

#define GROUP FRAME_IP(239, 1, 1, 1)
#define PORT 5000
#define BUFFERS 4096u

static void set_up(void)
{
    struct config config = wire_config();

    wire_start(&config, &client_operations, true);
}

SUITE_FIXTURE(way_home, set_up, wire_stop);

static void lock(const struct client *c)
{
    CHECK_EQ_I64(lock_word_acquire(&c->endpoint->word, c->generation), LOCK_ACQUIRED);
}

static void unlock(const struct client *c)
{
    CHECK(lock_word_release(&c->endpoint->word)); /* nothing is ever posted */
}

/* Keep the `count` oldest. @param frames  receives the `frame` of each */
static void lend(const struct client *c, unsigned count, uintptr_t *frames)
{
    struct endpoint *e = c->endpoint;
    uint32_t buffers = 0;

    lock(c);
    CHECK_EQ_U64(endpoint_available(e, count), count);
    for (unsigned i = 0; i < count; i++) {
        frames[i] = endpoint_element(e, i)->frame;
        buffers += element_mbuf(endpoint_element(e, i))->nb_segs;
    }
    endpoint_lend_many(e, count, buffers);
    unlock(c);
}

static void take_back(const struct client *c, const uintptr_t *frames, unsigned count)
{
    struct endpoint_returns returns = {.buffers = 0};

    lock(c);
    for (unsigned i = 0; i < count; i++)
        endpoint_returns_add(&returns, frames[i]);
    endpoint_returns_end(c->endpoint, &returns);
    unlock(c);
}

SUITE_TEST(way_home, a_look_is_due_after_so_many_datagrams)
{
    struct client c = client_joined(GROUP, PORT);
    struct endpoint *e = c.endpoint;

    wire_send_numbers(GROUP, PORT, 0, 1, 20);
    way_home_look(e, 10);
    wire_send_numbers(GROUP, PORT, 1, 9, 20);
    CHECK(!way_home_is_due(e));
    CHECK_EQ_U64(way_home_look(e, 10),
                 0); /* nothing was consumed, and the next one is due later again */
    wire_send_numbers(GROUP, PORT, 10, 9, 20);
    CHECK(!way_home_is_due(e));
    client_expect(&c, 0, 19, 20);
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS - 19);
    CHECK_EQ_U64(way_home_look(e, 64), 19);
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
    CHECK_EQ_U64(e->lcore.look_at, 19 + 32); /* half of a ring of 64 */
    client_close(&c);
}

/* Sweeps are far between, and would not do for it. */
SUITE_TEST(way_home, a_busy_sockets_buffers_come_home_without_a_sweep)
{
    struct client c = client_joined(GROUP, PORT);
    uint8_t payload[20] = {0};

    wire_send_numbers(GROUP, PORT, 0, 1, 20);
    for (unsigned burst = 0; burst < 20; burst++) {
        CHECK_EQ_U64(client_drain(&c), burst == 0 ? 1 : 8);
        for (unsigned i = 0; i < 8; i++)
            wire_send_udp(GROUP, PORT, payload, sizeof payload);
        wire_step(dataplane_tsc());
        CHECK_GE_U64(wire_free_buffers(), BUFFERS - 32 - 8);
    }
    client_close(&c);
}

SUITE_TEST(way_home, what_was_not_looked_at_is_bounded_for_all_sockets_together)
{
    CHECK_EQ_U64(look_after(0), LOOK_AFTER_MOST);
    CHECK_EQ_U64(look_after(1), LOOK_AFTER_MOST);
    for (uint32_t sockets = 1; sockets <= 10000; sockets++) {
        CHECK_GE_U64(look_after(sockets), 1);
        CHECK_LE_U64(look_after(sockets), LOOK_AFTER_MOST);
        CHECK_LE_U64((uint64_t)look_after(sockets) * sockets, RTE_MAX(LOOK_TOTAL, sockets));
    }
}

SUITE_TEST(way_home, what_is_lent_is_not_in_the_pool_until_it_comes_back)
{
    struct client c = client_joined(GROUP, PORT);
    uintptr_t frames[5];
    struct taken taken;

    for (unsigned round = 0; round < 20; round++) {
        wire_send_numbers(GROUP, PORT, 0, 10, 20);
        lend(&c, 2, frames);
        CHECK(client_take(&c, &taken));
        lend(&c, 3, frames + 2);
        client_expect(&c, 6, 4, 20);
        CHECK_EQ_U64(atomic_load(&c.endpoint->lent), 5);
        wire_settle();
        CHECK_EQ_U64(wire_free_buffers(), BUFFERS - 5);
        take_back(&c, frames + 1, 3);
        wire_settle();
        CHECK_EQ_U64(wire_free_buffers(), BUFFERS - 2);
        take_back(&c, frames, 1);
        take_back(&c, frames + 4, 1);
        CHECK_EQ_U64(atomic_load(&c.endpoint->lent), 0);
        wire_settle();
        CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
    }
    CHECK_EQ_U64(c.endpoint->lcore.buffers, c.endpoint->lcore.buffers_known);
    client_close(&c);
}

SUITE_TEST(way_home, what_comes_back_before_a_look_goes_home_once)
{
    struct client c = client_joined(GROUP, PORT);
    uintptr_t frames[10];

    wire_send_numbers(GROUP, PORT, 0, 10, 20);
    lend(&c, 10, frames);
    take_back(&c, frames, 4); /* the other six are with the client when the lcore looks */
    CHECK_EQ_PTR(atomic_load(&c.endpoint->came_back), NULL);
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS - 10);
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS - 6);
    take_back(&c, frames + 4, 6);
    wire_settle();
    wire_send_numbers(GROUP, PORT, 10, 10, 20);
    lend(&c, 10, frames);
    take_back(&c, frames, 10); /* ... and none of these */
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
    client_close(&c);
}

SUITE_TEST(way_home, what_is_lent_counts_against_the_sockets_share)
{
    struct client c = client_joined(GROUP, PORT);
    uintptr_t frames[10];

    wire_send_numbers(GROUP, PORT, 0, 10, 20);
    lend(&c, 10, frames);
    wire_settle();
    CHECK_EQ_U64(c.endpoint->lcore.buffers - c.endpoint->lcore.buffers_known, 10);
    take_back(&c, frames, 7);
    wire_settle();
    CHECK_EQ_U64(c.endpoint->lcore.buffers - c.endpoint->lcore.buffers_known, 3);
    take_back(&c, frames + 7, 3);
    client_close(&c);
}

SUITE_TEST(way_home, datagrams_of_several_segments_are_lent_and_come_back_whole)
{
    struct client c = client_joined(GROUP, PORT);
    uintptr_t frames[10];

    wire_send_numbers(GROUP, PORT, 0, 10, 8900); /* five buffers each */
    lend(&c, 10, frames);
    CHECK_EQ_U64(atomic_load(&c.endpoint->lent), 50);
    take_back(&c, frames, 5);
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS - 25);
    take_back(&c, frames + 5, 5);
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
    client_close(&c);
}

SUITE_TEST(way_home, what_one_member_is_lent_the_others_may_consume)
{
    struct client one = client_joined(GROUP, PORT), other = client_joined(GROUP, PORT);
    uintptr_t frames[10], too[4];

    wire_send_numbers(GROUP, PORT, 0, 10, 20);
    lend(&one, 10, frames);
    lend(&other, 4, too);
    client_expect(&other, 4, 6, 20);
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS - 10);
    take_back(&one, frames, 10);
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS - 4);
    take_back(&other, too, 4);
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
    client_close(&one);
    client_close(&other);
}

SUITE_TEST(way_home, a_close_takes_what_came_back_home)
{
    struct client c = client_joined(GROUP, PORT);
    uintptr_t frames[10];

    wire_send_numbers(GROUP, PORT, 0, 20, 20);
    lend(&c, 10, frames);
    wire_settle();
    take_back(&c, frames, 10);
    client_close(&c);
    CHECK_EQ_U64(wire_free_buffers(), BUFFERS);
}

#endif
