/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_PROTOCOLS_H
#define WIRERX_PROTOCOLS_H

#include <stdbool.h>

#include "wirerx/ws2spi.h"

/**
 * Further protocols that sockets can be made for, beside the catalogue's; not listed to anybody. The
 * tests put some there that have other traits than UDP, so that what receives make of traits (Q01 to
 * Q09) can be shown. Set while no socket is open.
 */
extern const WSAPROTOCOL_INFOW *provider_further_protocols;
extern unsigned provider_further_count;

/**
 * The protocol of the catalogue for WSPSocket's arguments, where 0 and FROM_PROTOCOL_INFO stand for "any" and "as in
 * info" (O03).
 * @return NULL with *error: WSAEAFNOSUPPORT, WSAESOCKTNOSUPPORT, WSAEPROTONOSUPPORT, WSAEPROTOTYPE
 */
const WSAPROTOCOL_INFOW *provider_find_protocol(int af, int type, int protocol,
                                                const WSAPROTOCOL_INFOW *info, int *error);

/** Is this an entry of ours, by provider and entry number? */
bool provider_has_protocol(const WSAPROTOCOL_INFOW *info);

#endif
