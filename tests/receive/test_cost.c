/* SPDX-License-Identifier: BSD-3-Clause */

/* The receive path costs no heap allocation and no system call of ours per datagram while it spins:
 * counted over 100,000 datagrams, on the lcore's thread and on the client's, for each way to receive.
 * Allocations by standing in front of the heap, system calls by a tracer. A planted one of each is
 * found. */

#include "support/suite.h"

#include "allocations.h"
#include "capture.h"
#include "harness.h"
#include "lcore_hook.h"
#include "tracer.h"
#include "wirerx/wirerx.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#if !UNDER_THREAD_SANITIZER

#define DATAGRAMS SCALED(100000u)
#define WARM_UP 2000u
#define LENGTH 64u
#define IN_FLIGHT 200u
#define POSTED 8u
#define BATCH 8u

/* --- sources ------------------------------------------------------------------------------------------ */

static _Atomic uint64_t received;
static const _Atomic uint64_t *_Atomic lcore_allocations;
static _Atomic bool plant;
static _Atomic bool held; /* the source: what it sent now would be nobody's */

static void spend(void)
{
    void *volatile memory = malloc(16);

    free(memory);
    syscall(SYS_getppid);
}

static void plant_one(void)
{
    if (atomic_load_explicit(&plant, memory_order_relaxed))
        spend();
}

/* In front of each pass of the lcore. */
static void feed(void)
{
    if (atomic_load_explicit(&lcore_allocations, memory_order_relaxed) == NULL)
        atomic_store(&lcore_allocations, allocations_of_this_thread());
    if (!atomic_load_explicit(&held, memory_order_relaxed) &&
        source_count() - atomic_load_explicit(&received, memory_order_relaxed) < IN_FLIGHT)
        source_frames(8);
    plant_one();
}

static void only_look(void)
{
    if (atomic_load_explicit(&lcore_allocations, memory_order_relaxed) == NULL)
        atomic_store(&lcore_allocations, allocations_of_this_thread());
    plant_one();
}

/* By hand, the client's thread is the lcore as well. */
static bool by_hand;
static bool settles; /* a source that waits for the receiver */

static void turn(void)
{
    if (by_hand && source_count() == atomic_load_explicit(&received, memory_order_relaxed)) {
        source_frames(4);
        wire_step(dataplane_tsc());
    }
}

/* --- ways to receive ------------------------------------------------------------------------------------ */

static SOCKET s;
static struct operation operations[POSTED];
static unsigned repost_errors;
static bool ending;

static void got_one(void)
{
    atomic_store_explicit(&received, atomic_load_explicit(&received, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

static int post_quietly(struct operation *o, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    WSABUF buffer = {sizeof o->data, o->data};
    DWORD flags = 0;
    WSATHREADID me;
    int error = 0;

    if (routine != NULL)
        WPUOpenCurrentThread(&me, &error);
    return spi.lpWSPRecv(s, &buffer, 1, NULL, &flags, &o->overlapped, routine,
                         routine != NULL ? &me : NULL, &error) == 0
               ? 0
               : error;
}

static void spin_nonblocking(uint64_t until)
{
    char room[LENGTH];
    WSABUF buffer = {sizeof room, room};

    while (atomic_load_explicit(&received, memory_order_relaxed) < until) {
        DWORD bytes, flags = 0;
        int error;

        turn();
        if (spi.lpWSPRecv(s, &buffer, 1, &bytes, &flags, NULL, NULL, NULL, &error) == 0)
            got_one();
    }
}

static void got(DWORD count)
{
    for (; count != 0; count--)
        got_one();
}

static void spin_batch(uint64_t until)
{
    char rooms[BATCH][LENGTH];
    WSABUF buffers[BATCH];
    struct wirerx_datagram datagrams[BATCH];

    for (unsigned i = 0; i < BATCH; i++) {
        buffers[i] = (WSABUF){LENGTH, rooms[i]};
        datagrams[i] = (struct wirerx_datagram){.buffers = &buffers[i], .buffers_count = 1};
    }
    while (atomic_load_explicit(&received, memory_order_relaxed) < until) {
        DWORD taken;

        turn();
        if (wirerx_receive_batch(s, datagrams, BATCH, &taken) == 0)
            got(taken);
    }
}

/* Everything lent is returned before the next call. */
static void spin_lend(uint64_t until)
{
    struct wirerx_loan loans[BATCH];
    uint64_t tokens[BATCH];

    while (atomic_load_explicit(&received, memory_order_relaxed) < until) {
        DWORD lent;

        turn();
        if (wirerx_lend(s, loans, BATCH, &lent) != 0)
            continue;
        for (DWORD i = 0; i < lent; i++)
            tokens[i] = loans[i].token;
        if (wirerx_return(s, tokens, lent, NULL) == 0)
            got(lent);
    }
}

/* The socket's spinning time is longer than the test. */
static void spin_blocking(uint64_t until)
{
    char room[LENGTH];
    WSABUF buffer = {sizeof room, room};

    while (atomic_load_explicit(&received, memory_order_relaxed) < until) {
        DWORD bytes, flags = 0;
        int error;

        turn();
        if (spi.lpWSPRecv(s, &buffer, 1, &bytes, &flags, NULL, NULL, NULL, &error) == 0)
            got_one();
    }
}

static void poll_internal(uint64_t until)
{
    static unsigned next; /* goes on where it was: DATAGRAMS and WARM_UP are multiples of POSTED */

    while (atomic_load_explicit(&received, memory_order_relaxed) < until) {
        struct operation *o = &operations[next];

        turn();
        if (status_of(o) == STATUS_PENDING)
            continue;
        got_one();
        post_quietly(o, NULL);
        next = (next + 1) % POSTED;
    }
}

static void poll_results(uint64_t until)
{
    static unsigned next;

    while (atomic_load_explicit(&received, memory_order_relaxed) < until) {
        struct operation *o = &operations[next];
        DWORD bytes, flags;
        int error;

        turn();
        if (!spi.lpWSPGetOverlappedResult(s, &o->overlapped, &bytes, FALSE, &flags, &error))
            continue;
        if (WaitForSingleObject(o->overlapped.hEvent, 0) != WAIT_OBJECT_0)
            continue; /* the event comes a little later */
        got_one();
        post_quietly(o, NULL);
        next = (next + 1) % POSTED;
    }
}

static void CALLBACK post_again(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags)
{
    struct operation *o =
        (struct operation *)(void *)((char *)overlapped - offsetof(struct operation, overlapped));

    (void)bytes;
    (void)flags;
    if (error != 0 || ending)
        return;
    got_one();
    int result = post_quietly(o, post_again);
    if (result != 0 && result != WSA_IO_PENDING)
        repost_errors++;
}

static void poll_routines(uint64_t until)
{
    static HANDLE never;

    if (never == NULL)
        never = WSACreateEvent();
    while (atomic_load_explicit(&received, memory_order_relaxed) < until) {
        turn();
        WSAWaitForMultipleEvents(1, &never, FALSE, 0, TRUE);
    }
}

enum posting {
    NOTHING,
    NO_EVENT,
    EVENTS,
    ROUTINES
};

struct way {
    const char *name;
    void (*receive)(uint64_t until);
    enum posting posting;
    bool nonblocking;
};

static const struct way ways[] = {
    {"nonblocking", spin_nonblocking, NOTHING, true},
    {"batch", spin_batch, NOTHING, true},
    {"lend", spin_lend, NOTHING, true},
    {"blocking", spin_blocking, NOTHING, false},
    {"posted, Internal", poll_internal, NO_EVENT, false},
    {"posted, events", poll_results, EVENTS, false},
    {"posted, routines", poll_routines, ROUTINES, false},
};
#define WAYS (sizeof ways / sizeof ways[0])

/* All receives pend before the first datagram comes: records of them are made when they are needed, as
 * many as there ever are at a time. And none comes before the socket has joined: so many as may be in flight
 * would be lost where that takes long, and the source wait for them for ever. */
static void begin(const struct way *way)
{
    atomic_store(&held, true);
    s = open_socket(PORT);
    set_nonblocking(s, way->nonblocking);
    for (unsigned i = 0; i < POSTED && way->posting != NOTHING; i++) {
        memset(&operations[i], 0, sizeof operations[i]);
        if (way->posting == EVENTS)
            operations[i].overlapped.hEvent = WSACreateEvent();
        post_quietly(&operations[i], way->posting == ROUTINES ? post_again : NULL);
    }
    CHECK_EQ_I64(join(s, THE_GROUP), 0);
    /* The lcore has answered in a pass that began with nothing new: what was sent before is lost. */
    atomic_store(&received, source_count());
    atomic_store(&held, false);
}

static void end(const struct way *way)
{
    close_socket(s);
    if (settles)
        wire_settle();
    for (unsigned i = 0; i < POSTED && way->posting == EVENTS; i++)
        WSACloseEvent(operations[i].overlapped.hEvent);
    ending = true;
    while (SleepEx(0, TRUE) == WAIT_IO_COMPLETION)
        continue;
    ending = false;
    CHECK_EQ_U64(repost_errors, 0);
}

static struct config spinning_config(const char *device)
{
    struct config config = wire_config_device(device);

    config.sockets.spin_us = 3600000000u;
    config.sockets.ring_slots = 512;
    return config;
}

/* What a way costs: allocations by this thread and by the lcore, and in DPDK's heap. */
static void measure(const struct way *way, uint64_t allocations[3])
{
    const _Atomic uint64_t *mine = allocations_of_this_thread();

    begin(way);
    way->receive(atomic_load(&received) + WARM_UP);
    UNTIL(by_hand || atomic_load(&lcore_allocations) != NULL);
    const _Atomic uint64_t *lcores = by_hand ? mine : atomic_load(&lcore_allocations);
    uint64_t dpdk_before = dpdk_allocations(), mine_before = *mine, lcore_before = *lcores;
    int tid = (int)syscall(SYS_gettid);
    tracer_open((unsigned)(way - ways), tid, by_hand ? 0 : hooked_lcore_thread());
    way->receive(atomic_load(&received) + DATAGRAMS);
    tracer_close((unsigned)(way - ways));
    allocations[0] = *mine - mine_before;
    allocations[1] = *lcores - lcore_before;
    allocations[2] = dpdk_allocations() - dpdk_before;
    end(way);
}

static size_t one_length(uint64_t sequence)
{
    (void)sequence;
    return LENGTH;
}

/* --- where the frames come from ---------------------------------------------------------------------------- */

enum device {
    RING_BY_HAND,
    RING,
    PCAP_INFINITE
};

static void open_device(enum device device)
{
    char text[128] = "vdev:net_ring0";

    if (device == PCAP_INFINITE)
        snprintf(text, sizeof text, "vdev:net_pcap0,rx_pcap=%s,infinite_rx=1",
                 write_capture(THE_GROUP, PORT, 64, one_length));
    char *kept = strdup(text);
    struct config config = spinning_config(kept);
    if (device == PCAP_INFINITE)
        config.buffers = 8192;
    by_hand = device == RING_BY_HAND;
    settles = device != PCAP_INFINITE;
    wire_start(&config, &pending_operations, by_hand);
    open_winsock();
    free(kept);
    if (device != PCAP_INFINITE)
        source_prepare(THE_GROUP, PORT, LENGTH, LENGTH);
    if (device == RING)
        hook_lcore(feed);
    if (device == PCAP_INFINITE)
        hook_lcore(only_look);
}

static void close_device(enum device device)
{
    if (!by_hand)
        hook_lcore(NULL);
    close_winsock();
    if (device == PCAP_INFINITE)
        CHECK_EQ_I64(wirerx_stop(), 0); /* it never settles */
    else
        wire_settle(), wire_stop();
}

static void measure_all(enum device device, uint64_t allocations[WAYS][3])
{
    open_device(device);
    for (unsigned i = 0; i < WAYS; i++)
        measure(&ways[i], allocations[i]);
    close_device(device);
}

static void check_allocations(enum device device)
{
    uint64_t allocations[WAYS][3];

    measure_all(device, allocations);
    for (unsigned i = 0; i < WAYS; i++)
        CHECK_MSG(allocations[i][0] == 0 && allocations[i][1] == 0 && allocations[i][2] == 0,
                  "%s: %llu allocations by the client, %llu by the lcore, %llu in DPDK's heap",
                  ways[i].name, (unsigned long long)allocations[i][0],
                  (unsigned long long)allocations[i][1], (unsigned long long)allocations[i][2]);
}

SUITE_TEST(cost, no_allocation_by_hand) // must show 3
{
    check_allocations(RING_BY_HAND);
}

SUITE_TEST(cost, no_allocation_on_net_ring) // must show 3
{
    check_allocations(RING);
}

SUITE_TEST(cost, no_allocation_on_net_pcap_infinite) // must show 3
{
    check_allocations(PCAP_INFINITE);
}

/* --- system calls --------------------------------------------------------------------------------------------- */

static enum device traced_device;

static void measure_traced(void)
{
    uint64_t allocations[WAYS][3];

    measure_all(traced_device, allocations);
}

/*
 * What may be there all the same, and how often: posting looks anew at its buffers' pages (madvise)
 * after 65,536 receives; and where an lcore thread completes receives, a client may have to sleep on
 * the lock that the lcore holds while the kernel has taken it off its core (futex). Neither is per
 * datagram, and neither is a call of a socket on which nothing is posted.
 */
static void check_window(const struct way *way, const struct tracer_window *window, bool threads)
{
    bool posts = way->posting != NOTHING;
    const uint64_t *client = window->calls[0], *lcore = window->calls[1];
    uint64_t looks = posts ? 4 + DATAGRAMS / 10000 : 0;
    uint64_t sleeps = posts && threads ? DATAGRAMS / 100 : 0;

    CHECK(window->opened && window->closed);
    for (long number = 0; number < (long)TRACER_NUMBERS; number++) {
        uint64_t allowed[2] = {0, 0};

        if (number == SYS_madvise)
            allowed[0] = looks;
        if (number == SYS_futex)
            allowed[0] = allowed[1] = sleeps;
        CHECK_MSG(client[number] <= allowed[0] && lcore[number] <= allowed[1],
                  "%s: system call %ld: %llu by the client, %llu by the lcore", way->name, number,
                  (unsigned long long)client[number], (unsigned long long)lcore[number]);
    }
}

static void check_system_calls(enum device device)
{
    static struct tracer_window windows[TRACER_WINDOWS];

#ifdef WIRERX_SANITIZED
    SKIP("the sanitizer makes system calls of its own");
#endif
    traced_device = device;
    if (!tracer_run(measure_traced, windows))
        SKIP("this machine does not allow ptrace()");
    for (unsigned i = 0; i < WAYS; i++)
        check_window(&ways[i], &windows[i], device != RING_BY_HAND);
}

SUITE_TEST(cost, no_system_call_by_hand) // must show 3
{
    check_system_calls(RING_BY_HAND);
}

SUITE_TEST(cost, no_system_call_on_net_ring) // must show 3
{
    check_system_calls(RING);
}

SUITE_TEST(cost, no_system_call_on_net_pcap_infinite) // must show 3
{
    check_system_calls(PCAP_INFINITE);
}

/* --- would it be noticed? ----------------------------------------------------------------------------------------- */

static void plant_on_client(uint64_t until)
{
    while (atomic_load(&received) < until) {
        spin_nonblocking(atomic_load(&received) + 1000);
        spend();
    }
}

static uint64_t planted[3];

static void measure_planted(void)
{
    static const struct way client = {"planted", plant_on_client, NOTHING, true};

    open_device(RING);
    begin(&client);
    client.receive(WARM_UP);
    UNTIL(atomic_load(&lcore_allocations) != NULL);
    uint64_t mine = *allocations_of_this_thread(), lcores = *atomic_load(&lcore_allocations);
    atomic_store(&plant, true);
    tracer_open(0, (int)syscall(SYS_gettid), hooked_lcore_thread());
    client.receive(atomic_load(&received) + 10000);
    tracer_close(0);
    atomic_store(&plant, false);
    planted[0] = *allocations_of_this_thread() - mine;
    planted[1] = *atomic_load(&lcore_allocations) - lcores;
    end(&client);
    close_device(RING);
}

SUITE_TEST(cost, planted_allocations_are_found)
{
    measure_planted();
    CHECK_GE_U64(planted[0], 10 * 2);
    CHECK_GE_U64(planted[1], 2);
}

SUITE_TEST(cost, planted_system_calls_are_found)
{
    static struct tracer_window windows[TRACER_WINDOWS];

    if (!tracer_run(measure_planted, windows))
        SKIP("this machine does not allow ptrace()");
    CHECK_GE_U64(windows[0].calls[0][SYS_getppid], 10);
    CHECK_GE_U64(windows[0].calls[1][SYS_getppid], 1);
    CHECK_EQ_U64(windows[0].calls[0][SYS_fcntl], 0); /* the marks do not count */
}

#endif
