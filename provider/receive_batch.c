/* SPDX-License-Identifier: BSD-3-Clause */

/* wirerx_receive_batch(): many datagrams under one hold of LOCK. */

#include "guard.h"
#include "receive.h"
#include "receive_take.h"

/** A locked section is one bounded copy: no datagram is begun when this much has been copied. */
#define BATCH_BYTES 65536u

/** Frames whose lines are asked for ahead of the one that is copied; of their payload half as many. */
#define PREFETCH_AHEAD 8u

struct batch {
    struct wirerx_datagram *datagrams; /* the client's, as is `received` */
    DWORD count;
    DWORD *received;
};

/* --- a plain socket: the case that is tuned ----------------------------------------------------- */

static void begin_prefetch(const struct endpoint *endpoint, uint32_t available)
{
    for (uint32_t i = 0; i < RTE_MIN(available, PREFETCH_AHEAD); i++)
        endpoint_prefetch_frame(endpoint_element(endpoint, i)->mbuf);
}

static inline void prefetch(const struct endpoint *endpoint, uint32_t i, uint32_t available)
{
    if (i + PREFETCH_AHEAD < available)
        endpoint_prefetch_frame(endpoint_element(endpoint, i + PREFETCH_AHEAD)->mbuf);
    if (i + PREFETCH_AHEAD / 2 < available)
        endpoint_prefetch_payload(endpoint_element(endpoint, i + PREFETCH_AHEAD / 2)->mbuf);
}

/* All of a datagram that fits. One segment into one buffer is a single copy. @return false: a fault */
static inline bool copy(const struct ring_element *element, struct wirerx_datagram *entry)
{
    struct rte_mbuf *mbuf = element->mbuf;
    WSABUF buffer;

    if (unlikely(entry->buffers_count != 1 || mbuf->nb_segs != 1))
        return scatter_copy(element, entry->buffers, entry->buffers_count, true, &entry->bytes);
    if (unlikely(!guard_copy_from(&buffer, entry->buffers, sizeof buffer)))
        return false;
    entry->bytes = RTE_MIN(buffer.len, element->length);
    return guard_copy_to(buffer.buf,
                         rte_pktmbuf_mtod_offset(mbuf, const char *, rx_meta(mbuf)->payload_offset),
                         entry->bytes);
}

static void describe(const struct ring_element *element, struct wirerx_datagram *entry)
{
    const struct rx_meta *meta = rx_meta(element->mbuf);

    entry->info.burst_tsc = meta->burst_tsc;
    entry->info.drops = element->drops;
    entry->source = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = meta->source_port};
    entry->source.sin_addr.s_addr = meta->source;
}

/* Copy datagrams into buffers until something ends that. @return how many, and `error` says what ended
 * it in front of the first */
static uint32_t copy_many(struct endpoint *endpoint, struct wirerx_datagram *entries,
                          uint32_t available, uint32_t *cut, int *error)
{
    uint32_t bytes = 0, i;

    *cut = 0;
    begin_prefetch(endpoint, available);
    for (i = 0; i < available && bytes < BATCH_BYTES; i++) {
        const struct ring_element *element = endpoint_element(endpoint, i);
        struct wirerx_datagram *entry = &entries[i];

        prefetch(endpoint, i, available);
        if (unlikely(rx_meta(element->mbuf)->kind != RX_DATAGRAM))
            break;
        if (unlikely(entry->buffers_count == 0)) {
            *error = WSAEINVAL; /* A11 */
            break;
        }
        if (unlikely(!copy(element, entry))) {
            *error = WSAEFAULT;
            break;
        }
        entry->flags = 0; /* H10 */
        entry->error = 0;
        if (unlikely(entry->bytes < element->length)) {
            entry->error = WSAEMSGSIZE; /* I01 */
            ++*cut;
        }
        describe(element, entry);
        bytes += entry->bytes;
    }
    return i;
}

/* What receive_look() does for one: false when nothing is there or a condition is in front. All that the
 * call returns is written before anything is taken, so that a fault loses nothing. */
static bool take_plain(struct endpoint *endpoint, const struct batch *batch, int *error)
{
    struct wirerx_datagram entries[WIRERX_BATCH_MAX];
    uint32_t available = endpoint_available(endpoint, RTE_MIN(batch->count, WIRERX_BATCH_MAX));
    size_t size = sizeof entries[0];
    uint32_t cut, taken;

    if (available == 0)
        return false;
    *error = WSAEFAULT;
    if (!guard_copy_from(entries, batch->datagrams, available * size))
        return true;
    *error = 0;
    taken = copy_many(endpoint, entries, available, &cut, error);
    if (taken == 0)
        return *error != 0;
    *error = WSAEFAULT;
    if (!guard_copy_to(batch->datagrams, entries, taken * size) ||
        !guard_store32(batch->received, taken))
        return true;
    *error = 0; /* of what ended it the next call is told, which finds it first */
    receive_remember(endpoint_element(endpoint, taken - 1));
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
    receive_remember(got.first);
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
        struct wirerx_datagram *at =
            (struct wirerx_datagram *)((uintptr_t)batch->datagrams + i * sizeof *at);
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
    if (likely(reference->socket->plain) && take_plain(reference->endpoint, batch, error))
        return true;
    return take_special(reference, batch, error);
}

/* --- the call ------------------------------------------------------------------------------------ */

static bool is_plain(const struct socket_reference *reference)
{
    const struct wsp_socket *socket = reference->socket;

    return socket->plain && socket->receives.first == NULL &&
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
