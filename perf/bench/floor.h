/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_FLOOR_H
#define WIRERX_BENCH_FLOOR_H

/**
 * @file
 * The bare floor: mbufs move through one rte_ring to a thread that copies the payload, and come home
 * as the library's do: dropped references in batches of 64 over a ring of their own, put back into
 * the pool unread. No headers are looked at, nothing is checked, nobody is woken.
 *
 * It is the honest best that we know. Whoever finds a faster one puts it here.
 */

#include <rte_mempool.h>
#include <stdbool.h>
#include <stdint.h>

struct bed;
struct lcore;

/**
 * One for each lane (bed.h).
 * @param slots  mbufs that wait for the client at most
 * @return 0, or -1 when memory is short
 */
int floor_create(unsigned lane, struct rte_mempool *pool, unsigned slots);

/** On the lcore, also while it is another side's turn: put a batch that came home into the pool. */
bool floor_take_home(struct lcore *lcore);

/** Free all rings. Nothing may be in them. */
void floor_destroy(void);

/** The lcore's pass with a time stamp in every mbuf, and the client's side of it: see latency.h. */
bool floor_stamping_step(struct lcore *lcore, uint64_t now);
unsigned floor_receive_paced(struct bed *bed, unsigned wanted, uint64_t until, uint64_t *ticks);

#endif
