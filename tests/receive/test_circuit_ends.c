/* SPDX-License-Identifier: BSD-3-Clause */

/* Two ends of a circuit of the in-stack protocol (circuits.h), through WSPSend and WSPRecv. */

#include "support/suite.h"

#include "circuits.h"
#include "sending.h"

#if !UNDER_THREAD_SANITIZER

static void open_both(void)
{
    open_quiet();
    circuits_begin();
}

static void close_both(void)
{
    close_all();
    circuits_end();
}

SUITE_FIXTURE(circuit_ends, open_both, close_both);

static uint16_t port_of(SOCKET s)
{
    struct sockaddr_in name;
    int length = sizeof name, error = 0;

    CHECK_EQ_I64(spi.lpWSPGetSockName(s, (struct sockaddr *)&name, &length, &error), 0);
    return ntohs(name.sin_port);
}

struct circuit {
    SOCKET here, there;
};

static struct circuit open_circuit(enum circuit_row row)
{
    struct circuit c = {circuit_open(row, LOOPBACK), circuit_open(row, LOOPBACK)};

    connect_to(c.here, LOOPBACK, port_of(c.there));
    connect_to(c.there, LOOPBACK, port_of(c.here));
    return c;
}

static void say(SOCKET s, const char *text, DWORD flags)
{
    CHECK_SENT(send_bytes(s, text, strlen(text), flags), strlen(text));
    wire_settle();
}

static void shut(SOCKET s, int how)
{
    int error = 0;

    CHECK_EQ_I64(spi.lpWSPShutdown(s, how, &error), 0);
    wire_settle();
}

static void check_got(struct outcome got, const char *room, const char *text, DWORD flags)
{
    CHECK_EQ_I64(got.result, 0);
    CHECK_EQ_U64(got.bytes, strlen(text));
    CHECK_EQ_U64(got.flags, flags);
    CHECK_EQ_MEM(room, text, strlen(text));
}

SUITE_TEST(circuit_ends, parts_of_a_message_are_sent_and_received) // Q05 H16
{
    struct circuit c = open_circuit(PARTS);
    char room[64];

    say(c.here, "a message ", MSG_PARTIAL);
    CHECK_REFUSED(receive(c.there, room, sizeof room), WSAEWOULDBLOCK);
    check_got(receive_flags(c.there, room, 4, MSG_PARTIAL), room, "a me", MSG_PARTIAL);
    say(c.here, "in parts", 0);
    check_got(receive(c.there, room, sizeof room), room, "ssage in parts", 0);
    say(c.there, "and back", 0);
    check_got(receive(c.here, room, sizeof room), room, "and back", 0);
}

SUITE_TEST(circuit_ends, reliable_messages_are_whole_or_stay) // Q06
{
    struct circuit c = open_circuit(MESSAGES);
    char room[64];

    say(c.here, "does not fit", 0);
    CHECK_EQ_I64(receive(c.there, room, 4).error, WSAEMSGSIZE);
    check_got(receive(c.there, room, sizeof room), room, "does not fit", 0);
    CHECK_EQ_I64(send_bytes(c.here, "part", 4, MSG_PARTIAL).error, WSAEOPNOTSUPP);
}

SUITE_TEST(circuit_ends, shut_half_is_an_end_behind_the_data) // Q08 J16 J17
{
    for (enum circuit_row row = 0; row < CIRCUIT_ROWS; row++) {
        struct circuit c = open_circuit(row);
        char room[64];

        say(c.here, "last words", 0);
        shut(c.here, SD_SEND);
        CHECK_EQ_I64(send_bytes(c.here, "x", 1, 0).error, WSAESHUTDOWN);
        check_got(receive(c.there, room, sizeof room), room, "last words", 0);
        for (int i = 0; i < 2; i++) {
            if (row >= PSEUDO)
                check_got(receive(c.there, room, sizeof room), room, "", 0);
            else
                CHECK_REFUSED(receive(c.there, room, sizeof room), WSAEDISCON);
        }
        say(c.there, "the other half goes on", 0);
        check_got(receive(c.here, room, sizeof room), room, "the other half goes on", 0);
        shut(c.here, SD_SEND); /* J14r: once more changes nothing */
        shut(c.there, SD_BOTH);
        CHECK_REFUSED(receive(c.there, room, sizeof room), WSAESHUTDOWN);
        close_socket(c.here);
        close_socket(c.there);
    }
}

SUITE_TEST(circuit_ends, disconnect_and_close_end_as_well) // Q08 K11 J10
{
    struct circuit c = open_circuit(MESSAGES), d = open_circuit(BYTES);
    static struct operation pending;
    char room[64];
    int error = 0;

    pend_event(c.there, &pending, 16);
    CHECK_EQ_I64(spi.lpWSPSendDisconnect(c.here, NULL, &error), 0);
    wire_settle();
    check_ended(&pending, 0xC0000237u, 0);
    struct outcome outcome = result_of(c.there, &pending, false);
    CHECK_EQ_I64(outcome.result, SOCKET_ERROR);
    CHECK_EQ_I64(outcome.error, WSAEDISCON);
    WSACloseEvent(pending.overlapped.hEvent);

    say(d.here, "queued", 0);
    close_socket(d.here);
    wire_settle();
    check_got(receive(d.there, room, sizeof room), room, "queued", 0);
    check_got(receive(d.there, room, sizeof room), room, "", 0);
}

SUITE_TEST(circuit_ends, end_needs_its_place_in_the_send_queue) // J16
{
    struct circuit c = open_circuit(BYTES);
    int error = 0;

    fill_queue(c.here, 1000);
    CHECK_EQ_I64(spi.lpWSPShutdown(c.here, SD_SEND, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEWOULDBLOCK);
    wire_settle();
    shut(c.here, SD_SEND);
}

SUITE_TEST(circuit_ends, unconnected_one_neither_sends_nor_ends) // J14 A15
{
    SOCKET s = circuit_open(BYTES, LOOPBACK);
    char room[64];
    int error = 0;

    CHECK_EQ_I64(send_bytes(s, "x", 1, 0).error, WSAENOTCONN);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAENOTCONN);
    CHECK_EQ_I64(spi.lpWSPShutdown(s, SD_SEND, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAENOTCONN);
    CHECK_EQ_I64(spi.lpWSPSendDisconnect(s, NULL, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAENOTCONN);
}

#endif
