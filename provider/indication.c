/* SPDX-License-Identifier: BSD-3-Clause */
#include "indication.h"

#include "guard.h"
#include "host/host.h"
#include "socket.h"

/** Low bit of hEvent: "no completion-port packet" on Windows; masked off (D14). */
#define EVENT_NO_PACKET 1u

static int prepare_routine(LPWSATHREADID thread, struct indication *indication)
{
    if (thread == NULL || !guard_copy_from(&indication->thread, thread, sizeof indication->thread))
        return WSAEFAULT; /* A22; F16: copied, the client may reuse its storage */
    if (!provider_host_is_own)
        return 0;
    int error = host_reserve_apc(&indication->thread);
    indication->reserved = error == 0;
    return error;
}

static int prepare_event(LPWSAOVERLAPPED overlapped, struct indication *indication)
{
    HANDLE event;
    int error;

    if (!guard_copy_from(&event, &overlapped->hEvent, sizeof event))
        return WSAEFAULT;
    event = (HANDLE)((uintptr_t)event & ~(uintptr_t)EVENT_NO_PACKET);
    if (event != NULL && !provider_upcalls.lpWPUResetEvent(event, &error))
        return WSA_INVALID_HANDLE; /* D17; D07: it is reset now */
    indication->event = event;
    if (provider_host_is_own && !host_current_thread(&indication->thread))
        return WSAENOBUFS; /* so that the operation ends when this thread does (K07) */
    return 0;
}

int indication_prepare(LPWSAOVERLAPPED overlapped, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine,
                       LPWSATHREADID thread, struct indication *indication)
{
    return routine != NULL ? prepare_routine(thread, indication)
                           : prepare_event(overlapped, indication);
}

void indication_cancel(const struct indication *indication)
{
    if (indication->reserved)
        host_cancel_apc(&indication->thread);
}
