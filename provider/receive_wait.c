/* SPDX-License-Identifier: BSD-3-Clause */

/* Waiting for data inside a blocking call. */

#include <rte_cycles.h>
#include <rte_pause.h>

#include "blocking.h"
#include "receive.h"

/** Client code that is due is looked for this often while spinning. */
#define SPIN_SLICE_US 20u
#define NS_PER_MS 1000000u

/* Any change that makes another look worth while. The order of tail's load is what fence F3 and the
 * acquire of the wake sequence rely on. */
static bool look_again(const struct socket_reference *reference, uint32_t seen)
{
    const struct endpoint *e = reference->endpoint;

    return atomic_load_explicit(&e->tail, memory_order_acquire) != seen ||
           lock_word_generation(atomic_load_explicit(&e->word, memory_order_relaxed)) !=
               reference->generation ||
           atomic_load_explicit(&e->state, memory_order_relaxed) != ENDPOINT_ATTACHED;
}

static bool spin(const struct socket_reference *reference, uint32_t seen, uint64_t until)
{
    while (rte_rdtsc() < until) {
        if (look_again(reference, seen))
            return true;
        rte_pause();
    }
    return false;
}

/* Of the announcement, and of a wake-up that may have been meant for this sleeper: who does not look now
 * passes it on. */
static void withdraw(void *endpoint, bool leaves)
{
    struct endpoint *e = endpoint;

    atomic_fetch_sub_explicit(&e->sleepers, 1, memory_order_relaxed);
    if (leaves && endpoint_queued(e) != 0)
        endpoint_wake_one(e);
}

struct receive_limits receive_limits_of(const struct wsp_socket *socket)
{
    uint32_t timeout_ms = socket->receive_timeout_ms;

    return (struct receive_limits){
        .deadline =
            timeout_ms == 0 ? WAKE_FOREVER : wake_clock() + (uint64_t)timeout_ms * NS_PER_MS,
        .spin_us = socket->spin_us,
    };
}

enum blocking_wake receive_wait(const struct socket_reference *reference,
                                const struct receive_limits *limits, struct blocking_call *call)
{
    struct endpoint *e = reference->endpoint;
    uint32_t spin_us = limits->spin_us;
    uint64_t ticks_per_us = dataplane_tsc_hz() / 1000000;
    enum blocking_wake paused = blocking_pause(call);

    if (paused != BLOCKING_IDLE)
        return paused;
    for (uint32_t spun = 0; spun < spin_us; spun += SPIN_SLICE_US) {
        uint32_t slice = RTE_MIN(spin_us - spun, SPIN_SLICE_US);

        if (spin(reference, limits->seen, rte_rdtsc() + (uint64_t)slice * ticks_per_us) ||
            blocking_cancelled(call))
            return BLOCKING_LOOK_AGAIN;
        paused = blocking_pause(call);
        if (paused != BLOCKING_IDLE)
            return paused;
        if (limits->deadline != WAKE_FOREVER && wake_clock() >= limits->deadline)
            return BLOCKING_TIMED_OUT;
    }

    atomic_fetch_add_explicit(&e->sleepers, 1, memory_order_seq_cst);
    full_fence(); /* F3: `sleepers` above before the tail below */
    struct wake_word word = {&e->wake_sequence,
                             atomic_load_explicit(&e->wake_sequence, memory_order_acquire)};
    if (look_again(reference, limits->seen)) {
        withdraw(e, false);
        return BLOCKING_LOOK_AGAIN;
    }
    return blocking_sleep(call, &word, 1, limits->deadline, withdraw, e);
}
