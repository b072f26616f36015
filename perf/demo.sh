#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A made-up exchange feed through every way of receiving, on this machine, without a NIC, root or
# huge pages. Installs what is missing (asks sudo for that), builds, takes about half a minute.
#
#   perf/demo.sh                 four modes: sent = delivered + dropped, rate, latency
#   perf/demo.sh --slow-reader   one socket is never read: it loses, the 31 others do not
#
#   WIRERX_DEMO_PACE=50000       frames a second of the run that measures latency

set -eu
cd "$(dirname "$0")/.."

datagrams=500000
sample=100000 # of a second, smaller feed: for latency and for the comparison of contents
pace=${WIRERX_DEMO_PACE:-50000}
slow_pace=100000
modes='blocking nonblocking event apc'
slow=no

case ${1-} in
'') ;;
--slow-reader) slow=yes ;;
*)
    sed -n '4,10s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
[ $# -le 1 ] || { echo "demo.sh: one argument at most" >&2; exit 2; }

work=''
# shellcheck disable=SC2317 # the traps call it
clean_up() {
    [ -z "$work" ] || rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() {
    printf '%s\n' "$*"
}

# quietly LOG COMMAND...: its output matters only if it fails
quietly() {
    local log=$1
    shift
    "$@" >"$log" 2>&1 || { cat "$log" >&2; return 1; }
}

set_up() {
    configs/install-deps.sh
    # A build folder that is there already keeps its options.
    local options=(-DWIRERX_TESTS=OFF)
    [ ! -f build/CMakeCache.txt ] || options=()
    say 'building into build/ ...'
    quietly "$work/log" cmake -S . -B build -G Ninja "${options[@]}"
    quietly "$work/log" cmake --build build --target wirerx-command wirerx-feed
}

# json FILE KEY: a number from the report (one key a line)
json() {
    sed -n "s/^ *\"$2\": \([-0-9.]*\),\{0,1\}\$/\1/p" "$1" | head -n 1
}

# drops FILE: "reason count" for each reason that is not zero
drops() {
    sed -n '/^  "drops": {/,/^  }/s/^    "\([a-z0-9_]*\)": \([1-9][0-9]*\),\{0,1\}$/\1 \2/p' "$1"
}

# reason FILE: why there is no latency
reason() {
    sed -n 's/^ *"latency_reason": "\(.*\)",\{0,1\}$/\1/p' "$1"
}

# Digits in groups of three
grouped() {
    printf '%s' "$1" | sed -e ':a' -e 's/\([0-9]\)\([0-9]\{3\}\)\($\|[,.]\)/\1,\2\3/' -e ta
}

# Nanoseconds in microseconds, at most six characters
microseconds() {
    [ -n "$1" ] || { printf -- '-'; return; }
    awk -v ns="$1" 'BEGIN { printf ns < 1e5 ? "%.2f" : ns < 1e6 ? "%.1f" : "%.0f", ns / 1e3 }'
}

recv() {
    build/bin/wirerx recv "$@"
}

run_mode() {
    local mode=$1 joins=()
    mapfile -t joins < <(build/bin/wirerx-feed --list | sed 's/^/--join=/')

    say "$mode: $(grouped $datagrams) datagrams as fast as they are received"
    recv --replay "$work/feed.pcap" "${joins[@]}" --mode "$mode" --json >"$work/$mode.json"
    say "$mode: $(grouped $sample) datagrams, compared byte by byte with what was sent"
    recv --replay "$work/sample.pcap" "${joins[@]}" --mode "$mode" --output "$work/received" \
        --json >"$work/$mode.output.json"
    build/bin/wirerx-feed --verify "$work/received" --datagrams $sample --seed 2 \
        >"$work/$mode.verify" || failed=yes
    rm -f "$work/received"
    say "$mode: $(grouped $sample) datagrams at $(grouped "$pace") a second"
    recv --replay "$work/sample.pcap" "${joins[@]}" --mode "$mode" --pace "$pace" --json \
        >"$work/$mode.paced.json"
}

row='%-11s %8s %10s %9s %12s %6s %6s %6s %6s\n'

# print_row MODE: a line of the table; what does not balance goes to $notes
print_row() {
    local mode=$1 all=$work/$1.json paced=$work/$1.paced.json delivered dropped received
    delivered=$(json "$all" delivered)
    dropped=$(json "$all" dropped)
    received=$(json "$all" datagrams)
    if [ "$datagrams" != $((delivered + dropped)) ] || [ "$received" != "$delivered" ]; then
        failed=yes
        note "$mode: the sums do not balance: received $received"
    fi
    grep -q 'nothing lost' "$work/$mode.verify" || note "$mode: $(tail -n 1 "$work/$mode.verify")"
    [ -n "$(json "$paced" p50)" ] || note "$mode: no latency: $(reason "$paced")"
    # shellcheck disable=SC2059 # the format is ours
    printf "$row" "$mode" "$(grouped $datagrams)" "$(grouped "$delivered")" \
        "$(grouped "$dropped")" "$(grouped "$(printf '%.0f' "$(json "$all" rate)")")" \
        "$(microseconds "$(json "$paced" p50)")" "$(microseconds "$(json "$paced" p99)")" \
        "$(microseconds "$(json "$paced" p99_9)")" "$(microseconds "$(json "$paced" max)")"
}

note() {
    notes="$notes$*
"
}

print_table() {
    local mode reasons
    notes=''
    say
    say "A feed of $(grouped $datagrams) MoldUDP64/ITCH datagrams, 32 multicast groups, 32 sockets"
    say
    printf '%55s%s\n' '' "latency in us at $(grouped "$pace")/s"
    # shellcheck disable=SC2059
    printf "$row" mode 'sent =' delivered '+ dropped' datagrams/s p50 p99 p99.9 max
    for mode in $modes; do
        print_row "$mode"
    done
    reasons=$(for mode in $modes; do drops "$work/$mode.json" | sed "s/^/$mode: /"; done)
    say
    say "dropped: ${reasons:-nothing}"
    [ -n "$notes" ] ||
        say "contents: byte for byte what was sent, in every mode ($(grouped $sample) datagrams each)"
    say "latency: from the burst that took a frame off the device to the return of its receive"
    cannot_tell
    [ -z "$notes" ] || say "
$notes"
}

cannot_tell() {
    say
    say "What this run cannot tell: the frames came from memory, so this is a software ceiling, no"
    say "device: no NIC, driver, bus or wire. $(nproc) cores, $(machine): expect other figures"
    say "from run to run, above all in the tails."
}

machine() {
    if grep -q '^flags.* hypervisor' /proc/cpuinfo 2>/dev/null; then
        printf 'virtual and shared'
    else
        printf 'not isolated'
    fi
}

slow_reader() {
    local all stalled joins=()
    mapfile -t all < <(build/bin/wirerx-feed --list)
    stalled=${all[0]}
    mapfile -t joins < <(printf -- '--join=%s\n' "${all[@]:1}")

    say "31 sockets are read, the one of $stalled is not: $(grouped $slow_pace) datagrams a second"
    recv --replay "$work/feed.pcap" --stall "$stalled" "${joins[@]}" --mode event \
        --pace $slow_pace >"$work/slow"
    # Rows: socket, delivered, lost to a full ring, lost to the pool's share, unread
    awk '
        function grouped(n,    text, i) {
            text = sprintf("%d", n)
            for (i = length(text) - 3; i > 0; i -= 3)
                text = substr(text, 1, i) "," substr(text, i + 1)
            return text
        }
        function row(name, sent, ring, lost, read) {
            printf "%-28s %10s %10s %10s %10s\n", name, grouped(sent), grouped(ring), grouped(lost), grouped(read)
        }
        $1 ~ /^239\./ {
            gsub(",", "")
            dead = / never read/
            if (dead) { name = $1; d_ring += $2; d_lost += $3 + $4; d_read += $2 - $5; next }
            ring += $2; lost += $3 + $4; read += $2 - $5; n++
            if ($3 + $4 > 0 || $5 > 0) bad++
        }
        END {
            printf "\n%-28s %10s %10s %10s %10s\n", "socket", "sent to it", "in ring", "lost", "received"
            row(name ", not read", d_ring + d_lost, d_ring, d_lost, d_read)
            row(n " others, read", ring + lost, ring, lost, read)
            printf "\n"
            if (bad > 0) printf "%d of the others lost something: this machine was too busy for this rate.\n", bad
            exit !(n == 31 && bad == 0 && d_lost > 0)
        }' "$work/slow" || failed=yes
    cannot_tell
}

failed=no
work=$(mktemp -d "${TMPDIR:-/tmp}/wirerx-demo.XXXXXX")
set_up
say "writing a feed of $(grouped $datagrams) datagrams ..."
build/bin/wirerx-feed --output "$work/feed.pcap" --datagrams $datagrams
if [ $slow = yes ]; then
    slow_reader
else
    build/bin/wirerx-feed --output "$work/sample.pcap" --datagrams $sample --seed 2
    for mode in $modes; do
        run_mode "$mode"
    done
    print_table
fi
[ $failed = no ]
