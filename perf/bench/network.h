/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_NETWORK_H
#define WIRERX_BENCH_NETWORK_H

/**
 * @file
 * The same sender over the same veth pair, received in different ways. A way is a row; the ways take
 * turns, a slice each: open, let the sender run, receive until it is quiet, account, close.
 *
 * Not to be mixed up with winsock2.h or libc's sockets: each way's file has its own.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "histogram.h"
#include "options.h"

/** The two ends, in a network namespace of this process. */
#define NETWORK_SENDER "wbench0"
#define NETWORK_RECEIVER "wbench1"

/** What the sender sends to, and who we are; host byte order. */
#define NETWORK_GROUP 0xefc80001u   /* 239.200.0.1 */
#define NETWORK_ADDRESS 0xc6120002u /* 198.18.0.2 */
#define NETWORK_PREFIX 15u
#define NETWORK_PORT 5000u

/** A way waits so long for a datagram before it has a look at the sender. */
#define NETWORK_WAIT_MS 20u

/** Datagrams that may wait in a way's queue, and bytes of them. */
#define NETWORK_QUEUE 4096u
#define NETWORK_QUEUE_BYTES (8u << 20)

/** Most datagrams of one call, where a call takes several. */
#define NETWORK_BATCH 32u

/** wirerx's client polls so long before it sleeps, unless told otherwise: little, as on two CPUs the
 *  sender needs the client's. */
#define NETWORK_SPIN_US 20u

/** Room for any payload. */
#define NETWORK_ROOM 2048u

struct network {
    const struct bench_options *options;
    unsigned lcore_cpu;
    unsigned interface; /**< index of NETWORK_RECEIVER */

    /* Of the slice that is going on. */
    uint64_t paced; /**< the first so many are sent at a pace, the rest as fast as possible */
    uint64_t received;
    uint64_t flood_received;      /**< of the rest */
    uint64_t first_tsc, last_tsc; /**< of these */
    uint64_t strangers;           /**< not the sender's */
    struct histogram *latency;    /**< ticks, of those at a pace */
};

struct way {
    const char *name;
    const char *what;

    /** @return 0, or -1 with the reason: this machine lacks it */
    int (*open)(struct network *network, char *reason, size_t size);

    /** Give every datagram that is there to network_take(); wait NETWORK_WAIT_MS when none is.
     *  @return false: it has failed, and the reason is set */
    bool (*receive)(struct network *network, char *reason, size_t size);

    /** Datagrams lost at this way's own queue since it was opened. NULL: see the kernel's figures. */
    uint64_t (*lost)(struct network *network);

    void (*close)(struct network *network);

    /** Something to be said of the figures; NULL: nothing. Asked for before close(). */
    const char *(*note)(void);
};

extern const struct way way_wirerx_af_xdp;
extern const struct way way_wirerx_af_packet;
extern const struct way way_recv;
extern const struct way way_recvmmsg;
extern const struct way way_busy_poll;
extern const struct way way_io_uring;
extern const struct way way_af_xdp;

/** A datagram's payload has been returned to the client. */
void network_take(struct network *network, const uint8_t *payload, size_t length);

/** Ticks of the time-stamp counter, also where DPDK does not run. The first call takes 50 ms. */
double network_ticks_per_second(void);

/* --- network_wire.c ------------------------------------------------------------------------------- */

/** Lay the wire in a namespace of this process. No thread and no DPDK yet. @return 0, or -1 with the
 *  reason */
int wire_lay(struct network *network, char *reason, size_t size);

/** Take away the XDP program that a way has left: net_af_xdp does, and it would be in the others' way.
 *  Also has libbpf and libxdp keep what they think to themselves. */
void wire_clear(const struct network *network);

/** What the kernel counted at the wire's ends and at its sockets. */
struct wire_counts {
    uint64_t sent;        /**< frames that the sender's end gave to the other */
    uint64_t device_lost; /**< dropped by either end */
    uint64_t socket_lost; /**< UDP datagrams that found a socket's buffer full */
};

void wire_count(struct wire_counts *counts);

/** The sender, a process of its own. */
struct wire_sender {
    int pid;
    int output;
};

/** `paced` datagrams a second for a slice, then as many as possible for another. */
int wire_sender_start(struct wire_sender *sender, const struct network *network, unsigned rate);

/** @return has it ended? Then *sent is set; negative: it failed */
int wire_sender_ended(struct wire_sender *sender, int64_t *sent);

/* --- network_testpmd.c ----------------------------------------------------------------------------- */

struct testpmd {
    double *floor; /**< datagrams a second, slice by slice; NULL: there are none */
    double *testpmd;
    unsigned pairs;
    char reason[256]; /**< why there are none */
};

/** The floor and testpmd rxonly on net_pcap infinite_rx, in alternating slices; processes of their own. */
void testpmd_measure(struct testpmd *results, const struct bench_options *options);

#endif
