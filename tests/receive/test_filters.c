/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPIoctl: controls that take or give all sources of a group at once. Which reports they make, and what else a
 * filter lets through, is the dataplane's to test. */

#include "support/suite.h"

#include "harness.h"

#include <stddef.h>
#include <sys/mman.h>

#if !UNDER_THREAD_SANITIZER

SUITE_FIXTURE(filters, open_quiet, close_all);

#define MOST 64u
#define HEAD ((DWORD)offsetof(IP_MSFILTER, imsf_slist))
#define BYTES(count) ((DWORD)IP_MSFILTER_SIZE(count))

/* One with room for a source more than there may be. */
union filter {
    IP_MSFILTER head;
    struct {
        uint8_t head_bytes[16];
        IN_ADDR list[MOST + 1];
    } all;
};

_Static_assert(offsetof(IP_MSFILTER, imsf_slist) == 16, "the list is where the union has it");

/* The sources from SENDER + first on. */
static union filter filter_of(MULTICAST_MODE_TYPE mode, ULONG count, uint32_t first)
{
    union filter filter;

    memset(&filter, 0, sizeof filter);
    filter.head.imsf_multiaddr.s_addr = htonl(THE_GROUP);
    filter.head.imsf_fmode = mode;
    filter.head.imsf_numsrc = count;
    for (uint32_t i = 0; i < count && i <= MOST; i++)
        filter.all.list[i].s_addr = htonl(SENDER + first + i);
    return filter;
}

static int set(SOCKET s, void *filter, DWORD bytes)
{
    DWORD returned = UNTOUCHED;
    int error = control(s, SIO_SET_MULTICAST_FILTER, filter, bytes, NULL, 0, &returned);

    CHECK_EQ_U64(returned, error == 0 ? 0 : UNTOUCHED);
    return error;
}

/* As getipv4sourcefilter() of Windows asks, by one buffer for both. */
static int get(SOCKET s, union filter *filter, ULONG room, DWORD *returned)
{
    *filter = filter_of(MCAST_INCLUDE, 0, 0);
    memset(filter->all.list, CANARY, sizeof filter->all.list);
    filter->head.imsf_numsrc = room;
    *returned = UNTOUCHED;
    return control(s, SIO_GET_MULTICAST_FILTER, filter, BYTES(room), filter, BYTES(room), returned);
}

static bool lists(const union filter *filter, ULONG count, uint32_t source)
{
    for (ULONG i = 0; i < count; i++)
        if (filter->all.list[i].s_addr == htonl(source))
            return true;
    return false;
}

static void check_filter(SOCKET s, MULTICAST_MODE_TYPE mode, ULONG count, uint32_t first)
{
    union filter filter;
    DWORD returned;

    CHECK_EQ_I64(get(s, &filter, MOST, &returned), 0);
    CHECK_EQ_U64(returned, BYTES(count));
    CHECK_EQ_U64(filter.head.imsf_multiaddr.s_addr, htonl(THE_GROUP));
    CHECK_EQ_U64(filter.head.imsf_interface.s_addr, 0);
    CHECK_EQ_U64(filter.head.imsf_fmode, mode);
    CHECK_EQ_U64(filter.head.imsf_numsrc, count);
    for (uint32_t i = 0; i < count; i++)
        CHECK(lists(&filter, count, SENDER + first + i));
    for (ULONG i = count; i < MOST; i++)
        CHECK_EQ_U64(filter.all.list[i].s_addr, 0x01010101u * CANARY);
}

SUITE_TEST(filters, are_set_and_given_and_what_they_say_is_delivered) // SIO_SET_MULTICAST_FILTER
{
    SOCKET s = open_socket(PORT);
    const struct {
        MULTICAST_MODE_TYPE mode;
        ULONG count;
        uint32_t first; /* 0 is SENDER itself */
        unsigned delivered;
    } rows[] = {
        {MCAST_INCLUDE, 0, 0, 0}, {MCAST_INCLUDE, 3, 1, 0}, {MCAST_INCLUDE, MOST, 0, 1},
        {MCAST_EXCLUDE, 2, 0, 0}, {MCAST_EXCLUDE, 2, 1, 1}, {MCAST_EXCLUDE, MOST, 1, 1},
        {MCAST_EXCLUDE, 0, 0, 1}, {MCAST_INCLUDE, 1, 0, 1}, {MCAST_INCLUDE, 0, 0, 0},
        {MCAST_INCLUDE, 0, 0, 0},
    };
    char room[16];

    check_filter(s, MCAST_INCLUDE, 0, 0); /* not joined */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        union filter filter = filter_of(rows[i].mode, rows[i].count, rows[i].first);

        CHECK_EQ_I64(set(s, &filter, BYTES(rows[i].count)), 0);
        check_filter(s, rows[i].mode, rows[i].count, rows[i].first);
        arrive_at(THE_GROUP, PORT, "quote");
        CHECK_EQ_U64(counters_of(s).queued, rows[i].delivered);
        if (rows[i].delivered)
            CHECK_TEXT(receive(s, room, sizeof room), room, "quote");
    }
    CHECK_EQ_I64(leave(s, THE_GROUP), WSAEADDRNOTAVAIL);
}

SUITE_TEST(filters, are_those_of_the_options) // IP_ADD_MEMBERSHIP
{
    SOCKET s = make_socket();
    union filter filter = filter_of(MCAST_EXCLUDE, 2, 1);
    IP_MREQ_SOURCE request = {.imr_multiaddr.s_addr = htonl(THE_GROUP),
                              .imr_sourceaddr.s_addr = htonl(SENDER)};
    int error = 0;

    CHECK_EQ_I64(set(s, &filter, BYTES(2)), 0); /* before it is bound */
    CHECK_EQ_I64(join(s, THE_GROUP), WSAEADDRINUSE);
    CHECK_EQ_I64(spi.lpWSPSetSockOpt(s, IPPROTO_IP, IP_BLOCK_SOURCE, (char *)&request,
                                     sizeof request, &error),
                 0);
    check_filter(s, MCAST_EXCLUDE, 3, 0);
    CHECK_EQ_I64(leave(s, THE_GROUP), 0);
    check_filter(s, MCAST_INCLUDE, 0, 0);
    CHECK_EQ_I64(join(s, THE_GROUP), 0);
    check_filter(s, MCAST_EXCLUDE, 0, 0);
    filter = filter_of(MCAST_INCLUDE, 4, 9);
    filter.all.list[2] = filter.all.list[3] = filter.all.list[0]; /* is one source */
    CHECK_EQ_I64(set(s, &filter, BYTES(4)), 0);
    check_filter(s, MCAST_INCLUDE, 2, 9);
}

SUITE_TEST(filters, are_given_as_far_as_there_is_room) // SIO_GET_MULTICAST_FILTER
{
    SOCKET s = open_socket(PORT);
    union filter filter = filter_of(MCAST_EXCLUDE, 10, 1);
    DWORD returned;

    CHECK_EQ_I64(set(s, &filter, sizeof filter), 0); /* more bytes than there need be */
    for (ULONG room = 0; room < 13; room++) {
        ULONG given = room < 10 ? room : 10;

        CHECK_EQ_I64(get(s, &filter, room, &returned), 0);
        CHECK_EQ_U64(returned, BYTES(given));
        CHECK_EQ_U64(filter.head.imsf_numsrc, 10); /* all the same */
        CHECK_EQ_U64(filter.head.imsf_fmode, MCAST_EXCLUDE);
        for (ULONG i = 0; i < given; i++) {
            uint32_t source = ntohl(filter.all.list[i].s_addr);

            CHECK(source > SENDER && source <= SENDER + 10 && !lists(&filter, i, source));
        }
        CHECK_EQ_U64(filter.all.list[given].s_addr, 0x01010101u * CANARY);
    }
    /* A count that the buffer has no room for. */
    filter = filter_of(MCAST_INCLUDE, 0, 0);
    filter.head.imsf_numsrc = UINT32_MAX;
    for (DWORD bytes = 0; bytes < BYTES(10); bytes++) {
        returned = 0;
        CHECK_EQ_I64(control(s, SIO_GET_MULTICAST_FILTER, &filter, HEAD, &filter, bytes, &returned),
                     WSAEFAULT);
        CHECK_EQ_U64(returned, BYTES(10));
    }
    CHECK_EQ_I64(control(s, SIO_GET_MULTICAST_FILTER, &filter, HEAD, &filter, BYTES(10), &returned),
                 0);
    CHECK_EQ_U64(filter.head.imsf_numsrc, 10);
}

SUITE_TEST(filters, that_cannot_be_are_refused) // O07 L10
{
    SOCKET s = open_socket(PORT);
    union filter good = filter_of(MCAST_INCLUDE, 2, 1), bad[8];
    DWORD returned = UNTOUCHED;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        bad[i] = good;
    bad[0].head.imsf_multiaddr.s_addr = htonl(HERE);
    bad[1].head.imsf_interface.s_addr = htonl(HERE + 1);
    bad[2].head.imsf_interface.s_addr = htonl(2);
    bad[3].all.list[1].s_addr = 0;
    bad[4].all.list[1].s_addr = htonl(THE_GROUP);
    bad[5].head.imsf_fmode = (MULTICAST_MODE_TYPE)2;
    bad[6].head.imsf_numsrc = UINT32_MAX; /* of which the bytes would be few again */
    bad[7].head.imsf_numsrc = 0x40000002;
    const struct {
        void *filter;
        DWORD bytes;
        int error;
    } rows[] = {{&bad[0], BYTES(2), WSAEADDRNOTAVAIL},
                {&bad[1], BYTES(2), WSAEADDRNOTAVAIL},
                {&bad[2], BYTES(2), WSAEADDRNOTAVAIL},
                {&bad[3], BYTES(2), WSAEADDRNOTAVAIL},
                {&bad[4], BYTES(2), WSAEADDRNOTAVAIL},
                {&bad[5], BYTES(2), WSAEINVAL},
                {&bad[6], BYTES(2), WSAEFAULT},
                {&bad[7], BYTES(2), WSAEFAULT},
                {&good, BYTES(2) - 1, WSAEFAULT},
                {&good, HEAD - 1, WSAEFAULT},
                {&good, 0, WSAEFAULT},
                {NULL, BYTES(2), WSAEFAULT}};

    CHECK_EQ_I64(set(s, &good, BYTES(2)), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CHECK_EQ_I64(set(s, rows[i].filter, rows[i].bytes), rows[i].error);
    bad[0] = filter_of(MCAST_EXCLUDE, MOST + 1, 0);
    CHECK_EQ_I64(set(s, &bad[0], BYTES(MOST + 1)), WSAENOBUFS);
    CHECK_EQ_I64(set(s, &bad[0], BYTES(MOST + 1) - 1), WSAEFAULT);
    for (size_t i = 0; i < 3; i++) {
        bad[0].head.imsf_multiaddr.s_addr = htonl(HERE);
        CHECK_EQ_I64(
            control(s, SIO_GET_MULTICAST_FILTER, &bad[i], HEAD, &bad[3], BYTES(9), &returned),
            WSAEADDRNOTAVAIL);
    }
    CHECK_EQ_U64(returned, UNTOUCHED);
    CHECK_EQ_I64(control(s, SIO_SET_MULTICAST_FILTER, &good, BYTES(2), NULL, 0, NULL), WSAEFAULT);
    CHECK_EQ_I64(control(s, SIO_GET_MULTICAST_FILTER, &good, HEAD, &bad[3], BYTES(9), NULL),
                 WSAEFAULT);
    check_filter(s, MCAST_INCLUDE, 2, 1);
    close_socket(s);
    CHECK_EQ_I64(set(s, &good, BYTES(2)), WSAENOTSOCK);
    CHECK_EQ_I64(get(s, &bad[0], 2, &returned), WSAENOTSOCK);
}

SUITE_TEST(filters, in_memory_that_is_not_there_are_refused) // WSAEFAULT
{
    SOCKET s = open_socket(PORT);
    union filter good = filter_of(MCAST_INCLUDE, 2, 1), answer;
    char *pages = map_pages(2);
    DWORD returned = UNTOUCHED;

    unmap_pages(pages + PAGE, 1);
    for (DWORD there = 0; there <= BYTES(2); there += 4) {
        char *edge = pages + PAGE - there;

        memcpy(edge, &good, there);
        CHECK_EQ_I64(set(s, edge, BYTES(2)), there == BYTES(2) ? 0 : WSAEFAULT);
        check_filter(s, MCAST_INCLUDE, there == BYTES(2) ? 2 : 0, 1);
    }
    for (DWORD there = 0; there <= BYTES(2); there += 4) {
        int error = there == BYTES(2) ? 0 : WSAEFAULT;

        CHECK_EQ_I64(control(s, SIO_GET_MULTICAST_FILTER, &good, HEAD, pages + PAGE - there,
                             BYTES(2), &returned),
                     error);
        CHECK_EQ_U64(returned, BYTES(2));
    }
    CHECK_EQ_I64(control(s, SIO_GET_MULTICAST_FILTER, pages + PAGE - HEAD + 4, HEAD, &answer,
                         BYTES(2), &returned),
                 WSAEFAULT);
    CHECK_EQ_I64(control(s, SIO_GET_MULTICAST_FILTER, &good, HEAD, &answer, BYTES(2),
                         (DWORD *)(void *)(pages + PAGE)),
                 WSAEFAULT);
    protect_pages(pages, 1, PROT_READ);
    CHECK_EQ_I64(control(s, SIO_GET_MULTICAST_FILTER, &good, HEAD, pages, BYTES(2), &returned),
                 WSAEFAULT);
    unmap_pages(pages, 1);
}

SUITE_TEST(filters, need_a_network) // A19
{
    SOCKET s = open_socket(PORT);
    union filter filter = filter_of(MCAST_EXCLUDE, 0, 0);
    DWORD returned;

    wire_stop();
    CHECK_EQ_I64(set(s, &filter, BYTES(0)), WSAENETDOWN);
    CHECK_EQ_I64(get(s, &filter, 0, &returned), WSAENETDOWN);
}

#endif
