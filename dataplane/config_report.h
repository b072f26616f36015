/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CONFIG_REPORT_H
#define WIRERX_CONFIG_REPORT_H

/**
 * @file
 * How a configuration is refused: one line `file:line: path: reason`, whose parts are left out when
 * they are not known.
 */

#include "config.h"

struct config_report {
    struct config_error *error;                           /**< receives the line; may be NULL */
    const char *name;                                     /**< the file, or NULL */
    unsigned (*where)(const void *map, const char *path); /**< or NULL */
    const void *map;
};

/**
 * Write the line.
 *
 * @param path  such as "ports[0].queues", whose line `where` is asked for; NULL for the whole file
 * @return -1 always, so that a caller can return it
 */
int config_refuse(const struct config_report *report, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** As config_refuse() for a line that is known already (0: not known). */
int config_refuse_at(const struct config_report *report, unsigned line, const char *path,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

/** Room for a path such as "ports[15].addresses[31]". */
#define CONFIG_PATH_SIZE 128

/** Text of a user inside an error: whole if short, else its beginning and "...". */
struct config_quote {
    char text[64];
};
struct config_quote config_quote(const char *text);

#endif
