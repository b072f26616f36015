/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_PROVIDER_OPTIONS_H
#define WIRERX_PROVIDER_OPTIONS_H

/**
 * @file
 * Socket options that are one number: a row says where it lives.
 */

#include <stddef.h>

#include "socket.h"

enum option_kind {
    OPTION_DWORD,
    OPTION_BOOL, /**< a DWORD or a single byte */
    OPTION_BYTE, /**< of an IP header: likewise */
};

/** get and set run under LOCK. */
struct option_row {
    int level;
    int name;
    enum option_kind kind;
    DWORD (*get)(const struct socket_reference *);
    int (*set)(const struct socket_reference *, DWORD value); /**< NULL: read only */
};

/** What belongs to sending. */
extern const struct option_row send_option_rows[];
extern const size_t send_option_rows_count;

/** IP_MULTICAST_TTL, which is SIO_MULTICAST_SCOPE as well. @return 0 or WSAEINVAL */
int option_set_multicast_ttl(const struct socket_reference *reference, DWORD value);

/** IP_MULTICAST_LOOP, which is SIO_MULTIPOINT_LOOPBACK as well. */
int option_set_multicast_loop(const struct socket_reference *reference, DWORD value);

#endif
