# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# Verdicts. A stage is a function `stage_NAME`; inside it, pass, fail and skip record one result
# each, and any command that fails ends the stage as failed. `report_end` prints the closing line.

ci=${WIRERX_CI_DIR:-$PWD/build/ci} # builds and logs
results=$ci/results${WIRERX_PLANT:+-plant} # (a planted mistake runs inside a stage of another run)

# One result: pass NAME; fail NAME [REASON]; skip NAME REASON.
pass() {
    printf 'pass\t%s\t\n' "$1" >>"$results"
}
fail() {
    printf 'fail\t%s\t%s\n' "$1" "${2:-}" >>"$results"
    echo "FAILED: $1${2:+ ($2)}"
}
skip() {
    printf 'skip\t%s\t%s\n' "$1" "$2" >>"$results"
    echo "SKIPPED: $1 ($2)"
}

# check NAME COMMAND...: one result from an exit status; 77 is a skip whose last line says why.
check() {
    local name=$1 output status=0
    shift
    output=$(mktemp "$ci/check.XXXXXX")
    "$@" >"$output" 2>&1 || status=$?
    cat "$output"
    case $status in
    0) pass "$name" ;;
    77) skip "$name" "$(tail -n 1 "$output")" ;;
    *) fail "$name" "exit status $status" ;;
    esac
    rm -f "$output"
}

count() { # count VERDICT [FROM_LINE]
    tail -n "+${2:-1}" "$results" | grep -c "^$1"$'\t' || true
}

report_begin() {
    mkdir -p "$ci/log"
    : >"$results"
}

# Run stage_NAME with its output in a log; print one line, and on failure the log's end.
run_stage() {
    local name=$1 log=$ci/log/$1${WIRERX_PLANT:+-$WIRERX_PLANT}.log start=$SECONDS from status verdict=ok
    from=$(($(wc -l <"$results") + 1))
    printf '%-12s' "$name"
    (
        set -eE
        trap 'echo "stage ended: line $LINENO: $BASH_COMMAND"' ERR
        "stage_$name"
    ) >"$log" 2>&1
    status=$?
    if [ $status != 0 ] && [ "$(count fail "$from")" = 0 ]; then
        printf 'fail\t%s\t%s\n' "$name" "the stage ended with status $status" >>"$results"
    fi
    [ "$(count fail "$from")" = 0 ] || verdict=FAILED
    printf '%-7s %4d s  %s passed, %s failed, %s skipped\n' $verdict $((SECONDS - start)) \
        "$(count pass "$from")" "$(count fail "$from")" "$(count skip "$from")"
    if [ $verdict = FAILED ]; then
        echo "---- end of $log"
        tail -n "${WIRERX_LOG_LINES:-80}" "$log"
        echo "----"
        return 1
    fi
}

# Name what failed and what was skipped, then the closing line. Status 0 only if nothing failed and
# something ran.
report_end() {
    awk -F '\t' '
        $1 == "skip" { print "skipped: " $2 ": " $3 }
        $1 == "fail" { failed[++n] = "FAILED: " $2 ($3 == "" ? "" : ": " $3) }
        END { for (i = 1; i <= n; i++) print failed[i] }' "$results"
    echo "$(count pass) passed, $(count fail) failed, $(count skip) skipped"
    [ "$(count fail)" = 0 ] && [ "$(count pass)" -gt 0 ]
}
