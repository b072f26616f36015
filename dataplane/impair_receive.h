/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_IMPAIR_RECEIVE_H
#define WIRERX_IMPAIR_RECEIVE_H

/**
 * @file
 * What an impaired port does to the frames that a queue receives: first what a bad network does, then, with
 * `delay`, a line in which all that is left waits its time. All of it on the queue's lcore.
 */

#include <stdbool.h>
#include <stdint.h>

#include "impair_dice.h"
#include "port.h"

/** A frame on its way. */
struct impair_late {
    struct rte_mbuf *mbuf;
    uint64_t due; /**< TSC: it arrives then */
};

struct impair_queue {
    struct impair_dice dice;
    struct {
        struct rte_mbuf *mbuf;
        unsigned passing; /**< frames that are still to pass it */
    } held[CONFIG_IMPAIR_HELD];
    unsigned held_count;
    struct impair_late *line; /**< CONFIG_IMPAIR_DELAYED places, a ring; NULL: nothing is delayed */
    unsigned line_first, line_count;
    uint64_t last_due;
} __rte_cache_aligned;

/**
 * Take a burst.
 * @param mbufs  room for PORT_BURST
 * @param down   the link is: what comes in is lost
 * @return how many frames arrive now
 */
uint16_t impair_receive(struct impair_queue *queue, const struct config_impair *settings,
                        const struct port_operations *behind, bool down, struct port *port,
                        uint16_t number, struct rte_mbuf **mbufs, struct lcore *lcore,
                        uint64_t now);

/** Frames that wait. */
static inline unsigned impair_waiting(const struct impair_queue *queue)
{
    return queue->held_count + queue->line_count;
}

/** Free what waits, and the line. While no lcore runs. */
void impair_receive_end(struct impair_queue *queue);

#endif
