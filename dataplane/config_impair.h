/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CONFIG_IMPAIR_H
#define WIRERX_CONFIG_IMPAIR_H

/**
 * @file
 * How a port is impaired, as texts and as what a port can have.
 */

#include "config.h"
#include "config_report.h"

/** Add "seed 42", "loss 0.1%", "link-down-after 500", "refuse-multicast" and the like.
 *  @return 0, or -1 after config_refuse() */
int config_impair_parse(const struct config_report *report, const char *path, const char *text,
                        struct config_impair *impair);

/** Refuse shares above the whole, and a link that is back before it was down.
 *  @return 0, or -1 after config_refuse() */
int config_impair_check(const struct config_report *report, const struct config *config,
                        unsigned index);

/** Frames of a queue that may wait. */
static inline unsigned config_impair_frames(const struct config_impair *impair)
{
    return CONFIG_IMPAIR_HELD + ((impair->delay | impair->jitter) != 0 ? CONFIG_IMPAIR_DELAYED : 0);
}

#endif
