/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_RECEIVE_CIRCUITS_H
#define WIRERX_TESTS_RECEIVE_CIRCUITS_H

/**
 * @file
 * The in-stack protocol with connections: four rows that differ in nothing but dwServiceFlags1. Its
 * messages, and its ends, take the road of datagrams within the stack (provider/circuit.h).
 */

#include "harness.h"

enum circuit_row {
    MESSAGES, /**< reliable, whole messages */
    PARTS,    /**< the same with partial messages */
    PSEUDO,   /**< messages that are read as a stream */
    BYTES,    /**< a stream */
    CIRCUIT_ROWS,
    ONE_WAY = CIRCUIT_ROWS, /**< no circuit: datagrams that can only be sent (XP1_UNI_SEND) */
    ALL_ROWS,
};

/** Have sockets made for these rows, until circuits_end(). While none is open. */
void circuits_begin(void);
void circuits_end(void);

/** A nonblocking overlapped socket of a row, bound to this address (host byte order; 0: every one) and a
 *  port of its own, without a peer. */
SOCKET circuit_open(enum circuit_row row, uint32_t address);

#endif
