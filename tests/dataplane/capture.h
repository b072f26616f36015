/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_DATAPLANE_CAPTURE_H
#define WIRERX_TESTS_DATAPLANE_CAPTURE_H

/**
 * @file
 * Small capture files in a directory of the test's own, which vanishes with it.
 */

#include <stddef.h>
#include <stdint.h>

/** Make the directory; before any other function here. */
void capture_begin(void);
/** Remove the directory and what is in it. */
void capture_end(void);

/** The path of a file in it. Static storage, of which there are a few. */
const char *capture_path(const char *name);
/** "vdev:net_pcapN,rx_pcap=PATH", the same way. */
const char *capture_device(unsigned unit, const char *name);

/** Begin a file of this link type (DLT_EN10MB); one at a time. */
void capture_open(const char *name, int link_type);
/** The same, whose times are in nanoseconds. */
void capture_open_nanoseconds(const char *name);
/** Add a frame with its time in microseconds; or in nanoseconds, of such a file. */
void capture_add(const void *bytes, size_t length, uint64_t time);
/** Add `count` datagrams to group:port (host order), filled with numbers from `first` on. */
void capture_add_numbers(uint32_t group, uint16_t port, uint64_t first, unsigned count,
                         size_t length);
void capture_close(void);

/** A file with exactly these bytes. */
void capture_write(const char *name, const void *bytes, size_t length);
/** Cut a file to this length, or by so many bytes if it is negative. */
void capture_cut(const char *name, long length);

#endif
