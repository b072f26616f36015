/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "posted_receives.h"

/** How long a wait may last before the loop looks around. */
#define WAIT_MS 100

/** One socket's operations, a circle of which `posted` from `head` on are outstanding. */
struct line {
    struct posted_receive *operations;
    unsigned head;
    unsigned posted;
};

struct loop {
    struct receiver *receiver;
    struct posted_receives receives;
    struct line *lines;
    WSAEVENT events[WSA_MAXIMUM_WAIT_EVENTS];
    unsigned event_count;
    unsigned outstanding;
    bool more;
};

static bool start(struct loop *loop, struct line *line, struct posted_receive *operation)
{
    if (!posted_receive_start(operation, loop->receiver, NULL))
        return false;
    line->posted++;
    loop->outstanding++;
    return true;
}

/** Take in the oldest receive of a socket if it has ended. @return false: it has not */
static bool serve(struct loop *loop, struct line *line)
{
    struct posted_receive *operation = &line->operations[line->head];
    DWORD bytes = 0, flags = 0;

    if (line->posted == 0)
        return false;
    int error = 0;
    if (!WSAGetOverlappedResult(operation->socket, &operation->overlapped, &bytes, FALSE, &flags))
        error = WSAGetLastError();
    if (error == WSA_IO_INCOMPLETE)
        return false;

    line->head = (line->head + 1) % loop->receives.depth;
    line->posted--;
    loop->outstanding--;
    if (error != 0) {
        receiver_failed(loop->receiver, "overlapped WSARecv", error);
        loop->more = false;
        return true;
    }
    if (loop->more)
        loop->more = receiver_take(loop->receiver, operation->payload, bytes,
                                   posted_receive_burst_tsc(operation)) &&
                     start(loop, line, operation);
    return true;
}

/**
 * Wait until a receive has ended. Whoever waits has looked at every line since the last receive
 * was posted, because posting resets the event that lines share with their own earlier receives;
 * and the event is reset before the lines are looked at again, because it may have been set late.
 */
static bool wait_for_any(struct loop *loop)
{
    DWORD woken = WSAWaitForMultipleEvents(loop->event_count, loop->events, FALSE, WAIT_MS, FALSE);

    if (woken == WSA_WAIT_FAILED) {
        receiver_failed(loop->receiver, "WSAWaitForMultipleEvents", WSAGetLastError());
        return false;
    }
    if (woken < WSA_WAIT_EVENT_0 + loop->event_count)
        WSAResetEvent(loop->events[woken - WSA_WAIT_EVENT_0]);
    return true;
}

static bool serve_lines(struct loop *loop)
{
    bool progress = false;

    for (unsigned i = 0; i < loop->receiver->socket_count; i++)
        for (unsigned turn = 0; turn < loop->receives.depth && serve(loop, &loop->lines[i]); turn++)
            progress = true;
    return progress;
}

/** One event for each socket; where those are more than a wait takes, sockets share them. */
static bool create_events(struct loop *loop)
{
    unsigned sockets = loop->receiver->socket_count;
    unsigned wanted = sockets < WSA_MAXIMUM_WAIT_EVENTS ? sockets : WSA_MAXIMUM_WAIT_EVENTS;

    for (; loop->event_count < wanted; loop->event_count++) {
        WSAEVENT event = WSACreateEvent();
        if (event == WSA_INVALID_EVENT) {
            receiver_failed(loop->receiver, "WSACreateEvent", WSAGetLastError());
            return false;
        }
        loop->events[loop->event_count] = event;
    }
    for (unsigned i = 0; i < loop->receives.count; i++)
        loop->receives.operations[i].overlapped.hEvent =
            loop->events[i / loop->receives.depth % loop->event_count];
    return true;
}

static void post_all(struct loop *loop)
{
    size_t depth = loop->receives.depth;

    for (unsigned i = 0; i < loop->receiver->socket_count; i++)
        loop->lines[i].operations = &loop->receives.operations[i * depth];
    for (unsigned i = 0; i < loop->receives.count && loop->more; i++)
        loop->more = start(loop, &loop->lines[i / depth], &loop->receives.operations[i]);
}

static void run(struct receiver *receiver)
{
    struct loop loop = {.receiver = receiver, .more = true};

    loop.lines = calloc(receiver->socket_count, sizeof *loop.lines);
    if (loop.lines == NULL)
        receiver_failed(receiver, "calloc", WSA_NOT_ENOUGH_MEMORY);
    if (loop.lines != NULL && posted_receives_create(&loop.receives, receiver, NULL) &&
        create_events(&loop)) {
        post_all(&loop);
        /* Until the last one has ended: their memory is the library's as long. */
        while (loop.outstanding > 0)
            if (!serve_lines(&loop) && !wait_for_any(&loop))
                return; /* cannot know when they end, so nothing is freed */
    }
    for (unsigned i = 0; i < loop.event_count; i++)
        WSACloseEvent(loop.events[i]);
    posted_receives_free(&loop.receives);
    free(loop.lines);
}

const struct receive_mode receive_event = {.name = "event", .run = run};
