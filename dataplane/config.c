/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"

#include "config_convert.h"
#include "config_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILE (1u << 20)

struct config config_default(void)
{
    struct config config = {0};

    config_options_default("memory", &config);
    config_options_default("sockets", &config);
    return config;
}

struct config_port config_port_default(void)
{
    struct config_port port = {0};

    config_options_default("ports", &port);
    return port;
}

static void free_port(struct config_port *port)
{
    free(port->device);
    free(port->addresses);
    free(port->routes);
    free(port->kernel);
    free(port->kernel_rules);
    free(port->neighbours);
    free(port->impair);
}

void config_free(struct config *config)
{
    for (unsigned i = 0; i < config->ports_count && config->ports != NULL; i++)
        free_port(&config->ports[i]);
    free(config->ports);
    free(config->cores);
    memset(config, 0, sizeof(*config));
}

/* NULL for nothing to copy, too. */
static void *copy_array(const void *from, unsigned count, size_t size)
{
    void *to = count == 0 || from == NULL ? NULL : malloc(count * size);

    if (to != NULL)
        memcpy(to, from, count * size);
    return to;
}

static int copy_port(struct config_port *to, const struct config_port *from)
{
    *to = *from;
    to->device = from->device == NULL ? NULL : strdup(from->device);
    to->addresses = copy_array(from->addresses, from->addresses_count, sizeof(*from->addresses));
    to->routes = copy_array(from->routes, from->routes_count, sizeof(*from->routes));
    to->kernel = from->kernel == NULL ? NULL : strdup(from->kernel);
    to->kernel_rules =
        copy_array(from->kernel_rules, from->kernel_rules_count, sizeof(*from->kernel_rules));
    to->neighbours =
        copy_array(from->neighbours, from->neighbours_count, sizeof(*from->neighbours));
    to->impair = copy_array(from->impair, 1, sizeof(*from->impair));
    if ((from->device != NULL && to->device == NULL) ||
        (from->impair != NULL && to->impair == NULL) ||
        (from->kernel != NULL && to->kernel == NULL) ||
        (from->kernel_rules_count > 0 && to->kernel_rules == NULL) ||
        (from->addresses_count > 0 && to->addresses == NULL) ||
        (from->routes_count > 0 && to->routes == NULL) ||
        (from->neighbours_count > 0 && to->neighbours == NULL)) {
        free_port(to);
        return -1;
    }
    return 0;
}

int config_copy(struct config *to, const struct config *from)
{
    struct config copy = *from;

    copy.ports_count = 0; /* those that are complete, for config_free() */
    copy.cores = copy_array(from->cores, from->cores_count, sizeof(*from->cores));
    copy.ports = from->ports_count == 0 ? NULL : calloc(from->ports_count, sizeof(*copy.ports));
    if ((from->cores_count > 0 && copy.cores == NULL) ||
        (from->ports_count > 0 && copy.ports == NULL))
        goto fail;
    for (; copy.ports_count < from->ports_count; copy.ports_count++) {
        if (copy_port(&copy.ports[copy.ports_count], &from->ports[copy.ports_count]) != 0)
            goto fail;
    }
    *to = copy;
    return 0;

fail:
    config_free(&copy);
    return -1;
}

static int parse_known_lines(const struct config_report *report, const char *yaml, size_t length,
                             struct config *config)
{
    struct config_document *document = config_document_load(report, yaml, length);
    struct config read = config_default();
    int rc;

    if (document == NULL)
        return -1;
    rc = config_convert(report, config_document_top(document), &read);
    config_document_free(document);
    if (rc == 0)
        rc = config_check(&read, report->error, report->where, report->map, report->name);
    if (rc == 0)
        *config = read;
    else
        config_free(&read);
    return rc;
}

int config_parse(const char *name, const char *yaml, size_t length, struct config *config,
                 struct config_error *error)
{
    struct config_report report = {.error = error, .name = name};
    struct config_lines *lines;
    int rc;

    if (length > MAX_FILE)
        return config_refuse(&report, NULL, "larger than %u bytes: this is no configuration",
                             MAX_FILE);
    lines = config_lines_read(&report, length == 0 ? "" : yaml, length);
    if (lines == NULL)
        return -1;
    report.where = config_lines_where;
    report.map = lines;
    rc = parse_known_lines(&report, yaml, length, config);
    config_lines_free(lines);
    return rc;
}

/* A file that grows beyond the bound meanwhile is read to one byte above it, and refused later. */
static ssize_t read_all(int fd, char *text, size_t size)
{
    size_t used = 0;

    while (used < size) {
        ssize_t got = read(fd, text + used, size - used);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        used += (size_t)got;
    }
    return (ssize_t)used;
}

static int load_open(const struct config_report *report, int fd, struct config *config)
{
    struct stat status;
    ssize_t length;
    char *text;
    int rc;

    if (fstat(fd, &status) != 0)
        return config_refuse(report, NULL, "cannot be read: %m");
    if (!S_ISREG(status.st_mode))
        return config_refuse(report, NULL, "cannot be read: %s",
                             S_ISDIR(status.st_mode) ? "it is a directory"
                                                     : "it is no regular file");
    text = malloc(MAX_FILE + 1);
    if (text == NULL)
        return config_refuse(report, NULL, "out of memory");
    length = read_all(fd, text, MAX_FILE + 1);
    if (length < 0)
        rc = config_refuse(report, NULL, "cannot be read: %m");
    else
        rc = config_parse(report->name, text, (size_t)length, config, report->error);
    free(text);
    return rc;
}

int config_load(const char *path, struct config *config, struct config_error *error)
{
    struct config_report report = {.error = error, .name = path};
    /* O_NONBLOCK: opening a FIFO must not wait for its writer, as it is refused anyway. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int rc;

    if (fd < 0)
        return config_refuse(&report, NULL, "cannot be opened: %m");
    rc = load_open(&report, fd, config);
    close(fd);
    return rc;
}
