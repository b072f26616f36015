/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_HOST_CATALOGUE_H
#define WIRERX_HOST_CATALOGUE_H

/**
 * @file
 * The catalogue of protocols: what WSAEnumProtocolsW() lists, what a host loads the provider for,
 * and where a receive reads a protocol's traits (clauses Q01 to Q09). Constant.
 */

#include "wirerx/winsock2.h"

#define CATALOGUE_ENTRIES 1u

extern const WSAPROTOCOL_INFOW catalogue[CATALOGUE_ENTRIES];

#endif
