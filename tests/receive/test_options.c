/* SPDX-License-Identifier: BSD-3-Clause */

/* Options and controls: clauses L, SO_RCVBUF's bound, what a socket says about itself. */

#include "support/suite.h"

#include "harness.h"

#include <stdlib.h>
#include <sys/mman.h>

#if !UNDER_THREAD_SANITIZER

SUITE_FIXTURE(options, open_quiet, close_all);

SUITE_TEST(options, times_and_sizes_read_back_as_set) // L05 L06
{
    static const DWORD values[] = {0, 1, 499, 500, 1234567, 0x7fffffff};
    SOCKET s = make_socket();

    CHECK_EQ_U64(get_option(s, SO_RCVTIMEO), 0);
    CHECK_EQ_U64(get_option(s, SO_RCVBUF), wire_config().sockets.ring_bytes);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        CHECK_EQ_I64(set_option(s, SO_RCVTIMEO, values[i]), 0);
        CHECK_EQ_U64(get_option(s, SO_RCVTIMEO), values[i]);
        CHECK_EQ_I64(set_option(s, SO_RCVBUF, values[i]), 0);
        CHECK_EQ_U64(get_option(s, SO_RCVBUF), values[i]);
    }
    CHECK_EQ_I64(set_option(s, SO_RCVTIMEO, 0xffffffff), 0);
    CHECK_EQ_U64(get_option(s, SO_RCVTIMEO), 0xffffffff);
    CHECK_EQ_I64(set_option(s, SO_RCVBUF, 0x80000000), WSAEINVAL);
}

SUITE_TEST(options, describe_the_socket) // SO_TYPE, SO_MAX_MSG_SIZE, SO_PROTOCOL_INFO
{
    SOCKET s = make_socket();
    WSAPROTOCOL_INFOW wide, entries[4];
    WSAPROTOCOL_INFOA narrow;
    int length = sizeof wide, error = 0;
    DWORD size = sizeof entries;

    CHECK_EQ_U64(get_option(s, SO_TYPE), SOCK_DGRAM);
    CHECK_EQ_U64(get_option(s, SO_MAX_MSG_SIZE), 65507);
    CHECK_EQ_U64(get_option(s, SO_REUSEADDR), FALSE);
    CHECK_EQ_I64(
        spi.lpWSPGetSockOpt(s, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&wide, &length, &error), 0);
    CHECK_EQ_I64(length, sizeof wide);
    CHECK_EQ_I64(wide.iAddressFamily, AF_INET);
    CHECK_EQ_I64(wide.iSocketType, SOCK_DGRAM);
    CHECK_EQ_I64(wide.iProtocol, IPPROTO_UDP);
    CHECK(wide.dwServiceFlags1 & XP1_MESSAGE_ORIENTED);
    CHECK(!(wide.dwServiceFlags1 & XP1_PARTIAL_MESSAGE)); /* H10 */
    CHECK(!(wide.dwServiceFlags1 & (XP1_GUARANTEED_DELIVERY | XP1_GUARANTEED_ORDER)));
    CHECK_EQ_I64(WSAEnumProtocolsW(NULL, entries, &size), 1);
    CHECK_EQ_MEM(&entries[0], &wide, sizeof wide);
    length = sizeof narrow;
    CHECK_EQ_I64(
        spi.lpWSPGetSockOpt(s, SOL_SOCKET, SO_PROTOCOL_INFOA, (char *)&narrow, &length, &error), 0);
    CHECK_EQ_I64(length, sizeof narrow);
    CHECK_EQ_U64(narrow.dwCatalogEntryId, wide.dwCatalogEntryId);
    CHECK_EQ_STR(narrow.szProtocol, "wirerx UDP/IP");
}

SUITE_TEST(options, bad_requests_are_refused)
{
    SOCKET s = make_socket();
    static const struct {
        int level, name;
        bool set, get;
    } unknown[] = {
        {SOL_SOCKET, SO_TYPE, true, false},           {SOL_SOCKET, SO_MAX_MSG_SIZE, true, false},
        {SOL_SOCKET, SO_PROTOCOL_INFOW, true, false}, {SOL_SOCKET, 0x7777, true, true},
        {SOL_SOCKET, SO_KEEPALIVE, true, true},       {IPPROTO_TCP, SO_RCVBUF, true, true},
        {IPPROTO_IP, SO_RCVBUF, true, true},          {IPPROTO_UDP, 1, true, true},
    };
    DWORD value = 1;
    char *page = map_pages(1);
    WSAPROTOCOL_INFOW info;
    int length, error = 0;

    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        if (unknown[i].set) {
            CHECK_EQ_I64(spi.lpWSPSetSockOpt(s, unknown[i].level, unknown[i].name,
                                             (const char *)&value, sizeof value, &error),
                         SOCKET_ERROR);
            CHECK_EQ_I64(error, WSAENOPROTOOPT);
        }
        if (unknown[i].get) {
            length = sizeof value;
            CHECK_EQ_I64(spi.lpWSPGetSockOpt(s, unknown[i].level, unknown[i].name, (char *)&value,
                                             &length, &error),
                         SOCKET_ERROR);
            CHECK_EQ_I64(error, WSAENOPROTOOPT);
        }
    }
    unmap_pages(page, 1);
    const struct {
        char *value;
        int length;
    } short_or_absent[] = {
        {NULL, 4}, {page, 4}, {(char *)&value, 3}, {(char *)&value, 0}, {(char *)&value, -1}};
    for (size_t i = 0; i < sizeof short_or_absent / sizeof short_or_absent[0]; i++) {
        CHECK_EQ_I64(spi.lpWSPSetSockOpt(s, SOL_SOCKET, SO_RCVBUF, short_or_absent[i].value,
                                         short_or_absent[i].length, &error),
                     SOCKET_ERROR);
        CHECK_EQ_I64(error, WSAEFAULT);
        length = short_or_absent[i].length;
        CHECK_EQ_I64(spi.lpWSPGetSockOpt(s, SOL_SOCKET, SO_RCVBUF, short_or_absent[i].value,
                                         &length, &error),
                     SOCKET_ERROR);
        CHECK_EQ_I64(error, WSAEFAULT);
    }
    CHECK_EQ_I64(spi.lpWSPGetSockOpt(s, SOL_SOCKET, SO_RCVBUF, (char *)&value, NULL, &error), -1);
    CHECK_EQ_I64(error, WSAEFAULT);
    length = sizeof info - 1;
    CHECK_EQ_I64(
        spi.lpWSPGetSockOpt(s, SOL_SOCKET, SO_PROTOCOL_INFOW, (char *)&info, &length, &error), -1);
    CHECK_EQ_I64(error, WSAEFAULT);
    CHECK_EQ_U64(get_option(s, SO_RCVBUF), wire_config().sockets.ring_bytes);
    char one = 1; /* a boolean may be a byte */
    CHECK_EQ_I64(spi.lpWSPSetSockOpt(s, SOL_SOCKET, SO_REUSEADDR, &one, 1, &error), 0);
    CHECK_EQ_U64(get_option(s, SO_REUSEADDR), TRUE);
}

/* --- the bounds of a ring --------------------------------------------------------------------------------- */

SUITE_TEST(options, receive_buffer_bounds_queued_bytes_and_drops_the_newest) // L07
{
    SOCKET s = open_socket(PORT), other = open_socket(OTHER_PORT);
    char room[1000];

    CHECK_EQ_I64(set_option(s, SO_RCVBUF, 1000), 0);
    for (uint64_t i = 0; i < 15; i++) {
        arrive_filled(PORT, 100, i);
        arrive_filled(OTHER_PORT, 100, i);
    }
    struct wirerx_socket_counters counters = counters_of(s);
    CHECK_EQ_U64(counters.queued, 10);
    CHECK_EQ_U64(counters.queued_bytes, 1000);
    CHECK_EQ_U64(counters.delivered, 10);
    CHECK_EQ_U64(counters.drop_ring_full, 5);
    CHECK_EQ_U64(wire_counter("drop.ring_full"), 5);
    CHECK_EQ_U64(counters_of(other).queued, 15); /* no other socket notices */
    CHECK_EQ_U64(receive(s, room, sizeof room).bytes, 100);
    CHECK(frame_is_filled(room, 100, 0));
    arrive_filled(PORT, 100, 15); /* there is room again */
    for (uint64_t i = 1; i < 10; i++) {
        struct wirerx_receive_info info;

        CHECK_EQ_U64(receive(s, room, sizeof room).bytes, 100);
        CHECK(frame_is_filled(room, 100, i));
        CHECK_EQ_I64(wirerx_last_receive(&info), 0);
        CHECK_EQ_U64(info.drops, 0);
    }
    struct wirerx_receive_info info;
    CHECK_EQ_U64(receive(s, room, sizeof room).bytes, 100);
    CHECK(frame_is_filled(room, 100, 15)); /* 10 to 14 are gone, and the reader is told here */
    CHECK_EQ_I64(wirerx_last_receive(&info), 0);
    CHECK_EQ_U64(info.drops, 5);
}

SUITE_TEST(options, datagram_larger_than_the_receive_buffer_gets_through_alone) // L07
{
    SOCKET s = open_socket(PORT);
    char room[1000];

    CHECK_EQ_I64(set_option(s, SO_RCVBUF, 10), 0);
    arrive_filled(PORT, 1000, 1);
    arrive_filled(PORT, 1, 2);
    CHECK_EQ_U64(counters_of(s).queued, 1);
    CHECK_EQ_U64(receive(s, room, sizeof room).bytes, 1000);
    CHECK_EQ_U64(counters_of(s).drop_ring_full, 1);
}

SUITE_TEST(options, slots_bound_queued_datagrams) // L07
{
    SOCKET s = open_socket(PORT);
    char room[16];

    for (unsigned i = 0; i < 300; i++)
        arrive(PORT, &i, sizeof i);
    CHECK_EQ_U64(counters_of(s).queued, 256);
    CHECK_EQ_U64(counters_of(s).drop_ring_full, 44);
    for (unsigned i = 0; i < 256; i++) {
        CHECK_EQ_U64(receive(s, room, sizeof room).bytes, sizeof i);
        CHECK_EQ_MEM(room, &i, sizeof i);
    }
    CHECK_EQ_U64(counters_of(s).queued, 0);
}

/* --- controls ------------------------------------------------------------------------------------------------ */

SUITE_TEST(options, readable_bytes_are_the_first_datagrams) // L08u
{
    SOCKET s = open_socket(PORT);
    u_long readable = UNTOUCHED;
    char room[16];

    CHECK_EQ_I64(ioctlsocket(s, (LONG)FIONREAD, &readable), 0);
    CHECK_EQ_U64(readable, 0);
    arrive_text(PORT, "four");
    arrive_text(PORT, "seven..");
    CHECK_EQ_I64(ioctlsocket(s, (LONG)FIONREAD, &readable), 0);
    CHECK_EQ_U64(readable, 4);
    CHECK_EQ_U64(receive(s, room, 2).bytes, 2);
    CHECK_EQ_I64(ioctlsocket(s, (LONG)FIONREAD, &readable), 0);
    CHECK_EQ_U64(readable, 7);
    SOCKET unbound = make_socket();
    CHECK_EQ_I64(ioctlsocket(unbound, (LONG)FIONREAD, &readable), 0);
    CHECK_EQ_U64(readable, 0);
}

SUITE_TEST(options, bad_controls_are_refused) // L10
{
    SOCKET s = open_socket(PORT);
    char *page = map_pages(1), room[16];
    DWORD returned = 0;
    ULONG value = 1;
    WSAOVERLAPPED overlapped = {.Internal = 11};
    int error = 0;

    arrive_text(PORT, "abc");
    unmap_pages(page, 1);
    CHECK_EQ_I64(control(s, FIONREAD, NULL, 0, &value, sizeof value, &returned), 0);
    CHECK_EQ_U64(returned, sizeof value);
    CHECK_EQ_I64(control(s, FIONREAD, NULL, 0, &value, 3, &returned), WSAEFAULT);
    CHECK_EQ_I64(control(s, FIONREAD, NULL, 0, NULL, 4, &returned), WSAEFAULT);
    CHECK_EQ_I64(control(s, FIONREAD, NULL, 0, page, 4, &returned), WSAEFAULT);
    CHECK_EQ_I64(control(s, FIONREAD, NULL, 0, &value, 4, NULL), WSAEFAULT);
    CHECK_EQ_I64(control(s, FIONREAD, NULL, 0, &value, 4, (DWORD *)(void *)page), WSAEFAULT);
    CHECK_EQ_I64(control(s, FIONBIO, &value, 3, NULL, 0, &returned), WSAEFAULT);
    CHECK_EQ_I64(control(s, FIONBIO, NULL, 4, NULL, 0, &returned), WSAEFAULT);
    CHECK_EQ_I64(control(s, FIONBIO, page, 4, NULL, 0, &returned), WSAEFAULT);
    CHECK_EQ_I64(control(s, FIONBIO, &value, 4, NULL, 0, NULL), WSAEFAULT);
    CHECK_EQ_I64(control(s, SIO_FIND_ROUTE, NULL, 0, NULL, 0, &returned), WSAEOPNOTSUPP);
    CHECK_EQ_I64(control(s, 0, NULL, 0, NULL, 0, &returned), WSAEOPNOTSUPP);
    CHECK_EQ_I64(
        spi.lpWSPIoctl(s, FIONBIO, &value, 4, NULL, 0, &returned, &overlapped, NULL, NULL, &error),
        SOCKET_ERROR);
    CHECK_EQ_U64(overlapped.Internal, 11);
    CHECK_EQ_I64(ioctlsocket(s, (LONG)0x12345678, &(u_long){0}), SOCKET_ERROR);
    /* None of these has made it nonblocking, and nothing is lost. */
    static struct runner blocked;
    CHECK_TEXT(receive(s, room, sizeof room), room, "abc");
    run_blocked(&blocked, s);
    arrive_text(PORT, "blocking");
    finish(&blocked);
    CHECK_TEXT(blocked.outcome, blocked.data, "blocking");
}

/* --- what wirerx.h tells ------------------------------------------------------------------------------------- */

static void have_received_nothing(struct runner *self)
{
    struct wirerx_receive_info info;

    CHECK_EQ_I64(wirerx_last_receive(&info), WSAEINVAL);
    atomic_store(&self->step, 1);
}

SUITE_TEST(options, last_receive_is_the_threads_own) // wirerx_last_receive
{
    SOCKET s = open_socket(PORT);
    struct wirerx_receive_info info;
    static struct runner other;
    uint64_t before = dataplane_tsc(), first;
    char room[16];

    CHECK_EQ_I64(wirerx_last_receive(NULL), WSAEFAULT);
    CHECK_EQ_I64(wirerx_last_receive(&info), WSAEINVAL);
    set_nonblocking(s, true);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEWOULDBLOCK);
    CHECK_EQ_I64(wirerx_last_receive(&info), WSAEINVAL);
    arrive_text(PORT, "a");
    arrive_text(PORT, "b");
    CHECK_TEXT(receive(s, room, sizeof room), room, "a");
    CHECK_EQ_I64(wirerx_last_receive(&info), 0);
    first = info.burst_tsc;
    CHECK_GE_U64(first, before);
    CHECK_LE_U64(first, dataplane_tsc());
    CHECK_TEXT(receive(s, room, sizeof room), room, "b");
    CHECK_EQ_I64(wirerx_last_receive(&info), 0);
    CHECK(info.burst_tsc > first);
    run(&other, have_received_nothing, s, NULL);
    finish(&other);
    CHECK_EQ_U64(atomic_load(&other.step), 1);
    CHECK(wirerx_tsc_hz() > 1000000);
}

SUITE_TEST(options,
           counters_tell_what_became_of_every_datagram) // wirerx_counters, wirerx_socket_counters
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;
    struct wirerx_counter rows[200];
    struct wirerx_socket_counters counters;
    size_t count = 0;
    char room[16];

    pend(s, &posted, 16);
    arrive_text(PORT, "posted");
    arrive_text(PORT, "truncated");
    arrive_text(PORT, "queued");
    arrive_text(OTHER_PORT, "no socket");
    arrive_at(THE_GROUP, PORT, "not joined");
    arrive_at(HERE + 1, PORT, "not our address");
    CHECK_EQ_I64(receive(s, room, 4).error, WSAEMSGSIZE);
    counters = counters_of(s);
    CHECK_EQ_U64(counters.delivered, 3);
    CHECK_EQ_U64(counters.delivered_bytes, 6 + 9 + 6);
    CHECK_EQ_U64(counters.received, 2);
    CHECK_EQ_U64(counters.truncated, 1);
    CHECK_EQ_U64(counters.faulted, 0);
    CHECK_EQ_U64(counters.queued, 1);
    CHECK_EQ_U64(counters.queued_bytes, 6);
    CHECK_EQ_U64(counters.drop_ring_full + counters.drop_pool_share, 0);
    CHECK_EQ_I64(wirerx_socket_counters(s, NULL), WSAEFAULT);
    CHECK_EQ_I64(wirerx_socket_counters(INVALID_SOCKET, &counters), WSAENOTSOCK);
    CHECK_EQ_I64(wirerx_counters(WIRERX_SCOPE_ALL, 0, rows, 200, &count), 0);
    CHECK_LE_U64(count, sizeof rows / sizeof rows[0]);
    for (size_t i = 0; i < count; i++) {
        static const struct {
            const char *name;
            uint64_t value;
        } expected[] = {{"frames", 6},         {"delivered", 3},       {"deliveries", 3},
                        {"drop.no_socket", 1}, {"drop.not_joined", 1}, {"drop.not_our_address", 1}};
        CHECK(rows[i].help != NULL && rows[i].help[0] != '\0');
        for (size_t k = 0; k < sizeof expected / sizeof expected[0]; k++)
            if (strcmp(rows[i].name, expected[k].name) == 0)
                CHECK_MSG(rows[i].value == expected[k].value, "%s: %llu", rows[i].name,
                          (unsigned long long)rows[i].value);
    }
    size_t all = count;
    CHECK_EQ_I64(wirerx_counters(WIRERX_SCOPE_ALL, 0, rows, 3, &count), 0);
    CHECK_EQ_U64(count, all); /* more than there was room for */
    CHECK_EQ_I64(wirerx_counters(WIRERX_SCOPE_ALL, 0, NULL, 0, &count), 0);
    CHECK_EQ_I64(wirerx_counters(WIRERX_SCOPE_ALL, 0, NULL, 1, &count), WSAEFAULT);
    CHECK_EQ_I64(wirerx_counters(WIRERX_SCOPE_ALL, 0, rows, 3, NULL), WSAEFAULT);
    CHECK_EQ_I64(wirerx_counters(WIRERX_SCOPE_PORT, 1, rows, 3, &count), WSAEINVAL);
    CHECK_EQ_I64(wirerx_counters(WIRERX_SCOPE_LCORE, 1, rows, 3, &count), WSAEINVAL);
    CHECK_EQ_I64(wirerx_counters((enum wirerx_scope)7, 0, rows, 3, &count), WSAEINVAL);
    CHECK_EQ_I64(wirerx_counters(WIRERX_SCOPE_LCORE, 0, rows, 3, &count), 0);
}

#endif
