/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "support/suite.h"

#include "kernel_end.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "support/wire.h"
#include "veth.h"
#include "wake.h"

static char name[] = "wtap0";
static int kernel; /* a packet socket on the interface */

struct config kernel_end_config(void)
{
    struct config config = wire_config();
    int device = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    if (!veth_lay())
        SKIP("this machine gives no network namespace with a veth pair");
    if (device < 0)
        SKIP("this machine gives no TAP interfaces: /dev/net/tun: %s", strerror(errno));
    close(device);
    config.ports[0].kernel = name;
    config.buffers = 8192; /* the ways there and back, and what transmits, on up to two lcores */
    return config;
}

void kernel_end_open(void)
{
    struct sockaddr_ll end = {.sll_family = AF_PACKET,
                              .sll_protocol = htons(0x0003 /* all */),
                              .sll_ifindex = (int)if_nametoindex(name)};

    CHECK(end.sll_ifindex != 0);
    kernel = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK(kernel >= 0 && bind(kernel, (struct sockaddr *)&end, sizeof end) == 0);
}

int kernel_end_socket(void)
{
    return kernel;
}

void kernel_end_start_with(struct config config)
{
    network_start(&config, &client_operations);
    kernel_end_open();
}

void kernel_end_start(void)
{
    kernel_end_start_with(kernel_end_config());
}

size_t kernel_end_look(uint8_t *bytes, size_t size)
{
    struct sockaddr_ll from;
    socklen_t length = sizeof from;
    ssize_t got;

    do {
        got = recvfrom(kernel, bytes, size, 0, (struct sockaddr *)&from, &length);
    } while (got > 0 && from.sll_pkttype == PACKET_OUTGOING);
    return got > 0 ? (size_t)got : 0;
}

size_t kernel_end_await(uint8_t *bytes, size_t size)
{
    uint64_t until = wake_clock() + KERNEL_END_PATIENCE_NS;

    while (wake_clock() < until) {
        wire_step(dataplane_tsc());
        size_t got = kernel_end_look(bytes, size);
        if (got != 0)
            return got;
        usleep(100);
    }
    FAIL("nothing has come to the kernel");
    return 0;
}

void kernel_end_await_counter(const char *counter, uint64_t wanted)
{
    uint64_t until = wake_clock() + KERNEL_END_PATIENCE_NS;

    while (wire_counter(counter) < wanted && wake_clock() < until) {
        wire_step(dataplane_tsc());
        usleep(100);
    }
    CHECK_EQ_U64(wire_counter(counter), wanted);
}

const struct network_frame *kernel_end_await_sent(void)
{
    uint64_t until = wake_clock() + KERNEL_END_PATIENCE_NS;

    while (wake_clock() < until) {
        const struct network_frame *frame = network_take();

        if (frame != NULL && memcmp(frame->bytes + 12, "\x08\x06", 2) != 0)
            return frame;
        wire_step(dataplane_tsc());
        usleep(100);
    }
    FAIL("nothing has left");
    return NULL;
}

void kernel_end_stop(void)
{
    close(kernel);
    wire_stop();
    network_check_balance();
    CHECK_EQ_U64(wire_counter("to_kernel") + wire_counter("kernel.copies"),
                 wire_counter("kernel.received") + wire_counter("lost.kernel_refused") +
                     wire_counter("lost.kernel_stopped"));
    CHECK(if_nametoindex(name) == 0);
}

void kernel_end_send_ethertype(unsigned ethertype)
{
    uint8_t bytes[60] = {0x01, 0x80, 0xc2, 0, 0, 0x0e, 2, 0, 0, 0, 0, 9};

    bytes[12] = (uint8_t)(ethertype >> 8);
    bytes[13] = (uint8_t)ethertype;
    bytes[14] = 42;
    wire_send(bytes, sizeof bytes);
    wire_step(dataplane_tsc());
}
