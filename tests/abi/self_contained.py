# SPDX-License-Identifier: BSD-3-Clause
"""The public headers depend on nothing around them: they compile without a warning alone, in any
order, before and after libc's headers, in C and in C++. No function takes a symbol of libc's."""

import ctypes
import itertools
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEADERS = ROOT / "provider/include/wirerx"
CLIENT = Path(__file__).resolve().parent / "compile/self_contained.c"
PUBLIC = ("winsock2.h", "ws2tcpip.h", "mswsock.h", "ws2spi.h", "wirerx.h")
COMMON = ("stdio.h", "stdlib.h", "string.h", "unistd.h", "pthread.h", "time.h")

WARNINGS = ("-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wpedantic", "-Werror")
MODES = (
    ("gcc", "-xc", "-std=c11"),
    ("gcc", "-xc", "-std=gnu11", "-D_GNU_SOURCE"),
    ("clang", "-xc", "-std=c11"),
    ("g++", "-xc++", "-std=c++17"),
    ("clang++", "-xc++", "-std=c++17"),
)


class Checks:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.wrong = []
        self.runs = 0
        self.modes = []
        for compiler, *flags in MODES:
            found = shutil.which(compiler) or shutil.which(f"{compiler}-14")
            if found:
                self.modes.append((found, *flags))
            else:
                print(f"NOT CHECKED: no {compiler} here")

    def compile(self, mode, source, *flags):
        """What the compiler says; empty when it is content."""
        self.runs += 1
        done = subprocess.run([*mode, *WARNINGS, f"-I{HEADERS}", *flags, source], text=True,
                              capture_output=True)
        return "" if done.returncode == 0 else done.stderr or "failed without a word"

    def includes(self, mode, names):
        source = self.folder / "includes.c"
        source.write_text("".join(f"#include <{name}>\n" for name in names))
        flags = ["-fsyntax-only"]
        if mode[0].endswith("g++") and "wirerx.h" in names:
            # A function of wirerx.h may have the name of the structure that it fills.
            flags.append("-Wno-shadow")
        said = self.compile(mode, source, *flags)
        if said:
            self.wrong.append(f"{' '.join(mode)}: {', '.join(names)}:\n{said}")

    def alone_and_around(self):
        for mode in self.modes:
            for header in sorted(path.name for path in HEADERS.glob("*.h")):
                self.includes(mode, [header])
                self.includes(mode, [*COMMON, header, *COMMON])
                self.includes(mode, [header, *COMMON])

    def orders(self):
        for mode in (self.modes[0], self.modes[-1]):
            for order in itertools.permutations(PUBLIC, 2):
                self.includes(mode, order)

    def system_sockets(self):
        """A header that cannot be had beside ours is refused with a reason, not with a riddle."""
        source = self.folder / "both.c"
        for header in ("sys/socket.h", "netinet/in.h", "arpa/inet.h"):
            source.write_text(f"#include <{header}>\n#include <winsock2.h>\n")
            if "cannot share a file" not in self.compile(self.modes[0], source, "-fsyntax-only"):
                self.wrong.append(f"winsock2.h after {header}: not refused with the reason")

    def client(self):
        target = self.folder / "client.o"
        for mode in self.modes:
            for place in ("-DLIBC_BEFORE", "-DLIBC_AFTER", "-DLIBC_NOT_INCLUDED"):
                said = self.compile(mode, CLIENT, place, "-c", "-o", target)
                if said:
                    self.wrong.append(f"{' '.join(mode)} {place}:\n{said}")
                    continue
                self.symbols(mode, target)

    def symbols(self, mode, target):
        """Capitals: exported as they stand. Berkeley names: with a prefix. None is libc's."""
        headers = "".join(path.read_text() for path in HEADERS.glob("*.h"))
        names = set(re.findall(r"^(?!typedef)\w[\w *]*(?:WINAPI|WSAAPI|WSPAPI) (\w+)\(", headers,
                               flags=re.M))
        wanted = {f"wirerx_{name}" if name.islower() else name for name in names}
        listing = subprocess.run(["nm", "-u", target], capture_output=True, text=True, check=True)
        found = {line.split()[-1] for line in listing.stdout.splitlines()}
        libc = ctypes.CDLL(None)
        for symbol in sorted(wanted - found):
            self.wrong.append(f"{' '.join(mode)}: {CLIENT.name} refers to no {symbol}")
        for symbol in sorted(names & found):
            if hasattr(libc, symbol):
                self.wrong.append(f"{' '.join(mode)}: {symbol} is a symbol of libc")


def check():
    """A list of what is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        checks = Checks(folder)
        checks.client()
        checks.system_sockets()
        checks.alone_and_around()
        checks.orders()
    print(f"self-contained: {checks.runs} compilations")
    return checks.wrong
