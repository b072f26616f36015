/* SPDX-License-Identifier: BSD-3-Clause */

/* Waiting for all: all or none, and one step for everybody else. */

#include "support/suite.h"

#include "helpers.h"

#include "provider/host/event.h"

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

SUITE_TEST(wait_all, consumes_all_or_none)
{
    WSAEVENT events[3] = {automatic(TRUE), manual(FALSE), automatic(TRUE)};

    CHECK_EQ_U64(WSAWaitForMultipleEvents(3, events, TRUE, 0, FALSE), WSA_WAIT_TIMEOUT);
    CHECK_EQ_U64(WSAWaitForMultipleEvents(3, events, TRUE, 5, FALSE), WSA_WAIT_TIMEOUT);
    CHECK(is_signalled(events[0]));
    CHECK(is_signalled(events[2]));
    CHECK(WSASetEvent(events[1]));
    CHECK_EQ_U64(WSAWaitForMultipleEvents(3, events, TRUE, 0, FALSE), WSA_WAIT_EVENT_0);
    CHECK(!is_signalled(events[0]));
    CHECK(is_signalled(events[1]));
    CHECK(!is_signalled(events[2]));
}

static WSAEVENT set_by_main[64];

static void wait_for_all(struct runner *self)
{
    atomic_store(&self->result, WSAWaitForMultipleEvents(64, set_by_main, TRUE, 10000, FALSE));
}

SUITE_TEST(wait_all, ends_with_the_last_of_64_whatever_the_order)
{
    for (unsigned step = 1; step < 64; step += 22) {
        struct runner sleeper = {.thread = 0};

        for (DWORD i = 0; i < 64; i++)
            set_by_main[i] = i % 2 ? automatic(FALSE) : manual(FALSE);
        run(&sleeper, wait_for_all, NULL);
        for (unsigned i = 0; i < 64; i++) {
            UNTIL(sleeps(&sleeper));
            CHECK(WSASetEvent(set_by_main[i * step % 64]));
        }
        CHECK_EQ_U64(finish(&sleeper), WSA_WAIT_EVENT_0);
        for (DWORD i = 0; i < 64; i++)
            CHECK_EQ_U64(is_signalled(set_by_main[i]), i % 2 == 0);
        for (DWORD i = 0; i < 64; i++)
            WSACloseEvent(set_by_main[i]);
    }
}

/* Two threads want both events, in opposite orders; a third wants either. */
static struct {
    HANDLE events[2];
    _Atomic bool end;
} shared;

static void take_both(struct runner *self)
{
    bool reversed = self->argument != NULL;
    WSAEVENT events[2] = {shared.events[reversed], shared.events[!reversed]};

    while (!atomic_load(&shared.end))
        if (WSAWaitForMultipleEvents(2, events, TRUE, 0, FALSE) == WSA_WAIT_EVENT_0)
            atomic_fetch_add(&self->result, 1);
}

SUITE_TEST(wait_all, in_opposite_orders_neither_deadlocks_nor_splits_a_pair)
{
    struct runner takers[2] = {{.thread = 0}};
    uint64_t end = in_milliseconds(500);
    unsigned rounds = 0;

    shared.events[0] = automatic(FALSE);
    shared.events[1] = automatic(FALSE);
    run(&takers[0], take_both, NULL);
    run(&takers[1], take_both, &shared);
    for (; wake_clock() < end; rounds++) {
        CHECK(SetEvent(shared.events[rounds % 2]));
        CHECK(SetEvent(shared.events[(rounds + 1) % 2]));
        UNTIL(!is_signalled(shared.events[0]) && !is_signalled(shared.events[1]));
    }
    atomic_store(&shared.end, true);
    CHECK_EQ_U64(finish(&takers[0]) + finish(&takers[1]), rounds);
}

static void take_one_of_both(struct runner *self)
{
    while (!atomic_load(&shared.end))
        if (WaitForSingleObject(shared.events[0], 0) == WAIT_OBJECT_0)
            atomic_fetch_add(&self->result, 1);
}

SUITE_TEST(wait_all, and_for_one_never_consume_the_same_signal)
{
    struct runner takers[2] = {{.thread = 0}};
    uint64_t end = in_milliseconds(500);
    uint64_t rounds = 0;

    shared.events[0] = automatic(FALSE);
    shared.events[1] = automatic(FALSE);
    run(&takers[0], take_both, NULL);
    run(&takers[1], take_one_of_both, NULL);
    for (; wake_clock() < end; rounds++) {
        CHECK(SetEvent(shared.events[1]));
        CHECK(SetEvent(shared.events[0]));
        UNTIL(!is_signalled(shared.events[0]));
    }
    atomic_store(&shared.end, true);
    CHECK_EQ_U64(finish(&takers[0]) + finish(&takers[1]), rounds);
}

/* What a wait for all does, without its look beforehand, which would make it rare. */
static void claim_both(struct runner *self)
{
    while (!atomic_load(&shared.end)) {
        if (event_claim(shared.events[0]) != EVENT_SIGNALLED)
            continue;
        if (event_claim(shared.events[1]) == EVENT_SIGNALLED) {
            atomic_fetch_add(&self->result, 1);
            event_settle(shared.events[1], true);
        }
        event_settle(shared.events[0], false);
    }
}

SUITE_TEST(wait_all, is_satisfied_only_when_all_are_signalled_at_once)
{
    struct runner claimers[2] = {{.thread = 0}};
    uint64_t end = in_milliseconds(500);

    shared.events[0] = automatic(FALSE);
    shared.events[1] = automatic(FALSE);
    run(&claimers[0], claim_both, NULL);
    run(&claimers[1], claim_both, NULL);
    /* Only ever one of the two is signalled, and it stays so until this thread takes it. */
    for (int i = 0; wake_clock() < end; i++) {
        HANDLE event = shared.events[i % 2];

        CHECK(SetEvent(event));
        CHECK(is_signalled(event));
        if (i % 4 < 2)
            CHECK_EQ_U64(WaitForSingleObject(event, 0), WAIT_OBJECT_0);
        else
            CHECK(ResetEvent(event));
    }
    atomic_store(&shared.end, true);
    CHECK_EQ_U64(finish(&claimers[0]) + finish(&claimers[1]), 0);
}

/* While an event is claimed, whoever would make it non-signalled waits the claim out. */
static void take_claimed(struct runner *self)
{
    atomic_store(&self->result, event_take(self->argument));
}

static void reset_claimed(struct runner *self)
{
    atomic_store(&self->result, event_reset(self->argument));
}

static void close_claimed(struct runner *self)
{
    atomic_store(&self->result, event_close(self->argument));
}

static uint64_t during_a_claim(void (*body)(struct runner *self), HANDLE event, bool consume)
{
    struct runner other = {.thread = 0};

    CHECK(event_set(event));
    CHECK_EQ_U64(event_claim(event), EVENT_SIGNALLED);
    run(&other, body, event);
    UNTIL(sleeps(&other));
    CHECK(!atomic_load(&other.ended));
    CHECK(is_signalled(event));
    CHECK(event_set(event)); /* never waits, lcores do it; it merges with the claimed signal */
    event_settle(event, consume);
    return finish(&other);
}

SUITE_TEST(wait_all, claimed_event_is_consumed_reset_and_closed_only_after_the_claim)
{
    HANDLE event = automatic(FALSE);

    CHECK_EQ_U64(during_a_claim(take_claimed, event, true), EVENT_CLEAR);
    CHECK(!is_signalled(event));
    CHECK_EQ_U64(during_a_claim(take_claimed, event, false), EVENT_SIGNALLED);
    CHECK(!is_signalled(event));
    CHECK_EQ_U64(during_a_claim(reset_claimed, event, true), true);
    CHECK(!is_signalled(event));
    CHECK_EQ_U64(during_a_claim(reset_claimed, event, false), true);
    CHECK(!is_signalled(event));
    CHECK_EQ_U64(during_a_claim(close_claimed, event, true), true);
    CHECK_EQ_U64(event_look(event), EVENT_STALE);
    event = manual(FALSE);
    CHECK_EQ_U64(during_a_claim(reset_claimed, event, true), true);
    CHECK_EQ_U64(during_a_claim(close_claimed, event, true), true);
}

static void take_both_once(struct runner *self)
{
    WSAEVENT events[2] = {shared.events[1], shared.events[0]};

    atomic_store(&self->result, WSAWaitForMultipleEvents(2, events, TRUE, 10000, FALSE));
}

SUITE_TEST(wait_all, claims_in_the_order_of_handles_whatever_the_arrays, .timeout = 30)
{
    struct runner taker = {.thread = 0};

    shared.events[0] = automatic(TRUE);
    shared.events[1] = automatic(TRUE);
    CHECK((uintptr_t)shared.events[0] < (uintptr_t)shared.events[1]);
    CHECK_EQ_U64(event_claim(shared.events[0]), EVENT_SIGNALLED);
    run(&taker, take_both_once, NULL);
    UNTIL(sleeps(&taker)); /* it wants the first one, and must not hold the second */
    CHECK_EQ_U64(event_claim(shared.events[1]), EVENT_SIGNALLED);
    event_settle(shared.events[1], false);
    event_settle(shared.events[0], false);
    CHECK_EQ_U64(finish(&taker), WSA_WAIT_EVENT_0);
}

static void claim_often(struct runner *self)
{
    HANDLE event = shared.events[0];

    while (!atomic_load(&shared.end))
        if (event_claim(event) == EVENT_SIGNALLED) {
            event_settle(event, false);
            atomic_fetch_add(&self->result, 1);
        }
}

SUITE_TEST(wait_all, claims_that_are_given_up_neither_lose_nor_make_signals)
{
    struct runner claimers[2] = {{.thread = 0}};

    shared.events[0] = automatic(FALSE);
    run(&claimers[0], claim_often, NULL);
    run(&claimers[1], claim_often, NULL);
    CHECK(SetEvent(shared.events[0]));
    UNTIL(atomic_load(&claimers[0].result) > 0 && atomic_load(&claimers[1].result) > 0);
    for (int i = 0; i < ROUNDS(100000); i++) {
        CHECK(SetEvent(shared.events[0]));
        if (i % 1024 == 0)
            sched_yield();
        if (i % 3 == 0)
            CHECK(ResetEvent(shared.events[0]));
        else
            CHECK_EQ_U64(WaitForSingleObject(shared.events[0], 0), WAIT_OBJECT_0);
        CHECK_EQ_U64(WaitForSingleObject(shared.events[0], 0), WAIT_TIMEOUT);
    }
    atomic_store(&shared.end, true);
    finish(&claimers[0]);
    finish(&claimers[1]);
    CHECK(CloseHandle(shared.events[0]));
}

/* A wait for all that was woken for A but lacks B must leave A to somebody who can use it. */
static void take_a_and_b(struct runner *self)
{
    atomic_store(&self->result, WSAWaitForMultipleEvents(2, shared.events, TRUE, 10000, FALSE));
}

static void take_a_once(struct runner *self)
{
    atomic_store(&self->result, WaitForSingleObject(shared.events[0], 10000));
}

SUITE_TEST(wait_all, wait_for_all_that_lacks_another_passes_its_wake_up_on)
{
    atomic_store(&host_spin_ns, 0);
    shared.events[0] = automatic(FALSE);
    shared.events[1] = automatic(FALSE);
    for (int i = 0; i < ROUNDS(300); i++) {
        struct runner both = {.thread = 0};
        struct runner one = {.thread = 0};

        run(&both, take_a_and_b, NULL); /* first in the futex's queue */
        UNTIL(sleeps(&both));
        run(&one, take_a_once, NULL);
        UNTIL(sleeps(&one));
        CHECK(SetEvent(shared.events[0]));
        CHECK_EQ_U64(finish(&one), WAIT_OBJECT_0);
        CHECK(SetEvent(shared.events[0]));
        CHECK(SetEvent(shared.events[1]));
        CHECK_EQ_U64(finish(&both), WAIT_OBJECT_0);
    }
}
