/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_impair.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"
#define MOST_DIGITS 10
#define DECIMALS 4
#define PER_PERCENT (CONFIG_IMPAIR_WHOLE / 100)

enum kind {
    KIND_NUMBER,
    KIND_MILLISECONDS,
    KIND_MICROSECONDS,
    KIND_SHARE,
    KIND_WORD,
};

static const struct {
    const char *name;
    enum kind kind;
    size_t offset; /* in struct config_impair, of an unsigned */
} names[] = {
    {"seed", KIND_NUMBER, offsetof(struct config_impair, seed)},
    {"loss", KIND_SHARE, offsetof(struct config_impair, loss)},
    {"missed", KIND_SHARE, offsetof(struct config_impair, missed)},
    {"duplicate", KIND_SHARE, offsetof(struct config_impair, duplicate)},
    {"corrupt", KIND_SHARE, offsetof(struct config_impair, corrupt)},
    {"reorder", KIND_SHARE, offsetof(struct config_impair, reorder)},
    {"no-time", KIND_SHARE, offsetof(struct config_impair, no_time)},
    {"wrong-time", KIND_SHARE, offsetof(struct config_impair, wrong_time)},
    {"transmit-loss", KIND_SHARE, offsetof(struct config_impair, transmit_loss)},
    {"transmit-duplicate", KIND_SHARE, offsetof(struct config_impair, transmit_duplicate)},
    {"transmit-corrupt", KIND_SHARE, offsetof(struct config_impair, transmit_corrupt)},
    {"delay", KIND_MICROSECONDS, offsetof(struct config_impair, delay)},
    {"jitter", KIND_MICROSECONDS, offsetof(struct config_impair, jitter)},
    {"link-down-after", KIND_MILLISECONDS, offsetof(struct config_impair, link_down_after)},
    {"link-up-after", KIND_MILLISECONDS, offsetof(struct config_impair, link_up_after)},
    {"link-repeat-every", KIND_MILLISECONDS, offsetof(struct config_impair, link_repeat_every)},
    {"remove-after", KIND_MILLISECONDS, offsetof(struct config_impair, remove_after)},
    {"refuse-multicast", KIND_WORD, offsetof(struct config_impair, refuse_multicast)},
    {"refuse-all-multicast", KIND_WORD, offsetof(struct config_impair, refuse_all_multicast)},
};

#define NAMES_COUNT (sizeof names / sizeof names[0])

_Static_assert(NAMES_COUNT == CONFIG_MAX_IMPAIRMENTS, "each may be given once");

static const char *const wanted[] = {
    [KIND_NUMBER] = "is followed by a number of 1 to 4294967295",
    [KIND_MILLISECONDS] = "is followed by milliseconds, 1 to 4294967295",
    [KIND_MICROSECONDS] = "is followed by microseconds, 1 to 60000000",
    [KIND_SHARE] = "is followed by a share of the frames, 0.0001% to 100%",
    [KIND_WORD] = "stands alone",
};

/* A whole number. @return what is behind it; NULL: there is none so small */
static const char *read_whole(const char *text, unsigned *value)
{
    size_t length = strspn(text, DIGITS);
    unsigned long long number = strtoull(text, NULL, 10);

    if (length == 0 || length > MOST_DIGITS || (text[0] == '0' && length > 1) || number > UINT_MAX)
        return NULL;
    *value = (unsigned)number;
    return text + length;
}

/* "0.1%", in parts of CONFIG_IMPAIR_WHOLE. @return is it one, above nothing? */
static bool read_share(const char *text, unsigned *value)
{
    unsigned percent, part = 0;
    size_t decimals = 0;

    text = read_whole(text, &percent);
    if (text == NULL || percent > 100)
        return false;
    if (*text == '.') {
        decimals = strspn(++text, DIGITS);
        if (decimals == 0 || decimals > DECIMALS)
            return false;
        for (size_t i = 0; i < DECIMALS; i++)
            part = part * 10 + (i < decimals ? (unsigned)(text[i] - '0') : 0);
        text += decimals;
    }
    *value = percent * PER_PERCENT + part;
    return strcmp(text, "%") == 0 && *value != 0 && *value <= CONFIG_IMPAIR_WHOLE;
}

static bool read_value(enum kind kind, const char *text, unsigned *value)
{
    if (kind == KIND_WORD) {
        *value = 1;
        return *text == '\0';
    }
    if (*text != ' ')
        return false;
    if (kind == KIND_SHARE)
        return read_share(text + 1, value);
    text = read_whole(text + 1, value);
    return text != NULL && *text == '\0' && *value != 0 &&
           (kind != KIND_MICROSECONDS || *value <= CONFIG_MAX_DELAY_US);
}

static int refuse_unknown(const struct config_report *report, const char *path, const char *text)
{
    char known[320] = "";
    size_t used = 0;

    for (size_t i = 0; i < NAMES_COUNT && used < sizeof known; i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i == 0 ? "" : ", ",
                                 names[i].name);
    return config_refuse(report, path, "'%s' is no impairment; here are known: %s",
                         config_quote(text).text, known);
}

int config_impair_parse(const struct config_report *report, const char *path, const char *text,
                        struct config_impair *impair)
{
    size_t length = strcspn(text, " ");

    for (size_t i = 0; i < NAMES_COUNT; i++) {
        unsigned value = 0, before;

        if (strncmp(names[i].name, text, length) != 0 || names[i].name[length] != '\0')
            continue;
        if (!read_value(names[i].kind, text + length, &value))
            return config_refuse(report, path, "'%s': %s %s", config_quote(text).text,
                                 names[i].name, wanted[names[i].kind]);
        memcpy(&before, (const char *)impair + names[i].offset, sizeof before);
        if (before != 0)
            return config_refuse(report, path, "%s is given twice", names[i].name);
        memcpy((char *)impair + names[i].offset, &value, sizeof value);
        return 0;
    }
    return refuse_unknown(report, path, text);
}

int config_impair_check(const struct config_report *report, const struct config *config,
                        unsigned index)
{
    const struct config_impair *impair = config->ports[index].impair;
    char path[CONFIG_PATH_SIZE];

    if (impair == NULL)
        return 0;
    snprintf(path, sizeof path, "ports[%u].impair", index);
    for (size_t i = 0; i < NAMES_COUNT; i++) {
        unsigned value;

        memcpy(&value, (const char *)impair + names[i].offset, sizeof value);
        if (names[i].kind == KIND_SHARE && value > CONFIG_IMPAIR_WHOLE)
            return config_refuse(report, path, "%s: more than all frames", names[i].name);
        if (names[i].kind == KIND_MICROSECONDS && value > CONFIG_MAX_DELAY_US)
            return config_refuse(report, path, "%s: more than a minute", names[i].name);
    }
    if (impair->link_up_after != 0 && impair->link_down_after == 0)
        return config_refuse(report, path, "link-up-after without link-down-after");
    if (impair->link_up_after != 0 && impair->link_up_after <= impair->link_down_after)
        return config_refuse(report, path, "link-up-after %u is not after link-down-after %u",
                             impair->link_up_after, impair->link_down_after);
    if (impair->link_repeat_every != 0 && impair->link_up_after == 0)
        return config_refuse(report, path, "link-repeat-every without link-up-after");
    if (impair->link_repeat_every != 0 && impair->link_repeat_every <= impair->link_up_after)
        return config_refuse(report, path, "link-repeat-every %u is not after link-up-after %u",
                             impair->link_repeat_every, impair->link_up_after);
    return 0;
}
