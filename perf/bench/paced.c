/* SPDX-License-Identifier: BSD-3-Clause */
#include "paced.h"

#include "dataplane/port.h"

/* Set while the source is silent, then the lcore's own. */
static struct {
    double ticks_per_frame;
    unsigned count;
    unsigned given;
    uint64_t begin; /* 0: with the first look */
} pace;

static uint16_t burst(struct port *port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t max,
                      struct lcore *lcore, uint64_t now)
{
    if (pace.given == pace.count || max == 0)
        return 0;
    if (pace.begin == 0)
        pace.begin = now;
    if ((double)(now - pace.begin) < (double)pace.given * pace.ticks_per_frame)
        return 0;
    uint16_t taken = port_rte_eth.burst(port, queue, mbufs, 1, lcore, now);
    pace.given += taken;
    return taken;
}

static int statistics(struct port *port, struct port_statistics *to)
{
    return port_rte_eth.statistics(port, to);
}

static const struct port_operations operations = {
    .name = "paced",
    .burst = burst,
    .statistics = statistics,
};

void paced_install(struct bed *bed, bool paced)
{
    bed->port->operations = paced ? &operations : &port_rte_eth;
}

void paced_prepare(const struct bed *bed, double rate, unsigned count)
{
    pace.ticks_per_frame = bed->ticks_per_second / rate;
    pace.count = count;
    pace.given = 0;
    pace.begin = 0;
}

unsigned paced_next_socket(struct bed *bed)
{
    struct port_statistics figures;

    if (port_rte_eth.statistics(bed->port, &figures) != 0)
        bed_fail("the device does not say how many frames it has given");
    return (unsigned)(figures.frames % bed->options->sockets);
}
