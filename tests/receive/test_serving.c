/* SPDX-License-Identifier: BSD-3-Clause */

/* Posted receives that an lcore completes do not stall its polling: while one socket, or many, have much to
 * be given, each pass gives a bounded part of it and takes the next burst for the others. By hand, so that
 * the figures are exact. */

#include "support/suite.h"

#include "harness.h"

#include <stdlib.h>

#if !UNDER_THREAD_SANITIZER

/** What a pass may copy: LCORE_SERVE_BYTES_PER_PASS, and the service that goes beyond it. */
#define PASS_BYTES 65536u
#define SERVICE_BYTES 32768u
#define LENGTH 1400u
#define EACH 100u /* receives of a socket: 140 KB */
#define SOCKETS 4u

struct reader {
    SOCKET s;
    struct {
        WSAOVERLAPPED overlapped;
        char data[LENGTH];
    } receives[EACH];
};

static struct reader readers[SOCKETS];
static SOCKET other; /* who must not wait for them */

static void open_serving(void)
{
    struct config config = wire_config();

    config.sockets.ring_slots = 512;
    config.sockets.min_buffers = 128;
    open_quiet_with(&config);
    other = open_socket(OTHER_PORT + 100);
    set_nonblocking(other, true);
}

SUITE_FIXTURE(serving, open_serving, close_all);

static void post_all(struct reader *reader, uint16_t port)
{
    reader->s = open_socket(port);
    memset(reader->receives, 0, sizeof reader->receives);
    for (unsigned i = 0; i < EACH; i++) {
        WSABUF buffer = {LENGTH, reader->receives[i].data};
        DWORD flags = 0;
        int error = 0;

        spi.lpWSPRecv(reader->s, &buffer, 1, NULL, &flags, &reader->receives[i].overlapped, NULL,
                      NULL, &error);
        CHECK_EQ_I64(error, WSA_IO_PENDING);
    }
}

/* Receives that have ended, in order; those behind the first that has not are still pending. */
static unsigned completed(const struct reader *reader)
{
    unsigned count = 0;

    while (count < EACH && reader->receives[count].overlapped.Internal == 0)
        count++;
    for (unsigned i = count; i < EACH; i++)
        CHECK_EQ_U64(reader->receives[i].overlapped.Internal, STATUS_PENDING);
    for (unsigned i = 0; i < count; i++) {
        CHECK_EQ_U64(reader->receives[i].overlapped.InternalHigh, LENGTH);
        CHECK(frame_is_filled(reader->receives[i].data, LENGTH, i));
    }
    return count;
}

/* While a client holds the socket the lcore can complete nothing, and data piles up; then the holder goes and
 * leaves all of it to the lcore (R1). */
static void pile_up(struct reader *some, unsigned count, uint16_t first_port)
{
    struct socket_reference references[SOCKETS];

    for (unsigned r = 0; r < count; r++) {
        CHECK(socket_resolve(some[r].s, &references[r]));
        CHECK_EQ_I64(socket_relock(&references[r]), 0);
    }
    for (unsigned r = 0; r < count; r++)
        for (unsigned i = 0; i < EACH; i++) {
            char payload[LENGTH];

            frame_fill(payload, LENGTH, i);
            wire_send_udp(HERE, (uint16_t)(first_port + r), payload, LENGTH);
            wire_step(dataplane_tsc());
        }
    for (unsigned r = 0; r < count; r++) {
        CHECK_EQ_U64(completed(&some[r]), 0);
        CHECK(!lock_word_release(&references[r].endpoint->word)); /* AGAIN was there */
        lock_word_hand_back(&references[r].endpoint->word);
    }
}

/* Each pass brings the other socket the datagram that came before it, and copies at most so much. */
static unsigned passes_until_done(struct reader *some, unsigned count, unsigned *most)
{
    unsigned passes = 0, before = 0, done = 0;
    char room[16];

    *most = 0;
    while (done < count * EACH) {
        wire_send_udp(HERE, OTHER_PORT + 100, "other", 5);
        wire_step(dataplane_tsc());
        CHECK_TEXT(receive(other, room, sizeof room), room, "other"); /* after one pass */
        done = 0;
        for (unsigned r = 0; r < count; r++)
            done += completed(&some[r]);
        if (done - before > *most)
            *most = done - before;
        before = done;
        passes++;
        CHECK_LE_U64(passes, count * EACH);
    }
    return passes;
}

static void end_all(unsigned count)
{
    for (unsigned r = 0; r < count; r++)
        close_socket(readers[r].s);
}

SUITE_TEST(serving, of_one_socket_takes_a_bounded_part_of_each_pass) // G08 D13
{
    unsigned most, passes;

    post_all(&readers[0], PORT);
    pile_up(readers, 1, PORT);
    passes = passes_until_done(readers, 1, &most);
    /* 140,000 bytes: no more than one service and one receive more in a pass. */
    CHECK_LE_U64(most * LENGTH, SERVICE_BYTES + LENGTH);
    CHECK_EQ_U64(passes, (EACH + most - 1) / most);
    end_all(1);
}

SUITE_TEST(serving, of_many_sockets_takes_a_bounded_part_of_each_pass) // G08 D13
{
    unsigned most, passes;

    for (unsigned r = 0; r < SOCKETS; r++)
        post_all(&readers[r], (uint16_t)(PORT + r));
    pile_up(readers, SOCKETS, PORT);
    passes = passes_until_done(readers, SOCKETS, &most);
    CHECK_LE_U64(most * LENGTH, PASS_BYTES + SERVICE_BYTES + LENGTH);
    CHECK_GE_U64(passes, SOCKETS * EACH * LENGTH / (PASS_BYTES + SERVICE_BYTES + LENGTH));
    CHECK_LE_U64(passes, SOCKETS * EACH * LENGTH / SERVICE_BYTES + SOCKETS); /* and it gets on */
    end_all(SOCKETS);
}

SUITE_TEST(serving, starves_none_of_many_sockets)
{
    unsigned most;

    for (unsigned r = 0; r < SOCKETS; r++)
        post_all(&readers[r], (uint16_t)(PORT + r));
    pile_up(readers, SOCKETS, PORT);
    for (unsigned pass = 0; pass < 4; pass++)
        wire_step(dataplane_tsc());
    for (unsigned r = 0; r < SOCKETS; r++)
        CHECK_GE_U64(completed(&readers[r]), 1);
    passes_until_done(readers, SOCKETS, &most);
    end_all(SOCKETS);
}

#endif
