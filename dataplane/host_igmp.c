/* SPDX-License-Identifier: BSD-3-Clause */
#include "host_igmp.h"

#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_ether.h>
#include <rte_malloc.h>
#include <rte_random.h>
#include <string.h>

#include "ethernet.h"
#include "host.h"
#include "igmp.h"
#include "lcore.h"

static void emit(void *context, const uint8_t *packet, size_t length)
{
    struct host_port *kept = context;
    uint32_t group = rte_be_to_cpu_32(igmp_destination(packet));
    uint8_t frame[RTE_ETHER_HDR_LEN + IGMP_MOST_BYTES];
    struct rte_ether_hdr ethernet = {
        .dst_addr = ethernet_group(group),
        .src_addr = kept->port->mac,
        .ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4),
    };

    memcpy(frame, &ethernet, sizeof ethernet);
    memcpy(frame + sizeof ethernet, packet, length);
    host_transmit_bytes(kept, frame, sizeof ethernet + length);
}

enum counter host_igmp_take(struct host_port *kept, const struct rte_mbuf *mbuf, uint64_t now)
{
    uint8_t gathered[IGMP_MOST_BYTES];
    uint32_t at = ethernet_packet(mbuf, RTE_ETHER_TYPE_IPV4);
    uint32_t length = RTE_MIN(rte_pktmbuf_pkt_len(mbuf) - at, IGMP_MOST_BYTES);
    const uint8_t *packet = rte_pktmbuf_read(mbuf, at, length, gathered);
    if (packet == NULL || !igmp_take(kept->igmp.core, packet, length, now))
        return COUNTER_DROP_IGMP;
    return COUNTER_CONSUMED_IGMP;
}

int host_igmp_set(struct lcore *lcore, unsigned port, uint32_t group,
                  const struct source_filter *filter)
{
    struct host_port *kept = lcore->host->ports[port];

    if (kept == NULL)
        return 0;
    int result = igmp_set(kept->igmp.core, group, filter, lcore->now);
    host_wake_at(lcore, host_igmp_due(kept));
    return result;
}

void host_igmp_run(struct host_port *kept, uint64_t now)
{
    if (igmp_due(kept->igmp.core) <= now)
        igmp_run(kept->igmp.core, now);
}

uint64_t host_igmp_due(const struct host_port *kept)
{
    return igmp_due(kept->igmp.core);
}

/* @return how many */
static unsigned list_addresses(const struct host_port *kept, uint32_t addresses[IGMP_ADDRESSES])
{
    const struct port_addressing *own = &kept->lcore->addressing.ports[kept->port->index];
    unsigned count = RTE_MIN(own->addresses_count, IGMP_ADDRESSES);

    for (unsigned i = 0; i < count; i++)
        addresses[i] = rte_cpu_to_be_32(own->addresses[i].address);
    return count;
}

void host_igmp_changed(struct host_port *kept)
{
    uint32_t addresses[IGMP_ADDRESSES];
    unsigned count = list_addresses(kept, addresses);

    igmp_set_interface(kept->igmp.core,
                       (uint16_t)kept->lcore->addressing.ports[kept->port->index].mtu, addresses,
                       count);
}

void host_igmp_link_up(struct host_port *kept, uint64_t now)
{
    igmp_report_again(kept->igmp.core, now);
}

int host_igmp_create(struct host_port *kept)
{
    uint32_t addresses[IGMP_ADDRESSES];
    unsigned count = list_addresses(kept, addresses);
    void *memory = rte_malloc_socket("igmp", igmp_bytes(HOST_IGMP_GROUPS, HOST_IGMP_SOURCES),
                                     RTE_CACHE_LINE_SIZE, kept->lcore->numa_node);

    if (memory == NULL)
        return -1;
    kept->igmp.core = igmp_create(memory, &(struct igmp_settings){
                                              .groups = HOST_IGMP_GROUPS,
                                              .sources = HOST_IGMP_SOURCES,
                                              .mtu = (uint16_t)kept->port->mtu,
                                              .ticks_per_second = rte_get_tsc_hz(),
                                              .seed = rte_rand(),
                                              .addresses = addresses,
                                              .addresses_count = count,
                                              .emit = emit,
                                              .context = kept,
                                          });
    return 0;
}

void host_igmp_end(struct host_port *kept)
{
    igmp_leave_all(kept->igmp.core, rte_rdtsc());
}

void host_igmp_destroy(struct host_port *kept)
{
    rte_free(kept->igmp.core);
    kept->igmp.core = NULL;
}
