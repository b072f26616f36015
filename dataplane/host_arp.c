/* SPDX-License-Identifier: BSD-3-Clause */
#include "host_arp.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_malloc.h>
#include <rte_random.h>
#include <string.h>

#include "ethernet.h"
#include "host.h"
#include "host_send.h"
#include "lcore.h"
#include "log.h"

#define MAC_BITS 48

static void count(const struct host_port *kept, enum counter counter)
{
    counter_add(&kept->lcore->own_counters, counter, 1);
}

/* --- what the cores call ------------------------------------------------------------------------ */

static void emit(void *context, const uint8_t *frame)
{
    host_transmit_bytes(context, frame, ARP_FRAME_BYTES);
}

static void resolved(void *context, void *packet, const struct rte_ether_addr *mac)
{
    host_send_addressed(context, packet, mac);
}

static void lost(void *context, void *packet)
{
    const struct host_port *kept = context;

    count(kept, kept->arp.stopping ? COUNTER_LOST_TRANSMIT_STOPPED : COUNTER_LOST_UNRESOLVED);
    rte_pktmbuf_free(packet);
}

static void note(void *context, enum arp_event event)
{
    static const enum counter counters[] = {
        [ARP_ASKED] = COUNTER_ARP_ASKED,         [ARP_ANSWERED] = COUNTER_ARP_ANSWERED,
        [ARP_OVER_RATE] = COUNTER_ARP_OVER_RATE, [ARP_UNANSWERED] = COUNTER_ARP_UNANSWERED,
        [ARP_REPLACED] = COUNTER_ARP_REPLACED,
    };

    count(context, counters[event]);
}

static void conflict(void *context, uint32_t address, const struct rte_ether_addr *mac)
{
    struct host_port *kept = context;
    uint64_t told = 0;

    count(kept, COUNTER_ARP_CONFLICTS);
    for (unsigned i = 0; i < sizeof mac->addr_bytes; i++)
        told = told << 8 | mac->addr_bytes[i];
    if (atomic_load_explicit(&kept->arp.conflict, memory_order_relaxed) != 0)
        return;
    atomic_store_explicit(&kept->arp.conflict_address, address, memory_order_relaxed);
    atomic_store_explicit(&kept->arp.conflict, told | UINT64_C(1) << MAC_BITS,
                          memory_order_release);
    kept->lcore->service_called = true;
}

void host_arp_tell(struct lcore *lcore)
{
    for (unsigned i = 0; lcore->host != NULL && i < CONFIG_MAX_PORTS; i++) {
        struct host_port *kept = lcore->host->ports[i];

        if (kept == NULL || atomic_load_explicit(&kept->arp.conflict, memory_order_relaxed) == 0)
            continue;
        uint64_t told = atomic_load_explicit(&kept->arp.conflict, memory_order_acquire);
        uint32_t claimed = atomic_load_explicit(&kept->arp.conflict_address, memory_order_relaxed);
        char address[INET_ADDRSTRLEN] = "";

        atomic_store_explicit(&kept->arp.conflict, 0, memory_order_release);
        inet_ntop(AF_INET, &claimed, address, sizeof address);
        log_line("ports[%u]: %s is claimed by another host, too, whose MAC is "
                 "%02x:%02x:%02x:%02x:%02x:%02x; give one of them another address",
                 i, address, (unsigned)(told >> 40) & 0xff, (unsigned)(told >> 32) & 0xff,
                 (unsigned)(told >> 24) & 0xff, (unsigned)(told >> 16) & 0xff,
                 (unsigned)(told >> 8) & 0xff, (unsigned)told & 0xff);
    }
}

/* --- packets and time ----------------------------------------------------------------------------- */

enum counter host_arp_take(struct host_port *kept, const struct rte_mbuf *mbuf, uint64_t now)
{
    uint8_t gathered[ARP_PACKET_BYTES];
    const uint8_t *bytes = rte_pktmbuf_read(mbuf, ethernet_packet(mbuf, RTE_ETHER_TYPE_ARP),
                                            ARP_PACKET_BYTES, gathered);
    struct arp_packet packet;

    if (bytes == NULL || !arp_packet_read(bytes, ARP_PACKET_BYTES, &packet))
        return COUNTER_DROP_ARP;
    arp_claims_hear(&kept->arp.claims, &packet, now);
    return arp_receive(kept->arp.table, &packet, now) ? COUNTER_CONSUMED_ARP : COUNTER_DROP_ARP;
}

void host_arp_run(struct host_port *kept, uint64_t now)
{
    arp_claims_run(&kept->arp.claims, now);
    arp_run(kept->arp.table, now);
}

uint64_t host_arp_due(const struct host_port *kept)
{
    return RTE_MIN(arp_claims_due(&kept->arp.claims), arp_due(kept->arp.table));
}

/* --- beginning and end -------------------------------------------------------------------------- */

/* The table is empty and larger than the list, in which none is twice. */
static void add_static(struct host_port *kept)
{
    const struct config_port *config = kept->port->config;

    for (unsigned i = 0; i < config->neighbours_count; i++) {
        struct rte_ether_addr mac;

        memcpy(&mac, config->neighbours[i].mac, sizeof mac);
        arp_add_static(kept->arp.table, rte_cpu_to_be_32(config->neighbours[i].address), &mac);
    }
}

_Static_assert(CONFIG_MAX_NEIGHBOURS <= ARP_PLACES / 2,
               "there is room for those that are asked for");

static void list_ours(struct host_port *kept, struct arp_claim *claims)
{
    const struct port_addressing *own = &kept->lcore->addressing.ports[kept->port->index];

    for (unsigned i = 0; i < own->addresses_count; i++) {
        kept->arp.ours[i].address = rte_cpu_to_be_32(own->addresses[i].address);
        kept->arp.ours[i].mask = rte_cpu_to_be_32(~config_host_mask(&own->addresses[i]));
        claims[i].address = kept->arp.ours[i].address;
    }
    kept->arp.ours_count = own->addresses_count;
}

void host_arp_changed(struct host_port *kept, uint64_t now)
{
    struct arp_claim next[CONFIG_MAX_ADDRESSES];

    list_ours(kept, next);
    arp_set_ours(kept->arp.table, &kept->port->mac, kept->arp.ours, kept->arp.ours_count);
    arp_claims_change(&kept->arp.claims, &kept->port->mac, next, kept->arp.ours_count, now);
}

void host_arp_link_up(struct host_port *kept, uint64_t now)
{
    arp_claims_again(&kept->arp.claims, now);
}

int host_arp_create(struct host_port *kept)
{
    struct host_arp *arp = &kept->arp;
    void *memory =
        rte_malloc_socket("arp", arp_size(ARP_PLACES), RTE_CACHE_LINE_SIZE, kept->lcore->numa_node);

    if (memory == NULL)
        return -1;
    list_ours(kept, arp->ours_claimed);
    arp->table = arp_create(memory, &(struct arp_settings){
                                        .hz = rte_get_tsc_hz(),
                                        .mac = kept->port->mac,
                                        .addresses = arp->ours,
                                        .addresses_count = arp->ours_count,
                                        .places = ARP_PLACES,
                                        .seed = (uint32_t)rte_rand(),
                                        .calls = {.context = kept,
                                                  .emit = emit,
                                                  .resolved = resolved,
                                                  .lost = lost,
                                                  .event = note},
                                    });
    add_static(kept);
    arp->claims = (struct arp_claims){
        .hz = rte_get_tsc_hz(),
        .mac = kept->port->mac,
        .claims = arp->ours_claimed,
        .count = arp->ours_count,
        .random = rte_rand(),
        .probed = kept->port->config->address == CONFIG_ADDRESS_FROM_KERNEL,
        .calls = {.context = kept, .emit = emit, .conflict = conflict},
    };
    arp_claims_begin(&arp->claims, rte_rdtsc());
    return 0;
}

void host_arp_destroy(struct host_port *kept)
{
    if (kept->arp.table == NULL)
        return;
    kept->arp.stopping = true;
    arp_discard(kept->arp.table);
    rte_free(kept->arp.table);
    kept->arp.table = NULL;
}
