/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "support/suite.h"

#include "descriptor_helpers.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

bool is_readable(int descriptor)
{
    struct pollfd polled = {.fd = descriptor, .events = POLLIN};

    CHECK(descriptor >= 0);
    return poll(&polled, 1, 0) == 1 && polled.revents == POLLIN;
}

bool is_open(int descriptor)
{
    return fcntl(descriptor, F_GETFD) >= 0;
}

bool select_ends(int descriptor, int milliseconds)
{
    struct timeval limit = {.tv_sec = milliseconds / 1000,
                            .tv_usec = (suseconds_t)(milliseconds % 1000) * 1000};
    fd_set set;

    FD_ZERO(&set);
    FD_SET(descriptor, &set);
    int count = select(descriptor + 1, &set, NULL, NULL, &limit);

    CHECK(count >= 0 && count == !!FD_ISSET(descriptor, &set));
    return count == 1;
}

int watch_descriptor(int descriptor, uint32_t events)
{
    struct epoll_event event = {.events = events};
    int watch = epoll_create1(EPOLL_CLOEXEC);

    CHECK(watch >= 0);
    CHECK_EQ_I64(epoll_ctl(watch, EPOLL_CTL_ADD, descriptor, &event), 0);
    return watch;
}

bool watch_ends(int watch, int milliseconds)
{
    struct epoll_event event;
    int count = epoll_wait(watch, &event, 1, milliseconds);

    CHECK(count == 0 || (count == 1 && event.events == EPOLLIN));
    return count == 1;
}
