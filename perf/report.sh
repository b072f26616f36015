#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Measures everything on this machine and writes it down: OUTPUT/report.md, plots as SVG and PNG beside
# it, and what each run has printed in OUTPUT/data.
#
#   perf/report.sh [OPTION]... [OUTPUT]     OUTPUT: a folder (build/report)
#
#   --quick         few and short slices: does all of it run? Its figures say little
#   --slices N      pairs of slices in each run (30; quick: 4)
#   --slice-ms MS   length of a slice (each command's own; quick: 20)
#   --only PATTERN  only runs whose names match this pattern, such as 'mode-*' or '@(cost|drain)'; of
#                   the others the data stay
#   --render        no runs: the report anew, from the data there are
#   --build FOLDER  the build (build)
#   --list          the runs: name, command, arguments
#
# A run that this machine or this build cannot do is named in the report, with the reason. How to make
# the machine quiet before: perf/MEASURING.md.

set -u
shopt -s extglob
cd "$(dirname "$0")/.." || exit 1

usage() {
    sed -n '4,20s/^# \{0,1\}//p' perf/report.sh >&2
    exit 2
}

# value OPTION COUNT: its value is a whole number, or this is the end
number() {
    case $2 in
    '' | *[!0-9]* | 0*) echo "report.sh: $1 $2: not a whole number" >&2 && exit 2 ;;
    esac
}

output=build/report
build=build
quick=no
slices=''
slice_ms=''
only='*'
action=measure
outputs=0
while [ $# -gt 0 ]; do
    case $1 in
    --quick) quick=yes ;;
    --render) action=render ;;
    --list) action=list ;;
    --slices | --slice-ms | --only | --build)
        [ $# -ge 2 ] || usage
        case $1 in
        --slices) number "$1" "$2" && slices=$2 ;;
        --slice-ms) number "$1" "$2" && slice_ms=$2 ;;
        --only) only=$2 ;;
        --build) build=$2 ;;
        esac
        shift
        ;;
    -*) usage ;;
    *)
        output=$1
        outputs=$((outputs + 1))
        [ $outputs = 1 ] || usage
        ;;
    esac
    shift
done
[ $quick = no ] || { slices=${slices:-4} slice_ms=${slice_ms:-20}; }
slices=${slices:-30}
bench=$build/bin/wirerx-bench
[ -x "$bench" ] || { echo "report.sh: $bench is not built" >&2; exit 2; }

takes() { # takes COMMAND OPTION
    "$bench" "$1" --help 2>/dev/null | grep -q -- "^  --$2 "
}

modes() {
    "$bench" throughput --help | sed -n '/^Modes:/,/^$/s/^  \([a-z]*\) .*/\1/p' | grep -v '^floor$'
}

ways_of_waiting() {
    "$bench" latency --help | sed -n '/^Ways of waiting/,/^$/s/^  \([a-z]*\) .*/\1/p'
}

# NAME COMMAND ARGUMENT...: what is measured, in this order.
runs() {
    local mode payload sockets lcores way load
    local several='1 16 256 1000 10000' sizes='16 64 256 512 1024 1472 1998 4000 8900'
    local loads='10 50 90' wire_sizes='18 512 1472'
    [ $quick = no ] || { several='1 16 256 1000' sizes='16 64 1472' loads='50' wire_sizes=''; }
    echo "instructions instructions"
    for mode in $(modes); do
        echo "mode-$mode throughput --mode $mode"
    done
    for payload in $sizes; do
        echo "payload-now-$payload throughput --payload $payload"
        echo "payload-batch-$payload throughput --mode batch --payload $payload"
    done
    for sockets in $several; do
        echo "sockets-now-$sockets throughput --sockets $sockets"
        echo "sockets-posted-$sockets throughput --mode posted --posted 8 --sockets $sockets"
    done
    for lcores in $(seq $(($(nproc) / 2))); do # an lcore and its client need a CPU each
        echo "lcores-$lcores throughput --lcores $lcores --sockets 16"
    done
    for way in $(ways_of_waiting); do
        echo "latency-$way latency --wait $way"
        for load in $loads; do
            echo "load-$way-$load latency --wait $way --load $load"
        done
    done
    echo "memory memory"
    echo "cost cost"
    echo "drain drain"
    echo "isolation isolation"
    echo "stall stall"
    echo "network-64 network"
    for payload in $wire_sizes; do
        echo "network-$payload network --payload $payload --slices 10"
    done
}

# one NAME COMMAND ARGUMENT...: data/NAME.json, or data/NAME.missing with the reason
one() {
    local name=$1 command=$2 start=$SECONDS reason status=0
    shift 2
    rm -f "$data/$name".*
    if [ "$command" = instructions ]; then
        set -- perf/instructions.py --json "$build"
    else
        set -- "$bench" "$command" "$@" --json
        [[ "$*" = *' --slices '* ]] || ! takes "$command" slices || set -- "$@" --slices "$slices"
        [ -z "$slice_ms" ] || ! takes "$command" slice-ms || set -- "$@" --slice-ms "$slice_ms"
    fi
    # As a reader would type it, who has built into build/
    echo "${*//"$build"/build}" >"$data/$name.command"
    printf '%-24s' "$name"
    "$@" >"$data/$name.json" 2>"$data/$name.stderr" </dev/null || status=$?
    if [ $status = 0 ]; then
        echo "$((SECONDS - start)) s"
    else
        reason=$(tail -n 1 "$data/$name.stderr")
        echo "${reason:-exit status $status}" >"$data/$name.missing"
        rm -f "$data/$name.json"
        echo "missing: $(cat "$data/$name.missing")"
    fi
    rm -f "$data/$name.stderr"
}

if [ $action = list ]; then
    runs
    exit 0
fi
data=$output/data
mkdir -p "$data" || exit 1
if [ $action = measure ]; then
    uptime | sed 's/.*load/load/' >"$data/load.begin"
    runs >"$data/runs"
    while read -r name command arguments; do
        # shellcheck disable=SC2053,SC2086 # a pattern; words
        [[ $name != $only ]] || one "$name" "$command" $arguments
    done < <(runs)
    uptime | sed 's/.*load/load/' >"$data/load.end"
    printf '%s pairs of slices; length of a slice: %s; --quick: %s\n' "$slices" \
        "${slice_ms:-as each command has it}" $quick >"$data/settings"
fi
perf/summary.py "$output" "$build"
