/* SPDX-License-Identifier: BSD-3-Clause */
#include "burst.h"

#include <rte_cycles.h>

#include "dataplane/port.h"

static struct {
    /* Written by who asks, before `asked`. */
    uint64_t due;
    unsigned skip;
    _Atomic uint64_t asked;

    /* The lcore's own, set up while the source is silent. */
    unsigned frames;
    unsigned discard; /* before the next frame is given */
    unsigned given;   /* of the burst that is on its way */
    uint64_t done;    /* bursts */
    _Atomic uint64_t began;
} bursts;

/* Take frames off the device for nobody. */
static void throw_away(struct port *port, uint16_t queue, unsigned count, struct lcore *lcore,
                       uint64_t now)
{
    struct rte_mbuf *mbufs[PORT_BURST];

    while (count != 0) {
        uint16_t wanted = (uint16_t)RTE_MIN(count, PORT_BURST);
        uint16_t taken = port_rte_eth.burst(port, queue, mbufs, wanted, lcore, now);

        rte_pktmbuf_free_bulk(mbufs, taken);
        count -= taken;
    }
}

static uint16_t burst(struct port *port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t max,
                      struct lcore *lcore, uint64_t now)
{
    /* Acquire: what is asked for was written before. */
    if (atomic_load_explicit(&bursts.asked, memory_order_acquire) == bursts.done)
        return 0;
    if (bursts.given == 0) {
        if (now < bursts.due)
            return 0;
        throw_away(port, queue, bursts.discard + bursts.skip, lcore, now);
        bursts.discard = 0;
        bursts.given = bursts.skip;
        atomic_store_explicit(&bursts.began, rte_rdtsc(), memory_order_relaxed);
    }
    unsigned wanted = RTE_MIN(max, bursts.frames - bursts.given);
    uint16_t taken = port_rte_eth.burst(port, queue, mbufs, (uint16_t)wanted, lcore, now);
    bursts.given += taken;
    if (bursts.given == bursts.frames) {
        bursts.given = 0;
        bursts.done++;
    }
    return taken;
}

static struct port_operations operations;

void burst_install(struct bed *bed, unsigned groups, unsigned first)
{
    struct port_statistics figures;

    if (port_rte_eth.statistics(bed->port, &figures) != 0)
        bed_fail("the device does not say how many frames it has given");
    bursts.frames = groups;
    bursts.discard = (groups + first - (unsigned)(figures.frames % groups)) % groups;
    bed->port->operations = bed_row_of(&operations, "burst", burst);
}

void burst_remove(struct bed *bed)
{
    bed->port->operations = &port_rte_eth;
}

void burst_ask(uint64_t due, unsigned skip)
{
    bursts.due = due;
    bursts.skip = skip;
    atomic_fetch_add_explicit(&bursts.asked, 1, memory_order_release);
}

uint64_t burst_began(void)
{
    return atomic_load_explicit(&bursts.began, memory_order_relaxed);
}
