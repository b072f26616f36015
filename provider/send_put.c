/* SPDX-License-Identifier: BSD-3-Clause */

/* Into the send queue. */

#include "guard.h"
#include "send.h"

int send_put(struct endpoint *endpoint, const struct send_record *record,
             const struct gather *payload, LPDWORD bytes_sent)
{
    struct send_queue *q = &endpoint->send;

    if (dataplane_send_prepare(endpoint) != 0)
        return WSAENOBUFS;
    if (!send_queue_has_room(q, record->length))
        return WSAEWOULDBLOCK;
    struct send_room room = send_queue_room(q, record->length);
    if (!gather_copy(payload, &room))
        return WSAEFAULT;
    if (bytes_sent != NULL && !guard_store32(bytes_sent, record->length))
        return WSAEFAULT;
    dataplane_send(endpoint, record);
    return 0;
}
