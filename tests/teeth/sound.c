/* SPDX-License-Identifier: BSD-3-Clause */
/* The twin without a mistake: tests/run.sh must come out green with it. */
#include "support/suite.h"

#include <pthread.h>
#include <stdlib.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int counter;

static void *count(void *unused)
{
    pthread_mutex_lock(&mutex);
    counter++;
    pthread_mutex_unlock(&mutex);
    return unused;
}

SUITE_TEST(sound, allocates_and_counts_properly)
{
    char *bytes = calloc(64, 1);
    pthread_t thread;

    CHECK(bytes);
    CHECK(pthread_create(&thread, NULL, count, NULL) == 0);
    count(NULL);
    pthread_join(thread, NULL);
    CHECK_EQ_I64(counter, 2);
    free(bytes);
}
