#!/usr/bin/env python3
"""One system on ext4, xfs, btrfs, in logical volumes with ext4 and xfs, as a directory and as a tar: the findings on
its kernel, its sysctls and its settings are the same, with the same words, the same files and the same lines.

What depends on the disk around it (partitions, the boot menu, the driver of the root) is for the expectations of each
image; and what no menu in a directory says (the command line) is named below.
"""

import pathlib
import sys
import tempfile

import common
from images import layouts, tree
from images.tools import run

DISKS = ["bookworm-xfs", "bookworm-btrfs", "bookworm-lvm", "bookworm-lvm-xfs"]
STANDARD = "bookworm-boot"
SECTIONS = ("kernel", "security", "sysctl", "guest")
# Each quotes fstab or the menu, in which the root is another one.
ABOUT_THE_ROOT = {"guest.fstab"}


def place(evidence):
    """Where something was seen, without what the wrapping adds: the partition or the volume."""
    return evidence["path"], evidence["line"], evidence["text"]


def findings(path):
    status, report = common.slipway_json("check", "--format", "json", path)
    entry = report["inputs"][0]
    if entry["examined"] != "full" or status not in (0, 1):
        sys.exit(f"{path}: examined {entry['examined']}: {entry['reason']}, exit status {status}")
    return {finding["id"]: finding for finding in entry["findings"]
            if finding["section"] in SECTIONS and finding["id"] not in ABOUT_THE_ROOT}


def differences(name, wanted, got, of_menu=frozenset()):
    """`of_menu`: files of the boot menu, which are evidence only where there is one."""
    for rule, one in wanted.items():
        other = got[rule]
        for key in ("level", "verdict", "by_equivalent", "found", "wanted", "reason", "fix"):
            if one[key] != other[key]:
                yield f"{name}: {rule}: {key} is {other[key]!r}, on ext4 {one[key]!r}"
        places = [place(evidence) for evidence in one["evidence"] if evidence["path"] not in of_menu]
        if places != [place(evidence) for evidence in other["evidence"]]:
            yield f"{name}: {rule}: evidence is {other['evidence']}, on ext4 {one['evidence']}"


def check_disks(wanted):
    for name in DISKS:
        with common.image(name) as path:
            found = list(differences(name, wanted, findings(path)))
        print(f"{name}: {len(wanted)} findings, {len(found)} differences")
        yield from found


def check_directory(wanted):
    """The tree that the images are made from, as it is and packed."""
    suite = "bookworm"
    with tempfile.TemporaryDirectory(dir=common.IMAGES, prefix="test-") as folder:
        folder = pathlib.Path(folder)
        root, boot = folder / "root", folder / "boot"
        tree.unpack(common.IMAGES / "roots" / f"{suite}.tar", root)
        tree.unpack(common.IMAGES / "roots" / f"{suite}.boot.tar", boot)
        tree.dress(root, suite)
        tree.install_boot(root, layouts.named("boot"), boot / "boot-files" / "boot")
        packed = folder / "root.tar.zst"
        run("tar", "--use-compress-program=zstd -q1", "-cf", packed, "-C", root, ".")
        for path in (root, packed):
            found = list(differences(path.name, wanted, findings(path), {"/boot/grub/grub.cfg"}))
            print(f"{path.name}: {len(wanted)} findings, {len(found)} differences")
            yield from found


def main():
    common.need(common.IMAGES / "roots" / "bookworm.tar")
    with common.image(STANDARD) as path:
        wanted = findings(path)
    if len(wanted) < 40 or all(finding["verdict"] != "pass" for finding in wanted.values()):
        sys.exit(f"{STANDARD} says too little to compare: {len(wanted)} findings")
    common.finish([*check_disks(wanted), *check_directory(wanted)])


main()
