"""The small disk in the ways that a system can lie on one and be booted: what must be read to judge it differs."""

import dataclasses
import functools
import sys
import pathlib
from typing import Callable

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[2] / "script/lib"))

import small_disk as small  # noqa: E402
from images import disk, loaders, lvm, tree  # noqa: E402

MIB = 1 << 20
SYMBOLS = (
    "PCI=y", "ACPI=y", "PNP=y", "PNPACPI=y", "NET=y", "INET=y", "SCSI=y", "VIRTIO_PCI_LEGACY=y", "VIRTIO_NET=y",
    "SERIAL_8250=y", "SERIAL_8250_PNP=y", "SERIAL_8250_NR_UARTS=4", "SERIAL_8250_RUNTIME_UARTS=4", "SYN_COOKIES=y",
    "DEFAULT_MMAP_MIN_ADDR=65536", "STACKPROTECTOR=y", "SECURITY_YAMA=y", "PERF_EVENTS=y", "BLK_DEV_INITRD=y",
    "RD_ZSTD=y", "EFI_PARTITION=y", "GVE=m", "SYSCTL=y", "SECURITY=y", "PROC_FS=y", "BINFMT_ELF=y", "BINFMT_SCRIPT=y",
    "DEVTMPFS=y", "XFS_FS=y", "BTRFS_FS=y", "MD=y", "BLK_DEV_DM=y", "EFI=y", "EFI_STUB=y")
BUILTIN = "".join(f"kernel/{name}.ko\n" for name in (
    "crc16", "jbd2", "virtio_net", "virtio_pci_legacy_dev", "xfs", "btrfs", "dm-mod"))
COMMAND_LINE = f"root=UUID={small.UUID} ro console=ttyS0,38400n8d"
VOLUME = "/dev/mapper/vg--slip-root"
UEFI_GRUB = {"/boot/grub/x86_64-efi/normal.mod": "normal"}


def files():
    """Changes of the small disk that let most rules pass, so that there is something to lose."""
    wants, units = "/etc/systemd/system", "/usr/lib/systemd/system"
    return {
        f"/boot/vmlinuz-{small.VERSION}": small.kernel(SYMBOLS),
        f"/usr/lib/modules/{small.VERSION}/modules.builtin": BUILTIN,
        "/boot/grub/i386-pc/normal.mod": "normal",
        tree.SYSCTL_FILE: tree.SYSCTLS,
        "/etc/sysctl.conf": None,
        "/etc/fstab": fstab(f"UUID={small.UUID}", "ext4 errors=remount-ro"),
        "/usr/sbin/chronyd": "x",
        "/usr/sbin/sshd": "x",
        "/usr/sbin/ifup": "x",
        "/sbin/dhclient": "x",
        "/usr/bin/google_guest_agent": "x",
        "/usr/bin/google_metadata_script_runner": "x",
        f"{units}/serial-getty@.service": "[Service]\nExecStart=-/sbin/agetty %I\n",
        f"{units}/chrony.service": "[Service]\nExecStart=/usr/sbin/chronyd\n[Install]\nWantedBy=multi-user.target\n",
        f"{units}/google-guest-agent.service": "[Service]\nExecStart=/usr/bin/google_guest_agent\n",
        f"{wants}/multi-user.target.wants/chrony.service": (f"{units}/chrony.service",),
        f"{wants}/multi-user.target.wants/google-guest-agent.service": (f"{units}/google-guest-agent.service",),
        f"{wants}/getty.target.wants/serial-getty@ttyS0.service": (f"{units}/serial-getty@.service",),
    }


def fstab(device, words):
    return f"{device} / {words} 0 1\nUUID=5A1D-7E02 /boot/efi vfat umask=0077 0 1\n"


class Esp:
    """The EFI system partition of the small disk, without the loader and the kernel that are on it."""

    def __init__(self, raw, folder):
        self.drive, self.file = f"{raw}@@{small.ESP[0]}", folder / "file"
        small.run("mdel", "-i", self.drive, "::/EFI/BOOT/BOOTX64.EFI", "::/vmlinuz-6.1.0")

    def make_folders(self, *paths):
        small.run("mmd", "-i", self.drive, *(f"::{path}" for path in paths))

    def write(self, path, content):
        self.file.write_bytes(content if isinstance(content, bytes) else content.encode())
        small.run("mcopy", "-i", self.drive, self.file, f"::{path}")


def uefi_alone(raw):
    """The disk has no boot code for a BIOS."""
    small.put(raw, 0, bytes(440))


def systemd_boot(raw, folder):
    """Two entries beside the default one, and kernel and initramfs where the loader can read them."""
    esp = Esp(raw, folder)
    esp.make_folders("/loader", "/loader/entries")
    esp.write("/EFI/BOOT/BOOTX64.EFI", loaders.SYSTEMD_BOOT.read_bytes())
    esp.write("/linux", small.kernel(SYMBOLS))
    esp.write("/initrd", small.initramfs())
    esp.write("/loader/loader.conf", "default b.conf\ntimeout 0\n")
    for name in "abc":
        console = "ttyS0" if name == "b" else "tty0"
        esp.write(f"/loader/entries/{name}.conf", f"title {name}\nlinux /linux\ninitrd /initrd\n"
                  f"options root=UUID={small.UUID} ro console={console}\n")
    uefi_alone(raw)


def unified_kernel(raw, folder):
    """A unified kernel image where the firmware looks for a loader."""
    Esp(raw, folder).write("/EFI/BOOT/BOOTX64.EFI", loaders.unified_kernel(loaders.STUB, [
        (".osrel", small.system()["/etc/os-release"].encode()), (".uname", small.VERSION.encode()),
        (".cmdline", COMMAND_LINE.encode()), (".initrd", small.initramfs()), (".linux", small.kernel(SYMBOLS))]))
    uefi_alone(raw)


def syslinux(raw, folder):
    """SYSLINUX on the FAT partition, for a BIOS alone, with a menu that includes another."""
    esp = Esp(raw, folder)
    esp.make_folders("/syslinux")
    esp.write("/linux", small.kernel(SYMBOLS))
    esp.write("/initrd", small.initramfs())
    esp.write("/syslinux/syslinux.cfg", "DEFAULT b\nINCLUDE more.cfg\nLABEL a\n  LINUX /linux\n")
    esp.write("/syslinux/more.cfg", f"LABEL b\n  LINUX /linux\n  INITRD /initrd\n  APPEND {COMMAND_LINE}\n")
    small.run("syslinux", "--directory", "/syslinux", "--offset", small.ESP[0], "--install", raw)
    small.run("sgdisk", "--attributes=2:set:2", "--delete=1", raw)
    small.put(raw, 0, loaders.SYSLINUX_MBR.read_bytes()[:440].ljust(440, b"\0"))


def enlarge_root(raw, size, kind="8300"):
    """The root's partition, of which the content has to be written anew."""
    with open(raw, "r+b") as file:
        file.truncate(small.ROOT[0] + size + MIB)
    sectors = small.ROOT[0] // small.SECTOR, (small.ROOT[0] + size) // small.SECTOR - 1
    small.run("sgdisk", "--move-second-header", "--delete=3", f"--new=3:{sectors[0]}:{sectors[1]}", f"--typecode=3:{kind}", raw)
    small.put(raw, small.ROOT[0], bytes(small.ROOT[1]))


def other_root(write, size, raw, folder):
    """The root's files in another file system; the loader is the one for UEFI."""
    enlarge_root(raw, size)
    write(raw, disk.Part(3, "linux", small.ROOT[0], size), folder / "files" / "tree", small.UUID)
    uefi_alone(raw)


def logical_volume(raw, _folder):
    """The root's file system in a volume of two pieces; the loader is the one for UEFI."""
    with open(raw, "rb") as file:
        file.seek(small.ROOT[0])
        content = file.read(small.ROOT[1])
    extents = -(-small.ROOT[1] // lvm.EXTENT)
    size = lvm.HEADER + extents * lvm.EXTENT
    enlarge_root(raw, size, "8e00")
    small.put(raw, small.ROOT[0], lvm.header("vg-slip", "root", size, [(extents - 1, 1), (0, extents - 1)]))
    small.put(raw, small.ROOT[0] + lvm.HEADER, content[lvm.EXTENT:])
    small.put(raw, small.ROOT[0] + lvm.HEADER + (extents - 1) * lvm.EXTENT, content[:lvm.EXTENT])
    uefi_alone(raw)


@dataclasses.dataclass(frozen=True)
class Disk:
    """A way: what is done with the finished disk, and what is changed of its files before it is made."""
    prepare: Callable = lambda raw, folder: None
    files: Callable = dict


DISKS = {
    "grub": Disk(),
    "systemd-boot": Disk(systemd_boot),
    "unified-kernel": Disk(unified_kernel),
    "syslinux": Disk(syslinux),
    "lvm": Disk(logical_volume, lambda: UEFI_GRUB | {
        "/etc/fstab": fstab(VOLUME, "ext4 errors=remount-ro"),
        "/boot/grub/grub.cfg": small.MENU.replace(f"root=UUID={small.UUID}", f"root={VOLUME}"),
        f"/boot/initrd.img-{small.VERSION}": small.initramfs({"usr/sbin/lvm": b"x"}),
    }),
    "xfs": Disk(functools.partial(other_root, disk.write_xfs, 320 * MIB),
                lambda: UEFI_GRUB | {"/etc/fstab": fstab(f"UUID={small.UUID}", "xfs defaults")}),
    "btrfs": Disk(functools.partial(other_root, disk.write_btrfs, 128 * MIB),
                  lambda: UEFI_GRUB | {"/etc/fstab": fstab(f"UUID={small.UUID}", "btrfs defaults")}),
}


def make(name, raw, folder):
    """Makes the disk of a name as `raw`, with the help of files in `folder`."""
    small.make(raw, folder / "files", {**files(), **DISKS[name].files()})
    DISKS[name].prepare(raw, folder)
