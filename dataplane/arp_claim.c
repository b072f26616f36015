/* SPDX-License-Identifier: BSD-3-Clause */
#include "arp_claim.h"

/* In seconds: RFC 5227, 1.1. */
#define PROBE_WAIT 1u
#define PROBE_MIN 1u
#define PROBE_MAX 2u
#define ANNOUNCE_WAIT 2u
#define ANNOUNCE_INTERVAL 2u

/* Less than `below`, by xorshift64 (Marsaglia 2003). Hosts that start together shall not speak together;
 * nothing depends on nobody guessing it. */
static uint64_t random_below(struct arp_claims *claims, uint64_t below)
{
    claims->random ^= claims->random << 13;
    claims->random ^= claims->random >> 7;
    claims->random ^= claims->random << 17;
    return below != 0 ? claims->random % below : 0;
}

/* A probe is a question without a sender; an announcement one in which we ask for ourselves. */
static void say(const struct arp_claims *claims, const struct arp_claim *claim, bool announce)
{
    static const struct rte_ether_addr broadcast = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    uint8_t frame[ARP_FRAME_BYTES];
    struct arp_packet packet = {
        .operation = ARP_REQUEST,
        .sender_mac = claims->mac,
        .sender = announce ? claim->address : 0,
        .target = claim->address,
    };

    arp_packet_write(&packet, &broadcast, frame);
    claims->calls.emit(claims->calls.context, frame);
}

static void announce(struct arp_claim *claim, uint64_t now)
{
    claim->probes = ARP_CLAIM_PROBES;
    claim->announcements = 0;
    claim->announced = true;
    claim->due = now;
}

static void begin(struct arp_claims *claims, struct arp_claim *claim, uint64_t now)
{
    *claim = (struct arp_claim){.address = claim->address};
    if (claims->probed)
        announce(claim, now);
    else
        claim->due = now + random_below(claims, PROBE_WAIT * claims->hz);
}

void arp_claims_begin(struct arp_claims *claims, uint64_t now)
{
    claims->random |= 1; /* it may not be 0 */
    for (unsigned i = 0; i < claims->count; i++)
        begin(claims, &claims->claims[i], now);
}

static const struct arp_claim *find(const struct arp_claims *claims, uint32_t address)
{
    for (unsigned i = 0; i < claims->count; i++)
        if (claims->claims[i].address == address)
            return &claims->claims[i];
    return NULL;
}

void arp_claims_change(struct arp_claims *claims, const struct rte_ether_addr *mac,
                       struct arp_claim *next, unsigned count, uint64_t now)
{
    bool same = rte_is_same_ether_addr(mac, &claims->mac);

    for (unsigned i = 0; i < count; i++) {
        const struct arp_claim *known = find(claims, next[i].address);

        if (known != NULL)
            next[i] = *known;
        else
            begin(claims, &next[i], now);
    }
    for (unsigned i = 0; i < count; i++)
        claims->claims[i] = next[i];
    claims->count = count;
    claims->mac = *mac;
    if (!same)
        arp_claims_again(claims, now);
}

void arp_claims_again(struct arp_claims *claims, uint64_t now)
{
    for (unsigned i = 0; i < claims->count; i++) {
        struct arp_claim *claim = &claims->claims[i];

        if (claim->announced)
            announce(claim, now);
        else
            begin(claims, claim, now);
    }
}

static void hear(struct arp_claims *claims, struct arp_claim *claim,
                 const struct arp_packet *packet, uint64_t now)
{
    bool probing = !claim->announced;
    bool claimed = packet->sender == claim->address;
    bool wanted = packet->sender == 0 && packet->target == claim->address && probing &&
                  packet->operation == ARP_REQUEST;

    if (!claimed && !wanted)
        return;
    claims->calls.conflict(claims->calls.context, claim->address, &packet->sender_mac);
    if (claim->defended && now - claim->defended_at < ARP_CLAIM_DEFEND_SECONDS * claims->hz)
        return;
    claim->defended = true;
    claim->defended_at = now;
    say(claims, claim, true);
}

void arp_claims_hear(struct arp_claims *claims, const struct arp_packet *packet, uint64_t now)
{
    if (rte_is_same_ether_addr(&packet->sender_mac, &claims->mac))
        return; /* our own, by some loop of the network */
    for (unsigned i = 0; i < claims->count; i++)
        hear(claims, &claims->claims[i], packet, now);
}

uint64_t arp_claims_due(const struct arp_claims *claims)
{
    uint64_t due = UINT64_MAX;

    for (unsigned i = 0; i < claims->count; i++)
        if (claims->claims[i].due < due)
            due = claims->claims[i].due;
    return due;
}

static uint64_t seconds(const struct arp_claims *claims, uint64_t n)
{
    return n * claims->hz;
}

static void see_to(struct arp_claims *claims, struct arp_claim *claim, uint64_t now)
{
    if (claim->probes < ARP_CLAIM_PROBES) {
        say(claims, claim, false);
        claim->probes++;
        claim->due = now + (claim->probes == ARP_CLAIM_PROBES
                                ? seconds(claims, ANNOUNCE_WAIT)
                                : seconds(claims, PROBE_MIN) +
                                      random_below(claims, seconds(claims, PROBE_MAX - PROBE_MIN)));
        return;
    }
    say(claims, claim, true);
    claim->announcements++;
    claim->announced = true;
    claim->due = claim->announcements == ARP_CLAIM_ANNOUNCEMENTS
                     ? UINT64_MAX
                     : now + seconds(claims, ANNOUNCE_INTERVAL);
}

void arp_claims_run(struct arp_claims *claims, uint64_t now)
{
    for (unsigned i = 0; i < claims->count; i++)
        if (claims->claims[i].due <= now)
            see_to(claims, &claims->claims[i], now);
}
