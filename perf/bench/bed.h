/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_BED_H
#define WIRERX_BENCH_BED_H

/**
 * @file
 * What both sides stand on: a dataplane with one memory-fed port and one lcore, a client thread (the
 * caller) bound to a CPU of its own, and the lcore's step, which is swapped between slices. There can
 * be several of this kind in one dataplane, side by side: lanes, each with a struct bed of its own.
 *
 * While the source is silent the lcore runs whole passes but looks at no queue: commands and buffers
 * on their way home are dealt with, nothing new arrives.
 *
 * Not to be mixed up with the sockets (client.h): DPDK's ethdev and winsock2.h cannot share a file.
 */

#include <stdbool.h>
#include <stdint.h>

#include "options.h"

/** Datagrams that wait in all sockets together when --ring-slots is not given; and in the floor. */
#define RING_SLOTS_TOTAL 2048u
/** ... and how many each socket has at least. */
#define RING_SLOTS_MINIMUM 8u
/** A socket's ring has more slots than that; fewer datagrams are a matter of SO_RCVBUF. */
#define RING_SLOTS_REAL_MINIMUM 64u

/** A blocking WSPRecv shall spin for as long as a slice may last. */
#define BED_SPIN_US 100000000u

/** One port each. */
#define BED_MAX_LANES 16u

struct lcore;
struct port;
struct port_operations;
struct rte_mbuf;

/** A pass of the lcore. */
typedef bool (*bed_step)(struct lcore *lcore, uint64_t now);

struct bed {
    const struct bench_options *options; /**< sockets: the lane's own */
    unsigned lane;                       /**< and the index of its lcore; 0 of an only one */
    struct lcore *lcore;
    struct port *port;
    unsigned lcore_cpu;
    unsigned client_cpu;
    unsigned ring_slots;     /**< datagrams that wait in each socket at most */
    unsigned floor_slots;    /**< and in the floor's ring */
    double ticks_per_second; /**< of the time-stamp counter */
    unsigned free_buffers;   /**< in the pool before there were sockets */
    double load_at_start;    /**< load average of the last minute */
};

/**
 * Start all of it but the sockets. The source is silent afterwards.
 * @return 0, or -1 after one line on standard error: then the program is to end
 */
int bed_start(struct bed *bed, const struct bench_options *options);

/**
 * The same with several lanes. The caller is the first one's client; the others' threads bind
 * themselves with bed_bind_client() and open their sockets (client.h) in the order of their lanes.
 * @param options  one for each lane: the same but for the number of sockets, the first has the most
 */
int bed_start_lanes(struct bed *lanes, const struct bench_options *options, unsigned count);
int bed_bind_client(const struct bed *bed);

/** The part of bed_start() which finds a CPU for the lcore and one for the client. */
int bed_choose_cpus(struct bed *bed);

/** Stop, and count. The sockets are closed. @return packet buffers that are missing */
unsigned bed_stop(struct bed *bed);
unsigned bed_stop_lanes(struct bed *lanes, unsigned count);

/** Let the lcore run this step; NULL: the library's own. */
void bed_run(struct bed *bed, bed_step step);

/** The ordinary row of a port's functions with another burst. Filled the first time and then left alone: the
 *  service thread may be using it. @return row */
const struct port_operations *bed_row_of(struct port_operations *row, const char *name,
                                         uint16_t (*burst)(struct port *port, uint16_t queue,
                                                           struct rte_mbuf **mbufs, uint16_t max,
                                                           struct lcore *lcore, uint64_t now));

/** By hand: one pass with this step on the calling thread, which is the lcore meanwhile. */
void bed_pass(struct bed *bed, bed_step step);

/** Silence the source and wait until the lcore has emptied every socket's way home since. */
void bed_silence(struct bed *bed);

/** Times that the lcore's or the client's thread was taken off its CPU. While it is silent. */
uint64_t bed_preemptions(void);
uint64_t bed_preemptions_of(const struct bed *bed); /**< by the client of that lane */

/** Datagrams that the library has put in sockets' rings, and those that found no room, ever. */
uint64_t bed_delivered(const struct bed *bed);
uint64_t bed_dropped(const struct bed *bed);

/** Frames that came to the lcore of another lane's sockets: none, or the lanes are not apart. */
uint64_t bed_handed_over(const struct bed *bed);

/** Load average of the last minute. */
double bed_load(void);

/** Ticks of the time-stamp counter in so many milliseconds. */
uint64_t bed_ticks(const struct bed *bed, double milliseconds);

/** End the program with one line: the run has failed. */
_Noreturn void bed_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** One line: it cannot begin. @return -1 */
int bed_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
