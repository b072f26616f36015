/* SPDX-License-Identifier: BSD-3-Clause */

/* Memory that was there when a receive was posted and is not when its datagram arrives: A24. On an
 * lcore of its own, which has to live. */

#include "support/suite.h"

#include "harness.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

SUITE_FIXTURE(unmapped, open_live, close_all);

#define STATUS_FAULT 0xC0000005u

static void unmap(char *page)
{
    unmap_pages(page, 1);
}

static void forbid(char *page)
{
    protect_pages(page, 1, PROT_NONE);
}

static void make_read_only(char *page)
{
    protect_pages(page, 1, PROT_READ);
}

static void (*const ways[])(char *) = {unmap, forbid, make_read_only};

/* Everything goes on: on the same socket, on another one, posted and not. */
static void check_life_goes_on(SOCKET s, SOCKET other)
{
    static struct operation after;
    char room[16];

    memset(&after, 0, sizeof after);
    pend_event(s, &after, 16);
    arrive_text(PORT, "after");
    CHECK_EQ_U64(WaitForSingleObject(after.overlapped.hEvent, 10000), WAIT_OBJECT_0);
    check_completed(&after, "after");
    WSACloseEvent(after.overlapped.hEvent);
    arrive_text(OTHER_PORT, "other");
    CHECK_TEXT(receive(other, room, sizeof room), room, "other");
    arrive_text(PORT, "now");
    CHECK_TEXT(receive(s, room, sizeof room), room, "now");
}

static void check_fault_reported(SOCKET s, struct operation *operation)
{
    struct outcome outcome;

    CHECK_EQ_U64(WaitForSingleObject(operation->overlapped.hEvent, 10000), WAIT_OBJECT_0);
    check_ended(operation, STATUS_FAULT, 0);
    outcome = result_of(s, operation, true);
    CHECK_EQ_I64(outcome.result, SOCKET_ERROR);
    CHECK_EQ_I64(outcome.error, WSAEFAULT);
    CHECK_EQ_U64(outcome.bytes, 0);
}

/* Post into a page, take it away, send. */
static void fault_on(SOCKET s, struct operation *operation, char *page, size_t offset,
                     void (*spoil)(char *), LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    WSABUF buffer = {.len = 16, .buf = page + offset};
    DWORD flags = 0;
    WSATHREADID me;
    int error = 0;

    CHECK_EQ_I64(WPUOpenCurrentThread(&me, &error), 0);
    memset(operation->canary_before, CANARY, sizeof operation->canary_before);
    memset(operation->canary_between, CANARY, sizeof operation->canary_between);
    memset(operation->data, CANARY, sizeof operation->data);
    memset(operation->canary_after, CANARY, sizeof operation->canary_after);
    operation->overlapped.hEvent = WSACreateEvent();
    CHECK_EQ_I64(
        spi.lpWSPRecv(s, &buffer, 1, NULL, &flags, &operation->overlapped, routine, &me, &error),
        SOCKET_ERROR);
    CHECK_EQ_I64(error, WSA_IO_PENDING);
    spoil(page + (offset == 0 ? 0 : PAGE));
    arrive_text(PORT, "meets no buffer");
}

SUITE_TEST(unmapped, buffer_gone_before_its_datagram_completes_with_fault) // A24 E11
{
    SOCKET s = open_socket(PORT), other = open_socket(OTHER_PORT);

    for (unsigned i = 0; i < 3 * sizeof ways / sizeof ways[0]; i++) {
        static struct operation operation;
        char *page = map_pages(2);
        /* The whole buffer, or only the second page that it lies on. */
        size_t offset = i % 2 == 0 ? 0 : PAGE - 4;

        memset(&operation, 0, sizeof operation);
        fault_on(s, &operation, page, offset, ways[i % 3], NULL);
        check_fault_reported(s, &operation);
        CHECK_EQ_U64(counters_of(s).faulted, i + 1);
        CHECK_EQ_U64(counters_of(s).received, 3 * i + 1);
        WSACloseEvent(operation.overlapped.hEvent);
        check_life_goes_on(s, other);
        munmap(page, 2 * PAGE);
    }
    CHECK_EQ_U64(counters_of(other).faulted, 0);
    CHECK_EQ_U64(counters_of(other).received, 9);
}

SUITE_TEST(unmapped, routine_is_told_of_the_fault) // A24 F06
{
    SOCKET s = open_socket(PORT), other = open_socket(OTHER_PORT);
    static struct operation operation;
    char *page = map_pages(2);

    fault_on(s, &operation, page, 0, unmap, note_completion);
    CHECK_EQ_U64(SleepEx(10000, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(operation.calls, 1);
    CHECK_EQ_U64(operation.error, WSAEFAULT);
    CHECK_EQ_U64(operation.bytes, 0);
    CHECK_EQ_PTR(operation.told, &operation.overlapped);
    check_ended(&operation, STATUS_FAULT, 0);
    check_life_goes_on(s, other);
    munmap(page, 2 * PAGE);
}

SUITE_TEST(unmapped, file_that_has_shrunk_completes_with_fault) // A24: SIGBUS
{
    SOCKET s = open_socket(PORT), other = open_socket(OTHER_PORT);
    static struct operation operation;
    int file = memfd_create("shrinks", 0);

    CHECK(file >= 0 && ftruncate(file, PAGE) == 0);
    char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    CHECK(page != MAP_FAILED);
    WSABUF buffer = {.len = 16, .buf = page};
    DWORD flags = 0;
    int error = 0;
    operation.overlapped.hEvent = WSACreateEvent();
    memset(operation.canary_before, CANARY, 64);
    memset(operation.canary_between, CANARY, 64);
    memset(operation.canary_after, CANARY, 64);
    memset(operation.data, CANARY, sizeof operation.data);
    spi.lpWSPRecv(s, &buffer, 1, NULL, &flags, &operation.overlapped, NULL, NULL, &error);
    CHECK_EQ_I64(error, WSA_IO_PENDING);
    CHECK_EQ_I64(ftruncate(file, 0), 0);
    arrive_text(PORT, "meets no file");
    check_fault_reported(s, &operation);
    check_life_goes_on(s, other);
    munmap(page, PAGE);
    close(file);
}

/* The event is the operation's own reference: it is set though the record of the result is gone. */
SUITE_TEST(unmapped, overlapped_gone_is_survived) // A24
{
    SOCKET s = open_socket(PORT), other = open_socket(OTHER_PORT);
    char *page = map_pages(1);
    WSAOVERLAPPED *overlapped = (WSAOVERLAPPED *)(void *)page;
    HANDLE event = WSACreateEvent();
    char room[16];
    WSABUF buffer = {.len = sizeof room, .buf = room};
    DWORD flags = 0;
    int error = 0;

    overlapped->hEvent = event;
    spi.lpWSPRecv(s, &buffer, 1, NULL, &flags, overlapped, NULL, NULL, &error);
    CHECK_EQ_I64(error, WSA_IO_PENDING);
    unmap_pages(page, 1);
    arrive_text(PORT, "delivered");
    CHECK_EQ_U64(WaitForSingleObject(event, 10000), WAIT_OBJECT_0);
    CHECK_EQ_MEM(room, "delivered", 9);
    check_life_goes_on(s, other);
}

SUITE_TEST(unmapped, source_address_gone_completes_with_fault) // A24
{
    SOCKET s = open_socket(PORT), other = open_socket(OTHER_PORT);
    static struct operation operation;
    char *page = map_pages(1);
    INT *fromlen = (INT *)(void *)(page + 128);
    DWORD flags = 0;
    int error = 0;

    *fromlen = 64;
    memset(operation.canary_before, CANARY, 64);
    memset(operation.canary_between, CANARY, 64);
    memset(operation.canary_after, CANARY, 64);
    operation.overlapped.hEvent = WSACreateEvent();
    operation.buffer = (WSABUF){.len = 16, .buf = operation.data};
    spi.lpWSPRecvFrom(s, &operation.buffer, 1, NULL, &flags, (struct sockaddr *)(void *)page,
                      fromlen, &operation.overlapped, NULL, NULL, &error);
    CHECK_EQ_I64(error, WSA_IO_PENDING);
    unmap_pages(page, 1);
    arrive_text(PORT, "from whom?");
    CHECK_EQ_U64(WaitForSingleObject(operation.overlapped.hEvent, 10000), WAIT_OBJECT_0);
    CHECK_EQ_U64(status_of(&operation), STATUS_FAULT);
    CHECK_EQ_I64(result_of(s, &operation, false).error, WSAEFAULT);
    check_canaries(&operation);
    check_life_goes_on(s, other);
}

/* A blocked receiver meets the fault itself, and the datagram stays. */
static void receive_into(struct runner *self)
{
    self->outcome = receive(self->s, self->argument, 16);
}

SUITE_TEST(unmapped, buffer_gone_under_a_blocked_receive_loses_nothing) // A09 A12
{
    SOCKET s = open_socket(PORT), other = open_socket(OTHER_PORT);
    static struct runner blocked;
    char *page = map_pages(1);
    char room[16];

    run(&blocked, receive_into, s, page);
    UNTIL(sleepers_of(s) == 1);
    unmap_pages(page, 1);
    arrive_text(PORT, "kept");
    finish(&blocked);
    CHECK_REFUSED(blocked.outcome, WSAEFAULT);
    CHECK_TEXT(receive(s, room, sizeof room), room, "kept");
    check_life_goes_on(s, other);
}

/* Hundreds of them at once, among receives whose memory is there. */
SUITE_TEST(unmapped, many_faults_among_good_receives_are_told_apart) // A24 C07 G08
{
    enum {
        COUNT = 256
    };
    SOCKET s = open_socket(PORT);
    WSAOVERLAPPED *overlapped = calloc(COUNT, sizeof *overlapped);
    char *pages = map_pages(COUNT);
    HANDLE last = WSACreateEvent();

    for (unsigned i = 0; i < COUNT; i++) {
        WSABUF buffer = {.len = 64, .buf = pages + i * PAGE};
        DWORD flags = 0;
        int error = 0;

        if (i == COUNT - 1)
            overlapped[i].hEvent = last;
        spi.lpWSPRecv(s, &buffer, 1, NULL, &flags, &overlapped[i], NULL, NULL, &error);
        CHECK_EQ_I64(error, WSA_IO_PENDING);
    }
    for (unsigned i = 0; i < COUNT; i++)
        if (i % 3 == 1)
            ways[i % 2](pages + i * PAGE);
    for (unsigned i = 0; i < COUNT; i++)
        arrive_filled(PORT, 64, i);
    CHECK_EQ_U64(WaitForSingleObject(last, 20000), WAIT_OBJECT_0);
    for (unsigned i = 0; i < COUNT; i++) {
        bool spoilt = i % 3 == 1;

        CHECK_EQ_U64(overlapped[i].Internal, spoilt ? STATUS_FAULT : 0);
        CHECK_EQ_U64(overlapped[i].InternalHigh, spoilt ? 0 : 64);
        if (!spoilt)
            CHECK(frame_is_filled(pages + i * PAGE, 64, i));
    }
    CHECK_EQ_U64(counters_of(s).faulted, COUNT / 3);
    CHECK_EQ_U64(counters_of(s).received, COUNT);
    munmap(pages, COUNT * PAGE);
    free(overlapped);
}
