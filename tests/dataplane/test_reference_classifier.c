/* SPDX-License-Identifier: BSD-3-Clause */

/* Random frames, most of them right but for one thing to three, and what became of each as the dataplane
 * and reference.h say it. WIRERX_SEED is the seed, WIRERX_FRAMES how many. */

#include "support/suite.h"

#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_mbuf.h>
#include <stdio.h>
#include <stdlib.h>

#include "client.h"
#include "reference.h"
#include "support/frames.h"
#include "support/wire.h"

#if !UNDER_THREAD_SANITIZER

#define DEFAULT_FRAMES 150000u
#define MOST_AT_ONCE 24u /* less than an lcore takes in a pass */
#define MOST_BYTES 1600u
#define FATES 64u
#define VLAN 100u

#define SECOND_ADDRESS FRAME_IP(203, 0, 113, 1)
#define NETMASK 0xffffff00u
#define GROUP(n) FRAME_IP(239, 1, 1, n)
#define SENDER(n) FRAME_IP(198, 51, 100, n)
#define PEER_PORT 7000u
#define UDP_PORT(n) ((uint16_t)(5000u + (n)))
#define UDP_PORTS 8u /* the last is nobody's */
#define BOTH_PORTS 3u

/* --- the sockets ----------------------------------------------------------------------------------- */

static struct reference reference = {
    .ports = {{WIRE_ADDRESS, NETMASK, 0}, {SECOND_ADDRESS, NETMASK, VLAN}},
    .ports_count = 2,
    .sockets =
        {
            {.port = UDP_PORT(0),
             .groups_count = 1,
             .groups = {{.group = GROUP(1), .ports = BOTH_PORTS}}},
            {.address = WIRE_ADDRESS, .port = UDP_PORT(0)},
            {.port = UDP_PORT(0),
             .groups_count = 2,
             .groups = {{.group = GROUP(1), .ports = BOTH_PORTS},
                        {.group = GROUP(2), .ports = BOTH_PORTS}}},
            {.port = UDP_PORT(1), /* all but one source */
             .groups_count = 1,
             .groups = {{.group = GROUP(1),
                         .ports = BOTH_PORTS,
                         .sources = {SENDER(8)},
                         .sources_count = 1}}},
            {.port = UDP_PORT(2), /* two sources only */
             .groups_count = 1,
             .groups = {{.group = GROUP(2),
                         .ports = BOTH_PORTS,
                         .only_listed = true,
                         .sources = {SENDER(7), SENDER(9)},
                         .sources_count = 2}}},
            {.port = UDP_PORT(3), /* in one network */
             .groups_count = 1,
             .groups = {{.group = GROUP(1), .ports = 2}}},
            {.port = UDP_PORT(4), /* with a peer */
             .peer = SENDER(7),
             .peer_port = PEER_PORT,
             .groups_count = 1,
             .groups = {{.group = GROUP(2), .ports = BOTH_PORTS}}},
            {.address = SECOND_ADDRESS, .port = UDP_PORT(5)},
            {.port = UDP_PORT(6), /* alone: what comes for it goes the short way */
             .groups_count = 1,
             .groups = {{.group = GROUP(3), .ports = BOTH_PORTS}}},
        },
    .sockets_count = 9,
};

static struct client clients[REFERENCE_SOCKETS];

static void join(const struct client *c, const struct reference_group *g)
{
    if (!g->only_listed)
        CHECK_EQ_I64(client_try_join(c, g->group, g->ports == BOTH_PORTS ? 0 : SECOND_ADDRESS), 0);
    for (unsigned i = 0; i < g->sources_count; i++)
        CHECK_EQ_I64(
            client_change_group(c, g->only_listed ? DATAPLANE_JOIN_SOURCE : DATAPLANE_BLOCK_SOURCE,
                                g->group, g->sources[i]),
            0);
}

static void open_sockets(void)
{
    for (unsigned i = 0; i < reference.sockets_count; i++) {
        const struct reference_socket *s = &reference.sockets[i];

        clients[i] = client_bound(s->address, s->port);
        for (unsigned k = 0; k < s->groups_count; k++)
            join(&clients[i], &s->groups[k]);
        if (s->peer_port != 0)
            CHECK_EQ_I64(dataplane_connect(clients[i].endpoint, clients[i].generation,
                                           rte_cpu_to_be_32(s->peer),
                                           rte_cpu_to_be_16(s->peer_port)),
                         0);
    }
}

static void set_up(void)
{
    static struct config_address second = {SECOND_ADDRESS, 24};
    static char device[] = "vdev:net_ring1";
    struct config config = wire_config();
    struct config_port ports[2] = {config.ports[0], config.ports[0]};

    ports[1].device = device;
    ports[1].addresses = &second;
    ports[1].vlan = VLAN;
    ports[0].transmit = ports[1].transmit = CONFIG_TRANSMIT_OFF;
    config.ports = ports;
    config.ports_count = 2;
    wire_start(&config, &client_operations, true);
    open_sockets();
}

static void tear_down(void)
{
    for (unsigned i = 0; i < reference.sockets_count; i++)
        client_close(&clients[i]);
    wire_stop(); /* every frame has one fate */
}

SUITE_FIXTURE(reference_classifier, set_up, tear_down);

/* --- frames ------------------------------------------------------------------------------------------ */

struct sent {
    unsigned port;
    int stripped_tag;
    uint16_t first_segment; /* 0: the frame is in one */
    size_t length;
    uint8_t bytes[MOST_BYTES];
    struct reference_verdict verdict;
};

/* What a frame is made of, before it is built and after. */
struct plan {
    struct frame frame;
    unsigned port;
    int stripped_tag;
    size_t cut;      /* bytes that are missing at its end */
    unsigned damage; /* bytes of its headers that are another */
    bool segmented;
};

static uint64_t state;

/* xorshift64*; below a bound. */
static uint32_t any(uint32_t bound)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (uint32_t)((state * 0x2545f4914f6cdd1du) >> 32) % bound;
}

#define ANY_OF(array) ((array)[any(sizeof(array) / sizeof(array)[0])])

static uint32_t any_destination(void)
{
    static const uint32_t destinations[] = {GROUP(1),
                                            GROUP(2),
                                            GROUP(3),
                                            GROUP(4), /* nobody's */
                                            WIRE_ADDRESS,
                                            SECOND_ADDRESS,
                                            WIRE_ADDRESS + 1,
                                            0xffffffffu,
                                            WIRE_ADDRESS | ~NETMASK,
                                            SECOND_ADDRESS | ~NETMASK,
                                            FRAME_IP(255, 255, 255, 254),
                                            FRAME_IP(240, 0, 0, 1),
                                            FRAME_IP(224, 0, 0, 1),
                                            FRAME_IP(223, 255, 255, 255),
                                            FRAME_IP(127, 0, 0, 1),
                                            FRAME_IP(126, 255, 255, 255),
                                            FRAME_IP(128, 0, 0, 1)};

    return ANY_OF(destinations);
}

/* A right datagram to somebody. */
static struct plan any_right(const uint8_t *payload)
{
    const struct reference_socket *s = &reference.sockets[any(reference.sockets_count)];
    struct plan plan = {.port = any(2), .stripped_tag = -1};
    uint32_t own = s->address != 0 ? s->address : reference.ports[any(2)].address;

    plan.frame = (struct frame){
        .source = SENDER(7 + any(3)),
        .source_port = (uint16_t)(PEER_PORT + any(2)),
        .destination =
            s->groups_count != 0 && any(4) != 0 ? s->groups[any(s->groups_count)].group : own,
        .destination_port = s->port,
        .payload = payload,
        .length = any(8) == 0 ? any(1400) : any(64),
    };
    if (plan.port == 1) {
        plan.frame.tags_count = 1;
        plan.frame.tags[0] = (struct frame_tag){0, VLAN};
    }
    return plan;
}

static void mutate_tags(struct plan *plan)
{
    static const uint16_t types[] = {0x8100, 0x8100, 0x88a8, 0x9100};
    static const uint16_t ids[] = {VLAN, VLAN, VLAN | 0xe000, 0, 7, VLAN + 1};

    plan->frame.tags_count = any(4);
    for (unsigned i = 0; i < plan->frame.tags_count; i++)
        plan->frame.tags[i] = (struct frame_tag){ANY_OF(types), ANY_OF(ids)};
    if (any(4) == 0)
        plan->stripped_tag = ANY_OF(ids);
}

static void mutate_type(struct plan *plan)
{
    static const uint16_t types[] = {0x0806, 0x86dd, 0x88cc, 64, 0x0801};

    plan->frame.ethertype = any(4) == 0 ? (uint16_t)any(65536) : ANY_OF(types);
}

static void mutate_version(struct plan *plan)
{
    static const uint8_t firsts[] = {0x55, 0x44, 0x46, 0x4f, 0x40, 0x05, 0x65};

    plan->frame.version_ihl = any(4) == 0 ? (uint8_t)any(256) : ANY_OF(firsts);
}

static void mutate_protocol(struct plan *plan)
{
    static const uint8_t protocols[] = {1, 2, 6, 47, 136};

    plan->frame.protocol = any(4) == 0 ? (uint8_t)any(256) : ANY_OF(protocols);
}

static void mutate_fragment(struct plan *plan)
{
    static const uint16_t places[] = {0x2000, 0x2001, 0x0001, 0x1fff, 0x3fff, 0x4000, 0x8000};

    plan->frame.fragment = any(3) == 0 ? (uint16_t)any(65536) : ANY_OF(places);
    if (any(2) == 0)
        plan->frame.length = plan->frame.length / 8 * 8;
}

static int any_error(void)
{
    return any(2) == 0 ? (int)any(17) - 8 : any(2) == 0 ? (int)any(200) - 100 : (int)any(65536);
}

static void mutate_address(struct plan *plan)
{
    static const uint32_t sources[] = {SENDER(7),
                                       SENDER(8),
                                       SENDER(9),
                                       SENDER(10),
                                       FRAME_IP(127, 0, 0, 1),
                                       FRAME_IP(127, 255, 255, 255),
                                       FRAME_IP(126, 0, 0, 1),
                                       FRAME_IP(128, 0, 0, 1),
                                       FRAME_IP(223, 255, 255, 255),
                                       GROUP(1),
                                       FRAME_IP(240, 0, 0, 1),
                                       0xffffffffu};

    if (any(2) == 0)
        plan->frame.source = ANY_OF(sources);
    else
        plan->frame.destination = any_destination();
}

static void mutate_port(struct plan *plan)
{
    if (any(4) == 0)
        plan->frame.source_port = (uint16_t)(1 + any(65535));
    plan->frame.destination_port = UDP_PORT(any(UDP_PORTS));
}

static void mutate(struct plan *plan)
{
    struct frame *frame = &plan->frame;

    switch (any(17)) {
    case 0:
        mutate_tags(plan);
        break;
    case 1:
        mutate_type(plan);
        break;
    case 2:
        mutate_version(plan);
        break;
    case 3:
        mutate_protocol(plan);
        break;
    case 4:
        mutate_fragment(plan);
        break;
    case 5:
        frame->options = (uint8_t)(any(11) * 4);
        break;
    case 6:
        frame->padding = any(32);
        break;
    case 7:
        frame->total_length_off = any_error();
        break;
    case 8:
        frame->udp_length_off = any_error();
        break;
    case 9:
        frame->ip_checksum_off = any_error();
        break;
    case 10:
        frame->udp_checksum_off = any_error();
        break;
    case 11:
        frame->no_udp_checksum = true;
        break;
    case 12:
        mutate_port(plan);
        break;
    case 13:
        plan->cut = any(2) == 0 ? 1 + any(8) : any(MOST_BYTES);
        break;
    case 14:
        plan->damage = 1 + any(2);
        break;
    case 15:
        plan->segmented = true;
        break;
    default:
        mutate_address(plan);
        break;
    }
}

/* No two fragments are of one datagram. */
static void set_apart(struct frame *frame)
{
    static uint32_t senders;

    if ((frame->fragment & 0x3fff) != 0)
        frame->source = FRAME_IP(10, 0, 0, 0) + senders++;
}

static void build(struct plan *plan, struct sent *sent)
{
    set_apart(&plan->frame);
    sent->port = plan->port;
    sent->stripped_tag = plan->stripped_tag;
    sent->length = frame_build(&plan->frame, sent->bytes, sizeof sent->bytes);
    sent->length -= plan->cut < sent->length ? plan->cut : sent->length - 1;
    for (unsigned i = 0; i < plan->damage; i++)
        sent->bytes[any((uint32_t)(sent->length < 64 ? sent->length : 64))] ^=
            (uint8_t)(1 + any(255));
    sent->first_segment =
        plan->segmented ? (uint16_t)any((uint32_t)(sent->length < 120 ? sent->length : 120)) : 0;
    sent->verdict =
        reference_judge(&reference, sent->port, sent->bytes, sent->length, sent->stripped_tag);
}

/* --- the two verdicts -------------------------------------------------------------------------------- */

static struct sent sent[MOST_AT_ONCE];
static unsigned sent_count;
static struct dataplane_report before, after;
static uint64_t reached[FATES];
static const char *fates[FATES];
static unsigned fates_count;

static unsigned fate_index(const char *name)
{
    unsigned i = 0;

    while (i < fates_count && strcmp(fates[i], name) != 0)
        i++;
    CHECK_MSG(i < fates_count, "no fate is named %s", name);
    return i;
}

static void find_fates(void)
{
    for (unsigned i = 0; i < COUNTER_TOTAL; i++)
        if (counter_rows[i].is_fate) {
            CHECK(fates_count < FATES);
            fates[fates_count++] = counter_rows[i].name;
        }
}

/* What was sent at once, and what the reference says of each. */
static void show(void)
{
    for (unsigned i = 0; i < sent_count; i++) {
        const struct sent *s = &sent[i];

        printf("frame %u, port %u, stripped tag %d, first segment %u, %zu bytes:", i, s->port,
               s->stripped_tag, s->first_segment, s->length);
        for (size_t k = 0; k < s->length; k++)
            printf("%s%02x", k % 32 == 0 ? "\n    " : "", s->bytes[k]);
        printf("\n  reference: %s, sockets %#x, %zu bytes\n", s->verdict.fate, s->verdict.sockets,
               s->verdict.length);
    }
    for (unsigned i = 0; i < after.count; i++)
        if (after.rows[i].value != before.rows[i].value)
            printf("  dataplane: %s +%llu\n", after.rows[i].name,
                   (unsigned long long)(after.rows[i].value - before.rows[i].value));
    fflush(stdout);
}

#define AGREE(condition, ...)  \
    do {                       \
        if (!(condition)) {    \
            show();            \
            FAIL(__VA_ARGS__); \
        }                      \
    } while (0)

static uint64_t expected_rise(const char *name)
{
    uint64_t rise = 0;

    for (unsigned i = 0; i < sent_count; i++)
        if (strcmp(name, "deliveries") == 0)
            rise += (uint64_t)__builtin_popcount(sent[i].verdict.sockets);
        else
            rise += strcmp(name, sent[i].verdict.fate) == 0;
    return rise;
}

static void compare_counters(void)
{
    static bool compared[DATAPLANE_DEVICE_ROWS + COUNTER_TOTAL + DATAPLANE_MEMORY_ROWS];
    static bool known;

    for (unsigned i = 0; !known && i < after.count; i++) {
        compared[i] = strcmp(after.rows[i].name, "deliveries") == 0;
        for (unsigned k = 0; k < fates_count; k++)
            compared[i] |= strcmp(after.rows[i].name, fates[k]) == 0;
    }
    known = true;
    for (unsigned i = 0; i < after.count; i++) {
        uint64_t rise = after.rows[i].value - before.rows[i].value;
        uint64_t wanted = compared[i] ? expected_rise(after.rows[i].name) : rise;

        AGREE(rise == wanted, "%s rises by %llu, and by %llu as the reference says",
              after.rows[i].name, (unsigned long long)rise, (unsigned long long)wanted);
    }
}

static void compare_socket(unsigned socket)
{
    static struct taken taken;

    for (unsigned i = 0; i < sent_count; i++) {
        const struct reference_verdict *v = &sent[i].verdict;

        if ((v->sockets >> socket & 1) == 0)
            continue;
        AGREE(client_take(&clients[socket], &taken), "socket %u misses frame %u", socket, i);
        AGREE(taken.kind == RX_DATAGRAM && taken.drops == 0 && taken.length == v->length &&
                  taken.source == v->source && taken.source_port == v->source_port &&
                  memcmp(taken.bytes, v->payload, v->length) == 0,
              "socket %u gets something else than frame %u: %u bytes from %#x:%u", socket, i,
              taken.length, taken.source, taken.source_port);
    }
    AGREE(!client_take(&clients[socket], &taken), "socket %u gets more: %u bytes from %#x:%u",
          socket, taken.length, taken.source, taken.source_port);
}

static void send_and_compare(void)
{
    for (unsigned i = 0; i < sent_count; i++) {
        const struct sent *s = &sent[i];

        wire_send_frame(&(struct wire_frame){
            .bytes = s->bytes,
            .length = s->length,
            .port = s->port,
            .segments = &s->first_segment,
            .segments_count = s->first_segment != 0,
            .ol_flags = s->stripped_tag < 0 ? 0 : RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED,
            .vlan_tci = s->stripped_tag < 0 ? 0 : (uint16_t)s->stripped_tag,
        });
    }
    wire_step(rte_rdtsc());
    CHECK_EQ_I64(dataplane_report(DATAPLANE_SCOPE_ALL, 0, &after), 0);
    compare_counters();
    for (unsigned s = 0; s < reference.sockets_count; s++)
        compare_socket(s);
    for (unsigned i = 0; i < sent_count; i++)
        reached[fate_index(sent[i].verdict.fate)]++;
    before = after;
}

/* --- the stream -------------------------------------------------------------------------------------- */

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *value = getenv(name);

    return value != NULL ? strtoull(value, NULL, 0) : otherwise;
}

/* One frame, or several that an lcore takes at once: some of one flow, and now and then one of them is not
 * as the others. All come by one port, as of two the order is the lcore's. */
static void make_some(void)
{
    static uint8_t payload[MOST_BYTES];
    struct plan flow = any_right(payload);

    for (unsigned i = 0; i < 8; i++)
        payload[any(MOST_BYTES)] = (uint8_t)any(256);
    sent_count = any(4) != 0 ? 1 : 1 + any(MOST_AT_ONCE);
    bool of_one_flow = any(2) == 0;
    for (unsigned i = 0; i < sent_count; i++) {
        struct plan plan = of_one_flow ? flow : any_right(payload + any(64));

        if (!of_one_flow && plan.port != flow.port) {
            plan.port = flow.port;
            plan.frame.tags_count = flow.frame.tags_count;
            memcpy(plan.frame.tags, flow.frame.tags, sizeof plan.frame.tags);
        }
        if (sent_count == 1 ? any(8) != 0 : any(6) == 0)
            for (unsigned mutations = 1 + any(3); mutations != 0; mutations--)
                mutate(&plan);
        build(&plan, &sent[i]);
    }
}

SUITE_TEST(reference_classifier, every_frame_ends_as_the_reference_says) // I04
{
    static const char *const reachable[] = {"delivered",
                                            "queued.reassembly",
                                            "drop.short_frame",
                                            "drop.other_ethertype",
                                            "drop.arp",
                                            "drop.ipv6",
                                            "drop.other_vlan",
                                            "drop.bad_ip_header",
                                            "drop.bad_ip_checksum",
                                            "drop.truncated",
                                            "drop.fragment",
                                            "drop.martian",
                                            "drop.icmp",
                                            "drop.igmp",
                                            "drop.tcp",
                                            "drop.other_protocol",
                                            "drop.bad_udp_length",
                                            "drop.bad_udp_checksum",
                                            "drop.not_joined",
                                            "drop.source_filtered",
                                            "drop.not_our_address",
                                            "drop.no_socket",
                                            "drop.not_from_peer"};
    uint64_t frames = setting("WIRERX_FRAMES", DEFAULT_FRAMES), done = 0, rounds = 0;

    state = setting("WIRERX_SEED", 0x20261127u);
    printf("reference_classifier: WIRERX_SEED=%#llx\n", (unsigned long long)state);
    fflush(stdout);
    state = state * 2 + 1; /* never 0 */
    find_fates();
    CHECK_EQ_I64(dataplane_report(DATAPLANE_SCOPE_ALL, 0, &before), 0);
    for (; done < frames; done += sent_count) {
        make_some();
        send_and_compare();
        if (++rounds % 64 == 0)
            wire_settle(); /* the buffers come home */
    }
    for (unsigned i = 0; i < sizeof reachable / sizeof reachable[0]; i++) {
        uint64_t times = reached[fate_index(reachable[i])];

        printf("  %-24s %llu\n", reachable[i], (unsigned long long)times);
        CHECK_MSG(times != 0 || frames < DEFAULT_FRAMES, "no frame became %s", reachable[i]);
    }
    wire_check_balance();
}

#endif
