/* SPDX-License-Identifier: BSD-3-Clause */
#include "receive_message.h"

#include <rte_byteorder.h>
#include <string.h>

#include "guard.h"
#include "overlapped_status.h"
#include "receive.h"
#include "spi.h"
#include "wirerx/mswsock.h"
#include "wirerx/wirerx.h"

/** In a WSAMSG's flags they are results only: a program that uses one again need not clear them. */
#define RESULT_FLAGS (MSG_TRUNC | MSG_CTRUNC | MSG_BCAST | MSG_MCAST)

/* --- control messages ----------------------------------------------------------------------------- */

/* A control buffer that is being filled. */
struct control {
    CHAR *at;
    ULONG room;
    ULONG written;
    bool cut;
};

/* @return false: a fault */
static bool add_control(struct control *control, INT type, const void *data, size_t bytes)
{
    union {
        WSACMSGHDR head;
        CHAR bytes[WSA_CMSG_SPACE(sizeof(struct wirerx_receive_time))];
    } message;
    ULONG length = (ULONG)WSA_CMSG_LEN(bytes);

    control->cut |= control->room < length;
    if (control->cut)
        return true;
    memset(&message, 0, sizeof message);
    message.head.cmsg_len = length;
    message.head.cmsg_level = SOL_SOCKET;
    message.head.cmsg_type = type;
    memcpy(WSA_CMSG_DATA(&message.head), data, bytes);
    ULONG space =
        RTE_MIN((ULONG)WSA_CMSG_SPACE(bytes), control->room); /* the last one needs no padding */
    if (!guard_copy_to(control->at, &message, space))
        return false;
    control->at = (CHAR *)((uintptr_t)control->at + space);
    control->room -= space;
    control->written += space;
    return true;
}

static bool add_times(const struct wsp_socket *socket, struct control *control,
                      const struct ring_element *element)
{
    if (socket->timestamping) {
        UINT64 tsc = element_meta(element)->burst_tsc;

        if (!add_control(control, SO_TIMESTAMP, &tsc, sizeof tsc))
            return false;
    }
    if (socket->note_time) {
        struct wirerx_receive_time time = receive_time_of(element);

        if (!add_control(control, SO_WIRERX_TIME, &time, sizeof time))
            return false;
    }
    return true;
}

/* --- flags ------------------------------------------------------------------------------------------ */

/* A directed broadcast is known by its frame's: our own address would have come to our MAC address. */
static bool is_link_broadcast(const struct ring_element *element)
{
    static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    const struct rte_mbuf *mbuf = element_mbuf(element);

    return element_meta(element)->port != RX_PORT_LOOPED &&
           rte_pktmbuf_data_len(mbuf) >= sizeof broadcast &&
           memcmp(rte_pktmbuf_mtod(mbuf, const void *), broadcast, sizeof broadcast) == 0;
}

static DWORD address_flags(const struct ring_element *element)
{
    uint32_t destination = element_meta(element)->destination;

    if ((rte_be_to_cpu_32(destination) & 0xf0000000) == 0xe0000000)
        return MSG_MCAST;
    return destination == INADDR_BROADCAST || is_link_broadcast(element) ? MSG_BCAST : 0;
}

bool receive_message_write(const struct wsp_socket *socket, const struct receive_message *to,
                           const struct ring_element *element, uint32_t status)
{
    struct control control = {to->control, to->control_bytes, 0, false};
    DWORD flags = overlapped_flags(status);

    if (element == NULL || rx_is_condition((enum rx_kind)element_meta(element)->kind))
        return true; /* an error, and no datagram */
    flags |= address_flags(element);
    if (!add_times(socket, &control, element))
        return false;
    if (status == OVERLAPPED_BUFFER_OVERFLOW)
        flags |= MSG_TRUNC; /* I01 */
    if (control.cut)
        flags |= MSG_CTRUNC;
    return guard_store32(&to->message->Control.len, control.written) &&
           guard_store32(&to->message->dwFlags, flags);
}

/* --- the call --------------------------------------------------------------------------------------- */

int WSPAPI spi_receive_message(SOCKET s, LPWSAMSG message, LPDWORD received,
                               LPWSAOVERLAPPED overlapped,
                               LPWSAOVERLAPPED_COMPLETION_ROUTINE routine, LPWSATHREADID thread,
                               LPINT error)
{
    struct receive_message to = {.message = message};
    WSAMSG given;

    if (message == NULL || !guard_copy_from(&given, message, sizeof given))
        return spi_fail(error, WSAEFAULT);
    DWORD flags = given.dwFlags & ~(DWORD)RESULT_FLAGS;
    to.control = given.Control.buf;
    to.control_bytes = given.Control.buf != NULL ? given.Control.len : 0;
    struct receive_call call = {
        .buffers = given.lpBuffers,
        .buffers_count = given.dwBufferCount,
        .bytes_received = received,
        .flags = &flags,
        .from = given.name,
        .fromlen = given.name != NULL ? &message->namelen : NULL,
        .overlapped = overlapped,
        .routine = routine,
        .thread = thread,
        .message = &to,
    };
    return receive_run(s, &call, error);
}
