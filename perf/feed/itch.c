/* SPDX-License-Identifier: BSD-3-Clause */
#include "itch.h"

#include <stdio.h>
#include <string.h>

/** Writes big-endian numbers one after the other. */
struct writer {
    uint8_t *at;
};

static void put(struct writer *writer, uint64_t value, unsigned bytes)
{
    while (bytes-- > 0)
        *writer->at++ = (uint8_t)(value >> 8 * bytes);
}

static void put_text(struct writer *writer, const char *text, size_t bytes)
{
    memcpy(writer->at, text, bytes);
    writer->at += bytes;
}

static void put_shares(struct writer *writer, struct random *random)
{
    put(writer, 100ull * (1 + random_run(random, 96, 50)), 4);
}

static void put_price(struct writer *writer, struct random *random)
{
    put(writer, 1000000 + 100 * random_below(random, 500), 4); /* four decimals */
}

static char side(struct random *random)
{
    return random_below(random, 2) == 0 ? 'B' : 'S';
}

static uint64_t add_order(struct itch_book *book)
{
    uint64_t order = book->next_order++;

    if (book->live_count < ITCH_LIVE_ORDERS)
        book->live[book->live_count++] = order;
    return order;
}

static uint64_t some_order(const struct itch_book *book, struct random *random)
{
    return book->live[random_below(random, book->live_count)];
}

static uint64_t remove_order(struct itch_book *book, struct random *random)
{
    unsigned index = random_below(random, book->live_count);
    uint64_t order = book->live[index];

    book->live[index] = book->live[--book->live_count];
    return order;
}

/* The bodies of messages, after type, locate, tracking number and time. */

static void add(struct itch_book *book, struct random *random, struct writer *out)
{
    put(out, add_order(book), 8);
    put(out, (uint64_t)side(random), 1);
    put_shares(out, random);
    put_text(out, book->symbol, 8);
    put_price(out, random);
}

static void add_with_mpid(struct itch_book *book, struct random *random, struct writer *out)
{
    add(book, random, out);
    put_text(out, "WRRX", 4);
}

static void executed(struct itch_book *book, struct random *random, struct writer *out)
{
    put(out, some_order(book, random), 8);
    put_shares(out, random);
    put(out, book->next_match++, 8);
}

static void executed_with_price(struct itch_book *book, struct random *random, struct writer *out)
{
    executed(book, random, out);
    put(out, 'Y', 1);
    put_price(out, random);
}

static void cancelled(struct itch_book *book, struct random *random, struct writer *out)
{
    put(out, some_order(book, random), 8);
    put_shares(out, random);
}

static void deleted(struct itch_book *book, struct random *random, struct writer *out)
{
    put(out, remove_order(book, random), 8);
}

static void replaced(struct itch_book *book, struct random *random, struct writer *out)
{
    put(out, remove_order(book, random), 8);
    put(out, add_order(book), 8);
    put_shares(out, random);
    put_price(out, random);
}

static void trade(struct itch_book *book, struct random *random, struct writer *out)
{
    put(out, 0, 8);
    put(out, 'B', 1);
    put_shares(out, random);
    put_text(out, book->symbol, 8);
    put_price(out, random);
    put(out, book->next_match++, 8);
}

static void imbalance(struct itch_book *book, struct random *random, struct writer *out)
{
    put(out, random_below(random, 100000), 8); /* paired shares */
    put(out, random_below(random, 10000), 8);
    put(out, (uint64_t)side(random), 1);
    put_text(out, book->symbol, 8);
    put_price(out, random); /* far, near and reference price */
    put_price(out, random);
    put_price(out, random);
    put(out, 'C', 1);
    put(out, 'L', 1);
}

static void system_event(struct itch_book *book, struct random *random, struct writer *out)
{
    (void)book, (void)random;
    put(out, 'Q', 1);
}

#define HEADER_BYTES 11u

static const struct row {
    char type;
    unsigned length; /**< bytes, as in the specification */
    unsigned weight; /**< in 1,000 */
    void (*body)(struct itch_book *book, struct random *random, struct writer *out);
} rows[] = {
    {'A', 36, 432, add},         {'D', 19, 418, deleted},  {'U', 35, 80, replaced},
    {'E', 31, 28, executed},     {'X', 23, 14, cancelled}, {'I', 50, 10, imbalance},
    {'F', 40, 8, add_with_mpid}, {'P', 44, 7, trade},      {'C', 36, 2, executed_with_price},
    {'S', 12, 1, system_event},
};

/** Below so many live orders only new ones are added. */
#define FEW_ORDERS 16u

static const struct row *choose(const struct itch_book *book, struct random *random)
{
    unsigned dice = random_below(random, 1000);
    const struct row *row = rows;

    if (book->live_count < FEW_ORDERS)
        return row;
    for (; dice >= row->weight; row++)
        dice -= row->weight;
    return row;
}

void itch_book_init(struct itch_book *book, unsigned index)
{
    memset(book, 0, sizeof *book);
    book->locate = (uint16_t)(index + 1);
    snprintf(book->symbol, sizeof book->symbol, "WRX%-5u", (unsigned)book->locate);
    book->next_order = ((uint64_t)index + 1) << 40;
    book->next_match = 1;
}

size_t itch_next(struct itch_book *book, struct random *random, uint64_t time_ns, uint8_t *out)
{
    const struct row *row = choose(book, random);
    struct writer writer;

    writer.at = out;
    put(&writer, (uint64_t)row->type, 1);
    put(&writer, book->locate, 2);
    put(&writer, 0, 2);
    put(&writer, time_ns, 6);
    row->body(book, random, &writer);
    return row->length;
}
