/* SPDX-License-Identifier: BSD-3-Clause */
#include "circuit.h"

#include "send.h"

int circuit_end(const struct socket_reference *reference, enum rx_kind kind)
{
    const struct wsp_socket *socket = reference->socket;
    const WSAPROTOCOL_INFOW *protocol = socket->protocol;
    const struct gather nothing = {.count = 0};
    const struct send_call call = {.buffers_count = 0};
    struct send_record record;

    if ((protocol->dwServiceFlags1 & XP1_CONNECTIONLESS) || socket->peer_port == 0 ||
        socket->send_shut)
        return 0;
    if (send_check_socket(reference, &call, &record) != 0)
        return 0; /* the network is down: who is there hears that from it */
    if (socket->sends.first != NULL)
        return WSAEWOULDBLOCK; /* it may not overtake what is posted */
    record.kind = (uint8_t)kind;
    return send_put(reference->endpoint, &record, &nothing, NULL);
}
