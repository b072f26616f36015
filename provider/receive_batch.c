/* SPDX-License-Identifier: BSD-3-Clause */

/* wirerx_receive_batch(): many datagrams under one hold of LOCK. */

#include <string.h>

#include "guard.h"
#include "guard_inline.h"
#include "quick_obstacles.h"
#include "receive.h"
#include "receive_take.h"

/** A locked section is one bounded copy: no datagram is begun when this much has been copied. */
#define BATCH_BYTES 65536u

/** Datagrams whose lines are asked for ahead of the one that is copied. */
#define PREFETCH_AHEAD 8u

struct batch {
    struct wirerx_datagram *datagrams; /* the client's, as is `received` */
    DWORD count;
    DWORD *received;
};

/* The array's address may be anything: no pointer arithmetic. */
static struct wirerx_datagram *entry_at(const struct batch *batch, uint32_t index)
{
    return (struct wirerx_datagram *)((uintptr_t)batch->datagrams +
                                      (uintptr_t)index * sizeof *batch->datagrams);
}

/* --- a plain socket: the case that is tuned ----------------------------------------------------- */

static struct sockaddr_in source_of(const struct rx_meta *meta)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = meta->source_port, .sin_addr.s_addr = meta->source};
}

static void describe(const struct ring_element *element, struct wirerx_datagram *entry)
{
    const struct rx_meta *meta = element_meta(element);

    entry->info.burst_tsc = meta->burst_tsc;
    entry->info.drops = element->drops;
    entry->source = source_of(meta);
}

/* A plain element that fits into one buffer. @return false: take_whole() shall say why not */
static inline bool take_quick(const struct ring_element *element, struct wirerx_datagram *at)
{
    const struct rx_meta *meta = element_meta(element);
    struct sockaddr_in source;
    uint64_t buffer, to;
    uint32_t count, room;

    if (unlikely(!element_is_plain(element) || !guard_load32(&at->buffers_count, &count) ||
                 count != 1 || !guard_load64(&at->buffers, &buffer)))
        return false;
    const WSABUF *only = (const WSABUF *)buffer;
    if (unlikely(!guard_load32(guard_member(only, WSABUF, len), &room) || room < element->length ||
                 !guard_load64(guard_member(only, WSABUF, buf), &to) ||
                 !guard_copy_direct((void *)to, element_plain_payload(element), element->length)))
        return false;
    source = source_of(meta);
    uint64_t halves[2];
    memcpy(halves, &source, sizeof halves);
    return guard_put32(&at->bytes, element->length) && guard_put32(&at->flags, 0) && /* H10 */
           guard_put32(&at->error, 0) && guard_put64(&at->info.burst_tsc, meta->burst_tsc) &&
           guard_put32(&at->info.drops, element->drops) && guard_put64(&at->source, halves[0]) &&
           guard_put64((char *)&at->source + sizeof halves[0], halves[1]);
}

/* Any datagram. @return false: it is not received, and `error` says why */
static bool take_whole(const struct ring_element *element, struct wirerx_datagram *at,
                       uint32_t *cut, int *error)
{
    struct wirerx_datagram entry;

    *error = WSAEFAULT;
    if (!guard_copy_from(&entry, at, sizeof entry))
        return false;
    if (entry.buffers_count == 0) {
        *error = WSAEINVAL; /* A11 */
        return false;
    }
    if (!scatter_copy(element, entry.buffers, entry.buffers_count, true, &entry.bytes))
        return false;
    entry.flags = 0;                                               /* H10 */
    entry.error = entry.bytes < element->length ? WSAEMSGSIZE : 0; /* I01 */
    describe(element, &entry);
    if (!guard_copy_to(at, &entry, sizeof entry))
        return false;
    *cut += entry.error != 0;
    *error = 0;
    return true;
}

/* What receive_look() does for one: false when nothing is there or a condition is in front. All that the
 * call returns is written before anything is taken, so that a fault loses nothing. */
static bool take_plain(struct endpoint *endpoint, const struct batch *batch, int *error)
{
    uint32_t available = endpoint_available(endpoint, RTE_MIN(batch->count, WIRERX_BATCH_MAX));
    bool direct =
        (atomic_load_explicit(&quick_obstacles, memory_order_relaxed) & OBSTACLE_GUARD_LOST) == 0;
    uint32_t cut = 0, bytes = 0, taken;

    *error = 0;
    for (uint32_t i = 0; i < RTE_MIN(available, PREFETCH_AHEAD); i++)
        endpoint_prefetch(endpoint_element(endpoint, i));
    for (taken = 0; taken < available && bytes < BATCH_BYTES; taken++) {
        const struct ring_element *element = endpoint_element(endpoint, taken);
        struct wirerx_datagram *at = entry_at(batch, taken);

        if (taken + PREFETCH_AHEAD < available)
            endpoint_prefetch(endpoint_element(endpoint, taken + PREFETCH_AHEAD));
        bytes += element->length;
        if (likely(direct && take_quick(element, at)))
            continue;
        if (element_meta(element)->kind != RX_DATAGRAM || !take_whole(element, at, &cut, error))
            break;
    }
    if (taken == 0)
        return *error != 0;
    *error = WSAEFAULT;
    if (!guard_store32(batch->received, taken))
        return true;
    *error = 0; /* of what ended it the next call is told, which finds it first */
    const struct ring_element *last = endpoint_element(endpoint, taken - 1);
    receive_remember(last, element_meta(last));
    endpoint_count(&endpoint->received, taken);
    if (unlikely(cut != 0))
        endpoint_count(&endpoint->truncated, cut);
    endpoint_consume_many(endpoint, taken);
    return true;
}

/* --- every other socket ------------------------------------------------------------------------- */

/* One entry. @return false: nothing is there for it */
static bool take_entry(const struct socket_reference *reference, struct wirerx_datagram *at,
                       DWORD *received, DWORD index, int *error)
{
    struct endpoint *endpoint = reference->endpoint;
    struct wsp_socket *socket = reference->socket;
    struct wirerx_datagram entry;
    struct received got;

    *error = WSAEFAULT;
    if (!guard_copy_from(&entry, at, sizeof entry))
        return true;
    *error = WSAEINVAL; /* A11 */
    if (entry.buffers_count == 0)
        return true;
    struct receive_room room = {entry.buffers, entry.buffers_count, true, NULL, NULL, 0};
    *error = 0;
    if (!receive_look(endpoint, socket, &room, &got))
        return false;
    *error = overlapped_error(got.status);
    bool cut = *error == WSAEMSGSIZE && got.elements != 0; /* what stays whole is no entry (Q06) */
    if (*error != 0 && !cut) {
        if (index == 0 && *error != WSAEFAULT)
            receive_consume(endpoint, socket, &got); /* told by this call, and once */
        return true;
    }
    entry.bytes = got.bytes;
    entry.flags = overlapped_flags(got.status); /* H11 */
    entry.error = *error;
    describe(got.first, &entry);
    *error = WSAEFAULT;
    if (!guard_copy_to(at, &entry, sizeof entry) || !guard_store32(received, index + 1))
        return true;
    *error = 0;
    receive_remember(got.first, element_meta(got.first));
    receive_consume(endpoint, socket, &got);
    return true;
}

/* One after the other, as so many receives would. */
static bool take_special(const struct socket_reference *reference, const struct batch *batch,
                         int *error)
{
    DWORD count = RTE_MIN(batch->count, WIRERX_BATCH_MAX);
    uint64_t before =
        atomic_load_explicit(&reference->endpoint->bytes_consumed, memory_order_relaxed);

    for (DWORD i = 0; i < count; i++) {
        struct wirerx_datagram *at = entry_at(batch, i);
        uint64_t bytes =
            atomic_load_explicit(&reference->endpoint->bytes_consumed, memory_order_relaxed);

        if (bytes - before >= BATCH_BYTES)
            break;
        bool found = take_entry(reference, at, batch->received, i, error);
        if (i == 0 && (!found || *error != 0))
            return found;
        if (!found || *error != 0)
            break;
    }
    *error = 0;
    return true;
}

/* A receive_taker. */
static bool take(const struct socket_reference *reference, void *argument, int *error)
{
    const struct batch *batch = argument;

    if (reference->socket->manner == RECEIVE_BYTES) {
        *error = WSAEOPNOTSUPP;
        return true;
    }
    if (likely(endpoint_is_plain(reference->endpoint)) &&
        take_plain(reference->endpoint, batch, error))
        return true;
    return take_special(reference, batch, error);
}

/* --- the call ------------------------------------------------------------------------------------ */

static bool is_plain(const struct socket_reference *reference)
{
    const struct wsp_socket *socket = reference->socket;

    return endpoint_is_plain(reference->endpoint) && socket->receives.first == NULL &&
           atomic_load_explicit(&reference->endpoint->state, memory_order_relaxed) ==
               ENDPOINT_ATTACHED &&
           !blocking_has_hooks();
}

int wirerx_receive_batch(SOCKET s, struct wirerx_datagram *datagrams, DWORD count, DWORD *received)
{
    struct batch batch = {datagrams, count, received};
    struct completion_batch completions;
    struct socket_reference reference;
    struct receive_call call;
    int error = socket_lock(s, &reference);

    completions.count = 0;
    if (unlikely(error != 0))
        return error;
    if (unlikely(count == 0 || datagrams == NULL || received == NULL)) {
        socket_unlock(reference.endpoint, &completions);
        return count == 0 ? WSAEINVAL : WSAEFAULT; /* A11, A07 */
    }
    if (likely(is_plain(&reference)) && take_plain(reference.endpoint, &batch, &error)) {
        socket_unlock(reference.endpoint, &completions);
        return error;
    }
    call = (struct receive_call){.flags_in = 0}; /* all that its checks ask for */
    return receive_or_wait(&reference, &call, take, &batch, &completions);
}
