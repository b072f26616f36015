/* SPDX-License-Identifier: BSD-3-Clause */
#include "arp_packet.h"

#include <rte_byteorder.h>
#include <string.h>

#include "bytes.h"
#include "ipv4.h"

/* What every packet of IPv4 over Ethernet begins with: hardware, protocol, and the sizes of both. */
static const uint8_t beginning[] = {0, 1, 8, 0, 6, 4};

/* Where things are. */
enum {
    AT_OPERATION = 6,
    AT_SENDER_MAC = 8,
    AT_SENDER = 14,
    AT_TARGET_MAC = 18,
    AT_TARGET = 24,
};

static bool is_a_host(const struct arp_packet *packet)
{
    uint32_t sender = rte_be_to_cpu_32(packet->sender);

    return rte_is_valid_assigned_ether_addr(&packet->sender_mac) &&
           !ipv4_is_group_or_reserved(sender) && !ipv4_is_loopback(sender) &&
           (sender != 0 || packet->operation == ARP_REQUEST);
}

bool arp_packet_read(const uint8_t *bytes, size_t length, struct arp_packet *packet)
{
    if (length < ARP_PACKET_BYTES || memcmp(bytes, beginning, sizeof beginning) != 0)
        return false;
    unsigned operation = bytes_load_be16(bytes + AT_OPERATION);
    if (operation != ARP_REQUEST && operation != ARP_REPLY)
        return false;
    packet->operation = (enum arp_operation)operation;
    memcpy(&packet->sender_mac, bytes + AT_SENDER_MAC, sizeof packet->sender_mac);
    memcpy(&packet->sender, bytes + AT_SENDER, sizeof packet->sender);
    memcpy(&packet->target_mac, bytes + AT_TARGET_MAC, sizeof packet->target_mac);
    memcpy(&packet->target, bytes + AT_TARGET, sizeof packet->target);
    return is_a_host(packet);
}

void arp_packet_write(const struct arp_packet *packet, const struct rte_ether_addr *to,
                      uint8_t *frame)
{
    uint8_t *bytes = frame + RTE_ETHER_HDR_LEN;

    memset(frame, 0, ARP_FRAME_BYTES);
    memcpy(frame, to, sizeof *to);
    memcpy(frame + sizeof *to, &packet->sender_mac, sizeof packet->sender_mac);
    bytes_store_be16(frame + offsetof(struct rte_ether_hdr, ether_type), RTE_ETHER_TYPE_ARP);
    memcpy(bytes, beginning, sizeof beginning);
    bytes[AT_OPERATION + 1] = (uint8_t)packet->operation;
    memcpy(bytes + AT_SENDER_MAC, &packet->sender_mac, sizeof packet->sender_mac);
    memcpy(bytes + AT_SENDER, &packet->sender, sizeof packet->sender);
    memcpy(bytes + AT_TARGET_MAC, &packet->target_mac, sizeof packet->target_mac);
    memcpy(bytes + AT_TARGET, &packet->target, sizeof packet->target);
}
