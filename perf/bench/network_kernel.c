/* SPDX-License-Identifier: BSD-3-Clause */

/* Kernel sockets: recv, recvmmsg, SO_BUSY_POLL, io_uring's multishot receive. */

#include <arpa/inet.h>
#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "network.h"

/** How long a busy poll looks at the device itself, microseconds. */
#define BUSY_POLL_US 50

/** Buffers that io_uring picks from, a power of two. */
#define RING_BUFFERS 1024u
#define RING_GROUP 1

static int udp = -1;
static uint8_t payloads[NETWORK_BATCH][NETWORK_ROOM];

static int fail(char *reason, size_t size, const char *what, int error)
{
    snprintf(reason, size, "%s: %s", what, strerror(error));
    return -1;
}

static int open_socket(struct network *network, char *reason, size_t size)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(NETWORK_PORT)};
    struct ip_mreqn join = {.imr_multiaddr.s_addr = htonl(NETWORK_GROUP),
                            .imr_ifindex = (int)network->interface};
    struct timeval wait = {.tv_usec = NETWORK_WAIT_MS * 1000L};
    int bytes = NETWORK_QUEUE_BYTES / 2; /* the kernel doubles it */

    udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (udp < 0 || setsockopt(udp, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) != 0 ||
        bind(udp, (struct sockaddr *)&any, sizeof any) != 0 ||
        setsockopt(udp, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof join) != 0) {
        int error = errno;

        if (udp >= 0)
            close(udp);
        return fail(reason, size, "a UDP socket cannot be opened and joined", error);
    }
    if (setsockopt(udp, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
        setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    return 0;
}

static void close_socket(struct network *network)
{
    (void)network;
    close(udp);
    udp = -1;
}

static bool quiet(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ETIME;
}

/* --- recv, and the same with a busy poll ------------------------------------------------------------------- */

static bool receive_one(struct network *network, char *reason, size_t size)
{
    ssize_t length;

    while ((length = recv(udp, payloads[0], NETWORK_ROOM, 0)) >= 0)
        network_take(network, payloads[0], (size_t)length);
    return quiet(errno) || fail(reason, size, "recv", errno) == 0;
}

static int open_busy_poll(struct network *network, char *reason, size_t size)
{
    int microseconds = BUSY_POLL_US;

    if (open_socket(network, reason, size) != 0)
        return -1;
    if (setsockopt(udp, SOL_SOCKET, SO_BUSY_POLL, &microseconds, sizeof microseconds) == 0)
        return 0;
    fail(reason, size, "SO_BUSY_POLL (needs CAP_NET_ADMIN)", errno);
    close_socket(network);
    return -1;
}

/* A busy poll needs a device with NAPI; the kernel polls nothing where it does not know one. */
static const char *busy_poll_note(void)
{
    unsigned napi = 0;
    socklen_t length = sizeof napi;

    if (getsockopt(udp, SOL_SOCKET, SO_INCOMING_NAPI_ID, &napi, &length) == 0 && napi != 0)
        return NULL;
    return "the veth gave no NAPI id, so the kernel had nothing to poll: this is recv";
}

/* --- recvmmsg ------------------------------------------------------------------------------------------------ */

static bool receive_many(struct network *network, char *reason, size_t size)
{
    struct iovec vectors[NETWORK_BATCH];
    struct mmsghdr messages[NETWORK_BATCH];
    int count;

    memset(messages, 0, sizeof messages);
    for (unsigned i = 0; i < NETWORK_BATCH; i++) {
        vectors[i] = (struct iovec){payloads[i], NETWORK_ROOM};
        messages[i].msg_hdr.msg_iov = &vectors[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    while ((count = recvmmsg(udp, messages, NETWORK_BATCH, MSG_WAITFORONE, NULL)) > 0)
        for (int i = 0; i < count; i++)
            network_take(network, payloads[i], messages[i].msg_len);
    return quiet(errno) || fail(reason, size, "recvmmsg", errno) == 0;
}

/* --- io_uring -------------------------------------------------------------------------------------------------- */

static struct {
    struct io_uring ring;
    struct io_uring_buf_ring *buffers;
    uint8_t *memory;
    bool armed;
} uring;

static void close_uring(struct network *network)
{
    if (uring.buffers != NULL) {
        io_uring_unregister_buf_ring(&uring.ring, RING_GROUP);
        free(uring.buffers);
    }
    io_uring_queue_exit(&uring.ring);
    free(uring.memory);
    memset(&uring, 0, sizeof uring);
    close_socket(network);
}

static void give_buffer(unsigned id, int at)
{
    io_uring_buf_ring_add(uring.buffers, uring.memory + (size_t)id * NETWORK_ROOM, NETWORK_ROOM,
                          (unsigned short)id, io_uring_buf_ring_mask(RING_BUFFERS), at);
}

static int open_uring(struct network *network, char *reason, size_t size)
{
    struct io_uring_buf_reg registration = {.ring_entries = RING_BUFFERS, .bgid = RING_GROUP};
    void *ring = NULL;
    int result = io_uring_queue_init(RING_BUFFERS, &uring.ring, 0);

    if (result < 0)
        return fail(reason, size, "io_uring cannot be set up", -result);
    if (open_socket(network, reason, size) != 0) {
        io_uring_queue_exit(&uring.ring);
        return -1;
    }
    uring.memory = malloc((size_t)RING_BUFFERS * NETWORK_ROOM);
    if (posix_memalign(&ring, 4096, RING_BUFFERS * sizeof(struct io_uring_buf)) != 0 ||
        uring.memory == NULL) {
        free(ring);
        close_uring(network);
        return fail(reason, size, "buffers", ENOMEM);
    }
    registration.ring_addr = (uintptr_t)ring;
    result = io_uring_register_buf_ring(&uring.ring, &registration, 0);
    if (result < 0) {
        free(ring);
        close_uring(network);
        return fail(reason, size, "io_uring takes no ring of buffers (Linux 5.19)", -result);
    }
    uring.buffers = ring;
    io_uring_buf_ring_init(uring.buffers);
    for (unsigned i = 0; i < RING_BUFFERS; i++)
        give_buffer(i, (int)i);
    io_uring_buf_ring_advance(uring.buffers, RING_BUFFERS);
    return 0;
}

static void arm(void)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(&uring.ring);

    io_uring_prep_recv_multishot(entry, udp, NULL, 0, 0);
    entry->flags |= IOSQE_BUFFER_SELECT;
    entry->buf_group = RING_GROUP;
    io_uring_submit(&uring.ring);
    uring.armed = true;
}

/* @return 0, or an error that ends it */
static int take_completion(struct network *network, const struct io_uring_cqe *entry)
{
    if (!(entry->flags & IORING_CQE_F_MORE))
        uring.armed = false;
    if (entry->res < 0) /* every buffer is taken: they come back, and it is armed again */
        return entry->res == -ENOBUFS ? 0 : -entry->res;
    unsigned id = entry->flags >> IORING_CQE_BUFFER_SHIFT;
    network_take(network, uring.memory + (size_t)id * NETWORK_ROOM, (size_t)entry->res);
    give_buffer(id, 0);
    io_uring_buf_ring_advance(uring.buffers, 1);
    return 0;
}

static bool receive_uring(struct network *network, char *reason, size_t size)
{
    struct __kernel_timespec wait = {.tv_nsec = NETWORK_WAIT_MS * 1000000LL};
    struct io_uring_cqe *entry;
    int error = 0;

    for (;;) {
        if (!uring.armed)
            arm();
        int result = io_uring_wait_cqe_timeout(&uring.ring, &entry, &wait);
        if (result < 0)
            return quiet(-result) || fail(reason, size, "io_uring", -result) == 0;
        unsigned head, count = 0;
        io_uring_for_each_cqe(&uring.ring, head, entry)
        {
            error = error != 0 ? error : take_completion(network, entry);
            count++;
        }
        io_uring_cq_advance(&uring.ring, count);
        if (error != 0)
            return fail(reason, size, "a multishot receive (Linux 6.0)", error) == 0;
    }
}

const struct way way_recv = {
    .name = "recv",
    .what = "kernel socket, recv that blocks, one datagram a call",
    .open = open_socket,
    .receive = receive_one,
    .close = close_socket,
};

const struct way way_recvmmsg = {
    .name = "recvmmsg",
    .what = "kernel socket, up to 32 datagrams a call",
    .open = open_socket,
    .receive = receive_many,
    .close = close_socket,
};

const struct way way_busy_poll = {
    .name = "busy_poll",
    .what = "kernel socket, recv with SO_BUSY_POLL of 50 us",
    .open = open_busy_poll,
    .receive = receive_one,
    .close = close_socket,
    .note = busy_poll_note,
};

const struct way way_io_uring = {
    .name = "io_uring",
    .what = "kernel socket, io_uring's multishot receive into a ring of buffers",
    .open = open_uring,
    .receive = receive_uring,
    .close = close_uring,
};
