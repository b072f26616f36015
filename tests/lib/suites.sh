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

# execute_suite VARIANT EXECUTABLE [LETTERS]: run one suite, Criterion or plain, or what of it is in files
# whose suites begin so; what came of it is in its reports.
execute_suite() {
    local variant=$1 executable=$2 letters=${3:-} reports tap status=0 start=$SECONDS
    reports=$ci/reports/$variant/$(basename "$executable")$letters
    tap=$reports/tap
    rm -rf "$reports"
    mkdir -p "$reports/sanitizer"
    if [[ $(basename "$executable") == tsan-* ]]; then
        with_sanitizers "$reports/sanitizer" timeout -k 10 "${WIRERX_SUITE_SECONDS:-600}" \
            "$executable" >"$tap" 2>"$reports/output" || status=$?
    else
        with_sanitizers "$reports/sanitizer" timeout -k 10 "${WIRERX_SUITE_SECONDS:-600}" \
            "$executable" -j "${WIRERX_SUITE_JOBS:-$(suite_jobs "$variant")}" --timeout 120 --tap="$tap" \
            ${letters:+--filter "$letters*/*"} >"$reports/output" 2>&1 || status=$?
    fi
    echo "$status $((SECONDS - start))" >"$reports/status"
}

# record_suite VARIANT EXECUTABLE [LETTERS]: print what it said; a result for each test in it.
record_suite() {
    local variant=$1 executable=$2 letters=${3:-} name reports tap from status seconds
    name=$variant/$(basename "$executable")
    reports=$ci/reports/$name$letters
    tap=$reports/tap
    from=$(($(wc -l <"$results") + 1))
    echo "== $name $letters"
    cat "$reports/output"
    cat "$reports/tap" 2>/dev/null || true
    read -r status seconds <"$reports/status"
    echo "== $name took $seconds s"
    record_tests "$name" "$tap" "$letters"
    record_reports "$name" "$reports/sanitizer"
    if [ "$status" = 124 ] || [ "$status" = 137 ]; then
        fail "$name" "ran past its time"
    elif [ "$(tail -n "+$from" "$results" | wc -l)" = 0 ]; then
        fail "$name" "ran no test; exit status $status"
    elif [ "$status" != 0 ] && [ "$(count fail "$from")" = 0 ]; then
        fail "$name" "exit status $status"
    fi
}

# Results of tests from Criterion's TAP file (`ok - a::test`, `not ok - ...`, `ok - ... # SKIP why`) or
# a plain suite's output (`passed  a/test`, `FAILED  a/test`, `skipped a/test: why`). Of a part of a suite
# Criterion names the tests of the others, too.
record_tests() {
    local verdict test reason
    while IFS=$'\t' read -r verdict test reason; do
        $verdict "$1 $test" "$reason"
    done < <([ ! -f "$2" ] || awk -v letters="${3:-}" '
        letters != "" && /^ok -/ && / # SKIP test was skipped$/ { next }
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

# Suites that run at a time: as many as fill the processors with suite_jobs() tests each; a test that starts
# DPDK sleeps for a third of its time. Not under TSan, whose suites are about what threads do to each other in
# the time they have.
suites_at_a_time() {
    if [ "$1" = asan ]; then echo $((jobs + 1)); else echo 1; fi
}

# The parts that a suite is run in, a line of letters each: large ones by halves, where suites have one
# worker each. An empty line is all of it.
parts_of() {
    case $1/$(basename "$2") in
    asan/receive | asan/dataplane) printf '%s\n' '[a-m]' '[!a-m]' ;;
    *) echo ;;
    esac
}

# run_suites VARIANT: every suite of a build, the largest first
run_suites() {
    local executable letters suites=()
    while IFS= read -r executable; do
        case $(basename "$executable") in
        tsan-*) ;;
        *-* | *.*) continue ;; # programs, fuzzers, CMake's own
        esac
        suites+=("$executable")
    done < <(find "$ci/$1/tests" -maxdepth 1 -type f -printf '%s %p\n' | sort -rn | cut -d ' ' -f 2-)
    [ ${#suites[@]} -gt 0 ] || { fail "$1" "no suite was built"; return; }
    export -f execute_suite suite_jobs with_sanitizers
    export ci jobs
    # shellcheck disable=SC2016 # the inner shell expands it
    for executable in "${suites[@]}"; do
        while IFS= read -r letters; do
            printf '%s\0' "$1" "$executable" "$letters"
        done < <(parts_of "$1" "$executable")
    done | xargs -0 -P "$(suites_at_a_time "$1")" -n 3 bash -c 'execute_suite "$@"' execute
    for executable in "${suites[@]}"; do
        while IFS= read -r letters; do
            record_suite "$1" "$executable" "$letters"
        done < <(parts_of "$1" "$executable")
    done
}
