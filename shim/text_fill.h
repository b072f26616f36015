/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRERX_SHIM_TEXT_FILL_H
#define WIRERX_SHIM_TEXT_FILL_H

#include <stddef.h>

/** Print the words of `text` filled into lines of 80 columns, each `indent` columns in; the cursor stands at
 *  `column`. For the --help of the programs. */
void text_fill(const char *text, size_t indent, size_t column);

#endif
