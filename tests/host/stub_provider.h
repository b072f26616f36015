/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_HOST_STUB_PROVIDER_H
#define WIRERX_TESTS_HOST_STUB_PROVIDER_H

/**
 * @file
 * A provider that only remembers how it was called, in place of the real one: the client calls are
 * tested for what they pass on and what they make of the answer.
 */

#include <stdbool.h>

#include "wirerx/wirerx.h"
#include "wirerx/ws2spi.h"

extern struct stub {
    int startup_error;   /**< answer of WSPStartup() */
    int dataplane_error; /**< answer of wirerx_start() */
    int error;           /**< not 0: functions of the table fail with this code */

    unsigned startups;
    unsigned cleanups;
    unsigned dataplane_starts;
    unsigned dataplane_stops;
    const char *configuration;
    WSAPROTOCOL_INFOW protocol;
    WSPUPCALLTABLE upcalls;

    const char *called; /**< the last function of the table */
    SOCKET s;
    uintptr_t arguments[10]; /**< those between the socket and lpErrno, in their order */
    WSABUF buffer;           /**< what a receive or send was given first */
    WSAPROTOCOL_INFOW entry; /**< what lpProtocolInfo pointed to, or what it receives */
    WSATHREADID thread;      /**< what lpThreadId pointed to */
    bool has_timeout;
    TIMEVAL timeout; /**< what it pointed to */
    WCHAR text[300]; /**< an address: the one to give, or the one given */
} stub;

#endif
