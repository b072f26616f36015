/* SPDX-License-Identifier: BSD-3-Clause */

/* Waiting: arguments, time-outs, one of several, no lost wake-up. */

#include "support/suite.h"

#include "helpers.h"

#include "provider/host/event.h"

#include <signal.h>
#include <string.h>

static HANDLE manual(BOOL signalled)
{
    return CreateEventW(NULL, TRUE, signalled, NULL);
}

static HANDLE automatic(BOOL signalled)
{
    return CreateEventW(NULL, FALSE, signalled, NULL);
}

static bool is_signalled(HANDLE event)
{
    return event_look(event) == EVENT_SIGNALLED;
}

/* --- arguments -------------------------------------------------------------------------------- */

static void check_fails(DWORD count, const WSAEVENT *events, BOOL all, int error)
{
    WSASetLastError(0);
    CHECK_EQ_U64(WSAWaitForMultipleEvents(count, events, all, 0, FALSE), WSA_WAIT_FAILED);
    CHECK_EQ_I64(WSAGetLastError(), error);
}

SUITE_TEST(wait, bad_counts_and_pointers_are_refused)
{
    WSAEVENT events[65];

    for (int i = 0; i < 65; i++)
        events[i] = WSACreateEvent();
    for (BOOL all = FALSE; all <= TRUE; all++) {
        check_fails(0, events, all, WSA_INVALID_PARAMETER);
        check_fails(0, NULL, all, WSA_INVALID_PARAMETER);
        check_fails(65, events, all, WSA_INVALID_PARAMETER);
        check_fails(0xffffffffu, events, all, WSA_INVALID_PARAMETER);
        check_fails(1, NULL, all, WSAEFAULT);
    }
    CHECK_EQ_U64(WSAWaitForMultipleEvents(64, events, TRUE, 0, FALSE), WSA_WAIT_TIMEOUT);
}

SUITE_TEST(wait, one_invalid_handle_fails_the_wait_and_consumes_nothing)
{
    WSAEVENT events[3] = {automatic(TRUE), WSACreateEvent(), automatic(TRUE)};

    CHECK(WSACloseEvent(events[1]));
    check_fails(3, events, FALSE, WSA_INVALID_HANDLE);
    check_fails(3, events, TRUE, WSA_INVALID_HANDLE);
    CHECK(is_signalled(events[0]));
    CHECK(is_signalled(events[2]));
}

SUITE_TEST(wait, same_event_twice_is_refused_only_in_a_wait_for_all)
{
    HANDLE event = automatic(TRUE);
    WSAEVENT events[4] = {manual(TRUE), event, manual(TRUE), (HANDLE)((uintptr_t)event | 1)};

    check_fails(4, events, TRUE, WSA_INVALID_PARAMETER);
    CHECK(is_signalled(event));
    CHECK_EQ_U64(WSAWaitForMultipleEvents(3, events + 1, FALSE, 0, FALSE), WSA_WAIT_EVENT_0);
    CHECK(!is_signalled(event));
}

/* --- one -------------------------------------------------------------------------------------- */

SUITE_TEST(wait, first_signalled_event_in_the_array_is_returned)
{
    WSAEVENT events[64];

    for (int i = 0; i < 64; i++)
        events[i] = WSACreateEvent();
    CHECK_EQ_U64(WSAWaitForMultipleEvents(64, events, FALSE, 0, FALSE), WSA_WAIT_TIMEOUT);
    for (DWORD i = 64; i-- > 0;) {
        CHECK(WSASetEvent(events[i]));
        CHECK_EQ_U64(WSAWaitForMultipleEvents(64, events, FALSE, 0, FALSE), WSA_WAIT_EVENT_0 + i);
    }
}

SUITE_TEST(wait, only_the_event_that_is_returned_is_consumed)
{
    WSAEVENT events[3] = {manual(FALSE), automatic(TRUE), automatic(TRUE)};

    CHECK_EQ_U64(WSAWaitForMultipleEvents(3, events, FALSE, INFINITE, FALSE), WSA_WAIT_EVENT_0 + 1);
    CHECK(!is_signalled(events[1]));
    CHECK(is_signalled(events[2]));
}

static void check_time_out(DWORD (*wait)(DWORD milliseconds))
{
    uint64_t start = wake_clock();

    CHECK_EQ_U64(wait(30), WAIT_TIMEOUT);
    CHECK_GE_U64(wake_clock() - start, 30000000);
    start = wake_clock();
    CHECK_EQ_U64(wait(0), WAIT_TIMEOUT);
}

static HANDLE clear_events[64];

static DWORD wait_for_any_of_64(DWORD milliseconds)
{
    return WSAWaitForMultipleEvents(64, clear_events, FALSE, milliseconds, FALSE);
}

static DWORD wait_for_all_of_64(DWORD milliseconds)
{
    return WSAWaitForMultipleEvents(64, clear_events, TRUE, milliseconds, TRUE);
}

static DWORD wait_for_one(DWORD milliseconds)
{
    return WaitForSingleObject(clear_events[0], milliseconds);
}

static DWORD wait_for_one_alertably(DWORD milliseconds)
{
    return WaitForSingleObjectEx(clear_events[0], milliseconds, TRUE);
}

SUITE_TEST(wait, time_out_is_neither_early_nor_missing)
{
    for (int i = 0; i < 64; i++)
        clear_events[i] = manual(FALSE);
    for (uint64_t spin_ns = 0; spin_ns <= 50000; spin_ns += 50000) {
        atomic_store(&host_spin_ns, spin_ns);
        check_time_out(wait_for_any_of_64);
        check_time_out(wait_for_all_of_64);
        check_time_out(wait_for_one);
        check_time_out(wait_for_one_alertably);
    }
    remove_futex_waitv();
    check_time_out(wait_for_any_of_64);
    check_time_out(wait_for_one_alertably);
}

SUITE_TEST(wait, sleeping_takes_its_time)
{
    uint64_t start = wake_clock();

    Sleep(20);
    CHECK_GE_U64(wake_clock() - start, 20000000);
    start = wake_clock();
    CHECK_EQ_U64(SleepEx(20, TRUE), 0);
    CHECK_GE_U64(wake_clock() - start, 20000000);
    Sleep(0);
    CHECK_EQ_U64(SleepEx(0, TRUE), 0);
    CHECK_EQ_U64(SleepEx(0, FALSE), 0);
}

static WSAEVENT set_by_main[64];

static void wait_for_any(struct runner *self)
{
    atomic_store(&self->result, WSAWaitForMultipleEvents(64, set_by_main, FALSE, 10000, FALSE));
}

SUITE_TEST(wait, sleeper_is_woken_by_any_of_64_events)
{
    for (DWORD i = 0; i < 64; i++)
        set_by_main[i] = automatic(FALSE);
    for (DWORD i = 0; i < 64; i += 21) {
        struct runner sleeper = {.thread = 0};

        run(&sleeper, wait_for_any, NULL);
        UNTIL(sleeps(&sleeper));
        CHECK(WSASetEvent(set_by_main[i]));
        CHECK_EQ_U64(finish(&sleeper), WSA_WAIT_EVENT_0 + i);
        CHECK(!is_signalled(set_by_main[i]));
    }
}

static WSAEVENT *array_of_the_sleeper;

static void overwrite_array(int signal_number)
{
    (void)signal_number;
    memset(array_of_the_sleeper, 0, sizeof(set_by_main));
}

static void wait_for_any_of_a_copy(struct runner *self)
{
    WSAEVENT events[64];

    memcpy(events, set_by_main, sizeof(events));
    array_of_the_sleeper = events;
    atomic_store(&self->result, WSAWaitForMultipleEvents(64, events, FALSE, 10000, FALSE));
}

SUITE_TEST(wait, array_may_be_reused_while_the_wait_lasts)
{
    struct sigaction action = {.sa_handler = overwrite_array};
    struct runner sleeper = {.thread = 0};

    sigaction(SIGUSR1, &action, NULL);
    for (DWORD i = 0; i < 64; i++)
        set_by_main[i] = manual(FALSE);
    run(&sleeper, wait_for_any_of_a_copy, NULL);
    UNTIL(sleeps(&sleeper));
    pthread_kill(sleeper.thread, SIGUSR1); /* on its own thread, so that it is no race */
    CHECK(WSASetEvent(set_by_main[40]));
    CHECK_EQ_U64(finish(&sleeper), WSA_WAIT_EVENT_0 + 40);
}

/* --- no wake-up is lost ----------------------------------------------------------------------- */

#define PLAYERS 2

static struct {
    HANDLE turn[PLAYERS];
    unsigned rounds;
    DWORD count; /* of handles in a wait: the turn and others that stay clear */
    BOOL alertable;
} game;

static void play(struct runner *self)
{
    unsigned player = *(unsigned *)self->argument;
    WSAEVENT events[64];

    for (DWORD i = 0; i < game.count; i++)
        events[i] = i + 1 < game.count ? manual(FALSE) : game.turn[player];
    for (unsigned i = 0; i < game.rounds; i++) {
        CHECK_EQ_U64(WSAWaitForMultipleEvents(game.count, events, FALSE, 10000, game.alertable),
                     WSA_WAIT_EVENT_0 + game.count - 1);
        CHECK(SetEvent(game.turn[(player + 1) % PLAYERS]));
    }
}

static void play_to_the_end(DWORD count, BOOL alertable, unsigned rounds)
{
    struct runner players[PLAYERS] = {{.thread = 0}};
    unsigned numbers[PLAYERS];

    atomic_store(&host_spin_ns, 0);
    game.count = count;
    game.alertable = alertable;
    game.rounds = rounds;
    for (unsigned i = 0; i < PLAYERS; i++) {
        numbers[i] = i;
        game.turn[i] = automatic(i == 0);
    }
    for (unsigned i = 0; i < PLAYERS; i++)
        run(&players[i], play, &numbers[i]);
    for (unsigned i = 0; i < PLAYERS; i++)
        finish(&players[i]);
    CHECK(is_signalled(game.turn[0]));
}

SUITE_TEST(wait, ball_is_never_lost_between_sleepers_on_one_event)
{
    play_to_the_end(1, FALSE, ROUNDS(40000));
}

SUITE_TEST(wait, ball_is_never_lost_between_sleepers_on_one_event_and_apcs)
{
    play_to_the_end(1, TRUE, ROUNDS(40000));
}

SUITE_TEST(wait, ball_is_never_lost_between_sleepers_on_64_events)
{
    play_to_the_end(64, FALSE, ROUNDS(10000));
}

SUITE_TEST(wait, ball_is_never_lost_without_futex_waitv)
{
    remove_futex_waitv();
    play_to_the_end(2, TRUE, ROUNDS(1000));
}

static struct {
    HANDLE events[2];
    _Atomic bool end;
} shared;

/*
 * The baton: one thread waits for A or B, another for A alone. When the first was woken for A and
 * takes B instead, the second must learn of A.
 */
static void take_a_or_b(struct runner *self)
{
    WSAEVENT events[2] = {shared.events[1], shared.events[0]}; /* B is preferred */

    while (!atomic_load(&shared.end)) {
        CHECK(WSAWaitForMultipleEvents(2, events, FALSE, 10000, FALSE) <= WSA_WAIT_EVENT_0 + 1);
        atomic_fetch_add(&self->result, 1);
    }
}

static void take_a(struct runner *self)
{
    while (!atomic_load(&shared.end)) {
        CHECK_EQ_U64(WaitForSingleObject(shared.events[0], 10000), WAIT_OBJECT_0);
        atomic_fetch_add(&self->result, 1);
    }
}

SUITE_TEST(wait, waiter_that_takes_another_event_passes_its_wake_up_on)
{
    struct runner takers[2] = {{.thread = 0}};

    atomic_store(&host_spin_ns, 0);
    shared.events[0] = automatic(FALSE);
    shared.events[1] = automatic(FALSE);
    run(&takers[0], take_a_or_b, NULL);
    run(&takers[1], take_a, NULL);
    for (int i = 0; i < ROUNDS(20000); i++) {
        CHECK(SetEvent(shared.events[0]));
        CHECK(SetEvent(shared.events[1]));
        UNTIL(!is_signalled(shared.events[0]) && !is_signalled(shared.events[1]));
    }
    atomic_store(&shared.end, true);
    for (int i = 0; i < 2; i++)
        while (!atomic_load(&takers[i].ended)) {
            CHECK(SetEvent(shared.events[0]));
            sched_yield();
        }
    finish(&takers[0]);
    finish(&takers[1]);
}

static void wait_for_the_gate(struct runner *self)
{
    atomic_store(&self->result, WaitForSingleObject(self->argument, 10000));
}

SUITE_TEST(wait, manual_reset_event_lets_all_sleepers_go) // D08
{
    struct runner sleepers[8] = {{.thread = 0}};
    HANDLE gate = manual(FALSE);

    for (int i = 0; i < 8; i++)
        run(&sleepers[i], wait_for_the_gate, gate);
    for (int i = 0; i < 8; i++)
        UNTIL(sleeps(&sleepers[i]));
    CHECK(SetEvent(gate));
    for (int i = 0; i < 8; i++)
        CHECK_EQ_U64(finish(&sleepers[i]), WAIT_OBJECT_0);
}

/* --- the wait inside a blocking call ---------------------------------------------------------- */

static _Atomic uint32_t word;

static _Atomic bool stop;

static void nothing_to_undo(void *unused)
{
    (void)unused;
}

static enum host_wake sleep_until(uint64_t deadline)
{
    struct wake_word words[] = {{&word, 0}};

    return host_sleep(words, 1, deadline, &stop, nothing_to_undo, NULL);
}

static void sleep_on_word(struct runner *self)
{
    atomic_store(&self->result, sleep_until(in_milliseconds(10000)));
}

SUITE_TEST(wait, host_sleep_ends_when_its_word_changes)
{
    struct runner sleeper = {.thread = 0};

    run(&sleeper, sleep_on_word, NULL);
    UNTIL(sleeps(&sleeper));
    atomic_store(&word, 1);
    wake(&word, 1);
    CHECK_EQ_U64(finish(&sleeper), HOST_WOKEN);
    CHECK_EQ_U64(sleep_until(WAKE_FOREVER), HOST_WOKEN);
}

SUITE_TEST(wait, host_sleep_does_not_begin_when_it_is_stopped)
{
    atomic_store(&stop, true);
    CHECK_EQ_U64(sleep_until(WAKE_FOREVER), HOST_WOKEN);
}

SUITE_TEST(wait, host_sleep_ends_at_its_deadline)
{
    uint64_t deadline = in_milliseconds(20);

    CHECK_EQ_U64(sleep_until(deadline), HOST_TIMEOUT);
    CHECK_GE_U64(wake_clock(), deadline);
}
