/* SPDX-License-Identifier: BSD-3-Clause */

/* The lock word by itself: who gets it, who waits, and that no service is lost (R1, R2, R3). */

#include "support/suite.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fence.h"
#include "lock_word.h"
#include "wake.h"

#define OPEN 7u /* an odd generation: an open socket */

static _Atomic uint64_t word;

static void set_word(uint32_t generation)
{
    atomic_store(&word, (uint64_t)generation << LOCK_WORD_GENERATION_SHIFT);
}

static uint64_t flags(void)
{
    return atomic_load(&word) & (LOCK_WORD_LOCK | LOCK_WORD_AGAIN | LOCK_WORD_WAITERS);
}

static uint64_t free_word(uint32_t generation)
{
    return (uint64_t)generation << LOCK_WORD_GENERATION_SHIFT;
}

SUITE_TEST(lock_word, is_taken_and_released)
{
    set_word(OPEN);
    CHECK_EQ_I64(lock_word_acquire(&word, OPEN), LOCK_ACQUIRED);
    CHECK_EQ_U64(atomic_load(&word), free_word(OPEN) | lock_word_self() | LOCK_WORD_LOCK);
    CHECK_EQ_U64(lock_word_self() >> LOCK_WORD_OWNER_SHIFT, (uint64_t)gettid());
    CHECK(lock_word_release(&word));
    CHECK_EQ_U64(atomic_load(&word), free_word(OPEN));
}

SUITE_TEST(lock_word, another_generation_is_stale)
{
    set_word(OPEN);
    CHECK_EQ_I64(lock_word_acquire(&word, OPEN - 2), LOCK_STALE);
    CHECK_EQ_I64(lock_word_acquire(&word, OPEN + 2), LOCK_STALE);
    CHECK_EQ_I64(lock_word_acquire(&word, 0), LOCK_STALE);
    CHECK_EQ_U64(atomic_load(&word), free_word(OPEN));
    /* Also while somebody holds it, and with flags set. */
    CHECK_EQ_I64(lock_word_acquire(&word, OPEN), LOCK_ACQUIRED);
    CHECK_EQ_I64(lock_word_acquire(&word, OPEN - 2), LOCK_STALE);
    atomic_fetch_or(&word, LOCK_WORD_AGAIN);
    CHECK_EQ_I64(lock_word_acquire(&word, OPEN - 2), LOCK_STALE);
}

SUITE_TEST(lock_word, retiring_ends_the_generation_and_every_flag)
{
    set_word(OPEN);
    CHECK_EQ_I64(lock_word_acquire(&word, OPEN), LOCK_ACQUIRED);
    atomic_fetch_or(&word, LOCK_WORD_AGAIN);
    lock_word_retire(&word);
    CHECK_EQ_U64(atomic_load(&word), free_word(OPEN + 1));
    CHECK_EQ_I64(lock_word_acquire(&word, OPEN), LOCK_STALE);
    set_word(UINT32_MAX); /* generations go round */
    CHECK_EQ_I64(lock_word_acquire(&word, UINT32_MAX), LOCK_ACQUIRED);
    lock_word_retire(&word);
    CHECK_EQ_U64(atomic_load(&word), free_word(0));
}

SUITE_TEST(lock_word, own_thread_is_told_so)
{
    set_word(OPEN);
    CHECK_EQ_I64(lock_word_acquire(&word, OPEN), LOCK_ACQUIRED);
    CHECK_EQ_I64(lock_word_acquire(&word, OPEN), LOCK_OWN_THREAD);
    CHECK_EQ_U64(flags(), LOCK_WORD_LOCK); /* and no waiter was announced */
    CHECK(lock_word_release(&word));
}

static volatile sig_atomic_t in_handler = -1;

static void take_in_handler(int number)
{
    (void)number;
    in_handler = (sig_atomic_t)lock_word_acquire(&word, OPEN);
}

SUITE_TEST(lock_word, signal_handler_on_the_holding_thread_does_not_wait)
{
    set_word(OPEN);
    CHECK(signal(SIGUSR1, take_in_handler) != SIG_ERR);
    CHECK_EQ_I64(lock_word_acquire(&word, OPEN), LOCK_ACQUIRED);
    raise(SIGUSR1);
    CHECK_EQ_I64(in_handler, LOCK_OWN_THREAD);
    CHECK(lock_word_release(&word));
    raise(SIGUSR1);
    CHECK_EQ_I64(in_handler, LOCK_ACQUIRED);
}

/* The child's thread is another one: it must not take its parent's lock for its own. */
SUITE_TEST(lock_word, child_of_a_fork_has_an_identity_of_its_own)
{
    uint64_t self = lock_word_self();
    int status = -1;
    pid_t child = fork();

    CHECK(child >= 0);
    if (child == 0)
        _exit(lock_word_self() == self ||
              lock_word_self() >> LOCK_WORD_OWNER_SHIFT != (uint64_t)gettid());
    CHECK_EQ_I64(waitpid(child, &status, 0), child);
    CHECK_EQ_I64(status, 0);
}

SUITE_TEST(lock_word, lcore_takes_a_free_lock_and_marks_a_held_one)
{
    set_word(OPEN);
    CHECK(lock_word_try_from_lcore(&word));
    CHECK_EQ_U64(flags(), LOCK_WORD_LOCK | LOCK_WORD_AGAIN);
    lock_word_release_from_lcore(&word, false);
    CHECK_EQ_U64(atomic_load(&word), free_word(OPEN));
    CHECK(lock_word_try_from_lcore(&word));
    lock_word_release_from_lcore(&word, true); /* work is left */
    CHECK_EQ_U64(atomic_load(&word), free_word(OPEN) | LOCK_WORD_AGAIN);
    CHECK(lock_word_try_from_lcore(&word));
    lock_word_release_from_lcore(&word, false);

    CHECK_EQ_I64(lock_word_acquire(&word, OPEN), LOCK_ACQUIRED);
    CHECK(!lock_word_try_from_lcore(&word));
    CHECK_EQ_U64(flags(), LOCK_WORD_LOCK | LOCK_WORD_AGAIN);
    CHECK_EQ_I64(lock_word_acquire(&word, OPEN), LOCK_OWN_THREAD); /* the owner has not changed */
}

SUITE_TEST(lock_word, release_fails_while_a_service_is_owed) /* R1 */
{
    set_word(OPEN);
    CHECK_EQ_I64(lock_word_acquire(&word, OPEN), LOCK_ACQUIRED);
    CHECK(!lock_word_try_from_lcore(&word));
    CHECK(!lock_word_release(&word));
    CHECK_EQ_U64(flags(), LOCK_WORD_LOCK);   /* AGAIN is cleared, LOCK still ours */
    CHECK(!lock_word_try_from_lcore(&word)); /* published meanwhile */
    CHECK(!lock_word_release(&word));
    CHECK(lock_word_release(&word));
    CHECK_EQ_U64(atomic_load(&word), free_word(OPEN));
}

SUITE_TEST(lock_word, handing_back_leaves_the_rest_to_the_lcore) /* R1 */
{
    set_word(OPEN);
    CHECK_EQ_I64(lock_word_acquire(&word, OPEN), LOCK_ACQUIRED);
    CHECK(!lock_word_try_from_lcore(&word));
    CHECK(!lock_word_release(&word));
    lock_word_hand_back(&word);
    CHECK_EQ_U64(atomic_load(&word), free_word(OPEN) | LOCK_WORD_AGAIN);
    /* A client may still take it, and then owes the service. */
    CHECK_EQ_I64(lock_word_acquire(&word, OPEN), LOCK_ACQUIRED);
    CHECK(!lock_word_release(&word));
    CHECK(lock_word_release(&word));
}

/* --- waiting ----------------------------------------------------------------------------------- */

struct waiter {
    pthread_t thread;
    _Atomic int result; /* -1: not yet */
    bool keeps;         /* does not release */
};

static void *wait_for_it(void *argument)
{
    struct waiter *waiter = argument;
    enum lock_result result = lock_word_acquire(&word, OPEN);

    if (result == LOCK_ACQUIRED && !waiter->keeps)
        while (!lock_word_release(&word))
            continue;
    atomic_store(&waiter->result, (int)result);
    return NULL;
}

static void start_waiter(struct waiter *waiter)
{
    atomic_store(&waiter->result, -1);
    CHECK_EQ_I64(pthread_create(&waiter->thread, NULL, wait_for_it, waiter), 0);
}

static void expect_result(struct waiter *waiter, enum lock_result result)
{
    CHECK_EQ_I64(pthread_join(waiter->thread, NULL), 0);
    CHECK_EQ_I64(atomic_load(&waiter->result), result);
}

static void pause_ms(unsigned milliseconds)
{
    uint64_t until = wake_clock() + milliseconds * 1000000ull;

    while (wake_clock() < until)
        sched_yield();
}

/* Until it has announced itself, and a while longer, so that it sleeps. */
static void await_waiters(void)
{
    while (!(flags() & LOCK_WORD_WAITERS))
        sched_yield();
    pause_ms(20);
}

SUITE_TEST(lock_word, release_wakes_every_sleeper_in_the_end, .timeout = 30)
{
    struct waiter waiters[5] = {0};

    set_word(OPEN);
    for (unsigned round = 0; round < 20; round++) {
        CHECK_EQ_I64(lock_word_acquire(&word, OPEN), LOCK_ACQUIRED);
        for (unsigned i = 0; i < 5; i++)
            start_waiter(&waiters[i]);
        await_waiters();
        for (unsigned i = 0; i < 5; i++)
            CHECK_EQ_I64(atomic_load(&waiters[i].result), -1);
        CHECK(lock_word_release(&word));
        for (unsigned i = 0; i < 5; i++)
            expect_result(&waiters[i], LOCK_ACQUIRED);
        CHECK_EQ_U64(flags() & LOCK_WORD_LOCK, 0);
    }
}

SUITE_TEST(lock_word, retiring_wakes_every_sleeper_as_stale, .timeout = 30)
{
    struct waiter waiters[3] = {0};

    set_word(OPEN);
    CHECK_EQ_I64(lock_word_acquire(&word, OPEN), LOCK_ACQUIRED);
    for (unsigned i = 0; i < 3; i++)
        start_waiter(&waiters[i]);
    await_waiters();
    lock_word_retire(&word);
    for (unsigned i = 0; i < 3; i++)
        expect_result(&waiters[i], LOCK_STALE);
}

SUITE_TEST(lock_word, lcores_release_wakes_a_sleeper, .timeout = 30)
{
    for (int more = 0; more <= 1; more++) {
        struct waiter waiter = {.keeps = true};

        set_word(OPEN);
        CHECK(lock_word_try_from_lcore(&word));
        start_waiter(&waiter);
        await_waiters();
        lock_word_release_from_lcore(&word, more != 0);
        expect_result(&waiter, LOCK_ACQUIRED);
        CHECK_EQ_U64(flags() & LOCK_WORD_AGAIN, more != 0 ? LOCK_WORD_AGAIN : 0);
    }
}

SUITE_TEST(lock_word, handing_back_wakes_a_sleeper, .timeout = 30)
{
    struct waiter waiter = {.keeps = true};

    set_word(OPEN);
    CHECK_EQ_I64(lock_word_acquire(&word, OPEN), LOCK_ACQUIRED);
    CHECK(!lock_word_try_from_lcore(&word));
    start_waiter(&waiter);
    await_waiters();
    CHECK(!lock_word_release(&word));
    lock_word_hand_back(&word);
    expect_result(&waiter, LOCK_ACQUIRED);
    CHECK_EQ_U64(flags() & LOCK_WORD_AGAIN, LOCK_WORD_AGAIN);
}

/* --- hammering ----------------------------------------------------------------------------------- */

#define CLIENTS 4
/* Under sanitizers each step takes longer, and fewer of them meet as much. */
#ifdef WIRERX_SANITIZED
#define ITEMS 100000u
#else
#define ITEMS 1000000u
#endif
/* The lcore goes on until it has found the lock held so often, if it takes that long. */
#define CONTENDED 1000u

/* An endpoint reduced to what matters: data published, data served, and nothing else. */
static struct {
    _Atomic uint32_t tail;
    uint32_t served;  /* under LOCK */
    uint64_t holders; /* under LOCK, not atomic: TSan and the sum see two holders at once */
    _Atomic bool stop;
    _Atomic unsigned acquired;
} ring;

/* Under LOCK. At most `budget`. @return true: some are left */
static bool serve(uint32_t budget)
{
    uint32_t tail = atomic_load_explicit(&ring.tail, memory_order_acquire);

    ring.holders++;
    while (ring.served != tail && budget-- > 0)
        ring.served++;
    return ring.served != tail;
}

static void *hammer(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument;

    while (!atomic_load_explicit(&ring.stop, memory_order_relaxed)) {
        CHECK_EQ_I64(lock_word_acquire(&word, OPEN), LOCK_ACQUIRED);
        atomic_fetch_add_explicit(&ring.acquired, 1, memory_order_relaxed);
        ring.holders++; /* and does not look for data of its own accord */
        seed = seed * 1664525u + 1013904223u;
        for (volatile unsigned i = seed >> 26; i > 0; i--)
            continue;
        if (seed % 1024 < 8) /* as if the scheduler had taken it off its core */
            sched_yield();
        while (!lock_word_release(&word))
            if (serve(2)) {
                lock_word_hand_back(&word);
                break;
            }
        if (seed >> 30 == 0)
            sched_yield();
    }
    return NULL;
}

/* The lcore's rule R2 for one endpoint. @return true: it stays on the ready list */
static bool look_at_ready(void)
{
    uint64_t seen = atomic_load_explicit(&word, memory_order_acquire);

    if (seen & LOCK_WORD_LOCK)
        return true;
    if (!(seen & LOCK_WORD_AGAIN))
        return false;
    if (!lock_word_try_from_lcore(&word))
        return true;
    bool more = serve(3);
    lock_word_release_from_lcore(&word, more);
    return more;
}

/* Publish, try once, and keep the ready list: as soon as it is empty, all that was published has been
 * served, by whomever. */
SUITE_TEST(lock_word, no_service_is_lost_under_four_clients, .timeout = 100)
{
    pthread_t threads[CLIENTS];
    bool ready = false;
    unsigned contended = 0;
    uint32_t random = 1, item = 0;
    uint64_t deadline = wake_clock() + 60000000000ull;

    set_word(OPEN);
    for (unsigned i = 0; i < CLIENTS; i++)
        CHECK_EQ_I64(pthread_create(&threads[i], NULL, hammer, (void *)(uintptr_t)(i + 1)), 0);
    while (atomic_load(&ring.acquired) < CLIENTS)
        sched_yield();
    while (item < ITEMS || contended < CONTENDED || ready) {
        CHECK_MSG(wake_clock() < deadline, "%u items, the lock was held %u times", item, contended);
        if (++item % 256 == 0)
            sched_yield();
        random = random * 1664525u + 1013904223u;
        uint32_t burst = (random >> 28) + 1;

        atomic_store_explicit(&ring.tail, item, memory_order_release);
        full_fence();
        if (lock_word_try_from_lcore(&word)) {
            bool more = serve(3);
            lock_word_release_from_lcore(&word, more);
            ready |= more;
        } else {
            ready = true;
            contended++;
        }
        for (uint32_t pass = 0; ready && (pass < burst || item >= ITEMS); pass++) {
            ready = look_at_ready();
            if (!ready) {
                /* Nobody publishes now, so nobody changes `served` any more. Reading it needs LOCK. */
                CHECK_EQ_I64(lock_word_acquire(&word, OPEN), LOCK_ACQUIRED);
                CHECK_MSG(ring.served == item, "%u were published, %u served, and nobody owes more",
                          item, ring.served);
                CHECK(lock_word_release(&word));
            } else if (pass % 64 == 63) {
                sched_yield();
            }
        }
    }
    atomic_store(&ring.stop, true);
    for (unsigned i = 0; i < CLIENTS; i++)
        CHECK_EQ_I64(pthread_join(threads[i], NULL), 0);
    CHECK_EQ_U64(ring.served, item);
    CHECK_EQ_U64(atomic_load(&word) & ~(uint64_t)LOCK_WORD_WAITERS, free_word(OPEN));
    CHECK_GE_U64(ring.holders, atomic_load(&ring.acquired));
}

/* Two at once would lose increments of a plain counter. */
static uint64_t plain;
static pthread_barrier_t together;

static void *increment(void *argument)
{
    pthread_barrier_wait(&together);
    for (unsigned i = 0; i < ITEMS; i++) {
        CHECK_EQ_I64(lock_word_acquire(&word, OPEN), LOCK_ACQUIRED);
        plain++;
        CHECK(lock_word_release(&word));
    }
    return argument;
}

SUITE_TEST(lock_word, excludes_four_clients_from_each_other, .timeout = 100)
{
    pthread_t threads[CLIENTS];

    set_word(OPEN);
    CHECK_EQ_I64(pthread_barrier_init(&together, NULL, CLIENTS), 0);
    for (unsigned i = 0; i < CLIENTS; i++)
        CHECK_EQ_I64(pthread_create(&threads[i], NULL, increment, NULL), 0);
    for (unsigned i = 0; i < CLIENTS; i++)
        CHECK_EQ_I64(pthread_join(threads[i], NULL), 0);
    CHECK_EQ_U64(plain, (uint64_t)CLIENTS * ITEMS);
    CHECK_EQ_U64(flags() & LOCK_WORD_LOCK, 0);
}
