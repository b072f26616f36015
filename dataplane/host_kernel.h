/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_HOST_KERNEL_H
#define WIRERX_HOST_KERNEL_H

/**
 * @file
 * A port's way to the kernel (the options `kernel`, `kernel-rules` and `kernel-rate`), on the port's keeper:
 * which frames go there, how many, and what comes from there for the network. The interface and the thread
 * that reads and writes it are tap.h's.
 *
 * To the kernel goes what no socket takes and a rule names: it has the fate `to_kernel`, or that it was
 * too much. Our own protocols come before rules with two exceptions. ICMP that a rule names is the kernel's
 * to answer, unless it is news for a socket here. And of ARP, and of IGMP if a rule names it, which both
 * need, the kernel is given copies: ARP but for requests for addresses that this port answers itself. A
 * copy is no frame of the balance and is counted as what it is. What came by another host's MAC is nobody's.
 *
 * Of the way to the kernel:    to_kernel + kernel.copies = kernel.received + lost.kernel_refused +
 * lost.kernel_stopped, once nothing is on the way. From it: kernel.sent = those of `out` that came from
 * there + lost.kernel_too_long.
 *
 * From the kernel comes no more than there are empty buffers at the interface, and these are given at its
 * rate: what is more waits in the kernel's own queue, as on a slow device.
 */

#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

#include "counters.h"
#include "rate.h"

struct host_port;
struct port;
struct tap;

struct host_kernel {
    struct tap *tap; /**< NULL: the port has none */
    unsigned
        buffers_down; /**< on the way to the kernel and not back: at most CONFIG_KERNEL_BUFFERS */
    unsigned
        empties_down; /**< at the interface, or filled and not back: at most CONFIG_KERNEL_EMPTIES */
    struct rate to, from;
    unsigned segments;  /**< of an empty */
    uint64_t interval;  /**< between two looks at what has come up, in ticks */
    uint64_t next_look; /**< when the next is due */
    uint32_t tell;      /**< enum tap_want: what this pass has put in the ring */
    bool held_back;     /**< the rate has left the interface without an empty */
};

/** On the service thread, before the lcore runs. */
void host_kernel_create(struct host_port *kept);

/** What is on the way, either way, is lost and counted; its buffers are freed. On the service thread, when
 *  neither lcores nor the interfaces' thread run. */
void host_kernel_destroy(struct host_port *kept);

/** Is this frame, which nobody else takes, or which ARP or IGMP have seen, also for the kernel? On any
 *  lcore. */
bool host_kernel_wants(const struct port *port, const struct rte_mbuf *mbuf);

/** Give it a frame that it wants. @return its fate; of DROP_KERNEL_*, it is the caller's to free */
enum counter host_kernel_give(struct host_port *kept, struct rte_mbuf *mbuf, uint64_t now);

/** ... or a copy. */
void host_kernel_copy(struct host_port *kept, const struct rte_mbuf *mbuf, uint64_t now);

void host_kernel_run(struct host_port *kept, uint64_t now);

/** When host_kernel_run() has something to do; UINT64_MAX: never. */
uint64_t host_kernel_due(const struct host_port *kept);

#endif
