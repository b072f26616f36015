/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_IPV4_H
#define WIRERX_IPV4_H

#include <stdbool.h>
#include <stdint.h>

/* DPDK's RTE_IPV4() shifts a one into the sign bit for addresses from 128.0.0.0 on. */

/** Host byte order: 224.0.0.0/4 (RFC 1112). */
static inline bool ipv4_is_multicast(uint32_t address)
{
    return address >> 28 == 0xe;
}

/** Host byte order: not one host's address but many hosts' (class D and above). */
static inline bool ipv4_is_group_or_reserved(uint32_t address)
{
    return address >> 29 == 0x7;
}

/** Host byte order: 127.0.0.0/8, which never leaves a host (RFC 1122, 3.2.1.3). */
static inline bool ipv4_is_loopback(uint32_t address)
{
    return address >> 24 == 127;
}

/**
 * Can no wire carry a datagram with these addresses, by their first bytes? RFC 1122, 3.2.1.3: 127.0.0.0/8 stays in a
 * host, and a source is one host's, so neither a group nor a broadcast to all (nor reserved, RFC 1112, 4).
 */
static inline bool ipv4_is_martian(uint8_t source, uint8_t destination)
{
    return source == 127 || source >= 224 || destination == 127;
}

/** The loopback addresses of the host itself, and the one that no socket may have (keys.h). */
#define IPV4_LOOPBACK 0x7f000001u
#define IPV4_LOOPBACK_NET 0x7f000000u
#define IPV4_LOOPBACK_BROADCAST 0x7fffffffu

#endif
