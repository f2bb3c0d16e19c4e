"""Guests that lack something on purpose, and what each proof may say of them.

All run the same kernel, Debian 12's, which has the serial ports' driver in itself and those of the disk and of the
network as modules, so that what is left out of the initramfs is not driven, and a word on the command line takes away
what is built in. A guest that lacks several things lacks such as do not touch each other: each costs a boot.
"""

import io
import pathlib
from typing import NamedTuple

from images import tools

# What slipway's own init loads, as far as this kernel has it as modules.
MODULES = ("virtio_pci", "virtio_scsi", "sd_mod", "virtio_net", "virtio_rng")

YES, NO, UNKNOWN = "yes", "no", "unknown"
# There is no telling which of the two, and it does not matter.
NEVER_YES = (NO, UNKNOWN)
# Registers show a change only to who looked before the driver came: on a busy host that may be too late.
NEVER_NO = (YES, UNKNOWN)

NET = ("net-driven", "net-checksum", "net-tso4", "net-gro4")
SCSI = ("scsi-driven", "scsi-command-sets", "scsi-one-queue", "scsi-sectors", "scsi-disks-only", "scsi-hotplug",
        "scsi-hotunplug")
SERIAL = ("serial-ttyS0", "serial-ttyS1", "serial-ttyS2", "serial-ttyS3")

# A kernel that drives everything. It has neither a root nor a login of its own.
WHOLE = {
    **dict.fromkeys((*NET, *SCSI, *SERIAL, "console", "acpi", "pnp"), YES),
    "root": UNKNOWN,
    "login": UNKNOWN,
    # Emulation has no KVM to show.
    **dict.fromkeys(("kvm-guest", "kvm-clock"), NEVER_NO),
}


class Guest(NamedTuple):
    without: tuple = ()  # modules that its initramfs does not carry
    append: str = ""  # to slipway's own words on the command line
    machine: tuple = ()  # words for QEMU, behind those of the machine
    expected: dict = {}  # what differs from WHOLE
    reports: bool = True  # it tells of itself over ttyS1


GUESTS = {
    "whole": Guest(),
    # Without ACPI's word on them two ports are taken to be on IRQ 4 and 3.
    "no-scsi-no-pnp-no-gso": Guest(
        without=("virtio_scsi",),
        append="pnpacpi=off virtio_net.gso=0",
        expected={
            **dict.fromkeys(SCSI, UNKNOWN),
            "scsi-driven": NO,
            "scsi-hotplug": NO,
            "net-tso4": NEVER_YES,
            "pnp": NO,
            "serial-ttyS2": NO,
            "serial-ttyS3": NO,
        },
    ),
    # With ACPI's word the first port that it lists would take the only place, and the console with it.
    "no-disk-driver-one-port": Guest(
        without=("sd_mod",),
        append="pnpacpi=off 8250.nr_uarts=1",
        expected={
            "scsi-command-sets": UNKNOWN,
            "scsi-sectors": UNKNOWN,
            "scsi-disks-only": UNKNOWN,
            "scsi-hotplug": NO,
            "scsi-hotunplug": UNKNOWN,
            "pnp": NO,
            "serial-ttyS1": NO,
            "serial-ttyS2": NO,
            "serial-ttyS3": NO,
        },
        reports=False,
    ),
    "no-net-no-acpi": Guest(
        without=("virtio_net",),
        append="acpi=off",
        expected={
            **dict.fromkeys(NET, UNKNOWN),
            "net-driven": NO,
            "acpi": NO,
            "pnp": NO,
            "serial-ttyS2": NO,
            "serial-ttyS3": NO,
        },
    ),
    # Nothing of the kernel stands on the console: what registers do not show is not known.
    "quiet-no-checksum": Guest(
        append="quiet virtio_net.csum=0 virtio_net.gso=0",
        expected={
            "console": UNKNOWN,
            "pnp": UNKNOWN,
            "serial-ttyS0": NEVER_NO,
            "serial-ttyS1": NEVER_NO,
            "serial-ttyS2": UNKNOWN,
            "serial-ttyS3": UNKNOWN,
            "net-checksum": NO,
            "net-tso4": NO,
        },
    ),
    # Neither driven nor told of: all is the firmware's.
    "quiet-no-modules-no-acpi": Guest(
        without=MODULES,
        append="quiet acpi=off",
        expected={
            **dict.fromkeys((*NET, *SCSI), UNKNOWN),
            "net-driven": NO,
            "scsi-driven": NO,
            "scsi-hotplug": NO,
            "console": UNKNOWN,
            "acpi": UNKNOWN,
            "pnp": UNKNOWN,
            "serial-ttyS0": NEVER_NO,
            "serial-ttyS1": NEVER_NO,
            "serial-ttyS2": UNKNOWN,
            "serial-ttyS3": UNKNOWN,
        },
    ),
    # No word on a command line keeps this kernel from taking large frames: of a device that offers none it takes none.
    "console-elsewhere-no-gro": Guest(
        append="console=tty0",
        machine=("-global", "virtio-net-device.guest_tso4=off"),
        expected={
            "console": NO,
            "net-gro4": UNKNOWN,
            "pnp": UNKNOWN,
            "serial-ttyS2": UNKNOWN,
            "serial-ttyS3": UNKNOWN,
        },
    ),
}


def cpio(members):
    """An initramfs: headers of the kind "newc" as Documentation/driver-api/early-userspace/buffer-format.rst has
    them, all numbers in eight hexadecimal digits."""
    out = io.BytesIO()

    def pad():
        out.write(bytes(-out.tell() % 4))

    for number, (name, mode, content) in enumerate([*members, ("TRAILER!!!", 0, b"")], 1):
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        out.write(b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0")
        pad()
        out.write(content)
        pad()
    return out.getvalue()


def name_of(path):
    return pathlib.PurePath(path).name.split(".")[0].replace("-", "_")


class Kernel:
    """The kernel of a root and its modules, unpacked into a folder."""

    def __init__(self, tar, folder):
        self._unpack(tar, folder, "./boot/vmlinuz-*", "./usr/lib/modules/*/modules.dep")
        self.vmlinuz = next(folder.glob("boot/vmlinuz-*"))
        self.home = pathlib.PurePath("usr/lib/modules") / self.vmlinuz.name.removeprefix("vmlinuz-")
        self.list = (folder / self.home / "modules.dep").read_bytes()
        wanted = set()
        for line in self.list.decode().splitlines():
            path, others = line.split(":")
            if name_of(path) in MODULES:
                wanted |= {path, *others.split()}
        missing = set(MODULES) - set(map(name_of, wanted))
        if missing:
            raise tools.ImageError(f"{self.vmlinuz.name} does not have as modules: {', '.join(sorted(missing))}")
        self._unpack(tar, folder, *(f"./{self.home}/{path}" for path in wanted))
        self.modules = {path: (folder / self.home / path).read_bytes() for path in sorted(wanted)}

    @staticmethod
    def _unpack(tar, folder, *members):
        tools.run("tar", "-xf", tar, "-C", folder, "--no-same-owner", "--wildcards", *members)

    def initramfs(self, without=()):
        """With what the modules need, without the files of some. Not packed: an emulated processor is slow to
        unpack it."""
        files = {self.home / "modules.dep": self.list}
        files |= {self.home / path: content for path, content in self.modules.items() if name_of(path) not in without}
        folders = sorted({parent for path in files for parent in path.parents} - {pathlib.PurePath(".")})
        return cpio([(str(folder), 0o40755, b"") for folder in folders]
                    + [(str(path), 0o100644, content) for path, content in files.items()])
