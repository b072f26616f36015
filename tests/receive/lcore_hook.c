/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "support/suite.h"

#include "lcore_hook.h"

#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "state.h"
#include "support/frames.h"

static _Atomic(void (*)(void)) hook, hook_behind;
static bool (*inner)(struct lcore *, uint64_t);
static _Atomic int thread;

static struct {
    struct rte_mempool *pool;
    uint16_t port;
    struct frame frame;
    size_t shortest, longest;
    uint8_t bytes[2048]; /* of equal frames */
    size_t length;
    size_t payload_at;
    uint8_t payload[2048];
    _Atomic uint64_t count;
} source;

static bool hooked_step(struct lcore *lcore, uint64_t now)
{
    void (*before_pass)(void) = atomic_load_explicit(&hook, memory_order_acquire);

    if (atomic_load_explicit(&thread, memory_order_relaxed) == 0)
        atomic_store(&thread, (int)syscall(SYS_gettid));
    if (before_pass != NULL && lcore->index == 0)
        before_pass();
    bool busy = inner(lcore, now);
    void (*after_pass)(void) = atomic_load_explicit(&hook_behind, memory_order_acquire);
    if (after_pass != NULL && lcore->index == 0)
        after_pass();
    return busy;
}

void hook_lcore(void (*before_pass)(void))
{
    hook_lcore_around(before_pass, NULL);
}

void hook_lcore_around(void (*before_pass)(void), void (*after_pass)(void))
{
    bool (*step)(struct lcore *, uint64_t) = atomic_load(&dataplane.lcores[0].step);

    atomic_store_explicit(&hook_behind, after_pass, memory_order_release);
    atomic_store_explicit(&hook, before_pass, memory_order_release);
    if (step != hooked_step) { /* once after each start */
        inner = step;
        atomic_store_explicit(&dataplane.lcores[0].step, hooked_step, memory_order_release);
    }
}

int hooked_lcore_thread(void)
{
    return atomic_load(&thread);
}

void source_prepare(uint32_t destination, uint16_t port, size_t shortest, size_t longest)
{
    CHECK(shortest >= 8 && shortest <= longest && longest <= 1472);
    source.frame = (struct frame){.destination = destination,
                                  .destination_port = port,
                                  .payload = source.payload,
                                  .no_udp_checksum = true};
    source.shortest = shortest;
    source.longest = longest;
    frame_fill(source.payload, longest, 0);
    source.frame.length = longest;
    source.length = frame_build(&source.frame, source.bytes, sizeof source.bytes);
    source.payload_at = frame_payload_offset(&source.frame);
    source_resume();
    atomic_store(&source.count, 0);
}

void source_resume(void)
{
    source.pool = rte_mempool_lookup("wirerx_pool_0");
    CHECK(source.pool != NULL);
    CHECK(rte_eth_dev_get_port_by_name("net_ring0", &source.port) == 0);
}

size_t source_length(uint64_t sequence)
{
    return source.shortest + sequence * 2654435761u % (source.longest - source.shortest + 1);
}

bool source_check(const void *payload, size_t bytes, uint64_t *sequence)
{
    if (bytes < sizeof *sequence)
        return false;
    memcpy(sequence, payload, sizeof *sequence);
    if (*sequence >= source_count() || bytes != source_length(*sequence))
        return false;
    return source.shortest == source.longest || frame_is_filled(payload, bytes, *sequence);
}

static void write_frame(struct rte_mbuf *mbuf, uint64_t sequence)
{
    uint8_t *bytes = rte_pktmbuf_mtod(mbuf, uint8_t *);
    size_t length = source.length;

    if (source.shortest == source.longest) {
        memcpy(bytes, source.bytes, length);
        memcpy(bytes + source.payload_at, &sequence, sizeof sequence);
    } else {
        source.frame.length = source_length(sequence);
        frame_fill(source.payload, source.frame.length, sequence);
        length = frame_build(&source.frame, bytes, rte_pktmbuf_tailroom(mbuf));
    }
    mbuf->data_len = (uint16_t)length;
    mbuf->pkt_len = (uint32_t)length;
}

unsigned source_frames(unsigned count)
{
    unsigned sent = 0;

    for (; sent < count; sent++) {
        struct rte_mbuf *mbuf = rte_pktmbuf_alloc(source.pool);
        uint64_t sequence = atomic_load_explicit(&source.count, memory_order_relaxed);

        if (mbuf == NULL)
            break;
        write_frame(mbuf, sequence);
        /* Before anybody can receive it and look. */
        atomic_store_explicit(&source.count, sequence + 1, memory_order_release);
        if (rte_eth_tx_burst(source.port, 0, &mbuf, 1) == 0) {
            atomic_store_explicit(&source.count, sequence, memory_order_release);
            rte_pktmbuf_free(mbuf);
            break;
        }
    }
    return sent;
}

uint64_t source_count(void)
{
    return atomic_load_explicit(&source.count, memory_order_acquire);
}

unsigned lcore_wakes_per_pass(void)
{
    return LCORE_WAKES_PER_PASS;
}

uint64_t dpdk_allocations(void)
{
    uint64_t total = 0;

    for (int node = 0; node < RTE_MAX_NUMA_NODES; node++) {
        struct rte_malloc_socket_stats stats;

        if (rte_malloc_get_socket_stats(node, &stats) == 0)
            total += stats.alloc_count;
    }
    return total;
}
