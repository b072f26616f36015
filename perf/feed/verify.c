/* SPDX-License-Identifier: BSD-3-Clause */
#include "verify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/** What was received of one group, in that order. */
struct received {
    const uint8_t **datagrams; /**< each at its length field */
    uint64_t count;
    uint64_t room;
    uint64_t next; /**< the first that has not been compared */
    uint64_t sent;
    uint64_t lost;
    uint64_t extra; /**< doubled, late or altered */
};

struct verification {
    const char *path;
    const uint8_t *bytes;
    size_t size;
    unsigned group_count;
    struct received *groups;
};

static uint32_t length_at(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int add(struct received *group, const uint8_t *datagram)
{
    if (group->count == group->room) {
        uint64_t room = group->room == 0 ? 1024 : group->room * 2;
        const uint8_t **grown = realloc(group->datagrams, room * sizeof *grown);
        if (grown == NULL)
            return -1;
        group->datagrams = grown;
        group->room = room;
    }
    group->datagrams[group->count++] = datagram;
    return 0;
}

/** Sort the file's datagrams by group. @return 0, or -1 after saying why */
static int index_file(struct verification *it)
{
    size_t at = 0;

    while (at < it->size) {
        struct mold_header header;
        if (it->size - at < 4 || it->size - at - 4 < length_at(it->bytes + at)) {
            fprintf(stderr, "wirerx-feed: %s: cut short at byte %zu\n", it->path, at);
            return -1;
        }
        uint32_t length = length_at(it->bytes + at);
        if (mold_parse(it->bytes + at + 4, length, &header) != 0 ||
            header.group >= it->group_count) {
            fprintf(stderr, "wirerx-feed: %s: byte %zu: no datagram of this feed\n", it->path, at);
            return -1;
        }
        if (add(&it->groups[header.group], it->bytes + at) != 0) {
            fprintf(stderr, "wirerx-feed: out of memory\n");
            return -1;
        }
        at += 4 + (size_t)length;
    }
    return 0;
}

static bool same(const uint8_t *received, const struct feed_datagram *sent)
{
    return length_at(received) == sent->length &&
           memcmp(received + 4, sent->payload, sent->length) == 0;
}

static uint64_t sequence_of(const uint8_t *payload, size_t length)
{
    struct mold_header header = {0};

    mold_parse(payload, length, &header);
    return header.sequence;
}

/** One datagram that was sent: was it the next to be received? */
static void compare(struct received *group, const struct feed_datagram *sent)
{
    uint64_t sequence = sequence_of(sent->payload, sent->length);

    group->sent++;
    for (; group->next < group->count; group->next++) {
        const uint8_t *received = group->datagrams[group->next];
        if (same(received, sent)) {
            group->next++;
            return;
        }
        if (sequence_of(received + 4, length_at(received)) >= sequence)
            break;
        group->extra++; /* from before: its turn is over */
    }
    group->lost++;
}

static int report(struct verification *it)
{
    uint64_t sent = 0, received = 0, lost = 0, extra = 0;

    for (unsigned i = 0; i < it->group_count; i++) {
        struct received *group = &it->groups[i];
        group->extra += group->count - group->next;
        sent += group->sent;
        received += group->count;
        lost += group->lost;
        extra += group->extra;
        if (group->lost > 0 || group->extra > 0) {
            uint32_t address = feed_group_address(i);
            printf("%u.%u.%u.%u:%u sent %llu received %llu lost %llu extra %llu\n", address >> 24,
                   address >> 16 & 0xff, address >> 8 & 0xff, address & 0xff, FEED_PORT,
                   (unsigned long long)group->sent, (unsigned long long)group->count,
                   (unsigned long long)group->lost, (unsigned long long)group->extra);
        }
    }
    printf("%u groups: sent %llu received %llu lost %llu extra %llu%s\n", it->group_count,
           (unsigned long long)sent, (unsigned long long)received, (unsigned long long)lost,
           (unsigned long long)extra,
           lost == 0 && extra == 0 ? ": nothing lost, doubled, reordered or altered" : "");
    return lost == 0 && extra == 0 ? 0 : 1;
}

static int compare_all(struct verification *it, const struct feed_options *options)
{
    struct feed_datagram sent;
    struct feed feed;
    int status = 2;

    it->group_count = options->groups;
    it->groups = calloc(options->groups, sizeof *it->groups);
    if (feed_begin(&feed, options) != 0 || it->groups == NULL) {
        fprintf(stderr, "wirerx-feed: out of memory\n");
    } else if (index_file(it) == 0) {
        while (feed_next(&feed, &sent))
            compare(&it->groups[sent.group], &sent);
        status = report(it);
    }
    for (unsigned i = 0; it->groups != NULL && i < it->group_count; i++)
        free(it->groups[i].datagrams);
    free(it->groups);
    feed_end(&feed);
    return status;
}

int verify(const char *path, const struct feed_options *options)
{
    struct verification it = {.path = path};
    struct stat file;
    void *mapped = NULL;

    FILE *stream = fopen(path, "rb");
    if (stream == NULL || fstat(fileno(stream), &file) != 0) {
        fprintf(stderr, "wirerx-feed: %s: %s\n", path, strerror(errno));
        if (stream != NULL)
            fclose(stream);
        return 2;
    }
    it.size = (size_t)file.st_size;
    if (it.size > 0)
        mapped = mmap(NULL, it.size, PROT_READ, MAP_PRIVATE, fileno(stream), 0);
    fclose(stream);
    if (mapped == MAP_FAILED) {
        fprintf(stderr, "wirerx-feed: %s: %s\n", path, strerror(errno));
        return 2;
    }
    it.bytes = mapped;
    int status = compare_all(&it, options);
    if (mapped != NULL)
        munmap(mapped, it.size);
    return status;
}
