#!/usr/bin/env python3
"""btrfs of many kinds. Those that mkfs.btrfs makes from a folder must show what the folder holds; those that only the
kernel can make (compression, subvolumes, shared and preallocated extents) what a mount of them shows. Of both,
`btrfs restore` and GRUB give a second opinion.

usage: test_btrfs.py WALK

Making the second kind needs root and loop devices; without them that half is left out, which is said.
"""

import contextlib
import fcntl
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile

import filesystems

FICLONERANGE = 0x4020940d

VARIANTS = {
    "default": [],
    "nodesize-4k": ["-n", "4096"],
    "nodesize-64k": ["-n", "65536"],
    "mixed": ["--mixed", "-n", "4096"],
    "dup": ["-m", "dup", "-d", "dup"],
    "single": ["-m", "single", "-d", "single"],
    "old": ["-O", "^no-holes,^extref,^skinny-metadata", "-R", "^free-space-tree"],
    "xxhash": ["--csum", "xxhash"],
    "sha256": ["--csum", "sha256"],
    "blake2": ["--csum", "blake2"],
}

MOUNTED = {
    "plain": ([], ""),
    "zlib": ([], "compress-force=zlib:9"),
    "lzo": ([], "compress-force=lzo"),
    "lzo-4k": (["-n", "4096"], "compress-force=lzo"),
    "zstd": (["-n", "65536"], "compress-force=zstd:15"),
    "zstd-mixed": (["--mixed"], "compress-force=zstd"),
    "no-inline": (["-O", "^no-holes"], "max_inline=0,compress=zstd"),
}


def make_image(image, options):
    with open(image, "wb") as file:
        file.truncate(512 << 20)
    filesystems.run("mkfs.btrfs", "-q", "-L", "a label", *options, image)


def blkid(image):
    def value(tag):
        return filesystems.run("blkid", "-p", "-o", "value", "-s", tag, image).decode().strip()
    return [value("TYPE"), value("UUID"), value("LABEL")]


@contextlib.contextmanager
def mounted(image, folder, options):
    folder.mkdir(exist_ok=True)
    filesystems.run("mount", "-t", "btrfs", "-o", ",".join(filter(None, ["loop", options])), image, folder)
    try:
        yield folder
    finally:
        filesystems.run("umount", folder)


def contents(entries):
    return {path: entry for path, entry in entries.items() if entry.kind in "fd"}


def compare_with_restore(image, walked, scratch):
    """btrfs-progs' own reader."""
    folder = scratch / "restored"
    folder.mkdir()
    # restore asks whether to go on with files that take it many steps.
    filesystems.run("btrfs", "restore", "-S", image, folder, input=b"y\n" * 1000)
    restored = filesystems.entries_of(folder)
    shutil.rmtree(folder)
    return filesystems.differences(contents(restored), contents(walked), ["kind", "content"])


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


def test_made(walk, scratch, name):
    image = scratch / f"{name}.img"
    make_image(image, [*VARIANTS[name], "--rootdir", scratch / "folder"])
    identity, walked = filesystems.walk(walk, image)
    wanted = filesystems.entries_of(scratch / "folder")
    # The root directory's own times and owner are those of mkfs.
    wanted["/"] = walked["/"]
    found = filesystems.differences(wanted, walked)
    if identity != blkid(image):
        found.append(f"we say {identity}, blkid says {blkid(image)}")
    if name in ("default", "mixed"):
        found += compare_with_grub(image, walked, 20)
        found += compare_with_restore(image, walked, scratch)
    image.unlink()
    return len(walked), found


def write_in_pieces(path, size, piece, seed):
    """A file of many extents: pieces in random order, each forced out."""
    noise = random.Random(seed)
    starts = list(range(0, size, piece))
    noise.shuffle(starts)
    with open(path, "wb") as file:
        for start in starts:
            file.seek(start)
            file.write((b"%d:" % start) * (piece // 16) if start % 3 else noise.randbytes(piece))
            file.flush()
            os.fdatasync(file.fileno())


def subvolume_create(*paths):
    for path in paths:
        filesystems.run("btrfs", "subvolume", "create", path)


def clone_range(source, offset, length, target, target_offset):
    with open(source, "rb") as from_file, open(target, "wb") as to_file:
        fcntl.ioctl(to_file, FICLONERANGE,
                    struct.pack("=qQQQ", from_file.fileno(), offset, length, target_offset))


def fill(folder, source):
    """What no folder can tell of: how its content is laid out."""
    # What is preallocated later lies where this was: it must not be seen.
    (folder / "noise").write_bytes(random.Random(4).randbytes(1 << 20) * 64)
    filesystems.run("sync", "-f", folder)
    (folder / "noise").unlink()
    filesystems.run("sync", "-f", folder)
    filesystems.run("cp", "-a", f"{source}/.", folder)
    subvolume_create(folder / "@", folder / "@home", folder / "plain")
    (folder / "@/etc").mkdir()
    (folder / "@/etc/fstab").write_text("of @\n")
    (folder / "@home/user").write_text("of @home\n")
    subvolume_create(folder / "@/nested", folder / "@/etc/deep")
    (folder / "@/etc/deep/file").write_text("deep\n" * 5000)
    filesystems.run("btrfs", "subvolume", "snapshot", "-r", folder / "@", folder / "@/snapshot")
    (folder / "@/etc/fstab").write_text("of @, later\n")
    many = folder / "@/many"
    many.mkdir()
    for i in range(20000):
        (many / f"{i}").touch()
    write_in_pieces(folder / "pieces", 4 << 20, 40960, 3)
    # Clones share parts of extents: what they see begins in the middle of what is stored.
    filesystems.run("cp", "--reflink=always", folder / "pieces", folder / "clone")
    for i in range(0, 1 << 20, 65536):
        filesystems.run("dd", "if=/dev/urandom", f"of={folder}/clone", "bs=4096", "count=1", "conv=notrunc",
                        f"seek={i // 4096 + 3}", "status=none")
    clone_range(folder / "pieces", 131072, 200704, folder / "tail", 12288)
    filesystems.run("fallocate", "-l", "3M", folder / "preallocated")
    with open(folder / "preallocated", "r+b") as file:
        file.seek(1 << 20)
        file.write(b"written\n" * 5000)
    filesystems.run("fallocate", "-p", "-o", "100000", "-l", "500000", folder / "pieces")
    filesystems.run("truncate", "-s", "1000001", folder / "pieces")
    filesystems.run("truncate", "-s", "3000000", folder / "pieces")
    uncopied = folder / "nodatacow"
    uncopied.touch()
    filesystems.run("chattr", "+C", uncopied)
    uncopied.write_bytes(b"in place\n" * 100000)
    (folder / "hard").write_text("linked\n")
    os.link(folder / "hard", folder / "plain-link")
    for i in range(1200):
        os.link(folder / "hard", folder / f"many/link {i}{'l' * 100}")
    os.utime(folder / "hard", (1, 1 << 35))


def test_mounted(walk, scratch, name):
    image, folder = scratch / f"{name}.img", scratch / "mounted"
    options, mount_options = MOUNTED[name]
    make_image(image, options)
    with mounted(image, folder, mount_options):
        fill(folder, scratch / "folder")
        snapshot = filesystems.run("btrfs", "subvolume", "show", folder / "@/snapshot").decode()
        number = snapshot.split("Subvolume ID:")[1].split()[0]
        filesystems.run("btrfs", "subvolume", "set-default", number, folder)
    found, count = [], 0
    for choice in ("subvolid=5", "", "subvol=/@", "subvol=@home", "subvol=@/etc/deep", f"subvolid={number}"):
        with mounted(image, folder, f"ro,{choice}"):
            wanted = filesystems.entries_of(folder)
        _, walked = filesystems.walk(walk, image, f"rw,{choice},noatime")
        # Directories that stand for subvolumes in a snapshot have no time of their own: the kernel takes the clock's.
        walked = {path: entry._replace(mtime=wanted[path].mtime) if (entry.kind, entry.mtime) == ("d", 0) else entry
                  for path, entry in walked.items()}
        found += [f"{choice}: {line}" for line in filesystems.differences(wanted, walked)]
        count += len(walked)
    # The top level is what a boot loader sees, whatever the default is.
    _, walked = filesystems.walk(walk, image)
    if "/@/etc/fstab" not in walked or "/@/snapshot/etc/fstab" not in walked:
        found.append("the top level does not show its subvolumes")
    for wrong in ("subvol=@/etc", "subvol=nothing", "subvolid=4711", "subvolid=x", "subvol=@/etc/fstab"):
        result = subprocess.run([walk, image, wrong], capture_output=True, check=False)
        if result.returncode != 1 or b"subvol" not in result.stderr:
            found.append(f"{wrong}: {result.stderr.decode()}")
    found += compare_with_grub(image, walked, 10)
    image.unlink()
    return count, found


def main():
    walk, failures = sys.argv[1], 0
    tests = [(test_made, name) for name in VARIANTS]
    if os.geteuid() == 0 and os.path.exists("/dev/loop-control"):
        tests += [(test_mounted, name) for name in MOUNTED]
    elif os.environ.get("SLIPWAY_REQUIRE"):
        sys.exit("compression and subvolumes need root and loop devices to make, and SLIPWAY_REQUIRE is set")
    else:
        print("compression and subvolumes were not tested: making them needs root and loop devices")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        os.umask(0o022)
        filesystems.fill_with_awkward_files(scratch / "folder")
        for test, name in tests:
            count, found = test(walk, scratch, name)
            print(f"{name}: {count} files, {len(found)} differences")
            print("".join(f"  {line}\n" for line in found[:20]), end="", flush=True)
            failures += len(found)
    return 1 if failures else 0


sys.exit(main())
