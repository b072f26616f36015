/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_HOST_DESCRIPTOR_HELPERS_H
#define WIRERX_TESTS_HOST_DESCRIPTOR_HELPERS_H

/**
 * @file
 * Looks at file descriptors, for the tests of events that have one. Without winsock2.h.
 */

#include <stdbool.h>
#include <stdint.h>

/** Would a poll() find it readable now? */
bool is_readable(int descriptor);

/** Is the number an open file? */
bool is_open(int descriptor);

/** Does libc's select(), whose name winsock2.h takes, find it readable within this time? */
bool select_ends(int descriptor, int milliseconds);

/** A new epoll that watches one descriptor. */
int watch_descriptor(int descriptor, uint32_t events);

/** Does a wait on that epoll end in this time? */
bool watch_ends(int watch, int milliseconds);

#endif
