#!/usr/bin/python3
"""Compares what --help prints, for slipway and for each command, with the files beside this one, byte for byte.

After a meant change: SLIPWAY_UPDATE_GOLDEN=1 meson test -C build help
"""

import difflib
import os
import pathlib
import subprocess
import sys

HELP = pathlib.Path(__file__).parent / "help"


def main():
    program = sys.argv[1]
    complaints = []
    for name in ("slipway", "check", "inspect", "boot", "machine", "explain", "help", "version"):
        words = [program] + ([name] if name != "slipway" else []) + ["--help"]
        now = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout
        golden = HELP / f"{name}.txt"
        if os.environ.get("SLIPWAY_UPDATE_GOLDEN"):
            golden.write_text(now)
        complaints += difflib.unified_diff(golden.read_text().splitlines(), now.splitlines(), str(golden), "now",
                                           lineterm="")
        complaints += [f"{name}: wider than 100 columns: {line}" for line in now.splitlines() if len(line) > 100]
    print("\n".join(complaints) or "every --help is as it was")
    return 1 if complaints else 0


sys.exit(main())
