#!/usr/bin/env python3
"""erofs of many kinds, made by mkfs.erofs from a folder: we must see what the folder holds, and what dump.erofs and
fsck.erofs see.

usage: test_erofs.py WALK
"""

import os
import pathlib
import re
import sys
import tempfile

import filesystems

VARIANTS = {
    "plain": [],
    "plain-large-inodes": ["-Eforce-inode-extended"],
    "plain-small-inodes": ["-Eforce-inode-compact"],
    "plain-no-inline": ["-Enoinline_data"],
    "chunks-4k": ["--chunksize=4096"],
    "chunks-indexed": ["--chunksize=65536", "-Eforce-chunk-indexes"],
    "lz4": ["-zlz4"],
    "lz4hc": ["-zlz4hc,12"],
    "lz4-legacy": ["-zlz4", "-Elegacy-compress"],
    "lz4-large-pieces": ["-zlz4hc", "-C65536"],
    "lz4-huge-pieces": ["-zlz4hc", "-C1048576"],
    "lz4-large-pieces-full": ["-zlz4hc", "-C16384", "-Elegacy-compress,force-inode-extended"],
    "lz4-tails": ["-zlz4", "-Eztailpacking"],
    "lz4-tails-large": ["-zlz4hc", "-C65536", "-Eztailpacking"],
    "lz4-fragments": ["-zlz4", "-Efragments"],
    "lz4-fragments-large": ["-zlz4hc", "-C65536", "-Efragments,ztailpacking"],
    "lz4-all-fragments": ["-zlz4hc", "-C32768", "-Eall-fragments"],
    "lz4-dedupe": ["-zlz4hc", "-C16384", "-Ededupe"],
}


def compressible(folder):
    """Files whose compressed pieces end in every way: long runs, noise, and both in turn."""
    folder.mkdir()
    noise = os.urandom(100000)
    text = b"".join(b"line %d of a text that compresses well\n" % (i % 997) for i in range(60000))
    for name, content in {
        "text": text, "text-cut": text[:4096 * 7], "text-odd": text[:4096 * 7 + 1], "zeros": bytes(3 << 20),
        "noise": noise, "turns": b"".join(noise[i:i + 5000] + text[i:i + 9000] for i in range(0, 90000, 5000)),
        "twice": text[:200000] + noise[:3000] + text[:200000],
    }.items():
        (folder / name).write_bytes(content)


def compare(walked, folder, keeps_times):
    fields = filesystems.Entry._fields if keeps_times else [f for f in filesystems.Entry._fields if f != "mtime"]
    return filesystems.differences(filesystems.entries_of(folder), walked, fields)


def compare_with_dump(image, identity, walked):
    """dump.erofs: the identity, and every name with its size in the larger directories."""
    text = filesystems.run("dump.erofs", "-s", image).decode()
    found = []
    uuid = re.search(r"UUID:\s+(\S+)", text).group(1)
    if identity[:2] != ["erofs", uuid]:
        found.append(f"we say {identity}, dump.erofs says {uuid}")
    for path in ("/many", "/compressible"):
        listing = filesystems.run("dump.erofs", f"--path={path}", "--ls", image).decode("utf-8", "surrogateescape")
        names = {line.split(None, 2)[2] for line in listing.splitlines() if re.match(r"\s*\d+\s+\d\s", line)}
        ours = {name[len(path) + 1:] for name in walked if name.startswith(path + "/")}
        if names - {".", ".."} != ours:
            found.append(f"{path}: dump.erofs lists {len(names)} names, we {len(ours)}")
    return found


def main():
    walk, failures = sys.argv[1], 0
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        os.umask(0o022)
        folder = scratch / "folder"
        filesystems.fill_with_awkward_files(folder)
        # mkfs.erofs 1.5 fails at names of 255 bytes.
        (folder / ("n" * 255)).rename(folder / ("n" * 250))
        compressible(folder / "compressible")
        for name, options in VARIANTS.items():
            image = scratch / f"{name}.img"
            times = ["--ignore-mtime"] if "compact" in str(options) else ["--preserve-mtime"]
            filesystems.run("mkfs.erofs", *options, *times, image, folder)
            identity, walked = filesystems.walk(walk, image)
            found = compare(walked, folder, times == ["--preserve-mtime"])
            found += compare_with_dump(image, identity, walked)
            print(f"{name}: {len(walked)} files, {len(found)} differences")
            print("".join(f"  {line}\n" for line in found[:20]), end="")
            failures += len(found)
            image.unlink()
    return 1 if failures else 0


sys.exit(main())
