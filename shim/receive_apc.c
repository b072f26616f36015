/* SPDX-License-Identifier: BSD-3-Clause */
#include "posted_receives.h"

/** How long a sleep may last before the loop looks around. */
#define SLEEP_MS 100

struct loop {
    struct receiver *receiver;
    struct posted_receives receives;
    unsigned outstanding; /**< receives whose routine has not run */
    bool more;
};

static void CALLBACK received(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags);

static void start(struct loop *loop, struct posted_line *line)
{
    if (posted_line_start(line, loop->receives.depth, loop->receiver, received))
        loop->outstanding++;
    else
        loop->more = false;
}

/** Take what has ended of a line, in order, and post as many receives again. */
static void serve(struct loop *loop, struct posted_line *line)
{
    struct posted_receive *receive;

    while (loop->more && (receive = posted_line_oldest(line)) != NULL && receive->ended) {
        posted_line_advance(line, loop->receives.depth);
        if (receive->error != 0) {
            receiver_failed(loop->receiver, "overlapped WSARecv", receive->error);
            loop->more = false;
        } else if (!receiver_take(loop->receiver, receive->payload, receive->bytes,
                                  posted_receive_burst_tsc(receive))) {
            loop->more = false;
        } else {
            start(loop, line);
        }
    }
}

/** Runs inside SleepEx() on the receiving thread. */
static void CALLBACK received(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags)
{
    struct posted_receive *receive = (struct posted_receive *)overlapped; /* its first member */
    struct loop *loop = receive->line->owner;

    (void)flags;
    loop->outstanding--;
    receive->error = (int)error;
    receive->bytes = bytes;
    receive->ended = true;
    serve(loop, receive->line);
}

static void run(struct receiver *receiver)
{
    struct loop loop = {.receiver = receiver, .more = true};

    if (posted_receives_create(&loop.receives, receiver, &loop)) {
        for (unsigned turn = 0; turn < loop.receives.depth; turn++)
            for (unsigned i = 0; i < loop.receives.line_count && loop.more; i++)
                start(&loop, &loop.receives.lines[i]);
        /* Until the last one has ended: their memory is the library's as long. */
        while (loop.outstanding > 0)
            SleepEx(SLEEP_MS, TRUE);
    }
    posted_receives_free(&loop.receives);
}

const struct receive_mode receive_apc = {.name = "apc", .run = run};
