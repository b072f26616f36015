/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CONFIG_SIZE_H
#define WIRERX_CONFIG_SIZE_H

/**
 * @file
 * The parts of config_buffers_needed() and config_memory_mb(), for the errors that explain them.
 */

#include "config.h"

/** Packet buffers that cannot be shared, by who holds them. */
struct config_needs {
    uint64_t queues;  /**< receive and transmit descriptors, and the ways to the kernel and back */
    uint64_t caches;  /**< mempool caches of lcores and of control */
    uint64_t sockets; /**< min_buffers of each */
    uint64_t total;
};

struct config_needs config_needs(const struct config *config);

/** MiB that the pool and the sockets' rings take, nothing spare. */
uint64_t config_memory_mb_used(const struct config *config);

/** MiB that config_memory_mb() computes. */
uint64_t config_memory_mb_computed(const struct config *config);

#endif
