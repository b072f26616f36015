/* SPDX-License-Identifier: BSD-3-Clause */
#include <pthread.h>

#include "../guard.h"
#include "../host/event.h"
#include "../host/thread.h"
#include "../host/thread_start.h"
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

DWORD WINAPI GetLastError(VOID)
{
    return (DWORD)WSAGetLastError();
}

VOID WINAPI SetLastError(DWORD dwErrCode)
{
    WSASetLastError((int)dwErrCode);
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
    return kernel_bool(event_close(hObject) || thread_is_or_was(hObject) ||
                           hObject == GetCurrentThread(),
                       ERROR_INVALID_HANDLE);
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

/* The array is the client's, so it is copied before anything looks at it. */
static DWORD wait_for_several(const HANDLE *events, DWORD count, BOOL all, DWORD milliseconds,
                              BOOL alertable, int fault, int *error)
{
    HANDLE copy[MAXIMUM_WAIT_OBJECTS];

    if (count <= MAXIMUM_WAIT_OBJECTS && count > 0 &&
        !guard_copy_from(copy, events, count * sizeof(*copy))) {
        *error = fault;
        return WAIT_FAILED;
    }
    return wait_for_events(copy, count, all, wait_deadline(milliseconds), alertable, error);
}

DWORD WSAAPI WSAWaitForMultipleEvents(DWORD cEvents, const WSAEVENT *lphEvents, BOOL fWaitAll,
                                      DWORD dwTimeout, BOOL fAlertable)
{
    int error = 0;
    DWORD result =
        wait_for_several(lphEvents, cEvents, fWaitAll, dwTimeout, fAlertable, WSAEFAULT, &error);

    api_bool(result != WSA_WAIT_FAILED, error);
    return result;
}

DWORD WINAPI WaitForMultipleObjectsEx(DWORD nCount, CONST HANDLE *lpHandles, BOOL bWaitAll,
                                      DWORD dwMilliseconds, BOOL bAlertable)
{
    int error = 0;
    DWORD result = wait_for_several(lpHandles, nCount, bWaitAll, dwMilliseconds, bAlertable,
                                    ERROR_NOACCESS, &error);

    if (result == WAIT_FAILED)
        WSASetLastError(error);
    return result;
}

DWORD WINAPI WaitForMultipleObjects(DWORD nCount, CONST HANDLE *lpHandles, BOOL bWaitAll,
                                    DWORD dwMilliseconds)
{
    return WaitForMultipleObjectsEx(nCount, lpHandles, bWaitAll, dwMilliseconds, FALSE);
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

ULONGLONG WINAPI GetTickCount64(VOID)
{
    return wake_clock() / 1000000;
}

DWORD WINAPI GetTickCount(VOID)
{
    return (DWORD)GetTickCount64();
}

/* --- threads ---------------------------------------------------------------------------------- */

HANDLE WINAPI GetCurrentThread(VOID)
{
    return (HANDLE)(LONG_PTR)-2; /* Windows' value */
}

DWORD WINAPI GetCurrentThreadId(VOID)
{
    return thread_system_number();
}

/* Whom a handle means, of the kinds that QueueUserAPC() takes. */
static struct thread *thread_meant(HANDLE handle, uint32_t *generation)
{
    if (handle == GetCurrentThread())
        return thread_current_with(generation);
    struct thread *t = thread_find(handle, generation);

    return t ? t : thread_find_by_end(handle, generation);
}

static DWORD queue_user_apc(PAPCFUNC pfnAPC, HANDLE hThread, ULONG_PTR dwData)
{
    uint32_t generation;
    struct thread *t = thread_meant(hThread, &generation);

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

HANDLE WINAPI CreateThread(LPSECURITY_ATTRIBUTES lpThreadAttributes, SIZE_T dwStackSize,
                           LPTHREAD_START_ROUTINE lpStartAddress, LPVOID lpParameter,
                           DWORD dwCreationFlags, LPDWORD lpThreadId)
{
    DWORD number = 0;
    HANDLE thread = NULL;
    DWORD error = 0;

    (void)lpThreadAttributes;
    if (!lpStartAddress)
        error = ERROR_INVALID_PARAMETER;
    else if (dwCreationFlags & ~(DWORD)STACK_SIZE_PARAM_IS_A_RESERVATION)
        error = ERROR_NOT_SUPPORTED;
    else if (lpThreadId && !guard_store32(lpThreadId, 0)) /* before anything is started */
        error = ERROR_NOACCESS;
    else if (!(thread = thread_start(lpStartAddress, lpParameter, dwStackSize, &number)))
        error = ERROR_NOT_ENOUGH_MEMORY;
    else if (lpThreadId)
        guard_store32(lpThreadId, number);
    kernel_bool(error == 0, (int)error);
    return thread;
}

VOID WINAPI ExitThread(DWORD dwExitCode)
{
    (void)dwExitCode;
    pthread_exit(NULL);
}
