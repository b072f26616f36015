/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPGetOverlappedResult: clauses E. */

#include "support/suite.h"

#include "harness.h"

SUITE_FIXTURE(result, open_quiet, close_all);

#define CHECK_FAILED(call, code)                     \
    do {                                             \
        struct outcome outcome_ = (call);            \
        CHECK_EQ_I64(outcome_.result, SOCKET_ERROR); \
        CHECK_EQ_I64(outcome_.error, code);          \
        CHECK_EQ_U64(outcome_.flags, UNTOUCHED);     \
    } while (0)

SUITE_TEST(result, needs_an_open_socket) // E01 E13
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;

    pend_event(s, &posted, 16);
    CHECK_FAILED(result_of(INVALID_SOCKET, &posted, false), WSAENOTSOCK);
    CHECK_FAILED(result_of(s + 4, &posted, false), WSAENOTSOCK);
    CHECK_FAILED(result_of(0, &posted, true), WSAENOTSOCK);
    arrive_text(PORT, "abc");
    CHECK_TEXT(result_of(s, &posted, false), posted.data, "abc");
    close_socket(s);
    CHECK_FAILED(result_of(s, &posted, false), WSAENOTSOCK);
    CHECK_FAILED(result_of(s, &posted, true), WSAENOTSOCK);
    check_ended(&posted, 0, 3); /* the result is in the OVERLAPPED still */
}

SUITE_TEST(result, of_a_pending_operation_is_incomplete) // E02
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;

    pend_event(s, &posted, 16);
    CHECK_FAILED(result_of(s, &posted, false), WSA_IO_INCOMPLETE);
    CHECK_EQ_U64(result_of(s, &posted, false).bytes, UNTOUCHED);
    arrive_text(PORT, "abc");
    CHECK_TEXT(result_of(s, &posted, false), posted.data, "abc");
}

static void wait_for_result(struct runner *self)
{
    self->outcome = result_of(self->s, self->argument, true);
}

static void check_waits(bool manual_reset)
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;
    static struct runner waiting;

    posted.overlapped.hEvent = CreateEventW(NULL, manual_reset, FALSE, NULL);
    pend(s, &posted, 16);
    run(&waiting, wait_for_result, s, &posted);
    Sleep(30);
    CHECK(!atomic_load(&waiting.ended));
    /* A late signal of an earlier use is not the end. */
    WSASetEvent(posted.overlapped.hEvent);
    Sleep(30);
    CHECK(!atomic_load(&waiting.ended));
    arrive_text(PORT, "abc");
    finish(&waiting);
    CHECK_TEXT(waiting.outcome, posted.data, "abc");
}

SUITE_TEST(result, waits_for_the_end) // E03
{
    check_waits(true);
}

SUITE_TEST(result, waits_on_an_auto_reset_event) // E03
{
    check_waits(false);
}

SUITE_TEST(result, wait_is_ended_by_close) // E03 E06 K02u
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;
    static struct runner waiting;

    posted.overlapped.hEvent = WSACreateEvent();
    pend(s, &posted, 16);
    run(&waiting, wait_for_result, s, &posted);
    Sleep(30);
    close_socket(s);
    finish(&waiting);
    CHECK_FAILED(waiting.outcome, WSA_OPERATION_ABORTED);
}

SUITE_TEST(result, of_a_success_has_count_and_flags) // E04 E10 E12
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;

    pend_event(s, &posted, 16);
    arrive_text(PORT, "abc");
    for (int i = 0; i < 3; i++) {
        CHECK_TEXT(result_of(s, &posted, i % 2), posted.data, "abc");
        CHECK(is_signalled(posted.overlapped.hEvent));
    }
    DWORD bytes = UNTOUCHED, flags = UNTOUCHED;
    WSASetLastError(WSAEINTR);
    CHECK(WSAGetOverlappedResult(s, &posted.overlapped, &bytes, TRUE, &flags));
    CHECK_EQ_I64(WSAGetLastError(), 0);
    CHECK_EQ_U64(bytes, 3);
    CHECK_EQ_U64(flags, 0);
}

SUITE_TEST(result, of_a_truncated_datagram_has_the_bytes_copied) // E05 E10
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;

    pend_event(s, &posted, 2);
    arrive_text(PORT, "abc");
    for (int i = 0; i < 3; i++) {
        CHECK_FAILED(result_of(s, &posted, i % 2), WSAEMSGSIZE);
        CHECK_EQ_U64(result_of(s, &posted, true).bytes, 2);
        CHECK(is_signalled(posted.overlapped.hEvent));
    }
}

static void post_and_exit(struct runner *self)
{
    pend_event(self->s, self->argument, 16);
}

SUITE_TEST(result, of_a_cancelled_operation_is_aborted) // E06 D05 K07
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;
    static struct runner poster;

    run(&poster, post_and_exit, s, &posted);
    finish(&poster);
    CHECK_FAILED(result_of(s, &posted, false), WSA_OPERATION_ABORTED);
    CHECK_FAILED(result_of(s, &posted, true), WSA_OPERATION_ABORTED);
    CHECK_EQ_U64(result_of(s, &posted, true).bytes, 0);
    check_ended(&posted, STATUS_CANCELLED, 0);
}

SUITE_TEST(result, needs_all_its_pointers) // E08
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;
    DWORD bytes, flags;
    int error = 0;
    char *page = map_pages(1);

    pend_event(s, &posted, 16);
    arrive_text(PORT, "abc");
    unmap_pages(page, 1);
    const struct {
        LPWSAOVERLAPPED overlapped;
        LPDWORD bytes, flags;
    } rows[] = {
        {NULL, &bytes, &flags},
        {&posted.overlapped, NULL, &flags},
        {&posted.overlapped, &bytes, NULL},
        {(LPWSAOVERLAPPED)(void *)page, &bytes, &flags},
        {&posted.overlapped, (LPDWORD)(void *)page, &flags},
        {&posted.overlapped, &bytes, (LPDWORD)(void *)page},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int wait = 0; wait < 2; wait++) {
            error = 0;
            CHECK_EQ_I64(spi.lpWSPGetOverlappedResult(s, rows[i].overlapped, rows[i].bytes, wait,
                                                      rows[i].flags, &error),
                         FALSE);
            CHECK_EQ_I64(error, WSAEFAULT);
        }
    CHECK_TEXT(result_of(s, &posted, true), posted.data, "abc");
}

SUITE_TEST(result, wait_needs_an_event) // E09
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;
    HANDLE closed = WSACreateEvent();

    pend(s, &posted, 16);
    CHECK_FAILED(result_of(s, &posted, true), WSA_INVALID_HANDLE);
    posted.overlapped.hEvent = (HANDLE)0x1234;
    CHECK_FAILED(result_of(s, &posted, true), WSA_INVALID_HANDLE);
    WSACloseEvent(closed);
    posted.overlapped.hEvent = closed;
    CHECK_FAILED(result_of(s, &posted, true), WSA_INVALID_HANDLE);
    posted.overlapped.hEvent = NULL;
    arrive_text(PORT, "abc");
    CHECK_TEXT(result_of(s, &posted, true), posted.data, "abc");
}

SUITE_TEST(result, maps_every_status) // E11 E12
{
    static const struct {
        uint32_t status;
        int error;
    } rows[] = {
        {0x00000000, 0},
        {0x00000001, 0}, /* any NT-success but PENDING (E12) */
        {0x00000102, 0},
        {0x00000103, WSA_IO_INCOMPLETE},
        {0x40000000, 0},
        {0x80000005, WSAEMSGSIZE},           /* BUFFER_OVERFLOW */
        {0xC0000120, WSA_OPERATION_ABORTED}, /* CANCELLED */
        {0xC0000005, WSAEFAULT},             /* ACCESS_VIOLATION */
        {0xC00000B0, WSAESHUTDOWN},          /* PIPE_DISCONNECTED */
        {0xC00000B5, WSAETIMEDOUT},          /* IO_TIMEOUT */
        {0xC000023F, WSAECONNRESET},         /* PORT_UNREACHABLE */
        {0xC000020D, WSAECONNRESET},         /* CONNECTION_RESET */
        {0xC000013C, WSAECONNRESET},         /* REMOTE_DISCONNECT */
        {0xC0000241, WSAECONNABORTED},       /* CONNECTION_ABORTED */
        {0xC000013B, WSAECONNABORTED},       /* LOCAL_DISCONNECT */
        {0xC0000237, WSAEDISCON},            /* GRACEFUL_DISCONNECT */
        {0xC0000240, WSAEINTR},              /* REQUEST_ABORTED */
        {0xC0000140, WSAENOTCONN},           /* INVALID_CONNECTION */
        {0xC000023C, WSAENETDOWN},           /* NETWORK_UNREACHABLE, D18 */
        {0xC0000001, WSAEINVAL},             /* what nobody knows */
        {0x80000001, WSAEINVAL},
        {0xffffffff, WSAEINVAL},
    };
    SOCKET s = open_socket(PORT);

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static struct operation made_up;

        made_up.overlapped.Internal = rows[i].status;
        made_up.overlapped.InternalHigh = 77;
        struct outcome outcome = result_of(s, &made_up, false);
        CHECK_MSG(rows[i].error == 0 ? outcome.result == 0 : outcome.error == rows[i].error,
                  "status %#x: result %d, error %d", rows[i].status, outcome.result, outcome.error);
        if (rows[i].status != STATUS_PENDING)
            CHECK_EQ_U64(outcome.bytes, 77);
    }
}

SUITE_TEST(result, wait_for_an_operation_with_a_routine_is_refused) // E14
{
    SOCKET s = open_socket(PORT);
    static struct operation first, posted;

    pend_event(s, &first, 16);
    posted.overlapped.hEvent = WSACreateEvent();
    pend_routine(s, &posted, 16);
    CHECK_FAILED(result_of(s, &posted, true), WSAEINVAL);
    CHECK_FAILED(result_of(s, &posted, false), WSA_IO_INCOMPLETE);
    arrive_text(PORT, "first");
    CHECK_TEXT(result_of(s, &first, true), first.data, "first");
    CHECK_FAILED(result_of(s, &posted, true), WSAEINVAL);
    arrive_text(PORT, "abc");
    CHECK_TEXT(result_of(s, &posted, false), posted.data, "abc");
    CHECK_EQ_U64(posted.calls, 0);
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(posted.calls, 1);
}
