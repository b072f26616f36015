/* SPDX-License-Identifier: BSD-3-Clause */
#include "impair.h"

#include <errno.h>
#include <rte_cycles.h>
#include <rte_malloc.h>
#include <rte_random.h>
#include <stdatomic.h>
#include <stdio.h>

#include "impair_receive.h"
#include "impair_transmit.h"
#include "log.h"
#include "port.h"

enum impair_state {
    IMPAIR_UP,
    IMPAIR_DOWN,
    IMPAIR_REMOVED,
};

struct impair {
    const struct port_operations *behind;
    struct config_impair settings;
    uint64_t begun_at; /**< the first burst of queue 0, whose lcore's this is; 0: not yet */
    _Atomic unsigned state;
    struct impair_queue queues[CONFIG_MAX_QUEUES];
    struct impair_dice transmitted __rte_cache_aligned; /**< the keeper's */
};

/* --- time -------------------------------------------------------------------------------------------- */

static bool is_past(uint64_t elapsed, unsigned after_ms)
{
    return after_ms != 0 && elapsed >= rte_get_tsc_hz() / 1000 * after_ms;
}

/* By the lcore of queue 0. */
static void look_at_time(struct impair *impair, uint64_t now)
{
    const struct config_impair *settings = &impair->settings;
    unsigned state = IMPAIR_UP;

    if (impair->begun_at == 0)
        impair->begun_at = now;
    uint64_t elapsed = now > impair->begun_at ? now - impair->begun_at : 0;
    if (is_past(elapsed, settings->remove_after))
        state = IMPAIR_REMOVED;
    if (settings->link_repeat_every != 0)
        elapsed %= rte_get_tsc_hz() / 1000 * settings->link_repeat_every;
    if (state == IMPAIR_UP && is_past(elapsed, settings->link_down_after) &&
        !is_past(elapsed, settings->link_up_after))
        state = IMPAIR_DOWN;
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

    if (number == 0)
        look_at_time(impair, now);
    unsigned state = state_of(port);
    if (state == IMPAIR_REMOVED || max < PORT_BURST)
        return 0;
    uint16_t count = impair_receive(queue, &impair->settings, impair->behind, state == IMPAIR_DOWN,
                                    port, number, mbufs, lcore, now);
    impair_count(&queue->dice, IMPAIR_GIVEN, count);
    atomic_store_explicit(&queue->dice.figures[IMPAIR_HELD], impair_waiting(queue),
                          memory_order_relaxed);
    return count;
}

/* --- the others -------------------------------------------------------------------------------------- */

static uint64_t sum_of(const struct port *port, enum impair_figure figure)
{
    const struct impair *impair = port->impair;
    uint64_t sum = atomic_load_explicit(&impair->transmitted.figures[figure], memory_order_relaxed);

    for (unsigned i = 0; i < port->queues; i++)
        sum += atomic_load_explicit(&impair->queues[i].dice.figures[figure], memory_order_relaxed);
    return sum;
}

void impair_figures(const struct port *port, struct impair_figures *figures)
{
    *figures = (struct impair_figures){0};
    for (unsigned i = 0; port->impair != NULL && i < IMPAIR_FIGURES; i++)
        figures->of[i] = sum_of(port, i);
}

static int impair_statistics(struct port *port, struct port_statistics *statistics)
{
    int result = port->impair->behind->statistics(port, statistics);

    statistics->frames = sum_of(port, IMPAIR_GIVEN);
    statistics->missed += sum_of(port, IMPAIR_MISSED);
    return state_of(port) == IMPAIR_REMOVED ? -ENODEV : result;
}

static uint16_t impair_transmit(struct port *port, uint16_t queue, struct rte_mbuf **mbufs,
                                uint16_t frames)
{
    struct impair *impair = port->impair;

    if (frames != 0 && state_of(port) == IMPAIR_REMOVED)
        return 0;
    if (frames == 0 || state_of(port) == IMPAIR_UP)
        return impair_transmit_by(impair->behind, &impair->settings, &impair->transmitted, port,
                                  queue, mbufs, frames);
    rte_pktmbuf_free_bulk(mbufs, frames);
    impair_count(&impair->transmitted, IMPAIR_TRANSMIT_LOST, frames);
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

static void destroy(struct impair *impair)
{
    for (unsigned i = 0; i < CONFIG_MAX_QUEUES; i++)
        impair_receive_end(&impair->queues[i]);
    rte_free(impair);
}

static struct impair *create(const struct config_impair *settings, unsigned queues)
{
    struct impair *impair = rte_zmalloc("impair", sizeof *impair, RTE_CACHE_LINE_SIZE);

    if (impair == NULL)
        return NULL;
    impair->settings = *settings;
    while (impair->settings.seed == 0)
        impair->settings.seed = (unsigned)rte_rand();
    impair->transmitted.random = impair->settings.seed + ((uint64_t)CONFIG_MAX_QUEUES << 32);
    for (unsigned i = 0; i < queues; i++) {
        struct impair_queue *queue = &impair->queues[i];

        queue->dice.random = impair->settings.seed + ((uint64_t)i << 32);
        if ((settings->delay | settings->jitter) == 0)
            continue;
        queue->line = rte_malloc("impair_line", CONFIG_IMPAIR_DELAYED * sizeof *queue->line, 0);
        if (queue->line == NULL) {
            destroy(impair);
            return NULL;
        }
    }
    return impair;
}

int impair_begin(struct port *port, struct config_error *error)
{
    struct impair *impair = create(port->config->impair, port->queues);

    if (impair == NULL) {
        snprintf(error->text, sizeof error->text,
                 "ports[%u].impair: out of memory; raise memory.megabytes", port->index);
        return -1;
    }
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
    if (port->impair == NULL)
        return;
    port->operations = port->impair->behind;
    destroy(port->impair);
    port->impair = NULL;
}

bool impair_holds(const struct port *port, uint16_t queue)
{
    return port->impair != NULL && impair_waiting(&port->impair->queues[queue]) != 0;
}
