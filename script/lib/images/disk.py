"""A disk image from a directory: partition table, file systems and boot code, without a mount and without root."""

import binascii
import contextlib
import functools
import os
import pathlib
import struct
import tempfile
import uuid

from . import layouts
from .tools import ImageError, run

MIB = 1 << 20
GIB = 1 << 30

GPT_TYPES = {
    "bios": "21686148-6449-6E6F-744E-656564454649",
    "esp": "C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
    "linux": "0FC63DAF-8483-4772-8E79-3D69D8477DE4",
}
GPT_IDENT = "E8B9A1D3-52C7-4F60-9A1E-3D70B4C62F98"
BIOS_NUMBER, ESP_NUMBER = 14, 15


class Part:
    """One partition while it is laid out; offsets in bytes."""

    def __init__(self, number, kind, start, size, file_system="ext4"):
        self.number, self.kind, self.start, self.size, self.file_system = number, kind, start, size, file_system


def plan(layout, size=3 * GIB):
    """The partitions of a layout on a disk of that size: small ones first, the root takes the rest."""
    parts, at = [], MIB

    def add(number, kind, length, file_system="ext4"):
        nonlocal at
        parts.append(Part(number, kind, at, length, file_system))
        at += length

    if layout.table == "msdos":
        # As the Debian installer partitions: the root, then swap as a logical partition inside an extended one.
        add(1, "linux", size - 64 * MIB - at)
        add(2, "extended", 64 * MIB)
        parts.append(Part(5, "swap", parts[-1].start + MIB, 63 * MIB))
        return parts
    if layout.bios:
        add(BIOS_NUMBER, "bios", MIB)
    if layout.uefi:
        # A FAT32 file system of 4096-byte sectors needs 65525 clusters of at least that size.
        add(ESP_NUMBER, "esp", (40 if layout.sector == 512 else 260) * MIB)
    if layout.boot:
        add(layout.boot, "linux", 256 * MIB)
    if layout.usr:
        add(layout.usr, "linux", 1024 * MIB)
    add(layout.root, "linux", size - MIB - at, layout.root_type)
    return parts


def _crc(content):
    return binascii.crc32(content) & 0xFFFFFFFF


def _write_gpt_4k(path, parts):
    """sfdisk learnt to make tables of other sectors than the device's only lately, so these bytes are ours
    (UEFI specification 2.10, chapter 5)."""
    sector, last = 4096, os.path.getsize(path) // 4096 - 1
    entries = bytearray(128 * 128)
    for part in parts:
        struct.pack_into("<16s16sQQQ", entries, 128 * (part.number - 1), uuid.UUID(GPT_TYPES[part.kind]).bytes_le,
                         uuid.uuid5(uuid.UUID(GPT_IDENT), str(part.number)).bytes_le,
                         part.start // sector, (part.start + part.size) // sector - 1, 0)
    mbr = bytearray(sector)
    struct.pack_into("<B3sB3sII", mbr, 446, 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, last)
    mbr[510:512] = b"\x55\xaa"

    def header(own, other, entries_lba):
        fields = [b"EFI PART", 0x10000, 92, 0, 0, own, other, 6, last - 5, uuid.UUID(GPT_IDENT).bytes_le,
                  entries_lba, 128, 128, _crc(entries)]
        layout = "<8sIIIIQQQQ16sQIII"
        fields[3] = _crc(struct.pack(layout, *fields))
        return struct.pack(layout, *fields).ljust(sector, b"\0")

    with open(path, "r+b") as disk:
        disk.write(mbr + header(1, last, 2) + entries)
        disk.seek((last - 4) * sector)
        disk.write(entries + header(last, 1, last - 4))


def _write_table(path, layout, parts):
    if layout.sector != 512:
        _write_gpt_4k(path, parts)
        return
    lines = []
    for part in parts:
        sectors = f"start={part.start // layout.sector}, size={part.size // layout.sector}"
        if layout.table == "gpt":
            lines.append(f"{part.number} : {sectors}, type={GPT_TYPES[part.kind]}")
        else:
            kind = {"linux": "83", "extended": "5", "swap": "82"}[part.kind]
            active = ", bootable" if part.number == layout.root else ""
            lines.append(f"{part.number} : {sectors}, type={kind}{active}")
    if layout.table == "gpt":
        head = f"label: gpt\nlabel-id: {GPT_IDENT}\n"
    else:
        head = "label: dos\nlabel-id: 0x5a1d7e02\n"
    run("sfdisk", "--quiet", path, input=(head + "\n".join(lines) + "\n").encode())


def _write_ext4(path, part, tree, identity, features):
    run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-O", features, "-U", identity, "-d", tree,
        "-E", f"offset={part.start},hash_seed={identity},lazy_itable_init=1,lazy_journal_init=1,nodiscard",
        path, f"{part.size // 1024}k")


def _write_proto(file, tree):
    """The tree as mkfs.xfs -p takes it; it knows no sticky bit, and no hard links."""
    def add(path, name):
        status = path.lstat()
        mode = ("u" if status.st_mode & 0o4000 else "-") + ("g" if status.st_mode & 0o2000 else "-")
        words = f"{mode}{status.st_mode & 0o777:03o} {status.st_uid} {status.st_gid}"
        if path.is_symlink():
            file.write(f"{name} l{words} {os.readlink(path)}\n")
        elif path.is_dir():
            file.write(f"{name} d{words}\n")
            for inner in sorted(path.iterdir()):
                add(inner, inner.name)
            file.write("$\n")
        else:
            file.write(f"{name} -{words} {path}\n")

    file.write("/ 0 0")
    add(tree, "")


@contextlib.contextmanager
def _beside(path, part):
    """For tools that take no offset: the file system is made beside the disk, and then copied into it."""
    aside = path.with_name(path.name + ".aside")
    with open(aside, "wb") as file:
        file.truncate(part.size)
    try:
        yield aside
        run("dd", f"if={aside}", f"of={path}", "bs=1M", f"seek={part.start // MIB}", "conv=notrunc,sparse")
    finally:
        aside.unlink()


def write_xfs(path, part, tree, identity):
    with _beside(path, part) as aside, tempfile.NamedTemporaryFile("w") as proto:
        _write_proto(proto, tree)
        proto.flush()
        run("mkfs.xfs", "-q", "-K", "-m", f"uuid={identity}", "-p", proto.name, aside)


def write_btrfs(path, part, tree, identity):
    with _beside(path, part) as aside:
        run("mkfs.btrfs", "-q", "-K", "-f", "-U", identity, "--rootdir", tree, aside)


def _write_esp(path, part, layout, boot_files):
    with _beside(path, part) as esp:
        run("mkfs.vfat", "-F", "32", "-S", layout.sector, "-s", "1", "-n", "ESP",
            "-i", layouts.ESP_VOLUME_ID.replace("-", ""), esp)
        name = f"grub{layout.efi}.efi"
        loader, config = boot_files / name, boot_files / "esp.cfg"
        run("mmd", "-i", esp, "::/EFI", "::/EFI/BOOT", "::/EFI/debian")
        run("mcopy", "-i", esp, loader, f"::/EFI/BOOT/BOOT{layout.efi.upper()}.EFI")
        run("mcopy", "-i", esp, loader, f"::/EFI/debian/{name}")
        run("mcopy", "-i", esp, config, "::/EFI/debian/grub.cfg")


def _write_bios(path, layout, parts, boot_files):
    """What grub-install does for BIOS: boot.img before the table, the core image where boot.img will look."""
    core = bytearray((boot_files / "core.img").read_bytes())
    boot = bytearray((boot_files / "boot.img").read_bytes()[:440])
    if layout.table == "gpt":
        sector = next(part.start for part in parts if part.kind == "bios") // 512
    else:
        sector = 1
    if sector * 512 + len(core) > (MIB if layout.table == "msdos" else 2 * MIB):
        raise ImageError("GRUB's core image does not fit before the first file system")
    # Offsets in boot.img and diskboot.img: the core image's first sector; a jump over the drive check becomes two
    # NOPs; the core image's own list of blocks starts with its second sector.
    struct.pack_into("<Q", boot, 0x5C, sector)
    boot[0x66:0x68] = b"\x90\x90"
    struct.pack_into("<Q", core, 0x1F4, sector + 1)
    with open(path, "r+b") as disk:
        disk.write(boot)
        disk.seek(sector * 512)
        disk.write(core)


@contextlib.contextmanager
def _split_off(tree, inner, folder):
    """Moves a directory out of the tree, to become a file system of its own; an empty mount point stays."""
    aside = pathlib.Path(folder) / inner
    (tree / inner).rename(aside)
    (tree / inner).mkdir()
    try:
        yield aside
    finally:
        (tree / inner).rmdir()
        aside.rename(tree / inner)


def make(path, layout, tree, boot_files, size=3 * GIB, features="^metadata_csum_seed,^orphan_file"):
    """Makes the image `path` of a dressed tree; `tree` is the same afterwards."""
    unfinished = path.with_name(path.name + ".part")
    with open(unfinished, "wb") as disk:
        disk.truncate(size)
    parts = plan(layout, size)
    by_number = {part.number: part for part in parts}
    _write_table(unfinished, layout, parts)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir=path.parent))
        for inner, identity in (("boot", layouts.BOOT_UUID), ("usr", layouts.USR_UUID)):
            number = getattr(layout, inner)
            if number:
                aside = stack.enter_context(_split_off(tree, inner, folder))
                _write_ext4(unfinished, by_number[number], aside, identity, features)
        write = {"ext4": functools.partial(_write_ext4, features=features), "xfs": write_xfs, "btrfs": write_btrfs}
        write[layout.root_type](unfinished, by_number[layout.root], tree, layouts.ROOT_UUID)
    if layout.uefi:
        _write_esp(unfinished, by_number[ESP_NUMBER], layout, boot_files)
    if layout.bios:
        _write_bios(unfinished, layout, parts, boot_files)
    os.replace(unfinished, path)
