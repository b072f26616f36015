/* SPDX-License-Identifier: BSD-3-Clause */

/* Many threads on one socket, an lcore that delivers all the while, and an end that comes in the middle:
 * every posted receive ends exactly once; nothing is lost, doubled or reordered; client memory is not
 * touched after completion. Clauses A03, D13, D16, F14, G08, G11, G12, K02u, K03, K07, D18. */

#include "support/suite.h"

#include "exactly_once.h"
#include "harness.h"
#include "lcore_hook.h"

#include <rte_cycles.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

SUITE_FIXTURE(races, open_live, close_all);

/** Datagrams that may be on their way: fewer than a ring's slots, so that none is dropped. */
#define WINDOW 100u
#define LONGEST 200u
#define DEPTH 4u
#define MOST_DATAGRAMS (1u << 21)
#define STATUS_DOWN 0xC000023Cu

/* --- the source ----------------------------------------------------------------------------------- */

static _Atomic uint64_t received;
static _Atomic bool sending;
static _Atomic uint8_t *seen; /* how often each datagram has been received */

static void send_within_window(void)
{
    static uint64_t random_state = 0x2545f4914f6cdd1du;
    uint64_t random = next_random(&random_state);
    uint64_t count = source_count();

    if (!atomic_load_explicit(&sending, memory_order_acquire) || random % 16 != 0)
        return;
    if (count - atomic_load_explicit(&received, memory_order_acquire) < WINDOW &&
        count + 8 < MOST_DATAGRAMS)
        source_frames(1 + (unsigned)(random >> 32) % 8);
}

static void begin_sending(void)
{
    if (seen == NULL)
        seen = calloc(MOST_DATAGRAMS, 1);
    for (uint64_t i = 0; i < source_count(); i++)
        atomic_store_explicit(&seen[i], 0, memory_order_relaxed);
    source_prepare(HERE, PORT, 8, LONGEST);
    atomic_store(&received, 0);
    atomic_store(&sending, true);
    hook_lcore(send_within_window);
}

/* Returns the datagram's number. */
static uint64_t take(const void *data, size_t bytes)
{
    uint64_t sequence = 0;

    CHECK_MSG(source_check(data, bytes, &sequence),
              "%zu bytes are no datagram that was sent (%llu)", bytes,
              (unsigned long long)sequence);
    CHECK_EQ_U64(atomic_fetch_add(&seen[sequence], 1), 0); /* not doubled */
    atomic_fetch_add_explicit(&received, 1, memory_order_release);
    return sequence;
}

/* What has been received is what came first: nothing was lost in between. */
static void check_nothing_missing(void)
{
    uint64_t count = atomic_load(&received);

    for (uint64_t i = 0; i < count; i++)
        CHECK_MSG(atomic_load(&seen[i]) == 1,
                  "datagram %llu of %llu received was received %u times", (unsigned long long)i,
                  (unsigned long long)count, atomic_load(&seen[i]));
}

/* --- workers ---------------------------------------------------------------------------------------- */

struct worker {
    struct runner runner;
    struct slot slots[DEPTH];
    uint64_t random;
    uint64_t posted; /* operations started so far */
    struct filling filling;
    unsigned pending;
    bool over; /* the socket or the network is gone */
    uint64_t last;
    uint64_t completions;
};

/* It has ended, and this thread knows it: the result and the data are there. */
static void see_end(struct worker *w, struct slot *slot)
{
    struct operation *o = &slot->operation;
    uint32_t status = status_of(o);

    CHECK(slot->pending);
    slot->pending = false;
    w->pending--;
    w->completions++;
    if (status == 0) {
        check_ended(o, 0, o->overlapped.InternalHigh);
        check_filling(&w->filling, slot->number, take(o->data, o->overlapped.InternalHigh));
    } else {
        CHECK_MSG(status == STATUS_CANCELLED || status == STATUS_DOWN, "status %#x", status);
        check_ended(o, status, 0);
        w->over = true;
    }
    hold_slot(slot);
}

static bool start_again(struct worker *w, struct slot *slot,
                        LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    if (w->over)
        return false;
    release_slot(slot);
    slot->number = w->posted;
    slot->pending = true;
    w->pending++;
    int result = post_with(w->runner.s, &slot->operation, LONGEST, 0, routine);
    if (result == 0 || result == WSA_IO_PENDING) {
        w->posted++;
        return true;
    }
    CHECK_MSG(result == WSAENOTSOCK || result == WSAENETDOWN || result == WSAEINVAL, "error %d",
              result);
    slot->pending = false;
    w->pending--;
    w->over = true;
    return false;
}

static void pause_a_little(struct worker *w)
{
    uint64_t random = next_random(&w->random);

    if (random % 8 != 0)
        return;
    if (random % 256 == 0)
        Sleep(1);
    else if (random % 32 == 0)
        nap();
    else
        for (volatile uint64_t i = 0; i < (random >> 32) % 4096; i++)
            continue;
}

static struct worker *worker_of(struct runner *runner)
{
    return (struct worker *)(void *)((char *)runner - offsetof(struct worker, runner));
}

/* Auto-reset events, in the order of posting: each is signalled once for each operation. */
static void work_with_events(struct runner *self)
{
    struct worker *w = worker_of(self);

    for (unsigned i = 0; i < DEPTH; i++) {
        w->slots[i].operation.overlapped.hEvent = CreateEventW(NULL, FALSE, FALSE, NULL);
        start_again(w, &w->slots[i], NULL);
    }
    for (unsigned next = 0; w->pending != 0; next = (next + 1) % DEPTH) {
        struct slot *slot = &w->slots[next];

        if (!slot->pending)
            continue;
        CHECK_EQ_U64(WSAWaitForMultipleEvents(1, &slot->operation.overlapped.hEvent, FALSE, 20000,
                                              next_random(&w->random) % 2),
                     WAIT_OBJECT_0);
        see_end(w, slot);
        pause_a_little(w);
        CHECK(!is_signalled(slot->operation.overlapped.hEvent)); /* once */
        start_again(w, slot, NULL);
    }
    for (unsigned i = 0; i < DEPTH; i++) {
        release_slot(&w->slots[i]);
        CHECK(!is_signalled(w->slots[i].operation.overlapped.hEvent));
        WSACloseEvent(w->slots[i].operation.overlapped.hEvent);
    }
}

static _Thread_local struct worker *this_worker;

static void CALLBACK on_completion(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped,
                                   DWORD flags)
{
    struct worker *w = this_worker;
    struct operation *o =
        (struct operation *)(void *)((char *)overlapped - offsetof(struct operation, overlapped));
    struct slot *slot = (struct slot *)(void *)((char *)o - offsetof(struct slot, operation));

    CHECK_EQ_U64(flags, 0);
    CHECK_EQ_U64(bytes, o->overlapped.InternalHigh);
    CHECK((error == 0) == (status_of(o) == 0));
    see_end(w, slot); /* fails when it is called twice */
    if (next_random(&w->random) % 2)
        start_again(w, slot, on_completion); /* F08; otherwise outside */
}

static void work_with_routines(struct runner *self)
{
    struct worker *w = worker_of(self);
    HANDLE never = WSACreateEvent();

    this_worker = w;
    do {
        for (unsigned i = 0; i < DEPTH; i++)
            if (!w->slots[i].pending)
                start_again(w, &w->slots[i], on_completion);
        if (next_random(&w->random) % 2)
            SleepEx(5, TRUE);
        else
            WSAWaitForMultipleEvents(1, &never, FALSE, 5, TRUE);
        pause_a_little(w);
    } while (w->pending != 0 || !w->over);
    for (unsigned i = 0; i < DEPTH; i++)
        release_slot(&w->slots[i]);
    WSACloseEvent(never);
}

/* No event at all: Internal says it, and what it says is complete (D10, D13). */
static void work_by_polling(struct runner *self)
{
    struct worker *w = worker_of(self);

    for (unsigned i = 0; i < DEPTH; i++)
        start_again(w, &w->slots[i], NULL);
    for (unsigned next = 0; w->pending != 0; next = (next + 1) % DEPTH) {
        struct slot *slot = &w->slots[next];

        if (!slot->pending)
            continue;
        UNTIL(status_of(&slot->operation) != STATUS_PENDING);
        see_end(w, slot);
        pause_a_little(w);
        start_again(w, slot, NULL);
    }
    for (unsigned i = 0; i < DEPTH; i++)
        release_slot(&w->slots[i]);
}

/* Waiting in the call itself, with a manual-reset event. */
static void work_with_results(struct runner *self)
{
    struct worker *w = worker_of(self);
    struct slot *slot = &w->slots[0];

    slot->operation.overlapped.hEvent = WSACreateEvent();
    while (start_again(w, slot, NULL)) {
        struct outcome outcome = result_of(self->s, &slot->operation, true);

        if (outcome.result != 0) {
            CHECK(outcome.error == WSA_OPERATION_ABORTED || outcome.error == WSAENOTSOCK ||
                  outcome.error == WSAENETDOWN);
            UNTIL(status_of(&slot->operation) != STATUS_PENDING);
        }
        see_end(w, slot);
        /* The signal may come a little after the result; then it is over with this operation. */
        CHECK_EQ_U64(WaitForSingleObject(slot->operation.overlapped.hEvent, 20000), WAIT_OBJECT_0);
        pause_a_little(w);
    }
    release_slot(slot);
    WSACloseEvent(slot->operation.overlapped.hEvent);
}

/* Blocking, limited in time, or nonblocking: as the pest below has it. */
static void work_with_plain_receives(struct runner *self)
{
    struct worker *w = worker_of(self);

    for (;;) {
        memset(self->data, CANARY, sizeof self->data);
        self->outcome = receive(self->s, self->data, LONGEST);
        if (self->outcome.result == 0) {
            uint64_t datagram = take(self->data, self->outcome.bytes);

            CHECK(w->completions == 0 || datagram > w->last);
            w->last = datagram;
            w->completions++;
            for (size_t i = self->outcome.bytes; i < sizeof self->data; i++)
                CHECK_EQ_U64((uint8_t)self->data[i], CANARY);
        } else if (self->outcome.error != WSAEWOULDBLOCK && self->outcome.error != WSAETIMEDOUT) {
            break;
        }
        pause_a_little(w);
    }
    CHECK_MSG(self->outcome.error == WSAENOTSOCK || self->outcome.error == WSA_OPERATION_ABORTED ||
                  self->outcome.error == WSAENETDOWN,
              "error %d", self->outcome.error);
}

/* Looks at everything and changes how others receive. */
static void be_a_pest(struct runner *self)
{
    struct worker *w = worker_of(self);
    struct operation never = {.overlapped = {.Internal = STATUS_PENDING}};
    int error = 0;

    error = set_option(self->s, SO_RCVTIMEO, 2);
    while (error != WSAENOTSOCK && !w->over) {
        u_long value = next_random(&w->random) % 2;
        DWORD number;
        int length = sizeof number;
        struct wirerx_socket_counters counters;

        switch (next_random(&w->random) % 7) {
        case 0:
            error = ioctlsocket(self->s, (LONG)FIONREAD, &value) ? WSAGetLastError() : 0;
            CHECK(error != 0 || value <= LONGEST);
            break;
        case 1:
            error = ioctlsocket(self->s, (LONG)FIONBIO, &value) ? WSAGetLastError() : 0;
            break;
        case 2: {
            uint64_t sequence;

            self->outcome = receive_flags(self->s, self->data, LONGEST, MSG_PEEK);
            if (self->outcome.result == 0)
                CHECK(source_check(self->data, self->outcome.bytes, &sequence));
            else if (self->outcome.error == WSAENETDOWN || self->outcome.error == WSAENOTSOCK ||
                     self->outcome.error == WSA_OPERATION_ABORTED)
                w->over = true;
            break;
        }
        case 3:
            error = getsockopt(self->s, SOL_SOCKET, SO_TYPE, (char *)&number, &length)
                        ? WSAGetLastError()
                        : 0;
            break;
        case 4:
            self->outcome = result_of(self->s, &never, false);
            CHECK(self->outcome.error == WSA_IO_INCOMPLETE || self->outcome.error == WSAENOTSOCK);
            break;
        case 5:
            error = wirerx_socket_counters(self->s, &counters);
            break;
        default:
            error = join(self->s, THE_GROUP); /* a command to the lcore */
            CHECK(error != 0 || leave(self->s, THE_GROUP) != -1);
            break;
        }
        pause_a_little(w);
    }
}

static void (*const kinds[])(struct runner *) = {
    work_with_events,   work_with_routines,       work_by_polling,          work_with_results,
    work_with_routines, work_with_plain_receives, work_with_plain_receives, be_a_pest,
};
#define WORKERS (sizeof kinds / sizeof kinds[0])

static void start_workers(struct worker *workers, SOCKET s, uint64_t seed)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i].random = seed * 0x9e3779b97f4a7c15u + i + 1;
        run(&workers[i].runner, kinds[i], s, NULL);
    }
}

/* After the end. A wake-up that was lost shows as a wait that lasts to its limit of twenty seconds. */
static void finish_workers(struct worker *workers)
{
    uint64_t before = wake_clock();

    for (unsigned i = 0; i < WORKERS; i++)
        finish(&workers[i].runner);
    CHECK_LE_U64(milliseconds_since(before), 10000);
    check_nothing_missing();
}

#define SEED 20240611u

SUITE_TEST(races, close_under_eight_threads_and_arrivals) // A03 B11 D13 D16 F14 G08 G11 K02u K03
{
    uint64_t total = 0, end = wake_clock() + 3000000000u;
    unsigned round = 0;

    for (; wake_clock() < end; round++) {
        struct worker *workers = calloc(WORKERS, sizeof *workers);
        SOCKET s = open_socket(PORT);

        begin_sending();
        start_workers(workers, s, SEED + round);
        Sleep(round % 4 == 0 ? 1 : 30 + round % 100);
        close_socket(s);
        atomic_store(&sending, false);
        finish_workers(workers);
        total += atomic_load(&received);
        wire_settle();
        free(workers);
    }
    hook_lcore(NULL);
    CHECK(total > 500);
}

SUITE_TEST(races, stop_under_eight_threads_and_arrivals) // A03 A19 D18
{
    struct config config = wire_config();
    uint64_t end = wake_clock() + 3000000000u;
    unsigned round = 0;

    for (; wake_clock() < end; round++) {
        struct worker *workers = calloc(WORKERS, sizeof *workers);
        SOCKET s = open_socket(PORT);

        begin_sending();
        start_workers(workers, s, SEED + round);
        Sleep(20 + round % 100);
        wire_capture_log();
        CHECK_EQ_I64(wirerx_stop(), 0);
        CHECK_EQ_STR(wire_captured_log(), ""); /* no buffer is missing */
        atomic_store(&sending, false);
        finish_workers(workers);
        close_socket(s);
        free(workers);
        wire_start(&config, &pending_operations, false);
    }
}

/* --- threads that exit -------------------------------------------------------------------------------- */

#define LEFT 6u

struct leaver {
    struct runner runner;
    struct operation operations[LEFT];
    bool started[LEFT];
    uint64_t random;
};

/* Starts operations, lets some of them end, and goes without another look. */
static void post_and_leave(struct runner *self)
{
    struct leaver *leaver =
        (struct leaver *)(void *)((char *)self - offsetof(struct leaver, runner));

    for (unsigned i = 0; i < LEFT; i++) {
        int result = i % 2 ? post_event(self->s, &leaver->operations[i], LONGEST)
                           : post_routine(self->s, &leaver->operations[i], LONGEST);

        CHECK(result == 0 || result == WSA_IO_PENDING);
        if (i == LEFT / 2)
            for (volatile uint64_t k = 0; k < next_random(&leaver->random) % 50000; k++)
                continue;
    }
    if (next_random(&leaver->random) % 4 == 0)
        SleepEx(0, TRUE);
}

static void take_what_was_left(struct leaver *leaver)
{
    for (unsigned i = 0; i < LEFT; i++) {
        struct operation *o = &leaver->operations[i];
        uint32_t status = status_of(o);

        CHECK_MSG(status == 0 || status == STATUS_CANCELLED, "status %#x", status);
        check_ended(o, status, o->overlapped.InternalHigh);
        if (status == 0)
            take(o->data, o->overlapped.InternalHigh);
        else
            CHECK_EQ_U64(o->calls, 0); /* F15 */
        CHECK_LE_U64(o->calls, 1);
        if (o->overlapped.hEvent != NULL) {
            /* By the lcore, perhaps a little after the thread's end. */
            CHECK_EQ_U64(WaitForSingleObject(o->overlapped.hEvent, 20000), WAIT_OBJECT_0);
            WSACloseEvent(o->overlapped.hEvent);
        }
    }
}

/* What was cancelled takes no data with it, what was queued for a thread that is gone is given up
 * (a leak otherwise), and what others have started goes on. */
SUITE_TEST(races, threads_exit_with_operations_pending_and_routines_queued) // F15 K07 K08
{
    enum {
        AT_A_TIME = 3
    };
    uint64_t end = wake_clock() + 3000000000u;
    static struct worker steady;
    unsigned round = 0;
    SOCKET s = open_socket(PORT);

    begin_sending();
    steady.random = SEED;
    run(&steady.runner, work_with_events, s, NULL);
    for (; wake_clock() < end; round++) {
        struct leaver *leavers = calloc(AT_A_TIME, sizeof *leavers);

        for (unsigned i = 0; i < AT_A_TIME; i++) {
            leavers[i].random = SEED + round * AT_A_TIME + i;
            run(&leavers[i].runner, post_and_leave, s, NULL);
        }
        for (unsigned i = 0; i < AT_A_TIME; i++) {
            finish(&leavers[i].runner);
            take_what_was_left(&leavers[i]);
        }
        free(leavers);
    }
    /* Nothing is lost: what has been sent is received in the end. */
    atomic_store(&sending, false);
    wire_settle();
    UNTIL(atomic_load(&received) == source_count());
    CHECK_EQ_U64(counters_of(s).received, source_count());
    close_socket(s);
    finish(&steady.runner);
    check_nothing_missing();
    hook_lcore(NULL);
    CHECK(round >= 3);
}

/* --- sockets that come and go --------------------------------------------------------------------------- */

static _Atomic SOCKET current;
static _Atomic bool enough;

/* Receives on whatever socket there is just now, and on ones that are gone. */
static void receive_on_whatever(struct runner *self)
{
    struct operation operation = {.calls = 0};
    uint64_t random = (uintptr_t)self | 1;

    operation.overlapped.hEvent = WSACreateEvent();
    while (!atomic_load(&enough)) {
        SOCKET s = atomic_load(&current);

        if (next_random(&random) % 2) {
            self->outcome = receive(s, self->data, LONGEST);
            continue;
        }
        int result = post_with(s, &operation, LONGEST, 0, NULL);
        if (result == 0 || result == WSA_IO_PENDING) {
            CHECK_EQ_U64(WaitForSingleObject(operation.overlapped.hEvent, 20000), WAIT_OBJECT_0);
            uint32_t status = status_of(&operation);
            CHECK(status == 0 || status == STATUS_CANCELLED);
            check_ended(&operation, status, operation.overlapped.InternalHigh);
        }
    }
    WSACloseEvent(operation.overlapped.hEvent);
}

SUITE_TEST(races, handles_are_reused_under_receivers) // K01 A05
{
    enum {
        COUNT = 4
    };
    static struct runner runners[COUNT];
    uint64_t end = wake_clock() + 2000000000u;
    unsigned round = 0;
    SOCKET s = open_socket(PORT);

    set_nonblocking(s, true);
    atomic_store(&current, s);
    begin_sending();
    atomic_store(&received, UINT64_MAX / 2); /* no window: what is not received is dropped */
    for (unsigned i = 0; i < COUNT; i++)
        run(&runners[i], receive_on_whatever, s, NULL);
    for (; wake_clock() < end; round++) {
        SOCKET next = open_socket((uint16_t)(round % 2 ? PORT : OTHER_PORT));

        set_nonblocking(next, true);
        atomic_store(&current, next);
        close_socket(s);
        s = next;
    }
    atomic_store(&enough, true);
    close_socket(s);
    for (unsigned i = 0; i < COUNT; i++)
        finish(&runners[i]);
    atomic_store(&sending, false);
    hook_lcore(NULL);
    CHECK(round > 20);
}

/* --- signal handlers ---------------------------------------------------------------------------------------- */

static SOCKET interrupted;
static volatile unsigned in_progress, handled;
static uint64_t taken_by_handler;

static void receive_in_handler(int signal_number)
{
    char room[LONGEST];
    struct outcome outcome = receive(interrupted, room, sizeof room);

    (void)signal_number;
    handled++;
    if (outcome.result == 0)
        taken_by_handler++;
    else if (outcome.error == WSAEINPROGRESS)
        in_progress++;
    else
        CHECK_EQ_I64(outcome.error, WSAEWOULDBLOCK);
}

/* Not allowed, but it must not hang: refused at once when it meets its own thread. */
SUITE_TEST(races, receive_in_a_signal_handler_never_waits_for_its_own_thread)
{
    struct itimerval often = {{0, 100}, {0, 100}}, never = {{0, 0}, {0, 0}};
    struct sigaction action = {.sa_handler = receive_in_handler, .sa_flags = SA_RESTART};
    uint64_t end = wake_clock() + 1000000000u, taken = 0;
    char room[LONGEST];

    interrupted = open_socket(PORT);
    set_nonblocking(interrupted, true);
    begin_sending();
    sigset_t alarm_only;
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    CHECK_EQ_I64(sigaction(SIGALRM, &action, NULL), 0);
    setitimer(ITIMER_REAL, &often, NULL);
    while (wake_clock() < end) {
        struct outcome outcome = receive(interrupted, room, sizeof room);

        if (outcome.result == 0)
            taken++;
        else
            CHECK_EQ_I64(outcome.error, WSAEWOULDBLOCK);
        pthread_sigmask(SIG_BLOCK, &alarm_only, NULL);
        atomic_store(&received, taken + taken_by_handler);
        pthread_sigmask(SIG_UNBLOCK, &alarm_only, NULL);
    }
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_IGN);
    atomic_store(&sending, false);
    hook_lcore(NULL);
    wire_settle();
    while (receive(interrupted, room, sizeof room).result == 0)
        taken++;
    CHECK_EQ_U64(taken + taken_by_handler, source_count());
    CHECK(handled > 10 && taken > 100);
}
