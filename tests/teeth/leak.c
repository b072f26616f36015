/* SPDX-License-Identifier: BSD-3-Clause */
/* Planted: memory that nobody frees. Criterion alone passes this test. */
#include "support/suite.h"

#include <stdlib.h>

static char *volatile kept;

SUITE_TEST(leak, forgets_what_it_allocated)
{
    kept = malloc(4096);
    CHECK(kept);
    kept = NULL;
}
