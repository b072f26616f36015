/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_GATHER_H
#define WIRERX_GATHER_H

/**
 * @file
 * The one copy of a send: from the client's WSABUFs, in array order, into the send queue. scatter.h is
 * the other direction.
 */

#include <stdbool.h>
#include <stdint.h>

#include "../dataplane/dataplane.h"
#include "wirerx/ws2spi.h"

/** An array of WSABUFs in our own memory, or in the client's. */
struct gather {
    const WSABUF *buffers;
    uint32_t count;
    bool clients_array;
};

/** Bytes that the array names. @return false: it cannot be read */
bool gather_length(const struct gather *from, uint64_t *length);

/**
 * Copy the first bytes of what the array names, as many as there is room for.
 * @return false: client memory could not be read, or has become less than that meanwhile
 */
bool gather_copy(const struct gather *from, const struct send_room *room);

/** Can everything that the array names be read now? Touches each page. */
bool gather_is_readable(const struct gather *from);

#endif
