/* SPDX-License-Identifier: BSD-3-Clause */

/* wirerx.h: start and stop, replay, counters. */

#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "pending_receive.h"
#include "wirerx/wirerx.h"

#define REPLAY_MAX_SOCKETS_DEFAULT 64u

static int start(const struct config *config, struct wirerx_error *error)
{
    struct config_error reason;
    int result = dataplane_start(config, &pending_operations, false, &reason);

    if (error != NULL)
        snprintf(error->text, sizeof error->text, "%s", result == 0 ? "" : reason.text);
    return wsa_error_of(result);
}

static int refuse(struct wirerx_error *error, const char *text)
{
    if (error != NULL)
        snprintf(error->text, sizeof error->text, "%s", text);
    return WSAEINVAL;
}

void wirerx_describe_configuration(FILE *out, int as_man_page)
{
    if (as_man_page)
        config_describe_man(out);
    else
        config_describe(out);
}

int wirerx_check(const char *path, struct wirerx_error *error)
{
    struct config_error reason;
    struct config config;

    if (path == NULL)
        return refuse(error, "no configuration file is named");
    if (config_load(path, &config, &reason) != 0)
        return refuse(error, reason.text);
    config_free(&config);
    if (error != NULL)
        error->text[0] = '\0';
    return 0;
}

int wirerx_start(const char *path, struct wirerx_error *error)
{
    struct config_error reason;
    struct config config;

    if (path == NULL)
        return refuse(error, "no configuration file is named");
    if (config_load(path, &config, &reason) != 0)
        return refuse(error, reason.text);
    int result = start(&config, error);
    config_free(&config);
    return result;
}

static unsigned last_usable_cpu(void)
{
    cpu_set_t set;
    unsigned last = 0;

    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof set, &set);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &set))
            last = cpu;
    return last;
}

int wirerx_start_replay(const struct wirerx_replay *replay, struct wirerx_error *error)
{
    static const enum config_pace paces[] = {
        [WIRERX_PACE_DRAINED] = CONFIG_PACE_DRAINED,
        [WIRERX_PACE_RECORDED] = CONFIG_PACE_RECORDED,
        [WIRERX_PACE_RATE] = CONFIG_PACE_RATE,
    };
    struct config config = config_default();
    struct config_port port = config_port_default();
    unsigned core =
        replay != NULL && replay->core >= 0 ? (unsigned)replay->core : last_usable_cpu();
    char device[512];

    if (replay == NULL || replay->path == NULL)
        return refuse(error, "no capture file is named");
    if ((unsigned)replay->pace > WIRERX_PACE_RATE)
        return refuse(error, "pace: neither drained, recorded nor a rate");
    if (strchr(replay->path, ',') != NULL)
        return refuse(error, "the capture's path contains a comma, which DPDK takes for the end of "
                             "it; rename or link the file");
    int length = snprintf(device, sizeof device, "vdev:net_pcap0,rx_pcap=%s", replay->path);
    if (length < 0 || (size_t)length >= sizeof device)
        return refuse(error, "the capture's path is too long");
    port.device = device;
    port.pace = paces[replay->pace];
    port.pace_rate = replay->pace == WIRERX_PACE_RATE ? replay->frames_per_second : 0;
    port.held = true;
    if (replay->ignore_udp_checksums)
        port.checksums = CONFIG_CHECKSUMS_IGNORE;
    config.cores = &core;
    config.cores_count = 1;
    config.ports = &port;
    config.ports_count = 1;
    config.sockets.maximum =
        replay->max_sockets != 0 ? replay->max_sockets : REPLAY_MAX_SOCKETS_DEFAULT;
    return start(&config, error);
}

int wirerx_stop(void)
{
    return wsa_error_of(dataplane_stop());
}

int wirerx_replay_go(void)
{
    return wsa_error_of(dataplane_replay_go());
}

int wirerx_replay_progress(struct wirerx_replay_progress *progress)
{
    struct dataplane_replay inner;

    if (progress == NULL)
        return WSAEFAULT;
    int error = wsa_error_of(dataplane_replay_progress(&inner));
    if (error != 0)
        return error;
    progress->frames_total = inner.total;
    progress->frames_released = inner.released;
    progress->drained = inner.drained;
    progress->stalled_on = INVALID_SOCKET;
    progress->stalled_ns = 0;
    if (inner.stalled_slot >= 0) {
        progress->stalled_on = socket_of(endpoint_at((uint32_t)inner.stalled_slot))->handle;
        progress->stalled_ns = inner.stalled_ns;
    }
    return 0;
}

int wirerx_counters(enum wirerx_scope scope, unsigned index, struct wirerx_counter *counters,
                    size_t capacity, size_t *count)
{
    static const enum dataplane_scope scopes[] = {
        [WIRERX_SCOPE_ALL] = DATAPLANE_SCOPE_ALL,
        [WIRERX_SCOPE_PORT] = DATAPLANE_SCOPE_PORT,
        [WIRERX_SCOPE_LCORE] = DATAPLANE_SCOPE_LCORE,
    };
    struct dataplane_report report;

    if (count == NULL || (counters == NULL && capacity != 0))
        return WSAEFAULT;
    if ((unsigned)scope > WIRERX_SCOPE_LCORE)
        return WSAEINVAL;
    int error = wsa_error_of(dataplane_report(scopes[scope], index, &report));
    if (error != 0)
        return error;
    for (size_t i = 0; i < report.count && i < capacity; i++)
        counters[i] =
            (struct wirerx_counter){report.rows[i].name, report.rows[i].help, report.rows[i].value};
    *count = report.count;
    return 0;
}

/* Under LOCK: no store that it is in can go. */
static uint32_t reserved_bytes(const struct endpoint *e)
{
    const struct socket_store *now = atomic_load_explicit(&e->store, memory_order_acquire);
    uint32_t bytes = (uint32_t)sizeof *e + e->own->bytes + e->send.capacity;

    if (now != e->own)
        bytes += now->bytes;
    if (e->from != now && e->from != e->own) /* the receiver has not moved yet */
        bytes += e->from->bytes;
    return bytes;
}

int wirerx_socket_counters(SOCKET s, struct wirerx_socket_counters *counters)
{
    struct completion_batch batch = {.count = 0};
    struct socket_reference reference;

    if (counters == NULL)
        return WSAEFAULT;
    int error = socket_lock(s, &reference);
    if (error != 0)
        return error;
    struct endpoint *e = reference.endpoint;
    *counters = (struct wirerx_socket_counters){
        .delivered = atomic_load_explicit(&e->lcore.delivered, memory_order_relaxed),
        .delivered_bytes = atomic_load_explicit(&e->lcore.delivered_bytes, memory_order_relaxed),
        .drop_ring_full = atomic_load_explicit(&e->lcore.lost_ring_full, memory_order_relaxed),
        .drop_pool_share = atomic_load_explicit(&e->lcore.lost_pool_share, memory_order_relaxed),
        .peer_filter = atomic_load_explicit(&e->lcore.not_from_peer, memory_order_relaxed) +
                       atomic_load_explicit(&e->peer_filtered, memory_order_relaxed),
        .received = atomic_load_explicit(&e->received, memory_order_relaxed),
        .truncated = atomic_load_explicit(&e->truncated, memory_order_relaxed),
        .faulted = atomic_load_explicit(&e->faulted, memory_order_relaxed),
        .discarded = atomic_load_explicit(&e->peer_filtered, memory_order_relaxed) +
                     atomic_load_explicit(&e->shut_discarded, memory_order_relaxed),
        .conditions = atomic_load_explicit(&e->conditions, memory_order_relaxed),
        .queued = endpoint_queued(e),
        .lent = reference.socket->loans.total,
        .lent_buffers = reference.socket->loans.buffers,
        .reserved_bytes = reserved_bytes(e),
    };
    uint64_t consumed = atomic_load_explicit(&e->bytes_consumed, memory_order_relaxed);
    if (counters->delivered_bytes > consumed)
        counters->queued_bytes = counters->delivered_bytes - consumed;
    socket_unlock(e, &batch);
    return 0;
}

uint64_t wirerx_tsc_hz(void)
{
    return dataplane_tsc_hz();
}

const char *wirerx_version(void)
{
    return WIRERX_VERSION;
}
