/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_RECEIVE_OVERLAPS_H
#define WIRERX_TESTS_RECEIVE_OVERLAPS_H

/**
 * @file
 * How often two kinds of operations overlapped on one socket, for certain.
 *
 * Whoever begins an operation adds one to its kind's field of the socket's word, and takes it off when the
 * operation is over. The addition tells at the same time which kinds are under way: each of these is an
 * overlap of two intervals, counted once, by the one that came second. The additions are relaxed: they
 * must not put the accesses of those who race in an order that ThreadSanitizer would believe.
 */

#include <stdbool.h>
#include <stdint.h>

enum overlap_kind {
    OVERLAP_ARRIVE,
    OVERLAP_POST,
    OVERLAP_CLOSE,
    OVERLAP_CANCEL,
    OVERLAP_EXIT,
    OVERLAP_STOP, /* so far those whose square issue 3 asks for */
    OVERLAP_SHUTDOWN,
    OVERLAP_WAIT,
    OVERLAP_RESULT,
    OVERLAP_KINDS
};

/** Sockets that are told apart. */
#define OVERLAP_SOCKETS 4u

/** At most 127 of one kind are under way on a socket. */
void overlap_begin(unsigned socket, enum overlap_kind kind);
void overlap_end(unsigned socket, enum overlap_kind kind);

uint64_t overlap_count(enum overlap_kind a, enum overlap_kind b);

/** How often operations of a kind were begun. */
uint64_t overlap_begun(enum overlap_kind kind);

/** Can these two overlap at all? Arrivals are one lcore's, one pass after another. */
bool overlap_possible(enum overlap_kind a, enum overlap_kind b);

/** The table, on standard error: a line for each kind. */
void overlap_print(void);

#endif
