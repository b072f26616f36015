/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPSelect: the client's sets, looking at their sockets, waiting. */

#include "select.h"

#include <stdlib.h>

#include "guard.h"
#include "pending_receive.h"
#include "spi.h"
#include "watch.h"

#define SETS 3u

/** Entries of all sets together that need no memory of their own. */
#define SMALL 64u

#define NS_PER_US 1000u

struct entry {
    SOCKET s;
    struct socket_reference reference;
    bool ready;
};

struct set {
    fd_set *client; /* NULL: none */
    unsigned what;  /* SELECT_* */
    u_int count;
    struct entry *entries;
};

struct selection {
    struct set sets[SETS];
    u_int ready;
    uint32_t spin_us; /* the longest of its sockets' */
    void *memory;     /* of the entries, or NULL */
    struct select_sleep sleep;
};

/* --- the client's sets -------------------------------------------------------------------------- */

_Static_assert(offsetof(fd_set, fd_count) == 0, "a set begins with its count");

/* The client may have compiled with any FD_SETSIZE: fd_count alone says how long the array is. */
static void *place_of(const fd_set *set, u_int index)
{
    return (void *)((uintptr_t)set + offsetof(fd_set, fd_array) + index * sizeof(SOCKET));
}

static int read_counts(struct selection *selection, u_int *total)
{
    for (unsigned i = 0; i < SETS; i++) {
        struct set *set = &selection->sets[i];

        if (set->client == NULL)
            continue;
        if (!guard_copy_from(&set->count, set->client, sizeof set->count))
            return WSAEFAULT;
        if (set->count > CONFIG_MAX_SOCKETS)
            return WSAEINVAL; /* they cannot all be sockets */
        *total += set->count;
    }
    return *total == 0 ? WSAEINVAL : 0;
}

static int read_entry(struct selection *selection, const struct set *set, u_int index)
{
    struct entry *entry = &set->entries[index];

    if (!guard_copy_from(&entry->s, place_of(set->client, index), sizeof entry->s))
        return WSAEFAULT;
    if (!socket_resolve(entry->s, &entry->reference))
        return WSAENOTSOCK;
    entry->ready = false;
    select_sleep_add(&selection->sleep, entry->reference.endpoint);
    return 0;
}

static int read_sets(struct selection *selection, struct entry *entries)
{
    int error = 0;

    for (unsigned i = 0; i < SETS; i++) {
        struct set *set = &selection->sets[i];

        set->entries = entries;
        entries += set->count;
        for (u_int at = 0; at < set->count && error == 0; at++)
            error = read_entry(selection, set, at);
    }
    return error;
}

/* The ready ones, in their order. */
static bool write_set(const struct set *set)
{
    u_int kept = 0;

    for (u_int at = 0; at < set->count; at++)
        if (set->entries[at].ready &&
            !guard_store64(place_of(set->client, kept++), set->entries[at].s))
            return false;
    return guard_store32(set->client, kept);
}

static int write_sets(const struct selection *selection)
{
    for (unsigned i = 0; i < SETS; i++)
        if (selection->sets[i].client != NULL && !write_set(&selection->sets[i]))
            return WSAEFAULT;
    return 0;
}

/* --- looking -------------------------------------------------------------------------------------- */

static bool is_ready(const struct socket_reference *reference, unsigned what)
{
    switch (what) {
    case SELECT_READ:
        return select_readable(reference->endpoint, reference->socket);
    case SELECT_WRITE:
        return select_writable(reference->endpoint, reference->socket);
    default:
        return false; /* datagrams have no urgent data, and connect at once */
    }
}

/* Under LOCK. */
static bool mark_and_look(const struct socket_reference *reference, unsigned what)
{
    reference->socket->awaited |= what;
    watch_settle(reference->endpoint, reference->socket);
    full_fence(); /* F2: WATCHED above before the tail below */
    return is_ready(reference, what);
}

static int look_at(struct selection *selection, struct entry *entry, unsigned what, bool mark)
{
    const struct socket_reference *reference = &entry->reference;
    struct completion_batch batch = {.count = 0};
    int error = socket_relock(reference);

    if (error != 0)
        return error;
    if (atomic_load_explicit(&reference->endpoint->state, memory_order_relaxed) ==
        ENDPOINT_NET_DOWN)
        error = WSAENETDOWN;
    else
        entry->ready = is_ready(reference, what) || (mark && mark_and_look(reference, what));
    selection->spin_us = RTE_MAX(selection->spin_us, reference->socket->spin_us);
    socket_release(reference->endpoint,
                   &batch); /* takes nothing, so there is no baton to pass on */
    selection->ready += entry->ready;
    return error;
}

static int look(struct selection *selection, bool mark)
{
    int error = 0;

    selection->ready = 0;
    for (unsigned i = 0; i < SETS; i++)
        for (u_int at = 0; at < selection->sets[i].count && error == 0; at++)
            error =
                look_at(selection, &selection->sets[i].entries[at], selection->sets[i].what, mark);
    return error;
}

/* --- waiting ---------------------------------------------------------------------------------------- */

static const WSAPROTOCOL_INFOW *protocol_of(const struct selection *selection)
{
    unsigned i = 0;

    while (selection->sets[i].count == 0)
        i++;
    return selection->sets[i].entries[0].reference.socket->protocol;
}

/* @return 0: there is something, or the time is over */
static int wait_until(struct selection *selection, uint64_t deadline, struct blocking_call *call)
{
    for (;;) {
        select_sleep_prepare(&selection->sleep);
        int error = look(selection, true);
        if (error != 0 || selection->ready != 0)
            return error;
        if (blocking_cancelled(call))
            return WSAEINTR; /* N01 */
        switch (select_sleep_wait(&selection->sleep, selection->spin_us, deadline, call)) {
        case BLOCKING_TIMED_OUT:
            return look(selection, false);
        case BLOCKING_FORKED:
            return WSAENOTSOCK;
        default:
            break;
        }
    }
}

/* @param deadline  0: look once */
static int look_until(struct selection *selection, uint64_t deadline)
{
    struct blocking_call call;
    int error;

    if (deadline != 0 && blocking_refused())
        return WSAEINPROGRESS; /* A20 */
    error = look(selection, false);
    if (error != 0 || selection->ready != 0 || deadline == 0)
        return error;
    error = blocking_begin(&call, protocol_of(selection));
    if (error != 0)
        return error;
    blocking_own(&call, selection->memory);
    error = wait_until(selection, deadline, &call);
    blocking_end(&call);
    return error;
}

static int read_timeout(const TIMEVAL *timeout, uint64_t *deadline)
{
    TIMEVAL limit;

    *deadline = WAKE_FOREVER;
    if (timeout == NULL)
        return 0;
    if (!guard_copy_from(&limit, timeout, sizeof limit))
        return WSAEFAULT;
    if (limit.tv_sec < 0 || limit.tv_usec < 0)
        return WSAEINVAL;
    *deadline = (uint64_t)limit.tv_sec * NS_PER_S + (uint64_t)limit.tv_usec * NS_PER_US;
    if (*deadline != 0)
        *deadline += wake_clock();
    return 0;
}

static int select_in(struct selection *selection, struct entry *entries, uint64_t deadline)
{
    int error = read_sets(selection, entries);

    if (error == 0)
        error = look_until(selection, deadline);
    return error == 0 ? write_sets(selection) : error;
}

/* @param ready  receives how many are ready. @return 0 or WSA error */
static int select_sockets(fd_set *const client[SETS], const TIMEVAL *timeout, u_int *ready)
{
    static const unsigned what[SETS] = {SELECT_READ, SELECT_WRITE, SELECT_EXCEPT};
    struct entry small[SMALL];
    struct entry *entries = small;
    struct selection selection = {.ready = 0};
    uint64_t deadline;
    u_int total = 0;

    for (unsigned i = 0; i < SETS; i++)
        selection.sets[i] = (struct set){.client = client[i], .what = what[i]};
    int error = read_counts(&selection, &total);
    if (error == 0)
        error = read_timeout(timeout, &deadline);
    if (error != 0)
        return error;
    if (total > SMALL)
        entries = selection.memory = malloc(total * sizeof *entries);
    if (entries == NULL)
        return WSAEFAULT; /* the page's code for want of memory */
    error = select_in(&selection, entries, deadline);
    *ready = selection.ready;
    free(selection.memory);
    return error;
}

int WSPAPI spi_select(int n, fd_set *readable, fd_set *writable, fd_set *exceptional,
                      const PTIMEVAL timeout, LPINT error_pointer)
{
    fd_set *const sets[SETS] = {readable, writable, exceptional};
    u_int ready = 0;
    int error = select_sockets(sets, timeout, &ready);

    (void)n; /* for Berkeley's sake */
    return error == 0 ? (int)ready : spi_fail(error_pointer, error);
}
