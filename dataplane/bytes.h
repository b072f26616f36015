/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BYTES_H
#define WIRERX_BYTES_H

/**
 * @file
 * Numbers in packets, wherever they lie: as the wire has them (raw: network order, for what is compared and
 * passed on) or as numbers (be).
 */

#include <stdint.h>
#include <string.h>

static inline uint16_t bytes_load_be16(const uint8_t *at)
{
    return (uint16_t)((unsigned)at[0] << 8 | at[1]);
}

static inline uint16_t bytes_load_raw16(const uint8_t *at)
{
    uint16_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint32_t bytes_load_raw32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

static inline void bytes_store_be16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

#endif
