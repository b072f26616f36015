/* SPDX-License-Identifier: BSD-3-Clause */

/* The client calls that a provider answers: what they pass on, and what they make of the answer. */

#include "support/suite.h"

#include "helpers.h"
#include "stub_provider.h"

#include <string.h>

static void start(void)
{
    WSADATA data;

    CHECK_EQ_I64(WSAStartup(MAKEWORD(2, 2), &data), 0);
}

/* Everything else leaves this behind, so that a function that forgets to set the code is found. */
static void poison(void)
{
    stub.called = "nothing";
    WSASetLastError(4711);
}

static char bytes[8];
static u_long number = 1;
static DWORD count, flags;
static int length = 16;
static struct sockaddr_in address;
static WSAOVERLAPPED overlapped;
static WSABUF buffer = {sizeof(bytes), bytes};
static u_short short_number;
static WSANETWORKEVENTS recorded;
static fd_set set = {.fd_count = 1, .fd_array = {9}};
static WCHAR text_w[32];
static CHAR text_a[32];
static DWORD text_length = 32;
static WSAPROTOCOL_INFOW entry_w;
static WSAPROTOCOL_INFOA entry_a;

static void CALLBACK completed(DWORD dwError, DWORD cbTransferred, LPWSAOVERLAPPED lpOverlapped,
                               DWORD dwFlags)
{
    (void)dwError;
    (void)cbTransferred;
    (void)lpOverlapped;
    (void)dwFlags;
}

/* Each: make the call with arguments that are good. @return has it succeeded? */
#define CALL(name, expression)    \
    static bool call_##name(void) \
    {                             \
        return expression;        \
    }

#define NAME ((struct sockaddr *)&address)
CALL(socket, socket(AF_INET, SOCK_DGRAM, 0) != INVALID_SOCKET)
CALL(socket_w, WSASocketW(AF_INET, SOCK_DGRAM, 0, NULL, 0, 0) != INVALID_SOCKET)
CALL(socket_a, WSASocketA(AF_INET, SOCK_DGRAM, 0, NULL, 0, 0) != INVALID_SOCKET)
CALL(close, closesocket(9) == 0)
CALL(bind, bind(9, NAME, sizeof(address)) == 0)
CALL(getsockname, getsockname(9, NAME, &length) == 0)
CALL(setsockopt, setsockopt(9, SOL_SOCKET, SO_RCVBUF, bytes, 4) == 0)
CALL(getsockopt, getsockopt(9, SOL_SOCKET, SO_RCVBUF, bytes, &length) == 0)
CALL(ioctlsocket, ioctlsocket(9, (LONG)FIONBIO, &number) == 0)
CALL(ioctl, WSAIoctl(9, FIONREAD, NULL, 0, &number, 4, &count, NULL, NULL) == 0)
CALL(recv, recv(9, bytes, 8, 0) == 5)
CALL(recvfrom, recvfrom(9, bytes, 8, 0, NAME, &length) == 6)
CALL(wsa_recv, WSARecv(9, &buffer, 1, &count, &flags, NULL, NULL) == 0)
CALL(wsa_recvfrom, WSARecvFrom(9, &buffer, 1, &count, &flags, NAME, &length, NULL, NULL) == 0)
CALL(result, WSAGetOverlappedResult(9, &overlapped, &count, FALSE, &flags) == TRUE)
CALL(accept, accept(9, NAME, &length) != INVALID_SOCKET)
CALL(wsa_accept, WSAAccept(9, NAME, &length, NULL, 0) != INVALID_SOCKET)
CALL(connect, connect(9, NAME, 16) == 0)
CALL(wsa_connect, WSAConnect(9, NAME, 16, NULL, NULL, NULL, NULL) == 0)
CALL(getpeername, getpeername(9, NAME, &length) == 0)
CALL(listen, listen(9, 5) == 0)
CALL(shutdown, shutdown(9, SD_BOTH) == 0)
CALL(send_disconnect, WSASendDisconnect(9, NULL) == 0)
CALL(recv_disconnect, WSARecvDisconnect(9, NULL) == 0)
CALL(send, send(9, bytes, 8, 0) == 7)
CALL(sendto, sendto(9, bytes, 8, 0, NAME, 16) == 8)
CALL(wsa_send, WSASend(9, &buffer, 1, &count, 0, NULL, NULL) == 0)
CALL(wsa_sendto, WSASendTo(9, &buffer, 1, &count, 0, NAME, 16, NULL, NULL) == 0)
CALL(event_select, WSAEventSelect(9, &number, FD_READ) == 0)
CALL(enum_events, WSAEnumNetworkEvents(9, NULL, &recorded) == 0)
CALL(async_select, WSAAsyncSelect(9, NULL, 5, FD_READ) == 0)
CALL(duplicate_w, WSADuplicateSocketW(9, 1, &entry_w) == 0)
CALL(duplicate_a, WSADuplicateSocketA(9, 1, &entry_a) == 0)
CALL(qos, WSAGetQOSByName(9, &buffer, NULL) == TRUE)
CALL(htonl, WSAHtonl(9, 1, &number) == 0)
CALL(htons, WSAHtons(9, 1, &short_number) == 0)
CALL(ntohl, WSANtohl(9, 1, &number) == 0)
CALL(ntohs, WSANtohs(9, 1, &short_number) == 0)
CALL(to_string_w, WSAAddressToStringW(NAME, 16, NULL, text_w, &text_length) == 0)
CALL(to_string_a, WSAAddressToStringA(NAME, 16, NULL, text_a, &text_length) == 0)
CALL(to_address_w, WSAStringToAddressW(text_w, AF_INET, NULL, NAME, &length) == 0)
CALL(to_address_a, WSAStringToAddressA(text_a, AF_INET, NULL, NAME, &length) == 0)
CALL(select, wirerx_select(0, &set, NULL, NULL, NULL) == 3)
CALL(joinleaf, WSAJoinLeaf(9, NAME, 16, NULL, NULL, NULL, NULL, JL_BOTH) != INVALID_SOCKET)

static const struct {
    bool (*call)(void);
    const char *called;
    bool without_socket; /* it takes none */
} calls[] = {
    {call_socket, "socket", true},
    {call_socket_w, "socket", true},
    {call_socket_a, "socket", true},
    {call_close, "close", false},
    {call_bind, "bind", false},
    {call_getsockname, "getsockname", false},
    {call_setsockopt, "setsockopt", false},
    {call_getsockopt, "getsockopt", false},
    {call_ioctlsocket, "ioctl", false},
    {call_ioctl, "ioctl", false},
    {call_recv, "recv", false},
    {call_recvfrom, "recvfrom", false},
    {call_wsa_recv, "recv", false},
    {call_wsa_recvfrom, "recvfrom", false},
    {call_result, "result", false},
    {call_accept, "accept", false},
    {call_wsa_accept, "accept", false},
    {call_connect, "connect", false},
    {call_wsa_connect, "connect", false},
    {call_getpeername, "getpeername", false},
    {call_listen, "listen", false},
    {call_shutdown, "shutdown", false},
    {call_send_disconnect, "senddisconnect", false},
    {call_recv_disconnect, "recvdisconnect", false},
    {call_send, "send", false},
    {call_sendto, "sendto", false},
    {call_wsa_send, "send", false},
    {call_wsa_sendto, "sendto", false},
    {call_event_select, "eventselect", false},
    {call_enum_events, "enumevents", false},
    {call_async_select, "asyncselect", false},
    {call_select, "select", true},
    {call_duplicate_w, "duplicate", false},
    {call_duplicate_a, "duplicate", false},
    {call_qos, "qos", false},
    {call_htonl, "getsockopt", false},
    {call_htons, "getsockopt", false},
    {call_ntohl, "getsockopt", false},
    {call_ntohs, "getsockopt", false},
    {call_to_string_w, "tostring", true},
    {call_to_string_a, "tostring", true},
    {call_to_address_w, "toaddress", true},
    {call_to_address_a, "toaddress", true},
    {call_joinleaf, "joinleaf", false},
};

SUITE_TEST(api, calls_need_a_startup)
{
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
            poison();
            CHECK_MSG(!calls[i].call(), "%s", calls[i].called);
            CHECK_EQ_I64(WSAGetLastError(), WSANOTINITIALISED);
            CHECK_EQ_STR(stub.called, "nothing");
        }
        start();
        CHECK_EQ_I64(WSACleanup(), 0);
    }
}

SUITE_TEST(api, calls_reach_the_provider_and_report_its_code) // A02
{
    start();
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        poison();
        stub.error = 0;
        CHECK_MSG(calls[i].call(), "%s", calls[i].called);
        CHECK_EQ_I64(WSAGetLastError(), 0);
        CHECK_EQ_STR(stub.called, calls[i].called);
        if (!calls[i].without_socket)
            CHECK_EQ_U64(stub.s, 9);
        poison();
        stub.error = WSAENETDOWN;
        CHECK_MSG(!calls[i].call(), "%s", calls[i].called);
        CHECK_EQ_I64(WSAGetLastError(), WSAENETDOWN);
        CHECK_EQ_STR(stub.called, calls[i].called);
    }
}

static void check_arguments(const uintptr_t *wanted, unsigned number_of_them)
{
    for (unsigned i = 0; i < number_of_them; i++)
        CHECK_MSG(stub.arguments[i] == wanted[i], "%s: argument %u is %#lx, wanted %#lx",
                  stub.called, i, (unsigned long)stub.arguments[i], (unsigned long)wanted[i]);
}

#define CHECK_ARGUMENTS(...)                    \
    check_arguments((uintptr_t[]){__VA_ARGS__}, \
                    sizeof((uintptr_t[]){__VA_ARGS__}) / sizeof(uintptr_t))
#define AT(pointer) ((uintptr_t)(pointer))

SUITE_TEST(api, arguments_arrive_as_given)
{
    start();
    CHECK_EQ_U64(WSASocketW(1, 2, 3, NULL, 4, 5), 0x77);
    CHECK_ARGUMENTS(1, 2, 3, 0, 4, 5);
    socket(2, 1, 6);
    CHECK_ARGUMENTS(2, 1, 6, 0, 0, WSA_FLAG_OVERLAPPED);
    (void)bind(9, NAME, 16);
    CHECK_ARGUMENTS(AT(&address), 16);
    getsockname(9, NAME, &length);
    CHECK_ARGUMENTS(AT(&address), AT(&length));
    setsockopt(9, SOL_SOCKET, SO_RCVBUF, bytes, 4);
    CHECK_ARGUMENTS(SOL_SOCKET, SO_RCVBUF, AT(bytes), 4);
    getsockopt(9, SOL_SOCKET, SO_RCVBUF, bytes, &length);
    CHECK_ARGUMENTS(SOL_SOCKET, SO_RCVBUF, AT(bytes), AT(&length));
    WSAJoinLeaf(9, NAME, 16, &buffer, &buffer + 1, NULL, (LPQOS)&number, JL_BOTH);
    CHECK_ARGUMENTS(AT(&address), 16, AT(&buffer), AT(&buffer + 1), 0, AT(&number), JL_BOTH);
    WSAIoctl(9, SIO_FLUSH, bytes, 3, &number, 4, &count, &overlapped, NULL);
    CHECK_ARGUMENTS(SIO_FLUSH, AT(bytes), 3, AT(&number), 4, AT(&count), AT(&overlapped), 0, 0);
    flags = MSG_PEEK;
    WSARecv(9, &buffer, 2, &count, &flags, &overlapped, NULL);
    CHECK_ARGUMENTS(AT(&buffer), 2, AT(&count), MSG_PEEK, AT(&overlapped), 0, 0);
    WSARecvFrom(9, &buffer, 2, &count, &flags, NAME, &length, &overlapped, NULL);
    CHECK_ARGUMENTS(AT(&buffer), 2, AT(&count), MSG_PEEK, AT(&address), AT(&length),
                    AT(&overlapped), 0, 0);
    WSAGetOverlappedResult(9, &overlapped, &count, TRUE, &flags);
    CHECK_ARGUMENTS(AT(&overlapped), AT(&count), TRUE, AT(&flags));
    WSADuplicateSocketW(9, 77, &entry_w);
    CHECK_ARGUMENTS(77, AT(&entry_w));
    WSAGetQOSByName(9, &buffer, (LPQOS)&number);
    CHECK_ARGUMENTS(AT(&buffer), AT(&number));
}

static int CALLBACK accept_it(LPWSABUF lpCallerId, LPWSABUF lpCallerData, LPQOS lpSQOS,
                              LPQOS lpGQOS, LPWSABUF lpCalleeId, LPWSABUF lpCalleeData, GROUP *g,
                              DWORD_PTR dwCallbackData)
{
    (void)lpCallerId, (void)lpCallerData, (void)lpSQOS, (void)lpGQOS;
    (void)lpCalleeId, (void)lpCalleeData, (void)g, (void)dwCallbackData;
    return CF_ACCEPT;
}

SUITE_TEST(api, arguments_about_a_peer_arrive_as_given)
{
    start();
    (void)connect(9, NAME, 16);
    CHECK_ARGUMENTS(AT(&address), 16, 0, 0, 0, 0);
    WSAConnect(9, NAME, 17, &buffer, &buffer + 1, (LPQOS)&count, (LPQOS)&number);
    CHECK_ARGUMENTS(AT(&address), 17, AT(&buffer), AT(&buffer + 1), AT(&count), AT(&number));
    getpeername(9, NAME, &length);
    CHECK_ARGUMENTS(AT(&address), AT(&length));
    listen(9, SOMAXCONN);
    CHECK_ARGUMENTS(SOMAXCONN);
    CHECK_EQ_U64(accept(9, NAME, &length), 0x88);
    CHECK_ARGUMENTS(AT(&address), AT(&length), 0, 0);
    WSAAccept(9, NAME, &length, accept_it, UINTPTR_MAX); // F18
    CHECK_ARGUMENTS(AT(&address), AT(&length), AT(accept_it), UINTPTR_MAX);
    shutdown(9, SD_SEND);
    CHECK_ARGUMENTS(SD_SEND);
    WSASendDisconnect(9, &buffer);
    CHECK_ARGUMENTS(AT(&buffer));
    WSARecvDisconnect(9, &buffer);
    CHECK_ARGUMENTS(AT(&buffer));
}

SUITE_TEST(api, arguments_of_sends_arrive_as_given)
{
    start();
    WSASend(9, &buffer, 2, &count, MSG_DONTROUTE, &overlapped, NULL);
    CHECK_ARGUMENTS(AT(&buffer), 2, AT(&count), MSG_DONTROUTE, AT(&overlapped), 0, 0);
    WSASendTo(9, &buffer, 2, &count, MSG_DONTROUTE, NAME, 16, &overlapped, NULL);
    CHECK_ARGUMENTS(AT(&buffer), 2, AT(&count), MSG_DONTROUTE, AT(&address), 16, AT(&overlapped), 0,
                    0);
    WSASend(9, &buffer, 1, &count, 0, &overlapped, completed);
    CHECK_EQ_U64(stub.arguments[5], AT(completed));
    CHECK(host_thread_is_current(&stub.thread)); // F16
    memset(&stub.thread, 0, sizeof(stub.thread));
    WSASendTo(9, &buffer, 1, &count, 0, NAME, 16, &overlapped, completed);
    CHECK_EQ_U64(stub.arguments[7], AT(completed));
    CHECK(host_thread_is_current(&stub.thread));
}

SUITE_TEST(api, send_is_a_send_of_one_buffer)
{
    start();
    CHECK_EQ_I64(send(9, bytes, 7, MSG_DONTROUTE), 7);
    CHECK_EQ_U64(stub.buffer.len, 7);
    CHECK_EQ_PTR(stub.buffer.buf, bytes);
    CHECK_EQ_U64(stub.arguments[1], 1);
    CHECK_EQ_U64(stub.arguments[3], MSG_DONTROUTE);
    CHECK_EQ_U64(stub.arguments[4] | stub.arguments[5] | stub.arguments[6], 0);
    CHECK_EQ_I64(sendto(9, bytes, 0, MSG_DONTROUTE, NAME, 16), 8);
    CHECK_EQ_U64(stub.buffer.len, 0);
    CHECK_EQ_U64(stub.arguments[3], MSG_DONTROUTE);
    CHECK_EQ_U64(stub.arguments[4], AT(&address));
    CHECK_EQ_U64(stub.arguments[5], 16);
    CHECK_EQ_U64(stub.arguments[6] | stub.arguments[7] | stub.arguments[8], 0);
    poison();
    CHECK_EQ_I64(send(9, bytes, -1, 0), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAEINVAL);
    CHECK_EQ_I64(sendto(9, bytes, -1, 0, NAME, 16), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAEINVAL);
    CHECK_EQ_STR(stub.called, "nothing");
}

SUITE_TEST(api, arguments_about_network_events_arrive_as_given)
{
    start();
    WSAEventSelect(9, &number, FD_READ | FD_CLOSE);
    CHECK_ARGUMENTS(AT(&number), FD_READ | FD_CLOSE);
    WSAEnumNetworkEvents(9, &number, &recorded);
    CHECK_ARGUMENTS(AT(&number), AT(&recorded));
    WSAAsyncSelect(9, (HWND)&number, 0x401, FD_READ);
    CHECK_ARGUMENTS(AT(&number), 0x401, FD_READ);
}

SUITE_TEST(api, select_takes_a_time_of_either_type)
{
    TIMEVAL windows = {3, 4};
    struct timeval system = {5, 6};
    fd_set other = set;

    start();
    CHECK_EQ_I64(select(64, &set, &other, NULL, &windows), 3);
    CHECK_ARGUMENTS(64, AT(&set), AT(&other), 0);
    CHECK(stub.has_timeout && stub.timeout.tv_sec == 3 && stub.timeout.tv_usec == 4);
    CHECK_EQ_I64(select(0, NULL, NULL, &set, &system), 3);
    CHECK_ARGUMENTS(0, 0, 0, AT(&set));
    CHECK(stub.has_timeout && stub.timeout.tv_sec == 5 && stub.timeout.tv_usec == 6);
    CHECK_EQ_I64(select(0, &set, NULL, NULL, NULL), 3);
    CHECK(!stub.has_timeout);
    CHECK_EQ_I64(select(0, &set, NULL, NULL, (struct timeval *)NULL), 3);
    CHECK(!stub.has_timeout);
    /* What does not fit in 32 bits is as much as does, and what is negative stays so. */
    system = (struct timeval){INT64_MAX, INT64_MAX};
    select(0, &set, NULL, NULL, &system);
    CHECK(stub.timeout.tv_sec == INT32_MAX && stub.timeout.tv_usec == INT32_MAX);
    system = (struct timeval){INT64_MIN, INT64_MIN};
    select(0, &set, NULL, NULL, &system);
    CHECK(stub.timeout.tv_sec < 0 && stub.timeout.tv_usec < 0);
}

SUITE_TEST(api, membership_in_a_set_is_a_function_too) // FD_ISSET
{
    CHECK(__WSAFDIsSet(9, &set));
    CHECK(!__WSAFDIsSet(8, &set));
    CHECK(!__WSAFDIsSet(9, NULL));
}

SUITE_TEST(api, completion_routine_comes_with_the_calling_thread)
{
    start();
    WSARecv(9, &buffer, 1, &count, &flags, &overlapped, completed);
    CHECK_EQ_U64(stub.arguments[5], AT(completed));
    CHECK(host_thread_is_current(&stub.thread));
    memset(&stub.thread, 0, sizeof(stub.thread));
    WSARecvFrom(9, &buffer, 1, &count, &flags, NULL, NULL, &overlapped, completed);
    CHECK_EQ_U64(stub.arguments[7], AT(completed));
    CHECK(host_thread_is_current(&stub.thread));
    WSAIoctl(9, FIONREAD, NULL, 0, &number, 4, &count, &overlapped, completed);
    CHECK_EQ_U64(stub.arguments[7], AT(completed));
    CHECK(stub.arguments[8] != 0);
}

SUITE_TEST(api, recv_is_a_receive_into_one_buffer)
{
    start();
    CHECK_EQ_I64(recv(9, bytes, 7, MSG_PEEK), 5);
    CHECK_EQ_U64(stub.buffer.len, 7);
    CHECK_EQ_PTR(stub.buffer.buf, bytes);
    CHECK_EQ_U64(stub.arguments[1], 1);
    CHECK_EQ_U64(stub.arguments[3], MSG_PEEK);
    CHECK_EQ_U64(stub.arguments[4] | stub.arguments[5] | stub.arguments[6], 0);
    CHECK_EQ_I64(recvfrom(9, bytes, 7, MSG_PEEK, NAME, &length), 6);
    CHECK_EQ_U64(stub.buffer.len, 7);
    CHECK_EQ_U64(stub.arguments[3], MSG_PEEK);
    CHECK_EQ_U64(stub.arguments[4], AT(&address));
    CHECK_EQ_U64(stub.arguments[5], AT(&length));
    CHECK_EQ_U64(stub.arguments[6] | stub.arguments[7] | stub.arguments[8], 0);
    poison();
    CHECK_EQ_I64(recv(9, bytes, -1, 0), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAEINVAL);
    CHECK_EQ_I64(recvfrom(9, bytes, -1, 0, NULL, NULL), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAEINVAL);
    CHECK_EQ_STR(stub.called, "nothing");
}

SUITE_TEST(api, ioctlsocket_is_a_control_with_one_number)
{
    start();
    CHECK_EQ_I64(ioctlsocket(9, (LONG)FIONBIO, &number), 0);
    CHECK_ARGUMENTS(FIONBIO, AT(&number), 4, 0, 0);
    CHECK(stub.arguments[5] != 0); // L10
    CHECK_EQ_I64(ioctlsocket(9, FIONREAD, &number), 0);
    CHECK_ARGUMENTS(FIONREAD, 0, 0, AT(&number), 4);
    CHECK_EQ_I64(ioctlsocket(9, SIOCATMARK, &number), 0);
    CHECK_ARGUMENTS(SIOCATMARK, 0, 0, AT(&number), 4);
    poison();
    CHECK_EQ_I64(ioctlsocket(9, 12345, &number), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAEINVAL);
    CHECK_EQ_STR(stub.called, "nothing");
}
