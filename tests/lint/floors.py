#!/usr/bin/env python3
"""Fails when a file under src/ includes a header from a floor below its own: data goes down the house once."""

import pathlib
import re
import sys

FLOORS = ["base", "codec", "disk", "volume", "fs", "boot", "os", "live", "facts", "policy", "report", "sandbox",
          "machine", "make", "cmd"]
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')


def complaints(source):
    for path in sorted(source.rglob("*.[ch]")):
        floor = path.relative_to(source).parts[0]
        if floor not in FLOORS:
            yield f"{path}: the folder '{floor}' is no floor of the house"
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            other = match.group(1).split("/")[0]
            if "/" not in match.group(1) or other not in FLOORS:
                yield f'{path}:{number}: include "{match.group(1)}" by its floor, as in "base/span.h"'
            elif FLOORS.index(other) > FLOORS.index(floor):
                yield f"{path}:{number}: {floor}/ must not include {other}/, which stands below it"


def main():
    found = list(complaints(pathlib.Path(sys.argv[1]) / "src"))
    print("\n".join(found) if found else "every include goes up the house")
    return 1 if found else 0


sys.exit(main())
