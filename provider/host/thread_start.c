/* SPDX-License-Identifier: BSD-3-Clause */
#include "thread_start.h"

#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>

#include "event.h"
#include "thread.h"

/* On the stack of whoever starts the thread, until `running` is posted. */
struct start {
    LPTHREAD_START_ROUTINE routine;
    LPVOID parameter;
    HANDLE end;
    sem_t running;
    DWORD number; /* 0: it has no identity and does nothing */
};

static void *run(void *argument)
{
    struct start *start = argument;
    LPTHREAD_START_ROUTINE routine = start->routine;
    LPVOID parameter = start->parameter;
    bool known = thread_current() != NULL;

    if (known) {
        thread_set_end(start->end);
        start->number = thread_system_number();
    }
    sem_post(&start->running);
    if (known)
        routine(parameter);
    return NULL;
}

static int make_thread(struct start *start, size_t stack)
{
    pthread_attr_t attributes;
    pthread_t thread;

    if (pthread_attr_init(&attributes) != 0)
        return -1;
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (stack != 0)
        pthread_attr_setstacksize(
            &attributes, stack > (size_t)PTHREAD_STACK_MIN ? stack : (size_t)PTHREAD_STACK_MIN);
    int error = pthread_create(&thread, &attributes, run, start);

    pthread_attr_destroy(&attributes);
    return error == 0 ? 0 : -1;
}

HANDLE thread_start(LPTHREAD_START_ROUTINE routine, LPVOID parameter, size_t stack, DWORD *number)
{
    struct start start = {.routine = routine, .parameter = parameter};
    int cancel_state;

    start.end = event_create(true, false);
    if (!start.end)
        return NULL;
    /* The new thread writes to this one's stack, so that it may not be cancelled meanwhile. */
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    sem_init(&start.running, 0, 0);
    if (make_thread(&start, stack) == 0) {
        while (sem_wait(&start.running) != 0)
            continue; /* a signal */
        *number = start.number;
    }
    sem_destroy(&start.running);
    pthread_setcancelstate(cancel_state, NULL);
    if (start.number != 0)
        return start.end;
    event_close(start.end);
    return NULL;
}
