/* SPDX-License-Identifier: BSD-3-Clause */

/* wirerx_time.h: when datagrams were received. */

#include "receive_message.h"
#include "wirerx/wirerx.h"

_Thread_local struct wirerx_receive_time receive_last_time;

struct wirerx_receive_time receive_time_of(const struct ring_element *element)
{
    static const uint32_t sources[] = {
        [RECEIVE_TIME_BURST] = WIRERX_TIME_BURST,
        [RECEIVE_TIME_DEVICE] = WIRERX_TIME_DEVICE,
        [RECEIVE_TIME_RECORDED] = WIRERX_TIME_RECORDED,
    };
    struct receive_time time;

    dataplane_receive_time(element, &time);
    return (struct wirerx_receive_time){
        .nanoseconds = time.wall_ns,
        .error_ns = time.error_ns,
        .burst_tsc = time.burst_tsc,
        .source = sources[time.source],
    };
}

int wirerx_last_receive_time(struct wirerx_receive_time *time)
{
    if (time == NULL)
        return WSAEFAULT;
    if (receive_last_time.source == 0)
        return WSAEINVAL;
    *time = receive_last_time;
    return 0;
}

int wirerx_wall_time(uint64_t tsc, struct wirerx_receive_time *time)
{
    if (time == NULL)
        return WSAEFAULT;
    if (dataplane_tsc_hz() == 0)
        return WSAENETDOWN;
    *time = (struct wirerx_receive_time){.burst_tsc = tsc, .source = WIRERX_TIME_BURST};
    dataplane_wall_time(tsc, &time->nanoseconds, &time->error_ns);
    return 0;
}
