/* SPDX-License-Identifier: BSD-3-Clause */

/* What is refused of that which a port is on its network: routes, neighbours, its way to the kernel. */

#include "support/suite.h"

#include "config_test.h"

#include <stdlib.h>
#include <string.h>

SUITE_TEST(refused_network, routes_that_lead_nowhere)
{
    static const struct refused rows[] = {
        {ADDRESSED "    gateway: 192.0.2.1\n",
         "t.yaml:5: ports[0].gateway: 192.0.2.1 is no other host on a network of the port's "
         "addresses"},
        {ADDRESSED "    gateway: 198.51.100.1\n",
         "t.yaml:5: ports[0].gateway: 198.51.100.1 is no other host on a network of the port's "
         "addresses"},
        {ADDRESSED "    gateway: x\n", "t.yaml:5: ports[0].gateway: 'x' is no router's address; "
                                       "expected: 192.0.2.254"},
        {ADDRESSED "    routes: [10.0.0.0/8]\n",
         "t.yaml:5: ports[0].routes[0]: '10.0.0.0/8' is no route; expected: 10.0.0.0/8 via "
         "192.0.2.254"},
        {ADDRESSED "    routes: [10.0.0.1/8 via 192.0.2.254]\n",
         "t.yaml:5: ports[0].routes[0]: 10.0.0.1/8 has bits behind its prefix"},
        {ADDRESSED "    routes: [10.0.0.0/8 via 192.0.2.255]\n",
         "t.yaml:5: ports[0].routes[0]: 192.0.2.255 is no other host on a network of the port's "
         "addresses"},
    };

    EXPECT_ALL_REFUSED(rows);
}

SUITE_TEST(refused_network, kernels_that_nothing_can_go_to)
{
#define KERNEL NULL_PORT "    kernel: wrx0\n    kernel-rules: "
#define NO_RULE(text)                                   \
    "t.yaml:5: ports[0].kernel-rules[0]: '" text        \
    "' is no rule; expected: lldp, ptp, ipv6, 0x88cc, " \
    "icmp, igmp, tcp, udp, protocol 89, tcp 22 or udp 319-320"
    static const struct refused rows[] = {
        {NULL_PORT "    kernel: wrx0/1\n", "t.yaml:4: ports[0].kernel: 'wrx0/1' is no interface's "
                                           "name: up to 15 letters, digits and signs, such as "
                                           "wrx0"},
        {NULL_PORT "    kernel: \"\"\n", "t.yaml:4: ports[0].kernel: '' is no interface's name: up "
                                         "to 15 letters, digits and signs, such as wrx0"},
        {NULL_PORT "    kernel: tap%d\n", "t.yaml:4: ports[0].kernel: 'tap%d' is no interface's "
                                          "name: up to 15 letters, digits and signs, such as wrx0"},
        {NULL_PORT "    kernel: abcdefghijklmnop\n",
         "t.yaml:4: ports[0].kernel: 'abcdefghijklmnop' is no interface's name: up to 15 letters, "
         "digits and signs, such as wrx0"},
        {NULL_PORT "    kernel: a\n    transmit: off\n",
         "t.yaml:4: ports[0].kernel: the kernel would have its frames sent, and transmit is off"},
        {NULL_PORT "    kernel: a\n  - device: vdev:net_null1\n    kernel: a\n",
         "t.yaml:6: ports[1].kernel: a is used already, by ports[0]"},
        {NULL_PORT "    kernel-rules: [lldp]\n",
         "t.yaml:4: ports[0].kernel-rules: rules without an interface: kernel names it"},
        {NULL_PORT "    kernel: a\n    kernel-rate: 0\n",
         "t.yaml:5: ports[0].kernel-rate: 0 is out of range: 1 to 1000000 frames a second"},
        {KERNEL "[everything]\n", NO_RULE("everything")},
        {KERNEL "[tcp22]\n", NO_RULE("tcp22")},
        {KERNEL "[tcp 65536]\n", NO_RULE("tcp 65536")},
        {KERNEL "[udp 320-319]\n", NO_RULE("udp 320-319")},
        {KERNEL "[udp 1-]\n", NO_RULE("udp 1-")},
        {KERNEL "[icmp 8]\n", NO_RULE("icmp 8")},
        {KERNEL "[protocol 256]\n", NO_RULE("protocol 256")},
        {KERNEL "[protocol]\n", NO_RULE("protocol")},
        {KERNEL "[0x88c]\n", NO_RULE("0x88c")},
        {KERNEL "[0x88cg]\n", NO_RULE("0x88cg")},
        {KERNEL "[0x05ff]\n",
         "t.yaml:5: ports[0].kernel-rules[0]: 0x05ff is no ethertype: they begin at 0x0600"},
        {KERNEL "[0x0800]\n",
         "t.yaml:5: ports[0].kernel-rules[0]: 0x0800 is IPv4, of which a rule names the protocol: "
         "icmp, igmp, tcp, udp or protocol N"},
        {KERNEL "[0x0806]\n", "t.yaml:5: ports[0].kernel-rules[0]: 0x0806 is ARP, which the kernel "
                              "is given in any case"},
        {KERNEL "[0x8100]\n", "t.yaml:5: ports[0].kernel-rules[0]: 0x8100 is a VLAN tag: a rule "
                              "names what is behind it"},
        {KERNEL
         "[tcp 1,tcp 2,tcp 3,tcp 4,tcp 5,tcp 6,tcp 7,tcp 8,tcp 9,tcp 10,tcp 11,tcp 12,tcp 13,"
         "tcp 14,tcp 15,tcp 16,tcp 17,tcp 18,tcp 19,tcp 20,tcp 21,tcp 22,tcp 23,tcp 24,tcp 25,"
         "tcp 26,tcp 27,tcp 28,tcp 29,tcp 30,tcp 31,tcp 32,tcp 33]\n",
         "t.yaml:5: ports[0].kernel-rules: too many rules: 33, at most 32 are possible"},
        {KERNEL "[lldp]\nmemory: {buffers: 4096}\n",
         "t.yaml:6: memory.buffers: pool too small: 4096 given, 18496 needed (1344 by queues, 768 by "
         "the cores' caches, 16384 by 256 sockets with 64 each); 0 has it computed"},
    };
#undef KERNEL
#undef NO_RULE

    EXPECT_ALL_REFUSED(rows);
}

SUITE_TEST(refused_network, neighbours_that_nobody_can_be)
{
    static const struct refused rows[] = {
        {ADDRESSED "    neighbours: [192.0.2.9]\n",
         "t.yaml:5: ports[0].neighbours[0]: '192.0.2.9' is no neighbour; expected: 192.0.2.9 at "
         "52:54:00:12:34:56"},
        {ADDRESSED "    neighbours: [192.0.2.9 at 52:54:00:12:34]\n",
         "t.yaml:5: ports[0].neighbours[0]: '192.0.2.9 at 52:54:00:12:34' is no neighbour; "
         "expected: 192.0.2.9 at 52:54:00:12:34:56"},
        {ADDRESSED "    neighbours: [192.0.2.9 at 52:54:00:12:34:56:78]\n",
         "t.yaml:5: ports[0].neighbours[0]: '192.0.2.9 at 52:54:00:12:34:56:78' is no neighbour; "
         "expected: 192.0.2.9 at 52:54:00:12:34:56"},
        {ADDRESSED "    neighbours: [192.0.2 at 52:54:00:12:34:56]\n",
         "t.yaml:5: ports[0].neighbours[0]: '192.0.2 at 52:54:00:12:34:56' is no neighbour; "
         "expected: 192.0.2.9 at 52:54:00:12:34:56"},
        {ADDRESSED "    neighbours:\n      - 192.0.2.9 at 52:54:00:12:34:56\n"
                   "      - 198.51.100.9 at 52:54:00:12:34:56\n",
         "t.yaml:7: ports[0].neighbours[1]: 198.51.100.9 is no other host on a network of the "
         "port's addresses"},
        {ADDRESSED "    neighbours: [192.0.2.1 at 52:54:00:12:34:56]\n",
         "t.yaml:5: ports[0].neighbours[0]: 192.0.2.1 is no other host on a network of the port's "
         "addresses"},
        {ADDRESSED "    neighbours: [192.0.2.255 at 52:54:00:12:34:56]\n",
         "t.yaml:5: ports[0].neighbours[0]: 192.0.2.255 is no other host on a network of the "
         "port's addresses"},
        {ADDRESSED "    neighbours: [239.1.2.3 at 52:54:00:12:34:56]\n",
         "t.yaml:5: ports[0].neighbours[0]: 239.1.2.3 is no other host on a network of the port's "
         "addresses"},
        {ADDRESSED "    neighbours: [192.0.2.9 at 01:00:5e:00:00:01]\n",
         "t.yaml:5: ports[0].neighbours[0]: 192.0.2.9 has a MAC address that stands for a group of "
         "hosts"},
        {ADDRESSED "    neighbours: [192.0.2.9 at 00:00:00:00:00:00]\n",
         "t.yaml:5: ports[0].neighbours[0]: 192.0.2.9 has a MAC address of zeros, which is no "
         "host's"},
        {ADDRESSED "    neighbours:\n      - 192.0.2.9 at 52:54:00:12:34:56\n"
                   "      - 192.0.2.9 at 52:54:00:12:34:57\n",
         "t.yaml:7: ports[0].neighbours[1]: 192.0.2.9 appears twice, first as "
         "ports[0].neighbours[0]"},
    };

    EXPECT_ALL_REFUSED(rows);
}

SUITE_TEST(refused_network, addresses_of_the_kernel_that_cannot_be)
{
#define XDP CORES "ports:\n  - device: \"vdev:net_af_xdp0,iface=eth1\"\n    address: from-kernel\n"
    static const struct refused rows[] = {
        {NULL_PORT "    address: from-kernel\n",
         "t.yaml:4: ports[0].address: from-kernel, but net_null0 is no interface of the kernel: "
         "net_af_xdp, net_af_packet and devices on PCI can be"},
        {NULL_PORT "    address: 192.0.2.1/24\n",
         "t.yaml:4: ports[0].address: '192.0.2.1/24' is no value; expected: configured or "
         "from-kernel"},
        {XDP "    addresses: [192.0.2.1/24]\n",
         "t.yaml:5: ports[0].addresses: the kernel's interface says that (address: from-kernel): "
         "leave it out"},
        {XDP "    gateway: 192.0.2.254\n",
         "t.yaml:5: ports[0].gateway: the kernel's interface says that (address: from-kernel): "
         "leave it out"},
        {XDP "    routes: [10.0.0.0/8 via 192.0.2.254]\n",
         "t.yaml:5: ports[0].routes: the kernel's interface says that (address: from-kernel): "
         "leave it out"},
        {XDP "    mtu: 9000\n",
         "t.yaml:5: ports[0].mtu: the kernel's interface says that (address: from-kernel): leave "
         "it out"},
        {XDP "    kernel: wrx0\n",
         "t.yaml:5: ports[0].kernel: the kernel has an interface of this device already, whose "
         "addresses the port has (address: from-kernel): leave out one of them"},
        {XDP "    neighbours: [192.0.2.9 at 01:00:5e:00:00:01]\n",
         "t.yaml:5: ports[0].neighbours[0]: 192.0.2.9 has a MAC address that stands for a group of "
         "hosts"},
    };

    EXPECT_ALL_REFUSED(rows);
#undef XDP
}

SUITE_TEST(refused_network, more_neighbours_than_possible)
{
    char yaml[16384] = ADDRESSED "    neighbours: [";

    for (int i = 0; i < 257; i++)
        snprintf(yaml + strlen(yaml), sizeof(yaml) - strlen(yaml),
                 "192.0.2.2 at 52:54:00:12:34:56%s", i == 256 ? "]\n" : ", ");
    EXPECT_ALL_REFUSED(((const struct refused[]){
        {yaml, "t.yaml:5: ports[0].neighbours: too many neighbours: 257, at most 256 are "
               "possible"}}));
}
