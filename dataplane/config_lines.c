/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_lines.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* The largest sensible file has a thousand values, four levels deep, under keys of 12 letters. */
#define MAX_ENTRIES 4096u
#define MAX_DEPTH 8u
#define MAX_KEY 40u
#define PATH_SIZE (MAX_DEPTH * (MAX_KEY + sizeof(".[4096]")))

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

struct entry {
    char *path;
    unsigned line;
    unsigned container; /* that it stands in; for duplicates */
};

struct config_lines {
    struct entry entries[MAX_ENTRIES];
    unsigned count;
};

/* A mapping or sequence that is open. */
struct container {
    bool mapping;
    bool has_key;       /* a key was read whose value follows */
    unsigned index;     /* of the next value in a sequence */
    unsigned number;    /* tells containers apart */
    size_t path_length; /* of its own path */
};

struct reader {
    const struct config_report *report;
    struct config_lines *lines;
    char path[PATH_SIZE]; /* of the value being read */
    struct container open[MAX_DEPTH];
    unsigned depth;
    unsigned containers; /* seen so far */
    unsigned documents;
};

static unsigned line_of(const yaml_event_t *event)
{
    return (unsigned)event->start_mark.line + 1;
}

static int add_entry(struct reader *reader, unsigned line, unsigned container)
{
    struct config_lines *lines = reader->lines;
    struct entry *entry = &lines->entries[lines->count];

    if (lines->count == MAX_ENTRIES)
        return config_refuse_at(reader->report, line, NULL, "more than %u values", MAX_ENTRIES);
    entry->path = strdup(reader->path);
    if (entry->path == NULL)
        return config_refuse_at(reader->report, line, NULL, "out of memory");
    entry->line = line;
    entry->container = container;
    lines->count++;
    return 0;
}

static int refuse_duplicate(struct reader *reader, unsigned line, unsigned container)
{
    for (unsigned i = 0; i < reader->lines->count; i++) {
        const struct entry *entry = &reader->lines->entries[i];

        if (entry->container == container && strcmp(entry->path, reader->path) == 0)
            return config_refuse_at(reader->report, line, reader->path,
                                    "appears twice, first in line %u", entry->line);
    }
    return 0;
}

static bool is_plain_word(const char *text, size_t length)
{
    if (length == 0 || length > MAX_KEY)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    }
    return true;
}

static int read_key(struct reader *reader, struct container *container, const yaml_event_t *event)
{
    unsigned line = line_of(event);
    const char *key = (const char *)event->data.scalar.value;

    if (event->type != YAML_SCALAR_EVENT || !is_plain_word(key, event->data.scalar.length))
        return config_refuse_at(reader->report, line, NULL,
                                "a key that is no option's name: a plain word is expected");
    snprintf(reader->path + container->path_length, sizeof(reader->path) - container->path_length,
             "%s%s", container->path_length == 0 ? "" : ".", key);
    container->has_key = true;
    if (refuse_duplicate(reader, line, container->number) != 0)
        return -1;
    return add_entry(reader, line, container->number);
}

/* Settle the path of a value, which for a mapping its key has done already. */
static int place_value(struct reader *reader, const yaml_event_t *event)
{
    struct container *container;

    if (reader->depth == 0) {
        if (event->type != YAML_MAPPING_START_EVENT)
            return config_refuse_at(reader->report, line_of(event), NULL,
                                    "no options here: lines such as 'cores: [2]' are expected");
        return 0;
    }
    container = &reader->open[reader->depth - 1];
    if (container->mapping) {
        container->has_key = false;
        return 0;
    }
    snprintf(reader->path + container->path_length, sizeof(reader->path) - container->path_length,
             "[%u]", container->index++);
    return add_entry(reader, line_of(event), container->number);
}

static int open_container(struct reader *reader, const yaml_event_t *event)
{
    if (reader->depth == MAX_DEPTH)
        return config_refuse_at(reader->report, line_of(event), reader->path, "nested too deeply");
    reader->open[reader->depth++] = (struct container){
        .mapping = event->type == YAML_MAPPING_START_EVENT,
        .number = reader->containers++,
        .path_length = strlen(reader->path),
    };
    return 0;
}

static void close_container(struct reader *reader)
{
    reader->depth--;
    if (reader->depth > 0)
        reader->path[reader->open[reader->depth - 1].path_length] = '\0';
}

/* What stands beside a value: an anchor or a tag, which would be silently ignored otherwise. */
static int refuse_extras(struct reader *reader, const yaml_event_t *event,
                         const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor != NULL)
        return config_refuse_at(reader->report, line_of(event), NULL,
                                "anchors and aliases are not supported: write the value out");
    if (tag != NULL)
        return config_refuse_at(reader->report, line_of(event), NULL,
                                "tags are not supported: leave out '%s'",
                                config_quote((const char *)tag).text);
    return 0;
}

static int read_node(struct reader *reader, const yaml_event_t *event)
{
    struct container *container = reader->depth == 0 ? NULL : &reader->open[reader->depth - 1];

    if (container != NULL && container->mapping && !container->has_key)
        return read_key(reader, container, event);
    if (place_value(reader, event) != 0)
        return -1;
    return event->type == YAML_SCALAR_EVENT ? 0 : open_container(reader, event);
}

static int read_event(struct reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (reader->documents++ == 0)
            return 0;
        return config_refuse_at(reader->report, line_of(event), NULL,
                                "a second document: a configuration is one");
    case YAML_ALIAS_EVENT:
        return refuse_extras(reader, event, event->data.alias.anchor, NULL);
    case YAML_SCALAR_EVENT:
        if (refuse_extras(reader, event, event->data.scalar.anchor, event->data.scalar.tag) != 0)
            return -1;
        /* libcyaml would cut the text there. */
        if (memchr(event->data.scalar.value, '\0', event->data.scalar.length) != NULL)
            return config_refuse_at(reader->report, line_of(event), NULL,
                                    "a NUL character in a value");
        return read_node(reader, event);
    case YAML_SEQUENCE_START_EVENT:
        if (refuse_extras(reader, event, event->data.sequence_start.anchor,
                          event->data.sequence_start.tag) != 0)
            return -1;
        return read_node(reader, event);
    case YAML_MAPPING_START_EVENT:
        if (refuse_extras(reader, event, event->data.mapping_start.anchor,
                          event->data.mapping_start.tag) != 0)
            return -1;
        return read_node(reader, event);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        close_container(reader);
        return 0;
    default:
        return 0;
    }
}

static unsigned line_at(const char *yaml, size_t length, size_t offset)
{
    unsigned line = 1;

    for (size_t i = 0; i < length && i < offset; i++)
        line += yaml[i] == '\n';
    return line;
}

static int refuse_syntax(struct reader *reader, const yaml_parser_t *parser, const char *yaml,
                         size_t length)
{
    unsigned line = (unsigned)parser->problem_mark.line + 1;
    const char *problem = parser->problem == NULL ? "cannot be read" : parser->problem;

    if (parser->error == YAML_MEMORY_ERROR)
        return config_refuse_at(reader->report, 0, NULL, "out of memory");
    if (parser->error == YAML_READER_ERROR) /* before any line was counted: an offset is given */
        line = line_at(yaml, length, parser->problem_offset);
    return config_refuse_at(reader->report, line, NULL, "not valid YAML: %s", problem);
}

static int read_stream(struct reader *reader, yaml_parser_t *parser, const char *yaml,
                       size_t length)
{
    for (;;) {
        yaml_event_t event;
        bool last;
        int rc;

        if (!yaml_parser_parse(parser, &event))
            return refuse_syntax(reader, parser, yaml, length);
        last = event.type == YAML_STREAM_END_EVENT;
        rc = read_event(reader, &event);
        yaml_event_delete(&event);
        if (rc != 0)
            return rc;
        if (last)
            break;
    }
    if (reader->documents == 0)
        return config_refuse_at(reader->report, 0, NULL,
                                "empty: it needs at least cores and ports");
    return 0;
}

struct config_lines *config_lines_read(const struct config_report *report, const char *yaml,
                                       size_t length)
{
    const char *nul = length == 0 ? NULL : memchr(yaml, '\0', length);
    struct reader reader = {.report = report};
    size_t mark = 0;
    yaml_parser_t parser;
    int rc;

    if (nul != NULL) {
        config_refuse_at(report, line_at(yaml, length, (size_t)(nul - yaml)), NULL,
                         "a NUL byte: this is no text file");
        return NULL;
    }
    reader.lines = calloc(1, sizeof(*reader.lines));
    if (reader.lines == NULL || !yaml_parser_initialize(&parser)) {
        config_refuse_at(report, 0, NULL, "out of memory");
        free(reader.lines);
        return NULL;
    }
    /* Else two leading bytes could declare UTF-16, whose lines and quotes we do not show. With the
     * encoding given, libyaml takes a byte order mark for text. */
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    if (length >= 3 && memcmp(yaml, BYTE_ORDER_MARK, 3) == 0)
        mark = 3;
    yaml_parser_set_input_string(&parser, (const unsigned char *)yaml + mark, length - mark);
    rc = read_stream(&reader, &parser, yaml + mark, length - mark);
    yaml_parser_delete(&parser);
    if (rc == 0)
        return reader.lines;
    config_lines_free(reader.lines);
    return NULL;
}

static unsigned find_line(const struct config_lines *lines, const char *path, size_t length)
{
    for (unsigned i = 0; i < lines->count; i++) {
        const struct entry *entry = &lines->entries[i];

        if (strncmp(entry->path, path, length) == 0 && entry->path[length] == '\0')
            return entry->line;
    }
    return 0;
}

unsigned config_lines_where(const void *lines, const char *path)
{
    size_t length = strlen(path);

    while (length > 0) {
        unsigned line = find_line(lines, path, length);

        if (line != 0)
            return line;
        do
            length--;
        while (length > 0 && path[length] != '.' && path[length] != '[');
    }
    return 0;
}

void config_lines_free(struct config_lines *lines)
{
    if (lines == NULL)
        return;
    for (unsigned i = 0; i < lines->count; i++)
        free(lines->entries[i].path);
    free(lines);
}
