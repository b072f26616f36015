/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "support/suite.h"

#include "conditions.h"

#include <rte_mempool.h>

#include "lcore.h"
#include "state.h"

void put_condition(struct endpoint *e, enum rx_kind kind)
{
    struct rte_mbuf *mbuf = rte_pktmbuf_alloc(rte_mempool_lookup("wirerx_pool_0"));
    struct lcore *home = &dataplane.lcores[atomic_load(&e->home)];

    CHECK(mbuf != NULL);
    CHECK(!e->lcore.touched);
    *rx_meta(mbuf) = (struct rx_meta){.kind = kind};
    e->lcore.ring[e->lcore.tail++ & e->lcore.mask] = (struct ring_element){.mbuf = mbuf};
    e->lcore.buffers++;
    e->lcore.touched = true;
    e->lcore.touched_next = home->touched;
    home->touched = e;
    lcore_notify(home);
}
