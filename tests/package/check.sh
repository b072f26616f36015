#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#   check.sh PREFIX    what is installed under PREFIX serves a separate project: by pkg-config, by
#                      CMake, and from the place it is moved to; without a word of DPDK

set -eu
prefix=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

complain() {
    echo "package: $*" >&2
    exit 1
}

# An installed tree is not bound to the directory it was configured for.
cp -a "$prefix" "$work/moved"
prefix=$work/moved
pkgconfig=$(find "$prefix" -name wirerx.pc -printf '%h')
library=$(dirname "$pkgconfig")
export PKG_CONFIG_PATH=$pkgconfig

echo "== files"
for file in include/wirerx/{winsock2,ws2spi,ws2tcpip,mswsock,wirerx}.h bin/wirerx \
    share/man/man1/wirerx.1; do
    [ -s "$prefix/$file" ] || complain "$file is not installed"
done
[ "$(readlink "$library/libwirerx.so")" = libwirerx.so.0 ] || complain "libwirerx.so: no link"
readelf -d "$library/libwirerx.so" | grep -q 'SONAME.*\[libwirerx.so.0\]' || complain "wrong SONAME"
! readelf -d "$library/libwirerx.so" "$prefix/bin/wirerx" | grep -E 'R(UN)?PATH.*/build/' ||
    complain "an installed file looks for libraries in the build tree"
man --warnings -l "$prefix/share/man/man1/wirerx.1" >"$work/man" 2>"$work/man.errors"
[ ! -s "$work/man.errors" ] || complain "man: $(cat "$work/man.errors")"
grep -q recv "$work/man" || complain "man shows nothing of \`wirerx recv\`"

echo "== the installed command"
"$prefix/bin/wirerx" --version

echo "== pkg-config"
pkg-config --print-errors --exists 'wirerx >= 0.1'
words=$(pkg-config --cflags --libs wirerx)
echo "$words"
! grep -qi -e dpdk -e rte_ -e march <<<"$words" || complain "DPDK shows in the flags of a client"
# shellcheck disable=SC2086 # flags are words
gcc -Wall -Wextra -Werror '-DBUILT_WITH="pkg-config"' "$here/consumer.c" "$here/other_spelling.c" \
    $words -o "$work/by-pkg-config"
LD_LIBRARY_PATH=$library timeout 60 "$work/by-pkg-config" "$work/one.pcap"

echo "== CMake"
cmake -S "$here" -B "$work/cmake" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" \
    -DCMAKE_DISABLE_FIND_PACKAGE_PkgConfig=ON >"$work/cmake.log" || complain "$(cat "$work/cmake.log")"
cmake --build "$work/cmake"
timeout 60 "$work/cmake/consumer" "$work/one.pcap" # CMake gives it the way to the library
