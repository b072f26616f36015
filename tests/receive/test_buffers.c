/* SPDX-License-Identifier: BSD-3-Clause */

/* How a datagram is laid into WSABUFs: clauses G. */

#include "support/suite.h"

#include "harness.h"

#include <stdlib.h>

#if !UNDER_THREAD_SANITIZER

SUITE_FIXTURE(buffers, open_quiet, close_all);

SUITE_TEST(buffers, are_filled_in_order_and_packed) // G01 G03 G10
{
    SOCKET s = open_socket(PORT);
    char a[4] = "....", b[4] = "....", c[4] = "....", d[4] = "....";
    WSABUF buffers[] = {{3, a}, {0, NULL}, {4, b}, {0, (char *)1}, {2, c}, {4, d}};
    const DWORD count = sizeof buffers / sizeof buffers[0];

    arrive_text(PORT, "abcdefgh");
    struct outcome outcome = receive_buffers(s, buffers, count, 0);
    CHECK_EQ_I64(outcome.result, 0);
    CHECK_EQ_U64(outcome.bytes, 8);
    CHECK_EQ_MEM(a, "abc.", 4);
    CHECK_EQ_MEM(b, "defg", 4);
    CHECK_EQ_MEM(c, "h...", 4);
    CHECK_EQ_MEM(d, "....", 4);
    arrive_text(PORT, "ABCDEFGHIJKLM"); /* to the last byte of the last one */
    CHECK_EQ_U64(receive_buffers(s, buffers, count, 0).bytes, 13);
    CHECK_EQ_MEM(a, "ABC.", 4);
    CHECK_EQ_MEM(b, "DEFG", 4);
    CHECK_EQ_MEM(c, "HI..", 4);
    CHECK_EQ_MEM(d, "JKLM", 4);
}

SUITE_TEST(buffers, of_a_posted_receive_are_filled_likewise) // G01 G02 G03 G10 G14
{
    SOCKET s = open_socket(PORT);
    char a[4] = "....", b[4] = "....", c[4] = "....", d[4] = "....", e[4] = "....";
    WSAOVERLAPPED overlapped = {.hEvent = WSACreateEvent()};
    DWORD flags = 0;
    int error = 0;

    for (int round = 0; round < 2; round++) { /* more of them than a record has room for itself */
        WSABUF buffers[] = {{3, a}, {0, NULL}, {4, b}, {0, (char *)1}, {2, c}, {1, d}, {4, e}};

        spi.lpWSPRecv(s, buffers, 7, NULL, &flags, &overlapped, NULL, NULL, &error);
        CHECK_EQ_I64(error, WSA_IO_PENDING);
        memset(buffers, 0x77, sizeof buffers); /* G02 */
        arrive_text(PORT, round == 0 ? "abcdefgh" : "ABCDEFGHIJKLMN");
        CHECK_EQ_U64(overlapped.Internal, 0);
        CHECK_EQ_U64(overlapped.InternalHigh, round == 0 ? 8 : 14);
        CHECK_EQ_MEM(a, round == 0 ? "abc." : "ABC.", 4);
        CHECK_EQ_MEM(b, round == 0 ? "defg" : "DEFG", 4);
        CHECK_EQ_MEM(c, round == 0 ? "h..." : "HI..", 4);
        CHECK_EQ_MEM(d, round == 0 ? "...." : "J...", 4);
        CHECK_EQ_MEM(e, round == 0 ? "...." : "KLMN", 4);
    }
}

SUITE_TEST(buffers, without_room_take_a_datagram_away) // G06 I01 H04
{
    SOCKET s = open_socket(PORT);
    char room[16];
    WSABUF empty[3] = {{0, room}, {0, NULL}, {0, room}};
    static struct operation posted;

    arrive_text(PORT, "peeked at, then lost");
    arrive_text(PORT, "lost");
    arrive_text(PORT, "next");
    struct outcome outcome = receive_flags(s, room, 0, MSG_PEEK);
    CHECK_EQ_I64(outcome.error, WSAEMSGSIZE);
    CHECK_EQ_U64(outcome.bytes, 0);
    outcome = receive(s, room, 0);
    CHECK_EQ_I64(outcome.error, WSAEMSGSIZE);
    CHECK_EQ_U64(outcome.bytes, 0);
    outcome = receive_buffers(s, empty, 3, 0);
    CHECK_EQ_I64(outcome.error, WSAEMSGSIZE);
    CHECK_TEXT(receive(s, room, sizeof room), room, "next");
    pend_event(s, &posted, 0);
    arrive_text(PORT, "lost, too");
    check_ended(&posted, STATUS_BUFFER_OVERFLOW, 0);
    CHECK_EQ_U64(counters_of(s).queued, 0);
}

SUITE_TEST(buffers, zero_length_datagram_is_a_success) // G07
{
    SOCKET s = open_socket(PORT);
    static struct operation posted;
    char room[16];

    for (size_t length = 0; length < 2; length++) { /* with room, and without */
        arrive(PORT, NULL, 0);
        struct outcome outcome = receive(s, room, length);
        CHECK_EQ_I64(outcome.result, 0);
        CHECK_EQ_U64(outcome.bytes, 0);
        pend_event(s, &posted, length);
        arrive(PORT, NULL, 0);
        check_ended(&posted, 0, 0);
        CHECK(is_signalled(posted.overlapped.hEvent));
    }
    arrive_text(PORT, "not the end");
    CHECK_TEXT(receive(s, room, sizeof room), room, "not the end");
}

SUITE_TEST(buffers, short_datagram_completes_only_the_first) // G09 G08
{
    SOCKET s = open_socket(PORT);
    static struct operation first, second;

    pend_event(s, &first, 200);
    pend_event(s, &second, 200);
    arrive_text(PORT, "1");
    check_completed(&first, "1");
    CHECK_EQ_U64(status_of(&second), STATUS_PENDING);
    CHECK(!is_signalled(second.overlapped.hEvent));
    arrive_text(PORT, "22");
    check_completed(&second, "22");
}

SUITE_TEST(buffers, thousand_of_them_are_filled_and_more_are_refused) // G01
{
    enum {
        MOST = 1024,
        LENGTH = 1100
    };
    SOCKET s = open_socket(PORT);
    WSABUF *buffers = calloc(MOST + 1, sizeof *buffers);
    char *room = calloc(MOST + 1, 2);
    WSAOVERLAPPED overlapped = {.hEvent = WSACreateEvent()};
    DWORD flags = 0;
    int error = 0;

    for (unsigned i = 0; i <= MOST; i++)
        buffers[i] = (WSABUF){1 + i % 2, room + 2 * (size_t)i};
    for (int posted = 0; posted < 2; posted++) {
        memset(room, 0, 2 * (MOST + 1));
        if (posted) {
            spi.lpWSPRecv(s, buffers, MOST, NULL, &flags, &overlapped, NULL, NULL, &error);
            CHECK_EQ_I64(error, WSA_IO_PENDING);
            arrive_filled(PORT, LENGTH, 7);
            CHECK_EQ_U64(overlapped.InternalHigh, LENGTH);
        } else {
            arrive_filled(PORT, LENGTH, 7);
            CHECK_EQ_U64(receive_buffers(s, buffers, MOST, 0).bytes, LENGTH);
        }
        char packed[LENGTH];
        size_t at = 0;
        for (unsigned i = 0; i < MOST && at < LENGTH; i++)
            for (unsigned k = 0; k < buffers[i].len && at < LENGTH; k++)
                packed[at++] = buffers[i].buf[k];
        CHECK(frame_is_filled(packed, LENGTH, 7));
    }
    spi.lpWSPRecv(s, buffers, MOST + 1, NULL, &flags, &overlapped, NULL, NULL, &error);
    CHECK_EQ_I64(error, WSAENOBUFS);
    free(room);
    free(buffers);
}

/* --- frames of several segments, any split meeting any other --------------------------------------------- */

static uint64_t random_state;

static size_t random_below(size_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(random_state >> 33) % limit;
}

#define MOST_BYTES 1472u

static void send_in_segments(const char *payload, size_t length)
{
    uint8_t bytes[2048];
    uint16_t segments[8];
    unsigned count = (unsigned)random_below(8);
    size_t frame = frame_udp(bytes, sizeof bytes, HERE, PORT, payload, length), done = 0;

    for (unsigned i = 0; i < count; i++) {
        size_t part = random_below(frame - done + 1);

        if (i == 0 && part < 42)
            part = 42; /* the headers are in the first one */
        segments[i] = (uint16_t)part;
        done += part;
    }
    wire_send_segments(bytes, frame, segments, count);
    wire_settle();
}

/* Split `room` bytes at random into buffers that lie apart, with empty ones between. */
static DWORD split(WSABUF *buffers, char *room, size_t length)
{
    DWORD count = 1 + (DWORD)random_below(9);

    for (DWORD i = 0; i < count; i++) {
        size_t part = i == count - 1 ? length : random_below(length + 1);

        if (random_below(4) == 0 && i != count - 1)
            part = 0;
        buffers[i] = (WSABUF){(ULONG)part, room};
        room += part + 3;
        length -= part;
    }
    return count;
}

static void check_laid_out(const WSABUF *buffers, DWORD count, const char *payload, size_t bytes)
{
    for (DWORD i = 0; i < count; i++) {
        size_t here = buffers[i].len < bytes ? buffers[i].len : bytes;

        CHECK_EQ_MEM(buffers[i].buf, payload, here);
        for (size_t k = here; k < buffers[i].len + 3; k++)
            CHECK_EQ_U64((uint8_t)buffers[i].buf[k], CANARY);
        payload += here;
        bytes -= here;
    }
    CHECK_EQ_U64(bytes, 0);
}

SUITE_TEST(buffers, any_split_of_frame_and_buffers_gives_the_same_bytes) // G01 G03 G10 G14 I01 I02
{
    enum {
        ROUNDS = 2000
    };
    SOCKET s = open_socket(PORT);
    char payload[MOST_BYTES], room[MOST_BYTES + 64];
    WSABUF buffers[16];

    random_state = 20240607;
    for (unsigned round = 0; round < SCALED(ROUNDS); round++) {
        size_t length = random_below(random_below(2) ? 64 : MOST_BYTES + 1);
        size_t space = random_below(2) ? length : random_below(MOST_BYTES + 1);
        size_t bytes = length < space ? length : space;
        WSAOVERLAPPED overlapped = {.Internal = 0};
        struct outcome outcome = {.result = 0};
        DWORD flags = 0;
        int mode = (int)random_below(3);

        frame_fill(payload, length, round);
        memset(room, CANARY, sizeof room);
        DWORD count = split(buffers, room, space);
        if (mode == 2)
            spi.lpWSPRecv(s, buffers, count, NULL, &flags, &overlapped, NULL, NULL, &outcome.error);
        send_in_segments(payload, length);
        if (mode == 0) {
            outcome = receive_buffers(s, buffers, count, 0);
            CHECK_EQ_I64(outcome.error, length > space ? WSAEMSGSIZE : (int)UNTOUCHED);
            CHECK_EQ_U64(outcome.bytes, bytes);
        } else {
            if (mode == 1)
                spi.lpWSPRecv(s, buffers, count, NULL, &flags, &overlapped, NULL, NULL,
                              &outcome.error);
            CHECK_EQ_U64(overlapped.Internal, length > space ? STATUS_BUFFER_OVERFLOW : 0);
            CHECK_EQ_U64(overlapped.InternalHigh, bytes);
        }
        check_laid_out(buffers, count, payload, bytes);
        CHECK_EQ_U64(counters_of(s).queued, 0);
    }
    CHECK_EQ_U64(counters_of(s).received, SCALED(ROUNDS));
}

#endif
