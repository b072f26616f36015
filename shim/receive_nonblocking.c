/* SPDX-License-Identifier: BSD-3-Clause */
#include <sched.h>
#include <stdlib.h>

#include "receiver.h"
#include "tsc.h"
#include "wirerx.h"

/** Datagrams taken from one socket before the next one's turn. */
#define TURN 64
/** Rounds without any datagram after which others on this core may run. */
#define IDLE_ROUNDS 1000

enum turn {
    TURN_IDLE,
    TURN_BUSY,
    TURN_END
};

static enum turn take_turn(struct receiver *receiver, SOCKET s, char *payload)
{
    for (int i = 0; i < TURN; i++) {
        WSABUF buffer = {RECEIVER_BUFFER_BYTES, payload};
        struct wirerx_receive_info info = {0};
        DWORD bytes = 0, flags = 0;

        if (WSARecv(s, &buffer, 1, &bytes, &flags, NULL, NULL) != 0) {
            int error = WSAGetLastError();
            if (error == WSAEWOULDBLOCK)
                return i > 0 ? TURN_BUSY : TURN_IDLE;
            receiver_failed(receiver, "WSARecv", error);
            return TURN_END;
        }
        if (receiver->latency != NULL)
            wirerx_last_receive(&info);
        if (!receiver_take(receiver, payload, bytes, info.burst_tsc))
            return TURN_END;
    }
    return TURN_BUSY;
}

static bool make_nonblocking(struct receiver *receiver)
{
    u_long on = 1;

    for (unsigned i = 0; i < receiver->socket_count; i++)
        if (ioctlsocket(receiver->sockets[i], (LONG)FIONBIO, &on) != 0) {
            receiver_failed(receiver, "ioctlsocket", WSAGetLastError());
            return false;
        }
    return true;
}

/** Round and round over the sockets. */
static void run(struct receiver *receiver)
{
    char *payload = malloc(RECEIVER_BUFFER_BYTES);
    unsigned idle_rounds = 0;

    if (payload == NULL)
        receiver_failed(receiver, "malloc", WSA_NOT_ENOUGH_MEMORY);
    if (payload == NULL || !make_nonblocking(receiver))
        goto end;
    while (!receiver_stopping(receiver)) {
        idle_rounds++;
        for (unsigned i = 0; i < receiver->socket_count; i++) {
            enum turn turn = take_turn(receiver, receiver->sockets[i], payload);
            if (turn == TURN_END)
                goto end;
            if (turn == TURN_BUSY)
                idle_rounds = 0;
        }
        if (idle_rounds >= IDLE_ROUNDS)
            sched_yield();
        else if (idle_rounds > 0)
            tsc_pause();
    }
end:
    free(payload);
}

const struct receive_mode receive_nonblocking = {.name = "nonblocking", .run = run};
