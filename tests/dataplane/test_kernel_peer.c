/* SPDX-License-Identifier: BSD-3-Clause */

/* One wire, two stacks at this end: a Linux host in a namespace of its own speaks with this host's kernel
 * through a port of ours and its TAP interface, while a socket of ours receives by the same port. */

#include "support/suite.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/ip_icmp.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <rte_byteorder.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client.h"
#include "network.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"
#include "veth.h"
#include "wake.h"

#define PORT 5000
#define SERVICE 2222
#define PATIENCE_NS UINT64_C(20000000000)

static int here, there; /* namespaces: of the dataplane with wtest1, and of the peer with wtest0 */

static void enter(int namespace)
{
    CHECK(setns(namespace, CLONE_NEWNET) == 0);
}

/* This thread goes to a new namespace, and back; wtest0 goes there to stay. */
static void part_from_peer(void)
{
    char commands[128];

    here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    CHECK(here >= 0 && unshare(CLONE_NEWNET) == 0);
    there = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    CHECK(there >= 0);
    enter(here);
    snprintf(commands, sizeof commands, "ip link set wtest0 netns /proc/%d/fd/%d", (int)getpid(),
             there);
    CHECK(veth_run(commands));
    enter(there);
    CHECK(veth_run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1; ip link set wtest0 up"));
    veth_make_host("192.0.2.9/24");
    enter(here);
}

static void start(void)
{
    struct config config = wire_config_device("vdev:net_af_xdp0,iface=wtest1");
    static char name[] = "wtap0";
    struct config_error error;
    int device = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    if (device < 0)
        SKIP("this machine gives no TAP interfaces: /dev/net/tun: %s", strerror(errno));
    close(device);
    if (!veth_lay())
        SKIP("this machine gives no network namespace with a veth pair");
    part_from_peer();
    config.buffers = 16384;
    config.ports[0].kernel = name;
    if (wire_try_start(&config, &client_operations, true, &error) != 0)
        SKIP("this machine has no AF_XDP: %s", error.text);
    CHECK(veth_run("ip addr add 192.0.2.1/24 dev wtap0"));
}

static struct sockaddr_in name_of(uint32_t address, uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_addr.s_addr = rte_cpu_to_be_32(address),
                                .sin_port = rte_cpu_to_be_16(port)};
}

static int open_in(int namespace, int type, int protocol)
{
    enter(namespace);
    int s = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    CHECK(s >= 0);
    enter(here);
    return s;
}

/* Step until poll() says this of the socket. */
static void await(int s, short event)
{
    uint64_t until = wake_clock() + PATIENCE_NS;
    struct pollfd polled = {.fd = s, .events = event};

    while (wake_clock() < until) {
        for (unsigned i = 0; i < 100; i++)
            wire_step(dataplane_tsc());
        if (poll(&polled, 1, 0) == 1)
            return;
    }
    FAIL("nothing has come to the kernel's socket");
}

static void end(void)
{
    network_check_balance();
    wire_capture_log(); /* libxdp says something in any case */
    wire_stop();
    CHECK(strstr(wire_captured_log(), "not returned") == NULL);
    CHECK_EQ_U64(wire_counter("to_kernel") + wire_counter("kernel.copies"),
                 wire_counter("kernel.received") + wire_counter("lost.kernel_refused") +
                     wire_counter("lost.kernel_stopped"));
}

static void ping(int s, size_t length)
{
    struct sockaddr_in to = name_of(WIRE_ADDRESS, 0);
    uint8_t asked[6000] = {ICMP_ECHO}, got[6100];

    for (size_t i = 8; i < length; i++)
        asked[i] = (uint8_t)i;
    uint16_t sum = (uint16_t)~frame_sum(asked, length, 0);
    asked[2] = (uint8_t)(sum >> 8);
    asked[3] = (uint8_t)sum;
    CHECK_EQ_I64(sendto(s, asked, length, 0, (struct sockaddr *)&to, sizeof to), (int64_t)length);
    await(s, POLLIN);
    CHECK_EQ_I64(recv(s, got, sizeof got, 0), (int64_t)length + 20);
    CHECK_EQ_U64(got[20], ICMP_ECHOREPLY);
    CHECK(memcmp(got + 28, asked + 8, length - 8) == 0);
}

SUITE_TEST(kernel_peer, pings_this_host_s_kernel_through_the_port)
{
    start();
    int s = open_in(there, SOCK_RAW, IPPROTO_ICMP);
    ping(s, 64);
    ping(s, 1480);
    ping(s,
         5000); /* in fragments, which are made whole on the way in and made by the kernel back */
    CHECK_EQ_U64(wire_counter("icmp.echoes"), 0); /* none by ourselves */
    CHECK_EQ_U64(wire_counter("to_kernel"), 3);
    CHECK_GE_U64(wire_counter("kernel.sent"), 3 + 3);
    close(s);
    end();
}

/* A connection from one to the other, over which the bytes of one come to the other and back. */
static void exchange(int from, int to, const void *bytes, size_t length)
{
    uint8_t got[4096];
    size_t received = 0;

    for (size_t sent = 0; sent < length || received < length;) {
        if (sent < length) {
            ssize_t more = send(from, (const uint8_t *)bytes + sent, length - sent, 0);

            if (more > 0)
                sent += (size_t)more;
        }
        await(sent < length ? from : to, sent < length ? POLLOUT : POLLIN);
        ssize_t more = recv(to, got, sizeof got, 0);
        if (more <= 0)
            continue;
        CHECK(memcmp(got, (const uint8_t *)bytes + received, (size_t)more) == 0);
        received += (size_t)more;
    }
}

SUITE_TEST(kernel_peer, opens_tcp_to_the_kernel_while_our_socket_receives_on_the_port)
{
    static uint8_t bytes[100000];
    struct sockaddr_in service = name_of(WIRE_ADDRESS, SERVICE), to = name_of(WIRE_ADDRESS, PORT);
    struct taken taken;

    start();
    struct client c = client_bound(0, PORT);
    int listener = open_in(here, SOCK_STREAM, 0);
    int peer = open_in(there, SOCK_STREAM, 0);
    int datagrams = open_in(there, SOCK_DGRAM, 0);
    CHECK(bind(listener, (struct sockaddr *)&service, sizeof service) == 0);
    CHECK(listen(listener, 1) == 0);
    CHECK(connect(peer, (struct sockaddr *)&service, sizeof service) != 0);
    CHECK_EQ_I64(errno, EINPROGRESS);
    await(listener, POLLIN);
    int accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    CHECK(accepted >= 0);
    await(peer, POLLOUT);

    frame_fill(bytes, sizeof bytes, 7);
    for (unsigned i = 0; i < 5; i++)
        CHECK_EQ_I64(sendto(datagrams, "hello", 5, 0, (struct sockaddr *)&to, sizeof to), 5);
    exchange(peer, accepted, bytes, sizeof bytes);
    exchange(accepted, peer, bytes, sizeof bytes);
    for (unsigned i = 0; i < 5; i++) {
        CHECK(client_take(&c, &taken));
        CHECK_EQ_U64(taken.length, 5);
    }
    CHECK(!client_take(&c, &taken));
    CHECK_EQ_U64(wire_counter("deliveries"), 5);
    CHECK_EQ_U64(wire_counter("drop.kernel_rate"), 0);
    CHECK_EQ_U64(wire_counter("drop.tcp"), 0);
    close(accepted);
    close(peer);
    close(listener);
    close(datagrams);
    client_close(&c);
    end();
}

SUITE_TEST(kernel_peer, is_found_by_the_kernel_which_resolves_it_through_the_port)
{
    struct sockaddr_in to = name_of(FRAME_IP(192, 0, 2, 9), PORT);
    struct sockaddr_in at = name_of(0, PORT);
    char got[16];

    start();
    int ours = open_in(here, SOCK_DGRAM, 0);
    int theirs = open_in(there, SOCK_DGRAM, 0);
    CHECK(bind(theirs, (struct sockaddr *)&at, sizeof at) == 0);
    CHECK_EQ_I64(sendto(ours, "hello", 5, 0, (struct sockaddr *)&to, sizeof to), 5);
    await(theirs, POLLIN); /* the kernel has asked for its MAC, and had a copy of the answer */
    CHECK_EQ_I64(recv(theirs, got, sizeof got, 0), 5);
    CHECK_GE_U64(wire_counter("kernel.copies"), 1);
    close(ours);
    close(theirs);
    end();
}

SUITE_TEST(kernel_peer, s_lldp_is_heard_by_a_daemon_on_the_interface)
{
    static const uint8_t lldp[60] = {0x01, 0x80, 0xc2, 0, 0, 0x0e, 2, [12] = 0x88, [13] = 0xcc, 42};
    struct sockaddr_ll end_there = {.sll_family = AF_PACKET};
    struct sockaddr_ll end_here = {.sll_family = AF_PACKET, .sll_protocol = htons(0x88cc)};
    uint8_t got[256];

    start();
    int daemon = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    end_here.sll_ifindex = (int)if_nametoindex("wtap0");
    CHECK(daemon >= 0 && bind(daemon, (struct sockaddr *)&end_here, sizeof end_here) == 0);
    enter(there);
    int sender = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    end_there.sll_ifindex = (int)if_nametoindex("wtest0");
    CHECK(sender >= 0 && bind(sender, (struct sockaddr *)&end_there, sizeof end_there) == 0);
    enter(here);
    CHECK_EQ_I64(send(sender, lldp, sizeof lldp, 0), sizeof lldp);
    await(daemon, POLLIN);
    CHECK_EQ_I64(recv(daemon, got, sizeof got, 0), sizeof lldp);
    CHECK(memcmp(got, lldp, sizeof lldp) == 0);
    CHECK_EQ_U64(wire_counter("to_kernel"), 1);
    close(daemon);
    close(sender);
    end();
}
