/* SPDX-License-Identifier: BSD-3-Clause */

/* Sends that find no room: nonblocking, waiting, and everything that ends a wait. */

#include "support/suite.h"

#include "sending.h"

SUITE_FIXTURE(send_blocking, open_quiet, close_all);

/* A body: one blocking send of a byte to PORT. */
static void send_once(struct runner *self)
{
    self->outcome = send_text_to(self->s, LOOPBACK, PORT, "x");
}

/* The queue of `s` is full; start a send and wait until it sleeps. */
static void run_blocked_send(struct runner *runner, SOCKET s)
{
    unsigned before = sleeping_senders_of(s);

    run(runner, send_once, s, NULL);
    UNTIL(sleeping_senders_of(s) == before + 1);
}

SUITE_TEST(send_blocking, a_full_queue_refuses_a_nonblocking_send)
{
    SOCKET s = open_socket(OTHER_PORT);

    CHECK_EQ_I64(set_option(s, SO_SNDBUF, 10000), 0);
    CHECK_EQ_U64(fill_queue(s, 980), 10); /* 20 bytes each beside the payload */
    set_nonblocking(s, true);
    CHECK_REFUSED(send_text_to(s, LOOPBACK, PORT, ""), WSAEWOULDBLOCK);
    wire_settle();
    CHECK_SENT(send_text_to(s, LOOPBACK, PORT, ""), 0);
    close_socket(s);
}

SUITE_TEST(send_blocking, a_blocking_send_waits_for_room)
{
    static struct runner runners[3];
    SOCKET s = open_socket(OTHER_PORT), to = open_socket(PORT);

    fill_queue(s, 1000);
    for (unsigned i = 0; i < 3; i++)
        run_blocked_send(&runners[i], s);
    wire_settle();
    for (unsigned i = 0; i < 3; i++) {
        finish(&runners[i]);
        CHECK_SENT(runners[i].outcome, 1);
    }
    wire_settle();
    CHECK_EQ_U64(counters_of(to).delivered, 3);
    CHECK_EQ_U64(sleeping_senders_of(s), 0);
    close_socket(s);
    close_socket(to);
}

SUITE_TEST(send_blocking, a_wait_has_a_time_limit_of_its_own)
{
    SOCKET s = open_socket(OTHER_PORT);

    fill_queue(s, 1000);
    CHECK_EQ_I64(set_option(s, SO_SNDTIMEO, 30), 0);
    uint64_t begun = wake_clock();
    CHECK_REFUSED(send_text_to(s, LOOPBACK, PORT, "x"), WSAETIMEDOUT);
    CHECK_GE_U64(milliseconds_since(begun), 30);
    close_socket(s);
}

SUITE_TEST(send_blocking, closing_ends_it) // B11
{
    static struct runner runners[2];
    SOCKET s = open_socket(OTHER_PORT);

    fill_queue(s, 1000);
    for (unsigned i = 0; i < 2; i++)
        run_blocked_send(&runners[i], s);
    close_socket(s);
    for (unsigned i = 0; i < 2; i++) {
        finish(&runners[i]);
        CHECK_REFUSED(runners[i].outcome, WSA_OPERATION_ABORTED);
    }
}

SUITE_TEST(send_blocking, stopping_ends_it) // A19
{
    static struct runner runner;
    struct config config = wire_config();
    SOCKET s = open_socket(OTHER_PORT);

    fill_queue(s, 1000);
    run_blocked_send(&runner, s);
    CHECK_EQ_I64(wirerx_stop(), 0);
    finish(&runner);
    CHECK_REFUSED(runner.outcome, WSAENETDOWN);
    close_socket(s);
    wire_start(&config, &pending_operations, true);
}

static void CALLBACK cancel_it(ULONG_PTR argument)
{
    int error = 0;

    (void)argument;
    CHECK_EQ_I64(spi.lpWSPCancelBlockingCall(&error), 0);
}

static void CALLBACK count_it(ULONG_PTR argument)
{
    ++*(unsigned *)argument;
}

SUITE_TEST(send_blocking, it_can_be_cancelled) // N01
{
    SOCKET s = open_socket(OTHER_PORT);

    fill_queue(s, 1000);
    CHECK(QueueUserAPC(cancel_it, GetCurrentThread(), 0));
    CHECK_REFUSED(send_text_to(s, LOOPBACK, PORT, "x"), WSAEINTR);
    close_socket(s);
}

SUITE_TEST(send_blocking, it_waits_alertably_and_only_if_it_has_to) // B08 B09
{
    SOCKET s = open_socket(OTHER_PORT);
    unsigned runs = 0;

    CHECK(QueueUserAPC(count_it, GetCurrentThread(), (ULONG_PTR)&runs));
    CHECK_SENT(send_text_to(s, LOOPBACK, PORT, "x"), 1);
    CHECK_EQ_U64(runs, 0);
    fill_queue(s, 1000);
    CHECK_EQ_I64(set_option(s, SO_SNDTIMEO, 20), 0);
    CHECK_REFUSED(send_text_to(s, LOOPBACK, PORT, "x"), WSAETIMEDOUT);
    CHECK_EQ_U64(runs, 1);
    close_socket(s);
}

/* --- while lcores run ------------------------------------------------------------------------- */

#define DATAGRAMS SCALED(20000u)

static void send_many(struct runner *self)
{
    char payload[200];

    for (unsigned i = 0; i < DATAGRAMS; i++) {
        frame_fill(payload, sizeof payload, i);
        self->outcome = send_bytes_to(self->s, LOOPBACK, PORT, payload, sizeof payload);
        CHECK_SENT(self->outcome, sizeof payload);
    }
}

/* A small send buffer, so that sends block all the time; and a receiver with all the room. */
SUITE_TEST(send_live, blocking_sends_lose_nothing_on_their_way, .init = open_live,
           .fini = close_all)
{
    static struct runner runners[2];
    SOCKET to = open_socket(PORT);
    unsigned next[2] = {0, 0};
    char room[256];

    CHECK_EQ_I64(set_option(to, SO_RCVTIMEO, 20000), 0);
    for (unsigned i = 0; i < 2; i++) {
        SOCKET s = open_socket((uint16_t)(6000 + i));

        CHECK_EQ_I64(set_option(s, SO_SNDBUF, 2000), 0);
        run(&runners[i], send_many, s, NULL);
    }
    for (;;) {
        struct wirerx_socket_counters counters = counters_of(to);

        if (counters.received + counters.drop_ring_full + counters.drop_pool_share ==
            2ull * DATAGRAMS)
            break;
        if (counters.queued == 0) {
            nap();
            continue;
        }
        struct outcome outcome = receive(to, room, sizeof room);
        CHECK_EQ_I64(outcome.result, 0);
        CHECK_EQ_U64(outcome.bytes, 200);
        bool found = false; /* in order, each once, and gaps only where the ring was full */
        for (unsigned i = 0; i < 2 && !found; i++)
            for (unsigned k = next[i]; k < DATAGRAMS && !found; k++)
                if (frame_is_filled(room, 200, k)) {
                    next[i] = k + 1;
                    found = true;
                }
        CHECK(found);
    }
    for (unsigned i = 0; i < 2; i++) {
        finish(&runners[i]);
        close_socket(runners[i].s);
    }
    close_socket(to);
}
