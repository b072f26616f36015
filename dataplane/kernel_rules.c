/* SPDX-License-Identifier: BSD-3-Clause */
#include "kernel_rules.h"

#include <netinet/in.h>
#include <rte_ether.h>
#include <rte_ip.h>

#include "bytes.h"

#define MAX_TAGS 2
#define PORTS_BYTES 4u

static void read_ipv4(const uint8_t *ip, size_t length, struct kernel_frame *frame)
{
    if (length < sizeof(struct rte_ipv4_hdr) || ip[0] >> 4 != 4)
        return;
    size_t header = (size_t)(ip[0] & 0x0f) * 4;
    if (header < sizeof(struct rte_ipv4_hdr))
        return;
    frame->protocol = ip[9];
    if ((ip[9] != IPPROTO_TCP && ip[9] != IPPROTO_UDP) || length < header + PORTS_BYTES ||
        (bytes_load_be16(ip + 6) & (RTE_IPV4_HDR_MF_FLAG | RTE_IPV4_HDR_OFFSET_MASK)) != 0)
        return;
    frame->port = bytes_load_be16(ip + header + 2);
}

bool kernel_frame_read(const uint8_t *bytes, size_t length, struct kernel_frame *frame)
{
    size_t at = RTE_ETHER_HDR_LEN;

    if (length < at)
        return false;
    uint16_t ethertype = bytes_load_be16(bytes + 12);
    for (int tags = 0; tags < MAX_TAGS; tags++) {
        if (ethertype != RTE_ETHER_TYPE_VLAN && ethertype != RTE_ETHER_TYPE_QINQ)
            break;
        if (length < at + RTE_VLAN_HLEN)
            return false;
        ethertype = bytes_load_be16(bytes + at + 2);
        at += RTE_VLAN_HLEN;
    }
    *frame = (struct kernel_frame){
        .ethertype = ethertype, .packet = (uint16_t)at, .protocol = -1, .port = -1};
    if (ethertype == RTE_ETHER_TYPE_IPV4)
        read_ipv4(bytes + at, length - at, frame);
    return true;
}

static bool matches(const struct config_kernel_rule *rule, const struct kernel_frame *frame)
{
    if (!rule->is_protocol)
        return rule->number == frame->ethertype;
    if (frame->protocol != rule->number)
        return false;
    if (rule->first_port == 0 && rule->last_port == UINT16_MAX)
        return true;
    return frame->port >= rule->first_port && frame->port <= rule->last_port;
}

bool kernel_rules_match(const struct config_kernel_rule *rules, unsigned count,
                        const struct kernel_frame *frame)
{
    for (unsigned i = 0; i < count; i++)
        if (matches(&rules[i], frame))
            return true;
    return false;
}
