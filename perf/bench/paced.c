/* SPDX-License-Identifier: BSD-3-Clause */
#include "paced.h"

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_udp.h>

#include "capture.h"
#include "dataplane/port.h"

/* Set while the source is silent, then the lcore's own. */
static struct {
    double ticks_per_frame;
    unsigned count;
    unsigned given;
    uint64_t begin; /* 0: with the first look */
    bool stamps;
    bool checksums;
} pace;

/* As RFC 1624 has it, with eqn. 3. */
static void update_checksum(struct rte_udp_hdr *udp, const uint16_t *before, const uint16_t *after)
{
    uint32_t sum = (uint16_t)~udp->dgram_cksum;

    for (unsigned i = 0; i < PACED_STAMP_BYTES / sizeof *before; i++)
        sum += (uint32_t)(uint16_t)~before[i] + after[i];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    udp->dgram_cksum = (uint16_t)~sum != 0 ? (uint16_t)~sum : 0xffff;
}

static void stamp(struct rte_mbuf *mbuf, uint64_t now)
{
    uint8_t *payload = rte_pktmbuf_mtod_offset(mbuf, uint8_t *, CAPTURE_HEADER_BYTES);
    uint16_t before[PACED_STAMP_BYTES / 2], after[PACED_STAMP_BYTES / 2];

    memcpy(before, payload, sizeof before);
    memcpy(after, &now, sizeof after);
    memcpy(payload, &now, sizeof now);
    if (pace.checksums)
        update_checksum((struct rte_udp_hdr *)(payload - sizeof(struct rte_udp_hdr)), before,
                        after);
}

static uint16_t burst(struct port *port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t max,
                      struct lcore *lcore, uint64_t now)
{
    if (pace.given == pace.count || max == 0)
        return 0;
    if (pace.begin == 0)
        pace.begin = now;
    double due = (double)(now - pace.begin) / pace.ticks_per_frame + 1;
    if (due < (double)pace.given + 1)
        return 0;
    unsigned owed = (unsigned)RTE_MIN(due, (double)pace.count) - pace.given;
    uint16_t taken =
        port_rte_eth.burst(port, queue, mbufs, (uint16_t)RTE_MIN(owed, (unsigned)max), lcore, now);
    pace.given += taken;
    if (pace.stamps) {
        now = rte_rdtsc();
        for (uint16_t i = 0; i < taken; i++)
            stamp(mbufs[i], now);
    }
    return taken;
}

static struct port_operations operations;

void paced_install(struct bed *bed, bool paced)
{
    bed->port->operations = paced ? bed_row_of(&operations, "paced", burst) : &port_rte_eth;
}

void paced_prepare(const struct bed *bed, double rate, unsigned count)
{
    pace.ticks_per_frame = bed->ticks_per_second / rate;
    pace.count = count;
    pace.given = 0;
    pace.begin = 0;
    pace.checksums = bed->options->verify_checksums;
}

void paced_set_stamps(bool stamps)
{
    pace.stamps = stamps;
}

unsigned paced_next_socket(struct bed *bed)
{
    struct port_statistics figures;

    if (port_rte_eth.statistics(bed->port, &figures) != 0)
        bed_fail("the device does not say how many frames it has given");
    return (unsigned)(figures.frames % bed->options->sockets);
}
