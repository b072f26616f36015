/* SPDX-License-Identifier: BSD-3-Clause */
#include "receive_mode.h"

#include <stddef.h>
#include <string.h>

static const struct receive_mode *const modes[] = {
    &receive_blocking,
    &receive_nonblocking,
    &receive_event,
    &receive_apc,
};

const struct receive_mode *receive_mode_find(const char *name)
{
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
        if (strcmp(modes[i]->name, name) == 0)
            return modes[i];
    return NULL;
}
