/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPSelect, as its page says it. */

#include "support/suite.h"

#include "select.h"
#include "sending.h"

#include <stdlib.h>

#if !UNDER_THREAD_SANITIZER

SUITE_FIXTURE(select, open_quiet, close_all);

static const TIMEVAL now = {0, 0};

/* Three sets of one socket each, or none. */
struct question {
    fd_set read, write, except;
    int result;
    int error;
};

static void ask_for(struct question *q, SOCKET read, SOCKET write, SOCKET except,
                    const TIMEVAL *timeout)
{
    TIMEVAL limit = timeout != NULL ? *timeout : now;

    FD_ZERO(&q->read);
    FD_ZERO(&q->write);
    FD_ZERO(&q->except);
    if (read != 0)
        FD_SET(read, &q->read);
    if (write != 0)
        FD_SET(write, &q->write);
    if (except != 0)
        FD_SET(except, &q->except);
    q->error = 0;
    q->result = spi.lpWSPSelect(0, read != 0 ? &q->read : NULL, write != 0 ? &q->write : NULL,
                                except != 0 ? &q->except : NULL, timeout != NULL ? &limit : NULL,
                                &q->error);
}

static bool is_readable(SOCKET s)
{
    struct question q;

    ask_for(&q, s, 0, 0, &now);
    CHECK(q.result == 0 || q.result == 1);
    CHECK_EQ_U64(q.read.fd_count, q.result);
    return q.result == 1;
}

static bool is_writable(SOCKET s)
{
    struct question q;

    ask_for(&q, 0, s, 0, &now);
    CHECK(q.result == 0 || q.result == 1);
    CHECK_EQ_U64(q.write.fd_count, q.result);
    return q.result == 1;
}

static int refusal(SOCKET read, const TIMEVAL *timeout)
{
    struct question q;

    ask_for(&q, read, 0, 0, timeout);
    CHECK_EQ_I64(q.result, SOCKET_ERROR);
    CHECK_EQ_U64(q.read.fd_count, read != 0); /* as it was */
    return q.error;
}

SUITE_TEST(select, readable_is_what_a_receive_would_not_wait_for) // DOC:SELECT
{
    SOCKET s = open_socket(PORT);
    char room[16];

    CHECK(!is_readable(s));
    arrive_text(PORT, "one");
    CHECK(is_readable(s));
    CHECK(is_readable(s)); /* it has taken nothing */
    CHECK_TEXT(receive(s, room, sizeof room), room, "one");
    CHECK(!is_readable(s));
    arrive_text(PORT, "");
    CHECK(is_readable(s)); /* an empty datagram is one (G07) */
}

SUITE_TEST(select, ends_and_errors_are_readable) // DOC:SELECT
{
    SOCKET s = open_socket(PORT), reset = open_socket(OTHER_PORT);
    char room[16];

    arrive_condition(s, RX_PORT_UNREACHABLE);
    CHECK(is_readable(s));
    CHECK_REFUSED(receive(s, room, sizeof room), WSAECONNRESET);
    CHECK(!is_readable(s));
    arrive_condition(s, RX_END);
    CHECK(is_readable(s));
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEDISCON);
    CHECK(is_readable(s)); /* for good */
    arrive_condition(reset, RX_ABORT);
    CHECK(is_readable(reset));
}

SUITE_TEST(select, data_that_posted_receives_take_is_not_readable)
{
    static struct operation operation;
    SOCKET s = open_socket(PORT);

    pend(s, &operation, 16);
    arrive_text(PORT, "one");
    CHECK(!is_readable(s));
    arrive_text(PORT, "two");
    CHECK(is_readable(s));
}

SUITE_TEST(select, writable_is_bound_and_with_room) // DOC:SELECT
{
    struct sockaddr_in name = address_of(0, PORT);
    SOCKET s = make_socket();

    CHECK(!is_writable(s));
    CHECK_EQ_I64(bind(s, (struct sockaddr *)&name, sizeof name), 0);
    CHECK(is_writable(s));
    fill_queue(s, 1000);
    CHECK(!is_writable(s));
    wire_settle();
    CHECK(is_writable(s));
}

SUITE_TEST(select, keeps_the_ready_ones_and_counts_them) // DOC:SELECT
{
    SOCKET s[5];
    fd_set read, write, except;
    TIMEVAL limit = now;
    int error = 0;

    FD_ZERO(&read);
    FD_ZERO(&write);
    FD_ZERO(&except);
    for (uint16_t i = 0; i < 5; i++) {
        s[i] = open_socket(PORT + i);
        FD_SET(s[i], &read);
        FD_SET(s[i], &except);
    }
    FD_SET(s[2], &write);
    arrive_text(PORT + 1, "one");
    arrive_text(PORT + 3, "three");
    CHECK_EQ_I64(spi.lpWSPSelect(-1, &read, &write, &except, &limit, &error), 3);
    CHECK_EQ_U64(read.fd_count, 2);
    CHECK_EQ_U64(read.fd_array[0], s[1]);
    CHECK_EQ_U64(read.fd_array[1], s[3]);
    CHECK_EQ_U64(write.fd_count, 1);
    CHECK_EQ_U64(write.fd_array[0], s[2]);
    CHECK_EQ_U64(except.fd_count, 0); /* datagrams: never */
    CHECK_EQ_I64(limit.tv_sec + limit.tv_usec, 0);
}

SUITE_TEST(select, refuses_what_is_nothing_to_wait_for) // DOC:SELECT
{
    SOCKET s = open_socket(PORT);
    fd_set empty, several;
    TIMEVAL negative = {-1, 0}, negative_part = {0, -1};
    int error = 0;

    FD_ZERO(&empty);
    CHECK_EQ_I64(refusal(0, &now), WSAEINVAL);
    CHECK_EQ_I64(refusal(0, NULL), WSAEINVAL);
    CHECK_EQ_I64(spi.lpWSPSelect(0, &empty, &empty, &empty, NULL, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEINVAL);
    CHECK_EQ_I64(refusal(s, &negative), WSAEINVAL);
    CHECK_EQ_I64(refusal(s, &negative_part), WSAEINVAL);
    CHECK_EQ_I64(refusal(s + 4, &now), WSAENOTSOCK);
    CHECK_EQ_I64(refusal(INVALID_SOCKET, NULL), WSAENOTSOCK);
    arrive_text(PORT, "one");
    FD_ZERO(&several);
    FD_SET(s, &several);
    FD_SET(s + 4, &several);
    CHECK_EQ_I64(spi.lpWSPSelect(0, &several, NULL, NULL, NULL, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAENOTSOCK); /* although the other one is ready */
    CHECK_EQ_U64(several.fd_count, 2);
    close_socket(s);
    CHECK_EQ_I64(refusal(s, NULL), WSAENOTSOCK);
}

SUITE_TEST(select, survives_bad_pointers) // A09: nothing of the client's is touched unguarded
{
    SOCKET s = open_socket(PORT);
    char *page = map_pages(2);
    fd_set *cut = (fd_set *)(void *)(page + PAGE - 16); /* a count, one socket, and no more */
    fd_set whole;
    int error = 0;

    arrive_text(PORT, "one");
    FD_ZERO(&whole);
    FD_SET(s, &whole);
    unmap_pages(page + PAGE, 1);
    cut->fd_count = 1;
    cut->fd_array[0] = s;
    CHECK_EQ_I64(spi.lpWSPSelect(0, cut, NULL, NULL, NULL, &error), 1);
    cut->fd_count = 2;
    CHECK_EQ_I64(spi.lpWSPSelect(0, cut, NULL, NULL, NULL, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT);
    cut->fd_count = 0xffffffff;
    CHECK_EQ_I64(spi.lpWSPSelect(0, cut, NULL, NULL, NULL, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEINVAL);
    cut->fd_count = CONFIG_MAX_SOCKETS;
    CHECK_EQ_I64(spi.lpWSPSelect(0, cut, NULL, NULL, NULL, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT);
    CHECK_EQ_I64(spi.lpWSPSelect(0, (fd_set *)(void *)(page + PAGE), NULL, NULL, NULL, &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT);
    CHECK_EQ_I64(spi.lpWSPSelect(0, &whole, NULL, NULL, (PTIMEVAL)(void *)(page + PAGE), &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT);
    cut->fd_count = 1;
    protect_pages(page, 1, 1 /* PROT_READ */);
    CHECK_EQ_I64(spi.lpWSPSelect(0, cut, NULL, NULL, NULL, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT);
    CHECK_EQ_I64(spi.lpWSPSelect(0, NULL, NULL, NULL, NULL, NULL), SOCKET_ERROR);
    unmap_pages(page, 1);
}

/* fd_count alone says how many there are: the client may have another FD_SETSIZE. */
struct large_set {
    u_int fd_count;
    SOCKET fd_array[1000];
};

SUITE_TEST(select, takes_sets_of_any_size) // DOC:SELECT
{
    static struct large_set set, all;
    SOCKET s = open_socket(PORT), other = open_socket(OTHER_PORT);
    TIMEVAL limit = {0, 1000};
    int error = 0;

    all.fd_count = 1000;
    for (u_int i = 0; i < all.fd_count; i++)
        all.fd_array[i] = i == 999 ? other : s;
    set = all;
    CHECK_EQ_I64(spi.lpWSPSelect(0, (fd_set *)(void *)&set, NULL, NULL, &limit, &error), 0);
    CHECK_EQ_U64(set.fd_count, 0);
    arrive_text(OTHER_PORT, "one");
    set = all;
    CHECK_EQ_I64(spi.lpWSPSelect(0, (fd_set *)(void *)&set, NULL, NULL, NULL, &error), 1);
    CHECK_EQ_U64(set.fd_count, 1);
    CHECK_EQ_U64(set.fd_array[0], other);
}

SUITE_TEST(select, ends_in_time) // DOC:SELECT
{
    SOCKET s = open_socket(PORT);
    TIMEVAL limit = {0, 30000}, long_part = {0, 1020000};
    struct question q;
    uint64_t began = wake_clock();

    ask_for(&q, s, 0, s, &limit);
    CHECK_EQ_I64(q.result, 0);
    CHECK_EQ_U64(q.read.fd_count + q.except.fd_count, 0);
    CHECK_GE_U64(milliseconds_since(began), 30);
    began = wake_clock();
    ask_for(&q, 0, 0, s, &long_part); /* more than a second of microseconds is that long */
    CHECK_EQ_I64(q.result, 0);
    CHECK_GE_U64(milliseconds_since(began), 1020);
}

/* --- waiting: somebody else makes it ready -------------------------------------------------------- */

static unsigned selects_asleep(SOCKET s)
{
    struct socket_reference reference;

    CHECK(socket_resolve(s, &reference));
    return atomic_load(&select_bell_of(reference.endpoint)->sleepers);
}

struct waiting {
    struct runner runner;
    struct question question;
    SOCKET read, write, except;
};

static void wait_in_select(struct runner *self)
{
    struct waiting *w = self->argument;

    ask_for(&w->question, w->read, w->write, w->except, NULL);
}

static void begin(struct waiting *w, SOCKET s)
{
    unsigned before = selects_asleep(s);

    run(&w->runner, wait_in_select, s, w);
    UNTIL(selects_asleep(s) == before + 1);
}

static void check_ready(struct waiting *w, int count)
{
    finish(&w->runner);
    CHECK_EQ_I64(w->question.result, count);
}

static void check_failed(struct waiting *w, int error)
{
    finish(&w->runner);
    CHECK_EQ_I64(w->question.result, SOCKET_ERROR);
    CHECK_EQ_I64(w->question.error, error);
}

SUITE_TEST(select, waits_for_data) // DOC:SELECT
{
    SOCKET s = open_socket(PORT), other = open_socket(OTHER_PORT);
    struct waiting w = {.read = s, .except = other};

    begin(&w, s);
    arrive_text(OTHER_PORT, "one"); /* is not waited for there */
    nap();
    CHECK(!atomic_load(&w.runner.ended));
    arrive_text(PORT, "one");
    check_ready(&w, 1);
    CHECK_EQ_U64(w.question.read.fd_array[0], s);
}

SUITE_TEST(select, several_wait_for_one_datagram) // DOC:SELECT
{
    static struct waiting w[3];
    static struct runner receiver;
    SOCKET s = open_socket(PORT);

    run_blocked(&receiver, s); /* who is not kept from it by those that only look */
    for (int i = 0; i < 3; i++) {
        w[i] = (struct waiting){.read = s};
        begin(&w[i], s);
    }
    arrive_text(PORT, "one");
    finish(&receiver);
    CHECK_TEXT(receiver.outcome, receiver.data, "one");
    for (int i = 0; i < 2; i++)
        arrive_text(PORT, "two");
    for (int i = 0; i < 3; i++)
        check_ready(&w[i], 1);
}

SUITE_TEST(select, waits_until_a_socket_is_bound)
{
    struct sockaddr_in name = address_of(0, PORT);
    SOCKET s = make_socket();
    struct waiting w = {.read = s, .write = s};

    begin(&w, s);
    CHECK_EQ_I64(bind(s, (struct sockaddr *)&name, sizeof name), 0);
    check_ready(&w, 1);
    CHECK_EQ_U64(w.question.write.fd_count, 1);
    CHECK_EQ_U64(w.question.read.fd_count, 0);
}

SUITE_TEST(select, ends_when_a_socket_is_closed)
{
    SOCKET s = open_socket(PORT), other = open_socket(OTHER_PORT);
    struct waiting w = {.read = other, .except = s};

    begin(&w, s);
    close_socket(s);
    check_failed(&w, WSAENOTSOCK);
}

SUITE_TEST(select, ends_when_the_dataplane_stops) // A19
{
    SOCKET s = open_socket(PORT);
    struct waiting w = {.read = s}, v = {.except = s};

    begin(&w, s);
    begin(&v, s);
    CHECK_EQ_I64(wirerx_stop(), 0);
    check_failed(&w, WSAENETDOWN);
    check_failed(&v, WSAENETDOWN);
    CHECK_EQ_I64(refusal(s, &now), WSAENETDOWN);
}

static _Atomic unsigned apcs;

static void CALLBACK count_apc(ULONG_PTR unused)
{
    (void)unused;
    atomic_fetch_add(&apcs, 1);
}

SUITE_TEST(select, runs_apcs_and_goes_on_waiting) // F10
{
    static struct operation operation;
    SOCKET s = open_socket(PORT), other = open_socket(OTHER_PORT);
    struct waiting w = {.read = s};
    int error = 0;

    begin(&w, s);
    CHECK_EQ_I64(WPUQueueApc(&w.runner.id, count_apc, 0, &error), 0);
    UNTIL(atomic_load(&apcs) == 1);
    UNTIL(selects_asleep(s) == 1);
    CHECK(!atomic_load(&w.runner.ended));
    arrive_text(PORT, "one");
    check_ready(&w, 1);
    /* A completion routine of the thread itself, too. */
    TIMEVAL limit = {0, 1000};
    struct question q;
    arrive_text(OTHER_PORT, "two");
    CHECK_EQ_I64(post_routine(other, &operation, 16), 0);
    ask_for(&q, other, 0, 0, &limit);
    CHECK_EQ_I64(q.result, 0);
    CHECK_EQ_U64(operation.calls, 1);
}

/* A stale mark rings for nobody, and is gone. */
SUITE_TEST(select, leaves_nothing_behind) // DOC:SELECT
{
    struct socket_reference reference;
    SOCKET s = open_socket(PORT);
    TIMEVAL limit = {0, 1000};
    struct question q;

    ask_for(&q, s, 0, 0, &limit);
    CHECK_EQ_I64(q.result, 0);
    CHECK(socket_resolve(s, &reference));
    CHECK_EQ_U64(atomic_load(&reference.endpoint->posted), ENDPOINT_WATCHED);
    arrive_text(PORT, "one");
    CHECK_EQ_U64(atomic_load(&reference.endpoint->posted), 0);
    CHECK_EQ_U64(selects_asleep(s), 0);
}

#endif
