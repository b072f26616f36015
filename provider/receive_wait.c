/* SPDX-License-Identifier: BSD-3-Clause */

/* Waiting for data inside a blocking call. */

#include <rte_cycles.h>
#include <rte_pause.h>

#include "host/host.h"
#include "receive.h"

/** APCs are looked for this often while spinning. */
#define SPIN_SLICE_US 20u
#define NS_PER_MS 1000000u
/** A foreign host's thread is woken at least this often, to be sure that nothing is missed. */
#define FOREIGN_SLICE_NS UINT64_C(10000000)

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

static void leave(struct endpoint *e)
{
    atomic_fetch_sub_explicit(&e->sleepers, 1, memory_order_relaxed);
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

enum receive_wait receive_wait(const struct socket_reference *reference,
                               const struct receive_limits *limits)
{
    struct endpoint *e = reference->endpoint;
    uint32_t spin_us = limits->spin_us;
    uint64_t deadline = limits->deadline;
    uint64_t ticks_per_us = dataplane_tsc_hz() / 1000000;
    enum host_wake woken = HOST_WOKEN;

    for (uint32_t spun = 0; spun < spin_us; spun += SPIN_SLICE_US) {
        uint32_t slice = RTE_MIN(spin_us - spun, SPIN_SLICE_US);

        if (spin(reference, limits->seen, rte_rdtsc() + (uint64_t)slice * ticks_per_us))
            return RECEIVE_LOOK_AGAIN;
        /* A sleep without sleeping: runs this thread's APCs if there are any (B08). */
        if (provider_host_is_own && host_sleep(&e->wake_sequence, 0, 0, true) == HOST_APCS_RAN)
            return RECEIVE_LOOK_AGAIN;
        if (deadline != WAKE_FOREVER && wake_clock() >= deadline)
            return RECEIVE_TIMED_OUT;
    }

    atomic_fetch_add_explicit(&e->sleepers, 1, memory_order_seq_cst);
    full_fence(); /* F3: `sleepers` above before the tail below */
    uint32_t sequence = atomic_load_explicit(&e->wake_sequence, memory_order_acquire);
    if (look_again(reference, limits->seen)) {
        leave(e);
        return RECEIVE_LOOK_AGAIN;
    }
    if (provider_host_is_own) {
        woken = host_sleep(&e->wake_sequence, sequence, deadline, true);
    } else {
        struct wake_word word = {&e->wake_sequence, sequence};
        uint64_t slice = wake_clock() + FOREIGN_SLICE_NS;

        if (wake_sleep(&word, 1, RTE_MIN(slice, deadline)) == WAKE_TIMEOUT && slice >= deadline)
            woken = HOST_TIMEOUT;
    }
    leave(e);
    if (woken != HOST_TIMEOUT)
        return RECEIVE_LOOK_AGAIN;
    /* The wake-up that ended in this time-out may have been meant for whoever sleeps next. */
    if (endpoint_queued(e) != 0)
        endpoint_wake_one(e);
    return RECEIVE_TIMED_OUT;
}
