/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TAP_H
#define WIRERX_TAP_H

/**
 * @file
 * TAP interfaces, by which ports reach the kernel, and the one thread that reads and writes them: an lcore
 * makes no system calls. What is for the kernel, and why, host_kernel.h decides.
 *
 * Two rings a port, each from one thread to one other: `down` from the port's keeper to the thread, `up`
 * from the thread to the keeper. Every buffer that goes down comes up again, so the thread never touches a
 * mempool: a frame when it has been written, an empty buffer when a frame of the kernel's is in it. What
 * each is says a mark (enum tap_mark) in rx_meta(mbuf)->via, set by whoever puts it in a ring. No more go
 * down than `up` holds (CONFIG_KERNEL_BUFFERS and CONFIG_KERNEL_EMPTIES, which the keeper counts), so
 * neither ring is ever full. The rings order all else: a buffer is its holder's alone.
 *
 * The thread sleeps in ppoll() on the interfaces and on one event descriptor, which lcores write
 * (tap_tell()). Before it sleeps it says in `wants` what it would be woken for, makes a full fence, and
 * looks in the rings once more; the keeper puts in the ring, makes a full fence, and then looks at `wants`.
 * So one of the two sees the other. The way up has no wake-up: the keeper looks every few microseconds.
 *
 * Owners: the service thread creates and destroys, while neither lcores nor the thread run. `empties` and
 * `gone` are the thread's, `wants` is set by the thread and cleared by both.
 */

#include <net/if.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "rx_meta.h"
#include "wake.h"

struct port;

enum tap_mark {
    TAP_FRAME,   /**< down: to be written */
    TAP_EMPTY,   /**< down: for a frame that is read */
    TAP_WRITTEN, /**< up: the kernel has it */
    TAP_REFUSED, /**< up: the kernel does not take it, as the interface is down */
    TAP_READ,    /**< up: a frame of the kernel's, which may have segments of no bytes at its end */
    TAP_TOO_LONG, /**< up: the same, which was longer than the port's mtu permits, and is cut */
};

/** What the thread would be woken for. Bits. */
enum tap_want {
    TAP_WANTS_FRAMES = 1,
    TAP_WANTS_EMPTIES = 2,
};

struct tap {
    struct rte_ring *down;
    struct rte_ring *up;
    _Atomic uint32_t wants; /**< enum tap_want; 0: it is awake */
    int fd;
    uint32_t frame_bytes; /**< of the longest that the kernel may send */
    struct wake_errand errand;
    _Atomic bool errand_is_out; /**< set by the keeper, cleared by the service thread */
    bool gone;                  /**< somebody else has removed the interface */
    struct rte_mbuf *empties[CONFIG_KERNEL_EMPTIES];
    unsigned empties_count;
    char name[IF_NAMESIZE];
};

static inline void tap_set_mark(struct rte_mbuf *mbuf, enum tap_mark mark)
{
    rx_meta(mbuf)->via = mark;
}

static inline enum tap_mark tap_mark_of(struct rte_mbuf *mbuf)
{
    return (enum tap_mark)rx_meta(mbuf)->via;
}

/**
 * Make an open port's interface, with its MAC and mtu, and up. Sets port->tap. On the service thread, in
 * whose network namespace it is then.
 * @return 0, or -1 with the reason
 */
int tap_open(struct port *port, struct config_error *error);

/** Start the thread, if there is any interface. On the service thread. @return 0, or -1 with the reason */
int tap_start(struct config_error *error);

/** End the thread. What is in the rings and in `empties` stays there. On the service thread, when no lcore
 *  runs; harmless without it. */
void tap_stop(void);

/** Remove a port's interface; its buffers have been taken out. On the service thread, after tap_stop(). */
void tap_close(struct port *port);

/** In the child of a fork: without this an interface would stay as long as the child. */
void tap_forked(void);

/** On the keeper, after frames or empties have been put in `down`: wake the thread if it sleeps and this is
 *  what it waits for. Costs a system call of the pass's budget (wake.h) at the most. */
void tap_tell(struct tap *tap, enum tap_want what);

#endif
