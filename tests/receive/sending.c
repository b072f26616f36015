/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "support/suite.h"

#include "sending.h"

struct outcome send_buffers_to(SOCKET s, WSABUF *buffers, DWORD count, DWORD flags,
                               const struct sockaddr_in *to)
{
    struct outcome outcome = {.error = (int)UNTOUCHED, .bytes = UNTOUCHED};

    outcome.result =
        spi.lpWSPSendTo(s, buffers, count, &outcome.bytes, flags, (const struct sockaddr *)to,
                        sizeof *to, NULL, NULL, NULL, &outcome.error);
    return outcome;
}

struct outcome send_bytes_to(SOCKET s, uint32_t address, uint16_t port, const void *bytes,
                             size_t length)
{
    struct sockaddr_in to = address_of(address, port);
    WSABUF buffer = {(ULONG)length, (char *)(uintptr_t)bytes};

    return send_buffers_to(s, &buffer, 1, 0, &to);
}

struct outcome send_text_to(SOCKET s, uint32_t address, uint16_t port, const char *text)
{
    return send_bytes_to(s, address, port, text, strlen(text));
}

struct outcome send_bytes(SOCKET s, const void *bytes, size_t length, DWORD flags)
{
    struct outcome outcome = {.error = (int)UNTOUCHED, .bytes = UNTOUCHED};
    WSABUF buffer = {(ULONG)length, (char *)(uintptr_t)bytes};

    outcome.result =
        spi.lpWSPSend(s, &buffer, 1, &outcome.bytes, flags, NULL, NULL, NULL, &outcome.error);
    return outcome;
}

void deliver_text(SOCKET s, uint32_t address, uint16_t port, const char *text)
{
    CHECK_SENT(send_text_to(s, address, port, text), strlen(text));
    wire_settle();
}

int post_send(SOCKET s, struct operation *operation, uint32_t address, uint16_t port, size_t length,
              LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    struct sockaddr_in to = address_of(address, port);
    WSATHREADID thread;
    int error = 0;

    CHECK(length <= sizeof operation->data);
    memset(operation->canary_before, CANARY, sizeof operation->canary_before);
    memset(operation->canary_between, CANARY, sizeof operation->canary_between);
    memset(operation->canary_after, CANARY, sizeof operation->canary_after);
    operation->overlapped.Internal = UNTOUCHED;
    operation->overlapped.InternalHigh = UNTOUCHED;
    operation->buffer = (WSABUF){.len = (ULONG)length, .buf = operation->data};
    operation->started = (struct outcome){.error = (int)UNTOUCHED, .bytes = UNTOUCHED};
    operation->calls = 0;
    if (routine != NULL)
        CHECK_EQ_I64(WPUOpenCurrentThread(&thread, &error), 0);
    operation->started.result =
        spi.lpWSPSendTo(s, &operation->buffer, 1, &operation->started.bytes, 0,
                        (struct sockaddr *)&to, sizeof to, &operation->overlapped, routine,
                        routine != NULL ? &thread : NULL, &operation->started.error);
    memset(&thread, CANARY, sizeof thread);
    memset(&to, CANARY, sizeof to);
    operation->buffer = (WSABUF){.len = 0, .buf = NULL};
    return operation->started.result == 0 ? 0 : operation->started.error;
}

void check_send_completed(const struct operation *operation, size_t length)
{
    CHECK_EQ_U64(status_of(operation), 0);
    CHECK_EQ_U64(operation->overlapped.InternalHigh, length);
    check_canaries(operation);
    if (operation->overlapped.hEvent != NULL)
        CHECK(is_signalled(operation->overlapped.hEvent));
}

void check_send_ended(const struct operation *operation, uint32_t status)
{
    CHECK_EQ_U64(status_of(operation), status);
    CHECK_EQ_U64(operation->overlapped.InternalHigh, 0);
    check_canaries(operation);
    if (operation->overlapped.hEvent != NULL)
        CHECK(is_signalled(operation->overlapped.hEvent));
}

void connect_to(SOCKET s, uint32_t address, uint16_t port)
{
    struct sockaddr_in name = address_of(address, port);
    int error = 0;

    CHECK_MSG(spi.lpWSPConnect(s, (struct sockaddr *)&name, sizeof name, NULL, NULL, NULL, NULL,
                               &error) == 0,
              "connect: %d", error);
}

static unsigned send_until_full(SOCKET s, size_t length)
{
    static const char payload[SEND_MAX_PAYLOAD];
    unsigned sent = 0;

    for (;; sent++) {
        struct outcome outcome = send_bytes_to(s, FRAME_IP(239, 0, 0, 1), PORT, payload, length);

        if (outcome.result == 0)
            continue;
        CHECK_EQ_I64(outcome.error, WSAEWOULDBLOCK);
        return sent;
    }
}

unsigned fill_queue(SOCKET s, size_t length)
{
    set_nonblocking(s, true);
    unsigned sent = send_until_full(s, length);
    send_until_full(s, 0);
    set_nonblocking(s, false);
    return sent;
}

unsigned sleeping_senders_of(SOCKET s)
{
    struct socket_reference reference;

    CHECK(socket_resolve(s, &reference));
    return atomic_load(&reference.endpoint->send.sleepers);
}

int set_ip_option(SOCKET s, int name, DWORD value)
{
    int error = 0;

    return spi.lpWSPSetSockOpt(s, IPPROTO_IP, name, (const char *)&value, sizeof value, &error) == 0
               ? 0
               : error;
}

DWORD get_ip_option(SOCKET s, int name)
{
    DWORD value = UNTOUCHED;
    int length = sizeof value, error = 0;

    CHECK_EQ_I64(spi.lpWSPGetSockOpt(s, IPPROTO_IP, name, (char *)&value, &length, &error), 0);
    CHECK_EQ_I64(length, sizeof value);
    return value;
}

int control_number(SOCKET s, DWORD code, DWORD value)
{
    DWORD returned = UNTOUCHED;
    int error = 0;

    if (spi.lpWSPIoctl(s, code, &value, sizeof value, NULL, 0, &returned, NULL, NULL, NULL,
                       &error) != 0)
        return error;
    CHECK_EQ_U64(returned, 0);
    return 0;
}
