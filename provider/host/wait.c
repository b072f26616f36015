/* SPDX-License-Identifier: BSD-3-Clause */
#include "wait.h"

#include <sched.h>
#include <string.h>

#include "backoff.h"
#include "event.h"
#include "host.h"
#include "thread.h"

#define SPIN_ROUNDS_PER_CLOCK 32
#define UNALERTED_SLICE_NS UINT64_C(10000000)

_Atomic uint64_t host_spin_ns = 50000;

struct wait {
    HANDLE events[MAXIMUM_WAIT_OBJECTS]; /* copied: the client may reuse its array */
    DWORD count;
    bool all;
    struct thread *self;                    /* NULL: not alertable */
    HANDLE ascending[MAXIMUM_WAIT_OBJECTS]; /* for all: in the order of claiming */
};

/* What a look at the events says, if it is no index. */
enum {
    NOT_YET = -1,
    INVALID = -2,
    CROWDED = -3
};

uint64_t wait_deadline(DWORD milliseconds)
{
    if (milliseconds == INFINITE)
        return WAKE_FOREVER;
    return milliseconds ? wake_clock() + (uint64_t)milliseconds * 1000000 : 0;
}

/* The handles in ascending order. @return false: one is there twice */
static bool sort_handles(struct wait *w)
{
    for (DWORD i = 0; i < w->count; i++) {
        DWORD at = i;

        for (; at > 0 && (uintptr_t)w->ascending[at - 1] > (uintptr_t)w->events[i]; at--)
            w->ascending[at] = w->ascending[at - 1];
        w->ascending[at] = w->events[i];
        /* The two low bits of a handle do not count. */
        if (at > 0 && ((uintptr_t)w->ascending[at - 1] ^ (uintptr_t)w->events[i]) < 4)
            return false;
        if (at < i && ((uintptr_t)w->ascending[at + 1] ^ (uintptr_t)w->events[i]) < 4)
            return false;
    }
    return true;
}

/* --- looking ---------------------------------------------------------------------------------- */

static int take_one(const struct wait *w)
{
    for (DWORD i = 0; i < w->count; i++) {
        enum event_look look = event_take(w->events[i]);

        if (look == EVENT_SIGNALLED)
            return (int)i;
        if (look == EVENT_STALE)
            return INVALID;
    }
    return NOT_YET;
}

/* All are consumed while all are claimed, which makes it one step for everybody else. */
static int take_all(const struct wait *w)
{
    enum event_look look = EVENT_SIGNALLED;
    DWORD claimed = 0;

    if (event_claiming())
        return NOT_YET; /* in a signal handler */
    while (claimed < w->count && look == EVENT_SIGNALLED) {
        look = event_claim(w->ascending[claimed]);
        if (look == EVENT_SIGNALLED)
            claimed++;
    }
    for (DWORD i = claimed; i-- > 0;)
        event_settle(w->ascending[i], claimed == w->count);
    if (claimed == w->count)
        return 0;
    return look == EVENT_STALE ? INVALID : NOT_YET;
}

/* Is it worth taking? Loads only, so that spinning disturbs nobody. */
static bool looks_satisfied(const struct wait *w)
{
    DWORD signalled = 0;

    for (DWORD i = 0; i < w->count; i++) {
        enum event_look look = event_look(w->events[i]);

        if (look == EVENT_STALE)
            return true;
        if (look == EVENT_SIGNALLED)
            signalled++;
        else if (w->all)
            return false;
    }
    return signalled > 0;
}

static int take(const struct wait *w)
{
    if (!w->all)
        return take_one(w);
    return looks_satisfied(w) ? take_all(w) : NOT_YET;
}

/* --- waiting ---------------------------------------------------------------------------------- */

static void spin(const struct wait *w, uint64_t deadline)
{
    uint64_t spin_ns = atomic_load_explicit(&host_spin_ns, memory_order_relaxed);

    if (spin_ns == 0)
        return;
    uint64_t until = wake_clock() + spin_ns;

    if (until > deadline)
        until = deadline;
    do {
        for (int i = 0; i < SPIN_ROUNDS_PER_CLOCK; i++) {
            if (looks_satisfied(w) || (w->self && apc_is_pending(&w->self->apcs)))
                return;
            cpu_pause();
        }
    } while (wake_clock() < until);
}

/* The events that a sleeping wait is enlisted with: a range of the array. */
struct enlisted {
    const struct wait *wait;
    DWORD first;
    DWORD end;
    struct wake_word words[WAKE_MAX_WORDS];
    unsigned count;
};

/* A wait for one is enlisted with every event. @return EVENT_CLEAR: it may sleep */
static enum event_look enlist_with_each(const struct wait *w, struct enlisted *e)
{
    enum event_look look = EVENT_CLEAR;

    for (; e->end < w->count; e->end++) {
        look = event_enlist(w->events[e->end], &e->words[e->count]);
        if (look != EVENT_CLEAR)
            break;
        e->count++;
    }
    return look;
}

/* A wait for all with the first that is missing: before that one nothing can satisfy it. */
static enum event_look enlist_with_first_missing(const struct wait *w, struct enlisted *e)
{
    enum event_look look = EVENT_SIGNALLED;

    while (look == EVENT_SIGNALLED && e->end < w->count) {
        e->first = e->end++;
        look = event_enlist(w->events[e->first], &e->words[0]);
    }
    if (look == EVENT_CLEAR)
        e->count = 1;
    else
        e->end = e->first;
    return look;
}

static void leave_events(struct enlisted *e)
{
    for (DWORD i = e->first; i < e->end; i++)
        event_leave(e->wait->events[i]);
}

/* The thread is cancelled. */
static void leave_all(void *enlisted)
{
    struct enlisted *e = enlisted;

    if (e->wait->self)
        apc_finish_sleep(&e->wait->self->apcs);
    leave_events(e);
}

/* Sleep until there may be something to take, or an APC. @return as take() */
static int sleep_once(const struct wait *w, uint64_t deadline)
{
    struct enlisted e = {.wait = w};
    enum event_look look = w->all ? enlist_with_first_missing(w, &e) : enlist_with_each(w, &e);
    int taken = look == EVENT_CROWDED ? CROWDED : NOT_YET;

    if (look == EVENT_CLEAR) {
        if (!w->self) {
            wake_sleep_or_end(e.words, e.count, deadline, leave_all, &e);
        } else if (apc_prepare_sleep(&w->self->apcs, &e.words[e.count])) {
            wake_sleep_or_end(e.words, e.count + 1, deadline, leave_all, &e);
            apc_finish_sleep(&w->self->apcs);
        }
    }
    /* Before leaving: whoever leaves a signal behind wakes somebody else for it. */
    if (taken == NOT_YET)
        taken = take(w);
    /* In a wait for all, take() may not get as far as the one that was closed. */
    if (taken == NOT_YET && look == EVENT_STALE)
        taken = INVALID;
    leave_events(&e);
    return taken;
}

static DWORD failed(int *error, int code)
{
    *error = code;
    return WAIT_FAILED;
}

static DWORD wait_until(const struct wait *w, uint64_t deadline, int *error)
{
    int taken = take(w);

    for (bool spun = false;; spun = true) {
        if (taken >= 0)
            return WAIT_OBJECT_0 + (DWORD)taken;
        if (taken == INVALID)
            return failed(error, ERROR_INVALID_HANDLE);
        if (taken == CROWDED)
            return failed(error, ERROR_NOT_ENOUGH_MEMORY);
        if (w->self && apc_run(&w->self->apcs) > 0)
            return WAIT_IO_COMPLETION;
        if (deadline == 0 || wake_clock() >= deadline)
            return WAIT_TIMEOUT;
        if (spun) {
            taken = sleep_once(w, deadline);
        } else {
            spin(w, deadline);
            taken = take(w);
        }
    }
}

/* Who is alerted. Registering may fail, and a wait may be too deep in others: it is a plain one. */
static struct thread *alerted(bool alertable)
{
    struct thread *t = alertable ? thread_current() : NULL;

    return t && apc_may_run(&t->apcs) ? t : NULL;
}

DWORD wait_for_events(const HANDLE *events, DWORD count, bool all, uint64_t deadline,
                      bool alertable, int *error)
{
    struct wait w = {.count = count, .all = all};

    if (count == 0 || count > MAXIMUM_WAIT_OBJECTS)
        return failed(error, ERROR_INVALID_PARAMETER);
    memcpy(w.events, events, count * sizeof(*events));
    for (DWORD i = 0; i < count; i++)
        if (event_look(w.events[i]) == EVENT_STALE)
            return failed(error, ERROR_INVALID_HANDLE);
    if (all && !sort_handles(&w))
        return failed(error, ERROR_INVALID_PARAMETER);
    w.self = alerted(alertable);
    return wait_until(&w, deadline, error);
}

/* The thread is cancelled. */
static void stop_sleeping(void *thread)
{
    struct thread *t = thread;

    if (t)
        apc_finish_sleep(&t->apcs);
}

DWORD wait_for_time(uint64_t deadline, bool alertable)
{
    struct thread *t = alerted(alertable);
    _Atomic uint32_t nobody = 0;
    struct wake_word words[1] = {{&nobody, 0}};

    for (;;) {
        if (t && apc_run(&t->apcs) > 0)
            return WAIT_IO_COMPLETION;
        if (deadline == 0 || wake_clock() >= deadline)
            break;
        if (t && !apc_prepare_sleep(&t->apcs, &words[0]))
            continue;
        wake_sleep_or_end(words, 1, deadline, stop_sleeping, t);
        if (t)
            apc_finish_sleep(&t->apcs);
    }
    if (deadline == 0)
        sched_yield();
    return 0;
}

/* --- the wait inside a blocking call ----------------------------------------------------------- */

bool host_run_apcs(void)
{
    struct thread *t = thread_current_if_known();

    /* Nobody can have queued an APC to a thread that has no identity. */
    return t && apc_run(&t->apcs) > 0;
}

void host_interrupt_sleep(void)
{
    struct thread *t = thread_current_if_known();

    if (t)
        apc_finish_sleep(&t->apcs);
}

/* What a cancelled thread takes back. */
struct announced {
    struct thread *self; /* NULL: not alertable */
    void (*undo)(void *argument);
    void *argument;
};

static void end_sleep(void *argument)
{
    struct announced *announced = argument;

    if (announced->self)
        apc_finish_sleep(&announced->self->apcs);
    announced->undo(announced->argument);
}

_Static_assert(HOST_SLEEP_MAX_WORDS < WAKE_MAX_WORDS, "there is room for the thread's APC word");

/* Without an identity a signal handler has nothing to end the sleep by; it is looked for. */
static enum host_wake sleep_unalerted(const struct wake_word *words, unsigned count,
                                      uint64_t deadline, struct announced *announced)
{
    uint64_t slice = wake_clock() + UNALERTED_SLICE_NS;
    bool last = slice >= deadline;

    return wake_sleep_or_end(words, count, last ? deadline : slice, end_sleep, announced) ==
                       WAKE_TIMEOUT &&
                   last
               ? HOST_TIMEOUT
               : HOST_WOKEN;
}

enum host_wake host_sleep(const struct wake_word *words, unsigned count, uint64_t deadline,
                          const _Atomic bool *stop, void (*undo)(void *argument), void *argument)
{
    struct thread *t = alerted(true);
    struct announced announced = {t, undo, argument};
    struct wake_word all[HOST_SLEEP_MAX_WORDS + 1];
    enum wake_reason reason = WAKE_WOKEN;

    if (!t)
        return atomic_load(stop) ? HOST_WOKEN : sleep_unalerted(words, count, deadline, &announced);
    memcpy(all, words, count * sizeof(*words));
    if (!apc_prepare_sleep(&t->apcs, &all[count]))
        return HOST_APCS_QUEUED;
    /* After the announcement: a signal handler that sets it later takes the announcement back. */
    atomic_signal_fence(memory_order_seq_cst);
    if (!atomic_load(stop))
        reason = wake_sleep_or_end(all, count + 1, deadline, end_sleep, &announced);
    apc_finish_sleep(&t->apcs);
    if (apc_is_pending(&t->apcs))
        return HOST_APCS_QUEUED;
    return reason == WAKE_TIMEOUT ? HOST_TIMEOUT : HOST_WOKEN;
}
