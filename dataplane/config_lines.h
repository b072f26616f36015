/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CONFIG_LINES_H
#define WIRERX_CONFIG_LINES_H

/**
 * @file
 * The first pass over a configuration file: which line each value stands on, and refusal of what is
 * no YAML or is YAML that a configuration has no use for. libcyaml forgets lines once a value is
 * loaded, and gives that of the key before when a key is unknown; hence this map.
 */

#include "config_report.h"

struct config_lines;

/**
 * Walk through the text. Refused: what libyaml refuses, no or several documents, a root that is no
 * mapping, duplicate keys, keys that are no plain words, anchors, aliases, tags, NUL characters,
 * more than a few thousand values, and deep nesting. The report's `where` is not used.
 *
 * @return the map, to be freed with config_lines_free(), or NULL after config_refuse()
 */
struct config_lines *config_lines_read(const struct config_report *report, const char *yaml,
                                       size_t length);

/**
 * The line of a path such as "ports[0].queues": of its key, or of its value in a list. For a path
 * that the file does not have, the line of the nearest one around it; 0 if there is none.
 */
unsigned config_lines_where(const void *lines, const char *path);

void config_lines_free(struct config_lines *lines);

#endif
