/* SPDX-License-Identifier: BSD-3-Clause */

/* What a socket tells of itself: SO_ERROR, its ends, and options that datagrams do not have. */

#include "support/suite.h"

#include "conditions.h"
#include "harness.h"
#include "overlapped_status.h"

#if !UNDER_THREAD_SANITIZER

SUITE_FIXTURE(socket_options, open_quiet, close_all);

#define PEER FRAME_IP(198, 51, 100, 9)
#define PEER_PORT 7100

static void connect_socket(SOCKET s, uint32_t address, uint16_t port)
{
    struct sockaddr_in name = address_of(address, port);
    int error = 0;

    CHECK_EQ_I64(
        spi.lpWSPConnect(s, (struct sockaddr *)&name, sizeof name, NULL, NULL, NULL, NULL, &error),
        0);
}

/* --- SO_ERROR ---------------------------------------------------------------------------------------- */

SUITE_TEST(socket_options, an_error_is_told_once_and_cleared) // L12 I13
{
    SOCKET s = open_socket(PORT);
    char room[16];

    set_nonblocking(s, true);
    CHECK_EQ_U64(get_option(s, SO_ERROR), 0);
    arrive_condition(s, RX_PORT_UNREACHABLE);
    arrive_condition(s, RX_TIME_EXCEEDED);
    CHECK_EQ_U64(get_option(s, SO_ERROR), WSAECONNRESET);
    CHECK_EQ_U64(get_option(s, SO_ERROR), WSAENETRESET);
    CHECK_EQ_U64(get_option(s, SO_ERROR), 0);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEWOULDBLOCK); /* no receive is told any more */
    arrive_condition(s, RX_PORT_UNREACHABLE);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAECONNRESET);
    CHECK_EQ_U64(get_option(s, SO_ERROR), 0); /* and the other way round */
    CHECK_EQ_U64(counters_of(s).conditions, 3);
    CHECK_EQ_U64(counters_of(s).queued, 0);
}

SUITE_TEST(socket_options, an_error_waits_for_its_turn) // L12
{
    SOCKET s = open_socket(PORT);
    char room[16];

    arrive_text(PORT, "first");
    arrive_condition(s, RX_PORT_UNREACHABLE);
    CHECK_EQ_U64(get_option(s, SO_ERROR), 0);
    CHECK_TEXT(receive(s, room, sizeof room), room, "first");
    CHECK_EQ_U64(get_option(s, SO_ERROR), WSAECONNRESET);
}

SUITE_TEST(socket_options, an_error_that_cannot_be_told_stays) // L12
{
    SOCKET s = open_socket(PORT);
    char *page = map_pages(1);
    int value, length = 3, error = 0;

    unmap_pages(page, 1);
    arrive_condition(s, RX_PORT_UNREACHABLE);
    const struct {
        void *value, *length;
    } bad[] = {{&value, &length}, {page, &length}, {&value, page}, {NULL, &length}, {&value, NULL}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        length = i == 0 ? 3 : 4;
        CHECK_EQ_I64(
            spi.lpWSPGetSockOpt(s, SOL_SOCKET, SO_ERROR, bad[i].value, bad[i].length, &error),
            SOCKET_ERROR);
        CHECK_EQ_I64(error, WSAEFAULT);
    }
    CHECK_EQ_I64(set_option(s, SO_ERROR, 0), WSAENOPROTOOPT);
    CHECK_EQ_U64(get_option(s, SO_ERROR), WSAECONNRESET);
}

SUITE_TEST(socket_options, no_error_where_nothing_can_have_gone_wrong) // L12 A19
{
    SOCKET s = make_socket();
    int value, length = sizeof value, error = 0;

    CHECK_EQ_U64(get_option(s, SO_ERROR), 0);
    wire_stop();
    CHECK_EQ_I64(spi.lpWSPGetSockOpt(s, SOL_SOCKET, SO_ERROR, (char *)&value, &length, &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAENETDOWN);
}

/* --- the ends ---------------------------------------------------------------------------------------- */

static CSADDR_INFO *ends_of(SOCKET s, void *room, int length)
{
    int error = 0;

    memset(room, CANARY, (size_t)length);
    CHECK_EQ_I64(spi.lpWSPGetSockOpt(s, SOL_SOCKET, SO_BSP_STATE, room, &length, &error), 0);
    return room;
}

SUITE_TEST(socket_options, state_has_both_ends) // SO_BSP_STATE
{
    SOCKET s = make_socket();
    struct sockaddr_in name = address_of(HERE, PORT), peer = address_of(PEER, PEER_PORT);
    _Alignas(8) char room[128];
    int length = sizeof(CSADDR_INFO) + 2 * sizeof name, least = length, error = 0;

    CSADDR_INFO *ends = ends_of(s, room, sizeof room);
    CHECK_EQ_PTR(ends->LocalAddr.lpSockaddr, NULL);
    CHECK_EQ_PTR(ends->RemoteAddr.lpSockaddr, NULL);
    CHECK_EQ_I64(ends->LocalAddr.iSockaddrLength, 0);
    CHECK_EQ_I64(ends->iSocketType, SOCK_DGRAM);
    CHECK_EQ_I64(ends->iProtocol, IPPROTO_UDP);
    CHECK_EQ_I64(bind(s, (struct sockaddr *)&name, sizeof name), 0);
    connect_socket(s, PEER, PEER_PORT);
    ends = ends_of(s, room, sizeof room);
    CHECK_EQ_I64(ends->LocalAddr.iSockaddrLength, sizeof name);
    CHECK_EQ_MEM(ends->LocalAddr.lpSockaddr, &name, sizeof name);
    CHECK_EQ_I64(ends->RemoteAddr.iSockaddrLength, sizeof name);
    CHECK_EQ_MEM(ends->RemoteAddr.lpSockaddr, &peer, sizeof peer);
    CHECK_EQ_I64(spi.lpWSPGetSockOpt(s, SOL_SOCKET, SO_BSP_STATE, room, &length, &error), 0);
    CHECK_EQ_I64(length, least);
    length = least - 1;
    CHECK_EQ_I64(spi.lpWSPGetSockOpt(s, SOL_SOCKET, SO_BSP_STATE, room, &length, &error), -1);
    CHECK_EQ_I64(error, WSAEFAULT);
}

SUITE_TEST(socket_options, name_of_a_connected_socket_has_an_address) // WSPGetSockName
{
    SOCKET s = open_socket(PORT);
    struct sockaddr_in name, any = address_of(0, PORT), here = address_of(HERE, PORT);
    int length = sizeof name, error = 0;

    CHECK_EQ_I64(spi.lpWSPGetSockName(s, (struct sockaddr *)&name, &length, &error), 0);
    CHECK_EQ_MEM(&name, &any, sizeof name);
    connect_socket(s, HERE + 1, PEER_PORT); /* on the port's network */
    CHECK_EQ_I64(spi.lpWSPGetSockName(s, (struct sockaddr *)&name, &length, &error), 0);
    CHECK_EQ_MEM(&name, &here, sizeof name);
    connect_socket(s, 0, 0);
    CHECK_EQ_I64(spi.lpWSPGetSockName(s, (struct sockaddr *)&name, &length, &error), 0);
    CHECK_EQ_MEM(&name, &any, sizeof name);
}

SUITE_TEST(socket_options, a_broadcast_peer_must_be_asked_for) // SO_BROADCAST
{
    SOCKET s = make_socket();
    const uint32_t broadcasts[] = {FRAME_IP(255, 255, 255, 255), HERE | 0xff};
    int error = 0;

    for (size_t i = 0; i < 2; i++) {
        struct sockaddr_in name = address_of(broadcasts[i], PEER_PORT);

        CHECK_EQ_I64(set_option(s, SO_BROADCAST, FALSE), 0);
        CHECK_EQ_I64(spi.lpWSPConnect(s, (struct sockaddr *)&name, sizeof name, NULL, NULL, NULL,
                                      NULL, &error),
                     SOCKET_ERROR);
        CHECK_EQ_I64(error, WSAEACCES);
        CHECK_EQ_I64(set_option(s, SO_BROADCAST, TRUE), 0);
        connect_socket(s, broadcasts[i], PEER_PORT);
    }
}

/* --- what datagrams do not have ---------------------------------------------------------------------- */

SUITE_TEST(socket_options, of_streams_are_refused)
{
    SOCKET s = open_socket(PORT);
    static const struct {
        int name, error;
        bool readable;
    } rows[] = {
        {SO_LINGER, WSAENOPROTOOPT, false},    {SO_DONTLINGER, WSAENOPROTOOPT, false},
        {SO_KEEPALIVE, WSAENOPROTOOPT, false}, {SO_OOBINLINE, WSAENOPROTOOPT, false},
        {SO_RCVLOWAT, WSAEINVAL, false},       {SO_SNDLOWAT, WSAEINVAL, false},
        {SO_DEBUG, WSAENOPROTOOPT, false},     {SO_CONDITIONAL_ACCEPT, WSAENOPROTOOPT, false},
        {SO_ACCEPTCONN, WSAENOPROTOOPT, true}, {SO_GROUP_ID, WSAENOPROTOOPT, true},
        {SO_BSP_STATE, WSAENOPROTOOPT, true},  {SO_ERROR, WSAENOPROTOOPT, true},
    };
    DWORD value = 1;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int length = sizeof value, error = 0;

        CHECK_EQ_I64(set_option(s, rows[i].name, 1), rows[i].error);
        if (rows[i].readable)
            continue;
        CHECK_EQ_I64(
            spi.lpWSPGetSockOpt(s, SOL_SOCKET, rows[i].name, (char *)&value, &length, &error),
            SOCKET_ERROR);
        CHECK_EQ_I64(error, rows[i].error);
    }
    CHECK_EQ_U64(get_option(s, SO_ACCEPTCONN), FALSE);
    CHECK_EQ_U64(get_option(s, SO_GROUP_ID), 0);
}

#endif
