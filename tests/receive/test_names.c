/* SPDX-License-Identifier: BSD-3-Clause */

/* Binding, joining and sharing: O03, O07, O09, and the options beside them. */

#include "support/suite.h"

#include "harness.h"

#if !UNDER_THREAD_SANITIZER

SUITE_FIXTURE(names, open_quiet, close_all);

static int bind_to(SOCKET s, uint32_t address, uint16_t port)
{
    struct sockaddr_in name = address_of(address, port);
    int error = 0;

    return spi.lpWSPBind(s, (struct sockaddr *)&name, sizeof name, &error) == 0 ? 0 : error;
}

static int name_of(SOCKET s, struct sockaddr_in *name)
{
    int length = sizeof *name, error = 0;

    memset(name, CANARY, sizeof *name);
    if (spi.lpWSPGetSockName(s, (struct sockaddr *)name, &length, &error) != 0)
        return error;
    CHECK_EQ_I64(length, sizeof *name);
    return 0;
}

SUITE_TEST(names, are_what_was_bound) // WSPGetSockName
{
    SOCKET s = make_socket(), other = make_socket();
    struct sockaddr_in name, expected = address_of(HERE, PORT);
    int length = sizeof name, error = 0;

    CHECK_EQ_I64(name_of(s, &name), WSAEINVAL);
    CHECK_EQ_I64(bind_to(s, HERE, PORT), 0);
    CHECK_EQ_I64(name_of(s, &name), 0);
    CHECK_EQ_MEM(&name, &expected, sizeof name);
    CHECK_EQ_I64(bind_to(other, 0, PORT), 0);
    CHECK_EQ_I64(name_of(other, &name), 0);
    expected = address_of(0, PORT);
    CHECK_EQ_MEM(&name, &expected, sizeof name);
    length = 64;
    CHECK_EQ_I64(getsockname(s, (struct sockaddr *)&name, &length), 0);
    CHECK_EQ_I64(length, 16);
    length = 15;
    CHECK_EQ_I64(spi.lpWSPGetSockName(s, (struct sockaddr *)&name, &length, &error), -1);
    CHECK_EQ_I64(error, WSAEFAULT);
    CHECK_EQ_I64(spi.lpWSPGetSockName(s, (struct sockaddr *)&name, NULL, &error), -1);
    CHECK_EQ_I64(error, WSAEFAULT);
    length = 16;
    CHECK_EQ_I64(spi.lpWSPGetSockName(s, NULL, &length, &error), -1);
    CHECK_EQ_I64(error, WSAEFAULT);
}

SUITE_TEST(names, are_refused_when_they_cannot_be)
{
    SOCKET s = make_socket(), other = make_socket();
    struct sockaddr_in name = address_of(0, PORT);
    char *page = map_pages(1);
    int error = 0;

    unmap_pages(page, 1);
    CHECK_EQ_I64(bind_to(s, HERE + 1, PORT), WSAEADDRNOTAVAIL);
    CHECK_EQ_I64(bind_to(s, THE_GROUP, PORT), WSAEADDRNOTAVAIL);
    CHECK_EQ_I64(spi.lpWSPBind(s, (struct sockaddr *)&name, 15, &error), -1);
    CHECK_EQ_I64(error, WSAEFAULT);
    CHECK_EQ_I64(spi.lpWSPBind(s, NULL, 16, &error), -1);
    CHECK_EQ_I64(error, WSAEFAULT);
    CHECK_EQ_I64(spi.lpWSPBind(s, (struct sockaddr *)(void *)page, 16, &error), -1);
    CHECK_EQ_I64(error, WSAEFAULT);
    name.sin_family = AF_INET6;
    CHECK_EQ_I64(spi.lpWSPBind(s, (struct sockaddr *)&name, sizeof name, &error), -1);
    CHECK_EQ_I64(error, WSAEAFNOSUPPORT);
    CHECK_EQ_I64(bind_to(s, HERE, PORT), 0); /* none of these has bound it */
    CHECK_EQ_I64(bind_to(s, HERE, OTHER_PORT), WSAEINVAL);
    CHECK_EQ_I64(bind_to(other, HERE, PORT), WSAEADDRINUSE);
    CHECK_EQ_I64(bind_to(other, HERE, OTHER_PORT), 0);
}

SUITE_TEST(names, without_a_port_get_a_free_one) // RFC 6335: 49152 to 65535
{
    enum {
        COUNT = 10
    };
    struct sockaddr_in name;
    uint16_t ports[COUNT];

    for (unsigned i = 0; i < COUNT; i++) {
        SOCKET s = make_socket();

        CHECK_EQ_I64(bind_to(s, i % 2 ? HERE : 0, 0), 0);
        CHECK_EQ_I64(name_of(s, &name), 0);
        ports[i] = ntohs(name.sin_port);
        CHECK_GE_U64(ports[i], 49152);
        for (unsigned k = 0; k < i; k++)
            CHECK(ports[k] != ports[i]);
        arrive_text(ports[i], "found");
        char room[16];
        CHECK_TEXT(receive(s, room, sizeof room), room, "found");
    }
}

/* --- sharing --------------------------------------------------------------------------------------------- */

SUITE_TEST(names, may_be_shared_when_asked_for) // SO_REUSEADDR
{
    SOCKET a = make_socket(), b = make_socket(), c = make_socket();
    char room[16];

    CHECK_EQ_I64(set_option(a, SO_REUSEADDR, TRUE), 0);
    CHECK_EQ_I64(bind_to(a, 0, PORT), 0);
    CHECK_EQ_I64(bind_to(b, 0, PORT), WSAEADDRINUSE);
    CHECK_EQ_I64(set_option(b, SO_REUSEADDR, TRUE), 0);
    CHECK_EQ_I64(bind_to(b, 0, PORT), 0);
    CHECK_EQ_I64(bind_to(c, HERE, PORT), 0); /* another name */
    CHECK_EQ_I64(join(a, THE_GROUP), 0);
    CHECK_EQ_I64(join(b, THE_GROUP), 0);
    arrive_at(THE_GROUP, PORT, "for both");
    set_nonblocking(c, true);
    CHECK_TEXT(receive(a, room, sizeof room), room, "for both");
    CHECK_TEXT(receive(b, room, sizeof room), room, "for both");
    CHECK_REFUSED(receive(c, room, sizeof room), WSAEWOULDBLOCK);
    arrive_text(PORT, "for one");
    CHECK_TEXT(receive(c, room, sizeof room), room, "for one"); /* the more exact name */
    close_socket(c);
    set_nonblocking(a, true);
    set_nonblocking(b, true);
    arrive_text(PORT, "for one");
    CHECK_EQ_U64(counters_of(a).queued + counters_of(b).queued, 1);
    close_socket(b);
    close_socket(a);
    a = open_socket(PORT);
    arrive_text(PORT, "free again");
    CHECK_TEXT(receive(a, room, sizeof room), room, "free again");
}

/* Two sockets, one frame: what one does to its copy, the other does not see. */
SUITE_TEST(names, sharers_of_a_group_do_not_disturb_each_other) // I01 H04
{
    SOCKET a = make_socket(), b = make_socket();
    static struct operation posted;
    char room[16];

    set_option(a, SO_REUSEADDR, TRUE);
    set_option(b, SO_REUSEADDR, TRUE);
    CHECK_EQ_I64(bind_to(a, 0, PORT), 0);
    CHECK_EQ_I64(bind_to(b, 0, PORT), 0);
    CHECK_EQ_I64(join(a, THE_GROUP), 0);
    CHECK_EQ_I64(join(b, THE_GROUP), 0);
    pend_event(b, &posted, 3);
    arrive_at(THE_GROUP, PORT, "abcdef");
    check_ended(&posted, STATUS_BUFFER_OVERFLOW, 3);
    CHECK_EQ_I64(receive_flags(a, room, 2, MSG_PEEK).error, WSAEMSGSIZE);
    CHECK_TEXT(receive(a, room, sizeof room), room, "abcdef");
    for (int i = 0; i < 300; i++) /* more than a's ring has room for, while b reads */
        arrive_at(THE_GROUP, PORT, "x"), receive(b, room, sizeof room);
    CHECK_EQ_U64(counters_of(a).drop_ring_full, 44);
    CHECK_EQ_U64(counters_of(b).received, 301);
    CHECK_EQ_U64(counters_of(b).drop_ring_full, 0);
}

/* --- groups ---------------------------------------------------------------------------------------------- */

SUITE_TEST(names, groups_are_joined_and_left) // IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP
{
    SOCKET s = make_socket();
    char room[16];

    CHECK_EQ_I64(join(s, THE_GROUP), 0); /* takes effect when it is bound */
    CHECK_EQ_I64(bind_to(s, 0, PORT), 0);
    CHECK_EQ_I64(join(s, THE_GROUP + 1), 0);
    arrive_at(THE_GROUP, PORT, "one");
    arrive_at(THE_GROUP + 1, PORT, "two");
    arrive_at(THE_GROUP + 2, PORT, "not joined");
    arrive_at(THE_GROUP, OTHER_PORT, "another port");
    CHECK_TEXT(receive(s, room, sizeof room), room, "one");
    CHECK_TEXT(receive(s, room, sizeof room), room, "two");
    CHECK_EQ_U64(counters_of(s).queued, 0);
    CHECK_EQ_I64(leave(s, THE_GROUP), 0);
    arrive_at(THE_GROUP, PORT, "left");
    arrive_at(THE_GROUP + 1, PORT, "still");
    CHECK_TEXT(receive(s, room, sizeof room), room, "still");
    CHECK_EQ_I64(join(s, THE_GROUP), 0);
    arrive_at(THE_GROUP, PORT, "back");
    CHECK_TEXT(receive(s, room, sizeof room), room, "back");
}

/* By either family of options; what a filter lets through is the dataplane's to test. */
SUITE_TEST(names, groups_are_joined_for_some_sources) // O07
{
    SOCKET s = open_socket(PORT);
    IP_MREQ_SOURCE request = {.imr_multiaddr.s_addr = htonl(THE_GROUP),
                              .imr_sourceaddr.s_addr = htonl(0x0a090909)};
    GROUP_SOURCE_REQ generic = {.gsr_interface = 1};
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = request.imr_multiaddr};
    char room[16];
    int error;

    memcpy(&generic.gsr_group, &name, sizeof name);
    name.sin_addr = request.imr_sourceaddr;
    memcpy(&generic.gsr_source, &name, sizeof name);
    const struct {
        int name, error;
    } rows[] = {
        {IP_BLOCK_SOURCE, WSAEADDRNOTAVAIL},
        {IP_ADD_SOURCE_MEMBERSHIP, 0},
        {IP_ADD_SOURCE_MEMBERSHIP, WSAEADDRINUSE},
        {MCAST_JOIN_SOURCE_GROUP, WSAEADDRINUSE},
        {IP_BLOCK_SOURCE, WSAEINVAL},
        {MCAST_UNBLOCK_SOURCE, WSAEINVAL},
        {MCAST_LEAVE_SOURCE_GROUP, 0},
        {IP_DROP_SOURCE_MEMBERSHIP, WSAEADDRNOTAVAIL},
        {MCAST_JOIN_GROUP, 0},
        {MCAST_JOIN_SOURCE_GROUP, WSAEINVAL},
        {MCAST_BLOCK_SOURCE, 0},
        {IP_BLOCK_SOURCE, WSAEADDRINUSE},
        {IP_UNBLOCK_SOURCE, 0},
        {MCAST_UNBLOCK_SOURCE, WSAEADDRNOTAVAIL},
        {MCAST_LEAVE_GROUP, 0},
        {MCAST_LEAVE_GROUP, WSAEADDRNOTAVAIL},
        {MCAST_JOIN_SOURCE_GROUP, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool is_generic = rows[i].name >= MCAST_JOIN_GROUP;
        const char *value = is_generic ? (char *)&generic : (char *)&request;
        int length = is_generic ? (int)sizeof generic : (int)sizeof request;

        error = 0;
        spi.lpWSPSetSockOpt(s, IPPROTO_IP, rows[i].name, value, length, &error);
        CHECK_EQ_I64(error, rows[i].error);
        if (rows[i].name == MCAST_JOIN_SOURCE_GROUP || rows[i].name == IP_ADD_SOURCE_MEMBERSHIP) {
            spi.lpWSPSetSockOpt(s, IPPROTO_IP, rows[i].name, value, length - 1, &error);
            CHECK_EQ_I64(error, WSAEFAULT);
        }
    }
    arrive_at(THE_GROUP, PORT, "another's");
    CHECK_EQ_U64(counters_of(s).queued, 0);
    generic.gsr_interface = 9;
    spi.lpWSPSetSockOpt(s, IPPROTO_IP, MCAST_LEAVE_GROUP, (char *)&generic, sizeof generic, &error);
    CHECK_EQ_I64(error, WSAEADDRNOTAVAIL);
    generic.gsr_interface = 0;
    generic.gsr_group.ss_family = AF_INET6;
    spi.lpWSPSetSockOpt(s, IPPROTO_IP, MCAST_LEAVE_GROUP, (char *)&generic, sizeof generic, &error);
    CHECK_EQ_I64(error, WSAEINVAL);
    generic.gsr_group.ss_family = AF_INET;
    CHECK_EQ_I64(spi.lpWSPSetSockOpt(s, IPPROTO_IP, MCAST_LEAVE_GROUP, (char *)&generic,
                                     sizeof(GROUP_REQ), &error),
                 0);
    CHECK_EQ_I64(join(s, THE_GROUP), 0);
    arrive_at(THE_GROUP, PORT, "anybody's");
    CHECK_TEXT(receive(s, room, sizeof room), room, "anybody's");
}

SUITE_TEST(names, groups_that_cannot_be_joined_are_refused) // O07
{
    SOCKET s = open_socket(PORT);
    struct ip_mreq request;
    char *page = map_pages(1);
    int error = 0;

    unmap_pages(page, 1);
    CHECK_EQ_I64(join(s, HERE), WSAEADDRNOTAVAIL);
    CHECK_EQ_I64(join(s, 0), WSAEADDRNOTAVAIL);
    CHECK_EQ_I64(join(s, UINT32_MAX), WSAEADDRNOTAVAIL);
    CHECK_EQ_I64(leave(s, THE_GROUP), WSAEADDRNOTAVAIL);
    CHECK_EQ_I64(leave(s, HERE), WSAEADDRNOTAVAIL);
    CHECK_EQ_I64(join(s, THE_GROUP), 0);
    CHECK_EQ_I64(join(s, THE_GROUP), WSAEADDRINUSE);
    CHECK_EQ_I64(leave(s, THE_GROUP), 0);
    CHECK_EQ_I64(leave(s, THE_GROUP), WSAEADDRNOTAVAIL);
    request.imr_multiaddr.s_addr = htonl(THE_GROUP);
    request.imr_interface.s_addr = htonl(HERE + 1);
    for (int name = IP_ADD_MEMBERSHIP; name <= IP_DROP_MEMBERSHIP; name++) {
        const struct {
            const void *value;
            int length, error;
        } rows[] = {{&request, sizeof request, WSAEADDRNOTAVAIL}, /* no such interface */
                    {&request, sizeof request - 1, WSAEFAULT},
                    {&request, 0, WSAEFAULT},
                    {&request, -1, WSAEFAULT},
                    {NULL, sizeof request, WSAEFAULT},
                    {page, sizeof request, WSAEFAULT}};
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            CHECK_EQ_I64(
                spi.lpWSPSetSockOpt(s, IPPROTO_IP, name, rows[i].value, rows[i].length, &error),
                SOCKET_ERROR);
            CHECK_EQ_I64(error, rows[i].error);
        }
    }
    request.imr_interface.s_addr = htonl(HERE);
    CHECK_EQ_I64(spi.lpWSPSetSockOpt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, (char *)&request,
                                     sizeof request, &error),
                 0);
    arrive_at(THE_GROUP, PORT, "by interface");
    CHECK_EQ_U64(counters_of(s).queued, 1);
}

static SOCKET make_leaf(void)
{
    SOCKET s =
        WSASocketW(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0,
                   WSA_FLAG_OVERLAPPED | WSA_FLAG_MULTIPOINT_C_LEAF | WSA_FLAG_MULTIPOINT_D_LEAF);

    CHECK_MSG(s != INVALID_SOCKET, "WSASocketW: %d", WSAGetLastError());
    return s;
}

/* @return 0 or the error */
static int join_leaf(SOCKET s, uint32_t group, uint16_t port, DWORD flags)
{
    struct sockaddr_in name = address_of(group, port);
    int error = 0;
    SOCKET leaf = spi.lpWSPJoinLeaf(s, (struct sockaddr *)&name, sizeof name, NULL, NULL, NULL,
                                    NULL, flags, &error);

    CHECK(leaf == (error == 0 ? s : INVALID_SOCKET)); /* the same descriptor */
    return error;
}

SUITE_TEST(names, leaf_is_bound_and_joined_at_once) // O07 O09 A18
{
    SOCKET s = make_leaf();
    struct sockaddr_in name;
    char room[16];

    CHECK_EQ_I64(join_leaf(s, THE_GROUP, PORT, JL_RECEIVER_ONLY), 0);
    CHECK_EQ_I64(name_of(s, &name), 0);
    CHECK_EQ_U64(ntohs(name.sin_port), PORT);
    arrive_at(THE_GROUP, PORT, "leaf");
    CHECK_TEXT(receive(s, room, sizeof room), room, "leaf");
    CHECK_EQ_I64(join_leaf(s, THE_GROUP, PORT, JL_BOTH), WSAEISCONN); /* joined already */
    CHECK_EQ_I64(join_leaf(s, THE_GROUP + 1, PORT, JL_BOTH), 0);
    arrive_at(THE_GROUP + 1, PORT, "second");
    arrive_at(THE_GROUP, PORT, "first");
    CHECK_TEXT(receive(s, room, sizeof room), room, "second");
    CHECK_TEXT(receive(s, room, sizeof room), room, "first");
}

/* JoinLeaf names no sources; the options do, before and after it. */
SUITE_TEST(names, leaf_shares_its_groups_with_the_options_that_name_sources) // O07
{
    SOCKET s = make_leaf();
    IP_MREQ_SOURCE request = {.imr_multiaddr.s_addr = htonl(THE_GROUP),
                              .imr_sourceaddr.s_addr = htonl(0x0a090909)};
    IP_MREQ whole = {.imr_multiaddr = request.imr_multiaddr};
    char room[16];
    const struct {
        int name, error;
    } rows[] = {
        {IP_ADD_SOURCE_MEMBERSHIP, WSAEINVAL}, /* joined for all */
        {IP_BLOCK_SOURCE, 0},
        {IP_UNBLOCK_SOURCE, 0},
        {IP_DROP_MEMBERSHIP, 0},
        {IP_ADD_SOURCE_MEMBERSHIP, 0},
    };

    CHECK_EQ_I64(join_leaf(s, THE_GROUP, PORT, JL_BOTH), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int error = 0;

        if (rows[i].name == IP_DROP_MEMBERSHIP)
            spi.lpWSPSetSockOpt(s, IPPROTO_IP, rows[i].name, (char *)&whole, sizeof whole, &error);
        else
            spi.lpWSPSetSockOpt(s, IPPROTO_IP, rows[i].name, (char *)&request, sizeof request,
                                &error);
        CHECK_EQ_I64(error, rows[i].error);
    }
    arrive_at(THE_GROUP, PORT, "another's");
    CHECK_EQ_U64(counters_of(s).queued, 0);
    CHECK_EQ_I64(join_leaf(s, THE_GROUP, PORT, JL_BOTH), WSAEISCONN); /* for one source */
    arrive_at(THE_GROUP, PORT, "another's");
    CHECK_EQ_U64(counters_of(s).queued, 0);
    CHECK_EQ_I64(leave(s, THE_GROUP), 0);
    CHECK_EQ_I64(join_leaf(s, THE_GROUP, PORT, JL_BOTH), 0);
    arrive_at(THE_GROUP, PORT, "anybody's");
    CHECK_TEXT(receive(s, room, sizeof room), room, "anybody's");
}

SUITE_TEST(names, leaf_is_refused_when_it_cannot_be) // O07 O09
{
    SOCKET plain = make_socket(), s = make_leaf();
    struct sockaddr_in name = address_of(THE_GROUP, PORT);
    int error = 0;

    CHECK_EQ_I64(join_leaf(plain, THE_GROUP, PORT, JL_BOTH), WSAEINVAL);
    CHECK_EQ_I64(join_leaf(s, HERE, PORT, JL_BOTH), WSAEADDRNOTAVAIL);
    CHECK_EQ_I64(join_leaf(s, THE_GROUP, PORT, 0), WSAEINVAL);
    CHECK_EQ_I64(join_leaf(s, THE_GROUP, PORT, 8), WSAEINVAL);
    CHECK_EQ_U64(
        spi.lpWSPJoinLeaf(s, (struct sockaddr *)&name, 15, NULL, NULL, NULL, NULL, JL_BOTH, &error),
        INVALID_SOCKET);
    CHECK_EQ_I64(error, WSAEFAULT);
    name.sin_family = AF_INET6;
    CHECK_EQ_U64(spi.lpWSPJoinLeaf(s, (struct sockaddr *)&name, sizeof name, NULL, NULL, NULL, NULL,
                                   JL_BOTH, &error),
                 INVALID_SOCKET);
    CHECK_EQ_I64(error, WSAEAFNOSUPPORT);
    CHECK_EQ_I64(name_of(s, (struct sockaddr_in *)&name), WSAEINVAL); /* not bound on the way */
    CHECK_EQ_I64(join_leaf(s, THE_GROUP, PORT, JL_BOTH), 0);
}

/* --- making sockets --------------------------------------------------------------------------------------- */

static int make(int af, int type, int protocol, LPWSAPROTOCOL_INFOW info, GROUP g, DWORD flags)
{
    int error = 0;
    SOCKET s = spi.lpWSPSocket(af, type, protocol, info, g, flags, &error);

    CHECK((s == INVALID_SOCKET) == (error != 0));
    if (s != INVALID_SOCKET)
        close_socket(s);
    return error;
}

SUITE_TEST(names, sockets_are_made_for_udp_however_it_is_asked_for) // O03
{
    WSAPROTOCOL_INFOW entry;
    DWORD size = sizeof entry;
    char *page = map_pages(1);

    unmap_pages(page, 1);
    CHECK_EQ_I64(WSAEnumProtocolsW(NULL, &entry, &size), 1);
    CHECK_EQ_I64(make(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, 0), 0);
    CHECK_EQ_I64(make(AF_INET, SOCK_DGRAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED), 0);
    CHECK_EQ_I64(make(0, 0, 0, &entry, 0, 0), 0);
    CHECK_EQ_I64(make(0, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, 0), 0);
    CHECK_EQ_I64(make(AF_INET, 0, IPPROTO_UDP, NULL, 0, 0), 0);
    CHECK_EQ_I64(make(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &entry, 0, 0), 0);
    CHECK_EQ_I64(make(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 1, 0), WSAEINVAL);
    CHECK_EQ_I64(make(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, 0x80000000), WSAEINVAL);
    CHECK_EQ_I64(make(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_MULTIPOINT_C_ROOT),
                 WSAEINVAL);
    CHECK_EQ_I64(make(AF_INET6, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, 0), WSAEAFNOSUPPORT);
    CHECK_EQ_I64(make(AF_INET, SOCK_RAW, 0, NULL, 0, 0), WSAESOCKTNOSUPPORT);
    CHECK_EQ_I64(make(AF_INET, SOCK_DGRAM, IPPROTO_TCP, NULL, 0, 0), WSAEPROTOTYPE);
    CHECK_EQ_I64(make(AF_INET, SOCK_DGRAM, 99, NULL, 0, 0), WSAEPROTONOSUPPORT);
    CHECK_EQ_I64(make(0, 0, 0, (LPWSAPROTOCOL_INFOW)(void *)page, 0, 0), WSAEFAULT);
    SOCKET s = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(s != INVALID_SOCKET);
    CHECK_EQ_U64(s % 4, 0); /* like every Windows handle */
    CHECK_EQ_I64(closesocket(s), 0);
}

SUITE_TEST(names, too_many_sockets_are_refused) // sockets.maximum
{
    SOCKET sockets[17];
    int error = 0;

    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 16; i++)
            sockets[i] = open_socket((uint16_t)(PORT + i));
        CHECK_EQ_U64(spi.lpWSPSocket(AF_INET, SOCK_DGRAM, 0, NULL, 0, 0, &error), INVALID_SOCKET);
        CHECK_EQ_I64(error, WSAEMFILE);
        close_socket(sockets[7]);
        sockets[7] = open_socket(PORT + 7);
        CHECK_EQ_U64(spi.lpWSPSocket(AF_INET, SOCK_DGRAM, 0, NULL, 0, 0, &error), INVALID_SOCKET);
        for (unsigned i = 0; i < 16; i++)
            close_socket(sockets[i]);
    }
}

#endif
