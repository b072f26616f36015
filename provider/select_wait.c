/* SPDX-License-Identifier: BSD-3-Clause */

/* Bells, and being ready. */

#include <limits.h>
#include <rte_cycles.h>
#include <rte_pause.h>

#include "receive_take.h"
#include "select.h"

/** Client code that is due and the deadline are looked for this often while spinning. */
#define SPIN_SLICE_US 20u

static struct select_bell bells[SELECT_BELLS];

struct select_bell *select_bell_of(const struct endpoint *endpoint)
{
    return &bells[endpoint->slot % SELECT_BELLS];
}

void select_ring(struct select_bell *bell)
{
    atomic_fetch_add_explicit(&bell->sequence, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&bell->sleepers, memory_order_seq_cst) != 0)
        wake(&bell->sequence, INT_MAX);
}

bool select_readable(struct endpoint *endpoint, struct wsp_socket *socket)
{
    if (atomic_load_explicit(&endpoint->state, memory_order_relaxed) != ENDPOINT_ATTACHED)
        return false;
    if (socket->receive_shut || socket->send_only)
        return true;
    /* What posted receives wait for is theirs (G12). */
    return socket->receives.first == NULL && receive_ready(endpoint, socket) != RECEIVE_NOTHING;
}

bool select_writable(struct endpoint *endpoint, const struct wsp_socket *socket)
{
    return atomic_load_explicit(&endpoint->state, memory_order_relaxed) == ENDPOINT_ATTACHED &&
           (socket->send_shut ||
            (socket->sends.first == NULL && send_queue_is_writable(&endpoint->send)));
}

void select_sleep_add(struct select_sleep *sleep, const struct endpoint *endpoint)
{
    struct select_bell *bell = select_bell_of(endpoint);
    uint64_t member = UINT64_C(1) << (bell - bells);

    _Static_assert(SELECT_BELLS <= 64, "a bit for each");
    if (sleep->members & member)
        return;
    sleep->members |= member;
    sleep->words[sleep->count++].word = &bell->sequence;
}

void select_sleep_prepare(struct select_sleep *sleep)
{
    for (unsigned i = 0; i < sleep->count; i++)
        sleep->words[i].value = atomic_load_explicit(sleep->words[i].word, memory_order_acquire);
}

static bool has_rung(const struct select_sleep *sleep)
{
    for (unsigned i = 0; i < sleep->count; i++)
        if (atomic_load_explicit(sleep->words[i].word, memory_order_relaxed) !=
            sleep->words[i].value)
            return true;
    return false;
}

static bool spin(const struct select_sleep *sleep, uint64_t until)
{
    while (rte_rdtsc() < until) {
        if (has_rung(sleep))
            return true;
        rte_pause();
    }
    return false;
}

static void count_sleeper(const struct select_sleep *sleep, uint32_t one)
{
    for (unsigned i = 0; i < SELECT_BELLS; i++)
        if (sleep->members >> i & 1)
            atomic_fetch_add_explicit(&bells[i].sleepers, one, memory_order_seq_cst);
}

static void withdraw(void *sleep, bool leaves)
{
    (void)leaves;                     /* bells ring for all that sleep on them: no baton */
    count_sleeper(sleep, UINT32_MAX); /* less one */
}

enum blocking_wake select_sleep_wait(const struct select_sleep *sleep, uint32_t spin_us,
                                     uint64_t deadline, struct blocking_call *call)
{
    uint64_t ticks_per_us = dataplane_tsc_hz() / 1000000;
    enum blocking_wake paused = blocking_pause(call);

    if (paused != BLOCKING_IDLE)
        return paused;
    for (uint32_t spun = 0; spun < spin_us; spun += SPIN_SLICE_US) {
        uint32_t slice = RTE_MIN(spin_us - spun, SPIN_SLICE_US);

        if (spin(sleep, rte_rdtsc() + (uint64_t)slice * ticks_per_us) || blocking_cancelled(call))
            return BLOCKING_LOOK_AGAIN;
        paused = blocking_pause(call);
        if (paused != BLOCKING_IDLE)
            return paused;
        if (deadline != WAKE_FOREVER && wake_clock() >= deadline)
            return BLOCKING_TIMED_OUT;
    }
    count_sleeper(sleep, 1);
    return blocking_sleep(call, sleep->words, sleep->count, deadline, withdraw,
                          (void *)(uintptr_t)sleep);
}
