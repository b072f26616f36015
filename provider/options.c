/* SPDX-License-Identifier: BSD-3-Clause */

/* WSPSetSockOpt and WSPGetSockOpt, and the options of receiving. */

#include "options.h"
#include "guard.h"
#include "pending_receive.h"
#include "receive_take.h"
#include "spi.h"
#include "wirerx/wirerx.h"
#include "wirerx/ws2tcpip.h"

/** Largest SO_WIRERX_MAX_POSTED. */
#define MAX_POSTED_LIMIT 1048576u

static DWORD get_receive_buffer(const struct socket_reference *r)
{
    return atomic_load_explicit(&r->endpoint->lcore.bytes_limit, memory_order_relaxed);
}

static int set_receive_buffer(const struct socket_reference *r, DWORD value)
{
    if (value > INT32_MAX)
        return WSAEINVAL;
    atomic_store_explicit(&r->endpoint->lcore.bytes_limit, value, memory_order_relaxed); /* L06 */
    return 0;
}

static DWORD get_receive_timeout(const struct socket_reference *r)
{
    return r->socket->receive_timeout_ms;
}

static int set_receive_timeout(const struct socket_reference *r, DWORD value)
{
    r->socket->receive_timeout_ms = value; /* L05: milliseconds, exactly */
    return 0;
}

static DWORD get_stamp(const struct socket_reference *r)
{
    return r->socket->stamp;
}

static int set_stamp(const struct socket_reference *r, DWORD value)
{
    r->socket->stamp = value != 0;
    return 0;
}

static DWORD get_note_time(const struct socket_reference *r)
{
    return r->socket->note_time;
}

static int set_note_time(const struct socket_reference *r, DWORD value)
{
    r->socket->note_time = value != 0;
    receive_settle_plain(r->endpoint);
    return 0;
}

static DWORD get_max_posted(const struct socket_reference *r)
{
    return r->socket->max_posted;
}

static int set_max_posted(const struct socket_reference *r, DWORD value)
{
    if (value == 0 || value > MAX_POSTED_LIMIT)
        return WSAEINVAL;
    r->socket->max_posted = value; /* C08 */
    return 0;
}

static DWORD get_max_lent(const struct socket_reference *r)
{
    return r->socket->loans.maximum;
}

static int set_max_lent(const struct socket_reference *r, DWORD value)
{
    if (value == 0 || value > LOANS_LIMIT)
        return WSAEINVAL;
    r->socket->loans.maximum = value;
    return 0;
}

static const struct option_row receive_rows[] = {
    {SOL_SOCKET, SO_RCVBUF, OPTION_DWORD, get_receive_buffer, set_receive_buffer},
    {SOL_SOCKET, SO_RCVTIMEO, OPTION_DWORD, get_receive_timeout, set_receive_timeout},
    {SOL_SOCKET, SO_WIRERX_STAMP, OPTION_BOOL, get_stamp, set_stamp},
    {SOL_SOCKET, SO_WIRERX_TIME, OPTION_BOOL, get_note_time, set_note_time},
    {SOL_SOCKET, SO_WIRERX_MAX_POSTED, OPTION_DWORD, get_max_posted, set_max_posted},
    {SOL_SOCKET, SO_WIRERX_MAX_LENT, OPTION_DWORD, get_max_lent, set_max_lent},
};

static const struct option_row *find_row(int level, int name)
{
    const struct {
        const struct option_row *rows;
        size_t count;
    } tables[] = {
        {receive_rows, sizeof receive_rows / sizeof receive_rows[0]},
        {socket_option_rows, socket_option_rows_count},
        {send_option_rows, send_option_rows_count},
    };

    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (size_t i = 0; i < tables[t].count; i++)
            if (tables[t].rows[i].level == level && tables[t].rows[i].name == name)
                return &tables[t].rows[i];
    return NULL;
}

/* --- setting ------------------------------------------------------------------------------------ */

static int set_option(SOCKET s, int level, int name, const char *value, int length)
{
    struct completion_batch batch = {.count = 0};
    const struct option_row *row = find_row(level, name);
    struct socket_reference reference;
    DWORD number = 0;
    int error;

    const struct membership_row *membership = membership_find(level, name);
    if (membership != NULL)
        return membership_set(s, membership, value, length);
    error = socket_lock(s, &reference);
    if (error != 0)
        return error;
    if (row == NULL || row->set == NULL)
        error = option_refusal(level, name);
    else if (value == NULL || length < (row->kind == OPTION_DWORD ? (int)sizeof number : 1) ||
             !guard_copy_from(&number, value, RTE_MIN((size_t)length, sizeof number)))
        error = WSAEFAULT;
    else
        error = row->set(&reference, number);
    socket_unlock(reference.endpoint, &batch);
    return error;
}

int WSPAPI spi_set_sock_opt(SOCKET s, int level, int name, const char *value, int length,
                            LPINT error)
{
    return spi_result(error, set_option(s, level, name, value, length));
}

/* --- getting ------------------------------------------------------------------------------------ */

int option_give(const struct option_room *room, const void *from, size_t bytes)
{
    return room->bytes >= (INT)bytes && guard_copy_to(room->value, from, bytes) &&
                   guard_store32(room->length, (uint32_t)bytes)
               ? 0
               : WSAEFAULT;
}

/* Under LOCK. */
static int give_option(const struct socket_reference *reference, int level, int name,
                       struct option_room *room)
{
    const struct option_row *row = find_row(level, name);
    const struct option_record *record = option_find_record(level, name);

    if (row == NULL && record == NULL)
        return option_refusal(level, name);
    if (room->value == NULL || room->length == NULL ||
        !guard_copy_from(&room->bytes, room->length, sizeof room->bytes))
        return WSAEFAULT;
    if (record != NULL)
        return record->give(reference, room);
    DWORD number = row->get(reference);
    return option_give(room, &number, sizeof number);
}

static int get_option(SOCKET s, int level, int name, char *value, LPINT length)
{
    struct completion_batch batch = {.count = 0};
    struct option_room room = {value, length, 0};
    struct socket_reference reference;
    int error = socket_lock(s, &reference);

    if (error != 0)
        return error;
    error = give_option(&reference, level, name, &room);
    socket_unlock(reference.endpoint, &batch);
    return error;
}

int WSPAPI spi_get_sock_opt(SOCKET s, int level, int name, char *value, LPINT length, LPINT error)
{
    return spi_result(error, get_option(s, level, name, value, length));
}
