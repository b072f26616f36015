/* SPDX-License-Identifier: BSD-3-Clause */
/* Planted: a check that does not hold, after a test that passes. */
#include "support/suite.h"

SUITE_TEST(failure, passes)
{
    CHECK(true);
}

SUITE_TEST(failure, finds_something_else)
{
    CHECK_EQ_U64(1, 2);
}
