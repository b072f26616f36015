/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_LCORE_H
#define WIRERX_LCORE_H

/**
 * @file
 * A dataplane lcore: its queues, its demux table, its endpoints. lcore_step() is its whole life; the
 * loop merely calls it, and so can a test: one thread that alternates lcore_step() with WSPRecv gives
 * exact instruction counts and seeded schedules.
 *
 * Everything in struct lcore belongs to the lcore, but for the marked fields. It never blocks, never
 * calls malloc, and makes no system call but a bounded number of wake-ups per pass.
 */

#include <rte_ring.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "addressing.h"
#include "config.h"
#include "counters.h"
#include "dataplane.h"
#include "demux.h"
#include "endpoint.h"
#include "flow_run.h"
#include "port.h"
#include "store_stock.h"
#include "wake.h"

/** Wake-up system calls an lcore makes itself in one pass; the service thread makes the others. */
#define LCORE_WAKES_PER_PASS 4u

/** Payload bytes that posted receives are given in one pass before the others wait for the next one. One
 *  service is bounded as well (endpoint_operations.serve), so a pass copies no more than both. */
#define LCORE_SERVE_BYTES_PER_PASS 65536u

/** Endpoints whose way home is looked at in one pass of LCORE_SWEEP_PASSES, whether they had data or not. Not
 *  in each: a look takes the line from a client that is just reading. */
#define LCORE_SWEEP 8u
#define LCORE_SWEEP_PASSES 64u

/** A frame waits for another lcore in a ring of this many entries. */
#define LCORE_HANDOVER_SLOTS 2048u

struct command;
struct host;
struct lcore;

/** One receive queue of one port, polled by one lcore. */
struct rx_queue {
    struct port *port;
    uint16_t queue;
    struct flow_template flow; /**< of the last plain frame */
    struct counters counters;  /**< readable by all */
};

struct lcore {
    /** lcore_step(), or a replacement that a benchmark compares with it. Set by any thread. */
    _Atomic(bool (*)(struct lcore *, uint64_t now)) step;
    _Atomic bool quit;    /**< set by the service thread */
    _Atomic bool running; /**< cleared by the lcore on its way out */

    uint32_t index; /**< in the configuration */
    unsigned id;    /**< DPDK's lcore id */
    unsigned cpu;
    int numa_node;
    struct rx_queue *queues;
    unsigned queues_count;
    const struct endpoint_operations *operations;

    struct demux demux;
    struct rte_ring *commands;                   /**< from clients, one at a time */
    struct rte_ring *handover[CONFIG_MAX_CORES]; /**< to this lcore, by sender; NULL: itself */
    struct lcore *peers;                         /**< all lcores, by index */
    unsigned peers_count;
    struct counters handover_counters; /**< frames that came from other lcores; readable by all */
    struct counters own_counters;      /**< what belongs to no queue; readable by all */

    struct addressing addressing; /**< replaced by lcore_set_addressing() */
    uint32_t local_addresses[CONFIG_MAX_PORTS * CONFIG_MAX_ADDRESSES]; /**< network byte order */
    unsigned local_addresses_count;

    struct host *host; /**< what it does for the ports that it keeps (host.h) */
    uint64_t host_due; /**< time-stamp counter: when host_run() has something to do */
    uint64_t now;      /**< this pass's */
    uint32_t pass;     /**< counts passes, modulo 2^32 */
    /** Got data in this pass. An array, so that no endpoint's line leads to the next. */
    struct endpoint **touched;
    uint32_t touched_count;
    struct endpoint *ready; /**< a service is owed (lock_word.h, R2) */
    struct endpoint *homed; /**< all endpoints at home here, a ring; the sweep's position */
    uint32_t homed_count;
    uint32_t attached_ever; /**< tells lcore_room()'s users that there is one more */
    uint32_t free_buffers;  /**< in the pools, as of this pass's first burst */
    uint32_t buffers_share; /**< of which a socket may hold this many, beyond its minimum */
    uint32_t minimum;       /**< buffers that a socket may always hold */
    uint32_t look_after;    /**< datagrams of a socket between two looks at it (way_home.h) */
    bool free_buffers_known;

    struct store_stock stock; /**< larger stores for sockets at home here */
    uint64_t quiet_cycles;    /**< STORE_QUIET_SECONDS of the time-stamp counter */

    struct wake_sink sink;
    unsigned wakes_left;
    uint64_t served_bytes;  /**< what this pass has given posted receives */
    bool service_called;    /**< something was deferred in this pass */
    struct rte_ring *wakes; /**< struct deferred_wake, for the service thread */
    /** The same, a stack: pushed by the lcore, emptied by the service thread, never full. */
    _Atomic(struct wake_errand *) errands;
    struct rte_ring *services;  /**< endpoints it shall serve; each at most once, so never full */
    void (*call_service)(void); /**< tell the service thread that there is something */

    struct rte_mempool *send_pool; /**< buffers for what sockets at home here send */
    struct endpoint *first_sender; /**< their records wait for the next pass; see send_queue.h */
    struct endpoint *last_sender;  /**< valid while there is a first */
    /** Endpoints with new records, the newest first: pushed by clients, taken all at once. A line of its
     *  own: while nothing is sent nobody writes it. */
    _Atomic(struct endpoint *) senders __rte_cache_aligned;
} __rte_cache_aligned;

/** Wake-ups beyond the budget of a pass that the service thread is given; then the lcore makes them. */
#define LCORE_DEFERRED_WAKES 4096u

struct deferred_wake {
    _Atomic uint32_t *word;
    uint64_t count;
};

/**
 * One pass: bursts -> classify -> deliver | host | hand over | drop; what sockets have sent; commands;
 * buffers coming home; wake-ups; what the host owes the network.
 * @param now  time-stamp counter
 * @return true when there was anything to do
 */
bool lcore_step(struct lcore *lcore, uint64_t now);

/** Body of the EAL thread: passes until quit. */
int lcore_main(void *argument);

/** What the ports are on their networks from now on. On the lcore, or before it runs. */
void lcore_set_addressing(struct lcore *lcore, const struct addressing *addressing);

/** Is it an address of a port, whichever? Network byte order. */
bool lcore_has_address(const struct lcore *lcore, uint32_t address);

/** Is it the directed broadcast of a network of a port, whichever (RFC 919)? Network byte order. */
bool lcore_has_broadcast(const struct lcore *lcore, uint32_t address);

/** Put a classified frame where it belongs. @return its fate; a DROP_ fate leaves it to the caller. */
enum counter lcore_deliver(struct lcore *lcore, struct counters *counters, struct rte_mbuf *mbuf,
                           const struct classify_rules *rules);

/** What one endpoint has lost, by the fate that was refused it. */
enum counter lost_by(enum counter fate);

/** Put a frame in one endpoint's ring, which is at home here, past the table. The same results. */
enum counter lcore_deliver_to(struct lcore *lcore, struct counters *counters,
                              struct endpoint *endpoint, struct rte_mbuf *mbuf);

/** Frames that any endpoint at home here could still take: for sources that can wait (replay.h). */
struct lcore_room {
    uint32_t frames;
    uint64_t bytes;
    struct endpoint *tightest; /**< NULL when nothing bounds it */
};
struct lcore_room lcore_room(struct lcore *lcore);

/**
 * An endpoint that has datagrams, or its share of the pool, and could not take this frame now; NULL:
 * there is none, which does not mean that the frame fits everywhere with room to spare. Right after
 * lcore_room().
 */
struct endpoint *lcore_blocked_by(struct lcore *lcore, const struct rte_mbuf *mbuf);

/**
 * Give a socket whose ring is full a larger one. The stock may be empty, and the socket may have all that
 * it is allowed.
 * @return true: there is room now
 */
bool lcore_grow(struct lcore *lcore, struct endpoint *endpoint);

/** Look at what has been consumed (way_home_look()), go back to its own store, if what is queued fits there,
 *  and put all others back into the stock. While the lcore stands in for the consumer. */
void lcore_shrink(struct lcore *lcore, struct endpoint *endpoint);

/** Of one that has grown, if nobody holds LOCK: put back stores that the lcore has left, and, if it has
 *  needed little for long, go back to its own. */
void lcore_tidy_stores(struct lcore *lcore, struct endpoint *endpoint, uint64_t now);

/** Publish what the pass has put in rings and tell whoever waits for it (fence F1). */
void lcore_notify(struct lcore *lcore);

/** Make the one attempt to serve the endpoint; what is owed after it goes on the ready list (R2). */
void lcore_owe_service(struct lcore *lcore, struct endpoint *endpoint);

/** Rule R2 for every endpoint on the ready list. @return how many stay on it */
unsigned lcore_serve_ready(struct lcore *lcore);

/** struct wake_sink's functions: the budget of wake-ups. */
bool lcore_defer_wake(struct wake_sink *sink, _Atomic uint32_t *word, int count);
bool lcore_may_call(struct wake_sink *sink);
void lcore_hand_over(struct wake_sink *sink, struct wake_errand *errand);

/** Link a new endpoint to its home, or unlink it and free what its rings hold. Only on the lcore. */
void lcore_attach(struct lcore *lcore, struct endpoint *endpoint);
void lcore_detach(struct lcore *lcore, struct endpoint *endpoint);

#endif
