/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_PORT_H
#define WIRERX_PORT_H

/**
 * @file
 * A port: a device under configuration. It is reached through a small table of functions, so that
 * other sources can stand in front of the device: rte_eth is the ordinary row, replay (replay.h)
 * holds frames of a capture back, impair (impair.h) is a bad device on purpose.
 */

#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

#include "classify.h"
#include "config.h"
#include "multicast_filter.h"
#include "port_clock.h"

struct lcore;
struct port;
struct impair;
struct replay;
struct tap;

/** Frames taken per look at a queue. */
#define PORT_BURST 32u

/** What a port counts beside the lcores: the device's own figures, in frames. */
struct port_statistics {
    uint64_t frames;    /**< received by the device and given to us */
    uint64_t missed;    /**< lost by the device: no descriptor was free */
    uint64_t errors;    /**< bad on the wire */
    uint64_t no_buffer; /**< lost: the pool was empty */
};

/** What a port's link is doing. */
struct port_link {
    bool up;
    uint32_t megabits; /**< a second; 0: not known */
};

/**
 * How a port is reached. `burst` and `transmit` are called by an lcore, the others under the control lock.
 * Nothing but these rows calls rte_eth_* for what they do, so that another row can stand before one.
 */
struct port_operations {
    const char *name;
    /** Take up to `max` frames from a queue. Only on the queue's lcore; never blocks. */
    uint16_t (*burst)(struct port *port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t max,
                      struct lcore *lcore, uint64_t now);
    int (*statistics)(struct port *port, struct port_statistics *statistics);
    /** Put frames on a transmit queue. Only on the port's keeper (host.h); never blocks.
     *  @return how many, the first of them: they are the driver's now */
    uint16_t (*transmit)(struct port *port, uint16_t queue, struct rte_mbuf **mbufs,
                         uint16_t count);
    /** @return 0, or -errno: the device does not tell */
    int (*link)(struct port *port, struct port_link *link);
    /** Let frames to these groups' addresses through, and to no other group: they replace those of the
     *  last call. @return 0, or -errno: refused, or too many; what is let through then is not known */
    int (*multicast)(struct port *port, struct rte_ether_addr *list, uint32_t count);
    /** Let frames to all groups through, or no more. @return 0, or -errno: refused */
    int (*all_multicast)(struct port *port, bool on);
    /** Read the clock that the device's receive times are of, in its ticks (port_clock.h). @return 0, or
     *  -errno: the device does not tell; -ENOTSUP: perhaps in the other way (port_clock.timesync) */
    int (*clock)(struct port *port, uint64_t *ticks);
};

/** The ordinary row: rte_eth_*. */
extern const struct port_operations port_rte_eth;

struct port {
    const struct port_operations *operations;
    const struct config_port *config;
    uint16_t index; /**< in the configuration */
    uint16_t id;    /**< DPDK's port id */
    uint16_t queues;
    unsigned mtu;     /**< at the start: the configuration's, or that of the kernel's interface */
    int kernel_index; /**< of the kernel's interface, for a port with `address: from-kernel` */
    int numa_node;    /**< -1: the device has none */
    bool started;
    bool probed_by_us;
    bool transmits; /**< frames may be put on its network (the option `transmit`) */
    struct rte_ether_addr mac;
    uint64_t transmit_offloads;        /**< RTE_ETH_TX_OFFLOAD_*: what the device does for us */
    struct lcore *keeper;              /**< polls queue 0, and alone transmits (host.h) */
    struct multicast_filter multicast; /**< what the device lets through; under the control lock */
    struct classify_rules rules;
    struct rte_mempool *pool;
    unsigned buffers_taken;  /**< by the driver, for its queues, as the device started */
    unsigned buffers_kept;   /**< by the driver, for good, though the device is closed */
    struct replay *replay;   /**< NULL: live */
    struct impair *impair;   /**< NULL: not impaired */
    struct tap *tap;         /**< the way to the kernel (host_kernel.h); NULL: none */
    struct port_clock clock; /**< of the times in its frames */
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
