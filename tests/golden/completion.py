#!/usr/bin/python3
"""Asks bash's completion of slipway for words, as a terminal would, and checks the syntax of the other shells' where
these are installed."""

import os
import shutil
import subprocess
import sys

CASES = [
    (["slipway", ""], ["check", "inspect", "boot", "machine", "explain", "help", "version"]),
    (["slipway", "in"], ["inspect"]),
    (["slipway", "--"], ["--help", "--version"]),
    (["slipway", "check", "--fo"], ["--format"]),
    (["slipway", "check", "--fail-on", ""], ["required", "recommended", "advice"]),
    (["slipway", "check", "--format", "=", "j"], ["json"]),
    (["slipway", "check", "--format", "="], ["text", "json"]),
    (["slipway", "check", "-f", "t"], ["text"]),
    (["slipway", "check", "--policy", ""], []),
    (["slipway", "check", "disk"], []),
    (["slipway", "check", "liv"], ["live"]),
    (["slipway", "inspect", ""], []),
    (["slipway", "inspect", "--q"], []),
    (["slipway", "machine", "--firmware", ""], ["bios", "uefi"]),
    (["slipway", "boot", "--firmware", ""], ["bios", "uefi", "both"]),
    (["slipway", "boot", "--keep"], ["--keep-logs"]),
    (["slipway", "boot", "liv"], []),
    (["slipway", "machine", "liv"], []),
    (["slipway", "help", "ex"], ["explain"]),
    (["slipway", "explain", "kernel.virtio-s"], ["kernel.virtio-scsi"]),
]
ASK = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _slipway; printf "%s\\n" "${COMPREPLY[@]}"'


def main():
    program, scripts = sys.argv[1], dict(zip(("bash", "zsh", "fish"), sys.argv[2:5]))
    path = os.path.dirname(program) + os.pathsep + os.environ["PATH"]
    complaints = []
    for words, expected in CASES:
        answer = subprocess.run(["bash", "-c", ASK, "bash", scripts["bash"], *words], stdout=subprocess.PIPE,
                                text=True, check=True, env=dict(os.environ, PATH=path)).stdout.split()
        if answer != expected:
            complaints.append(f"{' '.join(words)!r} completes to {answer}, not {expected}")
    for shell, script in scripts.items():
        if not shutil.which(shell):
            print(f"{shell} is not installed: its completion was not parsed")
        elif subprocess.run([shell, "-n", script], check=False).returncode != 0:
            complaints.append(f"{shell} does not parse its completion")
    print("\n".join(complaints) or "completions answer as they should")
    return 1 if complaints else 0


sys.exit(main())
