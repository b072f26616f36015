/* SPDX-License-Identifier: BSD-3-Clause */

/* Batches and loans on one socket from many threads, an lcore that delivers all the while, loans that
 * another thread returns than the one they were lent to, and a close or a stop in the middle: each datagram
 * is had once and is what was sent, and every buffer comes home. */

#include "support/suite.h"

#include "exactly_once.h"
#include "harness.h"
#include "lcore_hook.h"

#include <stdlib.h>

SUITE_FIXTURE(lend_races, open_live, close_all);

/** Datagrams that may be on their way: fewer than a ring's slots, so that none is dropped. */
#define WINDOW 100u
#define LONGEST 200u
#define ENTRIES 16u
#define MOST_DATAGRAMS (1u << 21)
#define PARCEL 32u

static _Atomic uint64_t received;
static _Atomic bool sending;
static _Atomic uint8_t *seen; /* how often each datagram has been had */

/* Loans on their way from who has them to who returns them. */
static struct {
    _Atomic uint64_t tokens[PARCEL]; /* 0: empty */
} parcel;

static void send_within_window(void)
{
    uint64_t count = source_count();

    if (atomic_load_explicit(&sending, memory_order_acquire) &&
        count - atomic_load_explicit(&received, memory_order_acquire) < WINDOW &&
        count + 8 < MOST_DATAGRAMS)
        source_frames(8);
}

static void see(const void *data, size_t bytes)
{
    uint64_t sequence = 0;

    CHECK(source_check(data, bytes, &sequence));
    CHECK_EQ_U64(atomic_fetch_add(&seen[sequence], 1), 0);
    atomic_fetch_add_explicit(&received, 1, memory_order_release);
}

static bool is_end(int error)
{
    return error == WSAENOTSOCK || error == WSA_OPERATION_ABORTED || error == WSAENETDOWN;
}

static void take_batches(struct runner *self)
{
    static _Thread_local char texts[ENTRIES][LONGEST];
    struct wirerx_datagram datagrams[ENTRIES];
    WSABUF buffers[ENTRIES];
    DWORD taken;
    int error;

    for (unsigned i = 0; i < ENTRIES; i++) {
        buffers[i] = (WSABUF){LONGEST, texts[i]};
        datagrams[i] = (struct wirerx_datagram){.buffers = &buffers[i], .buffers_count = 1};
    }
    while ((error = wirerx_receive_batch(self->s, datagrams, ENTRIES, &taken)) == 0)
        for (DWORD i = 0; i < taken; i++) {
            CHECK_EQ_I64(datagrams[i].error, 0);
            see(texts[i], datagrams[i].bytes);
        }
    CHECK_MSG(is_end(error), "error %d", error);
}

/* Look, and return half of them here; the others go into the parcel if there is room. */
static void take_loans(struct runner *self)
{
    uint64_t random = 0x2545f4914f6cdd1du ^ (uintptr_t)self;
    struct wirerx_loan loans[ENTRIES] = {0};
    uint64_t tokens[ENTRIES];
    DWORD lent, returned;
    int error;

    while ((error = wirerx_lend(self->s, loans, ENTRIES, &lent)) == 0 || error == WSAENOBUFS) {
        DWORD kept = 0;

        if (error != 0) { /* the other thread has them */
            nap();
            continue;
        }
        for (DWORD i = 0; i < lent; i++) {
            uint64_t none = 0;

            CHECK_EQ_U64(loans[i].pieces, 1);
            see(loans[i].payload, loans[i].payload_bytes);
            if (next_random(&random) % 2 &&
                atomic_compare_exchange_strong(&parcel.tokens[next_random(&random) % PARCEL], &none,
                                               loans[i].token))
                continue;
            tokens[kept++] = loans[i].token;
        }
        error = wirerx_return(self->s, tokens, kept, &returned);
        CHECK_EQ_U64(returned, error == 0 ? kept : 0);
        if (error != 0)
            break;
    }
    CHECK_MSG(is_end(error), "error %d", error);
}

static void return_loans(struct runner *self)
{
    int error = 0;

    for (unsigned i = 0; !is_end(error); i++) {
        uint64_t token = atomic_exchange(&parcel.tokens[i % PARCEL], 0);

        if (token != 0) {
            error = wirerx_return(self->s, &token, 1, NULL);
            CHECK_MSG(error == 0 || is_end(error), "error %d", error);
        } else if (i % PARCEL == 0) {
            error = wirerx_return(self->s, NULL, 0, NULL);
            nap();
        }
    }
}

static void run_all(unsigned rounds, bool stop)
{
    static struct runner runners[4];
    static void (*const bodies[])(struct runner *) = {take_batches, take_loans, take_loans,
                                                      return_loans};

    for (unsigned round = 0; round < rounds; round++) {
        SOCKET s = open_socket(PORT);
        uint64_t goal;

        if (seen == NULL)
            seen = calloc(MOST_DATAGRAMS, 1);
        for (uint64_t i = 0; i < source_count(); i++)
            atomic_store_explicit(&seen[i], 0, memory_order_relaxed);
        source_prepare(HERE, PORT, 8, LONGEST);
        atomic_store(&received, 0);
        for (unsigned i = 0; i < PARCEL; i++)
            atomic_store(&parcel.tokens[i], 0);
        for (unsigned i = 0; i < 4; i++) {
            memset(&runners[i], 0, sizeof runners[i]);
            run(&runners[i], bodies[i], s, NULL);
        }
        atomic_store(&sending, true);
        hook_lcore(send_within_window);
        goal = SCALED(20000u) / rounds;
        UNTIL(atomic_load(&received) >= goal);
        /* Whoever looks at a loan while it ends sees what comes into its buffer next: nothing does. */
        atomic_store(&sending, false);
        hook_lcore(NULL);
        nap();
        if (stop) /* which wipes the pool: all have been looked at, and some are out */
            UNTIL(atomic_load(&received) == source_count());
        if (stop)
            CHECK_EQ_I64(wirerx_stop(), 0);
        else
            close_socket(s);
        for (unsigned i = 0; i < 4; i++)
            finish(&runners[i]);
        if (!stop)
            wire_settle();
        for (uint64_t i = 0, count = atomic_load(&received); i < count; i++)
            CHECK_EQ_U64(atomic_load(&seen[i]), 1); /* nothing was lost in between */
    }
}

SUITE_TEST(lend_races, every_datagram_once_and_every_buffer_home) // K01 B11
{
    run_all(8, false);
}

SUITE_TEST(lend_races, a_stop_ends_every_loan) // A19
{
    run_all(1, true);
}
