/* SPDX-License-Identifier: BSD-3-Clause */

/* libFuzzer over schedules of arrivals, batches, loans, returns and closes, on two sockets that share a
 * group. Whatever the order: what is taken is what has arrived, in order; what is lent stays as it is
 * until it is returned; a token counts once, and only with its own socket; and in the end every buffer has
 * come home. The input is a row of pairs of bytes: what to do, and how much. */

#include "wirerx/winsock2.h"
#include "wirerx/wirerx.h"
#include "wirerx/ws2tcpip.h"

#include "pending_receive.h"

#define SUITE_CHECKS_ONLY
#include "support/frames.h"
#include "support/suite.h"
#include "support/wire.h"

#define PORT 5000u
#define GROUP FRAME_IP(239, 1, 1, 1)
#define SOCKETS 2u
#define MAX_QUEUED 2048u
#define MAX_LOANS 320u
#define MAX_STEPS 256u
#define ROOM 600u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A datagram that was sent. */
struct sent {
    uint64_t sequence;
    uint32_t length;
};

struct lent {
    struct sent what;
    uint64_t token;
    const void *payload;
    uint32_t payload_bytes;
};

/* What one socket must have, by what it says it was given. */
struct model {
    SOCKET s;
    struct sent queue[MAX_QUEUED];
    unsigned head, tail;
    struct lent loans[MAX_LOANS];
    unsigned out;
    uint64_t delivered;
};

static struct model models[SOCKETS];
static uint64_t sequence;

static void open_model(struct model *m)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    struct ip_mreq membership = {.imr_multiaddr.s_addr = htonl(GROUP)};
    BOOL on = TRUE;
    u_long nonblocking = 1;

    m->head = m->tail = m->out = 0;
    m->delivered = 0;
    m->s = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    CHECK(m->s != INVALID_SOCKET);
    CHECK_EQ_I64(setsockopt(m->s, SOL_SOCKET, SO_REUSEADDR, (const char *)&on, sizeof on), 0);
    CHECK_EQ_I64(bind(m->s, (struct sockaddr *)&name, sizeof name), 0);
    CHECK_EQ_I64(setsockopt(m->s, IPPROTO_IP, IP_ADD_MEMBERSHIP, (const char *)&membership,
                            sizeof membership),
                 0);
    CHECK_EQ_I64(ioctlsocket(m->s, (LONG)FIONBIO, &nonblocking), 0);
}

static struct wirerx_socket_counters counters_of(const struct model *m)
{
    struct wirerx_socket_counters counters;

    CHECK_EQ_I64(wirerx_socket_counters(m->s, &counters), 0);
    return counters;
}

/* A ring may be full and a socket may hold its share: what it was given it counts. */
static void note_delivery(struct model *m, struct sent what)
{
    uint64_t delivered = counters_of(m).delivered;

    if (delivered == m->delivered)
        return;
    CHECK_EQ_U64(delivered, m->delivered + 1);
    CHECK(m->tail < MAX_QUEUED);
    m->queue[m->tail++] = what;
    m->delivered = delivered;
}

static void arrive(uint32_t destination, unsigned amount)
{
    static const uint16_t cuts[] = {60, 40, 90};
    uint8_t payload[ROOM], bytes[ROOM + 64];

    for (unsigned i = 0; i <= amount % 16; i++) {
        struct sent what = {sequence++, 8 + amount * 2 % 500};

        if (models[0].tail == MAX_QUEUED || models[1].tail == MAX_QUEUED)
            return;
        frame_fill(payload, what.length, what.sequence);
        size_t length = frame_udp(bytes, sizeof bytes, destination, PORT, payload, what.length);
        if (amount & 0x20 && what.length > 200)
            wire_send_segments(bytes, length, cuts, 1 + amount % 3);
        else
            wire_send(bytes, length);
        wire_settle();
        for (unsigned s = 0; s < SOCKETS; s++)
            note_delivery(&models[s], what);
    }
}

static struct sent take_front(struct model *m)
{
    CHECK(m->head != m->tail);
    return m->queue[m->head++];
}

static void receive_batch(struct model *m, unsigned amount)
{
    static uint8_t rooms[WIRERX_BATCH_MAX][ROOM];
    struct wirerx_datagram entries[WIRERX_BATCH_MAX];
    WSABUF buffers[WIRERX_BATCH_MAX];
    DWORD count = 1 + amount % WIRERX_BATCH_MAX, taken = 0;
    uint32_t room = amount & 0x80 ? 64 : ROOM;

    for (unsigned i = 0; i < count; i++) {
        buffers[i] = (WSABUF){room, (char *)rooms[i]};
        entries[i] = (struct wirerx_datagram){.buffers = &buffers[i], .buffers_count = 1};
    }
    int error = wirerx_receive_batch(m->s, entries, count, &taken);

    if (error != 0) {
        CHECK_EQ_I64(error, WSAEWOULDBLOCK);
        CHECK_EQ_U64(m->head, m->tail);
        return;
    }
    CHECK(taken >= 1 && taken <= count);
    for (unsigned i = 0; i < taken; i++) {
        struct sent what = take_front(m);

        CHECK_EQ_U64(entries[i].bytes, what.length < room ? what.length : room);
        CHECK_EQ_I64(entries[i].error, what.length > room ? WSAEMSGSIZE : 0);
        if (what.length <= room)
            CHECK(frame_is_filled(rooms[i], what.length, what.sequence));
    }
}

static void receive_one(struct model *m)
{
    uint8_t room[ROOM];
    int bytes = recv(m->s, (char *)room, sizeof room, 0);

    if (bytes < 0) {
        CHECK_EQ_I64(WSAGetLastError(), WSAEWOULDBLOCK);
        CHECK_EQ_U64(m->head, m->tail);
        return;
    }
    struct sent what = take_front(m);
    CHECK_EQ_U64(bytes, what.length);
    CHECK(frame_is_filled(room, what.length, what.sequence));
}

static void lend(struct model *m, unsigned amount)
{
    struct wirerx_loan loans[32];
    WSABUF more[32][4];
    DWORD count = 1 + amount % 32, lent = 0;

    for (unsigned i = 0; i < count; i++)
        loans[i] = (struct wirerx_loan){.more = more[i], .more_count = 4};
    int error = wirerx_lend(m->s, loans, count, &lent);

    if (error != 0) { /* with WSAENOBUFS others have to be returned first */
        CHECK_EQ_I64(error, m->head == m->tail ? WSAEWOULDBLOCK : WSAENOBUFS);
        return;
    }
    for (unsigned i = 0; i < lent; i++) {
        struct sent what = take_front(m);

        CHECK_EQ_U64(loans[i].bytes, what.length);
        CHECK(m->out < MAX_LOANS);
        m->loans[m->out++] = (struct lent){.what = what,
                                           .token = loans[i].token,
                                           .payload = loans[i].payload,
                                           .payload_bytes = loans[i].payload_bytes};
    }
}

/* What is lent is as it was: all of it, or the first piece of it. */
static void check_loans(const struct model *m)
{
    uint8_t expected[ROOM];

    for (unsigned i = 0; i < m->out; i++) {
        const struct lent *l = &m->loans[i];

        frame_fill(expected, l->what.length, l->what.sequence);
        CHECK(l->payload_bytes <= l->what.length);
        CHECK_EQ_MEM(l->payload, expected, l->payload_bytes);
    }
}

static void give_back(struct model *m, unsigned amount)
{
    DWORD returned = 0;

    if (m->out == 0)
        return;
    unsigned at = amount % m->out;
    uint64_t tokens[2] = {m->loans[at].token, m->loans[at].token};
    struct model *other = &models[m == &models[0]];

    CHECK_NE_U64(wirerx_return(other->s, tokens, 1, &returned), 0);
    CHECK_EQ_U64(returned, 0);
    /* The second time it is nobody's. */
    CHECK_EQ_I64(wirerx_return(m->s, tokens, amount & 0x80 ? 2 : 1, &returned),
                 amount & 0x80 ? WSAEINVAL : 0);
    CHECK_EQ_U64(returned, 1);
    m->loans[at] = m->loans[--m->out];
}

static void make_up(const struct model *m, uint8_t amount)
{
    uint64_t token = (m->out != 0 ? m->loans[0].token : 0) ^ 1ull << (amount % 64);
    DWORD returned = 1;

    for (unsigned i = 0; i < m->out; i++)
        if (m->loans[i].token == token)
            return;
    CHECK_EQ_I64(wirerx_return(m->s, &token, 1, &returned), WSAEINVAL);
    CHECK_EQ_U64(returned, 0);
}

static void step(uint8_t what, uint8_t amount)
{
    struct model *m = &models[what >> 7];

    switch (what % 8) {
    case 0:
        arrive(WIRE_ADDRESS, amount);
        break;
    case 1:
        arrive(GROUP, amount);
        break;
    case 2:
        receive_batch(m, amount);
        break;
    case 3:
        receive_one(m);
        break;
    case 4:
        lend(m, amount);
        break;
    case 5:
        give_back(m, amount);
        break;
    case 6:
        make_up(m, amount);
        break;
    default:
        CHECK_EQ_I64(closesocket(m->s), 0); /* with whatever is queued and out */
        open_model(m);
    }
    for (unsigned s = 0; s < SOCKETS; s++) {
        check_loans(&models[s]);
        CHECK_EQ_U64(counters_of(&models[s]).queued, models[s].tail - models[s].head);
    }
}

static unsigned start(void)
{
    struct config config = wire_config();
    WSADATA data;

    config.sockets.ring_slots = 256;
    wire_start(&config, &pending_operations, true);
    wire_settle();
    CHECK_EQ_I64(WSAStartup(MAKEWORD(2, 2), &data), 0);
    return wire_free_buffers();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static unsigned buffers;

    if (buffers == 0)
        buffers = start();
    for (unsigned s = 0; s < SOCKETS; s++)
        open_model(&models[s]);
    for (size_t i = 0; i + 2 <= size && i < 2 * MAX_STEPS; i += 2)
        step(data[i], data[i + 1]);
    for (unsigned s = 0; s < SOCKETS; s++)
        CHECK_EQ_I64(closesocket(models[s].s), 0);
    wire_settle();
    CHECK_EQ_U64(wire_free_buffers(), buffers);
    wire_check_balance();
    return 0;
}
