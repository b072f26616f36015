/* SPDX-License-Identifier: BSD-3-Clause */
#include "posted_receives.h"

#include <stdlib.h>

#include "wirerx.h"

/* Buffers are touched when they are posted, so many sockets have fewer each. */
#define FEW_SOCKETS 64u
#define DEPTH_FEW 8u
#define DEPTH_MANY 2u

static bool stamp(struct receiver *receiver)
{
    DWORD on = TRUE;

    for (unsigned i = 0; i < receiver->socket_count; i++)
        if (setsockopt(receiver->sockets[i], SOL_SOCKET, SO_WIRERX_STAMP, (const char *)&on,
                       sizeof on) != 0) {
            receiver_failed(receiver, "setsockopt(SO_WIRERX_STAMP)", WSAGetLastError());
            return false;
        }
    return true;
}

bool posted_receives_create(struct posted_receives *posted, struct receiver *receiver, void *owner)
{
    unsigned sockets = receiver->socket_count;

    *posted = (struct posted_receives){.depth = sockets <= FEW_SOCKETS ? DEPTH_FEW : DEPTH_MANY};
    posted->count = sockets * posted->depth;
    posted->operations = calloc(posted->count, sizeof *posted->operations);
    posted->payloads = malloc((size_t)posted->count * RECEIVER_BUFFER_BYTES);
    if (posted->operations == NULL || posted->payloads == NULL) {
        receiver_failed(receiver, "malloc", WSA_NOT_ENOUGH_MEMORY);
        return false;
    }
    for (unsigned i = 0; i < posted->count; i++) {
        posted->operations[i].socket = receiver->sockets[i / posted->depth];
        posted->operations[i].owner = owner;
        posted->operations[i].payload = posted->payloads + (size_t)i * RECEIVER_BUFFER_BYTES;
    }
    return receiver->latency == NULL || stamp(receiver);
}

void posted_receives_free(struct posted_receives *posted)
{
    free(posted->operations);
    free(posted->payloads);
}

bool posted_receive_start(struct posted_receive *operation, struct receiver *receiver,
                          LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    WSABUF buffer = {RECEIVER_BUFFER_BYTES, operation->payload};
    DWORD flags = 0;

    if (WSARecv(operation->socket, &buffer, 1, NULL, &flags, &operation->overlapped, routine) == 0)
        return true; /* data was there; it is indicated all the same (C03) */
    int error = WSAGetLastError();
    if (error == WSA_IO_PENDING)
        return true;
    receiver_failed(receiver, "WSARecv", error);
    return false;
}
