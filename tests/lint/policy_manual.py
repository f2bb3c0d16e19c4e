#!/usr/bin/env python3
"""Fails when slipway-policy(5) lacks a key, a built-in check or an observation that the program knows."""

import pathlib
import re
import sys


def rows(path, pattern):
    found = re.findall(pattern, path.read_text(), re.M)
    if not found:
        sys.exit(f"{path}: nothing matches {pattern}: this check looks at the wrong place")
    return found


def main():
    root = pathlib.Path(sys.argv[1])
    manual = (root / "man/slipway-policy.5.scd").read_text()
    wanted = [f"*{key}=" for key in rows(root / "src/policy/keys.c", r'^\t\{ "(\w+)", FOR_')]
    wanted += [f"*{key}=*" for key in ("Title", "Level", "Fix", "Name", "Revision")]
    wanted += [f"*{name}*" for name in rows(root / "src/policy/checks.c", r'^\t\{ "([\w-]+)", check_')]
    wanted += [f"*{name} " for name in rows(root / "src/policy/live.c", r'^\t\{ "([\w-]+)", "')]
    proofs = re.search(r"proof_names\[PROOF_COUNT\] = \{(.*?)\};", (root / "src/facts/run.c").read_text(), re.S)
    wanted += [f"*{name}*" for name in re.findall(r'"([\w-]+)"', proofs.group(1))]
    marks = (root / "src/machine/symptoms.c").read_text()
    symptoms = set(re.findall(r'^#define [A-Z_]+ +"([a-z-]+)", "', marks, re.M) + re.findall(r'^\t\{ "([a-z-]+)", ', marks, re.M))
    wanted += [f"*{name}*" for name in sorted(symptoms)]
    unknown = [name for line in rows(root / "policy/gce.conf", r"^Symptom=(.*)$") for name in line.split()
               if name not in symptoms]
    for name in unknown:
        print(f"policy/gce.conf: Symptom={name} is none of src/machine/symptoms.c")
    wanted += [f"*{name}*" for name in rows(root / "src/os/guest.c", r'^\t\{ "([\w.-]+)", observe_')]
    lacking = [word for word in wanted if word not in manual]
    for word in lacking:
        print(f"man/slipway-policy.5.scd does not describe {word.strip('*')}")
    print(f"{len(wanted)} names looked up in the manual")
    return 1 if lacking or unknown else 0


sys.exit(main())
