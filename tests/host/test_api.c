/* SPDX-License-Identifier: BSD-3-Clause */

/* The client calls: what they pass to the provider, and what they make of its answer. */

#include "support/suite.h"

#include "helpers.h"
#include "stub_provider.h"

#include "wirerx/ws2tcpip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* --- WSAStartup and WSACleanup ---------------------------------------------------------------- */

SUITE_TEST(api, startup_negotiates_the_version)
{
    static const struct {
        BYTE asked[2];
        int result;
        BYTE given[2];
    } rows[] = {
        {{0, 0}, WSAVERNOTSUPPORTED, {0, 0}},
        {{0, 9}, WSAVERNOTSUPPORTED, {0, 0}},
        {{1, 0}, 0, {1, 0}},
        {{1, 1}, 0, {1, 1}},
        {{1, 7}, 0, {1, 1}},
        {{2, 0}, 0, {2, 0}},
        {{2, 1}, 0, {2, 1}},
        {{2, 2}, 0, {2, 2}},
        {{2, 3}, 0, {2, 2}},
        {{3, 0}, 0, {2, 2}},
        {{255, 255}, 0, {2, 2}},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        WSADATA data;

        memset(&data, 0xff, sizeof(data));
        CHECK_EQ_I64(WSAStartup(MAKEWORD(rows[i].asked[0], rows[i].asked[1]), &data),
                     rows[i].result);
        CHECK_EQ_U64(data.wVersion, MAKEWORD(rows[i].given[0], rows[i].given[1]));
        CHECK_EQ_U64(data.wHighVersion, MAKEWORD(2, 2));
        if (rows[i].result == 0) {
            CHECK_EQ_STR(data.szDescription, "wirerx 1.2.3");
            CHECK_EQ_STR(data.szSystemStatus, "Running");
            CHECK_EQ_U64(data.iMaxSockets, rows[i].given[0] == 1 ? 32767 : 0);
        }
    }
}

SUITE_TEST(api, startup_and_cleanup_count_and_load_the_provider_once) // O02
{
    CHECK_EQ_I64(WSAStartup(MAKEWORD(2, 2), NULL), WSAEFAULT);
    CHECK_EQ_I64(WSACleanup(), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSANOTINITIALISED);
    for (unsigned round = 1; round <= 2; round++) {
        for (int i = 0; i < 3; i++)
            start();
        CHECK_EQ_U64(stub.startups, round);
        CHECK_EQ_U64(stub.protocol.iProtocol, IPPROTO_UDP);
        CHECK(host_is_own(&stub.upcalls));
        for (int i = 0; i < 3; i++) {
            CHECK_EQ_U64(stub.cleanups, round - 1);
            CHECK_EQ_I64(WSACleanup(), 0);
        }
        CHECK_EQ_U64(stub.cleanups, round);
        CHECK_EQ_I64(WSACleanup(), SOCKET_ERROR);
    }
    CHECK_EQ_U64(stub.dataplane_starts, 0);
    CHECK_EQ_U64(stub.dataplane_stops, 0);
}

SUITE_TEST(api, startup_reports_a_provider_that_does_not_start)
{
    WSADATA data;

    stub.startup_error = WSAEPROVIDERFAILEDINIT;
    CHECK_EQ_I64(WSAStartup(MAKEWORD(2, 2), &data), WSAEPROVIDERFAILEDINIT);
    CHECK_EQ_I64(WSACleanup(), SOCKET_ERROR);
    stub.startup_error = 0;
    start();
}

SUITE_TEST(api, startup_starts_the_dataplane_that_the_environment_names)
{
    setenv("WIRERX_CONFIG", "lab.yaml", 1);
    start();
    start();
    CHECK_EQ_STR(stub.configuration, "lab.yaml");
    CHECK_EQ_U64(stub.dataplane_starts, 1);
    CHECK_EQ_I64(WSACleanup(), 0);
    CHECK_EQ_U64(stub.dataplane_stops, 0);
    CHECK_EQ_I64(WSACleanup(), 0);
    CHECK_EQ_U64(stub.dataplane_stops, 1);
}

SUITE_TEST(api, startup_leaves_a_dataplane_alone_that_runs_already)
{
    setenv("WIRERX_CONFIG", "lab.yaml", 1);
    stub.dataplane_error = WSAEALREADY;
    start();
    CHECK_EQ_I64(WSACleanup(), 0);
    CHECK_EQ_U64(stub.dataplane_stops, 0);
}

SUITE_TEST(api, startup_says_why_the_dataplane_does_not_start)
{
    char said[256] = "";
    WSADATA data;
    int ends[2];

    CHECK_EQ_I64(pipe(ends), 0);
    int standard_error = dup(2);

    setenv("WIRERX_CONFIG", "lab.yaml", 1);
    stub.dataplane_error = WSAEINVAL;
    dup2(ends[1], 2);
    int result = WSAStartup(MAKEWORD(2, 2), &data);

    fflush(stderr);
    dup2(standard_error, 2);
    CHECK_EQ_I64(result, WSASYSNOTREADY);
    CHECK(read(ends[0], said, sizeof(said) - 1) > 0);
    CHECK_EQ_STR(said, "wirerx: lab.yaml:7: the line that is wrong\n");
    CHECK_EQ_U64(stub.startups, 0);
    CHECK_EQ_I64(WSACleanup(), SOCKET_ERROR);
}

SUITE_TEST(api, startup_stops_its_dataplane_when_the_provider_does_not_start)
{
    WSADATA data;

    setenv("WIRERX_CONFIG", "lab.yaml", 1);
    stub.startup_error = WSAEPROVIDERFAILEDINIT;
    CHECK_EQ_I64(WSAStartup(MAKEWORD(2, 2), &data), WSAEPROVIDERFAILEDINIT);
    CHECK_EQ_U64(stub.dataplane_stops, 1);
}

/* --- every call ------------------------------------------------------------------------------- */

static char bytes[8];
static u_long number = 1;
static DWORD count, flags;
static int length = 16;
static struct sockaddr_in address;
static WSAOVERLAPPED overlapped;
static WSABUF buffer = {sizeof(bytes), bytes};

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
CALL(joinleaf, WSAJoinLeaf(9, NAME, 16, NULL, NULL, NULL, NULL, JL_BOTH) != INVALID_SOCKET)

static const struct {
    bool (*call)(void);
    const char *called;
} calls[] = {
    {call_socket, "socket"},
    {call_socket_w, "socket"},
    {call_socket_a, "socket"},
    {call_close, "close"},
    {call_bind, "bind"},
    {call_getsockname, "getsockname"},
    {call_setsockopt, "setsockopt"},
    {call_getsockopt, "getsockopt"},
    {call_ioctlsocket, "ioctl"},
    {call_ioctl, "ioctl"},
    {call_recv, "recv"},
    {call_recvfrom, "recvfrom"},
    {call_wsa_recv, "recv"},
    {call_wsa_recvfrom, "recvfrom"},
    {call_result, "result"},
    {call_joinleaf, "joinleaf"},
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
        if (stub.called[0] != 's' || stub.called[1] != 'o')
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
}

SUITE_TEST(api, completion_routine_comes_with_the_calling_thread) // F16
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

SUITE_TEST(api, narrow_protocol_entry_is_widened)
{
    WSAPROTOCOL_INFOA narrow;

    memset(&narrow, 0x5a, sizeof(narrow));
    memset(narrow.szProtocol, 0, sizeof(narrow.szProtocol));
    strcpy(narrow.szProtocol, "UDP\xe9");
    narrow.dwProviderReserved = 77;
    start();
    WSASocketA(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &narrow, 0, 0);
    CHECK_EQ_MEM(&stub.entry, &narrow, offsetof(WSAPROTOCOL_INFOA, szProtocol));
    CHECK_EQ_U64(stub.entry.szProtocol[2], 'P');
    CHECK_EQ_U64(stub.entry.szProtocol[3], 0xe9);
    CHECK_EQ_U64(stub.entry.szProtocol[4], 0);
    CHECK_EQ_U64(stub.entry.szProtocol[WSAPROTOCOL_LEN], 0);
}

static void fail_with_another_code(struct runner *self)
{
    WSASetLastError(1234);
    atomic_store(&self->result, (uint64_t)WSAGetLastError());
}

SUITE_TEST(api, last_error_belongs_to_its_thread)
{
    struct runner other = {.thread = 0};

    WSASetLastError(42);
    run(&other, fail_with_another_code, NULL);
    CHECK_EQ_U64(finish(&other), 1234);
    CHECK_EQ_I64(WSAGetLastError(), 42);
}

/* --- protocols -------------------------------------------------------------------------------- */

SUITE_TEST(api, protocols_are_listed)
{
    WSAPROTOCOL_INFOW entries[4];
    int udp_only[] = {IPPROTO_UDP, 0};
    int none[] = {IPPROTO_ICMP, IPPROTO_PGM, 0};
    DWORD size = 0;

    CHECK_EQ_I64(WSAEnumProtocolsW(NULL, NULL, &size), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSANOTINITIALISED);
    start();
    CHECK_EQ_I64(WSAEnumProtocolsW(NULL, NULL, &size), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAENOBUFS);
    CHECK(size > 0 && size % sizeof(entries[0]) == 0);
    size = sizeof(entries);
    int all = WSAEnumProtocolsW(NULL, entries, &size);

    CHECK(all >= 1);
    CHECK_EQ_U64(size, (unsigned)all * sizeof(entries[0]));
    size = sizeof(entries);
    CHECK_EQ_I64(WSAEnumProtocolsW(udp_only, entries, &size), 1);
    CHECK_EQ_I64(entries[0].iAddressFamily, AF_INET);
    CHECK_EQ_I64(entries[0].iSocketType, SOCK_DGRAM);
    CHECK_EQ_I64(entries[0].iProtocol, IPPROTO_UDP);
    CHECK_EQ_U64(entries[0].dwServiceFlags1 &
                     (XP1_MESSAGE_ORIENTED | XP1_PSEUDO_STREAM | XP1_PARTIAL_MESSAGE |
                      XP1_GUARANTEED_DELIVERY | XP1_IFS_HANDLES | XP1_SUPPORT_MULTIPOINT),
                 XP1_MESSAGE_ORIENTED | XP1_SUPPORT_MULTIPOINT); // Q04 O04 O07
    CHECK_EQ_I64(WSAEnumProtocolsW(none, entries, &size), 0);
    CHECK_EQ_I64(WSAGetLastError(), 0);
    CHECK_EQ_I64(WSAEnumProtocolsW(NULL, entries, NULL), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAEFAULT);
    size = sizeof(entries);
    CHECK_EQ_I64(WSAEnumProtocolsW(NULL, NULL, &size), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAEFAULT);
}

/* --- addresses -------------------------------------------------------------------------------- */

SUITE_TEST(api, addresses_are_read_and_written_with_windows_families)
{
    IN_ADDR four = {.s_addr = 0};
    IN6_ADDR six;
    char text[INET6_ADDRSTRLEN];

    CHECK_EQ_I64(inet_pton(AF_INET, "192.0.2.1", &four), 1);
    CHECK_EQ_U64(ntohl(four.s_addr), 0xc0000201);
    CHECK_EQ_STR(inet_ntop(AF_INET, &four, text, sizeof(text)), "192.0.2.1");
    CHECK_EQ_I64(inet_pton(AF_INET6, "2001:db8::1", &six), 1); // 23, not libc's 10
    CHECK_EQ_U64(six.s6_bytes[15], 1);
    CHECK_EQ_STR(inet_ntop(AF_INET6, &six, text, SIZE_MAX), "2001:db8::1");
    CHECK_EQ_I64(WSAGetLastError(), 0);
    CHECK_EQ_I64(inet_pton(AF_INET, "192.0.2.256", &four), 0);
    CHECK_EQ_U64(ntohl(four.s_addr), 0xc0000201);
    CHECK_EQ_I64(inet_pton(10, "2001:db8::1", &six), -1);
    CHECK_EQ_I64(WSAGetLastError(), WSAEAFNOSUPPORT);
    CHECK_EQ_I64(inet_pton(AF_INET, NULL, &four), -1);
    CHECK_EQ_I64(WSAGetLastError(), WSAEFAULT);
    CHECK_EQ_PTR(inet_ntop(AF_INET, &four, text, 9), NULL);
    CHECK_EQ_I64(WSAGetLastError(), WSA_INVALID_PARAMETER);
    CHECK_EQ_PTR(inet_ntop(AF_INET, &four, NULL, 99), NULL);
    CHECK_EQ_I64(WSAGetLastError(), WSA_INVALID_PARAMETER);
    CHECK_EQ_PTR(inet_ntop(AF_UNIX, &four, text, 99), NULL);
    CHECK_EQ_I64(WSAGetLastError(), WSAEAFNOSUPPORT);
    CHECK_EQ_U64(inet_addr("239.1.2.3"), htonl(0xef010203));
    CHECK_EQ_U64(inet_addr("127.1"), htonl(INADDR_LOOPBACK));
    CHECK_EQ_U64(inet_addr("1.2.3.4.5"), INADDR_NONE);
    CHECK_EQ_U64(inet_addr(NULL), INADDR_NONE);
}

SUITE_TEST(api, thread_number_is_the_systems)
{
    CHECK_EQ_U64(GetCurrentThreadId(), (DWORD)gettid());
}
