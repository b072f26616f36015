/* SPDX-License-Identifier: BSD-3-Clause */
#include "owner_mutex.h"

#include <errno.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lock_word.h"
#include "wake.h"

#define LOCK ((uint32_t)LOCK_WORD_LOCK)
#define WAITERS ((uint32_t)LOCK_WORD_WAITERS)
#define OWNER ((uint32_t)LOCK_WORD_OWNER_MASK)

/* A word that is not 0: wait until it may be. @return what the lock is to be taken with, or 0: own */
static uint32_t wait_for(struct owner_mutex *mutex, uint32_t seen, uint32_t self)
{
    struct wake_word word = {&mutex->word, seen | WAITERS};

    if ((seen & OWNER) == self)
        return 0;
    if ((seen & WAITERS) ||
        atomic_compare_exchange_strong_explicit(&mutex->word, &seen, word.value,
                                                memory_order_relaxed, memory_order_relaxed))
        wake_sleep(&word, 1, WAKE_FOREVER);
    return self | LOCK | WAITERS; /* others may sleep behind this one */
}

int owner_mutex_lock(struct owner_mutex *mutex)
{
    uint32_t self = (uint32_t)lock_word_self();
    uint32_t desired = self | LOCK;
    uint32_t seen = 0;
    int state;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    while (!atomic_compare_exchange_weak_explicit(&mutex->word, &seen, desired,
                                                  memory_order_acquire, memory_order_relaxed)) {
        if (seen != 0)
            desired = wait_for(mutex, seen, self);
        if (desired == 0) {
            pthread_setcancelstate(state, NULL);
            return -EDEADLK;
        }
        seen = 0;
    }
    mutex->cancel_state = state;
    return 0;
}

bool owner_mutex_try_lock(struct owner_mutex *mutex)
{
    uint32_t seen = 0;
    int state;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    if (!atomic_compare_exchange_strong_explicit(&mutex->word, &seen,
                                                 (uint32_t)lock_word_self() | LOCK,
                                                 memory_order_acquire, memory_order_relaxed)) {
        pthread_setcancelstate(state, NULL);
        return false;
    }
    mutex->cancel_state = state;
    return true;
}

void owner_mutex_unlock(struct owner_mutex *mutex)
{
    int state = mutex->cancel_state;

    if (atomic_exchange_explicit(&mutex->word, 0, memory_order_release) & WAITERS)
        wake(&mutex->word, 1);
    pthread_setcancelstate(state, NULL);
}

bool owner_mutex_is_mine(const struct owner_mutex *mutex)
{
    uint32_t seen = atomic_load_explicit(&mutex->word, memory_order_relaxed);

    return seen != 0 && (seen & OWNER) == (uint32_t)lock_word_self();
}

/* --- fork ------------------------------------------------------------------------------------------ */

void owner_mutex_before_fork(struct owner_mutex *mutex)
{
    bool kept = owner_mutex_lock(mutex) != 0;

    mutex->kept = kept;
}

void owner_mutex_after_fork_in_parent(struct owner_mutex *mutex)
{
    if (!mutex->kept)
        owner_mutex_unlock(mutex);
    mutex->kept = false;
}

void owner_mutex_after_fork_in_child(struct owner_mutex *mutex)
{
    /* Nobody of those who waited is there; the owner, if it goes on, has another number. */
    uint32_t self = (uint32_t)syscall(SYS_gettid) << LOCK_WORD_OWNER_SHIFT;

    atomic_store_explicit(&mutex->word, self | LOCK, memory_order_relaxed);
    owner_mutex_after_fork_in_parent(mutex);
}

void owner_mutex_reset(struct owner_mutex *mutex)
{
    atomic_store_explicit(&mutex->word, 0, memory_order_relaxed);
}
