/* SPDX-License-Identifier: BSD-3-Clause */
#include "lanes.h"

#include <pthread.h>

/** Of lanes_together(): it is everybody's turn. */
#define ALL_LANES BED_MAX_LANES

static struct {
    struct bed *lanes;
    unsigned count;
    pthread_t threads[BED_MAX_LANES];
    pthread_barrier_t begin, end;

    /* Set by the caller before `begin`, read by all after it. */
    lanes_job job; /* NULL: the thread is to end */
    void *argument;
    unsigned turn;

    int results[BED_MAX_LANES]; /* written before `end`, read by the caller after it */
} crew;

void lanes_share_sockets(struct bench_options *options, const struct bench_options *all,
                         unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        options[i] = *all;
        options[i].sockets = all->sockets / count + (i < all->sockets % count);
    }
}

static int do_job(unsigned lane)
{
    bool mine = crew.turn == ALL_LANES || crew.turn == lane;

    return mine ? crew.job(&crew.lanes[lane], crew.argument) : 0;
}

static void *work(void *argument)
{
    struct bed *bed = argument;

    crew.results[bed->lane] = bed_bind_client(bed);
    pthread_barrier_wait(&crew.end);
    for (;;) {
        pthread_barrier_wait(&crew.begin);
        if (crew.job == NULL)
            return NULL;
        crew.results[bed->lane] = do_job(bed->lane);
        pthread_barrier_wait(&crew.end);
    }
}

static int results(void)
{
    for (unsigned i = 0; i < crew.count; i++)
        if (crew.results[i] != 0)
            return -1;
    return 0;
}

static int run(lanes_job job, void *argument, unsigned turn)
{
    crew.job = job;
    crew.argument = argument;
    crew.turn = turn;
    pthread_barrier_wait(&crew.begin);
    crew.results[0] = do_job(0);
    pthread_barrier_wait(&crew.end);
    return results();
}

int lanes_start(struct bed *lanes, unsigned count)
{
    crew.lanes = lanes;
    crew.count = count;
    pthread_barrier_init(&crew.begin, NULL, count);
    pthread_barrier_init(&crew.end, NULL, count);
    for (unsigned i = 1; i < count; i++)
        if (pthread_create(&crew.threads[i], NULL, work, &lanes[i]) != 0)
            return bed_refuse("a thread for the client of lane %u cannot be made", i);
    pthread_barrier_wait(&crew.end);
    return results();
}

int lanes_together(lanes_job job, void *argument)
{
    return run(job, argument, ALL_LANES);
}

int lanes_in_turn(lanes_job job, void *argument)
{
    for (unsigned i = 0; i < crew.count; i++)
        if (run(job, argument, i) != 0)
            return -1;
    return 0;
}

void lanes_stop(void)
{
    crew.job = NULL;
    pthread_barrier_wait(&crew.begin);
    for (unsigned i = 1; i < crew.count; i++)
        pthread_join(crew.threads[i], NULL);
    pthread_barrier_destroy(&crew.begin);
    pthread_barrier_destroy(&crew.end);
}
