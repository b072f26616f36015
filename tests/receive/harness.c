/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "support/suite.h"

#include "conditions.h"
#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "host/host.h"

WSPPROC_TABLE spi;

static bool live; /* of the last open_*() */
static bool has_dataplane;
static unsigned buffers_at_start;

/* --- fixtures ----------------------------------------------------------------------------------- */

void open_winsock(void)
{
    WSPDATA data;
    WSADATA api_data;
    WSAPROTOCOL_INFOW protocol = {0};

    CHECK_EQ_I64(WSAStartup(MAKEWORD(2, 2), &api_data), 0);
    CHECK_EQ_I64(WSPStartup(MAKEWORD(2, 2), &data, &protocol, host_upcalls(), &spi), 0);
}

void close_winsock(void)
{
    int error = 0;

    CHECK_EQ_I64(spi.lpWSPCleanup(&error), 0);
    CHECK_EQ_I64(WSACleanup(), 0); /* the last one: closes every socket */
}

static void open_with(const struct config *config, bool with_lcore)
{
    live = with_lcore;
    has_dataplane = true;
    wire_start(config, &pending_operations, !with_lcore);
    wire_settle();
    buffers_at_start = wire_free_buffers();
    open_winsock();
}

void open_quiet_with(const struct config *config)
{
    open_with(config, false);
}

void open_live_with(const struct config *config)
{
    open_with(config, true);
}

void open_quiet(void)
{
    struct config config = wire_config();

    open_quiet_with(&config);
}

void open_live(void)
{
    struct config config = wire_config();

    open_live_with(&config);
}

void close_all(void)
{
    if (has_dataplane && dataplane_running())
        wire_settle();
    close_winsock();
    if (has_dataplane && dataplane_running()) {
        wire_settle();
        CHECK_EQ_U64(wire_free_buffers(), buffers_at_start);
        wire_stop();
    }
}

/* --- sockets and arrivals ------------------------------------------------------------------------ */

struct sockaddr_in address_of(uint32_t address, uint16_t port)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};

    name.sin_addr.s_addr = htonl(address);
    return name;
}

SOCKET make_socket(void)
{
    SOCKET s = WSASocketW(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_OVERLAPPED);

    CHECK_MSG(s != INVALID_SOCKET, "WSASocketW: %d", WSAGetLastError());
    return s;
}

SOCKET open_socket(uint16_t port)
{
    struct sockaddr_in name = address_of(0, port);
    SOCKET s = make_socket();

    CHECK_MSG(bind(s, (struct sockaddr *)&name, sizeof name) == 0, "bind: %d", WSAGetLastError());
    return s;
}

void close_socket(SOCKET s)
{
    int error = 0;

    CHECK_EQ_I64(spi.lpWSPCloseSocket(s, &error), 0);
}

int control(SOCKET s, int64_t code, const void *in, DWORD in_bytes, void *out, DWORD out_bytes,
            DWORD *returned)
{
    int error = 0;

    return spi.lpWSPIoctl(s, (DWORD)code, (LPVOID)(uintptr_t)in, in_bytes, out, out_bytes, returned,
                          NULL, NULL, NULL, &error) == 0
               ? 0
               : error;
}

static int membership(SOCKET s, int name, uint32_t group)
{
    struct ip_mreq request;
    int error = 0;

    memset(&request, 0, sizeof request);
    request.imr_multiaddr.s_addr = htonl(group);
    return spi.lpWSPSetSockOpt(s, IPPROTO_IP, name, (const char *)&request, sizeof request,
                               &error) == 0
               ? 0
               : error;
}

int join(SOCKET s, uint32_t group)
{
    return membership(s, IP_ADD_MEMBERSHIP, group);
}

int leave(SOCKET s, uint32_t group)
{
    return membership(s, IP_DROP_MEMBERSHIP, group);
}

void set_nonblocking(SOCKET s, bool on)
{
    u_long value = on;

    CHECK_EQ_I64(ioctlsocket(s, (LONG)FIONBIO, &value), 0);
}

int set_option(SOCKET s, int name, DWORD value)
{
    int error = 0;

    return spi.lpWSPSetSockOpt(s, SOL_SOCKET, name, (const char *)&value, sizeof value, &error) == 0
               ? 0
               : error;
}

DWORD get_option(SOCKET s, int name)
{
    DWORD value = UNTOUCHED;
    int length = sizeof value, error = 0;

    CHECK_MSG(spi.lpWSPGetSockOpt(s, SOL_SOCKET, name, (char *)&value, &length, &error) == 0,
              "option %#x: %d", (unsigned)name, error);
    CHECK_EQ_I64(length, sizeof value);
    return value;
}

static void send_to(uint32_t address, uint16_t port, const void *payload, size_t length)
{
    wire_send_udp(address, port, payload, length);
    if (!live)
        wire_settle();
}

void arrive(uint16_t port, const void *payload, size_t length)
{
    send_to(HERE, port, payload, length);
}

void arrive_text(uint16_t port, const char *text)
{
    arrive(port, text, strlen(text));
}

void arrive_filled(uint16_t port, size_t length, uint64_t sequence)
{
    char payload[2048];

    CHECK(length <= sizeof payload);
    frame_fill(payload, length, sequence);
    arrive(port, payload, length);
}

void arrive_from(uint32_t source, uint16_t source_port, uint16_t port, const char *text)
{
    struct frame frame = {.source = source,
                          .source_port = source_port,
                          .destination = HERE,
                          .destination_port = port,
                          .payload = text,
                          .length = strlen(text)};
    uint8_t bytes[FRAME_MAX];

    wire_send(bytes, frame_build(&frame, bytes, sizeof bytes));
    if (!live)
        wire_settle();
}

void arrive_at(uint32_t address, uint16_t port, const char *text)
{
    send_to(address, port, text, strlen(text));
}

void arrive_condition(SOCKET s, enum rx_kind kind)
{
    struct socket_reference reference;

    CHECK(socket_resolve(s, &reference));
    put_condition(reference.endpoint, kind);
}

struct wirerx_socket_counters counters_of(SOCKET s)
{
    struct wirerx_socket_counters counters;

    CHECK_EQ_I64(wirerx_socket_counters(s, &counters), 0);
    return counters;
}

unsigned sleepers_of(SOCKET s)
{
    struct socket_reference reference;

    CHECK(socket_resolve(s, &reference));
    return atomic_load(&reference.endpoint->sleepers);
}

/* --- calls --------------------------------------------------------------------------------------- */

struct outcome receive_buffers(SOCKET s, WSABUF *buffers, DWORD count, DWORD flags)
{
    struct outcome outcome = {.error = (int)UNTOUCHED, .bytes = UNTOUCHED, .flags = flags};

    outcome.result = spi.lpWSPRecv(s, buffers, count, &outcome.bytes, &outcome.flags, NULL, NULL,
                                   NULL, &outcome.error);
    return outcome;
}

struct outcome receive_flags(SOCKET s, void *room, size_t length, DWORD flags)
{
    WSABUF buffer = {.len = (ULONG)length, .buf = room};

    return receive_buffers(s, &buffer, 1, flags);
}

struct outcome receive(SOCKET s, void *room, size_t length)
{
    return receive_flags(s, room, length, 0);
}

void CALLBACK note_completion(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags)
{
    struct operation *operation =
        (struct operation *)(void *)((char *)overlapped - offsetof(struct operation, overlapped));

    operation->calls++;
    operation->error = error;
    operation->bytes = bytes;
    operation->flags = flags;
    operation->told = overlapped;
    operation->thread = GetCurrentThreadId();
}

int post_with(SOCKET s, struct operation *operation, size_t room, DWORD flags,
              LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    WSATHREADID thread;
    int error = 0;

    CHECK(room <= sizeof operation->data);
    memset(operation->canary_before, CANARY, sizeof operation->canary_before);
    memset(operation->canary_between, CANARY, sizeof operation->canary_between);
    memset(operation->canary_after, CANARY, sizeof operation->canary_after);
    memset(operation->data, CANARY, sizeof operation->data);
    operation->overlapped.Internal = UNTOUCHED;
    operation->overlapped.InternalHigh = UNTOUCHED;
    operation->buffer = (WSABUF){.len = (ULONG)room, .buf = operation->data};
    operation->started =
        (struct outcome){.error = (int)UNTOUCHED, .bytes = UNTOUCHED, .flags = flags};
    operation->calls = 0;
    if (routine != NULL)
        CHECK_EQ_I64(WPUOpenCurrentThread(&thread, &error), 0);
    operation->started.result =
        spi.lpWSPRecv(s, &operation->buffer, 1, &operation->started.bytes,
                      &operation->started.flags, &operation->overlapped, routine,
                      routine != NULL ? &thread : NULL, &operation->started.error);
    memset(&thread, CANARY, sizeof thread);              /* F16: nobody needs it any more */
    operation->buffer = (WSABUF){.len = 0, .buf = NULL}; /* G02: likewise */
    return operation->started.result == 0 ? 0 : operation->started.error;
}

int post(SOCKET s, struct operation *operation, size_t room)
{
    return post_with(s, operation, room, 0, NULL);
}

int post_event(SOCKET s, struct operation *operation, size_t room)
{
    if (operation->overlapped.hEvent == NULL) {
        operation->overlapped.hEvent = WSACreateEvent();
        CHECK(operation->overlapped.hEvent != NULL);
    }
    return post(s, operation, room);
}

int post_routine(SOCKET s, struct operation *operation, size_t room)
{
    return post_with(s, operation, room, 0, note_completion);
}

void pend(SOCKET s, struct operation *operation, size_t room)
{
    CHECK_EQ_I64(post(s, operation, room), WSA_IO_PENDING);
}

void pend_event(SOCKET s, struct operation *operation, size_t room)
{
    CHECK_EQ_I64(post_event(s, operation, room), WSA_IO_PENDING);
}

void pend_routine(SOCKET s, struct operation *operation, size_t room)
{
    CHECK_EQ_I64(post_routine(s, operation, room), WSA_IO_PENDING);
}

uint32_t status_of(const struct operation *operation)
{
    return (uint32_t)__atomic_load_n(&operation->overlapped.Internal, __ATOMIC_ACQUIRE);
}

static void check_canary(const uint8_t *canary, size_t length)
{
    for (size_t i = 0; i < length; i++)
        CHECK_EQ_U64(canary[i], CANARY);
}

void check_canaries(const struct operation *operation)
{
    check_canary(operation->canary_before, sizeof operation->canary_before);
    check_canary(operation->canary_between, sizeof operation->canary_between);
    check_canary(operation->canary_after, sizeof operation->canary_after);
}

void check_ended(const struct operation *operation, uint32_t status, size_t bytes)
{
    CHECK_EQ_U64(status_of(operation), status);
    CHECK_EQ_U64(operation->overlapped.InternalHigh, bytes);
    check_canaries(operation);
    /* G10: what was not received into is as it was. */
    check_canary((const uint8_t *)operation->data + bytes, sizeof operation->data - bytes);
}

void check_completed(const struct operation *operation, const char *text)
{
    check_ended(operation, 0, strlen(text));
    CHECK_EQ_MEM(operation->data, text, strlen(text));
    if (operation->overlapped.hEvent != NULL)
        CHECK(is_signalled(operation->overlapped.hEvent));
}

bool is_signalled(HANDLE event)
{
    DWORD result = WaitForSingleObject(event, 0);

    CHECK(result == WAIT_OBJECT_0 || result == WAIT_TIMEOUT);
    return result == WAIT_OBJECT_0;
}

struct outcome result_of(SOCKET s, struct operation *operation, bool wait)
{
    struct outcome outcome = {.error = (int)UNTOUCHED, .bytes = UNTOUCHED, .flags = UNTOUCHED};
    BOOL result = spi.lpWSPGetOverlappedResult(s, &operation->overlapped, &outcome.bytes, wait,
                                               &outcome.flags, &outcome.error);

    CHECK(result == TRUE || result == FALSE);
    outcome.result = result ? 0 : SOCKET_ERROR;
    return outcome;
}

/* --- threads --------------------------------------------------------------------------------------- */

static void *start(void *argument)
{
    struct runner *runner = argument;
    int error = 0;

    CHECK_EQ_I64(WPUOpenCurrentThread(&runner->id, &error), 0);
    atomic_store(&runner->started, true);
    runner->body(runner);
    atomic_store(&runner->ended, true);
    return NULL;
}

void run(struct runner *runner, void (*body)(struct runner *self), SOCKET s, void *argument)
{
    runner->body = body;
    runner->s = s;
    runner->argument = argument;
    CHECK_EQ_I64(pthread_create(&runner->thread, NULL, start, runner), 0);
    UNTIL(atomic_load(&runner->started));
}

void nap(void)
{
    nanosleep(&(struct timespec){0, 20000}, NULL);
}

void finish(struct runner *runner)
{
    struct timespec limit;
    int result;

    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 30;
    result = pthread_timedjoin_np(runner->thread, NULL, &limit);
    CHECK_MSG(result == 0, "a thread has not ended within thirty seconds");
}

void receive_once(struct runner *self)
{
    self->outcome = receive(self->s, self->data, sizeof self->data);
}

void run_blocked(struct runner *runner, SOCKET s)
{
    unsigned before = sleepers_of(s);

    run(runner, receive_once, s, NULL);
    UNTIL(sleepers_of(s) == before + 1);
}

uint64_t milliseconds_since(uint64_t clock)
{
    return (wake_clock() - clock) / 1000000;
}

/* --- memory ------------------------------------------------------------------------------------------ */

char *map_pages(size_t count)
{
    void *start =
        mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK_MSG(start != MAP_FAILED, "mmap: %s", strerror(errno));
    return start;
}

void unmap_pages(void *start, size_t count)
{
    CHECK_EQ_I64(munmap(start, count * PAGE), 0);
}

void protect_pages(void *start, size_t count, int protection)
{
    CHECK_EQ_I64(mprotect(start, count * PAGE, protection), 0);
}
