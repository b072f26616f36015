/* SPDX-License-Identifier: BSD-3-Clause */

/* What a host says by IGMP: records and packets, changes told again and again, answers to queries. */

#include "igmp_state.h"

/** Tenths of a second in which unasked reports are repeated: of version 3 (RFC 3376, 8.11), and of the older
 *  ones (RFC 2236, 8.10). */
#define REPEAT_TENTHS 10u
#define OLD_REPEAT_TENTHS 100u

/* --- packets --------------------------------------------------------------------------------------- */

static uint32_t own_address(const struct igmp *igmp)
{
    return igmp->settings.addresses_count != 0 ? igmp->addresses[0] : 0;
}

static void emit(struct igmp *igmp, size_t length)
{
    igmp->settings.emit(igmp->settings.context, igmp->packet, length);
    igmp->counts.reports++;
    igmp->packets++;
}

void igmp_tell_begin(struct igmp *igmp)
{
    size_t room = igmp->settings.mtu;

    if (room > sizeof igmp->packet)
        room = sizeof igmp->packet;
    igmp_report_begin(&igmp->report, igmp->packet, room < IGMP_LEAST_MTU ? IGMP_LEAST_MTU : room);
}

/* Send what has been gathered. */
static void end_report(struct igmp *igmp)
{
    if (igmp->report.records == 0)
        return;
    emit(igmp, igmp_report_end(&igmp->report, own_address(igmp)));
    igmp_tell_begin(igmp);
}

/* Of version 1 or 2. */
static void send_short(struct igmp *igmp, enum igmp_short type, uint32_t group)
{
    end_report(igmp); /* the same buffer */
    emit(igmp, igmp_build_short(igmp->packet, type, own_address(igmp), group));
}

/* A record that does not fit goes on in the next packet; one that says "all but these" is cut short: its
 * parts would contradict each other (RFC 3376, 4.2.16). */
static void add_record(struct igmp *igmp, enum source_record_type type, uint32_t group,
                       const uint32_t *sources, unsigned count)
{
    do {
        int room = igmp_report_room(&igmp->report);

        if (room < 0 || ((unsigned)room < count && igmp->report.records != 0)) {
            end_report(igmp);
            room = igmp_report_room(&igmp->report);
        }
        unsigned part = count < (unsigned)room ? count : (unsigned)room;
        igmp_report_add(&igmp->report, type, group, sources, part);
        sources += part;
        count -= part;
    } while (count != 0 && type != RECORD_IS_EX && type != RECORD_TO_EX);
}

static bool may_send(const struct igmp *igmp)
{
    return igmp->packets < IGMP_PACKETS_PER_RUN;
}

/* --- what a group's records list -------------------------------------------------------------------- */

typedef bool (*source_choice)(const struct igmp_group *group,
                              const struct igmp_source_state *source);

static bool is_listed(const struct igmp_group *group, const struct igmp_source_state *source)
{
    (void)group;
    return source->listed;
}

/* Somebody may take it for listed: it is, or it was and nobody has been told yet. */
static bool may_be_known(const struct igmp_group *group, const struct igmp_source_state *source)
{
    return source->left != 0 || is_listed(group, source);
}

static bool is_wanted(const struct igmp_group *group, const struct igmp_source_state *source)
{
    return source->listed != group->exclude;
}

static bool is_newly_wanted(const struct igmp_group *group, const struct igmp_source_state *source)
{
    return source->left != 0 && is_wanted(group, source);
}

static bool is_newly_unwanted(const struct igmp_group *group,
                              const struct igmp_source_state *source)
{
    return source->left != 0 && !is_wanted(group, source);
}

static bool is_asked_and_wanted(const struct igmp_group *group,
                                const struct igmp_source_state *source)
{
    return source->asked && is_wanted(group, source);
}

static unsigned choose(const struct igmp *igmp, const struct igmp_group *group,
                       source_choice choice, uint32_t sources[IGMP_GROUP_SOURCES])
{
    const struct igmp_source_state *all = igmp->table.sources;
    unsigned count = 0;

    for (uint32_t i = group->sources; i != IGMP_NONE; i = all[i].next)
        if (choice(group, &all[i]))
            sources[count++] = all[i].address;
    return count;
}

/* A record of the chosen sources, if there are any. */
static void add_chosen(struct igmp *igmp, const struct igmp_group *group,
                       enum source_record_type type, source_choice choice)
{
    uint32_t sources[IGMP_GROUP_SOURCES];
    unsigned count = choose(igmp, group, choice, sources);

    if (count != 0)
        add_record(igmp, type, group->address, sources, count);
}

/* A record of the whole filter. */
static void add_filter(struct igmp *igmp, const struct igmp_group *group,
                       enum source_record_type include, enum source_record_type exclude)
{
    uint32_t sources[IGMP_GROUP_SOURCES];
    unsigned count = choose(igmp, group, is_listed, sources);

    add_record(igmp, group->exclude ? exclude : include, group->address, sources, count);
}

/* --- telling of changes ----------------------------------------------------------------------------- */

static bool has_changes(const struct igmp *igmp, const struct igmp_group *group)
{
    const struct igmp_source_state *all = igmp->table.sources;

    if (group->mode_left != 0)
        return true;
    for (uint32_t i = group->sources; i != IGMP_NONE; i = all[i].next)
        if (all[i].left != 0)
            return true;
    return false;
}

/* RFC 3376, 5.1. */
static void tell_change(struct igmp *igmp, struct igmp_group *group, uint64_t now)
{
    struct igmp_source_state *all = igmp->table.sources;

    if (group->mode_left != 0) {
        group->mode_left--;
        add_filter(igmp, group, RECORD_TO_IN, RECORD_TO_EX);
    } else {
        add_chosen(igmp, group, RECORD_ALLOW, is_newly_wanted);
        add_chosen(igmp, group, RECORD_BLOCK, is_newly_unwanted);
    }
    for (uint32_t i = group->sources; i != IGMP_NONE; i = all[i].next)
        if (all[i].left != 0)
            all[i].left--;
    igmp_tidy_sources(&igmp->table, group);
    if (has_changes(igmp, group)) {
        if (igmp->repeat.first == IGMP_NONE)
            igmp->repeat_due = now + igmp_some_delay(igmp, igmp_ticks(igmp, REPEAT_TENTHS));
        igmp_enqueue(&igmp->table, &igmp->repeat, group);
    } else if (!igmp_is_member(group)) {
        igmp_remove(&igmp->table, group);
    }
}

static void report_old(struct igmp *igmp, struct igmp_group *group)
{
    send_short(igmp, igmp->version == IGMP_V1 ? IGMP_V1_REPORT : IGMP_V2_REPORT, group->address);
    group->last_reporter = true;
}

/* If it still is to be told unasked. */
static void await_repeat(struct igmp *igmp, struct igmp_group *group, uint64_t now)
{
    if (group->repeats != 0)
        igmp_timer_set(&igmp->table, group,
                       now + igmp_some_delay(igmp, igmp_ticks(igmp, OLD_REPEAT_TENTHS)));
}

/* RFC 2236, 3. */
static void tell_change_old(struct igmp *igmp, struct igmp_group *group, uint64_t now)
{
    if (igmp_is_member(group)) {
        report_old(igmp, group);
        group->repeats = (uint8_t)(igmp->robustness - 1);
        await_repeat(igmp, group, now);
        return;
    }
    if (igmp->version == IGMP_V2 && group->last_reporter)
        send_short(igmp, IGMP_V2_LEAVE, group->address);
    igmp_remove(&igmp->table, group);
}

static void tell_changes(struct igmp *igmp, uint64_t now)
{
    while (igmp->changed.first != IGMP_NONE && may_send(igmp)) {
        struct igmp_group *group = &igmp->table.groups[igmp->changed.first];

        igmp_dequeue(&igmp->table, group);
        if (igmp->version == IGMP_V3)
            tell_change(igmp, group, now);
        else
            tell_change_old(igmp, group, now);
        igmp->told_at = now;
    }
    if (igmp->changed.first == IGMP_NONE)
        igmp->changed_due = IGMP_NEVER;
}

static void begin_repeats(struct igmp *igmp, uint64_t now)
{
    while (igmp->repeat.first != IGMP_NONE)
        igmp_enqueue(&igmp->table, &igmp->changed, &igmp->table.groups[igmp->repeat.first]);
    igmp->repeat_due = IGMP_NEVER;
    igmp->changed_due = igmp_earlier(igmp->changed_due, now);
}

/* --- answering queries ------------------------------------------------------------------------------ */

/* RFC 3376, 5.2: a group's timer has expired. */
static void answer_for_group(struct igmp *igmp, struct igmp_group *group)
{
    if (igmp_is_member(group)) {
        if (group->answer_all)
            add_filter(igmp, group, RECORD_IS_IN, RECORD_IS_EX);
        else
            add_chosen(igmp, group, RECORD_IS_IN, is_asked_and_wanted);
    }
    igmp_forget_asked(&igmp->table, group);
}

static void run_timers(struct igmp *igmp, uint64_t now)
{
    struct igmp_group *group;

    while (may_send(igmp) && (group = igmp_timer_first(&igmp->table)) != NULL &&
           group->due <= now) {
        igmp_timer_stop(&igmp->table, group);
        if (igmp->version == IGMP_V3) {
            answer_for_group(igmp, group);
            continue;
        }
        report_old(igmp, group);
        if (group->repeats != 0)
            group->repeats--;
        await_repeat(igmp, group, now);
    }
}

/* A record for every group, in as many packets as it takes. */
static void answer_for_all(struct igmp *igmp)
{
    while (igmp->answer_from != IGMP_NONE && may_send(igmp)) {
        const struct igmp_group *group = &igmp->table.groups[igmp->answer_from];

        if (igmp->answer_from == igmp->table.groups_ever) {
            igmp->answer_from = IGMP_NONE;
            break;
        }
        igmp->answer_from++;
        if (group->used && igmp_is_member(group))
            add_filter(igmp, group, RECORD_IS_IN, RECORD_IS_EX);
    }
}

/* --- calls ------------------------------------------------------------------------------------------ */

void igmp_tell_run(struct igmp *igmp, uint64_t now)
{
    if (igmp->repeat_due <= now)
        begin_repeats(igmp, now);
    if (igmp->changed_due <= now)
        tell_changes(igmp, now);
    run_timers(igmp, now);
    answer_for_all(igmp);
    end_report(igmp);
}

void igmp_tell_leaves(struct igmp *igmp)
{
    for (uint32_t i = 0; i < igmp->table.groups_ever; i++) {
        struct igmp_group *group = &igmp->table.groups[i];

        if (!group->used)
            continue;
        if (igmp->version == IGMP_V2 && group->last_reporter)
            send_short(igmp, IGMP_V2_LEAVE, group->address);
        if (igmp->version == IGMP_V3 && (group->exclude || group->mode_left != 0))
            add_record(igmp, RECORD_TO_IN, group->address, &group->address, 0);
        else if (igmp->version == IGMP_V3)
            add_chosen(igmp, group, RECORD_BLOCK, may_be_known);
        igmp_remove(&igmp->table, group);
    }
    end_report(igmp);
}
