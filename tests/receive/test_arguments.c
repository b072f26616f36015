/* SPDX-License-Identifier: BSD-3-Clause */

/* Arguments and the return contract of WSPRecv: clauses A, and what a refusal leaves alone. */

#include "support/suite.h"

#include "harness.h"

#include <limits.h>
#include <sys/mman.h>

#if !UNDER_THREAD_SANITIZER

SUITE_FIXTURE(arguments, open_quiet, close_all);

SUITE_TEST(arguments, success_returns_bytes_and_flags) // A01 H11 H14
{
    SOCKET s = open_socket(PORT);
    char room[16];

    arrive_text(PORT, "hello");
    arrive_text(PORT, "world");
    CHECK_TEXT(receive(s, room, sizeof room), room, "hello");
    CHECK_TEXT(receive_flags(s, room, sizeof room, MSG_PUSH_IMMEDIATE), room, "world");
}

SUITE_TEST(arguments, api_shows_no_error_after_success) // A02
{
    SOCKET s = open_socket(PORT);
    char room[16];
    WSABUF buffer = {.len = sizeof room, .buf = room};
    DWORD bytes = 0, flags = 0;

    set_nonblocking(s, true);
    CHECK_EQ_I64(WSARecv(s, &buffer, 1, &bytes, &flags, NULL, NULL), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAEWOULDBLOCK);
    arrive_text(PORT, "x");
    CHECK_EQ_I64(WSARecv(s, &buffer, 1, &bytes, &flags, NULL, NULL), 0);
    CHECK_EQ_I64(WSAGetLastError(), 0);
    WSASetLastError(WSAEINTR);
    arrive_text(PORT, "yz");
    CHECK_EQ_I64(recv(s, room, sizeof room, 0), 2);
    CHECK_EQ_I64(WSAGetLastError(), 0);
    CHECK_EQ_I64(recv(s, room, -1, 0), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAEINVAL);
}

SUITE_TEST(arguments, pending_is_followed_by_exactly_one_indication) // A03 A13
{
    SOCKET s = open_socket(PORT);
    static struct operation evented, routine;

    pend_event(s, &evented, 16);
    pend_routine(s, &routine, 16);
    CHECK_EQ_U64(evented.started.bytes, UNTOUCHED);
    CHECK_EQ_U64(routine.started.bytes, UNTOUCHED);
    CHECK_EQ_U64(evented.started.flags, 0);
    for (int i = 0; i < 4; i++)
        arrive_text(PORT, "abc");
    check_completed(&evented, "abc");
    WSAResetEvent(evented.overlapped.hEvent);
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(SleepEx(0, TRUE), 0);
    CHECK_EQ_U64(routine.calls, 1);
    arrive_text(PORT, "abc");
    CHECK(!is_signalled(evented.overlapped.hEvent));
    CHECK_EQ_U64(SleepEx(0, TRUE), 0);
    CHECK_EQ_U64(counters_of(s).queued, 3);
}

SUITE_TEST(arguments, pending_writes_neither_count_nor_flags) // A13
{
    SOCKET s = open_socket(PORT);
    static struct operation operation;

    CHECK_EQ_I64(post_with(s, &operation, 16, MSG_PUSH_IMMEDIATE, NULL), WSA_IO_PENDING);
    arrive_text(PORT, "abc");
    check_completed(&operation, "abc");
    CHECK_EQ_U64(operation.started.bytes, UNTOUCHED);
    CHECK_EQ_U64(operation.started.flags, MSG_PUSH_IMMEDIATE);
}

/* --- refusals start nothing ----------------------------------------------------------------------- */

/* One call with everything right but what its maker spoils. */
struct attempt {
    SOCKET s;
    WSABUF buffer, *buffers;
    DWORD count;
    LPDWORD flags;
    DWORD flags_in;
    WSAOVERLAPPED overlapped;
    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine;
    LPWSATHREADID thread;
    WSATHREADID me;
};

static unsigned routines_run;

static void CALLBACK count_routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped,
                                   DWORD flags)
{
    (void)error;
    (void)bytes;
    (void)overlapped;
    (void)flags;
    routines_run++;
}

static char *unwritable;

static void no_buffers(struct attempt *a)
{
    a->count = 0;
}
static void no_flags(struct attempt *a)
{
    a->flags = NULL;
}
static void unreadable_flags(struct attempt *a)
{
    a->flags = (LPDWORD)(void *)unwritable;
}
static void unknown_flags(struct attempt *a)
{
    a->flags_in = 0x40;
}
static void peek(struct attempt *a)
{
    a->flags_in = MSG_PEEK;
}
static void out_of_band(struct attempt *a)
{
    a->flags_in = MSG_OOB;
}
static void partial(struct attempt *a)
{
    a->flags_in = MSG_PARTIAL;
}
static void wait_all(struct attempt *a)
{
    a->flags_in = MSG_WAITALL;
}
static void unwritable_room(struct attempt *a)
{
    a->buffer.buf = unwritable;
}
static void half_unwritable_room(struct attempt *a)
{
    a->buffer.buf = unwritable - 8;
}
static void null_room(struct attempt *a)
{
    a->buffer.buf = NULL;
}
static void kernel_room(struct attempt *a)
{
    a->buffer.buf = (char *)0xffffffff80000000u;
}
static void noncanonical_room(struct attempt *a)
{
    a->buffer.buf = (char *)0x8000000000000000u;
}
static void wrapping_room(struct attempt *a)
{
    a->buffer.buf = (char *)UINTPTR_MAX - 3;
}
static void no_array(struct attempt *a)
{
    a->buffers = NULL;
}
static void unreadable_array(struct attempt *a)
{
    a->buffers = (WSABUF *)(void *)unwritable;
}
static void half_unreadable_array(struct attempt *a)
{
    a->buffers = (WSABUF *)(void *)unwritable - 1;
    *a->buffers = a->buffer;
    a->count = 2;
}
static void what_is_no_event(struct attempt *a)
{
    a->overlapped.hEvent = (HANDLE)0x1234;
}
static void null_thread(struct attempt *a)
{
    a->thread = NULL;
}
static void unreadable_thread(struct attempt *a)
{
    a->thread = (LPWSATHREADID)(void *)unwritable;
}
static void what_is_no_thread(struct attempt *a)
{
    a->me.ThreadHandle = (HANDLE)0x1234;
}
static void not_overlapped(struct attempt *a)
{
    a->s = WSASocketW(AF_INET, SOCK_DGRAM, 0, NULL, 0, 0);
    struct sockaddr_in name = address_of(0, OTHER_PORT);
    CHECK_EQ_I64(bind(a->s, (struct sockaddr *)&name, sizeof name), 0);
}
static void unbound(struct attempt *a)
{
    a->s = make_socket();
}
static void no_socket(struct attempt *a)
{
    a->s = make_socket();
    close_socket(a->s);
}

static const struct {
    void (*spoil)(struct attempt *);
    int error;
    bool with_routine;
} refusals[] = {
    {no_buffers, WSAEINVAL, false},                /* A11 */
    {no_flags, WSAEFAULT, false},                  /* A10 */
    {unreadable_flags, WSAEFAULT, false},          /* A10 */
    {unknown_flags, WSAEINVAL, false},             /* A14 */
    {peek, WSAEOPNOTSUPP, false},                  /* H03 */
    {peek, WSAEOPNOTSUPP, true},                   /* H03 */
    {out_of_band, WSAEOPNOTSUPP, false},           /* H05 */
    {partial, WSAEOPNOTSUPP, false},               /* H16 */
    {wait_all, WSAEOPNOTSUPP, false},              /* H13b */
    {unwritable_room, WSAEFAULT, false},           /* A09b */
    {unwritable_room, WSAEFAULT, true},            /* A09b */
    {half_unwritable_room, WSAEFAULT, false},      /* A09b */
    {null_room, WSAEFAULT, false},                 /* A09b */
    {kernel_room, WSAEFAULT, false},               /* A09b */
    {noncanonical_room, WSAEFAULT, false},         /* A09b */
    {wrapping_room, WSAEFAULT, false},             /* A09b */
    {no_array, WSAEFAULT, false},                  /* A23 */
    {unreadable_array, WSAEFAULT, false},          /* A23 */
    {half_unreadable_array, WSAEFAULT, false},     /* A23 */
    {what_is_no_event, WSA_INVALID_HANDLE, false}, /* D17 */
    {null_thread, WSAEFAULT, true},                /* A22 */
    {unreadable_thread, WSAEFAULT, true},          /* A22 */
    {what_is_no_thread, WSAEINVAL, true},          /* A22 */
    {not_overlapped, WSAEINVAL, false},            /* P01 */
    {not_overlapped, WSAEINVAL, true},             /* P01 */
    {unbound, WSAEINVAL, false},                   /* A17 */
    {no_socket, WSAENOTSOCK, false},               /* A05 */
    {no_socket, WSAENOTSOCK, true},                /* A05 */
};

/* The datagram of each round waits while the call is refused, and is the next call's. */
SUITE_TEST(arguments, refused_operation_starts_nothing) // A04 A05 A09b A10 A11 A12 A14 A17 A22
                                                        // A23 C04 D15 D17 H03 H05 H13b H16 P01
{
    SOCKET s = open_socket(PORT);
    HANDLE event = WSACreateEvent();
    char *pages = map_pages(2);
    char room[16];

    protect_pages(pages + PAGE, 1, PROT_NONE);
    unwritable = pages + PAGE;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct attempt a = {.s = s, .buffer = {sizeof room, room}, .count = 1};
        DWORD bytes = UNTOUCHED;
        int error = (int)UNTOUCHED;

        a.buffers = &a.buffer;
        a.flags = &a.flags_in;
        a.routine = refusals[i].with_routine ? count_routine : NULL;
        a.thread = &a.me;
        CHECK_EQ_I64(WPUOpenCurrentThread(&a.me, &error), 0);
        a.overlapped = (WSAOVERLAPPED){.Internal = 11, .InternalHigh = 22, .hEvent = event};
        a.overlapped.Offset = 33;
        WSAResetEvent(event);
        memset(room, CANARY, sizeof room);
        refusals[i].spoil(&a);
        arrive_text(PORT, "for the next call");
        int result = spi.lpWSPRecv(a.s, a.buffers, a.count, &bytes, a.flags, &a.overlapped,
                                   a.routine, a.thread, &error);
        CHECK_MSG(result == SOCKET_ERROR && error == refusals[i].error,
                  "refusal %zu: result %d, error %d", i, result, error);
        CHECK_EQ_U64(bytes, UNTOUCHED);
        CHECK_EQ_U64((uint8_t)room[0], CANARY);
        CHECK_EQ_U64(a.overlapped.Internal, 11);
        CHECK_EQ_U64(a.overlapped.InternalHigh, 22);
        CHECK_EQ_U64(a.overlapped.Offset, 33);
        CHECK(!is_signalled(event));
        CHECK_EQ_U64(SleepEx(0, TRUE), 0);
        CHECK_EQ_U64(routines_run, 0);
        char next[32];
        CHECK_TEXT(receive(s, next, sizeof next), next, "for the next call");
        arrive_text(PORT, "x"); /* would complete what had been started */
        CHECK_TEXT(receive(s, next, sizeof next), next, "x");
        CHECK(!is_signalled(event));
        if (a.s != s && refusals[i].error != WSAENOTSOCK)
            close_socket(a.s);
    }
    unmap_pages(pages, 2);
}

/* --- one by one ------------------------------------------------------------------------------------- */

SUITE_TEST(arguments, what_is_no_socket_is_refused) // A05 A12
{
    SOCKET s = open_socket(PORT), other = make_socket();
    char room[16] = "untouched";
    const SOCKET strangers[] = {
        0,
        INVALID_SOCKET,
        1,
        2,
        3,
        4,
        s + 1,
        s + 2,
        s + 4 * 77,
        s ^ 1 << 20,
        s + (1ull << 40),
        s | 1ull << 63,
        0xe100000000000004u,
    };

    arrive_text(PORT, "kept");
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++)
        CHECK_REFUSED(receive(strangers[i], room, sizeof room), WSAENOTSOCK);
    close_socket(other);
    CHECK_REFUSED(receive(other, room, sizeof room), WSAENOTSOCK);
    CHECK_EQ_STR(room, "untouched");
    CHECK_TEXT(receive(s, room, sizeof room), room, "kept");
}

/* Programs that keep a SOCKET in an int work on Windows; a handle with any bit changed is none. */
SUITE_TEST(arguments, handles_fit_an_int_and_bent_ones_are_none) // A05
{
    SOCKET s = open_socket(PORT);
    char room[16];

    CHECK(s != 0 && s <= INT_MAX);
    CHECK_EQ_U64(s % 4, 0);
    for (unsigned bit = 0; bit < 64; bit++) {
        arrive_text(PORT, "stays");
        CHECK_REFUSED(receive(s ^ (SOCKET)1 << bit, room, sizeof room), WSAENOTSOCK);
        CHECK_TEXT(receive(s, room, sizeof room), room, "stays");
    }
}

SUITE_TEST(arguments, count_may_be_missing_only_with_an_overlapped) // A07 A08
{
    SOCKET s = open_socket(PORT);
    char room[16];
    WSABUF buffer = {.len = sizeof room, .buf = room};
    WSAOVERLAPPED overlapped = {.Internal = 0};
    DWORD flags = 0;
    int error = 0;

    arrive_text(PORT, "abc");
    CHECK_EQ_I64(spi.lpWSPRecv(s, &buffer, 1, NULL, &flags, NULL, NULL, NULL, &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT);
    CHECK_EQ_U64(counters_of(s).queued, 1);
    CHECK_EQ_I64(spi.lpWSPRecv(s, &buffer, 1, NULL, &flags, &overlapped, NULL, NULL, &error), 0);
    CHECK_EQ_U64(overlapped.InternalHigh, 3);
    CHECK_EQ_I64(spi.lpWSPRecv(s, &buffer, 1, NULL, &flags, &overlapped, NULL, NULL, &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSA_IO_PENDING);
    arrive_text(PORT, "abcd");
    CHECK_EQ_U64(overlapped.Internal, 0);
    CHECK_EQ_U64(overlapped.InternalHigh, 4);
}

/* A datagram is never lost to a bad pointer: nothing is taken before everything is written. */
SUITE_TEST(arguments, unwritable_memory_is_refused_and_loses_nothing) // A09 A12
{
    SOCKET s = open_socket(PORT);
    char *pages = map_pages(3);
    char *gone = pages + PAGE;
    char *const bad[] = {gone,
                         gone - 2, /* its first bytes could be written */
                         pages + 2 * PAGE,
                         NULL,
                         (char *)1,
                         (char *)0xffffffff80000000u,
                         (char *)0x8000000000000000u,
                         (char *)UINTPTR_MAX - 3};
    char room[16];

    unmap_pages(gone, 1);
    protect_pages(pages + 2 * PAGE, 1, PROT_READ);
    arrive_text(PORT, "survives");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        WSABUF second[2] = {{4, room}, {16, bad[i]}};

        CHECK_REFUSED(receive(s, bad[i], 16), WSAEFAULT);
        CHECK_REFUSED(receive_flags(s, bad[i], 16, MSG_PEEK), WSAEFAULT);
        CHECK_REFUSED(receive_buffers(s, second, 2, 0), WSAEFAULT);
    }
    CHECK_TEXT(receive(s, room, sizeof room), room, "survives");
    CHECK_EQ_U64(counters_of(s).received, 1);
    CHECK_EQ_U64(counters_of(s).faulted, 0);
    unmap_pages(pages, 1);
    unmap_pages(pages + 2 * PAGE, 1);
}

SUITE_TEST(arguments, unwritable_results_are_refused_and_lose_nothing) // A09 A10
{
    SOCKET s = open_socket(PORT);
    char *page = map_pages(1);
    DWORD *read_only = (DWORD *)(void *)page;
    char room[16];
    WSABUF buffer = {.len = sizeof room, .buf = room};
    DWORD bytes, flags = 0;
    int error = 0;

    protect_pages(page, 1, PROT_READ); /* flags of 0 can be read there */
    arrive_text(PORT, "survives");
    CHECK_EQ_I64(spi.lpWSPRecv(s, &buffer, 1, read_only, &flags, NULL, NULL, NULL, &error), -1);
    CHECK_EQ_I64(error, WSAEFAULT);
    CHECK_EQ_I64(spi.lpWSPRecv(s, &buffer, 1, &bytes, read_only, NULL, NULL, NULL, &error), -1);
    CHECK_EQ_I64(error, WSAEFAULT);
    error = 0;
    CHECK_EQ_I64(spi.lpWSPRecv(s, &buffer, 1, &bytes, NULL, NULL, NULL, NULL, &error), -1);
    CHECK_EQ_I64(error, WSAEFAULT);
    CHECK_TEXT(receive(s, room, sizeof room), room, "survives");
    unmap_pages(page, 1);
}

SUITE_TEST(arguments, no_buffers_are_refused) // A11 A12
{
    SOCKET s = open_socket(PORT);
    char room[16];
    WSABUF buffer = {.len = sizeof room, .buf = room};

    arrive_text(PORT, "kept");
    CHECK_REFUSED(receive_buffers(s, &buffer, 0, 0), WSAEINVAL);
    CHECK_REFUSED(receive_buffers(s, NULL, 0, 0), WSAEINVAL);
    CHECK_TEXT(receive(s, room, sizeof room), room, "kept");
}

SUITE_TEST(arguments, every_unknown_flag_is_refused) // A14
{
    const DWORD known = MSG_PEEK | MSG_OOB | MSG_PARTIAL | MSG_PUSH_IMMEDIATE | MSG_WAITALL;
    SOCKET s = open_socket(PORT);
    char room[16];

    arrive_text(PORT, "kept");
    for (unsigned bit = 0; bit < 32; bit++) {
        DWORD flag = (DWORD)1 << bit;

        if ((flag & known) == 0)
            CHECK_REFUSED(receive_flags(s, room, sizeof room, flag), WSAEINVAL);
    }
    CHECK_TEXT(receive(s, room, sizeof room), room, "kept");
}

SUITE_TEST(arguments, unbound_socket_cannot_receive) // A17
{
    SOCKET s = make_socket();
    static struct operation operation;
    char room[16];

    CHECK_REFUSED(receive(s, room, sizeof room), WSAEINVAL);
    CHECK_EQ_I64(post_event(s, &operation, 16), WSAEINVAL);
    set_nonblocking(s, true);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEINVAL);
}

SUITE_TEST(arguments, missing_error_pointer_fails_and_starts_nothing) // A21
{
    SOCKET s = open_socket(PORT);
    char room[16];
    WSABUF buffer = {.len = sizeof room, .buf = room};
    WSAOVERLAPPED overlapped = {.Internal = 11, .hEvent = WSACreateEvent()};
    DWORD bytes = UNTOUCHED, flags = 0;

    arrive_text(PORT, "kept");
    CHECK_EQ_I64(spi.lpWSPRecv(s, &buffer, 1, &bytes, &flags, NULL, NULL, NULL, NULL), -1);
    CHECK_EQ_I64(spi.lpWSPRecv(s, &buffer, 1, &bytes, &flags, &overlapped, NULL, NULL, NULL), -1);
    CHECK_EQ_I64(
        spi.lpWSPRecvFrom(s, &buffer, 1, &bytes, &flags, NULL, NULL, &overlapped, NULL, NULL, NULL),
        -1);
    CHECK_EQ_U64(bytes, UNTOUCHED);
    CHECK_EQ_U64(overlapped.Internal, 11);
    CHECK(!is_signalled(overlapped.hEvent));
    /* Elsewhere, too, it costs the code and nothing else. */
    CHECK_EQ_I64(spi.lpWSPBind(s, NULL, 0, NULL), -1);
    CHECK_EQ_I64(spi.lpWSPGetOverlappedResult(s, NULL, NULL, FALSE, NULL, NULL), FALSE);
    CHECK_EQ_I64(spi.lpWSPListen(s, 1, NULL), -1);
    CHECK_TEXT(receive(s, room, sizeof room), room, "kept");
}

static void do_nothing(struct runner *self)
{
    (void)self;
}

SUITE_TEST(arguments, routine_needs_a_living_thread) // A22
{
    SOCKET s = open_socket(PORT);
    static struct operation operation;
    static struct runner gone;
    DWORD flags = 0;
    int error = 0;

    run(&gone, do_nothing, s, NULL);
    finish(&gone);
    operation.buffer = (WSABUF){sizeof operation.data, operation.data};
    operation.overlapped.Internal = 11;
    CHECK_EQ_I64(spi.lpWSPRecv(s, &operation.buffer, 1, NULL, &flags, &operation.overlapped,
                               note_completion, &gone.id, &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEINVAL);
    CHECK_EQ_I64(spi.lpWSPRecv(s, &operation.buffer, 1, NULL, &flags, &operation.overlapped,
                               note_completion, NULL, &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEFAULT);
    CHECK_EQ_U64(operation.overlapped.Internal, 11);
    arrive_text(PORT, "kept");
    CHECK_EQ_U64(counters_of(s).queued, 1);
}

SUITE_TEST(arguments, unreadable_array_is_refused_and_loses_nothing) // A23
{
    SOCKET s = open_socket(PORT);
    char *pages = map_pages(2);
    WSABUF *last = (WSABUF *)(void *)(pages + PAGE) - 1;
    char room[16];

    unmap_pages(pages + PAGE, 1);
    *last = (WSABUF){.len = 2, .buf = room};
    arrive_text(PORT, "survives");
    CHECK_REFUSED(receive_buffers(s, NULL, 1, 0), WSAEFAULT);
    CHECK_REFUSED(receive_buffers(s, last + 1, 1, 0), WSAEFAULT);
    CHECK_REFUSED(receive_buffers(s, last, 2, 0), WSAEFAULT);
    CHECK_REFUSED(receive_buffers(s, last, UINT32_MAX, 0), WSAEFAULT);
    CHECK_REFUSED(receive_buffers(s, (WSABUF *)0x8000000000000000u, 1, 0), WSAEFAULT);
    CHECK_TEXT(receive(s, room, sizeof room), room, "survives");
    unmap_pages(pages, 1);
}

#endif
