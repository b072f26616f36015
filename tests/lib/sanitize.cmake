# SPDX-License-Identifier: BSD-3-Clause
# WIRERX_SANITIZE: the flags of each sanitizer, for everything that is compiled.

set(WIRERX_FUZZ OFF) # tests/*/fuzz_*.c become fuzzers where libFuzzer is at hand: clang with ASan
if(NOT WIRERX_SANITIZE)
    return()
endif()

if(WIRERX_SANITIZE STREQUAL "address")
    set(flags -fsanitize=address,undefined -fno-sanitize-recover=all)
    if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
        set(WIRERX_FUZZ ON)
        add_compile_options(-fsanitize=fuzzer-no-link) # coverage, inert outside of a fuzzer
    endif()
elseif(WIRERX_SANITIZE STREQUAL "undefined")
    set(flags -fsanitize=undefined -fno-sanitize-recover=all)
elseif(WIRERX_SANITIZE STREQUAL "thread")
    set(flags -fsanitize=thread)
    # DPDK's inline functions as C11 atomics: TSan cannot see into its assembly and barriers.
    # Criterion cannot start under TSan, so suites are built as plain executables.
    add_compile_definitions(RTE_USE_C11_MEM_MODEL RTE_FORCE_INTRINSICS)
    set(WIRERX_PLAIN_TESTS ON)
else()
    message(FATAL_ERROR "WIRERX_SANITIZE=${WIRERX_SANITIZE}: use address, thread or undefined")
endif()

add_compile_options(${flags})
add_link_options(${flags})
add_compile_definitions(WIRERX_SANITIZED=1)
# Assertions stay on (no NDEBUG), and stacks stay readable.
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O1 -g")
