/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_TESTS_RECEIVE_HARNESS_H
#define WIRERX_TESTS_RECEIVE_HARNESS_H

/**
 * @file
 * What the receive tests share: Winsock over a dataplane of one net_ring port, datagrams that arrive
 * when the test says so, and calls that tell what they wrote and what they left alone.
 *
 * Quiet: no lcore runs; arrive() returns when the datagram is in the socket's ring, or the posted
 * receive that it was for has ended. Other threads may receive meanwhile, but only the test's own
 * makes, binds and closes sockets. Live: an lcore of its own; arrive() only sends.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "pending_receive.h" /* provider/: pending_operations, socket_resolve() */
#include "wirerx/winsock2.h"
#include "wirerx/wirerx.h"
#include "wirerx/ws2spi.h"
#include "wirerx/ws2tcpip.h"

#include "support/frames.h"
#include "support/wire.h"

/** Where arrive() sends to, host byte order: the port's address, and ports of the tests. */
#define HERE WIRE_ADDRESS
#define PORT 5000
#define OTHER_PORT 5001
#define THE_GROUP FRAME_IP(239, 1, 1, 1)

/** Where every datagram comes from (frames.h's defaults), host byte order. */
#define SENDER FRAME_IP(198, 51, 100, 7)
#define SENDER_PORT 7000

/** The provider's table, as WSPStartup() filled it for our own host. */
extern WSPPROC_TABLE spi;

/* --- fixtures ----------------------------------------------------------------------------------- */

/** Winsock only: no dataplane. */
void open_winsock(void);
void close_winsock(void);

void open_quiet(void);
void open_live(void);

/** The same with settings of one's own; see wire_config(). */
void open_quiet_with(const struct config *config);
void open_live_with(const struct config *config);

/** For all of them: closes every socket, and checks that the counters balance, that every buffer
 *  has come home, and that stopping was silent. */
void close_all(void);

/* --- sockets and arrivals ------------------------------------------------------------------------ */

struct sockaddr_in address_of(uint32_t address, uint16_t port);

/** An overlapped UDP socket, unbound. */
SOCKET make_socket(void);

/** The same, bound to every address. */
SOCKET open_socket(uint16_t port);

void close_socket(SOCKET s);

/** WSPIoctl, nothing of it overlapped. @return 0 or the WSA error */
int control(SOCKET s, int64_t code, const void *in, DWORD in_bytes, void *out, DWORD out_bytes,
            DWORD *returned);

/** @return 0 or the WSA error */
int join(SOCKET s, uint32_t group);
int leave(SOCKET s, uint32_t group);

void set_nonblocking(SOCKET s, bool on);

/** @return 0 or the WSA error */
int set_option(SOCKET s, int name, DWORD value);
DWORD get_option(SOCKET s, int name);

/** A datagram to this port here; the harness says "quiet" and "live" what that means. */
void arrive(uint16_t port, const void *payload, size_t length);
void arrive_text(uint16_t port, const char *text);

/** Payload `sequence` of this length (frames.h's frame_fill()). */
void arrive_filled(uint16_t port, size_t length, uint64_t sequence);

/** A datagram from somebody else than SENDER. */
void arrive_from(uint32_t source, uint16_t source_port, uint16_t port, const char *text);

/** A datagram to a group. */
void arrive_at(uint32_t address, uint16_t port, const char *text);

/** Quiet: a condition behind what the socket has queued, as if a protocol had put it there. */
void arrive_condition(SOCKET s, enum rx_kind kind);

struct wirerx_socket_counters counters_of(SOCKET s);

/** Receivers that sleep in the socket, or are about to. */
unsigned sleepers_of(SOCKET s);

/* --- calls --------------------------------------------------------------------------------------- */

/** What results and counts are filled with beforehand. */
#define UNTOUCHED 0x5a5a5a5au

/** What a call gave. `bytes` and `flags` are UNTOUCHED and the flags given where it wrote neither. */
struct outcome {
    int result;
    int error; /**< what is in *lpErrno; UNTOUCHED when it was not written */
    DWORD bytes;
    DWORD flags;
};

/** Non-overlapped, through the table. */
struct outcome receive(SOCKET s, void *room, size_t length);
struct outcome receive_flags(SOCKET s, void *room, size_t length, DWORD flags);
struct outcome receive_buffers(SOCKET s, WSABUF *buffers, DWORD count, DWORD flags);

/** Was it a success with this text? */
#define CHECK_TEXT(call, room, text)                \
    do {                                            \
        struct outcome outcome_ = (call);           \
        CHECK_EQ_I64(outcome_.result, 0);           \
        CHECK_EQ_U64(outcome_.bytes, strlen(text)); \
        CHECK_EQ_U64(outcome_.flags, 0);            \
        CHECK_EQ_MEM(room, text, strlen(text));     \
    } while (0)

/** Was it refused with this error, and nothing else written (A02, A12)? */
#define CHECK_REFUSED(call, code)                    \
    do {                                             \
        struct outcome outcome_ = (call);            \
        CHECK_EQ_I64(outcome_.result, SOCKET_ERROR); \
        CHECK_EQ_I64(outcome_.error, code);          \
        CHECK_EQ_U64(outcome_.bytes, UNTOUCHED);     \
    } while (0)

#define OPERATION_ROOM 256u
#define CANARY 0xc5

/** An overlapped receive with everything it may touch, between canaries. Zeroed before first use. */
struct operation {
    uint8_t canary_before[64];
    WSAOVERLAPPED overlapped;
    uint8_t canary_between[64];
    char data[OPERATION_ROOM];
    uint8_t canary_after[64];
    WSABUF buffer;
    struct outcome started;

    /* What its completion routine was told; each may be read when `calls` is not 0. */
    unsigned calls;
    DWORD error, bytes, flags;
    LPWSAOVERLAPPED told;
    DWORD thread;
};

/** The routine of post_routine(): writes down what it is told. */
void CALLBACK note_completion(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags);

/** Start it with room for `room` bytes. @return 0, or the WSA error (WSA_IO_PENDING among them) */
int post(SOCKET s, struct operation *operation, size_t room);
/** ... with a new manual-reset event */
int post_event(SOCKET s, struct operation *operation, size_t room);
int post_routine(SOCKET s, struct operation *operation, size_t room);
int post_with(SOCKET s, struct operation *operation, size_t room, DWORD flags,
              LPWSAOVERLAPPED_COMPLETION_ROUTINE routine);

/** Post it, and it must pend. */
void pend(SOCKET s, struct operation *operation, size_t room);
void pend_event(SOCKET s, struct operation *operation, size_t room);
void pend_routine(SOCKET s, struct operation *operation, size_t room);

/** Internal, as it is now (acquire). */
uint32_t status_of(const struct operation *operation);

/** Nothing outside of the operation's buffer and OVERLAPPED was written. */
void check_canaries(const struct operation *operation);

/** Has it ended with success, this text and its event (if it has one) set? */
void check_completed(const struct operation *operation, const char *text);
/** ... with this status, and this many bytes in InternalHigh? */
void check_ended(const struct operation *operation, uint32_t status, size_t bytes);

bool is_signalled(HANDLE event);

/** WSPGetOverlappedResult through the table: result is 0 or SOCKET_ERROR for TRUE or FALSE. */
struct outcome result_of(SOCKET s, struct operation *operation, bool wait);

/* --- threads --------------------------------------------------------------------------------------- */

/** A thread of a test. */
struct runner {
    pthread_t thread;
    void (*body)(struct runner *self);
    SOCKET s;
    void *argument;
    WSATHREADID id;
    _Atomic bool started;
    _Atomic bool ended;
    _Atomic unsigned step; /**< for the body's own use */
    struct outcome outcome;
    char data[OPERATION_ROOM];
};

/** Start it and wait until it runs. */
void run(struct runner *runner, void (*body)(struct runner *self), SOCKET s, void *argument);
void finish(struct runner *runner);

/** A body: one blocking receive. */
void receive_once(struct runner *self);

/** Start receive_once() and wait until it sleeps in the socket. */
void run_blocked(struct runner *runner, SOCKET s);

/** Sleep a little at a time until a condition holds; fail the test when that takes thirty seconds. On
 *  a busy machine a thread that sleeps is served sooner than one that yields. */
#define UNTIL(condition)                                                                   \
    do {                                                                                   \
        uint64_t limit_ = wake_clock() + 30000000000ull;                                   \
        while (!(condition)) {                                                             \
            CHECK_MSG(wake_clock() < limit_, "%s: not within thirty seconds", #condition); \
            nap();                                                                         \
        }                                                                                  \
    } while (0)

/** Some microseconds of sleep. */
void nap(void);

uint64_t milliseconds_since(uint64_t clock);

/** Under a sanitizer things take longer: how much of a stress is enough there. */
#ifdef WIRERX_SANITIZED
#define SCALED(count) ((count) / 5)
#else
#define SCALED(count) (count)
#endif

/* --- memory ------------------------------------------------------------------------------------------ */

/** Pages that can be taken away. */
char *map_pages(size_t count);
void unmap_pages(void *start, size_t count);
void protect_pages(void *start, size_t count, int protection);
#define PAGE 4096u

#endif
