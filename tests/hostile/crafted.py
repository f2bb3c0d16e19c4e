"""Disks that no accident makes: each once took a reader's time or memory, or would if nothing were capped."""

import struct
import zlib

import small_disk as small

GRUB = "/boot/grub/grub.cfg"
KERNEL = f"/boot/vmlinuz-{small.VERSION}"
INITRD = f"/boot/initrd.img-{small.VERSION}"
ARM64 = bytes(56) + b"ARM\x64" + bytes(100)
MODULES = f"/usr/lib/modules/{small.VERSION}"


def grub(text):
    return lambda: {GRUB: text}


def same_bucket(count, buckets):
    """Names that fall into one bucket of a table hashed with FNV-1a."""
    names, number = [], 0
    while len(names) < count:
        name, value = f"m{number:x}", 2166136261
        for byte in name.encode():
            value = (value ^ byte) * 16777619 & 0xffffffff
        if value % buckets == 0:
            names.append(name)
        number += 1
    return names


def colliding_modules():
    names = same_bucket(900, 256)
    first = "kernel/virtio_scsi.ko: " + " ".join(f"kernel/{name}.ko" for name in names)
    again = f"kernel/{names[0]}.ko: " + f"kernel/{names[1]}.ko " * 400000
    return {f"{MODULES}/modules.dep": f"{first}\n{again}\n" + "".join(f"kernel/{name}.ko:\n" for name in names[1:])}


def deflated(begin, again, count):
    """A gzip member of `begin` and `count` times `again`."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    head = packer.compress(begin) + packer.flush(zlib.Z_FULL_FLUSH)
    part = packer.compress(again) + packer.flush(zlib.Z_FULL_FLUSH)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + head + part * count


def many_kernels():
    bomb = deflated(ARM64, bytes(1 << 20), 200)
    return {f"/boot/vmlinuz-{number}": bomb for number in range(40)} | {GRUB: "menuentry a { linux /boot/vmlinuz-1 }\n"}


def kernel_of_markers():
    """What a search for the version finds again and again, and no version behind it."""
    return {f"/boot/vmlinuz-{small.VERSION}": deflated(ARM64, b"Linux version x" * 70000, 240)}


def empty_members():
    """A gzip member that goes on and on without giving a byte."""
    return {INITRD: b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + b"\0\0\0\xff\xff" * (2 << 20)}


FILES = {
    "a configuration that includes itself": grub(f"source {GRUB}\nmenuentry a {{ configfile {GRUB} }}\n"),
    "a loop without end": grub("while true ; do set a=$a$a$a ; done\n"),
    "a word that doubles": grub("set a=aaaaaaaaaaaaaaaa\n" + "set a=$a$a\n" * 40 + 'menuentry "$a" { linux $a $a $a }\n' * 300),
    "functions without number": grub("".join(f"function f{n} {{ true; }}\n" for n in range(90000)) + "f1\n" * 90000),
    "searches far down": grub("\n" * 400000 + "while true ; do search --file /nowhere ; done\n"),
    "submenus in submenus": grub("function s { submenu a { s } ; submenu b { s } }\ns\n"),
    "blocks in blocks": grub("if true; then\n" * 5000 + "true\n" + "fi\n" * 5000),
    "numbers too large": grub("set timeout=99999999999999999999\nset default=9223372036854775808\n"
                              "menuentry a { linux (hd0,gpt18446744073709551616)/a }\nbreak 18446744073709551615\n"),
    "a mount point of slashes": lambda: {
        "/etc/fstab": f"UUID={small.UUID} / ext4 defaults 0 1\nPARTLABEL=EFI /boot{'/' * 9000} vfat defaults 0 1\n",
        KERNEL: None, GRUB: "true\n"},  # there is one on that partition
    "mounts without number": lambda: {
        "/etc/fstab": "".join(f"PARTLABEL=EFI /m{n} vfat defaults 0 1\n" for n in range(20000))},
    "symbolic links in a circle": lambda: {
        "/etc/os-release": ("/usr/lib/os-release",), "/usr/lib/os-release": ("../../etc/os-release",),
        "/etc/fstab": ("fstab",), GRUB: ("./../../boot/grub/./grub.cfg",), "/sbin/init": ("/sbin/" + "../sbin/" * 100 + "init",)},
    "modules in one bucket": colliding_modules,
    "kernels that grow": many_kernels,
    "a kernel of markers": kernel_of_markers,
    "members without content": empty_members,
    "a value refused again and again": lambda: {
        "/etc/sysctl.d/60-image.conf": "".join(f"kernel.kptr_restrict = x{n}\n" for n in range(20000)),
        "/etc/sysctl.conf": "kernel.kptr_restrict = x\n" * 20000},
    "patterns without number": lambda: {
        "/etc/sysctl.d/60-image.conf": "".join(f"*{'*a' * 40}{n} = 1\n" for n in range(9000))},
    "a file that is all one line": lambda: {
        "/etc/sysctl.d/60-image.conf": "a" * 900000, "/etc/os-release": "ID=" + "\\" * 60000, "/etc/fstab": "\\040" * 100000,
        "/etc/ssh/sshd_config": "Include " + "/etc/ssh/* " * 20000},
    "files that include each other": lambda: {
        "/etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\n" * 50,
        **{f"/etc/ssh/sshd_config.d/{n}.conf": "Include /etc/ssh/sshd_config.d/*.conf\n" * 50 for n in range(20)}},
    "a directory of many names": lambda: {f"/etc/sysctl.d/{n:0100}.conf": "" for n in range(400)},
}


def gpt_number(offset, value, width):
    """Sets a number of both headers, and signs them."""
    def change(path):
        image = bytearray(path.read_bytes())
        for header in (small.SECTOR, len(image) - small.SECTOR):
            image[header + offset:header + offset + width] = value.to_bytes(width, "little")
        small.sign_gpt(image)
        path.write_bytes(image)
    return change


def gpt_entry(offset, value):
    """Sets a number of the root's entry in both tables, and signs them."""
    def change(path):
        image = bytearray(path.read_bytes())
        for table in (2 * small.SECTOR, len(image) - 33 * small.SECTOR):
            image[table + 256 + offset:table + 264 + offset] = value.to_bytes(8, "little")
        small.sign_gpt(image)
        path.write_bytes(image)
    return change


def superblock(offset, value, width=4):
    return lambda path: small.put(path, small.ROOT[0] + 1024 + offset, value.to_bytes(width, "little"))


def sparse_garbage(path):
    """Two TiB of which a few sectors are noise."""
    with open(path, "r+b") as disk:
        disk.truncate(2 << 40)
        for at in range(1 << 30, 2 << 40, 1 << 34):
            disk.seek(at)
            disk.write(bytes(range(256)) * 16)


def extended_circle(path):
    """A chain of extended boot records that comes back to its begin."""
    image = bytearray(path.read_bytes())
    image[446:510] = struct.pack("<B3sB3sII", 0, b"", 5, b"", 2048, 40000) + bytes(48)
    record = bytearray(512)
    record[446:478] = struct.pack("<B3sB3sII", 0, b"", 0x83, b"", 1, 1) + struct.pack("<B3sB3sII", 0, b"", 5, b"", 0, 9)
    record[510:512] = b"\x55\xaa"
    image[2048 * 512:2049 * 512] = record
    image[512:1024] = bytes(512)
    path.write_bytes(image)


BYTES = {
    "entries without number": gpt_number(80, 0xffffffff, 4),
    "entries of no size": gpt_number(84, 0, 4),
    "entries far outside": gpt_number(72, (1 << 64) - 1, 8),
    "a backup far outside": gpt_number(32, 1 << 63, 8),
    "a partition that ends at 2^64": gpt_entry(40, (1 << 64) - 1),
    "a partition that begins at 2^63": gpt_entry(32, 1 << 63),
    "a partition that ends before it begins": gpt_entry(40, 1),
    "blocks of 64 KiB": superblock(24, 6),
    "blocks without number": superblock(4, 0xffffffff),
    "groups of one block": superblock(32, 1),
    "inodes of 64 KiB": superblock(88, 0xffff, 2),
    "a first block far outside": superblock(20, 0xfffffff0),
    "descriptors of 1 byte, 64 bits": lambda path: (superblock(96, 0x2c2)(path), superblock(254, 1, 2)(path)),
    "two TiB of holes": sparse_garbage,
    "extended boot records in a circle": extended_circle,
}
