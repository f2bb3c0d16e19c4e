#!/usr/bin/env python3
"""squashfs of many kinds, made by mksquashfs from a folder: we must see what the folder holds, and what unsquashfs
unpacks.

usage: test_squashfs.py WALK
"""

import os
import pathlib
import sys
import tempfile

import filesystems

VARIANTS = {
    "gzip": [],
    "xz": ["-comp", "xz"],
    "xz-options": ["-comp", "xz", "-Xdict-size", "25%", "-Xbcj", "x86"],
    "lz4": ["-comp", "lz4", "-Xhc"],
    "zstd": ["-comp", "zstd", "-b", "1M"],
    "small-blocks": ["-b", "4096"],
    "no-fragments": ["-no-fragments", "-no-exports"],
    "tail-ends": ["-always-use-fragments", "-no-duplicates"],
    "uncompressed": ["-noI", "-noD", "-noF", "-noX"],
    "no-sparse": ["-no-sparse", "-no-xattrs"],
}
TIMES_OUT_OF_RANGE = {"/size-59"}  # before 1970, which its 32 unsigned bits cannot tell


def compare(walked, folder):
    wanted = filesystems.entries_of(folder)
    found = filesystems.differences(wanted, walked)
    return [line for line in found if not any(line.startswith(f"{path}: mtime") for path in TIMES_OUT_OF_RANGE)]


def compare_with_unsquashfs(image, walked, folder):
    filesystems.run("unsquashfs", "-q", "-n", "-no-xattrs", "-d", folder, image)
    return filesystems.differences(filesystems.entries_of(folder), walked)


def main():
    walk, failures = sys.argv[1], 0
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        os.umask(0o022)
        filesystems.fill_with_awkward_files(scratch / "folder")
        for name, options in VARIANTS.items():
            image = scratch / f"{name}.img"
            filesystems.run("mksquashfs", scratch / "folder", image, "-quiet", "-no-progress", *options)
            identity, walked = filesystems.walk(walk, image)
            found = compare(walked, scratch / "folder")
            if identity[0] != "squashfs":
                found.append(f"we say {identity}")
            found += compare_with_unsquashfs(image, walked, scratch / f"{name}.unpacked")
            print(f"{name}: {len(walked)} files, {len(found)} differences")
            print("".join(f"  {line}\n" for line in found[:20]), end="")
            failures += len(found)
            image.unlink()
    return 1 if failures else 0


sys.exit(main())
