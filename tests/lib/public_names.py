#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The names that leave the library are those that the public headers declare, and no others.

    public_names.py --library libwirerx.so   compare headers, symbol map and library
    public_names.py --write-map              write provider/wirerx.map anew from the headers
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEADERS = ROOT / "provider/include/wirerx"
MAP = ROOT / "provider/wirerx.map"
VERSION = "WIRERX_0.1"


def declared():
    """Symbols of all functions and variables that the public headers declare, as clang reads them."""
    unit = "".join(f'#include "{header.name}"\n' for header in sorted(HEADERS.glob("*.h")))
    command = ["clang-14", "-std=gnu11", f"-I{HEADERS}", f"-I{HEADERS.parent}", "-fsyntax-only",
               "-x", "c", "-", "-Xclang", "-ast-dump=json"]
    dump = subprocess.run(command, input=unit, capture_output=True, text=True)
    if dump.returncode:
        sys.exit(f"the public headers do not compile together:\n{dump.stderr}")
    names = set()
    file = ""

    def follow(location):  # clang prints a file name only where it differs from the last one printed
        nonlocal file
        for part in ("spellingLoc", "expansionLoc"):
            follow(location[part]) if part in location else None
        file = location.get("file", file)

    def walk(node, top):
        follow(node.get("loc", {}))
        here = file
        follow(node.get("range", {}).get("begin", {}))
        follow(node.get("range", {}).get("end", {}))
        if (top and node["kind"] in ("FunctionDecl", "VarDecl") and Path(here).parent == HEADERS
                and node.get("storageClass") != "static" and not node.get("isImplicit")):
            names.add(node["mangledName"].lstrip("\x01"))
        for child in node.get("inner", []):
            if child:
                walk(child, node["kind"] in ("TranslationUnitDecl", "LinkageSpecDecl"))

    walk(json.loads(dump.stdout), True)
    return names


def mapped():
    """Names in the symbol map."""
    text = re.sub(r"/\*.*?\*/", "", MAP.read_text(), flags=re.S)
    return set(re.findall(r"^\s*(\w+);", text, flags=re.M))


def exported(library):
    """Dynamic symbols that the library defines, with their version."""
    lines = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    symbols = [line.split()[-1] for line in lines]
    return {symbol.partition("@")[0]: symbol for symbol in symbols if symbol != VERSION
            and not re.fullmatch(f"{VERSION}@@{VERSION}", symbol)}


def write_map():
    rows = "".join(f"        {name};\n" for name in sorted(declared()))
    MAP.write_text(f"""\
/* SPDX-License-Identifier: BSD-3-Clause */
/* Every name that leaves libwirerx.so. Written by tests/lib/public_names.py --write-map from the
   public headers; tests/run.sh (stage symbols) compares headers, map and library. */
{VERSION} {{
    global:
{rows}    local:
        *;
}};
""")


def compare(library):
    wanted, listed, found = declared(), mapped(), exported(library)
    wrong = []
    for what, names in (
            ("declared in the headers, not in provider/wirerx.map", wanted - listed),
            ("in provider/wirerx.map, not declared in the headers", listed - wanted),
            ("declared, not exported by the library", wanted - found.keys()),
            ("exported by the library, not declared", found.keys() - wanted)):
        wrong += [f"{what}: {name}" for name in sorted(names)]
    wrong += [f"exported without the version {VERSION}: {symbol}" for symbol in found.values()
              if not symbol.endswith(f"@@{VERSION}")]
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(wanted)} names")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library")
    parser.add_argument("--write-map", action="store_true")
    arguments = parser.parse_args()
    if arguments.write_map:
        write_map()
    if arguments.library:
        compare(arguments.library)


main()
