#!/usr/bin/env python3
"""Initramfs files of random shape, each archive made by cpio from a folder, plain or packed, with padding between:
we must see what cpio lists, segment by segment; and what lsinitramfs lists, where it reads the shape at all.

usage: test_initramfs.py UNPACK
"""

import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

PACKERS = {
    "none": None,
    "gzip": ["gzip", "-n"],
    "bzip2": ["bzip2"],
    "lzma": ["xz", "--format=lzma", "-1"],
    "xz": ["xz", "--check=crc32", "-1"],
    "zstd": ["zstd", "-q"],
    "lz4": ["lz4", "-q", "-l"],
}


def run(*command, cwd=None, **options):
    return subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, check=True, **options).stdout


def fill(rng, folder):
    """Some folders, files of all sizes, links, and names at the limits."""
    folders = [folder]
    for number in range(rng.randrange(1, 40)):
        parent = rng.choice(folders)
        name = rng.choice([f"f{number}", f"{number}-" + "n" * rng.randrange(200), f"m{number}.ko.xz", f"é {number}"])
        kind = rng.randrange(8)
        if kind == 0:
            (parent / name).mkdir()
            folders.append(parent / name)
        elif kind == 1:
            (parent / name).symlink_to("../" * rng.randrange(3) + "target")
        elif kind == 2:
            os.mkfifo(parent / name)
        else:
            (parent / name).write_bytes(rng.randbytes(rng.choice([0, 1, 3, 4, 5, 4095, 4096, 70000])))


def archive(rng, folder, trailing):
    names = run("find", ".", "-print0", cwd=folder)
    form = rng.choice(["newc", "newc", "crc"])
    content = run("cpio", "--quiet", "-0", "-o", "-H", form, cwd=folder, input=names)
    listed = run("cpio", "--quiet", "-i", "-t", input=content, env={"LC_ALL": "C", "PATH": os.environ["PATH"]})
    assert listed.count(b"\n") == names.count(b"\0")
    if not trailing:
        content = content.rstrip(b"\0") + b"\0"
        content += bytes(-len(content) % 4)
    return content


def entries_of(folder):
    """What a walk of the archive must print for this folder, in the order in which find names it."""
    lines = []
    for name in run("find", ".", "-print0", cwd=folder).decode().split("\0")[:-1]:
        status = os.lstat(folder / name)
        size = status.st_size if (folder / name).is_file() or (folder / name).is_symlink() else 0
        lines.append(f"{status.st_mode:o} {size} {name.removeprefix('./')}")
    return lines


def make(rng, scratch):
    """An initramfs and what must be printed for it."""
    content, entries, segments = b"", [], []
    for number in range(rng.randrange(1, 5)):
        folder = scratch / str(number)
        folder.mkdir()
        fill(rng, folder)
        kind = rng.choice(list(PACKERS))
        part = archive(rng, folder, rng.randrange(2))
        entries += entries_of(folder)
        segments.append(f"segment {len(content)} {kind} {len(entries_of(folder))}")
        content += run(*PACKERS[kind], input=part) if PACKERS[kind] else part
        # A legacy lz4 frame does not tell its end: to the kernel too, the head of a gzip member is a block's size.
        content += bytes(-len(content) % 4 + rng.choice([0, 0, 4, 508, 9000]) + (4 if kind == "lz4" else 0))
    return content, entries + segments


def check_lsinitramfs(program, folder):
    """Early cpio, then one packed archive: lsinitramfs understands that shape, but no second plain archive."""
    early, late = folder / "early", folder / "late"
    (early / "kernel/x86/microcode").mkdir(parents=True)
    (early / "kernel/x86/microcode/AuthenticAMD.bin").write_bytes(bytes(range(256)) * 40)
    (late / "usr/lib/modules/6.1.0/kernel").mkdir(parents=True)
    (late / "usr/lib/modules/6.1.0/kernel/virtio_scsi.ko").write_bytes(b"module" * 1000)
    (late / "init").write_text("#!/bin/sh\n")
    wrong = []
    for kind, packer in PACKERS.items():
        if not packer:
            continue
        file = folder / kind
        packed = run(*packer, input=archive(random.Random(1), late, True))
        file.write_bytes(archive(random.Random(1), early, True) + packed)
        wanted = sorted(name for name in run("lsinitramfs", file).decode().split("\n") if name)
        printed = run(program, "initramfs", file).decode()
        got = sorted(re.findall(r"^[0-7]+ \d+ (.+)$", printed, re.M))
        if got != wanted:
            wrong.append(f"{kind}: lsinitramfs sees {sorted(set(wanted) - set(got))}, we {sorted(set(got) - set(wanted))}")
    return wrong


def main():
    program, wrong, made = sys.argv[1], [], 0
    for seed in range(60):
        with tempfile.TemporaryDirectory() as scratch:
            content, wanted = make(random.Random(seed), pathlib.Path(scratch))
            file = pathlib.Path(scratch) / "initramfs"
            file.write_bytes(content)
            done = subprocess.run([program, "initramfs", file], capture_output=True, check=False)
            got = done.stdout.decode().rstrip("\n").split("\n")
            if done.returncode != 0 or got != wanted:
                wrong.append(f"seed {seed}: {done.stderr.decode()} {sorted(set(got) ^ set(wanted))[:6]}")
            made += 1
    with tempfile.TemporaryDirectory() as scratch:
        wrong += check_lsinitramfs(program, pathlib.Path(scratch))
    print("\n".join(wrong) if wrong else f"{made} initramfs files seen as cpio sees them")
    return 1 if wrong else 0


sys.exit(main())
