/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_IMPAIR_DICE_H
#define WIRERX_IMPAIR_DICE_H

/**
 * @file
 * Dice of an impaired port, one for each queue that it receives from and one for what it transmits, and what
 * they have done. Written by one thread: the queue's lcore, or the port's keeper. All may read the figures.
 */

#include <rte_mbuf.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "impair.h"
#include "single_writer.h"

struct impair_dice {
    uint64_t random;
    _Atomic uint64_t figures[IMPAIR_FIGURES];
};

static inline void impair_count(struct impair_dice *dice, enum impair_figure figure, uint64_t n)
{
    single_writer_add64(&dice->figures[figure], n);
}

/** Less than `below` (Vigna's splitmix64). */
static inline uint64_t impair_below(struct impair_dice *dice, uint64_t below)
{
    uint64_t z = dice->random += 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return (z ^ z >> 31) % below;
}

/** Does something of this share happen now? Of none it never does, and no dice are thrown. */
static inline bool impair_happens(struct impair_dice *dice, unsigned per_million)
{
    return per_million != 0 && impair_below(dice, CONFIG_IMPAIR_WHOLE) < per_million;
}

/** Flip a bit of the frame's first buffer, wherever it is. @return false: it has no byte */
static inline bool impair_flip(struct impair_dice *dice, struct rte_mbuf *mbuf)
{
    if (mbuf->data_len == 0)
        return false;
    uint64_t bit = impair_below(dice, mbuf->data_len * 8ull);
    *rte_pktmbuf_mtod_offset(mbuf, uint8_t *, bit / 8) ^= (uint8_t)(1u << bit % 8);
    return true;
}

#endif
