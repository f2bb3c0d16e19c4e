"""How the disks of the test images are cut up, and what GRUB is told about it.

The UUIDs are chosen here, before anything exists: the menu that the suite's own grub-mkconfig writes names them,
and the file systems are then made with them.
"""

import dataclasses

ROOT_UUID = "7d3c1a52-90b4-4c1e-8a57-2f6e0b9d4c31"
BOOT_UUID = "b18e5f70-3a6d-4d92-9c04-61d2a7f8e035"
USR_UUID = "e4f90c27-6b1d-4a38-b5e2-0c9d817a36f4"
ESP_VOLUME_ID = "5A1D-7E02"

CONSOLE = "console=ttyS0,38400n8d"
ARM64_CONSOLE = "console=ttyAMA0,115200"


@dataclasses.dataclass(frozen=True)
class Layout:
    """One disk layout and GRUB set-up; partition numbers are those that the firmware and Linux count."""
    name: str
    table: str = "gpt"           # or "msdos"
    root: int = 1
    boot: int = 0                # 0: /boot is on the root file system
    usr: int = 0
    root_type: str = "ext4"      # or "xfs", "btrfs"; /boot and /usr are ext4
    bios: bool = True
    uefi: bool = True
    efi: str = "x64"             # the architecture in the names of EFI programs
    sector: int = 512
    command_line: str = CONSOLE
    quiet: str = ""              # GRUB_CMDLINE_LINUX_DEFAULT
    timeout: str = "0"
    default: str = "0"           # GRUB_DEFAULT
    two_kernels: bool = False
    suites: tuple = ()           # made for these releases alone; empty: for all

    def settings(self):
        """The environment of boot-files.sh."""
        return {
            "NAME": self.name, "TABLE": self.table, "ROOT_NUMBER": str(self.root), "BOOT_NUMBER": str(self.boot),
            "ROOT_UUID": ROOT_UUID, "BOOT_UUID": BOOT_UUID if self.boot else ROOT_UUID,
            "COMMAND_LINE": self.command_line, "QUIET": self.quiet, "TIMEOUT": self.timeout,
            "DEFAULT": self.default,
        }


LAYOUTS = (
    Layout("standard"),
    Layout("stock", command_line="", quiet="quiet", timeout="5"),
    Layout("mbr", table="msdos", uefi=False),
    Layout("boot", root=3, boot=2, suites=("bookworm",)),
    Layout("arm64", bios=False, efi="aa64", command_line=ARM64_CONSOLE, suites=("bookworm-arm64",)),
    Layout("saved", default="saved", two_kernels=True, suites=("bookworm",)),
)


def named(name):
    return next(layout for layout in LAYOUTS if layout.name == name)
