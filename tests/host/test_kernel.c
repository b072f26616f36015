/* SPDX-License-Identifier: BSD-3-Clause */

/* Windows' own names for source compatibility: codes, waits for several, threads, time. */

#include "support/suite.h"

#include "helpers.h"

#include "../../dataplane/wake.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void *page_that_is_gone(void)
{
    void *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(page != MAP_FAILED);
    return page;
}

SUITE_TEST(kernel, last_error_is_winsocks_too)
{
    SetLastError(0xC0000005);
    CHECK_EQ_U64((DWORD)WSAGetLastError(), 0xC0000005);
    WSASetLastError(WSAEFAULT);
    CHECK_EQ_U64(GetLastError(), WSAEFAULT);
    CHECK(!SetEvent(NULL));
    CHECK_EQ_U64(GetLastError(), ERROR_INVALID_HANDLE);
    HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);

    CHECK(CloseHandle(event)); /* a success leaves it */
    CHECK_EQ_U64(GetLastError(), ERROR_INVALID_HANDLE);
}

/* --- waiting for several ----------------------------------------------------------------------- */

SUITE_TEST(kernel, wait_for_several_is_winsocks)
{
    HANDLE events[64];

    for (int i = 0; i < 64; i++)
        events[i] = CreateEventW(NULL, FALSE, FALSE, NULL);
    SetLastError(4711);
    CHECK_EQ_U64(WaitForMultipleObjects(64, events, FALSE, 0), WAIT_TIMEOUT);
    SetEvent(events[63]);
    SetEvent(events[17]);
    CHECK_EQ_U64(WaitForMultipleObjects(64, events, FALSE, INFINITE), WAIT_OBJECT_0 + 17);
    CHECK_EQ_U64(WaitForMultipleObjects(2, &events[62], TRUE, 0), WAIT_TIMEOUT);
    SetEvent(events[62]);
    CHECK_EQ_U64(WaitForMultipleObjects(2, &events[62], TRUE, 0), WAIT_OBJECT_0);
    CHECK_EQ_U64(WaitForMultipleObjects(64, events, FALSE, 0), WAIT_TIMEOUT); /* all consumed */
    CHECK_EQ_U64(GetLastError(), 4711); /* no failure so far */
}

SUITE_TEST(kernel, wait_for_several_is_refused)
{
    HANDLE event = CreateEventW(NULL, TRUE, TRUE, NULL);
    HANDLE twice[] = {event, event};
    HANDLE stale[] = {event, NULL};
    const struct {
        DWORD count;
        const HANDLE *handles;
        DWORD error, winsock_error;
    } rows[] = {
        {0, twice, ERROR_INVALID_PARAMETER, WSA_INVALID_PARAMETER},
        {65, twice, ERROR_INVALID_PARAMETER, WSA_INVALID_PARAMETER},
        {UINT32_MAX, twice, ERROR_INVALID_PARAMETER, WSA_INVALID_PARAMETER},
        {2, twice, ERROR_INVALID_PARAMETER, WSA_INVALID_PARAMETER},
        {2, stale, ERROR_INVALID_HANDLE, WSA_INVALID_HANDLE},
        {1, NULL, ERROR_NOACCESS, WSAEFAULT},
        {1, page_that_is_gone(), ERROR_NOACCESS, WSAEFAULT},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        SetLastError(0);
        CHECK_EQ_U64(WaitForMultipleObjects(rows[i].count, rows[i].handles, TRUE, 0), WAIT_FAILED);
        CHECK_EQ_U64(GetLastError(), rows[i].error);
        CHECK_EQ_U64(WSAWaitForMultipleEvents(rows[i].count, rows[i].handles, TRUE, 0, FALSE),
                     WSA_WAIT_FAILED);
        CHECK_EQ_U64(GetLastError(), rows[i].winsock_error);
    }
    CHECK_EQ_U64(WaitForMultipleObjects(2, twice, FALSE, 0), WAIT_OBJECT_0); /* for one they may */
}

static unsigned runs;
static DWORD ran_on;

static VOID NTAPI count_run(ULONG_PTR parameter)
{
    runs += (unsigned)parameter;
    ran_on = GetCurrentThreadId();
}

SUITE_TEST(kernel, wait_for_several_is_alertable_when_asked) // F20
{
    HANDLE events[2] = {CreateEventW(NULL, TRUE, FALSE, NULL),
                        CreateEventW(NULL, TRUE, FALSE, NULL)};

    CHECK(QueueUserAPC(count_run, GetCurrentThread(), 1));
    CHECK_EQ_U64(WaitForMultipleObjectsEx(2, events, FALSE, 0, FALSE), WAIT_TIMEOUT);
    CHECK_EQ_U64(runs, 0);
    CHECK_EQ_U64(WaitForMultipleObjectsEx(2, events, TRUE, INFINITE, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(runs, 1);
    CHECK_EQ_U64(ran_on, GetCurrentThreadId());
}

/* --- threads ----------------------------------------------------------------------------------- */

SUITE_TEST(kernel, current_thread_means_whoever_uses_it)
{
    CHECK_EQ_I64((LONG_PTR)GetCurrentThread(), -2);
    CHECK(CloseHandle(GetCurrentThread()));
    CHECK(CloseHandle(GetCurrentThread()));
    CHECK(QueueUserAPC(count_run, GetCurrentThread(), 5));
    CHECK_EQ_U64(SleepEx(0, TRUE), WAIT_IO_COMPLETION);
    CHECK_EQ_U64(runs, 5);
    CHECK(!QueueUserAPC(NULL, GetCurrentThread(), 0));
    CHECK_EQ_U64(GetLastError(), ERROR_INVALID_PARAMETER);
    CHECK_EQ_U64(WaitForSingleObject(GetCurrentThread(), 0), WAIT_FAILED);
    CHECK_EQ_U64(GetLastError(), ERROR_INVALID_HANDLE);
}

struct task {
    HANDLE go;
    _Atomic DWORD number;
    _Atomic bool slept;
    bool leave; /* by ExitThread() */
};

static DWORD WINAPI wait_to_go(LPVOID parameter)
{
    struct task *task = parameter;

    task->number = GetCurrentThreadId();
    while (WaitForSingleObjectEx(task->go, INFINITE, TRUE) == WAIT_IO_COMPLETION)
        task->slept = true;
    if (task->leave)
        ExitThread(7);
    return 0;
}

SUITE_TEST(kernel, thread_is_made_and_waited_for)
{
    for (int leave = 0; leave < 2; leave++) {
        struct task task = {.go = CreateEventW(NULL, TRUE, FALSE, NULL), .leave = leave != 0};
        DWORD number = 0;
        HANDLE thread = CreateThread(NULL, leave ? 1 : 0, wait_to_go, &task, 0, &number);

        CHECK(thread != NULL);
        CHECK(number != 0 && number != GetCurrentThreadId());
        CHECK_EQ_U64(WaitForSingleObject(thread, 20), WAIT_TIMEOUT);
        CHECK_EQ_U64(task.number, number);
        SetEvent(task.go);
        CHECK_EQ_U64(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
        CHECK_EQ_U64(WaitForSingleObject(thread, 0), WAIT_OBJECT_0); /* and stays so */
        CHECK(CloseHandle(thread));
        CHECK(!CloseHandle(thread));
        CHECK_EQ_U64(WaitForSingleObject(thread, 0), WAIT_FAILED);
        CloseHandle(task.go);
    }
}

SUITE_TEST(kernel, thread_goes_on_when_its_handle_is_closed)
{
    struct task task = {.go = CreateEventW(NULL, TRUE, FALSE, NULL)};
    HANDLE thread =
        CreateThread(NULL, 0, wait_to_go, &task, STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);

    CHECK(CloseHandle(thread));
    CHECK(!QueueUserAPC(count_run, thread, 1)); /* it has no such handle any more */
    HANDLE other = CreateEventW(NULL, TRUE, FALSE, NULL);

    SetEvent(task.go);
    UNTIL(task.number != 0);
    usleep(20000);
    CHECK_EQ_U64(WaitForSingleObject(other, 0), WAIT_TIMEOUT); /* nobody else's event is set */
}

static VOID NTAPI note_run(ULONG_PTR parameter)
{
    *(_Atomic DWORD *)parameter = GetCurrentThreadId();
}

SUITE_TEST(kernel, apcs_reach_a_thread_by_its_handle)
{
    enum {
        COUNT = 40 /* more than one chunk of the table */
    };
    struct task tasks[COUNT];
    HANDLE threads[COUNT];
    DWORD numbers[COUNT];
    _Atomic DWORD ran[COUNT] = {0};

    memset(tasks, 0, sizeof(tasks));
    for (int i = 0; i < COUNT; i++) {
        tasks[i].go = CreateEventW(NULL, TRUE, FALSE, NULL);
        threads[i] = CreateThread(NULL, 65536, wait_to_go, &tasks[i], 0, &numbers[i]);
        CHECK(threads[i] != NULL);
    }
    for (int i = 0; i < COUNT; i++)
        CHECK(QueueUserAPC(note_run, threads[i], (ULONG_PTR)&ran[i]));
    for (int i = 0; i < COUNT; i++) {
        UNTIL(tasks[i].slept);
        CHECK_EQ_U64(ran[i], numbers[i]);
        SetEvent(tasks[i].go);
    }
    CHECK_EQ_U64(WaitForMultipleObjects(COUNT, threads, TRUE, INFINITE), WAIT_OBJECT_0);
    for (int i = 0; i < COUNT; i++) {
        CHECK(!QueueUserAPC(note_run, threads[i], 0)); /* it has ended */
        CHECK_EQ_U64(GetLastError(), ERROR_INVALID_HANDLE);
        CHECK(CloseHandle(threads[i]));
    }
    CHECK(!QueueUserAPC(note_run, tasks[0].go, 0)); /* an event, but no thread's */
    CHECK_EQ_U64(GetLastError(), ERROR_INVALID_HANDLE);
}

SUITE_TEST(kernel, thread_that_cannot_be_made_is_refused)
{
    struct task task = {.go = NULL};
    const struct {
        LPTHREAD_START_ROUTINE routine;
        SIZE_T stack;
        DWORD flags;
        LPDWORD number;
        DWORD error;
    } rows[] = {
        {NULL, 0, 0, NULL, ERROR_INVALID_PARAMETER},
        {wait_to_go, 0, CREATE_SUSPENDED, NULL, ERROR_NOT_SUPPORTED},
        {wait_to_go, 0, 0, page_that_is_gone(), ERROR_NOACCESS},
        {wait_to_go, SIZE_MAX / 2, 0, NULL, ERROR_NOT_ENOUGH_MEMORY},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        SetLastError(0);
        CHECK_EQ_PTR(CreateThread(NULL, rows[i].stack, rows[i].routine, &task, rows[i].flags,
                                  rows[i].number),
                     NULL);
        CHECK_EQ_U64(GetLastError(), rows[i].error);
    }
    usleep(20000);
    CHECK_EQ_U64(task.number, 0); /* and nothing was started */
}

/* What a thread has pending ends before the thread does, for whoever waits for it. */
static void slow_callback(const WSATHREADID *id)
{
    (void)id;
    usleep(50000);
    runs = 99;
}

SUITE_TEST(kernel, thread_has_ended_after_its_exit_callback)
{
    struct task task = {.go = CreateEventW(NULL, TRUE, TRUE, NULL)};

    host_on_thread_exit(slow_callback);
    HANDLE thread = CreateThread(NULL, 0, wait_to_go, &task, 0, NULL);

    CHECK_EQ_U64(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
    CHECK_EQ_U64(runs, 99);
    host_on_thread_exit(NULL);
}

/* --- time -------------------------------------------------------------------------------------- */

SUITE_TEST(kernel, ticks_are_milliseconds)
{
    ULONGLONG before = GetTickCount64();

    Sleep(30);
    ULONGLONG after = GetTickCount64();

    CHECK_GE_U64(after - before, 29);
    CHECK_LE_U64(GetTickCount() - (DWORD)after, 10000);
}
