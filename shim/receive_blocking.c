/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "receiver.h"
#include "wirerx.h"

/** WSARecv waits until a datagram is there. A thread can wait for one socket only. */
static void run(struct receiver *receiver)
{
    SOCKET s = receiver->sockets[0];
    char *payload = malloc(RECEIVER_BUFFER_BYTES);
    bool more = payload != NULL;

    if (payload == NULL)
        receiver_failed(receiver, "malloc", WSA_NOT_ENOUGH_MEMORY);
    while (more) {
        WSABUF buffer = {RECEIVER_BUFFER_BYTES, payload};
        struct wirerx_receive_info info = {0};
        DWORD bytes = 0, flags = 0;

        if (WSARecv(s, &buffer, 1, &bytes, &flags, NULL, NULL) != 0) {
            receiver_failed(receiver, "WSARecv", WSAGetLastError());
            break;
        }
        if (receiver->latency != NULL)
            wirerx_last_receive(&info);
        more = receiver_take(receiver, payload, bytes, info.burst_tsc);
    }
    free(payload);
}

const struct receive_mode receive_blocking = {
    .name = "blocking",
    .thread_per_socket = true,
    .run = run,
};
