/* SPDX-License-Identifier: BSD-3-Clause */
/* CMake wants a source in every library; the shared one takes all its code from the archives. */
typedef int wirerx_nothing;
