/* SPDX-License-Identifier: BSD-3-Clause */
#include "floor.h"

#include <rte_memcpy.h>
#include <rte_pause.h>
#include <rte_ring.h>
#include <rte_udp.h>
#include <stdio.h>

#include "bed.h"
#include "capture.h"
#include "dataplane/lcore.h"
#include "side.h"

/** Buffers that the client keeps before it sends them home. */
#define RETURN_BATCH 64u

/** Frames prefetched ahead of the one that is copied. */
#define PREFETCH_AHEAD 4u

/* A step is given the lcore and nothing else, so they are found by its index. */
static struct floor {
    struct rte_mempool *pool;
    struct rte_ring *ring; /* to the client */
    struct rte_ring *home; /* and back */

    /* Written by the lcore. */
    _Atomic uint64_t delivered __rte_cache_aligned;
    _Atomic uint64_t dropped;

    /* The client's own. */
    unsigned returning_count __rte_cache_aligned;
    struct rte_mbuf *returning[RETURN_BATCH];
    uint8_t payload[CAPTURE_PAYLOAD_ROOM] __rte_cache_aligned;
} floors[BED_MAX_LANES];

int floor_create(unsigned lane, struct rte_mempool *pool, unsigned slots)
{
    unsigned flags = RING_F_SP_ENQ | RING_F_SC_DEQ | RING_F_EXACT_SZ;
    struct floor *bare = &floors[lane];
    char name[RTE_RING_NAMESIZE];

    bare->pool = pool;
    snprintf(name, sizeof name, "bench_floor_%u", lane);
    bare->ring = rte_ring_create(name, slots, SOCKET_ID_ANY, flags);
    snprintf(name, sizeof name, "bench_home_%u", lane);
    bare->home = rte_ring_create(name, slots + RETURN_BATCH, SOCKET_ID_ANY, flags);
    return bare->ring == NULL || bare->home == NULL ? -1 : 0;
}

void floor_destroy(void)
{
    for (unsigned lane = 0; lane < BED_MAX_LANES; lane++) {
        rte_ring_free(floors[lane].ring);
        rte_ring_free(floors[lane].home);
        floors[lane].ring = floors[lane].home = NULL;
    }
}

/* --- the lcore ----------------------------------------------------------------------------------- */

static void add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static inline bool take_home(struct floor *bare)
{
    struct rte_mbuf *home[RETURN_BATCH];
    unsigned count = rte_ring_sc_dequeue_burst(bare->home, (void **)home, RETURN_BATCH, NULL);

    if (count != 0)
        rte_mempool_put_bulk(bare->pool, (void **)home, count);
    return count != 0;
}

bool floor_take_home(struct lcore *lcore)
{
    return take_home(&floors[lcore->index]);
}

static inline bool step(struct lcore *lcore, uint64_t now, bool stamp)
{
    struct port *port = lcore->queues[0].port;
    struct floor *bare = &floors[lcore->index];
    struct rte_mbuf *mbufs[PORT_BURST];
    unsigned taken = port->operations->burst(port, 0, mbufs, PORT_BURST, lcore, now);

    if (taken != 0) {
        if (stamp) {
            now = rte_rdtsc();
            for (unsigned i = 0; i < taken; i++)
                rx_meta(mbufs[i])->burst_tsc = now;
        }
        unsigned sent = rte_ring_sp_enqueue_burst(bare->ring, (void **)mbufs, taken, NULL);
        add(&bare->delivered, sent);
        if (sent < taken) {
            add(&bare->dropped, taken - sent);
            rte_pktmbuf_free_bulk(mbufs + sent, taken - sent);
        }
    }
    return take_home(bare) || taken != 0;
}

static bool floor_step(struct lcore *lcore, uint64_t now)
{
    return step(lcore, now, false);
}

bool floor_stamping_step(struct lcore *lcore, uint64_t now)
{
    return step(lcore, now, true);
}

/* --- the client ---------------------------------------------------------------------------------- */

/* @return 0: so many are returning now */
static __rte_noinline unsigned flush(struct floor *bare, unsigned returning)
{
    unsigned sent = 0;

    while (sent < returning) /* never full for long: it has room for all of the ring */
        sent += rte_ring_sp_enqueue_burst(bare->home, (void **)bare->returning + sent,
                                          returning - sent, NULL);
    return 0;
}

static __rte_always_inline unsigned give_back(struct floor *bare, struct rte_mbuf *mbuf,
                                              unsigned returning)
{
    bare->returning[returning++] = mbuf;
    return returning == RETURN_BATCH ? flush(bare, returning) : returning;
}

/* @return how many are returning now; `returning` is how many were before */
static __rte_always_inline unsigned take(struct floor *bare, struct rte_mbuf *mbuf,
                                         unsigned returning)
{
    rte_memcpy(bare->payload, rte_pktmbuf_mtod_offset(mbuf, const void *, CAPTURE_HEADER_BYTES),
               rte_pktmbuf_data_len(mbuf) - CAPTURE_HEADER_BYTES);
    rte_compiler_barrier(); /* the copy is made, whoever looks at it */
    if (likely(rte_pktmbuf_prefree_seg(mbuf) != NULL))
        returning = give_back(bare, mbuf, returning);
    return returning;
}

/* Where a payload is in each frame of the source, and nobody but the client has one. */
static const uint8_t *told_payload(struct rte_mbuf *mbuf)
{
    return rx_plain_frame(mbuf) + CAPTURE_HEADER_BYTES;
}

/* take(), of a client that knows so much that it need not look at an mbuf: a line less between the two
 * processors. */
static __rte_always_inline unsigned take_told(struct floor *bare, struct rte_mbuf *mbuf,
                                              unsigned returning)
{
    const uint8_t *payload = told_payload(mbuf);
    const struct rte_udp_hdr *udp = (const void *)(payload - sizeof *udp);

    rte_memcpy(bare->payload, payload, rte_be_to_cpu_16(udp->dgram_len) - sizeof *udp);
    rte_compiler_barrier(); /* the copy is made, whoever looks at it */
    return give_back(bare, mbuf, returning);
}

static unsigned take_burst(struct floor *bare)
{
    struct rte_mbuf *mbufs[PORT_BURST];
    unsigned taken = rte_ring_sc_dequeue_burst(bare->ring, (void **)mbufs, PORT_BURST, NULL);
    unsigned returning = bare->returning_count;

    for (unsigned i = 0; i < RTE_MIN(taken, PREFETCH_AHEAD); i++)
        rte_prefetch0(rte_pktmbuf_mtod_offset(mbufs[i], void *, CAPTURE_HEADER_BYTES));
    for (unsigned i = 0; i < taken; i++) {
        if (i + PREFETCH_AHEAD < taken)
            rte_prefetch0(
                rte_pktmbuf_mtod_offset(mbufs[i + PREFETCH_AHEAD], void *, CAPTURE_HEADER_BYTES));
        returning = take(bare, mbufs[i], returning);
    }
    bare->returning_count = taken != 0 ? returning : flush(bare, returning);
    return taken;
}

static unsigned take_told_burst(struct floor *bare)
{
    struct rte_mbuf *mbufs[PORT_BURST];
    unsigned taken = rte_ring_sc_dequeue_burst(bare->ring, (void **)mbufs, PORT_BURST, NULL);
    unsigned returning = bare->returning_count;

    for (unsigned i = 0; i < RTE_MIN(taken, PREFETCH_AHEAD); i++)
        rte_prefetch0(told_payload(mbufs[i]));
    for (unsigned i = 0; i < taken; i++) {
        if (i + PREFETCH_AHEAD < taken)
            rte_prefetch0(told_payload(mbufs[i + PREFETCH_AHEAD]));
        returning = take_told(bare, mbufs[i], returning);
    }
    bare->returning_count = taken != 0 ? returning : flush(bare, returning);
    return taken;
}

static __rte_always_inline uint64_t receive_by(unsigned (*take_from)(struct floor *),
                                               struct bed *bed, uint64_t until)
{
    struct floor *bare = &floors[bed->lane];
    uint64_t datagrams = 0;

    do {
        unsigned taken = take_from(bare);

        datagrams += taken;
        if (taken == 0)
            rte_pause();
    } while (rte_rdtsc() < until);
    return datagrams;
}

static uint64_t receive(struct bed *bed, uint64_t until)
{
    return receive_by(take_burst, bed, until);
}

static uint64_t receive_told(struct bed *bed, uint64_t until)
{
    return receive_by(take_told_burst, bed, until);
}

unsigned floor_receive_paced(struct bed *bed, unsigned wanted, uint64_t until, uint64_t *ticks)
{
    struct floor *bare = &floors[bed->lane];
    struct rte_mbuf *mbuf;
    unsigned taken = 0, returning = bare->returning_count;

    while (taken < wanted) {
        if (rte_ring_sc_dequeue(bare->ring, (void **)&mbuf) != 0) {
            returning = flush(bare, returning);
            if (rte_rdtsc() >= until)
                break;
            rte_pause();
            continue;
        }
        uint64_t burst_tsc = rx_meta(mbuf)->burst_tsc;
        returning = take(bare, mbuf, returning);
        ticks[taken++] = rte_rdtsc() - burst_tsc;
    }
    bare->returning_count = flush(bare, returning);
    return taken;
}

static uint64_t delivered(const struct bed *bed)
{
    return atomic_load_explicit(&floors[bed->lane].delivered, memory_order_relaxed);
}

static uint64_t dropped(const struct bed *bed)
{
    return atomic_load_explicit(&floors[bed->lane].dropped, memory_order_relaxed);
}

static const uint8_t *last_payload(const struct bed *bed)
{
    return floors[bed->lane].payload;
}

const struct side side_floor = {
    .name = "floor",
    .help = "the floor against itself: what this machine can tell apart",
    .step = floor_step,
    .receive = receive,
    .delivered = delivered,
    .dropped = dropped,
    .last_payload = last_payload,
};

const struct side side_told = {
    .name = "told",
    .help = "a floor whose client is told where payloads lie and never looks at an mbuf",
    .step = floor_step,
    .receive = receive_told,
    .delivered = delivered,
    .dropped = dropped,
    .last_payload = last_payload,
};
