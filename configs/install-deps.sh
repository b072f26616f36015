#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# The one list of Debian packages that wirerx needs (Debian 12). Quick when all are there.
#
#   configs/install-deps.sh            what building and running takes
#   configs/install-deps.sh --tests    and what tests/run.sh takes
#   ... --check                        install nothing; print what is missing, exit 1 if anything is
#   ... --list                         print the packages, one a line

set -eu

build='
    gcc                 the compiler
    libc6-dev           its C library
    cmake               configures
    ninja-build         builds
    pkg-config          finds the libraries below
    libdpdk-dev         the dataplane stands on DPDK; brings its libraries and device drivers along
    libcyaml-dev        YAML by schema ...
    libyaml-dev         ... and by event, for line numbers in refusals
    libnuma-dev         memory on the node of the device
    libnl-3-dev         what interfaces of the kernel have, by netlink ...
    libnl-route-3-dev   ... and its addresses and routes
    libpcap-dev         captures: replayed, listed, generated
    libjansson-dev      reports as JSON
    liburing-dev        io_uring, which wirerx-bench compares with
    libxdp-dev          raw AF_XDP, likewise ...
    libbpf-dev          ... and what it loads programs with
'
tests='
    clang-14            the second compiler, and the one for sanitizers and fuzzers
    libclang-rt-14-dev  runtimes of ASan, UBSan, TSan, libFuzzer
    llvm-14             llvm-symbolizer: readable sanitizer reports
    clang-tidy-14       static checks
    clang-format-14     layout
    shellcheck          checks of the scripts
    libcriterion-dev    unit tests
    python3             scripts that compare (constants, symbols, captures)
    gcc-mingw-w64-x86-64  the Windows headers that ours are compared with
    wine64              runs programs for Windows, whose results ours are compared with
    spin                the model of the lock word
    tshark              an independent reading of captures
    binutils            nm: which symbols leave the library
    util-linux          setarch, unshare, script
    procps              watching processes of tests
    strace              counting system calls
    valgrind            counting instructions
    gnuplot-nox         plots of perf/report.sh
    dpdk-dev            dpdk-testpmd, which the floor is compared with
    lua5.4              checks of the scripts for Pktgen-DPDK
    iproute2            veth pairs for tests and measurements over a wire
    git                 lists the sources to check
    debootstrap         the bare system of tests/run.sh --clean-root
    man-db              renders the manual page
'

groups=$build
check=no
list=no
for argument in "$@"; do
    case $argument in
    --tests) groups="$build$tests" ;;
    --check) check=yes ;;
    --list) list=yes ;;
    *)
        sed -n '4,9s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
    esac
done
packages=$(printf '%s' "$groups" | awk 'NF { print $1 }')

if [ $list = yes ]; then
    printf '%s\n' "$packages"
    exit 0
fi
if ! command -v dpkg-query >/dev/null 2>&1 || ! command -v apt-get >/dev/null 2>&1; then
    echo "install-deps.sh: this is not Debian; install what these Debian 12 packages hold:" >&2
    printf '%s\n' "$groups" >&2
    exit 3
fi

# shellcheck disable=SC2086 # a list of words
installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' $packages 2>/dev/null |
    awk '$1 == "installed" { print $2 }')
missing=$(printf '%s\n' "$packages" | grep -Fxv "$installed" || true)
if [ -z "$missing" ]; then
    exit 0
fi
if [ $check = yes ]; then
    printf '%s\n' "$missing"
    exit 1
fi

# shellcheck disable=SC2086
echo "install-deps.sh: installing" $missing >&2
if [ "$(id -u)" = 0 ]; then
    as_root=''
elif command -v sudo >/dev/null 2>&1; then
    as_root='sudo'
else
    echo "install-deps.sh: run this as root, or install sudo" >&2
    exit 4
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The package lists may be absent (a fresh image) or old, so they are brought up to date first.
# shellcheck disable=SC2086
if ! { $as_root apt-get update && $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends -o Dpkg::Use-Pty=0 $missing; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "install-deps.sh: apt-get could not install these packages; on Debian 12 the suites" \
        "bookworm and bookworm-updates, component main, hold them all" >&2
    exit 5
fi
