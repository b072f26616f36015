/* SPDX-License-Identifier: BSD-3-Clause */

/* Waiting for room inside a blocking send. */

#include <rte_cycles.h>
#include <rte_pause.h>

#include "send.h"

/** Client code that is due is looked for this often while spinning. */
#define SPIN_SLICE_US 20u
#define NS_PER_MS 1000000u

/* Any change that makes another look worth while. The head's load is what fence F6 is for; the sequence
 * changes when posted sends that were in front have gone. */
static bool look_again(const struct socket_reference *reference, const struct send_limits *limits)
{
    const struct endpoint *e = reference->endpoint;

    return atomic_load_explicit(&e->send.head, memory_order_acquire) != limits->head ||
           atomic_load_explicit(&e->send.wake_sequence, memory_order_acquire) != limits->sequence ||
           lock_word_generation(atomic_load_explicit(&e->word, memory_order_relaxed)) !=
               reference->generation ||
           atomic_load_explicit(&e->state, memory_order_relaxed) != ENDPOINT_ATTACHED;
}

static bool spin(const struct socket_reference *reference, const struct send_limits *limits,
                 uint64_t until)
{
    while (rte_rdtsc() < until) {
        if (look_again(reference, limits))
            return true;
        rte_pause();
    }
    return false;
}

/* All sleepers are woken at once: nobody has taken another's wake-up. */
static void withdraw(void *endpoint, bool leaves)
{
    struct endpoint *e = endpoint;

    (void)leaves;
    atomic_fetch_sub_explicit(&e->send.sleepers, 1, memory_order_relaxed);
}

struct send_limits send_limits_of(const struct wsp_socket *socket)
{
    uint32_t timeout_ms = socket->send_timeout_ms;

    return (struct send_limits){
        .deadline =
            timeout_ms == 0 ? WAKE_FOREVER : wake_clock() + (uint64_t)timeout_ms * NS_PER_MS,
        .spin_us = socket->spin_us,
    };
}

void send_limits_look(struct send_limits *limits, const struct endpoint *endpoint)
{
    limits->head = endpoint->send.cached_head;
    limits->sequence = atomic_load_explicit(&endpoint->send.wake_sequence, memory_order_relaxed);
}

enum blocking_wake send_wait(const struct socket_reference *reference,
                             const struct send_limits *limits, struct blocking_call *call)
{
    struct endpoint *e = reference->endpoint;
    uint64_t ticks_per_us = dataplane_tsc_hz() / 1000000;
    enum blocking_wake paused = blocking_pause(call);

    if (paused != BLOCKING_IDLE)
        return paused;
    for (uint32_t spun = 0; spun < limits->spin_us; spun += SPIN_SLICE_US) {
        uint32_t slice = RTE_MIN(limits->spin_us - spun, SPIN_SLICE_US);

        if (spin(reference, limits, rte_rdtsc() + (uint64_t)slice * ticks_per_us) ||
            blocking_cancelled(call))
            return BLOCKING_LOOK_AGAIN;
        paused = blocking_pause(call);
        if (paused != BLOCKING_IDLE)
            return paused;
        if (limits->deadline != WAKE_FOREVER && wake_clock() >= limits->deadline)
            return BLOCKING_TIMED_OUT;
    }

    atomic_fetch_add_explicit(&e->send.sleepers, 1, memory_order_seq_cst);
    full_fence(); /* F6: `sleepers` above before the head below */
    if (look_again(reference, limits)) {
        withdraw(e, false);
        return BLOCKING_LOOK_AGAIN;
    }
    struct wake_word word = {&e->send.wake_sequence, limits->sequence};
    return blocking_sleep(call, &word, 1, limits->deadline, withdraw, e);
}
