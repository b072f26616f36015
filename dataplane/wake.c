/* SPDX-License-Identifier: BSD-3-Clause */
#include "wake.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define NANOSECONDS 1000000000ull

/** How long a sleep on several words may miss a change where the kernel cannot watch them all. */
#define FALLBACK_SLICE_NS 1000000ull

_Thread_local struct wake_sink *wake_sink;

/* Set once the kernel (before Linux 5.16) or an emulation of it (valgrind) has no futex_waitv. */
static _Atomic bool waitv_missing;

uint64_t wake_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NANOSECONDS + (uint64_t)now.tv_nsec;
}

static struct timespec timespec_from(uint64_t nanoseconds)
{
    return (struct timespec){.tv_sec = (time_t)(nanoseconds / NANOSECONDS),
                             .tv_nsec = (long)(nanoseconds % NANOSECONDS)};
}

void wake(_Atomic uint32_t *word, int count)
{
    struct wake_sink *sink = wake_sink;
    int saved = errno;

    if (sink && sink->defer(sink, word, count))
        return;
    syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);
    errno = saved;
}

bool wake_may_call(void)
{
    struct wake_sink *sink = wake_sink;

    return !sink || sink->may_call(sink);
}

void wake_hand_over(struct wake_errand *errand)
{
    wake_sink->hand_over(wake_sink, errand);
}

/*
 * syscall() is no cancellation point, and a thread that sleeps in it hears of its cancellation only
 * while that is asynchronous: so it is, for as long as the call takes. A cancellation that hits after
 * the call has taken a wake-up is why wake_sleep_or_end()'s undo() has to pass one on.
 */
static int let_end(bool may_end)
{
    int before = PTHREAD_CANCEL_DEFERRED;

    if (may_end)
        // NOLINTNEXTLINE(cert-pos47-c,concurrency-thread-canceltype-asynchronous): one system call long
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &before);
    return before;
}

static void let_not_end(bool may_end, int before)
{
    if (may_end)
        pthread_setcanceltype(before, NULL);
}

/* Both sleeps: @return 0 or an errno value, ETIMEDOUT and ENOSYS among them. */
static int sleep_on_one(const struct wake_word *w, uint64_t deadline, bool may_end)
{
    struct timespec until = timespec_from(deadline);

    int before = let_end(may_end);
    /* The plain FUTEX_WAIT takes a relative time; this form an absolute one. */
    long result = syscall(SYS_futex, w->word, FUTEX_WAIT_BITSET, w->value,
                          deadline == WAKE_FOREVER ? NULL : &until, NULL, FUTEX_BITSET_MATCH_ANY);
    let_not_end(may_end, before);
    return result == 0 ? 0 : errno;
}

static int sleep_on_many(const struct wake_word *words, unsigned count, uint64_t deadline,
                         bool may_end)
{
    struct timespec until = timespec_from(deadline);
    struct futex_waitv watched[WAKE_MAX_WORDS];

    for (unsigned i = 0; i < count; i++)
        watched[i] = (struct futex_waitv){
            .val = words[i].value, .uaddr = (uintptr_t)words[i].word, .flags = FUTEX_32};
    int before = let_end(may_end);
    long result = syscall(SYS_futex_waitv, watched, count, 0,
                          deadline == WAKE_FOREVER ? NULL : &until, CLOCK_MONOTONIC);
    let_not_end(may_end, before);
    return result >= 0 ? 0 : errno;
}

/* Without futex_waitv: the first word ends the sleep at once, the others within a slice. */
static int sleep_in_slices(const struct wake_word *words, unsigned count, uint64_t deadline,
                           bool may_end)
{
    for (;;) {
        uint64_t slice = wake_clock() + FALLBACK_SLICE_NS;
        int error = sleep_on_one(&words[0], slice < deadline ? slice : deadline, may_end);

        if (error != ETIMEDOUT || slice >= deadline)
            return error;
        for (unsigned i = 0; i < count; i++)
            if (atomic_load_explicit(words[i].word, memory_order_relaxed) != words[i].value)
                return 0;
    }
}

static enum wake_reason sleep_on(const struct wake_word *words, unsigned count, uint64_t deadline,
                                 bool may_end)
{
    int saved = errno;
    int error = ENOSYS;

    if (count == 1) {
        error = sleep_on_one(&words[0], deadline, may_end);
    } else {
        if (!atomic_load_explicit(&waitv_missing, memory_order_relaxed))
            error = sleep_on_many(words, count, deadline, may_end);
        if (error == ENOSYS) {
            if (!atomic_exchange_explicit(&waitv_missing, true, memory_order_relaxed))
                log_line("no futex_waitv here (Linux 5.16 has it): a wait for several events may "
                         "notice one of them up to 1 ms late");
            error = sleep_in_slices(words, count, deadline, may_end);
        }
    }
    errno = saved;
    return error == ETIMEDOUT ? WAKE_TIMEOUT : WAKE_WOKEN;
}

enum wake_reason wake_sleep(const struct wake_word *words, unsigned count, uint64_t deadline)
{
    return sleep_on(words, count, deadline, false);
}

enum wake_reason wake_sleep_or_end(const struct wake_word *words, unsigned count, uint64_t deadline,
                                   void (*undo)(void *argument), void *argument)
{
    enum wake_reason reason;

    pthread_cleanup_push(undo, argument);
    reason = sleep_on(words, count, deadline, true);
    pthread_cleanup_pop(0);
    return reason;
}
