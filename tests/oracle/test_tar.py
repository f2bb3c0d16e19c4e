#!/usr/bin/env python3
"""Folders of awkward files, packed by GNU tar in each of its formats and by Python's tarfile: our index must have
the names, owners, times and contents that went in, and Python's reader must agree on where each header is.

usage: test_tar.py TAR
"""

import os
import pathlib
import random
import subprocess
import sys
import tarfile
import tempfile

FORMATS = ["v7", "ustar", "gnu", "oldgnu", "posix"]
OPTIONS = [[], ["-S"], ["-S", "--sparse-version=0.0"], ["-S", "--sparse-version=0.1"]]
KINDS = {tarfile.REGTYPE: "0", tarfile.AREGTYPE: "0", tarfile.GNUTYPE_SPARSE: "0", tarfile.CONTTYPE: "0",
         tarfile.LNKTYPE: "1", tarfile.SYMTYPE: "2", tarfile.CHRTYPE: "3", tarfile.BLKTYPE: "4",
         tarfile.DIRTYPE: "5", tarfile.FIFOTYPE: "6"}


def sparse_file(path, rng, pieces, size):
    with open(path, "wb") as file:
        for at in sorted(rng.sample(range(0, size // 4096), pieces)):
            file.seek(at * 4096)
            file.write(rng.randbytes(rng.choice([1, 512, 4096])))
        file.truncate(size)


def make_folder(folder, rng, v7):
    """What v7 has no room for is left out there."""
    (folder / "empty").touch()
    (folder / "block").write_bytes(rng.randbytes(512))
    (folder / "data").write_bytes(rng.randbytes(70001))
    (folder / "zeros").write_bytes(bytes(9000))
    (folder / "deep").mkdir()
    (folder / "deep" / "link").symlink_to("../data")
    os.link(folder / "data", folder / "deep" / "hard")
    os.chmod(folder / "block", 0o4751)
    os.utime(folder / "block", (1, 1234567890))
    sparse_file(folder / "sparse", rng, 3, 1 << 20)
    sparse_file(folder / "pieces", rng, 200, 9 << 20)
    with open(folder / "hole", "wb") as file:
        file.truncate(3 << 20)
    if not v7:
        os.mkfifo(folder / "pipe")
    long = folder / ("d" * 50) / ("e" * 48)
    if not v7:
        long.mkdir(parents=True)
        (long / "split").write_bytes(b"by prefix\n")
    return long


def add_long(folder, long):
    """What only GNU and pax headers hold."""
    deeper = long / ("f" * 150)
    deeper.mkdir()
    (deeper / ("g" * 200)).write_bytes(b"long\n")
    (folder / "longlink").symlink_to("x" * 180)
    (folder / "gr\u00fc\u00dfe").write_bytes(b"utf-8\n")
    os.utime(folder / "empty", (0, -5))
    if os.geteuid() == 0:
        os.chown(folder / "zeros", 3_000_000, 4_000_000)


def index_of(program, archive):
    """What we say, as a list; None and the message where it fails."""
    done = subprocess.run([program, archive], capture_output=True, check=False)
    if done.returncode:
        return None, done.stderr.decode()
    members, rest = [], done.stdout
    while rest:
        line, rest = rest.split(b"\n", 1)
        words = line.decode().split()
        mode, sizes = int(words[2], 8), [int(word) for word in words[3:]]
        uid, gid, size, mtime, sparse, header, name_length, link_length = sizes
        name, link = rest[:name_length], rest[name_length:name_length + link_length]
        rest = rest[name_length + link_length:]
        content = b""
        if words[0] == "0":
            content, rest = rest[:size], rest[size:]
        members.append((words[0], words[1], name.decode(errors="surrogateescape"), link.decode(), mode, uid, gid,
                        size, mtime, sparse, header, content))
    return members, ""


def compare_python(members, archive):
    """Where Python's own reader differs."""
    with tarfile.open(archive) as tar:
        theirs = tar.getmembers()
        if len(theirs) != len(members):
            yield f"{len(members)} members, not {len(theirs)}"
            return
        for (kind, _, name, link, mode, uid, gid, size, mtime, _, header, content), their in zip(members, theirs):
            wanted = (KINDS[their.type], their.name, their.linkname, their.mode & 0o7777, their.uid, their.gid,
                      their.size if kind == "0" else 0, int(their.mtime), their.offset)
            got = (kind, name.rstrip("/"), link, mode, uid, gid, size, mtime, header)
            if wanted != got:
                yield f"{got}, Python has {wanted}"
            if kind == "0" and tar.extractfile(their).read() != content:
                yield f"{name}: another content than Python has"


def compare_folder(members, folder):
    """Where the index differs from the files that were packed."""
    seen = set()
    for kind, _, name, link, mode, uid, gid, size, mtime, _, _, content in members:
        path = folder / name
        status = os.lstat(path)
        seen.add(os.path.normpath(name))
        if kind == "1":
            if not os.path.samefile(path, folder / link):
                yield f"{name}: is no link to {link}"
            continue
        if kind == "2" and os.readlink(path) != link:
            yield f"{name}: leads to {link}"
        if (mode, uid, gid, mtime) != (status.st_mode & 0o7777, status.st_uid, status.st_gid, status.st_mtime_ns // 10**9):
            yield f"{name}: {(mode, uid, gid, mtime)} are not the file's"
        if kind == "0" and (size != status.st_size or content != path.read_bytes()):
            yield f"{name}: another content than the file's"
    there = {os.path.normpath(os.path.relpath(path, folder)) for path in folder.rglob("*")} | {"."}
    if seen != there:
        yield f"names {sorted(seen ^ there)} are on one side alone"


def pack_gnu(folder, archive, options):
    subprocess.run(["tar", *options, "-C", folder, "-cf", archive, "."], check=True)


def pack_python(folder, archive, form):
    with tarfile.open(archive, "w", format=form) as tar:
        tar.add(folder, ".")


def cases(base, rng):
    """(what, folder, a function that packs it)"""
    plain, short, full = base / "plain", base / "short", base / "full"
    for folder in (plain, short, full):
        folder.mkdir()
        long = make_folder(folder, rng, folder == plain)
    add_long(full, long)
    for form in FORMATS:
        folder = {"v7": plain, "ustar": short}.get(form, full)
        for options in OPTIONS if form == "posix" else OPTIONS[:2] if form in ("gnu", "oldgnu") else OPTIONS[:1]:
            words = [f"--format={form}", *options]
            yield "tar " + " ".join(words), form, folder, lambda archive, f=folder, w=words: pack_gnu(f, archive, w)
    for name, form, folder in (("ustar", tarfile.USTAR_FORMAT, short), ("gnu", tarfile.GNU_FORMAT, full),
                               ("pax", tarfile.PAX_FORMAT, full)):
        yield f"tarfile {name}", None, folder, lambda archive, f=folder, w=form: pack_python(f, archive, w)


def main():
    rng = random.Random(3)
    wrong, compared = [], 0
    with tempfile.TemporaryDirectory() as scratch:
        archive = pathlib.Path(scratch) / "archive.tar"
        for what, form, folder, pack in cases(pathlib.Path(scratch), rng):
            pack(archive)
            members, message = index_of(sys.argv[1], archive)
            if members is None:
                wrong.append(f"{what}: {message}")
                continue
            wrong += [f"{what}: {line}" for line in compare_folder(members, folder)]
            wrong += [f"{what}: {line}" for line in compare_python(members, archive)]
            if form and {member[1] for member in members} != {{"oldgnu": "gnu", "posix": "pax"}.get(form, form)}:
                wrong.append(f"{what}: the format is {sorted({member[1] for member in members})}")
            if "-S" in what and sum(member[9] for member in members) < 3:
                wrong.append(f"{what}: no sparse member")
            compared += len(members)
    print("\n".join(wrong) if wrong else f"{compared} members are as they were packed")
    return 1 if wrong or compared < 150 else 0


sys.exit(main())
