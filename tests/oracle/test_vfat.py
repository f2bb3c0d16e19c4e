#!/usr/bin/env python3
"""FAT12, FAT16 and FAT32 of many kinds, made by mkfs.vfat and filled by mtools: we must see what was put in, and
what mtools, GRUB and blkid see.

usage: test_vfat.py WALK
"""

import os
import pathlib
import random
import subprocess
import sys
import tempfile

import filesystems

MIB = 1 << 20
# name: (size, options of mkfs.vfat)
VARIANTS = {
    "fat12": (2 * MIB, ["-F", "12"]),
    "fat12-clusters-of-8": (8 * MIB, ["-F", "12", "-s", "8"]),
    "fat12-one-fat": (2 * MIB, ["-F", "12", "-f", "1"]),
    "fat16": (16 * MIB, ["-F", "16"]),
    "fat16-label": (40 * MIB, ["-F", "16", "-n", "EFI SYSTEM"]),
    "fat16-sectors-of-2048": (64 * MIB, ["-F", "16", "-S", "2048"]),
    "fat32": (64 * MIB, ["-F", "32", "-n", "ESP"]),
    "fat32-clusters-of-1": (48 * MIB, ["-F", "32", "-s", "1"]),
    "fat32-sectors-of-4096": (300 * MIB, ["-F", "32", "-S", "4096", "-s", "1"]),
    "fat32-reserved": (64 * MIB, ["-F", "32", "-R", "128", "-s", "1"]),
    "fat-default": (99 * MIB, []),
}


def fill(folder, room):
    """The files of an ESP, and names that need every branch of VFAT."""
    folder.mkdir()
    noise = random.Random(3)
    for path, size in {
        "EFI/BOOT/BOOTX64.EFI": 130001, "EFI/debian/shimx64.efi": 70000, "EFI/debian/grub.cfg": 120, "empty": 0,
        "UPPER.TXT": 1, "lower.txt": 511, "Mixed.Txt": 512, "a name of some length.conf": 513,
        "no-extension": 4096, "two.dots.txt": 4097, "UPPER.low": 12, "thirteen.char": 13, "trailing  blank x": 5,
        "n" * 120 + ".conf": 77, "GRÜN.TXT": 3, "größe ☃ snow.txt": 4, "x" * 26: 26, "y" * 13: 13,
        "loader/entries/0123456789abcdef0123456789abcdef-6.1.0-56-cloud-amd64.conf": 300,
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(noise.randbytes(size))
    many = folder / "many"
    many.mkdir()
    for i in range(60 if room < 4 * MIB else 700):
        (many / f"entry number {i}.conf").write_text(f"{i}\n")
    if room >= 8 * MIB:
        (folder / "vmlinuz").write_bytes(noise.randbytes(3 * MIB + 17))
    deep = folder
    for i in range(12):
        deep = deep / f"level {i}"
        deep.mkdir()
        (deep / "file.txt").write_text(f"{i}")
    for path in folder.rglob("*"):
        os.utime(path, (1_600_000_000, 1_600_000_000 + 2 * (len(path.name) % 50)))


def mtools(command, image, *arguments, **options):
    """Runs a program of mtools; in UTC and in UTF-8."""
    environment = {**os.environ, "TZ": "UTC", "LC_ALL": "C.UTF-8", "MTOOLS_SKIP_CHECK": "1"}
    return filesystems.run(command, "-i", image, *arguments, env=environment, **options)


def make_image(image, size, options, folder):
    with open(image, "wb") as file:
        file.truncate(size)
    filesystems.run("mkfs.vfat", *options, image)
    # What is deleted again leaves gaps and dead entries in front of the rest.
    doomed = image.with_suffix(".doomed")
    doomed.write_bytes(b"x" * 3000)
    names = [f"::doomed with a long name {i}" for i in range(20)]
    for name in names:
        mtools("mcopy", image, doomed, name)
    mtools("mdel", image, *names[::2])
    mtools("mcopy", image, "-s", "-p", "-m", *sorted(folder.iterdir()), "::")
    mtools("mdel", image, *names[1::2])


def blkid(image):
    def value(tag):
        result = subprocess.run(["blkid", "-p", "-o", "value", "-s", tag, image], stdout=subprocess.PIPE, check=False)
        return result.stdout.decode().strip() or "-"
    return [value("TYPE"), value("UUID"), value("LABEL")]


def as_vfat(entry):
    """What FAT can keep of a file."""
    return entry._replace(mode=0o755, uid=0, gid=0)


def compare_with_mtools(image, walked, folder):
    folder.mkdir()
    mtools("mcopy", image, "-s", "-m", "::/*", folder)
    wanted = filesystems.entries_of(folder)
    return filesystems.differences(wanted, walked, ["kind", "size", "content"])


def compare_with_grub(image, walked):
    """Also in other letters: the ESP does not tell upper from lower case."""
    found = []
    for path in ("/EFI/BOOT/BOOTX64.EFI", "/efi/debian/GRUB.CFG", "/many/entry number 7.conf"):
        result = subprocess.run(["grub-fstest", image, "cat", path], stdout=subprocess.PIPE, check=False)
        ours = next(entry for name, entry in walked.items() if name.lower() == path.lower())
        if result.returncode != 0 or result.stdout != ours.content:
            found.append(f"{path}: GRUB reads otherwise")
    return found


def main():
    walk, failures = sys.argv[1], 0
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        for name, (size, options) in VARIANTS.items():
            image, folder = scratch / f"{name}.img", scratch / f"{name}.source"
            fill(folder, size)
            make_image(image, size, options, folder)
            identity, walked = filesystems.walk(walk, image)
            wanted = {path: as_vfat(entry) for path, entry in filesystems.entries_of(folder).items()}
            wanted["/"] = walked["/"]
            found = filesystems.differences(wanted, walked, ["kind", "mode", "uid", "gid", "size", "content"])
            files = {path: entry for path, entry in wanted.items() if entry.kind == "f"}
            found += filesystems.differences(files, {path: walked[path] for path in files if path in walked}, ["mtime"])
            if identity != blkid(image):
                found.append(f"we say {identity}, blkid says {blkid(image)}")
            found += compare_with_mtools(image, walked, scratch / f"{name}.dump")
            found += compare_with_grub(image, walked)
            print(f"{name}: {len(walked)} files, {len(found)} differences")
            print("".join(f"  {line}\n" for line in found[:20]), end="")
            failures += len(found)
            image.unlink()
    return 1 if failures else 0


sys.exit(main())
