/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_GEN_DEVICE_H
#define WIRERX_GEN_DEVICE_H

/**
 * @file
 * DPDK's environment and the one or two ports that are sent on.
 */

#include <rte_mbuf.h>
#include <stdint.h>

#include "options.h"

struct gen_device {
    const char *text; /**< as on the command line */
    uint16_t port;
    bool counts;   /**< the device keeps figures of its own */
    uint64_t sent; /**< by its figures, after gen_device_close() */
    uint64_t errors;
};

struct gen_devices {
    struct gen_device rows[GEN_LINES];
    unsigned count;
    struct rte_mempool *pool;
};

/** Start everything. @return 0, or -1 after one line on standard error */
int gen_devices_open(struct gen_devices *devices, const struct gen_options *options);

/** The device of a line. */
static inline struct gen_device *gen_device_of(struct gen_devices *devices, unsigned line)
{
    return &devices->rows[line < devices->count ? line : 0];
}

/** Wait until the last frames are out, read the figures, stop. */
void gen_devices_close(struct gen_devices *devices, const struct gen_options *options);

#endif
