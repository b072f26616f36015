/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_size.h"

#include "config_device.h"
#include "config_impair.h"
#include "config_kernel.h"

#include <limits.h>

/* What the pool has to share beyond what is needed, when its size is computed. */
#define MIN_SHARED 16384u
#define MAX_SHARED 1048576u

#define MBUF_HEADER 128u
#define MEMPOOL_OBJECT_HEADER 64u
#define MEMPOOL_OBJECT_TRAILER 64u /* DPDK spreads objects over memory channels */
#define OBJECT_BYTES_BESIDE_ROOM                                                            \
    (MBUF_HEADER + CONFIG_BUFFER_PRIVATE + CONFIG_BUFFER_HEADROOM + MEMPOOL_OBJECT_HEADER + \
     MEMPOOL_OBJECT_TRAILER)
/* The mempool's own ring: a pointer each, rounded up to a power of two. */
#define OBJECT_POINTER_BYTES 16u

/* A slot of a socket's ring and one of the ring that takes its buffers home. */
#define SLOT_BYTES (16u + 16u)
#define SOCKET_BYTES 2048u

#define MIB (UINT64_C(1) << 20)
/* Queues, tables, command rings, and what EAL and drivers allocate for themselves. */
#define OTHER_BYTES (64 * MIB)

/* What cannot be known before the device is there counts as if it transmits: one that has no queue for it. */
static bool may_transmit(const struct config_port *port)
{
    struct config_device device;
    char reason[256];

    if (port->transmit != CONFIG_TRANSMIT_AUTO)
        return port->transmit == CONFIG_TRANSMIT_ON;
    return port->device == NULL ||
           config_device_parse(port->device, &device, reason, sizeof reason) != 0 ||
           config_device_has_network(device.name);
}

struct config_needs config_needs(const struct config *config)
{
    struct config_needs needs = {
        /* A mempool fills a cache to one and a half times its size. One more: control. */
        .caches = ((uint64_t)config->cores_count + 1) * (CONFIG_POOL_CACHE * 3 / 2),
        .sockets = (uint64_t)config->sockets.maximum * config->sockets.min_buffers,
    };

    for (unsigned i = 0; i < config->ports_count; i++) {
        const struct config_port *port = &config->ports[i];

        needs.queues += (uint64_t)port->queues * CONFIG_RX_DESCRIPTORS;
        /* A driver gives a buffer back when its descriptor is used again: once all were used, all are held. */
        if (may_transmit(port))
            needs.queues += CONFIG_TX_DESCRIPTORS;
        if (port->impair != NULL)
            needs.queues += (uint64_t)port->queues * config_impair_frames(port->impair);
        if (port->kernel != NULL)
            needs.queues +=
                CONFIG_KERNEL_BUFFERS +
                CONFIG_KERNEL_EMPTIES * config_kernel_segments(port->mtu, config->buffer_bytes);
    }
    needs.total = needs.queues + needs.caches + needs.sockets;
    return needs;
}

unsigned config_buffers_needed(const struct config *config)
{
    uint64_t total = config_needs(config).total;

    return total > UINT_MAX ? UINT_MAX : (unsigned)total;
}

unsigned config_buffers(const struct config *config)
{
    uint64_t needed = config_needs(config).total;
    uint64_t shared = needed;

    if (config->buffers != 0)
        return config->buffers;
    if (shared < MIN_SHARED)
        shared = MIN_SHARED;
    if (shared > MAX_SHARED)
        shared = MAX_SHARED;
    if (needed + shared > CONFIG_MAX_BUFFERS)
        return CONFIG_MAX_BUFFERS;
    return (unsigned)(needed + shared);
}

/* Plain pages hold one buffer behind the other, across their borders (pool.c). Huge ones do not, which
 * with pages of that size is next to nothing. */
static uint64_t buffer_bytes(const struct config *config)
{
    return OBJECT_BYTES_BESIDE_ROOM + config->buffer_bytes + OBJECT_POINTER_BYTES;
}

static uint64_t bytes_used(const struct config *config)
{
    uint64_t socket = (uint64_t)config->sockets.ring_slots * SLOT_BYTES + SOCKET_BYTES;

    return config_buffers(config) * buffer_bytes(config) + config->sockets.maximum * socket;
}

uint64_t config_memory_mb_used(const struct config *config)
{
    return (bytes_used(config) + MIB - 1) / MIB;
}

uint64_t config_memory_mb_computed(const struct config *config)
{
    uint64_t bytes = bytes_used(config) + OTHER_BYTES;

    return (bytes + bytes / 4 + MIB - 1) / MIB;
}

unsigned config_memory_mb(const struct config *config)
{
    if (config->memory_mb != 0)
        return config->memory_mb;
    return (unsigned)config_memory_mb_computed(config);
}
