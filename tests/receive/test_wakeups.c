/* SPDX-License-Identifier: BSD-3-Clause */

/* Wake-ups that must not be lost: receivers that never spin and a source that sends the next datagrams
 * only when all earlier ones have been received, at random moments while the receivers are on their
 * way to sleep. One wake-up lost, and nothing moves any more. Clauses D03, E03, F01 under load. */

#include "support/suite.h"

#include "harness.h"
#include "lcore_hook.h"

#include <rte_cycles.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "host/host.h"

static void open_sleepy(void)
{
    struct config config = wire_config();

    config.sockets.spin_us = 0;
    atomic_store(&host_spin_ns, 0);
    open_live_with(&config);
}

SUITE_FIXTURE(wakeups, open_sleepy, close_all);

#define RECEIVERS 3u
#define SECONDS 2
#define ENOUGH 500u

static _Atomic uint64_t received;
static _Atomic bool enough;
static unsigned burst_limit;

/* On the lcore: when everything has been received, wait a moment and send some more. */
static void send_when_drained(void)
{
    static uint64_t random_state = 88172645463325252u, due;
    uint64_t count = source_count();

    if (atomic_load_explicit(&enough, memory_order_relaxed) ||
        atomic_load_explicit(&received, memory_order_acquire) != count)
        return;
    uint64_t now = rte_rdtsc();
    if (due == 0) {
        random_state ^= random_state << 13;
        random_state ^= random_state >> 7;
        random_state ^= random_state << 17;
        /* Mostly within the time that it takes to fall asleep, sometimes long after. */
        due = now + random_state % (random_state % 8 == 0 ? 100000 : 8000);
    }
    if (now < due)
        return;
    due = 0;
    source_frames(1 + (unsigned)(random_state >> 32) % burst_limit);
}

static void check_received(const void *data, size_t bytes)
{
    uint64_t sequence;

    CHECK(source_check(data, bytes, &sequence));
    atomic_fetch_add_explicit(&received, 1, memory_order_acq_rel);
}

/* Watch it move; fail when it stands still. */
static void watch(void)
{
    uint64_t end = wake_clock() + SECONDS * 1000000000ull, last = 0, moved = wake_clock();

    /* On a busy machine it takes longer to have done enough; standing still is what fails. */
    while (wake_clock() < end || atomic_load(&received) <= ENOUGH) {
        uint64_t now = atomic_load(&received);

        if (now != last) {
            last = now;
            moved = wake_clock();
        }
        CHECK_MSG(milliseconds_since(moved) < 10000,
                  "nothing has moved for ten seconds: %llu sent, %llu received",
                  (unsigned long long)source_count(), (unsigned long long)last);
        Sleep(10);
    }
    atomic_store(&enough, true);
    Sleep(20);
    UNTIL(atomic_load(&received) == source_count());
    hook_lcore(NULL);
    CHECK(atomic_load(&received) > ENOUGH);
}

static void receive_until_closed(struct runner *self)
{
    for (;;) {
        receive_once(self);
        if (self->outcome.result != 0)
            break;
        check_received(self->data, self->outcome.bytes);
    }
    CHECK_EQ_I64(self->outcome.error, WSA_OPERATION_ABORTED);
}

static void check_blocking(unsigned receivers, unsigned burst)
{
    SOCKET s = open_socket(PORT);
    static struct runner runners[RECEIVERS];

    burst_limit = burst;
    source_prepare(HERE, PORT, 32, 32);
    for (unsigned i = 0; i < receivers; i++)
        run(&runners[i], receive_until_closed, s, NULL);
    hook_lcore(send_when_drained);
    watch();
    CHECK_EQ_U64(counters_of(s).received, source_count());
    CHECK_EQ_U64(counters_of(s).drop_ring_full, 0);
    close_socket(s);
    for (unsigned i = 0; i < receivers; i++)
        finish(&runners[i]);
}

SUITE_TEST(wakeups, of_a_blocked_receiver_are_not_lost) // fences F1, F3
{
    check_blocking(1, 1);
}

SUITE_TEST(wakeups, of_several_blocked_receivers_are_not_lost) // the baton
{
    check_blocking(RECEIVERS, 4);
}

/* Receivers that come and go: time-outs, peeks and APCs leave wake-ups to others. */
static void CALLBACK do_nothing(ULONG_PTR unused)
{
    (void)unused;
}

static void peek_until_closed(struct runner *self)
{
    for (;;) {
        self->outcome = receive_flags(self->s, self->data, sizeof self->data, MSG_PEEK);
        if (self->outcome.result != 0 && self->outcome.error != WSAETIMEDOUT)
            break;
        nap();
    }
    CHECK(self->outcome.error == WSA_OPERATION_ABORTED || self->outcome.error == WSAENOTSOCK);
}

static void receive_impatiently(struct runner *self)
{
    for (;;) {
        receive_once(self);
        if (self->outcome.result == 0)
            check_received(self->data, self->outcome.bytes);
        else if (self->outcome.error != WSAETIMEDOUT)
            break;
    }
    CHECK(self->outcome.error == WSA_OPERATION_ABORTED || self->outcome.error == WSAENOTSOCK);
}

static struct runner *alerted;

static void alert_them(struct runner *self)
{
    while (!atomic_load(&enough)) {
        for (unsigned i = 0; i < 2; i++)
            CHECK(QueueUserAPC(do_nothing, alerted[i].id.ThreadHandle, 0));
        for (volatile int i = 0; i < 2000; i++)
            continue;
        if (atomic_fetch_add(&self->step, 1) % 64 == 0)
            Sleep(1);
    }
}

SUITE_TEST(wakeups, are_passed_on_by_those_who_leave) // the baton
{
    SOCKET s = open_socket(PORT);
    static struct runner runners[3], alerter;

    burst_limit = 2;
    CHECK_EQ_I64(set_option(s, SO_RCVTIMEO, 1), 0);
    source_prepare(HERE, PORT, 32, 32);
    run(&runners[0], receive_impatiently, s, NULL);
    run(&runners[1], receive_impatiently, s, NULL);
    run(&runners[2], peek_until_closed, s, NULL);
    alerted = runners;
    run(&alerter, alert_them, s, NULL);
    hook_lcore(send_when_drained);
    watch();
    finish(&alerter);
    close_socket(s);
    for (unsigned i = 0; i < 3; i++)
        finish(&runners[i]);
}

/* --- overlapped ------------------------------------------------------------------------------------------- */

static struct operation operations[RECEIVERS];

/* Either the post sees the data or the lcore sees the post: fences F1, F2. Then the event. */
static void wait_for_events(struct runner *self)
{
    struct operation *operation = self->argument;

    for (;;) {
        int result = post_event(self->s, operation, 64);

        if (result != 0 && result != WSA_IO_PENDING)
            break;
        if (result == WSA_IO_PENDING)
            CHECK_EQ_U64(WSAWaitForMultipleEvents(1, &operation->overlapped.hEvent, TRUE,
                                                  WSA_INFINITE, FALSE),
                         WAIT_OBJECT_0);
        if (status_of(operation) == STATUS_CANCELLED)
            break;
        check_ended(operation, 0, 32);
        check_received(operation->data, 32);
    }
}

/* The same by an event loop of Linux, which hears of nothing but the event's descriptor. */
static uint32_t watched;

static void wait_by_descriptor(struct runner *self)
{
    struct operation *operation = self->argument;
    struct epoll_event event = {.events = EPOLLIN | watched};
    int watch = epoll_create1(EPOLL_CLOEXEC);

    operation->overlapped.hEvent = WSACreateEvent();
    int descriptor = wirerx_event_descriptor(operation->overlapped.hEvent);

    CHECK_EQ_I64(epoll_ctl(watch, EPOLL_CTL_ADD, descriptor, &event), 0);
    for (;;) {
        int result = post_event(self->s, operation, 64);

        if (result != 0 && result != WSA_IO_PENDING)
            break;
        while (WaitForSingleObject(operation->overlapped.hEvent, 0) != WAIT_OBJECT_0)
            CHECK_MSG(epoll_wait(watch, &event, 1, 20000) == 1, "a signal was missed");
        if (status_of(operation) == STATUS_CANCELLED)
            break;
        check_ended(operation, 0, 32);
        check_received(operation->data, 32);
    }
    CHECK(WSACloseEvent(operation->overlapped.hEvent));
    CHECK_EQ_I64(close(watch), 0);
}

static void wait_in_the_result_call(struct runner *self)
{
    struct operation *operation = self->argument;

    for (;;) {
        int result = post_event(self->s, operation, 64);

        if (result != 0 && result != WSA_IO_PENDING)
            break;
        struct outcome outcome = result_of(self->s, operation, true);
        if (outcome.result != 0) {
            CHECK(outcome.error == WSA_OPERATION_ABORTED || outcome.error == WSAENOTSOCK);
            break;
        }
        CHECK_EQ_U64(outcome.bytes, 32);
        check_received(operation->data, 32);
        /* The event comes after the result; a post before it has come may be ended by it early. */
    }
}

static void wait_alertably(struct runner *self)
{
    struct operation *operation = self->argument;

    for (;;) {
        int result = post_routine(self->s, operation, 64);

        if (result != 0 && result != WSA_IO_PENDING)
            break;
        CHECK_EQ_U64(SleepEx(INFINITE, TRUE), WAIT_IO_COMPLETION);
        CHECK_EQ_U64(operation->calls, 1);
        if (operation->error == WSA_OPERATION_ABORTED)
            break;
        check_ended(operation, 0, 32);
        check_received(operation->data, 32);
    }
}

static void check_overlapped(void (*body)(struct runner *))
{
    SOCKET s = open_socket(PORT);
    static struct runner runners[RECEIVERS];

    burst_limit = 3;
    source_prepare(HERE, PORT, 32, 32);
    for (unsigned i = 0; i < RECEIVERS; i++)
        run(&runners[i], body, s, &operations[i]);
    hook_lcore(send_when_drained);
    watch();
    close_socket(s);
    for (unsigned i = 0; i < RECEIVERS; i++)
        finish(&runners[i]);
}

SUITE_TEST(wakeups, of_events_are_not_lost) // D03 D08: fences F1, F2
{
    check_overlapped(wait_for_events);
}

SUITE_TEST(wakeups, of_descriptors_are_not_lost) // D03 D08
{
    check_overlapped(wait_by_descriptor);
}

SUITE_TEST(wakeups, of_descriptors_are_not_lost_as_edges) // D03 D08
{
    watched = EPOLLET;
    check_overlapped(wait_by_descriptor);
}

SUITE_TEST(wakeups, of_waiting_result_calls_are_not_lost) // E03
{
    check_overlapped(wait_in_the_result_call);
}

SUITE_TEST(wakeups, of_alertable_waits_are_not_lost) // F01
{
    check_overlapped(wait_alertably);
}

/* --- network events and selects ------------------------------------------------------------------------ */

static WSAEVENT selected;

/* @return false: there was nothing */
static bool receive_one(struct runner *self)
{
    receive_once(self);
    if (self->outcome.result != 0)
        return false;
    check_received(self->data, self->outcome.bytes);
    return true;
}

/* Nobody receives but those whom a select has told to. */
static void select_and_receive(struct runner *self)
{
    int error = 0;

    for (;;) {
        fd_set set;

        FD_ZERO(&set);
        FD_SET(self->s, &set);
        if (spi.lpWSPSelect(0, &set, NULL, NULL, NULL, &error) != 1)
            break;
        CHECK_EQ_U64(set.fd_array[0], self->s);
        while (receive_one(self))
            continue;
    }
    CHECK_EQ_I64(error, WSAENOTSOCK);
}

/* ... or whom an enumeration has: one datagram for each FD_READ, so that each receive has to enable the
 * next one (M04). */
static void enumerate_and_receive(struct runner *self)
{
    WSANETWORKEVENTS events;
    int error = 0;

    for (;;) {
        CHECK_EQ_U64(WSAWaitForMultipleEvents(1, &selected, FALSE, WSA_INFINITE, FALSE),
                     WAIT_OBJECT_0);
        if (spi.lpWSPEnumNetworkEvents(self->s, selected, &events, &error) != 0)
            break;
        if (events.lNetworkEvents & FD_READ)
            receive_one(self);
    }
    CHECK_EQ_I64(error, WSAENOTSOCK);
}

static void select_again(struct runner *self)
{
    int error = 0;

    while (!atomic_load(&enough)) {
        CHECK_EQ_I64(spi.lpWSPEventSelect(self->s, selected, FD_READ | FD_CLOSE, &error), 0);
        for (volatile int i = 0; i < 2000; i++)
            continue;
        if (atomic_fetch_add(&self->step, 1) % 64 == 0)
            Sleep(1);
    }
}

#define WATCHERS 3u

static void check_watching(void (*const bodies[WATCHERS])(struct runner *), unsigned burst)
{
    static struct runner runners[WATCHERS];
    SOCKET s = open_socket(PORT);
    int error = 0;

    burst_limit = burst;
    selected = WSACreateEvent();
    set_nonblocking(s, true);
    CHECK_EQ_I64(spi.lpWSPEventSelect(s, selected, FD_READ, &error), 0);
    source_prepare(HERE, PORT, 32, 32);
    for (unsigned i = 0; i < WATCHERS && bodies[i] != NULL; i++)
        run(&runners[i], bodies[i], s, NULL);
    hook_lcore(send_when_drained);
    watch();
    CHECK_EQ_U64(counters_of(s).received, source_count());
    close_socket(s);
    CHECK(WSASetEvent(selected));
    for (unsigned i = 0; i < WATCHERS && bodies[i] != NULL; i++)
        finish(&runners[i]);
    CHECK(WSACloseEvent(selected));
}

SUITE_TEST(wakeups, of_network_events_are_not_lost) // M02 M03 M04 M13: fences F1, F2
{
    check_watching((void (*[WATCHERS])(struct runner *)){enumerate_and_receive}, 3);
}

SUITE_TEST(wakeups, of_selects_are_not_lost) // DOC:SELECT: fences F1, F2
{
    check_watching((void (*[WATCHERS])(struct runner *)){select_and_receive}, 3);
}

SUITE_TEST(wakeups, of_watchers_of_all_kinds_are_not_lost) // M13: fences F1, F2
{
    check_watching((void (*[WATCHERS])(struct runner *)){select_and_receive, enumerate_and_receive,
                                                         enumerate_and_receive},
                   4);
}

SUITE_TEST(wakeups, survive_selecting_again) // M06: fences F1, F2
{
    check_watching(
        (void (*[WATCHERS])(struct runner *)){enumerate_and_receive, select_again, select_again},
        2);
}
