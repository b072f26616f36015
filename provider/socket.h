/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_PROVIDER_SOCKET_H
#define WIRERX_PROVIDER_SOCKET_H

/**
 * @file
 * The provider's half of a socket: what Winsock knows and the dataplane does not. One record per
 * endpoint slot, never freed; everything in it is touched only under the endpoint's LOCK unless it
 * says otherwise.
 *
 * A SOCKET of our own host is the pair {generation, slot}; a foreign host gives handles of its own,
 * which its WPUQuerySocketHandleContext turns back into that pair.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "../dataplane/dataplane.h"
#include "lend.h"
#include "wirerx/ws2spi.h"

struct posted_operation;

/** In posting order (G08). */
struct posted_list {
    struct posted_operation *first;
    struct posted_operation *last;
};

/** SO_WIRERX_MAX_POSTED when nothing else is set: outstanding receives per socket (C08). */
#define SOCKET_MAX_POSTED_DEFAULT 1024u

/** How receives of a protocol behave (receive_take.h). */
enum receive_manner {
    RECEIVE_DATAGRAMS, /**< one datagram a call, what does not fit is lost (Q07) */
    RECEIVE_MESSAGES,  /**< one message a call, whole or not at all (Q06) */
    RECEIVE_PARTS,     /**< at most one message a call, the rest by the next (Q05) */
    RECEIVE_BYTES,     /**< a byte stream (Q01, Q02) */
};

struct wsp_socket {
    SOCKET handle; /**< as the client knows it */
    /** Traits decide how receives behave (Q01-Q09). What is atomic may be read without LOCK, to refuse a
     *  call early; LOCK decides. */
    const WSAPROTOCOL_INFOW *_Atomic protocol;
    _Atomic bool overlapped;   /**< WSA_FLAG_OVERLAPPED (P01) */
    _Atomic bool send_only;    /**< JL_SENDER_ONLY (H15) */
    _Atomic bool receive_only; /**< JL_RECEIVER_ONLY */
    bool multipoint;           /**< made for WSPJoinLeaf */
    bool nonblocking;
    bool reuse_address;       /**< SO_REUSEADDR */
    bool exclusive_address;   /**< SO_EXCLUSIVEADDRUSE */
    bool stamp;               /**< SO_WIRERX_STAMP */
    bool timestamping;        /**< SIO_TIMESTAMPING, of receives */
    bool note_time;           /**< SO_WIRERX_TIME */
    DWORD receive_timeout_ms; /**< SO_RCVTIMEO; 0: none */
    uint32_t spin_us;
    uint32_t max_posted;

    enum receive_manner manner;
    _Atomic bool receive_shut;  /**< SD_RECEIVE (I16) */
    bool blocked;               /**< a receive has ever waited inside its call (shutdown.h) */
    bool send_shut;             /**< SD_SEND (J16) */
    bool ended;                 /**< a receive has found the end of the circuit ... */
    uint32_t end;               /**< ... and every later one ends with this status */
    uint32_t position;          /**< bytes of the first element that receives have had */
    uint32_t peer_address;      /**< WSPConnect (I04); network order */
    _Atomic uint16_t peer_port; /**< network order; 0: not connected */

    DWORD send_timeout_ms;        /**< SO_SNDTIMEO; 0: none */
    bool broadcast;               /**< SO_BROADCAST */
    uint8_t ttl;                  /**< IP_TTL */
    uint8_t multicast_ttl;        /**< IP_MULTICAST_TTL */
    uint8_t tos;                  /**< IP_TOS */
    bool dont_fragment;           /**< IP_DONTFRAGMENT */
    uint8_t mtu_discover;         /**< IP_MTU_DISCOVER: a PMTUD_STATE */
    uint32_t multicast_interface; /**< IP_MULTICAST_IF, network order; 0: the default */

    bool send_blocked; /**< a send has failed with WSAEWOULDBLOCK and its room has not come yet */
    unsigned awaited;  /**< SELECT_* that calls of WSPSelect wait for (select.h) */
    struct {           /* what WSPEventSelect selects (network_events.h) */
        LONG selected; /**< FD_*; 0: nothing is recorded */
        LONG recorded; /**< what the next WSPEnumNetworkEvents gives */
        LONG reported; /**< was recorded, and is not again before something enables it */
        uint32_t tail; /**< the end of the data for which FD_READ was last recorded */
        HANDLE event;  /**< set, after LOCK, whenever something is recorded */
        int errors[FD_MAX_EVENTS]; /**< of what is recorded, by FD_*_BIT */
    } network;

    struct loans loans;

    struct posted_list receives;
    struct posted_list sends;
    struct posted_operation *unused; /**< records to be used again */

    /** Records that came back without LOCK: any thread pushes, the holder takes all. */
    _Atomic(struct posted_operation *) recycled;
};

/** A SOCKET resolved. */
struct socket_reference {
    struct endpoint *endpoint;
    struct wsp_socket *socket;
    uint32_t generation;
};

/**
 * What does the handle mean? Says nothing about whether it still is open: LOCK does.
 * @return false: it never was one of ours
 */
bool socket_resolve(SOCKET s, struct socket_reference *reference);

/** Is it a socket at this moment? Any thread, without LOCK. */
bool socket_is_open(SOCKET s);

/** Resolve and take LOCK. @return 0; WSAENOTSOCK (A05); WSAEINPROGRESS: a signal handler called on
 *  a socket that the thread it interrupted holds */
int socket_lock(SOCKET s, struct socket_reference *reference);

/** Take LOCK of a socket that was resolved before. The same results. */
int socket_relock(const struct socket_reference *reference);

/*
 * The handle value for our own host, and the context for a foreign one: four times the slot in the low
 * bits, the generation above; a multiple of four like every Windows handle, and never zero because an
 * open socket's generation is odd. The first sockets of a slot have handles that an int can hold, as on
 * Windows, where programs have come to rely on it.
 */
#define SOCKET_SLOT_BITS 16
_Static_assert(CONFIG_MAX_SOCKETS <= 1u << SOCKET_SLOT_BITS, "every slot must have a handle");

static inline uintptr_t socket_identity(uint32_t slot, uint32_t generation)
{
    return ((uintptr_t)generation << SOCKET_SLOT_BITS | slot) << 2;
}

static inline uint32_t socket_identity_slot(uintptr_t identity)
{
    return (uint32_t)(identity >> 2) & ((1u << SOCKET_SLOT_BITS) - 1);
}

/** Of a possible one. */
static inline uint32_t socket_identity_generation(uintptr_t identity)
{
    return (uint32_t)(identity >> (SOCKET_SLOT_BITS + 2));
}

/** Can a socket have had this handle while it was open? A multiple of four, of an odd generation. */
static inline bool socket_identity_is_possible(uintptr_t identity)
{
    uintptr_t odd = (uintptr_t)1 << (SOCKET_SLOT_BITS + 2);
    uintptr_t others = (uintptr_t)3 | ~(uintptr_t)0 << (32 + SOCKET_SLOT_BITS + 2);

    return (identity & (odd | others)) == odd;
}

/** Of a possible one: its lock word while nobody holds it. */
static inline uint64_t socket_identity_word(uintptr_t identity)
{
    return (uint64_t)identity >> (SOCKET_SLOT_BITS + 2) << LOCK_WORD_GENERATION_SHIFT;
}

/** By slot. Hidden: reached without a detour through a table of the linker's. */
extern struct wsp_socket provider_sockets[CONFIG_MAX_SOCKETS] __attribute__((visibility("hidden")));

/** The record of an endpoint. */
static inline struct wsp_socket *socket_of(const struct endpoint *endpoint)
{
    return &provider_sockets[endpoint->slot];
}

/** Copy of the upcall table that WSPStartup was given, and whether it is our own host's. */
extern WSPUPCALLTABLE provider_upcalls;
extern bool provider_host_is_own;

/** Fail an SPI call: *lpErrno = error, if there is one; returns SOCKET_ERROR. */
int spi_fail(LPINT error_pointer, int error);

/** SPI result of an operation that gives 0 or an error: 0, or spi_fail(). */
int spi_result(LPINT error_pointer, int error);

/** WSA error for a negative errno of the dataplane. */
int wsa_error_of(int negative_errno);

#endif
