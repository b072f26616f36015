/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_IOCTL_PROVIDER_H
#define WIRERX_IOCTL_PROVIDER_H

/**
 * @file
 * WSPIoctl's arguments, for the controls that have a file of their own.
 */

#include "socket.h"

/** Pointers are the client's and not to be trusted. */
struct ioctl_call {
    DWORD code;
    LPVOID in;
    DWORD in_bytes;
    LPVOID out;
    DWORD out_bytes;
    DWORD written; /**< for lpcbBytesReturned; with WSAEFAULT: bytes that there must be room for */
};

/** Controls that ask: for addresses, routes, handles, functions. Under LOCK. @return 0 or WSA error;
 *  WSAEOPNOTSUPP also: it is none of them */
int ioctl_query(const struct socket_reference *reference, struct ioctl_call *call);

/** All of an answer, and how long it is. @return 0, or WSAEFAULT: there is no room for it */
int ioctl_give(struct ioctl_call *call, const void *from, DWORD bytes);

/** Is it a control that takes or gives all sources of a group at once? */
bool ioctl_is_filter(DWORD code);

/** Carry out one of those. Waits for lcores: not under LOCK. @return 0 or WSA error */
int ioctl_filter(const struct socket_reference *reference, struct ioctl_call *call);

#endif
