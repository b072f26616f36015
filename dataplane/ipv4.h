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

#endif
