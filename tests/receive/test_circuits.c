/* SPDX-License-Identifier: BSD-3-Clause */

/* Connecting and shutting down where there are connections: the in-stack protocol of circuits.h. What
 * TCP is going to share with it. */

#include "support/suite.h"

#include "circuits.h"
#include "harness.h"

#if !UNDER_THREAD_SANITIZER

static void open_circuits(void)
{
    open_quiet();
    circuits_begin();
}

static void close_circuits(void)
{
    close_all();
    circuits_end();
}

SUITE_FIXTURE(circuits, open_circuits, close_circuits);

static int connect_to(SOCKET s, uint32_t address, uint16_t port)
{
    struct sockaddr_in name = address_of(address, port);
    int error = 0;

    return spi.lpWSPConnect(s, (struct sockaddr *)&name, sizeof name, NULL, NULL, NULL, NULL,
                            &error) == 0
               ? 0
               : error;
}

static uint16_t port_of(SOCKET s)
{
    struct sockaddr_in name;
    int length = sizeof name, error = 0;

    CHECK_EQ_I64(spi.lpWSPGetSockName(s, (struct sockaddr *)&name, &length, &error), 0);
    return ntohs(name.sin_port);
}

static int shut(SOCKET s, int how)
{
    int error = 0;

    return spi.lpWSPShutdown(s, how, &error) == 0 ? 0 : error;
}

SUITE_TEST(circuits, have_one_peer_in_their_life) // I04
{
    SOCKET s = circuit_open(MESSAGES, 0);
    struct sockaddr_in name, peer = address_of(SENDER, SENDER_PORT), none = {.sin_family = 0};
    int length = sizeof name, error = 0;
    uint16_t port = port_of(s);
    char room[16];

    CHECK_EQ_I64(connect_to(s, 0, 0), WSAEADDRNOTAVAIL); /* nothing is dissolved here */
    CHECK_EQ_I64(
        spi.lpWSPConnect(s, (struct sockaddr *)&none, sizeof none, NULL, NULL, NULL, NULL, &error),
        SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEAFNOSUPPORT);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAENOTCONN);
    CHECK_EQ_I64(connect_to(s, SENDER, SENDER_PORT), 0);
    CHECK_EQ_I64(connect_to(s, SENDER, SENDER_PORT), WSAEISCONN);
    CHECK_EQ_I64(connect_to(s, SENDER + 1, SENDER_PORT), WSAEISCONN);
    CHECK_EQ_I64(spi.lpWSPGetPeerName(s, (struct sockaddr *)&name, &length, &error), 0);
    CHECK_EQ_MEM(&name, &peer, sizeof name);
    arrive_from(SENDER + 1, SENDER_PORT, port, "stranger");
    arrive_text(port, "peer");
    CHECK_TEXT(receive(s, room, sizeof room), room, "peer");
}

SUITE_TEST(circuits, cannot_be_shut_down_without_a_peer) // J14h J14r
{
    SOCKET s = circuit_open(BYTES, 0);
    uint16_t port = port_of(s);
    char room[16];

    CHECK_EQ_I64(shut(s, SD_RECEIVE), WSAENOTCONN);
    CHECK_EQ_I64(shut(s, SD_BOTH), WSAENOTCONN);
    CHECK_EQ_I64(shut(s, 3), WSAEINVAL);
    CHECK_EQ_I64(connect_to(s, SENDER, SENDER_PORT), 0);
    arrive_text(port, "queued");
    CHECK_EQ_I64(shut(s, SD_RECEIVE), 0);
    CHECK_EQ_I64(shut(s, SD_RECEIVE), 0);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAESHUTDOWN); /* J11: with data queued */
    CHECK_EQ_U64(counters_of(s).queued, 0);
}

#endif
