/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_report.h"

#include <stdarg.h>
#include <string.h>

/* A longer name is shown by its end, so that the reason always finds room. */
#define NAME_SHOWN 160

static void append(struct config_error *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void append_arguments(struct config_error *error, const char *format, va_list arguments)
{
    size_t used = strlen(error->text);

    vsnprintf(error->text + used, sizeof(error->text) - used, format, arguments);
}

static void append(struct config_error *error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    append_arguments(error, format, arguments);
    va_end(arguments);
}

/* A name or a value from a file may hold anything; the message stays one line on any terminal. */
static void make_printable(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
    }
}

static int refuse(const struct config_report *report, unsigned line, const char *path,
                  const char *format, va_list arguments)
{
    struct config_error *error = report->error;

    if (error == NULL)
        return -1;
    error->text[0] = '\0';
    if (report->name != NULL) {
        size_t length = strlen(report->name);

        if (length > NAME_SHOWN)
            append(error, "...%s", report->name + length - NAME_SHOWN);
        else
            append(error, "%s", report->name);
        if (line != 0)
            append(error, ":%u", line);
        append(error, ": ");
    }
    if (path != NULL)
        append(error, "%s: ", path);
    append_arguments(error, format, arguments);
    make_printable(error->text);
    return -1;
}

int config_refuse(const struct config_report *report, const char *path, const char *format, ...)
{
    unsigned line = 0;
    va_list arguments;

    if (path != NULL && report->where != NULL)
        line = report->where(report->map, path);
    va_start(arguments, format);
    refuse(report, line, path, format, arguments);
    va_end(arguments);
    return -1;
}

int config_refuse_at(const struct config_report *report, unsigned line, const char *path,
                     const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    refuse(report, line, path, format, arguments);
    va_end(arguments);
    return -1;
}

struct config_quote config_quote(const char *text)
{
    struct config_quote quote;
    int length = snprintf(quote.text, sizeof(quote.text), "%s", text);

    if (length >= (int)sizeof(quote.text))
        memcpy(quote.text + sizeof(quote.text) - 4, "...", 4);
    return quote;
}
