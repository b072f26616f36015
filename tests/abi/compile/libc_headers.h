/* SPDX-License-Identifier: BSD-3-Clause */
/* What an ordinary program includes, and use of it that a careless macro would break. */
#ifndef WIRERX_TESTS_LIBC_HEADERS_H
#define WIRERX_TESTS_LIBC_HEADERS_H

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static inline long seconds(const struct timeval *time)
{
    return time->tv_sec;
}

#ifdef __cplusplus
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>
#endif

#endif
