/* SPDX-License-Identifier: BSD-3-Clause */

/* Entries that are refused, each with the code of its page. */

#include "support/suite.h"

#include "harness.h"

#include "protocols.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#if !UNDER_THREAD_SANITIZER

SUITE_FIXTURE(refused, open_quiet, close_all);

/* Each: make the call on this socket with arguments that are good. @return the code */
static int call_accept(SOCKET s, LPINT error)
{
    struct sockaddr_in peer;
    int length = sizeof peer;

    CHECK_EQ_U64(spi.lpWSPAccept(s, (struct sockaddr *)&peer, &length, NULL, 0, error),
                 INVALID_SOCKET);
    return error ? *error : 0;
}

static int call_listen(SOCKET s, LPINT error)
{
    CHECK_EQ_I64(spi.lpWSPListen(s, 5, error), SOCKET_ERROR);
    return error ? *error : 0;
}

static int call_async_select(SOCKET s, LPINT error)
{
    CHECK_EQ_I64(spi.lpWSPAsyncSelect(s, (HWND)&spi, 0x401, FD_READ, error), SOCKET_ERROR);
    return error ? *error : 0;
}

static int call_duplicate(SOCKET s, LPINT error)
{
    WSAPROTOCOL_INFOW info, untouched;

    memset(&untouched, CANARY, sizeof untouched);
    info = untouched;
    CHECK_EQ_I64(spi.lpWSPDuplicateSocket(s, (DWORD)getpid(), &info, error), SOCKET_ERROR);
    CHECK_EQ_MEM(&info, &untouched, sizeof info);
    return error ? *error : 0;
}

static int call_qos(SOCKET s, LPINT error)
{
    WCHAR name[] = u"G711";
    WSABUF buffer = {sizeof name, (char *)name};
    QOS qos, untouched;

    memset(&untouched, CANARY, sizeof untouched);
    qos = untouched;
    CHECK_EQ_I64(spi.lpWSPGetQOSByName(s, &buffer, &qos, error), FALSE);
    CHECK_EQ_MEM(&qos, &untouched, sizeof qos);
    return error ? *error : 0;
}

static WSABUF disconnect_data = {4, (char[]){'l', 'a', 's', 't'}};

static int call_send_disconnect(SOCKET s, LPINT error)
{
    CHECK_EQ_I64(spi.lpWSPSendDisconnect(s, &disconnect_data, error), SOCKET_ERROR);
    return error ? *error : 0;
}

static int call_recv_disconnect(SOCKET s, LPINT error)
{
    CHECK_EQ_I64(spi.lpWSPRecvDisconnect(s, &disconnect_data, error), SOCKET_ERROR);
    return error ? *error : 0;
}

static const struct {
    int (*call)(SOCKET s, LPINT error);
    int error;
} refusals[] = {
    {call_accept, WSAEOPNOTSUPP},
    {call_listen, WSAEOPNOTSUPP},
    {call_async_select, WSAEOPNOTSUPP},
    {call_duplicate, WSAEOPNOTSUPP},
    {call_qos, WSAEINVAL},
    {call_send_disconnect, WSAENOPROTOOPT},
    {call_recv_disconnect, WSAENOPROTOOPT},
};
#define REFUSALS (sizeof refusals / sizeof refusals[0])

SUITE_TEST(refused, datagram_sockets_say_why) // A05 A21
{
    SOCKET s = open_socket(PORT), closed = make_socket();
    char room[16];

    close_socket(closed);
    for (size_t i = 0; i < REFUSALS; i++) {
        int error = 0;

        CHECK_EQ_I64(refusals[i].call(s, &error), refusals[i].error);
        CHECK_EQ_I64(refusals[i].call(closed, &error), WSAENOTSOCK);
        CHECK_EQ_I64(refusals[i].call(INVALID_SOCKET, &error), WSAENOTSOCK);
        refusals[i].call(s, NULL);
    }
    arrive_text(PORT, "as before"); /* the socket is what it was, and still blocks */
    CHECK_TEXT(receive(s, room, sizeof room), room, "as before");
}

SUITE_TEST(refused, no_network_comes_first) // A19
{
    SOCKET s = open_socket(PORT);

    wirerx_stop();
    for (size_t i = 0; i < REFUSALS; i++) {
        int error = 0;

        CHECK_EQ_I64(refusals[i].call(s, &error), WSAENETDOWN);
    }
}

/* --- WSPSendDisconnect, WSPRecvDisconnect ----------------------------------------------------------- */

SUITE_TEST(refused, disconnect_data_that_are_not_there_are_found_out) // A09
{
    SOCKET s = make_socket();
    WSABUF *gone = (WSABUF *)(void *)map_pages(1);
    int error = 0;

    unmap_pages(gone, 1);
    CHECK_EQ_I64(spi.lpWSPSendDisconnect(s, gone, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT);
    CHECK_EQ_I64(spi.lpWSPRecvDisconnect(s, gone, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT);
}

/* Of a protocol with connections it matters first whether there is one. */
SUITE_TEST(refused, disconnect_needs_a_connection_where_there_are_any)
{
    static WSAPROTOCOL_INFOW circuit;
    int error = 0;

    circuit = (WSAPROTOCOL_INFOW){.dwServiceFlags1 = XP1_MESSAGE_ORIENTED | XP1_GUARANTEED_DELIVERY,
                                  .dwCatalogEntryId = 1999,
                                  .iAddressFamily = AF_INET,
                                  .iSocketType = SOCK_SEQPACKET,
                                  .iProtocol = 253};
    provider_further_protocols = &circuit;
    provider_further_count = 1;
    SOCKET s = spi.lpWSPSocket(AF_INET, SOCK_SEQPACKET, 253, NULL, 0, WSA_FLAG_OVERLAPPED, &error);

    CHECK_MSG(s != INVALID_SOCKET, "WSPSocket: %d", error);
    for (int with_data = 0; with_data < 2; with_data++) {
        LPWSABUF data = with_data ? &disconnect_data : NULL;

        CHECK_EQ_I64(spi.lpWSPSendDisconnect(s, data, &error), SOCKET_ERROR);
        CHECK_EQ_I64(error, WSAENOTCONN);
        CHECK_EQ_I64(spi.lpWSPRecvDisconnect(s, data, &error), SOCKET_ERROR);
        CHECK_EQ_I64(error, WSAENOTCONN);
    }
}

/* What either does without data is WSPShutdown's answer. */
SUITE_TEST(refused, disconnect_without_data_is_a_shutdown)
{
    SOCKET s = open_socket(PORT), other = open_socket(OTHER_PORT);
    int error = 0, other_error = 0;

    CHECK_EQ_I64(spi.lpWSPSendDisconnect(s, NULL, &error),
                 spi.lpWSPShutdown(other, SD_SEND, &other_error));
    CHECK_EQ_I64(error, other_error);
    CHECK_EQ_I64(spi.lpWSPRecvDisconnect(s, NULL, &error),
                 spi.lpWSPShutdown(other, SD_RECEIVE, &other_error));
    CHECK_EQ_I64(error, other_error);
    if (other_error == 0) {
        char room[4];

        CHECK_EQ_I64(receive(s, room, sizeof room).error, WSAESHUTDOWN);
    }
}

/* --- WSPDuplicateSocket ---------------------------------------------------------------------------- */

static int duplicate(SOCKET s, DWORD process, void *info)
{
    int error = 0;

    CHECK_EQ_I64(spi.lpWSPDuplicateSocket(s, process, info, &error), SOCKET_ERROR);
    return error;
}

SUITE_TEST(refused, duplicate_finds_the_callers_mistakes_first)
{
    SOCKET s = make_socket();
    WSAPROTOCOL_INFOW info;
    char *page = map_pages(2);
    pid_t child = fork();

    if (child == 0) {
        pause();
        _exit(0);
    }
    CHECK(child > 0);
    CHECK_EQ_I64(duplicate(s, (DWORD)child, &info), WSAEOPNOTSUPP);
    CHECK_EQ_I64(duplicate(s, 1, &info), WSAEOPNOTSUPP); /* another user's, perhaps */
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    CHECK_EQ_I64(duplicate(s, (DWORD)child, &info), WSAEINVAL);
    CHECK_EQ_I64(duplicate(s, 0, &info), WSAEINVAL);
    CHECK_EQ_I64(duplicate(s, UINT32_MAX, &info), WSAEINVAL); /* to kill(), everybody */
    CHECK_EQ_I64(duplicate(s, (DWORD)getpid(), NULL), WSAEFAULT);
    unmap_pages(page + PAGE, 1);
    CHECK_EQ_I64(duplicate(s, (DWORD)getpid(), page + PAGE), WSAEFAULT);
    CHECK_EQ_I64(duplicate(s, (DWORD)getpid(), page + PAGE - 4), WSAEFAULT);
    CHECK_EQ_I64(duplicate(s, (DWORD)getpid(), page), WSAEOPNOTSUPP);
}

/* --- WSPGetQOSByName ------------------------------------------------------------------------------- */

static int qos_by_name(SOCKET s, WSABUF *name, void *qos)
{
    int error = 0;

    CHECK_EQ_I64(spi.lpWSPGetQOSByName(s, name, qos, &error), error == 0);
    return error;
}

SUITE_TEST(refused, list_of_qualities_of_service_is_empty)
{
    SOCKET s = make_socket();
    WCHAR room[8] = {0, 'x', 'y'};
    WSABUF list = {sizeof room, (char *)room};

    CHECK_EQ_I64(qos_by_name(s, &list, NULL), 0);
    CHECK_EQ_U64(room[0], 0); /* the name that ends the list */
    list.len = 2;
    CHECK_EQ_I64(qos_by_name(s, &list, NULL), 0);
    list.len = 1;
    CHECK_EQ_I64(qos_by_name(s, &list, NULL), WSAEFAULT);
    CHECK(WSAGetQOSByName(s, &(WSABUF){2, (char *)room}, NULL));
}

SUITE_TEST(refused, qualities_of_service_that_are_not_there_are_found_out) // A09
{
    SOCKET s = make_socket();
    WCHAR name[] = u"G711";
    WSABUF buffer = {sizeof name, (char *)name}, nowhere = {8, NULL};
    char *gone = map_pages(1);
    QOS qos;

    unmap_pages(gone, 1);
    CHECK_EQ_I64(qos_by_name(s, &buffer, &qos), WSAEINVAL);
    CHECK_EQ_I64(qos_by_name(s, &buffer, NULL), WSAEFAULT);
    CHECK_EQ_I64(qos_by_name(s, &buffer, gone), WSAEFAULT);
    CHECK_EQ_I64(qos_by_name(s, NULL, &qos), WSAEFAULT);
    CHECK_EQ_I64(qos_by_name(s, (WSABUF *)(void *)gone, &qos), WSAEFAULT);
    CHECK_EQ_I64(qos_by_name(s, &nowhere, &qos), WSAEFAULT);
    nowhere.buf = gone;
    CHECK_EQ_I64(qos_by_name(s, &nowhere, &qos), WSAEFAULT);
}

#endif
