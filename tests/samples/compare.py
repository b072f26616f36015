#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Four programs written for Windows (blocking.c, readiness.c, events.c, apc.c) print, clause by
clause, what NAME.expected has, which was written from the clauses.

    compare.py here PREFIX    compiled with gcc and the wirerx installed under PREFIX
    compare.py wine           compiled with mingw-w64 and run under Wine; differences.py holds what
                              Wine prints otherwise, and why

The sources are the same, byte for byte. Exit status 0: as expected; 1: not; 77: no Wine or no
mingw-w64 here."""

import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import differences

HERE = Path(__file__).resolve().parent
PROGRAMS = ("blocking", "readiness", "events", "apc")
MINGW = "x86_64-w64-mingw32-gcc"
WARNINGS = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror"]
PATIENCE = 60  # seconds; a program takes some four, twice that under Wine
CLAUSE = r"[A-Z]\d\d[a-z]?\b"
CLAUSE_OR_CALL = CLAUSE + r"|(WSA|[a-z])\w+\b"
FIRST_START = 180  # seconds; Wine fills its prefix

# A port that stays silent: all that the programs send comes back to them inside the stack.
CONFIGURATION = """\
cores: [{core}]
ports:
  - device: "vdev:net_null0,no-rx=1"
"""


class Failure(Exception):
    """What went wrong, in the words to print."""


def run(command, timeout, **options):
    """Standard output of a command that must succeed."""
    words = " ".join(str(word) for word in command)
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=timeout, check=False, **options)
    except subprocess.TimeoutExpired as late:
        shown = late.stdout.decode(errors="replace") if late.stdout else ""
        raise Failure(f"{words} hangs; it printed\n{shown}") from None
    if done.returncode:
        raise Failure(f"{words}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def lines_of(text):
    """line -> results, in the order of printing"""
    lines = {}
    for line in text.splitlines():
        name, separator, results = line.partition(": ")
        if not separator or not re.match(CLAUSE_OR_CALL, name) or name in lines:
            raise Failure(f"names no clause or call, or it for the second time: {line}")
        lines[name] = results
    return lines


def expected(program):
    return lines_of((HERE / f"{program}.expected").read_text())


def under_wine(program, different=None):
    """What is expected, with Wine's differences in place."""
    lines = expected(program)
    for name, (results, reason) in (different or differences.DIFFERENT[program]).items():
        page = re.match(rf"([A-Z]+): |clause {CLAUSE}", reason)
        if not page or (page[1] and page[1] not in differences.PAGES):
            raise Failure(f"{program}: {name}: names neither a page nor a clause: {reason}")
        if lines.get(name) in (None, results):
            raise Failure(f"{program}: {name}: listed in differences.py, and does not differ")
        lines[name] = results
    return lines


def check(program, wanted, printed):
    """One line for a person, or a Failure that shows what differs."""
    got = lines_of(printed)
    if list(got.items()) != list(wanted.items()):  # in this order, too
        rows = [[f"{name}: {results}" for name, results in side.items()] for side in (wanted, got)]
        raise Failure(f"{program} prints\n" + "\n".join(
            difflib.unified_diff(*rows, "expected", "printed", lineterm="", n=0)))
    clauses = {found[0] for found in (re.match(CLAUSE, name) for name in got) if found}
    return f"{program}: {len(got)} lines, {len(clauses)} clauses"


def self_check():
    """Mistakes that must be found."""
    for program in PROGRAMS:
        lines = (HERE / f"{program}.expected").read_text().splitlines(keepends=True)
        name, results = lines[3].rstrip().split(": ")
        for mistake in (
                lambda: check(program, expected(program), "".join(lines[1:])),
                lambda: check(program, expected(program), "".join(lines[::-1])),
                lambda: check(program, expected(program), "".join(lines).replace("=0", "=1", 1)),
                lambda: check(program, expected(program), "".join(lines + lines[:1])),
                lambda: check(program, expected(program), "".join(lines) + "Segmentation fault\n"),
                lambda: under_wine(program, {name: (results, "clause A01: no difference")}),
                lambda: under_wine(program, {"A01 no such line": ("done=1", "clause A01: so")}),
                lambda: under_wine(program, {name: ("done=1", "because it is so")}),
                lambda: under_wine(program, {name: ("done=1", "READ: there is no such page")})):
            try:
                mistake()
            except Failure:
                continue
            raise Failure(f"{program}: a planted mistake is not found")


def here(folder, prefix):
    """gcc, the installed library, and a dataplane that the environment names."""
    found = list(Path(prefix).resolve().rglob("wirerx.pc"))
    if not found:
        raise Failure(f"there is no wirerx.pc under {prefix}")
    environment = dict(os.environ, PKG_CONFIG_PATH=str(found[0].parent))
    flags = run(["pkg-config", "--cflags", "--libs", "wirerx"], PATIENCE, env=environment).split()
    configuration = folder / "lab.yaml"
    configuration.write_text(CONFIGURATION.format(core=max(os.sched_getaffinity(0))))
    environment.update(LD_LIBRARY_PATH=str(found[0].parent.parent),
                       WIRERX_CONFIG=str(configuration))
    for program in PROGRAMS:
        binary = folder / program
        run(["gcc", *WARNINGS, HERE / f"{program}.c", *flags, "-o", binary], PATIENCE)
        yield program, expected(program), run([binary], PATIENCE, env=environment)


def find_wine():
    """wine64 and its server; Debian keeps both out of the search path."""
    for names in (("wine64", "wineserver"), ("/usr/lib/wine/wine64", "/usr/lib/wine/wineserver64")):
        found = [shutil.which(name) for name in names]
        if all(found):
            return found
    return None


def wine(folder):
    """mingw-w64, and Wine in a prefix and a home of its own, without a display."""
    binaries = []
    if not shutil.which(MINGW):
        skip(f"there is no {MINGW} here (package gcc-mingw-w64-x86-64)")
    for program in PROGRAMS:
        binaries.append(folder / f"{program}.exe")
        run([MINGW, *WARNINGS, HERE / f"{program}.c", "-o", binaries[-1], "-lws2_32"], PATIENCE)
    found = find_wine()
    if not found:
        skip("there is no wine64 here (package wine64)")
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("DISPLAY", "WAYLAND_DISPLAY") and not name.startswith("WINE")}
    environment.update(HOME=str(folder), WINEPREFIX=str(folder / "prefix"), WINEDEBUG="-all",
                       WINEDLLOVERRIDES="mscoree,mshtml,winemenubuilder.exe=")
    try:
        run([found[0], "wineboot", "-i"], FIRST_START, env=environment)
        with ThreadPoolExecutor() as pool: # they mostly wait
            printed = pool.map(lambda binary: run([found[0], binary], PATIENCE, env=environment),
                               binaries)
            yield from zip(PROGRAMS, map(under_wine, PROGRAMS), printed)
    finally:
        subprocess.run([found[1], "-k"], env=environment, check=False, timeout=PATIENCE)
        subprocess.run([found[1], "-w"], env=environment, check=False, timeout=PATIENCE)


def skip(reason):
    print(reason)
    raise SystemExit(77)


def main():
    ways = {("here", 2): here, ("wine", 1): wine}
    way = ways.get((sys.argv[1], len(sys.argv) - 1)) if len(sys.argv) > 1 else None
    if way is None:
        sys.exit(__doc__)
    failed = False
    with tempfile.TemporaryDirectory(prefix="wirerx-samples.") as folder:
        try:
            self_check()
            for program, wanted, printed in way(Path(folder), *sys.argv[2:]):
                try:
                    print(check(program, wanted, printed))
                except Failure as failure:
                    print(failure)
                    failed = True
        except Failure as failure:
            print(failure)
            failed = True
    return failed


if __name__ == "__main__":
    sys.exit(main())
