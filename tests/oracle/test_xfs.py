#!/usr/bin/env python3
"""XFS of many kinds: we must see what the folder holds that each was filled from, and what GRUB and xfs_db see.

Root fills those of version 5 through a loop mount, so that they become what time and use make of a file system;
version 4, which new kernels do not mount, and all of them without root, get theirs from mkfs.xfs -p.

usage: test_xfs.py WALK
"""

import contextlib
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

import filesystems

MIB = 1 << 20
# name: options of mkfs.xfs
VARIANTS = {
    "v4-oldest": ["-m", "crc=0", "-n", "ftype=0", "-i", "attr=1,projid32bit=0", "-l", "version=1,lazy-count=0"],
    "v4-ftype": ["-m", "crc=0", "-n", "ftype=1"],
    "v4-512": ["-m", "crc=0", "-b", "size=512", "-i", "size=256"],
    "v4-directories-of-64k": ["-m", "crc=0", "-b", "size=1024", "-n", "size=65536"],
    "v4-no-case": ["-m", "crc=0", "-n", "version=ci"],
    "v5": [],
    "v5-proto": [],
    "v5-1k": ["-b", "size=1024"],
    "v5-1k-directories-of-16k": ["-b", "size=1024", "-n", "size=16384"],
    "v5-64k": ["-b", "size=65536"],
    "v5-plain": ["-m", "finobt=0,reflink=0,bigtime=0,inobtcount=0", "-i", "sparse=0"],
    "v5-rmapbt": ["-m", "rmapbt=1,reflink=1", "-i", "sparse=1"],
    "v5-nrext64": ["-i", "nrext64=1,size=1024", "-b", "size=2048"],
    "v5-inodes-of-2k": ["-i", "size=2048"],
    "v5-sectors-of-4k": ["-s", "size=4096", "-d", "agcount=9", "--unsupported"],
}
MOUNTED = [name for name in VARIANTS if name.startswith("v5") and name != "v5-proto"]


def make_image(image, options, proto=None):
    with open(image, "wb") as file:
        file.truncate(330 * MIB)
    filesystems.run("mkfs.xfs", "-q", "-f", "-L", "a label", *options, *(["-p", proto] if proto else []), image)


@contextlib.contextmanager
def mounted(image, where):
    where.mkdir(exist_ok=True)
    filesystems.run("mount", "-t", "xfs", "-o", "loop", image, where)
    try:
        yield where
    finally:
        filesystems.run("umount", where)


# --- what only use makes ---

def same_hash(count):
    """Names that all have one hash: XFS's is linear in the bits of a name, so its kernel over them gives any number."""
    def hash_of(name):
        value = 0
        for at in range(0, len(name), 4):
            a, b, c, d = name[at:at + 4]
            value = a << 21 ^ b << 14 ^ c << 7 ^ d ^ (value << 28 | value >> 4) & 0xffffffff
        return value

    length, found, basis = 20, [], {}
    base = bytes([0x60] * length)
    for bit in range(5 * length):
        change = bytearray(length)
        change[bit // 5] = 1 << bit % 5
        name = bytes(x ^ y for x, y in zip(base, change))
        value, combination = hash_of(name) ^ hash_of(base), int.from_bytes(change, "big")
        while value and value.bit_length() in basis:
            other, mix = basis[value.bit_length()]
            value, combination = value ^ other, combination ^ mix
        if value:
            basis[value.bit_length()] = value, combination
        else:
            found.append(combination)
    names = []
    for number in range(count):
        mix = int.from_bytes(base, "big")
        for bit, combination in enumerate(found):
            mix ^= combination if number >> bit & 1 else 0
        names.append(mix.to_bytes(length, "big").decode())
    return names


def fill_directories(folder):
    """Directories of every format: in the inode, one block, a leaf, nodes; with holes; with one hash for all names."""
    for count in (1, 2, 5, 20, 60, 150, 400, 2000):
        inner = folder / f"of-{count}"
        inner.mkdir()
        for i in range(count):
            (inner / f"{i}-{'y' * (i % 23)}").touch()
    large = folder / "large"
    large.mkdir()
    for i in range(20000):
        (large / f"name {i:05}{'z' * (i % 31)}").symlink_to(f"target-{i}")
    hollow = folder / "hollow"
    hollow.mkdir()
    for i in range(6000):
        (hollow / f"name {i:05} {'h' * 60}").touch()
    for i in range(500, 5500):
        (hollow / f"name {i:05} {'h' * 60}").unlink()
    collisions = folder / "collisions"
    collisions.mkdir()
    for name in same_hash(900):
        (collisions / name).touch()


def fill_files(folder, block):
    noise = random.Random(4)
    with open(folder / "fragments", "wb") as file:
        for i in range(min(5000, 40 * MIB // block)):
            file.seek(i * 2 * block)
            file.write(noise.randbytes(min(block, 700)))
    with open(folder / "unwritten", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, 3 * MIB)
        for offset in (5, 100000, 2 * MIB - 3):
            file.seek(offset)
            file.write(b"written at %d" % offset)
    with open(folder / "grown", "wb") as file:
        file.write(b"short")
        file.truncate((1 << 32) + 12345 if block > 4096 else 8 * MIB + 1)
        file.truncate(8 * MIB + 1)
    with open(folder / "preallocated", "wb") as file:
        file.write(b"less than it has")
        subprocess.run(["fallocate", "--keep-size", "--length", "1M", folder / "preallocated"], check=False)
    subprocess.run(["cp", "--reflink=auto", folder / "fragments", folder / "clone"], check=True)
    for length in (100, 200, 300, 400, 500, 960, 969, 1000, 1022, 1023):
        (folder / f"target-of-{length}").symlink_to("l" * length)
    for i, size in enumerate((1, 30, 100, 200, 1000, 30000)):
        for inner in (folder / f"attributed {i}", folder / f"attributed folder {i}"):
            if "folder" in inner.name:
                inner.mkdir()
                (inner / "file").write_text("below")
            else:
                inner.write_bytes(noise.randbytes(5000))
            os.setxattr(inner, "user.large", b"v" * size)
    for name, when in (("old", -(1 << 31)), ("edge", -1), ("far", (1 << 32) + 5), ("end", 16299260424)):
        (folder / name).touch()
        os.utime(folder / name, (0, when))
    os.mknod(folder / "device", 0o020640, os.makedev(5, 1))


def fill_with_use(folder, source, block):
    """Copies with gaps left between, so that what comes last lies in pieces."""
    filesystems.run("cp", "-a", f"{source}/.", folder)
    for path in sorted((folder / "perl5").rglob("*"))[::2]:
        if path.is_file():
            path.unlink()
    fill_directories(folder)
    fill_files(folder, block)


# --- what mkfs.xfs -p can take ---

def fill_without_blanks(folder):
    """A description's words are parted by blanks, so no name may have one."""
    filesystems.fill_with_awkward_files(folder)
    fill_directories(folder)
    for parent, folders, files in os.walk(folder, topdown=False):
        for name in folders + files:
            if re.search(r"\s", name):
                os.rename(os.path.join(parent, name), os.path.join(parent, re.sub(r"\s", "_", name)))


def write_proto(proto, folder):
    """A description of the folder for mkfs.xfs. Links longer than an inode holds are left out, since this mkfs writes
    those of version 5 without their header."""
    lines, kept = ["/", "0 0"], {"/"}

    def mode_of(path):
        mode = path.lstat().st_mode
        flags = ("u" if mode & 0o4000 else "-") + ("g" if mode & 0o2000 else "-")
        return flags, f"{mode & 0o777:03o}", path.lstat()

    def add(path, name):
        flags, mode, status = mode_of(path)
        head = f"{name} " if name else ""
        owner = f"{status.st_uid} {status.st_gid}"
        inner = "/" + str(path.relative_to(folder)) if name else "/"
        if path.is_symlink():
            if len(os.readlink(path)) > 100:
                return
            lines.append(f"{head}l{flags}{mode} {owner} {os.readlink(path)}")
        elif path.is_dir():
            lines.append(f"{head}d{flags}{mode} {owner}")
            for entry in sorted(path.iterdir()):
                add(entry, entry.name)
            lines.append("$")
        elif path.is_fifo():
            lines.append(f"{head}p{flags}{mode} {owner}")
        else:
            lines.append(f"{head}-{flags}{mode} {owner} {path}")
        kept.add(inner)

    add(folder, "")
    proto.write_text("\n".join(lines) + "\n")
    return kept


def make_from_proto(image, options, scratch):
    source, proto = scratch / "without-blanks", scratch / "proto"
    if not source.exists():
        fill_without_blanks(source)
    kept = write_proto(proto, source)
    make_image(image, options, proto)
    # A regular file's times are those of the making.
    wanted = {path: entry for path, entry in filesystems.entries_of(source).items() if path in kept}
    return wanted, [field for field in filesystems.Entry._fields if field != "mtime"]


def make_by_mount(image, options, source, scratch):
    make_image(image, options)
    block = int(re.search(r"-b size=(\d+)", " ".join(options) or "")[1]) if "-b" in options else 4096
    with mounted(image, scratch / "mount") as where:
        fill_with_use(where, source, block)
    # What is wanted is what the kernel sees after it has written all of it, and no access changes a time that counts.
    with mounted(image, scratch / "mount") as where:
        wanted = filesystems.entries_of(where)
    return wanted, filesystems.Entry._fields


# --- second opinions ---

def blkid(image):
    def value(tag):
        return filesystems.run("blkid", "-p", "-o", "value", "-s", tag, image).decode().strip()
    return [value("TYPE"), value("UUID"), value("LABEL")]


def formats_of(image, paths):
    """How the inodes keep their data, as xfs_db has it."""
    commands = [word for path in paths for word in ("-c", f"path {path}", "-c", "p core.format")]
    said = filesystems.run("xfs_db", "-r", *commands, image).decode()
    return re.findall(r"core.format = \d \((\w+)\)", said)


def lacks_formats(image, name):
    """Did the filling make what it was meant to make?"""
    said = formats_of(image, ["/of-1", "/of-60", "/large", "/fragments", "/target-of-1023", "/link-58"])
    link = "extents" if "2k" not in name else "local"
    wanted = ["local", "extents", "btree|extents", "btree", link, "local"]
    if len(said) != len(wanted) or not all(re.fullmatch(want, got) for want, got in zip(wanted, said)):
        return [f"the formats are {said}, and not {wanted}: this image tests less than it should"]
    return []


def compare_with_grub(image, walked, count):
    """GRUB's own reader, on some of the files. What it refuses (directories whose extents are a tree or have holes) is
    no difference; what it reads must be the same."""
    files = sorted(path for path, entry in walked.items() if entry.kind == "f" and path.isascii())
    found, read = [], 0
    for path in random.Random(1).sample(files, count):
        result = subprocess.run(["grub-fstest", image, "cat", path], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, check=False)
        if result.returncode == 0:
            read += 1
            if result.stdout != walked[path].content:
                found.append(f"{path}: GRUB reads otherwise")
    return found if read >= count // 5 else [f"GRUB reads {read} of {count} files: it is no oracle here"]


def wrong_logs(walk, scratch):
    """A small log that use goes round in: clean after each unmount, and not so in a copy made while mounted. Without
    root nothing writes to a log; the unit tests have some made by hand."""
    if os.geteuid() != 0:
        return []
    image, copy = scratch / "log.img", scratch / "copy.img"
    make_image(image, ["-b", "size=1024", "-l", "size=4m", "--unsupported"])
    states, heads = set(), []
    for number in range(9):
        with mounted(image, scratch / "mount") as where:
            for i in range(2500):
                (where / f"{number}-{i}").write_text("x")
            for i in range(2500):
                (where / f"{number}-{i}").unlink()
            # Frozen, all of it is on the disk, but nothing marks the log as done with.
            filesystems.run("fsfreeze", "--freeze", where)
            filesystems.run("cp", "--sparse=always", image, copy)
            filesystems.run("fsfreeze", "--unfreeze", where)
        filesystems.walk(walk, image)
        filesystems.walk(walk, copy, problem="xfs-log-not-clean")
        said = filesystems.run("xfs_logprint", "-t", image).decode()
        states.add(re.search(r"state: <(\w+)>", said)[1])
        heads.append(int(re.search(r"head: (\d+)", said)[1]))
    image.unlink()
    copy.unlink()
    if states != {"CLEAN"} or heads == sorted(heads):
        return [f"xfs_logprint says {states} at {heads}, where all should be clean and go round"]
    return []


def main():
    walk, failures = sys.argv[1], 0
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        os.umask(0o022)
        filesystems.fill_with_awkward_files(scratch / "folder")
        for name, options in VARIANTS.items():
            if len(sys.argv) > 2 and name not in sys.argv[2:]:
                continue
            image = scratch / f"{name}.img"
            found = []
            if name in MOUNTED and os.geteuid() == 0:
                wanted, fields = make_by_mount(image, options, scratch / "folder", scratch)
                found += lacks_formats(image, name)
            else:
                wanted, fields = make_from_proto(image, options, scratch)
            identity, walked = filesystems.walk(walk, image)
            found += filesystems.differences(wanted, walked, fields)
            if identity != blkid(image):
                found.append(f"we say {identity}, blkid says {blkid(image)}")
            if name in ("v4-oldest", "v5", "v5-proto", "v5-plain"):
                found += compare_with_grub(image, walked, 20)
            print(f"{name}: {len(walked)} files, {len(found)} differences")
            print("".join(f"  {line}\n" for line in found[:20]), end="")
            failures += len(found)
            image.unlink()
        found = wrong_logs(walk, scratch)
        print("".join(f"log: {line}\n" for line in found), end="")
        failures += len(found)
    return 1 if failures else 0


sys.exit(main())
