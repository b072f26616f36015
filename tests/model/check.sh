#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
#
# Verify the models of the completion protocol and of event descriptors, and that each line of them is
# needed: every mutant (one fence, rule or wake-up taken away by a -D flag) must make the check fail.
#
#   check.sh          verify everything; exit 1 if a scenario fails or a mutant survives,
#                     77 if spin or the compiler is missing
#   check.sh mutant NAME SCENARIO [FLAG...]
#                     verify this line of the table of mutants alone
#   check.sh trail SCENARIO [FLAG...]
#                     print the shortest error trail, e.g.: check.sh trail POSTING NO_F2
#
# Works in a temporary directory. CC and JOBS (default: processors, at most 4) may be set.

set -u
here=$(cd "$(dirname "$0")" && pwd)
cc=${CC:-cc}
search=

# What must hold: scenario and further flags.
scenarios='
POSTING
POSTING BATCH=2
POSTING SERVICE
CANCELLING
EXITING
SLEEPING
SLEEPING COUNTED
SLEEPING SERVICE
LEAVING
CROWD
SHARING
SHARING BATCH=2
CLOSING
REOPENING
SUCCEEDING
WATCHING
SELECTING
FOREIGN
FOREIGN SWITCHES
FOREIGN_CLOSING
WAITING
HANDLES
FOLLOWING
FOLLOWING ROOM=1
FOLLOWING EDGE
FOLLOWING EDGE ROOM=1
ENDING
ENDING ROOM=1
SPINNING
GROWING
GROWING DATAGRAMS=3 LOANS=2
'

# What must fail: mutant, scenario, further flags.
mutants='
NO_F1 POSTING
NO_F1 SLEEPING
NO_F2 POSTING
NO_F3 SLEEPING
NO_AGAIN POSTING
RELEASE_IGNORES_AGAIN POSTING
CLEAR_AGAIN_AFTER_SERVE POSTING
UNLOCK_BY_PLAIN_STORE POSTING
HAND_BACK_WITHOUT_AGAIN POSTING
NO_KEEP POSTING
LCORE_NEVER_LEAVES_AGAIN POSTING
NO_BATON SLEEPING
NO_LEAVE_BATON LEAVING
NO_BURST_WAKE SLEEPING
NO_SERVICE_WAKE SLEEPING SERVICE
NO_SERVICE_WAKE POSTING SERVICE
NO_LOOK SLEEPING
NO_GENERATION_LOOK CLOSING
SEQUENCE_AFTER_LOOK SLEEPING
SEQUENCE_BY_PLAIN_STORE CROWD COUNTED
NO_SEQUENCE SLEEPING
CLOSE_LEAVES_SLEEPERS CLOSING
NO_F1 WATCHING
NO_WATCH_F2 WATCHING
NO_WATCH_F2 SELECTING
LOOKS_BEFORE_IT_WATCHES WATCHING
LOOKS_BEFORE_IT_WATCHES SELECTING
BELL_LOADED_LATE SELECTING
BELL_WITHOUT_SEQUENCE SELECTING
SERVICE_CLEARS_LATE FOREIGN
SERVES_CLOSED FOREIGN_CLOSING
NO_WAITERS_WAKE WAITING
NO_LCORE_WAITERS_WAKE WAITING
WAITER_FORGETS_OTHERS WAITING
FUTEX_WITHOUT_COMPARE WAITING
NO_GENERATION HANDLES
NO_GENERATION REOPENING
GENERATION_CHECKED_APART HANDLES
STALE_KEEPS_WAKE_UP HANDLES
RETIRE_WAKES_NOBODY HANDLES
RETIRE_WAKES_WHOM_IT_SAW HANDLES
OPENS_UNANSWERED HANDLES
FULL_OWES_NOTHING FOLLOWING EDGE ROOM=1
LEAVES_UNSEEN FOLLOWING
LEAVES_OWED FOLLOWING EDGE ROOM=1
CLEARS_OWED_LATE FOLLOWING EDGE ROOM=1
WRITES_ONCE FOLLOWING EDGE
LOOKS_WITHOUT_HELPING SPINNING
BEGINS_WITHOUT_LOOK FOLLOWING
MIRRORED_BEFORE_DESCRIPTOR FOLLOWING
LCORE_DROPS_ERRAND FOLLOWING
CLEARS_QUEUED_LATE FOLLOWING
CLOSER_BURIES ENDING
PUBLISHES_BEFORE_COPY GROWING
TAIL_BEFORE_STORE GROWING
STORE_BEFORE_TAIL GROWING
LEAVES_WITHOUT_MOVING GROWING
TIDIES_UNLOCKED GROWING
HEAD_BEFORE_READ GROWING
LENT_BEFORE_HEAD GROWING
NEVER_LENT GROWING
LENDS_AFTER_HEAD GROWING
COUNTS_BEFORE_IT_DROPS GROWING
'

# build NAME...: make ./pan in the current directory from the model with these names defined.
build() {
    case " $* " in
    *" WAITING "* | *" HANDLES "*) model=handles.pml ;;
    *" FOLLOWING "* | *" ENDING "* | *" SPINNING "*) model=descriptor.pml ;;
    *" GROWING "*) model=growth.pml ;;
    *) model=receive.pml ;;
    esac
    flags=
    for name; do flags="$flags -D$name"; done
    # Two thirds of the time are compilation, so -O0.
    # shellcheck disable=SC2086
    spin $flags -a "$here/$model" >build.log 2>&1 &&
        "$cc" -O0 -w -DSAFETY $search -DMEMLIM=1800 -o pan pan.c >>build.log 2>&1
}

# one KIND NAME...: verify one line of the tables; prints its line, leaves a file ok.N or bad.N.
one() {
    kind=$1
    shift
    directory=$(mktemp -d "$work/run.XXXXXX") && cd "$directory" || exit 1
    if build "$@"; then
        timeout 300 ./pan -m100000 -w22 >log 2>&1
    else
        cp build.log log
    fi
    states=$(awk '/states, stored/ { print $1 }' log)
    reason=$(sed -n 's/^pan:1: \(.*\) (at depth.*/\1/p' log)
    verdict=$(awk '
        /errors: 0$/ { clean = 1 }
        /^pan:1: (assertion violated|invalid end state)/ { caught = 1 }
        /search depth too small|Search not completed|out of memory/ { cut = 1 }
        END { print caught ? "fails" : clean && !cut ? "holds" : "inconclusive" }' log)
    case $kind-$verdict in
    scenario-holds) mark=ok; text=verified ;;
    mutant-fails) mark=ok; text="caught: $reason" ;;
    mutant-holds) mark=bad; text="SURVIVES" ;;
    scenario-fails) mark=bad; text="FAILS: $reason" ;;
    *) mark=bad; text="INCONCLUSIVE: $(tail -n 3 log | tr '\n' ' ')" ;;
    esac
    printf '%-8s %-44s %8s states  %s\n' "$kind" "$*" "${states:--}" "$text"
    : >"$work/$mark-$kind.$(basename "$directory")"
    rm -rf "$directory"
}

for tool in spin "$cc"; do
    if ! command -v "$tool" >/dev/null 2>&1; then
        echo "model: SKIPPED, nothing was verified: $tool is not installed" >&2
        exit 77
    fi
done

if [ "${1:-}" = one ]; then
    shift
    one "$@"
    exit 0
fi

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
export work

if [ "${1:-}" = mutant ]; then
    shift
    echo "$mutants" | grep -qx "$*" || { echo "$*: not in the table of mutants"; exit 1; }
    (one mutant "$@")
    [ -n "$(find "$work" -name 'ok-mutant.*')" ]
    exit
fi

if [ "${1:-}" = trail ]; then
    shift
    cd "$work" || exit 1
    search=-DBFS
    build "$@" || { cat build.log; exit 1; }
    ./pan >log 2>&1
    [ -e "$model.trail" ] || { cat log; exit; }
    # shellcheck disable=SC2086
    spin $flags -p -g -k "$model.trail" "$here/$model"
    exit
fi

{
    echo "$scenarios" | sed -n 's/^[A-Z]/scenario &/p'
    echo "$mutants" | sed -n 's/^[A-Z]/mutant &/p'
} >"$work/table"
jobs=${JOBS:-$(nproc 2>/dev/null || echo 2)}
[ "$jobs" -le 4 ] || jobs=4
xargs -P "$jobs" -L 1 sh "$here/$(basename "$0")" one <"$work/table"

count() { find "$work" -name "$1.*" | wc -l; }
total=$(wc -l <"$work/table")
good=$(count ok-scenario)
caught=$(count ok-mutant)
echo "model: $good configurations verified, $caught mutants caught"
[ $((good + caught)) -eq "$total" ]
