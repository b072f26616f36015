/* SPDX-License-Identifier: BSD-3-Clause */

/* No dataplane: before it starts, after it has stopped, and stopping under receives. A19, D18. */

#include "support/suite.h"

#include "harness.h"

SUITE_FIXTURE(down, open_winsock, close_all);

#define STATUS_DOWN 0xC000023Cu

static void start(bool with_lcore)
{
    struct config config = wire_config();

    wire_start(&config, &pending_operations, !with_lcore);
}

SUITE_TEST(down, no_socket_is_made_before_the_start) // A19
{
    int error = 0;

    CHECK_EQ_U64(spi.lpWSPSocket(AF_INET, SOCK_DGRAM, 0, NULL, 0, 0, &error), INVALID_SOCKET);
    CHECK_EQ_I64(error, WSAENETDOWN);
    CHECK_EQ_U64(socket(AF_INET, SOCK_DGRAM, 0), INVALID_SOCKET);
    CHECK_EQ_I64(WSAGetLastError(), WSAENETDOWN);
    CHECK_EQ_I64(wirerx_stop(), WSAENETDOWN);
    CHECK_EQ_I64(wirerx_replay_go(), WSAENETDOWN);
}

static void check_is_down(SOCKET s, bool bound)
{
    static struct operation posted;
    struct sockaddr_in name = address_of(0, OTHER_PORT);
    char room[16];
    int error = 0;

    posted.overlapped.hEvent = NULL;
    CHECK_REFUSED(receive(s, room, sizeof room), WSAENETDOWN);
    CHECK_REFUSED(receive_flags(s, room, sizeof room, MSG_PEEK), WSAENETDOWN);
    CHECK_EQ_I64(post_event(s, &posted, 16), WSAENETDOWN);
    CHECK(!is_signalled(posted.overlapped.hEvent));
    CHECK_EQ_I64(post_routine(s, &posted, 16), WSAENETDOWN);
    CHECK_EQ_I64(spi.lpWSPBind(s, (struct sockaddr *)&name, sizeof name, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAENETDOWN);
    CHECK_EQ_I64(join(s, THE_GROUP), WSAENETDOWN);
    CHECK_EQ_I64(leave(s, THE_GROUP), WSAENETDOWN);
    u_long value = 0;
    CHECK_EQ_I64(ioctlsocket(s, (LONG)FIONREAD, &value), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAENETDOWN);
    CHECK_EQ_I64(ioctlsocket(s, (LONG)FIONBIO, &value), 0);
    int length = sizeof name;
    CHECK_EQ_I64(getsockname(s, (struct sockaddr *)&name, &length), bound ? 0 : SOCKET_ERROR);
    CHECK_EQ_U64(get_option(s, SO_TYPE), SOCK_DGRAM);
}

SUITE_TEST(down, stop_ends_every_receive) // A19 D18
{
    for (int with_lcore = 0; with_lcore < 2; with_lcore++) {
        static struct operation events[40], routines[40];
        static struct runner blocked[2];
        struct outcome outcome;
        char room[16];

        start(with_lcore);
        SOCKET waited_on = open_socket(PORT), posted_on = open_socket(OTHER_PORT);
        SOCKET unread = open_socket(6000), unbound = make_socket();
        memset(blocked, 0, sizeof blocked);
        for (unsigned i = 0; i < 2; i++)
            run_blocked(&blocked[i], waited_on);
        for (unsigned i = 0; i < 40; i++) {
            pend_event(posted_on, &events[i], 16);
            pend_routine(posted_on, &routines[i], 16);
        }
        arrive_text(6000, "never read");
        wire_settle();
        CHECK_EQ_I64(wirerx_stop(), 0);
        for (unsigned i = 0; i < 2; i++) {
            finish(&blocked[i]);
            CHECK_REFUSED(blocked[i].outcome, WSAENETDOWN);
        }
        for (unsigned i = 0; i < 40; i++) {
            check_ended(&events[i], STATUS_DOWN, 0);
            CHECK(is_signalled(events[i].overlapped.hEvent));
            check_ended(&routines[i], STATUS_DOWN, 0);
            CHECK_EQ_U64(routines[i].calls, 0);
        }
        CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
        for (unsigned i = 0; i < 40; i++) {
            CHECK_EQ_U64(routines[i].calls, 1);
            CHECK_EQ_U64(routines[i].error, WSAENETDOWN);
            CHECK_EQ_U64(routines[i].bytes, 0);
        }
        outcome = result_of(posted_on, &events[0], true);
        CHECK_EQ_I64(outcome.error, WSAENETDOWN);
        check_is_down(waited_on, true);
        check_is_down(posted_on, true);
        check_is_down(unread, true);
        check_is_down(unbound, false);
        CHECK_EQ_I64(wirerx_stop(), WSAENETDOWN);

        /* A second life: old sockets stay down, new ones work, and nobody is mistaken. */
        start(with_lcore);
        check_is_down(waited_on, true);
        check_is_down(unbound, false);
        SOCKET again = open_socket(PORT);
        arrive_text(PORT, "again");
        wire_settle();
        CHECK_TEXT(receive(again, room, sizeof room), room, "again");
        close_socket(waited_on);
        close_socket(posted_on);
        CHECK_EQ_I64(wirerx_stop(), 0);
        check_is_down(again, true);
        close_socket(unread);
        close_socket(unbound);
        close_socket(again);
        CHECK_REFUSED(receive(again, room, sizeof room), WSAENOTSOCK);
        CHECK_EQ_U64(SleepEx(0, TRUE), 0);
    }
}
