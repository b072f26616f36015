/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_VERIFY_H
#define WIRERX_VERIFY_H

#include "feed.h"

/**
 * Compare what `wirerx recv --output` wrote with the feed that these options make: group by group,
 * datagram by datagram, byte by byte. Prints what it found.
 *
 * @return 0 nothing is lost, doubled, reordered or altered; 1 something is; 2 the file cannot be
 *         read, or is not such a file
 */
int verify(const char *path, const struct feed_options *options);

#endif
