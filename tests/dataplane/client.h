/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_DATAPLANE_CLIENT_H
#define WIRERX_TESTS_DATAPLANE_CLIENT_H

/**
 * @file
 * The least client an endpoint can have: no Winsock, no waiting. It takes LOCK as clients do, reads
 * the ring and gives the buffers back. Addresses, groups and ports are in host byte order.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane.h"

/** Operations for dataplane_start(): nothing is posted, and a stop is told to the endpoint. */
extern const struct endpoint_operations client_operations;

struct client {
    struct endpoint *endpoint;
    uint32_t generation;
};

/** What a datagram was: its payload is in `bytes` as far as there was room. */
struct taken {
    uint32_t length;
    uint32_t drops;
    uint32_t source; /**< host order, as the others */
    uint16_t source_port;
    enum rx_kind kind;
    struct receive_time time;
    uint8_t bytes[65536];
};

struct client client_open(void);
/** Results as dataplane_bind(), dataplane_join(), dataplane_leave(). */
int client_try_bind(const struct client *client, uint32_t address, uint16_t port, bool reuse);
int client_try_join(const struct client *client, uint32_t group, uint32_t interface);
int client_leave(const struct client *client, uint32_t group, uint32_t interface);
/** dataplane_change_group() on every port. */
int client_change_group(const struct client *client, enum dataplane_source_change kind,
                        uint32_t group, uint32_t source);
/** A filter of the sources from `first` to `last`; first > last: of none. */
struct source_filter client_filter_of(bool exclude, uint32_t first, uint32_t last);
/** dataplane_set_filter() */
int client_set_filter(const struct client *client, uint32_t group, uint32_t interface,
                      const struct source_filter *filter);
/** Is it what dataplane_filter() gives? */
bool client_has_filter(const struct client *client, uint32_t group, uint32_t interface,
                       const struct source_filter *filter);

/** Opened, bound to `address` (0: any) and port (shared), which must succeed. */
struct client client_bound(uint32_t address, uint16_t port);
/** The same on any address, and joined to the group on every port. */
struct client client_joined(uint32_t group, uint16_t port);

/** The oldest datagram, as a receive call would. */
bool client_take(const struct client *client, struct taken *taken);
/** Take everything. @return how many datagrams there were */
unsigned client_drain(const struct client *client);
/** Take everything, which must be datagrams filled with the numbers from `first` on, `count` of them,
 *  each of this length (frame_fill()). */
void client_expect(const struct client *client, uint64_t first, unsigned count, size_t length);

/**
 * Send a datagram as a socket would, from the address that the route says, TTL 64. It is in the send queue
 * when this returns.
 * @return 0; -EAGAIN there is no room; -ENETUNREACH it is not for this stack
 */
int client_try_send(const struct client *client, uint32_t destination, uint16_t port,
                    const void *payload, size_t length);
/** Any record; its source and its port are filled in where they are 0. */
int client_try_send_record(const struct client *client, struct send_record record,
                           const void *payload);
/** A payload filled with this number, which must be accepted. */
void client_send(const struct client *client, uint32_t destination, uint16_t port, size_t length,
                 uint64_t sequence);

unsigned client_queued(const struct client *client);
/** Datagrams the socket lost for a full ring, and for its share of the pool. */
uint64_t client_lost_ring_full(const struct client *client);
uint64_t client_lost_pool_share(const struct client *client);
uint64_t client_delivered(const struct client *client);
/** SO_RCVBUF */
void client_set_bytes(const struct client *client, uint32_t bytes);

void client_close(struct client *client);

#endif
