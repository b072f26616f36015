/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "support/suite.h"

#include "conditions.h"

#include <rte_mempool.h>

#include "offer.h"
#include "state.h"

void put_from(struct endpoint *e, uint32_t address, uint16_t port, enum rx_kind kind,
              const char *text)
{
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(rte_mempool_lookup("wirerx_pool_0"));
    struct lcore *home = &dataplane.lcores[atomic_load(&e->home)];
    uint32_t length = (uint32_t)strlen(text);

    CHECK(mbuf != NULL);
    CHECK(rte_pktmbuf_append(mbuf, (uint16_t)length) != NULL);
    memcpy(rte_pktmbuf_mtod(mbuf, char *), text, length);
    *rx_meta(mbuf) = (struct rx_meta){
        .source = address, .source_port = port, .payload_length = length, .kind = (uint8_t)kind};
    CHECK(!e->lcore.touched);
    offer_take(home, e, (uintptr_t)mbuf, length, 1);
    lcore_notify(home);
}

void put_condition(struct endpoint *e, enum rx_kind kind)
{
    put_from(e, 0, 0, kind, "");
}
