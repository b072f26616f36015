# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # $ci and $results are report.sh's
#
# Builds of the tree and runs of its test executables, the same for every stage.

jobs=$(nproc)
feeds=${WIRERX_FEEDS:-$PWD/../shared/feeds} # real captures; tests without them are skipped
export WIRERX_FEEDS=$feeds

# Plain files of the tree that git tracks or would track: sources '*.c' '*.h'
sources() {
    git ls-files --cached --others --exclude-standard -- "$@" | sort -u |
        while IFS= read -r file; do [ ! -f "$file" ] || printf '%s\n' "$file"; done
}

# configure VARIANT: gcc, clang, asan or tsan, in build/ci/VARIANT
configure() {
    local variant=$1 options=()
    case $variant in
    gcc) export CC=gcc ;;
    clang) export CC=clang-14 ;;
    asan) export CC=clang-14 && options=(-DWIRERX_SANITIZE=address) ;;
    tsan) export CC=clang-14 && options=(-DWIRERX_SANITIZE=thread) ;;
    esac
    cmake -S . -B "$ci/$variant" -G Ninja -DWIRERX_WERROR=ON "${options[@]}" >"$ci/log/cmake-$variant.log" ||
        { cat "$ci/log/cmake-$variant.log"; return 1; }
}

# build VARIANT [TARGET]: as far as it goes, so that one run shows every error
build() {
    local log=$ci/log/build-$1.log
    configure "$1"
    cmake --build "$ci/$1" -j "$jobs" --target "${2:-all}" -- -k 0 >"$log" 2>&1 ||
        { grep -vE '^\[[0-9]+/[0-9]+\] |^/usr/bin/' "$log"; return 1; }
}

# with_sanitizers DIRECTORY COMMAND...: run it with every sanitizer reporting into files DIRECTORY/x.*
# (Criterion would swallow a leak report: the exit status of its workers says nothing). A file there
# is a failure, whatever the exit status.
with_sanitizers() {
    local reports=$1 common
    shift
    common="log_path=$reports/x:symbolize=1:external_symbolizer_path=$(command -v llvm-symbolizer-14)"
    ASAN_OPTIONS="$common:detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1" \
    LSAN_OPTIONS="suppressions=$PWD/tests/lib/lsan.supp:print_suppressions=0" \
    UBSAN_OPTIONS="$common:print_stacktrace=1" \
    TSAN_OPTIONS="$common:suppressions=$PWD/tests/lib/tsan.supp:second_deadlock_stack=1:history_size=4" \
        setarch "$(uname -m)" -R "$@" # TSan's memory map does not survive much randomisation
}

# Tests of a Criterion suite that run at a time. One where leaks are looked for: with several workers
# Criterion's own process now and then leaks one of its records.
suite_jobs() {
    if [ "$1" = asan ]; then echo 1; else echo "$jobs"; fi
}

# run_suite VARIANT EXECUTABLE: run one suite, Criterion or plain; a result for each test in it.
run_suite() {
    local variant=$1 executable=$2 name reports tap from status=0 start=$SECONDS
    name=$variant/$(basename "$executable")
    reports=$ci/reports/$name
    tap=$reports/tap
    from=$(($(wc -l <"$results") + 1))
    rm -rf "$reports"
    mkdir -p "$reports/sanitizer"
    echo "== $name"
    if [[ $(basename "$executable") == tsan-* ]]; then
        with_sanitizers "$reports/sanitizer" timeout -k 10 "${WIRERX_SUITE_SECONDS:-600}" \
            "$executable" >"$tap" 2>"$reports/output" || status=$?
    else
        with_sanitizers "$reports/sanitizer" timeout -k 10 "${WIRERX_SUITE_SECONDS:-600}" \
            "$executable" -j "${WIRERX_SUITE_JOBS:-$(suite_jobs "$variant")}" --timeout 120 --tap="$tap" >"$reports/output" 2>&1 || status=$?
    fi
    cat "$reports/output"
    cat "$reports/tap" 2>/dev/null || true
    echo "== $name took $((SECONDS - start)) s"
    record_tests "$name" "$tap"
    record_reports "$name" "$reports/sanitizer"
    if [ $status = 124 ] || [ $status = 137 ]; then
        fail "$name" "ran past its time"
    elif [ "$(tail -n "+$from" "$results" | wc -l)" = 0 ]; then
        fail "$name" "ran no test; exit status $status"
    elif [ $status != 0 ] && [ "$(count fail "$from")" = 0 ]; then
        fail "$name" "exit status $status"
    fi
}

# Results of tests from Criterion's TAP file (`ok - a::test`, `not ok - ...`, `ok - ... # SKIP why`) or
# a plain suite's output (`passed  a/test`, `FAILED  a/test`, `skipped a/test: why`).
record_tests() {
    local verdict test reason
    while IFS=$'\t' read -r verdict test reason; do
        $verdict "$1 $test" "$reason"
    done < <([ ! -f "$2" ] || awk '
        /^ok -/ && / # SKIP/ { split($0, part, / +# SKIP /); print "skip\t" $3 "\t" part[2]; next }
        /^ok -/      { print "pass\t" $3 "\t" }
        /^not ok -/  { print "fail\t" $4 "\t" }
        /^passed  /  { print "pass\t" $2 "\t" }
        /^FAILED  /  { print "fail\t" $2 "\t" }
        /^skipped /  { test = $2; sub(/:$/, "", test); sub(/^[^:]*: /, ""); print "skip\t" test "\t" $0 }
        ' "$2")
}

# Every report that a sanitizer wrote into a directory is a failure; equal ones make one.
record_reports() {
    local report reason
    for report in "$2"/x*; do
        [ -e "$report" ] || continue
        cat "$report"
        grep -m 1 -oE '[A-Za-z]+Sanitizer: [A-Za-z -]+|[^/]+: runtime error: .*' "$report" \
            >>"$2/reasons" || echo 'sanitizer report' >>"$2/reasons"
    done
    [ -f "$2/reasons" ] || return 0
    while IFS= read -r reason; do
        fail "$1" "$reason"
    done < <(sort "$2/reasons" | uniq -c | sed 's/^ *\([0-9]*\) /\1 times: /')
}

# run_suites VARIANT: every suite of a build
run_suites() {
    local executable found=no
    for executable in "$ci/$1"/tests/*; do
        [ -f "$executable" ] || continue
        case $(basename "$executable") in
        tsan-*) ;;
        *-* | *.*) continue ;; # programs, fuzzers, CMake's own
        esac
        found=yes
        run_suite "$1" "$executable"
    done
    [ $found = yes ] || fail "$1" "no suite was built"
}
