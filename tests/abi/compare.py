#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compare the public headers with the Windows headers of mingw-w64.

    compare.py [--cc gcc] [--mingw x86_64-w64-mingw32-gcc]

What is compared is found, not listed: every macro, enumerator, type, member and function that the
headers declare. Their values, widths, offsets and types are compiled into one constant array by
both compilers and read back from the object files, so that nothing needs to run on Windows.
differences.py holds what is known to differ. When all is equal, the same comparison is made with
headers into which mistakes were planted (MISTAKES); each must be found.

Exit status 0: equal; 1: not; 77: no mingw-w64 here. The headers' independence of what is included
around them (self_contained.py) is checked first and needs no mingw-w64.
"""

import argparse
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import differences as known
import self_contained
from debug_info import KEYWORD, Types

HEADERS = Path(__file__).resolve().parents[2] / "provider/include/wirerx"

OURS = '#include "winsock2.h"\n#include "ws2tcpip.h"\n#include "mswsock.h"\n#include "ws2spi.h"\n'
LIBC = "".join(f"#include <{name}.h>\n" for name in ("stddef", "stdint", "sys/select", "sys/types"))
# Windows 10, and all STATUS_* values: winnt.h has a few, ntstatus.h has them all.
WINDOWS = """\
#define _WIN32_WINNT 0x0A00
#define NTDDI_VERSION 0x0A00000C
#define WIN32_NO_STATUS
#include <winsock2.h>
#include <ws2tcpip.h>
#include <mswsock.h>
#include <mstcpip.h>
#include <ws2spi.h>
#include <ntdef.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
"""
# To tell the socket headers' macros from all others
WINDOWS_ALONE = "#define _WIN32_WINNT 0x0A00\n#define WIN32_LEAN_AND_MEAN\n#include <windows.h>\n"

# What has a name of our own because libc uses Windows' name
RENAMED = {"wirerx_fd_set": "fd_set", "wirerx_timeval": "timeval", "wirerx_select": "select"}

# Functions that the two tables of the service provider interface have
TABLES = {"struct _WSPPROC_TABLE": 30, "struct _WSPUPCALLTABLE": 15}

SIGNEDNESS = ("_Generic(*({0} *)0, char: 1, signed char: 1, short: 1, int: 1, long: 1,"
              " long long: 1, unsigned char: 2, unsigned short: 2, unsigned: 2, unsigned long: 2,"
              " unsigned long long: 2, default: 0)")

# Where the values begin in an object file
MAGIC = bytes.fromhex("5749524552582d414249f10ca95ec3d7")
ROOM = 32  # bytes for each initialised object

# Planted for the self-check: (file, what stands there, what is put there, the finding to come)
MISTAKES = [
    ("wirerx_errors.h", "WSAEFAULT 10014", "WSAEFAULT 10015", "value WSAEFAULT"),
    ("wirerx_errors.h", "0xC0000120", "0xC0000121", "value STATUS_CANCELLED"),
    ("wirerx_socket.h", "#define MSG_PEEK ", "#define MSG_PEKE ", "missing MSG_PEKE"),
    ("wirerx_socket.h", "#define MSG_WAITALL 0x8\n", "", "forgotten MSG_WAITALL"),
    ("wirerx_socket.h", "    ULONG len;", "    ULONGLONG len;", "sizeof struct _WSABUF.len"),
    ("wirerx_address.h", "CHAR sin_zero[8]", "CHAR sin_zero[6]",
     "sizeof struct sockaddr_in.sin_zero"),
    ("wirerx_address.h", "Zone : 28", "Zone : 27", "bits struct _SCOPE_ID.Zone"),
    ("wirerx_address.h", "ScopeLevelSubnet = 3", "ScopeLevelSubnet = 4", "value ScopeLevelSubnet"),
    ("wirerx_address.h", "s_lh S_un.S_un_b.s_b3", "s_lh S_un.S_un_b.s_b4", "text s_lh"),
    ("wirerx_types.h", "(WORD)((DWORD_PTR)(high)&0xff) << 8", "(WORD)((DWORD_PTR)(high)&0xff) << 7",
     "value MAKEWORD(2, 2)"),
    ("wirerx_types.h", "typedef int INT,", "typedef unsigned INT,", "signed INT"),
    ("wirerx_kernel.h", "DWORD OffsetHigh;", "DWORD Offset2;",
     "missing struct _OVERLAPPED.Offset2"),
    ("ws2tcpip.h", "    IN_ADDR imr_sourceaddr;\n    IN_ADDR imr_interface;",
     "    IN_ADDR imr_interface;\n    IN_ADDR imr_sourceaddr;",  # as Linux has them
     "offsetof struct ip_mreq_source.imr_sourceaddr"),
    ("ws2tcpip.h", "SOCKADDR_STORAGE gr_group;", "SOCKADDR_IN gr_group;",
     "sizeof struct group_req.gr_group"),
    ("ws2tcpip.h", "    ULONG gf_numsrc;", "    ULONGLONG gf_numsrc;",
     "sizeof struct group_filter.gf_numsrc"),
    ("ws2tcpip.h", "MCAST_BLOCK_SOURCE 43", "MCAST_BLOCK_SOURCE 44", "value MCAST_BLOCK_SOURCE"),
    ("mswsock.h", "0xf689d7c8", "0xf689d7c9", "bytes WSAID_WSARECVMSG"),
    ("winsock2.h", "LPDWORD lpFlags, LPWSAOVERLAPPED", "DWORD lpFlags, LPWSAOVERLAPPED",
     "typeof WSARecv"),
    ("winsock2.h", "BOOL WSAAPI WSASetEvent(", "BOOL WSAAPI WSASetEvnt(", "missing WSASetEvnt"),
    ("ws2spi.h", "LPWSPRECV lpWSPRecv;\n    LPWSPRECVDISCONNECT lpWSPRecvDisconnect;",
     "LPWSPRECVDISCONNECT lpWSPRecvDisconnect;\n    LPWSPRECV lpWSPRecv;",
     "offsetof struct _WSPPROC_TABLE.lpWSPRecv"),
    ("ws2spi.h", "*LPWPUCLOSETHREAD)(LPWSATHREADID ", "*LPWPUCLOSETHREAD)(LPWSATHREADID *",
     "typeof LPWPUCLOSETHREAD"),
]


def renamed(text):
    """A type or function of ours, in Windows' words."""
    return re.sub(r"\bwirerx_\w+", lambda word: RENAMED.get(word[0], word[0]), text)


class Side:
    """One compiler with one set of headers."""

    cache = {}  # of macros(): Windows' do not change between two comparisons

    def __init__(self, command, folder):
        self.command = command
        self.folder = folder

    def run(self, flags, prelude, body="", fail=True):
        source = self.folder / "unit.c"
        source.write_text(f'{prelude}\n#line 1 "body.c"\n{body}')
        done = subprocess.run([*self.command, "-w", *flags, source], capture_output=True, text=True)
        if done.returncode and fail:
            sys.exit(f"{' '.join(self.command)}:\n{done.stderr}")
        return done

    def macros(self, prelude):
        """name -> (parameters or None, body)"""
        key = (*self.command, prelude)
        if key not in self.cache:
            text = self.run(["-E", "-dM"], prelude).stdout
            found = re.findall(r"^#define (\w+)(\([^)]*\))? ?(.*)$", text, flags=re.M)
            self.cache[key] = {name: (parameters or None, body.strip())
                               for name, parameters, body in found}
        return self.cache[key]

    def expanded(self, prelude, names):
        """name -> what an object-like macro becomes, blanks aside"""
        text = self.run(["-E", "-P"], prelude, "".join(f'"@{name}" {name} "@"\n' for name in names))
        return {name: "".join(body.split())
                for name, body in re.findall(r'"@(\w+)"(.*?)"@"', text.stdout, flags=re.S)}

    def accepted(self, prelude, statements):
        """For each C statement, whether it compiles."""
        # In functions of their own, because an unknown name is reported once a function.
        body = "".join(f"void probe_{number}(void) {{ {statement} }}\n"
                       for number, statement in enumerate(statements, 1))
        all_errors = "-ferror-limit=0" if "clang" in self.command[0] else "-fmax-errors=0"
        report = self.run(["-fsyntax-only", all_errors], prelude, body, fail=False).stderr
        # Also notes: an error inside a macro is shown where the macro is defined.
        lines = re.findall(r"^body\.c:(\d+):.*(?:error|expan)", report, flags=re.M)
        wrong = {int(line) for line in lines}
        return [number not in wrong for number in range(1, len(statements) + 1)]

    def read(self, prelude, declarations, expressions, objects):
        """Values of integer expressions, and the bytes of (type, initialiser) objects."""
        magic = ", ".join(f"0x{byte:02x}" for byte in MAGIC)
        body = declarations
        body += "const struct {\n    unsigned char magic[16];\n"
        body += f"    long long value[{len(expressions)}];\n"
        for number, (kind, _) in enumerate(objects):
            body += f"    union {{ {kind} value; unsigned char room[{ROOM}]; }} object_{number};\n"
        body += f"}} __attribute__((packed)) abi = {{{{{magic}}}, {{\n"
        body += "".join(f"(long long)({expression}),\n" for expression in expressions) + "},\n"
        body += "".join(f"{{{initialiser}}},\n" for _, initialiser in objects) + "};\n"
        target = self.folder / "unit.o"
        self.run(["-c", "-o", target], prelude, body)
        data = target.read_bytes()
        if data.count(MAGIC) != 1:
            sys.exit(f"{' '.join(self.command)}: the values are not in the object file")
        place = data.index(MAGIC) + len(MAGIC)
        values = struct.unpack_from(f"<{len(expressions)}q", data, place)
        place += 8 * len(expressions)
        return values, [data[place + ROOM * n:place + ROOM * (n + 1)].hex()
                        for n in range(len(objects))]


class Name:
    """Something our headers declare that Windows' must have too."""

    def __init__(self, kind, name, probe, whole=None):
        self.kind = kind  # "constant", "layout", "member" or "prototype"
        self.name = name
        self.probe = probe  # a statement that compiles where the name exists
        self.whole = whole  # the Name whose member it is
        self.values = []  # (what, expression)
        self.types = []  # (what, expression or type, type as we wrote it)
        self.objects = []  # (what, type, initialiser)
        self.declaration = ""  # what the expressions need to be declared before
        self.exists = True

    def value(self, kind, expression, what=None):
        self.values.append((f"{kind} {what or self.name}", expression))

    def type(self, expression, written):
        if written:
            self.types.append((f"typeof {self.name}", expression, written))


class Comparison:
    """One set of headers against Windows'."""

    def __init__(self, cc, mingw, headers, folder):
        self.folder = folder
        self.ours = Side([cc, "-std=c11", f"-I{headers}"], folder)
        self.theirs = Side([mingw, "-std=gnu17"], folder)
        self.names = []
        self.findings = []  # (what, how)
        self.used = set()  # rows of differences.py that applied
        self.same_text = 0  # macros that were compared as text

    # --- what our headers declare ---

    def find_macros(self):
        libc, everything = self.ours.macros(LIBC), self.ours.macros(OURS)
        windows = self.theirs.macros(WINDOWS)
        mine = {}
        for name, macro in everything.items():
            if name in known.NO_VALUE:
                self.used.add(name)
            elif libc.get(name) != macro and not name.startswith("WIRERX_"):
                mine[name] = macro
        plain = [name for name, (parameters, _) in mine.items() if parameters is None]

        kinds = {}
        for kind, value in (("number", "(long long)({})"), ("GUID", "{}"), ("IN6_ADDR", "{}")):
            left = [name for name in plain if name not in kinds and mine[name][1]]
            probe = f"static const {'long long' if kind == 'number' else kind} probe = {value};"
            fits = self.ours.accepted(OURS, [probe.format(name) for name in left])
            kinds.update({name: kind for name, fit in zip(left, fits) if fit})
        for name, kind in kinds.items():
            if kind == "number":
                entry = Name("constant", name,
                             f"static const long long probe = (long long)({name});")
                entry.value("value", name)
            else:
                entry = Name("constant", name, f"static const {kind} probe = {name};")
                entry.objects.append((f"bytes {name}", kind, name))
            self.names.append(entry)

        # What is no value is another name for something, or nothing: compared as text.
        others = [name for name in plain if name not in kinds]
        here, there = self.ours.expanded(OURS, others), self.theirs.expanded(WINDOWS, others)
        for name in others:
            if name not in windows:
                self.missing(name)
            elif here[name] not in ("", there[name]):  # empty: calling conventions
                self.findings.append((f"text {name}", f"{here[name]} here, {there[name]} there"))
            else:
                self.same_text += 1

        for name, (parameters, _) in mine.items():
            if parameters is None:
                continue
            self.used.add(name)
            if name not in known.SAMPLES:
                self.findings.append((f"arguments {name}", "differences.py has none"))
                continue
            samples = [f"{name}({arguments})" for arguments in known.SAMPLES[name]]
            entry = Name("constant", name,
                         f"static const long long probe = (long long){samples[0]};")
            for sample in samples:
                entry.value("value", sample, sample)
            self.names.append(entry)

        sockets = set(windows) - set(self.theirs.macros(WINDOWS_ALONE)) - set(everything)
        for name in sorted(sockets):
            if not re.fullmatch(known.FAMILIES, name) or windows[name][1] == "":
                continue
            rows = [row for row in known.LEFT_OUT if re.fullmatch(row, name)]
            self.used.update(rows)
            if not rows:
                self.findings.append((f"forgotten {name}", f"Windows has it: {windows[name][1]}"))

    def debug_info(self, prelude):
        target = self.folder / "types.o"
        self.ours.run(["-c", "-g", "-gdwarf-4", "-fno-eliminate-unused-debug-types", "-o", target],
                      prelude)
        return Types(target)

    def find_types(self):
        libc = {(entry.tag, entry.name) for entry in self.debug_info(LIBC).top}
        types = self.debug_info(OURS)
        for entry in types.top:
            end = types.resolved(entry)
            if (not entry.name or (entry.tag, entry.name) in libc or end is None
                    or "DW_AT_declaration" in end.attributes):
                continue
            if entry.tag == "DW_TAG_typedef" and entry.name not in RENAMED:
                self.find_typedef(types, entry, end)
            elif entry.tag == "DW_TAG_enumeration_type":
                self.find_enumeration(entry)
            elif entry.tag in KEYWORD:
                self.find_members(types, entry)

    def find_typedef(self, types, entry, end):
        name = Name("layout", entry.name, f"enum {{ probe = sizeof({entry.name}) }};")
        name.value("sizeof", f"sizeof({name.name})")
        if end.tag == "DW_TAG_base_type":
            name.value("signed", SIGNEDNESS.format(name.name))
        else:
            name.type(name.name, types.written(types.target(entry)))
        self.names.append(name)

    def find_enumeration(self, entry):
        whole = Name("layout", f"enum {entry.name}",
                     f"enum {{ probe = sizeof(enum {entry.name}) }};")
        whole.value("sizeof", f"sizeof({whole.name})")
        self.names.append(whole)
        for child in entry.children:
            if child.tag == "DW_TAG_enumerator":
                name = Name("constant", child.name, f"enum {{ probe = {child.name} }};")
                name.value("value", child.name)
                self.names.append(name)

    def find_members(self, types, entry):
        written = f"{KEYWORD[entry.tag]} {entry.name}"
        whole = Name("layout", written, f"enum {{ probe = sizeof({written}) }};")
        whole.value("sizeof", f"sizeof({written})")
        whole.value("alignof", f"_Alignof({written})")
        self.names.append(whole)
        for path, member in types.members(entry):
            name = Name("member", f"{written}.{path}", f"(void)(({written} *)0)->{path};", whole)
            if "DW_AT_bit_size" in member.attributes:
                name.objects.append((f"bits {name.name}", written, f"{{.{path} = -1}}"))
            else:
                place = f"(({written} *)0)->{path}"
                name.value("offsetof", f"__builtin_offsetof({written}, {path})")
                name.value("sizeof", f"sizeof({place})")
                name.type(f"__typeof__({place})", types.written(types.target(member)))
            self.names.append(name)

    def find_functions(self):
        for function, result, parameters in self.declared_functions():
            name = Name("prototype", function, f"__typeof__({function}) *probe;")
            name.declaration = f"{result} here_{function}({parameters});\n"
            name.type(f"__typeof__({function})", f"__typeof__(here_{function})")
            self.names.append(name)

    def declared_functions(self):
        """(name, result, parameters) of every function in our headers, inline ones included."""
        lines, ours = [], False
        for line in self.ours.run(["-E"], OURS).stdout.splitlines():
            marker = re.match(r'# \d+ "([^"]*)"', line)
            if marker:
                ours = Path(marker[1]).parent.name == "wirerx"
            elif ours:
                lines.append(line)
        text = re.sub(r'__asm__\("\w+"\)|__attribute__\(\(noreturn\)\)', "", " ".join(lines))
        while re.search(r"\{[^{}]*\}", text):  # bodies, innermost first
            text = re.sub(r"\{[^{}]*\}", ";", text)
        for piece in text.split(";"):
            function = re.fullmatch(r"(?:static inline )?(?!typedef\b)([\w *]+?)\b(\w+)\((.*)\)",
                                    " ".join(piece.split()))
            if function and (not function[2].startswith("wirerx_") or function[2] in RENAMED):
                yield function[2], function[1], function[3]

    # --- the comparison ---

    def missing(self, name):
        if name in known.MISSING:
            self.used.add(name)
        else:
            self.findings.append((f"missing {name}", "mingw-w64 has no such name"))

    def compare(self):
        self.find_macros()
        self.find_types()
        self.find_functions()
        exists = self.theirs.accepted(WINDOWS, [renamed(name.probe) for name in self.names])
        for name, name.exists in zip(self.names, exists):
            if not name.exists and (name.whole is None or name.whole.exists):
                self.missing(name.name)
        names = [name for name in self.names if name.exists]

        values = [value for name in names for value in name.values]
        types = [row for name in names for row in name.types]
        objects = [row for name in names for row in name.objects]
        declarations = "".join(name.declaration for name in names)
        expressions = [f"__builtin_types_compatible_p({one}, {other})" for _, one, other in types]
        expressions += [expression for _, expression in values]
        initialised = [(kind, initialiser) for _, kind, initialiser in objects]
        here = self.ours.read(OURS, declarations, expressions, initialised)
        there = self.theirs.read(WINDOWS, renamed(declarations), [renamed(e) for e in expressions],
                                 initialised)
        for (what, one, other), mine, same in zip(types, here[0], there[0]):
            if not mine:
                sys.exit(f"compare.py misreads {what}: {one} is not {other}")
            self.judge(what, renamed(other), renamed(other) if same else "another type")
        for (what, _), *both in zip(values, here[0][len(types):], there[0][len(types):]):
            self.judge(what, *both)
        for (what, _, _), *both in zip(objects, here[1], there[1]):
            self.judge(what, *both)
        self.count_entries()
        return self

    def judge(self, what, ours, theirs):
        for pattern in known.LOW_32_BITS:
            if re.fullmatch(pattern, what):
                self.used.add(pattern)
                ours, theirs = ours & 0xffffffff, theirs & 0xffffffff
        if ours == theirs:
            return
        if known.DIFFERENT.get(what, ())[:2] == (ours, theirs):
            self.used.add(what)
        else:
            self.findings.append((what, f"{ours} here, {theirs} there"))

    def count_entries(self):
        for table, entries in TABLES.items():
            found = sum(name.name.startswith(f"{table}.") for name in self.names)
            if found != entries:
                self.findings.append((f"entries {table}", f"{found}, not {entries}"))

    def count(self, kind):
        """Compared names of a kind."""
        return sum(name.kind == kind and name.exists for name in self.names)

    def out_of_date(self):
        """Rows of differences.py that did not apply."""
        tables = (known.DIFFERENT, known.MISSING, known.NO_VALUE, known.SAMPLES, known.LOW_32_BITS,
                  known.LEFT_OUT)
        return [row for table in tables for row in table if row not in self.used]


def self_check(cc, mingw, folder):
    """Plant the mistakes, and return those that go unnoticed."""
    planted = folder / "wirerx"
    shutil.copytree(HEADERS, planted)
    for name, old, new, _ in MISTAKES:
        text = (planted / name).read_text()
        if old not in text:
            sys.exit(f"compare.py: MISTAKES: {name} does not contain: {old}")
        (planted / name).write_text(text.replace(old, new, 1))
    found = {what for what, _ in Comparison(cc, mingw, planted, folder).compare().findings}
    return [finding for *_, finding in MISTAKES if finding not in found]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cc", default="gcc")
    parser.add_argument("--mingw", default="x86_64-w64-mingw32-gcc")
    options = parser.parse_args()

    wrong = self_contained.check()
    if wrong:
        sys.exit("\n".join(wrong))
    if not shutil.which(options.mingw):
        print(f"NOT COMPARED: no {options.mingw} here (Debian: gcc-mingw-w64-x86-64)")
        sys.exit(77)

    with tempfile.TemporaryDirectory() as name:
        result = Comparison(options.cc, options.mingw, HEADERS, Path(name)).compare()
        wrong = [f"DIFFERS: {what}: {how}" for what, how in result.findings]
        wrong += [f"OUT OF DATE: differences.py: {row}" for row in result.out_of_date()]
        if not wrong:
            wrong = [f"UNNOTICED: a planted mistake was not reported as: {finding}"
                     for finding in self_check(options.cc, options.mingw, Path(name))]
            print(f"planted mistakes: {len(MISTAKES) - len(wrong)} of {len(MISTAKES)} found")
    for what, (*_, reason) in known.DIFFERENT.items():
        print(f"known to differ: {what}: {reason}")
    for pattern, reason in known.LOW_32_BITS.items():
        print(f"known to differ: sign of {pattern}: {reason}")
    widths = [what for what in known.DIFFERENT if what.startswith("sizeof ")]
    print(f"widths that differ: {', '.join(widths) or 'none'}")
    for name, reason in known.MISSING.items():
        print(f"not in mingw-w64: {name}: {reason}")
    print("\n".join(wrong), end="\n" if wrong else "")
    print(f"abi: {result.count('constant') + result.same_text} constants,"
          f" {result.count('layout')} layouts compared ({result.count('member')} members,"
          f" {result.count('prototype')} prototypes), {len(result.findings)} differences")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
