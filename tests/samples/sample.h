/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SAMPLE_H
#define SAMPLE_H

/*
 * What the programs share. They and this are written for Windows, with Windows' headers and
 * the C library alone: nothing here knows wirerx. Every line printed is one clause: `clause what:
 * results`, the same in each run (no addresses, times or numbers of processes).
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <winsock2.h>

/* What should not block gives up after this: a fault shows as WSAETIMEDOUT, not as a hang. */
#define PATIENCE_MS 2000
/* Long enough for a datagram to arrive that must change nothing. */
#define QUIET_MS 100
/* What a receive must leave alone holds this. */
#define UNTOUCHED 77

/* One receive, as a line tells of it. */
struct outcome {
    int result;
    int error; /* of a receive that failed */
    DWORD bytes;
    DWORD flags;
    char data[16];
};

static inline struct sockaddr *address_of(struct sockaddr_in *address)
{
    return (struct sockaddr *)address;
}

static inline void must(BOOL done, const char *what)
{
    if (!done) {
        printf("%s: error=%d\n", what, WSAGetLastError());
        exit(1);
    }
}

static inline void start(void)
{
    WSADATA data;

    setvbuf(stdout, NULL, _IONBF, 0); /* what was printed before a crash is worth having */
    if (WSAStartup(MAKEWORD(2, 2), &data) != 0 || data.wVersion != MAKEWORD(2, 2)) {
        printf("Winsock 2.2 does not start\n");
        exit(1);
    }
}

static inline SOCKET unbound(DWORD flags)
{
    DWORD limit = PATIENCE_MS;
    SOCKET s = WSASocketW(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, flags);

    must(s != INVALID_SOCKET, "WSASocket");
    must(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (char *)&limit, sizeof limit) == 0, "SO_RCVTIMEO");
    return s;
}

/* A free port of 127.0.0.1; *address receives which. */
static inline void bind_to_loopback(SOCKET s, struct sockaddr_in *address)
{
    int length = sizeof *address;

    memset(address, 0, sizeof *address);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must(bind(s, address_of(address), sizeof *address) == 0, "bind");
    must(getsockname(s, address_of(address), &length) == 0, "getsockname");
}

static inline SOCKET bound(struct sockaddr_in *address)
{
    SOCKET s = unbound(WSA_FLAG_OVERLAPPED);

    bind_to_loopback(s, address);
    return s;
}

/* An address at which nobody listens. */
static inline struct sockaddr_in closed_port(void)
{
    struct sockaddr_in address;

    closesocket(bound(&address));
    return address;
}

static inline void set_nonblocking(SOCKET s)
{
    u_long on = 1;

    must(ioctlsocket(s, FIONBIO, &on) == 0, "FIONBIO");
}

static inline void send_bytes(SOCKET s, const struct sockaddr_in *to, const char *data, int length)
{
    int sent = sendto(s, data, length, 0, (const struct sockaddr *)to, sizeof *to);

    must(sent == length, "sendto");
}

static inline void send_text(SOCKET s, const struct sockaddr_in *to, const char *text)
{
    send_bytes(s, to, text, (int)strlen(text));
}

/* Bytes of the datagram that is next, once there is one; 0 when none (or an empty one) comes. */
static inline u_long arrived(SOCKET s)
{
    u_long bytes = 0;

    for (int waited = 0; waited < PATIENCE_MS; waited += 5) {
        must(ioctlsocket(s, FIONREAD, &bytes) == 0, "FIONREAD");
        if (bytes != 0)
            break;
        Sleep(5);
    }
    return bytes;
}

/* Before a receive: everything that it may leave alone is told from what it wrote. */
static inline void prepare(struct outcome *outcome, DWORD flags)
{
    memset(outcome, 0, sizeof *outcome);
    memset(outcome->data, '.', sizeof outcome->data - 1);
    outcome->bytes = UNTOUCHED;
    outcome->flags = flags;
}

/* After it; no Winsock call may come between. */
static inline void conclude(struct outcome *outcome, int result)
{
    outcome->result = result;
    outcome->error = result == SOCKET_ERROR ? WSAGetLastError() : 0;
}

/* A receive of the kind that has ended when it returns, into one buffer. */
static inline struct outcome receive(SOCKET s, ULONG room, DWORD flags)
{
    struct outcome outcome;
    WSABUF buffer;

    prepare(&outcome, flags);
    buffer.len = room;
    buffer.buf = outcome.data;
    conclude(&outcome, WSARecv(s, &buffer, 1, &outcome.bytes, &outcome.flags, NULL, NULL));
    return outcome;
}

/* Of the flags after an error only MSG_PARTIAL after WSAEMSGSIZE says something. */
static inline void show(const char *clause, const struct outcome *outcome)
{
    printf("%s: result=%d error=%d bytes=%d", clause, outcome->result, outcome->error,
           (int)outcome->bytes);
    if (outcome->error == 0)
        printf(" flags=%d", (int)outcome->flags);
    else if (outcome->error == WSAEMSGSIZE)
        printf(" partial=%d", (outcome->flags & MSG_PARTIAL) != 0);
    printf(" data=%.8s\n", outcome->data);
}

/* A call that tells only whether it succeeded. */
static inline void show_call(const char *clause, int result)
{
    printf("%s: result=%d error=%d\n", clause, result,
           result == SOCKET_ERROR ? WSAGetLastError() : 0);
}

static inline void show_done(const char *clause, BOOL done)
{
    printf("%s: done=%d error=%d\n", clause, done, done ? 0 : WSAGetLastError());
}

#endif
