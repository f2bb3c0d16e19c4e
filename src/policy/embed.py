#!/usr/bin/env python3
"""Writes a file's bytes as a C array: embed.py INPUT OUTPUT NAME."""

import pathlib
import sys


def main():
    source, target, name = sys.argv[1:]
    data = pathlib.Path(source).read_bytes()
    rows = (data[at:at + 20] for at in range(0, len(data), 20))
    body = "\n".join("\t" + " ".join(f"{byte}," for byte in row) for row in rows)
    pathlib.Path(target).write_text(
        '#include "policy/builtin.h"\n\n'
        f"const unsigned char {name}[] = {{\n{body}\n}};\n"
        f"const size_t {name}_size = {len(data)};\n")


main()
