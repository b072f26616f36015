/* SPDX-License-Identifier: BSD-3-Clause */
#include "gather.h"

#include "guard.h"
#include "scatter.h"

#define PAGE_BYTES 4096u

static bool buffer_at(const struct gather *from, uint32_t index, WSABUF *buffer)
{
    const WSABUF *element = scatter_buffer(from->buffers, index);

    if (from->clients_array)
        return guard_copy_from(buffer, element, sizeof *buffer);
    *buffer = *element;
    return true;
}

bool gather_length(const struct gather *from, uint64_t *length)
{
    WSABUF buffer;

    *length = 0;
    for (uint32_t i = 0; i < from->count; i++) {
        if (!buffer_at(from, i, &buffer))
            return false;
        *length += buffer.len;
    }
    return true;
}

bool gather_copy(const struct gather *from, const struct send_room *room)
{
    struct send_room left = *room;
    unsigned piece = 0;
    WSABUF buffer;

    for (uint32_t i = 0; i < from->count; i++) {
        if (!buffer_at(from, i, &buffer))
            return false;
        while (buffer.len != 0) {
            if (left.length[piece] == 0 && ++piece == 2)
                return true;
            uint32_t n = RTE_MIN(buffer.len, left.length[piece]);

            if (!guard_copy_from(left.at[piece], buffer.buf, n))
                return false;
            left.at[piece] += n;
            left.length[piece] -= n;
            buffer.buf += n;
            buffer.len -= n;
        }
    }
    return left.length[0] == 0 && left.length[1] == 0;
}

static bool is_readable(const char *start, size_t length)
{
    char byte;

    for (size_t at = 0; at < length; at += PAGE_BYTES)
        if (!guard_copy_from(&byte, start + at, 1))
            return false;
    return length == 0 || guard_copy_from(&byte, start + length - 1, 1);
}

bool gather_is_readable(const struct gather *from)
{
    WSABUF buffer;

    for (uint32_t i = 0; i < from->count; i++)
        if (!buffer_at(from, i, &buffer) || !is_readable(buffer.buf, buffer.len))
            return false;
    return true;
}
