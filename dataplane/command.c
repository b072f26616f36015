/* SPDX-License-Identifier: BSD-3-Clause */
#include "command.h"

#include <rte_cycles.h>
#include <rte_pause.h>
#include <rte_ring.h>

#include "host.h"
#include "host_igmp.h"
#include "lcore.h"
#include "send.h"
#include "wake.h"

/** Looks at the answer before the client sleeps: a pass of a busy lcore takes some microseconds. */
#define SPINS_BEFORE_SLEEP 2000u
#define COMMANDS_PER_PASS 8u

void command_call(struct lcore *lcore, struct command *command)
{
    atomic_store_explicit(&command->state, COMMAND_WAITING, memory_order_relaxed);
    /* One producer and at most a few entries: it cannot be full. The enqueue publishes *command. */
    rte_ring_enqueue(lcore->commands, command);
    for (unsigned spins = 0;; spins++) {
        uint32_t state = atomic_load_explicit(&command->state, memory_order_acquire);

        if (state == COMMAND_DONE)
            return;
        if (!atomic_load_explicit(&lcore->running, memory_order_acquire)) {
            lcore_step(lcore, rte_rdtsc()); /* stepped by hand: nobody else will do it */
            continue;
        }
        if (spins < SPINS_BEFORE_SLEEP) {
            rte_pause();
            continue;
        }
        if (state == COMMAND_WAITING &&
            !atomic_compare_exchange_strong(&command->state, &state, COMMAND_SLEEPING))
            continue;
        struct wake_word word = {&command->state, COMMAND_SLEEPING};
        wake_sleep(&word, 1, WAKE_FOREVER);
    }
}

/* The MAC of a port is its keeper's. */
static void readdress(struct lcore *lcore, const struct command *command)
{
    lcore_set_addressing(lcore, command->addressing);
    for (unsigned p = 0; p < command->addressing->ports_count; p++)
        if (lcore->host->ports[p] != NULL)
            lcore->host->ports[p]->port->mac = command->macs[p];
    host_changed(lcore, command->ports, lcore->now);
}

static void carry_out(struct lcore *lcore, struct command *command)
{
    command->result = 0;
    switch (command->kind) {
    case COMMAND_ATTACH:
        lcore_attach(lcore, command->endpoint);
        break;
    case COMMAND_DRAIN:
        command->result = send_drain(lcore, command->endpoint);
        lcore_notify(lcore);
        break;
    case COMMAND_DETACH:
        lcore_detach(lcore, command->endpoint);
        break;
    case COMMAND_ADD:
        command->result =
            demux_add(&lcore->demux, command->key, command->every_member, command->member);
        break;
    case COMMAND_REMOVE:
        command->member = demux_remove(&lcore->demux, command->key, command->endpoint);
        break;
    case COMMAND_GROUP:
        command->result = host_igmp_set(lcore, command->port, command->group, command->filter);
        break;
    case COMMAND_ADDRESSING:
        readdress(lcore, command);
        break;
    case COMMAND_LINK_UP:
        host_link_up(lcore, command->port, lcore->now);
        break;
    case COMMAND_PEER:
        command->endpoint->lcore.peer_address = command->peer_address;
        command->endpoint->lcore.peer_port = command->peer_port;
        break;
    }
}

unsigned command_run_queued(struct lcore *lcore)
{
    struct command *commands[COMMANDS_PER_PASS];
    unsigned count =
        rte_ring_dequeue_burst(lcore->commands, (void **)commands, COMMANDS_PER_PASS, NULL);

    for (unsigned i = 0; i < count; i++) {
        _Atomic uint32_t *state = &commands[i]->state;

        carry_out(lcore, commands[i]);
        /* After this the client may reuse the memory; the futex word is only an address then. */
        if (atomic_exchange_explicit(state, COMMAND_DONE, memory_order_acq_rel) == COMMAND_SLEEPING)
            wake(state, 1);
    }
    return count;
}
