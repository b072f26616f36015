/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPShutdown on datagram sockets: I16, J11, J12, J14h, J14r. */

#include "support/suite.h"

#include "harness.h"
#include "overlapped_status.h"

static int shut(SOCKET s, int how)
{
    int error = 0;

    return spi.lpWSPShutdown(s, how, &error) == 0 ? 0 : error;
}

/* Everything that was put in the ring has an end. */
static void check_conserved(SOCKET s)
{
    struct wirerx_socket_counters counters = counters_of(s);

    CHECK_EQ_U64(counters.delivered,
                 counters.received + counters.conditions + counters.discarded + counters.queued);
}

#if !UNDER_THREAD_SANITIZER

SUITE_FIXTURE(shutdown, open_quiet, close_all);

/* --- receiving ------------------------------------------------------------------------------------------ */

SUITE_TEST(shutdown, receives_fail_and_arrivals_are_accepted_silently) // I16 J11
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;
    char room[16];
    u_long readable;

    arrive_text(PORT, "queued");
    CHECK_EQ_I64(shut(s, SD_RECEIVE), 0);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAESHUTDOWN);
    CHECK_REFUSED(receive_flags(s, room, sizeof room, MSG_PEEK), WSAESHUTDOWN);
    CHECK_EQ_I64(post_event(s, &posted, 16), WSAESHUTDOWN);
    CHECK(!is_signalled(posted.overlapped.hEvent));
    arrive_text(PORT, "accepted");
    CHECK_EQ_U64(wire_counter("delivered"), 2);
    CHECK_EQ_U64(wire_counter("drop.no_socket"), 0); /* which would be answered by ICMP */
    CHECK_EQ_U64(counters_of(s).discarded, 2);
    CHECK_EQ_U64(counters_of(s).queued, 0);
    CHECK_EQ_I64(ioctlsocket(s, (LONG)FIONREAD, &readable), 0);
    CHECK_EQ_U64(readable, 0);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAESHUTDOWN);
    check_conserved(s);
}

SUITE_TEST(shutdown, what_nobody_may_receive_holds_no_buffers) // I16
{
    SOCKET s = open_socket(PORT);

    for (int i = 0; i < 200; i++)
        arrive_text(PORT, "before");
    unsigned held = wire_free_buffers();
    CHECK_EQ_I64(shut(s, SD_RECEIVE), 0);
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), held + 200);
    for (int i = 0; i < 1000; i++) /* several times what the ring has room for */
        arrive_text(PORT, "after");
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), held + 200);
    CHECK_EQ_U64(counters_of(s).drop_ring_full, 0);
    CHECK_EQ_U64(counters_of(s).discarded, 1200);
    check_conserved(s);
}

SUITE_TEST(shutdown, pending_receives_are_not_cancelled) // J12
{
    SOCKET s = open_socket(PORT);
    static struct operation posted[3];
    char room[16];

    pend_event(s, &posted[0], 16);
    pend_routine(s, &posted[1], 16);
    pend_event(s, &posted[2], 16);
    CHECK_EQ_I64(shut(s, SD_BOTH), 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQ_U64(status_of(&posted[i]), OVERLAPPED_PENDING);
    arrive_text(PORT, "one");
    check_completed(&posted[0], "one");
    CHECK_EQ_U64(counters_of(s).discarded, 0);
    arrive_text(PORT, "two");
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(posted[1].calls, 1);
    CHECK_EQ_U64(posted[1].bytes, 3);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAESHUTDOWN); /* nothing new is begun */
    arrive_text(PORT, "three");
    check_completed(&posted[2], "three");
    arrive_text(PORT, "four"); /* nobody waits any more */
    CHECK_EQ_U64(counters_of(s).queued, 0);
    CHECK_EQ_U64(counters_of(s).discarded, 1);
    check_conserved(s);
}

SUITE_TEST(shutdown, a_blocked_receive_is_not_cancelled) // J12
{
    SOCKET s = open_socket(PORT);
    static struct runner blocked;
    char room[16];

    run_blocked(&blocked, s);
    CHECK_EQ_I64(shut(s, SD_RECEIVE), 0);
    nap();
    CHECK(!atomic_load(&blocked.ended));
    arrive_text(PORT, "for it");
    finish(&blocked);
    CHECK_TEXT(blocked.outcome, blocked.data, "for it");
    CHECK_REFUSED(receive(s, room, sizeof room), WSAESHUTDOWN);
    for (int i = 0; i < 300; i++)
        arrive_text(PORT, "for nobody");
    CHECK_LE_U64(counters_of(s).queued, 1);
    CHECK_EQ_U64(counters_of(s).drop_ring_full, 0);
    check_conserved(s);
}

SUITE_TEST(shutdown, closing_ends_what_is_pending) // K02u
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;

    pend_event(s, &posted, 16);
    CHECK_EQ_I64(shut(s, SD_RECEIVE), 0);
    close_socket(s);
    check_ended(&posted, OVERLAPPED_CANCELLED, 0);
    CHECK_EQ_I64(shut(s, SD_RECEIVE), WSAENOTSOCK);
}

SUITE_TEST(shutdown, selections_hear_nothing_of_it) // M12
{
    SOCKET s = open_socket(PORT);
    WSAEVENT event = WSACreateEvent();
    WSANETWORKEVENTS events;

    CHECK_EQ_I64(WSAEventSelect(s, event, FD_READ | FD_CLOSE), 0);
    CHECK_EQ_I64(shut(s, SD_RECEIVE), 0);
    arrive_text(PORT, "x");
    CHECK(!is_signalled(event));
    CHECK_EQ_I64(WSAEnumNetworkEvents(s, event, &events), 0);
    CHECK_EQ_I64(events.lNetworkEvents, 0);
    CHECK_EQ_I64(WSAEventSelect(s, NULL, 0),
                 0); /* and what is to be discarded is still looked after */
    arrive_text(PORT, "x");
    CHECK_EQ_U64(counters_of(s).queued, 0);
}

SUITE_TEST(shutdown, an_unbound_socket_remembers_it) // I16
{
    SOCKET s = make_socket();
    struct sockaddr_in name = address_of(0, PORT);
    char room[16];

    CHECK_EQ_I64(shut(s, SD_RECEIVE), 0);
    CHECK_EQ_I64(bind(s, (struct sockaddr *)&name, sizeof name), 0);
    arrive_text(PORT, "x");
    CHECK_REFUSED(receive(s, room, sizeof room), WSAESHUTDOWN);
    CHECK_EQ_U64(counters_of(s).discarded, 1);
    close_socket(s);
    s = open_socket(PORT); /* the same slot */
    arrive_text(PORT, "open");
    CHECK_TEXT(receive(s, room, sizeof room), room, "open");
}

SUITE_TEST(shutdown, of_a_group_member_leaves_the_others_alone) // I16
{
    SOCKET s[2];
    char room[16];

    for (int i = 0; i < 2; i++) {
        struct sockaddr_in name = address_of(0, PORT);

        s[i] = make_socket();
        CHECK_EQ_I64(set_option(s[i], SO_REUSEADDR, TRUE), 0);
        CHECK_EQ_I64(bind(s[i], (struct sockaddr *)&name, sizeof name), 0);
        CHECK_EQ_I64(join(s[i], THE_GROUP), 0);
    }
    CHECK_EQ_I64(shut(s[0], SD_RECEIVE), 0);
    arrive_at(THE_GROUP, PORT, "shared");
    CHECK_TEXT(receive(s[1], room, sizeof room), room, "shared");
    CHECK_EQ_U64(counters_of(s[0]).discarded, 1);
}

/* --- the other half, and what is refused ---------------------------------------------------------------- */

SUITE_TEST(shutdown, of_sending_leaves_receiving_alone) // J14r
{
    SOCKET s = open_socket(PORT);
    char room[16];

    CHECK_EQ_I64(shut(s, SD_SEND), 0);
    CHECK_EQ_I64(shut(s, SD_SEND), 0);
    arrive_text(PORT, "still");
    CHECK_TEXT(receive(s, room, sizeof room), room, "still");
    CHECK_EQ_I64(shut(s, SD_BOTH), 0);
    CHECK_EQ_I64(shut(s, SD_BOTH), 0);
    CHECK_EQ_I64(shut(s, SD_RECEIVE), 0);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAESHUTDOWN);
}

SUITE_TEST(shutdown, of_sending_refuses_sends)
{
    SOCKET s = open_socket(PORT), other = open_socket(OTHER_PORT);
    struct sockaddr_in name = address_of(HERE, OTHER_PORT);
    const struct sockaddr *to = (struct sockaddr *)&name;

    CHECK_EQ_I64(sendto(s, "before", 6, 0, to, sizeof name), 6);
    CHECK_EQ_I64(shut(s, SD_SEND), 0);
    CHECK_EQ_I64(sendto(s, "after", 5, 0, to, sizeof name), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAESHUTDOWN);
    wire_settle();
    CHECK_EQ_U64(counters_of(other).delivered, 1); /* what was sent before it is not lost */
    CHECK_EQ_I64(shut(other, SD_RECEIVE), 0);
    CHECK_EQ_I64(sendto(other, "sends", 5, 0, to, sizeof name), 5);
}

SUITE_TEST(shutdown, nobody_is_told_that_the_port_were_closed) // I16 I12
{
    SOCKET s = open_socket(PORT), other = open_socket(OTHER_PORT);
    struct sockaddr_in name = address_of(HERE, OTHER_PORT);
    char room[16];

    CHECK_EQ_I64(shut(other, SD_RECEIVE), 0);
    CHECK_EQ_I64(sendto(s, "x", 1, 0, (struct sockaddr *)&name, sizeof name), 1);
    wire_settle();
    set_nonblocking(s, true);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEWOULDBLOCK);
    CHECK_EQ_U64(counters_of(other).discarded, 1);
}

SUITE_TEST(shutdown, bad_requests_are_refused) // J14h A19
{
    SOCKET s = open_socket(PORT);
    static const int bad[] = {-1, 3, 4, INT32_MAX, INT32_MIN};
    char room[16];
    int error = 0;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_EQ_I64(shut(s, bad[i]), WSAEINVAL);
    arrive_text(PORT, "untouched");
    CHECK_TEXT(receive(s, room, sizeof room), room, "untouched");
    CHECK_EQ_I64(shut(INVALID_SOCKET, SD_BOTH), WSAENOTSOCK);
    CHECK_EQ_I64(shut(INVALID_SOCKET, 7), WSAENOTSOCK);
    CHECK_EQ_I64(spi.lpWSPShutdown(s, 7, NULL), SOCKET_ERROR);
    wire_stop();
    CHECK_EQ_I64(spi.lpWSPShutdown(s, SD_BOTH, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAENETDOWN);
}

#endif

/* --- under traffic --------------------------------------------------------------------------------------- */

SUITE_FIXTURE(shutdown_live, open_live, close_all);

SUITE_TEST(shutdown_live, comes_between_posting_and_arrivals) // I16 J12
{
    static struct operation posted[8];
    const unsigned depth = sizeof posted / sizeof posted[0];

    for (int round = 0; round < SCALED(400); round++) {
        SOCKET s = open_socket(PORT);
        unsigned ended = 0;

        memset(posted, 0, sizeof posted);
        for (unsigned i = 0; i < depth; i++) {
            int error = post(s, &posted[i], 16);

            CHECK(error == WSA_IO_PENDING || error == 0);
            if (i == depth / 2)
                arrive_text(PORT, "abcd");
        }
        arrive_text(PORT, "abcd");
        CHECK_EQ_I64(shut(s, SD_RECEIVE), 0);
        for (unsigned i = 0; i < 2 * depth; i++)
            arrive_text(PORT, "abcd");
        wire_settle();
        UNTIL(counters_of(s).queued == 0);
        for (unsigned i = 0; i < depth; i++)
            ended += status_of(&posted[i]) == 0;
        CHECK_EQ_U64(ended, depth); /* each has got one */
        CHECK_EQ_U64(counters_of(s).discarded, depth + 2);
        check_conserved(s);
        close_socket(s);
    }
}
