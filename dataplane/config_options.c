/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_options.h"

#include <limits.h>
#include <string.h>

static const char *const pages_choices[] = {
    [CONFIG_MEMORY_NO_HUGE] = "no-huge",
    [CONFIG_MEMORY_IN_MEMORY] = "in-memory",
    [CONFIG_MEMORY_HUGE] = "huge",
    NULL,
};

static const char *const checksums_choices[] = {
    [CONFIG_CHECKSUMS_VERIFY] = "verify",
    [CONFIG_CHECKSUMS_IGNORE] = "ignore",
    NULL,
};

static const char *const transmit_choices[] = {
    [CONFIG_TRANSMIT_AUTO] = "auto",
    [CONFIG_TRANSMIT_ON] = "on",
    [CONFIG_TRANSMIT_OFF] = "off",
    NULL,
};

static const char *const timestamps_choices[] = {
    [CONFIG_TIMESTAMPS_AUTO] = "auto",
    [CONFIG_TIMESTAMPS_DEVICE] = "device",
    [CONFIG_TIMESTAMPS_BURST] = "burst",
    NULL,
};

static const char *const address_choices[] = {
    [CONFIG_ADDRESS_CONFIGURED] = "configured",
    [CONFIG_ADDRESS_FROM_KERNEL] = "from-kernel",
    NULL,
};

static const char *const multicast_choices[] = {
    [CONFIG_MULTICAST_LISTED] = "listed",
    [CONFIG_MULTICAST_ALL] = "all",
    NULL,
};

/* A number means CONFIG_PACE_RATE. */
static const char *const pace_choices[] = {
    [CONFIG_PACE_LIVE] = "live",
    [CONFIG_PACE_DRAINED] = "drained",
    [CONFIG_PACE_RECORDED] = "recorded",
    NULL,
};

const struct config_option config_options[] = {
    {
        .section = "",
        .name = "cores",
        .kind = CONFIG_KIND_LIST,
        .required = true,
        .maximum = 8191,
        .most = CONFIG_MAX_CORES,
        .unit = "",
        .too_many = "too many cores",
        .help = "CPU numbers. The dataplane runs one thread on each, which polls without a pause: "
                "keep other work off these cores (isolcpus=) and take them from the NUMA node of "
                "the NIC.",
    },
    {
        .section = "",
        .name = "ports",
        .kind = CONFIG_KIND_SECTIONS,
        .required = true,
        .most = CONFIG_MAX_PORTS,
        .too_many = "too many ports",
        .help = "The devices that frames are taken from, one entry for each.",
    },
    {
        .section = "ports",
        .name = "device",
        .kind = CONFIG_KIND_TEXT,
        .required = true,
        .help = "A PCI address such as 0000:01:00.0, or vdev: and a DPDK device string such as "
                "vdev:net_pcap0,rx_pcap=feed.pcap (file names count from the working directory). "
                "Driver arguments follow after commas.",
    },
    {
        .section = "ports",
        .name = "address",
        .kind = CONFIG_KIND_CHOICE,
        .fallback = CONFIG_ADDRESS_CONFIGURED,
        .choices = address_choices,
        .offset = offsetof(struct config_port, address),
        .help =
            "configured: the port has what addresses, gateway, routes and mtu say. from-kernel: "
            "it has the IPv4 addresses, the routes of the main table, the MAC address and the "
            "MTU that the kernel's interface of the device has (net_af_xdp, net_af_packet, or "
            "a device on PCI whose kernel driver stays, such as mlx5), and follows their "
            "changes while it runs; without an address it waits for one. A socket bound to an "
            "address that goes stays bound: it receives and sends nothing until the address is "
            "back. At most 32 addresses and 32 routes, the longest prefixes; an MTU above the "
            "one at the start is not used.",
    },
    {
        .section = "ports",
        .name = "addresses",
        .kind = CONFIG_KIND_LIST,
        .most = CONFIG_MAX_ADDRESSES,
        .too_many = "too many addresses",
        .help = "IPv4 addresses of the port, each with its prefix length: 192.0.2.1/24. Without "
                "one, only multicast and broadcast are received and ARP is not answered.",
    },
    {
        .section = "ports",
        .name = "gateway",
        .kind = CONFIG_KIND_TEXT,
        .help = "The router on the port's network, such as 192.0.2.254, that takes what is sent to "
                "an address on no port's network and that no route is for.",
    },
    {
        .section = "ports",
        .name = "routes",
        .kind = CONFIG_KIND_LIST,
        .most = CONFIG_MAX_ROUTES,
        .too_many = "too many routes",
        .help = "Other networks with the router on the port's network that takes what is sent "
                "there: 10.0.0.0/8 via 192.0.2.253. The longest prefix of all ports decides.",
    },
    {
        .section = "ports",
        .name = "neighbours",
        .kind = CONFIG_KIND_LIST,
        .most = CONFIG_MAX_NEIGHBOURS,
        .too_many = "too many neighbours",
        .help = "Hosts on the port's network whose MAC addresses are given, each as 192.0.2.9 at "
                "52:54:00:12:34:56. They are not asked for by ARP, and nothing that ARP says "
                "changes them.",
    },
    {
        .section = "ports",
        .name = "queues",
        .kind = CONFIG_KIND_NUMBER,
        .minimum = 1,
        .maximum = CONFIG_MAX_QUEUES,
        .fallback = 1,
        .unit = " receive queues",
        .offset = offsetof(struct config_port, queues),
        .help = "Receive queues, dealt to the cores in turn. A net_pcap device has one for each "
                "rx_pcap= it is given.",
    },
    {
        .section = "ports",
        .name = "mtu",
        .kind = CONFIG_KIND_NUMBER,
        .minimum = 68,
        .maximum = 9702,
        .fallback = 1500,
        .unit = " bytes",
        .offset = offsetof(struct config_port, mtu),
        .help = "Bytes above the Ethernet header that a frame may carry.",
    },
    {
        .section = "ports",
        .name = "vlan",
        .kind = CONFIG_KIND_NUMBER,
        .minimum = 0,
        .maximum = 4094,
        .fallback = 0,
        .unit = "",
        .offset = offsetof(struct config_port, vlan),
        .help = "Accept frames of this VLAN id only, and send with it. 0 accepts frames with any "
                "tag and without one.",
    },
    {
        .section = "ports",
        .name = "checksums",
        .kind = CONFIG_KIND_CHOICE,
        .fallback = CONFIG_CHECKSUMS_VERIFY,
        .choices = checksums_choices,
        .offset = offsetof(struct config_port, checksums),
        .help = "verify: by the device where it can, else in software. ignore: UDP checksums are "
                "not looked at, for captures taken where a device was still to fill them in; those "
                "of IPv4 headers always are.",
    },
    {
        .section = "ports",
        .name = "transmit",
        .kind = CONFIG_KIND_CHOICE,
        .fallback = CONFIG_TRANSMIT_AUTO,
        .choices = transmit_choices,
        .offset = offsetof(struct config_port, transmit),
        .help = "on: the port is a host on its network. It probes for its addresses and announces "
                "them, answers ARP and ICMP, and sends what sockets send. off: it listens and "
                "never sends a frame, as on a tap or a mirror port. auto: on, but off for "
                "net_pcap, net_ring and net_null, which have no network behind them.",
    },
    {
        .section = "ports",
        .name = "kernel",
        .kind = CONFIG_KIND_TEXT,
        .help = "Name of a TAP interface, such as wrx0, which is made at the start and removed at "
                "the stop: the port's way to the kernel, for ssh, ping and daemons of this host. "
                "It has the port's MAC and mtu; addresses it is given in the usual way (ip address "
                "add), the port's own or others. Frames that kernel-rules names go there unless a "
                "socket takes them, copies of ARP as well, and what the kernel sends there leaves "
                "by the port. The port must transmit, and the process needs CAP_NET_ADMIN.",
    },
    {
        .section = "ports",
        .name = "kernel-rules",
        .kind = CONFIG_KIND_LIST,
        .most = CONFIG_MAX_KERNEL_RULES,
        .too_many = "too many rules",
        .help = "Which frames are the kernel's: lldp, ptp, ipv6 or any other ethertype such as "
                "0x888e; of IPv4 icmp, igmp, tcp, udp or protocol 89, and of tcp and udp also "
                "single destination ports: tcp 22, udp 319-320. With icmp the kernel answers "
                "echo requests instead of wirerx; of igmp it is given copies. Without rules: "
                "[lldp, ptp, icmp, tcp, udp 319-320].",
    },
    {
        .section = "ports",
        .name = "kernel-rate",
        .kind = CONFIG_KIND_NUMBER,
        .minimum = 1,
        .maximum = 1000000,
        .fallback = 10000,
        .unit = " frames a second",
        .offset = offsetof(struct config_port, kernel_rate),
        .help = "Frames to the kernel and frames from it, of each at most so many, and up to 256 "
                "at once. To the kernel more are dropped; from it more wait in its own queue.",
    },
    {
        .section = "ports",
        .name = "timestamps",
        .kind = CONFIG_KIND_CHOICE,
        .fallback = CONFIG_TIMESTAMPS_AUTO,
        .choices = timestamps_choices,
        .offset = offsetof(struct config_port, timestamps),
        .help = "What receive times are, for programs that ask for them. burst: when the "
                "dataplane took the frame off the device, with its burst. device: when the device "
                "received it, by its own clock, converted to wall time with a bound on the error; "
                "refused where the device or its driver takes no such times. auto: burst, but of a "
                "capture (net_pcap with rx_pcap=) the recorded times.",
    },
    {
        .section = "ports",
        .name = "multicast",
        .kind = CONFIG_KIND_CHOICE,
        .fallback = CONFIG_MULTICAST_LISTED,
        .choices = multicast_choices,
        .offset = offsetof(struct config_port, multicast),
        .help =
            "Groups whose frames the device lets through. listed: those that are joined, as "
            "far as the device has such a filter and room in it, else all. all: all of them, "
            "for devices whose driver stops the traffic for a moment at each change of the "
            "list (mlx5), and always where kernel is set, as its daemons' groups are not known. "
            "Sockets receive what they have joined in either case.",
    },
    {
        .section = "ports",
        .name = "pace",
        .kind = CONFIG_KIND_CHOICE,
        .minimum = 1,
        .maximum = 1000000000,
        .fallback = CONFIG_PACE_LIVE,
        .unit = " frames a second",
        .choices = pace_choices,
        .offset = offsetof(struct config_port, pace),
        .help = "How a capture (net_pcap with rx_pcap=) is handed out. live: as fast as the device "
                "gives it, dropping what finds no room. drained: as fast as the receivers take it, "
                "dropping nothing. recorded: with the gaps of the recording. A number: at that "
                "rate. The last three begin 100 ms after the last bind or join.",
    },
    {
        .section = "ports",
        .name = "impair",
        .kind = CONFIG_KIND_LIST,
        .most = CONFIG_MAX_IMPAIRMENTS,
        .help =
            "For tests only: what is done to the port on purpose, by dice that seed N makes fall "
            "the same way again (without one a seed is logged). Of received frames a share is lost "
            "(loss 0.1%), counted as missed by the device (missed 1%), doubled (duplicate 1%), has "
            "a bit flipped (corrupt 1%), is passed by up to 8 later ones (reorder 1%), or has no "
            "receive time (no-time 1%) or one wrong by up to a second (wrong-time 1%). delay and "
            "jitter: all come so many microseconds later, and up to so many more, in their order. "
            "Of transmitted frames: transmit-loss, transmit-duplicate, transmit-corrupt. "
            "link-down-after, link-up-after and remove-after: so many milliseconds from the start "
            "the link is down, is back, or the device is gone; the link's again every "
            "link-repeat-every. refuse-multicast, "
            "refuse-all-multicast: the device takes no list of groups, or cannot let all through.",
    },
    {
        .section = "",
        .name = "memory",
        .kind = CONFIG_KIND_SECTION,
        .help = "Where packet buffers and rings live.",
    },
    {
        .section = "memory",
        .name = "pages",
        .kind = CONFIG_KIND_CHOICE,
        .fallback = CONFIG_MEMORY_NO_HUGE,
        .choices = pages_choices,
        .offset = offsetof(struct config, memory),
        .help = "no-huge: plain pages, no privileges; enough for vdev: devices. in-memory: huge "
                "pages without files; nothing can attach from outside. huge: huge pages in "
                "hugetlbfs, so that dpdk-dumpcap and other tools can attach. A PCI device needs "
                "one of the latter two.",
    },
    {
        .section = "memory",
        .name = "megabytes",
        .kind = CONFIG_KIND_NUMBER,
        .minimum = 0,
        .maximum = 524288,
        .fallback = 0,
        .unit = " MiB",
        .offset = offsetof(struct config, memory_mb),
        .help = "Memory to take at the start. 0: computed from the rest.",
    },
    {
        .section = "memory",
        .name = "buffers",
        .kind = CONFIG_KIND_NUMBER,
        .minimum = 0,
        .maximum = CONFIG_MAX_BUFFERS,
        .fallback = 0,
        .unit = " buffers",
        .offset = offsetof(struct config, buffers),
        .help = "Packet buffers in the pool of each NUMA node. 0: what queues, cores and sockets "
                "need, and as much again to share. A net_pcap device with infinite_rx=1 also keeps "
                "its whole capture in them: for a long one, set this.",
    },
    {
        .section = "memory",
        .name = "buffer-bytes",
        .kind = CONFIG_KIND_NUMBER,
        .minimum = CONFIG_BUFFER_ROOM,
        .maximum = CONFIG_MAX_BUFFER_ROOM,
        .fallback = CONFIG_BUFFER_ROOM,
        .unit = " bytes",
        .offset = offsetof(struct config, buffer_bytes),
        .help = "Bytes of a frame that one packet buffer holds. A longer frame takes several, "
                "where the device can do that. mtu and 22 more hold every frame in one: less work "
                "for jumbo frames, more memory for all others.",
    },
    {
        .section = "",
        .name = "sockets",
        .kind = CONFIG_KIND_SECTION,
        .help = "Bounds and defaults of sockets.",
    },
    {
        .section = "sockets",
        .name = "maximum",
        .kind = CONFIG_KIND_NUMBER,
        .minimum = 1,
        .maximum = CONFIG_MAX_SOCKETS,
        .fallback = 256,
        .unit = " sockets",
        .too_many = "too many sockets",
        .offset = offsetof(struct config, sockets.maximum),
        .help = "Sockets that can be open at the same time.",
    },
    {
        .section = "sockets",
        .name = "ring-slots",
        .kind = CONFIG_KIND_NUMBER,
        .minimum = 64,
        .maximum = 1048576,
        .fallback = 2048,
        .unit = " datagrams",
        .offset = offsetof(struct config, sockets.ring_slots),
        .help = "Datagrams that wait in a socket at most: a power of two. A socket has room for "
                "64 (or min-buffers) of its own and is lent more while it needs it.",
    },
    {
        .section = "sockets",
        .name = "ring-bytes",
        .kind = CONFIG_KIND_NUMBER,
        .minimum = 1,
        .maximum = INT_MAX,
        .fallback = 2097152,
        .unit = " bytes",
        .offset = offsetof(struct config, sockets.ring_bytes),
        .help = "Payload that waits in a socket at most, until SO_RCVBUF says otherwise.",
    },
    {
        .section = "sockets",
        .name = "spin-us",
        .kind = CONFIG_KIND_NUMBER,
        .minimum = 0,
        .maximum = 3600000000,
        .fallback = 50,
        .unit = " microseconds",
        .offset = offsetof(struct config, sockets.spin_us),
        .help = "A call that has to wait polls for this long before it sleeps.",
    },
    {
        .section = "sockets",
        .name = "min-buffers",
        .kind = CONFIG_KIND_NUMBER,
        .minimum = 1,
        .maximum = 1048576,
        .fallback = 64,
        .unit = " buffers",
        .offset = offsetof(struct config, sockets.min_buffers),
        .help = "Packet buffers that each socket can count on however much the others hold; at "
                "most ring-slots.",
    },
};

const unsigned config_options_count = sizeof(config_options) / sizeof(config_options[0]);

/* config_option_get() and config_option_set() take a choice for an unsigned. */
_Static_assert(sizeof(enum config_memory) == sizeof(unsigned), "an enum is kept like an unsigned");
_Static_assert(sizeof(enum config_pace) == sizeof(unsigned), "an enum is kept like an unsigned");
_Static_assert(sizeof(enum config_checksums) == sizeof(unsigned) &&
                   sizeof(enum config_transmit) == sizeof(unsigned) &&
                   sizeof(enum config_timestamps) == sizeof(unsigned) &&
                   sizeof(enum config_address_source) == sizeof(unsigned) &&
                   sizeof(enum config_multicast) == sizeof(unsigned),
               "an enum is kept like an unsigned");

unsigned config_option_get(const struct config_option *option, const void *values)
{
    unsigned value;

    memcpy(&value, (const char *)values + option->offset, sizeof(value));
    return value;
}

void config_option_set(const struct config_option *option, void *values, unsigned value)
{
    memcpy((char *)values + option->offset, &value, sizeof(value));
}

const struct config_option *config_option_find(const char *section, const char *name)
{
    for (unsigned i = 0; i < config_options_count; i++) {
        const struct config_option *option = &config_options[i];

        if (strcmp(option->section, section) == 0 && strcmp(option->name, name) == 0)
            return option;
    }
    return NULL;
}

void config_options_default(const char *section, void *values)
{
    for (unsigned i = 0; i < config_options_count; i++) {
        const struct config_option *option = &config_options[i];

        if (strcmp(option->section, section) != 0)
            continue;
        if (option->kind == CONFIG_KIND_NUMBER || option->kind == CONFIG_KIND_CHOICE)
            config_option_set(option, values, option->fallback);
    }
}

/* "a", "a or b", "a, b or c". */
static void add_value(char *text, size_t size, const char *value, bool last)
{
    size_t used = strlen(text);
    const char *joint = last ? " or " : ", ";

    snprintf(text + used, size - used, "%s%s", used == 0 ? "" : joint, value);
}

void config_option_values(const struct config_option *option, char *text, size_t size)
{
    char range[64];

    text[0] = '\0';
    for (unsigned i = 0; option->choices != NULL && option->choices[i] != NULL; i++)
        add_value(text, size, option->choices[i],
                  option->choices[i + 1] == NULL && option->maximum == 0);
    if (option->maximum == 0)
        return;
    snprintf(range, sizeof(range), "%u to %u%s", option->minimum, option->maximum, option->unit);
    add_value(text, size, range, true);
}
