/* SPDX-License-Identifier: BSD-3-Clause */

/* The host's services for a provider. */

#include "support/suite.h"

#include "helpers.h"

#include "provider/guard.h"
#include "provider/host/catalogue.h"

#include <stdio.h>
#include <string.h>

SUITE_TEST(upcalls, table_has_15_functions_and_is_known_as_our_own)
{
    WSPUPCALLTABLE table = host_upcalls();
    WSPUPCALLTABLE foreign = table;
    void *functions[15];

    CHECK_EQ_U64(sizeof(table), sizeof(functions));
    memcpy(functions, &table, sizeof(table));
    for (int i = 0; i < 15; i++)
        CHECK(functions[i] != NULL);
    CHECK(host_is_own(&table));
    foreign.lpWPUSetEvent = table.lpWPUResetEvent;
    CHECK(!host_is_own(&foreign));
    /* A host that passes our exported services on is a host of its own: it reserves no places. */
    foreign = table;
    foreign.lpWPUQueueApc = WPUQueueApc;
    CHECK(!host_is_own(&foreign));
}

SUITE_TEST(upcalls, socket_handle_is_the_context) // O04
{
    WSPUPCALLTABLE table = host_upcalls();
    DWORD_PTR context = 0;
    int error = 0;
    SOCKET s = table.lpWPUCreateSocketHandle(1001, 0x0123456789abcdef, &error);

    CHECK_EQ_U64(s, 0x0123456789abcdef);
    CHECK_EQ_I64(table.lpWPUQuerySocketHandleContext(s, &context, &error), 0);
    CHECK_EQ_U64(context, 0x0123456789abcdef);
    CHECK_EQ_I64(table.lpWPUQuerySocketHandleContext(s, NULL, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT);
    CHECK_EQ_I64(table.lpWPUCloseSocketHandle(s, &error), 0);
    CHECK_EQ_I64(table.lpWPUQuerySocketHandleContext(INVALID_SOCKET, &context, &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAENOTSOCK);
    CHECK_EQ_I64(table.lpWPUCloseSocketHandle(INVALID_SOCKET, NULL), SOCKET_ERROR);
    CHECK_EQ_U64(table.lpWPUCreateSocketHandle(1001, INVALID_SOCKET, &error), INVALID_SOCKET);
    CHECK_EQ_U64(table.lpWPUModifyIFSHandle(1001, 5, &error), INVALID_SOCKET);
    CHECK_EQ_I64(error, WSAEINVAL);
}

SUITE_TEST(upcalls, what_has_no_meaning_here_says_so)
{
    WSPUPCALLTABLE table = host_upcalls();
    LPBLOCKINGCALLBACK callback = (LPBLOCKINGCALLBACK)(uintptr_t)host_is_own;
    DWORD_PTR context = 7;
    int error = 0;

    CHECK(!table.lpWPUPostMessage(NULL, 0, 0, 0));
    CHECK_EQ_I64(table.lpWPUQueryBlockingCallback(1001, &callback, &context, &error), 0);
    CHECK(callback == NULL);
    CHECK_EQ_I64(table.lpWPUQueryBlockingCallback(1001, NULL, &context, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT);
}

SUITE_TEST(upcalls, fd_is_set_looks_into_the_array)
{
    fd_set set;

    FD_ZERO(&set);
    FD_SET(0x123456789abc, &set);
    CHECK(WPUFDIsSet(0x123456789abc, &set) != 0);
    CHECK(WPUFDIsSet(0x23456789abc, &set) == 0);
    CHECK(WPUFDIsSet(1, NULL) == 0);
}

SUITE_TEST(upcalls, provider_path_is_that_of_the_library)
{
    GUID ours = catalogue[0].ProviderId;
    GUID other = ours;
    WCHAR path[4096];
    int size = 4096;
    int error = 0;

    CHECK_EQ_I64(WPUGetProviderPath(&ours, path, &size, &error), 0);
    CHECK(size > 1 && size < 4096);
    CHECK_EQ_U64(path[size - 1], 0);
    CHECK(path[size - 2] != 0);
    int room = size - 1;
    CHECK_EQ_I64(WPUGetProviderPath(&ours, path, &room, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT);
    CHECK_EQ_I64(WPUGetProviderPath(&ours, path, &size, &error), 0);
    other.Data1++;
    CHECK_EQ_I64(WPUGetProviderPath(&other, path, &size, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEINVAL);
    CHECK_EQ_I64(WPUGetProviderPath(NULL, path, &size, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT);
}

/* --- WPUCompleteOverlappedRequest ------------------------------------------------------------- */

static bool only_5_is_open(SOCKET s)
{
    return s == 5;
}

SUITE_TEST(upcalls, completion_fills_the_record_and_sets_the_event) // O06
{
    static const struct {
        DWORD error;
        DWORD status;
    } rows[] = {{0, STATUS_SUCCESS},
                {WSAEMSGSIZE, STATUS_BUFFER_OVERFLOW},
                {WSA_OPERATION_ABORTED, STATUS_CANCELLED},
                {WSAEFAULT, STATUS_ACCESS_VIOLATION},
                {WSAECONNRESET, STATUS_CONNECTION_RESET},
                {4711, STATUS_UNSUCCESSFUL}};
    HANDLE event = WSACreateEvent();
    int error = 0;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        WSAOVERLAPPED overlapped = {.Internal = STATUS_PENDING, .Offset = 8, .OffsetHigh = 9};

        overlapped.hEvent = (HANDLE)((uintptr_t)event | 1); // D14
        CHECK(WSAResetEvent(event));
        CHECK_EQ_I64(WPUCompleteOverlappedRequest(5, &overlapped, rows[i].error, 99, &error), 0);
        CHECK_EQ_U64(overlapped.Internal, rows[i].status);
        CHECK_EQ_U64(overlapped.InternalHigh, 99);
        CHECK_EQ_U64(overlapped.Offset, 8);
        CHECK_EQ_U64(overlapped.OffsetHigh, 9);
        CHECK_EQ_U64(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    }
}

SUITE_TEST(upcalls, completion_needs_a_socket_but_no_event) // O06
{
    WSAOVERLAPPED overlapped = {.Internal = STATUS_PENDING};
    int error = 0;

    host_check_sockets_by(only_5_is_open);
    CHECK_EQ_I64(WPUCompleteOverlappedRequest(6, &overlapped, 0, 1, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEINVAL);
    CHECK_EQ_I64(WPUCompleteOverlappedRequest(INVALID_SOCKET, &overlapped, 0, 1, &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEINVAL);
    CHECK_EQ_U64(overlapped.Internal, STATUS_PENDING);
    CHECK_EQ_I64(WPUCompleteOverlappedRequest(5, &overlapped, 0, 1, &error), 0);
    CHECK_EQ_U64(overlapped.Internal, STATUS_SUCCESS);
    overlapped.hEvent = WSACreateEvent();
    CHECK(WSACloseEvent(overlapped.hEvent));
    CHECK_EQ_I64(WPUCompleteOverlappedRequest(5, &overlapped, 0, 1, &error), 0);
}

SUITE_TEST(upcalls, completion_into_memory_that_is_not_there_fails)
{
    int error = 0;

    CHECK_EQ_I64(guard_install(), 0);
    CHECK_EQ_I64(WPUCompleteOverlappedRequest(5, NULL, 0, 1, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT);
    CHECK_EQ_I64(WPUCompleteOverlappedRequest(5, (LPWSAOVERLAPPED)16, 0, 1, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT);
    guard_remove();
}
