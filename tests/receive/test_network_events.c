/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPEventSelect and WSPEnumNetworkEvents: clauses M, K05. */

#include "support/suite.h"

#include "sending.h"

#if !UNDER_THREAD_SANITIZER

static WSAEVENT event;

static void open_with_event(void)
{
    open_quiet();
    event = WSACreateEvent();
    CHECK(event != NULL);
}

static void close_with_event(void)
{
    close_all();
    CHECK(WSACloseEvent(event));
}

SUITE_FIXTURE(network_events, open_with_event, close_with_event);

static int choose(SOCKET s, WSAEVENT chosen, LONG events)
{
    int error = 0;

    return spi.lpWSPEventSelect(s, chosen, events, &error) == 0 ? 0 : error;
}

static void must_choose(SOCKET s, LONG events)
{
    CHECK_EQ_I64(choose(s, event, events), 0);
}

static int enumerate(SOCKET s, WSAEVENT reset, LPWSANETWORKEVENTS events)
{
    int error = 0;

    return spi.lpWSPEnumNetworkEvents(s, reset, events, &error) == 0 ? 0 : error;
}

/* What is recorded, with its codes; the event is reset. */
static LONG take(SOCKET s)
{
    WSANETWORKEVENTS events;

    memset(&events, CANARY, sizeof events);
    CHECK_EQ_I64(enumerate(s, event, &events), 0);
    CHECK(!is_signalled(event));
    for (int bit = 0; bit < FD_MAX_EVENTS; bit++)
        if (events.lNetworkEvents & (1 << bit))
            CHECK_EQ_I64(events.iErrorCode[bit], 0);
    return events.lNetworkEvents;
}

/* The event is set, and this is recorded. */
static void check_recorded(SOCKET s, LONG wanted)
{
    CHECK(is_signalled(event));
    CHECK_EQ_I64(take(s), wanted);
}

static void check_nothing(SOCKET s)
{
    CHECK(!is_signalled(event));
    CHECK_EQ_I64(take(s), 0);
}

static SOCKET selecting_socket(LONG events)
{
    SOCKET s = open_socket(PORT);

    must_choose(s, events);
    return s;
}

SUITE_TEST(network_events, selecting_makes_the_socket_nonblocking) // M01
{
    SOCKET s = open_socket(PORT);
    char room[16];
    u_long off = 0;

    must_choose(s, 0);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEWOULDBLOCK);
    CHECK_EQ_I64(ioctlsocket(s, (LONG)FIONBIO, &off), 0);
    must_choose(s, FD_READ);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEWOULDBLOCK);
    CHECK_EQ_I64(ioctlsocket(s, (LONG)FIONBIO, &off), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAEINVAL);
    set_nonblocking(s, true);
    must_choose(s, 0);
    CHECK_EQ_I64(ioctlsocket(s, (LONG)FIONBIO, &off), 0);
}

SUITE_TEST(network_events, data_is_recorded_and_the_event_set) // M02 M13
{
    SOCKET s = selecting_socket(FD_READ);

    check_nothing(s);
    arrive_text(PORT, "one");
    check_recorded(s, FD_READ);
    check_nothing(s);
}

SUITE_TEST(network_events, new_data_is_recorded_again) // M03
{
    SOCKET s = selecting_socket(FD_READ);

    for (int i = 0; i < 3; i++) {
        arrive_text(PORT, "more");
        check_recorded(s, FD_READ);
    }
    arrive_text(PORT, "more"); /* and several times before it is taken is once */
    arrive_text(PORT, "more");
    check_recorded(s, FD_READ);
    check_nothing(s);
}

SUITE_TEST(network_events, a_receive_enables_reading_again) // M04 M04b
{
    SOCKET s = selecting_socket(FD_READ);
    char room[16];

    arrive_text(PORT, "one");
    arrive_text(PORT, "two");
    check_recorded(s, FD_READ);
    CHECK_TEXT(receive(s, room, sizeof room), room, "one");
    check_recorded(s, FD_READ);
    CHECK_TEXT(receive_flags(s, room, sizeof room, MSG_PEEK), room, "two"); /* it is left */
    check_recorded(s, FD_READ);
    CHECK_TEXT(receive(s, room, sizeof room), room, "two");
    check_nothing(s);
    arrive_text(PORT, "three");
    check_recorded(s, FD_READ);
}

SUITE_TEST(network_events, a_receive_takes_back_what_it_has_drained) // M04b
{
    SOCKET s = selecting_socket(FD_READ);
    char room[16];

    arrive_text(PORT, "one");
    CHECK_TEXT(receive(s, room, sizeof room), room, "one");
    CHECK_EQ_I64(take(s), 0);
    arrive_text(PORT, "two");
    arrive_text(PORT, "three");
    CHECK_TEXT(receive(s, room, sizeof room), room, "two");
    check_recorded(s, FD_READ);
}

SUITE_TEST(network_events, a_receive_that_faults_does_not_enable_reading) // M05
{
    SOCKET s = selecting_socket(FD_READ);
    char *page = map_pages(1);
    WSABUF buffer = {8, page};
    static struct operation operation;
    DWORD bytes, flags = 0;
    int error = 0;

    arrive_text(PORT, "one");
    check_recorded(s, FD_READ);
    protect_pages(page, 1, 0 /* PROT_NONE */);
    CHECK_REFUSED(receive(s, page, 8), WSAEFAULT);
    check_nothing(s);
    CHECK_EQ_I64(spi.lpWSPRecv(s, &buffer, 1, NULL, &flags, NULL, NULL, NULL, &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT);
    CHECK_EQ_I64(
        spi.lpWSPRecv(s, &buffer, 1, &bytes, &flags, &operation.overlapped, NULL, NULL, &error),
        SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT);
    check_nothing(s);
    unmap_pages(page, 1);
}

SUITE_TEST(network_events, any_other_failing_receive_enables_reading) // M05
{
    SOCKET s = selecting_socket(FD_READ);
    static struct operation operation;
    char room[4];

    arrive_text(PORT, "one");
    check_recorded(s, FD_READ);
    CHECK_REFUSED(receive_flags(s, room, sizeof room, MSG_OOB), WSAEOPNOTSUPP);
    check_recorded(s, FD_READ);
    CHECK_REFUSED(receive_buffers(s, NULL, 0, 0), WSAEINVAL);
    check_recorded(s, FD_READ);
    CHECK_REFUSED(receive_flags(s, room, sizeof room, 0x40000000), WSAEINVAL);
    check_recorded(s, FD_READ);
    CHECK_EQ_I64(post_with(s, &operation, 8, MSG_PEEK, NULL), WSAEOPNOTSUPP);
    check_recorded(s, FD_READ);
    operation.overlapped.hEvent = (HANDLE)0x1234;
    CHECK_EQ_I64(post(s, &operation, 8), WSA_INVALID_HANDLE);
    check_recorded(s, FD_READ);
    arrive_text(PORT, "two");
    check_recorded(s, FD_READ);
    CHECK_EQ_I64(receive(s, room, 1).error, WSAEMSGSIZE);
    check_recorded(s, FD_READ);
    CHECK_TEXT(receive(s, room, sizeof room), room, "two");
    check_nothing(s);
}

SUITE_TEST(network_events, data_that_is_there_is_recorded_when_selecting) // M06
{
    SOCKET s = open_socket(PORT);

    arrive_text(PORT, "one");
    must_choose(s, FD_READ);
    check_recorded(s, FD_READ);
}

SUITE_TEST(network_events, selecting_again_does_not_record_again) // M07
{
    SOCKET s = selecting_socket(FD_READ | FD_WRITE);
    char room[16];

    arrive_text(PORT, "one");
    check_recorded(s, FD_READ | FD_WRITE);
    must_choose(s, FD_READ | FD_WRITE);
    check_nothing(s);
    arrive_text(PORT, "two");
    check_recorded(s, FD_READ);
    must_choose(s, FD_READ);
    check_nothing(s);
    CHECK_TEXT(receive(s, room, sizeof room), room, "one"); /* which it does not prevent */
    check_recorded(s, FD_READ);
}

/* What has not been given yet is not lost with the record that selecting clears. */
SUITE_TEST(network_events, selecting_again_signals_what_was_not_given) // M06 M07
{
    SOCKET s = selecting_socket(FD_READ | FD_WRITE);
    WSAEVENT other = WSACreateEvent();
    WSANETWORKEVENTS events;

    arrive_text(PORT, "one");
    CHECK_EQ_I64(choose(s, other, FD_READ), 0);
    CHECK(is_signalled(other));
    CHECK(WSAResetEvent(event));
    arrive_text(PORT, "two");
    CHECK(!is_signalled(event)); /* it has nothing to do with the socket any more */
    CHECK_EQ_I64(enumerate(s, other, &events), 0);
    CHECK_EQ_I64(events.lNetworkEvents, FD_READ);
    CHECK(!is_signalled(other));
    CHECK(WSACloseEvent(other));
    arrive_text(PORT, "three"); /* a closed event: nothing is signalled, nothing breaks */
    CHECK_EQ_I64(enumerate(s, NULL, &events), 0);
    CHECK_EQ_I64(events.lNetworkEvents, FD_READ);
}

SUITE_TEST(network_events, a_posted_receive_takes_the_data_alone) // M08
{
    static struct operation first, second;
    SOCKET s = selecting_socket(FD_READ);

    pend_event(s, &first, 16);
    arrive_text(PORT, "one");
    check_completed(&first, "one");
    check_nothing(s);
    pend_event(s, &first, 16);
    pend_event(s, &second, 16);
    arrive_text(PORT, "two");
    check_nothing(s);
    arrive_text(PORT, "three");
    check_nothing(s);
    arrive_text(PORT, "four"); /* nobody's */
    check_recorded(s, FD_READ);
    CHECK_EQ_I64(post_event(s, &first, 16), 0); /* takes it at once */
    check_nothing(s);
}

SUITE_TEST(network_events, the_last_of_a_full_batch_is_recorded_too) // M08 M02
{
    enum {
        MANY = 3 * COMPLETION_BATCH
    };
    static struct operation operations[MANY];
    SOCKET s = selecting_socket(FD_READ);

    for (unsigned i = 0; i < MANY; i++)
        pend(s, &operations[i], 16);
    for (unsigned i = 0; i < MANY; i++)
        wire_send_udp(HERE, PORT, "one", 3);
    wire_settle(); /* all in a burst or few */
    for (unsigned i = 0; i < MANY; i++)
        check_completed(&operations[i], "one");
    check_nothing(s);
    for (unsigned i = 0; i < MANY; i++)
        pend(s, &operations[i], 16);
    for (unsigned i = 0; i < MANY + 1; i++)
        wire_send_udp(HERE, PORT, "two", 3);
    wire_settle();
    for (unsigned i = 0; i < MANY; i++)
        check_completed(&operations[i], "two");
    check_recorded(s, FD_READ);
}

SUITE_TEST(network_events, enumerating_gives_only_what_happened) // M14
{
    SOCKET s = selecting_socket(FD_READ | FD_WRITE | FD_CLOSE);
    WSANETWORKEVENTS events;

    memset(&events, CANARY, sizeof events);
    arrive_text(PORT, "one");
    CHECK_EQ_I64(enumerate(s, NULL, &events), 0);
    CHECK(is_signalled(event)); /* it was not asked to be reset */
    CHECK_EQ_I64(events.lNetworkEvents, FD_READ | FD_WRITE);
    for (int bit = 0; bit < FD_MAX_EVENTS; bit++)
        if (bit == FD_READ_BIT || bit == FD_WRITE_BIT)
            CHECK_EQ_I64(events.iErrorCode[bit], 0);
        else
            CHECK_EQ_U64((uint32_t)events.iErrorCode[bit], 0xc5c5c5c5u);
}

SUITE_TEST(network_events, a_refused_enumeration_clears_nothing) // M13
{
    SOCKET s = selecting_socket(FD_READ);
    char *page = map_pages(1);
    WSANETWORKEVENTS events;

    arrive_text(PORT, "one");
    CHECK_EQ_I64(enumerate(s, event, NULL), WSAEFAULT);
    protect_pages(page, 1, 1 /* PROT_READ */);
    CHECK_EQ_I64(enumerate(s, event, (LPWSANETWORKEVENTS)(void *)page), WSAEFAULT);
    protect_pages(page, 1, 0 /* PROT_NONE */);
    CHECK_EQ_I64(enumerate(s, event, (LPWSANETWORKEVENTS)(void *)page), WSAEFAULT);
    CHECK_EQ_I64(enumerate(s, (WSAEVENT)0x1234, &events), WSAEINVAL);
    CHECK_EQ_I64(enumerate(s + 4, event, &events), WSAENOTSOCK);
    check_recorded(s, FD_READ);
    unmap_pages(page, 1);
}

SUITE_TEST(network_events, mask_zero_cancels) // M15
{
    SOCKET s = selecting_socket(FD_READ);

    arrive_text(PORT, "one");
    CHECK(is_signalled(event));
    CHECK_EQ_I64(choose(s, NULL, 0), 0);
    CHECK_EQ_I64(take(s), 0);
    arrive_text(PORT, "two");
    check_nothing(s);
    must_choose(s, FD_READ);
    check_recorded(s, FD_READ);
}

SUITE_TEST(network_events, only_what_is_selected_is_recorded) // M02 M18
{
    SOCKET s = selecting_socket(FD_OOB | FD_ACCEPT | FD_CONNECT | FD_QOS | FD_GROUP_QOS |
                                FD_ROUTING_INTERFACE_CHANGE | FD_ADDRESS_LIST_CHANGE | FD_CLOSE);

    arrive_text(PORT, "one");
    check_nothing(s);
    must_choose(s, FD_ALL_EVENTS);
    check_recorded(s, FD_READ | FD_WRITE);
}

SUITE_TEST(network_events, what_is_no_selection_is_refused) // DOC:EVSEL
{
    SOCKET s = open_socket(PORT);
    WSAEVENT closed = WSACreateEvent();
    char room[8];

    set_nonblocking(s, false);
    CHECK_EQ_I64(choose(s, NULL, FD_READ), WSAEINVAL);
    CHECK_EQ_I64(choose(s, (WSAEVENT)0x1234, FD_READ), WSAEINVAL);
    CHECK(WSACloseEvent(closed));
    CHECK_EQ_I64(choose(s, closed, FD_READ), WSAEINVAL);
    CHECK_EQ_I64(choose(s, event, FD_READ | 1 << FD_MAX_EVENTS), WSAEINVAL);
    CHECK_EQ_I64(choose(s, event, -1), WSAEINVAL);
    CHECK_EQ_I64(choose(s + 4, event, FD_READ), WSAENOTSOCK);
    CHECK_EQ_I64(choose(s + 4, event, -1), WSAENOTSOCK);
    arrive_text(PORT, "one");
    check_nothing(s);
    CHECK_EQ_I64(set_option(s, SO_RCVTIMEO, 1), 0);
    CHECK_TEXT(receive(s, room, sizeof room), room, "one");
    CHECK_REFUSED(receive(s, room, sizeof room), WSAETIMEDOUT); /* it still blocks */
}

SUITE_TEST(network_events, being_bound_is_being_writable_once) // M18
{
    struct sockaddr_in name = address_of(0, PORT);
    SOCKET s = make_socket();

    must_choose(s, FD_WRITE | FD_READ);
    check_nothing(s);
    CHECK_EQ_I64(bind(s, (struct sockaddr *)&name, sizeof name), 0);
    check_recorded(s, FD_WRITE);
    must_choose(s, FD_WRITE);
    check_nothing(s);
    SOCKET other = open_socket(OTHER_PORT); /* bound before */
    must_choose(other, FD_WRITE);
    check_recorded(other, FD_WRITE);
}

SUITE_TEST(network_events, room_after_a_blocked_send_is_recorded) // M18
{
    static const char payload[500];
    SOCKET s = selecting_socket(FD_WRITE);

    check_recorded(s, FD_WRITE);
    CHECK_EQ_I64(set_option(s, SO_SNDBUF, 10000), 0);
    while (send_bytes_to(s, FRAME_IP(239, 0, 0, 1), PORT, payload, sizeof payload).result == 0)
        check_nothing(s);
    must_choose(s, FD_WRITE); /* not while there is none */
    check_nothing(s);
    wire_settle();
    check_recorded(s, FD_WRITE);
    CHECK_SENT(send_bytes_to(s, FRAME_IP(239, 0, 0, 1), PORT, payload, sizeof payload),
               sizeof payload);
    wire_settle();
    check_nothing(s);
}

SUITE_TEST(network_events, the_end_is_recorded_once) // M09
{
    SOCKET s = selecting_socket(FD_READ | FD_CLOSE);
    char room[16];

    arrive_condition(s, RX_END);
    check_recorded(s, FD_CLOSE);
    check_nothing(s);
    must_choose(s, FD_READ | FD_CLOSE);
    check_nothing(s);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEDISCON);
    check_nothing(s);
    CHECK_EQ_I64(choose(s, NULL, 0), 0);
    must_choose(s, FD_READ | FD_CLOSE);
    check_nothing(s);
}

SUITE_TEST(network_events, the_end_is_recorded_after_the_data) // M11 M09
{
    SOCKET s = selecting_socket(FD_READ | FD_CLOSE);
    char room[16];

    arrive_text(PORT, "one");
    arrive_text(PORT, "two");
    check_recorded(s, FD_READ);
    arrive_condition(s, RX_END);
    check_nothing(s); /* no FD_READ for it, and FD_CLOSE not yet */
    CHECK_TEXT(receive(s, room, sizeof room), room, "one");
    check_recorded(s, FD_READ);
    CHECK_TEXT(receive(s, room, sizeof room), room, "two");
    check_recorded(s, FD_CLOSE);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEDISCON);
    check_nothing(s);
}

SUITE_TEST(network_events, a_reset_is_recorded_with_its_code) // M10
{
    SOCKET s = selecting_socket(FD_CLOSE);
    WSANETWORKEVENTS events;
    char room[16];

    arrive_text(PORT, "one");
    arrive_condition(s, RX_ABORT);
    check_nothing(s); /* data first */
    CHECK_TEXT(receive(s, room, sizeof room), room, "one");
    CHECK(is_signalled(event));
    CHECK_EQ_I64(enumerate(s, event, &events), 0);
    CHECK_EQ_I64(events.lNetworkEvents, FD_CLOSE);
    CHECK_EQ_I64(events.iErrorCode[FD_CLOSE_BIT], WSAECONNRESET);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAECONNRESET);
    check_nothing(s);
    /* It is what a receive has found before the selection, too. */
    SOCKET other = open_socket(OTHER_PORT);
    arrive_condition(other, RX_ABORT);
    CHECK_REFUSED(receive(other, room, sizeof room), WSAECONNRESET);
    must_choose(other, FD_CLOSE);
    CHECK_EQ_I64(enumerate(other, event, &events), 0);
    CHECK_EQ_I64(events.lNetworkEvents, FD_CLOSE);
    CHECK_EQ_I64(events.iErrorCode[FD_CLOSE_BIT], WSAECONNRESET);
}

SUITE_TEST(network_events, the_error_of_a_send_is_something_to_receive) // M02 I12
{
    SOCKET s = selecting_socket(FD_READ | FD_CLOSE);
    char room[16];

    arrive_condition(s, RX_PORT_UNREACHABLE);
    check_recorded(s, FD_READ);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAECONNRESET);
    check_nothing(s);
}

SUITE_TEST(network_events, none_follow_a_local_close) // K05
{
    SOCKET s = selecting_socket(FD_ALL_EVENTS);
    WSANETWORKEVENTS events;

    check_recorded(s, FD_WRITE);
    close_socket(s);
    arrive_text(PORT, "one");
    CHECK(!is_signalled(event));
    CHECK_EQ_I64(enumerate(s, event, &events), WSAENOTSOCK);
    CHECK_EQ_I64(choose(s, event, FD_READ), WSAENOTSOCK);
    /* Nor does the slot's next socket inherit anything. */
    s = open_socket(PORT);
    arrive_text(PORT, "two");
    check_nothing(s);
}

SUITE_TEST(network_events, a_stop_is_recorded) // A19
{
    SOCKET s = selecting_socket(FD_READ | FD_WRITE | FD_CLOSE | FD_OOB);
    SOCKET unbound = make_socket();
    WSANETWORKEVENTS events;

    must_choose(unbound, FD_READ);
    check_recorded(s, FD_WRITE);
    CHECK_EQ_I64(wirerx_stop(), 0);
    CHECK(is_signalled(event));
    CHECK_EQ_I64(choose(s, event, FD_READ), WSAENETDOWN);
    CHECK_EQ_I64(enumerate(s, event, &events), 0);
    CHECK_EQ_I64(events.lNetworkEvents, FD_READ | FD_WRITE);
    CHECK_EQ_I64(events.iErrorCode[FD_READ_BIT], WSAENETDOWN);
    CHECK_EQ_I64(events.iErrorCode[FD_WRITE_BIT], WSAENETDOWN);
    CHECK_EQ_I64(enumerate(s, event, &events), WSAENETDOWN);
    CHECK_EQ_I64(enumerate(unbound, event, &events), 0);
    CHECK_EQ_I64(events.lNetworkEvents, FD_READ);
    CHECK_EQ_I64(events.iErrorCode[FD_READ_BIT], WSAENETDOWN);
    CHECK_EQ_I64(choose(s, NULL, 0), 0);
}

SUITE_TEST(network_events, sockets_may_share_an_event) // M02
{
    SOCKET a = selecting_socket(FD_READ);
    SOCKET b = open_socket(OTHER_PORT);

    must_choose(b, FD_READ);
    arrive_text(OTHER_PORT, "one");
    CHECK(is_signalled(event));
    CHECK_EQ_I64(take(a), 0);
    CHECK_EQ_I64(take(b), FD_READ);
}

/* The event of a posted receive may be the selected one. */
SUITE_TEST(network_events, a_completion_may_share_the_event) // D08 M02
{
    static struct operation operation;
    SOCKET s = selecting_socket(FD_READ);

    operation.overlapped.hEvent = event;
    pend(s, &operation, 16);
    wire_send_udp(HERE, PORT, "one", 3);
    wire_send_udp(HERE, PORT, "two", 3);
    wire_settle();
    check_completed(&operation, "one");
    check_recorded(s, FD_READ);
}

SUITE_TEST(network_events, an_auto_reset_event_serves) // M02 M03
{
    SOCKET s = open_socket(PORT);
    HANDLE once = CreateEventW(NULL, FALSE, FALSE, NULL);
    WSANETWORKEVENTS events;

    CHECK_EQ_I64(choose(s, once, FD_READ), 0);
    for (int i = 0; i < 3; i++) {
        arrive_text(PORT, "one");
        CHECK_EQ_U64(WaitForSingleObject(once, 0), WAIT_OBJECT_0);
        CHECK_EQ_U64(WaitForSingleObject(once, 0), WAIT_TIMEOUT);
    }
    CHECK_EQ_I64(enumerate(s, once, &events), 0);
    CHECK_EQ_I64(events.lNetworkEvents, FD_READ);
    close_socket(s);
    CHECK(CloseHandle(once));
}

#endif
