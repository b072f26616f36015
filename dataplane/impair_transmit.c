/* SPDX-License-Identifier: BSD-3-Clause */
#include "impair_transmit.h"

/* A copy with a bit flipped: what is transmitted may be somebody else's as well. No device makes its checksums
 * right again. @return NULL: there is none */
static struct rte_mbuf *damaged(struct impair_dice *dice, struct port *port,
                                const struct rte_mbuf *mbuf)
{
    struct rte_mbuf *copy = rte_pktmbuf_copy(mbuf, port->pool, 0, UINT32_MAX);

    if (copy == NULL) {
        impair_count(dice, IMPAIR_NO_BUFFER, 1);
        return NULL;
    }
    copy->ol_flags &= ~(RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK);
    impair_flip(dice, copy);
    return copy;
}

/* @return false: the row behind has not taken it */
static bool transmit_damaged(const struct port_operations *behind, struct impair_dice *dice,
                             struct port *port, uint16_t queue, struct rte_mbuf *mbuf)
{
    struct rte_mbuf *copy = damaged(dice, port, mbuf);

    if (copy == NULL)
        return behind->transmit(port, queue, &mbuf, 1) == 1;
    if (behind->transmit(port, queue, &copy, 1) == 0) {
        rte_pktmbuf_free(copy);
        return false;
    }
    impair_count(dice, IMPAIR_TRANSMIT_CORRUPTED, 1);
    rte_pktmbuf_free(mbuf);
    return true;
}

static void transmit_again(const struct port_operations *behind, struct impair_dice *dice,
                           struct port *port, uint16_t queue, struct rte_mbuf *copy)
{
    if (copy == NULL) {
        impair_count(dice, IMPAIR_NO_BUFFER, 1);
    } else if (behind->transmit(port, queue, &copy, 1) == 1) {
        impair_count(dice, IMPAIR_TRANSMIT_DUPLICATED, 1);
    } else {
        rte_pktmbuf_free(copy);
    }
}

/* @return false: the row behind has not taken it */
static bool transmit_one(const struct port_operations *behind, const struct config_impair *settings,
                         struct impair_dice *dice, struct port *port, uint16_t queue,
                         struct rte_mbuf *mbuf)
{
    if (impair_happens(dice, settings->transmit_loss)) {
        impair_count(dice, IMPAIR_TRANSMIT_LOST, 1);
        rte_pktmbuf_free(mbuf);
        return true;
    }
    if (impair_happens(dice, settings->transmit_corrupt))
        return transmit_damaged(behind, dice, port, queue, mbuf);
    if (!impair_happens(dice, settings->transmit_duplicate))
        return behind->transmit(port, queue, &mbuf, 1) == 1;
    struct rte_mbuf *copy = rte_pktmbuf_copy(mbuf, port->pool, 0, UINT32_MAX);
    if (behind->transmit(port, queue, &mbuf, 1) == 0) {
        rte_pktmbuf_free(copy);
        return false;
    }
    transmit_again(behind, dice, port, queue, copy);
    return true;
}

uint16_t impair_transmit_by(const struct port_operations *behind,
                            const struct config_impair *settings, struct impair_dice *dice,
                            struct port *port, uint16_t queue, struct rte_mbuf **mbufs,
                            uint16_t frames)
{
    uint16_t sent = 0;

    if (frames == 0 ||
        (settings->transmit_loss | settings->transmit_duplicate | settings->transmit_corrupt) == 0)
        return behind->transmit(port, queue, mbufs, frames);
    while (sent < frames && transmit_one(behind, settings, dice, port, queue, mbufs[sent]))
        sent++;
    return sent;
}
