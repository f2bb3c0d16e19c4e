"""Images that do not come up, each broken in one way, and what a boot of it must say."""

import dataclasses
import pathlib
import sys
import tempfile
from typing import Callable

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "image"))

import common  # noqa: E402
from images import catalogue, edit  # noqa: E402
from images.tools import run  # noqa: E402

INIT = "/usr/local/sbin/never-ready"


@dataclasses.dataclass(frozen=True)
class Broken:
    """One change to an image of the catalogue, and the run that it leads to."""
    base: str
    change: Callable
    end: str
    symptom: str
    explained: tuple      # requirements of which one at least must be named beside the symptom
    firmware: str = "bios"
    patience: int = 0     # seconds; 0: slipway's own
    boots: str = "no"


def soon(change):
    """The change, and an initramfs that waits two seconds for the root file system and not thirty."""
    return lambda image: (change(image), catalogue.add_words("rootdelay=2")(image))


def same(_image):
    """The image is broken by the catalogue already."""


def no_grub_modules(image):
    """GRUB's core finds its directory, and nothing that it needs in it."""
    image.remove("/boot/grub/i386-pc/normal.mod")


def init_that_spins(image):
    image.write(INIT, "#!/bin/sh\nwhile :; do :; done\n")
    image.debugfs(f'set_inode_field "{INIT}" mode 0100755')
    catalogue.add_words(f"init={INIT}")(image)


def missing_data_disk(image):
    """systemd waits for the disk, gives up, and asks for root's password."""
    image.edit("/etc/fstab", r"\Z", "UUID=0b51c0de-0000-4000-8000-000000000000 /srv ext4 "
               "defaults,x-systemd.device-timeout=2s 0 0\n")


def bad_boot_sector(image):
    """The firmware finds no signature in the first sector, and no ESP."""
    catalogue.no_boot_code(image)
    image.poke(510, bytes(2))


BROKEN = {
    "no-boot-sector": Broken("trixie", bad_boot_sector, "failed", "no-bootable-device", ("image.boot-path",)),
    "no-loader-uefi": Broken("trixie-no-boot-code", same, "failed", "no-bootable-device", ("image.boot-path",), "uefi"),
    "grub-rescue": Broken("trixie-bios", no_grub_modules, "failed", "grub-rescue", ("image.boot-path", "boot.default-entry")),
    "no-kernel": Broken("trixie-no-kernel", same, "failed", "boot-loader-failed", ("boot.default-entry",), patience=10),
    "no-initrd": Broken("bookworm", catalogue.missing_initrd, "failed", "unable-to-mount-root", ("boot.initramfs",)),
    "no-virtio-scsi": Broken("bookworm-no-virtio-scsi", soon(same), "failed", "unable-to-mount-root",
                             ("hardware.scsi.virtio", "kernel.virtio-scsi", "boot.initramfs")),
    "wrong-root": Broken("trixie-wrong-root", soon(same), "failed", "unable-to-mount-root", ("boot.root-found",), "uefi"),
    "panic": Broken("bookworm", catalogue.add_words("init=/bin/false"), "failed", "kernel-panic", ()),
    "emergency": Broken("bookworm", missing_data_disk, "failed", "emergency-shell", ("boot.fstab",)),
    "no-console": Broken("bookworm", catalogue.no_console, "came-up", "no-console", ("boot.console",), patience=25, boots="yes"),
    "hang": Broken("bookworm", init_that_spins, "hung", "hang", (), patience=20),
}


class image:
    """The broken image of a name for the time of a test."""

    def __init__(self, name):
        self.broken = BROKEN[name]

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(dir=common.IMAGES, prefix="boot-")
        path = pathlib.Path(self.folder.name) / "disk.raw"
        base = self.broken.base
        if base in catalogue.VARIANTS:
            common.need(common.IMAGES / f"{catalogue.VARIANTS[base].base}.raw")
            catalogue.make_variant(base, common.IMAGES, path)
        else:
            common.need(common.IMAGES / f"{base}.raw")
            run("cp", "--reflink=auto", "--sparse=always", common.IMAGES / f"{base}.raw", path)
        self.broken.change(edit.Image(path, catalogue.layout_of(base)))
        return path

    def __exit__(self, *_):
        self.folder.cleanup()
