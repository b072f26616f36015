/* SPDX-License-Identifier: BSD-3-Clause */

/* Every kind of thing that can happen to a socket, beside every other: eight threads, two sockets in one
 * group, an lcore that delivers to both, and a dataplane that stops and starts again. It goes on until
 * each pair has overlapped often enough, and prints how often. Each receive that was posted ends exactly
 * once; each life of a socket gets a row of datagrams without a gap, in order; and memory is the client's
 * again when an operation has ended. */

#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>

#include "exactly_once.h"
#include "harness.h"
#include "lcore_hook.h"
#include "overlaps.h"

SUITE_FIXTURE(race_pairs, open_live, close_all);

#define SOCKETS 2u
#define THREADS 8u
#define MAIN THREADS /* its place among those who receive */
#define LONGEST 200u
#define SEED 20250117u

/** Datagrams in any ring beyond which the source pauses: far below its slots, so that none is dropped. */
#define MOST_QUEUED 100u

/** Overlaps of each pair that issue 3 names, in a plain build. Under a sanitizer starting and stopping DPDK
 *  takes many times longer. Beside them a tenth is enough. */
#if UNDER_THREAD_SANITIZER
#define ENOUGH 30u
#define AT_LEAST_MS 8000u
#define UP_MS 150u
#elif defined(WIRERX_SANITIZED)
#define ENOUGH 200u
#define AT_LEAST_MS 5000u
#define UP_MS 20u
#else
#define ENOUGH 1000u
#define AT_LEAST_MS 3000u
#define UP_MS 10u
#endif
#define LIMIT_MS 90000u

/* --- lives ------------------------------------------------------------------------------------------ */

/** What one thread has received from one life. Written by that thread only. */
struct part {
    uint64_t started; /**< operations, which number them */
    struct filling filling;
    uint64_t count, first, last, sum;
};

/** A socket from its opening to its close. Kept to the end of the test, when all parts are put together. */
struct life {
    SOCKET s;
    struct life *next;
    _Atomic bool shut;
    struct part parts[THREADS + 1];
};

static _Atomic(struct life *) current[SOCKETS]; /* NULL: closed, and whoever sees it opens one */
static _Atomic(struct life *) all_lives;
static _Atomic bool enough;

static uint64_t mixed(uint64_t datagram)
{
    datagram = (datagram + 1) * 0x9e3779b97f4a7c15u;
    return datagram ^ datagram >> 29;
}

/* Returns the datagram's number. */
static uint64_t take(struct life *life, unsigned thread, const void *data, size_t bytes)
{
    struct part *part = &life->parts[thread];
    uint64_t datagram = 0;

    CHECK_MSG(source_check(data, bytes, &datagram), "%zu bytes are no datagram that was sent",
              bytes);
    if (part->count++ == 0 || datagram < part->first)
        part->first = datagram;
    if (datagram > part->last)
        part->last = datagram;
    part->sum += mixed(datagram);
    return datagram;
}

/* Nothing was lost, and with the sum nothing doubled, between the first and the last that was received. */
static uint64_t check_life(const struct life *life)
{
    struct part all = {.first = UINT64_MAX};
    uint64_t sum = 0;

    for (unsigned i = 0; i <= THREADS; i++) {
        const struct part *part = &life->parts[i];

        if (part->count == 0)
            continue;
        all.count += part->count;
        all.sum += part->sum;
        all.first = part->first < all.first ? part->first : all.first;
        all.last = part->last > all.last ? part->last : all.last;
    }
    /* Of what comes after a shutdown only what somebody still waits for is kept. */
    if (all.count == 0 || atomic_load(&life->shut))
        return all.count;
    CHECK_MSG(all.count == all.last - all.first + 1,
              "%llu datagrams were received of those from %llu to %llu",
              (unsigned long long)all.count, (unsigned long long)all.first,
              (unsigned long long)all.last);
    for (uint64_t i = all.first; i <= all.last; i++)
        sum += mixed(i);
    CHECK_EQ_U64(all.sum, sum);
    return all.count;
}

static bool set_up(SOCKET s)
{
    struct sockaddr_in name = address_of(0, PORT);
    int error = 0;

    if (set_option(s, SO_REUSEADDR, TRUE) != 0 || set_option(s, SO_RCVTIMEO, 1) != 0)
        return false;
    if (spi.lpWSPBind(s, (struct sockaddr *)&name, sizeof name, &error) == 0)
        error = join(s, THE_GROUP);
    CHECK_MSG(error == 0 || error == WSAENETDOWN, "error %d", error);
    return error == 0;
}

/* Nothing while the dataplane is down. */
static void open_life(unsigned socket)
{
    int error = 0;
    SOCKET s = spi.lpWSPSocket(AF_INET, SOCK_DGRAM, 0, NULL, 0, WSA_FLAG_OVERLAPPED, &error);
    struct life *none = NULL, *life;

    if (s == INVALID_SOCKET) {
        CHECK_EQ_I64(error, WSAENETDOWN);
        return;
    }
    if (!set_up(s)) {
        close_socket(s);
        return;
    }
    life = calloc(1, sizeof *life);
    life->s = s;
    life->next = atomic_load(&all_lives);
    while (!atomic_compare_exchange_weak(&all_lives, &life->next, life))
        continue;
    if (!atomic_compare_exchange_strong(&current[socket], &none, life))
        close_socket(s); /* somebody was faster */
}

/* Two may close the same: one of them does. */
static void close_life(unsigned socket, struct life *life)
{
    struct life *expected = life;
    int error = 0;

    overlap_begin(socket, OVERLAP_CLOSE);
    int result = spi.lpWSPCloseSocket(life->s, &error);
    overlap_end(socket, OVERLAP_CLOSE);
    CHECK(result == 0 || error == WSAENOTSOCK);
    if (result == 0 && atomic_compare_exchange_strong(&current[socket], &expected, NULL) &&
        !atomic_load(&enough))
        open_life(socket);
}

/* --- arrivals ---------------------------------------------------------------------------------------- */

static bool arriving; /* the lcore's */

static bool any_ring_is_full(void)
{
    for (uint32_t slot = 0; slot < 16; slot++) {
        const struct endpoint *e = endpoint_at(slot);

        if (e != NULL && endpoint_queued(e) > MOST_QUEUED)
            return true;
    }
    return false;
}

static _Atomic bool stopping, drought;

/* One pass delivers what was put on the wire before it. While a stop is on, every pass. */
static void begin_pass(void)
{
    static uint64_t random = SEED;
    uint64_t next = next_random(&random);

    if ((next % 32 != 0 && !atomic_load_explicit(&stopping, memory_order_relaxed)) ||
        atomic_load_explicit(&drought, memory_order_relaxed) || any_ring_is_full())
        return;
    for (unsigned i = 0; i < SOCKETS; i++)
        overlap_begin(i, OVERLAP_ARRIVE);
    arriving = true;
    source_frames(1 + (unsigned)(next >> 32) % 4);
}

static void end_pass(void)
{
    for (unsigned i = 0; arriving && i < SOCKETS; i++)
        overlap_end(i, OVERLAP_ARRIVE);
    arriving = false;
}

/* --- stops ------------------------------------------------------------------------------------------- */

static struct config config;
static pthread_mutex_t restart = PTHREAD_MUTEX_INITIALIZER;
static _Atomic unsigned stoppers;
static _Atomic uint64_t restarted; /* when */
static unsigned stops;

/* On every socket, but for another stop, which is one overlap and not one for each socket. */
static int stop(void)
{
    atomic_store_explicit(&stopping, true, memory_order_relaxed);
    for (unsigned i = 0; i < SOCKETS; i++)
        overlap_begin(i, OVERLAP_STOP);
    int result = wirerx_stop();
    for (unsigned i = 0; i < SOCKETS; i++)
        overlap_end(i, OVERLAP_STOP);
    CHECK(result == 0 || result == WSAENETDOWN);
    return result;
}

static _Atomic bool gate; /* open: others may stop as well */

static void stop_and_start(void)
{
    bool capture = stops % 8 == 0; /* and not always: a test that fails prints there, too */

    if (milliseconds_since(atomic_load(&restarted)) < UP_MS)
        return;
    if (capture)
        wire_capture_log();
    if (stops % 2 == 1) {
        atomic_store(&drought, true); /* receives gather, and end with the network */
        Sleep(1);
    }
    atomic_store(&gate, true);
    stop();
    atomic_store(&gate, false);
    atomic_store(&drought, false);
    while (atomic_load(&stoppers) != 0)
        nap();
    CHECK(!dataplane_running());
    if (capture)
        CHECK_EQ_STR(wire_captured_log(), ""); /* no buffer is missing */
    atomic_store(&stopping, false);
    stops++;
    wire_start(&config, &pending_operations, false);
    source_resume();
    hook_lcore_around(begin_pass, end_pass);
    atomic_store(&restarted, wake_clock());
}

static void do_stop(unsigned socket, struct life *life)
{
    (void)socket; /* both, and all lives */
    (void)life;

    if (pthread_mutex_trylock(&restart) == 0) {
        stop_and_start();
        pthread_mutex_unlock(&restart);
        return;
    }
    atomic_fetch_add(&stoppers, 1);
    if (atomic_load(&gate))
        stop();
    atomic_fetch_sub(&stoppers, 1);
}

/* --- workers ----------------------------------------------------------------------------------------- */

/** How a thread hears of the end of an operation. */
enum road {
    BY_EVENT,   /* auto-reset: signalled once for each operation */
    BY_ROUTINE, /* called once */
    BY_POLLING, /* Internal alone */
    BY_RESULT,  /* WSPGetOverlappedResult() may wait for it */
    ROADS
};

#define DEPTH (2 * ROADS)

struct place {
    struct slot slot;
    enum road road;
    unsigned socket;
    struct life *life;
};

struct worker {
    struct runner runner;
    unsigned index;
    uint64_t random;
    uint64_t operations, completions, cancelled, down;
    struct place places[DEPTH];
};

static _Thread_local struct worker *self;

static unsigned below(unsigned limit)
{
    return (unsigned)(next_random(&self->random) >> 20) % limit;
}

static void see_status(uint32_t status)
{
    CHECK_MSG(status == 0 || status == STATUS_CANCELLED || status == STATUS_NETWORK_UNREACHABLE,
              "status %#x", status);
    self->completions++;
    self->cancelled += status == STATUS_CANCELLED;
    self->down += status == STATUS_NETWORK_UNREACHABLE;
}

/* It has ended and this thread has heard of it by the road that was chosen. */
static void see_end(struct place *p)
{
    struct operation *o = &p->slot.operation;
    uint32_t status = status_of(o);

    CHECK(p->slot.pending); /* fails when it ends twice */
    p->slot.pending = false;
    see_status(status);
    check_ended(o, status, status == 0 ? o->overlapped.InternalHigh : 0);
    if (status == 0)
        check_filling(&p->life->parts[self->index].filling, p->slot.number,
                      take(p->life, self->index, o->data, o->overlapped.InternalHigh));
    hold_slot(&p->slot);
}

static void CALLBACK on_completion(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped,
                                   DWORD flags)
{
    struct operation *o =
        (struct operation *)(void *)((char *)overlapped - offsetof(struct operation, overlapped));
    struct slot *slot = (struct slot *)(void *)((char *)o - offsetof(struct slot, operation));

    CHECK_EQ_U64(flags, 0);
    CHECK_EQ_U64(bytes, o->overlapped.InternalHigh);
    CHECK((error == 0) == (status_of(o) == 0));
    see_end((struct place *)(void *)((char *)slot - offsetof(struct place, slot)));
}

/* Its event is signalled, or will be at once: the operation has ended. */
static void see_event(struct place *p)
{
    if (p->slot.operation.overlapped.hEvent != NULL)
        CHECK_EQ_U64(WaitForSingleObject(p->slot.operation.overlapped.hEvent, 20000),
                     WAIT_OBJECT_0);
    see_end(p);
}

/* See which have ended. Returns how many have not. */
static unsigned reap(void)
{
    unsigned pending = 0;

    SleepEx(0, TRUE);
    for (unsigned i = 0; i < DEPTH; i++) {
        struct place *p = &self->places[i];

        if (p->slot.pending && p->road != BY_ROUTINE &&
            status_of(&p->slot.operation) != STATUS_PENDING)
            see_event(p);
        pending += p->slot.pending;
    }
    return pending;
}

static void do_reap(unsigned socket, struct life *life)
{
    (void)socket; /* whatever this thread has started */
    (void)life;
    reap();
}

static struct place *any_place(bool pending)
{
    unsigned from = below(DEPTH);

    for (unsigned i = 0; i < DEPTH; i++) {
        struct place *p = &self->places[(from + i) % DEPTH];

        if (p->slot.pending == pending)
            return p;
    }
    return NULL;
}

/* Refused: the socket is gone, shut down or down. It is closed then, and another opened. */
static void see_refusal(unsigned socket, struct life *life, int error)
{
    CHECK_MSG(error == WSAENOTSOCK || error == WSAENETDOWN || error == WSAESHUTDOWN, "error %d",
              error);
    if (error == WSAESHUTDOWN || (error == WSAENETDOWN && dataplane_running()))
        close_life(socket, life);
    else if (error == WSAENETDOWN)
        nap(); /* what a stopped dataplane refuses is no overlap worth counting */
}

static void do_post(unsigned socket, struct life *life)
{
    struct place *p = any_place(false);

    if (p == NULL) {
        reap();
        return;
    }
    HANDLE event = p->slot.operation.overlapped.hEvent;
    release_slot(&p->slot);
    if (p->road == BY_EVENT)
        CHECK(!is_signalled(event)); /* once */
    p->socket = socket;
    p->life = life;
    p->slot.number = life->parts[self->index].started++;
    p->slot.pending = true;
    overlap_begin(socket, OVERLAP_POST);
    int result = post_with(life->s, &p->slot.operation, LONGEST, 0,
                           p->road == BY_ROUTINE ? on_completion : NULL);
    overlap_end(socket, OVERLAP_POST);
    if (result == 0 || result == WSA_IO_PENDING)
        return;
    p->slot.pending = false;
    see_refusal(socket, life, result);
}

/* Blocked in the call, a millisecond at most. */
static void do_receive(unsigned thread, unsigned socket, struct life *life)
{
    struct part *part = &life->parts[thread];
    uint64_t number = part->started++;
    char data[LONGEST];

    overlap_begin(socket, OVERLAP_WAIT);
    struct outcome outcome = receive(life->s, data, sizeof data);
    overlap_end(socket, OVERLAP_WAIT);
    if (outcome.result == 0)
        check_filling(&part->filling, number, take(life, thread, data, outcome.bytes));
    else if (outcome.error != WSAETIMEDOUT && outcome.error != WSA_OPERATION_ABORTED &&
             thread != MAIN)
        see_refusal(socket, life, outcome.error);
}

static void do_wait(unsigned socket, struct life *life)
{
    struct place *p = any_place(true);

    if (p == NULL || p->road != BY_EVENT) {
        do_receive(self->index, socket, life);
        return;
    }
    overlap_begin(p->socket, OVERLAP_WAIT);
    DWORD result =
        WSAWaitForMultipleEvents(1, &p->slot.operation.overlapped.hEvent, FALSE, 1, (BOOL)below(2));
    overlap_end(p->socket, OVERLAP_WAIT);
    if (result == WAIT_OBJECT_0)
        see_end(p);
    else
        CHECK(result == WAIT_TIMEOUT || result == WAIT_IO_COMPLETION);
}

static void do_result(unsigned socket, struct life *life)
{
    (void)socket;
    (void)life;

    struct place *p = any_place(true);

    if (p == NULL || p->road == BY_ROUTINE)
        return;
    bool wait = p->road == BY_RESULT && below(2) == 0;
    overlap_begin(p->socket, OVERLAP_RESULT);
    struct outcome outcome = result_of(p->life->s, &p->slot.operation, wait);
    overlap_end(p->socket, OVERLAP_RESULT);
    if (outcome.result == 0)
        CHECK_EQ_U64(status_of(&p->slot.operation), 0);
    else if (outcome.error == WSA_IO_INCOMPLETE)
        CHECK(!wait);
    else
        CHECK_MSG(outcome.error == WSA_OPERATION_ABORTED || outcome.error == WSAENETDOWN ||
                      outcome.error == WSAENOTSOCK,
                  "error %d", outcome.error);
}

static void do_cancel(unsigned socket, struct life *life)
{
    struct place *p = any_place(true);
    unsigned which = below(3);
    BOOL done;

    overlap_begin(socket, OVERLAP_CANCEL);
    if (which == 0 && p != NULL) /* perhaps another socket's */
        done = CancelIoEx((HANDLE)life->s, (LPOVERLAPPED)&p->slot.operation.overlapped);
    else if (which == 1)
        done = CancelIoEx((HANDLE)life->s, NULL);
    else
        done = CancelIo((HANDLE)life->s);
    overlap_end(socket, OVERLAP_CANCEL);
    if (!done)
        CHECK(GetLastError() == ERROR_NOT_FOUND || GetLastError() == ERROR_INVALID_HANDLE);
}

static void do_shutdown(unsigned socket, struct life *life)
{
    int error = 0;

    atomic_store(&life->shut, true);
    overlap_begin(socket, OVERLAP_SHUTDOWN);
    int result = spi.lpWSPShutdown(life->s, SD_RECEIVE, &error);
    overlap_end(socket, OVERLAP_SHUTDOWN);
    CHECK_MSG(result == 0 || error == WSAENOTSOCK || error == WSAENETDOWN, "error %d", error);
}

/* --- threads that exit -------------------------------------------------------------------------------- */

#define LEFT 3u

/** A thread that leaves operations behind. Given back when they have ended, so that ASan reports a
 *  write that comes later. */
struct leaver {
    struct runner runner;
    struct life *life;
    unsigned socket;
    struct operation operations[LEFT];
    bool started[LEFT];
};

static void post_and_leave(struct runner *runner)
{
    struct leaver *leaver =
        (struct leaver *)(void *)((char *)runner - offsetof(struct leaver, runner));

    for (unsigned i = 0; i < LEFT; i++) {
        overlap_begin(leaver->socket, OVERLAP_POST);
        int result = i % 2 ? post_event(runner->s, &leaver->operations[i], LONGEST)
                           : post_routine(runner->s, &leaver->operations[i], LONGEST);
        overlap_end(leaver->socket, OVERLAP_POST);
        leaver->started[i] = result == 0 || result == WSA_IO_PENDING;
        CHECK_MSG(leaver->started[i] || result == WSAENOTSOCK || result == WSAENETDOWN ||
                      result == WSAESHUTDOWN,
                  "error %d", result);
    }
    overlap_begin(leaver->socket, OVERLAP_EXIT);
}

static void see_what_was_left(struct leaver *leaver)
{
    uint64_t last = 0;

    for (unsigned i = 0; i < LEFT; i++) {
        struct operation *o = &leaver->operations[i];

        if (leaver->started[i]) {
            /* It is off the list, and whoever took it off ends it. */
            UNTIL(status_of(o) != STATUS_PENDING);
            uint32_t status = status_of(o);
            see_status(status);
            check_ended(o, status, status == 0 ? o->overlapped.InternalHigh : 0);
            CHECK_EQ_U64(o->calls, 0); /* F15 */
            if (o->overlapped.hEvent != NULL)
                CHECK_EQ_U64(WaitForSingleObject(o->overlapped.hEvent, 20000), WAIT_OBJECT_0);
            if (status == 0) {
                uint64_t next =
                    take(leaver->life, self->index, o->data, o->overlapped.InternalHigh);
                CHECK(last < next + 1);
                last = next + 1;
            }
        }
        if (o->overlapped.hEvent != NULL)
            WSACloseEvent(o->overlapped.hEvent);
    }
}

static void do_exit(unsigned socket, struct life *life)
{
    struct leaver *leaver = calloc(1, sizeof *leaver);

    leaver->life = life;
    leaver->socket = socket;
    run(&leaver->runner, post_and_leave, life->s, NULL);
    finish(&leaver->runner);
    overlap_end(socket, OVERLAP_EXIT);
    see_what_was_left(leaver);
    free(leaver);
}

/* --- the schedule -------------------------------------------------------------------------------------- */

static const struct {
    unsigned share; /* of all shares */
    void (*run)(unsigned socket, struct life *life);
} actions[] = {
    {44, do_post},   {10, do_reap}, {14, do_wait},    {16, do_result}, {24, do_cancel},
    {3, close_life}, {7, do_exit},  {4, do_shutdown}, {6, do_stop},
};
#define ACTIONS (sizeof actions / sizeof actions[0])

static void step(void)
{
    unsigned socket = below(SOCKETS), shares = 0, i = 0;
    struct life *life;

    for (unsigned k = 0; k < ACTIONS; k++)
        shares += actions[k].share;
    for (unsigned left = below(shares); left >= actions[i].share; i++)
        left -= actions[i].share;
    life = atomic_load(&current[socket]);
    self->operations++;
    if (life != NULL) {
        actions[i].run(socket, life);
        return;
    }
    open_life(socket);
    if (!dataplane_running())
        nap();
}

static void work(struct runner *runner)
{
    self = (struct worker *)(void *)((char *)runner - offsetof(struct worker, runner));
    for (unsigned i = 0; i < DEPTH; i++) {
        struct place *p = &self->places[i];

        p->road = i % ROADS;
        if (p->road == BY_EVENT || p->road == BY_RESULT)
            p->slot.operation.overlapped.hEvent =
                CreateEventW(NULL, p->road == BY_RESULT, FALSE, NULL);
    }
    while (!atomic_load_explicit(&enough, memory_order_relaxed))
        step();
    UNTIL(reap() == 0); /* the main thread closes the sockets */
    for (unsigned i = 0; i < DEPTH; i++) {
        struct place *p = &self->places[i];

        release_slot(&p->slot);
        if (p->road == BY_EVENT)
            CHECK(!is_signalled(p->slot.operation.overlapped.hEvent));
        if (p->slot.operation.overlapped.hEvent != NULL)
            WSACloseEvent(p->slot.operation.overlapped.hEvent);
    }
}

/* Takes what nobody else does, so that the source does not pause for long. */
static void drain(void)
{
    for (unsigned i = 0; i < SOCKETS; i++) {
        struct life *life = atomic_load(&current[i]);
        struct wirerx_socket_counters counters;

        while (life != NULL && wirerx_socket_counters(life->s, &counters) == 0 &&
               counters.queued > MOST_QUEUED / 2)
            do_receive(MAIN, i, life);
    }
}

/* As a client that the scheduler takes off its processor under LOCK: meanwhile whoever calls gathers
 * before it, arrivals leave AGAIN behind, and then all of them go on one after another. Without this two
 * short calls hardly ever overlap on a machine with few processors. */
static void hold_up(unsigned socket)
{
    struct life *life = atomic_load(&current[socket]);
    struct completion_batch batch = {.count = 0};
    struct socket_reference reference;

    if (life == NULL || socket_lock(life->s, &reference) != 0)
        return;
    nap();
    socket_unlock(reference.endpoint, &batch);
}

static bool all_have_overlapped(void)
{
    for (unsigned a = 0; a < OVERLAP_KINDS; a++)
        for (unsigned b = a; b < OVERLAP_KINDS; b++)
            if (overlap_possible(a, b) &&
                overlap_count(a, b) < (b <= OVERLAP_STOP ? ENOUGH : ENOUGH / 10))
                return false;
    return true;
}

static void close_current(void)
{
    for (unsigned i = 0; i < SOCKETS; i++) {
        struct life *life = atomic_exchange(&current[i], NULL);

        if (life != NULL)
            close_life(i, life);
    }
}

static void finish_workers(struct worker *workers)
{
    atomic_store(&enough, true);
    for (unsigned i = 0; i < THREADS; i++) {
        while (!atomic_load(&workers[i].runner.ended)) {
            close_current();
            nap();
        }
        finish(&workers[i].runner);
    }
    close_current();
    hook_lcore(NULL);
}

SUITE_TEST(race_pairs,
           every_pair_overlaps) // A03 A05 B11 D13 D16 D18 E13 F15 G08 G11 K01 K02u K03 K07 K13
{
    static struct worker workers[THREADS];
    uint64_t begin = wake_clock(), operations = 0, completions = 0, cancelled = 0, down = 0;
    uint64_t datagrams = 0, lives = 0;

    config = wire_config();
    source_prepare(THE_GROUP, PORT, 8, LONGEST);
    hook_lcore_around(begin_pass, end_pass);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i].index = i;
        workers[i].random = SEED * 0x9e3779b97f4a7c15u + i + 1;
        run(&workers[i].runner, work, 0, NULL);
    }
    while (milliseconds_since(begin) < LIMIT_MS &&
           (milliseconds_since(begin) < AT_LEAST_MS || !all_have_overlapped())) {
        drain();
        hold_up(0);
        hold_up(1);
        nap();
    }
    finish_workers(workers);
    for (struct life *life = atomic_load(&all_lives), *next; life != NULL; life = next, lives++) {
        next = life->next;
        datagrams += check_life(life);
        free(life);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        operations += workers[i].operations;
        completions += workers[i].completions;
        cancelled += workers[i].cancelled;
        down += workers[i].down;
    }
    overlap_print();
    fprintf(stderr,
            "in %llu ms: %llu operations, %llu completions (%llu cancelled, %llu network down), "
            "%llu datagrams received, %llu sockets, %u stops, seed %u\n",
            (unsigned long long)milliseconds_since(begin), (unsigned long long)operations,
            (unsigned long long)completions, (unsigned long long)cancelled,
            (unsigned long long)down, (unsigned long long)datagrams, (unsigned long long)lives,
            stops, SEED);
    CHECK_MSG(all_have_overlapped(), "a pair has overlapped too seldom: see the table");
    CHECK(datagrams > ENOUGH && cancelled > ENOUGH / 10 && down > 0);
}
