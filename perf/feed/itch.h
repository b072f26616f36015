/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_ITCH_H
#define WIRERX_ITCH_H

/**
 * @file
 * Messages of Nasdaq TotalView-ITCH 5.0 at their real sizes, in about their real mix: mostly orders
 * that are added and deleted again.
 */

#include <stddef.h>
#include <stdint.h>

#include "random.h"

#define ITCH_MAX_BYTES 50u
#define ITCH_LIVE_ORDERS 4096u

/** The book behind one group: later messages refer to orders that earlier ones added. */
struct itch_book {
    uint16_t locate;
    char symbol[9];
    uint64_t next_order;
    uint64_t next_match;
    unsigned live_count;
    uint64_t live[ITCH_LIVE_ORDERS];
};

void itch_book_init(struct itch_book *book, unsigned index);

/** The next message of a book. @return its length; at most ITCH_MAX_BYTES are written to `out` */
size_t itch_next(struct itch_book *book, struct random *random, uint64_t time_ns, uint8_t *out);

#endif
