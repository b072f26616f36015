/* SPDX-License-Identifier: BSD-3-Clause */

/* wirerx_lend() and wirerx_return(): datagrams without a copy. */

#include "lend.h"

#include <stdlib.h>

#include "guard.h"
#include "receive.h"
#include "receive_take.h"
#include "wirerx/wirerx.h"

/** Datagrams whose lines are asked for ahead of the one that is looked at. */
#define PREFETCH_AHEAD 8u

/** Tokens that are read at a time. */
#define TOKENS_CHUNK 64u

struct loan {
    uintptr_t frame;    /* of its ring element; 0: the row is free */
    uint32_t number;    /* what its token says */
    uint32_t next_free; /* row */
};

/* --- the table ------------------------------------------------------------------------------------ */

void loans_reset(struct loans *loans)
{
    loans->maximum = LOANS_DEFAULT;
    loans->total = 0;
}

/* Rows for `wanted` loans at a time. */
static bool make_rows(struct loans *loans, uint32_t wanted)
{
    if (loans->capacity >= wanted)
        return true;
    struct loan *rows = realloc(loans->rows, wanted * sizeof *rows);
    if (rows == NULL)
        return false;
    for (uint32_t i = loans->capacity; i < wanted; i++)
        rows[i] = (struct loan){.next_free = i + 1};
    /* The free rows that there were, if any, end in the old capacity: the first of the new ones. */
    loans->rows = rows;
    loans->capacity = wanted;
    return true;
}

/* slot | row | number, from the lowest bits; a number is never 0. */
static uint64_t token_of(const struct endpoint *endpoint, uint32_t row, uint32_t number)
{
    return (uint64_t)number << 32 | (uint64_t)row << 16 | endpoint->slot;
}
_Static_assert(CONFIG_MAX_SOCKETS <= 1u << 16 && LOANS_LIMIT < 1u << 16, "both fit in a token");

static uint32_t buffers_of(uintptr_t frame)
{
    return (frame & ELEMENT_PLAIN) != 0 ? 1 : ((const struct rte_mbuf *)frame)->nb_segs;
}

/* There is a free row. @return the token */
static uint64_t add(struct endpoint *endpoint, struct loans *loans, uintptr_t frame)
{
    uint32_t row = loans->first_free;

    if (unlikely(++loans->number == 0))
        loans->number = 1;
    loans->first_free = loans->rows[row].next_free;
    loans->rows[row].frame = frame;
    loans->rows[row].number = loans->number;
    loans->out++;
    loans->buffers += buffers_of(frame);
    return token_of(endpoint, row, loans->number);
}

static void forget(struct loans *loans, uint32_t row)
{
    loans->out--;
    loans->buffers -= buffers_of(loans->rows[row].frame);
    loans->rows[row].frame = 0;
    loans->rows[row].next_free = loans->first_free;
    loans->first_free = row;
}

/* The row of a loan that is out. @return false: there is none with this token */
static bool find(const struct endpoint *endpoint, const struct loans *loans, uint64_t token,
                 uint32_t *row)
{
    *row = (uint32_t)(token >> 16) & 0xffff;
    return (token & 0xffff) == endpoint->slot && *row < loans->capacity &&
           loans->rows[*row].frame != 0 && loans->rows[*row].number == token >> 32;
}

static void give_back(struct loans *loans, uint32_t row, struct endpoint_returns *returns)
{
    uintptr_t frame = loans->rows[row].frame;

    forget(loans, row); /* looks at the frame, so before that is another's */
    endpoint_returns_add(returns, frame);
}

void loans_recall(struct endpoint *endpoint, struct wsp_socket *socket)
{
    struct endpoint_returns returns = {.buffers = 0};
    struct loans *loans = &socket->loans;

    for (uint32_t row = 0; loans->out != 0; row++)
        if (loans->rows[row].frame != 0)
            give_back(loans, row, &returns);
    endpoint_returns_end(endpoint, &returns);
}

/* --- one datagram --------------------------------------------------------------------------------- */

/* Where its pieces are: the first in the entry, the others where that says. */
static int tell_pieces(const struct ring_element *element, struct wirerx_loan *entry)
{
    const struct rte_mbuf *segment = element_mbuf(element);
    uint32_t offset = element_meta(element)->payload_offset, left = element->length;

    entry->pieces = 0;
    do {
        while (left != 0 && offset >= segment->data_len) { /* headers, or an empty segment */
            offset -= segment->data_len;
            segment = segment->next;
        }
        WSABUF piece = {RTE_MIN(left, segment->data_len - offset),
                        rte_pktmbuf_mtod_offset(segment, char *, offset)};
        if (entry->pieces == 0) {
            entry->payload = piece.buf;
            entry->payload_bytes = piece.len;
        } else if (entry->pieces > entry->more_count) {
            return WSAEMSGSIZE;
        } else if (!guard_copy_to(
                       (void *)((uintptr_t)entry->more + (entry->pieces - 1) * sizeof piece),
                       &piece, sizeof piece)) {
            return WSAEFAULT;
        }
        entry->pieces++;
        left -= piece.len;
        offset += piece.len;
    } while (left != 0);
    return 0;
}

/* @return 0, or why it cannot be lent; nothing has changed then */
static int prepare(const struct ring_element *element, struct wirerx_loan *entry)
{
    const struct rx_meta *meta = element_meta(element);

    if (likely(element_is_plain(element))) {
        entry->payload = element_plain_payload(element);
        entry->payload_bytes = element->length;
        entry->pieces = 1;
    } else {
        int error = tell_pieces(element, entry);

        if (error != 0)
            return error;
    }
    entry->bytes = element->length;
    entry->info.burst_tsc = meta->burst_tsc;
    entry->info.drops = element->drops;
    entry->source = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = meta->source_port, .sin_addr.s_addr = meta->source};
    return 0;
}

/* --- lending ---------------------------------------------------------------------------------------- */

struct lend {
    struct wirerx_loan *loans; /* the client's, as is `lent` */
    DWORD count;
    DWORD *lent;
};

/* Prepare loans of elements that are there until something ends that. @return how many, and `error` says
 * what ended it in front of the first */
static uint32_t prepare_many(const struct socket_reference *reference, struct wirerx_loan *entries,
                             uint32_t available, int *error)
{
    struct endpoint *endpoint = reference->endpoint;
    struct loans *loans = &reference->socket->loans;
    uint32_t limit = RTE_MIN(loans->maximum, endpoint->slots), i;

    *error = WSAENOBUFS;
    if (!make_rows(loans, limit))
        return 0;
    for (i = 0; i < RTE_MIN(available, PREFETCH_AHEAD); i++)
        endpoint_prefetch(endpoint_element(endpoint, i));
    for (i = 0; i < available; i++) {
        const struct ring_element *element = endpoint_element(endpoint, i);

        if (i + PREFETCH_AHEAD < available)
            endpoint_prefetch(endpoint_element(endpoint, i + PREFETCH_AHEAD));
        *error = 0;
        if (unlikely(element_meta(element)->kind != RX_DATAGRAM))
            break;
        *error = WSAENOBUFS;
        if (unlikely(loans->buffers + buffers_of(element->frame) > limit))
            break;
        *error = prepare(element, &entries[i]);
        if (unlikely(*error != 0))
            break;
        entries[i].token = add(endpoint, loans, element->frame);
    }
    return i;
}

/* The last of the loans first, so that the free rows are in the order they had. */
static void take_back_prepared(struct loans *loans, const struct wirerx_loan *entries,
                               uint32_t count)
{
    while (count-- != 0)
        forget(loans, (uint32_t)(entries[count].token >> 16) & 0xffff);
}

/* All that the call returns is written before anything is taken, so that a fault loses nothing.
 * @return how many are lent. 0: `error` says why, or there is no datagram in front */
static uint32_t lend(const struct socket_reference *reference, const struct lend *call, DWORD most,
                     DWORD done, int *error)
{
    struct endpoint *endpoint = reference->endpoint;
    struct wirerx_loan entries[WIRERX_BATCH_MAX];
    struct wirerx_loan *at =
        (struct wirerx_loan *)((uintptr_t)call->loans + (uintptr_t)done * sizeof *at);
    uint32_t available = endpoint_available(endpoint, most), count;
    size_t size = sizeof entries[0];

    const struct loans *loans = &reference->socket->loans;
    uint32_t buffers = loans->buffers; /* that were out before */

    *error = 0;
    if (available == 0)
        return 0;
    *error = WSAEFAULT;
    if (!guard_copy_from(entries, at, available * size))
        return 0;
    count = prepare_many(reference, entries, available, error);
    if (count == 0)
        return 0;
    if (!guard_copy_to(at, entries, count * size) || !guard_store32(call->lent, done + count)) {
        take_back_prepared(&reference->socket->loans, entries, count);
        *error = WSAEFAULT;
        return 0;
    }
    *error = 0; /* of what ended it the next call is told, which finds it first */
    const struct ring_element *last = endpoint_element(endpoint, count - 1);
    receive_remember(last, element_meta(last));
    endpoint_count(&endpoint->received, count);
    reference->socket->loans.total += count;
    endpoint_lend_many(endpoint, count, loans->buffers - buffers);
    return count;
}

/* A receive_taker. The look is any receive's: what stands in front and is not the peer's goes (I05), and
 * a condition is told once. Only of a plain socket may what is behind be had without another look. */
static bool take(const struct socket_reference *reference, void *argument, int *error)
{
    static const struct receive_room no_room = {.count = 0};
    struct endpoint *endpoint = reference->endpoint;
    struct wsp_socket *socket = reference->socket;
    const struct lend *call = argument;
    DWORD most = RTE_MIN(call->count, WIRERX_BATCH_MAX), done = 0;
    bool plain = endpoint->plain;

    *error = WSAEOPNOTSUPP;
    if (socket->manner != RECEIVE_DATAGRAMS)
        return true;
    *error = 0;
    while (done < most && *error == 0) {
        struct received got;

        if (!receive_look(endpoint, socket, &no_room, &got))
            break;
        if (got.first == NULL || rx_is_condition((enum rx_kind)element_meta(got.first)->kind)) {
            if (done != 0)
                break;
            *error = overlapped_error(got.status);
            receive_consume(endpoint, socket, &got);
            return true;
        }
        done += lend(reference, call, plain ? most : 1, done, error);
        if (plain)
            break;
    }
    if (done == 0)
        return *error != 0;
    *error = 0;
    return true;
}

int wirerx_lend(SOCKET s, struct wirerx_loan *loans, DWORD count, DWORD *lent)
{
    struct lend call = {loans, count, lent};
    struct completion_batch completions;
    struct socket_reference reference;
    struct receive_call checked = {.flags_in = 0}; /* all that its checks ask for */
    int error = socket_lock(s, &reference);

    completions.count = 0;
    if (unlikely(error != 0))
        return error;
    if (unlikely(count == 0 || loans == NULL || lent == NULL)) {
        socket_unlock(reference.endpoint, &completions);
        return count == 0 ? WSAEINVAL : WSAEFAULT; /* A11, A07 */
    }
    if (likely(reference.endpoint->plain && reference.socket->receives.first == NULL &&
               atomic_load_explicit(&reference.endpoint->state, memory_order_relaxed) ==
                   ENDPOINT_ATTACHED &&
               !blocking_has_hooks()) &&
        (lend(&reference, &call, RTE_MIN(count, WIRERX_BATCH_MAX), 0, &error) != 0 || error != 0)) {
        socket_unlock(reference.endpoint, &completions);
        return error;
    }
    return receive_or_wait(&reference, &checked, take, &call, &completions);
}

/* --- returning -------------------------------------------------------------------------------------- */

/* Under LOCK. @return 0, and `done` is all of them, or why not */
static int return_all(const struct socket_reference *reference, const uint64_t *tokens, DWORD count,
                      DWORD *done)
{
    struct loans *loans = &reference->socket->loans;
    struct endpoint_returns returns = {.buffers = 0};
    uint64_t chunk[TOKENS_CHUNK];
    int error = 0;
    uint32_t row;

    while (*done < count && error == 0) {
        DWORD here = RTE_MIN(count - *done, TOKENS_CHUNK);
        const void *from = (const void *)((uintptr_t)tokens + (uintptr_t)*done * sizeof *tokens);

        if (!guard_copy_from(chunk, from, here * sizeof chunk[0])) {
            error = WSAEFAULT;
            break;
        }
        for (DWORD i = 0; i < here; i++, ++*done) {
            if (unlikely(!find(reference->endpoint, loans, chunk[i], &row))) {
                error = WSAEINVAL;
                break;
            }
            give_back(loans, row, &returns);
        }
    }
    endpoint_returns_end(reference->endpoint, &returns);
    return error;
}

int wirerx_return(SOCKET s, const uint64_t *tokens, DWORD count, DWORD *returned)
{
    struct completion_batch completions;
    struct socket_reference reference;
    DWORD done = 0;
    int error = socket_lock(s, &reference);

    completions.count = 0;
    if (error == 0) {
        struct endpoint *endpoint = reference.endpoint;

        if (unlikely(atomic_load_explicit(&endpoint->state, memory_order_relaxed) ==
                     ENDPOINT_NET_DOWN))
            error = WSAENETDOWN;
        else
            error = return_all(&reference, tokens, count, &done);
        socket_unlock(endpoint, &completions);
    }
    if (returned != NULL && !guard_store32(returned, done) && error == 0)
        error = WSAEFAULT;
    return error;
}
