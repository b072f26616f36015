/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_DATAPLANE_REPLAYING_H
#define WIRERX_TESTS_DATAPLANE_REPLAYING_H

/**
 * @file
 * What the tests of replays share. By hand, so that the paces run in virtual time.
 */

#include "capture.h"
#include "client.h"
#include "support/frames.h"
#include "support/wire.h"

#define GROUP FRAME_IP(239, 1, 1, 1)
#define OTHER_GROUP FRAME_IP(239, 1, 1, 2)
#define PORT 5000
#define BUFFERS 4096u
#define SLOTS 256u

/** wire_config() with this device at this pace, held until go(). */
struct config replay_config(const char *device, enum config_pace pace);

/** Start it on a file of capture.h, by hand. */
void replay_start(const char *file, enum config_pace pace);

/** A file of so many datagrams to GROUP (or another) and PORT, a microsecond apart. */
void write_numbers(const char *name, uint32_t group, unsigned count, size_t length);

struct dataplane_replay progress(void);
void go(void);

/** So many passes of every lcore. */
void step(unsigned passes);

/** Step until the file is drained, at most so many passes. @return how many it took */
unsigned run_to_the_end(unsigned most);

/** A number of microseconds in ticks of the time-stamp counter. */
uint64_t microseconds(uint64_t count);

#endif
