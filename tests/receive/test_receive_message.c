/* SPDX-License-Identifier: BSD-3-Clause */

/* WSARecvMsg and the receive times that it and wirerx_last_receive_time() tell. */

#include "support/suite.h"

#include "harness.h"
#include "overlapped_status.h"
#include "wirerx/mswsock.h"

#include <time.h>

#if !UNDER_THREAD_SANITIZER

SUITE_FIXTURE(receive_message, open_quiet, close_all);

static INT(WINAPI *receive_message)(SOCKET s, LPWSAMSG message, LPDWORD bytes,
                                    LPWSAOVERLAPPED overlapped,
                                    LPWSAOVERLAPPED_COMPLETION_ROUTINE routine);

/* A message with everything it may touch. */
struct message {
    char data[64];
    struct sockaddr_in source;
    _Alignas(WSACMSGHDR) CHAR control[256];
    WSABUF buffer;
    WSAMSG message;
    DWORD bytes;
    WSAOVERLAPPED overlapped;
};

static void prepare(struct message *m, DWORD control_bytes)
{
    memset(m, CANARY, sizeof *m);
    m->buffer = (WSABUF){sizeof m->data, m->data};
    m->message = (WSAMSG){
        .name = (LPSOCKADDR)&m->source,
        .namelen = sizeof m->source,
        .lpBuffers = &m->buffer,
        .dwBufferCount = 1,
        .Control = {control_bytes, m->control},
    };
    m->bytes = UNTOUCHED;
    memset(&m->overlapped, 0, sizeof m->overlapped);
}

static int set_timestamping(SOCKET s, ULONG flags)
{
    TIMESTAMPING_CONFIG config = {.Flags = flags};

    return control(s, SIO_TIMESTAMPING, &config, sizeof config, NULL, 0, &(DWORD){0});
}

/* A bound socket, and WSARecvMsg. */
static SOCKET open_with(bool timestamping, bool note_time)
{
    GUID guid = WSAID_WSARECVMSG;
    SOCKET s = open_socket(PORT);

    CHECK_EQ_I64(control(s, SIO_GET_EXTENSION_FUNCTION_POINTER, &guid, sizeof guid,
                         &receive_message, sizeof receive_message, &(DWORD){0}),
                 0);
    if (timestamping)
        CHECK_EQ_I64(set_timestamping(s, TIMESTAMPING_FLAG_RX), 0);
    if (note_time)
        CHECK_EQ_I64(set_option(s, SO_WIRERX_TIME, TRUE), 0);
    set_nonblocking(s, true);
    return s;
}

/* @return 0 or the error */
static int receive_into(SOCKET s, struct message *m)
{
    WSASetLastError(UNTOUCHED);
    return receive_message(s, &m->message, &m->bytes, NULL, NULL) == 0 ? 0 : WSAGetLastError();
}

/* The data of its control message of this type; NULL: there is none. */
static const void *find(struct message *m, INT type, size_t bytes)
{
    for (LPWSACMSGHDR at = WSA_CMSG_FIRSTHDR(&m->message); at != NULL;
         at = WSA_CMSG_NXTHDR(&m->message, at))
        if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == type) {
            CHECK_EQ_U64(at->cmsg_len, WSA_CMSG_LEN(bytes));
            return WSA_CMSG_DATA(at);
        }
    return NULL;
}

static void check_arrived(const struct message *m, const char *text)
{
    struct sockaddr_in from = address_of(SENDER, SENDER_PORT);

    CHECK_EQ_U64(m->bytes, strlen(text));
    CHECK_EQ_MEM(m->data, text, strlen(text));
    CHECK_EQ_U64((uint8_t)m->data[strlen(text)], CANARY); /* G10 */
    CHECK_EQ_I64(m->message.namelen, sizeof from);
    CHECK_EQ_MEM(&m->source, &from, sizeof from);
}

SUITE_TEST(receive_message, without_a_wish_there_is_no_control_message) /* A01 I06 */
{
    SOCKET s = open_with(false, false);
    struct message m;

    prepare(&m, sizeof m.control);
    arrive_text(PORT, "abc");
    CHECK_EQ_I64(receive_into(s, &m), 0);
    check_arrived(&m, "abc");
    CHECK_EQ_U64(m.message.Control.len, 0);
    CHECK_EQ_U64(m.message.dwFlags, 0);
    CHECK_EQ_U64((uint8_t)m.control[0], CANARY);
    prepare(&m, 0);
    m.message.Control.buf = NULL;
    m.message.name = NULL;
    arrive_text(PORT, "de");
    CHECK_EQ_I64(receive_into(s, &m), 0);
    CHECK_EQ_U64(m.bytes, 2);
    CHECK_EQ_U64(m.message.dwFlags, 0);
}

SUITE_TEST(receive_message, a_timestamp_comes_as_on_windows) /* SIO_TIMESTAMPING SO_TIMESTAMP */
{
    SOCKET s = open_with(true, false);
    uint64_t before, stamp;
    struct message m;

    for (unsigned i = 0; i < 3; i++) {
        prepare(&m, sizeof m.control);
        before = dataplane_tsc();
        arrive_text(PORT, "abc");
        CHECK_EQ_I64(receive_into(s, &m), 0);
        check_arrived(&m, "abc");
        CHECK_EQ_U64(m.message.Control.len, WSA_CMSG_SPACE(sizeof stamp));
        const void *data = find(&m, SO_TIMESTAMP, sizeof stamp);
        CHECK(data != NULL);
        memcpy(&stamp, data, sizeof stamp);
        CHECK_GE_U64(stamp, before);
        CHECK_LE_U64(stamp, dataplane_tsc());
        CHECK_EQ_U64((uint8_t)m.control[m.message.Control.len], CANARY);
    }
    CHECK_EQ_I64(set_timestamping(s, 0), 0);
    prepare(&m, sizeof m.control);
    arrive_text(PORT, "abc");
    CHECK_EQ_I64(receive_into(s, &m), 0);
    CHECK_EQ_U64(m.message.Control.len, 0);
}

static int64_t realtime(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void check_time(const struct wirerx_receive_time *time, int64_t before)
{
    CHECK_EQ_U64(time->source, WIRERX_TIME_BURST);
    CHECK_EQ_U64(time->reserved, 0);
    CHECK(time->nanoseconds + (int64_t)time->error_ns >= before);
    CHECK(time->nanoseconds - (int64_t)time->error_ns <= realtime());
    CHECK_LE_U64(time->error_ns, 100000000);
    CHECK_LE_U64(time->burst_tsc, dataplane_tsc());
}

SUITE_TEST(receive_message, both_times_come_beside_each_other) /* SO_WIRERX_TIME */
{
    SOCKET s = open_with(true, true);
    struct wirerx_receive_time time, same, last;
    struct message m;
    uint64_t stamp;

    prepare(&m, sizeof m.control);
    int64_t before = realtime();
    arrive_text(PORT, "abc");
    CHECK_EQ_I64(receive_into(s, &m), 0);
    CHECK_EQ_U64(m.message.Control.len, WSA_CMSG_SPACE(sizeof stamp) + WSA_CMSG_SPACE(sizeof time));
    memcpy(&stamp, find(&m, SO_TIMESTAMP, sizeof stamp), sizeof stamp);
    memcpy(&time, find(&m, SO_WIRERX_TIME, sizeof time), sizeof time);
    check_time(&time, before);
    CHECK_EQ_U64(time.burst_tsc, stamp);
    CHECK_EQ_I64(wirerx_last_receive_time(&last), 0);
    CHECK_EQ_U64(last.burst_tsc, stamp);
    CHECK_EQ_I64(wirerx_wall_time(stamp, &same), 0);
    CHECK_EQ_U64(same.burst_tsc, stamp);
    CHECK_EQ_U64(same.source, WIRERX_TIME_BURST);
    check_time(&same, before);
    CHECK_EQ_I64(wirerx_wall_time(stamp, NULL), WSAEFAULT);
}

SUITE_TEST(receive_message, room_for_less_is_told_by_a_flag) /* MSG_CTRUNC */
{
    SOCKET s = open_with(true, true);
    const DWORD first = WSA_CMSG_LEN(sizeof(uint64_t)),
                both = WSA_CMSG_SPACE(sizeof(uint64_t)) +
                       WSA_CMSG_LEN(sizeof(struct wirerx_receive_time));
    static const DWORD none = 0;

    for (DWORD room = none; room <= both + 8; room++) {
        struct message m;

        prepare(&m, room);
        arrive_text(PORT, "abc");
        CHECK_EQ_I64(receive_into(s, &m), 0);
        check_arrived(&m, "abc"); /* it is received all the same */
        CHECK_EQ_U64(m.message.dwFlags, room < both ? MSG_CTRUNC : 0);
        CHECK_LE_U64(m.message.Control.len, room);
        CHECK_EQ_U64((uint8_t)m.control[room], CANARY);
        CHECK((m.message.Control.len >= first) == (room >= first));
        if (room >= first)
            CHECK(find(&m, SO_TIMESTAMP, sizeof(uint64_t)) != NULL);
        if (room >= both)
            CHECK(find(&m, SO_WIRERX_TIME, sizeof(struct wirerx_receive_time)) != NULL);
    }
}

SUITE_TEST(receive_message, a_message_that_is_cut_says_so) /* I01 I02 */
{
    SOCKET s = open_with(true, false);
    struct message m;

    prepare(&m, sizeof m.control);
    m.buffer.len = 4;
    arrive_text(PORT, "too large");
    CHECK_EQ_I64(receive_into(s, &m), WSAEMSGSIZE);
    CHECK_EQ_U64(m.bytes, 4);
    CHECK_EQ_MEM(m.data, "too ", 4);
    CHECK_EQ_U64(m.message.dwFlags, MSG_TRUNC);
    CHECK(find(&m, SO_TIMESTAMP, sizeof(uint64_t)) != NULL);
    prepare(&m, sizeof m.control);
    CHECK_EQ_I64(receive_into(s, &m), WSAEWOULDBLOCK); /* the rest is lost */
    CHECK_EQ_U64(m.bytes, UNTOUCHED);
    CHECK_EQ_U64(m.message.Control.len, sizeof m.control);
}

SUITE_TEST(receive_message,
           a_groups_and_a_broadcasts_datagrams_are_told_apart) /* MSG_MCAST MSG_BCAST */
{
    SOCKET s = open_with(false, false);
    struct message m;

    CHECK_EQ_I64(join(s, THE_GROUP), 0);
    prepare(&m, sizeof m.control);
    arrive_at(THE_GROUP, PORT, "abc");
    CHECK_EQ_I64(receive_into(s, &m), 0);
    CHECK_EQ_U64(m.message.dwFlags, MSG_MCAST);
    arrive_at(FRAME_IP(255, 255, 255, 255), PORT, "abc"); /* with the flags as they are left */
    CHECK_EQ_I64(receive_into(s, &m), 0);
    CHECK_EQ_U64(m.message.dwFlags, MSG_BCAST);
    arrive_text(PORT, "abc");
    CHECK_EQ_I64(receive_into(s, &m), 0);
    CHECK_EQ_U64(m.message.dwFlags, 0);
}

SUITE_TEST(receive_message, peeking_leaves_it) /* H01 A14 */
{
    SOCKET s = open_with(true, false);
    struct message m;

    arrive_text(PORT, "abc");
    for (unsigned i = 0; i < 3; i++) {
        prepare(&m, sizeof m.control);
        m.message.dwFlags = i < 2 ? MSG_PEEK : 0;
        CHECK_EQ_I64(receive_into(s, &m), 0);
        check_arrived(&m, "abc");
        CHECK(find(&m, SO_TIMESTAMP, sizeof(uint64_t)) != NULL);
    }
    prepare(&m, sizeof m.control);
    CHECK_EQ_I64(receive_into(s, &m), WSAEWOULDBLOCK);
    m.message.dwFlags = 0x40000000;
    CHECK_EQ_I64(receive_into(s, &m), WSAEINVAL);
}

SUITE_TEST(receive_message, memory_that_is_not_there_loses_nothing) /* A09 A23 I08 */
{
    SOCKET s = open_with(true, true);
    char *page = map_pages(1);
    struct message m;

    unmap_pages(page, 1);
    arrive_text(PORT, "abc");
    CHECK_EQ_I64(receive_message(s, NULL, &m.bytes, NULL, NULL), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAEFAULT);
    CHECK_EQ_I64(receive_message(s, (LPWSAMSG)page, &m.bytes, NULL, NULL), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAEFAULT);
    prepare(&m, 128);
    m.message.Control.buf = page;
    CHECK_EQ_I64(receive_into(s, &m), WSAEFAULT);
    prepare(&m, sizeof m.control);
    m.message.lpBuffers = (LPWSABUF)page;
    CHECK_EQ_I64(receive_into(s, &m), WSAEFAULT);
    prepare(&m, sizeof m.control);
    m.message.name = (LPSOCKADDR)page;
    CHECK_EQ_I64(receive_into(s, &m), WSAEFAULT);
    prepare(&m, sizeof m.control);
    m.message.namelen = 15;
    CHECK_EQ_I64(receive_into(s, &m), WSAEFAULT);
    prepare(&m, sizeof m.control);
    m.message.dwBufferCount = 0;
    CHECK_EQ_I64(receive_into(s, &m), WSAEINVAL); /* A11 */
    prepare(&m, sizeof m.control);
    CHECK_EQ_I64(receive_into(s, &m), 0);
    check_arrived(&m, "abc");
}

SUITE_TEST(receive_message, an_error_of_something_sent_is_told_without_a_datagram) /* I12 */
{
    SOCKET s = open_with(true, true);
    struct message m;

    prepare(&m, sizeof m.control);
    arrive_condition(s, RX_PORT_UNREACHABLE);
    CHECK_EQ_I64(receive_into(s, &m), WSAECONNRESET);
    CHECK_EQ_U64(m.bytes, UNTOUCHED);
    CHECK_EQ_U64((uint8_t)m.control[0], CANARY);
}

/* --- overlapped ------------------------------------------------------------------------------------- */

SUITE_TEST(receive_message, a_posted_one_is_given_its_times_when_it_completes) /* C01 D03 D13 */
{
    SOCKET s = open_with(true, true);
    struct wirerx_receive_time time;
    static struct message m;
    DWORD bytes = 0, flags = 0;
    int error = 0;

    prepare(&m, sizeof m.control);
    m.overlapped.hEvent = WSACreateEvent();
    CHECK_EQ_I64(receive_message(s, &m.message, &m.bytes, &m.overlapped, NULL), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSA_IO_PENDING);
    CHECK_EQ_U64(m.message.Control.len, sizeof m.control);
    CHECK_EQ_U64((uint8_t)m.control[0], CANARY);
    int64_t before = realtime();
    arrive_text(PORT, "abc");
    CHECK(is_signalled(m.overlapped.hEvent));
    CHECK(spi.lpWSPGetOverlappedResult(s, &m.overlapped, &bytes, FALSE, &flags, &error));
    CHECK_EQ_U64(bytes, 3);
    m.bytes = bytes;
    check_arrived(&m, "abc");
    CHECK_EQ_U64(m.message.dwFlags, 0);
    CHECK(find(&m, SO_TIMESTAMP, sizeof(uint64_t)) != NULL);
    memcpy(&time, find(&m, SO_WIRERX_TIME, sizeof time), sizeof time);
    check_time(&time, before);
}

SUITE_TEST(receive_message, an_overlapped_one_takes_what_is_queued) /* C02 C03 */
{
    SOCKET s = open_with(true, false);
    static struct message m;

    prepare(&m, sizeof m.control);
    m.overlapped.hEvent = WSACreateEvent();
    arrive_text(PORT, "abc");
    CHECK_EQ_I64(receive_message(s, &m.message, &m.bytes, &m.overlapped, NULL), 0);
    CHECK(is_signalled(m.overlapped.hEvent));
    check_arrived(&m, "abc");
    CHECK(find(&m, SO_TIMESTAMP, sizeof(uint64_t)) != NULL);
}

static unsigned routines;

static void CALLBACK note_routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags)
{
    (void)overlapped;
    (void)flags;
    CHECK_EQ_U64(error, WSAEMSGSIZE);
    CHECK_EQ_U64(bytes, 2);
    routines++;
}

SUITE_TEST(receive_message, its_routine_is_told_that_it_was_cut) /* F12 */
{
    SOCKET s = open_with(true, true);
    static struct message m;

    prepare(&m, WSA_CMSG_SPACE(sizeof(uint64_t)));
    m.buffer.len = 2;
    CHECK_EQ_I64(receive_message(s, &m.message, NULL, &m.overlapped, note_routine), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSA_IO_PENDING);
    arrive_text(PORT, "abc");
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(routines, 1);
    CHECK_EQ_U64(m.message.dwFlags, MSG_TRUNC | MSG_CTRUNC);
    CHECK_EQ_U64(m.message.Control.len, WSA_CMSG_SPACE(sizeof(uint64_t)));
}

SUITE_TEST(receive_message, control_memory_that_goes_ends_the_posted_one) /* A24 */
{
    SOCKET s = open_with(true, false);
    char *page = map_pages(1);
    static struct message m;

    prepare(&m, PAGE);
    m.message.Control.buf = page;
    CHECK_EQ_I64(receive_message(s, &m.message, NULL, &m.overlapped, NULL), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSA_IO_PENDING);
    unmap_pages(page, 1);
    arrive_text(PORT, "abc");
    CHECK_EQ_U64((uint32_t)m.overlapped.Internal, OVERLAPPED_ACCESS_VIOLATION);
    CHECK_EQ_U64(counters_of(s).faulted, 1);
    prepare(&m, sizeof m.control); /* and one that is gone before is refused */
    m.message.Control.buf = page;
    CHECK_EQ_I64(receive_message(s, &m.message, NULL, &m.overlapped, NULL), SOCKET_ERROR);
    CHECK_EQ_I64(WSAGetLastError(), WSAEFAULT);
}

/* A record that has served WSARecvMsg serves another call next. */
SUITE_TEST(receive_message, a_plain_receive_after_it_writes_no_message) /* G11 */
{
    SOCKET s = open_with(true, true);
    static struct operation plain;
    static struct message m;

    prepare(&m, sizeof m.control);
    CHECK_EQ_I64(receive_message(s, &m.message, NULL, &m.overlapped, NULL), SOCKET_ERROR);
    arrive_text(PORT, "abc");
    CHECK_EQ_U64(m.overlapped.Internal, OVERLAPPED_SUCCESS);
    memset(m.control, CANARY, sizeof m.control);
    m.message.dwFlags = UNTOUCHED;
    pend(s, &plain, 16);
    arrive_text(PORT, "de");
    check_completed(&plain, "de");
    CHECK_EQ_U64((uint8_t)m.control[0], CANARY);
    CHECK_EQ_U64(m.message.dwFlags, UNTOUCHED);
}

/* --- what turns it on ------------------------------------------------------------------------------- */

SUITE_TEST(receive_message, what_cannot_be_timed_is_refused) /* SIO_TIMESTAMPING */
{
    SOCKET s = open_with(false, false);
    TIMESTAMPING_CONFIG config = {.Flags = TIMESTAMPING_FLAG_RX};
    char *page = map_pages(1);

    unmap_pages(page, 1);
    CHECK_EQ_I64(set_timestamping(s, TIMESTAMPING_FLAG_TX), WSAEOPNOTSUPP);
    CHECK_EQ_I64(set_timestamping(s, TIMESTAMPING_FLAG_RX | TIMESTAMPING_FLAG_TX), WSAEOPNOTSUPP);
    CHECK_EQ_I64(set_timestamping(s, 4), WSAEINVAL);
    CHECK_EQ_I64(control(s, SIO_TIMESTAMPING, &config, sizeof config - 1, NULL, 0, &(DWORD){0}),
                 WSAEFAULT);
    CHECK_EQ_I64(control(s, SIO_TIMESTAMPING, NULL, sizeof config, NULL, 0, &(DWORD){0}),
                 WSAEFAULT);
    CHECK_EQ_I64(control(s, SIO_TIMESTAMPING, page, sizeof config, NULL, 0, &(DWORD){0}),
                 WSAEFAULT);
}

SUITE_TEST(receive_message, the_last_times_are_of_sockets_that_note_them) /* SO_WIRERX_TIME */
{
    SOCKET s = open_with(false, false);
    struct wirerx_receive_time time;
    char room[16];

    CHECK_EQ_I64(wirerx_last_receive_time(NULL), WSAEFAULT);
    CHECK_EQ_U64(get_option(s, SO_WIRERX_TIME), FALSE);
    arrive_text(PORT, "abc");
    CHECK_TEXT(receive(s, room, sizeof room), room, "abc");
    CHECK_EQ_I64(wirerx_last_receive_time(&time), WSAEINVAL);
    CHECK_EQ_I64(set_option(s, SO_WIRERX_TIME, 7), 0);
    CHECK_EQ_U64(get_option(s, SO_WIRERX_TIME), TRUE);
    CHECK_REFUSED(receive(s, room, sizeof room), WSAEWOULDBLOCK);
    CHECK_EQ_I64(wirerx_last_receive_time(&time), WSAEINVAL);
    for (unsigned i = 0; i < 20; i++) {
        int64_t before = realtime();

        arrive_text(PORT, "abc");
        CHECK_TEXT(receive(s, room, sizeof room), room, "abc");
        CHECK_EQ_I64(wirerx_last_receive_time(&time), 0);
        check_time(&time, before);
    }
    uint64_t last = time.burst_tsc;
    CHECK_EQ_I64(set_option(s, SO_WIRERX_TIME, FALSE), 0);
    arrive_text(PORT, "abc");
    CHECK_TEXT(receive(s, room, sizeof room), room, "abc");
    CHECK_EQ_I64(wirerx_last_receive_time(&time), 0);
    CHECK_EQ_U64(time.burst_tsc, last); /* no news */
}

/* A blocking receive that waits, with the time noted. */
SUITE_TEST(receive_message, a_receive_that_waited_has_a_time) /* B10 */
{
    SOCKET s = open_with(false, true);
    static struct runner blocked;

    set_nonblocking(s, false);
    run_blocked(&blocked, s);
    arrive_text(PORT, "abc");
    finish(&blocked);
    CHECK_TEXT(blocked.outcome, blocked.data, "abc");
}

#endif
