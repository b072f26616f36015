/* SPDX-License-Identifier: BSD-3-Clause */
#include "arp.h"

#include <string.h>

#include "rate.h"

/** Entries that one arp_run() sees to. */
#define RUN_ENTRIES 32u

#define NONE UINT16_MAX

enum state {
    FREE,
    ASKED, /* its MAC is not known */
    KNOWN,
    REFRESHING, /* known, and asked whether it is still so */
    STATIC,
};

/* Every entry is in one list of the first three by its state, but for static ones, and so that the one
 * that is due first, or is free, is in front: times in one list are all equally long. */
enum list_name {
    LIST_FREE,
    LIST_RETRY,
    LIST_FRESH,
    LIST_USED, /* the one used longest ago is in front; not the free and static ones */
    LISTS
};

struct list {
    uint16_t first, last;
};

struct links {
    uint16_t previous, next;
};

struct entry {
    uint32_t address;
    struct rte_ether_addr mac;
    uint8_t state;
    uint8_t tries;
    uint8_t waiting_count;
    bool used; /* since it was last heard of */
    uint16_t hash_next;
    struct links by_time, by_use;
    uint64_t due;
    struct waiting {
        void *packet;
        unsigned buffers;
    } waiting[ARP_WAITING]; /* the oldest first */
};

struct arp {
    struct arp_settings settings;
    struct rate_pair {
        struct rate answers, questions;
    } rates;
    unsigned waiting_count;
    unsigned waiting_buffers;
    unsigned buckets; /* a power of two */
    struct list lists[LISTS];
    uint16_t *heads;
    struct entry *entries;
};

/* --- lists ------------------------------------------------------------------------------------ */

static struct links *links_of(struct arp *arp, enum list_name name, uint16_t index)
{
    return name == LIST_USED ? &arp->entries[index].by_use : &arp->entries[index].by_time;
}

static void append(struct arp *arp, enum list_name name, uint16_t index)
{
    struct list *list = &arp->lists[name];

    *links_of(arp, name, index) = (struct links){list->last, NONE};
    if (list->last == NONE)
        list->first = index;
    else
        links_of(arp, name, list->last)->next = index;
    list->last = index;
}

static void unlink_from(struct arp *arp, enum list_name name, uint16_t index)
{
    struct list *list = &arp->lists[name];
    struct links links = *links_of(arp, name, index);

    if (links.previous == NONE)
        list->first = links.next;
    else
        links_of(arp, name, links.previous)->next = links.next;
    if (links.next == NONE)
        list->last = links.previous;
    else
        links_of(arp, name, links.next)->previous = links.previous;
}

static enum list_name list_of(const struct entry *entry)
{
    return entry->state == FREE ? LIST_FREE : entry->state == KNOWN ? LIST_FRESH : LIST_RETRY;
}

static uint16_t index_of(const struct arp *arp, const struct entry *entry)
{
    return (uint16_t)(entry - arp->entries);
}

/* Another state, and the time that it lasts. */
static void change(struct arp *arp, struct entry *entry, enum state state, uint64_t due)
{
    unlink_from(arp, list_of(entry), index_of(arp, entry));
    entry->state = (uint8_t)state;
    entry->due = due;
    if (state != STATIC)
        append(arp, list_of(entry), index_of(arp, entry));
}

/* --- the table -------------------------------------------------------------------------------- */

static uint16_t *head_of(const struct arp *arp, uint32_t address)
{
    uint64_t mixed = (uint64_t)(address ^ arp->settings.seed) * 0x9e3779b97f4a7c15ull;

    return &arp->heads[(mixed >> 32) & (arp->buckets - 1)];
}

static struct entry *find(const struct arp *arp, uint32_t address)
{
    for (uint16_t i = *head_of(arp, address); i != NONE; i = arp->entries[i].hash_next)
        if (arp->entries[i].address == address)
            return &arp->entries[i];
    return NULL;
}

/* The oldest packet that waits for a neighbour, or NULL. */
static void *take_waiting(struct arp *arp, struct entry *entry)
{
    if (entry->waiting_count == 0)
        return NULL;
    const struct waiting first = entry->waiting[0];
    memmove(entry->waiting, entry->waiting + 1, --entry->waiting_count * sizeof first);
    arp->waiting_count--;
    arp->waiting_buffers -= first.buffers;
    return first.packet;
}

static void lose_waiting(struct arp *arp, struct entry *entry)
{
    const struct arp_calls *calls = &arp->settings.calls;
    void *packet;

    while ((packet = take_waiting(arp, entry)) != NULL)
        calls->lost(calls->context, packet);
}

static void forget(struct arp *arp, struct entry *entry)
{
    uint16_t index = index_of(arp, entry), *link = head_of(arp, entry->address);

    lose_waiting(arp, entry);
    while (*link != index)
        link = &arp->entries[*link].hash_next;
    *link = entry->hash_next;
    unlink_from(arp, LIST_USED, index);
    change(arp, entry, FREE, 0);
}

static void tell(struct arp *arp, enum arp_event event)
{
    arp->settings.calls.event(arp->settings.calls.context, event);
}

/* A free place, or the one that was used longest ago; NULL: all are static. */
static struct entry *take_place(struct arp *arp, uint32_t address)
{
    uint16_t oldest = arp->lists[LIST_USED].first;

    if (arp->lists[LIST_FREE].first == NONE) {
        if (oldest == NONE)
            return NULL;
        tell(arp, ARP_REPLACED);
        forget(arp, &arp->entries[oldest]);
    }
    uint16_t index = arp->lists[LIST_FREE].first;
    struct entry *entry = &arp->entries[index];
    entry->address = address;
    entry->tries = 0;
    entry->used = false;
    entry->hash_next = *head_of(arp, address);
    *head_of(arp, address) = index;
    return entry;
}

/* --- what is said ----------------------------------------------------------------------------- */

static void emit(struct arp *arp, const struct arp_packet *packet, const struct rte_ether_addr *to)
{
    uint8_t frame[ARP_FRAME_BYTES];

    arp_packet_write(packet, to, frame);
    arp->settings.calls.emit(arp->settings.calls.context, frame);
}

/* Ours on the neighbour's network, or the first. */
static uint32_t our_address_towards(const struct arp *arp, uint32_t neighbour)
{
    const struct arp_address *ours = arp->settings.addresses;

    for (unsigned i = 0; i < arp->settings.addresses_count; i++)
        if (((ours[i].address ^ neighbour) & ours[i].mask) == 0)
            return ours[i].address;
    return arp->settings.addresses_count != 0 ? ours[0].address : 0;
}

static bool is_ours(const struct arp *arp, uint32_t address)
{
    for (unsigned i = 0; i < arp->settings.addresses_count; i++)
        if (arp->settings.addresses[i].address == address)
            return true;
    return false;
}

/* One over the rate counts as asked, or a storm of names would be kept for as long as it lasts. */
static void ask(struct arp *arp, struct entry *entry, uint64_t now)
{
    static const struct rte_ether_addr broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    struct arp_packet packet = {
        .operation = ARP_REQUEST,
        .sender_mac = arp->settings.mac,
        .sender = our_address_towards(arp, entry->address),
        .target = entry->address,
    };

    entry->tries++;
    if (!rate_allows(&arp->rates.questions, now)) {
        tell(arp, ARP_OVER_RATE);
        return;
    }
    emit(arp, &packet, entry->state == REFRESHING ? &entry->mac : &broadcast);
    tell(arp, ARP_ASKED);
}

static void answer(struct arp *arp, const struct arp_packet *asked, uint64_t now)
{
    struct arp_packet packet = {
        .operation = ARP_REPLY,
        .sender_mac = arp->settings.mac,
        .sender = asked->target,
        .target_mac = asked->sender_mac,
        .target = asked->sender,
    };

    if (!rate_allows(&arp->rates.answers, now)) {
        tell(arp, ARP_OVER_RATE);
        return;
    }
    emit(arp, &packet, &asked->sender_mac);
    tell(arp, ARP_ANSWERED);
}

/* --- what is heard ---------------------------------------------------------------------------- */

static void learn(struct arp *arp, struct entry *entry, const struct rte_ether_addr *mac,
                  uint64_t now)
{
    const struct arp_calls *calls = &arp->settings.calls;
    void *packet;

    entry->mac = *mac;
    entry->tries = 0;
    entry->used = entry->waiting_count != 0;
    change(arp, entry, KNOWN, now + ARP_FRESH_SECONDS * arp->settings.hz);
    while ((packet = take_waiting(arp, entry)) != NULL)
        calls->resolved(calls->context, packet, mac);
}

bool arp_receive(struct arp *arp, const struct arp_packet *packet, uint64_t now)
{
    if (rte_is_same_ether_addr(&packet->sender_mac, &arp->settings.mac) ||
        is_ours(arp, packet->sender))
        return false;
    struct entry *entry = packet->sender != 0 ? find(arp, packet->sender) : NULL;
    if (entry != NULL && entry->state != STATIC)
        learn(arp, entry, &packet->sender_mac, now);
    if (packet->operation == ARP_REQUEST && is_ours(arp, packet->target))
        answer(arp, packet, now);
    return true;
}

/* --- sending ---------------------------------------------------------------------------------- */

/* Of the packets that wait for one neighbour the newest are kept (RFC 1122, 2.3.2.2). */
static void wait_for(struct arp *arp, struct entry *entry, void *packet, unsigned buffers)
{
    const struct arp_calls *calls = &arp->settings.calls;

    if (entry->waiting_count == ARP_WAITING)
        calls->lost(calls->context, take_waiting(arp, entry));
    if (arp->waiting_count == ARP_WAITING_ALL ||
        arp->waiting_buffers + buffers > ARP_WAITING_BUFFERS) {
        calls->lost(calls->context, packet);
        return;
    }
    entry->waiting[entry->waiting_count++] = (struct waiting){packet, buffers};
    arp->waiting_count++;
    arp->waiting_buffers += buffers;
}

static void note_use(struct arp *arp, struct entry *entry)
{
    uint16_t index = index_of(arp, entry);

    entry->used = true;
    if (arp->lists[LIST_USED].last == index)
        return;
    unlink_from(arp, LIST_USED, index);
    append(arp, LIST_USED, index);
}

const struct rte_ether_addr *arp_resolve(struct arp *arp, uint32_t address, void *packet,
                                         unsigned buffers, uint64_t now)
{
    struct entry *entry = find(arp, address);

    if (entry == NULL) {
        entry = take_place(arp, address);
        if (entry == NULL) {
            arp->settings.calls.lost(arp->settings.calls.context, packet);
            return NULL;
        }
        append(arp, LIST_USED, index_of(arp, entry));
        change(arp, entry, ASKED, now + arp->settings.hz);
        ask(arp, entry, now);
    } else if (entry->state != STATIC) {
        note_use(arp, entry);
    }
    if (entry->state != ASKED)
        return &entry->mac;
    wait_for(arp, entry, packet, buffers);
    return NULL;
}

/* --- time --------------------------------------------------------------------------------------- */

static uint64_t due_of(const struct arp *arp, enum list_name name)
{
    uint16_t first = arp->lists[name].first;

    return first == NONE ? UINT64_MAX : arp->entries[first].due;
}

uint64_t arp_due(const struct arp *arp)
{
    uint64_t retry = due_of(arp, LIST_RETRY), fresh = due_of(arp, LIST_FRESH);

    return retry < fresh ? retry : fresh;
}

/* Its time is over. */
static void see_to(struct arp *arp, struct entry *entry, uint64_t now)
{
    if (entry->state == KNOWN && !entry->used) {
        forget(arp, entry);
        return;
    }
    if (entry->tries == ARP_TRIES) {
        tell(arp, ARP_UNANSWERED);
        forget(arp, entry);
        return;
    }
    change(arp, entry, entry->state == KNOWN ? REFRESHING : (enum state)entry->state,
           now + arp->settings.hz);
    ask(arp, entry, now);
}

void arp_run(struct arp *arp, uint64_t now)
{
    for (unsigned i = 0; i < RUN_ENTRIES; i++) {
        enum list_name name =
            due_of(arp, LIST_RETRY) <= due_of(arp, LIST_FRESH) ? LIST_RETRY : LIST_FRESH;

        if (due_of(arp, name) > now || arp->lists[name].first == NONE)
            return;
        see_to(arp, &arp->entries[arp->lists[name].first], now);
    }
}

/* --- beginning and end -------------------------------------------------------------------------- */

static unsigned buckets_for(unsigned places)
{
    unsigned buckets = 1;

    while (buckets < places)
        buckets *= 2;
    return buckets;
}

size_t arp_size(unsigned places)
{
    return sizeof(struct arp) + places * sizeof(struct entry) +
           buckets_for(places) * sizeof(uint16_t);
}

struct arp *arp_create(void *memory, const struct arp_settings *settings)
{
    struct arp *arp = memory;

    memset(memory, 0, arp_size(settings->places));
    arp->settings = *settings;
    arp->rates.answers = rate_of(settings->hz, ARP_RATE, ARP_AT_ONCE);
    arp->rates.questions = rate_of(settings->hz, ARP_RATE, ARP_AT_ONCE);
    arp->buckets = buckets_for(settings->places);
    arp->entries = (struct entry *)(arp + 1);
    arp->heads = (uint16_t *)(arp->entries + settings->places);
    memset(arp->heads, 0xff, arp->buckets * sizeof *arp->heads); /* NONE */
    memset(arp->lists, 0xff, sizeof arp->lists);
    for (unsigned i = 0; i < settings->places; i++)
        append(arp, LIST_FREE, (uint16_t)i);
    return arp;
}

void arp_set_ours(struct arp *arp, const struct rte_ether_addr *mac,
                  const struct arp_address *addresses, unsigned count)
{
    arp->settings.mac = *mac;
    arp->settings.addresses = addresses;
    arp->settings.addresses_count = count;
}

bool arp_add_static(struct arp *arp, uint32_t address, const struct rte_ether_addr *mac)
{
    if (arp->lists[LIST_FREE].first == NONE || find(arp, address) != NULL)
        return false;
    struct entry *entry = take_place(arp, address);
    entry->mac = *mac;
    change(arp, entry, STATIC, 0);
    return true;
}

void arp_discard(struct arp *arp)
{
    for (unsigned i = 0; i < arp->settings.places; i++)
        lose_waiting(arp, &arp->entries[i]);
}
