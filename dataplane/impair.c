/* SPDX-License-Identifier: BSD-3-Clause */
#include "impair.h"

#include <errno.h>
#include <rte_cycles.h>
#include <rte_malloc.h>
#include <rte_random.h>
#include <stdatomic.h>
#include <stdio.h>

#include "log.h"
#include "port.h"
#include "single_writer.h"

/* Of a burst so many frames are taken, so that there is room for their duplicates and for what has waited. */
#define TAKEN_PART 4u
_Static_assert(2 * (PORT_BURST / TAKEN_PART) + CONFIG_IMPAIR_HELD <= PORT_BURST,
               "a burst has room");

enum impair_state {
    IMPAIR_UP,
    IMPAIR_DOWN,
    IMPAIR_REMOVED,
};

enum impair_figure {
    FIGURE_GIVEN,
    FIGURE_LOST,
    FIGURE_MISSED,
    FIGURE_DUPLICATED,
    FIGURE_NO_BUFFER,
    FIGURE_CORRUPTED,
    FIGURE_REORDERED,
    FIGURE_HELD,
    FIGURES_TOTAL,
};

struct impair_queue {
    uint64_t random;
    struct {
        struct rte_mbuf *mbuf;
        unsigned passing; /**< frames that are still to pass it */
    } held[CONFIG_IMPAIR_HELD];
    unsigned held_count;
    _Atomic uint64_t figures[FIGURES_TOTAL];
} __rte_cache_aligned;

struct impair {
    const struct port_operations *behind;
    struct config_impair settings;
    uint64_t begun_at; /**< the first burst of queue 0, whose lcore's this is; 0: not yet */
    _Atomic unsigned state;
    struct impair_queue queues[CONFIG_MAX_QUEUES];
};

static void count(struct impair_queue *queue, enum impair_figure figure, uint64_t n)
{
    single_writer_add64(&queue->figures[figure], n);
}

/* Less than `below` (Vigna's splitmix64). */
static uint64_t random_below(struct impair_queue *queue, uint64_t below)
{
    uint64_t z = queue->random += 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return (z ^ z >> 31) % below;
}

static bool happens(struct impair_queue *queue, unsigned per_million)
{
    return per_million != 0 && random_below(queue, CONFIG_IMPAIR_WHOLE) < per_million;
}

/* --- receiving -------------------------------------------------------------------------------------- */

static void flip_a_bit(struct impair_queue *queue, struct rte_mbuf *mbuf)
{
    uint64_t bit = random_below(queue, RTE_MAX(mbuf->data_len, 1u) * 8ull);

    if (mbuf->data_len == 0)
        return;
    *rte_pktmbuf_mtod_offset(mbuf, uint8_t *, bit / 8) ^= (uint8_t)(1u << bit % 8);
    mbuf->ol_flags &= ~(RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK);
    count(queue, FIGURE_CORRUPTED, 1);
}

/* @return how many frames there are now */
static uint16_t duplicate(struct impair_queue *queue, struct port *port, struct rte_mbuf **mbufs,
                          uint16_t at)
{
    struct rte_mbuf *copy = rte_pktmbuf_copy(mbufs[at - 1], port->pool, 0, UINT32_MAX);

    if (copy == NULL) {
        count(queue, FIGURE_NO_BUFFER, 1);
        return at;
    }
    count(queue, FIGURE_DUPLICATED, 1);
    mbufs[at] = copy;
    return (uint16_t)(at + 1);
}

/* One more frame has passed those that wait; all of them go on if none does any more.
 * @return how many frames there are now */
static uint16_t release(struct impair_queue *queue, struct rte_mbuf **mbufs, uint16_t at, bool all)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < queue->held_count; i++) {
        if (all || --queue->held[i].passing == 0)
            mbufs[at++] = queue->held[i].mbuf;
        else
            queue->held[kept++] = queue->held[i];
    }
    queue->held_count = kept;
    return at;
}

/* @return true: the frame waits */
static bool hold(struct impair_queue *queue, const struct config_impair *settings,
                 struct rte_mbuf *mbuf)
{
    if (!happens(queue, settings->reorder) || queue->held_count == CONFIG_IMPAIR_HELD)
        return false;
    queue->held[queue->held_count].mbuf = mbuf;
    queue->held[queue->held_count++].passing = 1 + (unsigned)random_below(queue, IMPAIR_LATE);
    count(queue, FIGURE_REORDERED, 1);
    return true;
}

/* @return true: the frame is gone */
static bool lose(struct impair_queue *queue, const struct config_impair *settings,
                 struct rte_mbuf *mbuf, bool down)
{
    bool lost = down || happens(queue, settings->loss);

    if (!lost && !happens(queue, settings->missed))
        return false;
    count(queue, lost ? FIGURE_LOST : FIGURE_MISSED, 1);
    rte_pktmbuf_free(mbuf);
    return true;
}

static bool is_past(const struct impair *impair, unsigned after_ms, uint64_t now)
{
    return after_ms != 0 && now >= impair->begun_at &&
           now - impair->begun_at >= rte_get_tsc_hz() / 1000 * after_ms;
}

/* By the lcore of queue 0. */
static void look_at_time(struct impair *impair, uint64_t now)
{
    const struct config_impair *settings = &impair->settings;
    unsigned state = IMPAIR_UP;

    if (impair->begun_at == 0)
        impair->begun_at = now;
    if (is_past(impair, settings->link_down_after, now) &&
        !is_past(impair, settings->link_up_after, now))
        state = IMPAIR_DOWN;
    if (is_past(impair, settings->remove_after, now))
        state = IMPAIR_REMOVED;
    atomic_store_explicit(&impair->state, state, memory_order_relaxed);
}

static unsigned state_of(const struct port *port)
{
    return atomic_load_explicit(&port->impair->state, memory_order_relaxed);
}

static uint16_t impair_burst(struct port *port, uint16_t number, struct rte_mbuf **mbufs,
                             uint16_t max, struct lcore *lcore, uint64_t now)
{
    struct impair *impair = port->impair;
    struct impair_queue *queue = &impair->queues[number];
    struct rte_mbuf *taken[PORT_BURST];
    uint16_t at = 0;

    if (number == 0)
        look_at_time(impair, now);
    if (state_of(port) == IMPAIR_REMOVED || max < PORT_BURST)
        return 0;
    bool down = state_of(port) == IMPAIR_DOWN;
    uint16_t count_taken =
        impair->behind->burst(port, number, taken, (uint16_t)(PORT_BURST / TAKEN_PART), lcore, now);
    for (uint16_t i = 0; i < count_taken; i++) {
        struct rte_mbuf *mbuf = taken[i];

        if (lose(queue, &impair->settings, mbuf, down))
            continue;
        if (happens(queue, impair->settings.corrupt))
            flip_a_bit(queue, mbuf);
        if (hold(queue, &impair->settings, mbuf))
            continue;
        mbufs[at++] = mbuf;
        if (happens(queue, impair->settings.duplicate))
            at = duplicate(queue, port, mbufs, at);
        at = release(queue, mbufs, at, false);
    }
    if (count_taken == 0)
        at = release(queue, mbufs, at, true);
    count(queue, FIGURE_GIVEN, at);
    atomic_store_explicit(&queue->figures[FIGURE_HELD], queue->held_count, memory_order_relaxed);
    return at;
}

/* --- the others -------------------------------------------------------------------------------------- */

static uint64_t sum_of(const struct port *port, enum impair_figure figure)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < port->queues; i++)
        sum += atomic_load_explicit(&port->impair->queues[i].figures[figure], memory_order_relaxed);
    return sum;
}

void impair_figures(const struct port *port, struct impair_figures *figures)
{
    *figures = (struct impair_figures){0};
    if (port->impair == NULL)
        return;
    *figures = (struct impair_figures){
        .lost = sum_of(port, FIGURE_LOST),
        .missed = sum_of(port, FIGURE_MISSED),
        .duplicated = sum_of(port, FIGURE_DUPLICATED),
        .no_buffer = sum_of(port, FIGURE_NO_BUFFER),
        .corrupted = sum_of(port, FIGURE_CORRUPTED),
        .reordered = sum_of(port, FIGURE_REORDERED),
        .held = sum_of(port, FIGURE_HELD),
    };
}

static int impair_statistics(struct port *port, struct port_statistics *statistics)
{
    int result = port->impair->behind->statistics(port, statistics);

    statistics->frames = sum_of(port, FIGURE_GIVEN);
    statistics->missed += sum_of(port, FIGURE_MISSED);
    return state_of(port) == IMPAIR_REMOVED ? -ENODEV : result;
}

static uint16_t impair_transmit(struct port *port, uint16_t queue, struct rte_mbuf **mbufs,
                                uint16_t frames)
{
    if (frames != 0 && state_of(port) == IMPAIR_REMOVED)
        return 0;
    if (frames == 0 || state_of(port) == IMPAIR_UP)
        return port->impair->behind->transmit(port, queue, mbufs, frames);
    rte_pktmbuf_free_bulk(mbufs, frames);
    return frames;
}

static int impair_link(struct port *port, struct port_link *link)
{
    if (state_of(port) == IMPAIR_REMOVED)
        return -ENODEV;
    int result = port->impair->behind->link(port, link);
    if (state_of(port) == IMPAIR_DOWN) {
        *link = (struct port_link){0};
        return 0;
    }
    return result;
}

static int impair_multicast(struct port *port, struct rte_ether_addr *list, uint32_t addresses)
{
    if (state_of(port) == IMPAIR_REMOVED)
        return -ENODEV;
    if (port->impair->settings.refuse_multicast)
        return -ENOTSUP;
    return port->impair->behind->multicast(port, list, addresses);
}

static int impair_all_multicast(struct port *port, bool on)
{
    if (state_of(port) == IMPAIR_REMOVED)
        return -ENODEV;
    if (port->impair->settings.refuse_all_multicast)
        return -ENOTSUP;
    return port->impair->behind->all_multicast(port, on);
}

static int impair_clock(struct port *port, uint64_t *ticks)
{
    if (state_of(port) == IMPAIR_REMOVED)
        return -ENODEV;
    return port->impair->behind->clock(port, ticks);
}

const struct port_operations port_impair = {
    .name = "impair",
    .burst = impair_burst,
    .statistics = impair_statistics,
    .transmit = impair_transmit,
    .link = impair_link,
    .multicast = impair_multicast,
    .all_multicast = impair_all_multicast,
    .clock = impair_clock,
};

/* --- beginning and end --------------------------------------------------------------------------------- */

int impair_begin(struct port *port, struct config_error *error)
{
    struct impair *impair = rte_zmalloc("impair", sizeof *impair, RTE_CACHE_LINE_SIZE);

    if (impair == NULL) {
        snprintf(error->text, sizeof error->text, "ports[%u].impair: out of memory", port->index);
        return -1;
    }
    impair->settings = *port->config->impair;
    while (impair->settings.seed == 0)
        impair->settings.seed = (unsigned)rte_rand();
    for (unsigned i = 0; i < port->queues; i++)
        impair->queues[i].random = impair->settings.seed + ((uint64_t)i << 32);
    impair->behind = port->operations;
    port->impair = impair;
    port->operations = &port_impair;
    log_line(
        "ports[%u]: %s IS IMPAIRED as the configuration asks (impair), with seed %u: frames may be "
        "lost, doubled, damaged or late on purpose",
        port->index, port->config->device, impair->settings.seed);
    return 0;
}

void impair_end(struct port *port)
{
    struct impair *impair = port->impair;

    if (impair == NULL)
        return;
    for (unsigned i = 0; i < port->queues; i++)
        for (unsigned k = 0; k < impair->queues[i].held_count; k++)
            rte_pktmbuf_free(impair->queues[i].held[k].mbuf);
    port->operations = impair->behind;
    port->impair = NULL;
    rte_free(impair);
}

bool impair_holds(const struct port *port, uint16_t queue)
{
    return port->impair != NULL && port->impair->queues[queue].held_count != 0;
}
