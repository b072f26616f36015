/* SPDX-License-Identifier: BSD-3-Clause */

/* wirerx_receive_batch(): what as many receives would give, in one call. */

#include "support/suite.h"

#include "circuits.h"
#include "conditions.h"
#include "harness.h"
#include "receive_take.h"

#include <stdio.h>
#include <sys/mman.h>

#define MANY 100u
#define ROOM 64u

#if !UNDER_THREAD_SANITIZER

static void open_batch(void)
{
    open_quiet();
    circuits_begin();
}

static void close_batch(void)
{
    close_all();
    circuits_end();
}

SUITE_FIXTURE(batch, open_batch, close_batch);

/* Entries with room for a text each, and what they are before a call. */
struct entries {
    struct wirerx_datagram rows[MANY];
    struct wirerx_datagram before[MANY];
    WSABUF buffers[MANY];
    char texts[MANY][ROOM];
    DWORD received;
};

static struct entries entries;

static void forget(size_t room)
{
    memset(&entries, CANARY, sizeof entries);
    for (unsigned i = 0; i < MANY; i++) {
        entries.buffers[i] = (WSABUF){(ULONG)room, entries.texts[i]};
        entries.rows[i].buffers = &entries.buffers[i];
        entries.rows[i].buffers_count = 1;
    }
    memcpy(entries.before, entries.rows, sizeof entries.rows);
    entries.received = UNTOUCHED;
}

/* What has been forgotten stays as it is. */
static int take(SOCKET s, DWORD count)
{
    return wirerx_receive_batch(s, entries.rows, count, &entries.received);
}

static int take_anew(SOCKET s, DWORD count)
{
    forget(ROOM);
    return take(s, count);
}

static void check_entry(unsigned i, const char *text, int error)
{
    const struct wirerx_datagram *entry = &entries.rows[i];
    struct sockaddr_in sender = address_of(SENDER, SENDER_PORT);
    size_t length = strlen(text);

    CHECK_EQ_U64(entry->bytes, length);
    CHECK_EQ_U64(entry->flags, 0);
    CHECK_EQ_I64(entry->error, error);
    CHECK_EQ_MEM(&entry->source, &sender, sizeof sender);
    CHECK_EQ_MEM(entries.texts[i], text, length);
    CHECK_EQ_U64((uint8_t)entries.texts[i][length], CANARY); /* G10 */
    CHECK_EQ_PTR(entry->buffers, &entries.buffers[i]);
    CHECK_EQ_U64(entry->buffers_count, 1);
}

static void check_untouched(unsigned from)
{
    CHECK_EQ_MEM(&entries.rows[from], &entries.before[from],
                 (MANY - from) * sizeof entries.rows[0]);
}

static void arrive_numbered(unsigned first, unsigned count)
{
    char text[16];

    for (unsigned i = 0; i < count; i++) {
        snprintf(text, sizeof text, "number %u", first + i);
        arrive_text(PORT, text);
    }
}

static void check_numbered(unsigned first, unsigned count)
{
    char text[16];

    CHECK_EQ_U64(entries.received, count);
    for (unsigned i = 0; i < count; i++) {
        snprintf(text, sizeof text, "number %u", first + i);
        check_entry(i, text, 0);
    }
    check_untouched(count);
}

/* --- datagrams that are there ---------------------------------------------------------------------- */

SUITE_TEST(batch, takes_what_is_there_in_order) // B10 I06 G10 H10
{
    SOCKET s = open_socket(PORT);

    arrive_numbered(0, 5);
    CHECK_EQ_I64(take_anew(s, 8), 0);
    check_numbered(0, 5);
    arrive_numbered(5, 3);
    CHECK_EQ_I64(take_anew(s, 2), 0);
    check_numbered(5, 2);
    CHECK_EQ_U64(counters_of(s).queued, 1);
    CHECK_EQ_I64(take_anew(s, 1), 0);
    check_numbered(7, 1);
    CHECK_EQ_U64(counters_of(s).received, 8);
    CHECK_EQ_U64(counters_of(s).queued, 0);
    CHECK_EQ_U64(counters_of(s).queued_bytes, 0);
}

SUITE_TEST(batch, mixes_with_other_receives) // B10
{
    SOCKET s = open_socket(PORT);
    char room[ROOM];

    arrive_numbered(0, 4);
    CHECK_TEXT(receive(s, room, ROOM), room, "number 0");
    CHECK_TEXT(receive_flags(s, room, ROOM, MSG_PEEK), room, "number 1");
    CHECK_EQ_I64(take_anew(s, 2), 0);
    check_numbered(1, 2);
    CHECK_TEXT(receive(s, room, ROOM), room, "number 3");
}

SUITE_TEST(batch, looks_at_no_more_entries_than_its_maximum)
{
    SOCKET s = open_socket(PORT);
    size_t size = WIRERX_BATCH_MAX * sizeof entries.rows[0];
    char *pages = map_pages(3);
    struct wirerx_datagram *rows = (struct wirerx_datagram *)(void *)(pages + 2 * PAGE - size);

    unmap_pages(pages + 2 * PAGE, 1);
    arrive_numbered(0, MANY);
    forget(ROOM);
    memcpy(rows, entries.rows, size);
    CHECK_EQ_I64(wirerx_receive_batch(s, rows, 1000, &entries.received), 0);
    memcpy(entries.rows, rows, size);
    check_numbered(0, WIRERX_BATCH_MAX);
    CHECK_EQ_I64(take_anew(s, MANY), 0);
    check_numbered(WIRERX_BATCH_MAX, MANY - WIRERX_BATCH_MAX);
    unmap_pages(pages, 2);
}

SUITE_TEST(batch, begins_no_datagram_beyond_64_kib)
{
    SOCKET s = open_socket(PORT);
    static char texts[WIRERX_BATCH_MAX][1400];
    unsigned full = 65536 / 1400 + 1;

    for (unsigned i = 0; i < WIRERX_BATCH_MAX; i++)
        arrive_filled(PORT, 1400, i);
    forget(ROOM);
    for (unsigned i = 0; i < WIRERX_BATCH_MAX; i++)
        entries.buffers[i] = (WSABUF){1400, texts[i]};
    CHECK_EQ_I64(take(s, WIRERX_BATCH_MAX), 0);
    CHECK_EQ_U64(entries.received, full);
    check_untouched(full);
    CHECK_EQ_I64(take(s, WIRERX_BATCH_MAX), 0);
    CHECK_EQ_U64(entries.received, WIRERX_BATCH_MAX - full);
}

SUITE_TEST(batch, truncates_each_by_itself) // I01 I02 I03 Q07 G06 G07
{
    SOCKET s = open_socket(PORT);

    arrive_text(PORT, "longer than that");
    arrive_text(PORT, "exact");
    arrive_text(PORT, "");
    arrive_text(PORT, "also longer");
    arrive_text(PORT, "taken away");
    arrive_text(PORT, "next");
    forget(5);
    entries.buffers[4].len = 0;
    CHECK_EQ_I64(take(s, 8), 0);
    CHECK_EQ_U64(entries.received, 6);
    check_entry(0, "longe", WSAEMSGSIZE);
    check_entry(1, "exact", 0);
    check_entry(2, "", 0);
    check_entry(3, "also ", WSAEMSGSIZE);
    check_entry(4, "", WSAEMSGSIZE);
    check_entry(5, "next", 0);
    check_untouched(6);
    CHECK_EQ_U64(counters_of(s).truncated, 3);
    CHECK_EQ_U64(counters_of(s).received, 6);
}

SUITE_TEST(batch, fills_the_buffers_of_each_in_order) // G01 G03 G10
{
    SOCKET s = open_socket(PORT);
    WSABUF several[] = {{3, NULL}, {0, NULL}, {2, NULL}, {16, NULL}};

    arrive_text(PORT, "in three pieces");
    arrive_text(PORT, "whole");
    forget(ROOM);
    several[0].buf = entries.texts[10];
    several[2].buf = entries.texts[11];
    several[3].buf = entries.texts[12];
    entries.rows[0].buffers = several;
    entries.rows[0].buffers_count = 4;
    CHECK_EQ_I64(take(s, 2), 0);
    CHECK_EQ_U64(entries.received, 2);
    CHECK_EQ_U64(entries.rows[0].bytes, 15);
    CHECK_EQ_I64(entries.rows[0].error, 0);
    CHECK_EQ_MEM(entries.texts[10], "in ", 3);
    CHECK_EQ_U64((uint8_t)entries.texts[10][3], CANARY);
    CHECK_EQ_MEM(entries.texts[11], "th", 2);
    CHECK_EQ_MEM(entries.texts[12], "ree pieces", 10);
    CHECK_EQ_U64((uint8_t)entries.texts[12][10], CANARY);
    check_entry(1, "whole", 0);
}

SUITE_TEST(batch, gathers_frames_of_several_segments) // G01 I01
{
    SOCKET s = open_socket(PORT);
    static const uint16_t cuts[] = {50, 7, 1, 20};
    const char *text = "in pieces that begin in the first segment";
    uint8_t bytes[256];
    size_t length = frame_udp(bytes, sizeof bytes, HERE, PORT, text, strlen(text));

    for (int i = 0; i < 3; i++)
        wire_send_segments(bytes, length, cuts, sizeof cuts / sizeof cuts[0]);
    wire_settle();
    forget(ROOM);
    entries.buffers[1].len = 12;
    CHECK_EQ_I64(take(s, 3), 0);
    CHECK_EQ_U64(entries.received, 3);
    check_entry(0, text, 0);
    check_entry(1, "in pieces th", WSAEMSGSIZE);
    check_entry(2, text, 0);
}

SUITE_TEST(batch, tells_of_losses_and_times_in_order)
{
    SOCKET s = open_socket(PORT);
    struct wirerx_receive_info last;

    set_option(s, SO_RCVBUF, 20);
    arrive_numbered(0, 4); /* eight bytes each: two fit */
    CHECK_EQ_I64(take_anew(s, 8), 0);
    CHECK_EQ_U64(entries.received, 2);
    CHECK_EQ_U64(entries.rows[0].info.drops, 0);
    CHECK_EQ_U64(entries.rows[1].info.drops, 0);
    CHECK(entries.rows[0].info.burst_tsc <= entries.rows[1].info.burst_tsc);
    arrive_numbered(4, 1);
    CHECK_EQ_I64(take_anew(s, 8), 0);
    CHECK_EQ_U64(entries.rows[0].info.drops, 2);
    CHECK_EQ_I64(wirerx_last_receive(&last), 0);
    CHECK_EQ_U64(last.drops, 2);
    CHECK_EQ_U64(last.burst_tsc, entries.rows[0].info.burst_tsc);
}

/* --- what comes before it, and what ends it --------------------------------------------------------- */

SUITE_TEST(batch, finds_nothing) // B06 A12
{
    SOCKET s = open_socket(PORT);

    set_nonblocking(s, true);
    CHECK_EQ_I64(take_anew(s, 8), WSAEWOULDBLOCK);
    CHECK_EQ_U64(entries.received, UNTOUCHED);
    check_untouched(0);
}

SUITE_TEST(batch, does_not_overtake_posted_receives) // G12
{
    SOCKET s = open_socket(PORT);
    static struct operation first, second;

    set_nonblocking(s, true);
    pend_event(s, &first, 16);
    pend_event(s, &second, 16);
    CHECK_EQ_I64(take_anew(s, 8), WSAEWOULDBLOCK);
    arrive_numbered(0, 5);
    check_completed(&first, "number 0");
    check_completed(&second, "number 1");
    CHECK_EQ_I64(take_anew(s, 8), 0);
    check_numbered(2, 3);
    WSACloseEvent(first.overlapped.hEvent);
    WSACloseEvent(second.overlapped.hEvent);
}

SUITE_TEST(batch, ends_in_front_of_an_error_that_the_next_call_tells) // I12 I13 I15
{
    SOCKET s = open_socket(PORT);

    set_nonblocking(s, true);
    arrive_numbered(0, 2);
    arrive_condition(s, RX_PORT_UNREACHABLE);
    arrive_condition(s, RX_TIME_EXCEEDED);
    arrive_numbered(2, 1);
    CHECK_EQ_I64(take_anew(s, 8), 0);
    check_numbered(0, 2);
    CHECK_EQ_I64(take_anew(s, 8), WSAECONNRESET);
    CHECK_EQ_U64(entries.received, UNTOUCHED);
    CHECK_EQ_I64(take_anew(s, 8), WSAENETRESET);
    check_untouched(0);
    CHECK_EQ_I64(take_anew(s, 8), 0);
    check_numbered(2, 1);
    CHECK_EQ_I64(take_anew(s, 8), WSAEWOULDBLOCK);
    CHECK_EQ_U64(counters_of(s).conditions, 2);
}

/* --- arguments and memory -------------------------------------------------------------------------- */

SUITE_TEST(batch, refuses_wrong_arguments) // A05 A07 A11 A17 K01
{
    SOCKET s = open_socket(PORT), unbound = make_socket();

    arrive_numbered(0, 2);
    forget(ROOM);
    CHECK_EQ_I64(take(INVALID_SOCKET, 8), WSAENOTSOCK);
    CHECK_EQ_I64(take(unbound, 8), WSAEINVAL);
    CHECK_EQ_I64(take(s, 0), WSAEINVAL);
    CHECK_EQ_I64(wirerx_receive_batch(s, NULL, 8, &entries.received), WSAEFAULT);
    CHECK_EQ_I64(wirerx_receive_batch(s, entries.rows, 8, NULL), WSAEFAULT);
    entries.rows[0].buffers_count = 0;
    CHECK_EQ_I64(take(s, 8), WSAEINVAL);
    CHECK_EQ_U64(entries.received, UNTOUCHED);
    entries.rows[0].buffers_count = 1;
    entries.rows[1].buffers_count = 0;
    CHECK_EQ_I64(take(s, 8), 0); /* the second one's is another call's to tell */
    CHECK_EQ_U64(entries.received, 1);
    check_entry(0, "number 0", 0);
    CHECK_EQ_I64(take_anew(s, 8), 0);
    check_numbered(1, 1);
    close_socket(s);
    CHECK_EQ_I64(take_anew(s, 8), WSAENOTSOCK);
    check_untouched(0);
}

SUITE_TEST(batch, loses_nothing_by_a_fault) // A09 A23
{
    SOCKET s = open_socket(PORT);
    char *page = map_pages(1);

    unmap_pages(page, 1);
    arrive_numbered(0, 6);
    for (unsigned bad = 0; bad < 2; bad++) { /* the buffer, and the array that names it */
        unsigned taken = bad * 2;

        forget(ROOM);
        if (bad == 0)
            entries.buffers[2].buf = page;
        else
            entries.rows[2].buffers = (WSABUF *)(void *)page;
        CHECK_EQ_I64(take(s, 8), 0);
        CHECK_EQ_U64(entries.received, 2);
        for (unsigned i = 0; i < 2; i++) {
            char text[16];

            snprintf(text, sizeof text, "number %u", taken + i);
            check_entry(i, text, 0);
        }
        entries.rows[0] = entries.rows[2];
        entries.received = UNTOUCHED;
        CHECK_EQ_I64(take(s, 1), WSAEFAULT);
        CHECK_EQ_U64(entries.received, UNTOUCHED);
    }
    CHECK_EQ_I64(wirerx_receive_batch(s, (void *)page, 2, &entries.received), WSAEFAULT);
    CHECK_EQ_I64(wirerx_receive_batch(s, entries.rows, 2, (void *)page), WSAEFAULT);
    CHECK_EQ_I64(take_anew(s, 8), 0);
    check_numbered(4, 2);
    CHECK_EQ_U64(counters_of(s).received, 6);
}

SUITE_TEST(batch, loses_nothing_by_entries_that_cannot_be_written) // A09
{
    SOCKET s = open_socket(PORT);
    char *page = map_pages(1);

    arrive_numbered(0, 3);
    forget(ROOM);
    memcpy(page, entries.rows, 4 * sizeof entries.rows[0]);
    protect_pages(page, 1, PROT_READ);
    CHECK_EQ_I64(wirerx_receive_batch(s, (void *)page, 4, &entries.received), WSAEFAULT);
    CHECK_EQ_U64(entries.received, UNTOUCHED);
    CHECK_EQ_I64(take_anew(s, 8), 0);
    check_numbered(0, 3);
    unmap_pages(page, 1);
}

/* --- waiting --------------------------------------------------------------------------------------- */

static void batch_once(struct runner *self)
{
    forget(ROOM);
    self->outcome.result = take(self->s, 8);
}

static void run_blocked_batch(struct runner *runner, SOCKET s)
{
    run(runner, batch_once, s, NULL);
    UNTIL(sleepers_of(s) != 0);
}

SUITE_TEST(batch, waits_for_the_first_and_for_no_second) // B12
{
    SOCKET s = open_socket(PORT);
    static struct runner runner;

    run_blocked_batch(&runner, s);
    arrive_numbered(0, 1);
    finish(&runner);
    CHECK_EQ_I64(runner.outcome.result, 0);
    check_numbered(0, 1);
}

SUITE_TEST(batch, waits_no_longer_than_its_time_out) // L01
{
    SOCKET s = open_socket(PORT);
    uint64_t begin = wake_clock();

    set_option(s, SO_RCVTIMEO, 30);
    CHECK_EQ_I64(take_anew(s, 8), WSAETIMEDOUT);
    CHECK_GE_U64(milliseconds_since(begin), 30);
    CHECK_EQ_U64(entries.received, UNTOUCHED);
    check_untouched(0);
}

SUITE_TEST(batch, ends_when_the_socket_is_closed) // B11
{
    SOCKET s = open_socket(PORT);
    static struct runner runner;

    run_blocked_batch(&runner, s);
    close_socket(s);
    finish(&runner);
    CHECK_EQ_I64(runner.outcome.result, WSA_OPERATION_ABORTED);
    check_untouched(0);
}

/* --- sockets that are not plain ----------------------------------------------------------------------- */

SUITE_TEST(batch, of_a_connected_socket_has_the_peers_alone) // I04 I05 I10
{
    SOCKET s = open_socket(PORT);
    struct sockaddr_in peer = address_of(SENDER, SENDER_PORT);

    arrive_numbered(0, 1);
    arrive_from(SENDER, 9, PORT, "stranger");
    arrive_numbered(1, 1);
    CHECK_EQ_I64(connect(s, (struct sockaddr *)&peer, sizeof peer), 0);
    arrive_from(SENDER, 9, PORT, "stranger");
    arrive_numbered(2, 1);
    CHECK_EQ_I64(take_anew(s, 2), 0);
    check_numbered(0, 2);
    CHECK_EQ_I64(take_anew(s, 8), 0);
    check_numbered(2, 1);
    CHECK_EQ_U64(counters_of(s).peer_filter, 2);
}

SUITE_TEST(batch, of_a_connected_socket_loses_nothing_by_a_fault) // A09 I01
{
    SOCKET s = open_socket(PORT);
    struct sockaddr_in peer = address_of(SENDER, SENDER_PORT);
    char *page = map_pages(1);

    unmap_pages(page, 1);
    CHECK_EQ_I64(connect(s, (struct sockaddr *)&peer, sizeof peer), 0);
    arrive_text(PORT, "longer than five");
    arrive_numbered(0, 2);
    forget(5);
    entries.buffers[1].buf = page;
    CHECK_EQ_I64(take(s, 8), 0);
    CHECK_EQ_U64(entries.received, 1);
    check_entry(0, "longe", WSAEMSGSIZE);
    check_untouched(1);
    CHECK_EQ_I64(wirerx_receive_batch(s, &entries.rows[1], 1, &entries.received), WSAEFAULT);
    CHECK_EQ_I64(take_anew(s, 8), 0);
    check_numbered(0, 2);
}

SUITE_TEST(batch, enables_network_events_again) // M04
{
    SOCKET s = open_socket(PORT);
    HANDLE event = WSACreateEvent();
    WSANETWORKEVENTS events;

    CHECK_EQ_I64(WSAEventSelect(s, event, FD_READ), 0);
    arrive_numbered(0, 3);
    CHECK_EQ_I64(WSAEnumNetworkEvents(s, event, &events), 0);
    CHECK_EQ_I64(events.lNetworkEvents, FD_READ);
    CHECK_EQ_I64(take_anew(s, 2), 0);
    check_numbered(0, 2);
    CHECK(is_signalled(event)); /* one is left */
    CHECK_EQ_I64(WSAEnumNetworkEvents(s, event, &events), 0);
    CHECK_EQ_I64(events.lNetworkEvents, FD_READ);
    CHECK_EQ_I64(take_anew(s, 8), 0);
    CHECK(!is_signalled(event));
    WSACloseEvent(event);
}

SUITE_TEST(batch, is_refused_after_the_receiving_half_was_shut_down) // I16
{
    SOCKET s = open_socket(PORT);

    arrive_numbered(0, 1);
    CHECK_EQ_I64(shutdown(s, SD_RECEIVE), 0);
    CHECK_EQ_I64(take_anew(s, 8), WSAESHUTDOWN);
    check_untouched(0);
}

/* --- protocols that have no datagrams --------------------------------------------------------------- */

static SOCKET open_circuit(enum circuit_row row)
{
    SOCKET s = circuit_open(row, 0);
    struct socket_reference reference;

    CHECK(socket_resolve(s, &reference));
    reference.socket->peer_address = htonl(SENDER);
    reference.socket->peer_port = htons(SENDER_PORT);
    receive_settle_plain(reference.endpoint);
    return s;
}

static void peer_sends(SOCKET s, enum rx_kind kind, const char *text)
{
    struct socket_reference reference;

    CHECK(socket_resolve(s, &reference));
    put_from(reference.endpoint, htonl(SENDER), htons(SENDER_PORT), kind, text);
}

SUITE_TEST(batch, of_messages_ends_in_front_of_one_that_does_not_fit) // Q06 Q08 Q09
{
    SOCKET s = open_circuit(MESSAGES);

    peer_sends(s, RX_DATAGRAM, "one");
    peer_sends(s, RX_PART, "in two ");
    peer_sends(s, RX_DATAGRAM, "parts");
    peer_sends(s, RX_DATAGRAM, "three");
    peer_sends(s, RX_END, "");
    forget(5);
    CHECK_EQ_I64(take(s, 8), 0);
    CHECK_EQ_U64(entries.received, 1);
    check_entry(0, "one", 0);
    CHECK_EQ_I64(take(s, 8), WSAEMSGSIZE);
    CHECK_EQ_I64(take_anew(s, 8), 0);
    CHECK_EQ_U64(entries.received, 2);
    check_entry(0, "in two parts", 0);
    check_entry(1, "three", 0);
    for (int i = 0; i < 2; i++)
        CHECK_EQ_I64(take_anew(s, 8), WSAEDISCON);
}

SUITE_TEST(batch, of_messages_in_parts_tells_which_go_on) // Q05 H11
{
    SOCKET s = open_circuit(PARTS);

    peer_sends(s, RX_DATAGRAM, "12345678");
    peer_sends(s, RX_DATAGRAM, "next");
    forget(5);
    CHECK_EQ_I64(take(s, 8), 0);
    CHECK_EQ_U64(entries.received, 3);
    CHECK_EQ_U64(entries.rows[0].bytes, 5);
    CHECK_EQ_U64(entries.rows[0].flags, MSG_PARTIAL);
    check_entry(1, "678", 0);
    check_entry(2, "next", 0);
}

SUITE_TEST(batch, of_a_byte_stream_is_refused) // Q01 Q02
{
    for (enum circuit_row row = PSEUDO; row <= BYTES; row++) {
        SOCKET s = open_circuit(row);

        peer_sends(s, RX_DATAGRAM, "bytes");
        CHECK_EQ_I64(take_anew(s, 8), WSAEOPNOTSUPP);
        check_untouched(0);
        CHECK_EQ_U64(counters_of(s).queued, 1);
    }
}

#endif
