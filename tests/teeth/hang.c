/* SPDX-License-Identifier: BSD-3-Clause */
/* Planted: a test that never ends. */
#include "support/suite.h"

#include <unistd.h>

SUITE_TEST(hang, never_ends)
{
    for (;;)
        pause();
}
