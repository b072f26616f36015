/* SPDX-License-Identifier: BSD-3-Clause */
#include "mold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char session_prefix[] = "WRRX";

static void put(uint8_t *out, uint64_t value, unsigned bytes)
{
    while (bytes-- > 0)
        *out++ = (uint8_t)(value >> 8 * bytes);
}

static uint64_t get(const uint8_t *in, unsigned bytes)
{
    uint64_t value = 0;

    while (bytes-- > 0)
        value = value << 8 | *in++;
    return value;
}

static size_t put_header(struct mold_group *group, uint64_t time_ns, unsigned messages,
                         uint8_t *out)
{
    char session[MOLD_SESSION_BYTES + 1];

    snprintf(session, sizeof session, "%s%06u", session_prefix, group->index % 1000000u);
    memcpy(out, session, MOLD_SESSION_BYTES);
    put(out + 10, group->next_sequence, 8);
    put(out + 18, messages, 2);
    group->last_sent_ns = time_ns;
    return MOLD_HEADER_BYTES;
}

void mold_group_init(struct mold_group *group, unsigned index, uint64_t time_ns)
{
    group->index = index;
    group->next_sequence = 1;
    group->last_sent_ns = time_ns;
    itch_book_init(&group->book, index);
}

size_t mold_data(struct mold_group *group, struct random *random, uint64_t time_ns,
                 unsigned messages, uint8_t *out)
{
    size_t length = MOLD_HEADER_BYTES;
    unsigned count = 0;

    while (count < messages && length + 2 + ITCH_MAX_BYTES <= MOLD_MAX_BYTES) {
        size_t message = itch_next(&group->book, random, time_ns, out + length + 2);
        put(out + length, message, 2);
        length += 2 + message;
        count++;
    }
    put_header(group, time_ns, count, out);
    group->next_sequence += count;
    return length;
}

size_t mold_heartbeat(struct mold_group *group, uint64_t time_ns, uint8_t *out)
{
    return put_header(group, time_ns, 0, out);
}

size_t mold_end_of_session(struct mold_group *group, uint64_t time_ns, uint8_t *out)
{
    return put_header(group, time_ns, MOLD_END_OF_SESSION, out);
}

int mold_parse(const uint8_t *payload, size_t length, struct mold_header *header)
{
    size_t prefix = sizeof session_prefix - 1;
    unsigned group = 0;

    if (length < MOLD_HEADER_BYTES || memcmp(payload, session_prefix, prefix) != 0)
        return -1;
    for (size_t i = prefix; i < MOLD_SESSION_BYTES; i++) {
        if (payload[i] < '0' || payload[i] > '9')
            return -1;
        group = group * 10 + (unsigned)(payload[i] - '0');
    }
    header->group = group;
    header->sequence = get(payload + 10, 8);
    header->messages = (unsigned)get(payload + 18, 2);
    return 0;
}
