/* SPDX-License-Identifier: BSD-3-Clause */

/* Event objects: states, handles, races. */

#include "support/suite.h"

#include "helpers.h"

#include "provider/host/event.h"

#include <stdlib.h>

static bool is_signalled(HANDLE event)
{
    enum event_look look = event_look(event);

    CHECK_NE_U64(look, EVENT_STALE);
    return look == EVENT_SIGNALLED;
}

/* --- states ----------------------------------------------------------------------------------- */

SUITE_TEST(event, wsa_and_wpu_events_are_manual_reset_and_clear) // O05
{
    int error = 0;
    HANDLE events[2] = {WSACreateEvent(), WPUCreateEvent(&error)};

    for (int i = 0; i < 2; i++) {
        CHECK_EQ_U64(WaitForSingleObject(events[i], 0), WAIT_TIMEOUT);
        CHECK(SetEvent(events[i]));
        CHECK_EQ_U64(WaitForSingleObject(events[i], 0), WAIT_OBJECT_0);
        CHECK_EQ_U64(WaitForSingleObject(events[i], 0), WAIT_OBJECT_0);
        CHECK(WSACloseEvent(events[i]));
    }
}

SUITE_TEST(event, manual_reset_stays_set_until_reset) // D08
{
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);

    CHECK(SetEvent(event));
    for (int i = 0; i < 3; i++)
        CHECK_EQ_U64(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    CHECK(ResetEvent(event)); // D07
    CHECK_EQ_U64(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
}

SUITE_TEST(event, auto_reset_satisfies_one_wait)
{
    HANDLE event = CreateEventA(NULL, FALSE, FALSE, NULL);

    CHECK(SetEvent(event));
    CHECK(SetEvent(event)); // two sets without a wait between them are one signal
    CHECK_EQ_U64(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
    CHECK_EQ_U64(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
}

SUITE_TEST(event, initial_state_is_as_asked)
{
    HANDLE manual = CreateEventW(NULL, TRUE, TRUE, NULL);
    HANDLE automatic = CreateEventA(NULL, FALSE, TRUE, NULL);

    CHECK(is_signalled(manual));
    CHECK(is_signalled(automatic));
    CHECK_EQ_U64(WaitForSingleObject(automatic, 0), WAIT_OBJECT_0);
    CHECK(!is_signalled(automatic));
}

SUITE_TEST(event, named_events_are_refused)
{
    CHECK_EQ_PTR(CreateEventW(NULL, TRUE, FALSE, u"name"), NULL);
    CHECK_EQ_I64(WSAGetLastError(), ERROR_NOT_SUPPORTED);
    CHECK_EQ_PTR(CreateEventA(NULL, TRUE, FALSE, "name"), NULL);
    CHECK_EQ_I64(WSAGetLastError(), ERROR_NOT_SUPPORTED);
}

/* --- handles ---------------------------------------------------------------------------------- */

static void check_refused(HANDLE handle)
{
    int error = 0;

    CHECK(!WSASetEvent(handle));
    CHECK_EQ_I64(WSAGetLastError(), WSA_INVALID_HANDLE);
    CHECK(!WSAResetEvent(handle));
    CHECK_EQ_I64(WSAGetLastError(), WSA_INVALID_HANDLE);
    CHECK(!WSACloseEvent(handle));
    CHECK_EQ_I64(WSAGetLastError(), WSA_INVALID_HANDLE);
    CHECK(!SetEvent(handle));
    CHECK_EQ_I64(WSAGetLastError(), ERROR_INVALID_HANDLE);
    CHECK(!WPUSetEvent(handle, &error));
    CHECK_EQ_I64(error, WSA_INVALID_HANDLE);
    CHECK(!WPUResetEvent(handle, NULL));
    CHECK_EQ_U64(WaitForSingleObject(handle, 0), WAIT_FAILED);
    CHECK_EQ_I64(WSAGetLastError(), ERROR_INVALID_HANDLE);
    CHECK_EQ_U64(WSAWaitForMultipleEvents(1, &handle, FALSE, 0, FALSE), WSA_WAIT_FAILED);
    CHECK_EQ_I64(WSAGetLastError(), WSA_INVALID_HANDLE);
}

SUITE_TEST(event, values_that_are_no_events_are_refused)
{
    HANDLE event = WSACreateEvent();
    char *heap = malloc(64);
    uintptr_t values[] = {
        0,
        1,
        4,
        UINTPTR_MAX,
        UINTPTR_MAX - 1,
        (uintptr_t)&event,
        (uintptr_t)heap,
        (uintptr_t)check_refused,
        (uintptr_t)event + 4,                    /* the next slot */
        (uintptr_t)event ^ (uintptr_t)1 << 22,   /* an even generation */
        (uintptr_t)event + ((uintptr_t)2 << 22), /* a later one */
        (uintptr_t)event ^ (uintptr_t)1 << 55,
        (uintptr_t)event ^ (uintptr_t)1 << 63,
        (uintptr_t)event | (uintptr_t)0xfffff << 2,
    };

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        check_refused((HANDLE)values[i]);
    CHECK(!is_signalled(event));
    free(heap);
}

SUITE_TEST(event, no_random_value_is_an_event)
{
    uint64_t random = 88172645463325252ull;

    WSACreateEvent();
    for (int i = 0; i < ROUNDS(1000000); i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        CHECK(!event_set((HANDLE)random));
    }
}

SUITE_TEST(event, closed_handle_stays_refused_when_its_slot_is_used_again)
{
    HANDLE closed[3];

    for (int i = 0; i < 3; i++) {
        closed[i] = WSACreateEvent();
        CHECK(WSACloseEvent(closed[i]));
    }
    HANDLE event = WSACreateEvent();

    for (int i = 0; i < 3; i++) {
        CHECK_EQ_U64(((uintptr_t)closed[i] ^ (uintptr_t)event) >> 2 & 0xfffff, 0);
        check_refused(closed[i]);
    }
    CHECK(!is_signalled(event));
}

SUITE_TEST(event, two_low_bits_of_a_handle_do_not_count) // D14
{
    HANDLE event = WSACreateEvent();

    for (uintptr_t bits = 1; bits <= 3; bits++) {
        CHECK(WSASetEvent((HANDLE)((uintptr_t)event | bits)));
        CHECK(is_signalled(event));
        CHECK(WSAResetEvent((HANDLE)((uintptr_t)event | bits)));
        CHECK(!is_signalled(event));
    }
}

SUITE_TEST(event, thread_handle_is_no_event)
{
    WSATHREADID id;

    CHECK(host_current_thread(&id));
    check_refused(id.ThreadHandle);
}

SUITE_TEST(event, number_is_bounded, .timeout = 60)
{
    enum {
        MANY = EVENT_MAX
    };
    HANDLE *events = malloc(MANY * sizeof(*events));

    for (int i = 0; i < MANY; i++) {
        events[i] = WSACreateEvent();
        CHECK(events[i] != WSA_INVALID_EVENT);
    }
    CHECK_EQ_PTR(WSACreateEvent(), WSA_INVALID_EVENT);
    CHECK_EQ_I64(WSAGetLastError(), WSA_NOT_ENOUGH_MEMORY);
    int error = 0;
    CHECK_EQ_PTR(WPUCreateEvent(&error), WSA_INVALID_EVENT);
    CHECK_EQ_I64(error, WSAENOBUFS);
    CHECK(WSASetEvent(events[MANY - 1]));
    CHECK(!is_signalled(events[MANY - 2]));
    for (int i = 0; i < MANY; i++)
        CHECK(WSACloseEvent(events[i]));
    CHECK(WSACreateEvent() != WSA_INVALID_EVENT);
    free(events);
}

SUITE_TEST(event, winsock_names_leave_no_error_and_kernel_names_leave_it_alone) // A02
{
    HANDLE event = WSACreateEvent();

    WSASetLastError(5);
    CHECK(SetEvent(event));
    CHECK(ResetEvent(event));
    CHECK_EQ_U64(WaitForSingleObject(event, 0), WAIT_TIMEOUT);
    CHECK_EQ_I64(WSAGetLastError(), 5);
    CHECK(WSASetEvent(event));
    CHECK_EQ_I64(WSAGetLastError(), 0);
}

/* --- races ------------------------------------------------------------------------------------ */

#define CONSUMERS 3

/* One event, and the answer that its signal was consumed: no set may meet a set. */
static struct exchange {
    HANDLE signal;
    HANDLE answer;
    _Atomic bool end;
} exchange;

static void consume_signals(struct runner *self)
{
    for (;;) {
        CHECK_EQ_U64(WaitForSingleObject(exchange.signal, INFINITE), WAIT_OBJECT_0);
        if (atomic_load(&exchange.end))
            break;
        atomic_fetch_add(&self->result, 1);
        CHECK(SetEvent(exchange.answer));
    }
    CHECK(SetEvent(exchange.signal)); /* the end is for everybody */
}

static void each_signal_is_consumed_once(uint64_t spin_ns, unsigned rounds)
{
    struct runner consumers[CONSUMERS] = {{.thread = 0}};
    uint64_t consumed = 0;

    atomic_store(&host_spin_ns, spin_ns);
    exchange.signal = CreateEventW(NULL, FALSE, FALSE, NULL);
    exchange.answer = CreateEventW(NULL, FALSE, FALSE, NULL);
    for (int i = 0; i < CONSUMERS; i++)
        run(&consumers[i], consume_signals, NULL);
    for (unsigned i = 0; i < rounds; i++) {
        CHECK(SetEvent(exchange.signal));
        CHECK_EQ_U64(WaitForSingleObject(exchange.answer, 10000), WAIT_OBJECT_0);
    }
    CHECK_EQ_U64(WaitForSingleObject(exchange.answer, 0), WAIT_TIMEOUT);
    atomic_store(&exchange.end, true);
    CHECK(SetEvent(exchange.signal));
    for (int i = 0; i < CONSUMERS; i++)
        consumed += finish(&consumers[i]);
    CHECK_EQ_U64(consumed, rounds);
}

SUITE_TEST(event, each_signal_is_consumed_once_by_spinning_threads)
{
    each_signal_is_consumed_once(50000, ROUNDS(50000));
}

SUITE_TEST(event, each_signal_is_consumed_once_by_sleeping_threads)
{
    each_signal_is_consumed_once(0, ROUNDS(50000));
}

/* Any number of setters, waiters and resetters; in the end the books must balance. */
static struct {
    HANDLE event;
    _Atomic unsigned running;
} melee;

static void set_often(struct runner *self)
{
    (void)self;
    for (int i = 0; i < ROUNDS(100000); i++)
        CHECK(SetEvent(melee.event));
    atomic_fetch_sub(&melee.running, 1);
}

static void take_until_setters_end(struct runner *self)
{
    while (atomic_load(&melee.running) > 0)
        if (WaitForSingleObject(melee.event, 1) == WAIT_OBJECT_0)
            atomic_fetch_add(&self->result, 1);
}

static void reset_until_setters_end(struct runner *self)
{
    (void)self;
    while (atomic_load(&melee.running) > 0)
        CHECK(ResetEvent(melee.event));
}

SUITE_TEST(event, set_reset_and_wait_at_once_leave_a_usable_event)
{
    struct runner runners[6] = {{.thread = 0}};
    uint64_t taken = 0;

    melee.event = CreateEventW(NULL, FALSE, FALSE, NULL);
    atomic_store(&melee.running, 2);
    run(&runners[0], set_often, NULL);
    run(&runners[1], set_often, NULL);
    run(&runners[2], take_until_setters_end, NULL);
    run(&runners[3], take_until_setters_end, NULL);
    run(&runners[4], take_until_setters_end, NULL);
    run(&runners[5], reset_until_setters_end, NULL);
    for (int i = 0; i < 6; i++)
        taken += finish(&runners[i]);
    CHECK_LE_U64(taken, 2 * ROUNDS(100000));
    CHECK(ResetEvent(melee.event));
    CHECK_EQ_U64(WaitForSingleObject(melee.event, 0), WAIT_TIMEOUT);
    CHECK(SetEvent(melee.event));
    CHECK_EQ_U64(WaitForSingleObject(melee.event, 0), WAIT_OBJECT_0);
}

/* What a setter wrote before is there for whoever consumes the signal, TSan says. */
static uint64_t message;

static void read_message(struct runner *self)
{
    CHECK_EQ_U64(WaitForSingleObject(exchange.signal, 10000), WAIT_OBJECT_0);
    atomic_store(&self->result, message);
}

SUITE_TEST(event, data_written_before_the_set_is_seen_after_the_wait)
{
    for (int manual = 0; manual < 2; manual++) {
        struct runner reader = {.thread = 0};

        exchange.signal = CreateEventW(NULL, manual, FALSE, NULL);
        run(&reader, read_message, NULL);
        message = 42 + (uint64_t)manual;
        CHECK(SetEvent(exchange.signal));
        CHECK_EQ_U64(finish(&reader), 42 + (uint64_t)manual);
    }
}

/*
 * In every round two setters announce something and set the same auto-reset event; the two signals
 * may merge. Whoever consumes them must see both announcements: a set that finds the event
 * signalled must not get away with a mere look, or its announcement may still be in its store
 * buffer.
 */
#define LAST_ROUND 0xffffffffu
static _Atomic unsigned round_now;
static _Atomic unsigned announced[2];

static void announce_and_set(struct runner *self)
{
    unsigned mine = *(unsigned *)self->argument;
    unsigned turn = 0;

    for (unsigned looks = 1; turn != LAST_ROUND; looks++) {
        unsigned now = atomic_load_explicit(&round_now, memory_order_acquire);

        if (now == turn) {
            if (looks % 256 == 0)
                sched_yield();
            continue;
        }
        turn = now;
        atomic_store_explicit(&announced[mine], turn, memory_order_relaxed);
        CHECK(SetEvent(exchange.signal));
    }
}

static bool announced_by(unsigned setter, unsigned turn)
{
    return atomic_load_explicit(&announced[setter], memory_order_relaxed) == turn;
}

SUITE_TEST(event, merged_signals_lose_no_announcement)
{
    struct runner setters[2] = {{.thread = 0}};
    unsigned numbers[2] = {0, 1};
    uint64_t end = in_milliseconds(1000);

    exchange.signal = CreateEventW(NULL, FALSE, FALSE, NULL);
    run(&setters[0], announce_and_set, &numbers[0]);
    run(&setters[1], announce_and_set, &numbers[1]);
    for (unsigned turn = 1; turn != 0; turn = turn == LAST_ROUND ? 0 : turn + 1) {
        if (wake_clock() >= end)
            turn = LAST_ROUND;
        atomic_store_explicit(&round_now, turn, memory_order_release);
        while (!announced_by(0, turn) || !announced_by(1, turn))
            CHECK_EQ_U64(WaitForSingleObject(exchange.signal, 5000), WAIT_OBJECT_0);
    }
    finish(&setters[0]);
    finish(&setters[1]);
}

/* --- closing under the feet of others --------------------------------------------------------- */

static _Atomic(HANDLE) current;
static _Atomic bool reuse_ended;

static void set_whatever_it_is(struct runner *self)
{
    while (!atomic_load(&reuse_ended))
        if (event_set(atomic_load(&current)))
            atomic_fetch_add(&self->result, 1);
}

static void wait_for_whatever_it_is(struct runner *self)
{
    while (!atomic_load(&reuse_ended)) {
        DWORD result = WaitForSingleObject(atomic_load(&current), 1);

        CHECK(result == WAIT_OBJECT_0 || result == WAIT_TIMEOUT || result == WAIT_FAILED);
        if (result == WAIT_OBJECT_0)
            atomic_fetch_add(&self->result, 1);
    }
}

SUITE_TEST(event, late_set_never_signals_the_slots_next_event)
{
    struct runner runners[4] = {{.thread = 0}};

    atomic_store(&current, WSACreateEvent());
    run(&runners[0], set_whatever_it_is, NULL);
    run(&runners[1], set_whatever_it_is, NULL);
    run(&runners[2], wait_for_whatever_it_is, NULL);
    run(&runners[3], wait_for_whatever_it_is, NULL);
    uint64_t end = in_milliseconds(1000);

    while (wake_clock() < end) {
        CHECK(WSACloseEvent(atomic_load(&current)));
        HANDLE next = WSACreateEvent(); /* in the same slot, and nobody else knows it */

        for (int look = 0; look < 20; look++)
            CHECK(!is_signalled(next));
        atomic_store(&current, next);
    }
    atomic_store(&reuse_ended, true);
    for (int i = 0; i < 4; i++)
        finish(&runners[i]);
}

static void wait_until_closed(struct runner *self)
{
    DWORD result = WaitForSingleObject(self->argument, INFINITE);

    atomic_store(&self->result, result == WAIT_FAILED ? (uint64_t)WSAGetLastError() : 0);
}

SUITE_TEST(event, close_ends_the_wait_of_a_sleeper, .timeout = 20)
{
    struct runner sleepers[3] = {{.thread = 0}};
    HANDLE event = WSACreateEvent();

    for (int i = 0; i < 3; i++)
        run(&sleepers[i], wait_until_closed, event);
    for (int i = 0; i < 3; i++)
        UNTIL(sleeps(&sleepers[i]));
    CHECK(WSACloseEvent(event));
    WSACreateEvent();
    for (int i = 0; i < 3; i++)
        CHECK_EQ_U64(finish(&sleepers[i]), ERROR_INVALID_HANDLE);
}

static void close_it(struct runner *self)
{
    while (!atomic_load(&self->go))
        sched_yield();
    atomic_store(&self->result, event_close(self->argument));
}

SUITE_TEST(event, only_one_of_two_closes_succeeds)
{
    for (int i = 0; i < ROUNDS(500); i++) {
        struct runner closers[2] = {{.thread = 0}};
        HANDLE event = WSACreateEvent();

        run(&closers[0], close_it, event);
        run(&closers[1], close_it, event);
        atomic_store(&closers[0].go, true);
        atomic_store(&closers[1].go, true);
        CHECK_EQ_U64(finish(&closers[0]) + finish(&closers[1]), 1);
    }
}

/* --- what a set costs ------------------------------------------------------------------------- */

static unsigned wakes;

static bool count_wakes(struct wake_sink *sink, _Atomic uint32_t *word, int count)
{
    (void)sink;
    (void)word;
    (void)count;
    wakes++;
    return false;
}

SUITE_TEST(event, set_wakes_only_when_somebody_waits)
{
    struct wake_sink sink = {.defer = count_wakes};
    struct runner sleeper = {.thread = 0};
    HANDLE event = WSACreateEvent();

    wake_sink = &sink;
    CHECK(WSASetEvent(event));
    CHECK(WSASetEvent(event));
    CHECK(WSAResetEvent(event));
    CHECK_EQ_U64(wakes, 0);
    run(&sleeper, wait_until_closed, event);
    UNTIL(sleeps(&sleeper));
    CHECK(WSASetEvent(event));
    CHECK(WSASetEvent(event));
    CHECK_EQ_U64(wakes, 1);
    finish(&sleeper);
}
