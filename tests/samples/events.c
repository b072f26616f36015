/* SPDX-License-Identifier: BSD-3-Clause */

/* Datagrams by overlapped receives whose end an event tells. */

#include "sample.h"

static SOCKET sender;
static struct sockaddr_in sender_address;

/* One overlapped receive. It stays where it is until the receive has ended. */
struct operation {
    WSAOVERLAPPED overlapped;
    WSABUF buffer;
    struct outcome outcome; /* of WSARecv(), then of WSAGetOverlappedResult() */
};

static int is_set(WSAEVENT event)
{
    return WSAWaitForMultipleEvents(1, &event, FALSE, 0, FALSE) == WSA_WAIT_EVENT_0;
}

/* The event is signalled before the call, to show what the call does with it. */
static void make_ready(struct operation *operation, ULONG room, DWORD flags)
{
    memset(&operation->overlapped, 0, sizeof operation->overlapped);
    operation->overlapped.InternalHigh = UNTOUCHED;
    operation->overlapped.hEvent = WSACreateEvent();
    must(operation->overlapped.hEvent != WSA_INVALID_EVENT, "WSACreateEvent");
    prepare(&operation->outcome, flags);
    operation->buffer.len = room;
    operation->buffer.buf = operation->outcome.data;
}

static void post(SOCKET s, struct operation *operation)
{
    conclude(&operation->outcome, WSARecv(s, &operation->buffer, 1, &operation->outcome.bytes,
                                          &operation->outcome.flags, &operation->overlapped, NULL));
}

static void show_post(const char *clause, const struct operation *operation)
{
    printf("%s: result=%d error=%d bytes=%d event=%d\n", clause, operation->outcome.result,
           operation->outcome.error, (int)operation->outcome.bytes,
           is_set(operation->overlapped.hEvent));
}

static void show_record(const char *clause, const struct operation *operation)
{
    printf("%s: Internal=0x%08x InternalHigh=%d event=%d\n", clause,
           (unsigned)operation->overlapped.Internal, (int)operation->overlapped.InternalHigh,
           is_set(operation->overlapped.hEvent));
}

/* Until the operation has ended, by the event. */
static void await(const struct operation *operation)
{
    WSAWaitForMultipleEvents(1, &operation->overlapped.hEvent, FALSE, PATIENCE_MS, FALSE);
}

static void show_result(const char *clause, SOCKET s, struct operation *operation, BOOL wait)
{
    DWORD bytes = UNTOUCHED, flags = UNTOUCHED;
    BOOL done = WSAGetOverlappedResult(s, &operation->overlapped, &bytes, wait, &flags);

    printf("%s: done=%d error=%d bytes=%d flags=%d data=%.8s\n", clause, done,
           done ? 0 : WSAGetLastError(), (int)bytes, (int)flags, operation->outcome.data);
}

/* What is still pending ends with its socket; the record is ours again only then. */
static void end(SOCKET s, struct operation *operation)
{
    closesocket(s);
    if (!HasOverlappedIoCompleted(&operation->overlapped))
        await(operation);
    WSACloseEvent(operation->overlapped.hEvent);
}

static void events(void)
{
    WSAEVENT event = WSACreateEvent(), automatic = CreateEvent(NULL, FALSE, TRUE, NULL);

    printf("O05 a new event: set=%d\n", is_set(event));
    WSASetEvent(event);
    printf("O05 it stays set:");
    printf(" set=%d", is_set(event));
    printf(" set=%d\n", is_set(event));
    printf("O05 one that resets itself:");
    printf(" set=%d", is_set(automatic));
    printf(" set=%d\n", is_set(automatic));
    WSACloseEvent(event);
    CloseHandle(automatic);
}

static void one_receive(void)
{
    struct sockaddr_in here;
    struct operation operation;
    SOCKET s = bound(&here);

    make_ready(&operation, 8, 0);
    WSASetEvent(operation.overlapped.hEvent);
    post(s, &operation);
    show_post("C01 nothing is there yet", &operation);
    show_record("D01 while it is pending", &operation);
    show_result("E02 asked too early", s, &operation, FALSE);
    send_text(sender, &here, "abcd");
    show_result("E03 asked to wait", s, &operation, TRUE);
    show_record("D03 when it has ended", &operation);
    show_result("E10 asked again", s, &operation, FALSE);
    end(s, &operation);

    s = bound(&here);
    send_text(sender, &here, "abcd");
    arrived(s);
    make_ready(&operation, 8, 0);
    operation.overlapped.Offset = operation.overlapped.OffsetHigh = UNTOUCHED;
    post(s, &operation);
    await(&operation);
    printf("D12 what Windows leaves alone: Offset=%d OffsetHigh=%d\n",
           (int)operation.overlapped.Offset, (int)operation.overlapped.OffsetHigh);
    end(s, &operation);

    s = bound(&here);
    send_text(sender, &here, "abcd");
    arrived(s);
    make_ready(&operation, 8, 0);
    post(s, &operation);
    await(&operation);
    show_record("C03 a datagram is there already", &operation);
    show_result("E04 its result", s, &operation, FALSE);
    end(s, &operation);
}

static void too_long(void)
{
    struct sockaddr_in here;
    struct operation operation;
    SOCKET s = bound(&here);

    make_ready(&operation, 4, 0);
    post(s, &operation);
    send_text(sender, &here, "abcdef");
    await(&operation);
    show_record("D04 a datagram longer than the room", &operation);
    show_result("E05 its result", s, &operation, FALSE);
    end(s, &operation);

    s = bound(&here);
    send_text(sender, &here, "abcdef");
    arrived(s);
    make_ready(&operation, 4, 0);
    post(s, &operation);
    await(&operation);
    show_post("C05 it was there already", &operation);
    show_record("C05 the same", &operation);
    end(s, &operation);
}

/* Several at once: each ends by its own datagram, in the order of posting. */
static void several(void)
{
    struct sockaddr_in here;
    struct operation operations[4];
    WSAEVENT all[4];
    SOCKET s = bound(&here);

    for (int i = 0; i < 4; i++) {
        make_ready(&operations[i], 8, 0);
        post(s, &operations[i]);
        all[i] = operations[i].overlapped.hEvent;
    }
    set_nonblocking(s);
    send_text(sender, &here, "first");
    await(&operations[0]);
    Sleep(QUIET_MS);
    show_result("G08 the first of four", s, &operations[0], FALSE);
    show_result("G09 the second waits on", s, &operations[1], FALSE);
    printf("C07 any of four: wait=%d\n",
           (int)WSAWaitForMultipleEvents(4, all, FALSE, PATIENCE_MS, FALSE));
    printf("C07 all of four, too early: wait=%d\n",
           (int)WSAWaitForMultipleEvents(4, all, TRUE, 0, FALSE));
    send_text(sender, &here, "second");
    send_text(sender, &here, "third");
    send_text(sender, &here, "fourth");
    printf("C07 all of four: wait=%d\n",
           (int)WSAWaitForMultipleEvents(4, all, TRUE, PATIENCE_MS, FALSE));
    show_result("G08 the second", s, &operations[1], FALSE);
    show_result("G08 the third", s, &operations[2], FALSE);
    show_result("G08 the fourth", s, &operations[3], FALSE);
    for (int i = 1; i < 4; i++)
        WSACloseEvent(all[i]);
    end(s, &operations[0]);
}

static void beside_others(void)
{
    struct sockaddr_in here;
    struct operation operation;
    struct outcome outcome;
    DWORD limit = 1;
    SOCKET s = bound(&here);

    set_nonblocking(s);
    make_ready(&operation, 8, 0);
    post(s, &operation);
    show_post("C06 posted on a nonblocking socket", &operation);
    outcome = receive(s, 8, 0);
    show("G12 another receive does not overtake it", &outcome);
    send_text(sender, &here, "abcdefgh");
    await(&operation);
    show_result("G14 it is filled to the last byte", s, &operation, FALSE);
    end(s, &operation);

    s = bound(&here);
    must(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (char *)&limit, sizeof limit) == 0, "SO_RCVTIMEO");
    make_ready(&operation, 8, 0);
    post(s, &operation);
    Sleep(QUIET_MS);
    show_record("L03 SO_RCVTIMEO is not for posted receives", &operation);
    end(s, &operation);
}

static void arrays(void)
{
    struct sockaddr_in here;
    struct operation operation;
    WSABUF two[2];
    SOCKET s = bound(&here);

    make_ready(&operation, 0, 0);
    two[0].len = 2, two[0].buf = operation.outcome.data;
    two[1].len = 4, two[1].buf = operation.outcome.data + 3;
    conclude(&operation.outcome,
             WSARecv(s, two, 2, NULL, &operation.outcome.flags, &operation.overlapped, NULL));
    show_post("A08 no place for the count", &operation);
    memset(two, 0, sizeof two);
    send_text(sender, &here, "abcdef");
    await(&operation);
    show_result("G02 the array may be used again meanwhile", s, &operation, FALSE);
    end(s, &operation);
}

static void sources(void)
{
    struct sockaddr_in here, from;
    struct operation operation;
    int room = sizeof from;
    SOCKET s = bound(&here);

    memset(&from, 0, sizeof from);
    make_ready(&operation, 8, 0);
    conclude(&operation.outcome,
             WSARecvFrom(s, &operation.buffer, 1, NULL, &operation.outcome.flags, address_of(&from),
                         &room, &operation.overlapped, NULL));
    printf("I07 the source while pending: error=%d family=%d length=%d\n", operation.outcome.error,
           from.sin_family, room);
    room = UNTOUCHED; /* it is read when the call starts */
    send_text(sender, &here, "abcd");
    await(&operation);
    printf("I07 the source afterwards: sender=%d length=%d\n",
           memcmp(&from, &sender_address, sizeof from) == 0, room);
    end(s, &operation);
}

/* Sends end by events, too. */
static void sends(void)
{
    struct sockaddr_in here;
    struct operation operation;
    struct outcome outcome;
    SOCKET s = bound(&here);

    make_ready(&operation, 4, 0);
    memcpy(operation.outcome.data, "abcd", 4);
    WSASendTo(s, &operation.buffer, 1, NULL, 0, address_of(&here), sizeof here,
              &operation.overlapped, NULL);
    await(&operation);
    show_record("WSASendTo has ended", &operation);
    show_result("WSASendTo its result", s, &operation, TRUE);
    outcome = receive(s, 8, 0);
    show("WSASendTo what was sent", &outcome);
    end(s, &operation);
}

/* Without an event, and with handles that are not what they should be. */
static void handles(void)
{
    struct sockaddr_in here;
    struct operation operation;
    const WSAEVENT no_handle = (WSAEVENT)(ULONG_PTR)0x7ffffff0;
    WSAEVENT event;
    struct outcome outcome;
    SOCKET s = bound(&here);

    make_ready(&operation, 8, 0);
    WSACloseEvent(operation.overlapped.hEvent);
    operation.overlapped.hEvent = NULL;
    post(s, &operation);
    send_text(sender, &here, "abcd");
    for (int waited = 0; waited < PATIENCE_MS; waited += 5) {
        if (HasOverlappedIoCompleted(&operation.overlapped))
            break;
        Sleep(5);
    }
    show_result("D10 a receive without an event", s, &operation, FALSE);
    closesocket(s);

    s = bound(&here);
    make_ready(&operation, 8, 0);
    event = operation.overlapped.hEvent;
    operation.overlapped.hEvent = (WSAEVENT)((ULONG_PTR)event | 1);
    post(s, &operation);
    send_text(sender, &here, "abcd");
    printf("D14 the lowest bit of the event: wait=%d\n",
           (int)WSAWaitForMultipleEvents(1, &event, FALSE, PATIENCE_MS, FALSE));
    operation.overlapped.hEvent = event;
    end(s, &operation);

    s = bound(&here);
    make_ready(&operation, 8, 0);
    event = operation.overlapped.hEvent;
    operation.overlapped.hEvent = no_handle;
    post(s, &operation);
    printf("D17 an event that is none: error=%d\n", operation.outcome.error);
    operation.overlapped.hEvent = event;
    send_text(sender, &here, "abcd");
    outcome = receive(s, 8, 0);
    show("D17 nothing was started", &outcome);
    end(s, &operation);

    s = bound(&here);
    make_ready(&operation, 8, 0);
    event = operation.overlapped.hEvent;
    post(s, &operation);
    operation.overlapped.hEvent = no_handle;
    show_result("E09 asked to wait without an event", s, &operation, TRUE);
    operation.overlapped.hEvent = event;
    end(s, &operation);
}

static void questions(void)
{
    struct sockaddr_in here;
    struct operation operation;
    DWORD bytes, flags;
    SOCKET s = bound(&here);

    send_text(sender, &here, "abcd");
    make_ready(&operation, 8, 0);
    post(s, &operation);
    await(&operation);
    show_result("E01 asked of no socket", INVALID_SOCKET, &operation, FALSE);
    show_done("E08 no record", WSAGetOverlappedResult(s, NULL, &bytes, FALSE, &flags));
    show_done("E08 no place for the count",
              WSAGetOverlappedResult(s, &operation.overlapped, NULL, FALSE, &flags));
    show_done("E08 no place for the flags",
              WSAGetOverlappedResult(s, &operation.overlapped, &bytes, FALSE, NULL));
    end(s, &operation);
}

/* What is refused starts nothing: no event is set, and the datagram stays. */
static void refusals(void)
{
    struct sockaddr_in here;
    struct operation operation;
    SOCKET s = bound(&here);

    make_ready(&operation, 8, MSG_PEEK);
    post(s, &operation);
    show_post("H03 an overlapped look", &operation);
    end(s, &operation);

    s = bound(&here);
    make_ready(&operation, 8, MSG_OOB);
    post(s, &operation);
    show_post("H05 overlapped MSG_OOB", &operation);
    end(s, &operation);

    s = bound(&here);
    make_ready(&operation, 8, 0);
    operation.buffer.buf = (char *)16;
    post(s, &operation);
    show_post("A09b a buffer that is no memory", &operation);
    end(s, &operation);

    s = bound(&here);
    make_ready(&operation, 8, 0);
    conclude(&operation.outcome, WSARecv(s, &operation.buffer, 0, &operation.outcome.bytes,
                                         &operation.outcome.flags, &operation.overlapped, NULL));
    show_post("A11 no buffer", &operation);
    end(s, &operation);

    s = unbound(WSA_FLAG_OVERLAPPED);
    make_ready(&operation, 8, 0);
    post(s, &operation);
    show_post("A17 a socket without an address", &operation);
    end(s, &operation);

    s = unbound(0);
    bind_to_loopback(s, &here);
    send_text(s, &here, "abcd");
    make_ready(&operation, 8, 0);
    post(s, &operation);
    show_post("P01 a socket without WSA_FLAG_OVERLAPPED", &operation);
    end(s, &operation);
}

static void unreachable_ports(void)
{
    struct sockaddr_in here, nobody = closed_port();
    struct operation operation;
    SOCKET s = bound(&here);

    make_ready(&operation, 8, 0);
    post(s, &operation);
    send_text(s, &nobody, "is anybody there?");
    await(&operation);
    show_record("I14 a port was unreachable", &operation);
    show_result("I14 its result", s, &operation, FALSE);
    end(s, &operation);
}

static void ends(void)
{
    struct sockaddr_in here;
    struct operation operation;
    struct outcome outcome;
    SOCKET s = bound(&here);

    make_ready(&operation, 8, 0);
    post(s, &operation);
    closesocket(s);
    await(&operation);
    show_record("K02u closed while pending", &operation);
    show_result("E13 asked after the close", s, &operation, FALSE);
    WSACloseEvent(operation.overlapped.hEvent);

    s = bound(&here);
    make_ready(&operation, 8, 0);
    post(s, &operation);
    show_done("K13 CancelIoEx", CancelIoEx((HANDLE)s, &operation.overlapped));
    await(&operation);
    show_record("D05 cancelled", &operation);
    send_text(sender, &here, "abcd");
    outcome = receive(s, 8, 0);
    show("K08 what comes later is not lost", &outcome);
    show_result("E06 its result, its buffer untouched", s, &operation, FALSE);
    show_done("K13 CancelIoEx of what has ended", CancelIoEx((HANDLE)s, &operation.overlapped));
    end(s, &operation);

    s = bound(&here);
    make_ready(&operation, 8, 0);
    post(s, &operation);
    show_done("K13 CancelIo", CancelIo((HANDLE)s));
    await(&operation);
    show_record("D05 cancelled with all of its socket", &operation);
    end(s, &operation);
}

int main(void)
{
    start();
    sender = bound(&sender_address);
    events();
    one_receive();
    too_long();
    several();
    beside_others();
    arrays();
    sources();
    sends();
    handles();
    questions();
    refusals();
    unreachable_ports();
    ends();
    closesocket(sender);
    return WSACleanup();
}
