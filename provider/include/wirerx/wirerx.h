/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_H
#define WIRERX_H

/**
 * @file
 * What Windows has no name for: starting and stopping the dataplane, replaying a capture, counters,
 * receive timestamps, events as file descriptors, many datagrams in one call
 * (wirerx_batch.h), datagrams without a copy (wirerx_lend.h), and when they were received (wirerx_time.h).
 * Sockets themselves are in winsock2.h and ws2spi.h.
 *
 * Threads: every function may be called from any thread unless it says otherwise, and none from a
 * signal handler (WSAEINPROGRESS where it has interrupted another call of this kind). A thread is not
 * ended inside by pthread_cancel().
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "winsock2.h"
#include "wirerx_batch.h"
#include "wirerx_lend.h"
#include "wirerx_time.h"

#ifdef __cplusplus
extern "C" {
#endif

/** One line that says what was wrong, where, and what to do. Empty after success. */
struct wirerx_error {
    char text[512];
};

/** When a capture's frames are handed to the dataplane. */
enum wirerx_pace {
    WIRERX_PACE_DRAINED, /**< as fast as the matched sockets take them; the source waits for room */
    WIRERX_PACE_RECORDED, /**< at the recorded gaps; nothing waits, full rings drop */
    WIRERX_PACE_RATE,     /**< at a fixed number of frames a second; nothing waits */
};

/** A capture file to be replayed as a device, for programs that have no configuration. */
struct wirerx_replay {
    const char *path;         /**< pcap or pcapng, Ethernet */
    enum wirerx_pace pace;    /**< default (0): WIRERX_PACE_DRAINED */
    double frames_per_second; /**< for WIRERX_PACE_RATE: 1 to 1e9 */
    int ignore_udp_checksums; /**< non-zero: deliver datagrams whose UDP checksum is wrong */
    unsigned max_sockets;     /**< 0: 64 */
    int core;                 /**< CPU of the lcore; -1: the last one this process may use */
};

/**
 * Start the dataplane from a configuration file (YAML, see wirerx(1) and configs/).
 * Blocks until every port is up (about 0.2 s the first time: EAL starts once per process).
 * Creates its own threads; the calling thread's affinity and signal mask are left alone.
 *
 * @param error  NULL, or receives one line when the result is not 0
 * @return 0; WSAEINVAL the file or a value in it is refused; WSAEALREADY it runs already;
 *         WSASYSNOTREADY EAL, a device, a core or memory could not be had, or this is the child of a
 *         process that has started it: DPDK does not survive a fork()
 */
int wirerx_start(const char *configuration_path, struct wirerx_error *error);

/**
 * Start the dataplane with one port that replays a capture. Needs no configuration, no root and no
 * huge pages. No frame moves before wirerx_replay_go(), so that every socket can join first.
 * Errors and blocking as wirerx_start().
 */
int wirerx_start_replay(const struct wirerx_replay *replay, struct wirerx_error *error);

/**
 * Print every option of a configuration file: name, type, range, default, meaning. From the table
 * that the loader itself is built on.
 * @param as_man_page  non-zero: in roff, for a manual page; else plain text
 */
void wirerx_describe_configuration(FILE *out, int as_man_page);

/**
 * Validate a configuration file without starting anything.
 * @return 0, or WSAEINVAL with the reason in `error`
 */
int wirerx_check(const char *configuration_path, struct wirerx_error *error);

/**
 * Let replays run. Those of a configuration file begin by themselves 100 ms after the last bind or
 * join; this begins them now.
 * @return 0, WSAENETDOWN nothing runs, WSAEINVAL no port replays
 */
int wirerx_replay_go(void);

/** How far a replay is. */
struct wirerx_replay_progress {
    uint64_t frames_total;    /**< frames in the capture */
    uint64_t frames_released; /**< handed to the dataplane so far */
    int drained;              /**< non-zero: all released and none is still inside the dataplane */
    SOCKET stalled_on;        /**< the socket whose full ring holds the source back, or
                                   INVALID_SOCKET */
    uint64_t stalled_ns;      /**< for how long it has done so, without a pause */
};

/** @return 0, WSAENETDOWN nothing runs, WSAEINVAL no port replays, WSAEFAULT progress is NULL. */
int wirerx_replay_progress(struct wirerx_replay_progress *progress);

/**
 * Stop the dataplane. Blocked and posted receives end with WSAENETDOWN; sockets stay valid handles
 * that fail with WSAENETDOWN until they are closed. wirerx_start() may follow, with other ports.
 * @return 0, or WSAENETDOWN when nothing runs
 */
int wirerx_stop(void);

/** One row of a counter report. */
struct wirerx_counter {
    const char *name; /**< e.g. "frames", "drop.bad_udp_checksum"; static storage */
    const char *help; /**< one sentence; static storage */
    uint64_t value;
};

/** Where a report looks. */
enum wirerx_scope {
    WIRERX_SCOPE_ALL,   /**< index ignored: sums over all lcores and ports */
    WIRERX_SCOPE_PORT,  /**< index: the port, in the order of the configuration */
    WIRERX_SCOPE_LCORE, /**< index: the lcore, in the order of the configuration */
};

/**
 * Read counters. They are exact when the dataplane is quiet, and otherwise at most one burst old.
 * Every frame that a device counted, and every one that a socket sent (`looped`), ends under exactly one
 * of `delivered`, `handed_over`, `consumed.*`, `queued.reassembly`, `to_transmit` and the `drop.*` rows of
 * the lcores. Fragments count as `queued.reassembly`, and the datagram that they become as one more frame
 * (`reassembled`). The last counters stay readable after wirerx_stop().
 *
 * @param counters  array of `capacity` rows to fill
 * @param count     receives the number of rows there are (which may exceed capacity)
 * @return 0, WSAEFAULT a NULL argument, WSAEINVAL no such scope or index
 */
int wirerx_counters(enum wirerx_scope scope, unsigned index, struct wirerx_counter *counters,
                    size_t capacity, size_t *count);

/** One socket's share. */
struct wirerx_socket_counters {
    uint64_t delivered;       /**< datagrams put in the ring */
    uint64_t delivered_bytes; /**< their payload */
    uint64_t drop_ring_full;  /**< lost: no slot, or SO_RCVBUF bytes reached */
    uint64_t drop_pool_share; /**< lost: the socket held its share of the buffer pool */
    uint64_t peer_filter;     /**< not taken: another than the socket's peer had sent them (I04), or
                                   they were in the ring when it was connected (I05) */
    uint64_t received;        /**< datagrams a receive returned, whole or truncated */
    uint64_t truncated;       /**< of these, cut by buffers that were too small */
    uint64_t faulted;         /**< of these, given to a buffer that could not be written */
    uint64_t discarded;  /**< put in the ring, and nobody may receive them: of peer_filter those
                                   that were there before, and what came after SD_RECEIVE (I16) */
    uint64_t conditions; /**< put in the ring as well: ends and errors that a receive reported */
    uint32_t queued;     /**< in the ring now */
    uint64_t queued_bytes;
    uint64_t lent;         /**< of received: given by wirerx_lend(), without a copy */
    uint32_t lent_buffers; /**< packet buffers that are out now */
    /** Memory that is this socket's alone now: its state, its ring, its send buffer once it has sent.
     *  The ring is small (64 datagrams, or min_buffers) until it has been full, and again when little has
     *  been in it for a second; sockets.ring_slots is what it grows to. The packet buffers are all
     *  sockets' together. */
    uint32_t reserved_bytes;
};

/** @return 0, WSAENOTSOCK, WSAEFAULT */
int wirerx_socket_counters(SOCKET s, struct wirerx_socket_counters *counters);

/**
 * About the datagram that the calling thread's last successful non-overlapped receive returned.
 * Costs no call into the dataplane. @return 0, WSAEFAULT, WSAEINVAL there was none on this thread.
 */
int wirerx_last_receive(struct wirerx_receive_info *info);

/**
 * Socket option, level SOL_SOCKET, DWORD boolean, default FALSE: completed overlapped receives carry
 * burst_tsc in the WSAOVERLAPPED: low half in Offset, high half in OffsetHigh. FALSE leaves both
 * untouched, as on Windows (clause D12).
 */
#define SO_WIRERX_STAMP 0x57520001

/**
 * Socket option, level SOL_SOCKET, DWORD, default 1024, at most 1048576: overlapped receives that
 * may be outstanding, and as many sends. One more fails with WSAEWOULDBLOCK (clause C08).
 */
#define SO_WIRERX_MAX_POSTED 0x57520002

/**
 * A file descriptor that is readable while an event is signalled, manual- or auto-reset, for event
 * loops that wait by poll(), epoll, io_uring's IORING_OP_POLL_ADD or libc's select() (whose name
 * winsock2.h takes). The first call for an event makes it, later ones return the same. Does not
 * block, needs no WSAStartup() and no dataplane.
 *
 * A readable descriptor says: look. It is not the event. Take the signal by what resets the event:
 * WaitForSingleObject(event, 0), which for an auto-reset event succeeds in one thread only, or
 * WSAResetEvent(). Then look at what the event stands for (WSAGetOverlappedResult(),
 * WSAEnumNetworkEvents()), in this order. That is all for a level-triggered wait and for EPOLLET
 * alike: each time the event becomes signalled is an edge, also where an earlier edge has not been
 * looked at yet; signalling an event that is signalled already is none. EPOLLONESHOT and
 * EPOLLEXCLUSIVE work as always.
 *
 * As soon as no thread is inside a call that signals, resets, takes or closes the event, the
 * descriptor is readable exactly if the event is signalled. While one is, the descriptor may be
 * behind by the rest of that call: a wait may end, and the event turn out to be taken by another
 * thread; and a wait may go on while a thread is off its core in the midst of taking an earlier
 * signal. No signal that stays is missed.
 *
 * The descriptor belongs to the event and is closed with it: never read, write or close it, and do
 * not wait for it in another thread while the event is closed (epoll forgets it, a poll() that
 * sleeps does not notice). It is closed by exec (EFD_CLOEXEC). The child of a fork() inherits the
 * number as any other; there it still shows the parent's event, nothing in this library uses it,
 * and it is the child's to close. The child's copy of the event has no descriptor until it is asked
 * for one.
 *
 * Each change of an event that has a descriptor costs a system call; events without one cost what
 * they did. Where an lcore signals, the call is one of the few wake-ups of its pass; the service
 * thread makes those beyond.
 *
 * @param event  from WSACreateEvent(), CreateEvent() or our own host's WPUCreateEvent()
 * @return the descriptor, 0 or more; -1, and WSAGetLastError(): WSA_INVALID_HANDLE no event, or it
 *         is closed; WSAEMFILE the process or the system may have no more files, nothing has
 *         changed; WSAENOBUFS no memory
 */
int wirerx_event_descriptor(WSAEVENT event);

/** Time-stamp counter ticks a second, as the dataplane uses them; 0 before the first start. */
uint64_t wirerx_tsc_hz(void);

/** Version of the library, "major.minor.patch"; static storage. */
const char *wirerx_version(void);

#ifdef __cplusplus
}
#endif

#endif
