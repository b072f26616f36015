/* SPDX-License-Identifier: BSD-3-Clause */

/* The blocking callback of a host, and WSPCancelBlockingCall: A20, N01 to N03. */

#include "support/suite.h"

#include <signal.h>

#include "blocking.h"
#include "harness.h"
#include "host/host.h"

/* --- our own host: no callback, but alertable waits ---------------------------------------------- */

SUITE_FIXTURE(cancel_call, open_quiet, close_all);

static SOCKET sockets[2];
static int cancel_result, cancel_error;

static void cancel(void)
{
    cancel_error = 0;
    cancel_result = spi.lpWSPCancelBlockingCall(&cancel_error);
}

static void check_cancelled(void)
{
    CHECK_EQ_I64(cancel_result, 0);
    CHECK_EQ_I64(cancel_error, 0);
}

SUITE_TEST(cancel_call, own_host_has_no_callback)
{
    LPBLOCKINGCALLBACK callback = (LPBLOCKINGCALLBACK)(uintptr_t)1;
    DWORD_PTR context = 1;
    int error = 0;

    CHECK_EQ_I64(WPUQueryBlockingCallback(1, &callback, &context, &error), 0);
    CHECK(callback == NULL && context == 0);
}

SUITE_TEST(cancel_call, without_a_blocking_call_there_is_nothing_to_cancel) // N02
{
    SOCKET s = open_socket(PORT);
    static struct runner blocked;

    cancel();
    CHECK_EQ_I64(cancel_result, SOCKET_ERROR);
    CHECK_EQ_I64(cancel_error, WSAEINVAL);
    run_blocked(&blocked, s); /* another thread's call is none of ours */
    cancel();
    CHECK_EQ_I64(cancel_error, WSAEINVAL);
    arrive_text(PORT, "on");
    finish(&blocked);
    CHECK_TEXT(blocked.outcome, blocked.data, "on");
    CHECK_EQ_I64(spi.lpWSPCancelBlockingCall(NULL), SOCKET_ERROR);
}

static void CALLBACK cancel_in_apc(ULONG_PTR unused)
{
    (void)unused;
    cancel();
}

static HANDLE me(void)
{
    WSATHREADID id;
    int error = 0;

    CHECK_EQ_I64(WPUOpenCurrentThread(&id, &error), 0);
    return id.ThreadHandle;
}

SUITE_TEST(cancel_call, apc_ends_the_call_in_which_it_runs) // N01
{
    SOCKET s = open_socket(PORT);
    char room[16];

    for (int i = 0; i < 3; i++) {
        CHECK(QueueUserAPC(cancel_in_apc, me(), 0));
        CHECK_REFUSED(receive(s, room, sizeof room), WSAEINTR);
        check_cancelled();
        CHECK_EQ_U64(sleepers_of(s), 0);
    }
    arrive_text(PORT, "still usable");
    CHECK_TEXT(receive(s, room, sizeof room), room, "still usable");
    cancel();
    CHECK_EQ_I64(cancel_error, WSAEINVAL);
}

SUITE_TEST(cancel_call, apc_ends_a_call_that_sleeps) // N01
{
    SOCKET s = open_socket(PORT);
    static struct runner blocked;

    run_blocked(&blocked, s);
    CHECK(QueueUserAPC(cancel_in_apc, blocked.id.ThreadHandle, 0));
    finish(&blocked);
    CHECK_REFUSED(blocked.outcome, WSAEINTR);
    check_cancelled();
    CHECK_EQ_U64(sleepers_of(s), 0);
}

static void CALLBACK cancel_in_routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped,
                                       DWORD flags)
{
    note_completion(error, bytes, overlapped, flags);
    cancel();
}

SUITE_TEST(cancel_call, routine_ends_the_call_in_which_it_runs) // N01 F10
{
    SOCKET s = open_socket(PORT), other = open_socket(OTHER_PORT);
    static struct operation operation;
    char room[16];

    CHECK_EQ_I64(post_with(other, &operation, 16, 0, cancel_in_routine), WSA_IO_PENDING);
    arrive_text(OTHER_PORT, "told");
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEINTR);
    check_cancelled();
    CHECK_EQ_U64(operation.calls, 1);
    check_completed(&operation, "told");
}

static void CALLBACK arrive_and_cancel(ULONG_PTR unused)
{
    (void)unused;
    cancel();
    arrive_text(PORT, "won");
    arrive_text(PORT, "next");
}

SUITE_TEST(cancel_call, data_that_came_first_wins) // N03
{
    SOCKET s = open_socket(PORT);
    char room[16];

    CHECK(QueueUserAPC(arrive_and_cancel, me(), 0));
    CHECK_TEXT(receive(s, room, sizeof room), room, "won");
    check_cancelled();
    CHECK_TEXT(receive(s, room, sizeof room), room, "next"); /* the mark is gone with its call */
    CHECK_EQ_U64(counters_of(s).received, 2);
}

static struct outcome inner_outcome;
static char inner_room[16];

static void CALLBACK block_in_apc(ULONG_PTR then_cancel)
{
    if (then_cancel)
        CHECK(QueueUserAPC(cancel_in_apc, me(), 0));
    inner_outcome = receive(sockets[1], inner_room, sizeof inner_room);
}

static void CALLBACK arrive_in_apc(ULONG_PTR unused)
{
    (void)unused;
    arrive_text(PORT, "outer");
}

SUITE_TEST(cancel_call, innermost_call_is_the_one_that_ends) // N01
{
    char room[16];

    sockets[0] = open_socket(PORT);
    sockets[1] = open_socket(OTHER_PORT);
    CHECK(QueueUserAPC(block_in_apc, me(), 1));
    set_option(sockets[0], SO_RCVTIMEO, 50);
    CHECK_REFUSED(receive(sockets[0], room, sizeof room), WSAETIMEDOUT);
    check_cancelled();
    CHECK_REFUSED(inner_outcome, WSAEINTR);
    /* ... and afterwards the outer one is the innermost. */
    arrive_text(OTHER_PORT, "inner");
    CHECK(QueueUserAPC(block_in_apc, me(), 0));
    CHECK(QueueUserAPC(cancel_in_apc, me(), 0));
    CHECK_REFUSED(receive(sockets[0], room, sizeof room), WSAEINTR);
    CHECK_TEXT(inner_outcome, inner_room, "inner");
    CHECK(QueueUserAPC(arrive_in_apc, me(), 0));
    CHECK_TEXT(receive(sockets[0], room, sizeof room), room, "outer");
}

static unsigned nested;
static int deepest_error;

static void CALLBACK nest(ULONG_PTR unused)
{
    char room[16];

    (void)unused;
    if (++nested <= BLOCKING_MAX_DEPTH)
        CHECK(QueueUserAPC(nest, me(), 0));
    struct outcome outcome = receive(sockets[0], room, sizeof room);
    CHECK_EQ_I64(outcome.result, SOCKET_ERROR);
    if (deepest_error == 0)
        deepest_error = outcome.error;
    else
        CHECK_EQ_I64(outcome.error, WSAETIMEDOUT);
}

SUITE_TEST(cancel_call, calls_within_calls_have_an_end)
{
    sockets[0] = open_socket(PORT);
    set_option(sockets[0], SO_RCVTIMEO, 1);
    nest(0);
    CHECK_EQ_I64(deepest_error, WSAENOBUFS);
    CHECK_EQ_U64(nested, BLOCKING_MAX_DEPTH + 1);
    char room[16];
    arrive_text(PORT, "well");
    CHECK_TEXT(receive(sockets[0], room, sizeof room), room, "well");
}

static int select_readable_on(SOCKET s, int milliseconds, int *error)
{
    fd_set set = {.fd_count = 1, .fd_array = {s}};
    TIMEVAL limit = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};

    *error = 0;
    return spi.lpWSPSelect(0, &set, NULL, NULL, milliseconds < 0 ? NULL : &limit, error);
}

SUITE_TEST(cancel_call, ends_a_select_and_harms_no_socket) // N01 N03
{
    SOCKET s = open_socket(PORT);
    char room[16];
    int error;

    CHECK(QueueUserAPC(cancel_in_apc, me(), 0));
    CHECK_EQ_I64(select_readable_on(s, -1, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEINTR);
    check_cancelled();
    CHECK(QueueUserAPC(arrive_and_cancel, me(), 0));
    CHECK_EQ_I64(select_readable_on(s, -1, &error), 1);
    check_cancelled();
    CHECK_TEXT(receive(s, room, sizeof room), room, "won");
    CHECK_TEXT(receive(s, room, sizeof room), room, "next");
    cancel();
    CHECK_EQ_I64(cancel_error, WSAEINVAL);
}

static void cancel_in_handler(int number)
{
    (void)number;
    cancel();
}

static void handle_with(int flags)
{
    struct sigaction action = {.sa_handler = cancel_in_handler, .sa_flags = flags};
    char *stack = map_pages(16);
    stack_t alternate = {.ss_sp = stack, .ss_size = 16 * (size_t)PAGE};

    CHECK_EQ_I64(sigaltstack(&alternate, NULL), 0);
    CHECK_EQ_I64(sigaction(SIGUSR1, &action, NULL), 0);
}

static void receive_on_another_stack(struct runner *self)
{
    handle_with(SA_RESTART | SA_ONSTACK);
    receive_once(self);
}

SUITE_TEST(cancel_call, signal_handler_ends_the_call_that_it_interrupts) // N01
{
    if (UNDER_THREAD_SANITIZER)
        SKIP("ThreadSanitizer runs no handler before the sleep that it should interrupt is over");
    SOCKET s = open_socket(PORT);

    for (int i = 0; i < 60; i++) {
        static struct runner blocked;

        memset(&blocked, 0, sizeof blocked);
        if (i % 2 == 0) {
            handle_with(SA_RESTART); /* the sleep is begun anew, and must find the mark */
            run_blocked(&blocked, s);
        } else {
            run(&blocked, receive_on_another_stack, s, NULL);
            UNTIL(sleepers_of(s) == 1);
        }
        CHECK_EQ_I64(pthread_kill(blocked.thread, SIGUSR1), 0);
        finish(&blocked);
        CHECK_REFUSED(blocked.outcome, WSAEINTR);
        check_cancelled();
        CHECK_EQ_U64(sleepers_of(s), 0);
    }
}

/* --- a host with a callback ------------------------------------------------------------------------ */

static _Atomic unsigned queries, callbacks;
static BOOL (*on_callback)(unsigned count);

static BOOL CALLBACK callback_of_the_host(DWORD_PTR context)
{
    CHECK_EQ_U64(context, 0x123456789abcdef0u);
    return on_callback(atomic_fetch_add(&callbacks, 1) + 1);
}

static int WSPAPI query_callback(DWORD catalog, LPBLOCKINGCALLBACK *callback, PDWORD_PTR context,
                                 LPINT error)
{
    (void)error;
    CHECK(catalog != 0);
    atomic_fetch_add(&queries, 1);
    *callback = on_callback != NULL ? callback_of_the_host : NULL;
    *context = 0x123456789abcdef0u;
    return 0;
}

static void open_hooked(void)
{
    struct config config = wire_config();
    WSPUPCALLTABLE upcalls = host_upcalls();
    WSAPROTOCOL_INFOW protocol = {0};
    WSPDATA data;

    upcalls.lpWPUQueryBlockingCallback = query_callback;
    upcalls.lpWPUQueueApc = WPUQueueApc; /* the table's own wants a place reserved */
    wire_start(&config, &pending_operations, true);
    CHECK_EQ_I64(WSPStartup(MAKEWORD(2, 2), &data, &protocol, upcalls, &spi), 0);
}

static void close_hooked(void)
{
    int error = 0;

    wire_settle();
    CHECK_EQ_I64(spi.lpWSPCleanup(&error), 0);
    wire_settle();
    wire_stop();
}

SUITE_FIXTURE(blocking_hook, open_hooked, close_hooked);

static SOCKET open_here(uint16_t port)
{
    struct sockaddr_in name = address_of(0, port);
    int error = 0;
    SOCKET s =
        spi.lpWSPSocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_OVERLAPPED, &error);

    CHECK_MSG(s != INVALID_SOCKET, "WSPSocket: %d", error);
    CHECK_EQ_I64(spi.lpWSPBind(s, (struct sockaddr *)&name, sizeof name, &error), 0);
    return s;
}

static void text_arrives(uint16_t port, const char *text)
{
    wire_send_udp(HERE, port, text, strlen(text));
    wire_settle();
}

static BOOL arrives_at_the_fifth(unsigned count)
{
    if (count == 5)
        text_arrives(PORT, "fifth");
    return TRUE;
}

SUITE_TEST(blocking_hook, is_asked_for_once_and_called_until_there_is_data) // O10
{
    SOCKET s = open_here(PORT);
    char room[16];

    on_callback = arrives_at_the_fifth;
    text_arrives(PORT, "there");
    CHECK_TEXT(receive(s, room, sizeof room), room, "there");
    CHECK_EQ_U64(atomic_load(&queries), 0); /* nothing is asked on the fast road */
    uint64_t before = wake_clock();
    CHECK_TEXT(receive(s, room, sizeof room), room, "fifth");
    CHECK_GE_U64(milliseconds_since(before), 4 * 9);
    CHECK_EQ_U64(atomic_load(&queries), 1);
    CHECK_EQ_U64(atomic_load(&callbacks), 5);
    u_long one = 1;
    DWORD returned;
    int error = 0;
    CHECK_EQ_I64(
        spi.lpWSPIoctl(s, FIONBIO, &one, sizeof one, NULL, 0, &returned, NULL, NULL, NULL, &error),
        0);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEWOULDBLOCK);
    CHECK_EQ_U64(atomic_load(&queries), 1); /* nor for a call that cannot block */
}

static BOOL false_at_the_third(unsigned count)
{
    return count < 3;
}

SUITE_TEST(blocking_hook, may_say_that_the_call_is_cancelled) // N01
{
    SOCKET s = open_here(PORT);
    char room[16];

    on_callback = false_at_the_third;
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEINTR);
    CHECK_EQ_U64(atomic_load(&callbacks), 3);
    CHECK_EQ_U64(sleepers_of(s), 0);
    text_arrives(PORT, "after");
    CHECK_TEXT(receive(s, room, sizeof room), room, "after");
}

static BOOL cancels_at_the_second(unsigned count)
{
    if (count == 2) {
        cancel();
        check_cancelled();
    }
    return TRUE; /* as the mark, not the answer, says */
}

SUITE_TEST(blocking_hook, may_cancel_the_call) // N01
{
    SOCKET s = open_here(PORT);
    char room[16];

    on_callback = cancels_at_the_second;
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEINTR);
    CHECK_EQ_U64(atomic_load(&callbacks), 2);
    cancel();
    CHECK_EQ_I64(cancel_error, WSAEINVAL);
}

static BOOL cancels_and_data_comes(unsigned count)
{
    (void)count;
    cancel();
    text_arrives(PORT, "won");
    text_arrives(PORT, "next");
    return FALSE;
}

SUITE_TEST(blocking_hook, cannot_cancel_what_has_its_data) // N03
{
    SOCKET s = open_here(PORT);
    char room[16];

    on_callback = cancels_and_data_comes;
    CHECK_TEXT(receive(s, room, sizeof room), room, "won");
    CHECK_TEXT(receive(s, room, sizeof room), room, "next");
    CHECK_EQ_U64(counters_of(s).received, 2);
}

static struct operation in_callback;

static BOOL calls(unsigned count)
{
    char room[16];
    DWORD returned, value;
    u_long off = 0;
    int error = 0;

    if (count > 1)
        return TRUE;
    /* Blocking: refused whether it would find something or not, and what is there stays. */
    CHECK_REFUSED(receive(sockets[0], room, sizeof room), WSAEINPROGRESS);
    CHECK_REFUSED(receive(sockets[1], room, sizeof room), WSAEINPROGRESS);
    CHECK_EQ_I64(spi.lpWSPIoctl(sockets[1], FIONREAD, NULL, 0, &value, sizeof value, &returned,
                                NULL, NULL, NULL, &error),
                 0);
    CHECK_EQ_U64(value, 5);
    CHECK_EQ_I64(select_readable_on(sockets[1], -1, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEINPROGRESS);
    CHECK_EQ_I64(select_readable_on(sockets[1], 0, &error), 1); /* only looks */
    /* Overlapped and nonblocking calls are no blocking ones. */
    CHECK_EQ_I64(post(sockets[0], &in_callback, 16), WSA_IO_PENDING);
    off = 1;
    CHECK_EQ_I64(spi.lpWSPIoctl(sockets[1], FIONBIO, &off, sizeof off, NULL, 0, &returned, NULL,
                                NULL, NULL, &error),
                 0);
    CHECK_TEXT(receive(sockets[1], room, sizeof room), room, "there");
    CHECK_REFUSED(receive(sockets[1], room, sizeof room), WSAEWOULDBLOCK);
    text_arrives(PORT, "posted");
    text_arrives(PORT, "mine");
    return TRUE;
}

SUITE_TEST(blocking_hook, blocking_calls_inside_it_are_refused) // A20 C06
{
    char room[16];

    sockets[0] = open_here(PORT);
    sockets[1] = open_here(OTHER_PORT);
    text_arrives(OTHER_PORT, "there");
    on_callback = calls;
    CHECK_TEXT(receive(sockets[0], room, sizeof room), room, "mine");
    UNTIL(status_of(&in_callback) == 0);
    CHECK_EQ_MEM(in_callback.data, "posted", 6);
}

static struct outcome in_routine;
static char routine_room[16];
static bool routine_cancels;

static void CALLBACK receive_in_routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped,
                                        DWORD flags)
{
    note_completion(error, bytes, overlapped, flags);
    if (routine_cancels) {
        cancel();
        return;
    }
    in_routine = receive(sockets[1], routine_room, sizeof routine_room);
}

static BOOL waits_alertably(unsigned count)
{
    if (count != 2)
        return TRUE;
    text_arrives(OTHER_PORT, "operation");
    text_arrives(OTHER_PORT, "routine");
    CHECK_EQ_U64(SleepEx(10000, TRUE), WAIT_IO_COMPLETION);
    /* Back in the callback. */
    char room[16];
    CHECK_REFUSED(receive(sockets[1], room, sizeof room), WSAEINPROGRESS);
    if (!routine_cancels)
        text_arrives(PORT, "outer");
    return TRUE;
}

SUITE_TEST(blocking_hook, routines_inside_it_may_block) // A20 F08
{
    char room[16];

    sockets[0] = open_here(PORT);
    sockets[1] = open_here(OTHER_PORT);
    on_callback = waits_alertably;
    for (int i = 0; i < 2; i++) {
        routine_cancels = i == 1;
        atomic_store(&callbacks, 0);
        CHECK_EQ_I64(post_with(sockets[1], &in_callback, 16, 0, receive_in_routine),
                     WSA_IO_PENDING);
        struct outcome outcome = receive(sockets[0], room, sizeof room);
        CHECK_EQ_U64(in_callback.calls, 1);
        if (routine_cancels) {
            check_cancelled(); /* no call of its own: the one around the callback */
            CHECK_REFUSED(outcome, WSAEINTR);
        } else {
            CHECK_TEXT(outcome, room, "outer");
            CHECK_TEXT(in_routine, routine_room, "routine");
        }
    }
}

static BOOL waits_on(unsigned count)
{
    (void)count;
    return TRUE;
}

SUITE_TEST(blocking_hook, does_not_hold_up_a_time_out) // L01
{
    SOCKET s = open_here(PORT);
    char room[16];

    for (int hooked = 0; hooked < 2; hooked++) {
        on_callback = hooked ? waits_on : NULL;
        CHECK_EQ_I64(set_option(s, SO_RCVTIMEO, 60), 0);
        uint64_t before = wake_clock();
        CHECK_REFUSED(receive(s, room, sizeof room), WSAETIMEDOUT);
        CHECK_GE_U64(milliseconds_since(before), 60);
        CHECK_LE_U64(milliseconds_since(before), 5000);
    }
    CHECK_GE_U64(atomic_load(&callbacks), 2);
}

SUITE_TEST(blocking_hook, is_called_for_each_thread_by_itself)
{
    static struct runner blocked[2];

    sockets[0] = open_here(PORT);
    on_callback = waits_on;
    for (int i = 0; i < 2; i++)
        run(&blocked[i], receive_once, sockets[0], NULL);
    UNTIL(atomic_load(&callbacks) > 10);
    for (int i = 0; i < 2; i++)
        text_arrives(PORT, "each");
    for (int i = 0; i < 2; i++) {
        finish(&blocked[i]);
        CHECK_TEXT(blocked[i].outcome, blocked[i].data, "each");
    }
    CHECK_EQ_U64(atomic_load(&queries), 2);
}
