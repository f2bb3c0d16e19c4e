#!/usr/bin/env python3
"""qcow2 images that have lived: written to here and there, zeroed, discarded, compressed, with snapshots and another
size. Their bytes must be those that qemu-img finds in them.

usage: test_qcow2.py DISK_BYTES
"""

import os
import pathlib
import random
import subprocess
import sys
import tempfile

DISK_BYTES = pathlib.Path(sys.argv[1]).resolve()
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
KIB, MIB = 1 << 10, 1 << 20

# name: (options of qemu-img create, bytes of the disk, what is done to it)
PLAIN = ["write", "zero", "unmap", "discard"]
ALL = [*PLAIN, "compress", "snapshot"]
IMAGES = {
    "usual": ([], 64 * MIB, ALL),
    "version-2": (["compat=0.10"], 64 * MIB, ["write", "discard", "compress", "snapshot"]),
    "zstd": (["compression_type=zstd"], 64 * MIB, ALL),
    "clusters-of-512": (["cluster_size=512"], 6 * MIB + 3 * 512, ALL),
    "clusters-of-4-KiB": (["cluster_size=4k"], 20 * MIB + 512, ALL),
    "clusters-of-2-MiB": (["cluster_size=2M"], 200 * MIB + 70 * KIB, ALL),
    "extended-l2": (["extended_l2=on"], 64 * MIB, ALL),
    "extended-l2-of-16-KiB": (["extended_l2=on,cluster_size=16k"], 30 * MIB + 512, ALL),
    "extended-l2-of-2-MiB": (["extended_l2=on,cluster_size=2M"], 200 * MIB, ALL),
    "preallocated-metadata": (["preallocation=metadata"], 40 * MIB, PLAIN),
    "preallocated-full": (["preallocation=full"], 20 * MIB, PLAIN),
    "lazy": (["lazy_refcounts=on,refcount_bits=64"], 64 * MIB, ALL),
    "untouched": ([], 3 * MIB, []),
}
TURNS = 150


def run(*words, may_fail=False):
    done = subprocess.run([*map(str, words)], env=dict(os.environ, PATH=PATH), capture_output=True, text=True,
                          check=False)
    if done.returncode and not may_fail:
        raise SystemExit(f"{' '.join(map(str, words))}: {done.stderr}")


def cluster_size(options):
    sizes = {"512": 512, "4k": 4 * KIB, "16k": 16 * KIB, "2M": 2 * MIB}
    words = dict(word.split("=") for option in options for word in option.split(","))
    return sizes.get(words.get("cluster_size"), 64 * KIB)


def command(chance, deed, size, cluster):
    """One command of qemu-io. What it writes is a pattern of one byte, at places that clusters know nothing of."""
    if deed == "compress":
        offset = chance.randrange(size // cluster) * cluster
        return f"write -c -P {chance.randrange(1, 256)} {offset} {cluster}"
    unit = chance.choice([512, 4096, cluster])
    offset = chance.randrange(size // unit) * unit
    length = min(chance.choice([1, 2, 5, 40]) * unit, size - offset, 8 * MIB)
    words = {"write": f"write -P {chance.randrange(1, 256)}", "zero": "write -z", "unmap": "write -z -u",
             "discard": "discard"}
    return f"{words[deed]} {offset} {length}"


def make(image, options, size, deeds, chance):
    run("qemu-img", "create", "-q", "-f", "qcow2", *[word for option in options for word in ("-o", option)], image, size)
    for part in range(3 if deeds else 0):
        commands = [command(chance, chance.choice([deed for deed in deeds if deed != "snapshot"]), size,
                            cluster_size(options)) for _ in range(TURNS)]
        # A compressed cluster can be written where none is, and fails elsewhere; the other commands are done all the same.
        run("qemu-io", "-t", "unsafe", "-d", "unmap", "-f", "qcow2", *[word for line in commands for word in ("-c", line)], image,
            may_fail=True)
        if "snapshot" in deeds and part < 2:
            run("qemu-img", "snapshot", "-c", f"part-{part}", image)


def differs(image, raw):
    """Where the two first differ; None where they do not."""
    run("qemu-img", "convert", "-t", "unsafe", "-T", "unsafe", "-f", "qcow2", "-O", "raw", image, raw)
    wanted = raw.read_bytes()
    done = subprocess.run([DISK_BYTES, image], capture_output=True, check=False)
    if done.returncode or len(done.stdout) != len(wanted):
        return f"{len(done.stdout)} of {len(wanted)} bytes, status {done.returncode}: {done.stderr.decode()}"
    if done.stdout == wanted:
        return None
    return next(f"byte {at}" for at in range(len(wanted)) if wanted[at] != done.stdout[at])


def main():
    complaints, data = [], 0
    with tempfile.TemporaryDirectory() as scratch:
        image, raw = pathlib.Path(scratch) / "image", pathlib.Path(scratch) / "raw"
        for number, (name, (options, size, deeds)) in enumerate(IMAGES.items()):
            make(image, options, size, deeds, random.Random(number))
            found = differs(image, raw)
            if found:
                complaints.append(f"{name}: {found}")
            filled = len(raw.read_bytes().replace(b"\0", b""))
            data += filled
            if deeds and filled < size // 50:
                complaints.append(f"{name}: the disk holds {filled} bytes only, which tests little")
            if "snapshot" in deeds:
                # Back to what was: the tables of the snapshot become those of the disk.
                run("qemu-img", "snapshot", "-a", "part-0", image)
                found = differs(image, raw)
                if found:
                    complaints.append(f"{name}, as it was before: {found}")
            if "version-2" not in name and "snapshot" not in deeds:
                run("qemu-img", "resize", "-q", "-f", "qcow2", image, f"+{5 * MIB}")
                found = differs(image, raw)
                if found:
                    complaints.append(f"{name}, larger: {found}")
            image.unlink()
    print("\n".join(complaints) or f"{len(IMAGES)} images, {data >> 20} MiB of data: every byte agrees")
    return 1 if complaints else 0


sys.exit(main())
