/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_SCATTER_H
#define WIRERX_SCATTER_H

/**
 * @file
 * The one copy: from frames' segments into the client's WSABUFs, in array order, packed (G01),
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

/** The same from several elements into one array of WSABUFs, one after the other. */
struct scatter {
    const WSABUF *buffers;
    uint32_t count; /**< elements of the array */
    uint32_t next;  /**< the one after the current */
    bool guarded_array;
    char *to; /**< in the current one */
    uint32_t room;
};

void scatter_begin(struct scatter *scatter, const WSABUF *buffers, uint32_t count,
                   bool guarded_array);

/** Append payload from byte `from` of an element on, as much as fits. @return false: a fault */
bool scatter_put(struct scatter *scatter, const struct ring_element *element, uint32_t from,
                 uint32_t *copied);

/** Bytes that an array of WSABUFs has room for; as many as could be read. */
uint64_t scatter_room(const WSABUF *buffers, uint32_t count, bool guarded_array);

/** Write a datagram's source to lpFrom/lpFromlen (I06). Either may be NULL. @return false: fault */
bool scatter_source(const struct ring_element *element, struct sockaddr *from, LPINT fromlen);

#endif
