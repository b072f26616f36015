/* SPDX-License-Identifier: BSD-3-Clause */
#include "receiver.h"

#include <stdlib.h>
#include <string.h>

#include "tsc.h"

/** Modes keep their buffers off the stack, so that a thousand blocking threads stay small. */
#define STACK_BYTES ((size_t)256 * 1024)

struct receiver *receivers_create(struct reception *shared, const SOCKET *sockets,
                                  unsigned socket_count, unsigned *count)
{
    unsigned threads = shared->mode->thread_per_socket ? socket_count : socket_count > 0;
    struct receiver *receivers =
        aligned_alloc(_Alignof(struct receiver), (threads + 1) * sizeof *receivers);

    *count = 0;
    if (receivers == NULL)
        return NULL;
    memset(receivers, 0, (threads + 1) * sizeof *receivers);
    for (unsigned i = 0; i < threads; i++) {
        receivers[i].shared = shared;
        receivers[i].sockets = sockets + i;
        receivers[i].socket_count = shared->mode->thread_per_socket ? 1 : socket_count;
        if (shared->measure) {
            receivers[i].latency = calloc(1, sizeof *receivers[i].latency);
            if (receivers[i].latency == NULL) {
                receivers_free(receivers, threads);
                return NULL;
            }
        }
        if (shared->generated) {
            receivers[i].numbering = calloc(1, sizeof *receivers[i].numbering);
            if (receivers[i].numbering == NULL) {
                receivers_free(receivers, threads);
                return NULL;
            }
        }
    }
    *count = threads;
    return receivers;
}

static void *run(void *argument)
{
    struct receiver *receiver = argument;

    receiver->shared->mode->run(receiver);
    return NULL;
}

int receivers_start(struct receiver *receivers, unsigned count, struct command_error *error)
{
    pthread_attr_t attributes;
    int code = pthread_attr_init(&attributes);

    if (code == 0)
        code = pthread_attr_setstacksize(&attributes, STACK_BYTES);
    for (unsigned i = 0; i < count && code == 0; i++) {
        code = pthread_create(&receivers[i].thread, &attributes, run, &receivers[i]);
        receivers[i].started = code == 0;
    }
    pthread_attr_destroy(&attributes);
    return code == 0 ? 0 : command_error(error, "receiving threads: %s", strerror(code));
}

void receivers_join(struct receiver *receivers, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (receivers[i].started)
            pthread_join(receivers[i].thread, NULL);
        receivers[i].started = false;
    }
}

void receivers_free(struct receiver *receivers, unsigned count)
{
    if (receivers == NULL)
        return;
    for (unsigned i = 0; i < count; i++) {
        free(receivers[i].latency);
        free(receivers[i].numbering);
    }
    free(receivers);
}

/** Claim one of the datagrams that --count leaves. @return false: there is none */
static bool claim(struct reception *shared)
{
    int64_t before = atomic_fetch_sub_explicit(&shared->remaining, 1, memory_order_relaxed);

    if (before <= 1)
        atomic_store_explicit(&shared->enough, true, memory_order_relaxed);
    return before >= 1;
}

static inline void add(_Atomic uint64_t *mine, uint64_t n)
{
    uint64_t now = atomic_load_explicit(mine, memory_order_relaxed) + n;

    atomic_store_explicit(mine, now, memory_order_release); /* the supervisor may then read more */
}

bool receiver_take(struct receiver *receiver, const void *payload, uint32_t bytes,
                   uint64_t burst_tsc)
{
    struct reception *shared = receiver->shared;
    uint64_t now = tsc_now();

    if (shared->limited && !claim(shared))
        return false;
    if (receiver->numbering != NULL &&
        !numbering_take(receiver->numbering, payload, bytes, &burst_tsc))
        burst_tsc = 0;
    if (receiver->latency != NULL && burst_tsc != 0)
        latency_record(receiver->latency, now > burst_tsc ? now - burst_tsc : 0);
    if (shared->times != NULL) { /* both files in one order */
        pthread_mutex_lock(&shared->times->lock);
        if (shared->output != NULL)
            output_write(shared->output, payload, bytes);
        times_write_last(shared->times);
        pthread_mutex_unlock(&shared->times->lock);
    } else if (shared->output != NULL) {
        output_write(shared->output, payload, bytes);
    }

    if (atomic_load_explicit(&receiver->first_tsc, memory_order_relaxed) == 0)
        atomic_store_explicit(&receiver->first_tsc, now, memory_order_relaxed);
    atomic_store_explicit(&receiver->last_tsc, now, memory_order_relaxed);
    add(&receiver->bytes, bytes);
    add(&receiver->datagrams, 1);
    return true;
}

void receiver_failed(struct receiver *receiver, const char *call, int winsock_error)
{
    struct reception *shared = receiver->shared;

    if (receiver_stopping(receiver) &&
        (winsock_error == WSAENETDOWN || winsock_error == WSA_OPERATION_ABORTED))
        return;
    pthread_mutex_lock(&shared->failure_lock);
    if (!atomic_load_explicit(&shared->failed, memory_order_relaxed)) {
        if (winsock_error == WSAENETDOWN)
            command_error(&shared->failure, "%s: the dataplane has gone away (WSAENETDOWN)", call);
        else
            command_error(&shared->failure, "%s failed with Winsock error %d", call, winsock_error);
        atomic_store_explicit(&shared->failed, true, memory_order_release);
    }
    pthread_mutex_unlock(&shared->failure_lock);
}
