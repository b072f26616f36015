/* SPDX-License-Identifier: BSD-3-Clause */
#include "numa_place.h"

#include <numa.h>

#include "log.h"

static int default_node;

int numa_place_of_cpu(unsigned cpu)
{
    int node = numa_available() < 0 ? 0 : numa_node_of_cpu((int)cpu);

    return node < 0 ? 0 : node;
}

void numa_place_set_first_core(unsigned cpu)
{
    default_node = numa_place_of_cpu(cpu);
}

int numa_place_default(void)
{
    return default_node;
}

void numa_place_check(const struct config *config, unsigned port, int port_node)
{
    if (port_node < 0)
        return;
    for (unsigned i = 0; i < config->cores_count; i++) {
        int node = numa_place_of_cpu(config->cores[i]);

        if (node != port_node)
            log_line(
                "core %u is on NUMA node %d but port %u (%s) is on node %d: every frame crosses "
                "the interconnect; take a core of node %d",
                config->cores[i], node, port, config->ports[port].device, port_node, port_node);
    }
}
