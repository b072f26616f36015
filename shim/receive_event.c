/* SPDX-License-Identifier: BSD-3-Clause */
#include "posted_receives.h"

/** How long a wait may last before the loop looks around. */
#define WAIT_MS 100

struct loop {
    struct receiver *receiver;
    struct posted_receives receives;
    WSAEVENT events[WSA_MAXIMUM_WAIT_EVENTS];
    unsigned event_count;
    unsigned outstanding;
    bool more;
};

static void start(struct loop *loop, struct posted_line *line)
{
    if (posted_line_start(line, loop->receives.depth, loop->receiver, NULL))
        loop->outstanding++;
    else
        loop->more = false;
}

/** Take the oldest receive of a line if it has ended. @return false: it has not */
static bool serve(struct loop *loop, struct posted_line *line)
{
    struct posted_receive *receive = posted_line_oldest(line);
    DWORD bytes = 0, flags = 0;
    int error = 0;

    if (receive == NULL)
        return false;
    if (!WSAGetOverlappedResult(line->socket, &receive->overlapped, &bytes, FALSE, &flags))
        error = WSAGetLastError();
    if (error == WSA_IO_INCOMPLETE)
        return false;

    posted_line_advance(line, loop->receives.depth);
    loop->outstanding--;
    if (error != 0) {
        receiver_failed(loop->receiver, "overlapped WSARecv", error);
        loop->more = false;
    }
    if (loop->more &&
        !receiver_take(loop->receiver, receive->payload, bytes, posted_receive_burst_tsc(receive)))
        loop->more = false;
    if (loop->more)
        start(loop, line);
    return true;
}

static bool serve_lines(struct loop *loop)
{
    bool progress = false;

    for (unsigned i = 0; i < loop->receives.line_count; i++)
        for (unsigned turn = 0;
             turn < loop->receives.depth && serve(loop, &loop->receives.lines[i]); turn++)
            progress = true;
    return progress;
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

/** One event for each socket; where those are more than a wait takes, sockets share them. */
static bool create_events(struct loop *loop)
{
    unsigned lines = loop->receives.line_count;
    unsigned wanted = lines < WSA_MAXIMUM_WAIT_EVENTS ? lines : WSA_MAXIMUM_WAIT_EVENTS;

    for (; loop->event_count < wanted; loop->event_count++) {
        WSAEVENT event = WSACreateEvent();
        if (event == WSA_INVALID_EVENT) {
            receiver_failed(loop->receiver, "WSACreateEvent", WSAGetLastError());
            return false;
        }
        loop->events[loop->event_count] = event;
    }
    for (unsigned i = 0; i < lines * loop->receives.depth; i++)
        loop->receives.receives[i].overlapped.hEvent =
            loop->events[i / loop->receives.depth % loop->event_count];
    return true;
}

static void run(struct receiver *receiver)
{
    struct loop loop = {.receiver = receiver, .more = true};

    if (posted_receives_create(&loop.receives, receiver, NULL) && create_events(&loop)) {
        for (unsigned turn = 0; turn < loop.receives.depth; turn++)
            for (unsigned i = 0; i < loop.receives.line_count && loop.more; i++)
                start(&loop, &loop.receives.lines[i]);
        /* Until the last one has ended: their memory is the library's as long. */
        while (loop.outstanding > 0)
            if (!serve_lines(&loop) && !wait_for_any(&loop))
                return; /* cannot know when they end, so nothing is freed */
    }
    for (unsigned i = 0; i < loop.event_count; i++)
        WSACloseEvent(loop.events[i]);
    posted_receives_free(&loop.receives);
}

const struct receive_mode receive_event = {.name = "event", .run = run};
