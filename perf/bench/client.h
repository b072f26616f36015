/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_BENCH_CLIENT_H
#define WIRERX_BENCH_CLIENT_H

/**
 * @file
 * The client: the provider's functions and the sockets, each of which has joined one group of the
 * capture. There is one for each lane (bed.h), on the thread that opened it; functions that say nothing
 * of a lane are about the first one's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bed;
struct config;
struct config_error;

/** dataplane_start() with the provider's callbacks. */
int client_start_dataplane(const struct config *config, bool by_hand, struct config_error *error);

/** Start the provider and open the sockets, nonblocking. @return 0, or -1 after one line */
int client_open(const struct bed *bed);

/** The two parts of that: without sockets; and then sockets until there are so many. */
int client_start(const struct bed *bed);
int client_open_until(unsigned count);

/** Let a socket join another group of the capture. Ends the program when it cannot. */
void client_join(unsigned socket, unsigned group);

/** Bytes that the provider keeps for each socket, open or not. */
size_t client_record_bytes(void);

/** Close the sockets. What was posted on them has ended afterwards. */
void client_close(void);
void client_close_of(const struct bed *bed);

/** End the provider. */
void client_cleanup(void);
void client_cleanup_of(const struct bed *bed);

/** Make every socket blocking or nonblocking. */
void client_set_nonblocking(bool nonblocking);

/** How long a wait for events polls before it sleeps, microseconds. */
void client_set_wait_spin(unsigned microseconds);

/** SO_RCVTIMEO of every socket. */
void client_set_timeout(double milliseconds);

/**
 * One datagram from each socket in turn by a blocking WSPRecv, beginning with the socket `first`.
 *
 * @param ticks  receives the time from the burst to the return of each, in time-stamp counter ticks
 * @return how many came before a call timed out: `wanted`, or fewer
 */
unsigned client_receive_paced(const struct bed *bed, unsigned wanted, unsigned first,
                              uint64_t *ticks);

#endif
