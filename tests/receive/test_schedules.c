/* SPDX-License-Identifier: BSD-3-Clause */

/* Seeded random schedules: one thread is the wire, the lcore and the client in turn, and a plain model says
 * what each call must return and how each operation must end. A million operations; with the seed that is
 * printed every one of them happens again. */

#include "support/suite.h"

#include <rte_cycles.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness.h"

SUITE_FIXTURE(schedules, open_quiet, close_all);

#define SOCKETS 4u
#define OPERATIONS 6u   /* of each socket */
#define MOST_QUEUED 60u /* of each socket; what is on the wire counts */
#define WIRE_BURST 32u  /* frames that a pass takes from a queue */
#define LONGEST 64u
#define STEPS 1000000u
#define STATUS_TRUNCATED 0x80000005u

/* --- the model ------------------------------------------------------------------------------------ */

struct datagram {
    uint64_t sequence;
    size_t length;
};

struct fifo {
    struct datagram items[256]; /* by place modulo 256 */
    unsigned first, end;
};

enum life {
    IDLE,
    PENDING,
    ENDED, /* and not looked at yet */
};

struct promise {
    enum life life;
    size_t room;
    uint32_t status; /* as it must have ended */
    size_t bytes;
    uint64_t sequence;
};

static struct {
    SOCKET s;
    struct fifo queue;
    unsigned posted[OPERATIONS]; /* in order */
    unsigned posted_count;
    struct operation operations[OPERATIONS];
    struct promise promises[OPERATIONS];
} sockets[SOCKETS];

/* What is on the wire, in order, with the socket that it is for and that socket's life. */
static struct {
    struct fifo frames;
    unsigned to[256];
    unsigned on_wire[SOCKETS];
} wire;

static uint64_t state, sequence;
static uint64_t ended_count, cancelled_count, received_count;

static uint64_t any(uint64_t limit)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 16) % limit;
}

static unsigned count_of(const struct fifo *f)
{
    return f->end - f->first;
}

static void push(struct fifo *f, struct datagram d)
{
    f->items[f->end++ % 256] = d;
}

static struct datagram pop(struct fifo *f)
{
    return f->items[f->first++ % 256];
}

static void promise_end(struct promise *p, uint32_t status, size_t bytes, uint64_t which)
{
    p->life = ENDED;
    p->status = status;
    p->bytes = bytes;
    p->sequence = which;
}

static void remove_posted(unsigned s, unsigned at)
{
    memmove(&sockets[s].posted[at], &sockets[s].posted[at + 1],
            (--sockets[s].posted_count - at) * sizeof sockets[s].posted[0]);
}

/* Queued data goes to posted receives, in the order of both (G08, I01). */
static void match(unsigned s)
{
    while (sockets[s].posted_count != 0 && count_of(&sockets[s].queue) != 0) {
        struct promise *p = &sockets[s].promises[sockets[s].posted[0]];
        struct datagram d = pop(&sockets[s].queue);

        if (d.length > p->room)
            promise_end(p, STATUS_TRUNCATED, p->room, d.sequence);
        else
            promise_end(p, 0, d.length, d.sequence);
        remove_posted(s, 0);
    }
}

static void cancel_in_model(unsigned s)
{
    while (sockets[s].posted_count != 0) {
        promise_end(&sockets[s].promises[sockets[s].posted[0]], STATUS_CANCELLED, 0, 0);
        remove_posted(s, 0);
    }
}

/* --- what is against what must be ----------------------------------------------------------------- */

static void check_data(const void *data, size_t bytes, uint64_t which)
{
    uint8_t wanted[LONGEST];

    frame_fill(wanted, sizeof wanted, which);
    CHECK_EQ_MEM(data, wanted, bytes);
}

static void check_operation(unsigned s, unsigned i)
{
    struct operation *o = &sockets[s].operations[i];
    struct promise *p = &sockets[s].promises[i];
    struct outcome outcome;

    if (p->life == PENDING) {
        CHECK_EQ_U64(status_of(o), STATUS_PENDING);
        return;
    }
    if (p->life == IDLE)
        return;
    check_ended(o, p->status, p->bytes);
    check_data(o->data, p->bytes, p->sequence);
    CHECK(is_signalled(o->overlapped.hEvent));
    outcome = result_of(sockets[s].s, o, false);
    CHECK_EQ_I64(outcome.result, p->status == 0 ? 0 : SOCKET_ERROR);
    CHECK_EQ_U64(outcome.bytes, p->bytes);
    ended_count++;
    cancelled_count += p->status == STATUS_CANCELLED;
    p->life = IDLE;
}

static void check_operations(unsigned s)
{
    for (unsigned i = 0; i < OPERATIONS; i++)
        check_operation(s, i);
}

/* --- operations ----------------------------------------------------------------------------------- */

static void arrive_at_random(unsigned s)
{
    struct datagram d = {sequence, any(LONGEST + 1)};
    uint8_t payload[LONGEST];

    if (count_of(&sockets[s].queue) + wire.on_wire[s] >= MOST_QUEUED ||
        count_of(&wire.frames) >= 200)
        return;
    sequence++;
    frame_fill(payload, sizeof payload, d.sequence);
    wire_send_udp(HERE, (uint16_t)(PORT + s), payload, d.length);
    wire.to[wire.frames.end % 256] = s;
    wire.on_wire[s]++;
    push(&wire.frames, d);
}

static void pass(unsigned s)
{
    (void)s;
    wire_step(rte_rdtsc());
    for (unsigned n = 0; n < WIRE_BURST && count_of(&wire.frames) != 0; n++) {
        unsigned to = wire.to[wire.frames.first % 256];

        push(&sockets[to].queue, pop(&wire.frames));
        wire.on_wire[to]--;
    }
    for (unsigned to = 0; to < SOCKETS; to++) {
        match(to);
        check_operations(to);
    }
}

static void post_one(unsigned s)
{
    for (unsigned i = 0; i < OPERATIONS; i++) {
        struct promise *p = &sockets[s].promises[i];

        if (p->life != IDLE)
            continue;
        bool at_once = count_of(&sockets[s].queue) != 0; /* then nothing is posted */
        p->room = any(LONGEST + 1);
        p->life = PENDING;
        sockets[s].posted[sockets[s].posted_count++] = i;
        int result = post_event(sockets[s].s, &sockets[s].operations[i], p->room);
        match(s);
        /* C02, C05: one that ends with an error pends all the same */
        CHECK_EQ_I64(result, at_once && p->status == 0 ? 0 : WSA_IO_PENDING);
        check_operations(s);
        return;
    }
}

static void receive_one(unsigned s)
{
    char room[OPERATION_ROOM];
    size_t length = any(LONGEST + 1);
    bool peek = any(4) == 0;
    struct outcome outcome = receive_flags(sockets[s].s, room, length, peek ? MSG_PEEK : 0);

    if (count_of(&sockets[s].queue) == 0) {
        CHECK_EQ_I64(outcome.error, WSAEWOULDBLOCK); /* G12: also behind posted receives */
        return;
    }
    struct datagram d = sockets[s].queue.items[sockets[s].queue.first % 256];
    CHECK_EQ_I64(outcome.result, d.length > length ? SOCKET_ERROR : 0);
    CHECK_EQ_U64(outcome.bytes, RTE_MIN(d.length, length));
    check_data(room, RTE_MIN(d.length, length), d.sequence);
    if (!peek) {
        pop(&sockets[s].queue);
        received_count++;
    }
}

static void cancel_one(unsigned s)
{
    unsigned i = (unsigned)any(OPERATIONS);
    bool was_pending = sockets[s].promises[i].life == PENDING;
    BOOL found = CancelIoEx((HANDLE)sockets[s].s, &sockets[s].operations[i].overlapped);

    CHECK_EQ_I64(found, was_pending);
    for (unsigned at = 0; at < sockets[s].posted_count; at++)
        if (sockets[s].posted[at] == i) {
            promise_end(&sockets[s].promises[i], STATUS_CANCELLED, 0, 0);
            remove_posted(s, at);
            break;
        }
    check_operations(s);
}

static void cancel_all(unsigned s)
{
    CHECK_EQ_I64(CancelIoEx((HANDLE)sockets[s].s, NULL), sockets[s].posted_count != 0);
    cancel_in_model(s);
    check_operations(s);
}

static void open_one(unsigned s)
{
    sockets[s].s = open_socket((uint16_t)(PORT + s));
    set_nonblocking(sockets[s].s, true);
}

/* What is on the wire goes to the next socket of the port, as it should. */
static void close_one(unsigned s)
{
    if (any(64) != 0)
        return;
    SOCKET old = sockets[s].s;
    unsigned pending = sockets[s].posted_count;

    while (count_of(&wire.frames) !=
           0) /* closing lets the lcore run: not in the middle of a burst */
        pass(s);
    pending = sockets[s].posted_count;
    close_socket(old);
    sockets[s].queue.first = sockets[s].queue.end;
    cancel_in_model(s);
    for (unsigned i = 0; i < OPERATIONS; i++)
        if (sockets[s].promises[i].life == ENDED) {
            check_ended(&sockets[s].operations[i], STATUS_CANCELLED, 0); /* K02u */
            CHECK(is_signalled(sockets[s].operations[i].overlapped.hEvent));
            sockets[s].promises[i].life = IDLE;
            pending--;
            ended_count++;
            cancelled_count++;
        }
    CHECK_EQ_U64(pending, 0);
    CHECK_EQ_I64(result_of(old, &sockets[s].operations[0], false).error, WSAENOTSOCK);
    open_one(s);
}

static void ask(unsigned s)
{
    const struct fifo *queue = &sockets[s].queue;
    TIMEVAL now = {0, 0};
    fd_set readable;
    u_long bytes = 0;
    int error = 0;

    CHECK_EQ_I64(ioctlsocket(sockets[s].s, (LONG)FIONREAD, &bytes), 0);
    CHECK_EQ_U64(bytes, count_of(queue) == 0 ? 0 : queue->items[queue->first % 256].length);
    FD_ZERO(&readable);
    FD_SET(sockets[s].s, &readable);
    CHECK_EQ_I64(spi.lpWSPSelect(0, &readable, NULL, NULL, &now, &error), count_of(queue) != 0);
    CHECK_EQ_U64(counters_of(sockets[s].s).queued, count_of(queue));
}

SUITE_TEST(schedules,
           a_million_operations_end_as_a_plain_model_says) // G08 I01 K02u K13 G12 C02 D03 D05
{
    static void (*const kinds[])(unsigned) = {
        arrive_at_random, arrive_at_random, arrive_at_random, pass,      pass, post_one,   post_one,
        receive_one,      receive_one,      cancel_one,       close_one, ask,  cancel_all,
    };
    const char *seed = getenv("WIRERX_SEED");
    unsigned step = 0;

    state = seed != NULL ? strtoull(seed, NULL, 0) | 1 : 0x20261126u;
    printf("schedules: seed %#llx\n", (unsigned long long)state);
    for (unsigned s = 0; s < SOCKETS; s++)
        open_one(s);
    for (; step < STEPS; step++)
        kinds[any(sizeof kinds / sizeof kinds[0])]((unsigned)any(SOCKETS));
    while (count_of(&wire.frames) != 0)
        pass(0);
    printf("schedules: %u operations, %llu datagrams, %llu receives ended (%llu cancelled), %llu "
           "received by calls\n",
           step, (unsigned long long)sequence, (unsigned long long)ended_count,
           (unsigned long long)cancelled_count, (unsigned long long)received_count);
    CHECK_GE_U64(ended_count, STEPS / 20);
    CHECK_GE_U64(cancelled_count, STEPS / 200);
    for (unsigned s = 0; s < SOCKETS; s++) {
        CHECK_EQ_U64(counters_of(sockets[s].s).drop_ring_full, 0);
        close_socket(sockets[s].s);
        for (unsigned i = 0; i < OPERATIONS; i++)
            if (sockets[s].operations[i].overlapped.hEvent != NULL)
                WSACloseEvent(sockets[s].operations[i].overlapped.hEvent);
    }
}
