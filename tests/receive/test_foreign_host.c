/* SPDX-License-Identifier: BSD-3-Clause */

/* A host of another kind loads the library and passes a table of its own: O04, O10. Its handles,
 * events and threads mean nothing to the provider; every upcall is counted. */

#include "support/suite.h"

#include "capture.h"
#include "support/frames.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "wirerx/winsock2.h"
#include "wirerx/wirerx.h"
#include "wirerx/ws2spi.h"
#include "wirerx/ws2tcpip.h"

#define THE_GROUP FRAME_IP(239, 1, 1, 1)
#define PORT 5000
#define DATAGRAMS 500u
#define HANDLES 64

/* --- the host --------------------------------------------------------------------------------------- */

enum upcall {
    CLOSE_EVENT,
    CLOSE_SOCKET_HANDLE,
    CREATE_EVENT,
    CREATE_SOCKET_HANDLE,
    FD_IS_SET,
    GET_PROVIDER_PATH,
    MODIFY_IFS_HANDLE,
    POST_MESSAGE,
    QUERY_BLOCKING_CALLBACK,
    QUERY_SOCKET_HANDLE_CONTEXT,
    QUEUE_APC,
    RESET_EVENT,
    SET_EVENT,
    OPEN_CURRENT_THREAD,
    CLOSE_THREAD,
    UPCALLS
};

static _Atomic unsigned calls[UPCALLS];
static _Atomic bool on_lcore; /* an upcall has run there */
static pthread_mutex_t host_lock = PTHREAD_MUTEX_INITIALIZER;

struct host_event {
    uint64_t magic;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool signalled;
};
#define EVENT_MAGIC 0x6576656e74u

struct host_apc {
    LPWSAUSERAPC routine;
    DWORD_PTR context;
};

struct host_thread {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct host_apc queue[DATAGRAMS + 64];
    unsigned first, last;
};

static DWORD_PTR contexts[HANDLES];
static bool refuse_handles, refuse_apcs;
static _Thread_local struct host_thread *myself;

static void count(enum upcall upcall)
{
    char name[32] = "";

    atomic_fetch_add(&calls[upcall], 1);
    pthread_getname_np(pthread_self(), name, sizeof name);
    if (strstr(name, "worker") != NULL || strstr(name, "lcore") != NULL)
        atomic_store(&on_lcore, true);
}

static struct host_event *event_of(WSAEVENT handle)
{
    struct host_event *event = handle;

    return event != NULL && event->magic == EVENT_MAGIC ? event : NULL;
}

static WSAEVENT WSPAPI create_event(LPINT error)
{
    struct host_event *event = calloc(1, sizeof *event);

    (void)error;
    count(CREATE_EVENT);
    event->magic = EVENT_MAGIC;
    pthread_mutex_init(&event->lock, NULL);
    pthread_cond_init(&event->changed, NULL);
    return event;
}

static BOOL WSPAPI close_event(WSAEVENT handle, LPINT error)
{
    (void)error;
    count(CLOSE_EVENT);
    free(event_of(handle));
    return TRUE;
}

static BOOL change_event(WSAEVENT handle, bool signalled, LPINT error)
{
    static const uint64_t odd = 0x10000000000;

    if ((uintptr_t)handle < odd) { /* what this test passes for no event at all */
        *error = WSA_INVALID_HANDLE;
        return FALSE;
    }
    struct host_event *event = event_of(handle);

    CHECK(event != NULL);
    pthread_mutex_lock(&event->lock);
    event->signalled = signalled;
    pthread_cond_broadcast(&event->changed);
    pthread_mutex_unlock(&event->lock);
    return TRUE;
}

static BOOL WSPAPI reset_event(WSAEVENT handle, LPINT error)
{
    count(RESET_EVENT);
    return change_event(handle, false, error);
}

static BOOL WSPAPI set_event(WSAEVENT handle, LPINT error)
{
    count(SET_EVENT);
    return change_event(handle, true, error);
}

static void wait_for_event(WSAEVENT handle)
{
    struct host_event *event = event_of(handle);
    struct timespec limit;

    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 20;
    pthread_mutex_lock(&event->lock);
    while (!event->signalled)
        CHECK_EQ_I64(pthread_cond_timedwait(&event->changed, &event->lock, &limit), 0);
    pthread_mutex_unlock(&event->lock);
}

/* Values that look like nothing: the context is found by them and by nothing else. */
static SOCKET handle_of(unsigned index)
{
    return 0x7700000000000001u + 10u * index;
}

static SOCKET WSPAPI create_socket_handle(DWORD catalog, DWORD_PTR context, LPINT error)
{
    SOCKET handle = INVALID_SOCKET;

    CHECK(catalog != 0);
    count(CREATE_SOCKET_HANDLE);
    pthread_mutex_lock(&host_lock);
    for (unsigned i = 0; i < HANDLES && handle == INVALID_SOCKET && !refuse_handles; i++)
        if (contexts[i] == 0) {
            contexts[i] = context;
            handle = handle_of(i);
        }
    pthread_mutex_unlock(&host_lock);
    if (handle == INVALID_SOCKET)
        *error = WSAEMFILE;
    return handle;
}

static DWORD_PTR *context_of(SOCKET s)
{
    for (unsigned i = 0; i < HANDLES; i++)
        if (handle_of(i) == s && contexts[i] != 0)
            return &contexts[i];
    return NULL;
}

static int WSPAPI close_socket_handle(SOCKET s, LPINT error)
{
    int result = SOCKET_ERROR;

    count(CLOSE_SOCKET_HANDLE);
    pthread_mutex_lock(&host_lock);
    if (context_of(s) != NULL) {
        *context_of(s) = 0;
        result = 0;
    } else {
        *error = WSAENOTSOCK;
    }
    pthread_mutex_unlock(&host_lock);
    return result;
}

static int WSPAPI query_socket_handle_context(SOCKET s, PDWORD_PTR context, LPINT error)
{
    int result = SOCKET_ERROR;

    count(QUERY_SOCKET_HANDLE_CONTEXT);
    pthread_mutex_lock(&host_lock);
    if (context_of(s) != NULL) {
        *context = *context_of(s);
        result = 0;
    } else {
        *error = WSAENOTSOCK;
    }
    pthread_mutex_unlock(&host_lock);
    return result;
}

static int WSPAPI open_current_thread(LPWSATHREADID id, LPINT error)
{
    (void)error;
    count(OPEN_CURRENT_THREAD);
    if (myself == NULL) {
        myself = calloc(1, sizeof *myself);
        pthread_mutex_init(&myself->lock, NULL);
        pthread_cond_init(&myself->changed, NULL);
    }
    id->ThreadHandle = myself;
    id->Reserved = 0x1122334455667788u;
    return 0;
}

static int WSPAPI queue_apc(LPWSATHREADID id, LPWSAUSERAPC routine, DWORD_PTR context, LPINT error)
{
    struct host_thread *thread = id->ThreadHandle;

    count(QUEUE_APC);
    CHECK_EQ_U64(id->Reserved, 0x1122334455667788u); /* all of the identity, copied (F16) */
    if (refuse_apcs) {
        *error = WSAEFAULT;
        return SOCKET_ERROR;
    }
    pthread_mutex_lock(&thread->lock);
    CHECK(thread->last < sizeof thread->queue / sizeof thread->queue[0]);
    thread->queue[thread->last++] = (struct host_apc){routine, context};
    pthread_cond_signal(&thread->changed);
    pthread_mutex_unlock(&thread->lock);
    return 0;
}

/* This host's alertable wait: runs what is queued, and waits for one if there is none. */
static void wait_alertably(void)
{
    struct timespec limit;

    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += 20;
    pthread_mutex_lock(&myself->lock);
    while (myself->first == myself->last)
        CHECK_EQ_I64(pthread_cond_timedwait(&myself->changed, &myself->lock, &limit), 0);
    while (myself->first != myself->last) {
        struct host_apc apc = myself->queue[myself->first++];

        pthread_mutex_unlock(&myself->lock);
        apc.routine(apc.context);
        pthread_mutex_lock(&myself->lock);
    }
    myself->first = myself->last = 0;
    pthread_mutex_unlock(&myself->lock);
}

static int WSPAPI close_thread(LPWSATHREADID id, LPINT error)
{
    (void)id;
    (void)error;
    count(CLOSE_THREAD);
    return 0;
}

static int WSPAPI fd_is_set(SOCKET s, fd_set *set)
{
    (void)s;
    (void)set;
    count(FD_IS_SET);
    return 0;
}

static int WSPAPI get_provider_path(LPGUID id, WCHAR *path, LPINT length, LPINT error)
{
    (void)id;
    (void)path;
    (void)length;
    (void)error;
    count(GET_PROVIDER_PATH);
    return SOCKET_ERROR;
}

static SOCKET WSPAPI modify_ifs_handle(DWORD catalog, SOCKET proposed, LPINT error)
{
    (void)catalog;
    (void)proposed;
    (void)error;
    count(MODIFY_IFS_HANDLE);
    return INVALID_SOCKET;
}

static BOOL WSPAPI post_message(HWND window, UINT message, WPARAM w, LPARAM l)
{
    (void)window;
    (void)message;
    (void)w;
    (void)l;
    count(POST_MESSAGE);
    return FALSE;
}

static int WSPAPI query_blocking_callback(DWORD catalog, LPBLOCKINGCALLBACK *callback,
                                          PDWORD_PTR context, LPINT error)
{
    (void)catalog;
    (void)error;
    count(QUERY_BLOCKING_CALLBACK);
    *callback = NULL;
    *context = 0;
    return 0;
}

static const WSPUPCALLTABLE our_upcalls = {
    .lpWPUCloseEvent = close_event,
    .lpWPUCloseSocketHandle = close_socket_handle,
    .lpWPUCreateEvent = create_event,
    .lpWPUCreateSocketHandle = create_socket_handle,
    .lpWPUFDIsSet = fd_is_set,
    .lpWPUGetProviderPath = get_provider_path,
    .lpWPUModifyIFSHandle = modify_ifs_handle,
    .lpWPUPostMessage = post_message,
    .lpWPUQueryBlockingCallback = query_blocking_callback,
    .lpWPUQuerySocketHandleContext = query_socket_handle_context,
    .lpWPUQueueApc = queue_apc,
    .lpWPUResetEvent = reset_event,
    .lpWPUSetEvent = set_event,
    .lpWPUOpenCurrentThread = open_current_thread,
    .lpWPUCloseThread = close_thread,
};

/* --- the library ------------------------------------------------------------------------------------- */

static WSPPROC_TABLE provider;
static LPWSPSTARTUP start_provider;
static int (*start_replay)(const struct wirerx_replay *, struct wirerx_error *);
static int (*replay_go)(void);
static int (*stop)(void);

static void *symbol(void *library, const char *name)
{
    void *address = dlsym(library, name);

    CHECK_MSG(address != NULL, "the library does not export %s", name);
    return address;
}

static size_t length_of(uint64_t sequence)
{
    return sequence * 37 % 200 + 8;
}

static const char *capture;

static void load(void)
{
    void *library = dlopen(TEST_BUILD_DIR "/lib/libwirerx.so", RTLD_NOW | RTLD_LOCAL);

    CHECK_MSG(library != NULL, "%s", dlerror());
    *(void **)&start_provider = symbol(library, "WSPStartup");
    *(void **)&start_replay = symbol(library, "wirerx_start_replay");
    *(void **)&replay_go = symbol(library, "wirerx_replay_go");
    *(void **)&stop = symbol(library, "wirerx_stop");
    capture = write_capture(THE_GROUP, PORT, DATAGRAMS, length_of);

    WSPUPCALLTABLE table = our_upcalls;
    WSAPROTOCOL_INFOW protocol = {0};
    WSPDATA data;
    CHECK_EQ_I64(start_provider(MAKEWORD(2, 2), &data, &protocol, table, &provider), 0);
    memset(&table, 0, sizeof table); /* O01: by value, and copied */
}

static void unload(void)
{
    int error = 0;

    CHECK_EQ_I64(provider.lpWSPCleanup(&error), 0);
    CHECK(!atomic_load(&on_lcore)); /* what a host's functions do is nothing for an lcore */
    free(myself);
}

SUITE_FIXTURE(foreign_host, load, unload);

static void start(void)
{
    struct wirerx_replay replay = {.path = capture, .core = -1, .max_sockets = 8};
    struct wirerx_error error;

    CHECK_MSG(start_replay(&replay, &error) == 0, "%s", error.text);
}

static SOCKET open_socket(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    struct ip_mreq request;
    int error = 0;
    SOCKET s = provider.lpWSPSocket(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_OVERLAPPED,
                                    &error);

    CHECK_MSG(s != INVALID_SOCKET, "WSPSocket: %d", error);
    CHECK_EQ_I64(provider.lpWSPBind(s, (struct sockaddr *)&name, sizeof name, &error), 0);
    memset(&request, 0, sizeof request);
    request.imr_multiaddr.s_addr = htonl(THE_GROUP);
    CHECK_EQ_I64(provider.lpWSPSetSockOpt(s, IPPROTO_IP, IP_ADD_MEMBERSHIP, (char *)&request,
                                          sizeof request, &error),
                 0);
    return s;
}

static void close_socket(SOCKET s)
{
    int error = 0;
    unsigned before = atomic_load(&calls[CLOSE_SOCKET_HANDLE]);

    CHECK_EQ_I64(provider.lpWSPCloseSocket(s, &error), 0);
    CHECK_EQ_U64(atomic_load(&calls[CLOSE_SOCKET_HANDLE]), before + 1);
    CHECK_EQ_I64(provider.lpWSPCloseSocket(s, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAENOTSOCK);
}

static void check_datagram(const char *room, size_t bytes, uint64_t sequence)
{
    CHECK_EQ_U64(bytes, length_of(sequence));
    CHECK_MSG(frame_is_filled(room, bytes, sequence), "datagram %llu is not what was sent",
              (unsigned long long)sequence);
}

SUITE_TEST(foreign_host, gives_handles_of_its_own) // O01 O04 O10 K01
{
    int error = 0;
    char room[16];
    WSABUF buffer = {sizeof room, room};
    DWORD bytes, flags = 0;

    start();
    SOCKET s = open_socket();
    CHECK_EQ_U64(s, handle_of(0));
    CHECK_EQ_U64(atomic_load(&calls[CREATE_SOCKET_HANDLE]), 1);
    CHECK(atomic_load(&calls[QUERY_SOCKET_HANDLE_CONTEXT]) >= 2);
    CHECK_EQ_I64(provider.lpWSPRecv(s + 1, &buffer, 1, &bytes, &flags, NULL, NULL, NULL, &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAENOTSOCK);
    CHECK_EQ_I64(/* the context is none */
                 provider.lpWSPRecv(contexts[0], &buffer, 1, &bytes, &flags, NULL, NULL, NULL,
                                    &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAENOTSOCK);
    refuse_handles = true;
    for (int i = 0; i < 20; i++) { /* more than there are sockets: a refusal keeps none */
        CHECK_EQ_U64(provider.lpWSPSocket(AF_INET, SOCK_DGRAM, 0, NULL, 0, 0, &error),
                     INVALID_SOCKET);
        CHECK_EQ_I64(error, WSAEMFILE);
    }
    refuse_handles = false;
    close_socket(s);
    s = open_socket();
    close_socket(s);
    CHECK_EQ_I64(stop(), 0);
    for (unsigned i = 0; i < HANDLES; i++)
        CHECK_EQ_U64(contexts[i], 0);
}

SUITE_TEST(foreign_host, receives_blocking_and_nonblocking) // O10 B06
{
    ULONG one = 1;
    DWORD returned;

    for (int nonblocking = 0; nonblocking < 2; nonblocking++) {
        char room[256];
        WSABUF buffer = {sizeof room, room};
        int error = 0;

        start();
        SOCKET s = open_socket();
        if (nonblocking)
            CHECK_EQ_I64(provider.lpWSPIoctl(s, FIONBIO, &one, sizeof one, NULL, 0, &returned, NULL,
                                             NULL, NULL, &error),
                         0);
        CHECK_EQ_I64(replay_go(), 0);
        for (uint64_t n = 0; n < DATAGRAMS;) {
            DWORD bytes = 0, flags = 0;
            int result =
                provider.lpWSPRecv(s, &buffer, 1, &bytes, &flags, NULL, NULL, NULL, &error);

            if (result == 0)
                check_datagram(room, bytes, n++);
            else
                CHECK_MSG(nonblocking && error == WSAEWOULDBLOCK, "error %d", error);
        }
        close_socket(s);
        CHECK_EQ_I64(stop(), 0);
    }
    CHECK_EQ_U64(atomic_load(&calls[SET_EVENT]) + atomic_load(&calls[QUEUE_APC]), 0);
}

#define DEPTH 8u

static WSAOVERLAPPED overlapped[DEPTH];
static char rooms[DEPTH][256];
static uint64_t arrived;
static SOCKET routine_socket;

static int post(SOCKET s, unsigned i, LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    WSABUF buffer = {sizeof rooms[i], rooms[i]};
    WSATHREADID id;
    DWORD flags = 0;
    int error = 0;

    CHECK_EQ_I64(open_current_thread(&id, &error), 0);
    int result =
        provider.lpWSPRecv(s, &buffer, 1, NULL, &flags, &overlapped[i], routine, &id, &error);
    memset(&id, 0, sizeof id);
    return result == 0 ? 0 : error;
}

SUITE_TEST(foreign_host, receives_by_events) // O10 D07 D08 D17 E03 K02u
{
    int error = 0;

    start();
    SOCKET s = open_socket();
    overlapped[0].hEvent = (HANDLE)0x1234;
    CHECK_EQ_I64(post(s, 0, NULL), WSA_INVALID_HANDLE); /* D17 */
    for (unsigned i = 0; i < DEPTH; i++) {
        overlapped[i].hEvent = create_event(&error);
        CHECK_EQ_I64(set_event(overlapped[i].hEvent, &error), TRUE);
        CHECK_EQ_I64(post(s, i, NULL), WSA_IO_PENDING);
        CHECK(!event_of(overlapped[i].hEvent)->signalled);
    }
    unsigned set = atomic_load(&calls[SET_EVENT]);
    CHECK_EQ_I64(replay_go(), 0);
    for (uint64_t n = 0; n < DATAGRAMS; n++) {
        unsigned i = n % DEPTH;
        DWORD bytes, flags;

        if (n % 3 == 0)
            wait_for_event(overlapped[i].hEvent);
        CHECK_EQ_I64(
            provider.lpWSPGetOverlappedResult(s, &overlapped[i], &bytes, TRUE, &flags, &error),
            TRUE);
        check_datagram(rooms[i], bytes, n);
        wait_for_event(overlapped[i].hEvent); /* it may come a little after the result */
        if (n + DEPTH < DATAGRAMS) {
            int result = post(s, i, NULL);
            CHECK(result == 0 || result == WSA_IO_PENDING);
        }
    }
    CHECK_EQ_U64(atomic_load(&calls[SET_EVENT]), set + DATAGRAMS); /* once each */
    CHECK_EQ_I64(post(s, 0, NULL), WSA_IO_PENDING);
    close_socket(s);
    CHECK_EQ_U64(overlapped[0].Internal, STATUS_CANCELLED);
    CHECK(event_of(overlapped[0].hEvent)->signalled);
    CHECK_EQ_I64(stop(), 0);
    for (unsigned i = 0; i < DEPTH; i++)
        close_event(overlapped[i].hEvent, &error);
}

static bool seen[DATAGRAMS];

/* Filled in posting order, but called in any (F14): the datagram says which one it is. */
static void CALLBACK routine(DWORD error, DWORD bytes, LPWSAOVERLAPPED which, DWORD flags)
{
    unsigned i = (unsigned)(which - overlapped);
    uint64_t sequence;

    CHECK_EQ_U64(flags, 0);
    if (error == WSA_OPERATION_ABORTED || error == WSAENETDOWN) {
        arrived++;
        return;
    }
    CHECK_EQ_U64(error, 0);
    memcpy(&sequence, rooms[i], sizeof sequence);
    CHECK(sequence < DATAGRAMS && !seen[sequence]);
    seen[sequence] = true;
    check_datagram(rooms[i], bytes, sequence);
    arrived++;
    if (arrived <= DATAGRAMS - DEPTH) {
        int result = post(routine_socket, i, routine);

        CHECK(result == 0 || result == WSA_IO_PENDING);
    }
}

SUITE_TEST(foreign_host, receives_by_routines) // O10 F01 F06 F16 K03
{
    start();
    routine_socket = open_socket();
    for (unsigned i = 0; i < DEPTH; i++)
        CHECK_EQ_I64(post(routine_socket, i, routine), WSA_IO_PENDING);
    CHECK_EQ_I64(replay_go(), 0);
    while (arrived < DATAGRAMS)
        wait_alertably();
    CHECK_EQ_U64(arrived, DATAGRAMS);
    CHECK_EQ_U64(atomic_load(&calls[QUEUE_APC]), DATAGRAMS);
    CHECK_EQ_U64(atomic_load(&calls[SET_EVENT]), 0);
    /* What is pending at the end is aborted, by an APC as well (K03). */
    CHECK_EQ_I64(post(routine_socket, 0, routine), WSA_IO_PENDING);
    close_socket(routine_socket);
    wait_alertably();
    CHECK_EQ_U64(arrived, DATAGRAMS + 1);
    CHECK_EQ_I64(stop(), 0);
}

SUITE_TEST(foreign_host, may_refuse_an_apc) // K02u
{
    start();
    SOCKET s = open_socket();

    refuse_apcs = true;
    for (unsigned i = 0; i < DEPTH; i++)
        CHECK_EQ_I64(post(s, i, routine), WSA_IO_PENDING);
    close_socket(s);
    CHECK_EQ_U64(atomic_load(&calls[QUEUE_APC]), DEPTH);
    for (unsigned i = 0; i < DEPTH; i++)
        CHECK_EQ_U64(overlapped[i].Internal, STATUS_CANCELLED);
    CHECK_EQ_U64(arrived, 0);
    CHECK_EQ_I64(stop(), 0);
}

/* Blocked and posted, when the dataplane stops; through another host's eyes. */
static void *block(void *socket)
{
    char room[16];
    WSABUF buffer = {sizeof room, room};
    DWORD bytes, flags = 0;
    int error = 0;

    provider.lpWSPRecv(*(SOCKET *)socket, &buffer, 1, &bytes, &flags, NULL, NULL, NULL, &error);
    return (void *)(intptr_t)error;
}

SUITE_TEST(foreign_host, sees_the_network_go_down) // D18 A19 B11
{
    pthread_t thread;
    void *result;
    int error = 0;

    start();
    SOCKET s = open_socket();
    CHECK_EQ_I64(pthread_create(&thread, NULL, block, &s), 0);
    usleep(30000);
    CHECK_EQ_I64(provider.lpWSPCloseSocket(s, &error), 0);
    CHECK_EQ_I64(pthread_join(thread, &result), 0);
    CHECK_EQ_I64((intptr_t)result, WSA_OPERATION_ABORTED);

    s = open_socket();
    overlapped[0].hEvent = create_event(&error);
    CHECK_EQ_I64(post(s, 0, NULL), WSA_IO_PENDING);
    CHECK_EQ_I64(post(s, 1, routine), WSA_IO_PENDING);
    CHECK_EQ_I64(pthread_create(&thread, NULL, block, &s), 0);
    usleep(30000);
    CHECK_EQ_I64(stop(), 0);
    wait_for_event(overlapped[0].hEvent);
    CHECK_EQ_U64(overlapped[0].Internal, 0xC000023C);
    CHECK_EQ_U64(overlapped[1].Internal, 0xC000023C);
    wait_alertably();
    CHECK_EQ_U64(atomic_load(&calls[QUEUE_APC]), 1);
    CHECK_EQ_U64(arrived, 1);
    CHECK_EQ_I64(pthread_join(thread, &result), 0);
    CHECK_EQ_I64((intptr_t)result, WSAENETDOWN);
    close_socket(s);
    close_event(overlapped[0].hEvent, &error);
}

/* --- network events and selects ------------------------------------------------------------------------ */

static int receive_now(SOCKET s, uint64_t sequence)
{
    char room[256];
    WSABUF buffer = {sizeof room, room};
    DWORD bytes, flags = 0;
    int error = 0;

    if (provider.lpWSPRecv(s, &buffer, 1, &bytes, &flags, NULL, NULL, NULL, &error) != 0)
        return error;
    check_datagram(room, bytes, sequence);
    return 0;
}

/* Its events are set and reset by its own upcalls, and never on an lcore. */
SUITE_TEST(foreign_host, receives_by_network_events) // O10 M01 M02 M04 M13 M18
{
    WSANETWORKEVENTS events;
    int error = 0;
    uint64_t n = 0;

    start();
    SOCKET s = open_socket();
    WSAEVENT event = create_event(&error);
    CHECK_EQ_I64(provider.lpWSPEventSelect(s, event, FD_READ | FD_WRITE, &error), 0);
    CHECK_EQ_U64(atomic_load(&calls[SET_EVENT]), 1); /* writable */
    CHECK(event_of(event)->signalled);
    CHECK_EQ_I64(provider.lpWSPEnumNetworkEvents(s, event, &events, &error), 0);
    CHECK_EQ_U64(atomic_load(&calls[RESET_EVENT]), 1);
    CHECK(!event_of(event)->signalled);
    CHECK_EQ_I64(events.lNetworkEvents, FD_WRITE);
    CHECK_EQ_I64(provider.lpWSPEnumNetworkEvents(s, (WSAEVENT)0x1234, &events, &error),
                 SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAEINVAL);
    CHECK_EQ_I64(receive_now(s, n), WSAEWOULDBLOCK);
    CHECK_EQ_I64(replay_go(), 0);
    while (n < DATAGRAMS) { /* one for each FD_READ: every receive has to enable the next */
        wait_for_event(event);
        CHECK_EQ_I64(provider.lpWSPEnumNetworkEvents(s, event, &events, &error), 0);
        if (events.lNetworkEvents & FD_READ)
            CHECK_EQ_I64(receive_now(s, n++), 0);
    }
    CHECK(atomic_load(&calls[SET_EVENT]) > 1);
    CHECK_EQ_I64(receive_now(s, n), WSAEWOULDBLOCK);
    CHECK_EQ_I64(provider.lpWSPEventSelect(s, NULL, 0, &error), 0);
    close_socket(s);
    CHECK_EQ_I64(stop(), 0);
    close_event(event, &error);
}

SUITE_TEST(foreign_host, sees_the_stop_as_a_network_event) // O10 A19
{
    WSANETWORKEVENTS events;
    int error = 0;

    start();
    SOCKET s = open_socket();
    WSAEVENT event = create_event(&error);
    CHECK_EQ_I64(provider.lpWSPEventSelect(s, event, FD_READ, &error), 0);
    CHECK_EQ_I64(stop(), 0);
    wait_for_event(event);
    CHECK_EQ_I64(provider.lpWSPEnumNetworkEvents(s, event, &events, &error), 0);
    CHECK_EQ_I64(events.lNetworkEvents, FD_READ);
    CHECK_EQ_I64(events.iErrorCode[FD_READ_BIT], WSAENETDOWN);
    close_socket(s);
    close_event(event, &error);
}

SUITE_TEST(foreign_host, receives_by_selects) // O10
{
    int error = 0;
    ULONG one = 1;
    DWORD returned;
    uint64_t n = 0;

    start();
    SOCKET s = open_socket();
    CHECK_EQ_I64(provider.lpWSPIoctl(s, FIONBIO, &one, sizeof one, NULL, 0, &returned, NULL, NULL,
                                     NULL, &error),
                 0);
    CHECK_EQ_I64(replay_go(), 0);
    while (n < DATAGRAMS) {
        fd_set set;

        FD_ZERO(&set);
        FD_SET(s, &set);
        CHECK_EQ_I64(provider.lpWSPSelect(0, &set, NULL, NULL, NULL, &error), 1);
        CHECK_EQ_U64(set.fd_array[0], s);
        CHECK_EQ_I64(receive_now(s, n++), 0);
    }
    fd_set none;
    FD_ZERO(&none);
    FD_SET(s + 1, &none);
    CHECK_EQ_I64(provider.lpWSPSelect(0, &none, NULL, NULL, NULL, &error), SOCKET_ERROR);
    CHECK_EQ_I64(error, WSAENOTSOCK);
    close_socket(s);
    CHECK_EQ_I64(stop(), 0);
    CHECK_EQ_U64(atomic_load(&calls[SET_EVENT]), 0); /* events of the host are not needed for it */
    CHECK_EQ_U64(atomic_load(&calls[CREATE_EVENT]), 0);
}
