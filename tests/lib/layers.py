#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The house of shared/DESIGN.md section 1: what may include what, and what lies where."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = ROOT / "provider/include/wirerx"
TOP = re.compile(r"CMakeLists\.txt|README\.md|LICENSE|provider|dataplane|shim|tests|perf|configs|\..*")

# Folder -> folders whose files it may include, and single files beyond these
MAY_INCLUDE = {
    "dataplane": (("dataplane",), ()),
    "provider": (("provider",), ("dataplane/dataplane.h",)),
    "shim": (("shim", "provider/include"), ()),
}
# libc headers that public headers may use: none of them declares a socket
PUBLIC_SYSTEM = {"stddef.h", "stdint.h", "stdio.h", "sys/select.h", "sys/types.h"}

wrong = []


def tracked(pattern):
    listing = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "--",
                              pattern], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [Path(name) for name in sorted(set(listing.splitlines())) if (ROOT / name).is_file()]


def included(source):
    """(line, name, file in this tree or None) of each #include"""
    for number, line in enumerate((ROOT / source).read_text().splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if not match:
            continue
        name = match[2]
        roots = [ROOT / source.parent] if match[1] == '"' else []
        for root in roots + [ROOT, PUBLIC.parent, PUBLIC]:
            path = Path(os.path.normpath(root / name))
            if path.is_file() and path.is_relative_to(ROOT):
                yield number, name, path.relative_to(ROOT)
                break
        else:
            yield number, name, None


def arrows():
    for source in tracked("*.[chS]"):
        folders, files = MAY_INCLUDE.get(source.parts[0], (None, None))
        if folders is None:
            continue
        for number, name, path in included(source):
            if path and str(path) not in files and not any(path.is_relative_to(f) for f in folders):
                wrong.append(f"{source}:{number}: {source.parts[0]}/ may not include {path}")
            if source.is_relative_to(PUBLIC.relative_to(ROOT)):
                if not path and name not in PUBLIC_SYSTEM:
                    wrong.append(f"{source}:{number}: a public header may not include <{name}>")
                if path and not path.is_relative_to(PUBLIC.relative_to(ROOT)):
                    wrong.append(f"{source}:{number}: a public header may not include {path}")


def guards():
    """No two headers share an include guard: the second would be skipped in silence."""
    owners = {}
    for header in tracked("*.h"):
        guard = re.search(r"^#ifndef (\w+)\n#define \1$", (ROOT / header).read_text(), flags=re.M)
        if not guard:
            wrong.append(f"{header}: no include guard")
        elif guard[1] in owners:
            wrong.append(f"{header}: has the include guard of {owners[guard[1]]}")
        else:
            owners[guard[1]] = header


def top_level():
    for name in sorted({path.parts[0] for path in tracked(".")}):
        if not TOP.fullmatch(name):
            wrong.append(f"{name}: not part of the agreed layout of the top level")


arrows()
guards()
top_level()
if wrong:
    sys.exit("\n".join(wrong))
