/* SPDX-License-Identifier: BSD-3-Clause */

/* Datagrams by overlapped receives whose end a completion routine tells, and other APCs. */

#include "sample.h"

static SOCKET sender;
static struct sockaddr_in sender_address;

/* One overlapped receive, and what its routine was told. */
struct operation {
    WSAOVERLAPPED overlapped; /* first: a routine finds the rest by it */
    WSABUF buffer;
    struct outcome outcome; /* of WSARecv() */
    SOCKET again;           /* where the routine receives once more, or INVALID_SOCKET */
    struct operation *next;
    int calls;
    DWORD error, bytes, flags;
};

static int depth, deepest; /* routines inside routines */

static void CALLBACK ended(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags);

static void make_ready(struct operation *operation, ULONG room)
{
    memset(operation, 0, sizeof *operation);
    operation->overlapped.hEvent = (WSAEVENT)operation; /* a routine's own word */
    operation->overlapped.InternalHigh = UNTOUCHED;
    operation->again = INVALID_SOCKET;
    operation->error = operation->bytes = operation->flags = UNTOUCHED;
    prepare(&operation->outcome, 0);
    operation->buffer.len = room;
    operation->buffer.buf = operation->outcome.data;
}

static void post(SOCKET s, struct operation *operation)
{
    conclude(&operation->outcome,
             WSARecv(s, &operation->buffer, 1, &operation->outcome.bytes, &operation->outcome.flags,
                     &operation->overlapped, ended));
}

static void CALLBACK ended(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags)
{
    struct operation *operation = overlapped->hEvent;

    if (++depth > deepest)
        deepest = depth;
    operation->calls++;
    operation->error = error;
    operation->bytes = bytes;
    operation->flags = flags;
    if (operation->again != INVALID_SOCKET)
        post(operation->again, operation->next);
    depth--;
}

static void show_post(const char *clause, const struct operation *operation)
{
    printf("%s: result=%d error=%d bytes=%d calls=%d\n", clause, operation->outcome.result,
           operation->outcome.error, (int)operation->outcome.bytes, operation->calls);
}

static void show_routine(const char *clause, DWORD wait, const struct operation *operation)
{
    printf("%s: wait=%d calls=%d error=%d bytes=%d flags=%d data=%.8s\n", clause, (int)wait,
           operation->calls, (int)operation->error, (int)operation->bytes, (int)operation->flags,
           operation->outcome.data);
}

/* What is still pending ends with its socket; the record is ours again after its routine. */
static void end(SOCKET s, const struct operation *operation)
{
    closesocket(s);
    while (operation->outcome.error == WSA_IO_PENDING && operation->calls == 0)
        if (SleepEx(PATIENCE_MS, TRUE) != WAIT_IO_COMPLETION)
            break;
}

static int words;
static ULONG_PTR last_word;

static VOID NTAPI take_word(ULONG_PTR word)
{
    words++;
    last_word = word;
}

/* An APC that does what makes a blocking receive return. */
static struct sockaddr_in to_send_to;

static VOID NTAPI send_something(ULONG_PTR word)
{
    take_word(word);
    send_text(sender, &to_send_to, "abcd");
}

static void user_apcs(void)
{
    WSAEVENT event = WSACreateEvent();
    DWORD wait;

    must(QueueUserAPC(take_word, GetCurrentThread(), (ULONG_PTR)0x123456789abcdef0) != 0,
         "QueueUserAPC");
    Sleep(QUIET_MS);
    printf("F01 after a wait that is not alertable: calls=%d\n", words);
    wait = SleepEx(PATIENCE_MS, TRUE);
    printf("F18 after one that is: wait=%d calls=%d word=%d\n", (int)wait, words,
           last_word == (ULONG_PTR)0x123456789abcdef0);
    for (int i = 0; i < 3; i++)
        QueueUserAPC(take_word, GetCurrentThread(), (ULONG_PTR)i);
    wait = WSAWaitForMultipleEvents(1, &event, FALSE, PATIENCE_MS, TRUE);
    printf("F07 three run in one wait: wait=%d calls=%d\n", (int)wait, words);
    wait = SleepEx(0, TRUE);
    printf("F05 none is left: wait=%d calls=%d\n", (int)wait, words);
    QueueUserAPC(take_word, GetCurrentThread(), 0);
    printf("F20 an event that is not set: wait=%d\n",
           (int)WaitForSingleObjectEx(event, PATIENCE_MS, TRUE));
    WSACloseEvent(event);
}

static void routines(void)
{
    struct sockaddr_in here;
    struct operation operation, three[3];
    WSAEVENT event = WSACreateEvent();
    SOCKET s = bound(&here);
    DWORD wait;

    make_ready(&operation, 8);
    post(s, &operation);
    show_post("C01 nothing is there yet", &operation);
    send_text(sender, &here, "abcd");
    Sleep(QUIET_MS);
    show_routine("F01 it has ended, this thread was not alertable", 0, &operation);
    printf("D11 hEvent is the program's own: kept=%d\n", operation.overlapped.hEvent == &operation);
    wait = SleepEx(PATIENCE_MS, TRUE);
    show_routine("F06 what the routine is told", wait, &operation);
    wait = SleepEx(QUIET_MS, TRUE);
    show_routine("A03 it is told once", wait, &operation);
    end(s, &operation);

    s = bound(&here);
    send_text(sender, &here, "abcd");
    arrived(s);
    make_ready(&operation, 8);
    post(s, &operation);
    printf("F02 the routine does not run inside the call: calls=%d\n", operation.calls);
    wait = SleepEx(PATIENCE_MS, TRUE);
    show_routine("F05 a datagram was there already", wait, &operation);
    end(s, &operation);

    s = bound(&here);
    make_ready(&operation, 4);
    post(s, &operation);
    send_text(sender, &here, "abcdef");
    wait = WSAWaitForMultipleEvents(1, &event, FALSE, PATIENCE_MS, TRUE);
    show_routine("F12 a datagram longer than the room", wait, &operation);
    end(s, &operation);

    s = bound(&here);
    send_text(sender, &here, "abcdef");
    arrived(s);
    make_ready(&operation, 4);
    post(s, &operation);
    show_post("C05 one was there already", &operation);
    wait = WSAWaitForMultipleEvents(1, &event, FALSE, PATIENCE_MS, TRUE);
    show_routine("C05 the same, as its routine is told", wait, &operation);
    end(s, &operation);

    s = bound(&here);
    for (int i = 0; i < 3; i++) {
        make_ready(&three[i], 8);
        post(s, &three[i]);
    }
    send_text(sender, &here, "a");
    send_text(sender, &here, "bb");
    send_text(sender, &here, "ccc");
    Sleep(QUIET_MS);
    wait = WSAWaitForMultipleEvents(1, &event, FALSE, PATIENCE_MS, TRUE);
    show_routine("F04 three in one wait, filled as posted", wait, &three[0]);
    show_routine("G08 the second", wait, &three[1]);
    show_routine("G08 the third", wait, &three[2]);
    closesocket(s);
    WSACloseEvent(event);
}

static void refusals(void)
{
    struct sockaddr_in here;
    struct operation operation;
    SOCKET s = bound(&here);
    DWORD wait;

    make_ready(&operation, 8);
    operation.outcome.flags = MSG_PEEK;
    post(s, &operation);
    show_post("H03 an overlapped look", &operation);
    wait = SleepEx(QUIET_MS, TRUE);
    printf("C04 what is refused calls no routine: wait=%d calls=%d\n", (int)wait, operation.calls);
    end(s, &operation);
}

/* A receive from inside a routine, of the datagram that is next already. */
static void nested(void)
{
    struct sockaddr_in here;
    struct operation first, second;
    SOCKET s = bound(&here);
    DWORD wait;

    send_text(sender, &here, "a");
    send_text(sender, &here, "bb");
    arrived(s);
    Sleep(QUIET_MS);
    make_ready(&first, 8);
    make_ready(&second, 8);
    first.again = s;
    first.next = &second;
    deepest = 0;
    post(s, &first);
    wait = SleepEx(PATIENCE_MS, TRUE);
    while (second.calls == 0 && SleepEx(PATIENCE_MS, TRUE) == WAIT_IO_COMPLETION)
        continue;
    show_routine("F08 a routine receives again", wait, &first);
    show_routine("F08 then that one's routine runs", wait, &second);
    printf("F08 never inside the first: deepest=%d\n", deepest);
    closesocket(s);
}

/* A send's routine may receive as well. */
static void sends(void)
{
    struct sockaddr_in here;
    struct operation operation, answer;
    SOCKET s = bound(&here);
    DWORD wait;

    make_ready(&operation, 4);
    make_ready(&answer, 8);
    memcpy(operation.outcome.data, "abcd", 4);
    operation.again = s;
    operation.next = &answer;
    WSASendTo(s, &operation.buffer, 1, NULL, 0, address_of(&here), sizeof here,
              &operation.overlapped, ended);
    printf("WSASendTo its routine does not run inside the call: calls=%d\n", operation.calls);
    wait = SleepEx(PATIENCE_MS, TRUE);
    show_routine("WSASendTo what its routine is told", wait, &operation);
    while (answer.calls == 0 && SleepEx(PATIENCE_MS, TRUE) == WAIT_IO_COMPLETION)
        continue;
    show_routine("F08 a send's routine receives", wait, &answer);
    closesocket(s);
}

/* Blocking receives let APCs run while they wait, and only then. */
static void while_blocking(void)
{
    struct operation operation;
    struct outcome outcome;
    struct sockaddr_in here;
    SOCKET s = bound(&to_send_to), other = bound(&here);

    words = 0;
    QueueUserAPC(send_something, GetCurrentThread(), 0);
    outcome = receive(s, 8, 0);
    show("B08 an APC runs inside a blocking receive", &outcome);
    printf("B08 the receive goes on after it: calls=%d\n", words);
    SleepEx(0, TRUE);

    words = 0;
    send_text(sender, &to_send_to, "abcd");
    arrived(s);
    QueueUserAPC(take_word, GetCurrentThread(), 0);
    receive(s, 8, 0);
    printf("B09 not inside one that need not wait: calls=%d\n", words);
    SleepEx(0, TRUE);
    printf("B09 but at the next alertable wait: calls=%d\n", words);

    make_ready(&operation, 8);
    post(other, &operation);
    send_text(sender, &here, "routine");
    QueueUserAPC(send_something, GetCurrentThread(), 0);
    Sleep(QUIET_MS);
    outcome = receive(s, 8, 0);
    show("F10 a routine runs inside a blocking receive", &outcome);
    printf("F10 of the routine: calls=%d\n", operation.calls);
    SleepEx(0, TRUE);
    closesocket(other);
    closesocket(s);
}

static void ends(void)
{
    struct sockaddr_in here, nobody = closed_port();
    struct operation operation;
    WSAEVENT event = WSACreateEvent();
    DWORD wait, bytes, flags;
    SOCKET s = bound(&here);

    make_ready(&operation, 8);
    post(s, &operation);
    closesocket(s);
    wait = SleepEx(PATIENCE_MS, TRUE);
    show_routine("F11u closed while pending", wait, &operation);

    s = bound(&here);
    make_ready(&operation, 8);
    post(s, &operation);
    show_done("K13 CancelIo", CancelIo((HANDLE)s));
    wait = SleepEx(PATIENCE_MS, TRUE);
    show_routine("K13 cancelled while pending", wait, &operation);
    end(s, &operation);

    s = bound(&here);
    make_ready(&operation, 8);
    post(s, &operation);
    send_text(s, &nobody, "is anybody there?");
    wait = SleepEx(PATIENCE_MS, TRUE);
    show_routine("I14 a port was unreachable", wait, &operation);
    end(s, &operation);

    s = bound(&here);
    make_ready(&operation, 8);
    operation.overlapped.hEvent = event; /* set, so that nothing can wait on it for long */
    WSASetEvent(event);
    conclude(&operation.outcome, WSARecv(s, &operation.buffer, 1, NULL, &operation.outcome.flags,
                                         &operation.overlapped, ended));
    show_done("E14 nobody may wait for a routine",
              WSAGetOverlappedResult(s, &operation.overlapped, &bytes, TRUE, &flags));
    operation.overlapped.hEvent = (WSAEVENT)&operation;
    end(s, &operation);
    WSACloseEvent(event);
}

/* A thread that starts a receive with a routine, and lets another thread wait for it. */
struct task {
    SOCKET s;
    struct operation operation;
    WSAEVENT posted, leave;
    DWORD alertable; /* how the other thread's wait ended */
};

static DWORD WINAPI start_and_leave(LPVOID argument)
{
    struct task *task = argument;

    post(task->s, &task->operation);
    WSASetEvent(task->posted);
    WaitForSingleObject(task->leave, PATIENCE_MS);
    return 0;
}

static void threads(void)
{
    struct sockaddr_in here;
    struct task task;
    struct outcome outcome;
    HANDLE thread;
    DWORD wait;

    task.s = bound(&here);
    task.posted = WSACreateEvent();
    task.leave = WSACreateEvent();
    make_ready(&task.operation, 8);
    thread = CreateThread(NULL, 0, start_and_leave, &task, 0, NULL);
    must(thread != NULL, "CreateThread");
    WaitForSingleObject(task.posted, PATIENCE_MS);
    printf("F15 while its thread lives: Internal=0x%08x\n",
           (unsigned)task.operation.overlapped.Internal);
    WSASetEvent(task.leave);
    WaitForSingleObject(thread, PATIENCE_MS);
    CloseHandle(thread);
    SleepEx(QUIET_MS, TRUE);
    printf("K07 when it has exited: Internal=0x%08x calls=%d\n",
           (unsigned)task.operation.overlapped.Internal, task.operation.calls);
    send_text(sender, &here, "abcd");
    outcome = receive(task.s, 8, 0);
    show("K08 what comes later is not lost", &outcome);
    closesocket(task.s);

    task.s = bound(&here);
    WSAResetEvent(task.posted);
    WSAResetEvent(task.leave);
    make_ready(&task.operation, 8);
    thread = CreateThread(NULL, 0, start_and_leave, &task, 0, NULL);
    must(thread != NULL, "CreateThread");
    WaitForSingleObject(task.posted, PATIENCE_MS);
    send_text(sender, &here, "abcd");
    wait = SleepEx(QUIET_MS, TRUE);
    printf("F03 another thread's alertable wait: wait=%d calls=%d\n", (int)wait,
           task.operation.calls);
    printf("F03 it has ended: Internal=0x%08x\n", (unsigned)task.operation.overlapped.Internal);
    WSASetEvent(task.leave);
    WaitForSingleObject(thread, PATIENCE_MS);
    printf("F15 the routine never runs: calls=%d\n", task.operation.calls);
    CloseHandle(thread);
    closesocket(task.s);
    WSACloseEvent(task.posted);
    WSACloseEvent(task.leave);
}

int main(void)
{
    start();
    sender = bound(&sender_address);
    set_nonblocking(sender); /* APCs send; inside a blocking call they may not start another */
    user_apcs();
    routines();
    refusals();
    nested();
    sends();
    while_blocking();
    ends();
    threads();
    closesocket(sender);
    return WSACleanup();
}
