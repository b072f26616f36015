/* SPDX-License-Identifier: BSD-3-Clause */
#include "feed.h"

#include <stdlib.h>

#define NS_PER_S 1000000000ull
#define START_OF_DAY_S (9 * 3600 + 30 * 60) /* 09:30, when markets open */
/** MoldUDP64's heartbeat: a group that has been silent so long says that it is alive. */
#define HEARTBEAT_NS NS_PER_S
/** A frame's time on a 10 Gbit/s wire, with headers, preamble and gap: the pace inside a burst. */
#define WIRE_NS(payload) (((uint64_t)(payload) + 66) * 8 / 10)

int feed_begin(struct feed *feed, const struct feed_options *options)
{
    uint64_t sum = 0;

    *feed = (struct feed){.options = *options, .random = {options->seed}};
    feed->start_ns = feed->now_ns = START_OF_DAY_S * NS_PER_S;
    feed->groups = calloc(options->groups, sizeof *feed->groups);
    feed->weights = calloc(options->groups, sizeof *feed->weights);
    if (feed->groups == NULL || feed->weights == NULL)
        return -1;
    for (unsigned i = 0; i < options->groups; i++) {
        mold_group_init(&feed->groups[i], i, feed->now_ns);
        feed->weights[i] = sum +=
            1000000 / (i + 4); /* the first carries some nine times the last */
    }
    return 0;
}

void feed_end(struct feed *feed)
{
    free(feed->groups);
    free(feed->weights);
}

static unsigned choose_group(struct feed *feed)
{
    unsigned last = feed->options.groups - 1;
    uint32_t dice = random_below(&feed->random, (uint32_t)feed->weights[last]);
    unsigned low = 0;

    for (unsigned high = last; low < high;) {
        unsigned middle = (low + high) / 2;
        if (feed->weights[middle] > dice)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/** Wait until the average rate is met again, and then some time that nobody can foresee. */
static void begin_burst(struct feed *feed)
{
    double per_datagram = (double)NS_PER_S / feed->options.rate;
    uint64_t due = feed->start_ns + (uint64_t)((double)feed->made * per_datagram);
    uint64_t unforeseen = random_below(&feed->random, (uint32_t)(per_datagram * 2) + 1);

    if (due > feed->now_ns)
        feed->now_ns = due;
    feed->now_ns += unforeseen;
    feed->group = choose_group(feed);
    feed->burst_left = 1 + random_run(&feed->random, 180, 12);
    if (random_below(&feed->random, 200) == 0) /* news */
        feed->burst_left += 30 + random_below(&feed->random, 200);
}

/** A group that has been silent for too long; NULL: none. One is looked at for each datagram. */
static struct mold_group *silent_group(struct feed *feed)
{
    struct mold_group *group = &feed->groups[feed->quiet_group];

    feed->quiet_group = (feed->quiet_group + 1) % feed->options.groups;
    return feed->now_ns - group->last_sent_ns >= HEARTBEAT_NS ? group : NULL;
}

static unsigned choose_message_count(struct feed *feed)
{
    unsigned more = feed->burst_left > 8 ? 200u : 96u; /* senders pack more when they are behind */

    return 1 + random_run(&feed->random, more, 40);
}

bool feed_next(struct feed *feed, struct feed_datagram *datagram)
{
    uint64_t left = feed->options.datagrams - feed->made;
    struct mold_group *group;

    if (left == 0)
        return false;
    if (left <= feed->options.groups) {
        group = &feed->groups[feed->options.groups - left];
        datagram->length = mold_end_of_session(group, feed->now_ns, datagram->payload);
    } else if ((group = silent_group(feed)) != NULL) {
        datagram->length = mold_heartbeat(group, feed->now_ns, datagram->payload);
    } else {
        if (feed->burst_left == 0)
            begin_burst(feed);
        else if (random_below(&feed->random, 4) == 0)
            feed->group = choose_group(feed); /* what moves one instrument moves others */
        feed->burst_left -= feed->burst_left > 0;
        group = &feed->groups[feed->group];
        datagram->length = mold_data(group, &feed->random, feed->now_ns, choose_message_count(feed),
                                     datagram->payload);
    }
    datagram->group = group->index;
    datagram->time_ns = feed->now_ns;
    feed->now_ns += WIRE_NS(datagram->length);
    feed->made++;
    return true;
}

uint32_t feed_group_address(unsigned group)
{
    return FEED_FIRST_GROUP + (group / 250 << 8) + group % 250;
}
