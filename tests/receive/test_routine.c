/* SPDX-License-Identifier: BSD-3-Clause */

/* Completion routines: clauses F. */

#include "support/suite.h"

#include "harness.h"

SUITE_FIXTURE(routine, open_quiet, close_all);

SUITE_TEST(routine, runs_in_an_alertable_wait_only) // F01 F02 F06
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;
    HANDLE never = WSACreateEvent();

    pend_routine(s, &posted, 16);
    arrive_text(PORT, "abc");
    check_ended(&posted, 0, 3);
    CHECK_EQ_U64(WaitForSingleObject(never, 5), WAIT_TIMEOUT);
    CHECK_EQ_U64(WSAWaitForMultipleEvents(1, &never, FALSE, 5, FALSE), WSA_WAIT_TIMEOUT);
    CHECK_EQ_U64(SleepEx(5, FALSE), 0);
    Sleep(5);
    CHECK_EQ_U64(posted.calls, 0);
    CHECK_EQ_U64(SleepEx(1000, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(posted.calls, 1);
    CHECK_EQ_U64(posted.error, 0);
    CHECK_EQ_U64(posted.bytes, 3);
    CHECK_EQ_U64(posted.flags, 0);
    CHECK_EQ_PTR(posted.told, &posted.overlapped);
    CHECK_EQ_U64(posted.thread, GetCurrentThreadId());
    CHECK_EQ_U64(SleepEx(5, TRUE), 0);
    CHECK_EQ_U64(posted.calls, 1);
}

/* Not synchronously, though the operation succeeds at once. */
SUITE_TEST(routine, of_an_immediate_success_is_queued) // F02 F05 C03
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;

    arrive_text(PORT, "abc");
    CHECK_EQ_I64(post_routine(s, &posted, 16), 0);
    CHECK_EQ_U64(posted.started.bytes, 3);
    CHECK_EQ_U64(posted.calls, 0);
    check_ended(&posted, 0, 3);
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(posted.calls, 1);
    CHECK_EQ_U64(posted.bytes, 3);
}

/* Each of a thread's alertable waits. */
static DWORD wait_alertably(struct runner *self)
{
    HANDLE never = self->argument;
    DWORD result = SleepEx(30, TRUE);

    if (result == 0 && WaitForSingleObjectEx(never, 30, TRUE) == WAIT_IO_COMPLETION)
        result = WAIT_IO_COMPLETION;
    if (WSAWaitForMultipleEvents(1, &never, FALSE, 30, TRUE) == WSA_WAIT_IO_COMPLETION)
        result = WAIT_IO_COMPLETION;
    return result;
}

static void wait_as_another_thread(struct runner *self)
{
    CHECK_EQ_U64(wait_alertably(self), 0);
}

SUITE_TEST(routine, is_not_run_by_another_thread) // F03
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;
    static struct runner other;

    pend_routine(s, &posted, 16);
    arrive_text(PORT, "abc");
    run(&other, wait_as_another_thread, s, WSACreateEvent());
    finish(&other);
    CHECK_EQ_U64(posted.calls, 0);
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(posted.calls, 1);
}

SUITE_TEST(routine, all_that_are_ready_run_in_one_wait) // F04 F07 F20
{
    SOCKET s = open_socket(PORT), other = open_socket(OTHER_PORT);
    static struct operation posted[5];
    HANDLE never = WSACreateEvent();

    for (int round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 5; i++) {
            pend_routine(i % 2 ? s : other, &posted[i], 16);
            arrive_text(i % 2 ? PORT : OTHER_PORT, "abc");
        }
        DWORD result = round == 0   ? WSAWaitForMultipleEvents(1, &never, FALSE, 1000, TRUE)
                       : round == 1 ? SleepEx(1000, TRUE)
                                    : WaitForSingleObjectEx(never, 1000, TRUE);
        CHECK_EQ_U64(result, WAIT_IO_COMPLETION);
        for (unsigned i = 0; i < 5; i++)
            CHECK_EQ_U64(posted[i].calls, 1);
        CHECK_EQ_U64(SleepEx(0, TRUE), 0);
    }
}

static void wait_for_routine(struct runner *self)
{
    static struct operation posted;

    pend_routine(self->s, &posted, 16);
    atomic_store(&self->step, 1);
    CHECK_EQ_U64(SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(posted.calls, 1);
    CHECK_EQ_U64(posted.thread, GetCurrentThreadId());
    pend_routine(self->s, &posted, 16);
    atomic_store(&self->step, 2);
    HANDLE never = WSACreateEvent();
    CHECK_EQ_U64(WSAWaitForMultipleEvents(1, &never, FALSE, WSA_INFINITE, TRUE),
                 WSA_WAIT_IO_COMPLETION);
    CHECK_EQ_U64(posted.calls, 1);
}

SUITE_TEST(routine, wakes_its_thread) // F01 F20
{
    SOCKET s = open_socket(PORT);
    static struct runner waiting;

    run(&waiting, wait_for_routine, s, NULL);
    for (unsigned step = 1; step <= 2; step++) {
        UNTIL(atomic_load(&waiting.step) == step);
        Sleep(20);
        arrive_text(PORT, "abc");
    }
    finish(&waiting);
}

/* --- receiving inside a routine ------------------------------------------------------------------------- */

static SOCKET sockets[2];
static struct operation operations[2];
static unsigned runs, nested, deepest;
static unsigned limit;

static void CALLBACK post_again(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags)
{
    note_completion(error, bytes, overlapped, flags);
    deepest = ++nested > deepest ? nested : deepest;
    if (++runs < limit) {
        int result = post_with(sockets[0], &operations[0], 16, 0, post_again);

        CHECK(result == 0 || result == WSA_IO_PENDING);
        CHECK_EQ_U64(SleepEx(0, TRUE), 0); /* alertable, but the same socket's never nests */
    }
    nested--;
}

/* Data waits: each call inside a routine succeeds at once, and its routine runs after this one. */
SUITE_TEST(routine, receive_inside_it_never_nests) // F08 F02 F05
{
    sockets[0] = open_socket(PORT);
    limit = 100;
    for (unsigned i = 0; i < limit; i++)
        arrive_text(PORT, "abc");
    CHECK_EQ_I64(post_with(sockets[0], &operations[0], 16, 0, post_again), 0);
    CHECK_EQ_U64(runs, 0);
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(runs, limit);
    CHECK_EQ_U64(deepest, 1);
    CHECK_EQ_U64(SleepEx(0, TRUE), 0);
}

static char inside[16];

static void CALLBACK receive_inside(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped,
                                    DWORD flags)
{
    note_completion(error, bytes, overlapped, flags);
    CHECK_TEXT(receive(sockets[0], inside, sizeof inside), inside, "inside");
    struct sockaddr_in from;
    INT fromlen = sizeof from;
    CHECK_EQ_I64(recvfrom(sockets[0], inside, sizeof inside, 0, (struct sockaddr *)&from, &fromlen),
                 4);
}

SUITE_TEST(routine, plain_receives_may_be_made_inside_it) // F08
{
    sockets[0] = open_socket(PORT);
    CHECK_EQ_I64(post_with(sockets[0], &operations[0], 16, 0, receive_inside), WSA_IO_PENDING);
    arrive_text(PORT, "outside");
    arrive_text(PORT, "inside");
    arrive_text(PORT, "from");
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(operations[0].calls, 1);
}

SUITE_TEST(routine, of_a_receive_with_its_source_may_receive_as_well) // F08 F06 I07
{
    struct sockaddr_in from, sender = address_of(SENDER, SENDER_PORT);
    INT fromlen = sizeof from;
    struct operation *posted = &operations[0];
    WSABUF buffer = {16, posted->data};
    DWORD flags = 0;
    WSATHREADID me;
    int error = 0;

    sockets[0] = open_socket(PORT);
    memset(&from, CANARY, sizeof from);
    CHECK_EQ_I64(WPUOpenCurrentThread(&me, &error), 0);
    spi.lpWSPRecvFrom(sockets[0], &buffer, 1, NULL, &flags, (struct sockaddr *)&from, &fromlen,
                      &posted->overlapped, receive_inside, &me, &error);
    CHECK_EQ_I64(error, WSA_IO_PENDING);
    arrive_text(PORT, "outside");
    arrive_text(PORT, "inside");
    arrive_text(PORT, "from");
    CHECK_EQ_U64(posted->calls, 0);
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(posted->calls, 1);
    CHECK_EQ_U64(posted->error, 0);
    CHECK_EQ_U64(posted->bytes, 7);
    CHECK_EQ_PTR(posted->told, &posted->overlapped);
    CHECK_EQ_MEM(posted->data, "outside", 7);
    CHECK_EQ_MEM(&from, &sender, sizeof from);
}

/* An alertable wait inside a routine runs another socket's, but keeps its own socket's for later. */
static void CALLBACK wait_inside(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags)
{
    note_completion(error, bytes, overlapped, flags);
    CHECK_EQ_U64(operations[1].calls, 0);
    CHECK_EQ_U64(SleepEx(0, TRUE), limit);
    runs = operations[1].calls;
}

SUITE_TEST(routine, wait_inside_it_runs_other_sockets_routines) // F08
{
    sockets[0] = open_socket(PORT);
    sockets[1] = open_socket(OTHER_PORT);
    for (int same = 0; same < 2; same++) {
        limit = same ? 0 : WAIT_IO_COMPLETION;
        CHECK_EQ_I64(post_with(sockets[0], &operations[0], 16, 0, wait_inside), WSA_IO_PENDING);
        CHECK_EQ_I64(post_routine(same ? sockets[0] : sockets[1], &operations[1], 16),
                     WSA_IO_PENDING);
        arrive_text(PORT, "abc");
        arrive_text(same ? PORT : OTHER_PORT, "abc");
        CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
        CHECK_EQ_U64(operations[0].calls, 1);
        CHECK_EQ_U64(operations[1].calls, 1);
        CHECK_EQ_U64(runs, same ? 0 : 1);
    }
}

/* --- how operations end, as routines see it --------------------------------------------------------------- */

SUITE_TEST(routine, is_told_that_its_socket_was_closed) // F11u K03 D05
{
    SOCKET s = open_socket(PORT);
    static struct operation posted[3];

    for (unsigned i = 0; i < 3; i++)
        pend_routine(s, &posted[i], 16);
    close_socket(s);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ_U64(posted[i].calls, 0);
        check_ended(&posted[i], STATUS_CANCELLED, 0);
    }
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ_U64(posted[i].calls, 1);
        CHECK_EQ_U64(posted[i].error, WSA_OPERATION_ABORTED);
        CHECK_EQ_U64(posted[i].bytes, 0);
    }
}

SUITE_TEST(routine, is_told_of_a_truncated_datagram) // F12 H10 Q07
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;

    pend_routine(s, &posted, 2);
    arrive_text(PORT, "abc");
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(posted.calls, 1);
    CHECK_EQ_U64(posted.error, WSAEMSGSIZE);
    CHECK_EQ_U64(posted.bytes, 2);
    CHECK_EQ_U64(posted.flags, 0); /* H10: no MSG_PARTIAL */
}

static struct operation left_behind[3];

static void post_routines_and_exit(struct runner *self)
{
    for (unsigned i = 0; i < 3; i++)
        pend_routine(self->s, &left_behind[i], 16);
}

SUITE_TEST(routine, of_a_thread_that_has_exited_never_runs) // F15 K07 K08
{
    SOCKET s = open_socket(PORT);
    static struct runner poster;
    char room[16];

    run(&poster, post_routines_and_exit, s, NULL);
    finish(&poster);
    for (unsigned i = 0; i < 3; i++)
        check_ended(&left_behind[i], STATUS_CANCELLED, 0);
    arrive_text(PORT, "not lost");
    CHECK_TEXT(receive(s, room, sizeof room), room, "not lost");
    CHECK_EQ_U64(SleepEx(10, TRUE), 0);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ_U64(left_behind[i].calls, 0);
}

static void complete_and_exit(struct runner *self)
{
    for (unsigned i = 0; i < 3; i++)
        pend_routine(self->s, &left_behind[i], 16);
    atomic_store(&self->step, 1);
    UNTIL(atomic_load(&self->step) == 2);
}

/* They completed, and are queued: they never run, and what they hold is not leaked (LeakSanitizer). */
SUITE_TEST(routine, that_is_queued_dies_with_its_thread) // F15
{
    SOCKET s = open_socket(PORT);
    static struct runner poster;

    for (unsigned round = 0; round < 3; round++) {
        atomic_store(&poster.step, 0);
        atomic_store(&poster.started, false);
        run(&poster, complete_and_exit, s, NULL);
        UNTIL(atomic_load(&poster.step) == 1);
        for (unsigned i = 0; i < 3; i++)
            arrive_text(PORT, "abc");
        atomic_store(&poster.step, 2);
        finish(&poster);
        for (unsigned i = 0; i < 3; i++) {
            check_completed(&left_behind[i], "abc");
            CHECK_EQ_U64(left_behind[i].calls, 0);
        }
        CHECK_EQ_U64(SleepEx(0, TRUE), 0);
    }
}

/* The harness overwrites the identity and the WSABUF array as soon as the call has returned. */
SUITE_TEST(routine, identity_of_its_thread_is_copied) // F16 G02
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;
    WSATHREADID me;
    int error = 0;
    DWORD flags = 0;
    WSABUF *buffer = (WSABUF *)(void *)map_pages(1);
    LPWSATHREADID thread = (LPWSATHREADID)(void *)map_pages(1);

    CHECK_EQ_I64(WPUOpenCurrentThread(&me, &error), 0);
    *thread = me;
    *buffer = (WSABUF){16, posted.data};
    spi.lpWSPRecv(s, buffer, 1, NULL, &flags, &posted.overlapped, note_completion, thread, &error);
    CHECK_EQ_I64(error, WSA_IO_PENDING);
    unmap_pages(thread, 1);
    unmap_pages(buffer, 1);
    arrive_text(PORT, "abc");
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(posted.calls, 1);
    CHECK_EQ_MEM(posted.data, "abc", 3);
    CHECK_EQ_I64(WPUCloseThread(&me, &error), 0);
}

/* On behalf of another thread: the routine runs there. */
static void wait_until_called(struct runner *self)
{
    atomic_store(&self->step, GetCurrentThreadId());
    while (SleepEx(10000, TRUE) != WAIT_IO_COMPLETION)
        continue;
}

SUITE_TEST(routine, runs_on_the_thread_that_was_named) // F03 F17
{
    SOCKET s = open_socket(PORT);
    static struct runner other;
    static struct operation posted;
    WSABUF buffer = {16, posted.data};
    DWORD flags = 0;
    int error = 0;

    run(&other, wait_until_called, s, NULL);
    UNTIL(atomic_load(&other.step) != 0);
    spi.lpWSPRecv(s, &buffer, 1, NULL, &flags, &posted.overlapped, note_completion, &other.id,
                  &error);
    CHECK_EQ_I64(error, WSA_IO_PENDING);
    arrive_text(PORT, "abc");
    finish(&other);
    CHECK_EQ_U64(posted.calls, 1);
    CHECK_EQ_U64(posted.thread, atomic_load(&other.step));
}

static DWORD_PTR context_seen;

static void CALLBACK see_context(DWORD_PTR context)
{
    context_seen = context;
}

static void queue_for(struct runner *self)
{
    int error = 0;

    CHECK_EQ_I64(WPUQueueApc(self->argument, see_context, (DWORD_PTR)0x123456789abcdef0u, &error),
                 0);
}

SUITE_TEST(routine, apc_may_be_queued_by_any_thread_with_a_whole_word) // F17 F18
{
    WSATHREADID me, stranger = {.ThreadHandle = (HANDLE)0x1234};
    static struct runner other;
    int error = 0;

    CHECK_EQ_I64(WPUOpenCurrentThread(&me, &error), 0);
    run(&other, queue_for, 0, &me);
    finish(&other);
    CHECK_EQ_U64(context_seen, 0);
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(context_seen, 0x123456789abcdef0u);
    CHECK_EQ_I64(WPUQueueApc(&stranger, see_context, 0, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT);
    error = 0;
    CHECK_EQ_I64(WPUQueueApc(&other.id, see_context, 0, &error), SOCKET_ERROR); /* has exited */
    CHECK_EQ_I64(error, WSAEFAULT);
}

/* One thread's routines of several hundred operations; none is lost, none allocates on the lcore. */
SUITE_TEST(routine, hundreds_may_be_outstanding_on_one_thread) // F07 F14 C07 G08
{
    enum {
        COUNT = 600
    };
    SOCKET s = open_socket(PORT);
    static struct operation posted[COUNT];
    unsigned seen = 0;

    for (unsigned i = 0; i < COUNT; i++)
        pend_routine(s, &posted[i], 16);
    for (unsigned i = 0; i < COUNT; i++)
        arrive(PORT, &i, sizeof i);
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    for (unsigned i = 0; i < COUNT; i++) {
        CHECK_EQ_U64(posted[i].calls, 1);
        CHECK_EQ_MEM(posted[i].data, &seen, sizeof seen);
        seen++;
    }
    CHECK_EQ_U64(SleepEx(0, TRUE), 0);
}
