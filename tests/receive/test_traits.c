/* SPDX-License-Identifier: BSD-3-Clause */

/* Receives as the traits of a protocol have them (circuits.h). What the peer sends is put in the ring by
 * hand, so that all of it can be had at every moment. */

#include "support/suite.h"

#include "circuits.h"
#include "conditions.h"
#include "harness.h"
#include "receive_take.h"

#define STATUS_DISCONNECTED 0xC0000237u
#define STATUS_RESET 0xC000020Du
#define STATUS_PARTIAL 0x4000000Fu
#define STATUS_OVERFLOW 0x80000005u

static void open_traits(void)
{
    open_quiet();
    circuits_begin();
}

static void close_traits(void)
{
    close_all();
    circuits_end();
}

SUITE_FIXTURE(traits, open_traits, close_traits);

static struct socket_reference reference_of(SOCKET s)
{
    struct socket_reference reference;

    CHECK(socket_resolve(s, &reference));
    return reference;
}

/* One end of a circuit whose other end is the sender of the tests. */
static SOCKET open_circuit(enum circuit_row row)
{
    SOCKET s = circuit_open(row, 0);
    struct wsp_socket *socket = reference_of(s).socket;

    socket->peer_address = htonl(SENDER);
    socket->peer_port = htons(SENDER_PORT);
    receive_settle_plain(reference_of(s).endpoint);
    return s;
}

static void peer_sends(SOCKET s, enum rx_kind kind, const char *text)
{
    put_from(reference_of(s).endpoint, htonl(SENDER), htons(SENDER_PORT), kind, text);
}

static struct outcome take(SOCKET s, char *room, size_t length, DWORD flags)
{
    memset(room, CANARY, OPERATION_ROOM);
    return receive_flags(s, room, length, flags);
}

static void check_got(struct outcome got, const char *room, const char *text, DWORD flags)
{
    size_t length = strlen(text);

    CHECK_EQ_I64(got.result, 0);
    CHECK_EQ_U64(got.bytes, length);
    CHECK_EQ_U64(got.flags, flags);
    CHECK_EQ_MEM(room, text, length);
    CHECK_EQ_U64((uint8_t)room[length], CANARY); /* G10 */
}

SUITE_TEST(traits, decide_what_a_receive_is) // Q01 Q02 Q03 Q04
{
    static const struct {
        DWORD traits;
        DWORD flags;
        bool byte_stream;
    } table[] = {
        {0, 0, true},
        {0, MSG_PARTIAL, true},
        {XP1_PSEUDO_STREAM, 0, true},
        {XP1_PSEUDO_STREAM, MSG_PARTIAL, true},
        {XP1_MESSAGE_ORIENTED | XP1_PSEUDO_STREAM, 0, true},
        {XP1_MESSAGE_ORIENTED | XP1_PSEUDO_STREAM, MSG_PARTIAL, true},
        {XP1_MESSAGE_ORIENTED, MSG_PARTIAL, true},
        {XP1_MESSAGE_ORIENTED, 0, false},
        {XP1_MESSAGE_ORIENTED | XP1_PARTIAL_MESSAGE, 0, false},
        {XP1_MESSAGE_ORIENTED | XP1_GUARANTEED_DELIVERY, 0, false},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        WSAPROTOCOL_INFOW protocol = {.dwServiceFlags1 = table[i].traits};

        CHECK_EQ_I64(receive_is_byte_stream(&protocol, table[i].flags), table[i].byte_stream);
    }
}

SUITE_TEST(traits, a_part_that_does_not_fit_comes_with_the_next_receive) // Q05 H10 H11
{
    SOCKET s = open_circuit(PARTS);
    char room[OPERATION_ROOM];

    peer_sends(s, RX_DATAGRAM, "hello world");
    peer_sends(s, RX_DATAGRAM, "next");
    check_got(take(s, room, 5, 0), room, "hello", MSG_PARTIAL);
    check_got(take(s, room, 5, 0), room, " worl", MSG_PARTIAL);
    check_got(take(s, room, 5, 0), room, "d", 0);
    check_got(take(s, room, 5, 0), room, "next", 0); /* never two in one receive */
    CHECK_REFUSED(take(s, room, 5, 0), WSAEWOULDBLOCK);
}

SUITE_TEST(traits, flags_of_a_part_reach_routine_and_result) // Q05 E04 F06
{
    SOCKET s = open_circuit(PARTS);
    static struct operation with_event, with_routine;
    struct outcome outcome;

    pend_event(s, &with_event, 4);
    pend_routine(s, &with_routine, 4);
    peer_sends(s, RX_DATAGRAM, "12345678");
    CHECK_EQ_U64(status_of(&with_event), STATUS_PARTIAL);
    outcome = result_of(s, &with_event, false);
    CHECK_EQ_I64(outcome.result, 0);
    CHECK_EQ_U64(outcome.bytes, 4);
    CHECK_EQ_U64(outcome.flags, MSG_PARTIAL);
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(with_routine.calls, 1);
    CHECK_EQ_U64(with_routine.bytes, 4);
    CHECK_EQ_U64(with_routine.flags, 0); /* the last part */
    WSACloseEvent(with_event.overlapped.hEvent);
}

SUITE_TEST(traits, a_reliable_message_stays_for_a_larger_receive) // Q06
{
    SOCKET s = open_circuit(MESSAGES);
    char room[OPERATION_ROOM];

    peer_sends(s, RX_PART, "in two ");
    CHECK_REFUSED(take(s, room, 64, 0), WSAEWOULDBLOCK); /* not all of it is there */
    peer_sends(s, RX_DATAGRAM, "parts");
    for (int i = 0; i < 2; i++) {
        struct outcome outcome = take(s, room, 11, 0);

        CHECK_EQ_I64(outcome.result, SOCKET_ERROR);
        CHECK_EQ_I64(outcome.error, WSAEMSGSIZE);
    }
    check_got(take(s, room, 12, 0), room, "in two parts", 0);
}

SUITE_TEST(traits, a_posted_receive_too_small_for_a_reliable_message_leaves_it) // Q06 E05
{
    SOCKET s = open_circuit(MESSAGES);
    static struct operation small, large;

    pend_event(s, &small, 3);
    pend_event(s, &large, 16);
    peer_sends(s, RX_DATAGRAM, "message");
    CHECK_EQ_U64(status_of(&small), STATUS_OVERFLOW);
    check_completed(&large, "message");
    WSACloseEvent(small.overlapped.hEvent);
    WSACloseEvent(large.overlapped.hEvent);
}

SUITE_TEST(traits, a_partial_receive_takes_what_has_arrived) // H16
{
    SOCKET s = open_circuit(PARTS);
    static struct operation whole;
    char room[OPERATION_ROOM];

    peer_sends(s, RX_PART, "begin");
    CHECK_REFUSED(take(s, room, 64, 0), WSAEWOULDBLOCK);
    check_got(take(s, room, 64, MSG_PARTIAL), room, "begin", MSG_PARTIAL);
    pend_event(s, &whole, 64);
    peer_sends(s, RX_PART, "mid");
    CHECK_EQ_U64(status_of(&whole), STATUS_PENDING);
    peer_sends(s, RX_DATAGRAM, "end");
    check_completed(&whole, "midend");
    WSACloseEvent(whole.overlapped.hEvent);
    CHECK_REFUSED(take(open_circuit(MESSAGES), room, 64, MSG_PARTIAL), WSAEOPNOTSUPP);
}

SUITE_TEST(traits, streams_give_all_that_fits_in_order) // Q02 B04 B05 L08
{
    for (enum circuit_row row = PSEUDO; row <= BYTES; row++) {
        SOCKET s = open_circuit(row);
        char room[OPERATION_ROOM];
        u_long readable = 0;

        peer_sends(s, RX_DATAGRAM, "one");
        peer_sends(s, RX_PART, "two");
        peer_sends(s, RX_DATAGRAM, "three");
        CHECK_EQ_I64(ioctlsocket(s, (LONG)FIONREAD, &readable), 0);
        CHECK_EQ_U64(readable, 11);
        check_got(take(s, room, 4, 0), room, "onet", 0);
        check_got(take(s, room, 64, 0), room, "wothree", 0);
        CHECK_REFUSED(take(s, room, 64, 0), WSAEWOULDBLOCK);
        close_socket(s);
    }
}

SUITE_TEST(traits, streams_without_room_wait_for_data_and_take_none) // G04 G04b G05 G13
{
    SOCKET s = open_circuit(BYTES);
    static struct operation none, some;
    char room[OPERATION_ROOM];

    pend_event(s, &none, 0);
    pend_event(s, &some, 64);
    peer_sends(s, RX_DATAGRAM, "data");
    check_completed(&none, "");
    check_completed(&some, "data");
    peer_sends(s, RX_DATAGRAM, "more");
    check_got(take(s, room, 0, 0), room, "", 0);
    check_got(take(s, room, 64, 0), room, "more", 0);
    WSACloseEvent(none.overlapped.hEvent);
    WSACloseEvent(some.overlapped.hEvent);
}

SUITE_TEST(traits, wait_all_ends_when_full_or_at_the_end) // H12
{
    SOCKET s = open_circuit(BYTES);
    static struct operation full, cut;

    CHECK_EQ_I64(post_with(s, &full, 6, MSG_WAITALL, NULL), WSA_IO_PENDING);
    peer_sends(s, RX_DATAGRAM, "four");
    CHECK_EQ_U64(status_of(&full), STATUS_PENDING);
    peer_sends(s, RX_DATAGRAM, "+four");
    check_completed(&full, "four+f");
    CHECK_EQ_I64(post_with(s, &cut, 6, MSG_WAITALL, NULL), WSA_IO_PENDING);
    peer_sends(s, RX_END, "");
    check_completed(&cut, "our");
}

SUITE_TEST(traits, wait_all_is_refused_where_nothing_can_wait) // H13 H13b
{
    static const DWORD others[] = {MSG_OOB, MSG_PEEK, MSG_PARTIAL};
    SOCKET s = open_circuit(BYTES); /* nonblocking */
    static struct operation operation;
    char room[OPERATION_ROOM];

    peer_sends(s, RX_DATAGRAM, "four");
    CHECK_REFUSED(take(s, room, 6, MSG_WAITALL), WSAEOPNOTSUPP);
    CHECK_REFUSED(take(s, room, 4, MSG_WAITALL), WSAEOPNOTSUPP); /* though it would not wait */
    set_nonblocking(s, false);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        CHECK_REFUSED(take(s, room, 4, MSG_WAITALL | others[i]), WSAEOPNOTSUPP);
        CHECK_EQ_I64(post_with(s, &operation, 4, MSG_WAITALL | others[i], NULL), WSAEOPNOTSUPP);
    }
    check_got(take(s, room, 4, MSG_WAITALL), room, "four", 0);
    for (enum circuit_row row = MESSAGES; row <= PARTS; row++) {
        s = open_circuit(row);
        set_nonblocking(s, false);
        CHECK_REFUSED(take(s, room, 4, MSG_WAITALL), WSAEOPNOTSUPP);
    }
}

SUITE_TEST(traits, a_protocol_that_only_sends_cannot_receive) // H15
{
    static struct operation operation;
    char room[OPERATION_ROOM];

    SOCKET s = circuit_open(ONE_WAY, 0);

    peer_sends(s, RX_DATAGRAM, "not for it");
    CHECK_REFUSED(take(s, room, 64, 0), WSAEOPNOTSUPP);
    CHECK_REFUSED(take(s, room, 64, MSG_PEEK), WSAEOPNOTSUPP);
    CHECK_EQ_I64(post_event(s, &operation, 16), WSAEOPNOTSUPP);
    CHECK(!is_signalled(operation.overlapped.hEvent));
    CHECK_EQ_I64(post_routine(s, &operation, 16), WSAEOPNOTSUPP);
}

SUITE_TEST(traits, a_graceful_end_is_zero_bytes_or_disconnected) // Q08 J01 J02 J03 J10
{
    for (enum circuit_row row = 0; row < CIRCUIT_ROWS; row++) {
        bool stream = row >= PSEUDO;
        SOCKET s = open_circuit(row);
        static struct operation pending;
        char room[OPERATION_ROOM];

        peer_sends(s, RX_DATAGRAM, "last");
        peer_sends(s, RX_END, "");
        check_got(take(s, room, 64, 0), room, "last", 0);
        for (int i = 0; i < 3; i++) {
            if (stream)
                check_got(take(s, room, 64, 0), room, "", 0);
            else
                CHECK_REFUSED(take(s, room, 64, 0), WSAEDISCON);
        }
        close_socket(s);

        s = open_circuit(row);
        memset(&pending, 0, sizeof pending);
        pend_event(s, &pending, 64);
        peer_sends(s, RX_END, "");
        check_ended(&pending, stream ? 0 : STATUS_DISCONNECTED, 0);
        CHECK(is_signalled(pending.overlapped.hEvent));
        WSACloseEvent(pending.overlapped.hEvent);
        close_socket(s);
    }
}

SUITE_TEST(traits, an_abortive_end_is_a_reset_for_good) // Q09 D06 E07 J04 J05 J06
{
    for (enum circuit_row row = 0; row < CIRCUIT_ROWS; row++) {
        SOCKET s = open_circuit(row);
        static struct operation pending, late;
        char room[OPERATION_ROOM];
        struct outcome outcome;

        peer_sends(s, RX_DATAGRAM, "data first");
        peer_sends(s, RX_ABORT, "");
        check_got(take(s, room, 64, 0), room, "data first", 0);
        for (int i = 0; i < 2; i++)
            CHECK_REFUSED(take(s, room, 64, 0), WSAECONNRESET);
        close_socket(s);

        s = open_circuit(row);
        memset(&pending, 0, sizeof pending);
        memset(&late, 0, sizeof late);
        pend_event(s, &pending, 64);
        peer_sends(s, RX_ABORT, "");
        check_ended(&pending, STATUS_RESET, 0);
        outcome = result_of(s, &pending, false);
        CHECK_EQ_I64(outcome.result, SOCKET_ERROR);
        CHECK_EQ_I64(outcome.error, WSAECONNRESET);
        CHECK_EQ_I64(post(s, &late, 64), WSA_IO_PENDING); /* C05's way: one error, one indication */
        check_ended(&late, STATUS_RESET, 0);
        WSACloseEvent(pending.overlapped.hEvent);
        close_socket(s);
    }
}

SUITE_TEST(traits, a_message_that_will_never_be_whole_gives_way_to_the_end) // Q08
{
    SOCKET whole = open_circuit(MESSAGES), parts = open_circuit(PARTS);
    char room[OPERATION_ROOM];

    peer_sends(whole, RX_PART, "half a");
    peer_sends(whole, RX_END, "");
    CHECK_REFUSED(take(whole, room, 64, 0), WSAEDISCON);
    CHECK_EQ_U64(counters_of(whole).truncated, 1);
    peer_sends(parts, RX_PART, "half a");
    peer_sends(parts, RX_END, "");
    check_got(take(parts, room, 64, 0), room, "half a", MSG_PARTIAL);
    CHECK_REFUSED(take(parts, room, 64, 0), WSAEDISCON);
}

SUITE_TEST(traits, a_circuit_without_a_peer_is_not_connected) // A15 A15b
{
    SOCKET s = circuit_open(BYTES, 0);
    static struct operation operation;
    char room[OPERATION_ROOM];

    CHECK_REFUSED(take(s, room, 64, 0), WSAENOTCONN);
    CHECK_EQ_I64(post_event(s, &operation, 64), WSAENOTCONN);
    CHECK(!is_signalled(operation.overlapped.hEvent));
    CHECK_EQ_U64(operation.started.bytes, UNTOUCHED);
    WSACloseEvent(operation.overlapped.hEvent);
}
