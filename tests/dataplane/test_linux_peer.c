/* SPDX-License-Identifier: BSD-3-Clause */

/* A Linux host at the other end of a veth pair, by net_af_xdp: each finds the other's MAC, and what one
 * sends the other receives. By hand, so that nothing is a matter of time but the kernel's share. */

#include "support/suite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip_icmp.h>
#include <rte_byteorder.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "network.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"
#include "veth.h"

#define PEER FRAME_IP(192, 0, 2, 9)
#define GROUP FRAME_IP(239, 1, 2, 3)
#define PORT 5000
#define CLOSED 5001

static void start(void)
{
    struct config config = wire_config_device("vdev:net_af_xdp0,iface=wtest1");
    struct config_error error;

    config.buffers = 16384;
    if (!veth_lay())
        SKIP("this machine gives no network namespace with a veth pair");
    veth_make_host("192.0.2.9/24");
    if (wire_try_start(&config, &client_operations, true, &error) != 0)
        SKIP("this machine has no AF_XDP: %s", error.text);
    CHECK(dataplane.ports[0].transmits);
}

static struct sockaddr_in name_of(uint32_t address, uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_addr.s_addr = rte_cpu_to_be_32(address),
                                .sin_port = rte_cpu_to_be_16(port)};
}

/* The kernel's socket, bound to the port on every address. */
static int open_kernel(int type, int protocol, uint16_t port)
{
    struct sockaddr_in name = name_of(0, port);
    int s = socket(AF_INET, type | SOCK_NONBLOCK, protocol);

    CHECK(s >= 0 && bind(s, (struct sockaddr *)&name, sizeof name) == 0);
    return s;
}

/* One that has joined GROUP, on PORT, and sends to it by the veth pair. */
static int open_member(void)
{
    struct ip_mreqn membership = {.imr_multiaddr.s_addr = RTE_BE32(GROUP),
                                  .imr_address.s_addr = RTE_BE32(PEER)};
    int s = open_kernel(SOCK_DGRAM, 0, PORT);

    CHECK(setsockopt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership, sizeof membership) == 0);
    CHECK(setsockopt(s, IPPROTO_IP, IP_MULTICAST_IF, &membership, sizeof membership) == 0);
    return s;
}

static void send_from_kernel(int s, uint32_t address, uint16_t port, const void *bytes,
                             size_t length)
{
    struct sockaddr_in to = name_of(address, port);

    CHECK_EQ_I64(sendto(s, bytes, length, 0, (struct sockaddr *)&to, sizeof to), (int64_t)length);
}

/* Step until the kernel's socket has something, or an error. */
static ssize_t await_kernel(int s, void *bytes, size_t length)
{
    for (unsigned i = 0; i < 200000; i++) {
        wire_step(dataplane_tsc());
        ssize_t received = recv(s, bytes, length, 0);
        if (received >= 0 || errno != EAGAIN)
            return received;
    }
    FAIL("nothing has come to the kernel's socket");
    return -1;
}

static void await_ours(const struct client *c, struct taken *taken)
{
    for (unsigned i = 0; i < 200000; i++) {
        wire_step(dataplane_tsc());
        if (client_take(c, taken))
            return;
    }
    FAIL("nothing has come to our socket");
}

static void end(struct client *c)
{
    client_close(c);
    network_check_balance();
    wire_capture_log(); /* libxdp says something in any case */
    wire_stop();
    CHECK(strstr(wire_captured_log(), "not returned") == NULL);
}

static void ping(int s, size_t length)
{
    uint8_t asked[4096] = {ICMP_ECHO}, got[4096];

    for (size_t i = 8; i < length; i++)
        asked[i] = (uint8_t)i;
    uint16_t sum = (uint16_t)~frame_sum(asked, length, 0);
    asked[2] = (uint8_t)(sum >> 8);
    asked[3] = (uint8_t)sum;
    send_from_kernel(s, WIRE_ADDRESS, 0, asked, length);
    CHECK_EQ_I64(await_kernel(s, got, sizeof got), (int64_t)length + 20);
    CHECK_EQ_U64(got[20], ICMP_ECHOREPLY);
    CHECK(memcmp(got + 28, asked + 8, length - 8) == 0);
    CHECK_EQ_U64(frame_sum(got + 20, length, 0), 0xffff);
}

SUITE_TEST(linux_peer, pings_us_with_any_length)
{
    start();
    struct client c = client_bound(0, PORT);
    int s = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ICMP);
    CHECK(s >= 0);
    for (size_t length = 8; length <= 1480; length += 184)
        ping(s, length);
    ping(s, 1481); /* and from here on in fragments, both ways */
    ping(s, 4000);
    CHECK_EQ_U64(wire_counter("icmp.echoes"), 11);
    CHECK_EQ_U64(wire_counter("reassembled"), 2);
    CHECK_EQ_U64(wire_counter("fragmented.fragments"), 2 + 3);
    close(s);
    end(&c);
}

SUITE_TEST(linux_peer, sends_to_us_and_receives_what_we_send)
{
    uint8_t bytes[2048];
    struct taken taken;

    start();
    struct client c = client_bound(0, PORT);
    int s = open_kernel(SOCK_DGRAM, 0, 6000);
    client_send(&c, PEER, 6000, 1472, 5); /* the first: we have to ask for its MAC */
    CHECK_EQ_I64(await_kernel(s, bytes, sizeof bytes), 1472);
    CHECK(frame_is_filled(bytes, 1472, 5));
    send_from_kernel(s, WIRE_ADDRESS, PORT, "hello", 5);
    await_ours(&c, &taken);
    CHECK_EQ_U64(taken.length, 5);
    CHECK_EQ_U64(taken.source, PEER);
    CHECK_EQ_U64(taken.source_port, 6000);
    for (unsigned i = 0; i < 300; i++) {
        client_send(&c, PEER, 6000, 64, i);
        CHECK_EQ_I64(await_kernel(s, bytes, sizeof bytes), 64);
        CHECK(frame_is_filled(bytes, 64, i));
    }
    close(s);
    end(&c);
}

SUITE_TEST(linux_peer, and_we_send_each_other_datagrams_in_fragments /* I01 */)
{
    static uint8_t bytes[SEND_MAX_PAYLOAD];
    static const size_t lengths[] = {20000, 1473, SEND_MAX_PAYLOAD};

    start();
    struct client c = client_bound(0, PORT);
    int s = open_kernel(SOCK_DGRAM, 0, 6000);
    for (unsigned i = 0; i < 3; i++) { /* the first is all there while we ask for its MAC */
        client_send(&c, PEER, 6000, lengths[i], i);
        CHECK_EQ_I64(await_kernel(s, bytes, sizeof bytes), (int64_t)lengths[i]);
        CHECK(frame_is_filled(bytes, lengths[i], i));
    }
    for (unsigned i = 0; i < 3; i++) {
        struct taken taken;

        frame_fill(bytes, lengths[i], i);
        send_from_kernel(s, WIRE_ADDRESS, PORT, bytes, lengths[i]);
        await_ours(&c, &taken);
        CHECK_EQ_U64(taken.length, lengths[i]);
        CHECK(frame_is_filled(taken.bytes, lengths[i], i));
    }
    CHECK_EQ_U64(wire_counter("fragmented"), 3);
    CHECK_EQ_U64(wire_counter("reassembled"), 3);
    close(s);
    end(&c);
}

SUITE_TEST(linux_peer, exchanges_a_group_s_datagrams_with_us)
{
    uint8_t bytes[2048];
    struct taken taken;

    start();
    struct client c = client_joined(GROUP, PORT);
    int s = open_member();
    client_send(&c, GROUP, PORT, 100, 1);
    CHECK_EQ_I64(await_kernel(s, bytes, sizeof bytes), 100);
    CHECK(frame_is_filled(bytes, 100, 1));
    client_expect(&c, 1, 1, 100); /* our own, of ourselves */
    send_from_kernel(s, GROUP, PORT, "hello", 5);
    await_ours(&c, &taken);
    CHECK_EQ_U64(taken.length, 5);
    CHECK_EQ_U64(taken.source, PEER);
    close(s);
    end(&c);
}

/* The kernel gives its own members what it sends, so the stream is the same. */
SUITE_TEST(linux_peer, hears_the_same_sequence_by_its_own_socket_as_we_do /* I01 */)
{
    static uint8_t sent[4000], theirs[sizeof sent + 1];
    unsigned seed = 20261127;
    struct taken ours;

    start();
    struct client c = client_joined(GROUP, PORT);
    int s = open_member();
    for (unsigned i = 0; i < 500; i += 5) { /* five at a time, some of them empty or in fragments */
        size_t lengths[5];

        for (unsigned k = 0; k < 5; k++) {
            lengths[k] = (size_t)rand_r(&seed) % (rand_r(&seed) % 4 == 0 ? sizeof sent : 200);
            frame_fill(sent, lengths[k], i + k);
            send_from_kernel(s, GROUP, PORT, sent, lengths[k]);
        }
        for (unsigned k = 0; k < 5; k++) {
            CHECK_EQ_I64(await_kernel(s, theirs, sizeof theirs), (int64_t)lengths[k]);
            await_ours(&c, &ours);
            CHECK_EQ_U64(ours.length, lengths[k]);
            CHECK_EQ_MEM(ours.bytes, theirs, lengths[k]);
            CHECK(frame_is_filled(theirs, lengths[k], i + k));
        }
    }
    CHECK_EQ_U64(client_drain(&c), 0);
    CHECK_EQ_I64(recv(s, theirs, sizeof theirs, 0), -1);
    close(s);
    end(&c);
}

SUITE_TEST(linux_peer, and_we_tell_each_other_of_ports_that_nobody_has) /* I12 */
{
    struct sockaddr_in to = name_of(WIRE_ADDRESS, CLOSED);
    struct taken taken;
    char byte;

    start();
    struct client c = client_bound(0, PORT);
    int s = open_kernel(SOCK_DGRAM, 0, 6000);
    CHECK(connect(s, (struct sockaddr *)&to, sizeof to) == 0);
    CHECK_EQ_I64(send(s, "x", 1, 0), 1);
    CHECK_EQ_I64(await_kernel(s, &byte, 1), -1);
    CHECK_EQ_I64(errno, ECONNREFUSED);
    CHECK_EQ_U64(wire_counter("icmp.errors"), 1);
    client_send(&c, PEER, CLOSED, 10, 1);
    await_ours(&c, &taken);
    CHECK_EQ_I64(taken.kind, RX_PORT_UNREACHABLE);
    CHECK_EQ_U64(taken.source, PEER);
    CHECK_EQ_U64(taken.source_port, CLOSED);
    close(s);
    end(&c);
}
