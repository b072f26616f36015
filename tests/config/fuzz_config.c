/* SPDX-License-Identifier: BSD-3-Clause */

/* A configuration file of any bytes is either refused with one clean line or is possible. */

#include "config.h"

#include <stdlib.h>
#include <string.h>

#define NAME "fuzz.yaml"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool held)
{
    if (!held)
        abort();
}

static void check_refusal(const struct config_error *error)
{
    must(strncmp(error->text, NAME ":", strlen(NAME ":")) == 0);
    must(strlen(error->text) > strlen(NAME ": "));
    for (const char *c = error->text; *c != '\0'; c++)
        must((unsigned char)*c >= 0x20 && *c != 0x7f);
}

static void check_accepted(struct config *config)
{
    struct config copy;

    must(config_check(config, NULL, NULL, NULL, NULL) == 0);
    must(config_buffers(config) >= config_buffers_needed(config));
    must(config_memory_mb(config) > 0);
    must(config_copy(&copy, config) == 0);
    config_free(config);
    must(config_check(&copy, NULL, NULL, NULL, NULL) == 0);
    config_free(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_error error = {""};
    struct config config;

    if (config_parse(NAME, (const char *)data, size, &config, &error) == 0)
        check_accepted(&config);
    else
        check_refusal(&error);
    return 0;
}
