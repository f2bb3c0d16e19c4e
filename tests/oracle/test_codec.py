#!/usr/bin/env python3
"""Content of many kinds, packed by the real tools at many levels: we must unpack what went in, alone and as
several members behind each other.

usage: test_codec.py UNPACK
"""

import os
import pathlib
import random
import subprocess
import sys
import tempfile

COMMANDS = [["gzip", "-n", f"-{level}"] for level in (1, 6, 9)]
COMMANDS += [["bzip2", f"-{level}"] for level in (1, 9)]
COMMANDS += [["xz", f"--check={check}", f"-{level}"] for check, level in
             (("none", 0), ("crc32", 3), ("crc64", 6), ("sha256", 1))]
COMMANDS += [["xz", "--check=crc32", f"--{filter}", "--lzma2=dict=1MiB"] for filter in ("x86", "arm64", "powerpc")]
COMMANDS += [["xz", "--check=crc32", "-T2", "--block-size=65536"], ["xz", "--format=lzma", "-0"],
             ["xz", "--format=lzma", "-5"], ["xz", "--format=lzma", "--lzma1=dict=96KiB"]]
COMMANDS += [["zstd", "-q", *options] for options in
             (["-1"], ["-3", "--no-check"], ["-19"], ["--long=24"], ["--fast=5"], ["-T2", "-B65536"])]
COMMANDS += [["lz4", "-q", "-l", f"-{level}"] for level in (1, 9)]
COMMANDS += [["lz4", "-q", *options] for options in (["-1"], ["-9", "-B4"], ["-B5", "-BD"], ["--no-frame-crc"])]


def contents(rng):
    yield b""
    yield b"x"
    yield bytes(1 << 20)
    yield rng.randbytes(300000)
    yield "".join(rng.choice(["kernel ", "module ", "virtio_scsi\n", "0123"]) for _ in range(20000)).encode()
    yield pathlib.Path(os.path.realpath("/proc/self/exe")).read_bytes()[:1 << 19]
    # more than one 8 MiB block of the legacy lz4 frame
    yield rng.randbytes(4096) * 2100


def pack(command, content):
    return subprocess.run(command, input=content, stdout=subprocess.PIPE, check=True).stdout


def unpack(program, content):
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        done = subprocess.run([program, "content", file.name], capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else done.stderr


def main():
    rng = random.Random(2)
    wrong, compared = [], 0
    for content in contents(rng):
        for command in COMMANDS:
            if len(content) > 8 << 20 and command[0] != "lz4":
                continue
            packed = pack(command, content)
            for name, file, wanted in (("alone", packed, content),
                                       ("twice", packed + packed, content * 2),
                                       ("with zeros behind", packed + bytes(64), content)):
                if unpack(sys.argv[1], file) != wanted:
                    wrong.append(f"{' '.join(command)}, {len(content)} bytes, {name}")
                compared += 1
    print("\n".join(wrong) if wrong else f"{compared} files unpacked as they were packed")
    return 1 if wrong or compared < 450 else 0


sys.exit(main())
