/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_OVERLAPPED_STATUS_H
#define WIRERX_OVERLAPPED_STATUS_H

#include <stdbool.h>
#include <stdint.h>

/** NTSTATUS values that Internal carries (clauses D, E11). */
#define OVERLAPPED_SUCCESS 0u
#define OVERLAPPED_PENDING 0x103u
#define OVERLAPPED_BUFFER_OVERFLOW 0x80000005u
#define OVERLAPPED_ACCESS_VIOLATION 0xC0000005u
#define OVERLAPPED_CANCELLED 0xC0000120u
#define OVERLAPPED_INSUFFICIENT_RESOURCES 0xC000009Au
#define OVERLAPPED_NETWORK_UNREACHABLE 0xC000023Cu
#define OVERLAPPED_RECEIVE_PARTIAL 0x4000000Fu /**< success, and MSG_PARTIAL is set (E04, Q05) */
#define OVERLAPPED_PORT_UNREACHABLE 0xC000023Fu
#define OVERLAPPED_CONNECTION_RESET 0xC000020Du
#define OVERLAPPED_GRACEFUL_DISCONNECT 0xC0000237u
#define OVERLAPPED_HOP_LIMIT_EXCEEDED 0xC000A012u

/** The WSA error that a status means (E11); 0 for success; WSA_IO_INCOMPLETE while pending. */
int overlapped_error(uint32_t status);

/** The flags that a receive with this status returns: MSG_PARTIAL or 0 (E04, F06). */
uint32_t overlapped_flags(uint32_t status);

/** NT_SUCCESS and not pending (E12). */
bool overlapped_is_success(uint32_t status);

#endif
