/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPStartup, its tables, and what of them is served: clauses O. */

#include "support/suite.h"

#include "harness.h"

#include <stddef.h>

#include "host/host.h"

#if !UNDER_THREAD_SANITIZER

SUITE_FIXTURE(spi, open_winsock, close_winsock);

SUITE_TEST(spi, startup_fills_all_thirty_entries) // O01 O02
{
    WSPPROC_TABLE table;
    WSPDATA data;
    WSAPROTOCOL_INFOW protocol = {0};
    int error = 0;
    void *entries[sizeof table / sizeof(void *)];

    CHECK_EQ_U64(sizeof table / sizeof(void *), 30);
    CHECK_EQ_U64(sizeof(WSPUPCALLTABLE) / sizeof(void *), 15);
    memset(&table, 0, sizeof table);
    memset(&data, CANARY, sizeof data);
    CHECK_EQ_I64(WSPStartup(MAKEWORD(2, 2), &data, &protocol, host_upcalls(), &table), 0);
    memcpy(entries, &table, sizeof table);
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++)
        CHECK_MSG(entries[i] != NULL, "entry %zu is NULL", i);
    CHECK_EQ_U64(data.wVersion, MAKEWORD(2, 2));
    CHECK_EQ_U64(data.wHighVersion, MAKEWORD(2, 2));
    CHECK(data.szDescription[0] != 0);
    CHECK_EQ_I64(table.lpWSPCleanup(&error), 0); /* O02: the fixture's still holds */
    CHECK_EQ_I64(table.lpWSPCleanup(&error), 0);
    CHECK_EQ_I64(table.lpWSPCleanup(&error), 0); /* the API's */
    CHECK_EQ_I64(table.lpWSPCleanup(&error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSANOTINITIALISED);
    CHECK_EQ_I64(WSPStartup(MAKEWORD(2, 2), &data, &protocol, host_upcalls(), &table), 0);
    CHECK_EQ_I64(WSPStartup(MAKEWORD(2, 2), &data, &protocol, host_upcalls(), &table), 0);
}

SUITE_TEST(spi, startup_negotiates_or_refuses) // O01
{
    WSPPROC_TABLE table;
    WSPDATA data;
    WSAPROTOCOL_INFOW protocol = {0};
    WSPUPCALLTABLE upcalls = host_upcalls();
    int error = 0;
    static const struct {
        WORD version;
        int error;
    } rows[] = {{MAKEWORD(1, 1), WSAVERNOTSUPPORTED},
                {MAKEWORD(2, 0), WSAVERNOTSUPPORTED},
                {MAKEWORD(2, 1), WSAVERNOTSUPPORTED},
                {MAKEWORD(2, 2), 0},
                {MAKEWORD(2, 3), 0},
                {MAKEWORD(3, 0), 0}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        CHECK_EQ_I64(WSPStartup(rows[i].version, &data, &protocol, upcalls, &table), rows[i].error);
        if (rows[i].error == 0) {
            CHECK_EQ_U64(data.wVersion, MAKEWORD(2, 2));
            CHECK_EQ_I64(table.lpWSPCleanup(&error), 0);
        }
    }
    CHECK_EQ_I64(WSPStartup(MAKEWORD(2, 2), NULL, &protocol, upcalls, &table), WSAEFAULT);
    CHECK_EQ_I64(WSPStartup(MAKEWORD(2, 2), &data, &protocol, upcalls, NULL), WSAEFAULT);
    upcalls.lpWPUSetEvent = NULL; /* another host, while the first one still is there */
    CHECK_EQ_I64(WSPStartup(MAKEWORD(2, 2), &data, &protocol, upcalls, &table),
                 WSAEPROVIDERFAILEDINIT);
}

SUITE_TEST(spi, every_entry_is_served)
{
    WSPPROC_TABLE table = spi;
    void *const *entries = (void *const *)(void *)&table;

    for (size_t i = 0; i < sizeof table / sizeof *entries; i++)
        CHECK_NE_PTR(entries[i], NULL);
}

SUITE_TEST(spi, structures_are_those_of_windows) // O08
{
    CHECK_EQ_U64(sizeof(WSABUF), 16);
    CHECK_EQ_U64(offsetof(WSABUF, len), 0);
    CHECK_EQ_U64(offsetof(WSABUF, buf), 8);
    CHECK_EQ_U64(sizeof(WSAOVERLAPPED), 32);
    CHECK_EQ_U64(offsetof(WSAOVERLAPPED, Internal), 0);
    CHECK_EQ_U64(offsetof(WSAOVERLAPPED, InternalHigh), 8);
    CHECK_EQ_U64(offsetof(WSAOVERLAPPED, Offset), 16);
    CHECK_EQ_U64(offsetof(WSAOVERLAPPED, OffsetHigh), 20);
    CHECK_EQ_U64(offsetof(WSAOVERLAPPED, hEvent), 24);
    CHECK_EQ_U64(sizeof(DWORD), 4);
    CHECK_EQ_U64(sizeof(LONG), 4);
    CHECK_EQ_U64(sizeof(u_long), 4);
    fd_set set;
    FD_ZERO(&set);
    FD_SET((SOCKET)1000, &set); /* an array of handles, not a bit per number */
    CHECK_EQ_U64(set.fd_count, 1);
    CHECK_EQ_U64(set.fd_array[0], 1000);
    CHECK(WPUFDIsSet(1000, &set));
    CHECK(!WPUFDIsSet(1004, &set));
}

#endif
