/* SPDX-License-Identifier: BSD-3-Clause */

/* The client calls: what they pass to the provider, and what they make of its answer. */

#include "support/suite.h"

#include "helpers.h"
#include "stub_provider.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void start(void)
{
    WSADATA data;

    CHECK_EQ_I64(WSAStartup(MAKEWORD(2, 2), &data), 0);
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

/* --- Winsock 1.1 -------------------------------------------------------------------------------- */

static void start_at(BYTE major, BYTE minor)
{
    WSADATA data;

    CHECK_EQ_I64(WSAStartup(MAKEWORD(major, minor), &data), 0);
}

SUITE_TEST(api, blocking_calls_are_cancelled_at_level_1_alone) // N02
{
    CHECK_EQ_I64(WSACancelBlockingCall(), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSANOTINITIALISED);
    start_at(2, 2);
    CHECK_EQ_I64(WSACancelBlockingCall(), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAEOPNOTSUPP);
    CHECK_EQ_PTR(stub.called, NULL);
    start_at(1, 1); /* the lowest counts */
    CHECK_EQ_I64(WSACancelBlockingCall(), 0);
    CHECK_EQ_I64(WSAGetLastError(), 0);
    CHECK_EQ_STR(stub.called, "cancel");
    start_at(2, 0);
    stub.error = WSAEINVAL;
    CHECK_EQ_I64(WSACancelBlockingCall(), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAEINVAL);
    stub.error = 0;
    for (int i = 0; i < 3; i++)
        CHECK_EQ_I64(WSACleanup(), 0);
    start_at(2, 0); /* nobody is left of the ones before */
    CHECK_EQ_I64(WSACancelBlockingCall(), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAEOPNOTSUPP);
}

static unsigned hook_calls;
static bool was_blocking;

static BOOL WINAPI hook(VOID)
{
    was_blocking = WSAIsBlocking();
    return ++hook_calls % 3 != 0; /* twice more, at once */
}

#define AS_HOOK(function) ((FARPROC)(void (*)(void))(function))

/* What a provider would call while the calling thread blocks. @return was there anything? */
static bool block(void)
{
    LPBLOCKINGCALLBACK callback = NULL;
    DWORD_PTR context;
    int error;

    CHECK_EQ_I64(WPUQueryBlockingCallback(1001, &callback, &context, &error), 0);
    if (callback)
        CHECK(callback(context)); /* no hook cancels by its result (N01) */
    return callback != NULL;
}

static void block_elsewhere(struct runner *self)
{
    atomic_store(&self->result, block());
}

SUITE_TEST(api, blocking_hook_is_called_while_its_thread_blocks)
{
    struct runner other = {.thread = 0};

    start_at(1, 1);
    CHECK(!block());
    FARPROC before = WSASetBlockingHook(AS_HOOK(hook));

    CHECK(before != NULL);
    CHECK(block());
    CHECK_EQ_U64(hook_calls, 3);
    CHECK(was_blocking);
    CHECK(!WSAIsBlocking());
    run(&other, block_elsewhere, NULL); /* another thread has none */
    CHECK_EQ_U64(finish(&other), 0);
    CHECK(WSASetBlockingHook(before) == AS_HOOK(hook));
    CHECK(!block());
    CHECK(WSASetBlockingHook(AS_HOOK(hook)) == before);
    CHECK_EQ_I64(WSAUnhookBlockingHook(), 0);
    CHECK(!block());
    CHECK(WSASetBlockingHook(NULL) == NULL);
    CHECK_EQ_I64(WSAGetLastError(), WSAEFAULT);
    WSASetBlockingHook(AS_HOOK(hook));
    CHECK_EQ_I64(WSACleanup(), 0);
    start_at(2, 2); /* it went with the program that set it */
    CHECK(!block());
    CHECK_EQ_U64(hook_calls, 3);
}

static jmp_buf out;

static BOOL WINAPI leave(VOID)
{
    longjmp(out, 1);
}

SUITE_TEST(api, blocking_hook_may_be_left_by_longjmp)
{
    start_at(1, 0);
    WSASetBlockingHook(AS_HOOK(leave));
    if (setjmp(out) == 0)
        block();
    CHECK(!WSAIsBlocking());
    WSASetBlockingHook(AS_HOOK(hook));
    CHECK(block());
    CHECK(was_blocking);
    CHECK(!WSAIsBlocking());
}

SUITE_TEST(api, blocking_hooks_are_level_1s) // N02
{
    for (int started = 0; started < 2; started++) {
        int error = started ? WSAEOPNOTSUPP : WSANOTINITIALISED;

        if (started)
            start_at(2, 2);
        CHECK(WSASetBlockingHook(AS_HOOK(hook)) == NULL);
        CHECK_EQ_I64(WSAGetLastError(), error);
        CHECK_EQ_I64(WSAUnhookBlockingHook(), SOCKET_ERROR);
        CHECK_EQ_I64(WSAGetLastError(), error);
        CHECK(!WSAIsBlocking());
        CHECK_EQ_I64(WSAGetLastError(), error);
        CHECK(!block());
    }
}

/* --- the code of the last failure -------------------------------------------------------------- */

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

SUITE_TEST(api, thread_number_is_the_systems)
{
    CHECK_EQ_U64(GetCurrentThreadId(), (DWORD)gettid());
}
