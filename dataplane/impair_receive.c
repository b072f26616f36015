/* SPDX-License-Identifier: BSD-3-Clause */
#include "impair_receive.h"

#include <rte_cycles.h>
#include <rte_malloc.h>
#include <rte_mbuf_dyn.h>

/* Of a burst so many frames are taken, so that there is room for their duplicates and for what has waited. */
#define TAKEN_PART 4u
#define TAKEN (PORT_BURST / TAKEN_PART)
_Static_assert(2 * TAKEN + CONFIG_IMPAIR_HELD <= PORT_BURST, "a burst has room");
_Static_assert(CONFIG_IMPAIR_DELAYED >= PORT_BURST, "and so has the line");

/* A wrong time is off by up to so many of the nanoseconds, or of the device's ticks. */
#define WRONG_BY 1000000000ll

/* --- what a bad network does -------------------------------------------------------------------------- */

/* What the device said of its checksums is forgotten. */
static void corrupt(struct impair_queue *queue, struct rte_mbuf *mbuf)
{
    if (!impair_flip(&queue->dice, mbuf))
        return;
    mbuf->ol_flags &= ~(RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK);
    impair_count(&queue->dice, IMPAIR_CORRUPTED, 1);
}

/* Of a frame that has a time. */
static void change_time(struct impair_queue *queue, const struct config_impair *settings,
                        const struct port_clock *clock, struct rte_mbuf *mbuf)
{
    if (clock->kind == PORT_CLOCK_NONE || (mbuf->ol_flags & clock->flag) == 0)
        return;
    if (impair_happens(&queue->dice, settings->no_time)) {
        mbuf->ol_flags &= ~clock->flag;
        impair_count(&queue->dice, IMPAIR_TIMES_REMOVED, 1);
    } else if (impair_happens(&queue->dice, settings->wrong_time)) {
        int64_t unit = clock->kind == PORT_CLOCK_DEVICE ? 1 : clock->unit_ns;
        int64_t off = (int64_t)impair_below(&queue->dice, 2 * WRONG_BY) - WRONG_BY;
        rte_mbuf_timestamp_t *time =
            RTE_MBUF_DYNFIELD(mbuf, (size_t)clock->field, rte_mbuf_timestamp_t *);

        *time += (uint64_t)(off / unit);
        impair_count(&queue->dice, IMPAIR_TIMES_CHANGED, 1);
    }
}

/* @return how many frames there are now */
static uint16_t duplicate(struct impair_queue *queue, struct port *port, struct rte_mbuf **mbufs,
                          uint16_t at)
{
    struct rte_mbuf *copy = rte_pktmbuf_copy(mbufs[at - 1], port->pool, 0, UINT32_MAX);

    if (copy == NULL) {
        impair_count(&queue->dice, IMPAIR_NO_BUFFER, 1);
        return at;
    }
    impair_count(&queue->dice, IMPAIR_DUPLICATED, 1);
    mbufs[at] = copy;
    return (uint16_t)(at + 1);
}

/* One more frame has passed those that are kept back; all of them go on if none does any more.
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

/* @return true: the frame is kept back */
static bool hold(struct impair_queue *queue, const struct config_impair *settings,
                 struct rte_mbuf *mbuf)
{
    if (!impair_happens(&queue->dice, settings->reorder) || queue->held_count == CONFIG_IMPAIR_HELD)
        return false;
    queue->held[queue->held_count].mbuf = mbuf;
    queue->held[queue->held_count++].passing =
        1 + (unsigned)impair_below(&queue->dice, IMPAIR_LATE);
    impair_count(&queue->dice, IMPAIR_REORDERED, 1);
    return true;
}

/* @return true: the frame is gone */
static bool lose(struct impair_queue *queue, const struct config_impair *settings,
                 struct rte_mbuf *mbuf, bool down)
{
    bool lost = down || impair_happens(&queue->dice, settings->loss);

    if (!lost && !impair_happens(&queue->dice, settings->missed))
        return false;
    impair_count(&queue->dice, lost ? IMPAIR_LOST : IMPAIR_MISSED, 1);
    rte_pktmbuf_free(mbuf);
    return true;
}

/* @return frames that go on, at most PORT_BURST */
static uint16_t take(struct impair_queue *queue, const struct config_impair *settings,
                     const struct port_operations *behind, bool down, struct port *port,
                     uint16_t number, struct rte_mbuf **mbufs, struct lcore *lcore, uint64_t now)
{
    struct rte_mbuf *taken[TAKEN];
    uint16_t count = behind->burst(port, number, taken, TAKEN, lcore, now), at = 0;

    for (uint16_t i = 0; i < count; i++) {
        if (lose(queue, settings, taken[i], down))
            continue;
        if (impair_happens(&queue->dice, settings->corrupt))
            corrupt(queue, taken[i]);
        change_time(queue, settings, &port->clock, taken[i]);
        if (hold(queue, settings, taken[i]))
            continue;
        mbufs[at++] = taken[i];
        if (impair_happens(&queue->dice, settings->duplicate))
            at = duplicate(queue, port, mbufs, at);
        at = release(queue, mbufs, at, false);
    }
    return count == 0 ? release(queue, mbufs, at, true) : at;
}

/* --- the line ------------------------------------------------------------------------------------------ */

static uint64_t ticks(unsigned us)
{
    return rte_get_tsc_hz() * us / 1000000;
}

/* Behind those that are on their way: a line keeps its order. */
static void put_in_line(struct impair_queue *queue, const struct config_impair *settings,
                        struct rte_mbuf *mbuf, uint64_t now)
{
    unsigned place = (queue->line_first + queue->line_count++) % CONFIG_IMPAIR_DELAYED;
    uint64_t due = now + ticks(settings->delay);

    if (settings->jitter != 0)
        due += impair_below(&queue->dice, ticks(settings->jitter) + 1);
    queue->last_due = RTE_MAX(due, queue->last_due);
    queue->line[place] = (struct impair_late){mbuf, queue->last_due};
}

static uint16_t arrive(struct impair_queue *queue, struct rte_mbuf **mbufs, uint64_t now)
{
    uint16_t at = 0;

    while (at < PORT_BURST && queue->line_count != 0 && queue->line[queue->line_first].due <= now) {
        mbufs[at++] = queue->line[queue->line_first].mbuf;
        queue->line_first = (queue->line_first + 1) % CONFIG_IMPAIR_DELAYED;
        queue->line_count--;
    }
    return at;
}

uint16_t impair_receive(struct impair_queue *queue, const struct config_impair *settings,
                        const struct port_operations *behind, bool down, struct port *port,
                        uint16_t number, struct rte_mbuf **mbufs, struct lcore *lcore, uint64_t now)
{
    uint16_t count;

    if (queue->line == NULL)
        return take(queue, settings, behind, down, port, number, mbufs, lcore, now);
    if (queue->line_count <= CONFIG_IMPAIR_DELAYED - PORT_BURST) { /* else the device keeps them */
        count = take(queue, settings, behind, down, port, number, mbufs, lcore, now);
        for (uint16_t i = 0; i < count; i++)
            put_in_line(queue, settings, mbufs[i], now);
    }
    return arrive(queue, mbufs, now);
}

void impair_receive_end(struct impair_queue *queue)
{
    for (unsigned i = 0; i < queue->held_count; i++)
        rte_pktmbuf_free(queue->held[i].mbuf);
    for (unsigned i = 0; i < queue->line_count; i++)
        rte_pktmbuf_free(queue->line[(queue->line_first + i) % CONFIG_IMPAIR_DELAYED].mbuf);
    rte_free(queue->line);
}
