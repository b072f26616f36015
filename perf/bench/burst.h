/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_BURST_H
#define WIRERX_BENCH_BURST_H

/**
 * @file
 * The port's device in bursts: so many frames back to back whenever they are asked for. A row of
 * functions that stands in front of rte_eth, as paced.h's.
 */

#include "bed.h"

/**
 * Put it in front of the device; the source is silent. Every burst has one frame for each group.
 * @param groups  of the capture, so frames of a burst
 * @param first   the group whose frame comes first; the others follow in turn
 */
void burst_install(struct bed *bed, unsigned groups, unsigned first);

/** Take it away. The source is silent. */
void burst_remove(struct bed *bed);

/**
 * Ask for the next burst. The one before has been received.
 * @param due   when the time-stamp counter reads this
 * @param skip  frames of it that are thrown away, the first ones
 */
void burst_ask(uint64_t due, unsigned skip);

/** When the lcore was given the first frame of the last burst: to be read when one has been received. */
uint64_t burst_began(void);

#endif
