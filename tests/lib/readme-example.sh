#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
#   readme-example.sh PREFIX BUILD    the receiver in README.md works as it stands there
#
# The first ```c block of README.md becomes receiver.c in an empty directory, with BUILD as build/ and
# the wirerx installed under PREFIX on all search paths. The next ```sh block is run there, each
# command must succeed and something must be printed; if a ```text block follows, exactly that. The
# second ```c block is a fragment, of a function that has a socket and an epoll; it compiles.

set -eu
prefix=$(cd "$1" && pwd)
build=$(cd "$2" && pwd)
readme=$PWD/README.md
[ -f "$readme" ] || { echo "there is no README.md yet"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

awk '
    /^```/ && !inside { language = substr($0, 4); inside = 1; next }
    /^```/            { inside = 0; if (file) { close(file); file = "" } next }
    inside && !file   {
        if (language == "c" && !have_c)                   { have_c = 1; file = "receiver.c" }
        else if (language == "c" && !have_loop)           { have_loop = 1; file = "loop" }
        else if (language == "sh" && have_c && !have_sh)  { have_sh = 1; file = "commands" }
        else if (language == "text" && have_sh && !have_text) { have_text = 1; file = "expected" }
        else if (language != "")                          next
    }
    inside && file    { print > file }' "$readme"
for file in receiver.c commands loop; do
    [ -s $file ] || { echo "README.md lacks the block for $file"; exit 1; }
done

ln -s "$build" build
pkgconfig=$(find "$prefix" -name wirerx.pc -printf '%h')
export PKG_CONFIG_PATH=$pkgconfig LD_LIBRARY_PATH=${pkgconfig%/*} PATH=$prefix/bin:$PATH
echo "== receiver.c, $(grep -c . receiver.c) lines"
# shellcheck disable=SC2046 # flags are words
gcc -std=c11 -Wall -Wextra -Werror $(pkg-config --cflags wirerx) -fsyntax-only receiver.c
{
    printf '#include <%s>\n' sys/epoll.h winsock2.h wirerx.h
    echo 'void wait_in(int loop, SOCKET s, WSABUF buffer, DWORD bytes, DWORD flags);'
    echo 'void wait_in(int loop, SOCKET s, WSABUF buffer, DWORD bytes, DWORD flags)'
    echo '{'
    cat loop
    echo '}'
} >loop.c
# shellcheck disable=SC2046
gcc -std=gnu11 -Wall -Wextra -Werror $(pkg-config --cflags wirerx) -fsyntax-only loop.c
echo "== commands"
cat commands
timeout 120 sh -eu commands >output
echo "== output"
cat output
[ -s output ] || { echo "the commands printed nothing"; exit 1; }
[ ! -f expected ] || diff expected output
