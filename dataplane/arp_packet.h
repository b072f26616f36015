/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_ARP_PACKET_H
#define WIRERX_ARP_PACKET_H

/**
 * @file
 * ARP packets of IPv4 over Ethernet (RFC 826), read and written. IPv4 addresses are in network order.
 */

#include <rte_ether.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes of a packet, and of a frame with one: the shortest that Ethernet knows. */
#define ARP_PACKET_BYTES 28u
#define ARP_FRAME_BYTES 60u

enum arp_operation {
    ARP_REQUEST = 1,
    ARP_REPLY = 2
};

struct arp_packet {
    enum arp_operation operation;
    struct rte_ether_addr sender_mac;
    struct rte_ether_addr target_mac;
    uint32_t sender; /**< 0: a probe (RFC 5227, 1.1) */
    uint32_t target;
};

/**
 * Read a packet. Refused is what is not IPv4 over Ethernet with its sizes, what is neither request nor
 * reply, and what no host can be the sender of: a group's or no MAC, an address of a group, of a broadcast
 * or of 127.0.0.0/8, and 0.0.0.0 in a reply.
 * @param bytes   from the byte behind the ethertype on
 * @param length  how many there are; more than ARP_PACKET_BYTES are padding
 */
bool arp_packet_read(const uint8_t *bytes, size_t length, struct arp_packet *packet);

/** Write a frame of ARP_FRAME_BYTES from `packet->sender_mac` to `to`. */
void arp_packet_write(const struct arp_packet *packet, const struct rte_ether_addr *to,
                      uint8_t *frame);

#endif
