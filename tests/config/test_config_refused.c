/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/suite.h"

#include "config_test.h"

#include <stdlib.h>
#include <string.h>

SUITE_TEST(refused, what_is_no_yaml)
{
    static const struct refused rows[] = {
        {"", "t.yaml: empty: it needs at least cores and ports"},
        {"# only a comment\n", "t.yaml: empty: it needs at least cores and ports"},
        {"---\n", "t.yaml:2: no options here: lines such as 'cores: [2]' are expected"},
        {"just words\n", "t.yaml:1: no options here: lines such as 'cores: [2]' are expected"},
        {"\n- a\n- b\n", "t.yaml:2: no options here: lines such as 'cores: [2]' are expected"},
        {"cores: [@\nports: []\n", "t.yaml:2: not valid YAML: did not find expected ',' or ']'"},
        {CORES "\tports: []\n",
         "t.yaml:2: not valid YAML: found character that cannot start any token"},
        {CORES "ports: \"open\n", "t.yaml:3: not valid YAML: found unexpected end of stream"},
        {CORES "ports: \xff\xfe\n", "t.yaml:2: not valid YAML: invalid leading UTF-8 octet"},
        {CORES "ports: a\x01\n", "t.yaml:2: not valid YAML: control characters are not allowed"},
        {"\xff\xfe"
         "c",
         "t.yaml:1: not valid YAML: invalid leading UTF-8 octet"},
        {"%YAML 3.0\n---\n" CORES, "t.yaml:1: not valid YAML: found incompatible YAML document"},
    };

    EXPECT_ALL_REFUSED(rows);
}

SUITE_TEST(refused, yaml_that_a_configuration_has_no_use_for)
{
    static const struct refused rows[] = {
        {NULL_PORT "---\n" NULL_PORT, "t.yaml:4: a second document: a configuration is one"},
        {"cores: &c [@]\n" DEVICE,
         "t.yaml:1: anchors and aliases are not supported: write the value out"},
        {CORES DEVICE "    queues: *q\n",
         "t.yaml:4: anchors and aliases are not supported: write the value out"},
        {NULL_PORT "    queues: &q 1\n",
         "t.yaml:4: anchors and aliases are not supported: write the value out"},
        {NULL_PORT "    mtu: !!int 1500\n",
         "t.yaml:4: tags are not supported: leave out 'tag:yaml.org,2002:int'"},
        {"cores: !set [@]\n", "t.yaml:1: tags are not supported: leave out '!set'"},
        {NULL_PORT "memory: !m {}\n", "t.yaml:4: tags are not supported: leave out '!m'"},
        {NULL_PORT "    device: \"a\\0b\"\n", "t.yaml:4: ports[0].device: appears twice, first in "
                                              "line 3"},
        {CORES "ports:\n  - device: \"vdev:a\\0b\"\n", "t.yaml:3: a NUL character in a value"},
        {"? [a, b]\n: c\n", "t.yaml:1: a key that is no option's name: a plain word is expected"},
        {"two words: 1\n", "t.yaml:1: a key that is no option's name: a plain word is expected"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: 1\n",
         "t.yaml:1: a key that is no option's name: a plain word is expected"},
        {"a: [[[[[[[[1]]]]]]]]\n", "t.yaml:1: a[0][0][0][0][0][0][0]: nested too deeply"},
    };

    EXPECT_ALL_REFUSED(rows);
}

SUITE_TEST(refused, keys_that_are_unknown_or_double_or_missing)
{
    static const struct refused rows[] = {
        {NULL_PORT "colour: red\n", "t.yaml:4: colour: unknown option; here are known: cores, "
                                    "ports, memory, sockets"},
        {NULL_PORT "    queue: 1\n",
         "t.yaml:4: ports[0].queue: unknown option; here are known: device, address, "
         "addresses, gateway, routes, neighbours, queues, mtu, vlan, checksums, transmit, kernel, kernel-rules, "
         "kernel-rate, timestamps, multicast, pace, impair"},
        {NULL_PORT "\n  - device: vdev:net_null1\n    Queues: 1\n",
         "t.yaml:6: ports[1].Queues: unknown option; here are known: device, address, "
         "addresses, gateway, routes, neighbours, queues, mtu, vlan, checksums, transmit, kernel, kernel-rules, "
         "kernel-rate, timestamps, multicast, pace, impair"},
        {NULL_PORT "memory:\n  pages: huge\n  size: 12\n",
         "t.yaml:6: memory.size: unknown option; here are known: pages, megabytes, buffers, "
         "buffer-bytes"},
        {NULL_PORT "sockets: {max: 12}\n",
         "t.yaml:4: sockets.max: unknown option; here are known: maximum, ring-slots, ring-bytes, "
         "spin-us, min-buffers"},
        {NULL_PORT "cores: [@]\n", "t.yaml:4: cores: appears twice, first in line 1"},
        {NULL_PORT "    mtu: 1500\n    queues: 1\n    mtu: 1500\n",
         "t.yaml:6: ports[0].mtu: appears twice, first in line 4"},
        {NULL_PORT "sockets: {maximum: 1, maximum: 1}\n",
         "t.yaml:4: sockets.maximum: appears twice, first in line 4"},
        {CORES, "t.yaml: ports is missing, which is required"},
        {"# nothing\n{}\n", "t.yaml: cores is missing, which is required"},
        {DEVICE, "t.yaml: cores is missing, which is required"},
        {CORES "ports:\n\n  - queues: 1\n",
         "t.yaml:4: ports[0]: device is missing, which is required"},
        {NULL_PORT "  - {}\n", "t.yaml:4: ports[1]: device is missing, which is required"},
    };

    EXPECT_ALL_REFUSED(rows);
}

SUITE_TEST(refused, values_of_another_shape)
{
    static const struct refused rows[] = {
        {"cores: @\n" DEVICE, "t.yaml:1: cores: a list is expected, such as [a, b]"},
        {"cores:\n" DEVICE, "t.yaml:1: cores: a list is expected, such as [a, b]"},
        {"cores: {a: 1}\n" DEVICE, "t.yaml:1: cores: a list is expected, such as [a, b]"},
        {"cores: [[@]]\n" DEVICE, "t.yaml:1: cores[0]: a single value is expected"},
        {"cores:\n- @\n- {a: b}\n" DEVICE, "t.yaml:3: cores[1]: a single value is expected"},
        {CORES "ports: vdev:net_null0\n", "t.yaml:2: ports: a list is expected, such as [a, b]"},
        {CORES "ports:\n  device: vdev:net_null0\n",
         "t.yaml:2: ports: a list is expected, such as [a, b]"},
        {CORES "ports: [vdev:net_null0]\n",
         "t.yaml:2: ports[0]: options are expected, such as name: value"},
        {CORES "ports:\n  - device: [a]\n", "t.yaml:3: ports[0].device: a single value is "
                                            "expected"},
        {NULL_PORT "    addresses: 192.0.2.1/24\n",
         "t.yaml:4: ports[0].addresses: a list is expected, such as [a, b]"},
        {NULL_PORT "    addresses:\n      - [192.0.2.1/24]\n",
         "t.yaml:5: ports[0].addresses[0]: a single value is expected"},
        {NULL_PORT "    queues: [1]\n", "t.yaml:4: ports[0].queues: a single value is expected"},
        {NULL_PORT "memory: huge\n", "t.yaml:4: memory: options are expected, such as name: value"},
        {NULL_PORT "memory:\n", "t.yaml:4: memory: options are expected, such as name: value"},
        {NULL_PORT "sockets: [1]\n",
         "t.yaml:4: sockets: options are expected, such as name: value"},
    };

    EXPECT_ALL_REFUSED(rows);
}

SUITE_TEST(refused, numbers_that_are_none_or_out_of_range)
{
    static const struct refused rows[] = {
        {NULL_PORT "    queues: many\n",
         "t.yaml:4: ports[0].queues: 'many' is no value; expected: 1 to 16 receive queues"},
        {NULL_PORT "    queues:\n",
         "t.yaml:4: ports[0].queues: has no value; expected: 1 to 16 receive queues"},
        {NULL_PORT "    queues: 0\n",
         "t.yaml:4: ports[0].queues: 0 is out of range: 1 to 16 receive queues"},
        {NULL_PORT "    queues: 17\n",
         "t.yaml:4: ports[0].queues: 17 is out of range: 1 to 16 receive queues"},
        {NULL_PORT "    queues: -1\n",
         "t.yaml:4: ports[0].queues: -1 is out of range: 1 to 16 receive queues"},
        {NULL_PORT "    queues: 4294967297\n",
         "t.yaml:4: ports[0].queues: 4294967297 is out of range: 1 to 16 receive queues"},
        {NULL_PORT "    queues: 99999999999999999999999\n",
         "t.yaml:4: ports[0].queues: 99999999999999999999999 is out of range: 1 to 16 receive "
         "queues"},
        {NULL_PORT "    queues: 010\n",
         "t.yaml:4: ports[0].queues: '010' is no value; expected: 1 to 16 receive queues"},
        {NULL_PORT "    queues: 0x4\n",
         "t.yaml:4: ports[0].queues: '0x4' is no value; expected: 1 to 16 receive queues"},
        {NULL_PORT "    queues: 1.5\n",
         "t.yaml:4: ports[0].queues: '1.5' is no value; expected: 1 to 16 receive queues"},
        {NULL_PORT "    queues: 1 2\n",
         "t.yaml:4: ports[0].queues: '1 2' is no value; expected: 1 to 16 receive queues"},
        {NULL_PORT "    queues: \"1\\n\"\n",
         "t.yaml:4: ports[0].queues: '1?' is no value; expected: 1 to 16 receive queues"},
        {NULL_PORT "    mtu: 67\n", "t.yaml:4: ports[0].mtu: 67 is out of range: 68 to 9702 bytes"},
        {NULL_PORT "    mtu: 9703\n",
         "t.yaml:4: ports[0].mtu: 9703 is out of range: 68 to 9702 bytes"},
        {NULL_PORT "    vlan: 4095\n", "t.yaml:4: ports[0].vlan: 4095 is out of range: 0 to 4094"},
        {NULL_PORT "memory: {megabytes: 524289}\n",
         "t.yaml:4: memory.megabytes: 524289 is out of range: 0 to 524288 MiB"},
        {NULL_PORT "memory: {buffers: 16777217}\n",
         "t.yaml:4: memory.buffers: 16777217 is out of range: 0 to 16777216 buffers"},
        {NULL_PORT "memory: {buffer-bytes: 2047}\n",
         "t.yaml:4: memory.buffer-bytes: 2047 is out of range: 2048 to 9728 bytes"},
        {NULL_PORT "memory: {buffer-bytes: 9729}\n",
         "t.yaml:4: memory.buffer-bytes: 9729 is out of range: 2048 to 9728 bytes"},
        {NULL_PORT "sockets: {maximum: 0}\n",
         "t.yaml:4: sockets.maximum: 0 is out of range: 1 to 65536 sockets"},
        {NULL_PORT "sockets: {maximum: 65537}\n",
         "t.yaml:4: sockets.maximum: too many sockets: 65537 is out of range: 1 to 65536 sockets"},
        {NULL_PORT "sockets:\n  ring-slots: 0\n",
         "t.yaml:5: sockets.ring-slots: 0 is out of range: 64 to 1048576 datagrams"},
        {NULL_PORT "sockets:\n  ring-slots: 2097152\n",
         "t.yaml:5: sockets.ring-slots: 2097152 is out of range: 64 to 1048576 datagrams"},
        {NULL_PORT "sockets: {ring-bytes: 0}\n",
         "t.yaml:4: sockets.ring-bytes: 0 is out of range: 1 to 2147483647 bytes"},
        {NULL_PORT "sockets: {ring-bytes: 2147483648}\n",
         "t.yaml:4: sockets.ring-bytes: 2147483648 is out of range: 1 to 2147483647 bytes"},
        {NULL_PORT "sockets: {spin-us: 3600000001}\n",
         "t.yaml:4: sockets.spin-us: 3600000001 is out of range: 0 to 3600000000 microseconds"},
        {NULL_PORT "sockets: {min-buffers: 0}\n",
         "t.yaml:4: sockets.min-buffers: 0 is out of range: 1 to 1048576 buffers"},
        {"cores: [one]\n" DEVICE, "t.yaml:1: cores[0]: 'one' is no value; expected: 0 to 8191"},
        {"cores:\n- @\n- 8192\n" DEVICE, "t.yaml:3: cores[1]: 8192 is out of range: 0 to 8191"},
    };

    EXPECT_ALL_REFUSED(rows);
}

SUITE_TEST(refused, words_that_are_no_choice)
{
    static const struct refused rows[] = {
        {NULL_PORT "    checksums: maybe\n",
         "t.yaml:4: ports[0].checksums: 'maybe' is no value; expected: verify or ignore"},
        {NULL_PORT "    timestamps: nic\n",
         "t.yaml:4: ports[0].timestamps: 'nic' is no value; expected: auto, device or burst"},
        {NULL_PORT "    checksums: 1\n",
         "t.yaml:4: ports[0].checksums: '1' is no value; expected: verify or ignore"},
        {NULL_PORT "    checksums:\n",
         "t.yaml:4: ports[0].checksums: has no value; expected: verify or ignore"},
        {NULL_PORT "memory:\n  pages: Huge\n",
         "t.yaml:5: memory.pages: 'Huge' is no value; expected: no-huge, in-memory or huge"},
        {CAPTURE "    pace: fast\n",
         "t.yaml:4: ports[0].pace: 'fast' is no value; expected: live, drained, recorded or 1 to "
         "1000000000 frames a second"},
        {CAPTURE "    pace: 0\n",
         "t.yaml:4: ports[0].pace: 0 is out of range: live, drained, recorded or 1 to 1000000000 "
         "frames a second"},
        {CAPTURE "    pace: 1000000001\n",
         "t.yaml:4: ports[0].pace: 1000000001 is out of range: live, drained, recorded or 1 to "
         "1000000000 frames a second"},
    };

    EXPECT_ALL_REFUSED(rows);
}

SUITE_TEST(refused, long_and_unprintable_texts_are_shown_short_and_clean)
{
    static const struct refused rows[] = {
        {NULL_PORT
         "    queues: "
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
         "t.yaml:4: ports[0].queues: "
         "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...' is no value; "
         "expected: 1 to 16 receive queues"},
        {CORES "ports:\n  - device: \"\\e[31mred\\r\"\n",
         "t.yaml:3: ports[0].device: '?[31mred?' is neither a PCI address such as 0000:01:00.0 "
         "nor vdev: and a driver, such as vdev:net_pcap0,rx_pcap=feed.pcap"},
    };

    EXPECT_ALL_REFUSED(rows);
}

SUITE_TEST(refused, cores)
{
    static const struct refused rows[] = {
        {"cores: []\n" DEVICE, "t.yaml:1: cores: no cores: at least one is needed, such as [2]"},
        {"cores:\n  - @\n  - @\n" DEVICE,
         "t.yaml:3: cores[1]: core @ is listed already, as cores[0]"},
        {"cores: [0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,"
         "30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,"
         "59,60,61,62,63,64]\n" DEVICE,
         "t.yaml:1: cores: too many cores: 65, at most 64 are possible"},
    };

    EXPECT_ALL_REFUSED(rows);
}

SUITE_TEST(refused, devices)
{
    static const struct refused rows[] = {
        {CORES "ports: []\n", "t.yaml:2: ports: no ports: at least one is needed"},
        {CORES "ports:\n  - device:\n", "t.yaml:3: ports[0].device: no device is named"},
        {CORES "ports:\n  - queues: 1\n    device: eth0\n",
         "t.yaml:4: ports[0].device: 'eth0' is neither a PCI address such as 0000:01:00.0 nor "
         "vdev: and a driver, such as vdev:net_pcap0,rx_pcap=feed.pcap"},
        {NULL_PORT "  - device: vdev:net_null0,size=64\n",
         "t.yaml:4: ports[1].device: net_null0 is used already, by ports[0]"},
        {CORES "memory: {pages: huge}\nports:\n  - device: \"0000:01:00.0\"\n"
               "  - device: 01:00.0\n",
         "t.yaml:5: ports[1].device: 0000:01:00.0 is used already, by ports[0]"},
        {CORES "ports:\n  - device: \"0000:01:00.0\"\n",
         "t.yaml:3: ports[0].device: 0000:01:00.0 is on PCI and needs huge pages: memory.pages "
         "must be in-memory or huge"},
    };

    EXPECT_ALL_REFUSED(rows);
}

SUITE_TEST(refused, more_ports_than_possible)
{
    char yaml[1024] = CORES "ports:\n";

    for (int i = 0; i < 17; i++)
        snprintf(yaml + strlen(yaml), sizeof(yaml) - strlen(yaml),
                 "  - {device: vdev:net_null%d}\n", i);
    EXPECT_ALL_REFUSED(((const struct refused[]){
        {yaml, "t.yaml:2: ports: too many ports: 17, at most 16 are possible"}}));
}

SUITE_TEST(refused, addresses)
{
    static const struct refused rows[] = {
        {NULL_PORT "    addresses: [192.0.2.1]\n",
         "t.yaml:4: ports[0].addresses[0]: '192.0.2.1' lacks a prefix length, such as "
         "192.0.2.1/24"},
        {NULL_PORT "    addresses: [192.0.2/24]\n",
         "t.yaml:4: ports[0].addresses[0]: '192.0.2/24' is no IPv4 address; expected: "
         "192.0.2.1/24"},
        {NULL_PORT "    addresses: [192.0.2.1.1.1.1.1.1/24]\n",
         "t.yaml:4: ports[0].addresses[0]: '192.0.2.1.1.1.1.1.1/24' is no IPv4 address; expected: "
         "192.0.2.1/24"},
        {NULL_PORT "    addresses: [\"2001:db8::1/64\"]\n",
         "t.yaml:4: ports[0].addresses[0]: '2001:db8::1/64' is no IPv4 address; expected: "
         "192.0.2.1/24"},
        {NULL_PORT "    addresses: [192.0.2.1/]\n",
         "t.yaml:4: ports[0].addresses[0]: '192.0.2.1/' has no prefix length after the slash: 0 to "
         "32"},
        {NULL_PORT "    addresses: [192.0.2.1/2x]\n",
         "t.yaml:4: ports[0].addresses[0]: '192.0.2.1/2x' has no prefix length after the slash: 0 "
         "to 32"},
        {NULL_PORT "    addresses: [192.0.2.1/024]\n",
         "t.yaml:4: ports[0].addresses[0]: '192.0.2.1/024' has no prefix length after the slash: 0 "
         "to 32"},
        {NULL_PORT "    addresses: [192.0.2.1/33]\n",
         "t.yaml:4: ports[0].addresses[0]: '192.0.2.1/33' has a prefix length out of range: 0 to "
         "32"},
        {NULL_PORT "    addresses: [192.0.2.1/4294967304]\n",
         "t.yaml:4: ports[0].addresses[0]: '192.0.2.1/4294967304' has a prefix length out of "
         "range: 0 to 32"},
        {NULL_PORT "    addresses:\n      - 192.0.2.1/24\n      - 239.1.2.3/32\n",
         "t.yaml:6: ports[0].addresses[1]: 239.1.2.3/32 is multicast: sockets join groups, a port "
         "does not have them"},
        {NULL_PORT "    addresses: [0.0.0.0/0]\n",
         "t.yaml:4: ports[0].addresses[0]: 0.0.0.0/0 means 'this network' (0.0.0.0/8), not a port"},
        {NULL_PORT "    addresses: [255.255.255.255/32]\n",
         "t.yaml:4: ports[0].addresses[0]: 255.255.255.255/32 is the broadcast address, not one of "
         "a port"},
        {NULL_PORT "    addresses: [127.0.0.1/8]\n",
         "t.yaml:4: ports[0].addresses[0]: 127.0.0.1/8 is a loopback address, not one of a port"},
        {NULL_PORT "    addresses: [192.0.2.0/24]\n",
         "t.yaml:4: ports[0].addresses[0]: 192.0.2.0/24 is its network's own address, not one of a "
         "port"},
        {NULL_PORT "    addresses: [192.0.2.255/24]\n",
         "t.yaml:4: ports[0].addresses[0]: 192.0.2.255/24 is its network's broadcast address, not "
         "one of a port"},
        {NULL_PORT "    addresses: [192.0.2.1/24, 192.0.2.1/25]\n",
         "t.yaml:4: ports[0].addresses[1]: 192.0.2.1/25 appears twice, first as "
         "ports[0].addresses[0]"},
        {NULL_PORT "    addresses: [192.0.2.2/24, 192.0.2.1/24]\n"
                   "  - device: vdev:net_null1\n    addresses:\n      - 192.0.2.1/24\n",
         "t.yaml:7: ports[1].addresses[0]: 192.0.2.1/24 appears twice, first as "
         "ports[0].addresses[1]"},
    };

    EXPECT_ALL_REFUSED(rows);
}

SUITE_TEST(refused, more_addresses_than_possible)
{
    char yaml[1024] = NULL_PORT "    addresses: [";

    for (int i = 1; i <= 33; i++)
        snprintf(yaml + strlen(yaml), sizeof(yaml) - strlen(yaml), "192.0.2.%d/24%s", i,
                 i == 33 ? "]\n" : ", ");
    EXPECT_ALL_REFUSED(((const struct refused[]){
        {yaml, "t.yaml:4: ports[0].addresses: too many addresses: 33, at most 32 are possible"}}));
}

SUITE_TEST(refused, captures_with_what_they_cannot_have)
{
    static const struct refused rows[] = {
        {NULL_PORT "    pace: drained\n",
         "t.yaml:4: ports[0].pace: only a capture has a pace, and this device reads none: net_pcap "
         "with rx_pcap= does"},
        {CORES "ports:\n  - device: \"vdev:net_pcap0,iface=lo\"\n    pace: 1000\n",
         "t.yaml:4: ports[0].pace: only a capture has a pace, and this device reads none: net_pcap "
         "with rx_pcap= does"},
        {INFINITE "    pace: recorded\n",
         "t.yaml:4: ports[0].pace: a capture that repeats for ever (infinite_rx=1) has no pace: "
         "leave out one of them"},
        {INFINITE "    mtu: 2027\n",
         "t.yaml:4: ports[0].mtu: 2027, but infinite_rx=1 takes only frames that fit one buffer: "
         "at most 2026 (memory.buffer-bytes: 2048)"},
        {INFINITE "    mtu: 9000\nmemory: {buffer-bytes: 9021}\n",
         "t.yaml:4: ports[0].mtu: 9000, but infinite_rx=1 takes only frames that fit one buffer: "
         "at most 8999 (memory.buffer-bytes: 9021)"},
        {CAPTURE "    queues: 2\n",
         "t.yaml:4: ports[0].queues: 2 given, but the device has one for each rx_pcap=, so 1"},
        {CORES "ports:\n  - device: \"vdev:net_pcap0,rx_pcap=a.pcap,rx_pcap=b.pcap\"\n",
         "t.yaml:3: ports[0].queues: 1 given, but the device has one for each rx_pcap=, so 2"},
    };

    EXPECT_ALL_REFUSED(rows);
}

SUITE_TEST(refused, sockets_and_memory_that_do_not_go_together)
{
    static const struct refused rows[] = {
        {NULL_PORT "sockets: {ring-slots: 3000}\n",
         "t.yaml:4: sockets.ring-slots: 3000 is no power of two, as 2048 and 4096 are"},
        {NULL_PORT "sockets:\n  ring-slots: 64\n  min-buffers: 65\n",
         "t.yaml:6: sockets.min-buffers: 65 is more than the 64 that a ring holds "
         "(sockets.ring-slots)"},
        {NULL_PORT "sockets:\n  ring-slots: 1048576\n  maximum: 65536\n  min-buffers: 256\n",
         "t.yaml:7: sockets.min-buffers: 256 for each of 65536 sockets: 16779008 buffers are "
         "needed in all, and a pool holds at most 16777216"},
        {NULL_PORT "memory:\n  buffers: 18175\n",
         "t.yaml:5: memory.buffers: pool too small: 18175 given, 18176 needed (1024 by "
         "queues, 768 by the cores' caches, 16384 by 256 sockets with 64 each); 0 has it computed"},
        {NULL_PORT "    transmit: on\nmemory:\n  buffers: 19199\n",
         "t.yaml:6: memory.buffers: pool too small: 19199 given, 19200 needed (2048 by "
         "queues, 768 by the cores' caches, 16384 by 256 sockets with 64 each); 0 has it computed"},
        /* Not among plain pages, whose size differs between machines. */
        {NULL_PORT "memory:\n  megabytes: 100\n  pages: huge\n",
         "t.yaml:5: memory.megabytes: too little memory: 100 MiB given, and 36352 buffers and the "
         "rings of 256 sockets alone take 104; 0 has it computed (210)"},
        {NULL_PORT "memory: {pages: huge}\nsockets: {ring-slots: 1048576, maximum: 65536}\n",
         "t.yaml:5: sockets: 5244672 buffers and the rings of 65536 sockets take 2637386 MiB, and "
         "at most 524288 are possible: fewer sockets or ring-slots"},
    };

    EXPECT_ALL_REFUSED(rows);
}

SUITE_TEST(refused, more_values_than_any_configuration_has)
{
    struct config config;
    struct config_error error;
    char yaml[16384] = "a: [";

    for (size_t i = sizeof("a: [") - 1; i < sizeof(yaml); i++)
        yaml[i] = i % 2 == 0 ? '1' : ',';
    CHECK_EQ_I64(config_parse("t.yaml", yaml, sizeof(yaml), &config, &error), -1);
    CHECK_EQ_STR(error.text, "t.yaml:1: more than 4096 values");
}

SUITE_TEST(refused, bytes_that_are_no_text)
{
    static const char yaml[] = "cores: [1]\nports:\n\0";
    struct config config;
    struct config_error error;

    CHECK_EQ_I64(config_parse("t.yaml", yaml, sizeof(yaml), &config, &error), -1);
    CHECK_EQ_STR(error.text, "t.yaml:3: a NUL byte: this is no text file");
}
