/* SPDX-License-Identifier: BSD-3-Clause */
#include "receive_time.h"

#include <math.h>

#include "state.h"
#include "wall_clock.h"

void dataplane_wall_time(uint64_t tsc, int64_t *wall_ns, uint64_t *error_ns)
{
    if (wall_clock_tell(tsc, wall_ns, error_ns))
        return;
    *wall_ns = 0;
    *error_ns = UINT64_MAX;
}

/* Without the two bounds, whatever they are: neither is what makes it one second. */
static bool is_believed(const struct receive_time *burst, int64_t wall_ns)
{
    return burst->error_ns == UINT64_MAX ||
           fabs((double)wall_ns - (double)burst->wall_ns) <= RECEIVE_TIME_MOST_APART_NS;
}

void dataplane_receive_time(const struct ring_element *element, struct receive_time *time)
{
    const struct rx_meta *meta = element_meta(element);
    const struct port_clock *clock;
    uint64_t error_ns;
    int64_t wall_ns;

    time->source = RECEIVE_TIME_BURST;
    time->burst_tsc = meta->burst_tsc;
    dataplane_wall_time(meta->burst_tsc, &time->wall_ns, &time->error_ns);
    if (meta->port >= CONFIG_MAX_PORTS || meta->kind != RX_DATAGRAM)
        return;
    clock = &dataplane.ports[meta->port].clock;
    if (!port_clock_tell(clock, element_mbuf(element), &wall_ns, &error_ns))
        return;
    if (clock->kind != PORT_CLOCK_RECORDED && !is_believed(time, wall_ns))
        return;
    time->source = clock->kind == PORT_CLOCK_RECORDED ? RECEIVE_TIME_RECORDED : RECEIVE_TIME_DEVICE;
    time->wall_ns = wall_ns;
    time->error_ns = error_ns;
}
