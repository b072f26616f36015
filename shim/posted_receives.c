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
    unsigned lines = receiver->socket_count;
    size_t depth = lines <= FEW_SOCKETS ? DEPTH_FEW : DEPTH_MANY;

    *posted = (struct posted_receives){.depth = (unsigned)depth, .line_count = lines};
    posted->lines = calloc(lines, sizeof *posted->lines);
    posted->receives = calloc(lines * depth, sizeof *posted->receives);
    posted->payloads = malloc(lines * depth * RECEIVER_BUFFER_BYTES);
    if (posted->lines == NULL || posted->receives == NULL || posted->payloads == NULL) {
        receiver_failed(receiver, "malloc", WSA_NOT_ENOUGH_MEMORY);
        return false;
    }
    for (size_t i = 0; i < lines; i++)
        posted->lines[i] = (struct posted_line){
            .socket = receiver->sockets[i],
            .owner = owner,
            .receives = &posted->receives[i * depth],
        };
    for (size_t i = 0; i < lines * depth; i++) {
        posted->receives[i].line = &posted->lines[i / depth];
        posted->receives[i].payload = posted->payloads + i * RECEIVER_BUFFER_BYTES;
    }
    return receiver->latency == NULL || stamp(receiver);
}

void posted_receives_free(struct posted_receives *posted)
{
    free(posted->lines);
    free(posted->receives);
    free(posted->payloads);
}

bool posted_line_start(struct posted_line *line, unsigned depth, struct receiver *receiver,
                       LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    struct posted_receive *receive = &line->receives[(line->head + line->posted) % depth];
    WSABUF buffer = {RECEIVER_BUFFER_BYTES, receive->payload};
    DWORD flags = 0;

    receive->ended = false;
    if (WSARecv(line->socket, &buffer, 1, NULL, &flags, &receive->overlapped, routine) != 0) {
        int error = WSAGetLastError();
        if (error != WSA_IO_PENDING) {
            receiver_failed(receiver, "WSARecv", error);
            return false;
        }
    } /* else data was there; it is indicated all the same (C03) */
    line->posted++;
    return true;
}
