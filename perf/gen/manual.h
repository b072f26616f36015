/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_GEN_MANUAL_H
#define WIRERX_GEN_MANUAL_H

/**
 * @file
 * wirerx-gen's documentation, printed from the table that its command line is read by.
 */

#include <stddef.h>

struct gen_options;

struct gen_option_row {
    const char *name;
    const char *argument; /**< NULL: a switch */
    const char *help;     /**< sentences, without line breaks */
    /** @return 0, or -1 after one line on standard error */
    int (*take)(struct gen_options *options, const char *name, const char *text);
};

#define GEN_OPTION_ROWS 24u
extern const struct gen_option_row gen_option_rows[GEN_OPTION_ROWS];

/** `wirerx-gen --help`. */
void gen_manual_help(void);

/** wirerx-gen(1), for man(1). */
void gen_manual_page(void);

#endif
