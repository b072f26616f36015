/* SPDX-License-Identifier: BSD-3-Clause */

/* libFuzzer over reassembly: a schedule of fragments and of time that passes, against a reference that knows
 * of each datagram which bytes are there, one by one. It says of each fragment what it is; what is held comes
 * out once, whole and in order, or is lost. The input: steps of five bytes. */

#include <stdlib.h>
#include <string.h>

#include "reassembly.h"

#define HZ 10u
#define DATAGRAMS 3u
#define BUFFERS 160u
#define KEYS 6u
#define PACKETS 256u /* more than buffers */
#define BYTES 65536u

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* The reference: of each key the datagram in progress. */
static struct model {
    bool begun;
    enum reassembly_result refused;
    unsigned number; /* of those begun */
    uint64_t since;
    uint32_t end, header;
    unsigned count, buffers;
    bool there[BYTES];
    struct piece {
        uint32_t offset, length, buffers;
        bool more;
        bool *packet;
    } pieces[REASSEMBLY_PARTS];
} models[KEYS];

static bool packets[PACKETS]; /* held now */
static unsigned begun;

static void lost(void *context, void *packet, enum reassembly_loss loss)
{
    bool *held = packet;

    (void)context;
    require(loss <= REASSEMBLY_LOST_STOPPED && *held);
    *held = false;
}

/* What was held is lost in the core, and must have been said to be. */
static void empty(struct model *m)
{
    for (unsigned i = 0; i < m->count; i++)
        require(!*m->pieces[i].packet);
    m->count = m->buffers = 0;
}

static struct model *oldest(void)
{
    struct model *found = NULL;

    for (unsigned i = 0; i < KEYS; i++)
        if (models[i].begun && (found == NULL || models[i].number < found->number))
            found = &models[i];
    return found;
}

static void sum_up(unsigned *datagrams, unsigned *buffers)
{
    *datagrams = *buffers = 0;
    for (unsigned i = 0; i < KEYS; i++) {
        *datagrams += models[i].begun;
        *buffers += models[i].buffers;
    }
}

static void forget_oldest(void)
{
    struct model *m = oldest();

    empty(m);
    m->begun = false;
}

static void pass_time(uint64_t now)
{
    struct model *m;

    while ((m = oldest()) != NULL && m->since + (uint64_t)HZ * REASSEMBLY_SECONDS <= now)
        forget_oldest();
}

static void begin(struct model *m, uint64_t now)
{
    unsigned datagrams, buffers;

    sum_up(&datagrams, &buffers);
    if (datagrams == DATAGRAMS)
        forget_oldest();
    memset(m->there, 0, sizeof m->there);
    m->begun = true;
    m->refused = REASSEMBLY_HELD;
    m->number = ++begun;
    m->since = now;
    m->end = UINT32_MAX;
    m->count = m->buffers = 0;
}

static enum reassembly_result refuse(struct model *m, enum reassembly_result result)
{
    m->refused = result;
    empty(m);
    return result;
}

static bool conflicts(const struct model *m, const struct reassembly_fragment *f)
{
    uint32_t end = (uint32_t)f->offset + f->length;

    if (f->more ? end > m->end : m->end != UINT32_MAX)
        return true;
    return memchr(m->there + f->offset, true, f->more ? f->length : BYTES - f->offset) != NULL;
}

static bool is_duplicate(const struct model *m, const struct reassembly_fragment *f)
{
    for (unsigned i = 0; i < m->count; i++)
        if (m->pieces[i].offset == f->offset && m->pieces[i].length == f->length &&
            m->pieces[i].more == f->more)
            return true;
    return false;
}

static bool is_whole(const struct model *m)
{
    return m->end != UINT32_MAX && memchr(m->there, false, m->end) == NULL;
}

/* Whatever the core has to say of it. */
static enum reassembly_result expect(struct model *m, const struct reassembly_fragment *f,
                                     uint64_t now)
{
    uint32_t end = (uint32_t)f->offset + f->length;
    unsigned datagrams, buffers;

    if (f->length == 0 || end + f->header > 65535 || (f->more && f->length % 8 != 0) ||
        (!f->more && f->offset == 0))
        return REASSEMBLY_MALFORMED;
    if (!m->begun)
        begin(m, now);
    if (m->refused != REASSEMBLY_HELD)
        return m->refused;
    if (is_duplicate(m, f))
        return REASSEMBLY_DUPLICATE;
    if (conflicts(m, f))
        return refuse(m, REASSEMBLY_OVERLAP);
    if (m->count == REASSEMBLY_PARTS)
        return refuse(m, REASSEMBLY_FULL);
    for (sum_up(&datagrams, &buffers); buffers + f->buffers > BUFFERS;
         sum_up(&datagrams, &buffers)) {
        if (oldest() == m)
            return refuse(m, REASSEMBLY_FULL);
        forget_oldest();
    }
    m->pieces[m->count++] = (struct piece){f->offset, f->length, f->buffers, f->more, f->packet};
    m->buffers += f->buffers;
    memset(m->there + f->offset, true, f->length);
    if (f->offset == 0)
        m->header = f->header;
    if (!f->more)
        m->end = end;
    if (!is_whole(m))
        return REASSEMBLY_HELD;
    m->begun = false;
    if (m->header + m->end <= 65535)
        return REASSEMBLY_COMPLETE;
    empty(m);
    return REASSEMBLY_HELD;
}

static void check_parts(struct model *m, const struct reassembly_part *parts, unsigned count)
{
    uint32_t at = 0;

    require(count == m->count);
    for (unsigned i = 0; i < count; i++) {
        unsigned k = 0;

        while (k < m->count && m->pieces[k].packet != parts[i].packet)
            k++;
        require(k < m->count && m->pieces[k].offset == at);
        require(m->pieces[k].length == parts[i].length);
        require(*m->pieces[k].packet);
        *m->pieces[k].packet = false;
        at += parts[i].length;
    }
    require(at == m->end);
    m->count = m->buffers = 0;
}

static void take(struct reassembly *table, const uint8_t *step, uint64_t now)
{
    static const uint16_t headers[] = {20, 24, 60, 20};
    struct reassembly_part parts[REASSEMBLY_PARTS];
    unsigned index = (step[0] & 7) % KEYS, count = 0, free_packet = 0;
    struct reassembly_fragment f = {
        .key = {.identification = (uint16_t)index, .source = index & 1, .protocol = 17},
        .offset = (uint16_t)((step[2] | (step[1] & 31u) << 8) * 8),
        .length = (uint16_t)(step[3] | (step[1] >> 5) << 8),
        .header = headers[step[0] >> 6],
        .buffers = (uint16_t)(1 + (step[0] >> 3 & 1)),
        .more = step[0] & 0x10,
    };

    if (step[0] & 0x20)
        f.length = (uint16_t)(f.length * 8);
    while (packets[free_packet])
        free_packet++;
    require(free_packet < PACKETS);
    f.packet = &packets[free_packet];
    packets[free_packet] = true;

    /* The core first: what it loses the reference wants to have been lost. */
    enum reassembly_result result = reassembly_take(table, &f, now, parts, &count);
    if (result > REASSEMBLY_COMPLETE) {
        require(packets[free_packet]);
        packets[free_packet] = false;
    }
    pass_time(now);
    require(expect(&models[index], &f, now) == result);
    if (result == REASSEMBLY_COMPLETE)
        check_parts(&models[index], parts, count);
}

static void check_sums(const struct reassembly *table)
{
    unsigned datagrams, buffers;

    sum_up(&datagrams, &buffers);
    require(reassembly_datagrams(table) == datagrams && datagrams <= DATAGRAMS);
    require(reassembly_buffers(table) == buffers && buffers <= BUFFERS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct reassembly_settings settings = {
        .hz = HZ, .datagrams = DATAGRAMS, .buffers = BUFFERS, .seed = 7, .lost = lost};
    struct reassembly *table = reassembly_create(malloc(reassembly_size(&settings)), &settings);
    uint64_t now = 0;

    for (unsigned i = 0; i < KEYS; i++) {
        models[i].begun = false;
        models[i].count = models[i].buffers = 0;
    }
    for (; size >= 5; size -= 5, data += 5) {
        if ((data[0] & 7) == 7) {
            now += data[1];
            reassembly_run(table, now);
            pass_time(now);
        } else {
            take(table, data, now);
        }
        check_sums(table);
    }
    reassembly_discard(table);
    for (unsigned i = 0; i < PACKETS; i++)
        require(!packets[i]);
    require(reassembly_buffers(table) == 0 && reassembly_due(table) == UINT64_MAX);
    free(table);
    return 0;
}
