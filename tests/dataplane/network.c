/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "support/suite.h"

#include "network.h"

#include <rte_mbuf.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "port.h"
#include "state.h"
#include "support/wire.h"

#define CAPACITY 4096u

static struct {
    uint8_t *bytes[CAPACITY];
    size_t length[CAPACITY];
    uint64_t offloads[CAPACITY];
    unsigned port[CAPACITY];
    unsigned first, end;
    unsigned room;
    struct port_operations operations;
    struct network_frame taken;
} network;

static uint16_t capture(struct port *port, uint16_t queue, struct rte_mbuf **mbufs, uint16_t count)
{
    uint16_t taken = 0;

    CHECK_EQ_U64(queue, 0);
    for (; taken < count && network.room != 0; taken++, network.room--) {
        struct rte_mbuf *mbuf = mbufs[taken];
        unsigned at = network.end++;

        CHECK(at < CAPACITY);
        network.port[at] = port->index;
        network.length[at] = rte_pktmbuf_pkt_len(mbuf);
        network.offloads[at] = mbuf->ol_flags & (RTE_MBUF_F_TX_OFFLOAD_MASK);
        network.bytes[at] = malloc(network.length[at]);
        CHECK(network.bytes[at] != NULL);
        const void *bytes =
            rte_pktmbuf_read(mbuf, 0, (uint32_t)network.length[at], network.bytes[at]);
        CHECK(bytes != NULL);
        if (bytes != network.bytes[at])
            memcpy(network.bytes[at], bytes, network.length[at]);
        rte_pktmbuf_free(mbuf);
    }
    return taken;
}

/* Our addresses, as if they had been probed for and announced: see network_start(). */
static void claimed(struct lcore *lcore, struct arp_claims *claims)
{
    (void)lcore;
    for (unsigned i = 0; i < claims->count; i++)
        claims->claims[i] = (struct arp_claim){
            .address = claims->claims[i].address,
            .probes = ARP_CLAIM_PROBES,
            .announcements = ARP_CLAIM_ANNOUNCEMENTS,
            .announced = true,
            .due = UINT64_MAX,
        };
}

static void for_claims(void (*see_to)(struct lcore *lcore, struct arp_claims *claims))
{
    for (unsigned i = 0; i < dataplane.lcores_count; i++)
        for (unsigned p = 0; dataplane.lcores[i].host != NULL && p < CONFIG_MAX_PORTS; p++) {
            struct host_port *kept = dataplane.lcores[i].host->ports[p];

            if (kept != NULL)
                see_to(&dataplane.lcores[i], &kept->arp.claims);
        }
}

void network_start(struct config *config, const struct endpoint_operations *operations)
{
    for (unsigned i = 0; i < config->ports_count; i++)
        if (config->ports[i].transmit == CONFIG_TRANSMIT_AUTO)
            config->ports[i].transmit = CONFIG_TRANSMIT_ON;
    config->buffers = RTE_MAX(config->buffers, config_buffers_needed(config));
    wire_start(config, operations, true);
    network.room = UINT32_MAX;
    network.operations = port_rte_eth;
    network.operations.transmit = capture;
    for (unsigned i = 0; i < config->ports_count; i++)
        dataplane.ports[i].operations = &network.operations;
    for_claims(claimed);
}

static void claim(struct lcore *lcore, struct arp_claims *claims)
{
    arp_claims_begin(claims, dataplane_tsc());
    host_wake_at(lcore, arp_claims_due(claims));
}

void network_claim(void)
{
    for_claims(claim);
}

void network_room(unsigned frames)
{
    network.room = frames;
}

const struct network_frame *network_take(void)
{
    struct network_frame *taken = &network.taken;

    if (network.first == network.end)
        return NULL;
    taken->port = network.port[network.first];
    taken->length = network.length[network.first];
    taken->offloads = network.offloads[network.first];
    CHECK(taken->length <= sizeof taken->bytes);
    memcpy(taken->bytes, network.bytes[network.first], taken->length);
    free(network.bytes[network.first++]);
    return taken;
}

unsigned network_forget(void)
{
    unsigned count = 0;

    while (network_take() != NULL)
        count++;
    return count;
}

void network_check_balance(void)
{
    static const char *const ends[] = {"sent.frames",           "lost.transmit_full",
                                       "lost.transmit_shape",   "lost.unresolved",
                                       "lost.transmit_stopped", "lost.transmit_no_buffer"};
    uint64_t sum = 0;

    for (unsigned i = 0; i < sizeof ends / sizeof ends[0]; i++)
        sum += wire_counter(ends[i]);
    CHECK_EQ_U64(sum, wire_counter("out"));
}
