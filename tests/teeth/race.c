/* SPDX-License-Identifier: BSD-3-Clause */
/* Planted: two threads count in one variable without a lock. */
#include "support/suite.h"

#include <pthread.h>

static long counter;

static void *count(void *unused)
{
    for (int i = 0; i < 1000; i++)
        counter++;
    return unused;
}

SUITE_TEST(race, counts_without_a_lock)
{
    pthread_t thread;

    CHECK(pthread_create(&thread, NULL, count, NULL) == 0);
    count(NULL);
    pthread_join(thread, NULL);
    CHECK(counter > 0);
}
