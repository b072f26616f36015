/* SPDX-License-Identifier: BSD-3-Clause */

/* Client code that leaves a blocking receive by longjmp(): from an APC, a completion routine, and the
 * blocking hook. Nothing of the call is left, and the next ones are as if it had never been. */

#include "support/suite.h"

#include <setjmp.h>

#include "harness.h"

#define ROUNDS 200

SUITE_FIXTURE(longjmp, open_quiet, close_all);

static jmp_buf back;
static volatile unsigned left;
static SOCKET the_socket, other_socket;

static void jump(void)
{
    left++;
    longjmp(back, 1);
}

static int cancel_error(void)
{
    int error = 0;

    CHECK_EQ_I64(spi.lpWSPCancelBlockingCall(&error), SOCKET_ERROR);
    return error;
}

/* Is the thread in no call, and nobody asleep, and does everything go on? */
static void check_nothing_is_left(void)
{
    char room[16];

    CHECK_EQ_U64(sleepers_of(the_socket), 0);
    CHECK_EQ_I64(cancel_error(), WSAEINVAL); /* N02 */
    arrive_text(PORT, "next");
    CHECK_TEXT(receive(the_socket, room, sizeof room), room, "next");
}

static HANDLE me(void)
{
    WSATHREADID id;
    int error = 0;

    CHECK_EQ_I64(WPUOpenCurrentThread(&id, &error), 0);
    return id.ThreadHandle;
}

/* More frames between the call that is left and those that follow than the other way round. */
static __attribute__((noinline)) void deeper(void (*then)(void), int frames)
{
    volatile char filler[64];

    memset((char *)filler, frames, sizeof filler);
    if (frames > 0)
        deeper(then, frames - 1);
    else
        then();
    __asm__ volatile("" ::"r"(filler) : "memory");
}

static void block(void)
{
    char room[16];

    receive(the_socket, room, sizeof room);
    FAIL("the receive has returned");
}

static void CALLBACK leave_apc(ULONG_PTR unused)
{
    (void)unused;
    jump();
}

SUITE_TEST(longjmp, out_of_an_apc_leaves_nothing_behind) // B08 F10 N02
{
    the_socket = open_socket(PORT);
    for (unsigned i = 0; i < ROUNDS; i++) {
        CHECK(QueueUserAPC(leave_apc, me(), 0));
        if (setjmp(back) == 0)
            deeper(block, i % 8);
        CHECK_EQ_U64(left, i + 1);
        deeper(check_nothing_is_left, 8 - i % 8);
    }
}

static void CALLBACK leave_routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped,
                                   DWORD flags)
{
    note_completion(error, bytes, overlapped, flags);
    jump();
}

SUITE_TEST(longjmp, out_of_a_routine_leaves_nothing_behind) // F08 F10 N02
{
    static struct operation operation;

    the_socket = open_socket(PORT);
    other_socket = open_socket(OTHER_PORT);
    for (unsigned i = 0; i < ROUNDS; i++) {
        memset(&operation, 0, sizeof operation);
        CHECK_EQ_I64(post_with(other_socket, &operation, 16, 0, leave_routine), WSA_IO_PENDING);
        arrive_text(OTHER_PORT, "routine");
        if (setjmp(back) == 0)
            deeper(block, i % 8);
        CHECK_EQ_U64(left, i + 1);
        check_completed(&operation, "routine");
        deeper(check_nothing_is_left, 8 - i % 8);
    }
}

static void CALLBACK leave_inner(ULONG_PTR unused)
{
    (void)unused;
    CHECK(QueueUserAPC(leave_apc, me(), 0));
    block();
}

SUITE_TEST(longjmp, out_of_a_call_within_a_call_leaves_neither) // F10 N02
{
    the_socket = open_socket(PORT);
    for (unsigned i = 0; i < ROUNDS; i++) {
        CHECK(QueueUserAPC(leave_inner, me(), 0));
        if (setjmp(back) == 0)
            deeper(block, i % 8);
        deeper(check_nothing_is_left, 8 - i % 8);
    }
    CHECK_EQ_U64(left, ROUNDS);
}

static jmp_buf inner_back;

static void CALLBACK leave_only_the_inner(ULONG_PTR unused)
{
    (void)unused;
    longjmp(inner_back, 1);
}

static void CALLBACK survive_inner(ULONG_PTR unused)
{
    (void)unused;
    CHECK(QueueUserAPC(leave_only_the_inner, me(), 0));
    if (setjmp(inner_back) == 0)
        block();
    arrive_text(PORT, "outer");
}

SUITE_TEST(longjmp, out_of_the_inner_call_leaves_the_outer_one) // F10 N01
{
    char room[16];

    the_socket = open_socket(PORT);
    for (unsigned i = 0; i < ROUNDS; i++) {
        CHECK(QueueUserAPC(survive_inner, me(), 0));
        CHECK_TEXT(receive(the_socket, room, sizeof room), room, "outer");
        check_nothing_is_left();
    }
}

/* --- the blocking hook: programs of Winsock 1.1 have one ------------------------------------------- */

static void open_level_1(void)
{
    WSADATA data;

    open_quiet();
    CHECK_EQ_I64(WSAStartup(MAKEWORD(1, 1), &data), 0);
}

static void close_level_1(void)
{
    CHECK_EQ_I64(WSACleanup(), 0);
    close_all();
}

SUITE_FIXTURE(longjmp_hook, open_level_1, close_level_1);

static INT_PTR CALLBACK leave_hook(VOID)
{
    char room[16];

    CHECK_REFUSED(receive(other_socket, room, sizeof room), WSAEINPROGRESS); /* A20 */
    jump();
    return FALSE;
}

SUITE_TEST(longjmp_hook, out_of_the_hook_leaves_nothing_behind) // A20 N02
{
    if (WSASetBlockingHook(leave_hook) == NULL)
        SKIP("no blocking hooks at this level");
    the_socket = open_socket(PORT);
    other_socket = open_socket(OTHER_PORT);
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (setjmp(back) == 0)
            deeper(block, i % 8);
        CHECK_EQ_U64(left, i + 1);
        deeper(check_nothing_is_left, 8 - i % 8);
    }
}

SUITE_TEST(longjmp, out_of_a_select_frees_what_it_had) // F10 N02
{
    static struct {
        u_int count;
        SOCKET sockets[100];
    } set; /* more than it keeps on the stack; the leak checker sees the rest */

    the_socket = open_socket(PORT);
    for (unsigned i = 0; i < ROUNDS; i++) {
        int error = 0;

        set.count = 100;
        for (unsigned at = 0; at < 100; at++)
            set.sockets[at] = the_socket;
        CHECK(QueueUserAPC(leave_apc, me(), 0));
        if (setjmp(back) == 0) {
            spi.lpWSPSelect(0, (fd_set *)(void *)&set, NULL, NULL, NULL, &error);
            FAIL("the call has returned: %d", error);
        }
        CHECK_EQ_U64(left, i + 1);
        check_nothing_is_left();
    }
}
