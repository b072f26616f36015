/* SPDX-License-Identifier: BSD-3-Clause */
#include "cancel.h"

#include <string.h>

#include "pending_receive.h"

struct wanted {
    const WSAOVERLAPPED *overlapped;
    const WSATHREADID *thread;
};

static bool is_wanted(const struct posted_receive *receive, const void *argument)
{
    const struct wanted *wanted = argument;

    return (wanted->overlapped == NULL || receive->overlapped == wanted->overlapped) &&
           (wanted->thread == NULL ||
            memcmp(&receive->thread, wanted->thread, sizeof *wanted->thread) == 0);
}

int cancel_receives(SOCKET s, const WSAOVERLAPPED *overlapped, const WSATHREADID *thread,
                    uint32_t *cancelled)
{
    const struct wanted wanted = {overlapped, thread};
    struct completion_batch batch = {.count = 0};
    struct posted_receive *list = NULL, **end = &list, *receive;
    struct socket_reference reference;
    int error = socket_lock(s, &reference);

    *cancelled = 0;
    if (error != 0)
        return error;
    /* In posting order, in which they are then indicated. */
    while ((receive = pending_remove(reference.endpoint, is_wanted, &wanted)) != NULL) {
        receive->next = NULL;
        *end = receive;
        end = &receive->next;
        (*cancelled)++;
    }
    socket_unlock(reference.endpoint, &batch);
    pending_cancel_list(list);
    return 0;
}
