/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_RECEIVE_CAPTURE_H
#define WIRERX_TESTS_RECEIVE_CAPTURE_H

/**
 * @file
 * A capture file of datagrams to a group, for tests that replay one.
 */

#include <stddef.h>
#include <stdint.h>

/**
 * Write `count` datagrams to address:port (host byte order), 1 µs apart. Datagram n has `length(n)`
 * bytes of payload n (frames.h's frame_fill()).
 * @return the path: a file that is removed when the test's process ends; static storage
 */
const char *write_capture(uint32_t address, uint16_t port, uint64_t count,
                          size_t (*length)(uint64_t sequence));

#endif
