/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * libFuzzer over IGMP: a host's life as the input has it. Filters change, time passes, packets come; each
 * step is a byte of what and some of how. Whatever is sent a router takes apart byte by byte; while only
 * version 3 was spoken it knows what the host wants; and when all is left nothing is kept.
 */

#include <stdint.h>

#include "igmp_peer.h"

#define GROUPS 12u
#define SOURCES 96u
#define HZ 1000u

struct input {
    const uint8_t *at, *end;
};

static unsigned next(struct input *input)
{
    return input->at < input->end ? *input->at++ : 0;
}

struct host {
    struct igmp *igmp;
    struct peer peer;
    uint64_t now;
    struct source_filter wanted[PEER_GROUPS];
    bool old_heard; /**< a querier of an older version may have been */
    bool crowded;   /**< filters may have been cut for want of room */
};

/* While version 3 alone was spoken, every record fits and the table has room for all, a router knows exactly
 * what is wanted. */
static void compare(const struct host *host)
{
    if (igmp_version(host->igmp) != IGMP_V3 || host->old_heard || host->crowded ||
        host->peer.mtu < 32 + 8 + 15 * 4)
        return;
    for (unsigned g = 0; g < PEER_GROUPS; g++)
        peer_require(source_filter_equal(&host->peer.known[g], &host->wanted[g]));
}

/* Until nothing is due. */
static void run(struct host *host)
{
    for (unsigned runs = 0; igmp_due(host->igmp) <= host->now; runs++) {
        unsigned before = host->peer.packets;

        peer_require(runs < 1000);
        igmp_run(host->igmp, host->now);
        peer_require(host->peer.packets - before <= IGMP_PACKETS_PER_RUN + 3 * SOURCES);
    }
}

static void pass(struct host *host, uint64_t milliseconds)
{
    uint64_t until = host->now + milliseconds;

    for (unsigned steps = 0; igmp_due(host->igmp) <= until && steps < 10000; steps++) {
        if (igmp_due(host->igmp) > host->now)
            host->now = igmp_due(host->igmp);
        run(host);
    }
    host->now = until;
}

static void change(struct host *host, struct input *input)
{
    unsigned group = next(input) % PEER_GROUPS, count = next(input);
    struct source_filter filter = {.exclude = (count & 128) != 0};

    for (count &= 15; count != 0; count--)
        source_filter_add(&filter, PEER_SOURCE(next(input)));
    bool done = igmp_set(host->igmp, PEER_GROUP(group), &filter, host->now) == 0;
    host->crowded |= igmp_sources_used(host->igmp) + 15 > SOURCES;
    if (done)
        host->wanted[group] = filter;
    else
        peer_require(igmp_groups_used(host->igmp) == GROUPS);
}

static void hear(struct host *host, const uint8_t *packet, size_t length)
{
    uint8_t *exact = malloc(length);

    peer_require(exact != NULL || length == 0);
    if (length != 0)
        memcpy(exact, packet, length);
    igmp_take(host->igmp, exact, length, host->now);
    host->old_heard |= igmp_version(host->igmp) != IGMP_V3;
    free(exact);
}

static void ask(struct host *host, struct input *input)
{
    struct peer_query query = {.version = IGMP_V3};
    uint8_t packet[400];
    unsigned what = next(input);

    if ((what & 3) == 3)
        query.version = (what & 4) != 0 ? IGMP_V1 : IGMP_V2;
    if ((what & 8) != 0)
        query.group = PEER_GROUP(what >> 4);
    query.code = (uint8_t)next(input);
    query.robustness = (uint8_t)next(input);
    query.interval_code = (uint8_t)next(input);
    if (query.version == IGMP_V3 && query.group != 0)
        for (unsigned n = next(input) % 64; query.sources_count < n; query.sources_count++)
            query.sources[query.sources_count] = PEER_SOURCE(next(input));
    hear(host, packet, peer_query(packet, &query));
}

static void hear_anything(struct host *host, struct input *input, bool sealed)
{
    uint8_t packet[300];
    size_t length = next(input), n = 0;

    for (; n < length; n++)
        packet[n] = (uint8_t)next(input);
    if (sealed && length >= 24)
        peer_seal(packet, length);
    hear(host, packet, length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct host host;
    struct input input = {data, data + size};
    uint32_t addresses[] = {PEER_US};
    void *memory = malloc(igmp_bytes(GROUPS, SOURCES));

    memset(&host, 0, sizeof host);
    peer_require(memory != NULL);
    host.now = 5;
    host.peer.mtu = 68 + next(&input) * 6u;
    host.igmp = igmp_create(memory, &(struct igmp_settings){
                                        .groups = GROUPS,
                                        .sources = SOURCES,
                                        .mtu = (uint16_t)host.peer.mtu,
                                        .ticks_per_second = HZ,
                                        .seed = next(&input),
                                        .addresses = addresses,
                                        .addresses_count = 1,
                                        .emit = peer_hear,
                                        .context = &host.peer,
                                    });
    while (input.at < input.end) {
        switch (next(&input) % 6) {
        case 0:
            change(&host, &input);
            break;
        case 1:
            ask(&host, &input);
            break;
        case 2:
            pass(&host, 1 + next(&input) * 16u);
            compare(&host);
            break;
        case 3:
            hear_anything(&host, &input, true);
            break;
        case 4:
            hear_anything(&host, &input, false);
            break;
        default:
            run(&host);
        }
        peer_require(igmp_groups_used(host.igmp) <= GROUPS);
        peer_require(igmp_sources_used(host.igmp) <= SOURCES);
    }
    for (unsigned g = 0; g < PEER_GROUPS; g++)
        igmp_set(host.igmp, PEER_GROUP(g), &SOURCE_FILTER_NONE, host.now);
    pass(&host, 40000000);
    peer_require(igmp_groups_used(host.igmp) == 0 && igmp_sources_used(host.igmp) == 0);
    peer_require(igmp_due(host.igmp) == UINT64_MAX);
    igmp_leave_all(host.igmp, host.now);
    free(memory);
    return 0;
}
