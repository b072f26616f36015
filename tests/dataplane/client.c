/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "support/suite.h"

#include "client.h"

#include <errno.h>
#include <rte_byteorder.h>

#include "support/frames.h"

static bool serve(struct endpoint *e)
{
    lock_word_release_from_lcore(&e->word, false);
    return false;
}

static void serve_from_service(struct endpoint *e)
{
    (void)e;
}

static bool on_service_thread(void)
{
    return false;
}

static void release(struct endpoint *e)
{
    while (!lock_word_release(&e->word))
        continue; /* nothing is ever posted */
}

static void network_down(struct endpoint *e)
{
    const struct ring_element *element;

    if (lock_word_acquire(&e->word, lock_word_generation(atomic_load(&e->word))) != LOCK_ACQUIRED)
        return;
    while ((element = endpoint_front(e)) != NULL)
        endpoint_consume(e, element);
    atomic_store_explicit(&e->state, ENDPOINT_NET_DOWN, memory_order_release);
    release(e);
}

static void tick(void)
{
}

const struct endpoint_operations client_operations = {
    .serve = serve,
    .serve_from_service = serve_from_service,
    .on_service_thread = on_service_thread,
    .network_down = network_down,
    .tick = tick,
};

struct client client_open(void)
{
    struct client client = {0};

    CHECK_EQ_I64(dataplane_endpoint_open(&client.endpoint), 0);
    client.generation = lock_word_generation(atomic_load(&client.endpoint->word));
    return client;
}

int client_try_bind(const struct client *client, uint32_t address, uint16_t port, bool reuse)
{
    return dataplane_bind(client->endpoint, client->generation, rte_cpu_to_be_32(address),
                          rte_cpu_to_be_16(port), reuse ? DATAPLANE_SHARE : DATAPLANE_SHARE_NOT);
}

int client_try_join(const struct client *client, uint32_t group, uint32_t interface)
{
    return dataplane_join(client->endpoint, client->generation, rte_cpu_to_be_32(group),
                          rte_cpu_to_be_32(interface));
}

int client_leave(const struct client *client, uint32_t group, uint32_t interface)
{
    return dataplane_leave(client->endpoint, client->generation, rte_cpu_to_be_32(group),
                           rte_cpu_to_be_32(interface));
}

struct client client_bound(uint32_t address, uint16_t port)
{
    struct client client = client_open();

    CHECK_EQ_I64(client_try_bind(&client, address, port, true), 0);
    return client;
}

struct client client_joined(uint32_t group, uint16_t port)
{
    struct client client = client_bound(0, port);

    CHECK_EQ_I64(client_try_join(&client, group, 0), 0);
    return client;
}

int client_change_group(const struct client *client, enum dataplane_source_change kind,
                        uint32_t group, uint32_t source)
{
    return dataplane_change_group(client->endpoint, client->generation, kind,
                                  rte_cpu_to_be_32(group), 0, rte_cpu_to_be_32(source));
}

struct source_filter client_filter_of(bool exclude, uint32_t first, uint32_t last)
{
    struct source_filter filter = exclude ? SOURCE_FILTER_ANY : SOURCE_FILTER_NONE;

    for (uint32_t source = first; source <= last; source++)
        CHECK_EQ_I64(source_filter_add(&filter, rte_cpu_to_be_32(source)), 0);
    return filter;
}

int client_set_filter(const struct client *client, uint32_t group, uint32_t interface,
                      const struct source_filter *filter)
{
    return dataplane_set_filter(client->endpoint, client->generation, rte_cpu_to_be_32(group),
                                rte_cpu_to_be_32(interface), filter);
}

bool client_has_filter(const struct client *client, uint32_t group, uint32_t interface,
                       const struct source_filter *filter)
{
    struct source_filter had;

    CHECK_EQ_I64(dataplane_filter(client->endpoint, client->generation, rte_cpu_to_be_32(group),
                                  rte_cpu_to_be_32(interface), &had),
                 0);
    return source_filter_equal(&had, filter);
}

static void acquire(const struct client *client)
{
    CHECK_EQ_I64(lock_word_acquire(&client->endpoint->word, client->generation), LOCK_ACQUIRED);
}

/* The payload, gathered from however many segments there are. */
static void copy_payload(struct rte_mbuf *mbuf, const struct rx_meta *meta, struct taken *taken)
{
    uint32_t length = RTE_MIN(meta->payload_length, (uint32_t)sizeof taken->bytes);
    uint8_t gathered[sizeof taken->bytes];

    if (length == 0)
        return; /* DPDK walks off the end of a chain whose last byte is in front of nothing */
    const void *payload = rte_pktmbuf_read(mbuf, meta->payload_offset, length, gathered);

    CHECK(payload != NULL);
    memcpy(taken->bytes, payload, length);
}

bool client_take(const struct client *client, struct taken *taken)
{
    struct endpoint *e = client->endpoint;

    acquire(client);
    const struct ring_element *element = endpoint_front(e);
    if (element != NULL) {
        const struct rx_meta *meta = element_meta(element);

        taken->length = element->length;
        taken->drops = element->drops;
        taken->source = rte_be_to_cpu_32(meta->source);
        taken->source_port = rte_be_to_cpu_16(meta->source_port);
        taken->kind = (enum rx_kind)meta->kind;
        dataplane_receive_time(element, &taken->time);
        CHECK_EQ_U64(element->length, meta->payload_length);
        copy_payload(element_mbuf(element), meta, taken);
        endpoint_consume(e, element);
    }
    release(e);
    return element != NULL;
}

unsigned client_drain(const struct client *client)
{
    struct taken taken;
    unsigned count = 0;

    while (client_take(client, &taken))
        count++;
    return count;
}

void client_expect(const struct client *client, uint64_t first, unsigned count, size_t length)
{
    struct taken taken;

    for (unsigned i = 0; i < count; i++) {
        CHECK_MSG(client_take(client, &taken), "datagram %u of %u is missing", i, count);
        CHECK_EQ_U64(taken.length, length);
        CHECK_MSG(frame_is_filled(taken.bytes, RTE_MIN(length, sizeof taken.bytes), first + i),
                  "datagram %u of %u is another one", i, count);
    }
    CHECK_MSG(!client_take(client, &taken), "there are more than %u datagrams", count);
}

static int send_locked(const struct client *client, struct send_record *record, const void *payload)
{
    struct endpoint *e = client->endpoint;
    uint32_t address;
    uint16_t port;

    dataplane_binding(e, &address, &port);
    struct route route = dataplane_route(record->destination, address, 0);
    if (route.kind == ROUTE_NO_SOURCE)
        return -EADDRNOTAVAIL;
    if (route.kind == ROUTE_NONE ||
        ((route.kind == ROUTE_LINK || route.kind == ROUTE_ROUTER) && route.hop == ROUTE_STAYS))
        return -ENETUNREACH;
    CHECK_EQ_I64(dataplane_send_prepare(e), 0);
    if (!send_queue_has_room(&e->send, record->length))
        return -EAGAIN;
    struct send_room room = send_queue_room(&e->send, record->length);
    if (record->length != 0) {
        memcpy(room.at[0], payload, room.length[0]);
        memcpy(room.at[1], (const uint8_t *)payload + room.length[0], room.length[1]);
    }
    if (record->source == 0)
        record->source = route.source;
    if (record->source_port == 0)
        record->source_port = port;
    record->via = route.via;
    record->hop = route.hop;
    dataplane_send(e, record);
    return 0;
}

int client_try_send_record(const struct client *client, struct send_record record,
                           const void *payload)
{
    acquire(client);
    int result = send_locked(client, &record, payload);
    release(client->endpoint);
    return result;
}

int client_try_send(const struct client *client, uint32_t destination, uint16_t port,
                    const void *payload, size_t length)
{
    struct send_record record = {
        .destination = rte_cpu_to_be_32(destination),
        .destination_port = rte_cpu_to_be_16(port),
        .length = (uint16_t)length,
        .kind = RX_DATAGRAM,
        .ttl = 64,
    };

    return client_try_send_record(client, record, payload);
}

void client_send(const struct client *client, uint32_t destination, uint16_t port, size_t length,
                 uint64_t sequence)
{
    uint8_t payload[SEND_MAX_PAYLOAD];

    CHECK(length <= sizeof payload);
    frame_fill(payload, length, sequence);
    CHECK_EQ_I64(client_try_send(client, destination, port, payload, length), 0);
}

unsigned client_queued(const struct client *client)
{
    return endpoint_queued(client->endpoint);
}

uint64_t client_lost_ring_full(const struct client *client)
{
    return atomic_load(&client->endpoint->lcore.lost_ring_full);
}

uint64_t client_lost_pool_share(const struct client *client)
{
    return atomic_load(&client->endpoint->lcore.lost_pool_share);
}

uint64_t client_delivered(const struct client *client)
{
    return atomic_load(&client->endpoint->lcore.delivered);
}

void client_set_bytes(const struct client *client, uint32_t bytes)
{
    atomic_store(&client->endpoint->lcore.bytes_limit, bytes);
}

void client_close(struct client *client)
{
    acquire(client);
    lock_word_retire(&client->endpoint->word);
    dataplane_endpoint_close(client->endpoint);
    client->endpoint = NULL;
}
