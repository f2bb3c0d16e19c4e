"""Inputs of every kind that no tool writes: directories that hold themselves, links in circles, what unpacks without end, names
without number. Each with the exit status and a part of the sentence that it has to get."""

import io
import os
import struct
import tarfile

import mutations
import small_disk as small

MIB = 1 << 20


# --- archives ---

def member(name, kind=tarfile.REGTYPE, link="", content=b""):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.size = kind, link, len(content)
    return entry, content


def system():
    """What makes an archive the root of a system."""
    return [member("etc", tarfile.DIRTYPE), member("usr", tarfile.DIRTYPE),
            member("usr/lib/os-release", content=b"ID=debian\n")]


def archive(members, with_system=True):
    def make(_folder, path):
        with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as out:
            for entry, content in (system() if with_system else []) + list(members()):
                out.addfile(entry, io.BytesIO(content))
    return make


def hard_links():
    yield member("etc/os-release", tarfile.LNKTYPE, "etc/one")
    yield member("etc/one", tarfile.LNKTYPE, "etc/two")
    yield member("etc/two", tarfile.LNKTYPE, "etc/os-release")
    yield member("etc/fstab", tarfile.LNKTYPE, "etc/fstab")


def links():
    yield member("etc/os-release", tarfile.SYMTYPE, "../usr/lib/here/os-release")
    yield member("usr/lib/here", tarfile.SYMTYPE, "here")
    yield member("usr/lib/modules", tarfile.SYMTYPE, "../lib/modules")
    yield member("usr/lib/modules/6.1.0/modules.dep", content=b"kernel/a.ko:\n")


def folder_as_link_to_itself():
    yield member("boot", tarfile.SYMTYPE, "boot/boot")
    yield member("boot/vmlinuz-6.1.0", content=b"x")


def deep(levels):
    def members():
        yield member("/".join(["d"] * levels) + "/file", content=b"x")
        yield member("etc/sysctl.d/" + "/".join(["d"] * levels) + "/file", content=b"x")
    return members


def signed(header):
    """The header with its sum made right."""
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return header


def many(folder, path):
    """Empty files, whose headers differ in the name alone."""
    archive(list)(folder, path)
    system_alone = path.read_bytes().rstrip(b"\0")
    header = bytearray(member("")[0].tobuf(tarfile.GNU_FORMAT))
    with open(path, "wb") as out:
        out.write(system_alone + bytes(-len(system_alone) % 512))
        for number in range(120000):
            header[0:100] = (b"etc/sysctl.d/%d.conf" % number).ljust(100, b"\0")
            out.write(signed(header))
        out.write(bytes(1024))


def forged(change, content=b""):
    """A system, and one more header with some of its bytes changed and its sum made right."""
    def make(folder, path):
        archive(list)(folder, path)
        block = bytearray(member("etc/forged", content=content)[0].tobuf(tarfile.GNU_FORMAT))
        change(block)
        signed(block)
        image = path.read_bytes().rstrip(b"\0")
        image += bytes(-len(image) % 512)
        path.write_bytes(image + block + content + bytes(-len(content) % 512) + bytes(1024))
    return make


def huge_name(block):
    block[0:100] = b"././@LongLink".ljust(100, b"\0")
    block[124:136], block[156] = b"\x80" + bytes(7) + (1 << 30).to_bytes(4, "big"), ord("L")


def huge_sparse(block):
    block[156] = ord("S")
    block[386:482] = (b"%011o\0%011o\0" % (0, 0)).ljust(96, b"\0")
    block[483:495] = b"\x80" + bytes(3) + ((1 << 63) - 512).to_bytes(8, "big")


# --- what unpacks without end ---

def zstd_of(byte, mebibytes):
    """A frame of blocks that repeat one byte, 128 KiB in four bytes each."""
    def make(_folder, path):
        block = (1 << 1 | (128 << 10) << 3).to_bytes(3, "little") + bytes([byte])
        end = (1 | 1 << 1 | 1 << 3).to_bytes(3, "little") + bytes([byte])
        path.write_bytes(b"\x28\xb5\x2f\xfd\x00\x38" + block * (8 * mebibytes) + end)
    return make


def nested_gzip(_folder, path):
    """Zeros in gzip, in gzip, in gzip."""
    content = bytes(MIB)
    for _ in range(3):
        content = small.gzip.compress(content * 30, mtime=0)
    path.write_bytes(content)


# --- file systems: a directory that is its own parent ---

def crc32c(content):
    value = 0xffffffff
    for byte in content:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
    return ~value & 0xffffffff


def made(folder, path, name):
    """The image of mutations.py, to be changed."""
    files = folder / "crafted-files"
    if not files.exists():
        mutations.fill(files)
    make, *options = mutations.IMAGES[name]
    make(files, path, *options)


def change(path, edits):
    for offset, content in edits:
        small.put(path, offset, content)


def places(image, mark):
    at = image.find(mark)
    while at >= 0:
        yield at
        at = image.find(mark, at + 1)


def xfs_circle(folder, path):
    """Version 4: before a name in a block stand its inode's number, u64, and its length, u8; each leads to the root."""
    made(folder, path, "xfs-v4")
    with open(path, "rb") as disk:
        image = disk.read(40 * MIB)
    root = image[56:64]
    found = [at - 8 for name in (b"etc", b"usr") for at in places(image, b"\x03" + name) if not any(image[at - 8:at - 4])]
    assert found, "no names in the root"
    change(path, [(at, root) for at in found])


def btrfs_circle(kind, objectid):
    """Items of directories: the key of what a name is for, then 8 + 2 + 2 + 1 bytes, then the name."""
    def make(folder, path):
        made(folder, path, "btrfs")
        with open(path, "rb") as disk:
            image = bytearray(disk.read(128 * MIB))
        nodes = set()
        for name in (b"etc", b"usr"):
            for at in places(image, struct.pack("<HHB", 0, 3, 2) + name):
                image[at - 25:at - 8] = struct.pack("<QBQ", objectid, kind, 0)
                nodes.add(at - at % 16384)
        assert nodes, "no names in the root"
        for node in nodes:
            image[node:node + 4] = crc32c(image[node + 32:node + 16384]).to_bytes(4, "little")
            small.put(path, node, image[node:node + 16384])
    return make


def erofs_circle(folder, path):
    """A directory: entries of u64 inode, u16 place of the name, u8 type, in 12 bytes; then the names."""
    made(folder, path, "erofs")
    image = bytearray(path.read_bytes())
    root, = struct.unpack_from("<H", image, 1024 + 14)
    names, found = image.find(b"...bootetc"), 0
    count = next(n for n in range(3, 100) if image[names - 12 * n + 8:names - 12 * n + 10] == struct.pack("<H", 12 * n))
    for entry in range(names - 12 * count, names, 12):
        name, = struct.unpack_from("<H", image, entry + 8)
        if image[names - 12 * count + name:][:3] in (b"etc", b"usr"):
            struct.pack_into("<Q", image, entry, root)
            found += 1
    assert found, "no names in the root"
    path.write_bytes(image)


def squashfs_circle(folder, path):
    """Tables that are not compressed: u16 place of the inode, i16 its number, u16 type, u16 length of the name - 1, name."""
    files = folder / "crafted-files"
    if not files.exists():
        mutations.fill(files)
    mutations.squashfs(files, path, "-noI")
    image = bytearray(path.read_bytes())
    root, = struct.unpack_from("<Q", image, 32)
    found = 0
    for name in (b"etc", b"usr"):
        for at in places(bytes(image), struct.pack("<HH", 1, 2) + name):
            struct.pack_into("<H", image, at - 4, root & 0xffff)
            found += 1
    assert found, "no names in the root"
    path.write_bytes(image)


def deep_links(folder, path):
    """Fifty levels of directories, and as many of links through them."""
    tree = folder / "deep"
    at = tree
    for level in range(50):
        at = at / f"level-{level}"
    at.mkdir(parents=True)
    (at / "os-release").write_text("ID=debian\n")
    (tree / "etc").mkdir()
    os.symlink("/" + "/".join(f"level-{level}" for level in range(50)) + "/os-release", tree / "etc/os-release")
    os.symlink("../etc/os-release/../os-release", tree / "etc/fstab")
    mutations.squashfs(tree, path)


ROOM = 256 * MIB  # for what is unpacked, where it goes on
NO_SYSTEM = "no file system that can be read holds a Linux system"
# A root in a tar is examined as tar -x would leave it; where that leaves a member out, it is partly examined.
INPUTS = {
    "hard links in a circle.tar": (archive(hard_links), 2, "etc/fstab in the archive is left out: it is a hard link to etc/fstab,"
                                   " which is not there"),
    "links in a circle.tar": (archive(links), 2, "modules: its parent is a loop of symbolic links"),
    "a directory that is a link to itself.tar": (archive(folder_as_link_to_itself), 2, "boot: its parent is a loop of symbolic links"),
    "fifty levels.tar": (archive(deep(50)), 0, ""),
    "two thousand levels.tar": (archive(deep(2000)), 0, ""),
    "names without number.tar": (many, 0, ""),
    "a name of a GiB.tar": (forged(huge_name), 2, "is an extended one of 1073741824 bytes, more than are read"),
    "a file of 8 EiB.tar": (forged(huge_sparse), 0, ""),
    "zeros without end.zst": (zstd_of(0, 4096), 2, "it is no disk image"),
    "bytes without end.zst": (zstd_of(0xff, 1024), 2, f"unpacking it takes more than {ROOM} bytes of room"),
    "packed again and again.gz": (nested_gzip, 2, "this gzip file holds a gzip file"),
    "an xfs whose directories are its root": (xfs_circle, 2, NO_SYSTEM),
    "a btrfs whose directories are its root": (btrfs_circle(1, 256), 2, NO_SYSTEM),
    "a btrfs whose subvolumes are itself": (btrfs_circle(132, 5), 2, NO_SYSTEM),
    "an erofs whose directories are its root": (erofs_circle, 2, NO_SYSTEM),
    "a squashfs whose directories are its root": (squashfs_circle, 2, NO_SYSTEM),
    "fifty levels": (deep_links, 2, "no kernel was found in the image"),
}
