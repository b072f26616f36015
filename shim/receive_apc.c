/* SPDX-License-Identifier: BSD-3-Clause */
#include "posted_receives.h"

/** How long a sleep may last before the loop looks around. */
#define SLEEP_MS 100

struct loop {
    struct receiver *receiver;
    struct posted_receives receives;
    unsigned outstanding;
    bool more;
};

static void CALLBACK received(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags);

static void start(struct loop *loop, struct posted_receive *operation)
{
    if (posted_receive_start(operation, loop->receiver, received))
        loop->outstanding++;
    else
        loop->more = false;
}

/** Runs inside SleepEx() on the receiving thread. */
static void CALLBACK received(DWORD error, DWORD bytes, LPWSAOVERLAPPED overlapped, DWORD flags)
{
    struct posted_receive *operation = (struct posted_receive *)overlapped; /* its first member */
    struct loop *loop = operation->owner;

    (void)flags;
    loop->outstanding--;
    if (error != 0) {
        receiver_failed(loop->receiver, "overlapped WSARecv", (int)error);
        loop->more = false;
    }
    if (loop->more && !receiver_take(loop->receiver, operation->payload, bytes,
                                     posted_receive_burst_tsc(operation)))
        loop->more = false;
    if (loop->more)
        start(loop, operation);
}

static void run(struct receiver *receiver)
{
    struct loop loop = {.receiver = receiver, .more = true};

    if (posted_receives_create(&loop.receives, receiver, &loop)) {
        for (unsigned i = 0; i < loop.receives.count && loop.more; i++)
            start(&loop, &loop.receives.operations[i]);
        /* Until the last one has ended: their memory is the library's as long. */
        while (loop.outstanding > 0)
            SleepEx(SLEEP_MS, TRUE);
    }
    posted_receives_free(&loop.receives);
}

const struct receive_mode receive_apc = {.name = "apc", .run = run};
