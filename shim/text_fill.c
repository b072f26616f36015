/* SPDX-License-Identifier: BSD-3-Clause */
#include "text_fill.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS 80u

void text_fill(const char *text, size_t indent, size_t column)
{
    bool first = true;

    while (*text != '\0') {
        size_t word = strcspn(text, " ");

        if (!first && column + 1 + word > COLUMNS) {
            putchar('\n');
            column = 0;
            first = true;
        }
        for (; column < indent; column++)
            putchar(' ');
        if (!first) {
            putchar(' ');
            column++;
        }
        fwrite(text, 1, word, stdout);
        column += word;
        text += word;
        text += strspn(text, " ");
        first = false;
    }
    putchar('\n');
}
