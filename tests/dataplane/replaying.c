/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "support/suite.h"

#include "replaying.h"

#include <pcap/pcap.h>

struct config replay_config(const char *device, enum config_pace pace)
{
    struct config config = wire_config_device(device);

    config.ports[0].pace = pace;
    config.ports[0].held = pace != CONFIG_PACE_LIVE;
    return config;
}

void replay_start(const char *file, enum config_pace pace)
{
    struct config config = replay_config(capture_device(0, file), pace);

    wire_start(&config, &client_operations, true);
}

struct dataplane_replay progress(void)
{
    struct dataplane_replay now;

    CHECK_EQ_I64(dataplane_replay_progress(&now), 0);
    return now;
}

void go(void)
{
    CHECK_EQ_I64(dataplane_replay_go(), 0);
}

void step(unsigned passes)
{
    while (passes-- > 0)
        wire_step(dataplane_tsc());
}

unsigned run_to_the_end(unsigned most)
{
    unsigned passes = 0;

    while (!progress().drained) {
        CHECK_MSG(passes++ < most, "%llu of %llu frames are released, stalled on %lld",
                  (unsigned long long)progress().released, (unsigned long long)progress().total,
                  (long long)progress().stalled_slot);
        step(1);
    }
    return passes;
}

void write_numbers(const char *name, uint32_t group, unsigned count, size_t length)
{
    capture_open(name, DLT_EN10MB);
    capture_add_numbers(group, PORT, 0, count, length);
    capture_close();
}

uint64_t microseconds(uint64_t count)
{
    return count * dataplane_tsc_hz() / 1000000;
}
