/* SPDX-License-Identifier: BSD-3-Clause */
#include "output.h"

#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_BYTES ((size_t)1024 * 1024)

struct output {
    pthread_mutex_t lock;
    FILE *file;
    const char *path;
    _Atomic int failed;
};

struct output *output_open(const char *path, struct command_error *error)
{
    struct output *output = calloc(1, sizeof *output);

    if (output == NULL) {
        command_error(error, "--output %s: out of memory", path);
        return NULL;
    }
    pthread_mutex_init(&output->lock, NULL);
    output->path = path;
    output->file = fopen(path, "wb");
    if (output->file == NULL) {
        command_error(error, "--output %s: %s", path, strerror(errno));
        pthread_mutex_destroy(&output->lock);
        free(output);
        return NULL;
    }
    setvbuf(output->file, NULL, _IOFBF, BUFFER_BYTES);
    return output;
}

void output_write(struct output *output, const void *payload, uint32_t bytes)
{
    uint32_t length = htobe32(bytes);

    pthread_mutex_lock(&output->lock);
    if (fwrite_unlocked(&length, sizeof length, 1, output->file) != 1 ||
        (bytes > 0 && fwrite_unlocked(payload, bytes, 1, output->file) != 1)) {
        int none = 0;
        atomic_compare_exchange_strong(&output->failed, &none, errno != 0 ? errno : EIO);
    }
    pthread_mutex_unlock(&output->lock);
}

int output_failed(const struct output *output)
{
    return atomic_load(&output->failed);
}

int output_close(struct output *output, struct command_error *error)
{
    int failed = output_failed(output);

    errno = 0;
    if (fclose(output->file) != 0 && failed == 0)
        failed = errno != 0 ? errno : EIO;
    if (failed != 0)
        command_error(error, "--output %s: %s; what was written so far is there", output->path,
                      strerror(failed));
    pthread_mutex_destroy(&output->lock);
    free(output);
    return failed == 0 ? 0 : -1;
}
