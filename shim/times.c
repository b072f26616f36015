/* SPDX-License-Identifier: BSD-3-Clause */
#include "times.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#define BUFFER_BYTES ((size_t)1024 * 1024)
#define SECOND INT64_C(1000000000)

const char *const times_source_names[TIMES_SOURCES] = {
    [WIRERX_TIME_BURST - 1] = "burst",
    [WIRERX_TIME_DEVICE - 1] = "device",
    [WIRERX_TIME_RECORDED - 1] = "recorded",
};

int times_open(struct times *times, const char *path, struct command_error *error)
{
    memset(times, 0, sizeof *times);
    pthread_mutex_init(&times->lock, NULL);
    times->path = path;
    times->file = fopen(path, "w");
    if (times->file == NULL)
        return command_error(error, "--times %s: %s", path, strerror(errno));
    setvbuf(times->file, NULL, _IOFBF, BUFFER_BYTES);
    return 0;
}

/* The first one counts. */
static void note_failure(struct times *times)
{
    int none = 0;

    atomic_compare_exchange_strong(&times->failed, &none, errno != 0 ? errno : EIO);
}

/* A time before 1970, which a capture may hold, counts down to it. */
static int print(FILE *file, const struct wirerx_receive_time *time)
{
    int64_t seconds = time->nanoseconds / SECOND, rest = time->nanoseconds % SECOND;
    const char *sign = time->nanoseconds < 0 ? "-" : "";
    const char *source = times_source_names[time->source - 1];

    if (fprintf(file, "%s%" PRId64 ".%09" PRId64 " %s ", sign, seconds < 0 ? -seconds : seconds,
                rest < 0 ? -rest : rest, source) < 0)
        return -1;
    return time->error_ns == UINT64_MAX ? fputs("unknown\n", file)
                                        : fprintf(file, "%" PRIu64 "\n", time->error_ns);
}

void times_write_last(struct times *times)
{
    struct wirerx_receive_time time;

    if (wirerx_last_receive_time(&time) != 0)
        return; /* no socket of this command is without the option */
    uint64_t *most = &times->most_error_ns[time.source - 1];
    times->by_source[time.source - 1]++;
    if (time.error_ns != UINT64_MAX && time.error_ns > *most)
        *most = time.error_ns;
    errno = 0;
    if (print(times->file, &time) < 0)
        note_failure(times);
}

int times_close(struct times *times, struct command_error *error)
{
    errno = 0;
    if (fclose(times->file) != 0)
        note_failure(times);
    pthread_mutex_destroy(&times->lock);
    int failed = atomic_load(&times->failed);
    return failed == 0 ? 0
                       : command_error(error, "--times %s: %s; what was written so far is there",
                                       times->path, strerror(failed));
}
