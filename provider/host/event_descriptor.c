/* SPDX-License-Identifier: BSD-3-Clause */
#include "event_descriptor.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backoff.h"
#include "event_word.h"
#include "wirerx/wirerx_errors.h"

static bool has_ended(uint64_t word)
{
    return (generation_of(word) & 1) == 0;
}

/* --- following (rules M2, M4, M6) ------------------------------------------------------------- */

/* syscall(), because read() and write() would be cancellation points, and the user never leave. */
static void show(struct event *e, bool signalled)
{
    int descriptor = atomic_load_explicit(&e->descriptor, memory_order_relaxed);
    int saved = errno;
    uint64_t count = 1;

    syscall(signalled ? SYS_write : SYS_read, descriptor, &count, sizeof(count));
    errno = saved; /* EAGAIN from a read: it was not readable, which is what is wanted */
}

/* M6: the errand takes the caller's place, or has one of its own already and will look. */
static void leave_to_errand(struct event *e)
{
    uint64_t seen = atomic_load_explicit(&e->word, memory_order_relaxed);

    while (!change(e, &seen, seen & QUEUED ? seen - ONE_USER : seen | QUEUED))
        continue;
    if ((seen & QUEUED) == 0)
        wake_hand_over(&e->errand);
}

/* @return false: the descriptor shows something else than the word, begin again */
static bool leave(struct event *e, uint64_t shown)
{
    uint64_t seen = atomic_load_explicit(&e->word, memory_order_relaxed);

    do {
        if (!has_ended(seen)) {
            if (((seen ^ shown) & SIGNALLED) || (seen & OWED))
                return false;
        } else if ((seen & USERS) == ONE_USER && wake_sink) {
            leave_to_errand(e); /* closing may block */
            return true;
        }
    } while (!change(e, &seen, seen - ONE_USER));
    if (has_ended(seen) && (seen & USERS) == ONE_USER)
        event_bury(e);
    return true;
}

/* One round of M2. @return true: it was the last */
static bool follow_once(struct event *e)
{
    uint64_t seen = atomic_fetch_and_explicit(&e->word, ~OWED, memory_order_acq_rel);

    if (!has_ended(seen))
        show(e, seen & SIGNALLED);
    return leave(e, seen);
}

void event_follow(struct event *e)
{
    do {
        if (!wake_may_call()) {
            leave_to_errand(e);
            return;
        }
    } while (!follow_once(e));
}

/* On the service thread, as one of the USERS. */
static void run_errand(struct wake_errand *errand)
{
    struct event *e = (struct event *)(void *)((char *)errand - offsetof(struct event, errand));

    /* Before looking: whoever finds QUEUED has changed the word before. */
    atomic_fetch_and_explicit(&e->word, ~QUEUED, memory_order_acq_rel);
    event_follow(e);
}

void event_bury(struct event *e)
{
    uint64_t word = atomic_load_explicit(&e->word, memory_order_acquire);
    int saved = errno;

    if (word & MIRRORED) {
        syscall(SYS_close, atomic_load_explicit(&e->descriptor, memory_order_relaxed));
        errno = saved;
    }
    /* Nobody else changes the word of an event that has ended. */
    atomic_store_explicit(&e->word, word & ~MIRROR, memory_order_release);
    if (generation_of(word) != 0) /* a slot whose generations are used up stays out of use */
        table_give(&event_table, &e->entry);
}

/* --- the child of a fork ---------------------------------------------------------------------- */

static void forget_descriptor(struct table_entry *entry)
{
    struct event *e = (struct event *)(void *)entry;

    /* Also the USERS: their threads are not there. */
    atomic_fetch_and_explicit(&e->word, ~MIRROR, memory_order_relaxed);
}

static void forget_descriptors(void)
{
    table_for_each(&event_table, forget_descriptor);
}

static void register_fork_handler(void)
{
    pthread_atfork(NULL, NULL, forget_descriptors);
}

/* --- asking ----------------------------------------------------------------------------------- */

/* M5: the caller is the one of the USERS that makes it. */
static int begin_mirror(HANDLE handle, struct event *e, int *descriptor)
{
    int saved = errno;
    int made = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (made < 0) {
        int error = errno == EMFILE || errno == ENFILE ? WSAEMFILE : WSAENOBUFS;

        errno = saved;
        while (!leave(e, atomic_load_explicit(&e->word, memory_order_relaxed)))
            continue; /* there is nothing that would have to show the change */
        return error;
    }
    e->errand.run = run_errand;
    /* Release: after the generation that the slot has now, for known_descriptor(). */
    atomic_store_explicit(&e->descriptor, made, memory_order_release);
    uint64_t seen = atomic_fetch_or_explicit(&e->word, MIRRORED, memory_order_acq_rel);

    event_follow(e);
    *descriptor = made;
    return still_open(handle, seen) ? 0 : WSA_INVALID_HANDLE;
}

/* The event was MIRRORED. */
static int known_descriptor(HANDLE handle, struct event *e, int *descriptor)
{
    /* Acquire: if it is that of the slot's next event, the look at the generation tells. */
    *descriptor = atomic_load_explicit(&e->descriptor, memory_order_acquire);
    uint64_t seen = atomic_load_explicit(&e->word, memory_order_acquire);

    return still_open(handle, seen) ? 0 : WSA_INVALID_HANDLE;
}

int event_descriptor(HANDLE handle, int *descriptor)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    uint64_t seen;
    unsigned turn = 0;
    struct event *e = find(handle, &seen);

    pthread_once(&once, register_fork_handler);
    while (e && still_open(handle, seen)) {
        if (seen & MIRRORED)
            return known_descriptor(handle, e, descriptor);
        if (seen & USERS) { /* another thread makes it */
            backoff(&turn);
            seen = atomic_load_explicit(&e->word, memory_order_acquire);
        } else if (change(e, &seen, seen + ONE_USER)) {
            return begin_mirror(handle, e, descriptor);
        }
    }
    return WSA_INVALID_HANDLE;
}
