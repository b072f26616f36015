/* SPDX-License-Identifier: BSD-3-Clause */
/* Planted: the end of the test's process. */
#include "support/suite.h"

#include <stdlib.h>

SUITE_TEST(crash, does_not_come_back)
{
    abort();
}
