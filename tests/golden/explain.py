#!/usr/bin/python3
"""Asks 'slipway explain' for its list and for every rule in it: the list is that of requirements.txt, and each rule
says what it asks, why, and how it is met."""

import pathlib
import re
import subprocess
import sys

LINE = re.compile(r"^(\S+) +(required|recommended|advice) +(\S.*)$", re.M)
LABELS = ("asks", "level", "section", "wanted", "why", "to meet")
MET = {
    "sysctl.kernel.kptr_restrict": "echo 'kernel.kptr_restrict = 1' >> /etc/sysctl.d/60-image.conf",
    "security.rodata": "a kernel with CONFIG_DEBUG_RODATA=y; since Linux 4.11 it is CONFIG_STRICT_KERNEL_RWX",
    "kernel.virtio-scsi": "a kernel with CONFIG_SCSI_VIRTIO=y; as modules they count when the initramfs carries "
                          "all of them: virtio_scsi virtio_pci sd_mod",
}


def explain(program, *ids):
    return subprocess.run([program, "explain", *ids], stdout=subprocess.PIPE, text=True, check=True).stdout


def main():
    program, requirements = sys.argv[1], pathlib.Path(sys.argv[2]).read_text()
    listed = [match.group(1, 2) for match in LINE.finditer(explain(program))]
    wanted = [tuple(line.split()[:2]) for line in requirements.splitlines() if line and line[0] != "#"]
    complaints = []
    if listed != wanted:
        complaints.append(f"the list differs from requirements.txt: {sorted(set(listed) ^ set(wanted))}")
    pages = explain(program, *(name for name, _ in listed)).split("\n\n")
    for (name, level), page in zip(listed, pages, strict=True):
        said = dict(re.findall(r"^  (\S+(?: \S+)?) {2,}(\S.*)$", page, re.M))
        missing = [label for label in LABELS if label not in said]
        if not page.startswith(name + "\n") or missing:
            complaints.append(f"{name}: nothing about {missing}")
        elif said["level"] != level or MET.get(name, said["to meet"]) != said["to meet"]:
            complaints.append(f"{name}: says {said}")
    print("\n".join(complaints) or f"{len(listed)} rules are explained")
    return 1 if complaints else 0


sys.exit(main())
