/* SPDX-License-Identifier: BSD-3-Clause */
#include "scatter.h"

#include <string.h>

#include "guard.h"

/** WSABUFs of the client's array that are read at a time. */
#define ARRAY_CHUNK 8u

/* Where in the payload the copy is. */
struct cursor {
    const struct rte_mbuf *segment;
    uint32_t offset; /* in the segment */
    uint32_t left;   /* of the payload */
};

static struct cursor payload_from(const struct ring_element *element, uint32_t from)
{
    struct rte_mbuf *mbuf = element_mbuf(element);
    struct cursor at = {mbuf, element_meta(element)->payload_offset + from, element->length - from};

    while (at.segment != NULL && at.offset >= at.segment->data_len) {
        if (at.left == 0)
            break;
        at.offset -= at.segment->data_len;
        at.segment = at.segment->next;
    }
    return at;
}

/* Fill one buffer from the cursor. */
static bool fill(struct cursor *at, char *to, uint32_t room)
{
    while (room != 0 && at->left != 0) {
        uint32_t here = at->segment->data_len - at->offset;
        uint32_t n = RTE_MIN(RTE_MIN(here, at->left), room);

        if (!guard_copy_to(to, rte_pktmbuf_mtod_offset(at->segment, const char *, at->offset), n))
            return false;
        to += n;
        room -= n;
        at->left -= n;
        at->offset += n;
        while (at->left != 0 && at->offset == at->segment->data_len) {
            at->segment = at->segment->next;
            at->offset = 0;
        }
    }
    return true;
}

bool scatter_copy(const struct ring_element *element, const WSABUF *buffers, uint32_t count,
                  bool guarded_array, uint32_t *copied)
{
    WSABUF chunk[ARRAY_CHUNK];

    *copied = 0;
    if (likely(count == 1 && element_is_plain(element))) {
        const WSABUF *only = buffers;

        if (guarded_array) {
            if (!guard_copy_from(chunk, buffers, sizeof *chunk))
                return false;
            only = chunk;
        }
        *copied = RTE_MIN(only->len, element->length);
        return guard_copy_to(only->buf, element_plain_payload(element), *copied);
    }
    struct cursor at = payload_from(element, 0);
    for (uint32_t done = 0; done < count && at.left != 0;) {
        uint32_t n = guarded_array ? RTE_MIN(count - done, ARRAY_CHUNK) : count - done;
        const WSABUF *from = scatter_buffer(buffers, done);

        if (guarded_array) {
            if (!guard_copy_from(chunk, from, n * sizeof *from))
                return false;
            from = chunk;
        }
        for (uint32_t i = 0; i < n && at.left != 0; i++)
            if (!fill(&at, from[i].buf, from[i].len))
                return false;
        done += n;
    }
    *copied = element->length - at.left;
    return true;
}

void scatter_begin(struct scatter *scatter, const WSABUF *buffers, uint32_t count,
                   bool guarded_array)
{
    *scatter = (struct scatter){.buffers = buffers, .count = count, .guarded_array = guarded_array};
}

static bool next_buffer(const WSABUF *buffers, uint32_t index, bool guarded_array, WSABUF *buffer)
{
    const WSABUF *from = scatter_buffer(buffers, index);

    if (guarded_array)
        return guard_copy_from(buffer, from, sizeof *buffer);
    *buffer = *from;
    return true;
}

bool scatter_put(struct scatter *scatter, const struct ring_element *element, uint32_t from,
                 uint32_t *copied)
{
    struct cursor at = payload_from(element, from);

    *copied = 0;
    while (at.left != 0) {
        uint32_t n = RTE_MIN(scatter->room, at.left);

        if (n != 0) {
            if (!fill(&at, scatter->to, n))
                return false;
            scatter->to += n;
            scatter->room -= n;
            *copied += n;
            continue;
        }
        WSABUF buffer;
        if (scatter->next == scatter->count)
            break;
        if (!next_buffer(scatter->buffers, scatter->next++, scatter->guarded_array, &buffer))
            return false;
        scatter->to = buffer.buf;
        scatter->room = buffer.len;
    }
    return true;
}

uint64_t scatter_room(const WSABUF *buffers, uint32_t count, bool guarded_array)
{
    uint64_t room = 0;
    WSABUF buffer;

    for (uint32_t i = 0; i < count && next_buffer(buffers, i, guarded_array, &buffer); i++)
        room += buffer.len;
    return room;
}

bool scatter_source(const struct ring_element *element, struct sockaddr *from, LPINT fromlen)
{
    const struct rx_meta *meta = element_meta(element);
    struct sockaddr_in address;

    if (from == NULL)
        return true;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = meta->source_port;
    address.sin_addr.s_addr = meta->source;
    return guard_copy_to(from, &address, sizeof address) &&
           (fromlen == NULL || guard_store32(fromlen, sizeof address));
}
