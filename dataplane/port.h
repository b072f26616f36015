/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_PORT_H
#define WIRERX_PORT_H

/**
 * @file
 * A port: a device under configuration. It is reached through a small table of functions, so that
 * other sources can stand in front of the device: rte_eth is the ordinary row, replay (replay.h)
 * holds frames of a capture back, more follow.
 */

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

#include "classify.h"
#include "config.h"

struct lcore;
struct port;
struct replay;

/** Frames taken per look at a queue. */
#define PORT_BURST 32u

/** What a port counts beside the lcores: the device's own figures, in frames. */
struct port_statistics {
    uint64_t frames;    /**< received by the device and given to us */
    uint64_t missed;    /**< lost by the device: no descriptor was free */
    uint64_t errors;    /**< bad on the wire */
    uint64_t no_buffer; /**< lost: the pool was empty */
};

/** How a port is reached. All but `burst` are called by the service thread. */
struct port_operations {
    const char *name;
    /** Take up to `max` frames from a queue. Only on the queue's lcore; never blocks. */
    uint16_t (*burst)(struct port *port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t max,
                      struct lcore *lcore, uint64_t now);
    int (*statistics)(struct port *port, struct port_statistics *statistics);
};

/** The ordinary row: rte_eth_*. */
extern const struct port_operations port_rte_eth;

struct port {
    const struct port_operations *operations;
    const struct config_port *config;
    uint16_t index; /**< in the configuration */
    uint16_t id;    /**< DPDK's port id */
    uint16_t queues;
    int numa_node; /**< -1: the device has none */
    bool started;
    bool probed_by_us;
    struct classify_rules rules;
    struct rte_mempool *pool;
    unsigned buffers_taken; /**< by the driver, for its queues, as the device started */
    unsigned buffers_kept;  /**< by the driver, for good, though the device is closed */
    struct replay *replay;  /**< NULL: live */
};

/**
 * Probe, configure and start a device. Only on the service thread.
 * @return 0, or -1 with the reason in error; then the port is closed again
 */
int port_open(struct port *port, const struct config *config, unsigned index,
              struct config_error *error);

/** Stop and remove the device; harmless on a port that did not open. Sets buffers_kept. Only on the
 *  service thread, and while no lcore runs. */
void port_close(struct port *port);

#endif
