# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
# shellcheck disable=SC2154 # $ci, $jobs and $results are set in the files sourced before
#
# The stages of tests/run.sh. Each may use what earlier ones built, and builds what it lacks.

# Tests of the programs, run as a user would; $WIRERX_BIN holds the programs. Exit status 77 is a
# skip whose last line says why. Those marked `asan` also run with the sanitized programs.
command_tests='
    tests/command/manual.py
    tests/command/bad_input.py       asan
    tests/command/replay.py          asan
    tests/command/real_captures.py   asan
    tests/command/hostile_pcap.py    asan
    tests/command/impair.py          asan
    tests/bench/smoke.py
    tests/bench/commands.py
    tests/bench/report.py
    tests/perf/generator.py
    tests/perf/network.py
    tests/perf/pktgen.py
'

stage_format() {
    sources '*.c' '*.h' >"$ci/format.files"
    check "format (clang-format-14 -i mends it)" \
        xargs -a "$ci/format.files" -P "$jobs" -n 16 clang-format-14 --dry-run -Werror
}

stage_scripts() {
    local shell script others
    mapfile -t shell < <(sources '*.sh' .ci/run)
    check shellcheck shellcheck -x -P SCRIPTDIR -P . "${shell[@]}"
    check "every script is run" unused_scripts
}

# Nobody forgets a test: each script under tests/ is named, or imported, by another file there.
unused_scripts() {
    local script name others unused=0
    while IFS= read -r script; do
        name=$(basename "$script")
        others=$(sources 'tests/*' | grep -Fxv "$script")
        # shellcheck disable=SC2086 # a list of paths without blanks
        grep -qE "(^|[^[:alnum:]_])($name|(import|from) ${name%.py})([^[:alnum:]_]|$)" $others ||
            { echo "nothing runs $script"; unused=1; }
    done < <(sources 'tests/*.sh' 'tests/*.py' | grep -v '^tests/run.sh$')
    return $unused
}

stage_layers() {
    check layers python3 tests/lib/layers.py
}

# The build and, where WIRERX_PLANT names one, the planted suite instead of the real ones.
build_and_run() {
    if [ -n "${WIRERX_PLANT:-}" ]; then
        local plain=''
        [ "$1" != tsan ] || plain=tsan-
        build "$1" teeth
        execute_suite "$1" "$ci/$1/teeth/$plain$WIRERX_PLANT"
        record_suite "$1" "$ci/$1/teeth/$plain$WIRERX_PLANT"
    else
        build "$1"
        pass "build with $1"
        run_suites "$1"
    fi
}

stage_gcc() {
    build_and_run gcc
}

stage_asan() {
    build_and_run asan
    [ -n "${WIRERX_PLANT:-}" ] || run_command_tests asan
}

stage_tsan() {
    build_and_run tsan
}

# What the suites proved. `--check --strict` fails as long as a clause that needs no TCP has no test.
stage_conformance() {
    grep -q $'\t'gcc/ "$results" || stage_gcc
    check conformance tests/conformance --check --strict --results "$results"
}

# These do not depend on the machine's mood, so they may decide.
stage_counts() {
    build gcc
    check instructions perf/instructions.py --check "$ci/gcc"
    check "instructions can be off" tests/bench/instructions.py "$ci/gcc"
}

# The tests are compiled by clang for the sanitizers, with the same warnings.
stage_clang() {
    build clang programs
    pass "build with clang"
}

stage_symbols() {
    build gcc
    check symbols python3 tests/lib/public_names.py --library "$ci/gcc/lib/libwirerx.so"
}

stage_tidy() {
    # The analyzer reads code as clang compiles it; headers come along by HeaderFilterRegex.
    configure clang
    local file
    while IFS= read -r file; do
        ! grep -qF "\"file\": \"$PWD/$file\"" "$ci/clang/compile_commands.json" || echo "$file"
    done < <(sources '*.c' ':!tests/teeth') >"$ci/tidy.files"
    check tidy xargs -a "$ci/tidy.files" -P "$jobs" -n 4 clang-tidy-14 --quiet -p "$ci/clang"
}

stage_abi() {
    check abi python3 tests/abi/compare.py
}

stage_samples() {
    install_tree
    check "samples here" tests/samples/compare.py here "$ci/installed"
    check "samples under Wine" tests/samples/compare.py wine
}

stage_model() {
    check model tests/model/check.sh
}

stage_mutants() {
    build gcc
    check mutants tests/mutants/check.py "$ci/gcc"
}

stage_package() {
    install_tree
    check package tests/package/check.sh "$ci/installed"
}

stage_readme() {
    install_tree
    check readme tests/lib/readme-example.sh "$ci/installed" "$ci/gcc"
}

# A fresh installation of the gcc build in build/ci/installed
install_tree() {
    build gcc
    rm -rf "$ci/installed"
    cmake --install "$ci/gcc" --prefix "$ci/installed"
}

run_command_tests() {
    local test flags
    while read -r test flags; do
        [ -n "$test" ] || continue
        [ "$1" = gcc ] || [ "$flags" = "$1" ] || continue
        run_command_test "$1" "$test"
    done <<<"$command_tests"
}

run_command_test() {
    local reports start=$SECONDS
    reports=$ci/reports/$1/$(basename "$2")
    rm -rf "$reports"
    mkdir -p "$reports"
    export WIRERX_BIN=$ci/$1/bin WIRERX_BUILD=$ci/$1 WIRERX_VARIANT=$1
    check "$1 $2" with_sanitizers "$reports" timeout -k 10 "${WIRERX_SUITE_SECONDS:-600}" "$2"
    record_reports "$1 $2" "$reports"
    echo "== $2 took $((SECONDS - start)) s"
}

stage_command() {
    build gcc
    run_command_tests gcc
}

# tests/AREA/fuzz_NAME.c, with seeds in tests/AREA/corpus/NAME/ or tests/AREA/corpus/ and words in
# tests/AREA/fuzz_NAME.dict; what they find stays in build/ci/fuzz.
stage_fuzz() {
    build asan
    local targets
    mapfile -t targets < <(find "$ci/asan/tests" -maxdepth 1 -name 'fuzz-*' -type f | sort)
    [ ${#targets[@]} -gt 0 ] || { skip fuzz "there is no fuzzer yet"; return; }
    rm -rf "$ci/fuzz/status"
    mkdir -p "$ci/fuzz/status"
    export -f fuzz_one with_sanitizers
    export ci
    # shellcheck disable=SC2016 # the inner shell expands it
    printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I{} bash -c 'fuzz_one "$1"' fuzz {}
    local target name
    for target in "${targets[@]}"; do
        name=$(basename "$target")
        tail -n 40 "$ci/fuzz/$name/output"
        if [ "$(cat "$ci/fuzz/status/$name" 2>/dev/null)" = 0 ]; then
            pass "$name"
        else
            fail "$name" "the input is in $ci/fuzz/$name"
        fi
    done
}

fuzz_one() {
    local name area work seeds dictionary status=0
    name=$(basename "$1")
    area=${name#fuzz-} && area=${area%%-*}
    work=$ci/fuzz/$name
    rm -rf "$work"
    mkdir -p "$work/corpus" "$work/sanitizer"
    seeds=tests/$area/corpus/${name#"fuzz-$area-"}
    [ -d "$seeds" ] || seeds=tests/$area/corpus
    [ -d "$seeds" ] || seeds=
    dictionary=tests/$area/fuzz_${name#"fuzz-$area-"}.dict
    [ -f "$dictionary" ] || dictionary=
    with_sanitizers "$work/sanitizer" "$1" "$work/corpus" ${seeds:+"$seeds"} \
        ${dictionary:+-dict="$dictionary"} -artifact_prefix="$work/" \
        -max_total_time="${WIRERX_FUZZ_SECONDS:-6}" -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -error_exitcode=1 >"$work/output" 2>&1 || status=$?
    cat "$work"/sanitizer/* >>"$work/output" 2>/dev/null || true
    echo $status >"$ci/fuzz/status/$name"
}

# A test of this script: a planted mistake goes through the whole of it and must come out red, for
# its own reason; and the twin without one green.
stage_teeth() {
    plant asan sound green ' passed, 0 failed, 0 skipped'
    plant tsan sound green ' passed, 0 failed, 0 skipped'
    plant gcc sound green ' passed, 0 failed, 0 skipped'
    plant asan leak red 'LeakSanitizer: detected memory leaks'
    plant asan overflow red 'AddressSanitizer: heap-buffer-overflow'
    plant asan undefined red 'runtime error: signed integer overflow'
    plant tsan race red 'ThreadSanitizer: data race'
    plant tsan failure red 'FAILED: tsan/tsan-failure failure/finds_something_else'
    plant gcc failure red 'FAILED: gcc/failure failure::finds_something_else'
    plant gcc crash red 'FAILED: gcc/crash crash::does_not_come_back'
    WIRERX_SUITE_SECONDS=3 plant gcc hang red 'ran past its time'
}

# plant STAGE SUITE red|green TEXT: the run's colour, and a text in its output
plant() {
    local output=$ci/log/plant-$1-$2 colour=green
    echo "== $1 with $2"
    WIRERX_PLANT=$2 tests/run.sh --stage "$1" >"$output" 2>&1 || colour=red
    cat "$output"
    if [ $colour = "$3" ] && grep -qF -- "$4" "$output"; then
        pass "teeth: $2 under $1 comes out $3"
    else
        fail "teeth: $2 under $1 comes out $3" "it came out $colour, see $output"
    fi
}
