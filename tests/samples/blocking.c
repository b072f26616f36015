/* SPDX-License-Identifier: BSD-3-Clause */

/* Datagrams by calls that end when they return. */

#include "sample.h"

#include <mswsock.h>
#include <ws2tcpip.h>

static SOCKET sender;
static struct sockaddr_in sender_address;

/* A new socket for every few lines, so that no clause leans on another; with datagrams queued. */
static SOCKET receiver_of(const char *first, const char *second)
{
    struct sockaddr_in address;
    SOCKET s = bound(&address);

    if (first != NULL)
        send_text(sender, &address, first);
    if (second != NULL)
        send_text(sender, &address, second);
    return s;
}

static void show_receive(const char *clause, SOCKET s, ULONG room, DWORD flags)
{
    struct outcome outcome = receive(s, room, flags);

    show(clause, &outcome);
}

/* The same by an array of buffers, as it stands. */
static void show_array(const char *clause, SOCKET s, struct outcome *outcome, LPWSABUF array,
                       DWORD count)
{
    conclude(outcome, WSARecv(s, array, count, &outcome->bytes, &outcome->flags, NULL, NULL));
    show(clause, outcome);
}

static int calls;

static void CALLBACK count_call(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags)
{
    (void)error;
    (void)bytes;
    (void)overlapped;
    (void)flags;
    calls++;
}

static void what_is_returned(void)
{
    SOCKET s = receiver_of("abcd", "efgh");
    struct outcome outcome;
    WSABUF buffer = {8, NULL};

    show_receive("A01 a datagram", s, 8, 0);
    WSASetLastError(UNTOUCHED);
    outcome = receive(s, 8, 0);
    printf("A02 the last error after a success: error=%d\n", WSAGetLastError());
    closesocket(s);

    s = receiver_of("abcd", NULL);
    prepare(&outcome, 0);
    buffer.buf = outcome.data;
    conclude(&outcome, WSARecv(s, &buffer, 1, &outcome.bytes, &outcome.flags, NULL, count_call));
    show("B02 a routine without an OVERLAPPED", &outcome);
    SleepEx(0, TRUE);
    printf("B02 of that routine: calls=%d\n", calls);
    closesocket(s);

    s = receiver_of("abc", "de");
    show_receive("B10 the first of two datagrams", s, 8, 0);
    show_receive("B10 the second", s, 8, 0);
    set_nonblocking(s);
    show_receive("B06 nothing on a nonblocking socket", s, 8, 0);
    closesocket(s);

    s = receiver_of("", "ab");
    show_receive("G07 a datagram without payload", s, 8, 0);
    show_receive("G07 the one behind it", s, 8, 0);
    closesocket(s);
}

static void wrong_arguments(void)
{
    SOCKET s = receiver_of("abcd", NULL);
    struct outcome outcome;
    WSABUF buffer = {8, NULL};

    prepare(&outcome, 0);
    buffer.buf = outcome.data;
    conclude(&outcome, WSARecv(s, &buffer, 1, NULL, &outcome.flags, NULL, NULL));
    show("A07 no place for the count", &outcome);
    closesocket(s);

    s = receiver_of("abcd", NULL);
    prepare(&outcome, 0);
    buffer.buf = (char *)16;
    show_array("A09 a buffer that is no memory", s, &outcome, &buffer, 1);
    closesocket(s);

    s = receiver_of("abcd", NULL);
    prepare(&outcome, 0);
    show_array("A11 no buffer", s, &outcome, &buffer, 0);
    closesocket(s);
    s = receiver_of("abcd", NULL);
    prepare(&outcome, 0);
    show_array("A11 no array", s, &outcome, NULL, 0);
    closesocket(s);

    s = receiver_of("abcd", NULL);
    show_receive("A14 a flag that there is not", s, 8, 0x00100000);
    closesocket(s);

    s = receiver_of("abcd", NULL);
    prepare(&outcome, 0);
    show_array("A23 an array that is no memory", s, &outcome, (LPWSABUF)16, 1);
    closesocket(s);

    show_receive("A05 no socket", INVALID_SOCKET, 8, 0);
    show_receive("K01 a closed socket", s, 8, 0);
    show_call("K01 the second close", closesocket(s));
}

static void addresses(void)
{
    SOCKET s = unbound(WSA_FLAG_OVERLAPPED);
    struct sockaddr_in address;
    WSAPROTOCOL_INFOW entries[16];
    DWORD size = sizeof entries;
    INT udp[] = {IPPROTO_UDP, 0};

    set_nonblocking(s);
    show_receive("A17 a socket without an address", s, 8, 0);
    send_text(s, &sender_address, "from somewhere");
    show_receive("A18 the same when it has sent", s, 8, 0);
    closesocket(s);

    must(WSAEnumProtocolsW(udp, entries, &size) >= 1, "WSAEnumProtocols");
    s = WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, entries, 0,
                   WSA_FLAG_OVERLAPPED);
    must(s != INVALID_SOCKET, "WSASocket");
    bind_to_loopback(s, &address);
    send_text(sender, &address, "abcd");
    show_receive("O03 a socket from a protocol's entry", s, 8, 0);
    closesocket(s);
    s = unbound(0);
    bind_to_loopback(s, &address);
    send_text(sender, &address, "abcd");
    show_receive("P01 a socket without WSA_FLAG_OVERLAPPED", s, 8, 0);
    closesocket(s);
    s = WSASocketW(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 4711, WSA_FLAG_OVERLAPPED);
    show_call("O03 a group that there is not", s == INVALID_SOCKET ? SOCKET_ERROR : 0);
}

static void buffers(void)
{
    SOCKET s = receiver_of("abcdef", NULL);
    struct outcome outcome;
    WSABUF two[2], three[3];

    prepare(&outcome, 0);
    two[0].len = 2, two[0].buf = outcome.data;
    two[1].len = 4, two[1].buf = outcome.data + 3;
    show_array("G01 buffers are filled in their order", s, &outcome, two, 2);
    closesocket(s);

    s = receiver_of("abcdef", NULL);
    prepare(&outcome, 0);
    three[0] = two[0], three[1].len = 0, three[1].buf = NULL, three[2] = two[1];
    show_array("G03 one without room is skipped", s, &outcome, three, 3);
    closesocket(s);

    s = receiver_of("abcdef", NULL);
    prepare(&outcome, 0);
    two[1].len = 2;
    show_array("I02 the count when two are too small", s, &outcome, two, 2);
    closesocket(s);

    s = receiver_of("abcd", "ef");
    show_receive("G06 a look without room", s, 0, MSG_PEEK);
    show_receive("G06 a receive without room", s, 0, 0);
    show_receive("G06 the next datagram", s, 8, 0);
    closesocket(s);
}

static void too_long(void)
{
    SOCKET s = receiver_of("abcdef", "gh");

    show_receive("I01 a datagram longer than the room", s, 4, 0);
    show_receive("I01 the next one", s, 4, 0);
    closesocket(s);
    s = receiver_of("abcd", NULL);
    show_receive("I03 one that fits exactly", s, 4, 0);
    closesocket(s);
}

static void flags(void)
{
    static const struct {
        DWORD flag;
        const char *clause;
    } cases[] = {
        {MSG_OOB, "H05 MSG_OOB"},
        {MSG_WAITALL, "H13 MSG_WAITALL"},
        {MSG_PUSH_IMMEDIATE, "H14 MSG_PUSH_IMMEDIATE"},
        {MSG_PARTIAL, "H16 MSG_PARTIAL"},
    };
    SOCKET s = receiver_of("abcd", NULL);

    show_receive("H01 a look", s, 8, MSG_PEEK);
    show_receive("H02 what was seen is still there", s, 8, 0);
    closesocket(s);

    s = receiver_of("abcdef", NULL);
    show_receive("H04 a look at a longer one", s, 4, MSG_PEEK);
    show_receive("H04 it is still there, whole", s, 8, 0);
    closesocket(s);

    for (int i = 0; i < (int)(sizeof cases / sizeof cases[0]); i++) {
        s = receiver_of("abcd", NULL);
        show_receive(cases[i].clause, s, 8, cases[i].flag);
        closesocket(s);
    }
}

static void sources(void)
{
    SOCKET s = receiver_of("abcd", "efgh"), other = receiver_of(NULL, NULL);
    struct sockaddr_in from, here;
    int room = sizeof from, length = sizeof here, result;
    struct outcome outcome;

    prepare(&outcome, 0);
    result = recvfrom(s, outcome.data, 8, 0, address_of(&from), &room);
    printf("I06 the source: result=%d length=%d sender=%d\n", result, room,
           memcmp(&from, &sender_address, sizeof from) == 0);
    room = 8;
    show_call("I08 too little room for the source",
              recvfrom(s, outcome.data, 8, 0, address_of(&from), &room));
    closesocket(s);

    s = receiver_of(NULL, NULL);
    must(getsockname(s, address_of(&here), &length) == 0, "getsockname");
    must(connect(s, address_of(&sender_address), sizeof sender_address) == 0, "connect");
    send_text(other, &here, "other");
    send_text(sender, &here, "peer");
    show_receive("I04 a connected socket hears its peer only", s, 8, 0);
    send_text(sender, &here, "more");
    room = sizeof from;
    result = recvfrom(s, outcome.data, 8, 0, address_of(&from), &room);
    printf("I10 the source on a connected socket: result=%d length=%d sender=%d\n", result, room,
           memcmp(&from, &sender_address, sizeof from) == 0);
    closesocket(s);

    s = receiver_of(NULL, NULL);
    must(getsockname(s, address_of(&here), &length) == 0, "getsockname");
    send_text(other, &here, "other");
    arrived(s);
    must(connect(s, address_of(&sender_address), sizeof sender_address) == 0, "connect");
    send_text(sender, &here, "peer");
    show_receive("I05 also of what came before it connected", s, 8, 0);
    closesocket(s);
    closesocket(other);
}

static void unreachable_ports(void)
{
    struct sockaddr_in here, nobody = closed_port();
    SOCKET s = bound(&here);
    BOOL off = FALSE;
    DWORD none;

    send_text(s, &nobody, "is anybody there?");
    show_receive("I12 a port was unreachable", s, 8, 0);
    send_text(s, &here, "abcd");
    show_receive("I13 that is told once", s, 8, 0);
    closesocket(s);

    s = bound(&here);
    must(connect(s, address_of(&nobody), sizeof nobody) == 0, "connect");
    must(send(s, "is anybody there?", 17, 0) == 17, "send");
    show_receive("I12c the same on a connected socket", s, 8, 0);
    set_nonblocking(s);
    show_receive("I13 that is told once, too", s, 8, 0);
    closesocket(s);

    s = bound(&here);
    show_call("L11 SIO_UDP_CONNRESET off",
              WSAIoctl(s, SIO_UDP_CONNRESET, &off, sizeof off, NULL, 0, &none, NULL, NULL));
    send_text(s, &nobody, "is anybody there?");
    Sleep(QUIET_MS);
    send_text(s, &here, "abcd");
    show_receive("L11 then it is not told", s, 8, 0);
    closesocket(s);
}

/* What another thread does while this one is in a blocking receive. */
struct task {
    SOCKET s;
    const struct sockaddr_in *to; /* NULL: close the socket */
};

static DWORD WINAPI send_or_close(LPVOID argument)
{
    const struct task *task = argument;

    Sleep(QUIET_MS);
    if (task->to != NULL)
        send_text(sender, task->to, "abcd");
    else
        closesocket(task->s);
    return 0;
}

static void show_with_thread(const char *clause, struct task *task)
{
    HANDLE thread = CreateThread(NULL, 0, send_or_close, task, 0, NULL);

    must(thread != NULL, "CreateThread");
    show_receive(clause, task->s, 8, 0);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}

static void threads(void)
{
    struct sockaddr_in here;
    struct task task;

    task.s = bound(&here);
    task.to = &here;
    show_with_thread("B01 a receive waits for what comes", &task);
    task.to = NULL;
    show_with_thread("B11 another thread closes the socket", &task);
}

/* The calls beside receiving that no clause has; a page has them all. */
static void other_calls(void)
{
    struct sockaddr_in here, address;
    SOCKET s = bound(&here);
    WSABUF two[2] = {{2, (char *)"ab"}, {3, (char *)"cde"}};
    char text[64];
    DWORD bytes = UNTOUCHED, length = sizeof text;
    int room = sizeof address, result;

    show_call("getpeername of a socket without a peer",
              getpeername(s, address_of(&address), &room));
    result = WSASendTo(sender, two, 2, &bytes, 0, address_of(&here), sizeof here, NULL, NULL);
    printf("WSASendTo of two buffers: result=%d bytes=%d\n", result, (int)bytes);
    show_receive("WSASendTo they make one datagram", s, 8, 0);

    must(connect(s, address_of(&sender_address), sizeof sender_address) == 0, "connect");
    result = getpeername(s, address_of(&address), &room);
    printf("getpeername of one with a peer: result=%d length=%d sender=%d\n", result, room,
           memcmp(&address, &sender_address, sizeof address) == 0);
    closesocket(s);

    address.sin_port = htons(4711);
    result = WSAAddressToStringA(address_of(&address), sizeof address, NULL, text, &length);
    printf("WSAAddressToString: result=%d length=%d text=%s\n", result, (int)length, text);
    memset(&address, 0, sizeof address);
    result = WSAStringToAddressA(text, AF_INET, NULL, address_of(&address), &room);
    printf("WSAStringToAddress: result=%d port=%d loopback=%d\n", result, ntohs(address.sin_port),
           address.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
    result = inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    printf("inet_pton: result=%d text=%s\n", result, inet_ntoa(address.sin_addr));
    show_call("N02 WSACancelBlockingCall", WSACancelBlockingCall());
}

static void ends(void)
{
    struct sockaddr_in here;
    SOCKET s = bound(&here), peer = receiver_of(NULL, NULL);

    show_call("J14h shutdown of something else", shutdown(s, 7));
    must(shutdown(s, SD_RECEIVE) == 0, "shutdown");
    send_text(peer, &here, "abcd");
    Sleep(QUIET_MS);
    show_receive("I16 after SD_RECEIVE", s, 8, 0);
    set_nonblocking(peer);
    show_receive("I16 who sends to it is not told", peer, 8, 0);
    closesocket(peer);
    closesocket(s);
}

static void options(void)
{
    SOCKET s = receiver_of(NULL, NULL);
    DWORD value = 0;
    int length = sizeof value;

    must(getsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (char *)&value, &length) == 0, "SO_RCVTIMEO");
    printf("L05 SO_RCVTIMEO reads as it was set: same=%d\n", value == PATIENCE_MS);
    value = 40;
    must(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (char *)&value, sizeof value) == 0, "SO_RCVTIMEO");
    show_receive("L01 SO_RCVTIMEO passes", s, 8, 0);
    set_nonblocking(s);
    show_receive("L04 it is not for nonblocking sockets", s, 8, 0);
    closesocket(s);

    s = WSASocketW(AF_INET, SOCK_DGRAM, IPPROTO_UDP, NULL, 0, WSA_FLAG_OVERLAPPED);
    must(getsockopt(s, SOL_SOCKET, SO_RCVTIMEO, (char *)&value, &length) == 0, "SO_RCVTIMEO");
    printf("L05 SO_RCVTIMEO of a new socket: value=%d\n", (int)value);
    value = 20000;
    must(setsockopt(s, SOL_SOCKET, SO_RCVBUF, (char *)&value, sizeof value) == 0, "SO_RCVBUF");
    must(getsockopt(s, SOL_SOCKET, SO_RCVBUF, (char *)&value, &length) == 0, "SO_RCVBUF");
    printf("L06 SO_RCVBUF reads as it was set: value=%d\n", (int)value);
    closesocket(s);
}

int main(void)
{
    start();
    sender = bound(&sender_address);
    what_is_returned();
    wrong_arguments();
    addresses();
    buffers();
    too_long();
    flags();
    sources();
    unreachable_ports();
    threads();
    other_calls();
    ends();
    options();
    closesocket(sender);
    return WSACleanup();
}
