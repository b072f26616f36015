/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* dladdr() */
#endif
#include <dlfcn.h>
#include <iconv.h>
#include <string.h>

#include "../guard.h"
#include "blocking_hook.h"
#include "catalogue.h"
#include "event.h"
#include "host.h"
#include "thread.h"

/* A failure's code; a caller that passes no place for it does without. */
static void report(LPINT lpErrno, int error)
{
    if (lpErrno)
        *lpErrno = error;
}

static int refuse(LPINT lpErrno, int error)
{
    report(lpErrno, error);
    return SOCKET_ERROR;
}

static BOOL done_with_event(bool known, LPINT lpErrno)
{
    if (known)
        return TRUE;
    report(lpErrno, WSA_INVALID_HANDLE);
    return FALSE;
}

/* --- events ----------------------------------------------------------------------------------- */

WSAEVENT WSPAPI WPUCreateEvent(LPINT lpErrno)
{
    HANDLE event = event_create(true, false);

    if (!event)
        report(lpErrno, WSAENOBUFS);
    return event;
}

BOOL WSPAPI WPUCloseEvent(WSAEVENT hEvent, LPINT lpErrno)
{
    return done_with_event(event_close(hEvent), lpErrno);
}

BOOL WSPAPI WPUSetEvent(WSAEVENT hEvent, LPINT lpErrno)
{
    return done_with_event(event_set(hEvent), lpErrno);
}

BOOL WSPAPI WPUResetEvent(WSAEVENT hEvent, LPINT lpErrno)
{
    return done_with_event(event_reset(hEvent), lpErrno);
}

bool host_is_event(HANDLE event)
{
    return event_look(event) != EVENT_STALE;
}

/* --- socket handles --------------------------------------------------------------------------- */

/*
 * A socket handle of this host is the provider's context itself: the provider puts slot and
 * generation into it, so that a table here could tell nothing that it does not tell better.
 */

static _Atomic(bool (*)(SOCKET)) socket_check;

void host_check_sockets_by(bool (*is_open)(SOCKET s))
{
    atomic_store_explicit(&socket_check, is_open, memory_order_release);
}

static bool can_be_socket(SOCKET s)
{
    return s != 0 && s != INVALID_SOCKET;
}

static bool is_socket(SOCKET s)
{
    bool (*is_open)(SOCKET) = atomic_load_explicit(&socket_check, memory_order_acquire);

    return can_be_socket(s) && (!is_open || is_open(s));
}

SOCKET WSPAPI WPUCreateSocketHandle(DWORD dwCatalogEntryId, DWORD_PTR dwContext, LPINT lpErrno)
{
    (void)dwCatalogEntryId;
    if (can_be_socket(dwContext))
        return dwContext;
    report(lpErrno, WSAENOBUFS);
    return INVALID_SOCKET;
}

/* The provider's socket may be gone already: nothing is left to ask about. */
int WSPAPI WPUCloseSocketHandle(SOCKET s, LPINT lpErrno)
{
    return can_be_socket(s) ? 0 : refuse(lpErrno, WSAENOTSOCK);
}

int WSPAPI WPUQuerySocketHandleContext(SOCKET s, PDWORD_PTR lpContext, LPINT lpErrno)
{
    if (!is_socket(s))
        return refuse(lpErrno, WSAENOTSOCK);
    if (!lpContext)
        return refuse(lpErrno, WSAEFAULT);
    *lpContext = s;
    return 0;
}

SOCKET WSPAPI WPUModifyIFSHandle(DWORD dwCatalogEntryId, SOCKET ProposedHandle, LPINT lpErrno)
{
    (void)dwCatalogEntryId;
    (void)ProposedHandle;
    report(lpErrno, WSAEINVAL);
    return INVALID_SOCKET;
}

int WSPAPI WPUFDIsSet(SOCKET s, fd_set *fdset)
{
    return fdset ? FD_ISSET(s, fdset) : 0;
}

/* --- threads and APCs ------------------------------------------------------------------------- */

int WSPAPI WPUOpenCurrentThread(LPWSATHREADID lpThreadId, LPINT lpErrno)
{
    if (!lpThreadId)
        return refuse(lpErrno, WSAEFAULT);
    return host_current_thread(lpThreadId) ? 0 : refuse(lpErrno, WSAENOBUFS);
}

/* An identity holds nothing that could be given up; it becomes stale with its thread. */
int WSPAPI WPUCloseThread(LPWSATHREADID lpThreadId, LPINT lpErrno)
{
    if (!lpThreadId || !thread_is_or_was(lpThreadId->ThreadHandle))
        return refuse(lpErrno, WSAEFAULT);
    return 0;
}

/* For the provider, which has reserved the place (host_reserve_apc): safe on an lcore. */
static int WSPAPI queue_reserved_apc(LPWSATHREADID lpThreadId, LPWSAUSERAPC lpfnUserApc,
                                     DWORD_PTR dwContext, LPINT lpErrno)
{
    uint32_t generation;
    struct thread *t = thread_find(lpThreadId->ThreadHandle, &generation);

    if (!t || !apc_push(&t->apcs, generation, lpfnUserApc, dwContext))
        return refuse(lpErrno, WSAEFAULT);
    return 0;
}

int WSPAPI WPUQueueApc(LPWSATHREADID lpThreadId, LPWSAUSERAPC lpfnUserApc, DWORD_PTR dwContext,
                       LPINT lpErrno)
{
    if (!lpThreadId || !lpfnUserApc)
        return refuse(lpErrno, WSAEFAULT);
    int error = host_reserve_apc(lpThreadId);

    if (error)
        return refuse(lpErrno, error == WSAEINVAL ? WSAEFAULT : WSAENOBUFS);
    /* A place is lost only together with the thread. */
    return queue_reserved_apc(lpThreadId, lpfnUserApc, dwContext, lpErrno);
}

int WSPAPI WPUQueryBlockingCallback(DWORD dwCatalogEntryId, LPBLOCKINGCALLBACK *lplpfnCallback,
                                    PDWORD_PTR lpdwContext, LPINT lpErrno)
{
    (void)dwCatalogEntryId;
    if (!lplpfnCallback || !lpdwContext)
        return refuse(lpErrno, WSAEFAULT);
    *lplpfnCallback = blocking_hook_callback();
    *lpdwContext = 0;
    return 0;
}

/* --- what has no meaning here ----------------------------------------------------------------- */

BOOL WSPAPI WPUPostMessage(HWND hWnd, UINT Msg, WPARAM wParam, LPARAM lParam)
{
    (void)hWnd;
    (void)Msg;
    (void)wParam;
    (void)lParam;
    return FALSE;
}

/* @return characters written, the final 0 included; 0: no room for them */
static size_t to_wide(const char *text, WCHAR *wide, size_t room)
{
    char *in = (char *)(uintptr_t)text; /* iconv() does not write there */
    char *out = (char *)wide;
    size_t in_left = strlen(text) + 1;
    size_t out_left = room * sizeof(WCHAR);
    iconv_t utf16 = iconv_open("UTF-16LE", "UTF-8");

    if (utf16 == (iconv_t)-1)
        return 0;
    bool converted = iconv(utf16, &in, &in_left, &out, &out_left) != (size_t)-1;

    iconv_close(utf16);
    return converted ? room - out_left / sizeof(WCHAR) : 0;
}

int WSPAPI WPUGetProviderPath(LPGUID lpProviderId, WCHAR *lpszProviderDllPath,
                              LPINT lpProviderDllPathLen, LPINT lpErrno)
{
    Dl_info library;

    if (!lpProviderId || !lpszProviderDllPath || !lpProviderDllPathLen)
        return refuse(lpErrno, WSAEFAULT);
    if (memcmp(lpProviderId, &catalogue[0].ProviderId, sizeof(GUID)) != 0 ||
        !dladdr((void *)(uintptr_t)WSPStartup, &library))
        return refuse(lpErrno, WSAEINVAL);
    size_t room = *lpProviderDllPathLen > 0 ? (size_t)*lpProviderDllPathLen : 0;
    size_t length = to_wide(library.dli_fname, lpszProviderDllPath, room);

    if (length == 0)
        return refuse(lpErrno, WSAEFAULT);
    *lpProviderDllPathLen = (INT)length;
    return 0;
}

/* --- completion for other providers ----------------------------------------------------------- */

/* The status that E11 maps back to this code. */
static DWORD status_of(DWORD error)
{
    static const struct {
        DWORD error;
        DWORD status;
    } rows[] = {
        {0, STATUS_SUCCESS},
        {WSAEMSGSIZE, STATUS_BUFFER_OVERFLOW},
        {WSA_OPERATION_ABORTED, STATUS_CANCELLED},
        {WSAEFAULT, STATUS_ACCESS_VIOLATION},
        {WSAESHUTDOWN, STATUS_PIPE_DISCONNECTED},
        {WSAETIMEDOUT, STATUS_IO_TIMEOUT},
        {WSAECONNRESET, STATUS_CONNECTION_RESET},
        {WSAECONNABORTED, STATUS_CONNECTION_ABORTED},
        {WSAEDISCON, STATUS_GRACEFUL_DISCONNECT},
        {WSAEINTR, STATUS_REQUEST_ABORTED},
        {WSAENOTCONN, STATUS_INVALID_CONNECTION},
        {WSAENETDOWN, STATUS_NETWORK_UNREACHABLE},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].error == error)
            return rows[i].status;
    return STATUS_UNSUCCESSFUL;
}

int WSPAPI WPUCompleteOverlappedRequest(SOCKET s, LPWSAOVERLAPPED lpOverlapped, DWORD dwError,
                                        DWORD cbTransferred, LPINT lpErrno)
{
    HANDLE event;

    if (!is_socket(s))
        return refuse(lpErrno, WSAEINVAL);
    /* hEvent first: once Internal has changed the record is the client's again (D16). */
    if (!lpOverlapped || !guard_copy_from(&event, &lpOverlapped->hEvent, sizeof(event)) ||
        !guard_store64(&lpOverlapped->InternalHigh, cbTransferred) ||
        !guard_store64_release(&lpOverlapped->Internal, status_of(dwError)))
        return refuse(lpErrno, WSAEFAULT);
    event_set(event); /* NULL, and one that is closed meanwhile (D17), are not set */
    return 0;
}

/* --- the table -------------------------------------------------------------------------------- */

WSPUPCALLTABLE host_upcalls(void)
{
    return (WSPUPCALLTABLE){
        .lpWPUCloseEvent = WPUCloseEvent,
        .lpWPUCloseSocketHandle = WPUCloseSocketHandle,
        .lpWPUCreateEvent = WPUCreateEvent,
        .lpWPUCreateSocketHandle = WPUCreateSocketHandle,
        .lpWPUFDIsSet = WPUFDIsSet,
        .lpWPUGetProviderPath = WPUGetProviderPath,
        .lpWPUModifyIFSHandle = WPUModifyIFSHandle,
        .lpWPUPostMessage = WPUPostMessage,
        .lpWPUQueryBlockingCallback = WPUQueryBlockingCallback,
        .lpWPUQuerySocketHandleContext = WPUQuerySocketHandleContext,
        .lpWPUQueueApc = queue_reserved_apc,
        .lpWPUResetEvent = WPUResetEvent,
        .lpWPUSetEvent = WPUSetEvent,
        .lpWPUOpenCurrentThread = WPUOpenCurrentThread,
        .lpWPUCloseThread = WPUCloseThread,
    };
}

bool host_is_own(const WSPUPCALLTABLE *upcalls)
{
    WSPUPCALLTABLE own = host_upcalls();

    return memcmp(upcalls, &own, sizeof(own)) == 0;
}
