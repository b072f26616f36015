/* SPDX-License-Identifier: BSD-3-Clause */

/* What the lcore does for those who wait: services of posted receives, wake-ups, and the service
 * thread's part of both. */

#include "support/suite.h"

#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "client.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"

#define GROUP FRAME_IP(239, 1, 1, 1)
#define PORT 5000

static _Atomic unsigned served, served_by_service, ticks;
static _Atomic int service_thread;
static _Atomic bool leave_lcore;
static unsigned per_service = 1000; /* datagrams that one service takes */

static bool take_some(struct endpoint *e)
{
    const struct ring_element *element = NULL;

    for (unsigned i = 0; i < per_service && (element = endpoint_front(e)) != NULL; i++) {
        endpoint_consume(e, element);
        atomic_fetch_add(&served, 1);
    }
    return endpoint_front(e) != NULL;
}

static bool serve(struct endpoint *e)
{
    bool more = take_some(e);

    CHECK(atomic_load(&e->word) & LOCK_WORD_LOCK);
    lock_word_release_from_lcore(&e->word, more);
    return more;
}

static void serve_from_service(struct endpoint *e)
{
    CHECK_EQ_I64(lock_word_acquire(&e->word, lock_word_generation(atomic_load(&e->word))),
                 LOCK_ACQUIRED);
    while (take_some(e))
        continue;
    while (!lock_word_release(&e->word))
        while (take_some(e))
            continue;
    atomic_store(&service_thread, gettid());
    atomic_fetch_add(&served_by_service, 1);
}

static bool on_service_thread(void)
{
    return atomic_load(&leave_lcore);
}

static void network_down(struct endpoint *e)
{
    client_operations.network_down(e);
}

static void tick(void)
{
    atomic_fetch_add(&ticks, 1);
}

static const struct endpoint_operations operations = {
    .serve = serve,
    .serve_from_service = serve_from_service,
    .on_service_thread = on_service_thread,
    .network_down = network_down,
    .tick = tick,
};

static void set_up(void)
{
    struct config config = wire_config();

    wire_start(&config, &operations, true);
}

SUITE_FIXTURE(notify, set_up, wire_stop);

static void send_some(unsigned count)
{
    while (count-- > 0)
        wire_send_udp(GROUP, PORT, "x", 1);
}

static void set_posted(const struct client *c, uint32_t posted)
{
    atomic_store(&c->endpoint->posted, posted);
}

SUITE_TEST(notify, a_posted_receive_is_served_in_the_pass_that_brings_its_data)
{
    struct client c = client_joined(GROUP, PORT), idle = client_joined(GROUP, PORT);

    set_posted(&c, 1);
    send_some(5);
    wire_step(dataplane_tsc());
    CHECK_EQ_U64(atomic_load(&served), 5);
    CHECK_EQ_U64(wire_counter("completions"), 1); /* one service, not one for each datagram */
    CHECK_EQ_U64(client_queued(&idle), 5);        /* nothing is posted there */
    set_posted(&c, 0);
    send_some(1);
    wire_step(dataplane_tsc());
    CHECK_EQ_U64(wire_counter("completions"), 1);
    client_close(&c);
    client_close(&idle);
}

SUITE_TEST(notify, what_a_service_leaves_is_done_in_later_passes) /* R3 */
{
    struct client c = client_joined(GROUP, PORT);

    per_service = 2;
    set_posted(&c, 1);
    send_some(7);
    wire_step(dataplane_tsc());
    CHECK_EQ_U64(atomic_load(&served), 4); /* at once, and as the first of the ready list */
    for (unsigned pass = 0; pass < 3; pass++)
        wire_step(dataplane_tsc());
    CHECK_EQ_U64(atomic_load(&served), 7);
    CHECK(!c.endpoint->lcore.ready);
    CHECK_EQ_U64(atomic_load(&c.endpoint->word) & (LOCK_WORD_LOCK | LOCK_WORD_AGAIN), 0);
    client_close(&c);
}

SUITE_TEST(notify, a_holder_is_left_the_service_and_owes_it) /* R1, R2 */
{
    struct client c = client_joined(GROUP, PORT);
    struct endpoint *e = c.endpoint;

    set_posted(&c, 1);
    CHECK_EQ_I64(lock_word_acquire(&e->word, c.generation), LOCK_ACQUIRED);
    send_some(3);
    wire_step(dataplane_tsc());
    CHECK_EQ_U64(wire_counter("again_left"), 1);
    CHECK_EQ_U64(atomic_load(&served), 0);
    CHECK(e->lcore.ready);
    wire_step(dataplane_tsc()); /* it only looks */
    CHECK_EQ_U64(wire_counter("again_left"), 1);
    CHECK(!lock_word_release(&e->word));
    CHECK(!take_some(e));
    CHECK(lock_word_release(&e->word));
    wire_step(dataplane_tsc());
    CHECK(!e->lcore.ready);
    CHECK_EQ_U64(wire_counter("completions"), 0);
    CHECK_EQ_U64(atomic_load(&served), 3);
    client_close(&c);
}

SUITE_TEST(notify, what_a_holder_hands_back_the_lcore_serves) /* R1, R2 */
{
    struct client c = client_joined(GROUP, PORT);
    struct endpoint *e = c.endpoint;

    set_posted(&c, 1);
    CHECK_EQ_I64(lock_word_acquire(&e->word, c.generation), LOCK_ACQUIRED);
    send_some(3);
    wire_step(dataplane_tsc());
    CHECK(!lock_word_release(&e->word));
    lock_word_hand_back(&e->word);
    wire_step(dataplane_tsc());
    CHECK_EQ_U64(atomic_load(&served), 3);
    CHECK_EQ_U64(wire_counter("completions"), 1);
    CHECK(!e->lcore.ready);
    client_close(&c);
}

SUITE_TEST(notify, a_close_takes_it_off_the_ready_list)
{
    struct client c = client_joined(GROUP, PORT), other = client_joined(GROUP, PORT);

    set_posted(&c, 1);
    set_posted(&other, 1);
    CHECK_EQ_I64(lock_word_acquire(&c.endpoint->word, c.generation), LOCK_ACQUIRED);
    CHECK_EQ_I64(lock_word_acquire(&other.endpoint->word, other.generation), LOCK_ACQUIRED);
    send_some(3);
    wire_step(dataplane_tsc());
    CHECK(dataplane.lcores[0].ready != NULL);
    lock_word_retire(&c.endpoint->word);
    /* As when the command comes after this pass's look at the ready list. */
    lcore_detach(&dataplane.lcores[0], c.endpoint);
    CHECK_EQ_PTR(dataplane.lcores[0].ready, other.endpoint);
    CHECK_EQ_PTR(other.endpoint->lcore.ready_next, NULL);
    dataplane_endpoint_close(c.endpoint);
    lock_word_retire(&other.endpoint->word);
    dataplane_endpoint_close(other.endpoint);
    CHECK_EQ_PTR(dataplane.lcores[0].ready, NULL);
    CHECK_EQ_U64(wire_free_buffers(), 4096);
}

SUITE_TEST(notify, services_can_be_the_service_threads, .timeout = 30)
{
    struct client c = client_joined(GROUP, PORT);

    atomic_store(&leave_lcore, true);
    set_posted(&c, 1);
    for (unsigned round = 1; round <= 50; round++) {
        send_some(5);
        wire_step(dataplane_tsc());
        while (atomic_load(&served) < round * 5)
            sched_yield();
    }
    CHECK_EQ_U64(wire_counter("completions"), 0);
    CHECK_GE_U64(atomic_load(&served_by_service), 1);
    CHECK_NE_U64(atomic_load(&service_thread), gettid());
    /* Its last service may not have ended yet: a close waits for LOCK, as everybody does. */
    client_close(&c);
}

SUITE_TEST(notify, the_service_thread_ticks_some_20_times_a_second, .timeout = 30)
{
    uint64_t begin = wake_clock();

    while (atomic_load(&ticks) < 10)
        sched_yield();
    CHECK_GE_U64(wake_clock() - begin, 400000000ull);
}

/* --- sleepers ------------------------------------------------------------------------------------ */

#define SLEEPERS 12u
#define ROUNDS 12u

struct sleeper {
    pthread_t thread;
    struct client client;
    _Atomic unsigned received;
};

/* Receives a datagram in each round, sleeping for each as a blocking receive does (fence F3). */
static void *sleep_for_data(void *argument)
{
    struct sleeper *sleeper = argument;
    struct endpoint *e = sleeper->client.endpoint;

    while (atomic_load(&sleeper->received) < ROUNDS) {
        struct taken taken;

        if (client_take(&sleeper->client, &taken)) {
            atomic_fetch_add(&sleeper->received, 1);
            continue;
        }
        atomic_fetch_add(&e->sleepers, 1);
        full_fence();
        uint32_t sequence = atomic_load_explicit(&e->wake_sequence, memory_order_acquire);
        if (endpoint_queued(e) == 0)
            wake_sleep(&(struct wake_word){&e->wake_sequence, sequence}, 1, WAKE_FOREVER);
        atomic_fetch_sub(&e->sleepers, 1);
    }
    return NULL;
}

SUITE_TEST(notify, every_sleeper_is_woken_beyond_the_lcores_budget_by_the_service_thread,
           .timeout = 60)
{
    struct config config = wire_config();
    struct sleeper sleepers[SLEEPERS] = {0};

    wire_stop();
    wire_start(&config, &operations, false);
    for (unsigned i = 0; i < SLEEPERS; i++) {
        sleepers[i].client = client_joined(GROUP, PORT);
        CHECK_EQ_I64(pthread_create(&sleepers[i].thread, NULL, sleep_for_data, &sleepers[i]), 0);
    }
    wire_settle();
    unsigned prompt = 0;
    uint64_t own = wire_counter("wakeups"), deferred = wire_counter("wakeups_deferred");
    for (unsigned round = 1; round <= ROUNDS; round++) {
        for (unsigned i = 0; i < SLEEPERS; i++) /* all asleep, or about to be */
            while (atomic_load(&sleepers[i].client.endpoint->sleepers) == 0)
                sched_yield();
        uint64_t begin = wake_clock();
        send_some(1); /* for all of them, in one pass */
        for (unsigned i = 0; i < SLEEPERS; i++)
            while (atomic_load(&sleepers[i].received) < round)
                sched_yield();
        prompt += wake_clock() - begin < 20000000;
    }
    for (unsigned i = 0; i < SLEEPERS; i++)
        CHECK_EQ_I64(pthread_join(sleepers[i].thread, NULL), 0);
    wire_settle();
    own = wire_counter("wakeups") - own;
    deferred = wire_counter("wakeups_deferred") - deferred;
    CHECK_GE_U64(deferred, 1);
    CHECK_GE_U64(own, ROUNDS);
    /* The service thread's own wake-up comes on top: nobody else could make it. */
    CHECK_LE_U64(own, ROUNDS * (LCORE_WAKES_PER_PASS + 1));
    CHECK_LE_U64(own + deferred, ROUNDS * (SLEEPERS + 1));
    /* It is woken at once, not found by its next tick, which is 50 ms away. */
    CHECK_GE_U64(prompt, ROUNDS / 4);
    for (unsigned i = 0; i < SLEEPERS; i++)
        client_close(&sleepers[i].client);
}
