/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_COUNTERS_H
#define WIRERX_COUNTERS_H

/**
 * @file
 * One packet, one fate. Every frame that enters an lcore, from a device or from another lcore, ends
 * under exactly one row marked FATE; the rows marked INFO count other things. The rows carry their
 * documentation; `wirerx`, the man page and wirerx_counters() print it.
 *
 * Balance, per queue and per lcore:  frames + handed_in + looped + reassembled = sum of all FATE rows.
 * A fragment that is held has its fate, `queued.reassembly`; the datagram that it becomes a part of enters
 * as a frame of its own, `reassembled`. Of fragments:  queued.reassembly = reassembled.fragments +
 * lost.reassembly_* + those that are held still, of which there are none once the dataplane has stopped.
 * What leaves has its own, over all lcores:  out = sent.frames + lost.transmit_* + lost.unresolved, once
 * nothing waits any more; a frame counts as `out` where it is made, and the rest where it ends. A datagram
 * that is too long for one frame is one frame until it is cut, last of all, and from then on as many as its
 * fragments; if it cannot be cut it is lost as one.
 *
 * Each set of counters has one writer, its lcore; others may read at any time.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "single_writer.h"

/* X(identifier, kind, name, help) */
#define COUNTER_ROWS(X)                                                                                     \
    X(FRAMES, INFO, "frames", "frames taken from the device")                                               \
    X(HANDED_IN, INFO, "handed_in", "frames taken over from other lcores")                                  \
    X(LOOPED, INFO, "looped",                                                                               \
      "frames that sockets of this stack sent to it, and the errors that answered them")                    \
    X(REASSEMBLED, INFO, "reassembled", "datagrams that fragments were made whole again to")                \
    X(REASSEMBLED_FRAGMENTS, INFO, "reassembled.fragments", "fragments of them")                            \
    X(DELIVERED, FATE, "delivered", "frames put in at least one socket's ring")                             \
    X(HANDED_OVER, FATE, "handed_over",                                                                     \
      "frames given to other lcores only, whose sockets want them")                                         \
    X(CONSUMED_ARP, FATE, "consumed.arp", "ARP, seen to by the host side of the stack")                     \
    X(CONSUMED_ICMP, FATE, "consumed.icmp", "ICMP that was answered, or was news for the stack")            \
    X(CONSUMED_IGMP, FATE, "consumed.igmp", "IGMP, seen to by the host side of the stack")                  \
    X(QUEUED_REASSEMBLY, FATE, "queued.reassembly",                                                         \
      "fragments kept until the rest of their datagrams has come, the last included")                       \
    X(TO_KERNEL, FATE, "to_kernel", "frames given to the kernel, which a rule of the port names")           \
    X(TO_TRANSMIT, FATE, "to_transmit",                                                                     \
      "frames that other lcores have given to this one, which transmits for them")                          \
    X(DROP_SHORT_FRAME, FATE, "drop.short_frame", "too short for Ethernet and IPv4 headers")                \
    X(DROP_ETHERTYPE, FATE, "drop.other_ethertype", "neither IPv4 nor a protocol named below")              \
    X(DROP_ARP, FATE, "drop.arp",                                                                           \
      "ARP that is malformed or spoofed, or came in by a port that does not transmit")                      \
    X(DROP_IPV6, FATE, "drop.ipv6", "IPv6, not handled yet")                                                \
    X(DROP_VLAN, FATE, "drop.other_vlan", "tagged for another VLAN than the port's, or untagged")           \
    X(DROP_IP_HEADER, FATE, "drop.bad_ip_header",                                                           \
      "IPv4 version, header length or total length is impossible")                                          \
    X(DROP_IP_CHECKSUM, FATE, "drop.bad_ip_checksum", "IPv4 header checksum is wrong")                      \
    X(DROP_TRUNCATED, FATE, "drop.truncated", "the frame ends before the IPv4 packet does")                 \
    X(DROP_FRAGMENT, FATE, "drop.fragment", "IPv4 fragment whose length or offset is impossible")           \
    X(DROP_FRAGMENT_DUPLICATE, FATE, "drop.fragment_duplicate",                                             \
      "IPv4 fragment whose like has come already")                                                          \
    X(DROP_FRAGMENT_OVERLAP, FATE, "drop.fragment_overlap",                                                 \
      "IPv4 fragment of a datagram whose fragments overlap, or disagree about its end")                     \
    X(DROP_FRAGMENT_FULL, FATE, "drop.fragment_full",                                                       \
      "IPv4 fragment of a datagram that has too many of them, or for which there are too few buffers")      \
    X(DROP_MARTIAN, FATE, "drop.martian",                                                                   \
      "from or to 127.0.0.0/8, or from a group or a broadcast")                                             \
    X(DROP_ICMP, FATE, "drop.icmp",                                                                         \
      "ICMP that is malformed, over the rate, or nothing to anybody here")                                  \
    X(DROP_IGMP, FATE, "drop.igmp", "IGMP that is malformed, or none for a host")                           \
    X(DROP_TCP, FATE, "drop.tcp", "TCP, not handled yet")                                                   \
    X(DROP_PROTOCOL, FATE, "drop.other_protocol", "an IP protocol that nobody here speaks")                 \
    X(DROP_UDP_LENGTH, FATE, "drop.bad_udp_length",                                                         \
      "UDP length is shorter than its header or longer than the packet")                                    \
    X(DROP_UDP_CHECKSUM, FATE, "drop.bad_udp_checksum", "UDP checksum is wrong")                            \
    X(DROP_NOT_JOINED, FATE, "drop.not_joined",                                                             \
      "multicast or broadcast that no socket on that port joined")                                          \
    X(DROP_SOURCE_FILTERED, FATE, "drop.source_filtered",                                                   \
      "to a group that sockets on that port joined, but none of them for its source")                       \
    X(DROP_NOT_OURS, FATE, "drop.not_our_address", "unicast to an address that no port has")                \
    X(DROP_NO_SOCKET, FATE, "drop.no_socket",                                                               \
      "for one of our addresses, but no socket has the port")                                               \
    X(DROP_RING_FULL, FATE, "drop.ring_full", "every socket that wanted it had a full ring")                \
    X(DROP_POOL_SHARE, FATE, "drop.pool_share",                                                             \
      "the sockets that wanted it held their share of the buffer pool")                                     \
    X(DROP_NOT_FROM_PEER, FATE, "drop.not_from_peer",                                                       \
      "every socket that it could be for is connected, to another than its sender")                         \
    X(DROP_HANDOVER_FULL, FATE, "drop.handover_full",                                                       \
      "the way to the lcore that wanted it was full")                                                       \
    X(DROP_KERNEL_RATE, FATE, "drop.kernel_rate",                                                           \
      "frames for the kernel over the rate of the port")                                                    \
    X(DROP_KERNEL_FULL, FATE, "drop.kernel_full",                                                           \
      "frames for the kernel that found the way there full")                                                \
    X(DROP_FOREIGN_BUFFER, FATE, "drop.foreign_buffer",                                                     \
      "the device delivered a buffer that is not from our pools")                                           \
    X(DELIVERIES, INFO, "deliveries",                                                                       \
      "entries put in rings; more than `delivered` where several sockets share a group")                    \
    X(LOST_RING_FULL, INFO, "lost.ring_full",                                                               \
      "entries that single sockets lost to a full ring (SO_RCVBUF or slots)")                               \
    X(RING_NOT_GROWN, INFO, "ring_not_grown",                                                               \
      "entries lost to a full ring that could have grown, but no larger one was ready")                     \
    X(LOST_POOL_SHARE, INFO, "lost.pool_share",                                                             \
      "entries that single sockets lost because they held their share of the pool")                         \
    X(LOST_NOT_FROM_PEER, INFO, "lost.not_from_peer",                                                       \
      "entries that single sockets were not given because they are connected to another")                   \
    X(LOST_HANDOVER, INFO, "lost.handover_full", "entries lost on the way to another lcore")                \
    X(LOST_REASSEMBLY_TIMEOUT, INFO, "lost.reassembly_timeout",                                             \
      "fragments kept for 30 seconds from their datagram's first, whose rest has not come")                 \
    X(LOST_REASSEMBLY_OVERLAP, INFO, "lost.reassembly_overlap",                                             \
      "fragments kept that others overlapped, or contradicted")                                             \
    X(LOST_REASSEMBLY_FULL, INFO, "lost.reassembly_full",                                                   \
      "fragments kept of datagrams that were the oldest when there were too many, or too large")            \
    X(LOST_REASSEMBLY_STOPPED, INFO, "lost.reassembly_stopped",                                             \
      "fragments still kept when the dataplane stopped")                                                    \
    X(LOST_SEND_NO_BUFFER, INFO, "lost.send_no_buffer",                                                     \
      "datagrams that sockets sent and that found the buffer pool empty")                                   \
    X(LOST_SEND_STOPPED, INFO, "lost.send_stopped",                                                         \
      "datagrams that sockets sent and that were still queued when the dataplane stopped")                  \
    X(OUT, INFO, "out", "frames for the wire: of sockets, and what the host says itself")                   \
    X(SENT, INFO, "sent.frames", "frames that devices have taken to transmit")                              \
    X(SENT_BYTES, INFO, "sent.bytes", "bytes of them, from the Ethernet header on")                         \
    X(LOST_TRANSMIT_FULL, INFO, "lost.transmit_full",                                                       \
      "frames for the wire that found the way there full: the device's queue, or the way to the "           \
      "lcore that transmits")                                                                               \
    X(LOST_TRANSMIT_SHAPE, INFO, "lost.transmit_shape",                                                     \
      "frames for the wire in several buffers that the device cannot transmit and that do not "             \
      "fit one")                                                                                            \
    X(LOST_TRANSMIT_NO_BUFFER, INFO, "lost.transmit_no_buffer",                                             \
      "datagrams for the wire, too long for one frame, whose fragments found the buffer pool empty")        \
    X(LOST_UNRESOLVED, INFO, "lost.unresolved",                                                             \
      "frames for the wire whose next hop has not told its MAC address, or of too many that waited for it") \
    X(LOST_TRANSMIT_STOPPED, INFO, "lost.transmit_stopped",                                                 \
      "frames for the wire that still waited when the dataplane stopped")                                   \
    X(LOST_SEND_TOO_LONG, INFO, "lost.send_too_long",                                                       \
      "datagrams that must not be cut and did not leave, as they exceed the port's mtu")                    \
    X(LOST_SEND_NO_ROUTE, INFO, "lost.send_no_route",                                                       \
      "datagrams whose route had gone from the kernel before they left")                                    \
    X(FRAGMENTED, INFO, "fragmented", "datagrams that left in fragments")                                   \
    X(FRAGMENTED_FRAGMENTS, INFO, "fragmented.fragments", "fragments of them")                              \
    X(KERNEL_COPIES, INFO, "kernel.copies", "copies of ARP and IGMP given to the kernel")                   \
    X(LOST_KERNEL_COPY, INFO, "lost.kernel_copy",                                                           \
      "copies not made: over the rate, the way was full, or the buffer pool empty")                         \
    X(KERNEL_RECEIVED, INFO, "kernel.received", "frames and copies that the kernel has taken")              \
    X(LOST_KERNEL_REFUSED, INFO, "lost.kernel_refused",                                                     \
      "those it did not take: its interface is down, or was removed")                                       \
    X(LOST_KERNEL_STOPPED, INFO, "lost.kernel_stopped",                                                     \
      "those that still waited when the dataplane stopped")                                                 \
    X(KERNEL_SENT, INFO, "kernel.sent", "frames for the wire that the kernel has sent")                     \
    X(LOST_KERNEL_TOO_LONG, INFO, "lost.kernel_too_long", "those that exceed the port's mtu")               \
    X(KERNEL_HELD_BACK, INFO, "kernel.held_back",                                                           \
      "times that the rate of the port made what the kernel sends wait")                                    \
    X(ARP_ASKED, INFO, "arp.asked", "ARP requests sent to learn a neighbour's MAC address")                 \
    X(ARP_ANSWERED, INFO, "arp.answered", "ARP requests for our addresses that were answered")              \
    X(ARP_OVER_RATE, INFO, "arp.over_rate", "ARP requests and answers that their rate forbade")             \
    X(ARP_UNANSWERED, INFO, "arp.unanswered", "neighbours that did not answer and are forgotten")           \
    X(ARP_REPLACED, INFO, "arp.replaced", "neighbours forgotten because the table was full")                \
    X(ARP_CONFLICTS, INFO, "arp.conflicts", "ARP of other hosts that claim one of our addresses")           \
    X(ICMP_ECHOES, INFO, "icmp.echoes", "echo requests that were answered")                                 \
    X(ICMP_ERRORS, INFO, "icmp.errors",                                                                     \
      "ICMP errors sent: nobody has the port, or the protocol, or fragments were missing")                  \
    X(ICMP_PATH_MTUS, INFO, "icmp.path_mtus",                                                               \
      "path MTUs learnt, or found to be still lower, from ICMP about datagrams that must not be cut")       \
    X(ICMP_OVER_RATE, INFO, "icmp.over_rate", "echo replies and errors that their rate forbade")            \
    X(HANDED_COPIES, INFO, "handed_copies", "entries given to other lcores")                                \
    X(WAKEUPS, INFO, "wakeups",                                                                             \
      "wake-ups of sleeping receivers and waiters made by the lcore itself")                                \
    X(WAKEUPS_DEFERRED, INFO, "wakeups_deferred", "wake-ups given to the service thread")                   \
    X(COMPLETIONS, INFO, "completions", "services of posted receives by the lcore")                         \
    X(RINGS_GROWN, INFO, "rings_grown", "times a socket was given a larger ring")                           \
    X(RINGS_SHRUNK, INFO, "rings_shrunk", "times a socket has gone back to its small ring")                 \
    X(AGAIN_LEFT, INFO, "again_left",                                                                       \
      "times a socket was held by a client and the service left to it")

enum counter {
#define COUNTER_ENUM(identifier, kind, name, help) COUNTER_##identifier,
    COUNTER_ROWS(COUNTER_ENUM)
#undef COUNTER_ENUM
    COUNTER_TOTAL
};

/** Not a counter: the frame goes on to delivery. */
#define FATE_UNDECIDED COUNTER_TOTAL

struct counters {
    _Atomic uint64_t value[COUNTER_TOTAL];
};

struct counter_row {
    const char *name;
    const char *help;
    int is_fate;
};

extern const struct counter_row counter_rows[COUNTER_TOTAL];

/** Add to a counter of the calling lcore; readers elsewhere see it sooner or later. */
static inline void counter_add(struct counters *counters, enum counter counter, uint64_t n)
{
    single_writer_add64(&counters->value[counter], n);
}

static inline uint64_t counter_get(const struct counters *counters, enum counter counter)
{
    return atomic_load_explicit(&counters->value[counter], memory_order_relaxed);
}

/** Add every value of `from` to `to`. */
void counters_accumulate(struct counters *to, const struct counters *from);

_Static_assert(COUNTER_TO_TRANSMIT + 1 == COUNTER_DROP_SHORT_FRAME,
               "first the fates that keep a frame, then those that do not");

/** Does a frame with this fate belong to others now? If not, it is still the caller's to free. */
static inline bool counter_keeps_frame(enum counter fate)
{
    return fate <= COUNTER_TO_TRANSMIT;
}

/** The part of the sum that must equal frames + handed_in + looped + reassembled. */
uint64_t counters_fates(const struct counters *counters);

#endif
