/* SPDX-License-Identifier: BSD-3-Clause */
/* Planted: signed overflow. */
#include "support/suite.h"

#include <limits.h>

static volatile int most = INT_MAX;

SUITE_TEST(undefined, counts_past_the_largest_int)
{
    most = most + 1;
    CHECK(most != 0);
}
