/* SPDX-License-Identifier: BSD-3-Clause */

/* The event of an overlapped receive as a file descriptor (wirerx_event_descriptor()). */

#include "support/suite.h"

#include "harness.h"
#include "lcore_hook.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

static bool is_readable(int descriptor)
{
    struct pollfd polled = {.fd = descriptor, .events = POLLIN};

    CHECK(descriptor >= 0);
    return poll(&polled, 1, 0) == 1 && polled.revents == POLLIN;
}

static int descriptor_of(const struct operation *operation)
{
    return wirerx_event_descriptor(operation->overlapped.hEvent);
}

#if !UNDER_THREAD_SANITIZER

SUITE_FIXTURE(descriptor, open_quiet, close_all);

SUITE_TEST(descriptor, shows_that_a_receive_has_ended_until_the_next_begins) // D03 D07 D08
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;

    posted.overlapped.hEvent = WSACreateEvent();
    int descriptor = descriptor_of(&posted);

    for (int round = 0; round < 3; round++) {
        pend_event(s, &posted, 16);
        CHECK(!is_readable(descriptor));
        arrive_text(OTHER_PORT, "not this one");
        CHECK(!is_readable(descriptor));
        arrive_text(PORT, "this one");
        CHECK(is_readable(descriptor));
        check_completed(&posted, "this one");
    }
    arrive_text(PORT, "waits");
    CHECK_EQ_I64(post_event(s, &posted, 16), 0);
    CHECK(is_readable(descriptor)); // D09
}

SUITE_TEST(descriptor, shows_that_a_receive_has_ended_with_its_socket) // K02u K03
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;

    pend_event(s, &posted, 16);
    int descriptor = descriptor_of(&posted);

    CHECK(!is_readable(descriptor));
    close_socket(s);
    CHECK(is_readable(descriptor));
    check_ended(&posted, STATUS_CANCELLED, 0);
}

SUITE_TEST(descriptor, of_an_auto_reset_event_is_not_readable_when_the_signal_is_taken) // D08
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;

    posted.overlapped.hEvent = CreateEventW(NULL, FALSE, FALSE, NULL);
    int descriptor = descriptor_of(&posted);

    pend_event(s, &posted, 16);
    arrive_text(PORT, "this one");
    CHECK(is_readable(descriptor));
    CHECK_EQ_U64(WaitForSingleObject(posted.overlapped.hEvent, 0), WAIT_OBJECT_0);
    CHECK(!is_readable(descriptor));
    CHECK_TEXT(result_of(s, &posted, false), posted.data, "this one");
}

SUITE_TEST(descriptor, of_an_event_that_is_closed_under_the_operation_is_nobodys) // D17
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;
    HANDLE event;

    pend_event(s, &posted, 16);
    event = posted.overlapped.hEvent;
    int descriptor = descriptor_of(&posted), ends[2];

    CHECK(WSACloseEvent(event));
    CHECK_EQ_I64(pipe(ends), 0);
    CHECK(ends[0] == descriptor || ends[1] == descriptor); /* the number is the client's now */
    arrive_text(PORT, "this one");
    CHECK_EQ_U64(status_of(&posted), 0);
    CHECK(!is_readable(ends[0]));
    close(ends[0]);
    close(ends[1]);
}

SUITE_TEST(descriptor, shows_network_events_until_they_are_enumerated) // M02 M04 M13
{
    SOCKET s = open_socket(PORT);
    WSANETWORKEVENTS events;
    HANDLE event = WSACreateEvent();
    int descriptor = wirerx_event_descriptor(event);
    char room[16];

    CHECK_EQ_I64(WSAEventSelect(s, event, FD_READ), 0);
    CHECK(!is_readable(descriptor));
    arrive_text(PORT, "first");
    arrive_text(PORT, "second");
    CHECK(is_readable(descriptor));
    CHECK_EQ_I64(WSAEnumNetworkEvents(s, event, &events), 0);
    CHECK_EQ_U64(events.lNetworkEvents, FD_READ);
    CHECK(!is_readable(descriptor));
    CHECK_TEXT(receive(s, room, sizeof room), room, "first");
    CHECK(is_readable(descriptor)); /* there is still one */
    CHECK_EQ_I64(WSAEnumNetworkEvents(s, event, &events), 0);
    CHECK_TEXT(receive(s, room, sizeof room), room, "second");
    CHECK(!is_readable(descriptor));
}

#endif

/* --- with an lcore ------------------------------------------------------------------------------ */

SUITE_FIXTURE(descriptor_live, open_live, close_all);

#define OPERATIONS 12u

/* One datagram ends a receive on each of many sockets in one pass: more than an lcore may wake. */
SUITE_TEST(descriptor_live, those_beyond_the_lcores_budget_are_the_service_threads) // D03
{
    static struct operation posted[OPERATIONS];
    SOCKET sockets[OPERATIONS];

    for (unsigned i = 0; i < OPERATIONS; i++) {
        sockets[i] = make_socket();
        CHECK_EQ_I64(set_option(sockets[i], SO_REUSEADDR, TRUE), 0);
        struct sockaddr_in name = address_of(0, PORT);

        CHECK_EQ_I64(bind(sockets[i], (struct sockaddr *)&name, sizeof name), 0);
        CHECK_EQ_I64(join(sockets[i], THE_GROUP), 0);
        pend_event(sockets[i], &posted[i], 16);
        CHECK(descriptor_of(&posted[i]) >= 0);
    }
    wire_settle();
    uint64_t own = wire_counter("wakeups"), deferred = wire_counter("wakeups_deferred");

    arrive_at(THE_GROUP, PORT, "for all");
    for (unsigned i = 0; i < OPERATIONS; i++) {
        UNTIL(is_readable(descriptor_of(&posted[i])));
        check_completed(&posted[i], "for all");
    }
    wire_settle();
    own = wire_counter("wakeups") - own;
    deferred = wire_counter("wakeups_deferred") - deferred;
    CHECK_EQ_U64(deferred, OPERATIONS - lcore_wakes_per_pass());
    CHECK_LE_U64(own, lcore_wakes_per_pass() + 1); /* one for the service thread itself */
    for (unsigned i = 0; i < OPERATIONS; i++) {
        CHECK(WSACloseEvent(posted[i].overlapped.hEvent));
        close_socket(sockets[i]);
    }
}
