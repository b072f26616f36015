/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_RECEIVE_CONDITIONS_H
#define WIRERX_TESTS_RECEIVE_CONDITIONS_H

/**
 * @file
 * Conditions by hand: what a protocol with connections would put in a socket's ring.
 */

#include "endpoint.h"

/** Put a condition behind what the endpoint has queued, and publish it. While no lcore runs. */
void put_condition(struct endpoint *endpoint, enum rx_kind kind);

/** The same from a peer (network order), with a payload: a message, or a part of one. */
void put_from(struct endpoint *endpoint, uint32_t address, uint16_t port, enum rx_kind kind,
              const char *text);

#endif
