/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_KERNEL_H
#define WIRERX_KERNEL_H

/**
 * @file
 * What a Winsock program takes from the Windows kernel: OVERLAPPED and its cancellation, event
 * objects, waits, user APCs and threads. Handles made here are good only in this process and only
 * for this library.
 *
 * Threads: every function may be called from any thread, and none but SetEvent() from a signal
 * handler (CreateEvent*() and the others fail there rather than wait for the thread that the handler
 * has interrupted). Waits are cancellation points of pthread_cancel(), and take nothing with them. One that
 * fails leaves an ERROR_* code, which the same thread reads with GetLastError() or
 * WSAGetLastError(); a success leaves the code as it was. None but CancelIo() and CancelIoEx() needs
 * WSAStartup() or a running dataplane.
 *
 * An alertable wait is one that may be ended by the calling thread's own APCs: SleepEx(),
 * WaitForSingleObjectEx() and WaitForMultipleObjectsEx() when bAlertable is TRUE,
 * WSAWaitForMultipleEvents() when fAlertable is, and a receive that blocks (B08).
 */

#include "wirerx_errors.h"
#include "wirerx_types.h"

/** For every wait: no limit. */
#ifndef INFINITE
#define INFINITE 0xFFFFFFFFU
#endif

/** What a wait returns. */
#define WAIT_OBJECT_0 (STATUS_WAIT_0 + 0)
#define WAIT_ABANDONED (STATUS_ABANDONED_WAIT_0 + 0)
#define WAIT_ABANDONED_0 (STATUS_ABANDONED_WAIT_0 + 0)
#define WAIT_IO_COMPLETION STATUS_USER_APC
#define WAIT_TIMEOUT 258
#define WAIT_FAILED ((DWORD)0xFFFFFFFF)

/** The most handles that one wait takes. */
#define MAXIMUM_WAIT_OBJECTS 64

#define INVALID_HANDLE_VALUE ((HANDLE)(LONG_PTR)-1)

/** CreateThread()'s dwCreationFlags. */
#define CREATE_SUSPENDED 0x00000004
#define STACK_SIZE_PARAM_IS_A_RESERVATION 0x00010000

#ifdef __cplusplus
extern "C" {
#endif

/**
 * One operation that has been started. It belongs to the library from the start of the operation
 * until its completion (D16), and must not move meanwhile.
 */
typedef struct _OVERLAPPED {
    ULONG_PTR Internal;     /**< STATUS_PENDING, then the final STATUS_* (D01 to D06) */
    ULONG_PTR InternalHigh; /**< bytes, written before Internal changes (D03, D13) */
    __extension__ union {
        __extension__ struct {
            DWORD Offset;
            DWORD OffsetHigh;
        };             /**< left alone (D12), but see SO_WIRERX_STAMP in wirerx.h */
        PVOID Pointer; /**< the same eight bytes */
    };
    HANDLE hEvent; /**< an event or NULL (D07 to D10); with a completion routine the
                        client's own word (D11) */
} OVERLAPPED, *LPOVERLAPPED;

/**
 * Non-zero when an operation has ended. Nothing orders the read of the payload after this read of
 * Internal: use WSAGetOverlappedResult() or a wait before the buffers are looked at.
 */
#define HasOverlappedIoCompleted(lpOverlapped) ((DWORD)(lpOverlapped)->Internal != STATUS_PENDING)

/** Taken for the signature's sake and ignored. */
typedef struct _SECURITY_ATTRIBUTES {
    DWORD nLength;
    LPVOID lpSecurityDescriptor;
    BOOL bInheritHandle;
} SECURITY_ATTRIBUTES, *PSECURITY_ATTRIBUTES, *LPSECURITY_ATTRIBUTES;

/** A user APC. @param Parameter  the word given to QueueUserAPC() */
typedef VOID(NTAPI *PAPCFUNC)(ULONG_PTR Parameter);

/** What a thread runs. @return the exit code, which nobody is told */
typedef DWORD(WINAPI *PTHREAD_START_ROUTINE)(LPVOID lpThreadParameter);
typedef PTHREAD_START_ROUTINE LPTHREAD_START_ROUTINE;

/** The calling thread's code, which is also WSAGetLastError()'s. @return ERROR_* or WSA* */
DWORD WINAPI GetLastError(VOID);

/** Set it, as WSASetLastError(). Cannot fail. */
VOID WINAPI SetLastError(DWORD dwErrCode);

/**
 * Make an event object. Does not block.
 *
 * @param lpEventAttributes  ignored; NULL is usual
 * @param bManualReset       TRUE: stays signalled until ResetEvent(); FALSE: a wait that it
 *                           satisfies resets it and lets one thread through
 * @param bInitialState      TRUE: signalled from the start
 * @param lpName             NULL; a named event is refused, because events are not shared between
 *                           processes
 * @return the event, to be closed with CloseHandle() or WSACloseEvent(); NULL on failure:
 *         ERROR_NOT_ENOUGH_MEMORY, ERROR_NOT_SUPPORTED lpName is not NULL
 */
HANDLE WINAPI CreateEventW(LPSECURITY_ATTRIBUTES lpEventAttributes, BOOL bManualReset,
                           BOOL bInitialState, LPCWSTR lpName);

/** As CreateEventW(), with the name (which must be NULL) in 8-bit characters. */
HANDLE WINAPI CreateEventA(LPSECURITY_ATTRIBUTES lpEventAttributes, BOOL bManualReset,
                           BOOL bInitialState, LPCSTR lpName);

#ifdef UNICODE
#define CreateEvent CreateEventW
#else
#define CreateEvent CreateEventA
#endif

/** Signal an event. Does not block. @return TRUE; FALSE: ERROR_INVALID_HANDLE */
BOOL WINAPI SetEvent(HANDLE hEvent);

/** Make an event non-signalled. Does not block. @return TRUE; FALSE: ERROR_INVALID_HANDLE */
BOOL WINAPI ResetEvent(HANDLE hEvent);

/**
 * Close an event or a thread handle; GetCurrentThread()'s needs no closing. Sockets are closed with
 * closesocket(). An event may be closed while an operation still refers to it: the operation
 * completes and nothing is signalled (D17). Does not block. @return TRUE; FALSE:
 * ERROR_INVALID_HANDLE
 */
BOOL WINAPI CloseHandle(HANDLE hObject);

/**
 * Wait until an event is signalled, or a thread that CreateThread() made has ended. Not alertable:
 * no APC runs (F01).
 *
 * @param dwMilliseconds  0: look and return; INFINITE: no limit
 * @return WAIT_OBJECT_0; WAIT_TIMEOUT; WAIT_FAILED: ERROR_INVALID_HANDLE
 */
DWORD WINAPI WaitForSingleObject(HANDLE hHandle, DWORD dwMilliseconds);

/**
 * Wait until an event is signalled or, when bAlertable is TRUE, this thread has run APCs.
 *
 * @return as WaitForSingleObject(); an event that is signalled already ends it before any APC runs;
 *         otherwise WAIT_IO_COMPLETION after all APCs that were queued have run (F01, F07, F20)
 */
DWORD WINAPI WaitForSingleObjectEx(HANDLE hHandle, DWORD dwMilliseconds, BOOL bAlertable);

/**
 * Wait for one or all of several: WSAWaitForMultipleEvents() by its other name.
 *
 * @param nCount    1 to MAXIMUM_WAIT_OBJECTS
 * @param bWaitAll  TRUE: until all are signalled together; no handle may then be there twice
 * @return WAIT_OBJECT_0 + index of the first that is signalled (+ 0 with bWaitAll); WAIT_TIMEOUT;
 *         WAIT_FAILED: ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NOACCESS lpHandles is
 *         not there, ERROR_NOT_ENOUGH_MEMORY
 */
DWORD WINAPI WaitForMultipleObjects(DWORD nCount, CONST HANDLE *lpHandles, BOOL bWaitAll,
                                    DWORD dwMilliseconds);

/** The same, alertably when bAlertable is TRUE: then also WAIT_IO_COMPLETION (F01, F04, F20). */
DWORD WINAPI WaitForMultipleObjectsEx(DWORD nCount, CONST HANDLE *lpHandles, BOOL bWaitAll,
                                      DWORD dwMilliseconds, BOOL bAlertable);

/** Let time pass, in milliseconds. Blocks; no APC runs. INFINITE never returns. */
VOID WINAPI Sleep(DWORD dwMilliseconds);

/**
 * Let time pass or, when bAlertable is TRUE, run this thread's APCs. SleepEx(0, TRUE) runs those
 * that are queued already and does not block (F05).
 *
 * @param dwMilliseconds  INFINITE: until an APC has run
 * @return 0 when the time has passed; WAIT_IO_COMPLETION after APCs have run (F01)
 */
DWORD WINAPI SleepEx(DWORD dwMilliseconds, BOOL bAlertable);

/**
 * Queue a call for a thread. It runs in that thread's next alertable wait. Does not block; may be
 * called from any thread of this process (F17).
 *
 * @param hThread  GetCurrentThread(), what CreateThread() returned, or what WPUOpenCurrentThread()
 *                 put in WSATHREADID.ThreadHandle
 * @param dwData   handed to pfnAPC; as wide as a pointer (F18)
 * @return non-zero; 0: ERROR_INVALID_HANDLE no such thread, or it has exited;
 *         ERROR_INVALID_PARAMETER pfnAPC is NULL; ERROR_NOT_ENOUGH_MEMORY
 */
DWORD WINAPI QueueUserAPC(PAPCFUNC pfnAPC, HANDLE hThread, ULONG_PTR dwData);

/** @return a handle that means the calling thread, whoever uses it; never closed */
HANDLE WINAPI GetCurrentThread(VOID);

/** @return the calling thread's number, unique among the system's living threads, never 0 */
DWORD WINAPI GetCurrentThreadId(VOID);

/**
 * Start a thread. Waits until it runs. A thread made in any other way may use this library as well.
 *
 * @param lpThreadAttributes  ignored; NULL is usual
 * @param dwStackSize         bytes; 0: the system's usual size
 * @param lpStartAddress      what it runs
 * @param lpParameter         handed to it
 * @param dwCreationFlags     0 or STACK_SIZE_PARAM_IS_A_RESERVATION
 * @param lpThreadId          NULL, or receives what GetCurrentThreadId() returns there
 * @return the thread, to be closed with CloseHandle(), which does not end it. It may be waited for:
 *         it is signalled when the thread has ended, after its pending operations (K07). It may be
 *         given to QueueUserAPC(); nothing else is served. NULL: ERROR_INVALID_PARAMETER no
 *         lpStartAddress, ERROR_NOT_SUPPORTED other flags (CREATE_SUSPENDED), ERROR_NOACCESS
 *         lpThreadId, ERROR_NOT_ENOUGH_MEMORY
 */
HANDLE WINAPI CreateThread(LPSECURITY_ATTRIBUTES lpThreadAttributes, SIZE_T dwStackSize,
                           LPTHREAD_START_ROUTINE lpStartAddress, LPVOID lpParameter,
                           DWORD dwCreationFlags, LPDWORD lpThreadId);

/** End the calling thread, as pthread_exit() does. Does not return. */
VOID WINAPI ExitThread(DWORD dwExitCode) __attribute__((noreturn));

/** @return milliseconds since some moment, the same for all threads; wraps after 49.7 days */
DWORD WINAPI GetTickCount(VOID);

/** The same with 64 bits. */
ULONGLONG WINAPI GetTickCount64(VOID);

/**
 * Cancel the receives that the calling thread has posted on a socket (K13). Each completes by the
 * road that was chosen, with Internal 0xC0000120, 0 bytes and WSA_OPERATION_ABORTED; events are set
 * when this returns, routines are queued. What arrives later is not lost (K08), nor is what had
 * arrived: a receive that it completed is no longer there to be cancelled. Does not block.
 *
 * @param hFile  the socket
 * @return TRUE, also when there was nothing to cancel, as on Windows; FALSE: ERROR_INVALID_HANDLE
 */
BOOL WINAPI CancelIo(HANDLE hFile);

/**
 * Cancel one receive, or all, of whatever thread (K13). The rest as CancelIo().
 *
 * @param lpOverlapped  what the receive was posted with; NULL: all receives that are posted
 * @return TRUE; FALSE: ERROR_NOT_FOUND there was nothing to cancel, ERROR_INVALID_HANDLE
 */
BOOL WINAPI CancelIoEx(HANDLE hFile, LPOVERLAPPED lpOverlapped);

#ifdef __cplusplus
}
#endif

#endif
