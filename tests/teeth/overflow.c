/* SPDX-License-Identifier: BSD-3-Clause */
/* Planted: one byte past the end of an allocation. */
#include "support/suite.h"

#include <stdlib.h>

static volatile size_t length = 64;

SUITE_TEST(overflow, writes_past_the_end)
{
    volatile char *bytes = malloc(length);

    CHECK(bytes);
    bytes[length] = 1;
    free((void *)(uintptr_t)bytes);
}
