/* SPDX-License-Identifier: BSD-3-Clause */

/* Raw AF_XDP through libxdp: the frames as they are, of which only the headers' length is checked. */

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xdp/libxdp.h>
#include <xdp/xsk.h>

#include "network.h"

/** Ethernet, IPv4 without options, UDP: as the sender makes them. */
#define HEADERS 42u

static struct {
    struct xsk_umem *umem;
    struct xsk_socket *socket;
    struct xsk_ring_prod fill;
    struct xsk_ring_cons completion;
    struct xsk_ring_cons received;
    void *memory;
    uint64_t lost;
} xsk;

static int silent(enum libbpf_print_level level, const char *format, va_list arguments)
{
    (void)level, (void)format, (void)arguments;
    return 0;
}

static int silent_xdp(enum libxdp_print_level level, const char *format, va_list arguments)
{
    (void)level, (void)format, (void)arguments;
    return 0;
}

static void close_xdp(struct network *network)
{
    (void)network;
    if (xsk.socket != NULL)
        xsk_socket__delete(xsk.socket);
    if (xsk.umem != NULL)
        xsk_umem__delete(xsk.umem);
    free(xsk.memory);
    memset(&xsk, 0, sizeof xsk);
}

void wire_clear(const struct network *network)
{
    libbpf_set_print(silent);
    libxdp_set_print(silent_xdp);
    bpf_xdp_detach((int)network->interface, 0, NULL);
}

static void refill(const uint64_t *addresses, unsigned count)
{
    uint32_t at;

    if (xsk_ring_prod__reserve(&xsk.fill, count, &at) != count)
        return; /* has room for all */
    for (unsigned i = 0; i < count; i++)
        *xsk_ring_prod__fill_addr(&xsk.fill, at + i) = addresses[i];
    xsk_ring_prod__submit(&xsk.fill, count);
}

static int open_xdp(struct network *network, char *reason, size_t size)
{
    const size_t bytes = (size_t)NETWORK_QUEUE * XSK_UMEM__DEFAULT_FRAME_SIZE;
    struct xsk_umem_config area = {
        .fill_size = NETWORK_QUEUE,
        .comp_size = XSK_RING_CONS__DEFAULT_NUM_DESCS,
        .frame_size = XSK_UMEM__DEFAULT_FRAME_SIZE,
    };
    struct xsk_socket_config config = {
        .rx_size = NETWORK_QUEUE,
        .tx_size = XSK_RING_PROD__DEFAULT_NUM_DESCS,
        .bind_flags = XDP_COPY,
    };
    int result;

    if (posix_memalign(&xsk.memory, 4096, bytes) != 0) {
        snprintf(reason, size, "out of memory");
        return -1;
    }
    result = xsk_umem__create(&xsk.umem, xsk.memory, bytes, &xsk.fill, &xsk.completion, &area);
    if (result == 0)
        result = xsk_socket__create(&xsk.socket, NETWORK_RECEIVER, 0, xsk.umem, &xsk.received, NULL,
                                    &config);
    if (result != 0) {
        snprintf(reason, size, "AF_XDP cannot be had here: %s (root and BPF are needed)",
                 strerror(-result));
        close_xdp(network);
        return -1;
    }
    for (uint64_t i = 0; i < NETWORK_QUEUE; i++)
        refill((uint64_t[]){i * XSK_UMEM__DEFAULT_FRAME_SIZE}, 1);
    return 0;
}

static bool receive_xdp(struct network *network, char *reason, size_t size)
{
    static uint8_t payload[NETWORK_ROOM];
    struct pollfd ready = {.fd = xsk_socket__fd(xsk.socket), .events = POLLIN};
    uint64_t addresses[NETWORK_BATCH];
    uint32_t at;

    for (;;) {
        unsigned count = (unsigned)xsk_ring_cons__peek(&xsk.received, NETWORK_BATCH, &at);

        for (unsigned i = 0; i < count; i++) {
            const struct xdp_desc *frame = xsk_ring_cons__rx_desc(&xsk.received, at + i);
            size_t length = frame->len > HEADERS ? frame->len - HEADERS : 0;

            /* A client has its datagram in memory of its own, as from all the others. */
            if (length > sizeof payload)
                length = sizeof payload;
            memcpy(payload, (uint8_t *)xsk_umem__get_data(xsk.memory, frame->addr) + HEADERS,
                   length);
            network_take(network, payload, length);
            addresses[i] = frame->addr;
        }
        if (count != 0) {
            xsk_ring_cons__release(&xsk.received, count);
            refill(addresses, count);
            continue;
        }
        int events = poll(&ready, 1, NETWORK_WAIT_MS);
        if (events > 0)
            continue;
        if (events == 0 || errno == EINTR)
            return true;
        snprintf(reason, size, "poll: %s", strerror(errno));
        return false;
    }
}

const struct way way_af_xdp = {
    .name = "af_xdp",
    .what = "raw AF_XDP in copy mode: no protocol, only the payload copied",
    .open = open_xdp,
    .receive = receive_xdp,
    .close = close_xdp,
};
