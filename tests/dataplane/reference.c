/* SPDX-License-Identifier: BSD-3-Clause */
#include "reference.h"

/** A part of the frame that a layer may look at. */
struct span {
    const uint8_t *at;
    size_t length;
};

static unsigned get8(struct span span, size_t at)
{
    return span.at[at];
}

static unsigned get16(struct span span, size_t at)
{
    return get8(span, at) << 8 | get8(span, at + 1);
}

static uint32_t get32(struct span span, size_t at)
{
    return (uint32_t)get16(span, at) << 16 | get16(span, at + 2);
}

static struct span behind(struct span span, size_t bytes)
{
    return (struct span){span.at + bytes, span.length - bytes};
}

/* RFC 1071, one 16-bit word after the other. */
static unsigned add_words(struct span span, unsigned sum)
{
    for (size_t i = 0; i < span.length; i++) {
        sum += i % 2 == 0 ? get8(span, i) << 8 : get8(span, i);
        if (sum > 0xffff)
            sum = sum - 0x10000 + 1; /* end around */
    }
    return sum;
}

/* --- who gets a datagram ------------------------------------------------------------------------- */

/** A datagram as it is when it has left UDP. */
struct datagram {
    unsigned port; /* that it came in by */
    uint32_t source, destination;
    unsigned source_port, destination_port;
};

static bool is_group(uint32_t address)
{
    return address >= 0xe0000000u && address <= 0xefffffffu; /* RFC 1112, 4 */
}

static bool is_own(const struct reference *r, uint32_t address)
{
    for (unsigned i = 0; i < r->ports_count; i++)
        if (r->ports[i].address == address)
            return true;
    return false;
}

/* RFC 1122, 3.2.1.3 (c) and (d): limited, and directed to the subnet of one of the ports. */
static bool is_broadcast(const struct reference *r, uint32_t address)
{
    for (unsigned i = 0; i < r->ports_count; i++)
        if (address == (r->ports[i].address | ~r->ports[i].mask))
            return true;
    return address == 0xffffffffu;
}

static const struct reference_group *group_of(const struct reference_socket *s, uint32_t group)
{
    for (unsigned i = 0; i < s->groups_count; i++)
        if (s->groups[i].group == group)
            return &s->groups[i];
    return NULL;
}

/* Has the socket anything to do with this destination, whoever sends and wherever it comes in? */
static bool has_destination(const struct reference *r, const struct reference_socket *s,
                            const struct datagram *d)
{
    if (s->port != d->destination_port)
        return false;
    if (is_group(d->destination))
        return group_of(s, d->destination) != NULL;
    if (is_broadcast(r, d->destination))
        return s->address == 0;
    return is_own(r, d->destination) && (s->address == 0 || s->address == d->destination);
}

static bool on_this_port(const struct reference_socket *s, const struct datagram *d)
{
    return !is_group(d->destination) || (group_of(s, d->destination)->ports >> d->port & 1) != 0;
}

/* RFC 3376, 2. */
static bool from_this_source(const struct reference_socket *s, const struct datagram *d)
{
    if (!is_group(d->destination))
        return true;
    const struct reference_group *g = group_of(s, d->destination);
    bool listed = false;
    for (unsigned i = 0; i < g->sources_count; i++)
        listed |= g->sources[i] == d->source;
    return listed == g->only_listed;
}

static bool from_peer(const struct reference_socket *s, const struct datagram *d)
{
    return s->peer_port != 0 && s->peer == d->source && s->peer_port == d->source_port;
}

/* To many: everybody who may. */
static uint32_t all_of(const struct reference *r, const struct datagram *d, const char **fate)
{
    bool filtered = false, refused = false;
    uint32_t takers = 0;

    for (unsigned i = 0; i < r->sockets_count; i++) {
        const struct reference_socket *s = &r->sockets[i];

        if (!has_destination(r, s, d) || !on_this_port(s, d))
            continue;
        if (!from_this_source(s, d))
            filtered = true;
        else if (s->peer_port != 0 && !from_peer(s, d))
            refused = true; /* I04 */
        else
            takers |= 1u << i;
    }
    *fate = takers != 0 ? "delivered"
            : refused   ? "drop.not_from_peer"
            : filtered  ? "drop.source_filtered"
                        : "drop.not_joined";
    return takers;
}

/* To one: who is connected to the sender before who is not connected; of those who is bound to the very address
 * before who is bound to any, and of these the last that was bound. */
static uint32_t one_of(const struct reference *r, const struct datagram *d, const char **fate)
{
    for (unsigned open = 0; open < 2; open++)
        for (unsigned any = 0; any < 2; any++)
            for (unsigned i = r->sockets_count; i-- != 0;) {
                const struct reference_socket *s = &r->sockets[i];

                if (has_destination(r, s, d) && (s->address == 0) == (any == 1) &&
                    (open == 0 ? from_peer(s, d) : s->peer_port == 0)) {
                    *fate = "delivered";
                    return 1u << i;
                }
            }
    *fate = "drop.not_from_peer"; /* I04 */
    return 0;
}

static bool anybody_has(const struct reference *r, const struct datagram *d)
{
    for (unsigned i = 0; i < r->sockets_count; i++)
        if (has_destination(r, &r->sockets[i], d))
            return true;
    return false;
}

static const char *fate_of_unwanted(const struct reference *r, const struct datagram *d)
{
    if (d->destination >= 0xe0000000u || is_broadcast(r, d->destination))
        return "drop.not_joined"; /* to many, or reserved (RFC 1112, 4) */
    return is_own(r, d->destination) ? "drop.no_socket" : "drop.not_our_address";
}

/* --- UDP (RFC 768) --------------------------------------------------------------------------------- */

static bool checksum_is_right(struct span udp, const struct datagram *d)
{
    const uint8_t pseudo[12] = {
        (uint8_t)(d->source >> 24),
        (uint8_t)(d->source >> 16),
        (uint8_t)(d->source >> 8),
        (uint8_t)d->source,
        (uint8_t)(d->destination >> 24),
        (uint8_t)(d->destination >> 16),
        (uint8_t)(d->destination >> 8),
        (uint8_t)d->destination,
        0,
        17,
        (uint8_t)(udp.length >> 8),
        (uint8_t)udp.length,
    };

    if (get16(udp, 6) == 0)
        return true; /* the sender has made none */
    return add_words(udp, add_words((struct span){pseudo, sizeof pseudo}, 0)) == 0xffff;
}

static struct reference_verdict judge_udp(const struct reference *r, struct span payload,
                                          struct datagram d)
{
    struct reference_verdict verdict = {.fate = "drop.bad_udp_length"};

    if (payload.length < 8)
        return verdict;
    size_t length = get16(payload, 4);
    if (length < 8 || length > payload.length)
        return verdict;
    struct span udp = {payload.at, length};
    d.source_port = get16(udp, 0);
    d.destination_port = get16(udp, 2);
    /* A checksum costs a pass over the payload: only of what somebody may want. */
    if (!anybody_has(r, &d)) {
        verdict.fate = fate_of_unwanted(r, &d);
        return verdict;
    }
    if (!checksum_is_right(udp, &d)) {
        verdict.fate = "drop.bad_udp_checksum";
        return verdict;
    }
    verdict.sockets =
        is_own(r, d.destination) ? one_of(r, &d, &verdict.fate) : all_of(r, &d, &verdict.fate);
    verdict.payload = udp.at + 8;
    verdict.length = length - 8;
    verdict.source = d.source;
    verdict.source_port = (uint16_t)d.source_port;
    return verdict;
}

/* --- IPv4 (RFC 791) -------------------------------------------------------------------------------- */

static const char *fate_of_fragment(const struct reference *r, uint32_t destination, unsigned place,
                                    size_t header, size_t payload)
{
    bool more = (place & 0x2000) != 0;
    size_t from = (size_t)(place & 0x1fff) * 8;

    if (destination < 0xe0000000u && !is_own(r, destination) && !is_broadcast(r, destination))
        return "drop.not_our_address";
    /* All but the last are multiples of 8, none is nothing, and the whole is a packet. */
    if (payload == 0 || (more && payload % 8 != 0) || header + from + payload > 65535)
        return "drop.fragment";
    return "queued.reassembly";
}

static const char *fate_of_protocol(unsigned protocol)
{
    switch (protocol) {
    case 1:
        return "drop.icmp"; /* nobody here has sent anything that it could be about */
    case 2:
        return "drop.igmp";
    case 6:
        return "drop.tcp";
    default:
        return "drop.other_protocol";
    }
}

static struct reference_verdict judge_ip(const struct reference *r, unsigned port, struct span ip)
{
    struct reference_verdict verdict = {.fate = "drop.short_frame"};

    if (ip.length < 20)
        return verdict;
    size_t header = (size_t)(get8(ip, 0) % 16) * 4, total = get16(ip, 2);
    verdict.fate = "drop.bad_ip_header";
    if (get8(ip, 0) / 16 != 4 || header < 20 || total < header)
        return verdict;
    verdict.fate = "drop.truncated";
    if (ip.length < header)
        return verdict;
    /* Nothing else that the header says is believed before this. */
    verdict.fate = "drop.bad_ip_checksum";
    if (add_words((struct span){ip.at, header}, 0) != 0xffff)
        return verdict;
    verdict.fate = "drop.truncated";
    if (ip.length < total)
        return verdict;

    struct datagram d = {.port = port, .source = get32(ip, 12), .destination = get32(ip, 16)};
    verdict.fate = "drop.martian"; /* RFC 1122, 3.2.1.3 (g); a source is one host's */
    if (d.source >> 24 == 127 || d.destination >> 24 == 127 || d.source >= 0xe0000000u)
        return verdict;
    unsigned place = get16(ip, 6);
    if ((place & 0x3fff) != 0)
        verdict.fate = fate_of_fragment(r, d.destination, place, header, total - header);
    else if (get8(ip, 9) != 17)
        verdict.fate = fate_of_protocol(get8(ip, 9));
    else /* what is behind the packet is padding (RFC 894) */
        return judge_udp(r, (struct span){ip.at + header, total - header}, d);
    return verdict;
}

/* --- Ethernet and 802.1Q --------------------------------------------------------------------------- */

struct reference_verdict reference_judge(const struct reference *reference, unsigned port,
                                         const uint8_t *frame, size_t length, int stripped_tag)
{
    struct reference_verdict verdict = {.fate = "drop.short_frame"};
    struct span rest = {frame, length};
    int vlan = stripped_tag < 0 ? -1 : stripped_tag % 4096; /* the id; above it is the priority */
    unsigned type, wanted = reference->ports[port].vlan;

    if (length < 14)
        return verdict;
    type = get16(rest, 12);
    rest = behind(rest, 14);
    /* A customer's tag inside a provider's (802.1ad) is the most that is looked through. */
    for (unsigned tags = 0; tags < 2 && (type == 0x8100 || type == 0x88a8); tags++) {
        if (rest.length < 4)
            return verdict;
        vlan = (int)(get16(rest, 0) % 4096);
        type = get16(rest, 2);
        rest = behind(rest, 4);
    }
    if (wanted != 0 && vlan != (int)wanted)
        verdict.fate = "drop.other_vlan";
    else if (type == 0x0806)
        verdict.fate = "drop.arp"; /* the port only listens */
    else if (type == 0x86dd)
        verdict.fate = "drop.ipv6";
    else if (type != 0x0800)
        verdict.fate = "drop.other_ethertype";
    else
        return judge_ip(reference, port, rest);
    return verdict;
}
