/* SPDX-License-Identifier: BSD-3-Clause */
#include "source_filter.h"

#include <errno.h>
#include <string.h>

/* Where a source is in the list, or would be. */
static unsigned find(const struct source_filter *filter, uint32_t source)
{
    unsigned from = 0, to = filter->count;

    while (from < to) {
        unsigned middle = (from + to) / 2;

        if (filter->sources[middle] < source)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

bool source_filter_lists(const struct source_filter *filter, uint32_t source)
{
    unsigned at = find(filter, source);

    return at < filter->count && filter->sources[at] == source;
}

int source_filter_add(struct source_filter *filter, uint32_t source)
{
    unsigned at = find(filter, source);

    if (at < filter->count && filter->sources[at] == source)
        return -EADDRINUSE;
    if (filter->count == SOURCE_FILTER_SOURCES)
        return -ENOBUFS;
    memmove(&filter->sources[at + 1], &filter->sources[at],
            (filter->count - at) * sizeof filter->sources[0]);
    filter->sources[at] = source;
    filter->count++;
    return 0;
}

int source_filter_remove(struct source_filter *filter, uint32_t source)
{
    unsigned at = find(filter, source);

    if (at == filter->count || filter->sources[at] != source)
        return -EADDRNOTAVAIL;
    filter->count--;
    memmove(&filter->sources[at], &filter->sources[at + 1],
            (filter->count - at) * sizeof filter->sources[0]);
    return 0;
}

bool source_filter_equal(const struct source_filter *a, const struct source_filter *b)
{
    return a->exclude == b->exclude && a->count == b->count &&
           memcmp(a->sources, b->sources, a->count * sizeof a->sources[0]) == 0;
}

/* Keep those sources of a list that another filter lists, or does not. */
static void keep(struct source_filter *filter, const struct source_filter *other, bool listed)
{
    uint16_t kept = 0;

    for (unsigned i = 0; i < filter->count; i++)
        if (source_filter_lists(other, filter->sources[i]) == listed)
            filter->sources[kept++] = filter->sources[i];
    filter->count = kept;
}

void source_filter_merge(struct source_filter *into, const struct source_filter *with)
{
    if (into->exclude) {
        keep(into, with, with->exclude);
        return;
    }
    if (with->exclude) {
        struct source_filter merged = *with;

        keep(&merged, into, false);
        *into = merged;
        return;
    }
    for (unsigned i = 0; i < with->count; i++)
        if (source_filter_add(into, with->sources[i]) == -ENOBUFS) {
            *into = SOURCE_FILTER_ANY;
            return;
        }
}

/* Those of one list that another does not have. @return 1, or 0: there are none, and no record */
static unsigned list_new(struct source_record *record, enum source_record_type type,
                         const struct source_filter *in, const struct source_filter *not_in)
{
    record->type = type;
    record->count = 0;
    for (unsigned i = 0; i < in->count; i++)
        if (!source_filter_lists(not_in, in->sources[i]))
            record->sources[record->count++] = in->sources[i];
    return record->count != 0;
}

unsigned source_filter_difference(const struct source_filter *before,
                                  const struct source_filter *after,
                                  struct source_record records[2])
{
    if (before->exclude == after->exclude) {
        const struct source_filter *wants = after->exclude ? before : after;
        const struct source_filter *wanted = after->exclude ? after : before;
        unsigned count = list_new(&records[0], RECORD_ALLOW, wants, wanted);

        return count + list_new(&records[count], RECORD_BLOCK, wanted, wants);
    }
    records[0].type = after->exclude ? RECORD_TO_EX : RECORD_TO_IN;
    records[0].count = after->count;
    memcpy(records[0].sources, after->sources, after->count * sizeof after->sources[0]);
    return 1;
}
