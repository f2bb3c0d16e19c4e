"""Damaged images: how each is made, and what the check says of it."""

import struct
import subprocess

SECTOR = 512
MIB = 1 << 20


def run(*words, **more):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)


def sound(path):
    """A GPT disk of 64 MiB with one ext4 file system, from 1 MiB on."""
    part = path.with_suffix(".part")
    run("mke2fs", "-q", "-t", "ext4", "-U", "0b5e8a3c-1111-4222-8333-444455556666", part, f"{62 * 1024}K")
    with open(path, "wb") as disk:
        disk.truncate(64 * MIB)
    run("sfdisk", "--quiet", "--no-tell-kernel", path, input=b"label: gpt\nstart=2048, size=126976, type=linux\n")
    with open(path, "r+b") as disk, open(part, "rb") as content:
        disk.seek(MIB)
        disk.write(content.read())
    part.unlink()


def empty(path):
    path.write_bytes(b"")


def text(path):
    path.write_text("a letter, not a disk\n" * 500)


def one_byte(path):
    path.write_bytes(b"x")


def truncated(path):
    sound(path)
    with open(path, "r+b") as disk:
        disk.truncate(30 * MIB)


def superblock(path):
    """Overwrites the block size in the superblock that the kernel reads."""
    sound(path)
    with open(path, "r+b") as disk:
        disk.seek(MIB + 1024 + 24)
        disk.write(b"\xff\xff\xff\xff")


def bzimage(payload):
    """The setup code of a bzImage, as Documentation/arch/x86/boot.rst has it, and a payload of zeros."""
    kernel = bytearray(2560 + payload)
    struct.pack_into("<B", kernel, 0x1f1, 4)
    struct.pack_into("<4sH", kernel, 0x202, b"HdrS", 0x020f)
    struct.pack_into("<II", kernel, 0x248, 0, payload)
    return bytes(kernel)


NO_DISK = "it is no disk image: it has no partition table, no file system and no whole number of sectors"
NO_SYSTEM = "no file system that can be read holds a Linux system"
EMPTY = "the input is empty (0 bytes), so it holds no disk: was it copied completely?"

# Name, how it is made, "examined", its reason, and what the rule of the partition table says.
FIXTURES = [
    ("empty.raw", empty, "none", EMPTY, EMPTY),
    ("one-byte.raw", one_byte, "none", NO_DISK, NO_DISK),
    ("text.raw", text, "none", NO_DISK, NO_DISK),
    ("truncated.raw", truncated, "partial",
     "partition 1 cannot be read: the disk ends before the partition does: was it copied completely?",
     "the disk ends at byte 31457280, before its partition 1 does: the protective MBR entry covers 131071 "
     "sectors of a disk that has 61439 behind its first: was the image grown or cut?"),
    ("superblock.raw", superblock, "partial",
     "the ext4 file system of partition 1 cannot be read: the superblock is damaged and the kernel does not mount "
     "it; the backup at block 8193 is sound (ext4, UUID 0b5e8a3c-1111-4222-8333-444455556666): e2fsck -b 8193 "
     "-B 1024 mends it", ""),
    ("no-system.raw", sound, "partial", NO_SYSTEM, ""),
]
