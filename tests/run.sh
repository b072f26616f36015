#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Installs what is missing, builds, and runs every test. Ends with `N passed, N failed, N skipped`.
#
#   tests/run.sh                 everything; stops after the first stage that fails
#   tests/run.sh --keep-going    everything, whatever fails
#   tests/run.sh --quick         the stages that find most mistakes in a minute or two
#   tests/run.sh --stage NAME    one stage and what it needs; may be repeated
#   tests/run.sh --list          the stages
#   tests/run.sh --clean-root    the README's two commands in a bare Debian 12 (root; some 20 minutes)
#
# Builds and logs are under build/ci. A test that this machine cannot run is skipped and named.

set -u
cd "$(dirname "$0")/.." || exit 1
exec </dev/null

. tests/lib/report.sh
. tests/lib/suites.sh
. tests/lib/stages.sh

# name, in --quick?, what it does. The order is the order of running: cheap and telling first.
all_stages='
    format      quick  layout of the C sources, by clang-format
    scripts     quick  shellcheck; every script in tests/ is run by something
    layers      quick  arrows between folders point one way; include guards are unique
    gcc         quick  gcc build, every suite
    conformance quick  the table of clauses is up to date, and every test in it passed
    counts      quick  instructions per datagram, stage by stage, against the committed baseline
    symbols     quick  the library exports what the public headers declare, and nothing else
    clang       -      clang build of the libraries and programs
    tidy        -      clang-tidy
    abi         -      constants and layouts against the Windows headers of mingw-w64
    samples     -      programs written for Windows print the same here and under Wine
    model       -      the lock word model, and its mutants
    mutants     -      each fence, mark and wake-up that is taken away is missed by a test or the model
    package     -      a separate project uses the installed library, by pkg-config and by CMake
    readme      -      the receiver in the README compiles and runs
    command     quick  the programs, run as a user would
    asan        -      every suite and the command with ASan, UBSan and leak check
    tsan        -      every suite with TSan
    fuzz        -      every fuzzer, for some seconds
    teeth       -      a planted leak, race, overflow and failure each turn this script red
'

usage() {
    sed -n '4,13s/^# \{0,1\}//p' tests/run.sh
    exit 2
}

quick=no
keep_going=no
chosen=''
while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick=yes ;;
    --keep-going) keep_going=yes ;;
    --stage)
        [ $# -ge 2 ] || usage
        printf '%s' "$all_stages" | awk -v s="$2" '$1 == s { ok = 1 } END { exit !ok }' || usage
        chosen="$chosen $2"
        shift
        ;;
    --list)
        printf '%s' "$all_stages" | awk 'NF { name = $1; $1 = $2 = ""; printf "%-11s %s\n", name, $0 }'
        exit 0
        ;;
    --clean-root) exec tests/lib/clean-root.sh ;;
    *) usage ;;
    esac
    shift
done
if [ -z "$chosen" ]; then
    chosen=$(printf '%s' "$all_stages" | awk -v q=$quick 'NF && (q == "no" || $2 == "quick") { print $1 }')
fi

configs/install-deps.sh --tests || exit 1

report_begin
not_run=''
stopped=no
for stage in $chosen; do
    if [ $stopped = yes ]; then
        not_run="$not_run $stage"
        continue
    fi
    run_stage "$stage" # not in a condition: that would switch `set -e` off inside
    # shellcheck disable=SC2181
    [ $? = 0 ] || [ $keep_going = yes ] || stopped=yes
done
[ -z "$not_run" ] || echo "not run, because a stage before failed:$not_run"
report_end
