#!/usr/bin/env python3
"""Writes a file's bytes as a C array: embed.py INPUT OUTPUT NAME HEADER, which declares it."""

import pathlib
import sys


def main():
    source, target, name, header = sys.argv[1:]
    data = pathlib.Path(source).read_bytes()
    rows = (data[at:at + 20] for at in range(0, len(data), 20))
    # C has no array of nothing.
    body = "\n".join("\t" + " ".join(f"{byte}," for byte in row) for row in rows) or "\t0,"
    pathlib.Path(target).write_text(
        f'#include "{header}"\n\n'
        f"const unsigned char {name}[] = {{\n{body}\n}};\n"
        f"const size_t {name}_size = {len(data)};\n")


main()
