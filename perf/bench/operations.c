/* SPDX-License-Identifier: BSD-3-Clause */

/* Overlapped receives that are posted again as soon as they have completed. */

#include <rte_common.h>
#include <stdlib.h>

#include "receive.h"

void operation_post(struct operation *operation)
{
    struct operations *all = operation->all;
    DWORD flags = 0;
    int error = 0;

    if (all->client->provider.lpWSPRecv(operation->socket, &operation->buffer, 1, NULL, &flags,
                                        &operation->overlapped, all->routine, &all->client->thread,
                                        &error) != 0 &&
        error != WSA_IO_PENDING)
        bed_fail("an overlapped WSPRecv fails with Winsock error %d", error);
}

void operations_prepare(struct operations *operations, const struct bed *bed,
                        LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    const struct bench_options *options = bed->options;
    size_t total = (size_t)options->sockets * options->posted;
    size_t room = RTE_ALIGN_CEIL(options->payload, (unsigned)RTE_CACHE_LINE_SIZE);

    *operations = (struct operations){.client = client_of(bed), .routine = routine};
    operations->rows = calloc(total, sizeof *operations->rows);
    operations->payloads = aligned_alloc(RTE_CACHE_LINE_SIZE, total * room);
    operations->next = calloc(options->sockets, sizeof *operations->next);
    if (operations->rows == NULL || operations->payloads == NULL || operations->next == NULL)
        bed_fail("out of memory");
    operations->last = operations->payloads;
    for (size_t i = 0; i < total; i++) {
        struct operation *operation = &operations->rows[i];

        operation->all = operations;
        operation->socket = operations->client->sockets[i / options->posted];
        operation->buffer.len = options->payload;
        operation->buffer.buf = (char *)operations->payloads + i * room;
    }
}

void operations_create(struct operations *operations, const struct bed *bed,
                       LPWSAOVERLAPPED_COMPLETION_ROUTINE routine)
{
    size_t total = (size_t)bed->options->sockets * bed->options->posted;

    operations_prepare(operations, bed, routine);
    for (size_t i = 0; i < total; i++)
        operation_post(&operations->rows[i]);
}

void operations_free(struct operations *operations)
{
    free(operations->rows);
    free(operations->payloads);
    free(operations->next);
}
