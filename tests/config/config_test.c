/* SPDX-License-Identifier: BSD-3-Clause */
#define SUITE_CHECKS_ONLY
#include "support/suite.h"

#include "config_test.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

unsigned test_core(void)
{
    cpu_set_t set;
    unsigned core = 0;

    CHECK_EQ_I64(sched_getaffinity(0, sizeof(set), &set), 0);
    while (!CPU_ISSET(core, &set))
        core++;
    return core;
}

char *test_text(const char *text)
{
    char *result = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&result, &size);

    for (; *text != '\0'; text++) {
        if (*text == '@')
            fprintf(stream, "%u", test_core());
        else
            fputc(*text, stream);
    }
    fclose(stream);
    return result;
}

int test_parse(const char *text, struct config *config, struct config_error *error)
{
    char *yaml = test_text(text);
    int rc = config_parse("t.yaml", yaml, strlen(yaml), config, error);

    free(yaml);
    return rc;
}

struct config test_config(void)
{
    struct config config = config_default();

    config.cores = malloc(sizeof(*config.cores));
    config.cores[0] = test_core();
    config.cores_count = 1;
    config.ports = malloc(sizeof(*config.ports));
    config.ports[0] = config_port_default();
    config.ports[0].device = strdup("vdev:net_null0");
    config.ports_count = 1;
    return config;
}

void test_refused(const struct config *config, const char *expected)
{
    struct config_error error = {""};

    CHECK_MSG(config_check(config, &error, NULL, NULL, NULL) == -1, "accepted: %s", expected);
    CHECK_EQ_STR(error.text, expected);
}

void test_all_refused(const struct refused *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct config config;
        struct config untouched;
        struct config_error error = {""};
        char *expected = test_text(rows[i].error);

        memset(&config, 0x5a, sizeof(config));
        untouched = config;
        CHECK_MSG(test_parse(rows[i].yaml, &config, &error) == -1, "accepted:\n%s", rows[i].yaml);
        CHECK_EQ_STR(error.text, expected);
        CHECK_EQ_MEM(&config, &untouched, sizeof(config));
        free(expected);
    }
}
