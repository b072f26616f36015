/* SPDX-License-Identifier: BSD-3-Clause */

/* Datagrams by nonblocking calls, and what tells when to make one: WSAEventSelect(), select() and
 * FIONREAD. */

#include "sample.h"

static SOCKET sender;
static struct sockaddr_in sender_address;

static int is_set(WSAEVENT event)
{
    return WSAWaitForMultipleEvents(1, &event, FALSE, 0, FALSE) == WSA_WAIT_EVENT_0;
}

/* What WSAEnumNetworkEvents() tells once the event is set, or after a while in which it is not. */
static void show_events(const char *clause, SOCKET s, WSAEVENT event, DWORD milliseconds)
{
    WSANETWORKEVENTS happened;
    int was_set = WSAWaitForMultipleEvents(1, &event, FALSE, milliseconds, FALSE) == 0;

    memset(&happened, 0, sizeof happened);
    happened.iErrorCode[FD_READ_BIT] = happened.iErrorCode[FD_WRITE_BIT] = UNTOUCHED;
    happened.lNetworkEvents = UNTOUCHED;
    must(WSAEnumNetworkEvents(s, event, &happened) == 0, "WSAEnumNetworkEvents");
    printf("%s: set=%d events=%d read=%d write=%d, then set=%d\n", clause, was_set,
           (int)happened.lNetworkEvents, happened.iErrorCode[FD_READ_BIT],
           happened.iErrorCode[FD_WRITE_BIT], is_set(event));
}

static SOCKET selected(struct sockaddr_in *here, WSAEVENT event, int mask)
{
    SOCKET s = bound(here);

    WSAResetEvent(event);
    must(WSAEventSelect(s, event, mask) == 0, "WSAEventSelect");
    return s;
}

static void network_events(void)
{
    WSAEVENT event = WSACreateEvent();
    struct sockaddr_in here;
    WSAOVERLAPPED overlapped;
    struct outcome outcome;
    WSABUF buffer;
    SOCKET s = selected(&here, event, 0);

    outcome = receive(s, 8, 0);
    show("M01 selecting nothing makes it nonblocking", &outcome);
    closesocket(s);

    s = selected(&here, event, FD_READ);
    show_events("M02 nothing has come", s, event, QUIET_MS);
    send_text(sender, &here, "one");
    show_events("M02 a datagram has come", s, event, PATIENCE_MS);
    show_events("M13 that is told once", s, event, QUIET_MS);
    must(WSAEventSelect(s, event, FD_READ) == 0, "WSAEventSelect");
    show_events("M07 selecting the same again", s, event, QUIET_MS);
    send_text(sender, &here, "two");
    show_events("M03 another has come, none was received", s, event, PATIENCE_MS);
    receive(s, 8, 0);
    show_events("M04 one was received, one is left", s, event, PATIENCE_MS);
    receive(s, 8, 0);
    show_events("M04b none is left", s, event, QUIET_MS);
    must(WSAEventSelect(s, event, 0) == 0, "WSAEventSelect");
    send_text(sender, &here, "three");
    show_events("M15 selecting nothing cancels", s, event, QUIET_MS);
    must(WSAEventSelect(s, event, FD_READ) == 0, "WSAEventSelect");
    show_events("M06 it was there before it was selected", s, event, PATIENCE_MS);
    closesocket(s);

    s = selected(&here, event, FD_READ);
    send_text(sender, &here, "longer");
    send_text(sender, &here, "two");
    arrived(s);
    Sleep(QUIET_MS);
    WSAResetEvent(event);
    show_events("M14 what a reset event hides", s, event, QUIET_MS);
    outcome = receive(s, 2, 0);
    show("M05 a receive that fails", &outcome);
    show_events("M05 the next is told all the same", s, event, PATIENCE_MS);
    buffer.len = 8;
    buffer.buf = (char *)16;
    show_call("M05 a receive into no memory",
              WSARecv(s, &buffer, 1, &outcome.bytes, &outcome.flags, NULL, NULL));
    show_events("M05 after that nothing is told", s, event, QUIET_MS);
    closesocket(s);

    s = selected(&here, event, FD_READ);
    prepare(&outcome, 0);
    buffer.buf = outcome.data;
    memset(&overlapped, 0, sizeof overlapped);
    overlapped.hEvent = WSACreateEvent();
    WSARecv(s, &buffer, 1, NULL, &outcome.flags, &overlapped, NULL);
    send_text(sender, &here, "abcd");
    WSAWaitForMultipleEvents(1, &overlapped.hEvent, FALSE, PATIENCE_MS, FALSE);
    printf("M08 a posted receive takes the datagram: Internal=0x%08x data=%.8s\n",
           (unsigned)overlapped.Internal, outcome.data);
    show_events("M08 then there is no FD_READ", s, event, QUIET_MS);
    closesocket(s);
    WSACloseEvent(overlapped.hEvent);

    s = selected(&here, event, FD_WRITE);
    show_events("M18 a bound socket may send", s, event, PATIENCE_MS);
    show_events("M18 that is told once", s, event, QUIET_MS);
    closesocket(s);

    s = selected(&here, event, FD_READ | FD_CLOSE);
    must(shutdown(s, SD_SEND) == 0, "shutdown");
    show_events("M12 its own shutdown is not told", s, event, QUIET_MS);
    closesocket(s);
    Sleep(QUIET_MS);
    printf("K05 its own close is not told: set=%d\n", is_set(event));
    WSACloseEvent(event);
}

static void selects(void)
{
    struct timeval no_time = {0, 0}, patience = {PATIENCE_MS / 1000, 0};
    struct sockaddr_in here;
    SOCKET s = bound(&here), other = bound(&here);
    fd_set readable, writable;
    int result;

    FD_ZERO(&readable);
    FD_SET(s, &readable);
    FD_SET(other, &readable);
    result = select(0, &readable, NULL, NULL, &no_time);
    printf("select nothing is there: result=%d set=%d other=%d\n", result,
           FD_ISSET(s, &readable) != 0, FD_ISSET(other, &readable) != 0);
    send_text(sender, &here, "abcd");
    FD_SET(s, &readable);
    FD_SET(other, &readable);
    result = select(0, &readable, NULL, NULL, &patience);
    printf("select the other has a datagram: result=%d set=%d other=%d\n", result,
           FD_ISSET(s, &readable) != 0, FD_ISSET(other, &readable) != 0);
    FD_ZERO(&writable);
    FD_SET(s, &writable);
    result = select(0, &readable, &writable, NULL, &patience);
    printf("select one can send, one receive: result=%d write=%d other=%d\n", result,
           FD_ISSET(s, &writable) != 0, FD_ISSET(other, &readable) != 0);
    show_call("select of nothing", select(0, NULL, NULL, NULL, &no_time));
    closesocket(s);
    closesocket(other);
}

/* More is sent than SO_RCVBUF holds: the newest are lost, and the others keep their order. */
static void overflow(void)
{
    struct sockaddr_in here;
    SOCKET s = bound(&here);
    DWORD room = 8192;
    char data[1024];
    int received = 0, in_order = 1;

    must(setsockopt(s, SOL_SOCKET, SO_RCVBUF, (char *)&room, sizeof room) == 0, "SO_RCVBUF");
    set_nonblocking(s);
    memset(data, 0, sizeof data);
    for (int sent = 0; sent < 64; sent++) {
        data[0] = (char)sent;
        send_bytes(sender, &here, data, sizeof data);
    }
    Sleep(QUIET_MS);
    while (recv(s, data, sizeof data, 0) == sizeof data) {
        in_order &= data[0] == received;
        received++;
    }
    printf("L07 SO_RCVBUF is full: first_come=%d some_lost=%d\n", in_order && received > 0,
           received < 64);
    closesocket(s);
}

static void controls(void)
{
    struct sockaddr_in here;
    SOCKET s = bound(&here);
    u_long bytes = UNTOUCHED;
    DWORD returned;

    send_text(sender, &here, "abcd");
    send_text(sender, &here, "ef");
    printf("L08u FIONREAD is the first datagram's size: value=%d\n", (int)arrived(s));
    show_call("L10 FIONREAD without room",
              WSAIoctl(s, FIONREAD, NULL, 0, &bytes, 1, &returned, NULL, NULL));
    show_call("L10 FIONREAD without a count",
              WSAIoctl(s, FIONREAD, NULL, 0, &bytes, sizeof bytes, NULL, NULL, NULL));
    closesocket(s);
}

int main(void)
{
    start();
    sender = bound(&sender_address);
    network_events();
    selects();
    overflow();
    controls();
    closesocket(sender);
    return WSACleanup();
}
