/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_options.h"

#include <string.h>

#define WIDTH 80
#define INDENT 8

struct described {
    char name[64];
    char values[CONFIG_VALUES_SIZE + 64];
    char fallback[64];
};

static void describe_values(const struct config_option *option, struct described *described)
{
    char values[CONFIG_VALUES_SIZE];

    config_option_values(option, values, sizeof(values));
    switch (option->kind) {
    case CONFIG_KIND_TEXT:
        snprintf(described->values, sizeof(described->values), "text");
        break;
    case CONFIG_KIND_LIST:
        snprintf(described->values, sizeof(described->values), "list of up to %u%s%s", option->most,
                 values[0] == '\0' ? "" : ", each ", values);
        break;
    case CONFIG_KIND_SECTIONS:
        snprintf(described->values, sizeof(described->values), "list of up to %u", option->most);
        break;
    case CONFIG_KIND_SECTION:
        snprintf(described->values, sizeof(described->values), "section");
        break;
    case CONFIG_KIND_NUMBER:
    case CONFIG_KIND_CHOICE:
        snprintf(described->values, sizeof(described->values), "%s", values);
        break;
    }
}

static void describe_fallback(const struct config_option *option, struct described *described)
{
    described->fallback[0] = '\0';
    if (option->required)
        snprintf(described->fallback, sizeof(described->fallback), "required");
    else if (option->kind == CONFIG_KIND_NUMBER)
        snprintf(described->fallback, sizeof(described->fallback), "default %u", option->fallback);
    else if (option->kind == CONFIG_KIND_CHOICE)
        snprintf(described->fallback, sizeof(described->fallback), "default %s",
                 option->choices[option->fallback]);
}

static struct described describe(const struct config_option *option)
{
    const struct config_option *parent = config_option_find("", option->section);
    struct described described;
    const char *joint = "";

    if (parent != NULL)
        joint = parent->kind == CONFIG_KIND_SECTIONS ? "[]." : ".";
    snprintf(described.name, sizeof(described.name), "%s%s%s", option->section, joint,
             option->name);
    describe_values(option, &described);
    describe_fallback(option, &described);
    return described;
}

/* One paragraph; lines after the first are indented. */
static void print_wrapped(FILE *out, int indent, const char *text)
{
    int column = 0;

    while (*text != '\0') {
        int word = (int)strcspn(text, " ");

        if (column != 0 && column + 1 + word > WIDTH) {
            fputc('\n', out);
            column = 0;
            indent = INDENT;
        }
        if (column == 0)
            column = fprintf(out, "%*s%.*s", indent, "", word, text);
        else
            column += fprintf(out, " %.*s", word, text);
        text += word;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

void config_describe(FILE *out)
{
    for (unsigned i = 0; i < config_options_count; i++) {
        const struct config_option *option = &config_options[i];
        struct described described = describe(option);
        char heading[sizeof(described) + sizeof(": ; ")];

        snprintf(heading, sizeof(heading), "%s: %s%s%s", described.name, described.values,
                 described.fallback[0] == '\0' ? "" : "; ", described.fallback);
        print_wrapped(out, 0, heading);
        print_wrapped(out, INDENT, option->help);
    }
}

/* For roff a backslash, a hyphen and a dot or quote that begins a line mean something else. */
static void print_roff(FILE *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", out);
    for (; *text != '\0'; text++) {
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
    }
}

void config_describe_man(FILE *out)
{
    fputs(".SH CONFIGURATION\n", out);
    for (unsigned i = 0; i < config_options_count; i++) {
        const struct config_option *option = &config_options[i];
        struct described described = describe(option);

        fputs(".TP\n.B ", out);
        print_roff(out, described.name);
        fputs("\n(", out);
        print_roff(out, described.values);
        if (described.fallback[0] != '\0')
            fputs("; ", out);
        print_roff(out, described.fallback);
        fputs(")\n.br\n", out);
        print_roff(out, option->help);
        fputc('\n', out);
    }
}
