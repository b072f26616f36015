/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CONFIG_DOCUMENT_H
#define WIRERX_CONFIG_DOCUMENT_H

/**
 * @file
 * A configuration file as libcyaml loads it: the shape of the option table, every value still a
 * text. So unknown keys, missing keys and wrong shapes are found here; what a text means, where the
 * table is read.
 */

#include "config_options.h"

/**
 * One option: by its kind a text (char *), texts (char **), a section, or an array of sections.
 */
struct config_slot {
    void *value;    /**< NULL if the file does not have it */
    unsigned count; /**< of texts or sections */
};

/** The options of a section, in the order of their rows. */
struct config_section {
    struct config_slot slots[CONFIG_SECTION_OPTIONS];
};

struct config_document;

/**
 * Load a text that config_lines_read() has accepted.
 *
 * @return to be freed with config_document_free(), or NULL after config_refuse()
 */
struct config_document *config_document_load(const struct config_report *report, const char *yaml,
                                             size_t length);

/** The options outside of any section. */
const struct config_section *config_document_top(const struct config_document *document);

void config_document_free(struct config_document *document);

#endif
