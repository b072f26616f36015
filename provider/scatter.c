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

static struct cursor payload_of(const struct ring_element *element)
{
    struct rte_mbuf *mbuf = element->mbuf;
    struct cursor at = {mbuf, rx_meta(mbuf)->payload_offset, element->length};

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
    struct cursor at = payload_of(element);
    WSABUF chunk[ARRAY_CHUNK];

    *copied = 0;
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

bool scatter_source(const struct ring_element *element, struct sockaddr *from, LPINT fromlen)
{
    const struct rx_meta *meta = rx_meta(element->mbuf);
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
