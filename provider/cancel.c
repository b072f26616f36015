/* SPDX-License-Identifier: BSD-3-Clause */
#include "cancel.h"

#include <string.h>

#include "pending_receive.h"

struct wanted {
    const WSAOVERLAPPED *overlapped;
    const WSATHREADID *thread;
};

static bool is_wanted(const struct posted_operation *operation, const void *argument)
{
    const struct wanted *wanted = argument;

    return (wanted->overlapped == NULL || operation->overlapped == wanted->overlapped) &&
           (wanted->thread == NULL ||
            memcmp(&operation->thread, wanted->thread, sizeof *wanted->thread) == 0);
}

int cancel_operations(SOCKET s, const WSAOVERLAPPED *overlapped, const WSATHREADID *thread,
                      uint32_t *cancelled)
{
    const struct wanted wanted = {overlapped, thread};
    struct completion_batch batch = {.count = 0};
    struct posted_operation *list = NULL, **end = &list, *operation;
    struct socket_reference reference;
    int error = socket_lock(s, &reference);

    *cancelled = 0;
    if (error != 0)
        return error;
    /* In posting order, in which they are then indicated. */
    while ((operation = posted_remove(reference.endpoint, is_wanted, &wanted)) != NULL) {
        operation->next = NULL;
        *end = operation;
        end = &operation->next;
        (*cancelled)++;
    }
    socket_unlock(reference.endpoint, &batch);
    if (list != NULL) /* what they held up goes on */
        pending_serve_all(reference.endpoint, reference.generation);
    posted_cancel_list(list);
    return 0;
}
