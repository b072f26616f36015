/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_SCATTER_H
#define WIRERX_SCATTER_H

/**
 * @file
 * The one copy: from a frame's segments into the client's WSABUFs, in array order, packed (G01),
 * skipping empty elements (G03), never beyond the message (G10).
 */

#include <stdbool.h>
#include <stdint.h>

#include "../dataplane/dataplane.h"
#include "wirerx/ws2spi.h"

/** Element of a client's array, whose address may be anything, NULL included: no pointer arithmetic. */
static inline const WSABUF *scatter_buffer(const WSABUF *buffers, uint32_t index)
{
    return (const WSABUF *)((uintptr_t)buffers + (uintptr_t)index * sizeof *buffers);
}

/**
 * @param element  the datagram
 * @param buffers  WSABUF array in our own memory, or in the client's when `guarded_array`
 * @param copied   receives the bytes copied; less than element->length: the buffers were too small
 * @return false: client memory could not be read or written
 */
bool scatter_copy(const struct ring_element *element, const WSABUF *buffers, uint32_t count,
                  bool guarded_array, uint32_t *copied);

/** Write a datagram's source to lpFrom/lpFromlen (I06). Either may be NULL. @return false: fault */
bool scatter_source(const struct ring_element *element, struct sockaddr *from, LPINT fromlen);

#endif
