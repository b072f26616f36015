/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CONFIG_H
#define WIRERX_CONFIG_H

/**
 * @file
 * What a dataplane is started with. Filled by config_load() from YAML or by a program (the replay
 * of `wirerx recv`, tests); either way config_check() has the last word before anything is started.
 *
 * Nothing here knows DPDK or keeps state: every function may be called from any thread. What each
 * option means, its range and its default are written once, in config_options.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** Bounds that the tables of the dataplane are built for. */
#define CONFIG_MAX_CORES 64u
#define CONFIG_MAX_PORTS 16u
#define CONFIG_MAX_QUEUES 16u
#define CONFIG_MAX_ADDRESSES 32u
#define CONFIG_MAX_ROUTES 32u
#define CONFIG_MAX_KERNEL_RULES 32u
#define CONFIG_MAX_IMPAIRMENTS 19u
#define CONFIG_MAX_NEIGHBOURS 256u
#define CONFIG_MAX_SOCKETS 65536u
#define CONFIG_MAX_BUFFERS 16777216u

/** Descriptors of a receive queue and of a transmit queue, and objects in an lcore's mempool cache, which
 *  sizing needs. */
#define CONFIG_RX_DESCRIPTORS 1024u
#define CONFIG_TX_DESCRIPTORS 1024u
#define CONFIG_POOL_CACHE 256u

/** Buffers that may be on the way to the kernel from a port that has one, and empty ones, in frames, that
 *  wait for what the kernel sends. */
#define CONFIG_KERNEL_BUFFERS 256u
#define CONFIG_KERNEL_EMPTIES 64u

/** A packet buffer: private area, headroom before the frame, and room for frame bytes. */
#define CONFIG_BUFFER_PRIVATE 64u
#define CONFIG_BUFFER_HEADROOM 128u
#define CONFIG_BUFFER_ROOM 2048u     /**< by default, and at the least */
#define CONFIG_MAX_BUFFER_ROOM 9728u /**< a frame of the largest MTU */

enum config_memory {
    CONFIG_MEMORY_NO_HUGE, /**< plain pages: no privileges; devices on real buses cannot be used */
    CONFIG_MEMORY_IN_MEMORY, /**< huge pages without files: nothing can attach from outside */
    CONFIG_MEMORY_HUGE, /**< huge pages in hugetlbfs: dpdk-dumpcap and other tools may attach */
};

enum config_checksums {
    CONFIG_CHECKSUMS_VERIFY, /**< by the device where it offers it, else in software */
    CONFIG_CHECKSUMS_IGNORE, /**< UDP checksums are not looked at (IPv4 headers' always are) */
};

/** How a port that reads a capture hands out its frames; see dataplane/replay.h. */
enum config_pace {
    CONFIG_PACE_LIVE,     /**< not a replay: whatever the device gives, when it gives it */
    CONFIG_PACE_DRAINED,  /**< the source waits while a matched ring lacks room */
    CONFIG_PACE_RECORDED, /**< at the recorded gaps */
    CONFIG_PACE_RATE,     /**< at pace_rate frames a second */
};

/** May the port put frames on its network? */
enum config_transmit {
    CONFIG_TRANSMIT_AUTO, /**< unless its device has no network behind it (see config_options.c) */
    CONFIG_TRANSMIT_ON,
    CONFIG_TRANSMIT_OFF, /**< it listens only: no ARP, no ICMP, nothing that sockets send */
};

/** Which times the port's datagrams have, beside the burst's (receive_time.h). */
enum config_timestamps {
    CONFIG_TIMESTAMPS_AUTO,   /**< those of a capture that is replayed */
    CONFIG_TIMESTAMPS_DEVICE, /**< the device's: it is asked to take them, which may cost it speed */
    CONFIG_TIMESTAMPS_BURST,  /**< none */
};

/** Where do a port's addresses and routes come from? */
enum config_address_source {
    CONFIG_ADDRESS_CONFIGURED,
    CONFIG_ADDRESS_FROM_KERNEL, /**< what the kernel's interface has; its MAC and MTU, too */
};

/** Groups whose frames the device shall let through. */
enum config_multicast {
    CONFIG_MULTICAST_LISTED, /**< those that are joined, where it can (multicast_filter.h) */
    CONFIG_MULTICAST_ALL,
};

/** An IPv4 address of a port with its prefix. */
struct config_address {
    uint32_t address;       /**< host byte order */
    uint32_t prefix_length; /**< 0 to 32 */
};

/** The bits that tell hosts of its network apart; none of a /32. Host byte order. */
static inline uint32_t config_host_mask(const struct config_address *address)
{
    return (uint32_t)(0xffffffffull >> address->prefix_length);
}

/** Its network's directed broadcast address (RFC 919), host byte order; 0: a network of one or two
 *  addresses has none (RFC 3021). */
static inline uint32_t config_broadcast(const struct config_address *address)
{
    return address->prefix_length < 31 ? address->address | config_host_mask(address) : 0;
}

/** Who takes what is for this network. */
struct config_route {
    struct config_address destination; /**< no bits behind its prefix */
    uint32_t router;                   /**< on a network of the port's; host byte order */
};

/** Frames that are the kernel's, unless a socket takes them (kernel_rules.h). */
struct config_kernel_rule {
    bool is_protocol; /**< of IPv4; else an ethertype */
    uint16_t number;  /**< the protocol's, or the ethertype; host byte order */
    uint16_t
        first_port; /**< destination ports of TCP and UDP, host byte order; 0 to 65535: any, and */
    uint16_t last_port; /**< so it is of all others */
};

/** Frames of a queue that an impaired port keeps back at the most, so that later ones pass them. */
#define CONFIG_IMPAIR_HELD 8u

/** ... and that one with a delay has on their way. */
#define CONFIG_IMPAIR_DELAYED 1024u

/** The longest delay: a minute. */
#define CONFIG_MAX_DELAY_US 60000000u

/** Shares of frames are in parts of this. */
#define CONFIG_IMPAIR_WHOLE 1000000u

/** What is done on purpose to a port (impair.h). 0: not. */
struct config_impair {
    unsigned seed; /**< of the dice; 0: one is made up and logged */
    unsigned loss; /**< a share, as all down to transmit_corrupt */
    unsigned missed;
    unsigned duplicate;
    unsigned corrupt;
    unsigned reorder;
    unsigned no_time; /**< of the frames that have a time, as the next */
    unsigned wrong_time;
    unsigned transmit_loss; /**< of the frames that are transmitted, as the next two */
    unsigned transmit_duplicate;
    unsigned transmit_corrupt;
    unsigned delay;           /**< microseconds, as the next; at most CONFIG_MAX_DELAY_US */
    unsigned jitter;          /**< up to so many more */
    unsigned link_down_after; /**< milliseconds, as the next three */
    unsigned link_up_after;
    unsigned link_repeat_every;
    unsigned remove_after;
    unsigned refuse_multicast; /**< 1: so it is, as the next */
    unsigned refuse_all_multicast;
};

/** A host on a network of the port's whose MAC address is not asked for. */
struct config_neighbour {
    uint32_t address; /**< host byte order */
    uint8_t mac[6];   /**< of one host: no group's */
};

struct config_port {
    char *device; /**< PCI address (`0000:01:00.0`) or `vdev:` and a DPDK device string */
    enum config_address_source address;
    struct config_address *addresses;
    unsigned addresses_count;
    uint32_t gateway; /**< who takes what no route says; host byte order; 0: nobody */
    struct config_route *routes;
    unsigned routes_count;
    struct config_neighbour *neighbours;
    unsigned neighbours_count;
    unsigned queues; /**< receive queues, 1 to CONFIG_MAX_QUEUES; default 1 */
    unsigned mtu;    /**< bytes above Ethernet, 68 to 9702; default 1500 */
    unsigned vlan;   /**< 0: any tagging is accepted; else only this VLAN id (1 to 4094) */
    enum config_checksums checksums;
    enum config_transmit transmit;
    char *kernel; /**< a TAP interface of the kernel's, made at the start; NULL: none */
    struct config_kernel_rule *kernel_rules;
    unsigned kernel_rules_count; /**< 0: the rules of config_kernel_default() */
    unsigned kernel_rate;        /**< frames a second, each way, 1 to 1000000; default 10000 */
    enum config_timestamps timestamps;
    enum config_multicast multicast;
    enum config_pace pace;
    struct config_impair *impair; /**< NULL: as good as its device is */
    double pace_rate;             /**< frames a second, 1 to 1e9, for CONFIG_PACE_RATE */
    bool held; /**< a replay that waits for dataplane_replay_go() (never from YAML) */
};

/** Defaults and bounds of sockets. */
struct config_sockets {
    unsigned maximum;    /**< sockets that can be open at once; default 256 */
    unsigned ring_slots; /**< datagrams a ring holds, a power of two, 64 to 1048576; default 2048 */
    unsigned ring_bytes; /**< default SO_RCVBUF: payload bytes a ring holds; default 2 MiB */
    unsigned spin_us;    /**< a blocking call polls this long before it sleeps; default 50 */
    unsigned min_buffers; /**< buffers of the pool guaranteed to each socket; default 64 */
};

struct config {
    unsigned *cores; /**< CPU numbers, one lcore each */
    unsigned cores_count;
    enum config_memory memory;
    unsigned memory_mb;    /**< MiB; 0: computed from the rest, see config_memory_mb() */
    unsigned buffers;      /**< packet buffers per NUMA node; 0: computed, see config_buffers() */
    unsigned buffer_bytes; /**< bytes of a frame that one of them holds; default 2048, to 9728 */
    struct config_port *ports;
    unsigned ports_count;
    struct config_sockets sockets;
};

/** One line: what, where (file:line: path), what to do. Never holds a control character. */
struct config_error {
    char text[512];
};

/** A configuration with every default filled in, no cores and no ports. */
struct config config_default(void);

/** A port with every default filled in, no device and no addresses. */
struct config_port config_port_default(void);

/**
 * Read a YAML file of at most 1 MiB. Unknown keys, duplicate keys, wrong types and impossible
 * values are refused with `file:line: path: reason`, and so is YAML that a configuration has no use
 * for: several documents, anchors, aliases, tags. Calls config_check() last. Blocks on the file.
 *
 * @param path    a regular file; errors name it as given
 * @param config  receives the configuration on success; free with config_free(). Untouched on error
 * @param error   receives the reason on failure; may be NULL
 * @return 0, or -1 with error->text set
 */
int config_load(const char *path, struct config *config, struct config_error *error);

/** As config_load() from memory; `name` stands for the file in errors. Fuzz target. */
int config_parse(const char *name, const char *yaml, size_t length, struct config *config,
                 struct config_error *error);

/**
 * Refuse impossible values: bounds above, cores that this machine or process does not have, equal
 * cores or devices, addresses that are multicast or appear twice, pace on something that is no
 * capture, fewer buffers than queues and sockets need, a min_buffers above ring_slots, ...
 *
 * A core is this process's when the affinity mask of its main thread holds it or the kernel keeps
 * it isolated (isolcpus=), which is how a core is set aside for a dataplane.
 *
 * What only the device or the file system can tell is not looked at: whether the device is there,
 * whether a capture can be read, how many queues a NIC has.
 *
 * @param where  NULL, or a function that maps a path such as "ports[0].queues" to a line (0: not
 *               known)
 * @param map    its first argument
 * @param name   the file that errors name, or NULL
 * @return 0, or -1 with error->text set
 */
int config_check(const struct config *config, struct config_error *error,
                 unsigned (*where)(const void *map, const char *path), const void *map,
                 const char *name);

/** Free what config_load() or config_copy() allocated; harmless on a zeroed structure. */
void config_free(struct config *config);

/** Deep copy; 0, or -1 when memory is short (then `to` is untouched). */
int config_copy(struct config *to, const struct config *from);

/**
 * Buffers that one NUMA node's pool must hold at the least for this configuration: receive
 * descriptors of every queue, transmit descriptors of every port that transmits (it does so by one
 * queue), the lcores' caches, and min_buffers for every socket. UINT_MAX if it is more than that.
 *
 * A net_pcap device with infinite_rx=1 also keeps its whole capture in buffers of the pool. How
 * many that takes is not known here, so it is not counted: its user sets `buffers`.
 */
unsigned config_buffers_needed(const struct config *config);

/**
 * Buffers the pool gets: `buffers`, or when that is 0 what is needed and as much again to share
 * (at least 16,384 and at most 1,048,576 of them; never more than CONFIG_MAX_BUFFERS in all).
 */
unsigned config_buffers(const struct config *config);

/**
 * MiB of memory that EAL is to be given (its -m): `memory_mb`, or when that is 0 what one pool of
 * config_buffers() buffers, every socket's rings and 64 MiB take, and a quarter more. Generous, as
 * without huge pages the heap is one segment that cannot grow. For a configuration that
 * config_check() accepts.
 */
unsigned config_memory_mb(const struct config *config);

/** Print every option with its values, default and meaning: plain text, 80 columns. */
void config_describe(FILE *out);

/** The same as a section of a manual page (roff, man macros), heading included. */
void config_describe_man(FILE *out);

#endif
