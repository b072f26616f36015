/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_COMMAND_H
#define WIRERX_COMMAND_H

/**
 * @file
 * Control travels as commands: a client puts one on an lcore's ring and waits for the answer. So
 * what an lcore owns needs no lock. Clients take turns (control lock in dataplane.c), so each ring
 * has one producer at a time.
 */

#include <stdatomic.h>
#include <stdint.h>

#include <rte_ether.h>

#include "addressing.h"
#include "demux.h"
#include "source_filter.h"

struct lcore;

enum command_kind {
    COMMAND_ATTACH, /**< the endpoint is at home here from now on */
    COMMAND_DRAIN,  /**< send a part of what it has queued; `result` 1: there is more */
    COMMAND_DETACH, /**< forget it; its frames go back to the pool */
    COMMAND_ADD,    /**< link `member` under `key` */
    COMMAND_REMOVE, /**< unlink the endpoint's member under `key`; `member` receives it */
    COMMAND_GROUP, /**< what the port wants of a group is `filter` from now on; its keeper tells the network */
    COMMAND_ADDRESSING, /**< `ports` (bits) have other addresses, routes, MACs from now on */
    COMMAND_LINK_UP,    /**< the port's link is back; to its keeper */
    COMMAND_PEER,       /**< take only what comes from this peer from now on */
};

enum command_state {
    COMMAND_WAITING,
    COMMAND_SLEEPING, /**< waiting, and the client sleeps on the word */
    COMMAND_DONE,
};

struct command {
    enum command_kind kind;
    struct endpoint *endpoint;
    struct demux_key key;
    bool every_member;
    struct demux_member *member;
    unsigned port;                       /**< of GROUP, LINK_UP; index */
    uint32_t ports;                      /**< of ADDRESSING */
    const struct addressing *addressing; /**< lent until the answer */
    const struct rte_ether_addr *macs;   /**< by port; likewise */
    uint32_t group;                      /**< network order */
    const struct source_filter *filter;  /**< lent until the answer */
    uint32_t peer_address;               /**< network order */
    uint16_t peer_port;                  /**< network order; 0: take what comes from anywhere */
    int result;             /**< of ADD as demux_add() gives it; of GROUP as host_igmp_set() */
    _Atomic uint32_t state; /**< enum command_state */
};

/** Send and wait for the answer (spin, then sleep). Not on an lcore; control lock held. */
void command_call(struct lcore *lcore, struct command *command);

/** Carry out what is queued; called by lcore_step(). @return how many */
unsigned command_run_queued(struct lcore *lcore);

#endif
