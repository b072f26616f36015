/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_RECEIVE_SENDING_H
#define WIRERX_TESTS_RECEIVE_SENDING_H

/**
 * @file
 * What the tests of sending share, beside harness.h. Addresses and ports are in host byte order.
 */

#include "harness.h"

#define LOOPBACK FRAME_IP(127, 0, 0, 1)

/** WSPSendTo, non-overlapped; `flags` of the outcome means nothing. Nothing is delivered before the
 *  wire is settled. */
struct outcome send_buffers_to(SOCKET s, WSABUF *buffers, DWORD count, DWORD flags,
                               const struct sockaddr_in *to);
struct outcome send_bytes_to(SOCKET s, uint32_t address, uint16_t port, const void *bytes,
                             size_t length);
struct outcome send_text_to(SOCKET s, uint32_t address, uint16_t port, const char *text);

/** WSPSend of one buffer. */
struct outcome send_bytes(SOCKET s, const void *bytes, size_t length, DWORD flags);

/** Send it, which must succeed, and settle the wire. */
void deliver_text(SOCKET s, uint32_t address, uint16_t port, const char *text);

/**
 * Start an overlapped WSPSendTo of what is in operation->data, whose first `length` bytes the caller has
 * filled. As post_with(): canaries, UNTOUCHED, and everything that need not stay is overwritten.
 * @return 0, or the WSA error (WSA_IO_PENDING among them)
 */
int post_send(SOCKET s, struct operation *operation, uint32_t address, uint16_t port, size_t length,
              LPWSAOVERLAPPED_COMPLETION_ROUTINE routine);

/** Has it ended with success, all of its `length` bytes sent, and its event (if it has one) set? */
void check_send_completed(const struct operation *operation, size_t length);

/** ... with this status, and nothing sent? */
void check_send_ended(const struct operation *operation, uint32_t status);

/** WSPConnect, which must succeed. */
void connect_to(SOCKET s, uint32_t address, uint16_t port);

/** Send datagrams of this length to nobody until the queue is full, then empty ones until there is no room
 *  for those either. @return how many of the first */
unsigned fill_queue(SOCKET s, size_t length);

/** Senders that sleep for room in the socket, or are about to. */
unsigned sleeping_senders_of(SOCKET s);

/** @return 0 or the WSA error */
int set_ip_option(SOCKET s, int name, DWORD value);
DWORD get_ip_option(SOCKET s, int name);
int control_number(SOCKET s, DWORD code, DWORD value);

/** Was it sent, all of it? */
#define CHECK_SENT(call, length)                 \
    do {                                         \
        struct outcome outcome_ = (call);        \
        CHECK_EQ_I64(outcome_.error, UNTOUCHED); \
        CHECK_EQ_I64(outcome_.result, 0);        \
        CHECK_EQ_U64(outcome_.bytes, length);    \
    } while (0)

#endif
