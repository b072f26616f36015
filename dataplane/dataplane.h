/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_DATAPLANE_H
#define WIRERX_DATAPLANE_H

/**
 * @file
 * The dataplane as the provider sees it: start and stop, endpoints, counters. The only header of
 * dataplane/ that provider/ includes. Knows nothing of Winsock: results are 0 or a negative errno.
 *
 * Threads: all functions may be called from any thread but an lcore. They take the control lock and
 * wait for lcores to answer; those that do not say so on their own. One that is called by a signal
 * handler while the thread it has interrupted is in another returns -EDEADLK (those without a result
 * may not be called then: dataplane_control_is_mine()). No thread is cancelled inside.
 *
 * fork(): the child finds no endpoint, nothing running, and cannot start anything (-ENODEV): DPDK's
 * threads are not there and its memory is shared with the parent, which goes on undisturbed.
 */

#include "config.h"
#include "counters.h"
#include "endpoint.h"
#include "endpoint_batch.h"
#include "endpoint_lend.h"
#include "fence.h"
#include "log.h"
#include "owner_mutex.h"
#include "receive_time.h"
#include "route.h"
#include "source_filter.h"
#include "wake.h"

struct endpoint_operations {
    /**
     * Serve an endpoint's posted receives from its ring, and its posted sends into its send queue. Called
     * on the home lcore with LOCK held; releases it by lock_word_release_from_lcore() and then signals
     * what it completed. Bounded: some 32 completions and 32 KiB, and one completion more.
     * @return true when some that could be served are left (AGAIN stays set)
     */
    bool (*serve)(struct endpoint *endpoint);
    /** The same on the service thread, which takes LOCK as clients do. */
    void (*serve_from_service)(struct endpoint *endpoint);
    /** Must completions leave the lcore (foreign host, lost fault guard)? Read before each attempt. */
    bool (*on_service_thread)(void);
    /**
     * The dataplane stops: end what waits on this endpoint with "network down", take LOCK, consume
     * what is queued and set ENDPOINT_NET_DOWN. On the service thread; no lcore runs any more.
     */
    void (*network_down)(struct endpoint *endpoint);
    /** Some 20 times a second on the service thread. */
    void (*tick)(void);
};

/**
 * Start ports and lcores.
 * @param by_hand  no lcore threads: the caller runs lcore_step() itself (tests, instruction counts)
 * @return 0; -EALREADY; -EINVAL the configuration is refused; -ENODEV a device, EAL or memory
 *         could not be had. error->text says what, where and what to do
 */
int dataplane_start(const struct config *config, const struct endpoint_operations *operations,
                    bool by_hand, struct config_error *error);

/** Stop everything; endpoints that are open become ENDPOINT_NET_DOWN. @return 0 or -ENETDOWN */
int dataplane_stop(void);

/** One atomic load. */
bool dataplane_running(void);

/** Is the calling thread inside one of these functions, and this a signal handler? One load. */
bool dataplane_control_is_mine(void);

/** sockets.spin_us of the last start, which new sockets take. One atomic load: under LOCK, too. */
uint32_t dataplane_default_spin_us(void);

/* --- endpoints ---------------------------------------------------------------------------------- */

/** Endpoints are made so many at a time, for slots from a multiple of it on. */
#define ENDPOINT_CHUNK 256u
/* Hidden: reached without a detour through a table of the linker's. */
extern _Atomic(struct endpoint *) endpoint_slots[CONFIG_MAX_SOCKETS]
    __attribute__((visibility("hidden")));

/** The endpoint in a slot; NULL: there never was one. Never unmapped. Any thread, lock-free. */
static inline struct endpoint *endpoint_at(uint32_t slot)
{
    if (slot >= CONFIG_MAX_SOCKETS)
        return NULL;
    return atomic_load_explicit(&endpoint_slots[slot], memory_order_acquire);
}

/**
 * A new endpoint, unbound, with an odd generation in its lock word.
 * @return 0; -ENETDOWN; -EMFILE sockets.maximum are open; -ENOMEM
 */
int dataplane_endpoint_open(struct endpoint **endpoint);

/**
 * Free an endpoint whose lock word has been retired (lock_word_retire()): no client can take LOCK. What
 * it has sent is delivered and the lcores forget it before this returns.
 */
void dataplane_endpoint_close(struct endpoint *endpoint);

/** With whom a binding shares its name, as Windows has it since Server 2003. */
enum dataplane_sharing {
    DATAPLANE_SHARE_NOT,       /**< no other has the same name; any and a certain address are two */
    DATAPLANE_SHARE,           /**< nor any that does not share as well (SO_REUSEADDR) */
    DATAPLANE_SHARE_EXCLUSIVE, /**< bound to any address, nobody binds to one (SO_EXCLUSIVEADDRUSE) */
};

/**
 * Bind to an address and port and attach to a home lcore.
 * @param generation  of the caller's handle: -ENOTSOCK when the slot is another socket's by now
 * @param address  network order; of a port, or of 127.0.0.0/8; 0: all of them, and broadcasts
 * @param port     network order; 0: a free one from the dynamic range (RFC 6335: 49152-65535)
 * @return 0; -EINVAL bound already; -EADDRINUSE; -EACCES whoever is there does not share;
 *         -EADDRNOTAVAIL; -ENOBUFS a table is full; -ENETDOWN
 */
int dataplane_bind(struct endpoint *endpoint, uint32_t generation, uint32_t address, uint16_t port,
                   enum dataplane_sharing sharing);

/**
 * Connect a bound endpoint: from now on its home lcore puts in its ring only what this peer has sent.
 * What was put in before is the consumer's to look at.
 * @param address, port  network order; port 0: what comes from anywhere
 * @return 0; -EINVAL not bound; -ENOTSOCK; -ENETDOWN
 */
int dataplane_connect(struct endpoint *endpoint, uint32_t generation, uint32_t address,
                      uint16_t port);

/** Binding of an endpoint, network order; zeros while unbound. Never blocks for an lcore. */
void dataplane_binding(const struct endpoint *endpoint, uint32_t *address, uint16_t *port);

/**
 * Join or leave a multicast group. On an unbound endpoint it takes effect when it is bound.
 * @param group      network order, 224.0.0.0/4
 * @param interface  network order: address of a port; 0: every port; 0.0.0.1: the first one, and so on
 * @return 0; -EINVAL no multicast group; -EADDRNOTAVAIL no such interface, or not joined;
 *         -EADDRINUSE joined already; -ENOBUFS; -ENETDOWN
 */
int dataplane_join(struct endpoint *endpoint, uint32_t generation, uint32_t group,
                   uint32_t interface);
int dataplane_leave(struct endpoint *endpoint, uint32_t generation, uint32_t group,
                    uint32_t interface);

enum dataplane_source_change {
    DATAPLANE_JOIN,         /**< dataplane_join() */
    DATAPLANE_LEAVE,        /**< dataplane_leave(), whatever its sources */
    DATAPLANE_JOIN_SOURCE,  /**< take from this source, too, beside those joined before */
    DATAPLANE_LEAVE_SOURCE, /**< take from it no more; without a source left the group is left */
    DATAPLANE_BLOCK_SOURCE, /**< in a group that was joined for all sources: but from this one */
    DATAPLANE_UNBLOCK_SOURCE,
};

/**
 * Change from whom an endpoint takes a group's datagrams (RFC 3376, 2). A running stream of another source has
 * neither gap nor duplicate. The network is told of what all endpoints together want.
 * @param source  network order, no group; ignored by the first two
 * @return as dataplane_join(); -EINVAL: it was joined in the other manner, for all or for some sources;
 *         -EADDRINUSE: the source is there already; -ENOBUFS: more than 64 sources; -EADDRNOTAVAIL: the
 *         source or the group is not there
 */
int dataplane_change_group(struct endpoint *endpoint, uint32_t generation,
                           enum dataplane_source_change kind, uint32_t group, uint32_t interface,
                           uint32_t source);

/**
 * Put a filter in place of the one that an endpoint has for a group, of either manner (RFC 3376, 2). It is one
 * change: the network is told of the difference at once, and a stream of a source that both take has neither gap
 * nor duplicate. SOURCE_FILTER_NONE leaves the group, also where it was not joined.
 * @param filter  made by source_filter_add(); no source is 0 or a group
 * @return as dataplane_join(), but never -EADDRINUSE; -EADDRNOTAVAIL: no such interface. On an error it is as before
 */
int dataplane_set_filter(struct endpoint *endpoint, uint32_t generation, uint32_t group,
                         uint32_t interface, const struct source_filter *filter);

/**
 * The filter that an endpoint has for a group; SOURCE_FILTER_NONE: it has not joined. Of an interface that is more
 * than one port: what it takes on any of them, as source_filter_merge() has it.
 * @return 0; -EINVAL no multicast group; -EADDRNOTAVAIL no such interface; -ENETDOWN; -ENOTSOCK
 */
int dataplane_filter(struct endpoint *endpoint, uint32_t generation, uint32_t group,
                     uint32_t interface, struct source_filter *filter);

/* --- sending: under LOCK, while ENDPOINT_ATTACHED ------------------------------------------------- */

/**
 * Before send_queue_has_room(): see that there is a ring, as large as SO_SNDBUF wants it. One comparison
 * but for the first time, which allocates.
 * @return 0; -ENOBUFS
 */
int dataplane_send_prepare(struct endpoint *endpoint);

/**
 * The longest IPv4 packet that reaches a host whole, as far as the endpoint's home lcore knows: as long as any
 * if nothing is known of the path beyond the link. Of an endpoint that is not attached nothing is known.
 * @param destination  network order
 */
uint32_t dataplane_path_mtu(const struct endpoint *endpoint, uint32_t destination);

/**
 * Send what the caller has written into send_queue_room(). Returns at once: the home lcore makes a frame
 * of it and brings it to whom it is for, in order. Only within this stack so far.
 */
void dataplane_send(struct endpoint *endpoint, const struct send_record *record);

/* --- counters and replay -------------------------------------------------------------------------- */

enum dataplane_scope {
    DATAPLANE_SCOPE_ALL,
    DATAPLANE_SCOPE_PORT,
    DATAPLANE_SCOPE_LCORE
};

/** Rows that a device counts itself; at the front of a report that has ports in it. */
#define DATAPLANE_DEVICE_ROWS 21u
/** Rows about the memory of rings; at the end of a report that has all of an lcore in it. */
#define DATAPLANE_MEMORY_ROWS 2u

struct dataplane_report {
    struct {
        const char *name;
        const char *help;
        uint64_t value;
    } rows[DATAPLANE_DEVICE_ROWS + COUNTER_TOTAL + DATAPLANE_MEMORY_ROWS];
    unsigned count;
};

/** @return 0 or -EINVAL: no such scope or index. Works after a stop, too. */
int dataplane_report(enum dataplane_scope scope, unsigned index, struct dataplane_report *report);

/** @return 0; -ENETDOWN; -EINVAL no port replays */
int dataplane_replay_go(void);

struct dataplane_replay {
    uint64_t total;
    uint64_t released;
    bool drained;
    int64_t stalled_slot;
    uint64_t stalled_ns;
};
int dataplane_replay_progress(struct dataplane_replay *progress);

/** Time-stamp counter: now, and ticks a second (0 before the first start). */
uint64_t dataplane_tsc(void);
uint64_t dataplane_tsc_hz(void);

#endif
