#!/usr/bin/env python3
"""The kernel of an arm64 image in each form in which one is built and installed: Image, Image.gz and EFI zboot. slipway
must find the same version, architecture and, of the kernel alone, the same verdicts in each.

  kernels_test.py NAME
"""

import bz2
import gzip
import pathlib
import struct
import sys
import tempfile

import common

HEADER = 0x200
PE_AT = 0x40


def zboot(image, packed, compression):
    """drivers/firmware/efi/libstub/zboot-header.S: a PE program around the packed Image."""
    header = bytearray(HEADER)
    header[0:8] = b"MZ\0\0zimg"
    struct.pack_into("<II", header, 8, HEADER, len(packed))
    header[24:24 + len(compression)] = compression.encode()
    struct.pack_into("<II", header, 0x38, 0x818223CD, PE_AT)
    # The PE header of the EFI stub is that of the Image.
    pe = struct.unpack_from("<I", image, 0x3C)[0]
    header[PE_AT:PE_AT + 0x18] = image[pe:pe + 0x18]
    return bytes(header) + packed


def said(path):
    """What check says of a kernel alone, and what inspect makes of it."""
    status, report = common.slipway_json("check", "--format=json", path)
    entry = report["inputs"][0]
    kernel = common.slipway_json("inspect", "--format=json", path)[1]["kernels"][0]
    verdicts = [(each["id"], each["verdict"], each["found"], each["reason"]) for each in entry["findings"]]
    return status, {**{key: entry[key] for key in ("kind", "examined", "boots", "reason")}, "verdicts": verdicts}, kernel


def main():
    name = sys.argv[1]
    wrong = []
    with common.image(name) as disk, tempfile.TemporaryDirectory(dir=common.IMAGES, prefix="test-") as folder:
        booted = common.slipway_json("inspect", "--format=json", disk)[1]["kernels"][0]
        image = common.cat_mounted(disk, name, booted["partition"], booted["path"])
        files = {
            "Image": image,
            "Image.gz": gzip.compress(image, 1),
            "Image.bz2": bz2.compress(image, 1),
            "vmlinuz-gzip.efi": zboot(image, gzip.compress(image, 1), "gzip"),
        }
        first = None
        for file, content in files.items():
            path = pathlib.Path(folder) / file
            path.write_bytes(content)
            status, entry, kernel = said(path)
            got = status, entry
            if first is None:
                first = got
            elif got != first:
                wrong.append(f"{file}: not the same as of the plain Image: {entry['reason']}")
            if (kernel["version"], kernel["architecture"]) != (booted["version"], "arm64"):
                wrong.append(f"{file}: {kernel['version']} for {kernel['architecture']}, the disk boots {booted['version']}")
        if first[1]["kind"] != "kernel" or first[1]["boots"] != "unknown":
            wrong.append(f"Image: a {first[1]['kind']} that boots: {first[1]['boots']}")
    common.finish(wrong)


main()
