/* SPDX-License-Identifier: BSD-3-Clause */
#include <sys/syscall.h>
#include <unistd.h>

#include "../host/event.h"
#include "../host/thread.h"
#include "../host/wait.h"
#include "api.h"

/*
 * Windows' own calls (wirerx_kernel.h) and Winsock's names for some of them. The former leave
 * WSAGetLastError() alone when they succeed, as Windows does; the latter make it 0 (A02).
 */

static BOOL kernel_bool(bool succeeded, int error)
{
    if (!succeeded)
        WSASetLastError(error);
    return succeeded;
}

/* --- events ----------------------------------------------------------------------------------- */

static HANDLE create_event(bool manual_reset, bool signalled, bool named)
{
    HANDLE event = named ? NULL : event_create(manual_reset, signalled);

    if (!event)
        WSASetLastError(named ? ERROR_NOT_SUPPORTED : ERROR_NOT_ENOUGH_MEMORY);
    return event;
}

HANDLE WINAPI CreateEventW(LPSECURITY_ATTRIBUTES lpEventAttributes, BOOL bManualReset,
                           BOOL bInitialState, LPCWSTR lpName)
{
    (void)lpEventAttributes;
    return create_event(bManualReset, bInitialState, lpName != NULL);
}

HANDLE WINAPI CreateEventA(LPSECURITY_ATTRIBUTES lpEventAttributes, BOOL bManualReset,
                           BOOL bInitialState, LPCSTR lpName)
{
    (void)lpEventAttributes;
    return create_event(bManualReset, bInitialState, lpName != NULL);
}

BOOL WINAPI SetEvent(HANDLE hEvent)
{
    return kernel_bool(event_set(hEvent), ERROR_INVALID_HANDLE);
}

BOOL WINAPI ResetEvent(HANDLE hEvent)
{
    return kernel_bool(event_reset(hEvent), ERROR_INVALID_HANDLE);
}

BOOL WINAPI CloseHandle(HANDLE hObject)
{
    return kernel_bool(event_close(hObject) || thread_is_or_was(hObject), ERROR_INVALID_HANDLE);
}

WSAEVENT WSAAPI WSACreateEvent(void)
{
    HANDLE event = event_create(true, false);

    api_bool(event != NULL, WSA_NOT_ENOUGH_MEMORY);
    return event;
}

BOOL WSAAPI WSACloseEvent(WSAEVENT hEvent)
{
    return api_bool(event_close(hEvent), WSA_INVALID_HANDLE);
}

BOOL WSAAPI WSASetEvent(WSAEVENT hEvent)
{
    return api_bool(event_set(hEvent), WSA_INVALID_HANDLE);
}

BOOL WSAAPI WSAResetEvent(WSAEVENT hEvent)
{
    return api_bool(event_reset(hEvent), WSA_INVALID_HANDLE);
}

/* --- waits ------------------------------------------------------------------------------------ */

DWORD WSAAPI WSAWaitForMultipleEvents(DWORD cEvents, const WSAEVENT *lphEvents, BOOL fWaitAll,
                                      DWORD dwTimeout, BOOL fAlertable)
{
    int error = WSAEFAULT;
    DWORD result = WSA_WAIT_FAILED;

    if (lphEvents || cEvents == 0)
        result = wait_for_events(lphEvents, cEvents, fWaitAll, wait_deadline(dwTimeout), fAlertable,
                                 &error);
    api_bool(result != WSA_WAIT_FAILED, error);
    return result;
}

DWORD WINAPI WaitForSingleObjectEx(HANDLE hHandle, DWORD dwMilliseconds, BOOL bAlertable)
{
    int error = 0;
    DWORD result =
        wait_for_events(&hHandle, 1, false, wait_deadline(dwMilliseconds), bAlertable, &error);

    if (result == WAIT_FAILED)
        WSASetLastError(error);
    return result;
}

DWORD WINAPI WaitForSingleObject(HANDLE hHandle, DWORD dwMilliseconds)
{
    return WaitForSingleObjectEx(hHandle, dwMilliseconds, FALSE);
}

DWORD WINAPI SleepEx(DWORD dwMilliseconds, BOOL bAlertable)
{
    return wait_for_time(wait_deadline(dwMilliseconds), bAlertable);
}

VOID WINAPI Sleep(DWORD dwMilliseconds)
{
    wait_for_time(wait_deadline(dwMilliseconds), false);
}

/* --- threads ---------------------------------------------------------------------------------- */

static DWORD queue_user_apc(PAPCFUNC pfnAPC, HANDLE hThread, ULONG_PTR dwData)
{
    uint32_t generation;
    struct thread *t = thread_find(hThread, &generation);

    if (!pfnAPC)
        return ERROR_INVALID_PARAMETER;
    switch (t ? apc_reserve(&t->apcs, generation) : WSAEINVAL) {
    case 0:
        /* A place is lost only together with the thread. */
        return apc_push(&t->apcs, generation, pfnAPC, dwData) ? 0 : ERROR_INVALID_HANDLE;
    case WSAEINVAL:
        return ERROR_INVALID_HANDLE;
    default:
        return ERROR_NOT_ENOUGH_MEMORY;
    }
}

DWORD WINAPI QueueUserAPC(PAPCFUNC pfnAPC, HANDLE hThread, ULONG_PTR dwData)
{
    DWORD error = queue_user_apc(pfnAPC, hThread, dwData);

    return (DWORD)kernel_bool(error == 0, (int)error);
}

DWORD WINAPI GetCurrentThreadId(VOID)
{
    return (DWORD)syscall(SYS_gettid);
}
