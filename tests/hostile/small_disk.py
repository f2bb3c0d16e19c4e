"""A whole bootable disk in few megabytes: GPT, a BIOS boot partition with GRUB, an EFI system partition, an ext4 root
with a menu, a kernel (of which only what a reader sees is real), an initramfs and the files of a system."""

import binascii
import functools
import gzip
import os
import pathlib
import struct
import subprocess
import tempfile
import zlib

SECTOR = 512
MIB = 1 << 20
BIOS, ESP, ROOT = (1 * MIB, 1 * MIB), (2 * MIB, 2 * MIB), (4 * MIB, 18 * MIB)
SIZE = 23 * MIB
VERSION = "6.1.0-9-cloud-amd64"
UUID = "7d3c1a52-90b4-4c1e-8a57-2f6e0b9d4c31"
MODULES = ("virtio_ring", "virtio_pci", "virtio_scsi", "scsi_mod", "sd_mod", "ext4", "nvme", "gve")

MENU = f"""\
if [ -s $prefix/grubenv ]; then
  set have_grubenv=true
  load_env
fi
if [ "${{next_entry}}" ] ; then
   set default="${{next_entry}}"
   set next_entry=
   save_env next_entry
else
   set default="${{saved_entry}}"
fi
function load_video {{
  insmod all_video
}}
menuentry_id_option="--id"
search --no-floppy --fs-uuid --set=root {UUID}
set timeout=5
menuentry 'Debian' --class debian --unrestricted $menuentry_id_option 'simple' {{
	load_video
	linux	/boot/vmlinuz-{VERSION} root=UUID={UUID} ro console=ttyS0,38400n8d sysctl.kernel.kptr_restrict=1
	initrd	/boot/initrd.img-{VERSION}
}}
submenu 'Advanced' {{
	for name in a b ; do
		menuentry "$name" {{ linux /boot/vmlinuz-{VERSION} root=/dev/sda3 }}
	done
}}
source /boot/grub/custom.cfg
"""


def run(*words, **more):
    environment = dict(os.environ, PATH=os.environ.get("PATH", "") + ":/usr/sbin:/sbin", MTOOLS_SKIP_CHECK="1")
    done = subprocess.run([str(word) for word in words], env=environment, capture_output=True, check=False, **more)
    if done.returncode:
        raise SystemExit(f"{words[0]} is missing or failed: {done.stderr.decode(errors='replace')}")
    return done.stdout


def cpio(members):
    """A newc archive: {name: content}."""
    out = b""
    for number, (name, content) in enumerate([*members.items(), ("TRAILER!!!", b"")]):
        fields = (number, 0o100644, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        head = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
        head += bytes(-len(head) % 4)
        out += head + content + bytes(-len(content) % 4)
    return out


def config(more=()):
    symbols = ("SCSI_VIRTIO=m", "VIRTIO_PCI=m", "BLK_DEV_SD=m", "EXT4_FS=m", "PCI_MSI=y", "KVM_GUEST=y",
               "SERIAL_8250_CONSOLE=y", "STRICT_KERNEL_RWX=y", 'LSM="yama,apparmor"', "RANDOMIZE_BASE=y", *more)
    lines = [f"CONFIG_{symbol}" for symbol in symbols] + ["# CONFIG_DEVMEM is not set"]
    return f"#\n# Automatically generated file; DO NOT EDIT.\n# Linux/x86 {VERSION} Kernel Configuration\n#\n" + \
        "\n".join(lines) + "\n"


def kernel(more=()):
    """A bzImage as boot.rst has it; its payload is nothing but a version and a configuration, with `more` symbols set."""
    inside = gzip.compress(config(more).encode(), mtime=0)
    banner = f"Linux version {VERSION} (a@b) #1 SMP\n".encode()
    payload = gzip.compress(b"\x7fELF" + bytes(2000) + banner + b"IKCFG_ST" + inside + b"IKCFG_ED" + bytes(500), mtime=0)
    payload += struct.pack("<I", 3000)
    setup = bytearray(5 * SECTOR)
    setup[0:2] = b"MZ"
    struct.pack_into("<I", setup, 0x3c, 0x80)
    setup[0x80:0x86] = b"PE\0\0\x64\x86"
    setup[0x1f1] = 4
    struct.pack_into("<H4sH", setup, 0x1fe, 0xaa55, b"\xeb\x6aHd", 0)
    setup[0x202:0x206] = b"HdrS"
    struct.pack_into("<H", setup, 0x206, 0x020f)
    struct.pack_into("<H", setup, 0x20e, 0x300)
    struct.pack_into("<H", setup, 0x236, 1)
    struct.pack_into("<II", setup, 0x248, 0, len(payload))
    text = f"{VERSION} (a@b) #1 SMP".encode() + b"\0"
    setup[0x500:0x500 + len(text)] = text
    return bytes(setup) + payload


def initramfs(more=None):
    """Of an early archive and a compressed one with the modules, and `more` files: {name: content}."""
    folder = f"usr/lib/modules/{VERSION}/kernel"
    early = cpio({"kernel/x86/microcode/GenuineIntel.bin": b"microcode" * 10})
    main = cpio({"init": b"#!/bin/sh\n", **{f"{folder}/{name}.ko": b"\x7fELF" + bytes(60) for name in MODULES},
                 **(more or {})})
    return early + run("zstd", "-q", "-c", "-1", input=main)


def grubenv():
    return "# GRUB Environment Block\nsaved_entry=simple\n".ljust(1024, "#")


def system():
    """{path: content}; a content of bytes or text is a file, a tuple of one text a link."""
    modules = f"/usr/lib/modules/{VERSION}"
    return {
        "/boot/grub/grub.cfg": MENU,
        "/boot/grub/grubenv": grubenv(),
        "/boot/grub/custom.cfg": "menuentry custom { chainloader +1 }\n",
        f"/boot/vmlinuz-{VERSION}": kernel(),
        f"/boot/initrd.img-{VERSION}": initramfs(),
        f"{modules}/modules.dep": "".join(
            f"kernel/{name}.ko:{' kernel/virtio_ring.ko' * name.startswith('virtio_')}\n" for name in MODULES),
        f"{modules}/modules.builtin": "kernel/crc16.ko\nkernel/jbd2.ko\n",
        **{f"{modules}/kernel/{name}.ko": b"\x7fELF" + bytes(60) for name in MODULES},
        "/etc/os-release": 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n',
        "/etc/fstab": f"UUID={UUID} / ext4 errors=remount-ro 0 1\nPARTLABEL=EFI /boot/efi vfat umask=0077 0 1\n",
        "/etc/sysctl.conf": "net.ipv4.ip_forward = 0\n",
        "/etc/sysctl.d/60-image.conf": "kernel.kptr_restrict = 1\nnet.ipv4.conf.*.rp_filter = 1\n-net.ipv4.conf.lo\n",
        "/usr/lib/sysctl.d/50-default.conf": "kernel.yama.ptrace_scope = 1\n",
        "/etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\nPermitRootLogin no\n",
        "/etc/ssh/sshd_config.d/60-image.conf": "PasswordAuthentication no\n",
        "/etc/chrony/chrony.conf": "server metadata.google.internal iburst\n",
        "/etc/network/interfaces": "auto lo\niface lo inet loopback\niface ens4 inet dhcp\n",
        "/etc/hosts": "127.0.0.1 localhost\n",
        "/etc/machine-id": "",
        "/usr/lib/systemd/systemd": "x",
        "/usr/lib/systemd/systemd-sysctl": "x",
        "/sbin/init": ("../usr/lib/systemd/systemd",),
    }


def put_tree(folder, files):
    for path, content in files.items():
        file = folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, tuple):
            file.symlink_to(content[0])
        else:
            file.write_bytes(content if isinstance(content, bytes) else content.encode())


def put(path, start, content):
    with open(path, "r+b") as disk:
        disk.seek(start)
        disk.write(content)


def put_root(path, folder, features):
    part = folder / "root.part"
    run("mke2fs", "-q", "-F", "-t", "ext4", "-b", "1024", "-N", "1024", "-O", features, "-U", UUID, "-E",
        f"hash_seed={UUID}", "-d", folder / "tree", part, f"{ROOT[1] // 1024}k")
    put(path, ROOT[0], part.read_bytes())
    part.unlink()


@functools.cache
def esp():
    """The EFI system partition, the same on every disk."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        part, early, loader = folder / "esp.part", folder / "early.cfg", folder / "grubx64.efi"
        early.write_text(f"search.fs_uuid {UUID} root\nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n")
        run("grub-mkimage", "-O", "x86_64-efi", "-o", loader, "-c", early, "-p", "/EFI/debian", "fat")
        run("mkfs.vfat", "-C", "-i", "5a1d7e02", "-n", "ESP", part, ESP[1] // 1024)
        run("mmd", "-i", part, "::/EFI", "::/EFI/BOOT", "::/EFI/debian")
        run("mcopy", "-i", part, loader, "::/EFI/BOOT/BOOTX64.EFI")
        run("mcopy", "-i", part, early, "::/EFI/debian/a long name, and.more.cfg")
        (folder / "vmlinuz").write_bytes(kernel())
        run("mcopy", "-i", part, folder / "vmlinuz", "::/vmlinuz-6.1.0")
        return part.read_bytes()


@functools.cache
def bios():
    """GRUB's boot code and its core image, the same on every disk."""
    with tempfile.NamedTemporaryFile() as core:
        run("grub-mkimage", "-O", "i386-pc", "-o", core.name, "-p", "(,gpt3)/boot/grub", "biosdisk", "part_gpt", "ext2")
        content = bytearray(pathlib.Path(core.name).read_bytes())
    boot = bytearray(pathlib.Path("/usr/lib/grub/i386-pc/boot.img").read_bytes()[:440])
    struct.pack_into("<Q", boot, 0x5c, BIOS[0] // SECTOR)
    struct.pack_into("<Q", content, 0x1f4, BIOS[0] // SECTOR + 1)
    return boot, content


def put_table(path):
    kinds = (("21686148-6449-6E6F-744E-656564454649", BIOS), ("C12A7328-F81F-11D2-BA4B-00A0C93EC93B", ESP),
             ("0FC63DAF-8483-4772-8E79-3D69D8477DE4", ROOT))
    lines = [f"start={start // SECTOR}, size={size // SECTOR}, type={kind}, uuid={UUID[:-1]}{number}"
             for number, (kind, (start, size)) in enumerate(kinds)]
    lines[1] += ', name="EFI"'
    run("sfdisk", "--quiet", "--no-tell-kernel", path, input=(f"label: gpt\nlabel-id: {UUID}\n" + "\n".join(lines) + "\n").encode())


def make(path, folder, changes=None, features="^metadata_csum,^has_journal"):
    """Makes the disk; without checksums of metadata, so that a reader gets behind them."""
    folder.mkdir()
    files = {**system(), **(changes or {})}
    put_tree(folder / "tree", {name: content for name, content in files.items() if content is not None})
    with open(path, "wb") as disk:
        disk.truncate(SIZE)
    put_table(path)
    put_root(path, folder, features)
    put(path, ESP[0], esp())
    boot, core = bios()
    put(path, 0, boot)
    put(path, BIOS[0], core)


def sign_gpt(image):
    """Makes the CRCs of both copies right again, as far as they can be computed."""
    for header in (SECTOR, len(image) - SECTOR):
        size, = struct.unpack_from("<I", image, header + 12)
        entries, count, entry_size = struct.unpack_from("<QII", image, header + 72)
        if count * entry_size <= 4 * MIB and (entries + 1) * SECTOR <= len(image):
            table = bytes(image[entries * SECTOR:entries * SECTOR + count * entry_size])
            struct.pack_into("<I", image, header + 88, zlib.crc32(table))
        if 92 <= size <= SECTOR:
            struct.pack_into("<I", image, header + 16, 0)
            struct.pack_into("<I", image, header + 16, binascii.crc32(bytes(image[header:header + size])))
