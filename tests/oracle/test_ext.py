#!/usr/bin/env python3
"""ext2, ext3 and ext4 of many kinds, made by mke2fs from a folder: we must see what the folder holds, and what
debugfs and GRUB see.

usage: test_ext.py WALK
"""

import os
import pathlib
import random
import subprocess
import sys
import tempfile
import zlib

import filesystems

VARIANTS = {
    "ext2-1k": ["-t", "ext2", "-b", "1024"],
    "ext2-4k": ["-t", "ext2", "-b", "4096"],
    "ext2-old": ["-t", "ext2", "-b", "1024", "-r", "0"],
    "ext3-1k": ["-t", "ext3", "-b", "1024"],
    "ext3-4k": ["-t", "ext3", "-b", "4096", "-O", "^dir_index"],
    "ext4-1k": ["-t", "ext4", "-b", "1024"],
    "ext4-2k": ["-t", "ext4", "-b", "2048"],
    "ext4-4k": ["-t", "ext4", "-b", "4096"],
    "ext4-inline": ["-t", "ext4", "-O", "inline_data", "-I", "256"],
    "ext4-inline-1k": ["-t", "ext4", "-O", "inline_data", "-I", "1024", "-b", "4096"],
    "ext4-no-extents": ["-t", "ext4", "-O", "^extents,^64bit"],
    "ext4-no-checksums": ["-t", "ext4", "-O", "^metadata_csum,uninit_bg"],
    "ext4-32bit": ["-t", "ext4", "-O", "^64bit"],
    "ext4-bigalloc": ["-t", "ext4", "-O", "bigalloc", "-C", "16384"],
    "ext4-meta-bg": ["-t", "ext4", "-O", "meta_bg,^resize_inode"],
    "ext4-no-journal": ["-t", "ext4", "-O", "^has_journal"],
    "ext4-large-dir": ["-t", "ext4", "-O", "large_dir,ea_inode"],
    "ext4-newest": ["-t", "ext4", "-O", "orphan_file,metadata_csum_seed,project,quota,verity,encrypt"],
    "ext4-casefold": ["-t", "ext4", "-O", "casefold"],
    "ext4-inode-128": ["-t", "ext4", "-I", "128"],
}


def make_image(image, options, folder):
    with open(image, "wb") as file:
        file.truncate(96 << 20)
    filesystems.run("mke2fs", "-q", "-F", "-L", "a label", "-E", "no_copy_xattrs", *options, "-d", folder, image)


def blkid(image):
    def value(tag):
        return filesystems.run("blkid", "-p", "-o", "value", "-s", tag, image).decode().strip()
    return [value("TYPE"), value("UUID"), value("LABEL")]


def compare_with_folder(walked, folder):
    wanted = filesystems.entries_of(folder)
    got = {path: entry for path, entry in walked.items() if not path.startswith("/lost+found")}
    # The root directory's own times and owner are those of mke2fs.
    got["/"] = wanted["/"]
    return filesystems.differences(wanted, got)


def compare_with_debugfs(image, walked, folder):
    """Dumps everything with debugfs and compares contents and links."""
    folder.mkdir()
    filesystems.run("debugfs", "-R", f"rdump / {folder}", image)
    wanted = {path: entry for path, entry in filesystems.entries_of(folder).items() if entry.kind in "fdl"}
    got = {path: entry for path, entry in walked.items() if entry.kind in "fdl"}
    return filesystems.differences(wanted, got, ["kind", "target", "content"])


def compare_with_grub(image, walked, count):
    """GRUB's own reader, on some of the files."""
    files = sorted(path for path, entry in walked.items() if entry.kind == "f" and "☃" not in path)
    found = []
    for path in random.Random(1).sample(files, count):
        result = subprocess.run(["grub-fstest", image, "cat", path], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, check=False)
        if result.returncode != 0 or result.stdout != walked[path].content:
            found.append(f"{path}: GRUB reads otherwise: {result.stderr.decode()[:100]}")
    return found


def fragment(image, walked):
    """Removes every other small file and fills the gaps with two large ones, as time would."""
    noise = random.Random(2).randbytes(6 << 20)
    source = pathlib.Path(image).with_suffix(".noise")
    source.write_bytes(noise)
    victims = sorted(path for path in walked if path.startswith("/perl5/") and walked[path].kind == "f")[::2]
    victims += sorted(path for path in walked if path.startswith("/many/"))[::2]
    commands = [f'rm "{path}"' for path in victims]
    commands += [f"write {source} fragmented-{i}" for i in range(2)]
    filesystems.run("debugfs", "-w", "-f", "-", image, input="\n".join(commands).encode())
    return zlib.crc32(noise)


def main():
    walk, failures = sys.argv[1], 0
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        os.umask(0o022)
        filesystems.fill_with_awkward_files(scratch / "folder")
        for name, options in VARIANTS.items():
            image = scratch / f"{name}.img"
            make_image(image, options, scratch / "folder")
            identity, walked = filesystems.walk(walk, image)
            found = compare_with_folder(walked, scratch / "folder")
            if identity != blkid(image):
                found.append(f"we say {identity}, blkid says {blkid(image)}")
            if name in ("ext2-1k", "ext3-4k", "ext4-4k"):
                found += compare_with_grub(image, walked, 20)
                checksum = fragment(image, walked)
                _, walked = filesystems.walk(walk, image)
                found += compare_with_debugfs(image, walked, scratch / f"{name}.dump")
                if any(zlib.crc32(walked[f"/fragmented-{i}"].content) != checksum for i in range(2)):
                    found.append("a fragmented file reads otherwise than it was written")
                subprocess.run(["e2fsck", "-fyD", image], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               check=False)
                _, indexed = filesystems.walk(walk, image)
                found += filesystems.differences(walked, indexed, ["kind", "target", "content"])
            print(f"{name}: {len(walked)} files, {len(found)} differences")
            print("".join(f"  {line}\n" for line in found[:20]), end="")
            failures += len(found)
            image.unlink()
    return 1 if failures else 0


sys.exit(main())
