/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_PROVIDER_OPTIONS_H
#define WIRERX_PROVIDER_OPTIONS_H

/**
 * @file
 * Socket options by rows: those that are one number, where it lives; and records, how one is given.
 * An option without a row is refused: none is accepted that would do nothing.
 */

#include <stddef.h>

#include "socket.h"

enum option_kind {
    OPTION_DWORD,
    OPTION_BOOL, /**< a DWORD or a single byte */
    OPTION_BYTE, /**< of an IP header: likewise */
};

/** get and set run under LOCK. */
struct option_row {
    int level;
    int name;
    enum option_kind kind;
    DWORD (*get)(const struct socket_reference *);
    int (*set)(const struct socket_reference *, DWORD value); /**< NULL: read only */
};

/** Where an option is to be given: the client's memory. */
struct option_room {
    char *value;
    LPINT length;
    INT bytes; /**< *length, read once */
};

/** Options that are read as a record. */
struct option_record {
    int level;
    int name;
    int (*give)(const struct socket_reference *, const struct option_room *); /**< under LOCK */
};

/** Write an option and its length. @return 0, or WSAEFAULT: there is no room for all of it */
int option_give(const struct option_room *room, const void *from, size_t bytes);

/** @return NULL: it is none of them */
const struct option_record *option_find_record(int level, int name);

/** What belongs to the socket as such: its name, its kind. */
extern const struct option_row socket_option_rows[];
extern const size_t socket_option_rows_count;

/** Options that join and leave groups, or change from whom a group is taken. */
struct membership_row;

/** @return NULL: it is none of them */
const struct membership_row *membership_find(int level, int name);

/** Waits for lcores: not under LOCK. @return 0 or an error */
int membership_set(SOCKET s, const struct membership_row *row, const char *value, int length);

/** Why an option that has no row is refused: WSAENOPROTOOPT, if its page does not say otherwise. */
int option_refusal(int level, int name);

/** What belongs to sending. */
extern const struct option_row send_option_rows[];
extern const size_t send_option_rows_count;

/** IP_MULTICAST_TTL, which is SIO_MULTICAST_SCOPE as well. @return 0 or WSAEINVAL */
int option_set_multicast_ttl(const struct socket_reference *reference, DWORD value);

/** IP_MULTICAST_LOOP, which is SIO_MULTIPOINT_LOOPBACK as well. */
int option_set_multicast_loop(const struct socket_reference *reference, DWORD value);

#endif
