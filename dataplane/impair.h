/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_IMPAIR_H
#define WIRERX_IMPAIR_H

/**
 * @file
 * A bad device and a bad network on purpose: a row of port_operations that stands in front of the port's other
 * row (rte_eth or replay) and calls it. Installed where the port's configuration has `impair`; else nothing of
 * it is there.
 *
 * Of what comes in, frames are lost, counted as missed by the device, duplicated, have a bit flipped, or wait
 * until up to IMPAIR_LATE later ones have passed. By dice of the queue's own, so that the same seed and the same
 * frames give the same outcome; frames that wait go on as well when the row behind has nothing more just now.
 * Behind that is a line: with `delay` and `jitter` all frames arrive later, in their order, by the lcore's clock.
 * It has CONFIG_IMPAIR_DELAYED places; while it is full the device keeps what it has, and misses what it must.
 * A frame that is lost is no frame of the port's: `device.frames` counts what the lcores are given. So
 *
 *     frames of the row behind = device.frames + impair.lost + impair.missed + impair.held - impair.duplicated
 *
 * Times that the device, or a capture, gives with a frame may be taken away, or be wrong by up to a second.
 * Frames that are transmitted may be lost, sent twice, or sent with a bit flipped; what is lost counts as
 * transmitted.
 *
 * A flipped bit may be anywhere in the frame's first buffer. What the device said of its checksums is forgotten,
 * so that they are looked at here. A duplicate is a copy in a buffer of the pool; without one there is none
 * (impair.no_buffer). A drained replay knows nothing of duplicates and of frames that wait: a full ring may drop
 * one, and counts it.
 *
 * The link goes down and comes back, and the device is removed, so many milliseconds after the first burst of
 * queue 0, and the link's two again and again every `link-repeat-every`. While the link is down what comes in is
 * lost, and what is transmitted too, though the device has taken it, as with real ones. A removed device gives nothing and takes nothing to transmit, and its figures
 * stay what they were; sockets stay open and receive nothing more from it.
 *
 * A queue's state belongs to the queue's lcore, but for its figures, which all may read. What has become of the
 * link is written by the lcore of queue 0 alone. Never blocks, and allocates only mbufs.
 */

#include <stdbool.h>
#include <stdint.h>

#include "config.h"

struct impair;
struct port;
struct port_operations;

/** Frames that may pass one that waits. */
#define IMPAIR_LATE 8u

/** What has been done to the frames of a port. */
enum impair_figure {
    IMPAIR_GIVEN, /**< to the lcores: the port's frames */
    IMPAIR_LOST,
    IMPAIR_MISSED,
    IMPAIR_DUPLICATED,
    IMPAIR_NO_BUFFER, /**< copies for which there was none */
    IMPAIR_CORRUPTED,
    IMPAIR_REORDERED,
    IMPAIR_TIMES_REMOVED,
    IMPAIR_TIMES_CHANGED,
    IMPAIR_HELD, /**< that wait now, or did when the port was closed */
    IMPAIR_TRANSMIT_LOST,
    IMPAIR_TRANSMIT_DUPLICATED,
    IMPAIR_TRANSMIT_CORRUPTED,
    IMPAIR_FIGURES, /**< how many there are */
};

struct impair_figures {
    uint64_t of[IMPAIR_FIGURES]; /**< frames */
};

/** Stand in front of the port's row, and say so in the log. On the service thread.
 *  @return 0, or -1 with the reason in error */
int impair_begin(struct port *port, struct config_error *error);

/** Free what waits; the port has its other row again. Harmless without one. No lcore runs. */
void impair_end(struct port *port);

/** Any thread. */
void impair_figures(const struct port *port, struct impair_figures *figures);

/** Are there frames of the queue that wait? Only on the queue's lcore. */
bool impair_holds(const struct port *port, uint16_t queue);

/** The row of functions. */
extern const struct port_operations port_impair;

#endif
