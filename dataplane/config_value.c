/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_value.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"

int config_value_refuse_range(const struct config_report *report,
                              const struct config_option *option, const char *path,
                              const char *text, bool above)
{
    char values[CONFIG_VALUES_SIZE];
    /* A list's is about its entries, not their numbers. */
    bool too_many = above && option->kind == CONFIG_KIND_NUMBER && option->too_many != NULL;

    config_option_values(option, values, sizeof(values));
    return config_refuse(report, path, "%s%s%s is out of range: %s",
                         too_many ? option->too_many : "", too_many ? ": " : "",
                         config_quote(text).text, values);
}

static int refuse_text(const struct config_report *report, const struct config_option *option,
                       const char *path, const char *text)
{
    char values[CONFIG_VALUES_SIZE];

    config_option_values(option, values, sizeof(values));
    if (text[0] == '\0')
        return config_refuse(report, path, "has no value; expected: %s", values);
    return config_refuse(report, path, "'%s' is no value; expected: %s", config_quote(text).text,
                         values);
}

int config_value_number(const struct config_report *report, const struct config_option *option,
                        const char *path, const char *text, unsigned *value)
{
    const char *digits = text[0] == '-' ? text + 1 : text;
    size_t length = strspn(digits, DIGITS);
    unsigned long long number;

    if (option->maximum == 0 || length == 0 || digits[length] != '\0' ||
        (digits[0] == '0' && length > 1))
        return refuse_text(report, option, path, text);
    number = strtoull(digits, NULL, 10); /* ULLONG_MAX if it is more */
    if (text[0] == '-' || number < option->minimum || number > option->maximum)
        return config_value_refuse_range(report, option, path, text,
                                         text[0] != '-' && number > option->maximum);
    *value = (unsigned)number;
    return 0;
}
