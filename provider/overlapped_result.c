/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPGetOverlappedResult. */

#include <time.h>

#include "guard.h"
#include "overlapped_status.h"
#include "pending_receive.h"
#include "spi.h"
#include "wirerx/wirerx_kernel.h"

/** Longest sleep between two looks at Internal; the event normally ends it at once. */
#define LOOK_MS 10u
#define FOREIGN_LOOK_NS 50000

static bool has_routine(const struct posted_operation *operation, const void *overlapped)
{
    return operation->overlapped == overlapped && operation->routine != NULL;
}

/* E14: an operation with a completion routine is indicated by it, not by an event. */
static bool waits_for_routine(const struct socket_reference *reference, LPWSAOVERLAPPED overlapped)
{
    return posted_find(reference->socket, has_routine, overlapped) != NULL;
}

/* Loops on Internal: a late signal from an earlier use of the event is possible. */
static int wait_while_pending(LPWSAOVERLAPPED overlapped, uint64_t *status)
{
    const struct timespec pause = {0, FOREIGN_LOOK_NS};
    HANDLE event;

    if (!guard_copy_from(&event, &overlapped->hEvent, sizeof event))
        return WSAEFAULT;
    event = (HANDLE)((uintptr_t)event & ~(uintptr_t)1);
    while (*status == OVERLAPPED_PENDING) {
        if (!provider_host_is_own) {
            nanosleep(&pause, NULL); /* another host's events are opaque */
        } else if (WaitForSingleObject(event, LOOK_MS) == WAIT_FAILED) {
            return WSA_INVALID_HANDLE; /* E09 */
        } else if (guard_load64_acquire(&overlapped->Internal, status) &&
                   *status == OVERLAPPED_PENDING) {
            nanosleep(&pause, NULL); /* the event was signalled for something else */
        }
        if (!guard_load64_acquire(&overlapped->Internal, status))
            return WSAEFAULT;
    }
    return 0;
}

static int result_of(SOCKET s, LPWSAOVERLAPPED overlapped, LPDWORD transferred, BOOL wait,
                     LPDWORD flags)
{
    struct completion_batch batch = {.count = 0};
    struct socket_reference reference;
    uint64_t status, bytes;
    int error = socket_lock(s, &reference);

    if (error != 0)
        return error; /* E01, E13 */
    bool routine = wait && waits_for_routine(&reference, overlapped);
    socket_unlock(reference.endpoint, &batch);
    if (overlapped == NULL || transferred == NULL || flags == NULL)
        return WSAEFAULT; /* E08 */
    if (!guard_load64_acquire(&overlapped->Internal, &status))
        return WSAEFAULT;
    if (status == OVERLAPPED_PENDING) {
        if (!wait)
            return WSA_IO_INCOMPLETE; /* E02 */
        if (routine)
            return WSAEINVAL;                            /* E14 */
        error = wait_while_pending(overlapped, &status); /* E03 */
        if (error != 0)
            return error;
    }
    error = overlapped_error((uint32_t)status);
    if (!guard_copy_from(&bytes, &overlapped->InternalHigh, sizeof bytes) ||
        !guard_store32(transferred, (uint32_t)bytes)) /* E05: on failure, too */
        return WSAEFAULT;
    if (error == 0 && !guard_store32(flags, overlapped_flags((uint32_t)status))) /* E04 */
        return WSAEFAULT;
    return error;
}

BOOL WSPAPI spi_get_overlapped_result(SOCKET s, LPWSAOVERLAPPED overlapped, LPDWORD transferred,
                                      BOOL wait, LPDWORD flags, LPINT error)
{
    return spi_result(error, result_of(s, overlapped, transferred, wait, flags)) == 0 ? TRUE
                                                                                      : FALSE;
}
