#!/usr/bin/env python3
"""Reduces a kernel configuration to its header and the lines of some symbols: reduce.py CONFIG SYMBOLS OUTPUT.

SYMBOLS is a file with one name a line, without CONFIG_: those that the policy asks for.
"""

import pathlib
import re
import sys

LINE = re.compile(r"^(?:# )?CONFIG_(\w+)(?:=| is not set)")


def main():
    source, symbols, target = map(pathlib.Path, sys.argv[1:])
    wanted = set(symbols.read_text().split())
    kept = []
    for number, line in enumerate(source.read_text().splitlines()):
        match = LINE.match(line)
        if match.group(1) in wanted if match else number < 4:
            kept.append(line)
    target.write_text("\n".join(kept) + "\n")


main()
