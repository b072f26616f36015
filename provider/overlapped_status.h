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
#define OVERLAPPED_NETWORK_UNREACHABLE 0xC000023Cu

/** The WSA error that a status means (E11); 0 for success; WSA_IO_INCOMPLETE while pending. */
int overlapped_error(uint32_t status);

/** NT_SUCCESS and not pending (E12). */
bool overlapped_is_success(uint32_t status);

#endif
