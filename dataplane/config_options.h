/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_CONFIG_OPTIONS_H
#define WIRERX_CONFIG_OPTIONS_H

/**
 * @file
 * The table of all options. A row carries everything that is known about one option: its name in
 * YAML, what it accepts, its default, where it is kept and its documentation. The YAML schema,
 * config_default(), config_check() and the manual are made from it.
 */

#include "config_report.h"

enum config_kind {
    CONFIG_KIND_NUMBER,   /**< minimum to maximum; kept as unsigned */
    CONFIG_KIND_CHOICE,   /**< one of choices, kept as its index; or a number if maximum is not 0 */
    CONFIG_KIND_TEXT,     /**< kept as char * */
    CONFIG_KIND_LIST,     /**< up to `most` texts */
    CONFIG_KIND_SECTION,  /**< a mapping of the options whose `section` is this name */
    CONFIG_KIND_SECTIONS, /**< a list of up to `most` such mappings */
};

struct config_option {
    const char *section; /**< "" for the top level */
    const char *name;
    enum config_kind kind;
    bool required;
    unsigned minimum; /**< of a number, also in a list */
    unsigned maximum;
    unsigned most;              /**< entries of a list */
    unsigned fallback;          /**< the default: a number or the index of a choice */
    const char *unit;           /**< of a number, with a leading space, or "" */
    const char *too_many;       /**< begins the error for more than maximum or most, or NULL */
    const char *const *choices; /**< ends with NULL */
    size_t offset;              /**< of a number or choice in struct config_port or struct config */
    const char *help;
};

extern const struct config_option config_options[];
extern const unsigned config_options_count;

/** The most options that one section has. */
#define CONFIG_SECTION_OPTIONS 32

/** The row of a section and name; NULL if there is none. */
const struct config_option *config_option_find(const char *section, const char *name);

/** Room for what config_option_values() writes. */
#define CONFIG_VALUES_SIZE 128

/** Write what a number, choice or list accepts, such as "68 to 9702 bytes". */
void config_option_values(const struct config_option *option, char *text, size_t size);

/** Give every number and choice of one section its default. */
void config_options_default(const char *section, void *values);

/** Read or write a number or choice in the structure that its row's offset belongs to. */
unsigned config_option_get(const struct config_option *option, const void *values);
void config_option_set(const struct config_option *option, void *values, unsigned value);

#endif
