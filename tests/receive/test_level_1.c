/* SPDX-License-Identifier: BSD-3-Clause */

/* The blocking hook of a Winsock 1.1 program, under blocking receives of our own host. */

#include "support/suite.h"

#include "harness.h"

static void open_level_1(void)
{
    WSADATA data;

    open_quiet();
    CHECK_EQ_I64(WSAStartup(MAKEWORD(1, 1), &data), 0); /* the lowest version counts */
}

static void close_level_1(void)
{
    WSACleanup();
    close_all();
}

SUITE_FIXTURE(hook, open_level_1, close_level_1);

#define AS_HOOK(function) ((FARPROC)(void (*)(void))(function))

static SOCKET blocked;
static unsigned calls;
static struct outcome inner;
static bool was_blocking;

static BOOL WINAPI cancel_third(VOID)
{
    was_blocking = WSAIsBlocking();
    if (++calls == 3)
        CHECK_EQ_I64(WSACancelBlockingCall(), 0);
    return FALSE;
}

SUITE_TEST(hook, cancels_the_blocking_call) // N01 N02
{
    SOCKET s = open_socket(PORT);
    char room[16];

    CHECK(WSASetBlockingHook(AS_HOOK(cancel_third)) != NULL);
    CHECK_EQ_I64(recv(s, room, sizeof room, 0), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAEINTR);
    CHECK_EQ_U64(calls, 3);
    CHECK(was_blocking && !WSAIsBlocking());
    arrive_text(PORT, "next"); /* the socket is as it was, and what is there needs no hook */
    CHECK_EQ_I64(recv(s, room, sizeof room, 0), 4);
    CHECK_EQ_U64(calls, 3);
    CHECK_EQ_I64(WSACancelBlockingCall(), SOCKET_ERROR); /* N02 */
    CHECK_EQ_I64(WSAGetLastError(), WSAEINVAL);
}

static BOOL WINAPI receive_inside(VOID)
{
    char room[16];

    if (calls++ == 0)
        inner = receive(blocked, room, sizeof room);
    else
        arrive_text(PORT, "outer");
    return FALSE;
}

SUITE_TEST(hook, may_not_block_itself) // A20
{
    char room[16];

    blocked = open_socket(PORT);
    WSASetBlockingHook(AS_HOOK(receive_inside));
    CHECK_TEXT(receive(blocked, room, sizeof room), room, "outer");
    CHECK_EQ_I64(inner.result, SOCKET_ERROR);
    CHECK_EQ_I64(inner.error, WSAEINPROGRESS);
    CHECK_EQ_I64(WSAUnhookBlockingHook(), 0);
}
