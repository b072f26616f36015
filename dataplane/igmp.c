/* SPDX-License-Identifier: BSD-3-Clause */
#include "igmp.h"

#include <errno.h>
#include <rte_byteorder.h>
#include <string.h>

#include "igmp_state.h"

/* RFC 3376, 8: used until a querier says otherwise. */
/** Tenths of a second in which all is reported again when the link is back. */
#define AGAIN_TENTHS 10u

#define DEFAULT_ROBUSTNESS 2u
#define DEFAULT_QUERY_INTERVAL 125u

/** Changes that come one upon the other are told of together, this part of a second after the last ones. */
#define GATHER_PART 1000u
/** Groups that a query of an old version gives their delays in one run. */
#define SPREAD_PER_RUN 64u

/* --- chance ---------------------------------------------------------------------------------------- */

/* Until some moment in the next `most` ticks, each as likely as any other (Vigna's splitmix64). */
uint64_t igmp_some_delay(struct igmp *igmp, uint64_t most)
{
    uint64_t z = igmp->random += 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return most == 0 ? 0 : (z ^ z >> 31) % most + 1;
}

/* --- what is heard --------------------------------------------------------------------------------- */

/* RFC 2236, 3: a running timer is set again only if the query asks for an earlier answer. */
static void delay_old(struct igmp *igmp, struct igmp_group *group, uint64_t most, uint64_t now)
{
    if (!igmp_is_member(group))
        return;
    uint64_t delay = igmp_some_delay(igmp, most);
    if (!igmp_timer_runs(group) || group->due > now + most)
        igmp_timer_set(&igmp->table, group, now + delay);
}

static void spread_delays(struct igmp *igmp, uint64_t now)
{
    for (unsigned n = 0; n < SPREAD_PER_RUN && igmp->spread_from != IGMP_NONE; n++) {
        if (igmp->spread_from == igmp->table.groups_ever) {
            igmp->spread_from = IGMP_NONE;
            break;
        }
        struct igmp_group *group = &igmp->table.groups[igmp->spread_from++];
        if (group->used)
            delay_old(igmp, group, igmp->spread_ticks, now);
    }
}

/* What a query asks of one group is remembered until its timer expires (RFC 3376, 5.2, rules 3 to 5). */
static void ask_group(struct igmp *igmp, struct igmp_group *group,
                      const struct igmp_message *message, uint64_t due)
{
    if (!igmp_timer_runs(group))
        igmp_timer_set(&igmp->table, group, due);
    else if (due < group->due)
        igmp_timer_set(&igmp->table, group, due);
    if (message->sources_count == 0)
        group->answer_all = true;
    /* A source that is asked for needs an entry of its own only if it is wanted for not being listed. Strangers
     * get no more than half of the entries. */
    bool full = igmp->table.sources_used >= igmp->table.sources_room / 2;
    for (unsigned i = 0; i < message->sources_count && !group->answer_all; i++) {
        struct igmp_source_state *source =
            igmp_source_of(&igmp->table, group, igmp_source(message, i), group->exclude && !full);

        if (source != NULL)
            source->asked = true;
        else if (group->exclude)
            group->answer_all = true; /* too many to remember: tell all */
    }
    if (!group->answer_all)
        return;
    igmp_forget_asked(&igmp->table, group);
    group->answer_all = true;
}

static void take_query(struct igmp *igmp, const struct igmp_message *message, uint64_t now)
{
    uint64_t most = igmp_ticks(igmp, message->response_tenths);
    struct igmp_group *group = NULL;

    if (message->group != 0) {
        group = igmp_find(&igmp->table, message->group);
        if (group == NULL || !igmp_is_member(group))
            return;
    }
    if (igmp->version != IGMP_V3) {
        if (group != NULL) {
            delay_old(igmp, group, most, now);
        } else {
            igmp->spread_from = 0;
            igmp->spread_ticks = most;
        }
        return;
    }
    uint64_t due = now + igmp_some_delay(igmp, most);
    if (igmp->general_due <= due)
        return; /* it will be answered for all before that */
    if (group == NULL)
        igmp->general_due = due;
    else
        ask_group(igmp, group, message, due);
}

/* --- versions --------------------------------------------------------------------------------------- */

/* RFC 3376, 7.2.1: another version cancels all that is pending; but a group that nobody has been told of
 * yet still is to be told. */
static void choose_version(struct igmp *igmp, uint64_t now)
{
    enum igmp_version version = IGMP_V3;

    if (igmp->v1_until > now)
        version = IGMP_V1;
    else if (igmp->v2_until > now)
        version = IGMP_V2;
    if (version == igmp->version)
        return;
    igmp->version = version;
    igmp->general_due = igmp->changed_due = igmp->repeat_due = IGMP_NEVER;
    igmp->answer_from = igmp->spread_from = IGMP_NONE;
    for (uint32_t i = 0; i < igmp->table.groups_ever; i++) {
        struct igmp_group *group = &igmp->table.groups[i];

        if (!group->used)
            continue;
        bool untold = group->queue == &igmp->changed;
        igmp_timer_stop(&igmp->table, group);
        igmp_dequeue(&igmp->table, group);
        igmp_forget_changes(&igmp->table, group);
        igmp_forget_asked(&igmp->table, group);
        group->repeats = 0;
        group->last_reporter = false;
        if (!igmp_is_member(group)) {
            igmp_remove(&igmp->table, group);
        } else if (untold) {
            group->mode_left = version == IGMP_V3 ? igmp->robustness : 0;
            igmp_enqueue(&igmp->table, &igmp->changed, group);
            igmp->changed_due = now;
        }
    }
}

/* What a querier says of itself. */
static void heed_querier(struct igmp *igmp, const struct igmp_message *message, uint64_t now)
{
    if (message->version == IGMP_V3) { /* RFC 3376, 4.1.6 and 4.1.7 */
        igmp->robustness = message->robustness != 0 ? message->robustness : DEFAULT_ROBUSTNESS;
        igmp->query_interval = message->interval != 0 ? message->interval : DEFAULT_QUERY_INTERVAL;
    } else if (message->group == 0) { /* 8.12 */
        uint64_t until =
            now + igmp_ticks(igmp, (uint64_t)igmp->robustness * igmp->query_interval * 10 +
                                       message->response_tenths);

        *(message->version == IGMP_V1 ? &igmp->v1_until : &igmp->v2_until) = until;
    }
}

/* --- calls ------------------------------------------------------------------------------------------ */

static bool is_own_address(const struct igmp *igmp, uint32_t address)
{
    for (unsigned i = 0; i < igmp->settings.addresses_count; i++)
        if (igmp->addresses[i] == address)
            return true;
    return false;
}

static bool is_for_us(const struct igmp *igmp, const struct igmp_message *message)
{
    return message->kind == IGMP_REPORT || message->destination == message->group ||
           message->destination == rte_cpu_to_be_32(IGMP_ALL_HOSTS) ||
           is_own_address(igmp, message->destination);
}

/* Another host has said it for us (RFC 2236, 3). */
static void take_report(struct igmp *igmp, const struct igmp_message *message)
{
    struct igmp_group *group = igmp_find(&igmp->table, message->group);

    if (igmp->version == IGMP_V3 || group == NULL || !igmp_is_member(group))
        return;
    if (igmp_timer_runs(group))
        igmp->counts.suppressed++;
    igmp_timer_stop(&igmp->table, group);
    group->repeats = 0;
    group->last_reporter = false;
}

bool igmp_take(struct igmp *igmp, const uint8_t *packet, size_t length, uint64_t now)
{
    struct igmp_message message;

    if (igmp_parse(packet, length, &message) == IGMP_NOTHING || !is_for_us(igmp, &message)) {
        igmp->counts.bad++;
        return false;
    }
    if (message.kind == IGMP_REPORT) {
        choose_version(igmp, now);
        take_report(igmp, &message);
        return true;
    }
    igmp->counts.queries++;
    heed_querier(igmp, &message, now);
    choose_version(igmp, now);
    take_query(igmp, &message, now);
    return true;
}

static struct source_filter filter_of(const struct igmp *igmp, const struct igmp_group *group)
{
    struct source_filter filter = {.exclude = group->exclude};
    const struct igmp_source_state *all = igmp->table.sources;

    for (uint32_t i = group->sources; i != IGMP_NONE; i = all[i].next)
        if (all[i].listed)
            source_filter_add(&filter, all[i].address);
    return filter;
}

/* @return false: there is no room for all the sources, and none is listed */
static bool list_sources(struct igmp *igmp, struct igmp_group *group,
                         const struct source_filter *filter)
{
    struct igmp_source_state *all = igmp->table.sources;

    for (uint32_t i = group->sources; i != IGMP_NONE; i = all[i].next)
        all[i].listed = false;
    group->listed_count = 0;
    for (unsigned i = 0; i < filter->count; i++) {
        struct igmp_source_state *source =
            igmp_source_of(&igmp->table, group, filter->sources[i], true);

        if (source == NULL) {
            list_sources(igmp, group, &SOURCE_FILTER_ANY);
            return false;
        }
        source->listed = true;
        group->listed_count++;
    }
    return true;
}

/* Note what is to be told; those that are not listed any more are still there. */
static bool note_change(struct igmp *igmp, struct igmp_group *group,
                        const struct source_filter *before, const struct source_filter *after)
{
    struct source_record records[2];
    unsigned count = source_filter_difference(before, after, records);

    if (count != 0 && records[0].type < RECORD_ALLOW) {
        group->mode_left = igmp->robustness;
        return true;
    }
    for (unsigned r = 0; r < count; r++)
        for (unsigned i = 0; i < records[r].count; i++) {
            struct igmp_source_state *source =
                igmp_source_of(&igmp->table, group, records[r].sources[i], false);

            if (source != NULL)
                source->left = igmp->robustness;
        }
    return count != 0;
}

/* @return true: there is something to be told */
static bool apply(struct igmp *igmp, struct igmp_group *group, const struct source_filter *wanted)
{
    struct source_filter before = filter_of(igmp, group), after = *wanted;

    if (group->sources_count + after.count > IGMP_GROUP_SOURCES) {
        igmp_forget_changes(&igmp->table, group); /* too many to remember: tell all */
        igmp_forget_asked(&igmp->table, group);
        group->answer_all = igmp_timer_runs(group);
        group->mode_left = igmp->robustness;
    }
    if (!list_sources(igmp, group, &after))
        after = SOURCE_FILTER_ANY;
    group->exclude = after.exclude;
    return note_change(igmp, group, &before, &after);
}

int igmp_set(struct igmp *igmp, uint32_t group, const struct source_filter *filter, uint64_t now)
{
    if (group == rte_cpu_to_be_32(IGMP_ALL_HOSTS))
        return 0;
    choose_version(igmp, now);
    struct igmp_group *entry = igmp_find(&igmp->table, group);
    if (entry == NULL) {
        if (source_filter_is_none(filter))
            return 0;
        entry = igmp_add(&igmp->table, group);
        if (entry == NULL)
            return -ENOBUFS;
    }
    bool was_member = igmp_is_member(entry);
    bool changed = apply(igmp, entry, filter);
    if (igmp->version != IGMP_V3)
        igmp_forget_changes(&igmp->table, entry);
    igmp_tidy_sources(&igmp->table, entry);
    if (!igmp_is_member(entry)) {
        igmp_timer_stop(&igmp->table, entry);
        entry->repeats = 0;
        igmp_forget_asked(&igmp->table, entry);
    }
    if (igmp->version == IGMP_V3 ? !changed : was_member == igmp_is_member(entry))
        return 0;
    if (igmp->changed.first == IGMP_NONE)
        igmp->changed_due = igmp->told_at == IGMP_NEVER
                                ? now
                                : igmp->told_at + igmp->settings.ticks_per_second / GATHER_PART;
    igmp_enqueue(&igmp->table, &igmp->changed, entry);
    return 0;
}

void igmp_set_interface(struct igmp *igmp, uint16_t mtu, const uint32_t *addresses, unsigned count)
{
    igmp->settings.mtu = mtu;
    igmp->settings.addresses_count = count < IGMP_ADDRESSES ? count : IGMP_ADDRESSES;
    if (igmp->settings.addresses_count != 0)
        memcpy(igmp->addresses, addresses,
               igmp->settings.addresses_count * sizeof igmp->addresses[0]);
    igmp_tell_begin(igmp);
}

void igmp_report_again(struct igmp *igmp, uint64_t now)
{
    const struct igmp_message general = {.response_tenths = AGAIN_TENTHS};

    choose_version(igmp, now);
    take_query(igmp, &general, now);
}

uint64_t igmp_due(const struct igmp *igmp)
{
    uint64_t due =
        igmp_earlier(igmp_earlier(igmp->changed_due, igmp->repeat_due), igmp->general_due);

    if (igmp->answer_from != IGMP_NONE || igmp->spread_from != IGMP_NONE)
        return 0;
    if (igmp->table.heap_count != 0)
        due = igmp_earlier(due, igmp->table.groups[igmp->table.heap[0]].due);
    return due;
}

void igmp_run(struct igmp *igmp, uint64_t now)
{
    igmp->packets = 0;
    choose_version(igmp, now);
    spread_delays(igmp, now);
    if (igmp->general_due <= now) {
        igmp->general_due = IGMP_NEVER;
        igmp->answer_from = 0;
    }
    igmp_tell_run(igmp, now);
}

void igmp_leave_all(struct igmp *igmp, uint64_t now)
{
    choose_version(igmp, now);
    igmp_tell_leaves(igmp);
    igmp->general_due = igmp->changed_due = igmp->repeat_due = IGMP_NEVER;
    igmp->answer_from = igmp->spread_from = IGMP_NONE;
}

enum igmp_version igmp_version(const struct igmp *igmp)
{
    return igmp->version;
}

const struct igmp_counts *igmp_counts(const struct igmp *igmp)
{
    return &igmp->counts;
}

uint32_t igmp_groups_used(const struct igmp *igmp)
{
    return igmp->table.groups_used;
}

uint32_t igmp_sources_used(const struct igmp *igmp)
{
    return igmp->table.sources_used;
}

/* --- beginning -------------------------------------------------------------------------------------- */

size_t igmp_bytes(uint32_t groups, uint32_t sources)
{
    return sizeof(struct igmp) + igmp_table_bytes(groups, sources);
}

struct igmp *igmp_create(void *memory, const struct igmp_settings *settings)
{
    static const struct igmp_queue empty = {IGMP_NONE, IGMP_NONE};
    struct igmp *igmp = memory;

    memset(igmp, 0, sizeof *igmp);
    igmp->settings = *settings;
    igmp_table_create(&igmp->table, igmp + 1, settings->groups, settings->sources);
    igmp->random = settings->seed;
    igmp->version = IGMP_V3;
    igmp->robustness = DEFAULT_ROBUSTNESS;
    igmp->query_interval = DEFAULT_QUERY_INTERVAL;
    igmp->changed = igmp->repeat = empty;
    igmp->changed_due = igmp->repeat_due = igmp->general_due = igmp->told_at = IGMP_NEVER;
    igmp->answer_from = igmp->spread_from = IGMP_NONE;
    igmp_set_interface(igmp, settings->mtu, settings->addresses, settings->addresses_count);
    return igmp;
}
