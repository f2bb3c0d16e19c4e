"""What the file system oracles share: a folder full of awkward files, and the reading of walk's output."""

import io
import os
import pathlib
import stat
import subprocess
import sys
from typing import NamedTuple


class Entry(NamedTuple):
    kind: str  # f, d, l, o
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int
    target: str
    content: bytes


def run(*command, **options):
    """Runs a tool; what it prints is shown only when it fails."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **options)
    if result.returncode != 0:
        sys.stdout.buffer.write(result.stdout)
        sys.exit(f"{' '.join(map(str, command))}: exit {result.returncode}")
    return result.stdout


def walk(program, image, *options, problem="", perhaps=""):
    """Returns (type, uuid, label) and a dictionary of path -> Entry. The image must have the problem of that code, or
    none; it may also have the one that is `perhaps` there."""
    result = subprocess.run([program, image, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    said = result.stderr.decode().split("\n")
    if result.returncode != 0 or set(said) - {"", perhaps} != {problem} - {""}:
        sys.exit(f"{program} {image}: exit {result.returncode}, it says {said} where '{problem}' is wanted")
    stream = io.BytesIO(result.stdout)
    identity = stream.readline().decode("utf-8", "surrogateescape").rstrip("\n").split(" ", 2)
    entries = {}
    while line := stream.readline():
        kind, mode, uid, gid, size, mtime, path_length, target_length = line.decode().split()
        path = stream.read(int(path_length)).decode("utf-8", "surrogateescape")
        target = stream.read(int(target_length)).decode("utf-8", "surrogateescape")
        content = stream.read(int(size)) if kind == "f" else b""
        entries[path] = Entry(kind, int(mode, 8), int(uid), int(gid), int(size), int(mtime), target, content)
    return identity, entries


def entry_of(path):
    """The Entry of a real file, as the image made from it should show it."""
    status = os.lstat(path)
    kinds = {stat.S_IFREG: "f", stat.S_IFDIR: "d", stat.S_IFLNK: "l"}
    kind, content = kinds.get(stat.S_IFMT(status.st_mode), "o"), b""
    if kind == "f" and status.st_size > 0:
        with open(path, "rb", buffering=0) as file:
            content = file.readall()
    return Entry(
        kind, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, status.st_size, int(status.st_mtime),
        os.readlink(path) if kind == "l" else "", content)


def entries_of(folder):
    """path -> Entry for all below a real folder; its root is "/"."""
    above = str(folder)
    found = {"/": entry_of(above)}
    for parent, folders, files in os.walk(above):
        for name in folders + files:
            path = f"{parent}/{name}"
            found[path[len(above):]] = entry_of(path)
    return found


def differences(wanted, got, fields=Entry._fields):
    """Sentences about what differs; sizes count for files and links only."""
    found = [f"{path}: not seen by us" for path in sorted(wanted.keys() - got.keys())]
    found += [f"{path}: only seen by us" for path in sorted(got.keys() - wanted.keys())]
    for path in sorted(path for path in wanted.keys() & got.keys() if wanted[path] != got[path]):
        for field in fields:
            ours, theirs = getattr(got[path], field), getattr(wanted[path], field)
            if ours != theirs and not (field == "size" and wanted[path].kind in "do"):
                found.append(f"{path}: {field} is {ours!r:.60}, wanted {theirs!r:.60}")
    return found


def fill_with_awkward_files(folder):
    """Sparse, deep, many, long names, short and long links; and real files of this system."""
    folder = pathlib.Path(folder)
    folder.mkdir()
    (folder / "empty").touch()
    for size in (1, 59, 60, 61, 100, 155, 1023, 1024, 4095, 4096, 4097, 12 * 1024, 12 * 1024 + 1, 300000):
        (folder / f"size-{size}").write_bytes(bytes((i * 7 + i // 251) % 256 for i in range(size)))
    with open(folder / "sparse", "wb") as sparse:
        for offset in (0, 70000, 1 << 20, (9 << 20) + 12345):
            sparse.seek(offset)
            sparse.write(b"island at %d" % offset)
    for length in (1, 58, 59, 60, 61, 150, 1000):
        os.symlink("t" * length, folder / f"link-{length}")
    os.symlink("/etc/absolute", folder / "link-absolute")
    os.mkfifo(folder / "fifo")
    (folder / ("n" * 255)).write_text("a long name")
    (folder / "ünïcode ☃ and blanks").write_text("utf-8")
    (folder / "set-id").write_text("mode")
    os.chmod(folder / "set-id", 0o6751)
    many = folder / "many"
    many.mkdir()
    for i in range(3000):
        (many / f"file number {i:06} {'x' * (i % 40)}").write_text(f"{i}\n" * (i % 5))
    deep = folder
    for i in range(60):
        deep = deep / f"level-{i}"
        deep.mkdir()
        (deep / "file").write_text(f"{i}")
    run("cp", "-r", "--no-dereference", "/usr/share/perl5", "/usr/share/common-licenses", "/etc/default", folder)
    os.utime(folder / "empty", (1, 1))
    # mke2fs of e2fsprogs 1.47 writes 32 bits of time.
    os.utime(folder / "size-1", (1, (1 << 31) - 1))
    os.utime(folder / "size-59", (0, -86400))
