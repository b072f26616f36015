/* SPDX-License-Identifier: BSD-3-Clause */

/* The way to the kernel, with a real TAP interface in a namespace of the test's own, and with the test at
 * both ends: on the wire, and on the interface. By hand, but for the thread that reads and writes it. */

#include "support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arp_bench.h"
#include "client.h"
#include "host.h"
#include "network.h"
#include "state.h"
#include "support/frames.h"
#include "support/wire.h"
#include "tap.h"
#include "veth.h"
#include "wake.h"

#define ETHERTYPE_LLDP 0x88cc
#define ETHERTYPE_OTHER 0x88b5
#define TCP 6
#define GROUP FRAME_IP(239, 1, 2, 3)
#define NEIGHBOUR FRAME_IP(192, 0, 2, 9)
#define ANOTHER FRAME_IP(192, 0, 2, 77)
#define PATIENCE_NS UINT64_C(20000000000)

static char name[] = "wtap0";
static int kernel; /* a packet socket on the interface */

/* A namespace, and a configuration with an interface in it. */
static struct config config_with_kernel(void)
{
    struct config config = wire_config();
    int device = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    if (!veth_lay())
        SKIP("this machine gives no network namespace with a veth pair");
    if (device < 0)
        SKIP("this machine gives no TAP interfaces: /dev/net/tun: %s", strerror(errno));
    close(device);
    config.ports[0].kernel = name;
    return config;
}

static void open_kernel(void)
{
    struct sockaddr_ll end = {.sll_family = AF_PACKET,
                              .sll_protocol = htons(0x0003 /* all */),
                              .sll_ifindex = (int)if_nametoindex(name)};

    CHECK(end.sll_ifindex != 0);
    kernel = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CHECK(kernel >= 0 && bind(kernel, (struct sockaddr *)&end, sizeof end) == 0);
}

static void start_with(struct config config)
{
    network_start(&config, &client_operations);
    open_kernel();
}

static void start(void)
{
    start_with(config_with_kernel());
}

/* The next frame that the kernel was given. @return its length; 0: there is none now */
static size_t look(uint8_t *bytes, size_t size)
{
    struct sockaddr_ll from;
    socklen_t length = sizeof from;
    ssize_t got;

    do {
        got = recvfrom(kernel, bytes, size, 0, (struct sockaddr *)&from, &length);
    } while (got > 0 && from.sll_pkttype == PACKET_OUTGOING);
    return got > 0 ? (size_t)got : 0;
}

static size_t await(uint8_t *bytes, size_t size)
{
    uint64_t until = wake_clock() + PATIENCE_NS;

    while (wake_clock() < until) {
        wire_step(dataplane_tsc());
        size_t got = look(bytes, size);
        if (got != 0)
            return got;
        usleep(100);
    }
    FAIL("nothing has come to the kernel");
    return 0;
}

static void await_counter(const char *counter, uint64_t wanted)
{
    uint64_t until = wake_clock() + PATIENCE_NS;

    while (wire_counter(counter) < wanted && wake_clock() < until) {
        wire_step(dataplane_tsc());
        usleep(100);
    }
    CHECK_EQ_U64(wire_counter(counter), wanted);
}

/* The next frame that has left, but for what the port says itself: ARP. */
static const struct network_frame *await_sent(void)
{
    uint64_t until = wake_clock() + PATIENCE_NS;

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

static void end(void)
{
    close(kernel);
    wire_stop();
    network_check_balance();
    CHECK_EQ_U64(wire_counter("to_kernel") + wire_counter("kernel.copies"),
                 wire_counter("kernel.received") + wire_counter("lost.kernel_refused") +
                     wire_counter("lost.kernel_stopped"));
    CHECK(if_nametoindex(name) == 0);
}

static void send_ethertype(unsigned ethertype)
{
    uint8_t bytes[60] = {0x01, 0x80, 0xc2, 0, 0, 0x0e, 2, 0, 0, 0, 0, 9};

    bytes[12] = (uint8_t)(ethertype >> 8);
    bytes[13] = (uint8_t)ethertype;
    bytes[14] = 42;
    wire_send(bytes, sizeof bytes);
    wire_step(dataplane_tsc());
}

/* To the port's own MAC. @return its length */
static size_t send_frame(struct frame frame, uint8_t *bytes, size_t size)
{
    size_t length = frame_build(&frame, bytes, size);

    memcpy(bytes, &dataplane.ports[0].mac, 6);
    bytes[6] = 2; /* from one host */
    wire_send(bytes, length);
    wire_step(dataplane_tsc());
    return length;
}

static void expect_given(const uint8_t *wanted, size_t length)
{
    uint8_t got[2048];

    CHECK_EQ_U64(await(got, sizeof got), length);
    CHECK(memcmp(got, wanted, length) == 0);
}

SUITE_TEST(host_kernel, lldp_comes_to_the_interface_and_other_ethertypes_do_not)
{
    uint8_t got[256];

    start();
    send_ethertype(ETHERTYPE_OTHER);
    send_ethertype(ETHERTYPE_LLDP);
    CHECK_EQ_U64(await(got, sizeof got), 60);
    CHECK_EQ_U64(got[13], ETHERTYPE_LLDP & 0xff);
    CHECK_EQ_U64(got[14], 42);
    await_counter("kernel.received", 1);
    CHECK_EQ_U64(wire_counter("to_kernel"), 1);
    CHECK_EQ_U64(wire_counter("drop.other_ethertype"), 1);
    end();
}

SUITE_TEST(host_kernel, rules_choose_ports_and_what_they_leave_is_answered_as_before)
{
    static struct config_kernel_rule ssh = {true, TCP, 22, 22};
    struct config config = config_with_kernel();
    struct frame frame = {.destination = WIRE_ADDRESS, .protocol = TCP, .destination_port = 23};
    uint8_t bytes[256];

    config.ports[0].kernel_rules = &ssh;
    config.ports[0].kernel_rules_count = 1;
    start_with(config);
    send_frame(frame, bytes, sizeof bytes);
    CHECK_EQ_U64(wire_counter("drop.tcp"), 1);
    CHECK_EQ_U64(wire_counter("icmp.errors"), 1);
    frame.destination_port = 22;
    size_t length = send_frame(frame, bytes, sizeof bytes);
    expect_given(bytes, length);
    CHECK_EQ_U64(wire_counter("to_kernel"), 1);
    CHECK_EQ_U64(wire_counter("icmp.errors"), 1);
    send_ethertype(ETHERTYPE_LLDP); /* which only the default names */
    CHECK_EQ_U64(wire_counter("drop.other_ethertype"), 1);
    network_forget();
    end();
}

SUITE_TEST(host_kernel, sockets_come_before_rules_and_other_hosts_frames_are_nobodys)
{
    static struct config_kernel_rule udp = {true, 17, 0, 65535};
    struct config config = config_with_kernel();
    struct frame frame = {
        .destination = WIRE_ADDRESS, .destination_port = 5000, .payload = "abc", .length = 3};
    uint8_t bytes[256];

    config.ports[0].kernel_rules = &udp;
    config.ports[0].kernel_rules_count = 1;
    start_with(config);
    struct client c = client_bound(0, 5000);
    send_frame(frame, bytes, sizeof bytes);
    CHECK_EQ_U64(client_drain(&c), 1);
    CHECK_EQ_U64(wire_counter("to_kernel"), 0);
    frame.destination_port = 5001; /* nobody's, so the kernel's */
    size_t length = send_frame(frame, bytes, sizeof bytes);
    expect_given(bytes, length);
    CHECK_EQ_U64(wire_counter("icmp.errors"), 0);
    frame.destination = ANOTHER; /* which may be an address of the kernel's */
    length = send_frame(frame, bytes, sizeof bytes);
    expect_given(bytes, length);
    frame.destination = GROUP;
    length = send_frame(frame, bytes, sizeof bytes);
    expect_given(bytes, length);
    CHECK_EQ_U64(wire_counter("to_kernel"), 3);
    bytes[5] ^= 1; /* to another host's MAC, as in promiscuous mode */
    wire_send(bytes, length);
    wire_step(dataplane_tsc());
    CHECK_EQ_U64(wire_counter("to_kernel"), 3);
    CHECK_EQ_U64(wire_counter("drop.not_joined"), 1);
    client_close(&c);
    end();
}

SUITE_TEST(host_kernel, more_frames_than_the_rate_permits_are_dropped_and_counted)
{
    struct config config = config_with_kernel();

    config.ports[0].kernel_rate = 5;
    start_with(config);
    for (unsigned i = 0; i < 8; i++)
        send_ethertype(ETHERTYPE_LLDP); /* within much less than a fifth of a second */
    CHECK_EQ_U64(wire_counter("to_kernel"), 5);
    CHECK_EQ_U64(wire_counter("drop.kernel_rate"), 3);
    await_counter("kernel.received", 5);
    end();
}

SUITE_TEST(host_kernel, the_way_there_holds_so_many_buffers_and_no_more)
{
    struct config config = config_with_kernel();
    struct lcore *lcore;

    config.ports[0].kernel_rate = 1000000;
    start_with(config);
    lcore = &dataplane.lcores[0];
    for (unsigned i = 0; i < CONFIG_KERNEL_BUFFERS + 1; i++) {
        static const uint8_t lldp[60] = {0x01, 0x80, 0xc2, [12] = 0x88, [13] = 0xcc};
        struct rte_mbuf *mbuf = rte_pktmbuf_alloc(dataplane.ports[0].pool);

        CHECK(mbuf != NULL);
        memcpy(rte_pktmbuf_append(mbuf, sizeof lldp), lldp, sizeof lldp);
        enum counter fate =
            host_take(lcore, &dataplane.ports[0], mbuf, COUNTER_DROP_ETHERTYPE, dataplane_tsc());
        bool is_last = i == CONFIG_KERNEL_BUFFERS;
        CHECK_EQ_I64(fate, is_last ? COUNTER_DROP_KERNEL_FULL : COUNTER_TO_KERNEL);
        if (is_last)
            rte_pktmbuf_free(mbuf);
    }
    await_counter("kernel.received", CONFIG_KERNEL_BUFFERS);
    send_ethertype(ETHERTYPE_LLDP); /* there is room again */
    CHECK_EQ_U64(wire_counter("to_kernel"), 1);
    await_counter("kernel.received", CONFIG_KERNEL_BUFFERS + 1);
    close(kernel);
    wire_stop();
}

SUITE_TEST(host_kernel, a_frame_in_several_buffers_comes_in_one_piece)
{
    static const uint16_t segments[] = {20, 1, 300};
    struct frame frame = {.destination = WIRE_ADDRESS, .protocol = TCP};
    uint8_t payload[1000], bytes[1200];

    start();
    frame_fill(payload, sizeof payload, 1);
    frame.payload = payload;
    frame.length = sizeof payload;
    size_t length = frame_build(&frame, bytes, sizeof bytes);
    memcpy(bytes, &dataplane.ports[0].mac, 6);
    wire_send_segments(bytes, length, segments, 3);
    wire_step(dataplane_tsc());
    expect_given(bytes, length);
    end();
}

SUITE_TEST(host_kernel, what_the_kernel_sends_leaves_by_the_port)
{
    uint8_t bytes[1514] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};

    start();
    for (size_t length = 14; length <= sizeof bytes; length += 250) {
        frame_fill(bytes + 14, length - 14, length);
        CHECK_EQ_I64(send(kernel, bytes, length, 0), (int64_t)length);
        const struct network_frame *frame = await_sent();
        CHECK_EQ_U64(frame->length, length);
        CHECK(memcmp(frame->bytes, bytes, length) == 0);
    }
    CHECK_EQ_U64(wire_counter("kernel.sent"), 7);
    CHECK_GE_U64(wire_counter("out"), 7);
    network_check_balance();
    end();
}

SUITE_TEST(host_kernel, jumbo_frames_leave_in_as_many_buffers_as_it_takes)
{
    struct config config = config_with_kernel();
    uint8_t bytes[9014] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};

    config.ports[0].mtu = 9000;
    start_with(config);
    for (size_t length = 2000; length <= sizeof bytes; length += 1169) {
        frame_fill(bytes + 14, length - 14, length);
        CHECK_EQ_I64(send(kernel, bytes, length, 0), (int64_t)length);
        const struct network_frame *frame = await_sent();
        CHECK_EQ_U64(frame->length, length);
        CHECK(memcmp(frame->bytes, bytes, length) == 0);
    }
    end();
}

SUITE_TEST(host_kernel, a_frame_over_the_port_s_mtu_does_not_leave)
{
    uint8_t bytes[1523] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};

    start();
    CHECK(veth_run("ip link set wtap0 mtu 2000"));
    CHECK_EQ_I64(send(kernel, bytes, sizeof bytes, 0), sizeof bytes);
    await_counter("lost.kernel_too_long", 1);
    CHECK_EQ_I64(send(kernel, bytes, sizeof bytes - 1, 0), sizeof bytes - 1); /* with two tags */
    CHECK_EQ_U64(await_sent()->length, sizeof bytes - 1);
    CHECK_EQ_U64(wire_counter("kernel.sent"), 2);
    end();
}

SUITE_TEST(host_kernel, what_the_kernel_sends_faster_than_the_rate_waits_and_is_not_lost)
{
    struct config config = config_with_kernel();
    uint8_t bytes[60] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};

    config.ports[0].kernel_rate = 2;
    start_with(config);
    uint64_t began = wake_clock();
    for (bytes[14] = 0; bytes[14] < 5; bytes[14]++)
        CHECK_EQ_I64(send(kernel, bytes, sizeof bytes, 0), sizeof bytes);
    for (unsigned i = 0; i < 5; i++)
        CHECK_EQ_U64(await_sent()->bytes[14], i);
    CHECK_GE_U64(wake_clock() - began,
                 UINT64_C(1400000000)); /* two at once, and three half seconds */
    CHECK_GE_U64(wire_counter("kernel.held_back"), 1);
    end();
}

SUITE_TEST(host_kernel, on_a_port_of_one_vlan_the_kernel_sees_no_tags)
{
    struct config config = config_with_kernel();
    struct frame frame = {.destination = WIRE_ADDRESS,
                          .protocol = TCP,
                          .tags = {{.type = 0x88a8, .tci = 7}, {.tci = 100}},
                          .tags_count = 2};
    uint8_t bytes[256];

    config.ports[0].vlan = 100;
    start_with(config);
    size_t length = send_frame(frame, bytes, sizeof bytes);
    memmove(bytes + 8, bytes, 12);
    expect_given(bytes + 8, length - 8);
    CHECK_EQ_I64(send(kernel, bytes + 8, length - 8, 0), (int64_t)length - 8);
    const struct network_frame *left = await_sent();
    CHECK_EQ_U64(left->length, length - 4);
    CHECK(memcmp(left->bytes + 12, "\x81\x00\x00\x64\x08\x00", 6) == 0);
    end();
}

static void send_arp(unsigned operation, uint32_t target)
{
    struct rte_ether_addr mac = {{2, 0, 0, 0, 0, 9}};
    uint8_t frame[60] = {[0] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, [12] = 8, [13] = 6};

    memcpy(frame + 6, &mac, 6);
    bench_write(frame + 14, operation, mac, NEIGHBOUR, target);
    wire_send(frame, sizeof frame);
    wire_step(dataplane_tsc());
}

SUITE_TEST(host_kernel, the_kernel_has_copies_of_arp_but_for_what_is_answered_here)
{
    uint8_t got[256];

    start();
    send_arp(1, WIRE_ADDRESS);
    CHECK_EQ_U64(wire_counter("consumed.arp"), 1);
    CHECK_EQ_U64(wire_counter("kernel.copies"), 0);
    send_arp(2, WIRE_ADDRESS);
    CHECK_EQ_U64(await(got, sizeof got), 60);
    CHECK_EQ_U64(got[21], 2);
    send_arp(1, ANOTHER);
    CHECK_EQ_U64(await(got, sizeof got), 60);
    CHECK_EQ_U64(got[21], 1);
    CHECK_EQ_U64(wire_counter("consumed.arp"), 3);
    CHECK_EQ_U64(wire_counter("kernel.copies"), 2);
    CHECK_EQ_U64(wire_counter("to_kernel"), 0);
    network_forget();
    end();
}

SUITE_TEST(host_kernel, echo_requests_are_the_kernel_s_to_answer_if_a_rule_names_icmp)
{
    static struct config_kernel_rule lldp = {false, ETHERTYPE_LLDP, 0, 65535};
    struct config config = config_with_kernel();
    struct frame quoted = {.source = WIRE_ADDRESS, .destination_port = 53};
    struct frame_icmp icmp = {.type = 3, .code = 3, .quoted = &quoted};
    uint8_t bytes[256];

    start_with(config);
    size_t length = frame_icmp_build(&icmp, bytes, sizeof bytes);
    memcpy(bytes, &dataplane.ports[0].mac, 6);
    wire_send(bytes, length); /* about what no socket here has sent: so the kernel may have */
    wire_step(dataplane_tsc());
    expect_given(bytes, length);
    CHECK_EQ_U64(wire_counter("to_kernel"), 1);
    end();
    config.ports[0].kernel_rules = &lldp;
    config.ports[0].kernel_rules_count = 1;
    start_with(config);
    wire_send(bytes, length);
    wire_step(dataplane_tsc());
    CHECK_EQ_U64(wire_counter("drop.icmp"), 1);
    end();
}

SUITE_TEST(host_kernel, an_interface_that_is_down_or_removed_refuses_frames)
{
    start();
    CHECK(veth_run("ip link set wtap0 down"));
    send_ethertype(ETHERTYPE_LLDP);
    await_counter("lost.kernel_refused", 1);
    CHECK(veth_run("ip link set wtap0 up"));
    send_ethertype(ETHERTYPE_LLDP);
    await_counter("kernel.received", 1);
    wire_capture_log();
    CHECK(veth_run("ip link del wtap0"));
    send_ethertype(ETHERTYPE_LLDP);
    await_counter("lost.kernel_refused", 2);
    wire_step(dataplane_tsc());
    end();
    CHECK(strstr(wire_captured_log(), "the interface wtap0, by which a port reaches the kernel, is "
                                      "gone") != NULL);
}

SUITE_TEST(host_kernel, what_is_on_the_way_at_the_stop_comes_home)
{
    uint8_t bytes[60] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};

    start();
    for (unsigned i = 0; i < 20; i++) {
        send_ethertype(ETHERTYPE_LLDP);
        CHECK_EQ_I64(send(kernel, bytes, sizeof bytes, 0), sizeof bytes);
    }
    end(); /* which checks that no buffer is missing, and the sums */
    CHECK_EQ_U64(wire_counter("to_kernel"), 20);
}

SUITE_TEST(host_kernel, other_lcores_hand_over_what_is_for_the_kernel)
{
    struct config config = config_with_kernel();
    static unsigned cores[2];
    static const uint8_t lldp[60] = {0x01, 0x80, 0xc2, [12] = 0x88, [13] = 0xcc};
    uint8_t got[256];

    if (wire_cpus() < 2)
        SKIP("two lcores need two CPUs");
    cores[0] = wire_cpu(0);
    cores[1] = wire_cpu(1);
    config.cores = cores;
    config.cores_count = 2;
    config.buffers = 8192;
    config.ports[0].queues = 2;
    start_with(config);
    wire_send_frame(&(struct wire_frame){.bytes = lldp, .length = sizeof lldp, .queue = 1});
    CHECK_EQ_U64(await(got, sizeof got), 60);
    CHECK_EQ_U64(wire_counter("handed_over"), 1);
    CHECK_EQ_U64(wire_counter("to_kernel"), 1);
    end();
}

SUITE_TEST(host_kernel, an_lcore_wakes_the_thread_that_writes)
{
    struct config config = config_with_kernel();
    uint8_t frame[60] = {0x01, 0x80, 0xc2, [12] = 0x88, [13] = 0xcc}, got[256];

    config.ports[0].transmit = CONFIG_TRANSMIT_ON;
    config.ports[0].addresses_count = 0; /* nothing is said by the port itself */
    wire_start(&config, &client_operations, false);
    open_kernel();
    for (frame[14] = 0; frame[14] < 100; frame[14]++) {
        uint64_t until = wake_clock() + PATIENCE_NS;

        wire_send(frame, sizeof frame);
        while (look(got, sizeof got) == 0) {
            CHECK(wake_clock() < until);
            usleep(50); /* so that the thread sleeps before the next */
        }
        CHECK_EQ_U64(got[14], frame[14]);
    }
    wire_settle();
    CHECK_EQ_U64(wire_counter("to_kernel"), 100);
    end();
}

/* A thread's sink that has used up its budget. */
static struct wake_errand *handed_over;
static unsigned handed_over_count;

static bool defer_none(struct wake_sink *sink, _Atomic uint32_t *word, int count)
{
    (void)sink;
    (void)word;
    (void)count;
    return false;
}

static bool may_not_call(struct wake_sink *sink)
{
    (void)sink;
    return false;
}

static void keep_errand(struct wake_sink *sink, struct wake_errand *errand)
{
    (void)sink;
    handed_over = errand;
    handed_over_count++;
}

SUITE_TEST(host_kernel, beyond_its_budget_an_lcore_leaves_the_wake_up_to_the_service_thread)
{
    static struct wake_sink spent = {defer_none, may_not_call, keep_errand};
    struct tap *tap;
    uint8_t got[256];

    start();
    wire_step(dataplane_tsc()); /* and the thread has empties */
    tap = dataplane.ports[0].tap;
    for (unsigned i = 0; i < 3; i++) {
        while ((atomic_load(&tap->wants) & TAP_WANTS_FRAMES) == 0)
            usleep(100);
        wake_sink = &spent;
        send_ethertype(ETHERTYPE_LLDP);
        send_ethertype(ETHERTYPE_LLDP); /* the errand is out already */
        wake_sink = NULL;
        CHECK_EQ_U64(handed_over_count, i + 1);
        usleep(10000);
        CHECK_EQ_U64(look(got, sizeof got), 0); /* it sleeps */
        handed_over->run(handed_over);
        CHECK_EQ_U64(await(got, sizeof got), 60);
        CHECK_EQ_U64(await(got, sizeof got), 60);
    }
    end();
}

SUITE_TEST(host_kernel, starting_again_makes_the_interface_again)
{
    struct config config = config_with_kernel();
    char shown[64];

    for (unsigned i = 0; i < 3; i++) {
        start_with(config);
        snprintf(shown, sizeof shown, "ip link show wtap0 | grep -q 'mtu %u '", 1400 + i);
        CHECK_EQ_I64(veth_run(shown), i != 0);
        config.ports[0].mtu = 1401 + i;
        end();
    }
}

static void expect_refused(const struct config *config, const char *reason)
{
    struct config_error error;

    CHECK(wire_try_start(config, &client_operations, true, &error) != 0);
    CHECK_MSG(strcmp(error.text, reason) == 0, "%s", error.text);
}

SUITE_TEST(host_kernel, is_refused_where_it_cannot_be)
{
    struct config config = config_with_kernel();
    char taken[] = "wtest0";

    expect_refused(&config, "ports[0].kernel: the kernel would have its frames sent, and "
                            "vdev:net_ring0 has no network to transmit to");
    config.ports[0].transmit = CONFIG_TRANSMIT_ON;
    config.ports[0].kernel = taken;
    expect_refused(&config, "ports[0].kernel: no TAP interface wtest0 can be made: Device or "
                            "resource busy; there is an interface of this name");
    config.ports[0].kernel = name;
    start_with(config); /* and nothing is left over from that */
    end();
}
