#!/usr/bin/python3
"""Real images of each format, made by the tools that make them, damaged again and again by `mutate`: no crash, no hang, no
memory without bounds, whatever the bytes.

  mutations.py MUTATE all COUNT [SEED]          every image
  mutations.py MUTATE NAME COUNT [SEED]         one of them
  mutations.py MUTATE keep NAME FILE            leaves the sound image in a file
  mutations.py MUTATE list                      their names
"""

import gzip
import os
import pathlib
import random
import struct
import subprocess
import sys
import tarfile
import tempfile

sys.dont_write_bytecode = True

import small_disk as small  # noqa: E402

run = small.run
MIB = 1 << 20


# --- what is in them ---

def fill(folder):
    """A system, and what takes file systems more than one block to say: names, links, holes, pieces."""
    folder.mkdir()
    small.put_tree(folder, small.system())
    noise = random.Random(7)
    for count in (3, 100):
        inner = folder / f"of-{count}"
        inner.mkdir()
        for i in range(count):
            (inner / f"{i}-{'y' * (i * 7 % 80)}").write_bytes(b"content" * (i % 4))
    for length in (20, 100, 700):
        (folder / f"link-{length}").symlink_to("t" * length)
    (folder / "random").write_bytes(noise.randbytes(70001))
    (folder / "text").write_bytes(b"".join(b"line %d of a text\n" % (i % 97) for i in range(9000)))
    with open(folder / "sparse", "wb") as sparse:
        for offset in range(0, 3 * MIB, 64 << 10):
            sparse.seek(offset)
            sparse.write(noise.randbytes(600))
    os.link(folder / "text", folder / "hard-link")
    deep = folder
    for i in range(12):
        deep = deep / f"level-{i}"
        deep.mkdir()


def truncate(image, size):
    with open(image, "wb") as file:
        file.truncate(size)


def proto_of(folder):
    """The folder as mkfs.xfs -p takes it; links that do not fit into an inode are left out."""
    lines = ["/", "0 0"]

    def add(path, name):
        if path.is_symlink():
            if len(os.readlink(path)) <= 100:
                lines.append(f"{name} l--777 0 0 {os.readlink(path)}")
        elif path.is_dir():
            lines.append(f"{name} d--755 0 0".strip())
            for entry in sorted(path.iterdir()):
                add(entry, entry.name)
            lines.append("$")
        else:
            lines.append(f"{name} ---644 0 0 {path}")

    add(folder, "")
    return "\n".join(lines) + "\n"


# --- file systems: each takes a folder of files, the image, and its own options ---

def ext4(folder, image, *options):
    run("mke2fs", "-q", "-F", "-t", "ext4", *options, "-U", small.UUID, "-d", folder, image, "16M")


def xfs(folder, image, *options):
    truncate(image, 330 * MIB)
    proto = image.with_suffix(".proto")
    proto.write_text(proto_of(folder))
    run("mkfs.xfs", "-q", "-f", *options, "-p", proto, image)


def btrfs(folder, image, *options):
    truncate(image, 128 * MIB)
    run("mkfs.btrfs", "-q", *options, "--rootdir", folder, image)


def squashfs(folder, image, *options):
    run("mksquashfs", folder, image, "-quiet", "-no-progress", "-noappend", *options)


def erofs(folder, image, *options):
    run("mkfs.erofs", "-U", small.UUID, *options, image, folder)


def vfat(folder, image, bits, size):
    run("mkfs.vfat", "-C", "-i", "5a1d7e02", "-F", bits, "-s", "1", image, str(size * 1024))
    run("mmd", "-i", image, "::/EFI", "::/EFI/BOOT", "::/a long name of a folder")
    (image.parent / "kernel").write_bytes(small.kernel())
    for i in range(60):
        run("mcopy", "-i", image, folder / "etc/hosts", f"::/a long name of a folder/{i} and so on.conf")
    run("mcopy", "-i", image, image.parent / "kernel", "::/EFI/BOOT/BOOTX64.EFI")


# --- disks and what they are wrapped in ---

def disk(_folder, image):
    small.make(image, image.parent / "small-disk")


def mbr(folder, image):
    """Primary partitions, and logical ones, with a small file system in one."""
    truncate(image, 24 * MIB)
    run("sfdisk", "-q", image, input=b"label: dos\n2048,2048,83,*\n4096,8192,c\n,,5\n,2048,83\n,2048,82\n,18000,83\n")
    part = image.with_suffix(".part")
    run("mke2fs", "-q", "-F", "-t", "ext4", "-O", "^metadata_csum", "-d", folder / "etc", part, "1M")
    small.put(image, 2048 * 512, part.read_bytes())


def small_raw(folder, image):
    run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-O", "^metadata_csum,^has_journal", "-d", folder / "etc", image, "1M")


def packed(folder, image, *command):
    raw = image.with_suffix(".raw")
    small_raw(folder, raw)
    image.write_bytes(run(*command, raw))


def container(folder, image, *options):
    raw = image.with_suffix(".raw")
    small_raw(folder, raw)
    run("qemu-img", "convert", *options, raw, image)


def lvm(_folder, image):
    seed = pathlib.Path(__file__).resolve().parent.parent / "oracle/lvm/two-members.img.xz"
    raw = run("xz", "-dc", seed)
    truncate(image, len(raw))
    with open(image, "r+b") as file:
        for at in range(0, len(raw), 4096):
            if any(raw[at:at + 4096]):
                file.seek(at)
                file.write(raw[at:at + 4096])


def tar(folder, image, *options):
    run("tar", "-C", folder, *options, "--exclude=*0-y*", "--sort=name", "-cf", image, ".")


def disk_tar(folder, image, *options):
    small_raw(folder, image.parent / "disk.raw")
    run("tar", "-C", image.parent, *options, "-cSf", image, "disk.raw")


# --- parts of a system ---

def kernel(_folder, image):
    image.write_bytes(small.kernel())


def initramfs(_folder, image):
    image.write_bytes(small.initramfs())


def uki(folder, image):
    """A unified kernel image: a stub, and sections behind it."""
    kernel(folder, image.with_suffix(".linux"))
    initramfs(folder, image.with_suffix(".initrd"))
    image.with_suffix(".cmdline").write_text("root=LABEL=root console=ttyS0\n")
    words = []
    for number, name in enumerate(("cmdline", "linux", "initrd")):
        words += ["--add-section", f".{name}={image.with_suffix('.' + name)}",
                  "--change-section-vma", f".{name}={0x20000 + (number << 20):#x}"]
    run("objcopy", *words, "/usr/lib/systemd/boot/efi/linuxx64.efi.stub", image)


def config(_folder, image):
    image.write_bytes(gzip.compress(small.config().encode(), mtime=0))


IMAGES = {
    "ext4": (ext4, "-O", "^metadata_csum"),
    "ext4-1k": (ext4, "-b", "1024", "-O", "^metadata_csum,^64bit,^extents,inline_data"),
    "xfs-v4": (xfs, "-m", "crc=0", "-n", "ftype=0"),
    "xfs-v5": (xfs,),
    "xfs-v5-1k": (xfs, "-b", "size=1024", "-n", "size=8192"),
    "btrfs": (btrfs, "-m", "single"),
    "btrfs-4k": (btrfs, "-n", "4096", "-s", "4096", "--mixed"),
    "squashfs": (squashfs,),
    "squashfs-zstd": (squashfs, "-comp", "zstd", "-b", "32768"),
    "erofs": (erofs,),
    "erofs-lz4": (erofs, "-zlz4hc", "-C16384", "-Efragments,ztailpacking"),
    "erofs-legacy": (erofs, "-zlz4", "-Elegacy-compress,force-inode-extended"),
    "vfat-12": (vfat, "12", 2),
    "vfat-16": (vfat, "16", 8),
    "vfat-32": (vfat, "32", 40),
    "lvm": (lvm,),
    "gpt": (disk,),
    "mbr": (mbr,),
    "tar-v7": (tar, "--format=v7", "--exclude=link-*"),
    "tar-ustar": (tar, "--format=ustar", "--exclude=link-*"),
    "tar-gnu": (tar, "--format=gnu", "-S"),
    "tar-pax": (tar, "--format=posix", "-S"),
    "tar-disk": (disk_tar, "--format=oldgnu"),
    "tar-disk.gz": (disk_tar, "--format=oldgnu", "-z"),
    "gzip": (packed, "gzip", "-nc"),
    "xz": (packed, "xz", "-c"),
    "zstd": (packed, "zstd", "-qc"),
    "qcow2": (container, "-O", "qcow2"),
    "qcow2-zlib": (container, "-c", "-O", "qcow2", "-o", "cluster_size=4k"),
    "qcow2-extended": (container, "-O", "qcow2", "-o", "extended_l2=on,cluster_size=16k"),
    "qed": (container, "-O", "qed"),
    "vmdk": (container, "-O", "vmdk"),
    "vmdk-stream": (container, "-O", "vmdk", "-o", "subformat=streamOptimized"),
    "vhd": (container, "-O", "vpc"),
    "vhdx": (container, "-O", "vhdx"),
    "vdi": (container, "-O", "vdi"),
    "parallels": (container, "-O", "parallels"),
    "kernel": (kernel,),
    "initramfs": (initramfs,),
    "uki": (uki,),
    "kernel-config": (config,),
}


def main():
    program, what, rest = sys.argv[1], sys.argv[2], sys.argv[3:]
    if what == "list":
        print("\n".join(IMAGES))
        return 0
    os.environ.setdefault("ASAN_OPTIONS", "abort_on_error=1:detect_leaks=0:quarantine_size_mb=16")
    os.environ.setdefault("UBSAN_OPTIONS", "halt_on_error=1:abort_on_error=1:print_stacktrace=1")
    names = list(IMAGES) if what == "all" else [rest[0] if what == "keep" else what]
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="mutations-") as scratch:
        folder = pathlib.Path(scratch) / "files"
        fill(folder)
        for name in names:
            image = pathlib.Path(rest[1]) if what == "keep" else pathlib.Path(scratch) / name
            IMAGES[name][0](folder, image, *IMAGES[name][1:])
            if what == "keep":
                return 0
            done = subprocess.run([program, image, *rest], check=False, stdout=subprocess.PIPE, text=True)
            print(f"{'failed' if done.returncode else 'ok'} {name}: {done.stdout.strip()}", flush=True)
            wrong += done.returncode != 0
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
