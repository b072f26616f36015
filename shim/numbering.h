/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_NUMBERING_H
#define WIRERX_NUMBERING_H

/**
 * @file
 * What the sequence numbers of wirerx-gen's datagrams say about those that one thread has received.
 */

#include <stdbool.h>
#include <stdint.h>

#include "generated.h"

#define NUMBERING_STREAMS 1024u

struct numbering {
    uint64_t strangers; /**< datagrams that are not wirerx-gen's */
    uint64_t missing;   /**< passed over in their stream, less those that came late after all */
    uint64_t late;      /**< came after a later one, or twice */
    uint64_t next[2][NUMBERING_STREAMS];
};

/** @return is it one of wirerx-gen's? Then *sent_tsc is when it was sent */
static inline bool numbering_take(struct numbering *numbering, const uint8_t *payload,
                                  uint32_t bytes, uint64_t *sent_tsc)
{
    struct generated generated;

    if (!generated_read(payload, bytes, &generated) || generated.stream >= NUMBERING_STREAMS) {
        numbering->strangers++;
        return false;
    }
    uint64_t *next = &numbering->next[generated.line][generated.stream];
    if (generated.sequence >= *next) {
        numbering->missing += generated.sequence - *next;
        *next = generated.sequence + 1;
    } else {
        numbering->late++;
        numbering->missing -= numbering->missing > 0;
    }
    *sent_tsc = generated.tsc;
    return true;
}

#endif
