/* SPDX-License-Identifier: BSD-3-Clause */

/* CancelIo() and CancelIoEx(): clause K13, and K08 after it. */

#include "support/suite.h"

#include "harness.h"

SUITE_FIXTURE(cancel, open_quiet, close_all);

static struct operation operations[40];

static BOOL cancel(SOCKET s, struct operation *operation)
{
    return CancelIoEx((HANDLE)s, &operation->overlapped);
}

SUITE_TEST(cancel, one_receive_of_several_is_ended) // K13 D05 E06 E10
{
    SOCKET s = open_socket(PORT);
    char room[16];

    for (int i = 0; i < 3; i++)
        pend_event(s, &operations[i], 8);
    CHECK(cancel(s, &operations[1]));
    check_ended(&operations[1], STATUS_CANCELLED, 0);
    CHECK(is_signalled(operations[1].overlapped.hEvent));
    CHECK_EQ_I64(result_of(s, &operations[1], false).error, WSA_OPERATION_ABORTED);
    CHECK_EQ_U64(status_of(&operations[0]), STATUS_PENDING);
    CHECK_EQ_U64(status_of(&operations[2]), STATUS_PENDING);
    CHECK(!cancel(s, &operations[1])); /* it has ended */
    CHECK_EQ_U64(GetLastError(), ERROR_NOT_FOUND);
    arrive_text(PORT, "first"); /* the others are as they were, in their order (G08) */
    arrive_text(PORT, "second");
    check_completed(&operations[0], "first");
    check_completed(&operations[2], "second");
    arrive_text(PORT, "third");
    CHECK_TEXT(receive(s, room, sizeof room), room, "third"); /* K08 */
    for (int i = 0; i < 3; i++)
        check_canaries(&operations[i]);
}

SUITE_TEST(cancel, first_and_last_leave_the_others_in_order) // K13 G08
{
    SOCKET s = open_socket(PORT);

    for (int i = 0; i < 4; i++)
        pend_event(s, &operations[i], 8);
    CHECK(cancel(s, &operations[3]));
    CHECK(cancel(s, &operations[0]));
    pend_event(s, &operations[4], 8);
    arrive_text(PORT, "a");
    arrive_text(PORT, "b");
    arrive_text(PORT, "c");
    check_completed(&operations[1], "a");
    check_completed(&operations[2], "b");
    check_completed(&operations[4], "c");
}

SUITE_TEST(cancel, all_receives_of_a_socket_are_ended) // K13 D05 F02
{
    SOCKET s = open_socket(PORT), other = open_socket(OTHER_PORT);
    char room[16];

    for (unsigned i = 0; i < 40; i++) /* more than are indicated at once */
        (i % 2 ? pend_routine : pend_event)(s, &operations[i], 8);
    static struct operation untouched;
    pend_event(other, &untouched, 8);
    SetLastError(4711);
    CHECK(CancelIoEx((HANDLE)s, NULL));
    CHECK_EQ_U64(GetLastError(), 4711);
    for (unsigned i = 0; i < 40; i++) {
        CHECK_EQ_U64(status_of(&operations[i]), STATUS_CANCELLED);
        CHECK_EQ_U64(operations[i].overlapped.InternalHigh, 0);
        CHECK_EQ_U64(operations[i].calls, 0); /* F02: in an alertable wait */
    }
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    for (unsigned i = 0; i < 40; i++) {
        if (i % 2 == 0) {
            CHECK(is_signalled(operations[i].overlapped.hEvent));
            continue;
        }
        CHECK_EQ_U64(operations[i].calls, 1);
        CHECK_EQ_U64(operations[i].error, WSA_OPERATION_ABORTED);
        CHECK_EQ_U64(operations[i].bytes, 0);
        CHECK_EQ_PTR(operations[i].told, &operations[i].overlapped);
    }
    CHECK_EQ_U64(status_of(&untouched), STATUS_PENDING);
    CHECK(!CancelIoEx((HANDLE)s, NULL));
    CHECK_EQ_U64(GetLastError(), ERROR_NOT_FOUND);
    arrive_text(PORT, "later");
    CHECK_TEXT(receive(s, room, sizeof room), room, "later"); /* K08 */
}

SUITE_TEST(cancel, what_arrived_before_is_not_cancelled) // K13
{
    SOCKET s = open_socket(PORT);

    pend_event(s, &operations[0], 8);
    arrive_text(PORT, "won");
    CHECK(!cancel(s, &operations[0]));
    CHECK_EQ_U64(GetLastError(), ERROR_NOT_FOUND);
    check_completed(&operations[0], "won");
}

SUITE_TEST(cancel, event_may_be_gone) // K13 D17
{
    SOCKET s = open_socket(PORT);

    pend_event(s, &operations[0], 8);
    CloseHandle(operations[0].overlapped.hEvent);
    CHECK(cancel(s, &operations[0]));
    CHECK_EQ_U64(status_of(&operations[0]), STATUS_CANCELLED);
}

SUITE_TEST(cancel, record_may_be_gone) // K13
{
    SOCKET s = open_socket(PORT);
    struct operation *gone = (struct operation *)(void *)map_pages(2);
    char room[16];

    pend(s, gone, 8);
    pend_event(s, &operations[0], 8);
    unmap_pages(gone, 2);
    CHECK(cancel(s, gone)); /* found by its address, which is not followed */
    CHECK(!cancel(s, gone));
    CHECK(cancel(s, &operations[0]));
    arrive_text(PORT, "later");
    CHECK_TEXT(receive(s, room, sizeof room), room, "later");
}

SUITE_TEST(cancel, what_is_no_socket_is_refused)
{
    SOCKET closed = open_socket(PORT);
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);

    close_socket(closed);
    const HANDLE rows[] = {NULL,
                           INVALID_HANDLE_VALUE,
                           (HANDLE)(ULONG_PTR)closed,
                           event,
                           (HANDLE)(ULONG_PTR)(closed + 1),
                           &event};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        SetLastError(0);
        CHECK(!CancelIo(rows[i]));
        CHECK_EQ_U64(GetLastError(), ERROR_INVALID_HANDLE);
        SetLastError(0);
        CHECK(!CancelIoEx(rows[i], NULL));
        CHECK_EQ_U64(GetLastError(), ERROR_INVALID_HANDLE);
    }
}

/* --- threads --------------------------------------------------------------------------------------- */

static void post_and_cancel(struct runner *self)
{
    struct operation *mine = self->argument;

    pend_event(self->s, &mine[0], 8);
    pend_routine(self->s, &mine[1], 8);
    self->step = 1;
    UNTIL(self->step == 2);
    SetLastError(4711);
    CHECK(CancelIo((HANDLE)self->s));
    CHECK_EQ_U64(GetLastError(), 4711);
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK(CancelIo((HANDLE)self->s)); /* nothing is left, which is no failure */
}

SUITE_TEST(cancel, only_the_calling_threads_are_ended) // K13
{
    SOCKET s = open_socket(PORT);
    struct runner runner = {.thread = 0};

    CHECK(CancelIo((HANDLE)s)); /* a thread that has never posted */
    pend_event(s, &operations[0], 8);
    run(&runner, post_and_cancel, s, &operations[1]);
    UNTIL(runner.step == 1);
    pend_routine(s, &operations[3], 8);
    runner.step = 2;
    finish(&runner);
    check_ended(&operations[1], STATUS_CANCELLED, 0);
    CHECK_EQ_U64(status_of(&operations[2]), STATUS_CANCELLED);
    CHECK_EQ_U64(operations[2].calls, 1);
    CHECK_EQ_U64(operations[2].error, WSA_OPERATION_ABORTED);
    arrive_text(PORT, "a");
    arrive_text(PORT, "b");
    check_completed(&operations[0], "a");
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(operations[3].error, 0);
    CHECK_EQ_U64(operations[3].bytes, 1);
}

SUITE_TEST(cancel, another_threads_are_ended_by_the_other_call) // K13
{
    SOCKET s = open_socket(PORT);
    struct runner runner = {.thread = 0};

    run(&runner, post_and_cancel, s, &operations[1]);
    UNTIL(runner.step == 1);
    CHECK(cancel(s, &operations[1]));
    CHECK(CancelIoEx((HANDLE)s, NULL));
    runner.step = 2;
    finish(&runner);
    CHECK_EQ_U64(operations[2].calls, 1); /* on the thread that started it */
    CHECK(operations[2].thread != GetCurrentThreadId());
}

SUITE_TEST(cancel, receiver_behind_the_cancelled_is_let_through) // K13 G12
{
    SOCKET s = open_socket(PORT);
    struct runner runner = {.thread = 0};

    pend_event(s, &operations[0], 8);
    run_blocked(&runner, s);
    CHECK(cancel(s, &operations[0]));
    arrive_text(PORT, "mine");
    finish(&runner);
    CHECK_EQ_I64(runner.outcome.result, 0);
    CHECK_EQ_MEM(runner.data, "mine", 4);
}

/* --- against arrivals ------------------------------------------------------------------------------ */

SUITE_FIXTURE(cancel_live, open_live, close_all);

struct racing {
    _Atomic uint64_t posted; /* the operation that is to be cancelled next */
    uint64_t cancelled;
};

enum {
    RACES = 20000
};

static void cancel_posted(struct runner *self)
{
    struct racing *racing = self->argument;
    uint64_t seen = 0;

    while (seen < SCALED(RACES)) {
        uint64_t posted = racing->posted;

        if (posted == seen)
            continue;
        seen = posted;
        if (cancel(self->s, &operations[seen % 2]))
            racing->cancelled++;
    }
}

/* Each operation ends once, with its datagram or as cancelled; each datagram is had once. */
SUITE_TEST(cancel_live, arrival_and_cancellation_exclude_each_other) // K13 K08
{
    SOCKET s = open_socket(PORT);
    struct racing racing = {.cancelled = 0};
    struct runner runner = {.thread = 0};
    uint64_t sent = 0, had = 0, aborted = 0, next = 0;
    char room[16] = ""; /* eight digits, and what ends a string behind them */

    memset(operations, 0, sizeof operations);
    run(&runner, cancel_posted, s, &racing);
    for (uint64_t i = 1; i <= SCALED(RACES); i++) {
        struct operation *operation = &operations[i % 2];

        CHECK_EQ_I64(post(s, operation, 8), WSA_IO_PENDING);
        racing.posted = i;
        if (i % 4 != 0) {
            char text[16];

            snprintf(text, sizeof text, "%08x", (unsigned)sent++);
            arrive_text(PORT, text);
        }
        if (i % 4 == 0 && status_of(operation) == STATUS_PENDING)
            cancel(s, operation);
        UNTIL(status_of(operation) != STATUS_PENDING);
        if (status_of(operation) == STATUS_CANCELLED) {
            aborted++;
        } else {
            CHECK_EQ_U64(status_of(operation), STATUS_SUCCESS);
            CHECK_EQ_U64(operation->overlapped.InternalHigh, 8);
            CHECK_EQ_U64(strtoul(operation->data, NULL, 16), next++);
            had++;
        }
        check_canaries(operation);
        /* What a cancelled one has left is the next receive's (K08). */
        while (had < sent) {
            CHECK_TEXT(receive(s, room, 8), room, room);
            CHECK_EQ_U64(strtoul(room, NULL, 16), next++);
            had++;
        }
    }
    finish(&runner);
    CHECK_EQ_U64(had, sent);
    CHECK_GE_U64(racing.cancelled, 1);
    CHECK_LE_U64(racing.cancelled, aborted);
}
