/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_document.h"

#include <cyaml/cyaml.h>
#include <stdlib.h>
#include <string.h>

/* libcyaml's picture of the option table. It points into itself: never copied. */
struct schema {
    cyaml_schema_field_t fields[4][CONFIG_SECTION_OPTIONS + 1];
    unsigned sections; /* of fields, used so far */
    cyaml_schema_value_t entries[CONFIG_SECTION_OPTIONS];
    unsigned lists; /* of entries, used so far */
    cyaml_schema_value_t top;
};

static const cyaml_schema_value_t text_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t *build_section(struct schema *schema, const char *name);

/* The schema of one mapping whose options are rows of the table. */
static cyaml_schema_value_t build_mapping(struct schema *schema, const char *name,
                                          enum cyaml_flag flags)
{
    return (cyaml_schema_value_t){
        .type = CYAML_MAPPING,
        .flags = flags,
        .data_size = sizeof(struct config_section),
        .mapping.fields = build_section(schema, name),
    };
}

static cyaml_schema_value_t build_list(struct schema *schema, cyaml_schema_value_t entry,
                                       uint32_t entry_size)
{
    cyaml_schema_value_t *kept = &schema->entries[schema->lists++];

    *kept = entry;
    return (cyaml_schema_value_t){
        .type = CYAML_SEQUENCE,
        .flags = CYAML_FLAG_POINTER,
        .data_size = entry_size,
        /* config_check() bounds the count, so that programs meet the same bound. */
        .sequence = {.entry = kept, .min = 0, .max = CYAML_UNLIMITED},
    };
}

static cyaml_schema_value_t build_value(struct schema *schema, const struct config_option *option)
{
    cyaml_schema_value_t value;

    switch (option->kind) {
    case CONFIG_KIND_LIST:
        value = build_list(schema, text_schema, sizeof(char *));
        break;
    case CONFIG_KIND_SECTION:
        value = build_mapping(schema, option->name, CYAML_FLAG_POINTER);
        break;
    case CONFIG_KIND_SECTIONS:
        value = build_list(schema, build_mapping(schema, option->name, CYAML_FLAG_DEFAULT),
                           sizeof(struct config_section));
        break;
    default:
        value = text_schema;
        break;
    }
    if (!option->required)
        value.flags = (enum cyaml_flag)(value.flags | CYAML_FLAG_OPTIONAL);
    return value;
}

static const cyaml_schema_field_t *build_section(struct schema *schema, const char *name)
{
    cyaml_schema_field_t *fields = schema->fields[schema->sections++];
    uint32_t used = 0;

    for (unsigned i = 0; i < config_options_count; i++) {
        const struct config_option *option = &config_options[i];
        uint32_t offset = used * (uint32_t)sizeof(struct config_slot);

        if (strcmp(option->section, name) != 0)
            continue;
        fields[used++] = (cyaml_schema_field_t){
            .key = option->name,
            .data_offset = offset + (uint32_t)offsetof(struct config_slot, value),
            .count_offset = offset + (uint32_t)offsetof(struct config_slot, count),
            .count_size = sizeof(unsigned),
            .value = build_value(schema, option),
        };
    }
    return fields; /* zeroed beyond, which ends it */
}

/* What libcyaml says of a failure: one message, then where, from the inside out. */
struct complaint {
    char message[256];
    char path[CONFIG_PATH_SIZE];
    bool incomplete; /* the innermost place is not where the fault is */
};

#define LOADING "Load: "
#define MISSING_KEY "Missing required mapping field: "
#define UNKNOWN_KEY "Unexpected key: "
#define IN_ENTRY "  in sequence entry "

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* Keys that are known and indices, so that there is always room. */
static void prepend(char path[CONFIG_PATH_SIZE], const char *part)
{
    const char *joint = path[0] == '\0' || path[0] == '[' ? "" : ".";
    size_t length = strlen(part) + strlen(joint);

    if (length + strlen(path) >= CONFIG_PATH_SIZE)
        return;
    memmove(path + length, path, strlen(path) + 1);
    memcpy(path, part, strlen(part));
    memcpy(path + strlen(part), joint, strlen(joint));
}

/* "  in mapping field 'queues' (line: 4, column: 5)", "  in sequence entry '1' (...)" */
static void note_place(struct complaint *complaint, const char *line)
{
    const char *quote = strchr(line, '\'');
    char part[CONFIG_PATH_SIZE];
    unsigned long entry;

    if (!begins_with(line, "  in "))
        return;
    if (complaint->incomplete) {
        complaint->incomplete = false;
        return;
    }
    if (quote == NULL)
        return;
    if (begins_with(line, IN_ENTRY)) {
        entry = strtoul(quote + 1, NULL, 10);
        if (entry == 0) /* libcyaml counts from one; this is before the first */
            return;
        snprintf(part, sizeof(part), "[%lu]", entry - 1);
    } else {
        snprintf(part, sizeof(part), "%.*s", (int)strcspn(quote + 1, "'"), quote + 1);
    }
    prepend(complaint->path, part);
}

static void note_line(cyaml_log_t level, void *context, const char *format, va_list arguments)
{
    struct complaint *complaint = context;
    char line[256];

    if (level < CYAML_LOG_ERROR)
        return;
    vsnprintf(line, sizeof(line), format, arguments);
    line[strcspn(line, "\n")] = '\0';
    if (complaint->message[0] != '\0') {
        note_place(complaint, line);
        return;
    }
    snprintf(complaint->message, sizeof(complaint->message), "%s",
             begins_with(line, LOADING) ? line + strlen(LOADING) : line);
    /* The place is then the last key that the mapping does have. */
    complaint->incomplete = begins_with(complaint->message, MISSING_KEY);
}

/* The section that a path leads to, as rows name it: "ports[0]" is "ports". */
static void section_of(const char *path, char *section, size_t size)
{
    snprintf(section, size, "%.*s", (int)strcspn(path, "["), path);
}

static void list_keys(const char *section, char *text, size_t size)
{
    size_t used = 0;

    for (unsigned i = 0; i < config_options_count && used < size; i++) {
        if (strcmp(config_options[i].section, section) == 0)
            used += (size_t)snprintf(text + used, size - used, "%s%s", used == 0 ? "" : ", ",
                                     config_options[i].name);
    }
}

static int refuse_unknown(const struct config_report *report, const char *parent, const char *key)
{
    char path[2 * CONFIG_PATH_SIZE];
    char section[CONFIG_PATH_SIZE];
    char keys[256] = "";

    section_of(parent, section, sizeof(section));
    list_keys(section, keys, sizeof(keys));
    snprintf(path, sizeof(path), "%s%s%s", parent, parent[0] == '\0' ? "" : ".", key);
    return config_refuse(report, path, "unknown option; here are known: %s", keys);
}

/* What libcyaml says of another shape than the table's, and what we say. */
static const struct {
    const char *message;
    const char *reason;
} shapes[] = {
    {"Expecting SEQUENCE", "a list is expected, such as [a, b]"},
    {"Expecting MAPPING", "options are expected, such as name: value"},
    {"Expecting STRING", "a single value is expected"},
};

static int refuse_complaint(const struct config_report *report, const struct complaint *complaint)
{
    const char *message = complaint->message;
    const char *path = complaint->path[0] == '\0' ? NULL : complaint->path;

    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        if (begins_with(message, shapes[i].message))
            return config_refuse(report, path, "%s", shapes[i].reason);
    }
    if (begins_with(message, MISSING_KEY))
        return config_refuse(report, path, "%s is missing, which is required",
                             message + strlen(MISSING_KEY));
    if (begins_with(message, UNKNOWN_KEY))
        return refuse_unknown(report, complaint->path, message + strlen(UNKNOWN_KEY));
    return config_refuse(report, path, "%s", message);
}

struct config_document {
    struct schema schema;
    cyaml_config_t cyaml;
    struct config_section *top;
};

static int load(const struct config_report *report, struct config_document *document,
                const char *yaml, size_t length)
{
    struct complaint complaint = {0};
    cyaml_err_t outcome;

    document->schema.top = build_mapping(&document->schema, "", CYAML_FLAG_POINTER);
    document->cyaml = (cyaml_config_t){
        .log_fn = note_line,
        .log_ctx = &complaint,
        .mem_fn = cyaml_mem,
        .log_level = CYAML_LOG_ERROR,
        .flags = CYAML_CFG_NO_ALIAS,
    };
    outcome = cyaml_load_data((const uint8_t *)yaml, length, &document->cyaml,
                              &document->schema.top, (cyaml_data_t **)&document->top, NULL);
    document->cyaml.log_ctx = NULL;
    document->cyaml.log_fn = NULL;
    if (outcome == CYAML_OK && document->top != NULL)
        return 0;
    /* What libyaml refuses was refused before: it can only be short of memory now. */
    if (outcome == CYAML_ERR_OOM || outcome == CYAML_ERR_LIBYAML_PARSER ||
        outcome == CYAML_ERR_LIBYAML_PARSER_INIT)
        return config_refuse(report, NULL, "out of memory");
    if (complaint.message[0] == '\0')
        snprintf(complaint.message, sizeof(complaint.message), "cannot be loaded: %s",
                 cyaml_strerror(outcome));
    return refuse_complaint(report, &complaint);
}

struct config_document *config_document_load(const struct config_report *report, const char *yaml,
                                             size_t length)
{
    struct config_document *document = calloc(1, sizeof(*document));

    if (document == NULL) {
        config_refuse(report, NULL, "out of memory");
        return NULL;
    }
    if (load(report, document, yaml, length) == 0)
        return document;
    free(document);
    return NULL;
}

const struct config_section *config_document_top(const struct config_document *document)
{
    return document->top;
}

void config_document_free(struct config_document *document)
{
    if (document == NULL)
        return;
    cyaml_free(&document->cyaml, &document->schema.top, document->top, 0);
    free(document);
}
