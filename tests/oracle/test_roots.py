#!/usr/bin/env python3
"""A folder of awkward files, as it is and packed by GNU tar and Python's tarfile in all ways: we must see in each what
the system sees in the folder. Then archives with members that replace each other, go through links and lead out of
the root: we must see what GNU tar unpacks of them.

usage: test_roots.py WALK
"""

import io
import os
import pathlib
import random
import subprocess
import sys
import tarfile
import tempfile

import filesystems

FORMATS = ["gnu", "oldgnu", "posix"]


def complain(what, found):
    for line in found[:20]:
        print(f"{what}: {line}")
    return bool(found)


def check_folder(walk, folder, scratch):
    """The directory itself, and archives of it."""
    failed = complain("directory", filesystems.differences(
        filesystems.entries_of(folder), filesystems.walk(walk, folder)[1]))
    for form in FORMATS:
        for options in ([], ["-S"]):
            archive = scratch / "root.tar"
            filesystems.run("tar", f"--format={form}", *options, "-cf", archive, "-C", folder, ".")
            failed |= complain(f"{form} {options}", filesystems.differences(
                filesystems.entries_of(folder), filesystems.walk(walk, archive)[1]))
    return failed


class Pieces:
    """An archive that is put together at random from a few names."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.files = []

    def name(self):
        return "/".join(self.rng.choice("abcd") for _ in range(self.rng.randint(1, 4)))

    def member(self):
        info = tarfile.TarInfo(self.rng.choice(["", "./"]) + self.name())
        info.mode, info.mtime = 0o755, self.rng.randint(0, 1 << 30)
        info.uid = info.gid = os.geteuid()
        kind = self.rng.choice("ffffffdddddlllh")
        content = b""
        if kind == "d":
            info.type = tarfile.DIRTYPE
        elif kind == "l":
            # GNU tar unpacks links that go up or are absolute last, which is no order of a root file system.
            info.type, info.linkname, info.mode = tarfile.SYMTYPE, self.name(), 0o777
        elif kind == "h" and self.files:
            info.type, info.linkname = tarfile.LNKTYPE, self.rng.choice(self.files)
        else:
            content = self.rng.randbytes(self.rng.randint(0, 700))
            info.size = len(content)
            self.files.append(info.name)
        return info, content


def check_pieces(walk, seed, scratch):
    """GNU tar complains of what it cannot unpack, and goes on. For a hard link that it cannot make it removes what is
    there and makes the directories above it, all the same: no archive of a root has one."""
    archive, folder = scratch / "pieces.tar", scratch / f"pieces-{seed}"
    folder.mkdir()
    pieces = Pieces(seed)
    with tarfile.open(archive, "w", format=tarfile.GNU_FORMAT) as tar:
        for _ in range(25):
            info, content = pieces.member()
            tar.addfile(info, io.BytesIO(content))
    done = subprocess.run(["tar", "-xpf", archive, "-C", folder], stderr=subprocess.PIPE, text=True, check=False,
                          env=dict(os.environ, LC_ALL="C"))
    if "Cannot hard link" in done.stderr:
        return None
    wanted, got = filesystems.entries_of(folder), filesystems.walk(walk, archive, perhaps="tar-member")[1]
    # Directories that tar makes up have the mode and the time of this moment.
    fields = ("kind", "size", "target", "content")
    return complain(f"pieces {seed}", filesystems.differences(wanted, got, fields))


def check_outside(walk, scratch):
    """What leads out of the root is left out."""
    archive = scratch / "outside.tar"
    with tarfile.open(archive, "w") as tar:
        for name in ("../outside", "a/../../outside", "/absolute", "a/b/../c", "etc/passwd", "..", "a//./d"):
            info = tarfile.TarInfo(name)
            info.size = 1
            tar.addfile(info, io.BytesIO(b"x"))
    got = sorted(filesystems.walk(walk, archive, problem="tar-member")[1])
    wanted = ["/", "/a", "/a/d", "/absolute", "/etc", "/etc/passwd"]
    return complain("outside", [] if got == wanted else [f"we see {got}"])


def main():
    walk = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        folder = scratch / "root"
        filesystems.fill_with_awkward_files(folder)
        os.link(folder / "size-4097", folder / "many" / "hard link")
        os.symlink(os.fsencode(folder) + b"/\xff\xfe", os.fsencode(folder) + b"/not utf-8 \xff")
        failed = check_folder(walk, folder, scratch)
        results = [check_pieces(walk, seed, scratch) for seed in range(100)]
        print(f"{results.count(False)} archives compared")
        failed |= any(results) or results.count(False) < 30
        failed |= check_outside(walk, scratch)
    return 1 if failed else 0


sys.exit(main())
