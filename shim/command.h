/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_SHIM_COMMAND_H
#define WIRERX_SHIM_COMMAND_H

/**
 * @file
 * What the parts of the `wirerx` command share: the sub-commands, their options, their exit
 * statuses. The rows of these tables carry the documentation that --help and the man page print.
 */

#include <stdbool.h>
#include <stddef.h>

/** Exit statuses; the text is in manual.c. */
enum command_status {
    STATUS_OK = 0,
    STATUS_FAILED = 1,  /**< it began and could not be finished */
    STATUS_REFUSED = 2, /**< it could not begin */
};

/** One line: what was wrong, where, what to do. */
struct command_error {
    char text[640];
};

/** Set the line. @return -1, so that a caller can return with it. */
int command_error(struct command_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** One option of a sub-command. */
struct option_row {
    const char *name;     /**< without the dashes */
    const char *argument; /**< what the help calls its argument; NULL: a switch */
    const char *help;     /**< sentences, without line breaks */
    bool repeatable;
    /** Take a value (NULL for a switch) into `target`. @return 0, or -1 with the error set. */
    int (*set)(void *target, const char *value, struct command_error *error);
};

/** One sub-command. */
struct command_row {
    const char *name;
    const char *synopsis;           /**< what follows its name on a command line */
    const char *summary;            /**< one line */
    const char *const *description; /**< paragraphs, NULL at the end */
    const struct option_row *options;
    size_t option_count;
    int (*run)(int argc, char **argv); /**< argv[0] is its name; @return an exit status */
    /** Print more documentation on the standard output: as text, or as a section of the manual page.
     *  NULL: there is none. */
    void (*describe_more)(bool as_man_page);
};

extern const struct command_row command_recv;
extern const struct command_row command_check;

/** Every sub-command there is. */
extern const struct command_row *const commands[];
extern const size_t command_count;

#endif
