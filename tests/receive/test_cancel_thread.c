/* SPDX-License-Identifier: BSD-3-Clause */

/* Threads that pthread_cancel() ends: while they wait, and not while they do anything else. Deferred
 * cancellation, as POSIX has it. */

#include "support/suite.h"

#include <stdlib.h>

#include "harness.h"
#include "host/host.h"

SUITE_FIXTURE(cancelled_thread, open_quiet, close_all);

static void check_ended_by_cancel(struct runner *runner)
{
    struct timespec limit;
    void *result = NULL;

    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 30;
    CHECK_EQ_I64(pthread_timedjoin_np(runner->thread, &result, &limit), 0);
    CHECK(result == PTHREAD_CANCELED);
    CHECK(!atomic_load(&runner->ended));
}

SUITE_TEST(cancelled_thread, blocked_receive_ends_with_its_thread)
{
    SOCKET s = open_socket(PORT);
    char room[16];

    for (int i = 0; i < 50; i++) {
        static struct runner blocked;

        memset(&blocked, 0, sizeof blocked);
        run_blocked(&blocked, s);
        CHECK_EQ_I64(pthread_cancel(blocked.thread), 0);
        check_ended_by_cancel(&blocked);
        CHECK_EQ_U64(sleepers_of(s), 0);
    }
    arrive_text(PORT, "kept");
    CHECK_TEXT(receive(s, room, sizeof room), room, "kept");
}

static void cancel_itself_and_work(struct runner *self)
{
    struct sockaddr_in name = address_of(0, OTHER_PORT);
    char room[16];
    int error = 0;

    CHECK_EQ_I64(pthread_cancel(pthread_self()), 0);
    for (int i = 0; i < 5; i++)
        CHECK_TEXT(receive(self->s, room, sizeof room), room, "there");
    for (int i = 0; i < 20; i++) {
        SOCKET s = spi.lpWSPSocket(AF_INET, SOCK_DGRAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED, &error);

        CHECK(s != INVALID_SOCKET);
        CHECK_EQ_I64(spi.lpWSPBind(s, (struct sockaddr *)&name, sizeof name, &error), 0);
        CHECK_EQ_I64(join(s, THE_GROUP), 0);
        CHECK_EQ_I64(spi.lpWSPCloseSocket(s, &error), 0);
        HANDLE event = CreateEventW(NULL, FALSE, TRUE, NULL);
        CHECK_EQ_U64(WaitForSingleObject(event, INFINITE), WAIT_OBJECT_0); /* waits for nothing */
        CHECK(CloseHandle(event));
    }
    atomic_store(&self->step, 1);
    receive(self->s, room, sizeof room);
    atomic_store(&self->step, 2);
}

static void check_works_until_it_waits(SOCKET s)
{
    static struct runner worker;

    for (int i = 0; i < 5; i++)
        arrive_text(PORT, "there");
    run(&worker, cancel_itself_and_work, s, NULL);
    check_ended_by_cancel(&worker);
    CHECK_EQ_U64(atomic_load(&worker.step), 1);
    CHECK_EQ_U64(sleepers_of(s), 0);
}

SUITE_TEST(cancelled_thread, nothing_but_a_wait_is_a_cancellation_point) // B09
{
    check_works_until_it_waits(open_socket(PORT));
}

static void open_spinning(void)
{
    struct config config = wire_config();

    config.sockets.spin_us = 3600000000u;
    open_quiet_with(&config);
}

SUITE_FIXTURE(cancelled_spinning, open_spinning, close_all);

SUITE_TEST(cancelled_spinning, a_receive_that_spins_is_one)
{
    check_works_until_it_waits(open_socket(PORT));
}

/* --- what the thread leaves behind ----------------------------------------------------------------- */

static struct operation operations[2];

static void post_and_wait(struct runner *self)
{
    pend_event(self->s, &operations[0], 16);
    pend_routine(self->s, &operations[1], 16);
    atomic_store(&self->step, 1);
    if (self->argument != NULL) {
        char room[16];
        receive((SOCKET)(uintptr_t)self->argument, room, sizeof room);
    } else {
        SleepEx(INFINITE, FALSE);
    }
}

SUITE_TEST(cancelled_thread, its_operations_end) // K07 K08 F15
{
    SOCKET s = open_socket(PORT), other = open_socket(OTHER_PORT);
    char room[16];

    for (int blocked = 0; blocked < 2; blocked++) {
        static struct runner poster;

        memset(&poster, 0, sizeof poster);
        memset(operations, 0, sizeof operations);
        run(&poster, post_and_wait, s, blocked ? (void *)other : NULL);
        UNTIL(atomic_load(&poster.step) == 1);
        if (blocked)
            UNTIL(sleepers_of(other) == 1);
        CHECK_EQ_I64(pthread_cancel(poster.thread), 0);
        check_ended_by_cancel(&poster);
        check_ended(&operations[0], 0xC0000120u, 0);
        check_ended(&operations[1], 0xC0000120u, 0);
        CHECK(is_signalled(operations[0].overlapped.hEvent));
        CHECK_EQ_U64(operations[1].calls, 0);
        CHECK(!QueueUserAPC((PAPCFUNC)(void (*)(void))abort, poster.id.ThreadHandle, 0));
        arrive_text(PORT, "for the next");
        CHECK_TEXT(receive(s, room, sizeof room), room, "for the next");
        CHECK_EQ_U64(sleepers_of(other), 0);
        WSACloseEvent(operations[0].overlapped.hEvent);
    }
}

/* --- a host whose functions are cancellation points ---------------------------------------------------- */

static BOOL WSPAPI set_event_or_end(WSAEVENT which, LPINT error)
{
    pthread_testcancel();
    return WPUSetEvent(which, error);
}

static void open_foreign(void)
{
    struct config config = wire_config();
    WSPUPCALLTABLE upcalls = host_upcalls();
    WSAPROTOCOL_INFOW protocol = {0};
    WSPDATA data;

    upcalls.lpWPUSetEvent = set_event_or_end;
    wire_start(&config, &pending_operations, true);
    CHECK_EQ_I64(WSPStartup(MAKEWORD(2, 2), &data, &protocol, upcalls, &spi), 0);
}

static void close_foreign(void)
{
    int error = 0;

    CHECK_EQ_I64(spi.lpWSPCleanup(&error), 0);
    wire_settle();
    wire_stop();
}

SUITE_FIXTURE(cancelled_foreign, open_foreign, close_foreign);

static void cancel_itself_and_post(struct runner *self)
{
    CHECK_EQ_I64(pthread_cancel(pthread_self()), 0);
    for (int i = 0; i < 2; i++)
        CHECK_EQ_I64(post_event(self->s, &operations[i], 16), 0); /* completes at once (C03) */
    atomic_store(&self->step, 1);
    pthread_testcancel();
}

SUITE_TEST(cancelled_foreign, every_operation_is_indicated) // C03 O10
{
    static struct runner poster;
    struct sockaddr_in name = address_of(0, PORT);
    int error = 0;
    SOCKET s =
        spi.lpWSPSocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_OVERLAPPED, &error);

    CHECK_EQ_I64(spi.lpWSPBind(s, (struct sockaddr *)&name, sizeof name, &error), 0);
    for (int i = 0; i < 2; i++) {
        wire_send_udp(HERE, PORT, "there", 5);
        wire_settle();
    }
    run(&poster, cancel_itself_and_post, s, NULL);
    check_ended_by_cancel(&poster);
    CHECK_EQ_U64(atomic_load(&poster.step), 1);
    for (int i = 0; i < 2; i++)
        check_completed(&operations[i], "there");
}

/* --- every wait ---------------------------------------------------------------------------------------- */

static HANDLE event;

static void wait_single(struct runner *self)
{
    (void)self;
    WaitForSingleObject(event, INFINITE);
}

static void wait_any_alertably(struct runner *self)
{
    WSAEVENT two[2] = {self->argument, event};

    WSAWaitForMultipleEvents(2, two, FALSE, WSA_INFINITE, TRUE);
}

static void wait_all(struct runner *self)
{
    WSAEVENT two[2] = {self->argument, event};

    WSAWaitForMultipleEvents(2, two, TRUE, WSA_INFINITE, FALSE);
}

static void sleep_long(struct runner *self)
{
    (void)self;
    Sleep(1000000);
}

static void sleep_alertably(struct runner *self)
{
    (void)self;
    SleepEx(1000000, TRUE);
}

static void wait_for_result(struct runner *self)
{
    result_of(self->s, &operations[0], true);
}

static void select_for_ever(struct runner *self)
{
    static struct {
        u_int count;
        SOCKET sockets[100];
    } set; /* more than the call keeps on the stack */
    int error = 0;

    set.count = 100;
    for (unsigned i = 0; i < 100; i++)
        set.sockets[i] = self->s;
    spi.lpWSPSelect(0, (fd_set *)(void *)&set, NULL, NULL, NULL, &error);
}

static void (*const waits[])(struct runner *) = {
    wait_single,     wait_any_alertably, wait_all,        sleep_long,
    sleep_alertably, wait_for_result,    select_for_ever,
};

SUITE_TEST(cancelled_thread, every_wait_is_a_cancellation_point)
{
    SOCKET s = open_socket(PORT);
    HANDLE other = CreateEventW(NULL, FALSE, FALSE, NULL);

    event = CreateEventW(NULL, FALSE, FALSE, NULL);
    memset(operations, 0, sizeof operations);
    pend_event(s, &operations[0], 16);
    for (unsigned i = 0; i < 4 * sizeof waits / sizeof waits[0]; i++) {
        static struct runner waiter;

        memset(&waiter, 0, sizeof waiter);
        run(&waiter, waits[i / 4], s, other);
        if (i % 2 == 0)
            Sleep(20); /* asleep by now; else just beginning */
        CHECK_EQ_I64(pthread_cancel(waiter.thread), 0);
        check_ended_by_cancel(&waiter);
        /* Nothing of it is left: the event can be had, and is had once. */
        CHECK(SetEvent(event));
        CHECK_EQ_U64(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
        CHECK_EQ_U64(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    }
    arrive_text(PORT, "well");
    check_completed(&operations[0], "well");
    CHECK(CloseHandle(event) && CloseHandle(other));
}

/* --- under traffic ------------------------------------------------------------------------------------- */

#define DATAGRAMS 4000u
#define RECEIVERS 2u
#define VICTIMS 4u

static _Atomic unsigned seen[DATAGRAMS];
static _Atomic unsigned total;
static _Atomic bool stop;

static void receive_on(struct runner *self)
{
    while (!atomic_load(&stop)) {
        struct outcome outcome = receive(self->s, self->data, sizeof self->data);
        uint32_t number;

        if (outcome.result != 0)
            return;
        /* No cancellation point between a receive and this. */
        memcpy(&number, self->data, sizeof number);
        atomic_fetch_add(&seen[number], 1);
        atomic_fetch_add(&total, 1);
    }
}

static void open_live_here(void)
{
    open_live();
}

SUITE_FIXTURE(cancelled_live, open_live_here, close_all);

SUITE_TEST(cancelled_live, no_datagram_is_lost_with_its_thread)
{
    SOCKET s = open_socket(PORT);
    static struct runner receivers[RECEIVERS], victims[VICTIMS];
    unsigned cancelled = 0;
    const uint32_t count = SCALED(DATAGRAMS);

    for (unsigned i = 0; i < RECEIVERS; i++)
        run(&receivers[i], receive_on, s, NULL);
    for (unsigned i = 0; i < VICTIMS; i++)
        run(&victims[i], receive_on, s, NULL);
    for (uint32_t n = 0; n < count; n++) {
        unsigned victim = n % VICTIMS;

        arrive(PORT, &n, sizeof n);
        if (n % 5 == 0) {
            CHECK_EQ_I64(pthread_cancel(victims[victim].thread), 0);
            if (n % 10 == 0)
                arrive(PORT, &(uint32_t){++n}, sizeof n);
            check_ended_by_cancel(&victims[victim]);
            cancelled++;
            memset(&victims[victim], 0, sizeof victims[victim]);
            run(&victims[victim], receive_on, s, NULL);
        }
        UNTIL(n < atomic_load(&total) + 100); /* not more than the ring holds */
    }
    UNTIL(atomic_load(&total) >= count);
    for (uint32_t n = 0; n < count; n++)
        CHECK_EQ_U64(atomic_load(&seen[n]), 1);
    CHECK_GE_U64(cancelled, count / 20);
    atomic_store(&stop, true);
    for (unsigned i = 0; i < VICTIMS; i++) {
        CHECK_EQ_I64(pthread_cancel(victims[i].thread), 0);
        check_ended_by_cancel(&victims[i]);
    }
    UNTIL(sleepers_of(s) == RECEIVERS);
    close_socket(s);
    for (unsigned i = 0; i < RECEIVERS; i++)
        finish(&receivers[i]);
}
