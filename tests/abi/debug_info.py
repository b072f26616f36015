# SPDX-License-Identifier: BSD-3-Clause
"""Types of a C file as its compiler saw them: the debug information of an object file, read through
readelf. Only what compare.py needs: names, members and how to write a type in C."""

import re
import subprocess

KEYWORD = {"DW_TAG_structure_type": "struct", "DW_TAG_union_type": "union",
           "DW_TAG_enumeration_type": "enum"}


class Entry:
    """One debugging information entry."""

    def __init__(self, tag):
        self.tag = tag
        self.attributes = {}
        self.children = []

    @property
    def name(self):
        return self.attributes.get("DW_AT_name")

    def number(self, attribute):
        text = self.attributes.get(attribute)
        return int(text.split()[0], 0) if text else None


class Types:
    """All types of an object file."""

    def __init__(self, object_file):
        self.entries = {}
        self.top = []
        text = subprocess.run(["readelf", "--debug-dump=info", "-W", object_file], text=True,
                              capture_output=True, check=True).stdout
        above = []
        for line in text.splitlines():
            head = re.match(r"\s*<([0-9a-f]+)><([0-9a-f]+)>: Abbrev Number: \d+ \((\w+)\)", line)
            if head:
                depth, entry = int(head[1], 16), Entry(head[3])
                self.entries[int(head[2], 16)] = entry
                del above[depth:]
                if depth > 0:
                    above[-1].children.append(entry)
                if depth == 1:
                    self.top.append(entry)
                above.append(entry)
                continue
            attribute = re.match(r"\s*<[0-9a-f]+>\s+(DW_AT_\w+)\s*: (.*)", line)
            if attribute and above:
                # "(strp) (offset: 0x1a): NAME", "(indirect string, offset: 0x1a): NAME" or
                # "(data1) 8", by readelf's version
                value = re.sub(r"^(?:\([^)]*\)\s*)+:?\s*", "", attribute[2]).strip()
                above[-1].attributes[attribute[1]] = value

    def target(self, entry):
        """What an entry's DW_AT_type refers to; None stands for void."""
        reference = re.search(r"<0x([0-9a-f]+)>", entry.attributes.get("DW_AT_type", ""))
        return self.entries[int(reference[1], 16)] if reference else None

    def resolved(self, entry):
        """The same without typedefs and qualifiers."""
        while entry and entry.tag in ("DW_TAG_typedef", "DW_TAG_const_type"):
            entry = self.target(entry)
        return entry

    def bounds(self, array):
        """Elements of each dimension."""
        found = []
        for child in array.children:
            if child.tag == "DW_TAG_subrange_type":
                count, last = child.number("DW_AT_count"), child.number("DW_AT_upper_bound")
                found.append(count if count is not None else last + 1)
        return found

    def written(self, entry, declarator=""):
        """The type in C, around a declarator; None when a part of it has no name."""
        if entry is None:
            return f"void {declarator}".strip()
        target = self.target(entry)
        if entry.tag in ("DW_TAG_base_type", "DW_TAG_typedef"):
            return f"{entry.name} {declarator}".strip()
        if entry.tag in KEYWORD:
            return f"{KEYWORD[entry.tag]} {entry.name} {declarator}".strip() if entry.name else None
        if entry.tag == "DW_TAG_const_type":
            if target is not None and target.tag == "DW_TAG_pointer_type":
                return self.written(target, f"const {declarator}".strip())
            inner = self.written(target, declarator)
            return f"const {inner}" if inner else None
        if entry.tag == "DW_TAG_pointer_type":
            inner = f"*{declarator}"
            if target is not None and target.tag in ("DW_TAG_subroutine_type", "DW_TAG_array_type"):
                inner = f"({inner})"
            return self.written(target, inner)
        if entry.tag == "DW_TAG_array_type":
            return self.written(target, declarator + "".join(f"[{n}]" for n in self.bounds(entry)))
        if entry.tag == "DW_TAG_subroutine_type":
            parameters = [self.written(self.target(child)) for child in entry.children
                          if child.tag == "DW_TAG_formal_parameter"]
            if None in parameters:
                return None
            return self.written(target, f"{declarator}({', '.join(parameters) or 'void'})")
        raise ValueError(f"{entry.tag}: not expected in a public header")

    def members(self, entry, path=""):
        """(path, member entry) of every named member, those of unnamed members included."""
        for child in entry.children:
            if child.tag != "DW_TAG_member":
                continue
            inner = self.target(child)
            if child.name:
                yield path + child.name, child
            if inner.tag in KEYWORD and not inner.name:
                yield from self.members(inner, f"{path}{child.name}." if child.name else path)
