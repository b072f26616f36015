/* SPDX-License-Identifier: BSD-3-Clause */

/* Overlapped sends: done at once, posted, served in their order, and ended by everything that ends
 * operations. */

#include "support/suite.h"

#include <sys/mman.h>

#include "sending.h"

SUITE_FIXTURE(send_overlapped, open_quiet, close_all);

#define STATUS_DOWN 0xC000023Cu
#define STATUS_FAULT 0xC0000005u

static void with_event(struct operation *operation)
{
    operation->overlapped.hEvent = WSACreateEvent();
    CHECK(operation->overlapped.hEvent != NULL);
}

/* Post a filled datagram to PORT; it must pend. */
static void pend_send(SOCKET s, struct operation *operation, uint64_t sequence)
{
    frame_fill(operation->data, 100, sequence);
    CHECK_EQ_I64(post_send(s, operation, LOOPBACK, PORT, 100, NULL), WSA_IO_PENDING);
    CHECK_EQ_U64(status_of(operation), 0x103); /* D01 */
    CHECK_EQ_U64(operation->overlapped.InternalHigh, UNTOUCHED);
    CHECK_EQ_U64(operation->started.bytes, UNTOUCHED);
}

static void expect(SOCKET s, uint64_t sequence)
{
    char room[256];
    struct outcome outcome = receive(s, room, sizeof room);

    CHECK_EQ_I64(outcome.result, 0);
    CHECK_EQ_U64(outcome.bytes, 100);
    CHECK(frame_is_filled(room, 100, sequence));
}

SUITE_TEST(send_overlapped, room_at_once_is_success_with_an_indication) // C02 C03 D03 D09
{
    static struct operation event, routine, neither;
    SOCKET s = open_socket(OTHER_PORT), to = open_socket(PORT);

    with_event(&event);
    frame_fill(event.data, 100, 1);
    CHECK_EQ_I64(post_send(s, &event, LOOPBACK, PORT, 100, NULL), 0);
    CHECK_EQ_U64(event.started.bytes, 100);
    check_send_completed(&event, 100);
    frame_fill(routine.data, 100, 2);
    CHECK_EQ_I64(post_send(s, &routine, LOOPBACK, PORT, 100, note_completion), 0);
    CHECK_EQ_U64(routine.calls, 0); /* F02 */
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(routine.calls, 1);
    CHECK_EQ_U64(routine.error, 0);
    CHECK_EQ_U64(routine.bytes, 100);
    CHECK_EQ_U64(routine.flags, 0);
    frame_fill(neither.data, 100, 3);
    CHECK_EQ_I64(post_send(s, &neither, LOOPBACK, PORT, 100, NULL), 0);
    check_send_completed(&neither, 100);
    wire_settle();
    for (uint64_t i = 1; i <= 3; i++)
        expect(to, i);
    close_socket(s);
    close_socket(to);
}

SUITE_TEST(send_overlapped, without_room_it_pends_and_keeps_its_order) // C01 C07 D07 G02
{
    static struct operation operations[100];
    SOCKET s = open_socket(OTHER_PORT), to = open_socket(PORT);

    fill_queue(s, 1000);
    for (unsigned i = 0; i < 100; i++) {
        with_event(&operations[i]);
        CHECK(SetEvent(operations[i].overlapped.hEvent));
        pend_send(s, &operations[i], i);
        CHECK(!is_signalled(operations[i].overlapped.hEvent));
    }
    wire_settle();
    for (unsigned i = 0; i < 100; i++) {
        check_send_completed(&operations[i], 100);
        struct outcome outcome = result_of(s, &operations[i], false);
        CHECK_EQ_I64(outcome.result, 0);
        CHECK_EQ_U64(outcome.bytes, 100);
        CHECK_EQ_U64(outcome.flags, 0);
        expect(to, i);
    }
    close_socket(s);
    close_socket(to);
}

SUITE_TEST(send_overlapped, routines_are_told_of_posted_sends) // F01 F06
{
    static struct operation operations[3];
    SOCKET s = open_socket(OTHER_PORT);

    fill_queue(s, 1000);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ_I64(post_send(s, &operations[i], LOOPBACK, PORT, 100, note_completion),
                     WSA_IO_PENDING);
    CHECK_EQ_U64(SleepEx(0, TRUE), 0);
    CHECK_EQ_I64(result_of(s, &operations[0], true).error, WSAEINVAL); /* E14 */
    wire_settle();
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_EQ_U64(operations[i].calls, 1);
        CHECK_EQ_U64(operations[i].error, 0);
        CHECK_EQ_U64(operations[i].bytes, 100);
        check_send_completed(&operations[i], 100);
    }
    close_socket(s);
}

SUITE_TEST(send_overlapped, nobody_overtakes_a_posted_send)
{
    static struct operation large, small;
    static char payload[30000];
    SOCKET s = open_socket(OTHER_PORT), to = open_socket(PORT);
    struct sockaddr_in name = address_of(LOOPBACK, PORT);
    WSABUF buffer = {sizeof payload, payload};
    DWORD bytes = UNTOUCHED;
    int error = 0;
    char room[4];

    set_nonblocking(s, true);
    CHECK_SENT(send_bytes_to(s, FRAME_IP(239, 0, 0, 1), PORT, payload, sizeof payload),
               sizeof payload);
    CHECK_SENT(send_bytes_to(s, FRAME_IP(239, 0, 0, 1), PORT, payload, sizeof payload),
               sizeof payload);
    /* C06: nonblocking concerns only calls that are not overlapped. */
    CHECK_EQ_I64(spi.lpWSPSendTo(s, &buffer, 1, &bytes, 0, (struct sockaddr *)&name, sizeof name,
                                 &large.overlapped, NULL, NULL, &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSA_IO_PENDING);
    CHECK_REFUSED(send_text_to(s, LOOPBACK, PORT, "x"), WSAEWOULDBLOCK); /* though it would fit */
    small.data[0] = 's';
    CHECK_EQ_I64(post_send(s, &small, LOOPBACK, PORT, 1, NULL), WSA_IO_PENDING);
    wire_settle();
    CHECK_EQ_U64(status_of(&large), 0);
    check_send_completed(&small, 1);
    CHECK_EQ_I64(receive(to, room, sizeof room).error, WSAEMSGSIZE);
    CHECK_TEXT(receive(to, room, sizeof room), room, "s");
    close_socket(s);
    close_socket(to);
}

SUITE_TEST(send_overlapped, too_many_are_refused) // C08
{
    static struct operation operations[3];
    SOCKET s = open_socket(OTHER_PORT);

    CHECK_EQ_I64(set_option(s, SO_WIRERX_MAX_POSTED, 2), 0);
    fill_queue(s, 1000);
    pend_send(s, &operations[0], 0);
    pend_send(s, &operations[1], 1);
    CHECK_EQ_I64(post_send(s, &operations[2], LOOPBACK, PORT, 100, NULL), WSAEWOULDBLOCK);
    CHECK_EQ_U64(status_of(&operations[2]), UNTOUCHED); /* D15 */
    wire_settle();
    CHECK_EQ_I64(post_send(s, &operations[2], LOOPBACK, PORT, 100, NULL), 0);
    close_socket(s);
}

SUITE_TEST(send_overlapped, what_is_refused_starts_nothing) // A04 P01 A22 D17
{
    static struct operation operation;
    int error = 0;
    SOCKET s = open_socket(OTHER_PORT);
    SOCKET plain = spi.lpWSPSocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, 0, &error);
    WSABUF buffer = {1, operation.data};
    struct sockaddr_in to = address_of(LOOPBACK, PORT);
    char *pages = map_pages(1);

    with_event(&operation);
    CHECK(SetEvent(operation.overlapped.hEvent));
    CHECK_EQ_I64(post_send(plain, &operation, LOOPBACK, PORT, 1, NULL), WSAEINVAL);
    CHECK_EQ_I64(post_send(s, &operation, LOOPBACK, 0, 1, NULL), WSAEADDRNOTAVAIL);
    CHECK_EQ_I64(post_send(s, &operation, FRAME_IP(8, 8, 8, 8), PORT, 1, NULL), WSAENETUNREACH);
    CHECK_EQ_I64(post_send(s, &operation, UINT32_MAX, PORT, 1, NULL), WSAEACCES);
    CHECK(is_signalled(operation.overlapped.hEvent));
    CHECK_EQ_U64(status_of(&operation), UNTOUCHED);
    CHECK_EQ_I64(spi.lpWSPSendTo(s, &buffer, 1, NULL, 0, (struct sockaddr *)&to, sizeof to,
                                 &operation.overlapped, note_completion, NULL, &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT); /* a routine without a thread */
    operation.overlapped.hEvent = (HANDLE)(uintptr_t)0x1234560;
    CHECK_EQ_I64(post_send(s, &operation, LOOPBACK, PORT, 1, NULL), WSA_INVALID_HANDLE);
    operation.overlapped.hEvent = NULL;
    unmap_pages(pages, 1);
    buffer = (WSABUF){1, pages};
    CHECK_EQ_I64(spi.lpWSPSendTo(s, &buffer, 1, NULL, 0, (struct sockaddr *)&to, sizeof to,
                                 &operation.overlapped, NULL, NULL, &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT);
    buffer = (WSABUF){1, operation.data};
    CHECK_EQ_I64(spi.lpWSPSendTo(s, &buffer, 1, NULL, 0, (struct sockaddr *)&to, sizeof to,
                                 (LPWSAOVERLAPPED)(void *)pages, NULL, NULL, &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT);
    wire_settle();
    CHECK_EQ_U64(wire_counter("looped"), 0);
    CHECK_EQ_U64(SleepEx(0, TRUE), 0);
    close_socket(s);
    close_socket(plain);
}

SUITE_TEST(send_overlapped, it_binds_a_socket_that_has_no_name) // A18
{
    static struct operation operation;
    SOCKET s = make_socket(), to = open_socket(PORT);
    char room[16];

    operation.data[0] = 'x';
    CHECK_EQ_I64(post_send(s, &operation, LOOPBACK, PORT, 1, NULL), 0);
    wire_settle();
    CHECK_TEXT(receive(to, room, sizeof room), room, "x");
    set_nonblocking(s, true);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEWOULDBLOCK);
    close_socket(s);
    close_socket(to);
}

SUITE_TEST(send_overlapped, memory_that_goes_while_it_pends_is_a_fault_of_this_one_only) // A24
{
    static struct operation good;
    static WSAOVERLAPPED overlapped;
    SOCKET s = open_socket(OTHER_PORT), to = open_socket(PORT);
    struct sockaddr_in name = address_of(LOOPBACK, PORT);
    char *pages = map_pages(1);
    WSABUF buffer = {100, pages};
    int error = 0;

    fill_queue(s, 1000);
    CHECK_EQ_I64(spi.lpWSPSendTo(s, &buffer, 1, NULL, 0, (struct sockaddr *)&name, sizeof name,
                                 &overlapped, NULL, NULL, &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSA_IO_PENDING);
    pend_send(s, &good, 5);
    unmap_pages(pages, 1);
    wire_settle();
    CHECK_EQ_U64(overlapped.Internal, STATUS_FAULT);
    CHECK_EQ_U64(overlapped.InternalHigh, 0);
    check_send_completed(&good, 100);
    expect(to, 5);
    close_socket(s);
    close_socket(to);
}

SUITE_TEST(send_overlapped, closing_ends_what_pends) // K02u K03 F11u
{
    static struct operation event, routine;
    SOCKET s = open_socket(OTHER_PORT), to = open_socket(PORT);

    fill_queue(s, 1000);
    with_event(&event);
    pend_send(s, &event, 0);
    CHECK_EQ_I64(post_send(s, &routine, LOOPBACK, PORT, 100, note_completion), WSA_IO_PENDING);
    close_socket(s);
    check_send_ended(&event, STATUS_CANCELLED);
    check_send_ended(&routine, STATUS_CANCELLED);
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(routine.error, WSA_OPERATION_ABORTED);
    wire_settle();
    CHECK_EQ_U64(counters_of(to).delivered, 0);
    close_socket(to);
}

SUITE_TEST(send_overlapped, stopping_ends_what_pends) // D18
{
    static struct operation event;
    struct config config = wire_config();
    SOCKET s = open_socket(OTHER_PORT);

    fill_queue(s, 1000);
    with_event(&event);
    pend_send(s, &event, 0);
    CHECK_EQ_I64(wirerx_stop(), 0);
    check_send_ended(&event, STATUS_DOWN);
    CHECK_EQ_I64(post_send(s, &event, LOOPBACK, PORT, 1, NULL), WSAENETDOWN);
    close_socket(s);
    wire_start(&config, &pending_operations, true);
}

static void post_and_exit(struct runner *self)
{
    static struct operation operation;

    with_event(&operation);
    pend_send(self->s, &operation, 0);
    self->argument = &operation;
}

SUITE_TEST(send_overlapped, a_threads_exit_ends_its_own) // K07
{
    static struct operation kept;
    static struct runner runner;
    SOCKET s = open_socket(OTHER_PORT), to = open_socket(PORT);

    fill_queue(s, 1000);
    run(&runner, post_and_exit, s, NULL);
    finish(&runner);
    pend_send(s, &kept, 1);
    check_send_ended(runner.argument, STATUS_CANCELLED);
    wire_settle();
    check_send_completed(&kept, 100);
    expect(to, 1);
    close_socket(s);
    close_socket(to);
}

static void send_once(struct runner *self)
{
    self->outcome = send_text_to(self->s, LOOPBACK, PORT, "x");
}

SUITE_TEST(send_overlapped, cancelling_one_lets_the_others_go_on) // K13
{
    static struct operation large, next;
    static struct runner runner;
    static char payload[60000];
    SOCKET s = open_socket(OTHER_PORT), to = open_socket(PORT);
    struct sockaddr_in name = address_of(LOOPBACK, PORT);
    WSABUF buffer = {sizeof payload, payload};
    int error = 0;

    CHECK_SENT(send_bytes_to(s, FRAME_IP(239, 0, 0, 1), PORT, payload, 10000), 10000);
    with_event(&large);
    CHECK_EQ_I64(spi.lpWSPSendTo(s, &buffer, 1, NULL, 0, (struct sockaddr *)&name, sizeof name,
                                 &large.overlapped, NULL, NULL, &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSA_IO_PENDING);
    with_event(&next);
    pend_send(s, &next, 2); /* there would be room for it */
    run(&runner, send_once, s, NULL);
    UNTIL(sleeping_senders_of(s) == 1);
    CHECK(CancelIoEx((HANDLE)s, &large.overlapped));
    CHECK_EQ_U64(status_of(&large), STATUS_CANCELLED);
    CHECK(is_signalled(large.overlapped.hEvent));
    check_send_completed(&next, 100);
    finish(&runner); /* without any more room being made */
    CHECK_SENT(runner.outcome, 1);
    wire_settle();
    expect(to, 2);
    CHECK_EQ_U64(counters_of(to).delivered, 2);
    CHECK(!CancelIoEx((HANDLE)s, NULL));
    close_socket(s);
    close_socket(to);
}

SUITE_TEST(send_overlapped, with_a_peer_no_address_is_needed)
{
    static struct operation operation;
    SOCKET s = open_socket(OTHER_PORT), to = open_socket(PORT);
    WSABUF buffer = {4, operation.data};
    char room[16];
    int error = 0;

    memcpy(operation.data, "peer", 4);
    CHECK_EQ_I64(spi.lpWSPSend(s, &buffer, 1, NULL, 0, &operation.overlapped, NULL, NULL, &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAENOTCONN);
    connect_to(s, LOOPBACK, PORT);
    fill_queue(s, 1000);
    CHECK_EQ_I64(spi.lpWSPSend(s, &buffer, 1, NULL, 0, &operation.overlapped, NULL, NULL, &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSA_IO_PENDING);
    connect_to(s, LOOPBACK, 6000); /* it goes to whom it was posted to */
    wire_settle();
    CHECK_EQ_U64(operation.overlapped.Internal, 0);
    CHECK_TEXT(receive(to, room, sizeof room), room, "peer");
    close_socket(s);
    close_socket(to);
}

/* --- while lcores run ------------------------------------------------------------------------- */

#define ROUNDS SCALED(3000u)
#define THREADS 4u
#define AHEAD 8u

struct sender {
    SOCKET s;
    unsigned index;
    uint64_t sent, cancelled;
};

/* Keeps sends posted ahead on a socket that all share, and cancels some of them. */
static void post_and_wait(struct runner *self)
{
    struct sender *sender = self->argument;
    struct operation *operations = calloc(AHEAD, sizeof *operations);
    uint64_t next = (uint64_t)sender->index << 32;

    CHECK(operations != NULL);
    for (unsigned i = 0; i < AHEAD; i++)
        with_event(&operations[i]);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct operation *operation = &operations[round % AHEAD];

        if (round >= AHEAD) {
            CHECK_EQ_U64(WaitForSingleObject(operation->overlapped.hEvent, 30000), WAIT_OBJECT_0);
            if (status_of(operation) == STATUS_CANCELLED) {
                sender->cancelled++;
            } else {
                check_send_completed(operation, 100);
                sender->sent++;
            }
        }
        frame_fill(operation->data, 100, next + round);
        int error = post_send(sender->s, operation, LOOPBACK, PORT, 100, NULL);
        CHECK(error == 0 || error == WSA_IO_PENDING);
        if (round % 7 == 3)
            CancelIoEx((HANDLE)sender->s, &operation->overlapped);
    }
    for (unsigned i = 0; i < AHEAD; i++) {
        CHECK_EQ_U64(WaitForSingleObject(operations[i].overlapped.hEvent, 30000), WAIT_OBJECT_0);
        if (status_of(&operations[i]) == STATUS_CANCELLED)
            sender->cancelled++;
        else
            sender->sent++;
        CHECK(CloseHandle(operations[i].overlapped.hEvent));
    }
    free(operations);
}

SUITE_TEST(send_overlapped_live, each_ends_once_and_what_was_sent_arrives, .init = open_live,
           .fini = close_all)
{
    static struct runner runners[THREADS];
    static struct sender senders[THREADS];
    static uint64_t next[THREADS];
    SOCKET s = open_socket(OTHER_PORT), to = open_socket(PORT);
    uint64_t sent = 0, received = 0;
    char room[256];
    bool running = true;

    CHECK_EQ_I64(set_option(s, SO_SNDBUF, 500), 0); /* so that most of them pend */
    set_nonblocking(to, true);
    for (unsigned i = 0; i < THREADS; i++) {
        senders[i] = (struct sender){.s = s, .index = i};
        run(&runners[i], post_and_wait, s, &senders[i]);
    }
    while (running) {
        running = false;
        for (unsigned i = 0; i < THREADS; i++)
            running |= !atomic_load(&runners[i].ended);
        if (!running)
            wire_settle();
        struct outcome outcome;
        while ((outcome = receive(to, room, sizeof room)).result == 0) {
            unsigned from = 0;
            uint64_t sequence = 0;

            CHECK_EQ_U64(outcome.bytes, 100);
            for (from = 0; from < THREADS; from++) {
                for (sequence = next[from]; sequence < ROUNDS; sequence++)
                    if (frame_is_filled(room, 100, (uint64_t)from << 32 | sequence))
                        break;
                if (sequence < ROUNDS)
                    break;
            }
            CHECK_MSG(from < THREADS, "a datagram is doubled or out of order");
            next[from] = sequence + 1;
            received++;
        }
        CHECK_EQ_I64(outcome.error, WSAEWOULDBLOCK);
        nap();
    }
    for (unsigned i = 0; i < THREADS; i++) {
        finish(&runners[i]);
        CHECK_EQ_U64(senders[i].sent + senders[i].cancelled, ROUNDS);
        sent += senders[i].sent;
    }
    struct wirerx_socket_counters counters = counters_of(to);
    CHECK_EQ_U64(received + counters.drop_ring_full + counters.drop_pool_share, sent);
    CHECK_GE_U64(received, 100);
    close_socket(s);
    close_socket(to);
}
